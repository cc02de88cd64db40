"""Labels on their way out: the formats they go out as, and what a batch made of its data files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from labelingest.columns.types import Bool
from labelingest.model.annotations import Annotations
from labelingest.model.units import DataUnits

__all__ = ["Labels", "Made", "OutputFormat"]


class OutputFormat(StrEnum):
    """The formats that labels are written in."""

    ENCORD = "encord"
    """A label row for each data file, as Encord's client reads it."""
    YOLO = "yolo"
    """A label file for each image, and `data.yaml` with the names of the class numbers."""
    COCO = "coco"
    """One JSON document of images, annotations and categories."""
    PARQUET = "parquet"
    """One table with a row for each annotation."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The labels of a batch, as columns."""

    units: DataUnits
    """(u,) the data units; one may have no annotation."""
    annotations: Annotations
    """(n,) their annotations."""

    @classmethod
    def none(cls) -> "Labels":
        """Return no labels, of no data units."""
        return cls(DataUnits.from_keys([], [], np.zeros(0, dtype=np.int64)), Annotations.none())

    @classmethod
    def joined(cls, parts: "Sequence[Labels]") -> "Labels":
        """Return the labels of several batches as those of one."""
        annotations = [part.annotations for part in parts]
        return cls(
            DataUnits.joined([part.units for part in parts]),
            Annotations.joined(annotations, [len(part.units) for part in parts]),
        )

    @classmethod
    def of_written(cls, units: DataUnits, annotations: Annotations, written: Bool) -> "Labels":
        """Keep the data units where written, (u,), is true, and their annotations.

        Examples
        --------
        >>> units = DataUnits.from_keys(["a.jpg", "b.jpg"], ["a.txt", "b.txt"], np.zeros(2, np.int64))
        >>> one = np.ones(1, dtype=np.int32)
        >>> numbers, offsets, content = np.zeros(4), np.array([0, 4]), np.zeros(1, np.uint64)
        >>> annotations = Annotations(one, one, one, one / 2, numbers, offsets, content)
        >>> labels = Labels.of_written(units, annotations, np.array([False, True]))
        >>> labels.units.key, labels.annotations.unit.tolist()
        (['b.jpg'], [0])
        """
        if written.all():
            return cls(units, annotations)
        kept = annotations.of_units(written)
        row_of = np.cumsum(written, dtype=np.int32) - np.int32(1)
        return cls(units.where(written), replace(kept, unit=row_of[kept.unit]))


@dataclass(frozen=True, slots=True)
class Large:
    """The labels of one data file that are made piece by piece, as they do not go into memory.

    Each call makes the same ones again.
    """

    pieces: Callable[[], Iterator[bytes]]
    """Of its label row, without the line's end, or of its label file."""
    parts: Callable[[], Iterator[Labels]]
    """Of its columns, each with the one data unit, for a format that is one file; one at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What a batch made of its data files: a text of each, or columns."""

    keys: Sequence[str]
    """(m,) keys of the data files, in order."""
    texts: Sequence[bytes] = ()
    """(m,) the label row, on one line, or the label file of each; none where there are columns."""
    labels: Labels | None = None
    """The columns of the same data files, for a format that is one file."""
    packed: bytes | None = None
    """The texts as the output takes them, joined and perhaps compressed, instead of the texts."""
    large: Large | None = None
    """The labels of the only data file, instead of all of these."""

    def columns_of(self, rows: slice) -> "Made":
        """Return the columns of data files that follow each other; each has one data unit.

        Raises
        ------
        ValueError
            There are no columns.
        """
        if self.labels is None:
            raise ValueError("the output is made of columns, and there are none")
        if rows == slice(0, len(self.keys)):
            return self
        chosen = np.zeros(len(self.keys), dtype=bool)
        chosen[rows] = True
        labels = Labels.of_written(self.labels.units, self.labels.annotations, chosen)
        return Made(self.keys[rows], labels=labels)

    @classmethod
    def joined(cls, parts: "Sequence[Made]") -> "Made":
        """Return what several batches made as one; all of them were made for the same output."""
        labels = [part.labels for part in parts if part.labels is not None]
        packed = [part.packed for part in parts if part.packed is not None]
        return cls(
            [key for part in parts for key in part.keys],
            [text for part in parts for text in part.texts],
            Labels.joined(labels) if labels else None,
            b"".join(packed) if packed else None,
        )
