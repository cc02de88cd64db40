"""YOLO: a text file of rows for each image."""

from labelingest.formats.format import Format

__all__ = ["YOLO"]

YOLO = Format(
    name="yolo",
    title="YOLO",
    noun="label file",
    source_title="YOLO label files",
    can_be_folder=True,
    is_resumable=True,
    needs_class_numbers=True,
    is_of_images=True,
    is_read_in_slices=True,
    source="labelingest.converter.from_yolo",
    target="labelingest.writers.yolo",
    sink="labelingest.sinks.yolo",
)
