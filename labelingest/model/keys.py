"""Keys: many strings in two arrays, without a Python object for each.

Ten million keys as Python strings take over a gigabyte; as one text and its offsets they take
their own length. Order is by UTF-8 bytes, which is the order of code points.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from labelingest.arrays import Int64
from labelingest.model.text_order import is_text_order, text_order

__all__ = ["Keys"]

_AT_ONCE: Final = 65_536


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
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        return cls.from_lengths(b"".join(encoded), lengths)

    @classmethod
    def concat(cls, parts: Sequence["Keys"]) -> "Keys":
        """Put columns one after the other."""
        lengths = [np.zeros(0, dtype=np.int64), *(np.diff(part.offsets) for part in parts)]
        return cls.from_lengths(b"".join(part.text for part in parts), np.concatenate(lengths))

    @classmethod
    def from_lengths(cls, text: bytes, lengths: NDArray[np.signedinteger[Any]]) -> "Keys":
        """Make a column from all keys in one text, and how many bytes each of them has."""
        offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return cls(text, offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> str:
        return self.text[self.offsets[row] : self.offsets[row + 1]].decode()

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _AT_ONCE):
            yield from self.take(range(start, min(start + _AT_ONCE, len(self))))

    def are_in_order(self) -> bool:
        """Whether each key is behind the one before it, or equal.

        Examples
        --------
        >>> Keys.of(["a", "a/b", "b"]).are_in_order(), Keys.of(["b", "a"]).are_in_order()
        (True, False)
        """
        return is_text_order(self.text, self.offsets)

    def in_order(self) -> tuple["Keys", Int64]:
        """Return the keys in order, and (n,) the row that each of them has here.

        Examples
        --------
        >>> keys, rows = Keys.of(["b", "a"]).in_order()
        >>> list(keys), rows.tolist()
        (['a', 'b'], [1, 0])
        """
        order = text_order(self.text, self.offsets)
        return self.pick(order), order

    def pick(self, rows: Int64) -> "Keys":
        """Return the keys of these rows as a column.

        Examples
        --------
        >>> Keys.of(["a.jpg", "b", "c"]).pick(np.array([2, 0])).text
        b'ca.jpg'
        """
        text = np.frombuffer(self.text, np.uint8)
        offsets = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(np.diff(self.offsets)[rows], out=offsets[1:])
        picked = np.empty(int(offsets[-1]), dtype=np.uint8)
        for start in range(0, len(rows), _AT_ONCE):
            ends = offsets[start : start + _AT_ONCE + 1]
            begin = self.offsets[rows[start : start + _AT_ONCE]]
            at = np.repeat(begin - ends[:-1], np.diff(ends))
            at += np.arange(ends[0], ends[-1])
            np.take(text, at, out=picked[ends[0] : ends[-1]])
        return Keys(picked.tobytes(), offsets)

    def take(self, rows: Sequence[int] | Int64) -> list[str]:
        """Return the keys of these rows, in their order."""
        rows = np.asarray(rows, dtype=np.int64)
        starts, ends = self.offsets[rows].tolist(), self.offsets[rows + 1].tolist()
        text = self.text
        return [text[a:b].decode() for a, b in zip(starts, ends, strict=True)]
