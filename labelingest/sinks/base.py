"""The functions of a sink and of the module that opens one, and the values they are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from labelingest.columns.types import Int64
from labelingest.formats.format import Format
from labelingest.model.batch_output import BatchOutput
from labelingest.model.ontology import Ontology
from labelingest.problems import Problem
from labelingest.storage.unfinished_files import temporary_name

__all__ = ["OutputTarget", "ResumableSink", "Sink", "SinkModule", "UnfinishedOutput"]


class Sink(Protocol):
    """Takes labels in the order of their keys; nothing is visible before the block ends well.

    A sink is used once: `with sink: sink.put(…)`.
    """

    def __enter__(self) -> "Sink":
        """Make ready to take labels; raise StorageError where that cannot be."""
        ...

    def __exit__(self, *raised: object) -> None:
        """Make everything visible, or nothing when the block ended by an exception."""
        ...

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Return position and problem of the data files whose labels it cannot hold.

        Asked before they are converted, so that nothing is counted that cannot be kept.
        """
        ...

    def put(self, batch: BatchOutput) -> list[tuple[int, Problem]]:
        """Take labels of data files; return position and problem of each that it refuses."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutputTarget:
    """Where labels go, and everything that a sink may need to write them."""

    format: Format
    """Format of the output."""
    out: str
    """Name of the output: a file or a folder."""
    ontology: Ontology
    """The ontology that annotations point into."""
    storage_url: str
    """URL of the storage path, ending in "/": links and hashes are made from it."""
    class_numbers: Int64
    """(o,) class number of each ontology object; -1 for none."""
    shard_rows: int | None = None
    """Data files in each file of a folder; None for one file, or one for each data file."""


@dataclass(frozen=True, slots=True)
class UnfinishedOutput:
    """An unfinished output that outlives a run that is interrupted, so that the next can go on."""

    path: Path
    """Where it is built: beside the place that it gets."""
    marks: Sequence[Any] = ()
    """What `ResumableSink.mark` said after each put that counts."""

    @staticmethod
    def place(unfinished: "UnfinishedOutput | None", path: Path) -> Path:
        """Return where the output at a path is built: where it was begun, or a new place."""
        return path.with_name(temporary_name()) if unfinished is None else unfinished.path


class ResumableSink(Sink, Protocol):
    """A sink whose unfinished output stays when the block ends by an exception."""

    def good_marks(self, files: Sequence[int]) -> int:
        """Return how many marks, from the first on, speak of what is still there as it was put.

        Asked before the block. Reads what was put, once and in pieces; never raises for what is
        not there, nor for marks that no sink wrote.

        Parameters
        ----------
        files
            How many data files each put was about.
        """
        ...

    def mark(self) -> Any:
        """Return what the last put added, as JSON can say it; what it wrote is out of our hands."""
        ...

    def sync(self) -> None:
        """Bring all that was put onto the disk; raise StorageError where that failed."""
        ...


class SinkModule(Protocol):
    """Functions of the module that a format names as its sink."""

    def open_sink(self, target: OutputTarget, unfinished: UnfinishedOutput | None = None) -> Sink:
        """Return the sink of an output whose name fits the format.

        Parameters
        ----------
        target
            Where labels go.
        unfinished
            The unfinished output of an interrupted run, which stays when the block fails; only for
            formats that are resumable, whose sinks are `ResumableSink`.
        """
        ...

    def is_own_output(self, file: BinaryIO, suffix: str) -> bool:
        """Return whether a file that is not empty was written by a sink of the format."""
        ...
