"""Label sidecars of a listing, searchable by what the rule captures from them.

Where the files that pair come in the same order, as they nearly always do, captures are compared one
by one. Otherwise they are compared by a number first, then by their text: two keys that have one
number by accident cost time, and give no wrong pair.
"""

from functools import cached_property

import numpy as np

from labelingest.columns.keys import Keys
from labelingest.columns.types import Int64, UInt64
from labelingest.pairing.file_kinds import chunks
from labelingest.pairing.match import Affixes, equal_captures

__all__ = ["Candidates", "rows_with_suffix_added"]


class Candidates:
    """Label sidecars of a listing, searchable by what they capture.

    Parameters
    ----------
    keys
        All keys, in order.
    labels
        Pattern of the sidecars.
    sidecars
        (m,) rows of the sidecars, ascending; all match.
    """

    def __init__(self, keys: Keys, labels: Affixes, sidecars: Int64) -> None:
        self.keys = keys
        self.labels = labels
        self.sidecars = sidecars

    @cached_property
    def by_number(self) -> tuple[UInt64, Int64]:
        """(m,) number of what each sidecar captures, ascending, and the row of the sidecar."""
        numbers = self.labels.numbers(self.keys, self.sidecars)
        order = np.argsort(numbers)
        return numbers[order], self.sidecars[order]

    def with_equal_captures(self, affixes: Affixes, rows: Int64) -> tuple[Int64, Int64]:
        """Return data files and sidecars, (m,) each, that capture the same values.

        Parameters
        ----------
        affixes, rows
            Pattern of the data files, and their rows, ascending; all match.
        """
        if self._are_partners(affixes, rows):
            return rows, self.sidecars
        parts = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))]
        numbers = affixes.numbers(self.keys, rows)
        # In order of numbers, so that the searches walk through memory instead of leaping.
        parts += [
            self._with_equal_captures(affixes, rows[chunk], numbers[chunk])
            for chunk in chunks(np.argsort(numbers))
        ]
        data, sidecars = zip(*parts, strict=True)
        return np.concatenate(data), np.concatenate(sidecars)

    def _are_partners(self, affixes: Affixes, rows: Int64) -> bool:
        """Return whether the first data file captures what the first sidecar does, and so on.

        Then there are no other pairs, as no two keys of a pattern capture the same.
        """
        if len(rows) != len(self.sidecars):
            return False
        return all(
            equal_captures(self.keys, affixes, data, self.labels, sidecars).all()
            for data, sidecars in zip(chunks(rows), chunks(self.sidecars), strict=True)
        )

    def _with_equal_captures(
        self, affixes: Affixes, rows: Int64, numbers: UInt64
    ) -> tuple[Int64, Int64]:
        sidecar_numbers, sidecar_rows = self.by_number
        first = np.searchsorted(sidecar_numbers, numbers, side="left")
        count = np.searchsorted(sidecar_numbers, numbers, side="right") - first
        before = np.cumsum(count) - count
        nth = np.arange(count.sum()) - np.repeat(before, count)
        data = np.repeat(rows, count)
        sidecars = sidecar_rows[np.repeat(first, count) + nth]
        same = equal_captures(self.keys, affixes, data, self.labels, sidecars)
        return data[same], sidecars[same]


def rows_with_suffix_added(keys: Keys, rows: Int64, suffix: str, sidecars: Int64) -> Int64:
    """Return those of some rows to whose key a sidecar adds the suffix, ascending.

    Parameters
    ----------
    rows
        (n,) rows, ascending.
    suffix
        Suffix of the sidecars.
    sidecars
        (m,) rows that may be sidecars, ascending.

    Examples
    --------
    >>> keys = Keys.from_texts(["a.txt", "a.txt.meta", "b.txt"])
    >>> rows_with_suffix_added(keys, np.array([0, 2]), ".meta", np.array([1])).tolist()
    [0]
    """
    if not len(rows) or not len(sidecars):
        return np.zeros(0, dtype=np.int64)
    with_suffix, unchanged = Affixes(b"", suffix.encode(), at_least=0), Affixes(b"", b"")
    candidates = Candidates(keys, with_suffix, with_suffix.match(keys, sidecars))
    owners, _ = candidates.with_equal_captures(unchanged, unchanged.match(keys, rows))
    return np.unique(owners)
