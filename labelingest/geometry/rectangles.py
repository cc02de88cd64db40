"""The smallest rectangle around points, by area.

It has a side along an edge of the points' convex hull, so trying one rectangle for each edge finds
it. For four points the six lines through pairs of them include those edges, and no hull is needed.
In a longer hull the farthest vertex in a direction is found by binary search: edges follow each
other in the order of their directions. That takes h log h steps for h edges, where comparing all
with all would take h² and a hull may have a million.

A candidate is a column of six numbers: x and y of a vector along a side, the lowest and the highest
product of any point with it, then the same with the vector a quarter turn clockwise of it.

Often several rectangles are smallest: around a right triangle, those along the legs and along the
long side. Then, as in the choice of the width, the first edge of the ring decides. (shapely's
rectangle has the same area, on 20,000 random sets of points, but it does not document its choice.)
The module does not decide whether a ring should be turned round first.
"""

from itertools import combinations
from typing import Final, TypeAlias

import numpy as np

from labelingest.columns.ragged import segment_max, segment_min, segment_sum
from labelingest.columns.types import Float64, Int32, Int64
from labelingest.geometry.angles import degrees_from_vectors

__all__ = ["smallest_around_four", "smallest_around_hulls"]

_TIE: Final = 1e-12
"""Difference, as a fraction, below which areas are equal, and in radians, below which directions are."""

_DOT: Final = 1e-100
"""Length of an edge, as a fraction of its ring's size, below which it has no direction."""

_STARTS, _ENDS = np.array([*combinations(range(4), 2)]).T

_Vectors: TypeAlias = Float64
"""(2, n) x and y."""


def smallest_around_four(points: Float64) -> Float64:
    """Return the rectangle of smallest area around each four points.

    Parameters
    ----------
    points
        (4, 2, n) x and y of p1 to p4, in any one unit.

    Returns
    -------
    ndarray
        (n, 5) centre x, centre y, width, height in the same unit, degrees clockwise on screen in
        [0, 360); the width is the side, of the four run through clockwise, nearest in direction to
        p1 → p2; a new array.

    Examples
    --------
    >>> trapezium = np.array([[1.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]])
    >>> smallest_around_four(trapezium[:, :, np.newaxis]).tolist()
    [[2.0, 1.0, 4.0, 2.0, 0.0]]
    """
    centre = points[0] / 4 + points[1] / 4 + points[2] / 4 + points[3] / 4
    points = points - centre
    # A power of two changes no digit, and keeps areas away from underflow and overflow.
    _, exponent = np.frexp(np.abs(points).max(axis=(0, 1)))
    points = np.ldexp(points, -exponent)
    x, y = points.swapaxes(0, 1)
    candidates = np.empty((6, 6, points.shape[2]))
    candidates[:, :2] = points[_ENDS] - points[_STARTS]
    _point_dots_right(candidates[:, 0], candidates[:, 1])
    for right, down, along_low, along_high, across_low, across_high in candidates:
        along, across = right * x + down * y, right * y - down * x
        along.min(axis=0, out=along_low)
        along.max(axis=0, out=along_high)
        across.min(axis=0, out=across_low)
        across.max(axis=0, out=across_high)
    first_edge = _unit(points[1] - points[0])
    area, turn = _area_and_turn(candidates.swapaxes(0, 1), first_edge[:, np.newaxis])
    turn[area > area.min(axis=0) * (1 + _TIE)] = np.inf
    chosen = (turn <= turn.min(axis=0) + _TIE).argmax(axis=0)
    best = candidates[chosen, :, np.arange(len(chosen))].T
    return _turned(best, first_edge, centre, exponent)


def smallest_around_hulls(vertices: Float64, offsets: Int64, first_edges: Float64) -> Float64:
    """Return the rectangle of smallest area around each hull.

    Parameters
    ----------
    vertices
        (h, 2) x, y of the vertices of all hulls, clockwise on screen, in any one unit.
    offsets
        (n + 1,) hull i owns vertices[offsets[i] : offsets[i + 1]]; no hull is empty.
    first_edges
        (2, n) x and y of the vector that decides which side is the width.

    Returns
    -------
    ndarray
        (n, 5) centre x, centre y, width, height in the same unit, degrees clockwise on screen in
        [0, 360); the width is the side, of the four run through clockwise, nearest in direction to
        the first edge; a new array.

    Examples
    --------
    >>> hull = np.array([[1.0, 0.0], [3.0, 0.0], [4.0, 1.0], [4.0, 2.0], [0.0, 2.0]])
    >>> smallest_around_hulls(hull, np.array([0, 5]), np.array([[0.0], [1.0]])).tolist()
    [[2.0, 1.0, 2.0, 4.0, 90.0]]
    """
    lengths = np.diff(offsets)
    ring = np.repeat(np.arange(len(lengths)), lengths)
    centre = segment_sum(vertices, offsets) / lengths[:, np.newaxis]
    points = vertices - centre[ring]
    _, exponent = np.frexp(segment_max(np.abs(points), offsets).max(axis=1))
    x, y = np.ldexp(points.T, -exponent[ring])
    first_edge = _unit(np.ldexp(first_edges, -exponent))
    candidates = _edge_candidates(x, y, offsets)
    area, turn = _area_and_turn(candidates, first_edge[:, ring])
    turn[area > (segment_min(area, offsets) * (1 + _TIE))[ring]] = np.inf
    nearest = turn <= (segment_min(turn, offsets) + _TIE)[ring]
    position = np.where(nearest, np.arange(len(ring)), len(ring))
    best = candidates[:, np.minimum.reduceat(position, offsets[:-1])]
    return _turned(best, first_edge, centre.T, exponent)


def _point_dots_right(x: Float64, y: Float64) -> None:
    """Write a direction into vectors that are too short to have one."""
    x[np.abs(x) + np.abs(y) < _DOT] = 1.0


def _unit(vectors: _Vectors) -> _Vectors:
    """Return vectors of length 1 in the same directions; they are written to."""
    _point_dots_right(vectors[0], vectors[1])
    unit: _Vectors = vectors / np.hypot(vectors[0], vectors[1])
    return unit


def _edge_candidates(x: Float64, y: Float64, offsets: Int64) -> Float64:
    """Return the candidate along each edge of hulls, which run clockwise on screen."""
    following = np.arange(1, len(x) + 1)
    following[offsets[1:] - 1] = offsets[:-1]
    dx, dy = x[following] - x, y[following] - y
    _point_dots_right(dx, dy)
    angle = _growing(np.arctan2(dy, dx), offsets)
    # The farthest vertex in a direction is where the edges turn past its right angle.
    ahead, opposite, behind = (
        _first_not_below(angle, angle + quarters * np.pi / 2, offsets) for quarters in (1, 2, 3)
    )
    extremes = (
        dx * x[behind] + dy * y[behind],
        dx * x[ahead] + dy * y[ahead],
        dx * y - dy * x,
        dx * y[opposite] - dy * x[opposite],
    )
    return np.stack((dx, dy, *extremes))


def _growing(angle: Float64, offsets: Int64) -> Float64:
    """Add a full turn to the angles of each hull's edges from where they pass 180 degrees.

    Around a hull angles grow, but for rounding, and fall by more than half a turn where they pass.
    """
    fall = np.zeros(len(angle), dtype=np.int64)
    fall[1:] = angle[1:] < angle[:-1] - 1
    fall[offsets[:-1]] = 0
    turns = np.cumsum(fall)
    turns -= np.repeat(turns[offsets[:-1]], np.diff(offsets))
    return angle + 2 * np.pi * turns


def _first_not_below(angle: Float64, target: Float64, offsets: Int64) -> Int64:
    """Return where, around the hull of each target, edges first have its angle or a greater one.

    Angles ascend within a hull, by a full turn at most; targets are up to two turns ahead.
    """
    lengths = np.diff(offsets)
    low, high = np.repeat(offsets[:-1], lengths), np.repeat(offsets[1:] - 1, lengths)
    target = np.where(target > angle[high], target - 2 * np.pi, target)
    while (low < high).any():
        middle = (low + high) // 2
        reached = angle[middle] >= target
        low, high = np.where(reached, low, middle + 1), np.where(reached, middle, high)
    return low


def _area_and_turn(candidates: Float64, first_edge: _Vectors) -> tuple[Float64, Float64]:
    """Return the area of candidates, and the sine of the angle from an edge to the nearest side."""
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
    return np.stack((centre_x, centre_y, width, height, degrees_from_vectors(direction)), axis=1)
