"""The oracle's geometry: slow, obvious, one shape at a time.

Vertices are pairs of floats. Where a question has an exact answer (is a ring simple, does it
enclose area, which points are on the hull) it is answered in fractions, so that no rounding can
decide it.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from math import atan2, cos, degrees, dist, hypot, radians, sin
from typing import NamedTuple

__all__ = [
    "Corners",
    "Fit",
    "Vertex",
    "as_corners",
    "averaged_rectangle",
    "clip",
    "corners_of",
    "encloses_area",
    "fits_of",
    "is_simple",
    "ltwh_of_box",
    "misfit",
    "oriented",
    "smallest_rectangles",
]

Vertex = tuple[float, float]
Corners = tuple[Vertex, Vertex, Vertex, Vertex]
Exact = tuple[Fraction, Fraction]

# Two rectangles whose areas differ by less than this part are equally small: an acute triangle has
# three smallest rectangles, a square quadrilateral many.
_AS_SMALL = 1e-9
# Part of the largest coordinate squared.
_NO_AREA = 1e-12
# Misfits this near to a limit may be rounded to either side of it.
_CLOSE = 1e-9
_AROUND = (1 - _CLOSE, 1 + _CLOSE)


def clip(value: float) -> float:
    """Move a coordinate to the nearest one inside the image."""
    if value < 0:
        return 0.0
    return 1.0 if value > 1 else value


def ltwh_of_box(cxcywh: Sequence[float], *, clipped: bool) -> tuple[float, float, float, float]:
    """Turn centre and size into left, top, width, height, each axis by itself."""
    starts, lengths = [], []
    for centre, length in zip(cxcywh[:2], cxcywh[2:], strict=True):
        start, end = centre - length / 2, centre + length / 2
        if clipped and (start < 0 or end > 1):
            start, end = clip(start), clip(end)
            length = end - start
        starts.append(start)
        lengths.append(length)
    return starts[0], starts[1], lengths[0], lengths[1]


def as_corners(vertices: Sequence[Vertex]) -> Corners:
    """Take four vertices for corners."""
    first, second, third, fourth = vertices
    return first, second, third, fourth


# Rings


def _exact(vertices: Sequence[Vertex]) -> list[Exact]:
    return [(Fraction(x), Fraction(y)) for x, y in vertices]


def _cross(origin: Exact, a: Exact, b: Exact) -> Fraction:
    """Twice the signed area of a triangle: positive when it runs clockwise on screen."""
    return (a[0] - origin[0]) * (b[1] - origin[1]) - (a[1] - origin[1]) * (b[0] - origin[0])


def _edges(ring: Sequence[Exact]) -> list[tuple[Exact, Exact]]:
    return [(a, b) for a, b in pairwise([*ring, ring[0]]) if a != b]


def encloses_area(vertices: Sequence[Vertex]) -> bool:
    """Whether the ring winds around any point at all.

    It does not exactly when every stretch of line is walked as often forth as back: then nothing
    is left of the outline. The signed area would not do: that of a symmetric bow tie is 0.

    Points written on one line, as 0.1 0.2, 0.2 0.3, 0.3 0.4, are on none as doubles. They enclose
    no area all the same, so numbers are asked as doubles and as the decimals they stand for.
    """
    decimals = [(Fraction(repr(x)), Fraction(repr(y))) for x, y in vertices]
    return _winds(_exact(vertices)) and _winds(decimals)


def _winds(ring: Sequence[Exact]) -> bool:
    walked: dict[tuple[Fraction, Fraction, Fraction], list[tuple[Exact, Exact]]] = {}
    for a, b in _edges(ring):
        walked.setdefault(_line(a, b), []).append((a, b))
    return any(not _cancels(edges) for edges in walked.values())


def _line(a: Exact, b: Exact) -> tuple[Fraction, Fraction, Fraction]:
    """Name the endless line through two points: p·x + q·y = r with the first of p, q that is 1."""
    p, q = a[1] - b[1], b[0] - a[0]
    scale = p or q
    return p / scale, q / scale, (p * a[0] + q * a[1]) / scale


def _cancels(edges: Sequence[tuple[Exact, Exact]]) -> bool:
    stops = sorted({point for edge in edges for point in edge})
    return all(
        sum((a <= start and end <= b) - (b <= start and end <= a) for a, b in edges) == 0
        for start, end in pairwise(stops)
    )


def is_simple(vertices: Sequence[Vertex]) -> bool:
    """Whether the ring neither crosses nor touches itself."""
    edges = _edges(_exact(vertices))
    # Comparing is exact in doubles too, and faster.
    boxes = [
        (min(a[0], b[0]), max(a[0], b[0]), min(a[1], b[1]), max(a[1], b[1]))
        for a, b in pairwise([*vertices, vertices[0]])
        if a != b
    ]
    count = len(edges)
    for i in range(count):
        for j in range(i + 1, count):
            box, other = boxes[i], boxes[j]
            apart = box[0] > other[1] or other[0] > box[1] or box[2] > other[3] or other[2] > box[3]
            if not apart and _meet(edges, i, j):
                return False
    return True


def _meet(edges: Sequence[tuple[Exact, Exact]], i: int, j: int) -> bool:
    """Whether two edges share a point that neighbours do not share by nature."""
    if j == i + 1:
        return _folds_back(edges[i], edges[j])
    if i == 0 and j == len(edges) - 1:
        return _folds_back(edges[j], edges[i])
    return _touch(*edges[i], *edges[j])


def _folds_back(first: tuple[Exact, Exact], second: tuple[Exact, Exact]) -> bool:
    (a, b), (_, c) = first, second
    ahead = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1])
    return _cross(a, b, c) == 0 and ahead < 0


def _touch(a: Exact, b: Exact, c: Exact, d: Exact) -> bool:
    sides = [_cross(a, b, c), _cross(a, b, d), _cross(c, d, a), _cross(c, d, b)]
    if sides[0] * sides[1] < 0 and sides[2] * sides[3] < 0:
        return True
    ends = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(side == 0 and _between(*end) for side, end in zip(sides, ends, strict=True))


def _between(a: Exact, b: Exact, point: Exact) -> bool:
    """Whether a point of the endless line through a and b lies on the stretch from a to b."""
    return all(min(a[k], b[k]) <= point[k] <= max(a[k], b[k]) for k in (0, 1))


# Rectangles, in pixels


def corners_of(ltwh: Sequence[float], theta: float, size: tuple[int, int]) -> Corners:
    """Return the corners of a rotated box in pixels, from the top left of the unturned box on."""
    left, top, width, height = ltwh
    centre = (left + width / 2) * size[0], (top + height / 2) * size[1]
    half_w, half_h = width * size[0] / 2, height * size[1] / 2
    cosine, sine = cos(radians(theta)), sin(radians(theta))
    return as_corners(
        [
            (centre[0] + dx * cosine - dy * sine, centre[1] + dx * sine + dy * cosine)
            for dx, dy in (
                (-half_w, -half_h),
                (half_w, -half_h),
                (half_w, half_h),
                (-half_w, half_h),
            )
        ]
    )


def oriented(corners: Corners) -> list[Corners]:
    """Return the corners running clockwise on screen, from the same first one on.

    Both ways round are returned where the signed area is 0 but for rounding, as for a bow tie.
    """
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*corners, corners[0]]))
    first, second, third, fourth = corners
    ways = [corners, (first, fourth, third, second)]
    largest = max(abs(value) for corner in corners for value in corner)
    if abs(area) < _NO_AREA * largest**2:
        return ways
    return ways[1:] if area < 0 else ways[:1]


def averaged_rectangle(corners: Corners) -> tuple[Corners, float]:
    """Return the rectangle that four oriented corners average to, and its longer side."""
    p1, p2, p3, p4 = corners
    centre = [(p1[k] + p2[k] + p3[k] + p4[k]) / 4 for k in (0, 1)]
    u = [((p2[k] - p1[k]) + (p3[k] - p4[k])) / 2 for k in (0, 1)]
    v = [((p4[k] - p1[k]) + (p3[k] - p2[k])) / 2 for k in (0, 1)]
    width, height = hypot(*u), hypot(*v)
    ltwh = (centre[0] - width / 2, centre[1] - height / 2, width, height)
    return corners_of(ltwh, degrees(atan2(u[1], u[0])), (1, 1)), max(width, height)


def misfit(corners: Corners, rectangle: Corners) -> float:
    """Return how far the worst corner lies from its counterpart."""
    return max(hypot(a[0] - b[0], a[1] - b[1]) for a, b in zip(corners, rectangle, strict=True))


def smallest_rectangles(vertices: Sequence[Vertex], along: Vertex | None = None) -> list[Corners]:
    """Return all ways to write the smallest rectangles around points; there may be several.

    Parameters
    ----------
    vertices
        Points in pixels, not all on one line.
    along
        The direction that the width edge is to be nearest to; None when any edge will do.
    """
    tried = [_rectangle_on(a, b, vertices) for a, b in _hull_edges(vertices)]
    least = min(area for area, _ in tried)
    rectangles = []
    for area, corners in tried:
        if area <= least * (1 + _AS_SMALL):
            rectangles += _turned(corners, along)
    return rectangles


def _hull_edges(vertices: Sequence[Vertex]) -> Iterator[tuple[Vertex, Vertex]]:
    """Yield the edges of the convex hull: all other points lie on one side of each."""
    points = sorted(set(vertices))
    hull = _half_hull(points)[:-1] + _half_hull(points[::-1])[:-1]
    yield from pairwise([*hull, hull[0]])


def _half_hull(points: Sequence[Vertex]) -> list[Vertex]:
    chain: list[Vertex] = []
    for point in points:
        while len(chain) > 1 and _cross(*_exact([chain[-2], chain[-1], point])) <= 0:
            chain.pop()
        chain.append(point)
    return chain


def _rectangle_on(a: Vertex, b: Vertex, vertices: Sequence[Vertex]) -> tuple[float, Corners]:
    """Return the area and corners of the smallest rectangle with one side along a → b."""
    length = hypot(b[0] - a[0], b[1] - a[1])
    u = ((b[0] - a[0]) / length, (b[1] - a[1]) / length)
    # From a, not from the origin: projections of far points would lose digits.
    along = [(x - a[0]) * u[0] + (y - a[1]) * u[1] for x, y in vertices]
    across = [(y - a[1]) * u[0] - (x - a[0]) * u[1] for x, y in vertices]
    left, right, top, bottom = min(along), max(along), min(across), max(across)
    corners = [
        (a[0] + s * u[0] - t * u[1], a[1] + s * u[1] + t * u[0])
        for s, t in ((left, top), (right, top), (right, bottom), (left, bottom))
    ]
    return (right - left) * (bottom - top), as_corners(corners)


def _turned(corners: Corners, along: Vertex | None) -> list[Corners]:
    """Return the rectangle written from each corner; only from the best ones given a direction."""
    ways = [as_corners(corners[k:] + corners[:k]) for k in range(4)]
    if along is None:
        return ways
    nearness = []
    for first, second, *_ in ways:
        width = hypot(second[0] - first[0], second[1] - first[1])
        dot = (second[0] - first[0]) * along[0] + (second[1] - first[1]) * along[1]
        nearness.append(dot / width if width else 0.0)
    best = max(nearness) - _AS_SMALL * hypot(*along)
    return [way for way, near in zip(ways, nearness, strict=True) if near >= best]


# What becomes of corners


class Fit(NamedTuple):
    """A way to read the rule on corners that are no exact rectangle."""

    rectangles: Sequence[Corners]
    misfit: float = 0.0
    """Pixels, where the smallest rectangle is taken; else 0."""
    warns: bool = False


def fits_of(corners: Corners, warn_misfit: float) -> list[Fit]:
    """Return what may become of corners in pixels: several answers only where rounding decides."""
    return [fit for way in oriented(corners) for fit in _fits_of_way(way, warn_misfit)]


def _fits_of_way(corners: Corners, warn_misfit: float) -> list[Fit]:
    rectangle, longer = averaged_rectangle(corners)
    missed = misfit(corners, rectangle)
    limit = max(0.1, 0.001 * longer)
    averaged = Fit([rectangle])
    if missed < limit * (1 - _CLOSE):
        return [averaged]
    (x1, y1), (x2, y2), *_ = corners
    smallest = smallest_rectangles(corners, (x2 - x1, y2 - y1))
    # The longer side of which rectangle is not said: where it matters, either verdict will do.
    sides = [longer, *(max(dist(a, b), dist(b, c)) for a, b, c, _ in smallest)]
    verdicts = {missed > warn_misfit * side * slack for side in sides for slack in _AROUND}
    fits = [Fit(smallest, missed, verdict) for verdict in sorted(verdicts)]
    return fits if missed > limit * (1 + _CLOSE) else [averaged, *fits]
