"""Payloads of objects of one shape, all at once: clean numbers in columns, or not clean.

Clean is what `shapes.py` would write as it stands, without a word; where a condition here is not
exactly its condition, it is the stricter one. Boxes and polygons are looked at in columns, the
rarer shapes one by one by `shapes.py` itself.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
import orjson

from labelingest.arrays import Float64, Int64
from labelingest.model.annotations import Rings
from labelingest.model.ontology import Shape
from labelingest.model.vocabulary import ObjectClass
from labelingest.readers.encord.keyed import (
    Row,
    Unclean,
    about,
    columns,
    demand,
    demand_all,
    demand_types,
    numbers_of,
    same_numbers,
)
from labelingest.readers.encord.notes import Notes
from labelingest.readers.encord.numbers import SLACK
from labelingest.readers.encord.shapes import PAYLOAD_KEYS, payload

__all__ = ["PAYLOADS", "Payloads", "clean_payloads", "payloads_one_by_one"]

PAYLOADS: Final[Mapping[Shape, tuple[str, ...]]] = {
    Shape(shape): ("polygon", "polygons") if shape == Shape.POLYGON else (key,)
    for shape, key in PAYLOAD_KEYS.items()
}
"""Shape → the keys that hold what is drawn, in the order in which they are written."""

_BOX: Final = (("h", "w", "x", "y"),)
_TURNED: Final = (("h", "w", "x", "y", "theta"),)
_POINT: Final = ["x", "y"]
_LEAST: Final = np.array([[-SLACK], [-SLACK], [0.0], [0.0]])
"""Of x, y, w, h."""
_NUMBERS: Final = tuple(map(str, range(1024)))
_FEWEST: Final = 6
"""Numbers of a ring of three vertices."""
_FLAT: Final = 1e-10
"""An area that is this small a part of its summands may be nothing but rounding errors."""
_MOST: Final = 10_000
"""Numbers of a ring for which that part is large enough."""


@dataclass(frozen=True, slots=True, eq=False)
class Payloads:
    """What n objects of one shape draw."""

    numbers: Float64
    """(v,) as in `Annotations`, one object after the other."""
    lengths: Int64
    """(n,) how many of them each has."""
    colons: int
    """In the text of all payloads: after keys and in strings."""
    parts: Mapping[int, Rings] = field(default_factory=lambda: MappingProxyType({}))
    """Object → all rings of a polygon that has more than one."""


def clean_payloads(shape: Shape, found: Mapping[str, Sequence[Any]]) -> Payloads | None:
    """Return the payloads of objects of one shape; None where they have to be read one by one.

    `Unclean` where one of them is not clean.

    Parameters
    ----------
    shape
        The shape of all.
    found
        Key of an object → (n,) its values, of `PAYLOADS[shape]` at least.

    Examples
    --------
    >>> box = {"h": 0.25, "w": 0.125, "x": 0.5, "y": 0.375}
    >>> clean_payloads(Shape.BOUNDING_BOX, {"boundingBox": [box]}).numbers.tolist()
    [0.5, 0.375, 0.125, 0.25]
    """
    if shape not in _IN_COLUMNS:
        return None
    return _IN_COLUMNS[shape](*(found[key] for key in PAYLOADS[shape]))


def payloads_one_by_one(
    objects: Sequence[Row],
    classes: Sequence[ObjectClass],
    sizes: Sequence[tuple[int, int] | None],
) -> Payloads:
    """Return the payloads of objects of shapes that have no columns.

    Parameters
    ----------
    objects
        (n,) the objects.
    classes
        (n,) their classes.
    sizes
        (n,) width and height in pixels of what they are drawn on; None where not known.
    """
    notes = Notes("")
    colons = 0
    for value, of, size in zip(objects, classes, sizes, strict=True):
        keys = PAYLOADS[Shape(of.shape)]
        drawn = orjson.dumps({key: value[key] for key in keys})
        demand(orjson.dumps(payload(value, "", of, size, notes)) == drawn)
        colons += drawn.count(b":") - len(keys)
    demand(not notes.problems())
    return Payloads(np.zeros(0), np.zeros(len(objects), dtype=np.int64), colons)


def _boxes(found: Sequence[Row]) -> Payloads:
    key = columns(found, _BOX)
    n = len(found)
    with about(lambda position: position % n):
        numbers = numbers_of((*key["x"], *key["y"], *key["w"], *key["h"])).reshape(4, n)
    corners, sides = numbers[:2], numbers[2:]
    inside = (numbers >= _LEAST) & (numbers <= 1 + SLACK)
    inside[2:] &= corners + sides <= 1 + SLACK
    demand_all(np.logical_and.reduce(inside))
    return Payloads(numbers.T.reshape(-1), np.full(n, 4), 4 * n)


def _turned_boxes(found: Sequence[Row]) -> Payloads:
    key = columns(found, _TURNED)
    n = len(found)
    read = (*key["x"], *key["y"], *key["w"], *key["h"], *key["theta"])
    with about(lambda position: position % n):
        numbers = numbers_of(read).reshape(5, n)
    corners, sides, theta = numbers[:2], numbers[2:4], numbers[4]
    centres = corners + sides / 2
    inside = (sides >= 0) & (centres >= -SLACK) & (centres <= 1 + SLACK)
    demand_all(inside[0] & inside[1] & (theta >= 0) & (theta < 360))
    return Payloads(numbers.T.reshape(-1), np.full(n, 5), 5 * n)


def _polygons(outlines: Sequence[Row], found: Sequence[Any]) -> Payloads:
    demand_types(found, list)
    demand(all(found))
    parts = list(chain.from_iterable(found))
    demand_types(parts, list)
    demand(all(parts))
    rings = list(chain.from_iterable(parts))
    demand_types(rings, list)
    firsts = rings if len(rings) == len(found) else [polygon[0][0] for polygon in found]
    with about(_ring_of(firsts)):
        numbers = same_numbers(list(chain.from_iterable(firsts)), _points(outlines, firsts))
    _demand_areas(firsts, numbers)
    several = {}
    if firsts is not rings:
        with about(lambda ring: _polygon_of_ring(found)[ring]):
            with about(_ring_of(rings)):
                every = numbers_of(list(chain.from_iterable(rings)))
            _demand_areas(rings, every)
        several = {i: p for i, p in enumerate(found) if len(p) > 1 or len(p[0]) > 1}
    # A vertex of an outline has a number, an x and a y.
    return Payloads(numbers, _lengths(firsts), len(numbers) // 2 * 3, several)


def _points(outlines: Sequence[Row], rings: Sequence[list[Any]]) -> list[Any]:
    """Return the numbers of outlines whose points are numbered as those of flat rings."""
    numbered = chain.from_iterable(_numbered(len(ring) // 2) for ring in rings)
    demand(list(chain.from_iterable(outlines)) == list(numbered))
    points = list(chain.from_iterable(map(dict.values, outlines)))
    demand(list(chain.from_iterable(points)) == _POINT * len(points))
    return list(chain.from_iterable(map(dict.values, points)))


def _numbered(count: int) -> Sequence[str]:
    return _NUMBERS[:count] if count <= len(_NUMBERS) else list(map(str, range(count)))


def _lengths(rings: Sequence[list[Any]]) -> Int64:
    return np.fromiter(map(len, rings), np.int64, len(rings))


def _polygon_of_ring(found: Sequence[Rings]) -> list[int]:
    return [i for i, parts in enumerate(found) for part in parts for _ in part]


def _ring_of(rings: Sequence[list[Any]]) -> Callable[[int], int]:
    """Return a function from the position of a number to that of its ring."""
    return lambda number: bisect_right(list(accumulate(map(len, rings))), number)


def _demand_areas(rings: Sequence[list[Any]], numbers: Float64) -> None:
    """Raise `Unclean` where a ring leaves the image or encloses no area worth the name."""
    lengths = _lengths(rings)
    demand(lengths.min() >= _FEWEST and lengths.max() <= _MOST and not (lengths % 2).any())
    if numbers.min() < -SLACK or numbers.max() > 1 + SLACK:
        outside = np.flatnonzero((numbers < -SLACK) | (numbers > 1 + SLACK))
        raise Unclean(map(_ring_of(rings), outside.tolist()))
    x, y = numbers[::2], numbers[1::2]
    begin = np.cumsum(lengths // 2) - lengths // 2
    x, y = x - np.repeat(x[begin], lengths // 2), y - np.repeat(y[begin], lengths // 2)
    along, across = x[:-1] * y[1:], x[1:] * y[:-1]
    # From the last vertex of a ring to the first of the next, where x and y are 0, is nothing.
    area = np.add.reduceat(along - across, begin)
    demand_all(np.abs(area) > _FLAT * np.add.reduceat(np.abs(along) + np.abs(across), begin))


_Reader: TypeAlias = Callable[..., Payloads]
_IN_COLUMNS: Final[Mapping[Shape, _Reader]] = {
    Shape.BOUNDING_BOX: _boxes,
    Shape.ROTATABLE_BOUNDING_BOX: _turned_boxes,
    Shape.POLYGON: _polygons,
}
