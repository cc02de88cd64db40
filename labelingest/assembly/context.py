"""What every step of assembly works on, and the checks that several of them share."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from labelingest.columns.types import Bool, Float64, Int64, UInt8
from labelingest.geometry import polygons
from labelingest.model.source_labels import SourceLabels
from labelingest.model.tally import Misfits
from labelingest.model.units import DataUnits
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.of_batch import Findings

__all__ = [
    "BOX",
    "FAR",
    "FARTHEST",
    "NAMES",
    "POLYGON",
    "ROTATED",
    "TOLERANCE",
    "AssemblyOptions",
    "Bench",
    "OutOfRange",
    "Outside",
    "Piece",
    "coordinates",
    "count_conversion",
    "encloses_area",
    "has_area",
    "in_range",
    "inside",
    "note_outside",
    "piece_of",
    "sized",
]

BOX, ROTATED, POLYGON = range(3)
NAMES: Final = ("box", "rotated box", "polygon")

FARTHEST: Final = 1e100
"""Coordinates beyond this are refused even where they may leave the image: the products that
geometry makes of them overflow, and a label row has no place for infinity."""
FAR: Final = 1.0
"""Image sides by which geometry may leave the image before pixels are suspected."""
TOLERANCE: Final = 1e-6
"""Fraction of the image by which coordinates may leave it uncounted: the sixth decimal's rounding."""


class OutOfRange(StrEnum):
    """What happens to geometry that reaches outside the image."""

    CLIP = "clip"
    KEEP = "keep"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class AssemblyOptions:
    """Choices in the making of annotations; the defaults are the specification's."""

    out_of_range: str = OutOfRange.CLIP
    reject_shape_mismatch: bool = False
    """Reject rows whose kind of geometry is not that of the ontology object."""
    drop_duplicates: bool = False
    """Drop rows that are identical to an earlier one of their file."""
    warn_misfit: float = 0.1
    """Misfit, as a fraction of the longer side, above which corners are "not a rectangle"."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Finished rows: coordinates of rows[i] are the next lengths[i] numbers."""

    rows: Int64
    lengths: Int64
    coordinates: Float64


@dataclass(frozen=True, slots=True, eq=False)
class Outside:
    """Rows that reach outside the image, by deviation in image sides, and what is done to them."""

    rows: Int64
    deviation: Float64
    name: str
    is_clipped: bool


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """What every step works on."""

    labels: SourceLabels
    shape: UInt8
    """(n,) position of each row's shape in `SHAPES`."""
    units: DataUnits
    options: AssemblyOptions
    findings: Findings
    converted: Counter[str] = field(default_factory=Counter)
    refitted: Misfits = field(default_factory=Misfits)
    outside: list["Outside"] = field(default_factory=list)
    """What reaches outside the image; noted for good when its rows became annotations."""

    def problem(self, row: int, code: ProblemCode, detail: str, number: int | None = 0) -> Problem:
        """Make a problem at a coordinate of a row; at its class number when None."""
        return Problem(
            code,
            self.units.sidecar[self.labels.unit[row]],
            detail,
            line=int(self.labels.line[row]),
            column=self.labels.column(row, number),
        )

    def rows_to_note(self, bad: Bool) -> list[int]:
        """Return the places of bad rows whose problems are noted: all of them, or none."""
        places: list[int] = self.findings.rows_to_note(np.flatnonzero(bad)).tolist()
        return places

    def reject(self, row: int, code: ProblemCode, detail: str, number: int | None = 0) -> None:
        """Drop a row for one cause."""
        unit = int(self.labels.unit[row])
        if self.findings.lists(unit, code):
            self.findings.reject(unit, self.problem(row, code, detail, number))
        else:
            self.findings.count_rejected(unit, code)

    def drop(self, row: int, code: ProblemCode, detail: str, number: int | None = 0) -> None:
        """Drop a row because that was asked for: it is counted, but speaks not against its file."""
        self.warn(row, code, detail, number)
        self.findings.rejected[code] += 1

    def warn(self, row: int, code: ProblemCode, detail: str, number: int | None = 0) -> None:
        """Note something about a row that is kept."""
        unit = int(self.labels.unit[row])
        if self.findings.lists(unit, code):
            self.findings.warn(unit, self.problem(row, code, detail, number))
        else:
            self.findings.count_unlisted(unit, code)

    def sizes(self, rows: Int64) -> tuple[Float64, Float64]:
        """Return (r,) image widths and heights of rows, in pixels; -1 where not known."""
        unit = self.labels.unit[rows]
        return self.units.width[unit].astype(float), self.units.height[unit].astype(float)


def coordinates(bench: Bench, rows: Int64, count: int) -> Float64:
    """Return (r, count) the first numbers of each row's geometry."""
    at = bench.labels.begin[rows, np.newaxis] + np.arange(count)
    numbers: Float64 = bench.labels.values[at]
    return numbers


def piece_of(rows: Int64, numbers: Float64) -> Piece:
    """Make a piece of rows that all have as many coordinates: numbers (r, k)."""
    lengths = np.full(len(rows), numbers.shape[1], dtype=np.int64)
    return Piece(rows, lengths, numbers.reshape(-1))


def count_conversion(bench: Bench, source: str, shape: int, count: int) -> None:
    """Count rows whose kind of geometry was changed."""
    if source != NAMES[shape] and count:
        bench.converted[f"{source} → {NAMES[shape]}"] += count


def in_range(bench: Bench, rows: Int64, cxcywh: Float64, largest: float) -> Bool:
    """Return (r,) boxes with their centre in the image and a possible size; reject the others."""
    centre, size = cxcywh[:, :2], cxcywh[:, 2:4]
    good = np.concatenate(
        ((centre >= -TOLERANCE) & (centre <= 1 + TOLERANCE), (size > 0) & (size <= largest)), axis=1
    )
    keep: Bool = np.logical_and.reduce(good, axis=1)
    for at in bench.rows_to_note(~keep):
        number = int(np.argmin(good[at]))
        name = ("centre x", "centre y", "width", "height")[number]
        expected = "0 to 1" if number < 2 else "more than 0"
        if number >= 2:
            expected += f", at most {largest:.3g}"
        detail = (
            f"{name} {float(cxcywh[at, number])!r} is out of range ({expected}): coordinates are "
            "fractions of the image, not pixels"
        )
        bench.reject(int(rows[at]), ProblemCode.OUT_OF_RANGE, detail, number)
    return keep


def inside(
    bench: Bench, rows: Int64, deviation: Float64, name: str, *, clipped: bool = True
) -> Bool:
    """Note rows that reach outside the image by deviation (r,); return (r,) which to keep."""
    outside: Bool = deviation >= TOLERANCE
    if not outside.any():
        return ~outside
    is_clipped = clipped and bench.options.out_of_range == OutOfRange.CLIP
    refused = outside
    if bench.options.out_of_range != OutOfRange.REJECT:
        refused = np.zeros(len(rows), dtype=bool) if is_clipped else deviation > FARTHEST
        noted = outside & ~refused
        bench.outside.append(Outside(rows[noted], deviation[noted], name, is_clipped))
    for at in bench.rows_to_note(refused):
        reaches = "reach" if name == "corners" else "reaches"
        detail = f"the {name} {reaches} {deviation[at]:.3g} of the image's side outside the image"
        bench.reject(int(rows[at]), ProblemCode.OUT_OF_RANGE, detail)
    return ~refused


def note_outside(bench: Bench, made: Bool) -> Counter[str]:
    """Count what reaches outside the image among the rows (n,) that were made; warn of the far.

    Only now is it known which rows were not rejected for something else.
    """
    adjusted: Counter[str] = Counter()
    for outside in bench.outside:
        name, is_made = outside.name, made[outside.rows]
        what = "clipped to the image" if outside.is_clipped else "reaching outside the image, kept"
        if count := int(is_made.sum()):
            adjusted[f"{name} {what}"] += count
        reaches = "reach" if name == "corners" else "reaches"
        become = "are" if name == "corners" else "is"
        done = f"{become} {'clipped to it' if outside.is_clipped else 'kept'}"
        for at in bench.rows_to_note(is_made & (outside.deviation > FAR)):
            detail = (
                f"the {name} {reaches} {outside.deviation[at]:.3g} times the image's side outside "
                f"the image, and {done}: pixels? Coordinates are fractions of the image"
            )
            bench.warn(int(outside.rows[at]), ProblemCode.FAR_OUTSIDE_IMAGE, detail)
    return adjusted


def encloses_area(
    bench: Bench, rows: Int64, vertices: Float64, offsets: Int64, among: Bool
) -> Bool:
    """Return (r,) rings that enclose an area; reject the others that are among (r,)."""
    few, flat = _flaws(vertices, offsets)
    for at in bench.rows_to_note(among & (few | flat)):
        ring = vertices[offsets[at] : offsets[at + 1]].tolist()
        if few[at]:
            different = len({(x + 0.0, y + 0.0) for x, y in ring})
            detail = f"{different} different {'vertex' if different == 1 else 'vertices'}; a polygon has at least 3"
        else:
            detail = f"the {len(ring)} vertices enclose no area"
        bench.reject(int(rows[at]), ProblemCode.DEGENERATE_POLYGON, detail)
    good: Bool = ~(few | flat)
    return good


def has_area(vertices: Float64, offsets: Int64) -> Bool:
    """Return (r,) rings that enclose an area; reject nothing."""
    few, flat = _flaws(vertices, offsets)
    good: Bool = ~(few | flat)
    return good


def _flaws(vertices: Float64, offsets: Int64) -> tuple[Bool, Bool]:
    few: Bool = polygons.different_vertices(vertices, offsets) < 3
    return few, polygons.enclosed_area_is_zero(vertices, offsets)


def sized(bench: Bench, rows: Int64) -> Bool:
    """Return (r,) rows whose image's size is known; reject the others."""
    width, height = bench.sizes(rows)
    known: Bool = (width > 0) & (height > 0)
    for at in bench.rows_to_note(~known):
        key = bench.units.key[bench.labels.unit[rows[at]]]
        detail = (
            f"turning to or from a rotated box happens in pixels, and the size of {key!r} is not "
            "known: its header could not be read, or sizes are switched off"
        )
        bench.reject(int(rows[at]), ProblemCode.IMAGE_SIZE_UNKNOWN, detail, number=None)
    return known
