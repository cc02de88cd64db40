"""Source labels: rows as written, before class numbers are resolved to ontology objects.

A reader emits them; it knows columns and layouts, never the ontology. Row columns point into one
column of numbers, so that dropping a row, its class number or its confidence copies nothing.
"""

from enum import IntEnum
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from labelingest.columns.types import Bool, Float64, Int32, Int64, UInt8
from labelingest.model.blobs import Blobs

__all__ = ["Doubt", "RowPart", "SourceKind", "SourceLabels", "column_at"]

_LONG: Final = 1 << 16
"""Longest line in bytes (64 KiB) whose characters are counted by decoding it."""


class SourceKind(IntEnum):
    """Geometry that the numbers of a row describe, in fractions of the image or in pixels."""

    BOX = 0
    """4 numbers: centre x, centre y, width, height."""
    BOX_AND_NUMBER = 1
    """5 numbers: those of a box, then a confidence or an angle: the layout was not declared."""
    RING = 2
    """2n numbers: x, y of n vertices."""
    CORNERS = 3
    """8 numbers: x, y of the corners of a rotated box, declared as such."""
    ROTATED_BOX = 4
    """5 numbers: centre x, centre y, width, height, an angle clockwise on screen."""
    QUAD = 5
    """8 numbers: corners of a rotated box or a polygon of four points; the ontology decides."""


class Doubt(IntEnum):
    """How far the meaning of rows is a guess."""

    NONE = 0
    """The layout of the rows was declared, or decided for all of them."""
    LITTLE = 1
    """All rows of a folder together left each row to its number of columns."""
    FULL = 2
    """A row's number of columns is all that is known."""


class RowPart(IntEnum):
    """A part of a row that is no coordinate; negative, as coordinates are numbered from 0 on."""

    START = -1
    """The row as a whole: its first number."""
    CLASS_NUMBER = -2
    CONFIDENCE = -3


class SourceLabels(Struct, frozen=True, eq=False):
    """Labels of a batch as written, one row each, in order of unit and line."""

    unit: Int32
    """(n,) row of the data unit in `DataUnits`; non-decreasing."""
    line: Int32
    """(n,) 1-based line in the sidecar."""
    class_number: Int64
    """(n,) never negative."""
    kind: UInt8
    """(n,) `SourceKind`."""
    first: Int64
    """(n,) position of the row's first number in values."""
    columns: Int64
    """(n,) how many numbers the row has."""
    begin: Int64
    """(n,) the row's coordinates are values[begin : begin + count]."""
    count: Int64
    """(n,) how many numbers the geometry has."""
    confidence: Float64
    """(n,) as written; NaN where the row has none."""
    confidence_column: Int64
    """(n,) position of the confidence in the row, from 0 on; 0 where the row has none."""
    values: Float64
    """(v,) every number of every sidecar of the batch, class numbers included."""
    starts: Int64
    """(v,) where each number's text begins in `blobs.buffer`."""
    blobs: Blobs
    """The text the numbers come from: for places and messages only."""
    class_column: int = 0
    """Position of the class number in every row, from 0 on."""
    is_in_pixels: bool = False
    """Whether coordinates are pixels; they are fractions of the image's sides otherwise."""
    is_in_degrees: bool = False
    """Whether angles are degrees; they are radians otherwise."""
    doubt: Doubt = Doubt.NONE

    def __len__(self) -> int:
        return len(self.unit)

    def where(self, keep: Bool) -> "SourceLabels":
        """Return the rows where keep, (n,), is true."""
        if keep.all():
            return self
        return replace(
            self,
            unit=self.unit[keep],
            line=self.line[keep],
            class_number=self.class_number[keep],
            kind=self.kind[keep],
            first=self.first[keep],
            columns=self.columns[keep],
            begin=self.begin[keep],
            count=self.count[keep],
            confidence=self.confidence[keep],
            confidence_column=self.confidence_column[keep],
        )

    def column(self, row: int, place: int) -> int:
        """Return the 1-based column of a place in the row: a coordinate's number, or a `RowPart`."""
        if place == RowPart.START:
            value = self.first[row]
        elif place == RowPart.CLASS_NUMBER:
            value = self.first[row] + self.class_column
        elif place == RowPart.CONFIDENCE:
            value = self.first[row] + self.confidence_column[row]
        else:
            value = self.begin[row] + place
        return column_at(self.blobs, int(self.unit[row]), int(self.starts[value]))


def column_at(blobs: Blobs, unit: int, position: int) -> int:
    r"""Return the 1-based column, in characters, of a position in the blob of a unit.

    Examples
    --------
    >>> column_at(Blobs.from_contents(["0\nä 1".encode()]), 0, 16 + 5)
    3
    """
    begin = int(blobs.starts[unit])
    # Windows that double: the cost is that of the line, not of the file before it.
    window = 256
    while True:
        start = max(begin, position - window)
        before = blobs.buffer[start:position].tobytes()
        line_start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
        if line_start or start == begin:
            return _characters(before[line_start:]) + 1
        window *= 2


def _characters(text: bytes) -> int:
    if len(text) <= _LONG:
        return len(text.decode("utf-8", "replace"))
    # One emoji would make four bytes of every character: those that begin one are counted.
    octets = np.frombuffer(text, np.uint8)
    parts = (octets[start : start + _LONG] for start in range(0, len(text), _LONG))
    return sum(int(np.count_nonzero(part & 0xC0 != 0x80)) for part in parts)
