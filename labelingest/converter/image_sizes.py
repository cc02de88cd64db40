"""Sizes of images, found only where a step cannot do without them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from labelingest.columns.types import Bool
from labelingest.converter.options import ImageSizes
from labelingest.model.units import DataUnits, are_images
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.of_batch import BatchProblems

__all__ = ["Sizes", "SizesOf"]

SizesOf = Callable[[Sequence[int]], Sequence[tuple[int, int] | None]]
"""Rows of data units → width and height in pixels of each, None where it cannot be told."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Which sizes are looked up, and how."""

    policy: str
    """One of `ImageSizes`."""
    find: SizesOf

    def of_all(self, units: DataUnits) -> DataUnits:
        """Return units with the sizes of all images, where all are asked for."""
        if self.policy != ImageSizes.ALL:
            return units
        return self.of(units, are_images(units))

    def of(self, units: DataUnits, wanted: Bool) -> DataUnits:
        """Return units with the sizes that were not known, where wanted, (u,), is true."""
        unknown = wanted & ((units.width <= 0) | (units.height <= 0))
        rows = np.flatnonzero(unknown).tolist()
        if self.policy == ImageSizes.NEVER or not rows:
            return units
        width, height = units.width.copy(), units.height.copy()
        for row, size in zip(rows, self.find(rows), strict=True):
            if size is not None:
                width[row], height[row] = size
        return units.with_sizes(width, height)

    def note_missing(self, units: DataUnits, findings: BatchProblems) -> None:
        """Name the images without a size, where all are asked for."""
        if self.policy != ImageSizes.ALL:
            return
        for row in np.flatnonzero((units.width <= 0) & are_images(units)).tolist():
            if row not in findings.failed:
                detail = (
                    "the size of the image is not known: its header cannot be read: the label row "
                    "has no width and height"
                )
                findings.warn(row, Problem(ProblemCode.IMAGE_SIZE_MISSING, units.key[row], detail))
