"""What one listing of a storage path says: columns, one row a key, ordered by key."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from labelingest.arrays import Int64
from labelingest.model.keys import GatheredNumbers, Gathering, Keys
from labelingest.problems import Problem

__all__ = ["UNKNOWN", "Listing", "version_token"]

UNKNOWN: Final = -1
"""Size and time of a file that was listed by its name alone."""
_AT_ONCE: Final = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """Keys below one storage path with what the listing tells of each.

    Examples
    --------
    >>> listing = Listing.of([("b.txt", 3, 0), ("a.jpg", 10, 0)])
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
    """What could not be listed (folders without permission, link loops, …)."""
    tokens: Keys | None = None
    """(n,) what tells one version of a file from another (ETag, …): opaque. None: size and time."""

    @classmethod
    def of(
        cls, entries: Iterable[tuple[str, int, int]], problems: Sequence[Problem] = ()
    ) -> "Listing":
        """Make a listing from (key, size, mtime_ns) in any order."""
        encoded = sorted((key.encode(), size, mtime_ns) for key, size, mtime_ns in entries)
        return cls(
            Keys.of([key for key, _, _ in encoded]),
            np.fromiter((size for _, size, _ in encoded), np.int64, len(encoded)),
            np.fromiter((mtime_ns for _, _, mtime_ns in encoded), np.int64, len(encoded)),
            problems,
        )

    @classmethod
    def from_pages(cls, pages: Iterable["Listing"]) -> "Listing":
        """Merge pages of one storage path into one listing; fastest where they come in order."""
        # What ten million keys need once more is a quarter of a gigabyte, and their tokens more.
        gathered, gathered_tokens = Gathering(), Gathering()
        sizes, times = GatheredNumbers(np.int64), GatheredNumbers(np.int64)
        problems: list[Problem] = []
        has_tokens = False
        for page in pages:
            gathered.add(page.keys)
            sizes.add(page.size)
            times.add(page.mtime_ns)
            problems += page.problems
            if page.tokens is not None:
                has_tokens = True
                gathered_tokens.add(page.tokens)
        keys = gathered.keys()
        del gathered
        size, mtime_ns = sizes.numbers(), times.numbers()
        del sizes, times
        tokens = gathered_tokens.keys() if has_tokens else None
        del gathered_tokens
        if not keys.are_in_order():
            keys, order = keys.in_order()
            size, mtime_ns = size[order], mtime_ns[order]
            tokens = tokens and tokens.pick(order)
        return cls(keys, size, mtime_ns, problems, tokens)

    def __len__(self) -> int:
        return len(self.keys)

    def token_column(self) -> Keys:
        """Return the version token of each row.

        Examples
        --------
        >>> list(Listing.of([("b.txt", 3, 70), ("a.jpg", 10, 80)]).token_column())
        ['10:80', '3:70']
        """
        if self.tokens is not None:
            return self.tokens
        # Piece by piece: ten million texts at once would take a gigabyte.
        rows = np.arange(len(self))
        starts = range(0, len(self), _AT_ONCE)
        return Keys.concat(
            [Keys.of(self.take_tokens(rows[start : start + _AT_ONCE])) for start in starts]
        )

    def take_tokens(self, rows: Int64) -> list[str]:
        """Return the version tokens of these rows, in their order.

        Examples
        --------
        >>> Listing.of([("b.txt", 3, 70), ("a.jpg", 10, 80)]).take_tokens(np.array([1]))
        ['3:70']
        """
        if self.tokens is not None:
            return self.tokens.take(rows)
        pairs = zip(self.size[rows].tolist(), self.mtime_ns[rows].tolist(), strict=True)
        return [version_token(size, mtime_ns) for size, mtime_ns in pairs]


def version_token(size: int, mtime_ns: int) -> str:
    """Return the version token of a file where its size and time are all there is to go by."""
    return f"{size}:{mtime_ns}"
