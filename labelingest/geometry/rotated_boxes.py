"""Rotated boxes: from corners to centre, size and angle, and back.

Everything happens in pixels, because a rectangle turned in normalised numbers is no rectangle on screen
unless the image is square. Angles are degrees, clockwise on screen (y is down), in [0, 360). The
corners of a rectangle are the top left, top right, bottom right and bottom left of the unrotated
box: the edge from the first corner to the second is the width, and corners run clockwise.

Where corners are given, a ring that runs counter-clockwise has its second and fourth corner
swapped first: its width edge then is what was p1 to p4.

Coordinates are finite and below 1e300. The module does not decide whether a misfit is too large, beyond
the tolerance of `rectangle_from_quad`.
"""

from typing import Final

import numpy as np

from labelingest.columns.ragged import segment_max, segment_sum
from labelingest.columns.types import Bool, Float64, Int64
from labelingest.geometry.angles import degrees_from_vectors, reduce_to_one_turn
from labelingest.geometry.rectangles import smallest_around_four, smallest_around_hulls

__all__ = [
    "corners_from_centred",
    "corners_from_rotated",
    "misfit",
    "normalised_from_centred",
    "rectangle_from_corners",
    "rectangle_from_quad",
    "smallest_rectangle_of_quads",
    "smallest_rectangle_of_rings",
]

_ROUNDING: Final = 8 * float(np.finfo(np.float64).eps)
"""Below this, as a fraction of the largest coordinate, a distance is rounding."""


def corners_from_rotated(boxes: Float64, width_px: Float64, height_px: Float64) -> Float64:
    """Return the corners of rotated boxes in pixels.

    Parameters
    ----------
    boxes
        (n, 5) left, top, width, height of the box before it is turned about its centre,
        normalised, and its angle in degrees clockwise on screen.
    width_px, height_px
        (n,) size of each box's image.

    Returns
    -------
    ndarray
        (n, 4, 2) x, y in pixels of top left, top right, bottom right, bottom left of the unrotated
        box; a new array.

    Examples
    --------
    >>> box = np.array([[0.25, 0.4, 0.5, 0.2, 30.0]])
    >>> corners_from_rotated(box, np.array([200.0]), np.array([100.0])).round(3).tolist()
    [[[61.699, 16.34], [148.301, 66.34], [138.301, 83.66], [51.699, 33.66]]]
    """
    left, top, width, height, theta = boxes.T
    centred = (
        (left + width / 2) * width_px,
        (top + height / 2) * height_px,
        width * width_px,
        height * height_px,
        theta,
    )
    return corners_from_centred(np.stack(centred, axis=1))


def corners_from_centred(rectangles: Float64) -> Float64:
    """Return the corners of rectangles that are given by centre, size and angle.

    Parameters
    ----------
    rectangles
        (n, 5) centre x, centre y, width, height in pixels, degrees clockwise on screen.

    Returns
    -------
    ndarray
        (n, 4, 2) x, y in pixels of top left, top right, bottom right, bottom left of the unrotated
        rectangle; a new array.

    Examples
    --------
    >>> corners_from_centred(np.array([[5.0, 5.0, 4.0, 2.0, 0.0]])).tolist()
    [[[3.0, 4.0], [7.0, 4.0], [7.0, 6.0], [3.0, 6.0]]]
    """
    return np.ascontiguousarray(_corner_columns(rectangles).transpose(2, 0, 1))


def rectangle_from_corners(corners_px: Float64) -> Float64:
    """Return the averaged rectangle of four corners: exact where they are a rectangle's.

    Parameters
    ----------
    corners_px
        (n, 4, 2) x, y in pixels of p1 to p4, in order around the ring.

    Returns
    -------
    ndarray
        (n, 5) centre x, centre y, width, height in pixels, degrees clockwise on screen in
        [0, 360): centre and sides are means of the corners and of opposite edges, the angle that
        of the width; a new array.

    Examples
    --------
    >>> corners = np.array([[[3.0, 4.0], [7.0, 4.0], [7.0, 6.0], [3.0, 6.0]]])
    >>> rectangle_from_corners(corners).tolist()
    [[5.0, 5.0, 4.0, 2.0, 0.0]]
    """
    return _averaged(_clockwise(corners_px))


def misfit(rectangles: Float64, corners_px: Float64) -> Float64:
    """Return how far corners are from the corresponding corners of rectangles, at most.

    Parameters
    ----------
    rectangles
        (n, 5) centre x, centre y, width, height in pixels, degrees clockwise on screen.
    corners_px
        (n, 4, 2) x, y in pixels of p1 to p4, in order around the ring.

    Returns
    -------
    ndarray
        (n,) largest of the four distances, in pixels; a new array.

    Examples
    --------
    >>> corners = np.array([[[3.0, 4.0], [7.0, 4.0], [7.0, 6.0], [0.0, 10.0]]])
    >>> misfit(np.array([[5.0, 5.0, 4.0, 2.0, 0.0]]), corners).tolist()
    [5.0]
    """
    return _farthest(_corner_columns(rectangles), _clockwise(corners_px))


def smallest_rectangle_of_quads(corners_px: Float64) -> Float64:
    """Return the rectangle of smallest area around each four points.

    The width edge is the one of the rectangle's four sides, clockwise around it, that is nearest in
    direction to p1 → p2. Of several smallest rectangles the one whose width edge is nearest counts.

    Parameters
    ----------
    corners_px
        (n, 4, 2) x, y in pixels of p1 to p4, in order around the ring.

    Returns
    -------
    ndarray
        (n, 5) centre x, centre y, width, height in pixels, degrees clockwise on screen in
        [0, 360); a new array.

    Examples
    --------
    >>> trapezium = np.array([[[1.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]]])
    >>> smallest_rectangle_of_quads(trapezium).tolist()
    [[2.0, 1.0, 4.0, 2.0, 0.0]]
    """
    return smallest_around_four(_clockwise(corners_px))


def smallest_rectangle_of_rings(vertices_px: Float64, offsets: Int64) -> Float64:
    """Return the rectangle of smallest area around each ring of vertices.

    The width edge is chosen as by `smallest_rectangle_of_quads`. Where the ring runs
    counter-clockwise, the edge from its first to its last vertex takes the place of p1 → p2.

    Parameters
    ----------
    vertices_px
        (v, 2) x, y in pixels of the vertices of all rings.
    offsets
        (n + 1,) ring i owns vertices_px[offsets[i] : offsets[i + 1]]; every ring has two vertices
        or more, which may be equal.

    Returns
    -------
    ndarray
        (n, 5) centre x, centre y, width, height in pixels, degrees clockwise on screen in
        [0, 360); a new array.

    Examples
    --------
    >>> ring = np.array([[1.0, 0.0], [3.0, 0.0], [4.0, 1.0], [4.0, 2.0], [0.0, 2.0]])
    >>> smallest_rectangle_of_rings(ring, np.array([0, 5])).tolist()
    [[2.0, 1.0, 4.0, 2.0, 0.0]]
    """
    # Importing shapely takes 0.1 s: only batches with such rings wait for it.
    from labelingest.geometry.hulls import hulls

    first_edges = _first_edges(vertices_px, offsets)
    return smallest_around_hulls(*hulls(vertices_px, offsets), first_edges)


def rectangle_from_quad(
    corners_px: Float64, tolerance_px: float = 0.1, tolerance_ratio: float = 0.001
) -> tuple[Float64, Float64, Bool]:
    """Return the averaged rectangle where it fits the corners, else the smallest one around them.

    It fits when its misfit is at most tolerance_px, or tolerance_ratio of its longer side.

    Parameters
    ----------
    corners_px
        (n, 4, 2) x, y in pixels of p1 to p4, in order around the ring.
    tolerance_px
        Pixels, not negative.
    tolerance_ratio
        Fraction of the longer side of the averaged rectangle, not negative.

    Returns
    -------
    rectangles
        (n, 5) centre x, centre y, width, height in pixels, degrees clockwise on screen in
        [0, 360).
    misfit
        (n,) pixels between the corners and the averaged rectangle, also where that does not fit.
    refitted
        (n,) true where the smallest rectangle is returned.

    Examples
    --------
    >>> trapezium = np.array([[[1.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]]])
    >>> rectangles, misfit_px, refitted = rectangle_from_quad(trapezium)
    >>> rectangles.tolist(), refitted.tolist()
    ([[2.0, 1.0, 4.0, 2.0, 0.0]], [True])
    """
    columns = _clockwise(corners_px)
    rectangles = _averaged(columns)
    misfit_px = _farthest(_corner_columns(rectangles), columns)
    longer = np.maximum(rectangles[:, 2], rectangles[:, 3])
    refitted: Bool = misfit_px > np.maximum(tolerance_px, tolerance_ratio * longer)
    if refitted.any():
        # take() keeps each coordinate in one piece; a mask would not.
        rings = np.flatnonzero(refitted)
        rectangles[rings] = smallest_around_four(columns.take(rings, axis=2))
    return rectangles, misfit_px, refitted


def normalised_from_centred(rectangles: Float64, width_px: Float64, height_px: Float64) -> Float64:
    """Return rectangles as rotated boxes: normalised, by left and top before they are turned.

    Parameters
    ----------
    rectangles
        (n, 5) centre x, centre y, width, height in pixels, degrees clockwise on screen.
    width_px, height_px
        (n,) size of each rectangle's image, above 0.

    Returns
    -------
    ndarray
        (n, 5) left, top, width, height of the unrotated box as fractions of the image, and degrees
        clockwise on screen in [0, 360); a new array.

    Examples
    --------
    >>> rectangle = np.array([[100.0, 50.0, 100.0, 20.0, -330.0]])
    >>> normalised_from_centred(rectangle, np.array([200.0]), np.array([100.0])).tolist()
    [[0.25, 0.4, 0.5, 0.2, 30.0]]
    """
    centre_x, centre_y, width, height, theta = rectangles.T
    columns = (
        (centre_x - width / 2) / width_px,
        (centre_y - height / 2) / height_px,
        width / width_px,
        height / height_px,
        reduce_to_one_turn(theta),
    )
    return np.stack(columns, axis=1)


def _clockwise(corners: Float64) -> Float64:
    """Return corners as (4, 2, n), p2 and p4 swapped where the ring runs counter-clockwise.

    So every coordinate of every corner lies in one piece. Rings without area keep their order:
    there the direction is rounding.
    """
    columns = corners.transpose(1, 2, 0).copy()
    (ux, uy), (vx, vy) = columns[2] - columns[0], columns[3] - columns[1]
    # The cross product of the diagonals is the shoelace sum. Overflow leaves the order as it is.
    with np.errstate(over="ignore", invalid="ignore"):
        doubled_area = ux * vy - uy * vx
        rings = np.flatnonzero(doubled_area < 0)
        if len(rings):
            largest = np.abs(columns[:, :, rings]).max(axis=(0, 1))
            diagonals = (np.abs(ux) + np.abs(uy) + np.abs(vx) + np.abs(vy))[rings]
            rings = rings[doubled_area[rings] < -_ROUNDING * largest * diagonals]
            columns[1:4:2, :, rings] = columns[3:0:-2, :, rings]
    return columns


def _corner_columns(rectangles: Float64) -> Float64:
    """Return the corners of rectangles as (4, 2, n)."""
    centre_x, centre_y, width, height, theta = rectangles.T
    radians = np.radians(theta)
    cos, sin = np.cos(radians), np.sin(radians)
    along, across = width * 0.5 * np.stack((cos, sin)), height * 0.5 * np.stack((-sin, cos))
    centre = np.stack((centre_x, centre_y))
    return np.stack(
        (
            centre - (along + across),
            centre + (along - across),
            centre + (along + across),
            centre - (along - across),
        )
    )


def _averaged(columns: Float64) -> Float64:
    """Return the averaged rectangle of corners, (4, 2, n)."""
    p1, p2, p3, p4 = columns
    u, v = ((p2 - p1) + (p3 - p4)) / 2, ((p4 - p1) + (p3 - p2)) / 2
    width, height = np.hypot(u[0], u[1]), np.hypot(v[0], v[1])
    centre_x, centre_y = p1 / 4 + p2 / 4 + p3 / 4 + p4 / 4
    return np.stack((centre_x, centre_y, width, height, degrees_from_vectors(u)), axis=1)


def _farthest(columns: Float64, others: Float64) -> Float64:
    """Return the largest distance between corresponding corners, (4, 2, n) each."""
    gap = columns - others
    distance: Float64 = np.hypot(gap[:, 0], gap[:, 1]).max(axis=0)
    return distance


def _first_edges(vertices: Float64, offsets: Int64) -> Float64:
    """Return (2, n) the edge of each ring, run through clockwise, that begins at its first vertex."""
    first, last = offsets[:-1], offsets[1:] - 1
    ring = np.repeat(np.arange(len(first)), np.diff(offsets))
    x, y = (vertices - vertices[first][ring]).T
    cross, length = np.zeros(len(x)), np.abs(x) + np.abs(y)
    with np.errstate(over="ignore", invalid="ignore"):
        cross[1:] = x[:-1] * y[1:] - x[1:] * y[:-1]
        # Between rings there is no edge; those at the first vertex have no part in the sum.
        cross[first] = 0
        rounding = _ROUNDING * segment_max(np.abs(vertices), offsets).max(axis=1)
        backwards = segment_sum(cross, offsets) < -rounding * segment_sum(length, offsets)
    second = np.where(backwards, last, first + 1)
    edges: Float64 = (vertices[second] - vertices[first]).T
    return edges
