"""Add image sizes to data units, for images whose size a stage needs.

Where sizes come from is the caller's choice: headers in a storage, or sizes passed along with files.
"""

from collections.abc import Callable

import numpy as np
from msgspec import Struct

from labelingest.columns.types import Bool, Int32, Int64
from labelingest.converter.options import ImageSizes
from labelingest.model.units import DataUnits, are_images
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.of_batch import BatchProblems

__all__ = ["FindSizes", "SizeLookup"]

FindSizes = Callable[[Int64], Int32]
"""(r,) rows of data units → (r, 2) width and height in pixels; -1 for an image without known size."""


class SizeLookup(Struct, frozen=True):
    """Finds sizes of images, as far as the policy allows."""

    policy: ImageSizes
    find: FindSizes

    def add_all(self, units: DataUnits) -> DataUnits:
        """Return units with the sizes of all images, where the policy demands all."""
        if self.policy != ImageSizes.ALL:
            return units
        return self.add(units, are_images(units))

    def add(self, units: DataUnits, needed: Bool) -> DataUnits:
        """Return units with the sizes that were missing, where needed, (u,), is true."""
        missing = needed & ((units.width <= 0) | (units.height <= 0))
        rows = np.flatnonzero(missing)
        if self.policy == ImageSizes.NEVER or not len(rows):
            return units
        sides = self.find(rows)
        is_known = sides[:, 0] > 0
        width, height = units.width.copy(), units.height.copy()
        width[rows[is_known]], height[rows[is_known]] = sides[is_known].T
        return units.with_sizes(width, height)

    def warn_of_missing(self, units: DataUnits, problems: BatchProblems) -> None:
        """Warn of images without a size, where the policy demands all sizes."""
        if self.policy != ImageSizes.ALL:
            return
        for row in np.flatnonzero((units.width <= 0) & are_images(units)).tolist():
            if row not in problems.failed:
                detail = (
                    "the size of the image is not known: its header cannot be read: the label row "
                    "has no width and height"
                )
                problems.warn(row, Problem(ProblemCode.IMAGE_SIZE_MISSING, units.key[row], detail))
