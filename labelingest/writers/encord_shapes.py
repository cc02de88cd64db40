"""The part of a label row's object that holds its shape, as JSON, for whole columns at once.

A shape's text begins after its key in `SHAPE_KEYS`, which the caller puts with the text before. Numbers
are put wider than they are: whatever is behind the shape, at least `SPARE` bytes, must be put later.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final, Protocol

import numpy as np

from labelingest.columns import ragged
from labelingest.columns.text_page import TextPage
from labelingest.columns.types import Float64, Int64, Texts, UInt8
from labelingest.model.annotations import Annotations, ColumnShape
from labelingest.model.ontology import Shape
from labelingest.writers.number_text import number_texts

__all__ = ["SHAPE_KEYS", "Shapes", "ring_pieces"]

SHAPE_KEYS: Final[Mapping[Shape, bytes]] = {
    Shape.BOUNDING_BOX: b'"boundingBox":{"h":',
    Shape.ROTATABLE_BOUNDING_BOX: b'"rotatableBoundingBox":{"h":',
    Shape.POLYGON: b'"polygon":{',
}
"""Shape → the text before its numbers; shapes without columns are never written here."""
_AT_ONCE: Final = 1 << 15
"""Vertices of one piece, where the text of a ring is made in pieces."""


class _ShapeTexts(Protocol):
    """Texts of the shapes of some annotations, all of one kind."""

    lengths: Int64
    """(r,) bytes of each text, with the braces that end shape and object."""

    def put(self, page: TextPage, positions: Int64) -> None:
        """Put the texts at (r,) positions."""
        ...


class Shapes:
    """Texts of the shapes of a batch, each with the braces that end shape and object.

    Parameters
    ----------
    annotations
        (n,) annotations.
    shape
        (n,) `ColumnShape` of each.
    """

    def __init__(self, annotations: Annotations, shape: UInt8) -> None:
        self.lengths: Int64 = np.zeros(len(annotations), dtype=np.int64)
        self._parts: list[tuple[Int64 | slice, _ShapeTexts]] = []
        for column_shape, kind in _KINDS.items():
            of_shape = shape == column_shape
            if of_shape.any():
                rows = slice(None) if of_shape.all() else np.flatnonzero(of_shape)
                chosen = annotations.where(of_shape)
                part = kind(chosen.coordinates, chosen.offsets)
                self.lengths[rows] = part.lengths
                self._parts.append((rows, part))

    def put(self, page: TextPage, positions: Int64) -> None:
        """Put the texts at (n,) positions, behind the keys of `SHAPE_KEYS`."""
        for rows, part in self._parts:
            part.put(page, positions[rows])


class _Boxes:
    """Boxes, or rotated boxes: a fixed number of numbers, each behind a key."""

    keys: tuple[bytes, ...] = (b',"w":', b',"x":', b',"y":')
    """Keys of the second and later numbers."""

    def __init__(self, coordinates: Float64, offsets: Int64) -> None:
        count = len(self.keys) + 1
        # Column by column: most widths and heights are short as text, computed lefts and tops are not.
        x, y, w, h, *others = (number_texts(coordinates[i::count]) for i in range(count))
        self._numbers = [h, w, x, y, *others]
        self.lengths: Int64 = np.full(len(offsets) - 1, len(b"".join(self.keys)) + len(_ENDS))
        for number in self._numbers:
            self.lengths += number.lengths

    def put(self, page: TextPage, positions: Int64) -> None:
        keys = []
        for number, key in zip(self._numbers, (*self.keys, _ENDS), strict=True):
            page.put(positions, number.texts)
            positions = positions + number.lengths
            keys.append((positions, key))
            positions = positions + len(key)
        for place, key in keys:
            page.put(place, key)


class _RotatedBoxes(_Boxes):
    keys = (*_Boxes.keys, b',"theta":')


_ENDS: Final = b"}}"


class _Polygons:
    """Rings: their vertices as objects by number, then once more as a list of numbers."""

    def __init__(self, coordinates: Float64, offsets: Int64) -> None:
        self._count = np.diff(offsets) // 2
        first = offsets[:-1] // 2
        nth = np.arange(len(coordinates) // 2) - np.repeat(first, self._count)
        self._vertices = _Vertices(coordinates, nth)
        end = first + self._count
        objects, lists = self._vertices.objects, self._vertices.lists
        self._first_object, self._first_list = objects[first], lists[first]
        self._objects = objects[end] - self._first_object
        self._lists = lists[end] - self._first_list
        # What follows the vertices covers the separators behind the last one.
        self.lengths: Int64 = self._objects + self._lists + (len(_BETWEEN) + len(_RING_ENDS) - 3)

    def put(self, page: TextPage, positions: Int64) -> None:
        between = positions + self._objects - 2
        lists = between + len(_BETWEEN)
        shift = np.repeat(positions - self._first_object, self._count)
        self._vertices.put_objects(page, self._vertices.objects[:-1] + shift)
        shift = np.repeat(lists - self._first_list, self._count)
        self._vertices.put_list(page, self._vertices.lists[:-1] + shift)
        page.put(between, _BETWEEN)
        page.put(lists + self._lists - 1, _RING_ENDS)


_KINDS: Final[Mapping[ColumnShape, type[_Boxes] | type[_Polygons]]] = {
    ColumnShape.BOX: _Boxes,
    ColumnShape.ROTATED_BOX: _RotatedBoxes,
    ColumnShape.POLYGON: _Polygons,
}


class _Vertices:
    """Texts of vertices: as an object, `"0":{"x":0.5,"y":0.5},`, and in a list, `0.5,0.5,`.

    Parameters
    ----------
    coordinates
        (2v,) x, y of the vertices.
    nth
        (v,) number of each vertex in its ring.
    """

    def __init__(self, coordinates: Float64, nth: Int64) -> None:
        self._texts, lengths = number_texts(coordinates)
        self._x = lengths[0::2]
        self._nth = nth
        self._keys = np.full(len(nth), len('"0":{"x":'))
        limit, most = 10, int(nth.max(initial=0))
        while limit <= most:
            self._keys += nth >= limit
            limit *= 10
        self.lists = ragged.offsets_from_lengths(self._x + lengths[1::2] + 2)
        """(v + 1,) where each vertex begins in a list of all."""
        self.objects = self.lists + ragged.offsets_from_lengths(self._keys + len(_Y_KEY))
        """(v + 1,) where each vertex begins among the objects of all."""

    def put_objects(self, page: TextPage, positions: Int64) -> None:
        """Put the vertices as objects at (v,) positions, each with `},` before, not behind it."""
        count = len(positions)
        keys = _vertex_keys(self._nth)
        # In the order of the page, so that each text covers what is too wide of the one before it.
        texts = np.empty((count, 3), dtype=np.promote_types(keys.dtype, self._texts.dtype))
        texts[:, 0] = keys
        texts[:, 1:] = self._texts.reshape(count, 2)
        places = np.empty((count, 3), dtype=np.int64)
        places[:, 0] = positions - 2
        np.add(positions, self._keys, out=places[:, 1])
        y_keys = places[:, 1] + self._x
        np.add(y_keys, len(_Y_KEY), out=places[:, 2])
        page.put(places.reshape(-1), texts.reshape(-1))
        page.put(y_keys, _Y_KEY)

    def put_list(self, page: TextPage, positions: Int64) -> None:
        """Put the vertices as numbers at (v,) positions."""
        page.put(_by_turns(positions, positions + self._x + 1), self._texts)


_Y_KEY: Final = b',"y":'
_BETWEEN: Final = b'}},"polygons":[[['
_RING_ENDS: Final = b"]]]}"


def _by_turns(first: Int64, second: Int64) -> Int64:
    """Return (2v,) the first of one column, the first of the other, and so on."""
    return np.stack((first, second), axis=1).reshape(-1)


def _vertex_keys(nth: Int64) -> Texts:
    """Return (v,) the text before the x of vertices, given their numbers."""
    first, end = int(nth.min(initial=0)), int(nth.max(initial=0)) + 1
    # Long rings are rare and their texts large: they are not cached.
    if end <= _USUAL:
        return _usual_keys().take(nth)
    return _keys_between(first, end).take(nth - first)


_USUAL: Final = 512
"""Vertices that nearly all rings have at most."""


@cache
def _usual_keys() -> Texts:
    return _keys_between(0, _USUAL)


_KEY_WIDTH: Final = 16
"""Bytes of a column of these keys, as of most numbers; keys from the millionth vertex on are longer."""


def _keys_between(first: int, end: int) -> Texts:
    keys = [b'},"%d":{"x":' % number for number in range(first, end)]
    return np.array(keys, dtype=f"S{max(_KEY_WIDTH, len(keys[-1]))}")


def ring_pieces(coordinates: Float64) -> Iterator[bytes]:
    """Yield the text of one polygon behind its key, piece by piece.

    A million vertices have 100 MB of text.
    """
    count = len(coordinates) // 2
    parts = [(start, min(start + _AT_ONCE, count)) for start in range(0, count, _AT_ONCE)]
    for start, end in parts:
        vertices = _Vertices(coordinates[2 * start : 2 * end], np.arange(start, end))
        page = TextPage(int(vertices.objects[-1]) + 2)
        vertices.put_objects(page, vertices.objects[:-1] + 2)
        page.put(vertices.objects[-1:], b"},")
        yield page.content()[2 : -1 if end == count else None]
    yield _BETWEEN[1:]
    for start, end in parts:
        vertices = _Vertices(coordinates[2 * start : 2 * end], np.arange(start, end))
        page = TextPage(int(vertices.lists[-1]))
        vertices.put_list(page, vertices.lists[:-1])
        yield page.content()[: -1 if end == count else None]
    yield _RING_ENDS
