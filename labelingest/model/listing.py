"""Listing of a storage path as columns: one row a key, ordered by key."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from msgspec import Struct, field

from labelingest.columns.keys import GatheredNumbers, Gathering, Keys
from labelingest.columns.types import Int64
from labelingest.problems import Problem, ProblemCode

__all__ = [
    "UNKNOWN",
    "GatheredListing",
    "Listing",
    "clamped_time",
    "date_problem",
    "outside_dates",
    "sizes_column",
    "times_column",
    "version_token",
]

UNKNOWN: Final = -1
"""Size and time of a file that was listed by its name alone."""
_AT_ONCE: Final = 65_536
_EARLIEST: Final = -9_214_560_000_000_000_000
"""1678-01-01T00:00:00Z in nanoseconds: the first whole year that 64 bits hold."""
_LATEST: Final = 9_223_372_036_000_000_000
"""2262-04-11T23:47:16Z, the last second that 64 bits hold."""
_LARGEST: Final = 2**53
"""Largest size in bytes (8 PiB): sums of sizes stay below 64 bits."""


class Listing(Struct, frozen=True, eq=False):
    """Keys below one storage path, with size, time and version token of each.

    Examples
    --------
    >>> listing = Listing.from_entries([("b.txt", 3, 0), ("a.jpg", 10, 0)])
    >>> list(listing.keys), listing.size.tolist()
    (['a.jpg', 'b.txt'], [10, 3])
    """

    keys: Keys
    """(n,) all different, in order of their UTF-8 bytes."""
    size: Int64
    """(n,) bytes; `UNKNOWN` where they were not asked for."""
    mtime_ns: Int64
    """(n,) time of the last change, nanoseconds since 1970 UTC; `UNKNOWN` together with the size."""
    problems: Sequence[Problem] = field(default=())
    """Places that could not be listed (folders without permission, link loops, …)."""
    tokens: Keys | None = None
    """(n,) opaque tokens that differ between versions of a file (ETag, …). None: size and time."""

    @classmethod
    def from_entries(
        cls, entries: Iterable[tuple[str, int, int]], problems: Sequence[Problem] = ()
    ) -> "Listing":
        """Make a listing from (key, size, mtime_ns) in any order."""
        encoded = sorted((key.encode(), size, mtime_ns) for key, size, mtime_ns in entries)
        return cls(
            Keys.from_texts([key for key, _, _ in encoded]),
            sizes_column([size for _, size, _ in encoded]),
            times_column([mtime_ns for _, _, mtime_ns in encoded]),
            problems,
        )

    @classmethod
    def from_pages(cls, pages: Iterable["Listing"]) -> "Listing":
        """Merge pages of one storage path into one listing; fastest where they come in order."""
        runs = _Runs()
        for page in pages:
            runs.add(page)
        listing = runs.listing()
        if listing.keys.are_in_order():
            return listing
        keys, size, mtime_ns, tokens = listing.keys, listing.size, listing.mtime_ns, listing.tokens
        problems = listing.problems
        del listing
        keys, order = keys.in_order()  # lets the keys as they came go, a quarter of a gigabyte
        size = size[order]
        mtime_ns = mtime_ns[order]
        return cls(keys, size, mtime_ns, problems, tokens and tokens.pick(order))

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def hiding(self) -> Sequence[Problem]:
        """Problems of places that may hold files which are not listed."""
        return [problem for problem in self.problems if problem.code.hides_files]

    def token_column(self) -> Keys:
        """Return the version token of each row.

        Examples
        --------
        >>> list(Listing.from_entries([("b.txt", 3, 70), ("a.jpg", 10, 80)]).token_column())
        ['10:80', '3:70']
        """
        if self.tokens is not None:
            return self.tokens
        # Piece by piece: ten million texts at once would take a gigabyte.
        rows = np.arange(len(self))
        starts = range(0, len(self), _AT_ONCE)
        return Keys.concat(
            [Keys.from_texts(self.take_tokens(rows[start : start + _AT_ONCE])) for start in starts]
        )

    def take_tokens(self, rows: Int64) -> list[str]:
        """Return the version tokens of these rows, in their order.

        Examples
        --------
        >>> Listing.from_entries([("b.txt", 3, 70), ("a.jpg", 10, 80)]).take_tokens(np.array([1]))
        ['3:70']
        """
        if self.tokens is not None:
            return self.tokens.take(rows)
        pairs = zip(self.size[rows].tolist(), self.mtime_ns[rows].tolist(), strict=True)
        return [version_token(size, mtime_ns) for size, mtime_ns in pairs]


def version_token(size: int, mtime_ns: int) -> str:
    """Return the version token of a file where its size and time are all there is to go by.

    Examples
    --------
    >>> version_token(7, 10**19) == version_token(7, 10**20)
    True
    """
    # As a listing has them: a token from there must be equal to one from reading the file.
    return f"{min(size, _LARGEST)}:{clamped_time(mtime_ns)}"


def clamped_time(time_ns: int) -> int:
    """Return the nearest time that 64 bits of nanoseconds hold, from 1678 to 2262.

    Examples
    --------
    >>> clamped_time(10**19), clamped_time(-(10**19)), clamped_time(7)
    (9223372036000000000, -9214560000000000000, 7)
    """
    return min(max(time_ns, _EARLIEST), _LATEST)


def times_column(times_ns: Sequence[int]) -> Int64:
    """Return times of any size as a column, each clamped as `clamped_time` does."""
    try:
        column = np.array(times_ns, dtype=np.int64)
    except OverflowError:
        column = np.array([clamped_time(time) for time in times_ns], dtype=np.int64)
    return np.clip(column, _EARLIEST, _LATEST)


def sizes_column(sizes: Sequence[int]) -> Int64:
    """Return sizes of any size as a column, each at most 8 PiB, so that they can be added up.

    Examples
    --------
    >>> sizes_column([3, 10**30]).tolist()
    [3, 9007199254740992]
    """
    try:
        column = np.array(sizes, dtype=np.int64)
    except OverflowError:
        column = np.array([min(size, _LARGEST) for size in sizes], dtype=np.int64)
    return np.minimum(column, _LARGEST)


def outside_dates(column: Int64, times_ns: Sequence[int]) -> list[int]:
    """Return the rows of a column from `times_column` whose time was clamped."""
    if not len(column) or (column.min() > _EARLIEST and column.max() < _LATEST):
        return []
    rows = np.flatnonzero((column <= _EARLIEST) | (column >= _LATEST)).tolist()
    return [row for row in rows if times_ns[row] != clamped_time(times_ns[row])]


def date_problem(key: str, time_ns: int) -> Problem:
    """Return the warning for a file whose time was clamped.

    Examples
    --------
    >>> date_problem("a.txt", 10**19).detail.partition(":")[0]
    'last changed 10000000000 seconds after 1970, which is after 2262'
    """
    is_late = time_ns > 0
    side, taken_for = ("after", "2262-04-11") if is_late else ("before", "1678-01-01")
    return Problem(
        ProblemCode.BAD_DATE,
        key,
        f"last changed {abs(time_ns) // 1_000_000_000} seconds {side} 1970, which is {side} "
        f"{taken_for[:4]}: taken for {taken_for}; give the file another time with touch",
    )


class GatheredListing:
    """Columns of pages that came one behind the other.

    The pages themselves are let go: ten million keys once more are a gigabyte, and small arrays that
    are freed leave their memory in pieces.
    """

    def __init__(self, first: str = "") -> None:
        self.first = first
        """First key."""
        self._keys, self._tokens = Gathering(), Gathering()
        self._sizes, self._times = GatheredNumbers(np.int64), GatheredNumbers(np.int64)
        self._has_tokens = False

    def add(self, page: Listing) -> None:
        """Put a page behind the others; its problems are not taken."""
        self._keys.add(page.keys)
        self._sizes.add(page.size)
        self._times.add(page.mtime_ns)
        if page.tokens is not None:
            self._has_tokens = True
            self._tokens.add(page.tokens)

    def listing(self, problems: Sequence[Problem] = ()) -> Listing:
        """Return the pages as one listing; the run is used up then."""
        keys = self._keys.keys()
        del self._keys
        tokens = self._tokens.keys() if self._has_tokens else None
        del self._tokens
        size, mtime_ns = self._sizes.numbers(), self._times.numbers()
        return Listing(keys, size, mtime_ns, problems, tokens)


class _Runs:
    """Puts pages behind each other, in as few runs as they come in.

    That is one for a store that lists in order, and one for each part of a listing in parts.
    """

    def __init__(self) -> None:
        self._runs: list[GatheredListing] = []
        self._lasts: list[str] = []
        """Last key of each run; both in its order."""
        self._problems: list[Problem] = []

    def add(self, page: Listing) -> None:
        self._problems += page.problems
        if not len(page):
            return
        first, last = page.keys[0], page.keys[len(page) - 1]
        place = bisect_right(self._lasts, first) - 1
        if place < 0:
            place = 0
            self._runs.insert(0, GatheredListing(first))
            self._lasts.insert(0, last)
        self._runs[place].add(page)
        # A page that is out of order in itself is put in order with all others in the end.
        run = self._runs.pop(place)
        del self._lasts[place]
        place = bisect_right(self._lasts, last)
        self._runs.insert(place, run)
        self._lasts.insert(place, last)

    def listing(self) -> Listing:
        """Return everything, run by run; each is let go when it is taken over."""
        runs = sorted(self._runs, key=lambda run: run.first, reverse=True)
        self._runs.clear()
        merged = runs.pop() if runs else GatheredListing()
        while runs:
            merged.add(runs.pop().listing())
        return merged.listing(self._problems)
