"""Small image files: saved by Pillow, or put together byte by byte where no encoder would."""

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from PIL import Image

__all__ = [
    "Parts",
    "bmp",
    "exif_block",
    "jpeg",
    "png",
    "png_chunk",
    "saved",
    "segment",
    "tiff",
]


class Parts:
    """Loads parts of a file, and counts how often and how many bytes."""

    def __init__(self, contents: bytes) -> None:
        self.contents = contents
        self.requests = self.most = self.total = 0

    def __call__(self, position: int, length: int) -> bytes:
        loaded = self.contents[position : position + length]
        self.requests += 1
        self.most = max(self.most, len(loaded))
        self.total += len(loaded)
        return loaded


def saved(form: str, *, orientation: int | None = None, mode: str = "RGB", **options: Any) -> bytes:
    """An image of 40 x 30 pixels as Pillow writes it."""
    if orientation is not None:
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = orientation
    out = io.BytesIO()
    Image.new(mode, options.pop("size", (40, 30))).save(out, form, **options)
    return out.getvalue()


def tiff(
    tags: Sequence[tuple[int, int, int]], *, order: str = "<", big: bool = False, gap: int = 0
) -> bytes:
    """A TIFF of one directory; tags are (tag, type, value), gap is what stands before it."""
    mark = b"II" if order == "<" else b"MM"
    start = (16 if big else 8) + gap
    if big:
        head = mark + struct.pack(order + "HHHQ", 43, 8, 0, start) + bytes(gap)
        head += struct.pack(order + "Q", len(tags))
    else:
        head = mark + struct.pack(order + "HI", 42, start) + bytes(gap)
        head += struct.pack(order + "H", len(tags))
    return head + b"".join(_entry(*tag, order=order, big=big) for tag in tags) + bytes(8)


def _entry(tag: int, kind: int, value: int, *, order: str, big: bool) -> bytes:
    number = struct.pack(order + {1: "B", 3: "H", 4: "I", 16: "Q"}[kind], value)
    room = 8 if big else 4
    return struct.pack(order + ("HHQ" if big else "HHI"), tag, kind, 1) + number.ljust(room, b"\0")


def exif_block(orientation: int, *, order: str = ">", gap: int = 0, kind: int = 3) -> bytes:
    """The contents of an EXIF segment, its directory after a gap such as a thumbnail leaves."""
    return b"Exif\0\0" + tiff([(0x0112, kind, orientation)], order=order, gap=gap)


def segment(marker: int, contents: bytes) -> bytes:
    """A JPEG segment with its length."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(contents) + 2) + contents


def jpeg(width: int, height: int, *, before: bytes = b"", after: bytes = b"") -> bytes:
    """A JPEG up to its pixels, with segments before and after the frame header."""
    frame = segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    scan = segment(0xDA, b"\1\1\0\0\x3f\0")
    return b"\xff\xd8" + before + frame + after + scan + b"pixels\xff\xd9"


def png_chunk(kind: bytes, contents: bytes) -> bytes:
    """A PNG chunk with its length and checksum."""
    checksum = zlib.crc32(kind + contents)
    return struct.pack(">I", len(contents)) + kind + contents + struct.pack(">I", checksum)


def png(width: int, height: int, *, before: bytes = b"", after: bytes = b"") -> bytes:
    """A grey PNG, with chunks before and after its pixels."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(bytes((min(width, 99) + 1) * min(height, 99))))
    end = png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + before + pixels + after + end


def bmp(width: int, height: int) -> bytes:
    """The header of a Windows bitmap of 24 bits."""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header
