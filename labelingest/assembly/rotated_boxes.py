"""Rotated boxes, written as four corners or as a box with an angle."""

from typing import Final

import numpy as np

from labelingest.assembly.context import (
    ROTATED,
    Bench,
    Piece,
    coordinates,
    encloses_area,
    in_range,
    inside,
    piece_of,
    sized,
)
from labelingest.assembly.polygons import from_vertices
from labelingest.columns.types import Bool, Float64, Int64
from labelingest.geometry import angles, boxes, polygons
from labelingest.geometry import rotated_boxes as rotated
from labelingest.problems import ProblemCode

__all__ = ["from_corners", "from_turned"]

_LONGEST: Final = 100.0
"""Image sides that a rotated box may be long. Width and height are fractions of the image's before
the box is turned: upright in a strip 100 times as long as high, a box may well be 100 heights."""


def from_corners(bench: Bench, rows: Int64) -> list[Piece]:
    """Corners of rotated boxes: kept where they leave the image; a clipped one is no rectangle."""
    corners = coordinates(bench, rows, 8).reshape(-1, 4, 2)
    offsets = np.arange(len(rows) + 1, dtype=np.int64) * 4
    _, deviation = polygons.clip_to_unit_square(corners.reshape(-1, 2))
    keep = inside(
        bench, rows, deviation.reshape(-1, 4).max(axis=1, initial=0.0), "corners", clipped=False
    )
    keep &= encloses_area(bench, rows, corners.reshape(-1, 2), offsets, keep)
    rows, corners = rows[keep], corners[keep]
    known = sized(bench, rows)
    rows, corners = rows[known], corners[known]
    width, height = bench.sizes(rows)
    corners_px = corners * np.stack((width, height), axis=1)[:, np.newaxis]
    rectangles, misfit, refitted = rotated.rectangle_from_quad(corners_px)
    bench.refitted.add(misfit[refitted])
    _warn_of_misfits(bench, rows[refitted], corners_px[refitted], misfit[refitted])
    return [piece_of(rows, rotated.normalised_from_centred(rectangles, width, height))]


def _warn_of_misfits(bench: Bench, rows: Int64, corners_px: Float64, misfit: Float64) -> None:
    """Warn of corners (r, 4, 2) that miss the averaged rectangle by a good part of its side."""
    longer = rotated.rectangle_from_corners(corners_px)[:, 2:4].max(axis=1, initial=0.0)
    for at in bench.rows_to_note(misfit > bench.options.warn_misfit * longer):
        part = f", {misfit[at] / longer[at]:.0%} of its longer side" if longer[at] else ""
        detail = (
            f"the corners miss the rectangle through them by {misfit[at]:.1f} px{part}: the "
            "smallest rectangle around is used"
        )
        bench.warn(int(rows[at]), ProblemCode.NOT_A_RECTANGLE, detail)


def from_turned(bench: Bench, rows: Int64) -> list[Piece]:
    """Boxes with an angle: as they are for a rotated box, by their corners for other shapes."""
    numbers = coordinates(bench, rows, 5)
    keep = in_range(bench, rows, numbers[:, :4], largest=_LONGEST)
    rows, numbers = rows[keep], numbers[keep]
    theta = angles.reduced(np.degrees(numbers[:, 4:]))
    turned = np.concatenate((boxes.ltwh_from_cxcywh(numbers[:, :4]), theta), axis=1)
    keep = _turned_inside(bench, rows, turned)
    rows, turned = rows[keep], turned[keep]
    as_they_are = bench.shape[rows] == ROTATED
    pieces = [piece_of(rows[as_they_are], turned[as_they_are])]
    rows, turned = rows[~as_they_are], turned[~as_they_are]
    known = sized(bench, rows)
    rows, turned = rows[known], turned[known]
    if len(rows):
        vertices = _corners(bench, rows, turned).reshape(-1, 2)
        offsets = np.arange(len(rows) + 1, dtype=np.int64) * 4
        pieces += from_vertices(bench, rows, vertices, offsets, "rotated box")
    return pieces


def _turned_inside(bench: Bench, rows: Int64, turned: Float64) -> Bool:
    """Note boxes that stay turned and reach outside the image; return (r,) which to keep.

    Where a turned box reaches depends on the image's size. Where that is not known, only half turns
    can be told, which leave the outline as it is.
    """
    width, height = bench.sizes(rows)
    stays = bench.shape[rows] == ROTATED
    sized = (width > 0) & (height > 0)
    half_turns = turned[:, 4] % 180 == 0
    deviation = np.zeros(len(rows))
    at = np.flatnonzero(stays & sized)
    _, beyond = polygons.clip_to_unit_square(_corners(bench, rows[at], turned[at]).reshape(-1, 2))
    deviation[at] = beyond.reshape(-1, 4).max(axis=1, initial=0.0)
    at = np.flatnonzero(stays & ~sized & half_turns)
    _, deviation[at] = boxes.clip_to_image(turned[at, :4])
    return inside(bench, rows, deviation, "rotated box", clipped=False)


def _corners(bench: Bench, rows: Int64, turned: Float64) -> Float64:
    """Return (r, 4, 2) the corners of turned boxes, as fractions of images of known size."""
    width, height = bench.sizes(rows)
    corners_px = rotated.corners_from_rotated(turned, width, height)
    return corners_px / np.stack((width, height), axis=1)[:, np.newaxis]
