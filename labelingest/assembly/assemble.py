"""Pick, for all rows of one kind and one wanted shape at once, the step that converts them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from labelingest.assembly.boxes import from_boxes
from labelingest.assembly.context import (
    BOX,
    NAMES,
    POLYGON,
    ROTATED,
    AssemblyOptions,
    Bench,
    Piece,
    note_outside,
)
from labelingest.assembly.polygons import from_rings
from labelingest.assembly.rotated_boxes import from_corners, from_turned
from labelingest.columns import ragged
from labelingest.columns.fingerprints import mix, row_fingerprints
from labelingest.columns.types import Bool, Int32, Int64, UInt8, UInt64
from labelingest.model.annotations import Annotations, shape_positions
from labelingest.model.ontology import OntologyObject
from labelingest.model.source_labels import SourceKind, SourceLabels
from labelingest.model.tally import Misfits
from labelingest.model.units import DataUnits
from labelingest.problems import ProblemCode
from labelingest.problems.of_batch import Findings

__all__ = ["Assembled", "assemble", "sizes_needed"]


@dataclass(frozen=True, slots=True, eq=False)
class Assembled:
    """Annotations of a batch and what was changed to get them."""

    annotations: Annotations
    converted: Counter[str]
    adjusted: Counter[str]
    refitted: Misfits


def sizes_needed(labels: SourceLabels, feature: Int32, objects: Sequence[OntologyObject]) -> Bool:
    """Return (n,) whether a row can become its shape only with the image's size in pixels.

    Turning happens in pixels; whatever stays as it was, or stays upright, needs no size.
    """
    upright = labels.kind <= SourceKind.BOX_AND_NUMBER
    turned = labels.kind == SourceKind.ROTATED_BOX
    rotated_wanted = shape_positions(objects)[feature] == ROTATED
    needed: Bool = np.where(rotated_wanted, ~upright & ~turned, turned)
    return needed


def assemble(
    labels: SourceLabels,
    feature: Int32,
    objects: Sequence[OntologyObject],
    units: DataUnits,
    options: AssemblyOptions,
    findings: Findings,
    same_as: Int32 | None = None,
) -> Assembled:
    """Turn source labels into annotations of the shapes that their ontology objects have.

    Parameters
    ----------
    labels
        (n,) rows as written.
    feature
        (n,) row of each one's object in objects, whose shape is one of `SHAPES`.
    objects
        The ontology's objects.
    units
        Sizes of the images, where known, and names for problems.
    options
        Choices.
    findings
        Takes the rows that cannot become annotations.
    same_as
        (n,) line of the identical row before each, 0 for none, where labels are a part of a file
        and only rows that become annotations are told; None where they are whole files.
    """
    bench = Bench(labels, shape_positions(objects)[feature], units, options, findings)
    good = _confident(bench)
    if options.reject_shape_mismatch:
        good &= _same_kind(bench, good)
    content = row_fingerprints(labels.values, labels.class_at, labels.columns)
    duplicates = _duplicates(bench, content, good) if same_as is None else {}
    line = {row: int(labels.line[original]) for row, original in duplicates.items()}
    if same_as is not None:
        line = {row: int(same_as[row]) for row in np.flatnonzero(same_as).tolist()}
    if options.drop_duplicates:
        good[list(line)] = False
    pieces = _converted(bench, good)
    made = _made(bench, pieces)
    if options.drop_duplicates:
        _drop(bench, line, {row: o for row, o in duplicates.items() if not made[o]})
    else:
        _warn_of(bench, line, made)
    annotations = _merge(bench, feature, content, pieces, made)
    adjusted = note_outside(bench, made)
    return Assembled(annotations, bench.converted, adjusted, bench.refitted)


def _converted(bench: Bench, good: Bool) -> list[Piece]:
    """Let the good rows, (n,), go each its way."""
    return [
        piece
        for step, mask in _steps(bench)
        if len(rows := np.flatnonzero(mask & good))
        for piece in step(bench, rows)
    ]


def _made(bench: Bench, pieces: Sequence[Piece]) -> Bool:
    """Return (n,) rows that became annotations."""
    made = np.zeros(len(bench.labels), dtype=bool)
    for piece in pieces:
        made[piece.rows] = True
    return made


def _confident(bench: Bench) -> Bool:
    """Return (n,) rows whose numbers beside the geometry make sense; reject the others."""
    labels = bench.labels
    unclear = (labels.kind == SourceKind.BOX_AND_NUMBER) & (bench.shape == ROTATED)
    for row in bench.rows_to_note(unclear):
        detail = (
            "6 columns for a rotated box: is the last a confidence or an angle? Declare the row "
            "layout: box+confidence or xywhr"
        )
        bench.reject(row, ProblemCode.AMBIGUOUS_COLUMNS, detail, number=4)
    wrong = ~unclear & ((labels.confidence < 0) | (labels.confidence > 1))
    for row in bench.rows_to_note(wrong):
        detail = (
            f"{float(labels.confidence[row])!r} was read as a confidence, which is 0 to 1: if it "
            "is something else, declare the row layout"
        )
        bench.reject(row, ProblemCode.BAD_CONFIDENCE, detail, number=None)
    good: Bool = ~unclear & ~wrong
    return good


def _kinds(bench: Bench) -> UInt8:
    """Return (n,) the shape each row would be without conversion."""
    labels = bench.labels
    kind = np.full(len(labels), POLYGON, dtype=np.uint8)
    kind[labels.kind <= SourceKind.BOX_AND_NUMBER] = BOX
    kind[(labels.kind == SourceKind.CORNERS) | (labels.kind == SourceKind.ROTATED_BOX)] = ROTATED
    # Eight numbers are corners for a rotated box and four vertices for everything else.
    kind[(labels.kind == SourceKind.QUAD) & (bench.shape == ROTATED)] = ROTATED
    return kind


def _same_kind(bench: Bench, good: Bool) -> Bool:
    kind = _kinds(bench)
    same: Bool = kind == bench.shape
    for row in bench.rows_to_note(good & ~same):
        detail = f"the row is a {NAMES[kind[row]]}, its ontology object a {NAMES[bench.shape[row]]}"
        bench.reject(row, ProblemCode.SHAPE_MISMATCH, detail)
    return same


def _duplicates(bench: Bench, content: UInt64, good: Bool) -> dict[int, int]:
    """Return the good rows that are identical to an earlier one of their file, each with that."""
    labels = bench.labels
    key = mix(content ^ mix(labels.unit.astype(np.uint64)))
    order = np.argsort(key, kind="stable")
    same = key[order[1:]] == key[order[:-1]]
    found: dict[int, int] = {}
    if not same.any():
        return found
    first: dict[tuple[int, bytes], int] = {}
    for row in np.sort(np.union1d(order[1:][same], order[:-1][same])).tolist():
        begin = int(labels.class_at[row])
        numbers = labels.values[begin : begin + int(labels.columns[row])].tobytes()
        original = first.setdefault((int(labels.unit[row]), numbers), row)
        if original != row and good[row]:
            found[row] = original
    return found


def _drop(bench: Bench, line: Mapping[int, int], unmade: Mapping[int, int]) -> None:
    """Drop the duplicates of annotations; those of rejected rows are rejected for the same cause.

    Parameters
    ----------
    bench
        What every step works on.
    line
        Row → line of the identical row before it.
    unmade
        The rows among them whose identical row became no annotation.
    """
    rejected = np.zeros(len(bench.labels), dtype=bool)
    rejected[list(unmade)] = True
    for row, original in line.items():
        if row not in unmade:
            detail = f"identical to line {original}: dropped"
            bench.drop(row, ProblemCode.DUPLICATE_ROW, detail, number=None)
    # Equal rows of one file have one fate: nothing comes of these, but each says why.
    _converted(bench, rejected)


def _warn_of(bench: Bench, line: Mapping[int, int], made: Bool) -> None:
    """Name the duplicates that became annotations; the others were rejected for themselves."""
    for row, original in line.items():
        if made[row]:
            detail = f"identical to line {original}: kept"
            bench.warn(row, ProblemCode.DUPLICATE_ROW, detail, number=None)


def _steps(bench: Bench) -> tuple[tuple[Callable[[Bench, Int64], list[Piece]], Bool], ...]:
    """Return each way to make annotations with the (n,) rows that go it; every row goes one."""
    kind = bench.labels.kind
    upright = kind <= SourceKind.BOX_AND_NUMBER
    turned = kind == SourceKind.ROTATED_BOX
    corners = (kind == SourceKind.CORNERS) | (kind == SourceKind.QUAD)
    corners &= bench.shape == ROTATED
    return (
        (from_boxes, upright),
        (from_corners, corners),
        (from_turned, turned),
        (from_rings, ~upright & ~corners & ~turned),
    )


def _merge(
    bench: Bench, feature: Int32, content: UInt64, pieces: Sequence[Piece], made: Bool
) -> Annotations:
    """Put the finished rows, those where made (n,), back into the order of the source."""
    labels = bench.labels
    lengths = np.zeros(len(labels), dtype=np.int64)
    for piece in pieces:
        lengths[piece.rows] = piece.lengths
    begin = ragged.offsets_from_lengths(lengths)
    if len(pieces) == 1:
        coordinates = pieces[0].coordinates
    else:
        coordinates = np.empty(int(begin[-1]))
        for piece in pieces:
            coordinates[ragged.gather(begin[piece.rows], piece.lengths)] = piece.coordinates
    return Annotations(
        unit=labels.unit[made],
        feature=feature[made],
        line=labels.line[made],
        confidence=labels.confidence[made],
        coordinates=coordinates,
        offsets=ragged.offsets_from_lengths(lengths[made]),
        content=content[made],
    )
