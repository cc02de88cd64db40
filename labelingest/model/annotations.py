"""Annotations: labels as meant, whatever the format they came from.

One ragged column of coordinates serves all shapes; the ontology object of a row says how to read
its numbers:

- bounding box: 4 numbers: left, top, width, height;
- rotatable bounding box: 5 numbers: left, top, width, height of the box before it is turned about
  its centre, then degrees clockwise on screen in [0, 360);
- polygon: 2n numbers: x, y of n vertices, first vertex not repeated.

All but the angle are fractions of the image's width (x) and height (y), origin at the top left,
y down. Other shapes have no columns: their rows have no numbers, and their geometry stays in the
label row that they were read from.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct, field

from labelingest.columns.types import Bool, Float64, Int32, Int64, UInt8, UInt64
from labelingest.model.ontology import OntologyObject, Shape

__all__ = ["OTHER_SHAPE", "Annotations", "ColumnShape", "Instances", "Rings", "column_shapes"]


class ColumnShape(IntEnum):
    """A shape that annotations have coordinates for, numbered as in columns of shapes."""

    BOX = 0
    ROTATED_BOX = 1
    POLYGON = 2

    @property
    def label(self) -> str:
        """The shape's name in sentences and counts.

        Examples
        --------
        >>> ColumnShape.ROTATED_BOX.label
        'rotated box'
        """
        return self.name.lower().replace("_", " ")


OTHER_SHAPE: Final = len(ColumnShape)
"""Number in columns of shapes that have no coordinates."""
_OF_SHAPE: Final[Mapping[Shape, ColumnShape]] = {
    Shape.BOUNDING_BOX: ColumnShape.BOX,
    Shape.ROTATABLE_BOUNDING_BOX: ColumnShape.ROTATED_BOX,
    Shape.POLYGON: ColumnShape.POLYGON,
}

Rings: TypeAlias = Sequence[Sequence[Sequence[float]]]
"""Parts of a polygon; of each its rings, outline first, then holes; of each x, y, x, y, …"""


def column_shapes(objects: Sequence[OntologyObject]) -> UInt8:
    """Return (o,) the `ColumnShape` of each object's shape; `OTHER_SHAPE` for any other.

    Examples
    --------
    >>> names = (Shape.POLYGON, Shape.POINT)
    >>> objects = [OntologyObject("Car", "#D33115", shape, "a1B2c3D4") for shape in names]
    >>> column_shapes(objects).tolist()
    [2, 3]
    """
    return np.array([_OF_SHAPE.get(o.shape, OTHER_SHAPE) for o in objects], dtype=np.uint8)


class Instances(Struct, frozen=True, eq=False):
    """Objects and frames of annotations: label rows name them, rows of text do not."""

    hash: Sequence[str]
    """(n,) object hashes; one object has one on all its frames."""
    frame: Int32
    """(n,) frame or page from 0 on; 0 for images; -1 where the object is on none (audio, text)."""
    parts: Mapping[int, Rings] = field(default_factory=lambda: MappingProxyType({}))
    """Row → all rings of a polygon with holes or several parts; the columns hold the first ring."""

    @classmethod
    def joined(cls, parts: "Sequence[Instances]") -> "Instances":
        """Return the instances of several batches as one column set."""
        hashes: list[str] = []
        rings: dict[int, Rings] = {}
        for part in parts:
            rings.update({row + len(hashes): of_row for row, of_row in part.parts.items()})
            hashes.extend(part.hash)
        return cls(hashes, np.concatenate([part.frame for part in parts]), rings)

    def where(self, keep: Bool) -> "Instances":
        """Return the instances of the rows where keep, (n,), is true."""
        rows = np.flatnonzero(keep).tolist()
        parts = {new: self.parts[row] for new, row in enumerate(rows) if row in self.parts}
        return Instances([self.hash[row] for row in rows], self.frame[keep], parts)


class Annotations(Struct, frozen=True, eq=False):
    """Annotations of a batch, one row each; rows of one data unit are contiguous."""

    unit: Int32
    """(n,) row of the data unit in `DataUnits`; non-decreasing."""
    feature: Int32
    """(n,) row of the ontology object in `Ontology.objects`; never negative."""
    line: Int32
    """(n,) 1-based line in the sidecar; 0 where it has no lines."""
    confidence: Float64
    """(n,) 0..1; NaN where the source gave none: then a person drew it (ground truth)."""
    coordinates: Float64
    """(v,) numbers of all rows, one after the other."""
    offsets: Int64
    """(n + 1,) row i owns coordinates[offsets[i] : offsets[i + 1]]."""
    content: UInt64
    """(n,) fingerprint of what the row said: class number and numbers as written."""
    instances: Instances | None = None
    """(n,) given by the source; None where object hashes are made from line and content."""

    def __post_init__(self) -> None:
        n = len(self.unit)
        columns = (self.feature, self.line, self.confidence, self.content)
        if any(len(column) != n for column in columns) or len(self.offsets) != n + 1:
            raise ValueError(f"columns disagree: {n} units, {len(self.offsets)} offsets")

    def __len__(self) -> int:
        return len(self.unit)

    def of_units(self, keep: Bool) -> "Annotations":
        """Return the annotations of the data units where keep, (u,), is true."""
        return self.where(keep[self.unit])

    def where(self, rows: Bool) -> "Annotations":
        """Return the annotations where rows, (n,), is true."""
        if rows.all():
            return self
        lengths = np.diff(self.offsets)
        return Annotations(
            unit=self.unit[rows],
            feature=self.feature[rows],
            line=self.line[rows],
            confidence=self.confidence[rows],
            coordinates=self.coordinates[np.repeat(rows, lengths)],
            offsets=np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths[rows]))),
            content=self.content[rows],
            instances=None if self.instances is None else self.instances.where(rows),
        )

    @classmethod
    def none(cls) -> "Annotations":
        """Return no annotations.

        Examples
        --------
        >>> len(Annotations.none())
        0
        """
        rows, numbers = np.zeros(0, dtype=np.int32), np.zeros(0)
        return cls(
            unit=rows,
            feature=rows,
            line=rows,
            confidence=numbers,
            coordinates=numbers,
            offsets=np.zeros(1, dtype=np.int64),
            content=np.zeros(0, dtype=np.uint64),
        )

    @classmethod
    def joined(cls, parts: "Sequence[Annotations]", units: Sequence[int]) -> "Annotations":
        """Return the annotations of several batches as those of one.

        Parameters
        ----------
        parts
            At least one.
        units
            How many data units each batch has.
        """
        units_before = np.cumsum([0, *units[:-1]], dtype=np.int32)
        numbers_before = np.cumsum([0, *(len(part.coordinates) for part in parts[:-1])])
        offsets = [
            part.offsets[1:] + before for part, before in zip(parts, numbers_before, strict=True)
        ]
        instances = [part.instances for part in parts if part.instances is not None]
        return cls(
            unit=np.concatenate([p.unit + n for p, n in zip(parts, units_before, strict=True)]),
            feature=np.concatenate([part.feature for part in parts]),
            line=np.concatenate([part.line for part in parts]),
            confidence=np.concatenate([part.confidence for part in parts]),
            coordinates=np.concatenate([part.coordinates for part in parts]),
            offsets=np.concatenate([np.zeros(1, dtype=np.int64), *offsets]),
            content=np.concatenate([part.content for part in parts]),
            instances=Instances.joined(instances) if instances else None,
        )
