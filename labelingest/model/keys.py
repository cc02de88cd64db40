"""Keys: many strings in two arrays, without a Python object for each.

Ten million keys as Python strings take over a gigabyte; as one text and its offsets they take
their own length. Order is by UTF-8 bytes, which is the order of code points.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from labelingest.arrays import Int64

__all__ = ["Keys"]


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """A column of keys.

    Examples
    --------
    >>> keys = Keys.of(["a.jpg", "b/ü.txt"])
    >>> len(keys), keys[1], keys.take([1, 0])
    (2, 'b/ü.txt', ['b/ü.txt', 'a.jpg'])
    """

    text: bytes
    """All keys, one after the other, in UTF-8."""
    offsets: Int64
    """(n + 1,) key i is text[offsets[i]:offsets[i + 1]]."""

    @classmethod
    def of(cls, keys: Iterable[str | bytes]) -> "Keys":
        """Make a column from keys, in the order given."""
        encoded = [key.encode() if isinstance(key, str) else key for key in keys]
        offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=offsets[1:])
        return cls(b"".join(encoded), offsets)

    @classmethod
    def concat(cls, parts: Sequence["Keys"]) -> "Keys":
        """Put columns one after the other."""
        lengths = [np.diff(part.offsets) for part in parts]
        offsets = np.zeros(1 + sum(map(len, lengths)), dtype=np.int64)
        if lengths:
            np.cumsum(np.concatenate(lengths), out=offsets[1:])
        return cls(b"".join(part.text for part in parts), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> str:
        return self.text[self.offsets[row] : self.offsets[row + 1]].decode()

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), 65_536):
            yield from self.take(range(start, min(start + 65_536, len(self))))

    def in_order(self) -> tuple["Keys", Int64]:
        """Return the keys in order, and (n,) the row that each of them has here.

        Examples
        --------
        >>> keys, rows = Keys.of(["b", "a"]).in_order()
        >>> list(keys), rows.tolist()
        (['a', 'b'], [1, 0])
        """
        bounds = pairwise(self.offsets.tolist())
        if self.text.isascii():
            # Python compares such text three times as fast as bytes, in the same order.
            text = self.text.decode()
            keys = [text[a:b] for a, b in bounds]
            rows = sorted(range(len(keys)), key=keys.__getitem__)
            joined = "".join([keys[row] for row in rows]).encode()
        else:
            octets = [self.text[a:b] for a, b in bounds]
            rows = sorted(range(len(octets)), key=octets.__getitem__)
            joined = b"".join([octets[row] for row in rows])
        order = np.array(rows, dtype=np.int64)
        offsets = np.zeros(len(self.offsets), dtype=np.int64)
        np.cumsum(np.diff(self.offsets)[order], out=offsets[1:])
        return Keys(joined, offsets), order

    def pick(self, rows: Int64) -> "Keys":
        """Return the keys of these rows as a column.

        Examples
        --------
        >>> Keys.of(["a.jpg", "b", "c"]).pick(np.array([2, 0])).text
        b'ca.jpg'
        """
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        at = np.repeat(self.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Keys(np.frombuffer(self.text, np.uint8)[at].tobytes(), offsets)

    def take(self, rows: Sequence[int] | Int64) -> list[str]:
        """Return the keys of these rows, in their order."""
        rows = np.asarray(rows, dtype=np.int64)
        starts, ends = self.offsets[rows].tolist(), self.offsets[rows + 1].tolist()
        text = self.text
        return [text[a:b].decode() for a, b in zip(starts, ends, strict=True)]
