"""Bytes of a file by position, loaded on request: a header is read, never the whole file.

Requests load growing windows, from `_FIRST` to `_MOST` bytes, so that a header of many megabytes costs
few requests. At most one window is in memory, whatever the file holds.

The module does not know what the bytes mean.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

__all__ = ["Part", "ShortError", "Window"]

Part: TypeAlias = Callable[[int, int], bytes | None]
"""Position and length → bytes of the file, fewer where it ends; None where they cannot be read."""

_FIRST: Final = 1 << 16
_MOST: Final = 1 << 22
"""Bytes requested at once, at least and at most, unless a caller needs more at one place."""


class ShortError(Exception):
    """The bytes are not available."""


_FARTHEST: Final = 1 << 44
"""Position behind the end of any file: offsets in foreign files may be any number."""


class Window:
    """A file with some of its bytes in memory.

    Parameters
    ----------
    head
        Beginning of the file.
    part
        Function that loads other bytes; None where no others may be loaded.
    complete
        Whether the head is the whole file.

    Examples
    --------
    >>> Window(b"GIF89a").get(3, 2)
    b'89'
    >>> Window(b"GIF", lambda position, length: b"GIF89a"[position : position + length]).get(2, 9)
    b'F89a'
    """

    def __init__(self, head: bytes, part: Part | None = None, *, complete: bool = False) -> None:
        self._head = head
        self._part = part
        self._begin, self._loaded = 0, b""
        self._end = len(head) if complete else None
        self._ahead = _FIRST

    @property
    def complete(self) -> bool:
        """Whether bytes that are not available are not in the file either."""
        return self._part is not None or self._end is not None

    def read_all(self, most: int) -> bytes:
        """Return all bytes that are available.

        Raises
        ------
        ShortError
            More than `most` bytes are available.
        """
        everything = self.get(0, most + 1) if self.complete else self._head
        if len(everything) > most:
            raise ShortError
        return everything

    def get(self, position: int, length: int) -> bytes:
        """Return the bytes at a position; fewer only where the file ends.

        Raises
        ------
        ShortError
            The bytes are not in the head, and other parts cannot be loaded.
        """
        if self._end is not None:
            length = min(length, max(self._end - position, 0))
        if not length or position > _FARTHEST:
            return b""
        for begin, loaded in ((0, self._head), (self._begin, self._loaded)):
            if begin <= position and position + length <= begin + len(loaded):
                return loaded[position - begin : position - begin + length]
        return self._load(position, length)

    def some(self, position: int, length: int) -> bytes:
        """Return at least two bytes at a position, preferably without loading; fewer at the end.

        Raises
        ------
        ShortError
            The bytes are not in the head, and other parts cannot be loaded.
        """
        for begin, loaded in ((0, self._head), (self._begin, self._loaded)):
            if begin <= position <= begin + len(loaded) - 2:
                return loaded[position - begin : position - begin + length]
        return self.get(position, length)

    def _load(self, position: int, length: int) -> bytes:
        if self._part is None:
            raise ShortError
        self._loaded = b""  # before the next: one window, not two
        loaded = self._part(position, max(length, self._ahead))
        if loaded is None:
            raise ShortError
        if len(loaded) < max(length, self._ahead):
            self._end = position + len(loaded)
        self._begin, self._loaded = position, loaded
        self._ahead = min(2 * self._ahead, _MOST)
        return loaded[:length]
