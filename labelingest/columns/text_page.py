"""A page of text: columns of texts are put at positions in one buffer, each column at once.

No object is made for a single text, and nothing is joined or padded: a writer measures its texts,
adds lengths up to positions, and puts each column with one call. Texts may be put wider than they
are; whatever follows them is put later and covers the rest. So the order of calls matters.

Two habits of the libraries are relied on. numpy promises no order for the texts of one call; it puts
them in the order of positions, and a test of texts that overlap would show a change. CPython gives
the buffer of a `BytesIO` away as bytes without a copy; where it copies, only time and memory are lost.
"""

from io import BytesIO
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelingest.columns.types import Int64, Texts

__all__ = ["SPARE", "RaggedTexts", "TextPage"]

SPARE: Final = 32
"""Bytes behind a page that texts may cover which are put wider than they are."""


class RaggedTexts(NamedTuple):
    """Texts of different lengths in one buffer; several may be the same part of it."""

    source: bytes
    starts: Int64
    """(n,) where each text begins in source."""
    lengths: Int64
    """(n,) bytes of each text."""

    @classmethod
    def from_table(cls, texts: list[bytes], rows: Int64) -> "RaggedTexts":
        """Return texts of a table, by (n,) rows.

        Examples
        --------
        >>> RaggedTexts.from_table([b"jpg", b"png"], np.array([1, 1, 0])).starts.tolist()
        [3, 3, 0]
        """
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        starts = np.cumsum(lengths) - lengths
        return cls(b"".join(texts), starts[rows], lengths[rows])


class TextPage:
    """A buffer that is filled once.

    Examples
    --------
    >>> page = TextPage(11)
    >>> page.put(np.array([0, 6]), np.array([b"Anna.", b"Berta"]))
    >>> page.put(np.array([4]), b"; ")
    >>> page.content()
    b'Anna; Berta'
    """

    def __init__(self, length: int) -> None:
        self._length = length
        # This buffer becomes the content without a copy.
        self._file = BytesIO(bytes(length + SPARE))
        self._buffer: memoryview | None = self._file.getbuffer()

    def put(self, positions: Int64, texts: Texts | NDArray[np.void] | bytes) -> None:
        """Put texts of one width.

        Parameters
        ----------
        positions
            (n,) where each text begins; where texts overlap, the last one remains.
        texts
            (n,) texts, or one text for all positions.
        """
        if len(positions):
            if isinstance(texts, bytes):
                texts = np.frombuffer(texts, f"S{len(texts)}")
            width = texts.dtype.itemsize
            _windows(self._buffer, width)[positions] = texts.view(f"V{width}")

    def put_ragged(self, positions: Int64, texts: RaggedTexts) -> None:
        """Put (n,) texts of different lengths, none of them wider than it is."""
        source, starts, lengths = texts
        longest = int(lengths.max(initial=0))
        shortest = int(lengths.min(initial=longest))
        if shortest and longest <= 2 * shortest:
            # The first bytes of all, then the last ones, which may cover some of the first.
            windows = _windows(source, shortest)
            self.put(positions, windows[starts])
            if shortest < longest:
                rest = lengths - shortest
                self.put(positions + rest, windows[starts + rest])
            return
        # Any length is a sum of powers of two: few calls, whatever the lengths are.
        starts, positions = starts.copy(), positions.copy()
        width = 1
        while width <= longest:
            rows = np.flatnonzero(lengths & width)
            self.put(positions[rows], _windows(source, width)[starts[rows]])
            starts[rows] += width
            positions[rows] += width
            width *= 2

    def content(self) -> bytes:
        """Return the page; nothing can be put any more."""
        if self._buffer is not None:
            self._buffer.release()
            self._buffer = None
            self._file.truncate(self._length)
        return self._file.getvalue()


def _windows(buffer: bytes | memoryview | None, width: int) -> NDArray[np.void]:
    """Return all parts of a buffer that have a width, one beginning at each byte."""
    if buffer is None:
        raise ValueError("the page is complete: nothing can be put any more")
    return np.ndarray((len(buffer) - width + 1,), f"V{width}", buffer, 0, (1,))
