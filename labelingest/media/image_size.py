"""Read the displayed width and height of an image from its header, without decoding the image.

Each format says its size near the start of the file, so the first `HEAD_BYTES` bytes nearly always
suffice. Where they do not (a JPEG with a large EXIF block, a TIFF whose directory is at its end),
other parts of the file are requested. Orientations 5 to 8 swap width and height.

Work is bounded whatever the file says: `_MOST_PARTS` segments, chunks, boxes or tags are examined,
`_MOST_EXIF` bytes of EXIF are joined, and Pillow gets `_MOST_WHOLE` bytes. A file that needs more has
no size.

WebP and AVIF are Pillow's. JPEG, PNG, TIFF and BMP, whose headers are a few numbers at known places,
are read here, and Pillow is the oracle of the tests: it takes 4 to 1000 times as long (for a PNG it
decodes the whole image to find EXIF), and it refuses what satellites send (more than 179 million
pixels unless a global is changed, TIFF of unusual depths and bands).

The module does not know pixels and colours. In particular, EXIF behind the pixels of a PNG is ignored
(viewers decide before they draw), and so is orientation in XMP.
"""

import re
import struct
from collections.abc import Callable
from io import BytesIO
from struct import calcsize, unpack, unpack_from
from struct import error as NotEnough  # noqa: N812 # names what it means here
from typing import TYPE_CHECKING, Final, TypeAlias

from labelingest.media.boxes import has_few_boxes, has_few_chunks
from labelingest.media.windows import Part, ShortError, Window

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

__all__ = [
    "FRAMES",
    "HEAD_BYTES",
    "SCAN",
    "WITHOUT_LENGTH",
    "image_size",
    "orientation_of",
    "read_image_size",
]

HEAD_BYTES: Final = 4096
"""Bytes of a file that callers pass as its head."""

_MOST_PARTS: Final = 10_000
"""Segments, chunks, boxes or tags that are examined: more of them before the pixels are an attack."""
_MOST_EXIF: Final = 1 << 24
"""Bytes of EXIF that are joined: cameras write less than one segment of 64 KiB."""
_MOST_WHOLE: Final = 1 << 26
"""Bytes that Pillow gets at most, because it copies them."""

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
    return _displayed(head, Window(head))


def read_image_size(head: bytes, part: Part) -> tuple[int, int] | None:
    """Read the displayed size of an image, loading other parts only where its head is too short.

    Parameters
    ----------
    head
        The first bytes of the file.
    part
        Returns the bytes at a position, or None where they cannot be read; not called for a head that
        is no image.

    Returns
    -------
    tuple or None
        Width and height in pixels, each from 1 to 2**31 - 1; None where the file does not tell.

    Examples
    --------
    >>> read_image_size(b"class 7", lambda position, length: b"never read") is None
    True
    """
    size = _displayed(head, Window(head))
    return size or _displayed(head, Window(head, part))


def _displayed(head: bytes, file: Window) -> tuple[int, int] | None:
    """Return the size after orientation."""
    read = _format(head)
    try:
        header = read(file) if read else None
    except (NotEnough, LookupError, ShortError):
        return None  # the header ends, or points, behind the last byte
    if header is None:
        return None
    width, height, orientation = header
    if not (0 < width < 2**31 and 0 < height < 2**31):
        return None
    return (height, width) if 5 <= orientation <= 8 else (width, height)


def _format(data: bytes) -> Callable[[Window], _Header | None] | None:
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
"""Beginning of a segment; 0xFF00 and repeated 0xFF are filling."""
_FIRST: Final = 0xC0
SCAN: Final = 0xDA
"""Marker before the pixels."""
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of the segment that has the size."""
WITHOUT_LENGTH: Final = frozenset({0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)})
"""Markers that stand alone."""


_SEARCHED: Final = 4096
"""Bytes of junk between two segments that are searched at once."""


def _jpeg(file: Window) -> _Header | None:
    """Walk the segments up to the pixels (start of scan), past EXIF and the frame header."""
    width = height = 0
    exif, position = _Exif(), 2
    for _ in range(_MOST_PARTS):
        marker = file.get(position, 4)
        if not _MARKER.match(marker) or len(marker) < 4:
            next_marker = _marker_behind(file, position)
            if next_marker is None:
                return width, height, exif.orientation()
            position, marker = next_marker, file.get(next_marker, 4)
        kind = marker[1]
        if kind == SCAN or len(marker) < 4:
            return width, height, exif.orientation()
        if kind < _FIRST:
            return None
        position += 2
        if kind in WITHOUT_LENGTH:
            continue
        end = position + max(2, marker[2] << 8 | marker[3])
        if (
            kind in FRAMES
            and position + 8 <= end
            and len(file.get(position, end - position)) == end - position
        ):
            height, width = unpack_from(">HH", file.get(position, 8), 3)
        elif kind == 0xE1 and file.get(position + 2, 6) == b"Exif\0\0":
            # EXIF of over 64 KiB continues in the next such segment.
            exif.add(file.get(position + 8, max(end - position - 8, 0)))
        position = end
    return None


def _marker_behind(file: Window, position: int) -> int | None:
    """Return the position of the next marker; None where the file ends before."""
    for _ in range(_MOST_PARTS):
        junk = file.some(position, _SEARCHED)
        marker = _MARKER.search(junk)
        if marker is not None:
            return position + marker.start()
        if len(junk) < 2:
            return None
        position += len(junk) - 1  # its last byte may be the first of a marker
    raise ShortError


class _Exif:
    """EXIF in pieces."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def add(self, piece: bytes) -> None:
        """Add the next piece.

        Raises
        ------
        ShortError
            The pieces have more bytes than any camera writes.
        """
        self._length += len(piece)
        if self._length > _MOST_EXIF:
            raise ShortError
        self._pieces.append(piece)

    def orientation(self) -> int:
        """Return the orientation in the pieces; 1 where they have none."""
        return orientation_of(b"".join(self._pieces))


def _png(file: Window) -> _Header | None:
    """Walk the chunks up to the pixels."""
    width = height = 0
    exif, position = _Exif(), 8
    for _ in range(_MOST_PARTS):
        chunk = file.get(position, 8)
        if len(chunk) < 8:
            return width, height, exif.orientation()
        length, kind = unpack(">I4s", chunk)
        if kind in (b"IDAT", b"IEND"):
            return width, height, exif.orientation()
        if kind == b"IHDR":
            width, height = unpack(">II", file.get(position + 8, 8))
        elif kind == b"eXIf":
            exif = _Exif()  # the last counts
            exif.add(file.get(position + 8, min(length, _MOST_EXIF + 1)))
        position += 12 + length
    return None


def _webp(file: Window) -> _Header | None:
    from PIL.WebPImagePlugin import WebPImageFile

    data = file.read_all(_MOST_WHOLE)
    # An extended header (VP8X) may announce EXIF, which comes after the pixels.
    announced = data[12:16] == b"VP8X" and data[20] & 0x08
    if announced and not file.complete and len(data) < 8 + unpack_from("<I", data, 4)[0]:
        return None
    return _by_pillow(WebPImageFile, data) if has_few_chunks(data, _MOST_PARTS) else None


def _avif(file: Window) -> _Header | None:
    from PIL.AvifImagePlugin import AvifImageFile

    data = file.read_all(_MOST_WHOLE)
    return _by_pillow(AvifImageFile, data) if has_few_boxes(data, _MOST_PARTS) else None


def _by_pillow(kind: Callable[[BytesIO], "ImageFile"], data: bytes) -> _Header | None:
    """Open a file as one kind of image, which reads its header."""
    from PIL.Image import DecompressionBombError

    try:
        with kind(BytesIO(data)) as image:
            return *image.size, orientation_of(image.info.get("exif") or b"")
    except (OSError, SyntaxError, ValueError, RuntimeError, DecompressionBombError):
        return None  # Pillow's exceptions for files that are broken or too large


def _bmp(file: Window) -> _Header | None:
    """Read the bitmap header, of OS/2 (12 bytes) or Windows; a negative height means top-down."""
    data = file.get(14, 12)
    (header_bytes,) = unpack_from("<I", data)
    if header_bytes == 12:
        width, height = unpack_from("<HH", data, 4)
        return width, height, 1
    if header_bytes not in (16, 40, 52, 56, 64, 108, 124):
        return None
    width, height = unpack_from("<ii", data, 4)
    return width, abs(height), 1


_WIDTH, _HEIGHT, _ORIENTATION = 256, 257, 274


def _tiff(file: Window) -> _Header | None:
    """Read the first directory, which may be anywhere in the file."""
    tags = _directory(file)
    if tags is None:
        return None
    return tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0), tags.get(_ORIENTATION, 1)


def orientation_of(exif: bytes) -> int:
    """Return the orientation in an EXIF block, which is a small TIFF; 1 where it has none."""
    block = exif.removeprefix(b"Exif\0\0")
    try:
        tags = _directory(Window(block, complete=True))
    except NotEnough:
        tags = None  # broken metadata is no reason to doubt the size
    return tags.get(_ORIENTATION, 1) if tags else 1


def _directory(tiff: Window) -> dict[int, int] | None:
    """Return tag → value of those tags in the first directory that hold one unsigned integer.

    None where the header is not a TIFF's or the directory has too many tags.
    """
    head = tiff.get(0, 4)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or head[2:] not in (b"*\0", b"\0*", b"+\0", b"\0+"):
        return None
    big = b"+" in head[2:]  # BigTIFF: everything that can grow has 8 bytes
    offset, number = (f"{order}Q", f"{order}Q") if big else (f"{order}I", f"{order}H")
    (start,) = unpack(offset, tiff.get(8 if big else 4, calcsize(offset)))
    (count,) = unpack(number, tiff.get(start, calcsize(number)))
    if count > _MOST_PARTS:
        return None
    entry = struct.Struct(f"{order}HHQ8s" if big else f"{order}HHI4s")
    numbers = {3: f"{order}H", 4: f"{order}I"} | ({16: f"{order}Q"} if big else {})
    tags: dict[int, int] = {}
    raw = tiff.get(start + calcsize(number), entry.size * count)
    for position in range(0, len(raw) - entry.size + 1, entry.size):
        tag, kind, values, value = entry.unpack_from(raw, position)
        if values == 1 and kind in numbers:
            tags.setdefault(tag, unpack_from(numbers[kind], value)[0])
    return tags
