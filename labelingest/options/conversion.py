"""Options of the conversion: the rows of label files, their defects, and image sizes."""

from collections.abc import Sequence
from typing import Final

from labelingest.options.option import (
    LABELS,
    Kind,
    Option,
    Panel,
)

__all__ = ["CONVERSION_OPTIONS", "MOST_LABEL_BYTES"]

MOST_LABEL_BYTES: Final = 300_000_000
"""Bytes of one label file, at most: the limit of every file that is fetched whole."""
CONVERSION_OPTIONS: Final[Sequence[Option]] = (
    Option(
        name="row_layout",
        choices=(
            *("auto", "columns", "box", "box+confidence", "confidence+box", "box+track"),
            *("box+confidence+track", "polygon", "polygon+confidence", "corners"),
            *("corners+confidence", "xywhr", "xywhr-degrees", "pose"),
            *("box-pixels", "polygon-pixels", "box+class"),
        ),
        default="auto",
        default_text="decided from the rows of all files, or asked",
        help="Columns of a YOLO row",
        note="columns reads each row by its number of columns alone. The class number comes first, but in box+class. xywhr has radians; the layouts in "
        "pixels need the images' sizes.",
        panel=Panel.CONVERSION,
        is_label_option=True,
        source="yolo",
        commands=LABELS,
    ),
    Option(
        name="kpt_shape",
        kind=Kind.TWO_WHOLE,
        metavar="N DIMS",
        help="Number of keypoints and of values for each (2 or 3), for --row-layout pose",
        panel=Panel.CONVERSION,
        is_label_option=True,
        source="yolo",
        commands=LABELS,
    ),
    Option(
        name="on_row_error",
        choices=("skip", "skip-file", "stop"),
        default="skip",
        help="Consequence of an invalid row",
        note="skip leaves out the row, skip-file its whole file; stop ends the run.",
        panel=Panel.CONVERSION,
        is_label_option=True,
        commands=LABELS,
    ),
    Option(
        name="out_of_range",
        choices=("clip", "keep", "reject"),
        default="clip",
        help="Treatment of geometry outside the image",
        note="Rows that lie more than one image side outside are rejected in any case.",
        panel=Panel.CONVERSION,
        is_label_option=True,
        source="yolo",
        commands=LABELS,
    ),
    Option(
        name="snap_edges",
        kind=Kind.FLAG,
        default=False,
        default_text="off: numbers stay exact",
        flags=("--snap-edges/--no-snap-edges",),
        help="Clip edges that lie less than a millionth of the image outside, as rounded decimals do",
        note="The report counts these edges, clipped or not.",
        panel=Panel.CONVERSION,
        is_label_option=True,
        source="yolo",
        commands=LABELS,
    ),
    Option(
        name="on_shape_mismatch",
        choices=("convert", "reject"),
        default="convert",
        help="Treatment of rows whose geometry is not the shape of their ontology object",
        panel=Panel.CONVERSION,
        is_label_option=True,
        source="yolo",
        commands=LABELS,
    ),
    Option(
        name="duplicate_rows",
        choices=("keep", "drop"),
        default="keep",
        help="Treatment of rows identical to an earlier row of their file",
        panel=Panel.CONVERSION,
        is_label_option=True,
        source="yolo",
        commands=LABELS,
    ),
    Option(
        name="warn_misfit",
        kind=Kind.NUMBER,
        default=0.1,
        help="Distance by which four corners may miss a rectangle without a warning, as a fraction "
        "of the longer side",
        panel=Panel.CONVERSION,
        is_label_option=True,
        source="yolo",
        commands=LABELS,
    ),
    Option(
        name="max_label_bytes",
        kind=Kind.WHOLE,
        lowest=1,
        highest=MOST_LABEL_BYTES,
        default=64_000_000,
        help="Size limit for one YOLO label file, in bytes",
        note="Larger files are reported and not read.",
        panel=Panel.CONVERSION,
        is_label_option=True,
        source="yolo",
        commands=LABELS,
    ),
    Option(
        name="image_sizes",
        choices=("needed", "all", "never"),
        default="needed",
        default_text="for rotated boxes",
        help="Image headers to read for width and height",
        panel=Panel.CONVERSION,
        is_label_option=True,
        commands=LABELS,
    ),
)
