"""Marks: what a put added to an unfinished output, so short that a journal has one for each batch.

A mark says how many bytes were added, and has a checksum of them. It finds what a disk lost and what
was changed by accident, not what was forged. CRC-32 of the standard library: a tenth of
the time of a cryptographic digest, which each byte of an output would pay.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final, TypeAlias
from zlib import crc32

__all__ = ["Mark", "Summed", "are_whole", "checksum", "checksum_of", "holds", "with_length"]

Mark: TypeAlias = tuple[int, int]
"""Bytes, and their checksum."""

_PIECE: Final = 1 << 20
"""Bytes that are in memory together when marks are checked."""


def checksum(content: bytes, before: int = 0) -> int:
    """Return the checksum of a content, or of several, one after the other, with their lengths.

    Parameters
    ----------
    content
        The bytes.
    before
        The checksum of the content before it.

    Examples
    --------
    >>> checksum(b"b", checksum(b"a")) == checksum(b"", checksum(b"ab"))
    False
    """
    return with_length(crc32(content, before), len(content))


def with_length(crc: int, length: int) -> int:
    """Return the checksum of a content from its CRC-32 and its length."""
    return crc32(length.to_bytes(8, "little"), crc)


class Summed:
    """A content in pieces; its mark is known when all pieces were taken.

    Examples
    --------
    >>> summed = Summed([b"a", b"b"])
    >>> b"".join(summed), summed.mark == (2, checksum(b"ab"))
    (b'ab', True)
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.crc = self.length = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.crc = crc32(piece, self.crc)
            self.length += len(piece)
            yield piece

    @property
    def mark(self) -> Mark:
        """Mark of the pieces taken so far."""
        return self.length, with_length(self.crc, self.length)


def checksum_of(file: BinaryIO, before: int = 0) -> int:
    """Return the checksum of the rest of a file, read piece by piece, as `checksum` does."""
    crc, length = before, 0
    while piece := file.read(_PIECE):
        crc, length = crc32(piece, crc), length + len(piece)
    return with_length(crc, length)


def holds(file: BinaryIO, size: int, expected: int) -> bool:
    """Whether the next bytes of a file are those of a mark; reads on to their end."""
    crc, rest = 0, size
    while rest:
        piece = file.read(min(rest, _PIECE))
        if not piece:
            return False
        crc, rest = crc32(piece, crc), rest - len(piece)
    return with_length(crc, size) == expected


def are_whole(*numbers: object) -> bool:
    """Whether all values are whole numbers from 0 on, as a mark has them.

    Examples
    --------
    >>> are_whole(0, 2), are_whole(True), are_whole(-1), are_whole("1")
    (True, False, False, False)
    """
    return all(type(number) is int and number >= 0 for number in numbers)
