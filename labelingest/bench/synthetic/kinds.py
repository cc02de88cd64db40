"""Kinds of synthetic data sets: names and constants, without a library, for `--help`."""

from enum import StrEnum
from typing import Final

__all__ = ["CLASSES", "SHAPES", "SIZES", "Images", "Kind", "image_size"]

CLASSES: Final = 80
"""Number of classes, as in COCO."""
SHAPES: Final = ("bounding_box", "polygon", "rotatable_bounding_box")
"""Shapes of ontology objects, in the order in which mixed data sets give them to class numbers."""
SIZES: Final = tuple(
    (width, height) for width in (320, 427, 500, 612, 640, 800, 1024, 1280) for height in (480, 720)
)
"""Width and height of the images, in pixels."""


class Kind(StrEnum):
    """Kind of the rows."""

    BOXES = "boxes"
    POLYGONS = "polygons"
    ROTATED = "rotated"
    MIXED = "mixed"
    """All three in one file; each row has the shape of its ontology object."""


class Images(StrEnum):
    """Kind of the image files."""

    REAL_HEADERS = "real-headers"
    EMPTY = "empty"
    """Files of zero bytes, for work that never reads an image."""


def image_size(number: int) -> tuple[int, int]:
    """Return width and height, in pixels, of image i of every data set.

    Examples
    --------
    >>> image_size(0), image_size(16)
    ((320, 480), (320, 480))
    """
    return SIZES[number % len(SIZES)]
