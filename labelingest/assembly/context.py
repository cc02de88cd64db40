"""The context that every step of assembly works on, and the checks that several steps share.

A check returns a mask of the rows that pass, and rejects the others through the context. Conversion
of geometry and formats of files are not known here.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np

from labelingest.assembly.lookalikes import are_joined_rows
from labelingest.columns.types import Bool, Float64, Int64, UInt8
from labelingest.geometry import polygons
from labelingest.model.annotations import ColumnShape
from labelingest.model.source_labels import RowPart, SourceLabels
from labelingest.model.tally import Misfits
from labelingest.model.units import DataUnits
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.of_batch import BatchProblems

__all__ = [
    "FAR",
    "TOLERANCE",
    "AssemblyContext",
    "AssemblyOptions",
    "OutOfRange",
    "Piece",
    "SourceGeometry",
    "check_area",
    "check_range",
    "check_reach",
    "check_size_known",
    "count_conversion",
    "count_outside",
    "make_piece",
    "take_coordinates",
]

FAR: Final = 1.0
"""Image sides by which geometry may leave the image: what lies farther outside is most often pixels."""
TOLERANCE: Final = 1e-6
"""Fraction of the image by which coordinates may leave it uncounted: the sixth decimal's rounding."""


class SourceGeometry(StrEnum):
    """The geometry that a row was written as; the value is its name in sentences and counts."""

    BOX = "box"
    ROTATED_BOX = "rotated box"
    POLYGON = "polygon"
    CORNERS = "corners"

    @property
    def reaches(self) -> str:
        """Subject and verb of the sentence about geometry outside the image."""
        return "the corners reach" if self is SourceGeometry.CORNERS else f"the {self} reaches"


class OutOfRange(StrEnum):
    """The treatment of geometry that reaches outside the image."""

    CLIP = "clip"
    KEEP = "keep"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class AssemblyOptions:
    """Choices of assembly; the defaults are the specification's."""

    out_of_range: OutOfRange = OutOfRange.CLIP
    reject_shape_mismatch: bool = False
    """Reject rows whose kind of geometry is not that of the ontology object."""
    drop_duplicates: bool = False
    """Drop rows that are identical to an earlier one of their file."""
    warn_misfit: float = 0.1
    """Misfit, as a fraction of the longer side, above which corners are "not a rectangle"."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Converted rows: the coordinates of rows[i] are the next lengths[i] numbers."""

    rows: Int64
    lengths: Int64
    coordinates: Float64


@dataclass(frozen=True, slots=True, eq=False)
class Outside:
    """Rows of one geometry that reach outside the image."""

    rows: Int64
    geometry: SourceGeometry
    is_clipped: bool
    """Whether the rows are clipped to the image; they are kept as they are otherwise."""


class Rejection(NamedTuple):
    """The cause for which a row was rejected."""

    code: ProblemCode
    detail: str
    place: int
    """The coordinate that is to blame, or a `RowPart`."""


@dataclass(frozen=True, slots=True, eq=False)
class AssemblyContext:
    """Rows of a batch with everything that a step needs, and what the steps count."""

    labels: SourceLabels
    """(n,) rows with coordinates in fractions of the image."""
    written_values: Float64
    """(v,) the labels' values as written, before pixels became fractions."""
    shape: UInt8
    """(n,) `ColumnShape` of each row."""
    units: DataUnits
    options: AssemblyOptions
    problems: BatchProblems
    originals: set[int] = field(default_factory=set)
    """Rows whose later duplicates are dropped: the cause of their rejection is remembered."""
    rejections: dict[int, Rejection] = field(default_factory=dict)
    """Cause of rejection of each original that was rejected."""
    converted: Counter[str] = field(default_factory=Counter)
    refitted: Misfits = field(default_factory=Misfits)
    outside: list[Outside] = field(default_factory=list)
    """Rows outside the image; they are counted once it is known which became annotations."""

    def problem(self, row: int, code: ProblemCode, detail: str, place: int = 0) -> Problem:
        """Make a problem at a coordinate or a `RowPart` of a row."""
        return Problem(
            code,
            self.units.sidecar[self.labels.unit[row]],
            detail,
            line=int(self.labels.line[row]),
            column=self.labels.column(row, place),
        )

    def rows_to_note(self, bad: Bool) -> list[int]:
        """Return the positions in bad, (r,), whose problems are noted: all that are true, or none."""
        positions: list[int] = self.problems.rows_to_note(np.flatnonzero(bad)).tolist()
        return positions

    def reject(self, row: int, code: ProblemCode, detail: str, place: int = 0) -> None:
        """Reject a row for one cause."""
        if row in self.originals:
            self.rejections[row] = Rejection(code, detail, place)
        unit = int(self.labels.unit[row])
        if self.problems.has_room(unit, code):
            self.problems.reject(unit, self.problem(row, code, detail, place))
        else:
            self.problems.count_rejected(unit, code)

    def drop(self, row: int, code: ProblemCode, detail: str, place: int = 0) -> None:
        """Drop a row as an option demands: it counts as rejected, but not against its file."""
        self.warn(row, code, detail, place)
        self.problems.rejected[code] += 1

    def warn(self, row: int, code: ProblemCode, detail: str, place: int = 0) -> None:
        """Note a problem of a row that is kept."""
        unit = int(self.labels.unit[row])
        if self.problems.has_room(unit, code):
            self.problems.warn(unit, self.problem(row, code, detail, place))
        else:
            self.problems.count_unlisted(unit, code)

    def sizes(self, rows: Int64) -> tuple[Float64, Float64]:
        """Return (r,) image widths and heights of rows, in pixels; -1 where not known."""
        unit = self.labels.unit[rows]
        return self.units.width[unit].astype(float), self.units.height[unit].astype(float)


def take_coordinates(context: AssemblyContext, rows: Int64, count: int) -> Float64:
    """Return (r, count) the first numbers of each row's geometry."""
    positions = context.labels.begin[rows, np.newaxis] + np.arange(count)
    numbers: Float64 = context.labels.values[positions]
    return numbers


def make_piece(rows: Int64, numbers: Float64) -> Piece:
    """Make a piece of rows with equally many coordinates: numbers (r, k)."""
    lengths = np.full(len(rows), numbers.shape[1], dtype=np.int64)
    return Piece(rows, lengths, numbers.reshape(-1))


def count_conversion(
    context: AssemblyContext, source: SourceGeometry, shape: ColumnShape, count: int
) -> None:
    """Count rows whose kind of geometry was changed."""
    if source != shape.label and count:
        context.converted[f"{source} → {shape.label}"] += count


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
        context.outside.append(Outside(rows[outside & ~refused], geometry, is_clipped))
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
        change = (
            "clipped to the image" if outside.is_clipped else "reaching outside the image, kept"
        )
        if count := int(is_annotation[outside.rows].sum()):
            adjusted[f"{outside.geometry} {change}"] += count
    return adjusted


def _suspicion(context: AssemblyContext, row: np.int64, geometry: SourceGeometry) -> str:
    """Return what coordinates far outside the image most often are."""
    if context.labels.is_in_pixels:
        return "are they pixels of an image of another size?"
    if context.labels.doubt and are_joined_rows(context.labels, np.array([row]))[0]:
        return "are these rows of boxes that lost the line ends between them?"
    if geometry is SourceGeometry.POLYGON:
        return "pixels? Declare them with --row-layout polygon-pixels"
    return "pixels? Coordinates are fractions of the image"


def check_area(
    context: AssemblyContext, rows: Int64, vertices: Float64, offsets: Int64, mask: Bool
) -> Bool:
    """Return (r,) rings that enclose an area; reject the others where mask, (r,), is true."""
    flat = polygons.enclosed_area_is_zero(vertices, offsets)
    for position in context.rows_to_note(mask & flat):
        ring = vertices[offsets[position] : offsets[position + 1]].tolist()
        different = len({(x, y) for x, y in ring})
        detail = f"the {len(ring)} vertices enclose no area"
        if different < 3:
            detail = f"{different} different {'vertex' if different == 1 else 'vertices'}; a polygon has at least 3"
        context.reject(int(rows[position]), ProblemCode.DEGENERATE_POLYGON, detail)
    return ~flat


def check_size_known(context: AssemblyContext, rows: Int64) -> Bool:
    """Return (r,) rows whose image's size is known; reject the others."""
    width, height = context.sizes(rows)
    has_size: Bool = (width > 0) & (height > 0)
    for position in context.rows_to_note(~has_size):
        key = context.units.key[context.labels.unit[rows[position]]]
        purpose = (
            "pixels are divided by the image's size"
            if context.labels.is_in_pixels
            else "turning to or from a rotated box happens in pixels"
        )
        detail = (
            f"{purpose}, and the size of {key!r} is not known: its header could not be read, or "
            "sizes are switched off"
        )
        context.reject(int(rows[position]), ProblemCode.IMAGE_SIZE_UNKNOWN, detail, RowPart.START)
    return has_size
