"""Keys and closed sets of values of label rows, and the suffix that names their sidecars."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = [
    "COORDINATE_SLACK",
    "FAR_EDGE_SLACK",
    "LABEL_STATUS",
    "LONGEST_SIDE",
    "PAYLOAD_KEYS",
    "SIDECAR_SUFFIX",
    "TASK_STATUS",
]

SIDECAR_SUFFIX: Final = ".encord.json"
"""Suffix of sidecars that are label rows: added to the data file's whole name."""

PAYLOAD_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bounding_box": "boundingBox",
        "rotatable_bounding_box": "rotatableBoundingBox",
        "polygon": "polygon",
        "polyline": "polyline",
        "point": "point",
        "circle": "circle",
        "ellipse": "ellipse",
        "bitmask": "bitmask",
        "skeleton": "skeleton",
        "cuboid_2d": "cuboid_2d",
    }
)
"""Shape → key of its payload in an object, for all shapes that are drawn on frames."""

LABEL_STATUS: Final = (
    *("NOT_LABELLED", "LABEL_IN_PROGRESS", "LABELLED"),
    *("REVIEW_IN_PROGRESS", "REVIEWED", "REVIEWED_TWICE"),
)
"""Values of `label_status`."""

TASK_STATUS: Final = ("QUEUED", "ASSIGNED", "IN_REVIEW", "RETURNED", "COMPLETED")
"""Values of `annotation_task_status`, which may also be null."""

COORDINATE_SLACK: Final = 1e-6
"""Fractions of the image's side: a coordinate this far outside 0..1 is a rounding error."""

FAR_EDGE_SLACK: Final = COORDINATE_SLACK + 1e-15
"""The same for the far edge of a box, which is a sum: each number of it was rounded once more."""

LONGEST_SIDE: Final = 1 + COORDINATE_SLACK + FAR_EDGE_SLACK
"""Fractions of the image's side: length of a box of which both edges are that far outside."""
