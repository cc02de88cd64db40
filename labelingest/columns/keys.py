"""Keys: many strings in two arrays, without a Python object for each.

Ten million keys as Python strings take over a gigabyte; as one text and its offsets they take
their own length. Order is by UTF-8 bytes, which is the order of code points.
"""

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from itertools import pairwise
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from labelingest.columns.text_order import Ints, is_text_order, text_order
from labelingest.columns.types import Int64

__all__ = ["GatheredNumbers", "Gathering", "Keys"]

_AT_ONCE: Final = 65_536
_PICKED_AT_ONCE: Final = 16_384
"""Keys that are picked together: eight bytes of memory for each byte of their text."""


class Keys(Struct, frozen=True, eq=False):
    """A column of keys.

    Examples
    --------
    >>> keys = Keys.from_texts(["a.jpg", "b/ü.txt"])
    >>> len(keys), keys[1], keys.take([1, 0])
    (2, 'b/ü.txt', ['b/ü.txt', 'a.jpg'])
    >>> keys.take([0, 1]), Keys.from_texts(["a", "", "b"]).take([0, 1, 2])
    (['a.jpg', 'b/ü.txt'], ['a', '', 'b'])
    """

    text: bytes
    """All keys, one after the other, in UTF-8."""
    offsets: Int64
    """(n + 1,) key i is text[offsets[i]:offsets[i + 1]]."""

    @classmethod
    def from_texts(cls, keys: Iterable[str | bytes]) -> "Keys":
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
        offsets[1:] = lengths
        np.cumsum(offsets, out=offsets)  # in place: of shorter numbers it would make a copy first
        return cls(text, offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> str:
        return self.text[self.offsets[row] : self.offsets[row + 1]].decode()

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _AT_ONCE):
            yield from self.take(range(start, min(start + _AT_ONCE, len(self))))

    def are_in_order(self) -> bool:
        """Whether no key is smaller than the one before it.

        Examples
        --------
        >>> Keys.from_texts(["a", "a/b", "b"]).are_in_order(), Keys.from_texts(["b", "a"]).are_in_order()
        (True, False)
        """
        return is_text_order(self.text, self.offsets)

    def in_order(self) -> tuple["Keys", Ints]:
        """Return the keys in order, and (n,) the row that each of them has here.

        Examples
        --------
        >>> keys, rows = Keys.from_texts(["b", "a"]).in_order()
        >>> list(keys), rows.tolist()
        (['a', 'b'], [1, 0])
        """
        order = text_order(self.text, self.offsets)
        return self.pick(order), order

    def pick(self, rows: Ints) -> "Keys":
        """Return the keys of these rows as a column.

        Examples
        --------
        >>> Keys.from_texts(["a.jpg", "b", "c"]).pick(np.array([2, 0])).text
        b'ca.jpg'
        """
        offsets = np.zeros(len(rows) + 1, dtype=np.int64)
        parts = [
            slice(start, start + _PICKED_AT_ONCE) for start in range(0, len(rows), _PICKED_AT_ONCE)
        ]
        for part in parts:
            offsets[1:][part] = self.offsets[rows[part] + 1] - self.offsets[rows[part]]
        np.cumsum(offsets, out=offsets)
        source, text = np.frombuffer(self.text, np.uint8), BytesIO()
        if offsets[-1]:
            # All of it at once: a buffer that grows takes an eighth more in the end.
            text.seek(offsets[-1] - 1)
            text.write(b"\0")
            text.seek(0)
        for part in parts:
            bounds = offsets[part.start : part.stop + 1]
            positions = np.repeat(self.offsets[rows[part]] - bounds[:-1], np.diff(bounds))
            positions += np.arange(bounds[0], bounds[-1])
            text.write(source[positions].data)
        return Keys(text.getvalue(), offsets)

    def below(self, folder: bytes) -> "Keys":
        """Return the keys with a text before each.

        Examples
        --------
        >>> Keys.from_texts(["b", "c"]).below(b"x/").text
        b'x/bx/c'
        """
        if not folder:
            return self
        offsets = self.offsets + len(folder) * np.arange(len(self.offsets))
        joined = np.empty(offsets[-1], dtype=np.uint8)
        is_text = np.ones(len(joined), dtype=np.bool_)
        places = offsets[:-1, np.newaxis] + np.arange(len(folder))
        joined[places] = np.frombuffer(folder, np.uint8)
        is_text[places] = False
        joined[is_text] = np.frombuffer(self.text, np.uint8)
        return Keys(joined.tobytes(), offsets)

    def take(self, rows: Sequence[int] | Int64) -> list[str]:
        """Return the keys of these rows, in their order."""
        rows = np.asarray(rows, dtype=np.int64)
        starts, ends = self.offsets[rows], self.offsets[rows + 1]
        if len(rows) > 1 and np.array_equal(starts[1:], ends[:-1]):
            text = self.text[starts[0] : ends[-1]]
            if text.isascii():
                # Keys that follow each other are decoded at once, as those of a batch.
                decoded = text.decode()
                bounds = [0, *(ends - starts[0]).tolist()]
                return [decoded[a:b] for a, b in pairwise(bounds)]
        text = self.text
        pairs = zip(starts.tolist(), ends.tolist(), strict=True)
        return [text[a:b].decode() for a, b in pairs]


class Gathering:
    """Columns put one after the other as they come, with no part kept beside the whole.

    Examples
    --------
    >>> gathering = Gathering()
    >>> gathering.add(Keys.from_texts(["b", "c"]))
    >>> gathering.add(Keys.from_texts(["a"]))
    >>> list(gathering.keys())
    ['b', 'c', 'a']
    """

    def __init__(self) -> None:
        # This buffer becomes the text without a copy.
        self._text = BytesIO()
        self._offsets = GatheredNumbers(np.int64)
        self._offsets.add(np.zeros(1, dtype=np.int64))

    def add(self, keys: Keys) -> None:
        """Put a column behind the others."""
        self._offsets.add(keys.offsets[1:] + self._text.tell())
        self._text.write(keys.text)

    def keys(self) -> Keys:
        """Return all keys as one column."""
        return Keys(self._text.getvalue(), self._offsets.numbers())


class GatheredNumbers:
    """Numbers put one after the other: a list of small arrays would leave memory in pieces.

    Examples
    --------
    >>> gathered = GatheredNumbers(np.int64)
    >>> gathered.add(np.array([2, 3]))
    >>> gathered.add(np.array([1]))
    >>> gathered.numbers().tolist()
    [2, 3, 1]
    """

    def __init__(self, dtype: type[np.signedinteger[Any]]) -> None:
        self._dtype = dtype
        self._buffer = BytesIO()

    def add(self, numbers: NDArray[np.signedinteger[Any]]) -> None:
        """Put an array behind the others."""
        self._buffer.write(np.ascontiguousarray(numbers, dtype=self._dtype).data)

    def numbers(self) -> NDArray[Any]:
        """Return all numbers as one read-only array."""
        return np.frombuffer(self._buffer.getvalue(), dtype=self._dtype)
