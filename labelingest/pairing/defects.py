"""Problems of one pairing, made only when they are read.

A pattern with a typing error makes a problem of every sidecar. As rows of the listing ten million
problems take 80 MB. As sentences they would take gigabytes, of which a report shows ten lines.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, overload

import numpy as np
from msgspec import Struct

from labelingest.columns.keys import Keys
from labelingest.columns.types import Int64, UInt8
from labelingest.model.kinds import extension_of, kind_of
from labelingest.model.pairs import Outcome
from labelingest.pairing.file_kinds import chunks
from labelingest.pairing.match import Affixes, row_of
from labelingest.pairing.rules import PatternRule, SuffixRule
from labelingest.problems import Problem, ProblemCode

__all__ = ["MAX_EXTENSIONS", "Defects"]

MAX_EXTENSIONS: Final = 1000
"""Unsupported extensions that are counted separately; the others are counted together."""
_OTHER_EXTENSIONS: Final = "/"
"""Stands for all other extensions: no extension has a slash."""

_MAX_NAMED: Final = 10
"""Files that one sentence names."""


class _Unsupported(Struct, frozen=True):
    """Files of one extension that cannot be labelled."""

    extension: str
    """Extension in lower case, without dot; "" for none."""
    first: int
    """Row of the first file."""
    count: int


class _Multimap(Struct, frozen=True, eq=False):
    """Rows by row, found by binary search."""

    key: Int64
    """(r,) row to look up, ascending."""
    value: Int64
    """(r,) row that belongs to the key."""

    @classmethod
    def from_rows(cls, key: Int64, value: Int64) -> "_Multimap":
        order = np.lexsort((value, key))
        return cls(key[order], value[order])

    def __getitem__(self, key: int) -> Int64:
        first, last = np.searchsorted(self.key, [key, key + 1])
        return self.value[first:last]

    def repeated(self) -> Int64:
        """Return the keys that have several values."""
        keys, counts = np.unique(self.key, return_counts=True)
        return keys[counts > 1]


@dataclass(frozen=True, slots=True, eq=False)
class Defects(Sequence[Problem]):
    """The problems of one pairing, in order of keys."""

    keys: Keys
    rule: PatternRule | SuffixRule
    outcome: UInt8
    """(n,) outcome of each key."""
    sidecars_of: "_Multimap"
    """Ambiguous data file → its sidecars."""
    data_of: "_Multimap"
    """Ambiguous sidecar → its data files."""
    unsupported: dict[int, _Unsupported]
    """Row of the first file of an extension → all files of the extension."""
    rows: Int64
    """(p,) row that each problem concerns, ascending."""

    @classmethod
    def from_outcome(
        cls,
        keys: Keys,
        rule: PatternRule | SuffixRule,
        outcome: UInt8,
        rivals: tuple[Int64, Int64],
    ) -> "Defects":
        """Find the rows that have a problem.

        Parameters
        ----------
        outcome
            (n,) outcome of each key.
        rivals
            (r,) rows of data files and of sidecars that would pair if they had no rivals. Each file
            with several rivals has a problem, which names them.
        """
        data, sidecars = rivals
        defects = cls(
            keys=keys,
            rule=rule,
            outcome=outcome,
            sidecars_of=_Multimap.from_rows(data, sidecars),
            data_of=_Multimap.from_rows(sidecars, data),
            unsupported={},
            rows=np.zeros(0, dtype=np.int64),
        )
        return defects.with_outcome(outcome)

    def with_outcome(self, outcome: UInt8) -> "Defects":
        """Return the problems of the same rivals, with another outcome of files without a pair."""
        unsupported = {counted.first: counted for counted in _count_unsupported(self.keys, outcome)}
        shared = [self.sidecars_of.repeated(), self.data_of.repeated()]
        firsts = np.array(list(unsupported), dtype=np.int64)
        orphans = np.flatnonzero(outcome == Outcome.ORPHAN_SIDECAR)
        rows = np.sort(np.concatenate([orphans, firsts, *shared]))
        return replace(self, outcome=outcome, unsupported=unsupported, rows=rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def failed(self) -> int:
        """Number of files with an error; unsupported files are none."""
        return len(self.rows) - len(self.unsupported)

    @overload
    def __getitem__(self, index: int) -> Problem: ...
    @overload
    def __getitem__(self, index: slice) -> list[Problem]: ...
    def __getitem__(self, index: int | slice) -> Problem | list[Problem]:
        if isinstance(index, slice):
            return self._problems(self.rows[index])
        return self._problems(self.rows[index : index + 1 or None])[0]

    def __iter__(self) -> Iterator[Problem]:
        for rows in chunks(self.rows):
            yield from self._problems(rows)

    def for_row(self, row: int) -> Problem | None:
        """Return the problem of one row of the listing; None where it has none of its own."""
        position = int(np.searchsorted(self.rows, row))
        is_named = position < len(self.rows) and self.rows[position] == row
        return self[position] if is_named else None

    def _problems(self, rows: Int64) -> list[Problem]:
        """Return the problems of rows, ascending."""
        expected = self._expected(rows[self.outcome[rows] == Outcome.ORPHAN_SIDECAR])
        problems = []
        for row, key in zip(rows.tolist(), self.keys.take(rows), strict=True):
            count = 1
            match self.outcome[row]:
                case Outcome.ORPHAN_SIDECAR:
                    code, detail = ProblemCode.ORPHAN_SIDECAR, self._orphan(next(expected))
                case Outcome.UNSUPPORTED:
                    code, count = ProblemCode.UNSUPPORTED_DATA_TYPE, self.unsupported[row].count
                    detail = _unsupported_sentence(self.unsupported[row], key)
                case _:
                    code, detail = ProblemCode.AMBIGUOUS_PAIR, self._ambiguous(row)
            problems.append(Problem(code, key, detail, count=count))
        return problems

    def _expected(self, rows: Int64) -> Iterator[list[str]]:
        """Yield the keys that the data file of each sidecar could have."""
        if isinstance(self.rule, SuffixRule):
            for key in self.keys.take(rows):
                yield [key.removesuffix(self.rule.suffix)]
        else:
            spans = Affixes.from_pattern(self.rule.label_pattern).spans(self.keys, rows)
            for captured in spans.captures(self.keys):
                fields = [field.decode() for field in captured]
                yield [pattern.key(fields) for pattern in self.rule.image_patterns]

    def _orphan(self, expected: Sequence[str]) -> str:
        for key in expected:
            row = row_of(self.keys, key)
            if row is not None and self.outcome[row] == Outcome.UNSUPPORTED:
                return f"its data file {key!r} is of a kind that cannot be labelled here"
            if row is not None:
                # "a-b-c" read by "{x}-{y}" is "a" and "b-c", never "a-b" and "c".
                return f"{key!r} exists, but its pattern does not capture the same from it"
        what = "image" if isinstance(self.rule, PatternRule) else "data file"
        verb = "does not exist" if len(expected) == 1 else "do not exist"
        return f"there is no {what} for it: {_named(expected)} {verb}"

    def _ambiguous(self, row: int) -> str:
        if self.outcome[row] == Outcome.AMBIGUOUS_SIDECAR:
            others = self.keys.take(self.data_of[row])
            return (
                f"{len(others)} data files have this one sidecar, {_named(others)}: none is "
                "converted; keep one of them, or choose patterns that tell them apart"
            )
        others = self.keys.take(self.sidecars_of[row])
        return (
            f"this data file has {len(others)} sidecars, {_named(others)}: none is converted; "
            "keep one of them, or leave out an image file pattern"
        )


def _count_unsupported(keys: Keys, outcome: UInt8) -> Collection[_Unsupported]:
    """Count files that cannot be labelled by extension."""
    by_extension: dict[str, _Unsupported] = {}
    for rows in chunks(np.flatnonzero(outcome == Outcome.UNSUPPORTED)):
        for row, key in zip(rows.tolist(), keys.take(rows), strict=True):
            extension = extension_of(key)
            if len(by_extension) >= MAX_EXTENSIONS and extension not in by_extension:
                extension = _OTHER_EXTENSIONS
            counted = by_extension.get(extension, _Unsupported(extension, row, 0))
            by_extension[extension] = _Unsupported(extension, counted.first, counted.count + 1)
    return by_extension.values()


def _named(keys: Sequence[str]) -> str:
    """Return names of files for a sentence, no more than a person reads."""
    names = ", ".join(repr(key) for key in keys[:_MAX_NAMED])
    more = len(keys) - _MAX_NAMED
    return f"{names} and {more:,} more" if more > 0 else names


def _unsupported_sentence(seen: _Unsupported, key: str) -> str:
    files = "1 file" if seen.count == 1 else f"{seen.count:,} files"
    kind = kind_of(key)
    if kind is not None:
        why = f"{kind.value} files have no labels of this format, images only"
    else:
        why = "files of this kind cannot be labelled here"
    if seen.extension == _OTHER_EXTENSIONS:
        return f"{files} with other extensions still, as {key!r}: {why}"
    extension = f"with the extension {seen.extension!r}" if seen.extension else "without extension"
    return f"{files} {extension}, as {key!r}: {why}"
