"""Read how wide and high an image is when it is displayed, from its header, without decoding it.

Each format says its size near the start of the file, so the first `HEAD_BYTES` bytes nearly always
answer; where they do not (a JPEG behind a large EXIF block, a TIFF whose directory is at its end),
the whole file is asked for once. Orientations 5 to 8 swap width and height.

WebP and AVIF are Pillow's. JPEG, PNG, TIFF and BMP, whose headers are a few numbers at known places,
are read here, and Pillow is the oracle of the tests: it takes 4 to 1000 times as long (for a PNG it
decodes the whole image to find EXIF), and it refuses what satellites send (more than 179 million
pixels unless a global is changed, TIFF of unusual depths and bands).

Refuses to know pixels and colours. In particular: EXIF behind the pixels of a PNG is not looked
for (viewers decide before they draw), nor is orientation in XMP.
"""

import re
from collections.abc import Callable
from io import BytesIO
from struct import calcsize, unpack_from
from struct import error as NotEnough  # noqa: N812 # names what it means here
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

__all__ = ["HEAD_BYTES", "image_size", "read_image_size"]

HEAD_BYTES: Final = 4096
"""How much of a file to give as its head."""

_MOST_PARTS: Final = 10_000
"""Segments, chunks or boxes looked at: more of them before the pixels are an attack."""

_Header: TypeAlias = tuple[int, int, int]
"""Width and height as stored, and the EXIF orientation."""


def image_size(head: bytes) -> tuple[int, int] | None:
    r"""Read the displayed size of an image from the start of its file.

    Parameters
    ----------
    head
        The first bytes of a JPEG, PNG, WebP, AVIF, BMP or TIFF file, or all of them.

    Returns
    -------
    tuple or None
        Width and height in pixels, each from 1 to 2**31 - 1; None where these bytes do not tell.

    Examples
    --------
    >>> image_size(b"BM" + bytes(12) + b"\x28\0\0\0\x80\2\0\0\xe0\1\0\0")
    (640, 480)
    """
    return _displayed(head, complete=False)


def read_image_size(head: bytes, whole: Callable[[], bytes | None]) -> tuple[int, int] | None:
    """Read the displayed size of an image, asking for the whole file only where its head is short.

    Parameters
    ----------
    head
        The first bytes of the file.
    whole
        Returns the whole file, or None where that fails; called at most once, and not at all for
        bytes that are no image.

    Returns
    -------
    tuple or None
        Width and height in pixels, each from 1 to 2**31 - 1; None where the file does not tell.

    Examples
    --------
    >>> read_image_size(b"class 7", lambda: b"never read") is None
    True
    """
    size = _displayed(head, complete=False)
    if size or not _format(head):
        return size
    everything = whole()
    return None if everything is None else _displayed(everything, complete=True)


def _displayed(data: bytes, *, complete: bool) -> tuple[int, int] | None:
    """Return the size after orientation; complete says that no more bytes will come."""
    read = _format(data)
    try:
        header = read(data, complete) if read else None
    except (NotEnough, LookupError):
        return None  # ends, or points, behind the last byte
    if header is None:
        return None
    width, height, orientation = header
    if not (0 < width < 2**31 and 0 < height < 2**31):
        return None
    return (height, width) if 5 <= orientation <= 8 else (width, height)


def _format(data: bytes) -> Callable[[bytes, bool], _Header | None] | None:
    """Return the reader for the kind of file that begins like this."""
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return _tiff
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp
    if data[4:8] == b"ftyp" and re.search(rb"avi[fs]", data[8:64]):
        return _avif
    return _bmp if data.startswith(b"BM") else None


_MARKER: Final = re.compile(rb"\xff([^\x00\xff])")
"""What introduces a segment; 0xFF00 and repeated 0xFF are filling."""
_FIRST, _SCAN = 0xC0, 0xDA
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH: Final = frozenset({0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)})


def _jpeg(data: bytes, complete: bool) -> _Header | None:
    """Walk the segments up to the pixels (start of scan), past EXIF and the frame header."""
    width = height = 0
    exif, at = b"", 2
    for _ in range(_MOST_PARTS):
        marker = _MARKER.search(data, at)
        if marker is None or len(data) < marker.end() + 2:
            break
        kind, at = marker[1][0], marker.end()
        if kind == _SCAN:
            complete = True
            break
        if kind < _FIRST:
            return None
        if kind in _WITHOUT_LENGTH:
            continue
        end = at + max(2, data[at] << 8 | data[at + 1])
        if kind in _FRAMES and at + 8 <= end <= len(data):
            height, width = unpack_from(">HH", data, at + 3)
        elif kind == 0xE1 and data.startswith(b"Exif\0\0", at + 2):
            # EXIF of over 64 KiB continues in the next such segment.
            exif += data[at + 8 : end]
        at = end
    return (width, height, _orientation(exif)) if complete else None


def _png(data: bytes, complete: bool) -> _Header | None:
    """Walk the chunks up to the pixels."""
    width = height = 0
    exif, at = b"", 8
    for _ in range(_MOST_PARTS):
        if len(data) < at + 8:
            break
        length, kind = unpack_from(">I4s", data, at)
        if kind in (b"IDAT", b"IEND"):
            complete = True
            break
        if kind == b"IHDR":
            width, height = unpack_from(">II", data, at + 8)
        elif kind == b"eXIf":
            exif = data[at + 8 : at + 8 + length]
        at += 12 + length
    return (width, height, _orientation(exif)) if complete else None


def _webp(data: bytes, complete: bool) -> _Header | None:
    from PIL.WebPImagePlugin import WebPImageFile

    # An extended header (VP8X) may announce EXIF, which comes after the pixels.
    announced = data[12:16] == b"VP8X" and data[20] & 0x08
    if announced and not complete and len(data) < 8 + unpack_from("<I", data, 4)[0]:
        return None
    return _by_pillow(WebPImageFile, data)


def _avif(data: bytes, complete: bool) -> _Header | None:
    from PIL.AvifImagePlugin import AvifImageFile

    return _by_pillow(AvifImageFile, data)


def _by_pillow(kind: Callable[[BytesIO], "ImageFile"], data: bytes) -> _Header | None:
    """Open a file as one kind of image, which reads its header."""
    from PIL.Image import DecompressionBombError

    try:
        with kind(BytesIO(data)) as image:
            return *image.size, _orientation(image.info.get("exif") or b"")
    except (OSError, SyntaxError, ValueError, RuntimeError, DecompressionBombError):
        return None  # what Pillow raises for files that are broken or too large for it


def _bmp(data: bytes, complete: bool) -> _Header | None:
    """Read the bitmap header, of OS/2 (12 bytes) or Windows; a negative height means top-down."""
    (header_bytes,) = unpack_from("<I", data, 14)
    if header_bytes == 12:
        width, height = unpack_from("<HH", data, 18)
        return width, height, 1
    if header_bytes not in (16, 40, 52, 56, 64, 108, 124):
        return None
    width, height = unpack_from("<ii", data, 18)
    return width, abs(height), 1


_WIDTH, _HEIGHT, _ORIENTATION = 256, 257, 274


def _tiff(data: bytes, complete: bool) -> _Header | None:
    """Read the first directory, which may be anywhere in the file."""
    tags = _directory(data, complete)
    if tags is None:
        return None
    return tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0), tags.get(_ORIENTATION, 1)


def _orientation(exif: bytes) -> int:
    """Return the orientation in an EXIF block, which is a small TIFF; 1 where it has none."""
    try:
        tags = _directory(exif.removeprefix(b"Exif\0\0"), complete=True)
    except NotEnough:
        tags = None  # broken metadata is no reason to doubt the size
    return tags.get(_ORIENTATION, 1) if tags else 1


def _directory(tiff: bytes, complete: bool) -> dict[int, int] | None:
    """Return tag → value of those tags in the first directory that hold one unsigned integer.

    None where the header is not a TIFF's or the directory continues behind the bytes given.
    """
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or tiff[2:4] not in (b"*\0", b"\0*", b"+\0", b"\0+"):
        return None
    big = b"+" in tiff[2:4]  # BigTIFF: everything that can grow has 8 bytes
    (start,) = unpack_from(f"{order}Q" if big else f"{order}I", tiff, 8 if big else 4)
    (count,) = unpack_from(f"{order}Q" if big else f"{order}H", tiff, min(start, len(tiff)))
    entry, first = (f"{order}HHQ8s", start + 8) if big else (f"{order}HHI4s", start + 2)
    numbers = {3: f"{order}H", 4: f"{order}I"} | ({16: f"{order}Q"} if big else {})
    tags: dict[int, int] = {}
    for at in range(first, first + calcsize(entry) * min(count, _MOST_PARTS), calcsize(entry)):
        if len(tiff) < at + calcsize(entry):
            return tags if complete else None
        tag, kind, values, raw = unpack_from(entry, tiff, at)
        if values == 1 and kind in numbers:
            tags.setdefault(tag, unpack_from(numbers[kind], raw)[0])
    return tags
