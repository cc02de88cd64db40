"""Outlines of three vertices and more: clipped, checked, then converted to the object's shape."""

from typing import Final

import numpy as np

from labelingest.assembly.context import (
    AssemblyContext,
    Piece,
    SourceGeometry,
    check_area,
    check_size_known,
    count_conversion,
    make_piece,
)
from labelingest.assembly.other_readings import warn_of_other_readings
from labelingest.assembly.outlines import crossings
from labelingest.assembly.reach import are_clipped, check_reach, note_little_deviations
from labelingest.columns import ragged
from labelingest.columns.types import Bool, Float64, Int64
from labelingest.geometry import boxes, polygons, rotated_boxes
from labelingest.model.annotations import ColumnShape
from labelingest.model.source_labels import SourceKind
from labelingest.problems import ProblemCode

__all__ = ["convert_rings", "convert_vertices"]


def convert_rings(context: AssemblyContext, rows: Int64) -> list[Piece]:
    """Convert rows of x, y, x, y, …: rings of vertices, or corners for another shape."""
    corners = context.labels.kind[rows] == SourceKind.CORNERS
    pieces = []
    for source, mask in (
        (SourceGeometry.POLYGON, ~corners),
        (SourceGeometry.ROTATED_BOX, corners),
    ):
        if mask.any():
            pieces += _convert_rings(context, rows[mask], source)
    return pieces


def _convert_rings(context: AssemblyContext, rows: Int64, source: SourceGeometry) -> list[Piece]:
    count = context.labels.count[rows]
    positions = ragged.gather(context.labels.begin[rows], count)
    vertices = context.labels.values[positions].reshape(-1, 2)
    offsets = ragged.offsets_from_lengths(count // 2)
    vertices, offsets = polygons.drop_repeated_last(vertices, offsets)
    return convert_vertices(context, rows, vertices, offsets, source)


def convert_vertices(
    context: AssemblyContext,
    rows: Int64,
    vertices: Float64,
    offsets: Int64,
    source: SourceGeometry,
) -> list[Piece]:
    """Convert rings, vertices (v, 2) and offsets (r + 1,), to the shapes of their objects."""
    keep, vertices = _settle(context, rows, vertices, offsets, source)
    keep &= check_area(context, rows, vertices, offsets, keep)
    rows, vertices, offsets = _take(rows, vertices, offsets, keep)
    pieces = []
    for shape in ColumnShape:
        of_shape = context.shape[rows] == shape
        if of_shape.any():
            rings = _take(rows, vertices, offsets, of_shape)
            pieces.append(_RINGS_TO[shape](context, *rings, source))
    return pieces


def _settle(
    context: AssemblyContext,
    rows: Int64,
    vertices: Float64,
    offsets: Int64,
    source: SourceGeometry,
) -> tuple[Bool, Float64]:
    """Return (r,) rings that remain, and the vertices, clipped where rings leave the image."""
    clipped, deviation = polygons.clip_to_unit_square(vertices)
    if clipped is vertices:
        return np.ones(len(rows), dtype=bool), vertices
    farthest = ragged.segment_max(deviation, offsets)
    keep = check_reach(context, rows, farthest, source)
    # Corners of turned boxes are computed: their last digits are rounding.
    is_written = source is SourceGeometry.POLYGON
    if is_written:
        outside = np.add.reduceat(deviation > 0, offsets[:-1], dtype=np.int64)
        note_little_deviations(context, rows, farthest, outside, "polygon vertices")
    is_clipped = are_clipped(context, farthest, snaps=is_written)
    if is_clipped.any():
        of_vertex = np.repeat(is_clipped, np.diff(offsets))
        unclipped = vertices
        vertices = np.where(of_vertex[:, np.newaxis], clipped, vertices)
        keep &= _check_rest(context, rows, unclipped, vertices, offsets, keep & is_clipped, source)
    return keep, vertices


def _check_rest(
    context: AssemblyContext,
    rows: Int64,
    unclipped: Float64,
    clipped: Float64,
    offsets: Int64,
    mask: Bool,
    source: SourceGeometry,
) -> Bool:
    """Return (r,) rings that have an area after clipping; reject the others where mask is true."""
    without_area = np.flatnonzero(mask)
    without_area = without_area[
        polygons.enclosed_area_is_zero(*_take(rows, clipped, offsets, mask)[1:])
    ]
    has_rest = np.ones(len(rows), dtype=bool)
    has_rest[without_area] = False
    if len(without_area):
        _, vertices, ends = _take(rows, unclipped, offsets, ~has_rest)
        # A ring that never had an area is degenerate, wherever it lies.
        all_rings = np.ones(len(without_area), dtype=bool)
        had_area = check_area(context, rows[without_area], vertices, ends, all_rings)
        without_area = without_area[had_area]
    for row in context.problems.rows_to_note(rows[without_area]).tolist():
        detail = (
            f"the {source} lies wholly outside the image, or nearly so: no area is left once its "
            "vertices are clipped"
        )
        context.reject(row, ProblemCode.OUT_OF_RANGE, detail)
    return has_rest


def _take(
    rows: Int64, vertices: Float64, offsets: Int64, keep: Bool
) -> tuple[Int64, Float64, Int64]:
    """Return the rings where keep, (r,), is true."""
    if keep.all():
        return rows, vertices, offsets
    lengths = np.diff(offsets)[keep]
    positions = ragged.gather(offsets[:-1][keep], lengths)
    return rows[keep], vertices[positions], ragged.offsets_from_lengths(lengths)


def _to_boxes(
    context: AssemblyContext,
    rows: Int64,
    vertices: Float64,
    offsets: Int64,
    source: SourceGeometry,
) -> Piece:
    count_conversion(context, source, ColumnShape.BOX, len(rows))
    if source is SourceGeometry.POLYGON:
        warn_of_other_readings(context, rows)
    # 0.0 and -0.0 are equally small, and which one a minimum gives is no rule: + 0.0 makes it 0.0.
    return make_piece(rows, boxes.ltwh_from_vertices(vertices, offsets) + 0.0)


def _to_rotated_boxes(
    context: AssemblyContext,
    rows: Int64,
    vertices: Float64,
    offsets: Int64,
    source: SourceGeometry,
) -> Piece:
    rows, vertices, offsets = _take(rows, vertices, offsets, check_size_known(context, rows))
    width, height = context.sizes(rows)
    lengths = np.diff(offsets)
    scale = np.stack((np.repeat(width, lengths), np.repeat(height, lengths)), axis=1)
    rectangles = rotated_boxes.smallest_rectangle_of_rings(vertices * scale, offsets)
    count_conversion(context, source, ColumnShape.ROTATED_BOX, len(rows))
    return make_piece(rows, rotated_boxes.normalised_from_centred(rectangles, width, height))


def _to_polygons(
    context: AssemblyContext,
    rows: Int64,
    vertices: Float64,
    offsets: Int64,
    source: SourceGeometry,
) -> Piece:
    if len(context.problems.rows_to_note(rows)):
        for ring, code, detail in crossings(vertices, offsets):
            context.warn(int(rows[ring]), code, detail)
    count_conversion(context, source, ColumnShape.POLYGON, len(rows))
    return Piece(rows, 2 * np.diff(offsets), vertices.reshape(-1))


_RINGS_TO: Final = {
    ColumnShape.BOX: _to_boxes,
    ColumnShape.ROTATED_BOX: _to_rotated_boxes,
    ColumnShape.POLYGON: _to_polygons,
}
