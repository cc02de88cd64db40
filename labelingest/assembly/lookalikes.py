"""Find rows that have as many columns as a polygon, and look like a pose or like joined rows.

Objects and problems are not known here.
"""

from typing import Final

import numpy as np

from labelingest.columns import ragged
from labelingest.columns.types import Bool, Float64, Int64
from labelingest.geometry.boxes import are_in_image
from labelingest.model.ontology import LARGEST_CLASS_NUMBER
from labelingest.model.source_labels import Doubt, SourceLabels

__all__ = ["ROW", "are_boxes", "are_joined_rows", "are_poses"]

ROW: Final = 5
"""Columns of a row of a box."""


def are_boxes(labels: SourceLabels, rows: Int64) -> Bool:
    """Return (r,) whether the first four numbers of each row are a box in the image."""
    return are_in_image(_numbers(labels, labels.first[rows] + 1, 4))


def are_joined_rows(labels: SourceLabels, rows: Int64) -> Bool:
    """Return (r,) whether each row is several rows of boxes without the line ends between them."""
    columns = labels.columns[rows]
    mask: Bool = (columns % ROW == 0) & (columns > ROW)
    picked = rows[mask]
    if not len(picked):
        return mask
    columns = columns[mask]
    parts = labels.values[ragged.gather(labels.first[picked], columns)].reshape(-1, ROW)
    number = parts[:, 0]
    is_row = (number >= 0) & (number == np.floor(number)) & (number <= LARGEST_CLASS_NUMBER)
    is_row &= are_in_image(parts[:, 1:])
    begin = ragged.offsets_from_lengths(columns // ROW)[:-1]
    mask[mask] = np.logical_and.reduceat(is_row, begin)
    return mask


def are_poses(labels: SourceLabels, rows: Int64, size: int) -> Bool:
    """Return (r,) whether the numbers behind the box are keypoints of 2 or 3 numbers in the box.

    Hidden keypoints, 0 0, may lie anywhere. Without visibilities, polygons in the middle of an image
    look like poses: where all rows of the folder were looked at, they are no poses.
    """
    columns = labels.columns[rows]
    mask: Bool = ((columns - ROW) % size == 0) & (columns > ROW)
    if size == 2 and labels.doubt != Doubt.FULL:
        mask[:] = False
    picked = rows[mask]
    if not len(picked):
        return mask
    count = (columns[mask] - ROW) // size
    positions = ragged.gather(labels.first[picked] + ROW, count * size)
    keypoints = labels.values[positions].reshape(-1, size)
    box = _numbers(labels, labels.first[picked] + 1, 4)
    of_point = np.repeat(box, count, axis=0)
    fits = _are_inside(keypoints[:, :2], of_point) | (keypoints[:, :2] == 0).all(axis=1)
    if size > 2:
        fits &= np.isin(keypoints[:, 2], (0, 1, 2))
    are_poses = np.logical_and.reduceat(fits, ragged.offsets_from_lengths(count)[:-1])
    if size == 2:
        are_poses &= (count == 1) | ~_are_inside(box[:, 2:], box)
    mask[mask] = are_poses
    return mask


def _are_inside(points: Float64, cxcywh: Float64) -> Bool:
    """Return (n,) whether points, (n, 2), lie in centre boxes, (n, 4)."""
    distance = np.abs(points - cxcywh[:, :2])
    mask: Bool = np.logical_and.reduce(distance <= cxcywh[:, 2:] / 2, axis=1)
    return mask


def _numbers(labels: SourceLabels, begin: Int64, count: int) -> Float64:
    """Return (r, count) the numbers from the begin of each, (r,)."""
    numbers: Float64 = labels.values[begin[:, np.newaxis] + np.arange(count)]
    return numbers
