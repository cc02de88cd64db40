"""Rotated boxes: corners to centre, size and angle, and back; the smallest rectangle around points.

Everything happens in pixels, because a rectangle turned in normalised numbers is none on screen
unless the image is square. Angles are degrees, clockwise on screen (y is down), in [0, 360). The
corners of a rectangle are the top left, top right, bottom right and bottom left of the unrotated
box: the edge from the first corner to the second is the width, and corners run clockwise.

Where corners are given, a ring that runs counter-clockwise has its second and fourth corner
swapped first: its width edge then is what was p1 to p4.

The smallest rectangle around points has a side along an edge of their convex hull. For four points
the six lines through pairs of them include those edges, so no hull is needed. For longer rings the
hull comes from shapely, and the extreme points in the direction of each edge are found by binary
search among the directions of the edges, which a hull has in order. shapely's own rectangle was
found to be the smallest, too, but where several are (any right triangle has two) it does not say
which one it takes.

Coordinates are finite and below 1e300. Whether a misfit is too large is not decided here, beyond
the tolerance of `rectangle_from_quad`.
"""

from itertools import combinations
from typing import Final, TypeAlias

import numpy as np

from labelingest.arrays import Bool, Float64, Int32, Int64
from labelingest.geometry.ragged import segment_max, segment_min, segment_sum

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

_TIE: Final = 1e-12
"""Areas that differ by less, as a fraction, are equal; so are directions, in radians."""

_DOT: Final = 1e-100
"""An edge below this, as a fraction of its ring's size, has no direction."""

_Vectors: TypeAlias = Float64
"""(2, n) x and y."""


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
    >>> kite = np.array([[[1.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]]])
    >>> smallest_rectangle_of_quads(kite).tolist()
    [[2.0, 1.0, 4.0, 2.0, 0.0]]
    """
    return _smallest_of_columns(_clockwise(corners_px))


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
    # Importing shapely takes 0.1 s, which only those should wait for who need it.
    from labelingest.geometry.validity import hulls

    points, hull_offsets = hulls(vertices_px, offsets)
    lengths = np.diff(hull_offsets)
    ring = np.repeat(np.arange(len(lengths)), lengths)
    centre = segment_sum(points, hull_offsets) / lengths[:, None]
    points = points - centre[ring]
    _, exponent = np.frexp(segment_max(np.abs(points), hull_offsets).max(axis=1))
    points = np.ldexp(points, -exponent[ring][:, None])
    first_edge = _unit(np.ldexp(_first_edges(vertices_px, offsets), -exponent))
    best = _smallest_of_rings(_edge_candidates(points, hull_offsets), hull_offsets, first_edge)
    return _turned(best, first_edge, centre.T, exponent)


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
        (n,) pixels between the corners and the averaged rectangle, also where that is not taken.
    refitted
        (n,) true where the smallest rectangle is taken.

    Examples
    --------
    >>> kite = np.array([[[1.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]]])
    >>> rectangles, misfit_px, refitted = rectangle_from_quad(kite)
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
        rectangles[rings] = _smallest_of_columns(columns.take(rings, axis=2))
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
        _reduced(theta),
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
    return np.stack((centre_x, centre_y, width, height, _degrees(u)), axis=1)


def _farthest(columns: Float64, others: Float64) -> Float64:
    """Return the largest distance between corresponding corners, (4, 2, n) each."""
    gap = columns - others
    distance: Float64 = np.hypot(gap[:, 0], gap[:, 1]).max(axis=0)
    return distance


def _smallest_of_columns(points: Float64) -> Float64:
    """Return the smallest rectangles around corners, (4, 2, n)."""
    centre = points[0] / 4 + points[1] / 4 + points[2] / 4 + points[3] / 4
    points = points - centre
    # A power of two changes no digit, and keeps areas away from underflow and overflow.
    _, exponent = np.frexp(np.abs(points).max(axis=(0, 1)))
    points = np.ldexp(points, -exponent)
    x, y = points[:, 0], points[:, 1]
    candidates = np.empty((6, 6, points.shape[2]))
    for candidate, (start, end) in zip(candidates, combinations(range(4), 2), strict=True):
        candidate[:2] = right, down = _some_direction(points[end] - points[start])
        along, across = right * x + down * y, right * y - down * x
        np.min(along, axis=0, out=candidate[2])
        np.max(along, axis=0, out=candidate[3])
        np.min(across, axis=0, out=candidate[4])
        np.max(across, axis=0, out=candidate[5])
    first_edge = _unit(points[1] - points[0])
    area, turn = _area_and_turn(candidates.swapaxes(0, 1), first_edge[:, None])
    turn[area > area.min(axis=0) * (1 + _TIE)] = np.inf
    chosen = (turn <= turn.min(axis=0) + _TIE).argmax(axis=0)
    best = candidates[chosen, :, np.arange(len(chosen))].T
    return _turned(best, first_edge, centre, exponent)


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


def _some_direction(vectors: _Vectors) -> _Vectors:
    """Return (2, k) vectors as they are, or to the right where they are too short for a direction."""
    x, y = vectors
    return np.stack((np.where(np.abs(x) + np.abs(y) < _DOT, 1.0, x), y))


def _unit(vectors: _Vectors) -> _Vectors:
    """Return vectors of length 1 in the same directions."""
    vectors = _some_direction(vectors)
    return vectors / np.hypot(vectors[0], vectors[1])


def _edge_candidates(points: Float64, offsets: Int64) -> Float64:
    """Return the candidate along each edge of hulls, which run clockwise on screen."""
    following = np.arange(1, len(points) + 1)
    following[offsets[1:] - 1] = offsets[:-1]
    x, y = _some_direction((points[following] - points).T)
    angle = np.arctan2(y, x)
    # Once around a hull the angle grows by a full turn, and falls once: where it passes 180.
    falls = np.zeros(len(angle), dtype=np.int64)
    falls[1:] = angle[1:] < angle[:-1] - 1
    falls[offsets[:-1]] = 0
    turns = np.cumsum(falls)
    lengths = np.diff(offsets)
    angle += 2 * np.pi * (turns - np.repeat(turns[offsets[:-1]], lengths))
    # The farthest vertex in a direction is where the edges turn past its right angle.
    ahead, opposite, behind = (
        points[_first_not_below(angle, angle + quarters * np.pi / 2, offsets)].T
        for quarters in (1, 2, 3)
    )
    on_edge = points.T
    extremes = (
        x * behind[0] + y * behind[1],
        x * ahead[0] + y * ahead[1],
        x * on_edge[1] - y * on_edge[0],
        x * opposite[1] - y * opposite[0],
    )
    return np.stack((x, y, *extremes))


def _first_not_below(angle: Float64, target: Float64, offsets: Int64) -> Int64:
    """Return where, around the hull of each target, edges first have its angle or a greater one.

    Angles ascend within a hull, by less than a full turn; targets are up to two turns ahead.
    """
    lengths = np.diff(offsets)
    low, high = np.repeat(offsets[:-1], lengths), np.repeat(offsets[1:] - 1, lengths)
    target = np.where(target > angle[high], target - 2 * np.pi, target)
    while (low < high).any():
        middle = (low + high) // 2
        reached = angle[middle] >= target
        low, high = np.where(reached, low, middle + 1), np.where(reached, middle, high)
    return low


def _smallest_of_rings(candidates: Float64, offsets: Int64, first_edge: _Vectors) -> Float64:
    """Choose one of the candidates, (6, k), of each ring."""
    ring = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    area, turn = _area_and_turn(candidates, first_edge[:, ring])
    turn[area > (segment_min(area, offsets) * (1 + _TIE))[ring]] = np.inf
    nearest = turn <= (segment_min(turn, offsets) + _TIE)[ring]
    position = np.where(nearest, np.arange(len(ring)), len(ring))
    return candidates[:, np.minimum.reduceat(position, offsets[:-1])]


def _area_and_turn(candidates: Float64, first_edge: _Vectors) -> tuple[Float64, Float64]:
    """Return the area of candidates, and the sine of the angle from an edge to the nearest side.

    A candidate is x and y of a vector, then the lowest and the highest product of any point with
    it, then the same with the vector a quarter turn clockwise of it.
    """
    x, y, along_low, along_high, across_low, across_high = candidates
    edge_x, edge_y = first_edge
    squared = x * x + y * y
    turn = np.minimum(np.abs(x * edge_x + y * edge_y), np.abs(x * edge_y - y * edge_x))
    area = (along_high - along_low) * (across_high - across_low) / squared
    return area, turn / np.sqrt(squared)


def _turned(best: Float64, first_edge: _Vectors, centre: _Vectors, exponent: Int32) -> Float64:
    """Return the rectangles of the candidates chosen, with the side nearest to an edge as width."""
    x, y, along_low, along_high, across_low, across_high = best / np.hypot(best[0], best[1])
    along, across = (along_low + along_high) / 2, (across_low + across_high) / 2
    middle = np.ldexp(np.stack((x * along - y * across, y * along + x * across)), exponent)
    sides = np.ldexp(np.stack((along_high - along_low, across_high - across_low)), exponent)
    edge_x, edge_y = first_edge
    same, right = x * edge_x + y * edge_y, x * edge_y - y * edge_x
    lengthwise = np.abs(same) >= np.abs(right) - _TIE
    sign = np.where(np.where(lengthwise, same, right) < 0, -1.0, 1.0)
    direction = sign * np.where(lengthwise, (x, y), (-y, x))
    width, height = np.where(lengthwise, sides, sides[::-1])
    centre_x, centre_y = centre + middle
    return np.stack((centre_x, centre_y, width, height, _degrees(direction)), axis=1)


def _degrees(vectors: _Vectors) -> Float64:
    """Return the direction of (2, n) vectors, clockwise on screen, in [0, 360)."""
    return _reduced(np.degrees(np.arctan2(vectors[1], vectors[0])))


def _reduced(theta: Float64) -> Float64:
    """Return angles in [0, 360): the remainder of a tiny negative one rounds to 360."""
    reduced = np.mod(theta, 360.0)
    return np.where(reduced >= 360, 0.0, reduced)
