"""Bytes of a file by position, loaded as they are asked for: a header is read, never the file.

What is loaded grows with what is asked for, from `_FIRST` bytes to `_MOST`, so that a header of many
megabytes costs few requests. At most one such window is in memory, whatever the file holds.

Refuses to know what the bytes mean.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

__all__ = ["Part", "ShortError", "Window"]

Part: TypeAlias = Callable[[int, int], bytes | None]
"""First byte and length → those bytes, fewer where the file ends; None where that fails."""

_FIRST: Final = 1 << 16
_MOST: Final = 1 << 22
"""Bytes asked for at once: the least and the most, unless more are wanted at one place."""


class ShortError(Exception):
    """The bytes are not among those that may be looked at."""


_FARTHEST: Final = 1 << 44
"""No file has a byte there: offsets of foreign files may be any number."""


class Window:
    """A file of which some bytes are in memory.

    Parameters
    ----------
    head
        How it begins.
    part
        Loads other bytes; None where no others may be loaded.
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
        """Whether bytes that cannot be had are not in the file."""
        return self._part is not None or self._end is not None

    def read_all(self, most: int) -> bytes:
        """Return everything that can be had.

        Raises
        ------
        ShortError
            These are more bytes than that.
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
            They are not in the head, and nothing else may be loaded or can be.
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
        """Return two bytes or more at a position, as many as need not be loaded; fewer at the end.

        Raises
        ------
        ShortError
            As `get` does.
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
