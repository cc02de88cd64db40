"""Check where geometry lies: how far outside the image it reaches, and what becomes of it then.

A check returns a mask of the rows that pass, and rejects the others through the context. Rows that
pass and reach outside are counted once it is known which of them became annotations.
"""

from collections import Counter
from typing import Final

import numpy as np

from labelingest.assembly.context import AssemblyContext, OutOfRange, Outside, SourceGeometry
from labelingest.assembly.lookalikes import are_joined_rows
from labelingest.columns.types import Bool, Float64, Int64
from labelingest.problems import ProblemCode

__all__ = [
    "FAR",
    "TOLERANCE",
    "are_clipped",
    "check_range",
    "check_reach",
    "count_outside",
    "note_little_deviations",
]

FAR: Final = 1.0
"""Image sides by which geometry may leave the image: what lies farther outside is most often pixels."""
TOLERANCE: Final = 1e-6
"""Fraction of the image by which coordinates may leave it uncounted: the sixth decimal's rounding."""


def check_range(context: AssemblyContext, rows: Int64, cxcywh: Float64, largest: float) -> Bool:
    """Return (r,) boxes with their centre in the image and a possible size; reject the others."""
    centre, size = cxcywh[:, :2], cxcywh[:, 2:4]
    good = np.concatenate(
        ((centre >= -TOLERANCE) & (centre <= 1 + TOLERANCE), (size > 0) & (size <= largest)), axis=1
    )
    keep: Bool = np.logical_and.reduce(good, axis=1)
    for position in context.rows_to_note(~keep):
        number = int(np.argmin(good[position]))
        row = int(rows[position])
        detail = _range_detail(context, row, number, largest)
        context.reject(row, ProblemCode.OUT_OF_RANGE, detail, number)
    return keep


def _range_detail(context: AssemblyContext, row: int, number: int, largest: float) -> str:
    """Return the sentence about a centre or a size that a box cannot have."""
    side, unit = 1.0, "coordinates are fractions of the image, not pixels"
    if context.labels.is_in_pixels:
        size = [int(sides[0]) for sides in context.sizes(np.array([row]))]
        side, unit = size[number % 2], f"the image has {size[0]} × {size[1]} pixels"
    name = ("centre x", "centre y", "width", "height")[number]
    most = side if number < 2 else round(largest, 3) * side
    expected = f"0 to {most:g}" if number < 2 else f"more than 0, at most {most:g}"
    value = float(context.written_values[context.labels.begin[row] + number])
    return f"{name} {value!r} is out of range ({expected}): {unit}"


def check_reach(
    context: AssemblyContext,
    rows: Int64,
    deviation: Float64,
    geometry: SourceGeometry,
    *,
    clips: bool = True,
) -> Bool:
    """Return (r,) rows that may reach as far outside the image as they do; reject the others.

    A row that lies far outside is rejected whatever the option says.

    Parameters
    ----------
    context
        Takes note of the rows that reach outside and are kept.
    rows
        (r,) rows that are checked.
    deviation
        (r,) distance outside the image, in image sides.
    geometry
        What the rows were written as.
    clips
        Whether the geometry can be clipped.
    """
    outside: Bool = deviation >= TOLERANCE
    if not outside.any():
        return ~outside
    is_clipped = clips and context.options.out_of_range == OutOfRange.CLIP
    refused: Bool = outside
    if context.options.out_of_range != OutOfRange.REJECT:
        refused = deviation > FAR
        change = "clipped to the image" if is_clipped else "reaching outside the image, kept"
        noted = rows[outside & ~refused]
        context.outside.append(Outside(noted, np.ones_like(noted), f"{geometry} {change}"))
    for position in context.rows_to_note(refused):
        is_far = deviation[position] > FAR
        code = ProblemCode.FAR_OUTSIDE_IMAGE if is_far else ProblemCode.OUT_OF_RANGE
        detail = (
            f"{geometry.reaches} {deviation[position]:.3g} of the image's side outside the image"
        )
        if is_far:
            detail += f": {_suspicion(context, rows[position], geometry)}"
        context.reject(int(rows[position]), code, detail)
    return ~refused


def count_outside(context: AssemblyContext, is_annotation: Bool) -> Counter[str]:
    """Count the annotations that reach outside the image.

    Called last: only then is it known which of the rows, (n,), were rejected for another cause.
    """
    adjusted: Counter[str] = Counter()
    for outside in context.outside:
        if count := int(outside.count[is_annotation[outside.rows]].sum()):
            adjusted[outside.change] += count
    return adjusted


def are_clipped(context: AssemblyContext, deviation: Float64, *, snaps: bool = True) -> Bool:
    """Return (r,) rows that are clipped to the image.

    Parameters
    ----------
    context
        Knows what the caller asks for.
    deviation
        (r,) distance outside the image, in image sides.
    snaps
        Whether a deviation below the tolerance may be clipped: where it is counted.
    """
    clips = context.options.out_of_range == OutOfRange.CLIP
    mask: Bool = (deviation >= TOLERANCE) & clips
    if snaps and context.options.snap_edges:
        mask |= _deviate_little(deviation)
    return mask


def note_little_deviations(
    context: AssemblyContext, rows: Int64, deviation: Float64, edges: Int64, parts: str
) -> None:
    """Take note of rows that lie outside the image by less than the tolerance.

    Parameters
    ----------
    context
        Takes the note.
    rows
        (r,) rows that are looked at.
    deviation
        (r,) distance outside the image, in image sides.
    edges
        (r,) parts of each row that lie outside.
    parts
        The parts in words, as "box edges".
    """
    little = _deviate_little(deviation)
    if little.any():
        change = (
            "less than a millionth outside the image, clipped to it"
            if context.options.snap_edges
            else "less than a millionth outside the image, kept"
        )
        context.outside.append(Outside(rows[little], edges[little], f"{parts} {change}"))


def _deviate_little(deviation: Float64) -> Bool:
    mask: Bool = (deviation > 0) & (deviation < TOLERANCE)
    return mask


def _suspicion(context: AssemblyContext, row: np.int64, geometry: SourceGeometry) -> str:
    """Return what coordinates far outside the image most often are."""
    if context.labels.is_in_pixels:
        return "are they pixels of an image of another size?"
    if context.labels.doubt and are_joined_rows(context.labels, np.array([row]))[0]:
        return "are these rows of boxes that lost the line ends between them?"
    if geometry is SourceGeometry.POLYGON:
        return "pixels? Declare them with --row-layout polygon-pixels"
    return "pixels? Coordinates are fractions of the image"
