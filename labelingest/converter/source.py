"""The stages that depend on the format of sidecars, as one protocol, and what a source needs."""

from typing import ClassVar, Protocol, TypeVar

from msgspec import Struct

from labelingest.assembly.context import AssemblyOptions
from labelingest.columns.types import Bool
from labelingest.converter.batch import Batch
from labelingest.model.blobs import Blobs
from labelingest.model.ontology import ClassMap, Ontology
from labelingest.model.units import DataUnits
from labelingest.problems.of_batch import BatchProblems
from labelingest.readers.yolo.layouts import YoloOptions
from labelingest.stopwatch import Stage

__all__ = ["Source", "SourceOptions"]


class SourceOptions(Struct, frozen=True, kw_only=True):
    """Everything that a source may need, whatever the format of its sidecars."""

    ontology: Ontology
    class_map: ClassMap
    """Class number → ontology object; empty where no class numbers are read."""
    yolo: YoloOptions
    """How rows of YOLO files are read."""
    assembly: AssemblyOptions
    """How rows become annotations."""


R = TypeVar("R")
L = TypeVar("L")


class Source(Protocol[R, L]):
    """Makes labels of sidecars of one format; R is what it reads, L is what it resolves.

    Each stage takes what the stage before returned. A source holds no state of its work, and can be
    pickled.
    """

    resolve_stage: ClassVar[Stage]
    """Stage that the time of `resolve` belongs to."""

    def read(self, blobs: Blobs, units: DataUnits, problems: BatchProblems) -> R:
        """Read sidecars to columns, without the ontology where the format allows it.

        Parameters
        ----------
        blobs
            (u,) contents of the sidecars.
        units
            (u,) the data files.
        problems
            Takes the problems of the sidecars; has the files that could not be fetched.
        """
        ...

    def resolve(self, rows: R, units: DataUnits, problems: BatchProblems) -> L:
        """Find the ontology object of each label; reject labels without one."""
        ...

    def sizes_needed(self, labels: L, units: DataUnits) -> Bool:
        """Return (u,) whether labels of a data unit become their shapes only with the image's size."""
        ...

    def assemble(self, labels: L, units: DataUnits, problems: BatchProblems) -> Batch:
        """Turn labels into annotations; units have the sizes that are needed, where they are known."""
        ...
