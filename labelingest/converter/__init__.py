"""Batches in memory: sidecars in, label rows and problems out.

The order of the stages, top to bottom. Files, folders and pairing are not known here
(`labelingest.pipeline`)::

    converter.py     the converter: built once, called with batches
    from_yolo.py     YOLO rows → labels       read → resolve → sizes → assemble
    from_encord.py   label rows → labels      read and check → columns
    batch.py         labels between reading and writing; which files are written
    outputs.py       labels → the output format
    image_sizes.py         sizes of images, where a step cannot do without
    options.py       what goes in and comes out
"""

from labelingest.converter.converter import Converter, needs_class_numbers
from labelingest.converter.options import (
    Conversion,
    Counts,
    ImageSizes,
    LabelFile,
    OnRowError,
)

__all__ = [
    "Conversion",
    "Converter",
    "Counts",
    "ImageSizes",
    "LabelFile",
    "OnRowError",
    "needs_class_numbers",
]
