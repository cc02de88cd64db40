"""The functions that every target has, whatever its format, and the values they share.

A target is a module (`labelingest.writers.yolo`, …) or any object with the same functions. Its steps::

    sizes_needed    images whose size in pixels the format needs
    representable   annotations that the format can represent; the others are rejected
    write           a text for each data file, or columns for a format that is one document
    write_pieces    the text of one data file piece by piece, where it does not fit into memory

`sizes_needed` and `representable` are asked about images alone where the format is of images only.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Protocol

import numpy as np
from msgspec import Struct, field

from labelingest.columns.types import Bool, Int64, Texts
from labelingest.model.annotations import Annotations
from labelingest.model.batch_output import Labels
from labelingest.model.ontology import Ontology
from labelingest.model.units import DataUnits
from labelingest.problems.of_batch import BatchProblems

__all__ = ["CocoRotated", "Target", "TargetOptions", "TextTarget", "WriterOptions", "Written"]


class CocoRotated(StrEnum):
    """Drawing of rotated boxes in COCO."""

    CORNERS = "corners"
    """As they lie: `segmentation` is the ring of the corners, and `bbox` encloses it."""
    UNROTATED = "unrotated"
    """Before their rotation, as the official client's exporter draws them."""

    @property
    def label(self) -> str:
        """What a rotated box becomes, in counts of changes."""
        return {"corners": "ring of its corners", "unrotated": "unrotated box"}[self]


class WriterOptions(Struct, frozen=True):
    """Facts that outputs state beside the annotations."""

    storage_url: str
    """URL of the storage path, ending in "/": data hashes and links are made from it."""
    created_by: str | None = None
    """E-mail address of the author; None is the user who imports."""
    dataset_title: str = ""
    """Title of the dataset in label rows."""


def _no_numbers() -> Int64:
    return np.zeros(0, dtype=np.int64)


class TargetOptions(Struct, frozen=True, eq=False, kw_only=True):
    """Everything that a target may need beside the labels."""

    ontology: Ontology
    """The ontology that annotations point into."""
    writer: WriterOptions
    """Facts that outputs state beside the annotations."""
    class_numbers: Int64 = field(default_factory=_no_numbers)
    """(o,) class number of each ontology object, -1 for none; empty where no numbers are needed."""
    yolo_layout: str = "auto"
    """One of `labelingest.writers.yolo_rows.YoloLayout`."""
    yolo_confidence: bool = False
    """Whether YOLO rows have a confidence as their last column, where one was read."""
    coco_rotated: CocoRotated = CocoRotated.CORNERS
    """Drawing of rotated boxes in COCO."""


class Written(Struct, frozen=True, eq=False):
    """A batch in the format: texts or columns, and counts of what was changed for it."""

    texts: Sequence[bytes] = ()
    """(u,) text of each data file; empty for a format that is one document."""
    labels: Labels | None = None
    """Columns of the data files, for a format that is one document."""
    converted: Counter[str] = field(default_factory=Counter)
    """Annotations whose kind of geometry was changed: "polygon → box"."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Parts of annotations that were left out."""


class Target(Protocol):
    """Functions of a target module."""

    def sizes_needed(
        self, annotations: Annotations, units: DataUnits, options: TargetOptions
    ) -> Bool:
        """Return (u,) the data units whose size in pixels is needed to write their annotations."""
        ...

    def representable(
        self,
        annotations: Annotations,
        units: DataUnits,
        options: TargetOptions,
        problems: BatchProblems,
    ) -> Annotations:
        """Return the annotations that the format can represent; reject the others, each once."""
        ...

    def write(self, annotations: Annotations, units: DataUnits, options: TargetOptions) -> Written:
        """Write the annotations of data units, all of them representable; a unit may have none."""
        ...


class TextTarget(Target, Protocol):
    """Functions of a target module whose format has a text for each data file."""

    def write_pieces(
        self,
        units: DataUnits,
        options: TargetOptions,
        hashes: Iterable[Texts],
        parts: Iterable[tuple[Annotations, Texts]],
    ) -> Iterator[bytes]:
        """Yield the text of one data unit piece by piece; joined, they are what `write` returns.

        Parameters
        ----------
        units
            The one data unit.
        options
            As for `write`.
        hashes
            Object hashes of all annotations, part by part.
        parts
            Annotations and their object hashes, in the parts of `hashes`.
        """
        ...
