"""Convert boxes between conventions, and clip them to the image.

Conventions: cxcywh is centre x, centre y, width, height; ltwh is left, top, width, height. Origin
at the top left, x right, y down. The module does not decide whether a box is acceptable.
"""

from typing import Final

import numpy as np

from labelingest.columns.ragged import segment_max, segment_min
from labelingest.columns.types import Bool, Float64, Int64

__all__ = [
    "SLACK",
    "are_in_image",
    "clip_to_image",
    "corners_from_ltwh",
    "edges_outside",
    "ltwh_from_cxcywh",
    "ltwh_from_vertices",
]

SLACK: Final = 0.01
"""Part of the image's side that a box may leave the image by, where rows are told by what they look
like: coordinates are rounded."""


def ltwh_from_cxcywh(boxes: Float64) -> Float64:
    """Convert centre boxes to left, top, width, height.

    Parameters
    ----------
    boxes
        (n, 4) centre x, centre y, width, height, in any one unit.

    Returns
    -------
    ndarray
        (n, 4) left, top, width, height in the same unit; width and height are the same doubles;
        a new array.

    Examples
    --------
    >>> ltwh_from_cxcywh(np.array([[0.5, 0.5, 0.2, 0.4]])).tolist()
    [[0.4, 0.3, 0.2, 0.4]]
    """
    boxes_ltwh = boxes.copy()
    boxes_ltwh[:, :2] -= boxes[:, 2:] / 2
    return boxes_ltwh


def clip_to_image(boxes_ltwh: Float64) -> tuple[Float64, Float64]:
    """Clip boxes to the image, the unit square.

    The right edge of a box is left + width, as a double. An axis along which both edges are
    inside keeps its position and size bit for bit; along the other, the size becomes the distance
    between the clipped edges.

    Parameters
    ----------
    boxes_ltwh
        (n, 4) left, top, width, height, normalised; width and height not negative.

    Returns
    -------
    clipped
        (n, 4) left, top, width, height; the argument itself when every box is inside.
    deviation
        (n,) how far the farthest edge was outside; 0 for a box inside.

    Examples
    --------
    >>> clipped, deviation = clip_to_image(np.array([[-0.25, 0.5, 0.5, 0.25]]))
    >>> clipped.tolist(), deviation.tolist()
    ([[0.0, 0.5, 0.25, 0.25]], [0.25])
    """
    low, size = boxes_ltwh[:, :2], boxes_ltwh[:, 2:]
    high = low + size
    before, after = low < 0, high > 1
    if not (before.any() or after.any()):
        return boxes_ltwh, np.zeros(len(boxes_ltwh))
    beyond = np.maximum(np.maximum(-low, high - 1), 0)
    # An edge may also leave on the far side (a box wholly outside): both limits for both edges.
    new_low = np.where(before, 0.0, np.where(low > 1, 1.0, low))
    new_high = np.where(after, 1.0, np.where(high < 0, 0.0, high))
    new_size = np.where(before | after, new_high - new_low, size)
    return np.concatenate((new_low, new_size), axis=1), np.maximum(beyond[:, 0], beyond[:, 1])


def are_in_image(boxes_cxcywh: Float64) -> Bool:
    """Return whether centre boxes have an area and lie in the image, up to `SLACK`.

    Parameters
    ----------
    boxes_cxcywh
        (n, 4) centre x, centre y, width, height, normalised.

    Returns
    -------
    ndarray
        (n,) bool; a new array.

    Examples
    --------
    >>> boxes = np.array([[0.5, 0.5, 1, 1], [0.5, 0.5, 1.1, 1], [0.9, 0.5, 0.5, 0.1]])
    >>> are_in_image(boxes).tolist()
    [True, False, False]
    """
    centre, size = boxes_cxcywh[:, :2], boxes_cxcywh[:, 2:]
    inside = (size > 0) & (centre - size / 2 >= -SLACK) & (centre + size / 2 <= 1 + SLACK)
    mask: Bool = np.logical_and.reduce(inside, axis=1)
    return mask


def edges_outside(boxes_ltwh: Float64) -> Int64:
    """Count the edges of boxes that lie outside the image, the unit square, as doubles.

    Parameters
    ----------
    boxes_ltwh
        (n, 4) left, top, width, height, normalised; width and height not negative.

    Returns
    -------
    ndarray
        (n,) edges below 0 or beyond 1, of the four: both sides of a box that lies wholly outside;
        a new array.

    Examples
    --------
    >>> edges_outside(np.array([[-0.25, 0.5, 0.5, 0.25], [0.5, -1e-9, 0.5, 1.5]])).tolist()
    [1, 2]
    """
    low, high = boxes_ltwh[:, :2], boxes_ltwh[:, :2] + boxes_ltwh[:, 2:]
    edges = np.concatenate((low, high), axis=1)
    count: Int64 = ((edges < 0) | (edges > 1)).sum(axis=1)
    return count


def corners_from_ltwh(boxes_ltwh: Float64) -> Float64:
    """Return the corners of boxes, clockwise on screen from the top left.

    Parameters
    ----------
    boxes_ltwh
        (n, 4) left, top, width, height, in any one unit.

    Returns
    -------
    ndarray
        (n, 4, 2) x, y of top left, top right, bottom right, bottom left; a new array.

    Examples
    --------
    >>> corners_from_ltwh(np.array([[0.25, 0.5, 0.5, 0.25]])).tolist()
    [[[0.25, 0.5], [0.75, 0.5], [0.75, 0.75], [0.25, 0.75]]]
    """
    low = boxes_ltwh[:, :2]
    high = low + boxes_ltwh[:, 2:]
    corners = np.empty((len(boxes_ltwh), 4, 2))
    corners[:, 0] = low
    corners[:, 1, 0], corners[:, 1, 1] = high[:, 0], low[:, 1]
    corners[:, 2] = high
    corners[:, 3, 0], corners[:, 3, 1] = low[:, 0], high[:, 1]
    return corners


def ltwh_from_vertices(vertices: Float64, offsets: Int64) -> Float64:
    """Return the envelope of each ring: the smallest upright box around it.

    Parameters
    ----------
    vertices
        (v, 2) x, y of the vertices of all rings, in any one unit.
    offsets
        (n + 1,) ring i owns vertices[offsets[i] : offsets[i + 1]]; no ring is empty.

    Returns
    -------
    ndarray
        (n, 4) left, top, width, height in the same unit; a new array.

    Examples
    --------
    >>> triangle = np.array([[0.25, 0.5], [0.75, 0.5], [0.5, 1.0]])
    >>> ltwh_from_vertices(triangle, np.array([0, 3])).tolist()
    [[0.25, 0.5, 0.5, 0.5]]
    """
    low = segment_min(vertices, offsets)
    return np.concatenate((low, segment_max(vertices, offsets) - low), axis=1)
