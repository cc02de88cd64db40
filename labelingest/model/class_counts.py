"""Counts by class: annotations and files of each class, and class numbers that no object has.

A class has a key: its class number, or -1 - r for the ontology object in row r where labels have no
class numbers. Counts of files add up in any order, and stay small whatever the files contain:
of the numbers that are mapped to no object, the smallest `MOST_UNMAPPED` are counted one by one.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Self

import numpy as np
from msgspec import Struct, field

from labelingest.columns.types import Bool, Int32, Int64

__all__ = [
    "MOST_UNMAPPED",
    "ClassCounts",
    "FileClasses",
    "RowPlace",
    "UnmappedNumber",
    "UnmappedNumbers",
]

MOST_UNMAPPED: Final = 1_000
"""Unmapped class numbers that are counted one by one: their entries take some 100 kB."""
_MOST_CELLS: Final = 1 << 20
"""Files times classes up to which a table of all is smaller work than sorting the annotations."""


class RowPlace(NamedTuple):
    """Place of a row in a label file."""

    source: str
    """Key of the label file."""
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"


class UnmappedNumber(NamedTuple):
    """Rows with one class number that is mapped to no ontology object."""

    rows: int
    files: int
    first: RowPlace
    """Place of the first row, in order of files."""


class UnmappedNumbers(Struct):
    """Class numbers that are mapped to no ontology object.

    The smallest numbers are kept, so that batches may be added in any grouping. Batches are added in
    order of files, so that the first places are right.

    Examples
    --------
    >>> numbers, units = np.array([9, 7, 9]), np.array([0, 0, 1], dtype=np.int32)
    >>> unmapped = UnmappedNumbers.of_rows(numbers, units, lambda row: RowPlace("a.txt", row, 1))
    >>> unmapped.numbers[9]
    UnmappedNumber(rows=2, files=2, first=RowPlace(source='a.txt', line=0, column=1))
    """

    numbers: dict[int, UnmappedNumber] = field(default_factory=dict)
    """Class number → its rows; at most `MOST_UNMAPPED` numbers."""
    other_rows: int = 0
    """Rows with larger numbers, which are not counted one by one."""

    @classmethod
    def of_rows(cls, number: Int64, unit: Int32, place_of: Callable[[int], RowPlace]) -> Self:
        """Count rows.

        Parameters
        ----------
        number
            (n,) class numbers of the rows, in order of files and lines.
        unit
            (n,) data unit of each row; never negative.
        place_of
            Returns the place of a row.
        """
        different, first, group, rows = np.unique(
            number, return_index=True, return_inverse=True, return_counts=True
        )
        units = int(unit.max(initial=0)) + 1
        pairs = np.unique(group.astype(np.int64) * units + unit)
        files = np.bincount(pairs // units, minlength=len(different))
        smallest = slice(0, MOST_UNMAPPED)
        columns = (column[smallest].tolist() for column in (different, rows, files, first))
        numbers = {
            n: UnmappedNumber(r, f, place_of(row)) for n, r, f, row in zip(*columns, strict=True)
        }
        return cls(numbers, int(rows[MOST_UNMAPPED:].sum()))

    def merge(self, other: "UnmappedNumbers", *, same_file: bool = False) -> None:
        """Add the numbers of later files, or of a later part of the same file."""
        self.other_rows += other.other_rows
        for number, later in other.numbers.items():
            earlier = self.numbers.get(number)
            if earlier is None:
                self.numbers[number] = later
            else:
                files = 1 if same_file else earlier.files + later.files
                rows = earlier.rows + later.rows
                self.numbers[number] = UnmappedNumber(rows, files, earlier.first)
        for number in sorted(self.numbers)[MOST_UNMAPPED:]:
            self.other_rows += self.numbers.pop(number).rows


class ClassCounts(Struct):
    """Counts by class of some files."""

    rows: Counter[int] = field(default_factory=Counter)
    """Key of a class → annotations that were written."""
    files: Counter[int] = field(default_factory=Counter)
    """Key of a class → label files with at least one of these annotations."""
    seen: Counter[int] = field(default_factory=Counter)
    """Class number that is mapped → rows that were read, whatever became of them."""
    unmapped: UnmappedNumbers = field(default_factory=UnmappedNumbers)

    def merge(self, other: "ClassCounts", *, same_file: bool = False) -> None:
        """Add the counts of later files; of the same file only where other has no annotations."""
        self.rows.update(other.rows)
        self.files.update(other.files)
        self.seen.update(other.seen)
        self.unmapped.merge(other.unmapped, same_file=same_file)

    def as_json(self) -> dict[str, Any]:
        """Return the counts as JSON values, for `from_json`."""
        unmapped = [
            [number, entry.rows, entry.files, *entry.first]
            for number, entry in self.unmapped.numbers.items()
        ]
        counters = {name: getattr(self, name) for name in _COUNTERS}
        return {**counters, "unmapped": unmapped, "other_rows": self.unmapped.other_rows}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the counts that `as_json` described.

        Raises
        ------
        KeyError, TypeError, ValueError
            The values describe no counts.

        Examples
        --------
        >>> unmapped = UnmappedNumbers({9: UnmappedNumber(1, 1, RowPlace("a.txt", 1, 1))}, 2)
        >>> counts = ClassCounts(Counter({0: 2}), unmapped=unmapped)
        >>> ClassCounts.from_json(counts.as_json()) == counts
        True
        """
        counts = cls()
        for name in _COUNTERS:
            getattr(counts, name).update(
                {int(key): _whole(count) for key, count in dict(values[name]).items()}
            )
        for number, rows, files, source, line, column in values["unmapped"]:
            if not isinstance(source, str):
                raise TypeError("expected the key of a file")
            place = RowPlace(source, _whole(line), _whole(column))
            counts.unmapped.numbers[_whole(number)] = UnmappedNumber(
                _whole(rows), _whole(files), place
            )
        counts.unmapped.other_rows = _whole(values["other_rows"])
        return counts


_COUNTERS: Final = ("rows", "files", "seen")


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("expected a whole number")
    return value


class FileClasses(Struct, frozen=True, eq=False):
    """Annotations of the files of a batch by class, a row for each class of a file."""

    unit: Int32
    """(k,) row of the file in the batch; non-decreasing."""
    place: Int32
    """(k,) row of the class in keys."""
    rows: Int64
    """(k,) annotations of the class in the file; positive."""
    keys: Int64
    """(m,) keys of all classes of the run; those of a batch without annotations may be missing."""

    @classmethod
    def none(cls) -> Self:
        """Return the counts of files without annotations."""
        nothing = np.zeros(0, dtype=np.int64)
        return cls(nothing.astype(np.int32), nothing.astype(np.int32), nothing, nothing)

    @classmethod
    def count(cls, unit: Int32, place: Int32, keys: Int64) -> Self:
        """Count annotations.

        Parameters
        ----------
        unit, place
            (n,) row of the file, non-decreasing, and row in keys, of each annotation.
        keys
            (m,) keys of all classes.

        Examples
        --------
        >>> unit, place = np.array([0, 0, 2]), np.array([1, 1, 0])
        >>> classes = FileClasses.count(unit, place, np.array([5, 7]))
        >>> classes.unit.tolist(), classes.place.tolist(), classes.rows.tolist()
        ([0, 2], [1, 0], [2, 1])
        """
        if not len(unit):
            return cls.none()
        width = np.int64(len(keys))
        cell = unit * width + place
        if (int(unit[-1]) + 1) * width <= _MOST_CELLS:
            table = np.bincount(cell)
            used = np.flatnonzero(table > 0)  # of numbers it takes four times as long
            rows = table[used]
        else:
            used, rows = np.unique(cell, return_counts=True)
        file = used // width
        return cls(file.astype(np.int32), (used - file * width).astype(np.int32), rows, keys)

    def where(self, keep: Bool) -> "FileClasses":
        """Return the counts of the files where keep, (u,), is true."""
        if keep.all():
            return self
        is_kept = keep[self.unit]
        position = np.cumsum(keep, dtype=np.int32) - np.int32(1)
        return FileClasses(
            position[self.unit[is_kept]], self.place[is_kept], self.rows[is_kept], self.keys
        )

    @classmethod
    def joined(cls, parts: "Sequence[FileClasses]", files: Sequence[int]) -> "FileClasses":
        """Return the counts of several batches, with their numbers of files, as those of one."""
        starts = np.cumsum([0, *files[:-1]])
        units = [part.unit + np.int32(start) for part, start in zip(parts, starts, strict=True)]
        return cls(
            np.concatenate(units),
            np.concatenate([part.place for part in parts]),
            np.concatenate([part.rows for part in parts]),
            max((part.keys for part in parts), key=len),
        )

    def plus(self, other: "FileClasses") -> "FileClasses":
        """Return the counts of one file that two parts of it give together."""
        joined = FileClasses.joined([self, other], [0, 0])
        rows = np.bincount(joined.place, joined.rows, minlength=len(joined.keys)).astype(np.int64)
        place = np.flatnonzero(rows).astype(np.int32)
        return FileClasses(np.zeros_like(place), place, rows[place], joined.keys)

    def total(self) -> ClassCounts:
        """Return the counts of all files together."""
        files = np.bincount(self.place, minlength=len(self.keys))
        # Sums of whole numbers are exact in doubles as far as annotations can be counted.
        rows = np.bincount(self.place, self.rows, minlength=len(self.keys))
        used = np.flatnonzero(files)
        keys = self.keys[used].tolist()
        return ClassCounts(
            Counter(dict(zip(keys, rows[used].astype(np.int64).tolist(), strict=True))),
            Counter(dict(zip(keys, files[used].tolist(), strict=True))),
        )
