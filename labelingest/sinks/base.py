"""The functions of a sink and of the module that opens one, and the values they are given."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from msgspec import Struct

from labelingest.columns.types import Int64
from labelingest.formats.format import Format
from labelingest.model.batch_output import BatchOutput
from labelingest.model.ontology import Ontology
from labelingest.problems import Problem
from labelingest.storage.base import Storage
from labelingest.storage.unfinished_files import temporary_name
from labelingest.storage.urls import is_cloud
from labelingest.writers.target import CocoRotated

__all__ = [
    "OutputTarget",
    "ResumableSink",
    "Sink",
    "SinkModule",
    "UnfinishedOutput",
    "WorkerHalf",
]


class WorkerHalf(Protocol):
    """Half of a sink that every worker holds: it does the sink's work that needs no order.

    A half is small and can be pickled; workers in other processes and on other machines have copies.
    It never takes a large file, whose labels are made when the sink takes them.
    """

    def pack(self, output: BatchOutput) -> BatchOutput:
        """Return a batch, or a part of one, with its texts in the form that the output has.

        Nothing outside the batch changes: a batch over which packing fails is packed again in parts,
        and an unexpected exception costs one file. `BatchOutput.joined` joins the parts.
        """
        ...

    def deliver(self, output: BatchOutput) -> BatchOutput:
        """Bring the texts of a whole job nearer to their place; return what `Sink.put` takes.

        A job is delivered once by each worker that converts it, and again where that worker was
        lost. The same job has the same texts every time. A batch that is returned without keys is
        one of which the sink refuses no file. An exception ends the run: a half raises StorageError
        where the output cannot be written.
        """
        ...


class Sink(Protocol):
    """Takes labels in the order of their keys; nothing is visible before the block ends well.

    A sink is used once: `with sink: sink.put(…)`.
    """

    def __enter__(self) -> "Sink":
        """Open the output; raise StorageError if it cannot be written."""
        ...

    def __exit__(self, *raised: object) -> None:
        """Make everything visible, or nothing when the block ended by an exception."""
        ...

    def half(self) -> WorkerHalf | None:
        """Return the half for workers; None where they have nothing to do. The sink is open."""
        ...

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Return position and problem of data files whose labels the output cannot hold.

        The run asks before the conversion, so that it counts only labels that can be written.
        """
        ...

    def put(self, batch: BatchOutput) -> list[tuple[int, Problem]]:
        """Write labels of data files; return position and problem of each refused file."""
        ...


class OutputTarget(Struct, frozen=True, eq=False, kw_only=True):
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
    coco_rotated: CocoRotated = CocoRotated.CORNERS
    """Drawing of rotated boxes in COCO."""
    shard_rows: int | None = None
    """Data files in each file of a folder; None for one file, or one for each data file."""
    beside: Storage | None = None
    """Storage path in which each label row is written beside its data file; None to write to `out`."""
    data_files: int = 0
    """Data files of the run: their number decides the names of shards in the cloud."""

    @property
    def is_resumable(self) -> bool:
        """Whether an interrupted output can be continued: objects in the cloud begin again."""
        return self.format.is_resumable and self.beside is None and not is_cloud(self.out)


class UnfinishedOutput(Struct, frozen=True):
    """Output of an interrupted run, which the next run continues."""

    path: Path
    """Path of the unfinished output, beside the output's own place."""
    marks: Sequence[Any] = ()
    """Results of `ResumableSink.marks`, one for each put that counts."""

    @staticmethod
    def place(unfinished: "UnfinishedOutput | None", path: Path) -> Path:
        """Return where the output at a path is built: where it was begun, or a new place."""
        return path.with_name(temporary_name()) if unfinished is None else unfinished.path


class ResumableSink(Sink, Protocol):
    """A sink whose unfinished output stays when the block ends by an exception."""

    def good_marks(self, files: Sequence[int]) -> int:
        """Count the marks, from the first on, whose content is unchanged on the disk.

        The caller asks before the block. The sink reads the content once, in pieces, and never
        raises for missing content, nor for marks that no sink wrote.

        Parameters
        ----------
        files
            Number of data files of each put.
        """
        ...

    def marks(self, *, wait: bool = False) -> Sequence[Any]:
        """Return the marks of puts whose bytes are with the system by now, each mark once.

        A mark is a value of JSON. There is one for each put, in the order of the puts.

        Parameters
        ----------
        wait
            Whether to wait for the bytes of all puts.

        Raises
        ------
        StorageError
            Bytes of a put could not be written, after the marks of earlier puts were returned.
        """
        ...

    def sync(self) -> None:
        """Bring everything that has a mark onto the disk; raise StorageError if that fails."""
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
