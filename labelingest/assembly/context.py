"""The context that every step of assembly works on, and the checks that several steps share.

A check returns a mask of the rows that pass, and rejects the others through the context. Conversion
of geometry and formats of files are not known here.
"""

from collections import Counter
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from msgspec import Struct, field

from labelingest.columns.types import Bool, Float64, Int64, UInt8
from labelingest.geometry import polygons
from labelingest.model.annotations import ColumnShape
from labelingest.model.source_labels import RowPart, SourceLabels
from labelingest.model.tally import Misfits
from labelingest.model.units import DataUnits
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.of_batch import BatchProblems

__all__ = [
    "AssemblyContext",
    "AssemblyOptions",
    "OutOfRange",
    "Piece",
    "SourceGeometry",
    "check_area",
    "check_size_known",
    "count_conversion",
    "make_piece",
    "take_coordinates",
]


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


class AssemblyOptions(Struct, frozen=True):
    """Choices of assembly; the defaults are the specification's."""

    out_of_range: OutOfRange = OutOfRange.CLIP
    reject_shape_mismatch: bool = False
    """Reject rows whose kind of geometry is not that of the ontology object."""
    drop_duplicates: bool = False
    """Drop rows that are identical to an earlier one of their file."""
    snap_edges: bool = False
    """Clip edges that lie less than a millionth of the image outside, too."""
    warn_misfit: float = 0.1
    """Misfit, as a fraction of the longer side, above which corners are "not a rectangle"."""


class Piece(Struct, frozen=True, eq=False):
    """Converted rows: the coordinates of rows[i] are the next lengths[i] numbers."""

    rows: Int64
    lengths: Int64
    coordinates: Float64


class Outside(Struct, frozen=True, eq=False):
    """Rows that reach outside the image, and what becomes of them."""

    rows: Int64
    count: Int64
    """(r,) what is counted of each row: 1 for the row itself, or the number of its edges."""
    change: str
    """What is counted, in words."""


class Rejection(NamedTuple):
    """The cause for which a row was rejected."""

    code: ProblemCode
    detail: str
    place: int
    """The coordinate that is to blame, or a `RowPart`."""


class AssemblyContext(Struct, frozen=True, eq=False):
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
