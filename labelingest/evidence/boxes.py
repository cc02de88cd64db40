"""Facts about boxes in rows: inside the image, in pixels, with the class number at the end."""

from typing import Final

import numpy as np

from labelingest.columns.types import Bool
from labelingest.evidence.rows import NO_SHAPE, EvidenceRows, RowGroup
from labelingest.geometry.boxes import are_in_image

__all__ = ["FEW", "class_last", "is_share", "joined_rows", "pixel_boxes"]

FEW: Final = 4
"""Rows below which chance alone explains what they have in common: nothing is decided or asked."""
NEARLY_ALL: Final = 0.995
"""Share of the rows that decide together; the others are exceptions, reported one by one."""
_EDGE_PX: Final = 1.5
"""Pixels that a box may leave the image by."""


def is_share(mask: Bool, share: float = NEARLY_ALL) -> bool:
    """Return whether a share of the rows, (m,), is true; false for no rows.

    Examples
    --------
    >>> is_share(np.array([True, True, False]), 0.6), is_share(np.zeros(0, dtype=bool))
    (True, False)
    """
    return len(mask) > 0 and int(np.count_nonzero(mask)) >= share * len(mask)


def class_last(rows: EvidenceRows, group: RowGroup) -> Bool:
    """Return (m,) whether rows of five columns are boxes with a mapped class number behind them."""
    is_mapped = rows.shapes(group.values[:, 4]) != NO_SHAPE
    mask: Bool = is_mapped & are_in_image(group.numbers(0))
    return mask


def pixel_boxes(group: RowGroup) -> bool:
    """Return whether rows of five columns are centre boxes in pixels, rather than two corners.

    Centre boxes do not leave the image at the left and at the top. Two corners read as centre and
    size do, and so do a corner and a size.
    """
    centre, size = group.numbers(1, 2), group.numbers(3, 2)
    inside = np.logical_and.reduce((size > 0) & (centre - size / 2 >= -_EDGE_PX), axis=1)
    return is_share(inside) and not (size > centre).all()


def joined_rows(rows: EvidenceRows, group: RowGroup) -> Bool:
    """Return (m,) whether rows are several rows of boxes without the line ends between them."""
    if group.columns % 5 or group.columns < 10:
        return np.zeros(len(group), dtype=bool)
    mask = np.ones(len(group), dtype=bool)
    for start in range(0, group.columns, 5):
        mask &= rows.shapes(group.values[:, start]) != NO_SHAPE
        mask &= are_in_image(group.numbers(start + 1))
    return mask
