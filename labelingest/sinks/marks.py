"""Marks: what a put added to an unfinished output, so short that a journal has one for each batch.

A mark says how many bytes were added, and has a checksum of them. It finds what a disk lost and what
somebody changed by accident, not what somebody forged. CRC-32 of the standard library: a tenth of
the time of a cryptographic digest, which each byte of an output would pay.
"""

from typing import BinaryIO, Final, TypeAlias
from zlib import crc32

__all__ = ["Mark", "are_whole", "checksum", "holds"]

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
        The checksum of what stands before it.

    Examples
    --------
    >>> checksum(b"b", checksum(b"a")) == checksum(b"", checksum(b"ab"))
    False
    """
    return crc32(content, before ^ len(content) & 0xFFFFFFFF)


def holds(file: BinaryIO, size: int, expected: int) -> bool:
    """Whether the next bytes of a file are those of a mark; reads on to their end."""
    found, rest = size & 0xFFFFFFFF, size
    while rest:
        piece = file.read(min(rest, _PIECE))
        if not piece:
            return False
        found, rest = crc32(piece, found), rest - len(piece)
    return found == expected


def are_whole(*numbers: object) -> bool:
    """Whether all values are whole numbers from 0 on, as a mark has them.

    Examples
    --------
    >>> are_whole(0, 2), are_whole(True), are_whole(-1), are_whole("1")
    (True, False, False, False)
    """
    return all(type(number) is int and number >= 0 for number in numbers)
