"""Count the nested boxes or chunks of a file before it is handed to a decoder.

Decoders look items up one by one while they read tables of them, so that a megabyte of entries costs
minutes. The counts cover boxes (ISO base media, AVIF), the entries that their tables announce, and
chunks (RIFF, WebP).

The module does not know what boxes hold: refusing a broken file is the decoder's task.
"""

from struct import unpack_from
from typing import Final

__all__ = ["has_few_boxes", "has_few_chunks"]

_CONTAINERS: Final = {
    b"meta": 4,
    b"iref": 4,
    b"iprp": 0,
    b"ipco": 0,
    b"moov": 0,
    b"trak": 0,
    b"mdia": 0,
    b"minf": 0,
    b"stbl": 0,
    b"dinf": 0,
    b"edts": 0,
    b"stsd": 8,
    b"av01": 78,
    b"grpl": 0,
}
"""Box that holds boxes → bytes before the first inner box."""
_TABLES: Final = {
    b"iloc": 2,
    b"ipma": 0,
    b"stts": 0,
    b"stsc": 0,
    b"stsz": 4,
    b"stco": 0,
    b"co64": 0,
}
"""Box that holds a table → bytes between version and flags and the number of entries."""


def has_few_boxes(data: bytes, most: int) -> bool:
    r"""Return whether a file has at most so many boxes and entries of tables.

    Examples
    --------
    >>> has_few_boxes(b"\0\0\0\x08free" * 3, 3), has_few_boxes(b"\0\0\0\x08free" * 4, 3)
    (True, False)
    """
    waiting, seen = [(0, len(data))], 0
    while waiting:
        start, end = waiting.pop()
        while start + 8 <= end:
            size, kind, inner = *unpack_from(">I4s", data, start), start + 8
            if size == 1 and start + 16 <= end:
                (size,), inner = unpack_from(">Q", data, start + 8), start + 16
            stop = min(start + size, end) if size >= 8 else end
            seen += 1 + _entries(data, kind, inner, stop)
            if seen > most:
                return False
            if kind in _CONTAINERS:
                waiting.append((inner + _CONTAINERS[kind], stop))
            elif kind == b"iinf":
                waiting.append((inner + (8 if data[inner : inner + 1] > b"\0" else 6), stop))
            start = stop
    return True


def _entries(data: bytes, kind: bytes, position: int, end: int) -> int:
    """Return the number of entries that a table announces."""
    if kind not in _TABLES:
        return 0
    position += 4 + _TABLES[kind]
    # Before version 2, the number of item locations has two bytes.
    short = kind == b"iloc" and data[position - 6 : position - 5] < b"\2"
    if position + (2 if short else 4) > end:
        return 0
    return int(unpack_from(">H" if short else ">I", data, position)[0])


def has_few_chunks(data: bytes, most: int) -> bool:
    r"""Return whether a RIFF file has at most so many chunks.

    Examples
    --------
    >>> has_few_chunks(b"RIFF\x1c\0\0\0WEBP" + b"EXIF\0\0\0\0" * 3, 2)
    False
    """
    position, seen = 12, 0
    while position + 8 <= len(data):
        (size,) = unpack_from("<I", data, position + 4)
        position += 8 + size + size % 2
        seen += 1
        if seen > most:
            return False
    return True
