"""Annotations that formats of images can represent: boxes, rotated boxes and polygons of images.

The writers of YOLO and COCO share this module. It rejects all other annotations before anything is
written, so that the counts add up; label rows and Parquet tables represent every annotation. Files
that are no images are set apart before (`labelingest.model.units.are_images`).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from labelingest.columns.types import Bool
from labelingest.model.annotations import OTHER_SHAPE, Annotations, column_shapes
from labelingest.model.ontology import OntologyObject
from labelingest.model.rejections import reject_rows
from labelingest.model.units import DataUnits
from labelingest.problems import ProblemCode
from labelingest.problems.of_batch import BatchProblems
from labelingest.writers.instances import parts_of

__all__ = ["representable_on_images"]

_CURE: Final = "--to encord or --to parquet writes it"
_FARTHEST: Final = 1e100
"""Largest coordinate: in pixels, and squared for an area, it is still finite."""


def representable_on_images(
    annotations: Annotations,
    units: DataUnits,
    objects: Sequence[OntologyObject],
    name: str,
    problems: BatchProblems,
) -> Annotations:
    """Return the boxes, rotated boxes and polygons; reject the others.

    Parameters
    ----------
    annotations
        (n,) annotations of the units.
    units
        (u,) the data units.
    objects
        (o,) the ontology's objects.
    name
        What the format is called.
    problems
        Takes the others, as `no-place-in-format`.
    """
    on_image = np.ones(len(annotations), dtype=bool)
    if annotations.instances is not None:
        on_image = annotations.instances.frame == 0
    has_columns = column_shapes(objects)[annotations.feature] != OTHER_SHAPE
    is_far = _are_far(annotations)

    def detail(row: int) -> str:
        if is_far[row]:
            return f"a coordinate beyond {_FARTHEST:g} is no number of pixels in {name}: {_CURE}"
        if not on_image[row]:
            return f"{name} has labels of single images only, and this is an image group: {_CURE}"
        entry = objects[annotations.feature[row]]
        shape = entry.shape.replace("_", " ")
        return (
            f"{name} has boxes, rotated boxes and polygons only, and {entry.name!r} is of shape "
            f"{shape}: {_CURE}"
        )

    can_be_written = on_image & has_columns & ~is_far
    code = ProblemCode.NO_PLACE_IN_FORMAT
    return reject_rows(~can_be_written, code, annotations, units, detail, problems)


def _are_far(annotations: Annotations) -> Bool:
    """Return (n,) whether a coordinate is too large for pixels and areas computed from it."""
    is_far = np.zeros(len(annotations), dtype=bool)
    # Numbers that are not finite never get here.
    too_large = np.abs(annotations.coordinates) > _FARTHEST
    if too_large.any():
        rows = np.searchsorted(annotations.offsets, np.flatnonzero(too_large), side="right") - 1
        is_far[rows] = True
    for row, rings in parts_of(annotations).items():
        numbers = (number for part in rings for ring in part for number in ring)
        is_far[row] |= any(abs(number) > _FARTHEST for number in numbers)
    return is_far
