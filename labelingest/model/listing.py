"""What one listing of a storage path says: columns, one row a key, ordered by key."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from labelingest.arrays import Int64
from labelingest.model.keys import Keys
from labelingest.problems import Problem

__all__ = ["UNKNOWN", "Listing"]

UNKNOWN: Final = -1
"""Size and time of a file that was listed by its name alone."""


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
        """Merge pages, each in any order of its own, into one listing ordered by key."""
        nothing = np.zeros(0, dtype=np.int64)
        keys, sizes, times = [Keys.of([])], [nothing], [nothing]
        problems: list[Problem] = []
        for page in pages:
            keys.append(page.keys)
            sizes.append(page.size)
            times.append(page.mtime_ns)
            problems += page.problems
        merged = Keys.concat(keys)
        # Of ten million keys, what is not needed any more is a quarter of a gigabyte each time.
        del keys
        merged, order = merged.in_order()
        size = np.concatenate(sizes)[order]
        del sizes
        return cls(merged, size, np.concatenate(times)[order], problems)

    def __len__(self) -> int:
        return len(self.keys)
