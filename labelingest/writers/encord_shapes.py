"""The part of a label row's object that holds its shape, as JSON, for whole columns at once."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

import numpy as np

from labelingest.columns.types import Bool, Float64, Int64, Texts
from labelingest.model.annotations import Annotations, ColumnShape, column_shapes
from labelingest.model.ontology import Ontology
from labelingest.writers.number_text import shortest_column
from labelingest.writers.text_columns import joined

__all__ = ["ring_pieces", "shapes"]

_USUAL: Final = 512
"""Vertices that nearly all rings have at most."""
_AT_ONCE: Final = 1 << 15
"""Vertices of one piece, where the text of a ring is made in pieces."""


def shapes(annotations: Annotations, ontology: Ontology) -> list[bytes]:
    """Return (n,) the shape's own key and value of each annotation, and the brace that ends it."""
    shape = column_shapes(ontology.objects)[annotations.feature]
    fragments: list[bytes] = [b""] * len(annotations)
    for column_shape, write in _WRITERS.items():
        of_shape = shape == column_shape
        if of_shape.all():
            return write(annotations.coordinates, annotations.offsets)
        if of_shape.any():
            picked = annotations.where(of_shape)
            texts = write(picked.coordinates, picked.offsets)
            for row, text in zip(np.flatnonzero(of_shape).tolist(), texts, strict=True):
                fragments[row] = text
    return fragments


def _boxes(coordinates: Float64, offsets: Int64) -> list[bytes]:
    x, y, w, h = _columns(coordinates, 4)
    parts = (b'"boundingBox":{"h":', h, b',"w":', w, b',"x":', x, b',"y":', y, b"}}\n")
    return joined(*parts).split(b"\n")[:-1]


def _rotated_boxes(coordinates: Float64, offsets: Int64) -> list[bytes]:
    x, y, w, h, theta = _columns(coordinates, 5)
    parts = (b'"rotatableBoundingBox":{"h":', h, b',"w":', w, b',"x":', x, b',"y":', y)
    return joined(*parts, b',"theta":', theta, b"}}\n").split(b"\n")[:-1]


def _columns(coordinates: Float64, count: int) -> list[Texts]:
    """Return the texts of the first numbers of all rows, of the second ones and so on."""
    # Column by column: most widths and heights are short as text, computed lefts and tops are not.
    return [shortest_column(coordinates[i::count]) for i in range(count)]


def _polygons(coordinates: Float64, offsets: Int64) -> list[bytes]:
    x, y = _columns(coordinates, 2)
    first, count = offsets[:-1] // 2, np.diff(offsets) // 2
    last = np.zeros(len(x), dtype=bool)
    last[first + count - 1] = True
    nth = np.arange(len(x)) - np.repeat(first, count)
    points = joined(_beginnings(nth), x, b',"y":', y, b"}", _separators(last))
    numbers = joined(x, b",", y, _separators(last))
    return [
        b"".join((b'"polygon":{', of_points, b'},"polygons":[[[', of_numbers, b"]]]}"))
        for of_points, of_numbers in zip(points.split(b"\n"), numbers.split(b"\n"), strict=True)
    ][:-1]


def ring_pieces(coordinates: Float64) -> Iterator[bytes]:
    """Yield the text of one polygon piece by piece: a million vertices have 100 MB of text."""
    count = len(coordinates) // 2
    parts = [slice(start, min(start + _AT_ONCE, count)) for start in range(0, count, _AT_ONCE)]
    yield b'"polygon":{'
    for part in parts:
        x, y = _columns(coordinates[2 * part.start : 2 * part.stop], 2)
        text = joined(_beginnings(np.arange(part.start, part.stop)), x, b',"y":', y, b"},")
        yield text[:-1] if part.stop == count else text
    yield b'},"polygons":[[['
    for part in parts:
        x, y = _columns(coordinates[2 * part.start : 2 * part.stop], 2)
        text = joined(x, b",", y, b",")
        yield text[:-1] if part.stop == count else text
    yield b"]]]}"


def _separators(last: Bool) -> Texts:
    return np.where(last, b"\n", b",")


def _beginnings(nth: Int64) -> Texts:
    """Return (v,) the text before the x of each vertex, given its position in its ring."""
    first, count = int(nth.min()), int(nth.max()) + 1
    # Long rings are rare and their texts large: they are not cached.
    if count <= _USUAL:
        return _usual_beginnings().take(nth)
    return _make_beginnings(first, count).take(nth - first)


@lru_cache(maxsize=1)
def _usual_beginnings() -> Texts:
    return _make_beginnings(0, _USUAL)


def _make_beginnings(first: int, end: int) -> Texts:
    return np.array([b'"%d":{"x":' % i for i in range(first, end)])


_WRITERS: Final[Mapping[ColumnShape, Callable[[Float64, Int64], list[bytes]]]] = {
    ColumnShape.BOX: _boxes,
    ColumnShape.ROTATED_BOX: _rotated_boxes,
    ColumnShape.POLYGON: _polygons,
}
