"""Sizes of many images at once, from the first bytes of each file (its head).

Nearly all images are JPEG or PNG files whose segments, or chunks, up to the pixels lie in their
heads. The files of a batch are walked in step: the first segment of each, then the second of those
that have one. So a step costs a few operations on arrays, and a batch has a dozen steps.

The scan tells a size only where `labelingest.media.image_size` tells the same one from the same
bytes. Everything unusual is left to that module: other formats, heads that end before the pixels,
filling between segments, markers without a length, EXIF in several pieces, and sizes of zero.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from labelingest.columns.types import Bool, Int32, Int64, UInt64
from labelingest.media.image_size import FRAMES, SCAN, WITHOUT_LENGTH, orientation_of

__all__ = ["scan_heads"]

_MOST_STEPS: Final = 64
"""Segments, or chunks, of a file that are walked; files that have more are unusual."""
_PADDING: Final = bytes(16)
"""Bytes behind the last head: words are read up to there."""

_JPEG: Final = 0xFFD8FF
_EXIF_SEGMENT: Final = 0xE1
_EXIF: Final = int.from_bytes(b"Exif\0\0", "big")
_EXIF_BEGINS: Final = 8
"""Position of the EXIF block, counted from the length of its segment."""
_KINDS: Final = np.arange(256)
_IS_FRAME: Final = np.isin(_KINDS, list(FRAMES))
_IS_PLAIN: Final = (min(FRAMES) <= _KINDS) & ~np.isin(_KINDS, [*WITHOUT_LENGTH, SCAN, 0xFF])
"""(256,) whether a marker begins a segment with a length, before the pixels."""

_PNG: Final = 0x89504E470D0A1A0A
_IHDR, _IDAT, _EXIF_CHUNK = (int.from_bytes(name, "big") for name in (b"IHDR", b"IDAT", b"eXIf"))


def scan_heads(heads: Sequence[bytes]) -> Int32:
    r"""Return the displayed sizes of images, where the heads of their files tell them plainly.

    Parameters
    ----------
    heads
        (n,) the first bytes of each file.

    Returns
    -------
    ndarray
        (n, 2) width and height in pixels; 0, 0 where `read_image_size` has to look.

    Examples
    --------
    >>> frame, scan = b"\xff\xc0\0\x0b\x08\x01\xe0\x02\x80\x01\x01\x11\0", b"\xff\xda\0\x08"
    >>> scan_heads([b"\xff\xd8" + frame + scan, b"BM"]).tolist()
    [[640, 480], [0, 0]]
    """
    buffer = b"".join([*heads, _PADDING])
    lengths = np.fromiter(map(len, heads), np.int64, len(heads))
    ends = np.cumsum(lengths)
    batch = _Batch(buffer, ends - lengths, ends)
    magic = batch.words(batch.starts, 8)
    sizes = np.zeros((len(heads), 2), dtype=np.int64)
    for rows, walk in (
        (np.flatnonzero(magic >> np.uint64(40) == _JPEG), _walk_jpegs),
        (np.flatnonzero(magic == _PNG), _walk_pngs),
    ):
        if len(rows):
            sizes[rows] = walk(batch, rows)
    sizes[(sizes <= 0).any(axis=1) | (sizes >= 2**31).any(axis=1)] = 0
    return sizes.astype(np.int32)


class _Batch(NamedTuple):
    """Heads behind each other."""

    buffer: bytes
    starts: Int64
    """(n,) where each head begins."""
    ends: Int64
    """(n,) where each head ends."""

    def words(self, positions: Int64, size: int) -> UInt64:
        """Return the big-endian numbers of some bytes at positions in the buffer."""
        count = len(self.buffer) - size + 1
        words = np.ndarray((count,), f">u{size}", self.buffer, 0, (1,))
        return words[positions].astype(np.uint64)

    def numbers(self, positions: Int64) -> Int64:
        """Return the big-endian numbers of four bytes at positions in the buffer."""
        return self.words(positions, 4).astype(np.int64)


def _walk_jpegs(batch: _Batch, rows: Int64) -> Int64:
    """Return (r, 2) width and height of JPEG files; 0 where something is unusual."""
    sizes = np.zeros((len(rows), 2), dtype=np.int64)
    exif = np.zeros((len(rows), 2), dtype=np.int64)
    is_told = np.zeros(len(rows), dtype=bool)
    row, position, end = np.arange(len(rows)), batch.starts[rows] + 2, batch.ends[rows]
    for _ in range(_MOST_STEPS):
        if not len(row):
            break
        marker = batch.numbers(position)
        kind, begin = marker >> 16 & 0xFF, position + 2
        following = begin + (marker & 0xFFFF)
        is_marker = (marker >> 24 == 0xFF) & (begin + 2 <= end)
        is_told[row[is_marker & (kind == SCAN)]] = True
        goes_on = is_marker & _IS_PLAIN[kind] & (following <= end) & (following >= begin + 2)
        of_exif = np.flatnonzero(goes_on & (kind == _EXIF_SEGMENT))
        if len(of_exif):
            goes_on[of_exif] = _note_exif(
                batch, exif, row[of_exif], begin[of_exif], following[of_exif]
            )
        of_frame = np.flatnonzero(goes_on & _IS_FRAME[kind] & (following >= begin + 8))
        if len(of_frame):
            sides = batch.numbers(begin[of_frame] + 3)
            sizes[row[of_frame]] = np.stack((sides & 0xFFFF, sides >> 16), axis=1)
        row, position, end = row[goes_on], following[goes_on], end[goes_on]
    sizes[~is_told] = 0
    turned = np.flatnonzero(_is_turned(batch.buffer, exif) & is_told)
    sizes[turned] = sizes[turned, ::-1]
    return sizes


def _note_exif(batch: _Batch, exif: Int64, row: Int64, begin: Int64, end: Int64) -> Bool:
    """Note where the EXIF block of some rows lies; return (r,) whether the rows stay usual."""
    is_exif = batch.words(begin + 2, 8) >> np.uint64(16) == _EXIF
    is_usual: Bool = ~is_exif | (exif[row, 1] == 0) & (begin + _EXIF_BEGINS < end)
    noted = is_exif & is_usual
    exif[row[noted]] = np.stack((begin + _EXIF_BEGINS, end), axis=1)[noted]
    return is_usual


def _is_turned(buffer: bytes, exif: Int64) -> Bool:
    """Return (r,) whether EXIF blocks, from begin to end, swap width and height."""
    turned = np.zeros(len(exif), dtype=bool)
    for row in np.flatnonzero(exif[:, 1]).tolist():
        begin, end = exif[row].tolist()
        turned[row] = 5 <= orientation_of(buffer[begin:end]) <= 8
    return turned


def _walk_pngs(batch: _Batch, rows: Int64) -> Int64:
    """Return (r, 2) width and height of PNG files; 0 where something is unusual."""
    sizes = np.zeros((len(rows), 2), dtype=np.int64)
    is_told = np.zeros(len(rows), dtype=bool)
    first = batch.starts[rows] + 8
    is_usual = (batch.ends[rows] >= first + 16) & (batch.numbers(first + 4) == _IHDR)
    row = np.flatnonzero(is_usual)
    position, end = first[row], batch.ends[rows[row]]
    sizes[row, 0], sizes[row, 1] = (batch.numbers(position + p) for p in (8, 12))
    kind = np.full(len(row), _IHDR)
    for _ in range(_MOST_STEPS):
        following = position + 12 + batch.numbers(position)
        goes_on = (following + 8 <= end) & (kind != _EXIF_CHUNK)
        row, position, end = row[goes_on], following[goes_on], end[goes_on]
        if not len(row):
            break
        kind = batch.numbers(position + 4)
        is_told[row[kind == _IDAT]] = True
        goes_on = (kind != _IDAT) & (kind != _IHDR)
        row, position, end, kind = row[goes_on], position[goes_on], end[goes_on], kind[goes_on]
    sizes[~is_told] = 0
    return sizes
