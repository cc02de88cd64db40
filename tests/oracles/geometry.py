"""Slow, obvious versions of the geometry kernels, one shape at a time, from the specification.

Points are pairs. What is a question of sign (does a ring cross itself, does it enclose area) is
answered in fractions, without rounding; lengths and angles come from `math`.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations, pairwise

__all__ = [
    "clip_box",
    "clip_point",
    "corners_from_centred",
    "corners_from_ltwh",
    "corners_from_rotated",
    "different_vertices",
    "drop_repeated_last",
    "enclosed_area",
    "envelope",
    "gather",
    "ltwh_from_cxcywh",
    "misfit",
    "normalised_from_centred",
    "offsets_from_lengths",
    "oriented",
    "rectangle_from_corners",
    "segments",
    "self_intersecting",
    "smallest_rectangles",
]

Point = tuple[float, float]
Exact = tuple[Fraction, Fraction]
Ring = Sequence[Point]
Rectangle = tuple[float, float, float, float, float]
"""Centre x, centre y, width, height, degrees clockwise on screen."""


# Ragged columns


def offsets_from_lengths(lengths: Sequence[int]) -> list[int]:
    return [sum(lengths[:i]) for i in range(len(lengths) + 1)]


def gather(begin: Sequence[int], count: Sequence[int]) -> list[int]:
    return [b + i for b, c in zip(begin, count, strict=True) for i in range(c)]


def segments(
    reduce: Callable[[Sequence[float]], float], values: Sequence[float], offsets: Sequence[int]
) -> list[float]:
    return [reduce(values[a:b]) for a, b in pairwise(offsets)]


# Boxes


def ltwh_from_cxcywh(cx: float, cy: float, w: float, h: float) -> list[float]:
    return [cx - w / 2, cy - h / 2, w, h]


def clip_box(left: float, top: float, w: float, h: float) -> tuple[list[float], float]:
    """The box clipped to the unit square, and how far it left it."""
    left, w, horizontally = _clip_span(left, w)
    top, h, vertically = _clip_span(top, h)
    return [left, top, w, h], max(horizontally, vertically)


def _clip_span(low: float, size: float) -> tuple[float, float, float]:
    high = low + size
    deviation = max(0.0 - low, high - 1.0)
    if deviation <= 0:
        return low, size, 0.0
    low, high = (min(max(edge, 0.0), 1.0) for edge in (low, high))
    return low, high - low, deviation


def corners_from_ltwh(left: float, top: float, w: float, h: float) -> list[Point]:
    return [(left, top), (left + w, top), (left + w, top + h), (left, top + h)]


def envelope(ring: Ring) -> list[float]:
    """Left, top, width, height."""
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


# Rings


def clip_point(x: float, y: float) -> tuple[Point, float]:
    """The point clipped to the unit square, and how far it was outside."""
    deviation = max(-x, x - 1, -y, y - 1, 0.0)
    return (min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)), deviation


def drop_repeated_last(ring: Ring) -> Ring:
    return ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring


def different_vertices(ring: Ring) -> int:
    """Up to three."""
    return min(3, len(set(ring)))


def enclosed_area(ring: Sequence[Exact]) -> Fraction:
    """The area of all points around which the ring winds.

    Between two neighbours of the x at which edges begin, end or cross, edges are neither begun nor
    crossed: the winding number changes at each, in the order of their heights half way.
    """
    edges = [(a, b) for a, b in pairwise([*ring, ring[0]]) if a[0] != b[0]]
    xs = {x for x, _ in ring}
    xs |= {x for edge, other in combinations(edges, 2) for x in _crossing(edge, other)}
    area = Fraction(0)
    for left, right in pairwise(sorted(xs)):
        middle = (left + right) / 2
        heights = sorted(
            (_height(edge, middle), 1 if edge[0][0] < edge[1][0] else -1)
            for edge in edges
            if min(edge[0][0], edge[1][0]) < middle < max(edge[0][0], edge[1][0])
        )
        winding = 0
        for (low, step), (high, _) in pairwise(heights):
            winding += step
            area += (high - low) * (right - left) if winding else 0
    return area


def _height(edge: tuple[Exact, Exact], x: Fraction) -> Fraction:
    (ax, ay), (bx, by) = edge
    return ay + (by - ay) * (x - ax) / (bx - ax)


def _crossing(edge: tuple[Exact, Exact], other: tuple[Exact, Exact]) -> list[Fraction]:
    """The x at which the lines of two edges cross; a superset does no harm."""
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in (edge, other)]
    if slopes[0] == slopes[1]:
        return []
    x = (_height(other, Fraction(0)) - _height(edge, Fraction(0))) / (slopes[0] - slopes[1])
    xs = [point[0] for point in (*edge, *other)]
    return [x] if min(xs) < x < max(xs) else []


def self_intersecting(ring: Ring) -> bool:
    """Whether edges have more in common than the ends of neighbours."""
    points = [(Fraction(x), Fraction(y)) for x, y in ring]
    edges = [(a, b) for a, b in pairwise([*points, points[0]]) if a != b]
    last = len(edges) - 1
    for i, j in combinations(range(len(edges)), 2):
        if j == i + 1 or (i, j) == (0, last):
            first, second = (i, j) if j == i + 1 else (j, i)
            if _folds_back(edges[first][0], edges[first][1], edges[second][1]):
                return True
        elif _meet(edges[i], edges[j]):
            return True
    return False


def _turn(a: Exact, b: Exact, c: Exact) -> Fraction:
    """Above 0 where c is to the right of the way from a to b, on screen."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _folds_back(a: Exact, b: Exact, c: Exact) -> bool:
    onwards = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1])
    return _turn(a, b, c) == 0 and onwards < 0


def _meet(edge: tuple[Exact, Exact], other: tuple[Exact, Exact]) -> bool:
    (a, b), (c, d) = edge, other
    if _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0:
        return True
    return _on(a, b, c) or _on(a, b, d) or _on(c, d, a) or _on(c, d, b)


def _on(a: Exact, b: Exact, p: Exact) -> bool:
    """Whether p is a point of the edge from a to b."""
    inside = all(min(a[k], b[k]) <= p[k] <= max(a[k], b[k]) for k in (0, 1))
    return inside and _turn(a, b, p) == 0


# Rotated boxes


def corners_from_rotated(
    x: float, y: float, w: float, h: float, theta: float, width: float, height: float
) -> list[Point]:
    centre = (x + w / 2) * width, (y + h / 2) * height
    return corners_from_centred((*centre, w * width, h * height, theta))


def corners_from_centred(rectangle: Rectangle) -> list[Point]:
    cx, cy, w, h, theta = rectangle
    cos, sin = math.cos(math.radians(theta)), math.sin(math.radians(theta))
    return [
        (cx + dx * cos - dy * sin, cy + dx * sin + dy * cos)
        for dx, dy in ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2))
    ]


def oriented(ring: Ring) -> list[Point]:
    """The ring clockwise on screen, from the same first vertex on."""
    points = [(Fraction(x), Fraction(y)) for x, y in ring]
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*points, points[0]]))
    return [ring[0], *reversed(ring[1:])] if area < 0 else list(ring)


def rectangle_from_corners(corners: Ring) -> Rectangle:
    p1, p2, p3, p4 = oriented(corners)
    cx, cy = (math.fsum(p[k] for p in corners) / 4 for k in (0, 1))
    u = [((p2[k] - p1[k]) + (p3[k] - p4[k])) / 2 for k in (0, 1)]
    v = [((p4[k] - p1[k]) + (p3[k] - p2[k])) / 2 for k in (0, 1)]
    theta = math.degrees(math.atan2(u[1], u[0])) % 360
    return cx, cy, math.hypot(*u), math.hypot(*v), theta


def misfit(rectangle: Rectangle, corners: Ring) -> float:
    pairs = zip(corners_from_centred(rectangle), oriented(corners), strict=True)
    return max(math.dist(a, b) for a, b in pairs)


def smallest_rectangles(ring: Ring) -> list[Rectangle]:
    """All rectangles around the ring with a side through two vertices whose area is the smallest.

    Each is given with the width edge nearest in direction to the first edge of the ring, and two
    times where two sides are equally near. The first are nearest; 1e-9 counts as equal.
    """
    points = oriented(ring)
    directions = [math.atan2(b[1] - a[1], b[0] - a[0]) for a, b in combinations(points, 2)]
    rectangles = [_around(points, angle) for angle in directions]
    smallest = min(w * h for _, _, w, h, _ in rectangles)
    longest = max(max(w, h) for _, _, w, h, _ in rectangles)
    smallest_ones = [
        rectangle
        for rectangle in rectangles
        if rectangle[2] * rectangle[3] <= smallest * (1 + 1e-9) + 1e-12 * longest
    ]
    (ax, ay), (bx, by) = points[:2]
    first_angle = math.degrees(math.atan2(by - ay, bx - ax))
    sides = [side for rectangle in smallest_ones for side in _sides(rectangle)]
    nearest = min(_between(side[4], first_angle) for side in sides)
    return [side for side in sides if _between(side[4], first_angle) <= nearest + 1e-9]


def _around(points: Ring, angle: float) -> Rectangle:
    """The rectangle around points with sides along and across an angle, in radians."""
    cos, sin = math.cos(angle), math.sin(angle)
    origin_x, origin_y = points[0]
    along = [(x - origin_x) * cos + (y - origin_y) * sin for x, y in points]
    across = [(y - origin_y) * cos - (x - origin_x) * sin for x, y in points]
    middle, aside = (min(along) + max(along)) / 2, (min(across) + max(across)) / 2
    centre = origin_x + middle * cos - aside * sin, origin_y + middle * sin + aside * cos
    size = max(along) - min(along), max(across) - min(across)
    return (*centre, *size, math.degrees(angle))


def _sides(rectangle: Rectangle) -> list[Rectangle]:
    """The same rectangle with each of its four sides as the width."""
    cx, cy, w, h, theta = rectangle
    turned = [(cx, cy, w, h, theta), (cx, cy, h, w, theta + 90)]
    turned += [(cx, cy, w, h, theta + 180), (cx, cy, h, w, theta + 270)]
    return [(*side[:4], side[4] % 360) for side in turned]


def _between(angle: float, other: float) -> float:
    """The angle between two directions, in degrees."""
    return abs((angle - other + 180) % 360 - 180)


def normalised_from_centred(rectangle: Rectangle, width: float, height: float) -> list[float]:
    cx, cy, w, h, theta = rectangle
    return [(cx - w / 2) / width, (cy - h / 2) / height, w / width, h / height, theta % 360]
