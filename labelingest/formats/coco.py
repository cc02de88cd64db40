"""COCO: one JSON document of images, annotations and categories. Only written."""

from labelingest.formats.format import Format

__all__ = ["COCO"]

COCO = Format(
    name="coco",
    title="COCO",
    noun="image",
    heading="Images",
    endings=(".json",),
    is_columns=True,
    is_of_images=True,
    target="labelingest.writers.coco",
    sink="labelingest.sinks.coco",
)
