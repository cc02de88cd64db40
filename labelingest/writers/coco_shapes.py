"""Boxes, outlines and areas of annotations in pixels, as text of COCO annotations.

The numbers of a batch become text in two calls: five of each annotation (left, top, width, height
and area, behind them right and bottom), and all vertices of polygons and rotated boxes.
"""

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import orjson

from labelingest.columns import ragged
from labelingest.columns.text_page import SPARE, RaggedTexts, TextPage
from labelingest.columns.types import Bool, Float64, Int64, Texts
from labelingest.geometry import boxes
from labelingest.geometry.rotated_boxes import corners_from_rotated
from labelingest.model.annotations import Annotations, ColumnShape, Rings, column_shapes
from labelingest.model.ontology import Ontology
from labelingest.model.units import DataUnits
from labelingest.writers.instances import parts_of
from labelingest.writers.number_text import shortest_texts
from labelingest.writers.target import CocoRotated

__all__ = ["Shapes"]

_LEFT, _TOP, _WIDTH, _HEIGHT, _AREA, _RIGHT, _BOTTOM = range(7)
"""Columns of the numbers of an annotation."""
_COLUMNS: Final = 7
_BOX: Final = (_LEFT, _TOP, _WIDTH, _HEIGHT)
_OUTLINE: Final = (_LEFT, _TOP, _RIGHT, _TOP, _RIGHT, _BOTTOM, _LEFT, _BOTTOM)
_BEFORE_BOX: Final = b',"bbox":['
_BEFORE_OUTLINE: Final = b'],"segmentation":[['
_BEFORE_AREA: Final = b']],"area":'
_FIXED: Final = len(_BEFORE_BOX) + len(_BEFORE_OUTLINE) + len(_BEFORE_AREA)


class Shapes:
    """Box, outlines and area of (n,) annotations.

    Parameters
    ----------
    annotations
        (n,) boxes, rotated boxes and polygons.
    units
        (u,) the data units; those of the annotations have a size.
    ontology
        The ontology that annotations point into.
    rotated
        Drawing of rotated boxes.
    """

    def __init__(
        self, annotations: Annotations, units: DataUnits, ontology: Ontology, rotated: CocoRotated
    ) -> None:
        measured = _measured(annotations, units, ontology, rotated)
        numbers = Numbers(measured.numbers.reshape(-1))
        self._texts = numbers.texts().reshape(-1, _COLUMNS)
        self._lengths = lengths = numbers.lengths.reshape(-1, _COLUMNS)
        self._is_upright = measured.is_upright
        self._rings = measured.rings
        self._box = lengths[:, _BOX].sum(axis=1) + (len(_BOX) - 1)
        self._outline = lengths[:, _OUTLINE].sum(axis=1) + (len(_OUTLINE) - 1)
        self._outline[self._rings.rows] = self._rings.texts.lengths
        self.lengths: Int64 = self._box + self._outline + lengths[:, _AREA] + _FIXED
        """(n,) bytes of each text."""

    def put_numbers(self, page: TextPage, positions: Int64) -> None:
        """Put what may cover bytes behind it, at (n,) positions of the texts."""
        position = positions + len(_BEFORE_BOX)
        for column in _BOX:
            page.put(position, self._texts[:, column])
            position = position + (self._lengths[:, column] + 1)
        position += len(_BEFORE_OUTLINE) - 1
        area = position + self._outline + len(_BEFORE_AREA)
        texts, lengths = self._texts, self._lengths
        if not self._is_upright.all():
            position = position[self._is_upright]
            texts, lengths = texts[self._is_upright], lengths[self._is_upright]
        for column in _OUTLINE:
            page.put(position, texts[:, column])
            position = position + (lengths[:, column] + 1)
        page.put(area, self._texts[:, _AREA])

    def put_fixed(self, page: TextPage, positions: Int64) -> None:
        """Put what has its place exactly, at (n,) positions of the texts."""
        page.put(positions, _BEFORE_BOX)
        position = positions + (self._box + len(_BEFORE_BOX))
        page.put(position, _BEFORE_OUTLINE)
        position += len(_BEFORE_OUTLINE)
        page.put_ragged(position[self._rings.rows], self._rings.texts)
        page.put(position + self._outline, _BEFORE_AREA)


class Numbers:
    """Texts of (n,) finite numbers: the shortest that read back to the same doubles."""

    def __init__(self, numbers: Float64) -> None:
        dumped = b"[]"
        if len(numbers):
            numbers = np.ascontiguousarray(numbers)
            dumped = orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY)
        self._source = dumped[1:-1] + b"," + bytes(SPARE)
        ends = np.flatnonzero(np.frombuffer(self._source, np.uint8) == ord(","))[: len(numbers)]
        self._starts = np.zeros(len(numbers), dtype=np.int64)
        self._starts[1:] = ends[:-1] + 1
        self.lengths: Int64 = ends - self._starts
        """(n,) bytes of each text."""

    def texts(self) -> Texts:
        """Return (n,) texts, each with a comma and whatever else behind it."""
        count = len(self._source) - SPARE + 1
        windows: Texts = np.ndarray((count,), f"S{SPARE}", self._source, 0, (1,))
        return windows[self._starts]

    def joined(self, offsets: Int64) -> RaggedTexts:
        """Return (r,) texts of the numbers from offsets[i] to offsets[i + 1], commas between them."""
        begin, last = self._starts[offsets[:-1]], offsets[1:] - 1
        return RaggedTexts(self._source, begin, self._starts[last] + self.lengths[last] - begin)


class _Rings(NamedTuple):
    """Outlines of annotations that are no upright boxes."""

    rows: Int64
    """(r,) rows of the annotations."""
    texts: RaggedTexts
    """(r,) texts of the coordinates; several outlines have brackets between them."""


class _Measured(NamedTuple):
    """Annotations in pixels."""

    numbers: Float64
    """(n, 7) left, top, width, height, area, right and bottom; the last two of upright boxes."""
    is_upright: Bool
    """(n,) whether the outline of an annotation is its box."""
    rings: _Rings


def _measured(
    annotations: Annotations, units: DataUnits, ontology: Ontology, rotated: CocoRotated
) -> _Measured:
    """Measure annotations, each by its shape."""
    shape = column_shapes(ontology.objects)[annotations.feature]
    unit = annotations.unit
    size = np.stack((units.width[unit], units.height[unit]), axis=1).astype(float)
    parts = parts_of(annotations)
    numbers = np.zeros((len(annotations), _COLUMNS))
    is_upright = shape != ColumnShape.POLYGON
    if rotated is CocoRotated.CORNERS:
        is_upright &= shape != ColumnShape.ROTATED_BOX
    _measure_upright(annotations, np.flatnonzero(is_upright), size, numbers)
    others = np.setdiff1d(np.flatnonzero(~is_upright), list(parts))
    is_polygon = shape[others] == ColumnShape.POLYGON
    rings = _Rings(
        np.concatenate((others[is_polygon], others[~is_polygon], list(parts))).astype(np.int64),
        _ring_texts(
            _measure_polygons(annotations, others[is_polygon], size, numbers),
            _measure_rotated(annotations, others[~is_polygon], size, numbers),
            [_measure_parts(rings, size[row], numbers[row]) for row, rings in parts.items()],
        ),
    )
    return _Measured(numbers, is_upright, rings)


def _measure_upright(
    annotations: Annotations, rows: Int64, size: Float64, numbers: Float64
) -> None:
    """Measure the boxes of some rows; those of rotated boxes as they were before the rotation."""
    if not len(rows):
        return
    begin = annotations.offsets[rows]
    fractions = annotations.coordinates[begin[:, np.newaxis] + np.arange(4)]
    left, top, width, height = (fractions * np.tile(size[rows], 2)).T
    columns = (left, top, width, height, width * height, left + width, top + height)
    numbers[rows] = np.stack(columns, axis=1)


class _Outlines(NamedTuple):
    """Vertices of outlines in pixels."""

    vertices: Float64
    """(v, 2) x, y."""
    offsets: Int64
    """(r + 1,) outline i owns vertices[offsets[i] : offsets[i + 1]]."""


def _measure_polygons(
    annotations: Annotations, rows: Int64, size: Float64, numbers: Float64
) -> _Outlines:
    """Measure the polygons of some rows, and return their outlines."""
    begin = annotations.offsets[:-1]
    count = annotations.offsets[rows + 1] - begin[rows]
    fractions = annotations.coordinates[ragged.gather(begin[rows], count)].reshape(-1, 2)
    vertices = fractions * np.repeat(size[rows], count // 2, axis=0)
    offsets = ragged.offsets_from_lengths(count // 2)
    if len(rows):
        numbers[rows, :4] = boxes.ltwh_from_vertices(vertices, offsets)
        numbers[rows, _AREA] = _areas(vertices, offsets)
    return _Outlines(vertices, offsets)


def _measure_rotated(
    annotations: Annotations, rows: Int64, size: Float64, numbers: Float64
) -> _Outlines:
    """Measure the rotated boxes of some rows as they lie, and return their outlines."""
    begin = annotations.offsets[rows]
    turned = annotations.coordinates[begin[:, np.newaxis] + np.arange(5)]
    vertices = corners_from_rotated(turned, size[rows, 0], size[rows, 1]).reshape(-1, 2)
    offsets = np.arange(len(rows) + 1, dtype=np.int64) * 4
    if len(rows):
        numbers[rows, :4] = boxes.ltwh_from_vertices(vertices, offsets)
        numbers[rows, _AREA] = (turned[:, 2:4] * size[rows]).prod(axis=1)
    return _Outlines(vertices, offsets)


def _measure_parts(parts: Rings, size: Float64, numbers: Float64) -> bytes:
    """Measure a polygon with holes, which its area has, or several parts; return its outlines."""
    rings = [ring for part in parts for ring in part]
    is_outline = np.array([not ring for part in parts for ring in range(len(part))])
    lengths = np.array([len(ring) // 2 for ring in rings])
    vertices = np.array([number for ring in rings for number in ring]).reshape(-1, 2) * size
    signed = _areas(vertices, ragged.offsets_from_lengths(lengths)) * np.where(is_outline, 1, -1)
    outlines = vertices[np.repeat(is_outline, lengths)]
    numbers[:4] = boxes.ltwh_from_vertices(outlines, np.array([0, len(outlines)]))[0]
    numbers[_AREA] = signed.sum()
    texts = shortest_texts(outlines.reshape(-1))
    ends = ragged.offsets_from_lengths(2 * lengths[is_outline]).tolist()
    return "],[".join(",".join(texts[a:b]) for a, b in pairwise(ends)).encode()


def _ring_texts(polygons: _Outlines, rotated: _Outlines, parts: list[bytes]) -> RaggedTexts:
    """Return the texts of all outlines."""
    vertices = np.concatenate((polygons.vertices, rotated.vertices)).reshape(-1)
    offsets = np.concatenate((polygons.offsets[:-1], len(polygons.vertices) + rotated.offsets))
    source, starts, lengths = Numbers(vertices).joined(2 * offsets)
    of_parts = RaggedTexts.from_table(parts, np.arange(len(parts)))
    return RaggedTexts(
        source + of_parts.source,
        np.concatenate((starts, len(source) + of_parts.starts)),
        np.concatenate((lengths, of_parts.lengths)),
    )


def _areas(vertices_px: Float64, offsets: Int64) -> Float64:
    """Return (r,) the area of each ring in square pixels; crossing outlines: by the signed sum."""
    ring = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    # From the first vertex, so that a small ring far from the origin keeps its digits.
    x, y = (vertices_px - vertices_px[offsets[:-1]][ring]).T
    cross = np.zeros(len(x))
    cross[1:] = x[:-1] * y[1:] - x[1:] * y[:-1]
    # No edge leads from ring to ring; those at the first vertex have no part in the sum.
    cross[offsets[:-1]] = 0
    areas: Float64 = np.abs(ragged.segment_sum(cross, offsets)) / 2
    return areas
