"""Rotated boxes, written as four corners or as a box with an angle."""

import numpy as np

from labelingest.arrays import Int64
from labelingest.assembly.bench import (
    FARTHEST,
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
from labelingest.assembly.rings import from_vertices
from labelingest.geometry import boxes, polygons, rotated
from labelingest.problems import ProblemCode

__all__ = ["from_corners", "from_turned"]


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
    longer = rectangles[:, 2:4].max(axis=1, initial=0.0)
    far_off = refitted & (misfit > bench.options.warn_misfit * longer)
    for at in np.flatnonzero(far_off).tolist():
        detail = (
            f"the corners miss the rectangle through them by {misfit[at]:.1f} px, "
            f"{misfit[at] / longer[at]:.0%} of its longer side: the smallest rectangle around is used"
        )
        bench.warn(int(rows[at]), ProblemCode.NOT_A_RECTANGLE, detail)
    return [piece_of(rows, rotated.normalised_from_centred(rectangles, width, height))]


def from_turned(bench: Bench, rows: Int64) -> list[Piece]:
    """Boxes with an angle: as they are for a rotated box, by their corners for other shapes."""
    numbers = coordinates(bench, rows, 5)
    keep = in_range(bench, rows, numbers[:, :4], largest=FARTHEST)
    rows, numbers = rows[keep], numbers[keep]
    theta = np.mod(np.degrees(numbers[:, 4:]), 360.0)
    theta[theta == 360.0] = 0.0  # the remainder of a tiny negative angle rounds up to 360
    turned = np.concatenate((boxes.ltwh_from_cxcywh(numbers[:, :4]), theta), axis=1)
    as_they_are = bench.shape[rows] == ROTATED
    pieces = [piece_of(rows[as_they_are], turned[as_they_are])]
    rows, turned = rows[~as_they_are], turned[~as_they_are]
    known = sized(bench, rows)
    rows, turned = rows[known], turned[known]
    if len(rows):
        width, height = bench.sizes(rows)
        corners_px = rotated.corners_from_rotated(turned, width, height)
        vertices = (corners_px / np.stack((width, height), axis=1)[:, np.newaxis]).reshape(-1, 2)
        offsets = np.arange(len(rows) + 1, dtype=np.int64) * 4
        pieces += from_vertices(bench, rows, vertices, offsets, "rotated box")
    return pieces
