"""The displayed size of an image according to Pillow, which reads far more than the header."""

import io
import warnings
from contextlib import suppress
from struct import error as struct_error

from PIL import Image

__all__ = ["displayed_size"]

FORMATS = ("AVIF", "BMP", "JPEG", "PNG", "TIFF", "WEBP")
ORIENTATION = 0x0112


def displayed_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height after orientation; None where Pillow refuses the image."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of metadata that tests break on purpose
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except (ArithmeticError, OSError, RuntimeError, SyntaxError, ValueError):
            return None
        except Image.DecompressionBombError:
            return None
        width, height = image.size
        exif = Image.Exif()
        with suppress(SyntaxError, OSError, ValueError, struct_error, OverflowError):
            exif.load(image.info.get("exif", b""))
        # Pillow has turned the size of a TIFF already.
        turned = image.format != "TIFF" and exif.get(ORIENTATION) in (5, 6, 7, 8)
        return (height, width) if turned else (width, height)
