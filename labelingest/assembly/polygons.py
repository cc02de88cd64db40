"""Outlines of three vertices and more: clipped, checked, then turned into the wanted shape."""

from typing import Final

import numpy as np

from labelingest.assembly.context import (
    BOX,
    POLYGON,
    ROTATED,
    TOLERANCE,
    Bench,
    OutOfRange,
    Piece,
    count_conversion,
    encloses_area,
    has_area,
    inside,
    piece_of,
    sized,
)
from labelingest.assembly.outlines import crossings
from labelingest.columns import ragged
from labelingest.columns.types import Bool, Float64, Int64
from labelingest.geometry import boxes, polygons
from labelingest.geometry import rotated_boxes as rotated
from labelingest.model.source_labels import SourceKind
from labelingest.problems import ProblemCode

__all__ = ["from_rings", "from_vertices"]


def from_rings(bench: Bench, rows: Int64) -> list[Piece]:
    """Convert rows of x, y, x, y, …: rings of vertices, or corners for another shape."""
    corners = bench.labels.kind[rows] == SourceKind.CORNERS
    sources = (("polygon", rows[~corners]), ("rotated box", rows[corners]))
    return [
        piece
        for source, of_source in sources
        if len(of_source)
        for piece in _from_rings(bench, of_source, source)
    ]


def _from_rings(bench: Bench, rows: Int64, source: str) -> list[Piece]:
    count = bench.labels.count[rows]
    at = ragged.gather(bench.labels.begin[rows], count)
    vertices = bench.labels.values[at].reshape(-1, 2)
    offsets = ragged.offsets_from_lengths(count // 2)
    vertices, offsets = polygons.drop_repeated_last(vertices, offsets)
    return from_vertices(bench, rows, vertices, offsets, source)


def from_vertices(
    bench: Bench, rows: Int64, vertices: Float64, offsets: Int64, source: str
) -> list[Piece]:
    """Turn rings, vertices (v, 2) and offsets (r + 1,), into the shapes that their rows want."""
    clipped, deviation = polygons.clip_to_unit_square(vertices)
    farthest = ragged.segment_max(deviation, offsets)
    keep = inside(bench, rows, farthest, source)
    outside = farthest >= TOLERANCE
    if bench.options.out_of_range == OutOfRange.CLIP and outside.any():
        # What is not counted is not clipped either: nothing is changed in silence.
        of_vertex = np.repeat(outside, np.diff(offsets))
        whole = vertices
        vertices = np.where(of_vertex[:, np.newaxis], clipped, vertices)
        keep &= _left_over(bench, rows, whole, vertices, offsets, keep & outside, source)
    keep &= encloses_area(bench, rows, vertices, offsets, keep)
    rows, vertices, offsets = _take(rows, vertices, offsets, keep)
    pieces = []
    for shape in range(3):
        of_shape = bench.shape[rows] == shape
        if of_shape.any():
            picked = _take(rows, vertices, offsets, of_shape)
            pieces.append(_RINGS_TO[shape](bench, *picked, source))
    return pieces


def _left_over(
    bench: Bench,
    rows: Int64,
    whole: Float64,
    clipped: Float64,
    offsets: Int64,
    among: Bool,
    source: str,
) -> Bool:
    """Return (r,) rings that did not lose their area by clipping; reject the others among (r,)."""
    lost = np.flatnonzero(among)
    lost = lost[~has_area(*_take(rows, clipped, offsets, among)[1:])]
    left_over = np.ones(len(rows), dtype=bool)
    left_over[lost] = False
    if len(lost):
        _, far, ends = _take(rows, whole, offsets, ~left_over)
        # Halving is exact, and products of coordinates near the largest double overflow.
        halvings = np.frexp(ragged.segment_max(np.abs(far), ends))[1]
        far = np.ldexp(far, -np.repeat(halvings, np.diff(ends), axis=0))
        # A ring that never had an area is degenerate, wherever it lies.
        every = np.ones(len(lost), dtype=bool)
        lost = lost[encloses_area(bench, rows[lost], far, ends, every)]
    for row in bench.findings.rows_to_note(rows[lost]).tolist():
        detail = (
            f"the {source} lies wholly outside the image, or nearly so: no area is left once its "
            "vertices are clipped"
        )
        bench.reject(row, ProblemCode.OUT_OF_RANGE, detail)
    return left_over


def _take(
    rows: Int64, vertices: Float64, offsets: Int64, keep: Bool
) -> tuple[Int64, Float64, Int64]:
    """Return the rings where keep, (r,), is true."""
    if keep.all():
        return rows, vertices, offsets
    lengths = np.diff(offsets)[keep]
    at = ragged.gather(offsets[:-1][keep], lengths)
    return rows[keep], vertices[at], ragged.offsets_from_lengths(lengths)


def _rings_to_boxes(
    bench: Bench, rows: Int64, vertices: Float64, offsets: Int64, source: str
) -> Piece:
    count_conversion(bench, source, BOX, len(rows))
    # 0.0 and -0.0 are equally small, and which one a minimum gives is no rule: + 0.0 makes it 0.0.
    return piece_of(rows, boxes.ltwh_from_vertices(vertices, offsets) + 0.0)


def _rings_to_rotated(
    bench: Bench, rows: Int64, vertices: Float64, offsets: Int64, source: str
) -> Piece:
    rows, vertices, offsets = _take(rows, vertices, offsets, sized(bench, rows))
    width, height = bench.sizes(rows)
    lengths = np.diff(offsets)
    scale = np.stack((np.repeat(width, lengths), np.repeat(height, lengths)), axis=1)
    rectangles = rotated.smallest_rectangle_of_rings(vertices * scale, offsets)
    count_conversion(bench, source, ROTATED, len(rows))
    return piece_of(rows, rotated.normalised_from_centred(rectangles, width, height))


def _rings_to_polygons(
    bench: Bench, rows: Int64, vertices: Float64, offsets: Int64, source: str
) -> Piece:
    if len(bench.findings.rows_to_note(rows)):
        for ring, code, detail in crossings(vertices, offsets):
            bench.warn(int(rows[ring]), code, detail)
    count_conversion(bench, source, POLYGON, len(rows))
    return Piece(rows, 2 * np.diff(offsets), vertices.reshape(-1))


_RINGS_TO: Final = (_rings_to_boxes, _rings_to_rotated, _rings_to_polygons)
"""By position in `SHAPES`."""
