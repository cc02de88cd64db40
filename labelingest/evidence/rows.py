"""Rows of some label files as columns, with the shape of each row's ontology object.

Rows that no layout can read (names, too few columns, numbers that are not finite) are only counted:
they are reported by the conversion, and are evidence for nothing.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from msgspec import Struct

from labelingest.columns.types import Bool, Float64, Int32, Int64, UInt8
from labelingest.readers.yolo.sheet import Sheet, is_class_number

__all__ = ["NO_SHAPE", "EvidenceRows", "RowGroup", "rows_of_sheet"]

NO_SHAPE: Final = 255
"""Shape of a row whose class number is mapped to no object, or which begins with none."""
_FEWEST: Final = 5
"""Columns of the shortest row of any layout."""


class RowGroup(Struct, frozen=True, eq=False):
    """Rows with the same number of columns."""

    values: Float64
    """(m, c) all numbers of each row, in order."""
    unit: Int32
    """(m,) row of the file in the sample; non-decreasing."""

    def __len__(self) -> int:
        return len(self.values)

    @property
    def columns(self) -> int:
        """Number of columns of each row."""
        return int(self.values.shape[1])

    def numbers(self, first: int, count: int = 4) -> Float64:
        """Return (m, count) some columns that follow each other; the first column is 0."""
        return self.values[:, first : first + count]

    def where(self, mask: Bool) -> "RowGroup":
        """Return the rows where mask, (m,), is true."""
        return RowGroup(self.values[mask], self.unit[mask])


class EvidenceRows(Struct, frozen=True, eq=False):
    """Rows that may be evidence: finite numbers, five or more columns."""

    values: Float64
    """(v,) numbers of all rows."""
    first: Int64
    """(r,) where each row begins among the values."""
    count: Int64
    """(r,) columns of each row."""
    unit: Int32
    """(r,) row of the file in the sample; non-decreasing."""
    shape: UInt8
    """(r,) `ColumnShape` of the object of the row's first column; `NO_SHAPE` for none."""
    unusable: int
    """Number of other rows."""
    shape_of: Callable[[Int64], UInt8]
    """Returns (n,) the shapes of (n,) class numbers."""

    def __len__(self) -> int:
        return len(self.first)

    def group(self, mask: Bool, columns: int) -> RowGroup:
        """Return the rows with a number of columns where mask, (r,), is true."""
        rows = np.flatnonzero(mask & (self.count == columns))
        positions = self.first[rows][:, np.newaxis] + np.arange(columns)
        return RowGroup(self.values[positions], self.unit[rows])

    def groups(self, mask: Bool) -> Iterator[RowGroup]:
        """Yield the rows where mask, (r,), is true, by ascending number of columns."""
        for columns in np.unique(self.count[mask]).tolist():
            yield self.group(mask, columns)

    def shapes(self, numbers: Float64) -> UInt8:
        """Return (n,) the shapes of the objects that numbers, (n,), are class numbers of."""
        shapes = np.full(len(numbers), NO_SHAPE, dtype=np.uint8)
        is_number = is_class_number(numbers)
        shapes[is_number] = self.shape_of(numbers[is_number].astype(np.int64))
        return shapes

    def largest(self) -> Float64:
        """Return (r,) the largest number of each row behind the first column."""
        return self._reduce(np.maximum, self.values)

    def smallest(self) -> Float64:
        """Return (r,) the smallest number of each row behind the first column."""
        return self._reduce(np.minimum, self.values)

    def share_beyond(self, limit: float) -> Float64:
        """Return (r,) the share of the numbers behind the first column that exceed a limit."""
        beyond = self._reduce(np.add, (self.values > limit).astype(np.float64))
        return beyond / (self.count - 1)

    def _reduce(self, reduce: np.ufunc, values: Float64) -> Float64:
        """Return (r,) the numbers of each row behind its first column, reduced to one."""
        bounds = np.column_stack((self.first + 1, self.first + self.count)).ravel()
        # The last bound may be the end of the values.
        reduced: Float64 = reduce.reduceat(np.append(values, 0.0), bounds)[::2]
        return reduced


def rows_of_sheet(sheet: Sheet, shape_of: Callable[[Int64], UInt8]) -> EvidenceRows:
    """Return the rows of a sheet that may be evidence.

    Parameters
    ----------
    sheet
        Rows of the sample.
    shape_of
        Returns (n,) the `ColumnShape` of the object of each class number, (n,); `NO_SHAPE` for a
        number that is mapped to none.
    """
    rows = sheet.rows
    usable = rows.count >= _FEWEST
    is_nan = np.isnan(sheet.values)
    if is_nan.any():
        nan_before = np.concatenate(([0], np.cumsum(is_nan)))
        usable &= nan_before[rows.first + rows.count] == nan_before[rows.first]
    first = rows.first[usable]
    evidence = EvidenceRows(
        values=sheet.values,
        first=first,
        count=rows.count[usable],
        unit=rows.unit[usable],
        shape=np.full(len(first), NO_SHAPE, dtype=np.uint8),
        unusable=int(len(usable) - usable.sum()),
        shape_of=shape_of,
    )
    evidence.shape[:] = evidence.shapes(sheet.values[first])
    return evidence
