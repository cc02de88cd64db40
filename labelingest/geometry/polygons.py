"""Clip and unclose rings, and tell them from points and lines.

A ring is a polygon's outline: its vertices in order, the first not repeated at the end. Rings are
ragged: vertices (v, 2) of all of them, one after the other, and offsets (n + 1,).
`simple_polygons.py` answers whether an outline crosses itself.

Zero area is a question of rounding: three points that a person wrote on one line, as 0.1 0.2,
0.2 0.3, 0.3 0.4, are no longer on one line as doubles. A ring therefore encloses no area when what
it encloses is no wider than the rounding of its coordinates. That takes two steps:

1. A signed area (shoelace sum) that rounding cannot explain decides nearly every ring.
2. The remaining rings are walked along while every spike is cut off and every straight corner
   dropped. A ring with zero area shrinks to its first vertex; a bow tie, whose halves cancel in the
   signed area, does not. The walk begins at the least vertex and goes the lesser way round, so that
   the answer does not depend on how the ring is written. It is linear in the number of vertices,
   whatever the ring. Building the enclosed faces with shapely's make_valid was tried instead and
   took 30 s for a scribble of 600 vertices.
"""

from itertools import chain
from typing import Final, TypeAlias

import numpy as np

from labelingest.columns.ragged import gather, offsets_from_lengths, segment_sum
from labelingest.columns.types import Bool, Float64, Int64

__all__ = [
    "clip_to_unit_square",
    "different_vertices",
    "drop_repeated_last",
    "enclosed_area_is_zero",
]

_EPSILON: Final = float(np.finfo(np.float64).eps)

_THIN: Final = 8 * _EPSILON
"""Height of a triangle, as a fraction of its ring's largest coordinate, below which it is a line.
Rounding three vertices to doubles can make a height of 2 epsilon."""

_CERTAIN: Final = 256 * _EPSILON
"""A shoelace sum beyond this × vertices × largest coordinate squared is not rounding: terms and
vertices contribute at most 4 epsilon each, pairwise summation 10 epsilon per million vertices. What
the walk cuts off as lines has at most half of it, so both steps agree on every ring."""

_TINY: Final = 1e-290
"""Far above what is lost when products of small coordinates underflow."""

_Point: TypeAlias = tuple[float, float]
"""x and y of one vertex."""


def clip_to_unit_square(vertices: Float64) -> tuple[Float64, Float64]:
    """Clip vertices to the image, coordinate by coordinate.

    Parameters
    ----------
    vertices
        (v, 2) x, y, normalised.

    Returns
    -------
    clipped
        (v, 2) x, y in [0, 1]; coordinates inside are the same bit for bit; the argument itself
        when all are inside.
    deviation
        (v,) how far the farther coordinate was outside; 0 for a vertex inside.

    Examples
    --------
    >>> clipped, deviation = clip_to_unit_square(np.array([[-0.5, 0.5], [1.25, 3.0]]))
    >>> clipped.tolist(), deviation.tolist()
    ([[0.0, 0.5], [1.0, 1.0]], [0.5, 2.0])
    """
    if not len(vertices) or (vertices.min() >= 0 and vertices.max() <= 1):
        return vertices, np.zeros(len(vertices))
    beyond = np.maximum(np.maximum(-vertices, vertices - 1), 0)
    # np.clip may turn -0.0 into 0.0; where() leaves it alone.
    clipped = np.where(vertices < 0, 0.0, np.where(vertices > 1, 1.0, vertices))
    return clipped, np.maximum(beyond[:, 0], beyond[:, 1])


def drop_repeated_last(vertices: Float64, offsets: Int64) -> tuple[Float64, Int64]:
    """Drop the last vertex of each ring that ends where it began.

    One vertex is dropped, even when more of them equal the first; a ring of one vertex keeps it.

    Parameters
    ----------
    vertices
        (v, 2) x, y of the vertices of all rings.
    offsets
        (n + 1,) ring i owns vertices[offsets[i] : offsets[i + 1]].

    Returns
    -------
    vertices, offsets
        The same without repeated last vertices; the arguments themselves when there are none.

    Examples
    --------
    >>> closed = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    >>> vertices, offsets = drop_repeated_last(closed, np.array([0, 4]))
    >>> vertices.tolist(), offsets.tolist()
    ([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0, 3])
    """
    lengths = np.diff(offsets)
    rings = np.flatnonzero(lengths > 1)
    last = offsets[rings + 1] - 1
    closed = (vertices[last] == vertices[offsets[rings]]).all(axis=1)
    if not closed.any():
        return vertices, offsets
    keep = np.ones(len(vertices), dtype=np.bool_)
    keep[last[closed]] = False
    lengths[rings[closed]] -= 1
    return vertices[keep], offsets_from_lengths(lengths)


def different_vertices(vertices: Float64, offsets: Int64) -> Int64:
    """Count the different vertices of each ring, up to three.

    Parameters
    ----------
    vertices
        (v, 2) x, y of the vertices of all rings; -0.0 equals 0.0.
    offsets
        (n + 1,) ring i owns vertices[offsets[i] : offsets[i + 1]]; rings may be empty.

    Returns
    -------
    ndarray
        (n,) 0, 1, 2, or 3 for three and more; a new array.

    Examples
    --------
    >>> line = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    >>> different_vertices(line, np.array([0, 3, 4])).tolist()
    [2, 1]
    """
    lengths = np.diff(offsets)
    number = np.minimum(lengths, 3)
    rings = np.flatnonzero(lengths >= 3)
    begin = offsets[rings]
    first, second, third = vertices[begin], vertices[begin + 1], vertices[begin + 2]
    distinct = _differ(first, second) & _differ(second, third) & _differ(third, first)
    # Nearly every ring begins with three different vertices; pairs are short enough for the rest.
    rest = np.concatenate((rings[~distinct], np.flatnonzero(lengths == 2)))
    if len(rest):
        positions = gather(offsets[rest], lengths[rest])
        number[rest] = _count_up_to_three(vertices[positions], lengths[rest])
    return number


def enclosed_area_is_zero(vertices: Float64, offsets: Int64) -> Bool:
    """Tell which rings enclose no area: all on one line, or retracing themselves (a, b, c, b).

    Areas no wider than the rounding of decimal numbers to doubles count as none. Area that cancels
    in the signed sum, as in a bow tie, counts. The answer does not depend on the first vertex nor on
    the direction, nor on the other rings.

    Parameters
    ----------
    vertices
        (v, 2) x, y of the vertices of all rings, finite.
    offsets
        (n + 1,) ring i owns vertices[offsets[i] : offsets[i + 1]]; rings may be empty.

    Returns
    -------
    ndarray
        (n,) true where the ring encloses no area; a new array.

    Examples
    --------
    >>> line = [[0.1, 0.2], [0.2, 0.3], [0.3, 0.4]]
    >>> bow_tie = [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    >>> enclosed_area_is_zero(np.array(line + bow_tie), np.array([0, 3, 7])).tolist()
    [True, False]
    """
    lengths = np.diff(offsets)
    zero = lengths < 3
    rings = np.flatnonzero(~zero)
    begin, end = offsets[rings], offsets[rings + 1]
    # The fast step takes no empty segment, which only rings of fewer than three vertices can be.
    if len(rings) < len(zero):
        vertices = vertices[gather(begin, lengths[rings])]
        ends = offsets_from_lengths(lengths[rings])
        begin, end = ends[:-1], ends[1:]
    for ring in np.flatnonzero(~_area_is_certain(vertices, begin, end)).tolist():
        zero[rings[ring]] = _shrinks_to_a_point(vertices[begin[ring] : end[ring]])
    return zero


def _differ(first: Float64, second: Float64) -> Bool:
    """Return (n,) where two columns of points, (n, 2) each, differ."""
    differ: Bool = (first[:, 0] != second[:, 0]) | (first[:, 1] != second[:, 1])
    return differ


def _count_up_to_three(vertices: Float64, lengths: Int64) -> Int64:
    """Count different vertices up to three by looking at all; no ring is empty."""
    offsets = offsets_from_lengths(lengths)
    ring = np.repeat(np.arange(len(lengths)), lengths)
    position = np.arange(len(vertices))
    nowhere = len(vertices)
    from_first = _differ(vertices, vertices[offsets[:-1]][ring])
    other = np.minimum.reduceat(np.where(from_first, position, nowhere), offsets[:-1])
    has_second = other < nowhere
    second = vertices[np.where(has_second, other, offsets[:-1])]
    from_both = from_first & _differ(vertices, second[ring])
    has_third: Bool = np.logical_or.reduceat(from_both, offsets[:-1])
    return 1 + has_second.astype(np.int64) + has_third


def _area_is_certain(vertices: Float64, begin: Int64, end: Int64) -> Bool:
    """Return (n,) where the signed area is beyond rounding; rings cover all vertices in order."""
    if not len(begin):
        return np.zeros(0, dtype=np.bool_)
    x, y = vertices[:, 0], vertices[:, 1]
    last = end - 1
    cross = np.empty(len(vertices))
    # Overflow makes the sum infinite or NaN, and both leave the ring to the slow step.
    with np.errstate(over="ignore", invalid="ignore"):
        cross[:-1] = x[:-1] * y[1:] - x[1:] * y[:-1]
        cross[last] = x[last] * y[begin] - x[begin] * y[last]
        doubled = segment_sum(cross, np.append(begin, len(vertices)))
        largest = max(float(vertices.max()), -float(vertices.min()))
        limit = _CERTAIN * (end - begin) * np.float64(largest) ** 2 + _TINY
        is_certain: Bool = (np.abs(doubled) > limit) & np.isfinite(doubled)
    return is_certain


def _shrinks_to_a_point(ring: Float64) -> bool:
    """Walk along one ring, dropping the tip of every triangle that is a line."""
    # A power of two changes no digit, and keeps products away from underflow and overflow.
    _, exponent = np.frexp(np.abs(ring).max())
    x, y = np.ldexp(ring, -exponent).T.tolist()
    points = _canonical(list(zip(x, y, strict=True)))
    path: list[_Point] = []
    for point in chain(points, points[:1]):
        path.append(point)
        while len(path) > 2 and _is_line(*path[-3:]):
            del path[-2]
    return len(path) == 2


def _canonical(points: list[_Point]) -> list[_Point]:
    """Return a ring as all its spellings have it: the least of its rotations, either way round."""
    least = min(points)
    if points.count(least) > 1:
        return min(_least_rotation(points), _least_rotation(points[::-1]))
    begin = points.index(least)
    ring = points[begin:] + points[:begin]
    # Where the vertices after the least one differ between the two directions, the lesser counts.
    differ = next((i for i in range(1, len(ring)) if ring[i] != ring[-i]), 0)
    if differ and ring[-differ] < ring[differ]:
        ring[1:] = ring[:0:-1]
    return ring


def _least_rotation(points: list[_Point]) -> list[_Point]:
    """Return the rotation that compares least, in linear time."""
    count, first, second, same = len(points), 0, 1, 0
    while max(first, second) < count and same < count:
        a, b = points[(first + same) % count], points[(second + same) % count]
        if a == b:
            same += 1
            continue
        # No rotation that begins within the common part can be the least.
        if a > b:
            first += same + 1
        else:
            second += same + 1
        second += first == second
        same = 0
    begin = min(first, second)
    return points[begin:] + points[:begin]


def _is_line(a: _Point, b: _Point, c: _Point) -> bool:
    """Tell whether three points, coordinates up to 1, are on one line up to rounding."""
    to_a_x, to_a_y, to_c_x, to_c_y = a[0] - b[0], a[1] - b[1], c[0] - b[0], c[1] - b[1]
    lengths = abs(to_a_x) + abs(to_a_y) + abs(to_c_x) + abs(to_c_y)
    return abs(to_a_x * to_c_y - to_a_y * to_c_x) <= _THIN * lengths
