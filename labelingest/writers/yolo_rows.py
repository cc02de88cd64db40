"""The numbers of YOLO rows: boxes by centre, rings, corners, as layout and shape ask for.

Works on whole columns: the rows of a batch are grouped by what is done with them, and each step
sees only its own.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import numpy as np
from msgspec import Struct

from labelingest.columns import ragged
from labelingest.columns.types import Bool, Float64, Int64, UInt8
from labelingest.geometry import boxes
from labelingest.geometry import rotated_boxes as rotated
from labelingest.geometry.centre_boxes import cxcywh_from_ltwh
from labelingest.model.annotations import OTHER_SHAPE, Annotations, ColumnShape, column_shapes
from labelingest.model.ontology import OntologyObject
from labelingest.model.units import DataUnits

__all__ = ["YoloLayout", "YoloRows", "conversions", "row_numbers"]


class YoloLayout(StrEnum):
    """What rows are to be, whatever the shapes of the ontology objects are."""

    AUTO = "auto"
    """Boxes, polygons and corners, as the shapes say."""
    BOX = "box"
    """Centre x, centre y, width, height; other shapes become the box around them."""
    POLYGON = "polygon"
    """x, y of the vertices; boxes become their four corners."""
    CORNERS = "corners"
    """x, y of four corners; polygons become the smallest rectangle around them."""


_FORMS: Final[Mapping[YoloLayout, ColumnShape]] = {
    YoloLayout.BOX: ColumnShape.BOX,
    YoloLayout.POLYGON: ColumnShape.POLYGON,
    YoloLayout.CORNERS: ColumnShape.ROTATED_BOX,
}
"""Layout → the shape that all rows are written as; AUTO writes each as its own."""


class YoloRows(Struct, frozen=True, eq=False):
    """Rows of a batch, the shape of each, and the shape that it is written as."""

    annotations: Annotations
    units: DataUnits
    shape: UInt8
    """(n,) `ColumnShape` of each row's object."""
    form: UInt8
    """(n,) `ColumnShape` that each row is written as."""
    upright: Bool
    """(n,) boxes, and rotated boxes with an angle of 0: their first four numbers are a box."""

    @classmethod
    def from_annotations(
        cls,
        annotations: Annotations,
        units: DataUnits,
        objects: Sequence[OntologyObject],
        layout: YoloLayout,
    ) -> "YoloRows":
        """Look at annotations, all of them boxes, rotated boxes and polygons."""
        shape = column_shapes(objects)[annotations.feature]
        if (shape == OTHER_SHAPE).any():
            raise ValueError("annotations hold boxes, rotated boxes and polygons only")
        upright = shape == ColumnShape.BOX
        turned = np.flatnonzero(shape == ColumnShape.ROTATED_BOX)
        upright[turned] = annotations.coordinates[annotations.offsets[turned] + 4] == 0
        form = np.full_like(shape, _FORMS[layout]) if layout in _FORMS else shape
        return cls(annotations, units, shape, form, upright)

    @property
    def in_pixels(self) -> Bool:
        """(n,) rows that are turned to or from a rotated box, which happens in pixels."""
        turned: Bool = (self.shape == ColumnShape.ROTATED_BOX) | (
            self.form == ColumnShape.ROTATED_BOX
        )
        return ~self.upright & turned

    def sizes(self, rows: Int64) -> Float64:
        """Return (r, 2) width and height in pixels of the rows' images; -1 where not known."""
        unit = self.annotations.unit[rows]
        return np.stack((self.units.width[unit], self.units.height[unit]), axis=1).astype(float)

    def numbers(self, rows: Int64, count: int) -> Float64:
        """Return (r, count) the first numbers of rows."""
        positions = self.annotations.offsets[rows, np.newaxis] + np.arange(count)
        numbers: Float64 = self.annotations.coordinates[positions]
        return numbers

    def rings(self, rows: Int64) -> tuple[Float64, Int64]:
        """Return vertices (v, 2) and offsets (r + 1,) of rows that are polygons."""
        begin = self.annotations.offsets[rows]
        count = self.annotations.offsets[rows + 1] - begin
        vertices = self.annotations.coordinates[ragged.gather(begin, count)].reshape(-1, 2)
        return vertices, ragged.offsets_from_lengths(count // 2)


def conversions(rows: YoloRows) -> Counter[str]:
    """Count the rows that are written as another shape, by both."""
    pairs = rows.shape.astype(np.int64) * len(ColumnShape) + rows.form
    counts = np.bincount(pairs, minlength=len(ColumnShape) ** 2).reshape(len(ColumnShape), -1)
    return Counter(
        {
            f"{ColumnShape(shape).label} → {ColumnShape(form).label}": int(counts[shape, form])
            for shape, form in zip(*counts.nonzero(), strict=True)
            if shape != form
        }
    )


def row_numbers(rows: YoloRows) -> tuple[Int64, Float64]:
    """Return lengths (n,) and the numbers of all rows, one after the other."""
    pieces = [
        (of_step, *step(rows, of_step))
        for step, mask in (
            (_upright_boxes, rows.upright & (rows.form == ColumnShape.BOX)),
            (_upright_corners, rows.upright & (rows.form != ColumnShape.BOX)),
            (
                _turned_boxes,
                ~rows.upright
                & (rows.shape == ColumnShape.ROTATED_BOX)
                & (rows.form == ColumnShape.BOX),
            ),
            (
                _turned_corners,
                ~rows.upright
                & (rows.shape == ColumnShape.ROTATED_BOX)
                & (rows.form != ColumnShape.BOX),
            ),
            (_ring_boxes, (rows.shape == ColumnShape.POLYGON) & (rows.form == ColumnShape.BOX)),
            (
                _ring_corners,
                (rows.shape == ColumnShape.POLYGON) & (rows.form == ColumnShape.ROTATED_BOX),
            ),
            (_rings, (rows.shape == ColumnShape.POLYGON) & (rows.form == ColumnShape.POLYGON)),
        )
        if len(of_step := np.flatnonzero(mask))
    ]
    lengths = np.zeros(len(rows.annotations), dtype=np.int64)
    for of_step, count, _ in pieces:
        lengths[of_step] = count
    begin = ragged.offsets_from_lengths(lengths)
    numbers = np.empty(int(begin[-1]))
    for of_step, count, piece in pieces:
        numbers[ragged.gather(begin[of_step], count)] = piece.reshape(-1)
    return lengths, numbers


# Each step returns lengths (r,) and numbers of the rows it gets, one after the other.


def _upright_boxes(rows: YoloRows, chosen: Int64) -> tuple[Int64, Float64]:
    return np.full(len(chosen), 4), cxcywh_from_ltwh(rows.numbers(chosen, 4))


def _upright_corners(rows: YoloRows, chosen: Int64) -> tuple[Int64, Float64]:
    return np.full(len(chosen), 8), boxes.corners_from_ltwh(rows.numbers(chosen, 4))


def _turned_corners(rows: YoloRows, chosen: Int64) -> tuple[Int64, Float64]:
    size = rows.sizes(chosen)
    corners_px = rotated.corners_from_rotated(rows.numbers(chosen, 5), *size.T)
    return np.full(len(chosen), 8), corners_px / size[:, np.newaxis]


def _turned_boxes(rows: YoloRows, chosen: Int64) -> tuple[Int64, Float64]:
    _, corners = _turned_corners(rows, chosen)
    return _boxes_around(corners.reshape(-1, 2), 4 * np.arange(len(chosen) + 1))


def _ring_boxes(rows: YoloRows, chosen: Int64) -> tuple[Int64, Float64]:
    return _boxes_around(*rows.rings(chosen))


def _boxes_around(vertices: Float64, offsets: Int64) -> tuple[Int64, Float64]:
    around = boxes.ltwh_from_vertices(vertices, offsets)
    return np.full(len(around), 4), cxcywh_from_ltwh(around)


def _ring_corners(rows: YoloRows, chosen: Int64) -> tuple[Int64, Float64]:
    vertices, offsets = rows.rings(chosen)
    size = rows.sizes(chosen)
    vertices_px = vertices * np.repeat(size, np.diff(offsets), axis=0)
    rectangles = rotated.smallest_rectangle_of_rings(vertices_px, offsets)
    corners = rotated.corners_from_centred(rectangles) / size[:, np.newaxis]
    return np.full(len(chosen), 8), corners


def _rings(rows: YoloRows, chosen: Int64) -> tuple[Int64, Float64]:
    vertices, offsets = rows.rings(chosen)
    first, end = offsets[:-1], offsets[1:]
    # Readers drop a last vertex that repeats the first; where it belongs to the ring it is written
    # once more, so that what they drop is the repetition.
    closed = (vertices[first] == vertices[end - 1]).all(axis=1)
    if closed.any():
        vertices = np.insert(vertices, end[closed], vertices[first[closed]], axis=0)
    return 2 * (end - first + closed), vertices
