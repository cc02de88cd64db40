"""Batches in memory: sidecars in, label rows and problems out.

Files, folders and pairing are not known here (`labelingest.pipeline`)::

    converter.py     the converter: built once, called with batches; the flow on one page
    source.py        the stages that depend on the format of sidecars
    from_yolo.py     YOLO rows → labels
    from_encord.py   label rows → labels
    image_sizes.py   sizes of images, for stages that need them
    batch.py         labels between reading and writing; the choice of files that are written
    outputs.py       labels → the output format
    large.py         one large YOLO file, slice by slice
    conversion.py    files that go in, and the result that comes out
    options.py       choices
"""

from labelingest.converter.conversion import Conversion, Counts, LabelFile
from labelingest.converter.converter import Converter, needs_class_numbers
from labelingest.converter.options import ImageSizes, OnRowError

__all__ = [
    "Conversion",
    "Converter",
    "Counts",
    "ImageSizes",
    "LabelFile",
    "OnRowError",
    "needs_class_numbers",
]
