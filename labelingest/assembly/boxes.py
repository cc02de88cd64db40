"""Boxes with sides along the image's: clipped, then turned into the shape that is wanted."""

from typing import Final

import numpy as np

from labelingest.assembly.context import (
    POLYGON,
    ROTATED,
    TOLERANCE,
    Bench,
    OutOfRange,
    Piece,
    coordinates,
    count_conversion,
    encloses_area,
    in_range,
    inside,
    piece_of,
)
from labelingest.columns.types import Bool, Float64, Int64
from labelingest.geometry import boxes
from labelingest.problems import ProblemCode

__all__ = ["from_boxes"]


def from_boxes(bench: Bench, rows: Int64) -> list[Piece]:
    """Convert rows of centre x, centre y, width, height."""
    cxcywh = coordinates(bench, rows, 4)
    keep = in_range(bench, rows, cxcywh, largest=1 + TOLERANCE)
    rows = rows[keep]
    ltwh = boxes.ltwh_from_cxcywh(cxcywh[keep])
    clipped, deviation = boxes.clip_to_image(ltwh)
    keep = inside(bench, rows, deviation, "box")
    if bench.options.out_of_range == OutOfRange.CLIP:
        # What is not counted is not clipped either: nothing is changed in silence.
        ltwh = np.where((deviation >= TOLERANCE)[:, np.newaxis], clipped, ltwh)
        keep &= _left_over(bench, rows, ltwh, keep)
    rows, ltwh = rows[keep], ltwh[keep]
    pieces = []
    for shape in range(3):
        of_shape = bench.shape[rows] == shape
        if of_shape.any():
            pieces.append(_AS_SHAPE[shape](bench, rows[of_shape], ltwh[of_shape]))
    return pieces


def _left_over(bench: Bench, rows: Int64, clipped: Float64, among: Bool) -> Bool:
    """Return (r,) boxes of which clipping left something; reject the others that are among (r,).

    A centre may lie a little outside: a box that is smaller still lies outside as a whole.
    """
    left_over: Bool = np.logical_and.reduce(clipped[:, 2:] > 0, axis=1)
    for at in bench.rows_to_note(among & ~left_over):
        detail = "the box lies wholly outside the image: nothing is left of it"
        bench.reject(int(rows[at]), ProblemCode.OUT_OF_RANGE, detail)
    return left_over


def _boxes(bench: Bench, rows: Int64, ltwh: Float64) -> Piece:
    return piece_of(rows, ltwh)


def _rotated_boxes(bench: Bench, rows: Int64, ltwh: Float64) -> Piece:
    count_conversion(bench, "box", ROTATED, len(rows))
    return piece_of(rows, np.concatenate((ltwh, np.zeros((len(ltwh), 1))), axis=1))


def _polygons(bench: Bench, rows: Int64, ltwh: Float64) -> Piece:
    corners = boxes.corners_from_ltwh(ltwh)
    offsets = np.arange(len(rows) + 1, dtype=np.int64) * 4
    # A side so short that its ends are the same double makes a line.
    everything = np.ones(len(rows), dtype=bool)
    keep = encloses_area(bench, rows, corners.reshape(-1, 2), offsets, everything)
    count_conversion(bench, "box", POLYGON, int(keep.sum()))
    return piece_of(rows[keep], corners[keep].reshape(-1, 8))


_AS_SHAPE: Final = (_boxes, _rotated_boxes, _polygons)
"""By position in `SHAPES`."""
