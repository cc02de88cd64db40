"""Rotated boxes, written as four corners or as a box with an angle."""

from typing import Final

import numpy as np

from labelingest.assembly.context import (
    AssemblyContext,
    Piece,
    SourceGeometry,
    check_area,
    check_size_known,
    make_piece,
    take_coordinates,
)
from labelingest.assembly.polygons import convert_vertices
from labelingest.assembly.reach import TOLERANCE, check_range, check_reach
from labelingest.columns.types import Bool, Float64, Int64
from labelingest.geometry import angles, boxes, polygons, rotated_boxes
from labelingest.model.annotations import ColumnShape
from labelingest.problems import ProblemCode

__all__ = ["convert_corners", "convert_rotated_boxes"]

_LONGEST: Final = 100.0
"""Image sides that a rotated box may be long. Width and height are fractions of the image's before
the box is turned: upright in a strip 100 times as long as high, a box may well be 100 heights."""


def convert_corners(context: AssemblyContext, rows: Int64) -> list[Piece]:
    """Convert four corners to rotated boxes; corners outside the image are kept, not clipped.

    A clipped rotated box is no rectangle.
    """
    corners = take_coordinates(context, rows, 8).reshape(-1, 4, 2)
    offsets = np.arange(len(rows) + 1, dtype=np.int64) * 4
    _, deviation = polygons.clip_to_unit_square(corners.reshape(-1, 2))
    farthest = deviation.reshape(-1, 4).max(axis=1, initial=0.0)
    keep = check_reach(context, rows, farthest, SourceGeometry.CORNERS, clips=False)
    keep &= check_area(context, rows, corners.reshape(-1, 2), offsets, keep)
    rows, corners = rows[keep], corners[keep]
    has_size = check_size_known(context, rows)
    rows, corners = rows[has_size], corners[has_size]
    width, height = context.sizes(rows)
    corners_px = corners * np.stack((width, height), axis=1)[:, np.newaxis]
    rectangles, misfit, refitted = rotated_boxes.rectangle_from_quad(corners_px)
    context.refitted.add(misfit[refitted])
    _warn_of_misfits(context, rows[refitted], corners_px[refitted], misfit[refitted])
    turned = rotated_boxes.normalised_from_centred(rectangles, width, height)
    _warn_of_centres(context, rows, turned)
    return [make_piece(rows, turned)]


def _warn_of_centres(context: AssemblyContext, rows: Int64, turned: Float64) -> None:
    """Warn of rotated boxes (r, 5) with their centre outside the image, as readers of label rows do."""
    centre = turned[:, :2] + turned[:, 2:4] / 2
    is_outside = (centre < -TOLERANCE) | (centre > 1 + TOLERANCE)
    rows_outside: Bool = np.logical_or.reduce(is_outside, axis=1)
    for position in context.rows_to_note(rows_outside):
        axis = int(np.argmax(is_outside[position]))
        detail = (
            f"{float(centre[position, axis])!r}, the centre's {'xy'[axis]}, lies outside the image "
            "(0 to 1): kept"
        )
        context.warn(int(rows[position]), ProblemCode.OUTSIDE_IMAGE, detail)


def _warn_of_misfits(
    context: AssemblyContext, rows: Int64, corners_px: Float64, misfit: Float64
) -> None:
    """Warn of corners (r, 4, 2) that miss the averaged rectangle by a good part of its side."""
    longer = rotated_boxes.rectangle_from_corners(corners_px)[:, 2:4].max(axis=1, initial=0.0)
    for position in context.rows_to_note(misfit > context.options.warn_misfit * longer):
        part = (
            f", {misfit[position] / longer[position]:.0%} of its longer side"
            if longer[position]
            else ""
        )
        detail = (
            f"the corners miss the rectangle through them by {misfit[position]:.1f} px{part}: the "
            "smallest rectangle around is used"
        )
        context.warn(int(rows[position]), ProblemCode.NOT_A_RECTANGLE, detail)


def convert_rotated_boxes(context: AssemblyContext, rows: Int64) -> list[Piece]:
    """Convert boxes with an angle: unchanged for a rotated box, by their corners otherwise."""
    numbers = take_coordinates(context, rows, 5)
    keep = check_range(context, rows, numbers[:, :4], largest=_LONGEST)
    rows, numbers = rows[keep], numbers[keep]
    turn = numbers[:, 4:] if context.labels.is_in_degrees else np.degrees(numbers[:, 4:])
    theta = angles.reduce_to_one_turn(turn)
    turned = np.concatenate((boxes.ltwh_from_cxcywh(numbers[:, :4]), theta), axis=1)
    keep = _check_turned_reach(context, rows, turned)
    rows, turned = rows[keep], turned[keep]
    stays = context.shape[rows] == ColumnShape.ROTATED_BOX
    pieces = [make_piece(rows[stays], turned[stays])]
    rows, turned = rows[~stays], turned[~stays]
    has_size = check_size_known(context, rows)
    rows, turned = rows[has_size], turned[has_size]
    if len(rows):
        vertices = _corners(context, rows, turned).reshape(-1, 2)
        offsets = np.arange(len(rows) + 1, dtype=np.int64) * 4
        pieces += convert_vertices(context, rows, vertices, offsets, SourceGeometry.ROTATED_BOX)
    return pieces


def _check_turned_reach(context: AssemblyContext, rows: Int64, turned: Float64) -> Bool:
    """Note boxes that stay turned and reach outside the image; return (r,) boxes to keep.

    The image's size decides how far a turned box reaches. Where the size is not known, only half
    turns are judged, which leave the outline as it is.
    """
    width, height = context.sizes(rows)
    stays = context.shape[rows] == ColumnShape.ROTATED_BOX
    has_size = (width > 0) & (height > 0)
    half_turns = turned[:, 4] % 180 == 0
    deviation = np.zeros(len(rows))
    positions = np.flatnonzero(stays & has_size)
    corners = _corners(context, rows[positions], turned[positions])
    _, beyond = polygons.clip_to_unit_square(corners.reshape(-1, 2))
    deviation[positions] = beyond.reshape(-1, 4).max(axis=1, initial=0.0)
    positions = np.flatnonzero(stays & ~has_size & half_turns)
    _, deviation[positions] = boxes.clip_to_image(turned[positions, :4])
    return check_reach(context, rows, deviation, SourceGeometry.ROTATED_BOX, clips=False)


def _corners(context: AssemblyContext, rows: Int64, turned: Float64) -> Float64:
    """Return (r, 4, 2) the corners of turned boxes, as fractions of images of known size."""
    width, height = context.sizes(rows)
    corners_px = rotated_boxes.corners_from_rotated(turned, width, height)
    return corners_px / np.stack((width, height), axis=1)[:, np.newaxis]
