"""Payloads of objects of one shape, all at once: clean numbers in columns.

Types check while decoding that numbers are numbers, and that single ones are inside the image
(`types.py`). A payload is clean when the explaining path has no problem with it and would write it
as it is. Where a condition here differs from the explaining path's, it is stricter.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, chain
from types import MappingProxyType
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Raw, Struct, field
from msgspec.structs import astuple

from labelingest.columns.ragged import offsets_from_lengths
from labelingest.columns.types import Bool, Float64, Int64
from labelingest.encord.keys import COORDINATE_SLACK, FAR_EDGE_SLACK, PAYLOAD_KEYS
from labelingest.geometry.polygons import enclosed_area_is_zero
from labelingest.model.annotations import Rings
from labelingest.model.ontology import Shape
from labelingest.model.vocabulary import ObjectClass
from labelingest.readers.encord.typed.rejected import (
    Rejected,
    demand,
    demand_all,
    translate_positions,
)
from labelingest.readers.encord.typed.rules import Rules, Size
from labelingest.readers.encord.typed.types import Box, Point, RotatedBox

__all__ = ["Payloads", "clean_payloads", "payloads_one_by_one"]

_NUMBERS: Final = tuple(map(str, range(1024)))
_OUTLINE: Final = msgspec.json.Decoder(dict[str, Point])


class Payloads(Struct, frozen=True, eq=False):
    """Payloads of n objects."""

    numbers: Float64
    """(v,) numbers of all objects, one object after the other, as in `Annotations`."""
    lengths: Int64
    """(n,) how many numbers each object has."""
    colons: int
    """Colons in the text of all payloads: after keys and in strings."""
    parts: Mapping[int, Rings] = field(default_factory=lambda: MappingProxyType({}))
    """Position of an object → all rings of its polygon, for polygons with several rings."""
    texts: Sequence[tuple[Any, Raw, Raw]] = ()
    """Polygons, each with its outline and its parts as label rows write them."""


def clean_payloads(shape: str, objects: Sequence[Any], payloads: Sequence[Any]) -> Payloads | None:
    """Return the payloads of objects of one shape; None for a shape that is read one by one.

    `Rejected` for a payload that is not clean.

    Parameters
    ----------
    shape
        Shape of all objects.
    objects, payloads
        (n,) the objects, n > 0, and the first payload of each.
    """
    if shape == Shape.BOUNDING_BOX:
        return _boxes(payloads)
    if shape == Shape.ROTATABLE_BOUNDING_BOX:
        return _rotated_boxes(payloads)
    if shape == Shape.POLYGON:
        return _polygons(objects, payloads)
    if shape == Shape.POLYLINE:
        _demand_numbered(payloads, map(len, payloads))
        return _without_columns(payloads)
    if shape in (Shape.POINT, Shape.CIRCLE, Shape.ELLIPSE):
        return _without_columns(payloads)
    return None


def payloads_one_by_one(
    payloads: Sequence[Any], classes: Sequence[ObjectClass], sizes: Sequence[Size], rules: Rules
) -> Payloads:
    """Return the payloads of objects of shapes that were decoded as they are.

    `Rejected` for a payload that label rows would not write so.

    Parameters
    ----------
    payloads
        (n,) the payloads as decoded.
    classes
        (n,) the classes of the objects.
    sizes
        (n,) width and height in pixels of the images that the payloads are drawn on.
    rules
        Rules of single payloads.
    """
    clean = rules.clean_payloads(payloads, classes, sizes)
    decoded = [
        {PAYLOAD_KEYS[object_class.shape]: payload}
        for payload, object_class in zip(payloads, classes, strict=True)
    ]
    # As texts: 1 is not 1.0.
    demand(msgspec.json.encode(clean) == msgspec.json.encode(decoded))
    return _without_columns(payloads)


def _without_columns(payloads: Sequence[Any]) -> Payloads:
    colons = msgspec.json.encode(payloads).count(b":")
    return Payloads(np.zeros(0), np.zeros(len(payloads), dtype=np.int64), colons)


def _boxes(payloads: Sequence[Box]) -> Payloads:
    n = len(payloads)
    h, w, x, y = _columns(payloads, 4)
    demand_all((x + w <= 1 + FAR_EDGE_SLACK) & (y + h <= 1 + FAR_EDGE_SLACK))
    return Payloads(np.stack((x, y, w, h), axis=1).reshape(-1), np.full(n, 4), 4 * n)


def _columns(payloads: Sequence[Struct], fields: int) -> Float64:
    """Return (fields, n) the numbers of structures, in the order of their fields."""
    numbers = chain.from_iterable(map(astuple, payloads))
    return np.fromiter(numbers, np.float64, fields * len(payloads)).reshape(-1, fields).T


def _rotated_boxes(payloads: Sequence[RotatedBox]) -> Payloads:
    n = len(payloads)
    h, w, x, y, theta = _columns(payloads, 5)
    demand_all(_is_inside(x + w / 2) & _is_inside(y + h / 2))
    return Payloads(np.stack((x, y, w, h, theta), axis=1).reshape(-1), np.full(n, 5), 5 * n)


def _is_inside(place: Float64) -> Bool:
    inside: Bool = (place >= -COORDINATE_SLACK) & (place <= 1 + COORDINATE_SLACK)
    return inside


def _polygons(objects: Sequence[Any], outlines: Sequence[Raw]) -> Payloads:
    polygons = [value.polygons for value in objects]
    rings = list(chain.from_iterable(chain.from_iterable(polygons)))
    firsts = rings if len(rings) == len(polygons) else [polygon[0][0] for polygon in polygons]
    with translate_positions(_ring_of(firsts)):
        numbers = _numbers(firsts)
    _demand_areas(firsts, numbers)
    multi_ring: dict[int, Rings] = {}
    if firsts is not rings:
        with translate_positions(lambda ring: _polygon_of_ring(polygons)[ring]):
            with translate_positions(_ring_of(rings)):
                all_numbers = _numbers(rings)
            _demand_areas(rings, all_numbers)
        multi_ring = {i: p for i, p in enumerate(polygons) if len(p) > 1 or len(p[0]) > 1}
    # A vertex of an outline has a number, an x and a y.
    colons = len(numbers) // 2 * 3
    texts = _texts(objects, outlines, firsts, multi_ring)
    return Payloads(numbers, _lengths(firsts), colons, multi_ring, texts)


def _texts(
    objects: Sequence[Any],
    outlines: Sequence[Raw],
    rings: Sequence[list[float]],
    multi_ring: Mapping[int, Rings],
) -> list[tuple[Any, Raw, Raw]]:
    """Return polygons with outline and parts as text; `Rejected` for forms that disagree.

    Each number becomes text once, for both forms. An outline with the same text, blanks apart, is
    equal, and is not even decoded.
    """
    encoded = msgspec.json.encode(rings)
    pieces = [b"}}"] * (2 * sum(map(len, rings)) + 1)
    pieces[:-1:2] = chain.from_iterable(_keys(len(ring)) for ring in rings)
    pieces[1::2] = encoded.translate(None, b"[]").split(b",")
    expected = b"".join(pieces)[_BETWEEN:]
    texts = expected.split(b"\n")
    # One comparison for all: a line's end inside an outline makes it fail.
    if b"\n".join(outlines).translate(None, b" ") != expected:
        for i, (outline, text) in enumerate(zip(outlines, texts, strict=True)):
            if bytes(outline).translate(None, b" ") != text:
                _demand_outline(outline, rings[i], i)
    parts = [b"[[[%b]]]" % ring for ring in encoded[2:-2].split(b"],[")]
    for i, multi_part in multi_ring.items():
        parts[i] = msgspec.json.encode(multi_part)
    return list(zip(objects, map(Raw, texts), map(Raw, parts), strict=True))


_BETWEEN: Final = len(b"}}\n")
"""Bytes between two outlines: the end of one and the end of its line."""


def _keys(numbers: int) -> Sequence[bytes]:
    """Return the text before each number of an outline, with the end of the outline before it."""
    # Long rings are rare, and their keys large: they are not cached.
    return _usual_keys(numbers) if numbers <= len(_NUMBERS) else _make_keys(numbers)


@lru_cache(maxsize=len(_NUMBERS))
def _usual_keys(numbers: int) -> Sequence[bytes]:
    return _make_keys(numbers)


def _make_keys(numbers: int) -> Sequence[bytes]:
    keys = [b',"y":'] * numbers
    keys[::2] = [b'},"%d":{"x":' % vertex for vertex in range(numbers // 2)]
    keys[0] = b'}}\n{"0":{"x":'
    return keys


def _demand_outline(outline: Raw, ring: list[float], position: int) -> None:
    """Raise `Rejected` for a numbered outline with other points than a flat ring."""
    try:
        points = _OUTLINE.decode(outline)
    except (msgspec.MsgspecError, ValueError):
        raise Rejected([position]) from None
    same = list(chain.from_iterable(map(astuple, points.values())))
    # As texts: 0.0 is not -0.0.
    if list(points) != list(map(str, range(len(points)))) or repr(same) != repr(ring):
        raise Rejected([position])


def _numbers(rings: Sequence[list[float]]) -> Float64:
    """Return the numbers of rings; `Rejected` for a number outside the image."""
    numbers = np.fromiter(chain.from_iterable(rings), np.float64, sum(map(len, rings)))
    if numbers.min() < -COORDINATE_SLACK or numbers.max() > 1 + COORDINATE_SLACK:
        raise Rejected(
            np.flatnonzero(
                (numbers < -COORDINATE_SLACK) | (numbers > 1 + COORDINATE_SLACK)
            ).tolist()
        )
    return numbers


def _demand_numbered(payloads: Sequence[dict[str, Point]], counts: Any) -> None:
    """Raise `Rejected` for points that are not numbered from 0 on, in order."""
    numbered = list(chain.from_iterable(map(_numbered, counts)))
    demand(list(chain.from_iterable(payloads)) == numbered)


def _numbered(count: int) -> Sequence[str]:
    return _NUMBERS[:count] if count <= len(_NUMBERS) else list(map(str, range(count)))


def _lengths(rings: Sequence[list[float]]) -> Int64:
    return np.fromiter(map(len, rings), np.int64, len(rings))


def _polygon_of_ring(polygons: Sequence[Rings]) -> list[int]:
    return [i for i, parts in enumerate(polygons) for part in parts for _ in part]


def _ring_of(rings: Sequence[list[float]]) -> Callable[[int], int]:
    """Return a function from the position of a number to that of its ring."""
    return lambda number: bisect_right(list(accumulate(map(len, rings))), number)


def _demand_areas(rings: Sequence[list[float]], numbers: Float64) -> None:
    """Raise `Rejected` for a ring without area."""
    lengths = _lengths(rings)
    demand(not (lengths % 2).any())
    offsets = offsets_from_lengths(lengths // 2)
    demand_all(~enclosed_area_is_zero(numbers.reshape(-1, 2), offsets))
