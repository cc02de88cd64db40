"""Boxes with sides parallel to the image's: clipped, then converted to the object's shape."""

from typing import Final

import numpy as np

from labelingest.assembly.context import (
    AssemblyContext,
    Piece,
    SourceGeometry,
    check_area,
    count_conversion,
    make_piece,
    take_coordinates,
)
from labelingest.assembly.reach import (
    TOLERANCE,
    are_clipped,
    check_range,
    check_reach,
    note_little_deviations,
)
from labelingest.columns.types import Bool, Float64, Int64
from labelingest.geometry import boxes
from labelingest.model.annotations import ColumnShape
from labelingest.problems import ProblemCode

__all__ = ["convert_boxes"]


def convert_boxes(context: AssemblyContext, rows: Int64) -> list[Piece]:
    """Convert rows of centre x, centre y, width, height."""
    cxcywh = take_coordinates(context, rows, 4)
    keep = check_range(context, rows, cxcywh, largest=1 + TOLERANCE)
    if not keep.all():
        rows, cxcywh = rows[keep], cxcywh[keep]
    rows, ltwh = _settle(context, rows, boxes.ltwh_from_cxcywh(cxcywh))
    pieces = []
    for shape in ColumnShape:
        of_shape = context.shape[rows] == shape
        if of_shape.any():
            pieces.append(_BOXES_TO[shape](context, rows[of_shape], ltwh[of_shape]))
    return pieces


def _settle(context: AssemblyContext, rows: Int64, ltwh: Float64) -> tuple[Int64, Float64]:
    """Return the boxes that remain, clipped where they leave the image."""
    clipped, deviation = boxes.clip_to_image(ltwh)
    if clipped is ltwh:
        return rows, ltwh
    keep = check_reach(context, rows, deviation, SourceGeometry.BOX)
    edges = boxes.edges_outside(ltwh)
    note_little_deviations(context, rows, deviation, edges, "box edges")
    is_clipped = are_clipped(context, deviation)
    if is_clipped.any():
        ltwh = np.where(is_clipped[:, np.newaxis], clipped, ltwh)
        keep &= _check_rest(context, rows, ltwh, keep)
    return rows[keep], ltwh[keep]


def _check_rest(context: AssemblyContext, rows: Int64, clipped: Float64, mask: Bool) -> Bool:
    """Return (r,) boxes with a rest after clipping; reject the others where mask, (r,), is true.

    A centre may lie a little outside: a box that is smaller still lies outside as a whole.
    """
    has_rest: Bool = np.logical_and.reduce(clipped[:, 2:] > 0, axis=1)
    for position in context.rows_to_note(mask & ~has_rest):
        detail = "the box lies wholly outside the image: nothing is left of it"
        context.reject(int(rows[position]), ProblemCode.OUT_OF_RANGE, detail)
    return has_rest


def _to_boxes(context: AssemblyContext, rows: Int64, ltwh: Float64) -> Piece:
    return make_piece(rows, ltwh)


def _to_rotated_boxes(context: AssemblyContext, rows: Int64, ltwh: Float64) -> Piece:
    count_conversion(context, SourceGeometry.BOX, ColumnShape.ROTATED_BOX, len(rows))
    return make_piece(rows, np.concatenate((ltwh, np.zeros((len(ltwh), 1))), axis=1))


def _to_polygons(context: AssemblyContext, rows: Int64, ltwh: Float64) -> Piece:
    corners = boxes.corners_from_ltwh(ltwh)
    offsets = np.arange(len(rows) + 1, dtype=np.int64) * 4
    # A side so short that its ends are the same double makes a line.
    all_rows = np.ones(len(rows), dtype=bool)
    keep = check_area(context, rows, corners.reshape(-1, 2), offsets, all_rows)
    count_conversion(context, SourceGeometry.BOX, ColumnShape.POLYGON, int(keep.sum()))
    return make_piece(rows[keep], corners[keep].reshape(-1, 8))


_BOXES_TO: Final = {
    ColumnShape.BOX: _to_boxes,
    ColumnShape.ROTATED_BOX: _to_rotated_boxes,
    ColumnShape.POLYGON: _to_polygons,
}
