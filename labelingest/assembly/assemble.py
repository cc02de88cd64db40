"""Assemble annotations: rows of one kind and one target shape are converted together.

1. reject rows whose numbers contradict the row layout, or whose geometry is not the object's;
2. find duplicates;
3. convert the valid rows, grouped by the step that their geometry and target shape need;
4. drop duplicates of annotations, or warn of them;
5. put the converted rows back into the order of the source, and count what was changed.

The conversions themselves are in `boxes`, `rotated_boxes` and `polygons`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Final

import numpy as np
from msgspec import Struct

from labelingest.assembly.boxes import convert_boxes
from labelingest.assembly.context import AssemblyContext, AssemblyOptions, Piece, check_size_known
from labelingest.assembly.pixels import labels_in_fractions
from labelingest.assembly.polygons import convert_rings
from labelingest.assembly.reach import count_outside
from labelingest.assembly.rotated_boxes import convert_corners, convert_rotated_boxes
from labelingest.columns import ragged
from labelingest.columns.fingerprints import mix, row_fingerprints
from labelingest.columns.types import Bool, Int32, Int64, UInt8, UInt64
from labelingest.model.annotations import Annotations, ColumnShape, column_shapes
from labelingest.model.ontology import OntologyObject
from labelingest.model.source_labels import RowPart, SourceKind, SourceLabels
from labelingest.model.tally import Misfits
from labelingest.model.units import DataUnits
from labelingest.problems import ProblemCode
from labelingest.problems.of_batch import BatchProblems

__all__ = ["Assembled", "assemble", "sizes_needed"]


class _Step(IntEnum):
    """The conversion that a row needs."""

    BOX = 0
    CORNERS = 1
    """Four corners for a rotated box."""
    ROTATED_BOX = 2
    RING = 3


_CONVERSIONS: Final[Mapping[_Step, Callable[[AssemblyContext, Int64], list[Piece]]]] = {
    _Step.BOX: convert_boxes,
    _Step.CORNERS: convert_corners,
    _Step.ROTATED_BOX: convert_rotated_boxes,
    _Step.RING: convert_rings,
}


class Assembled(Struct, frozen=True, eq=False):
    """Annotations of a batch and counts of what was changed to get them."""

    annotations: Annotations
    converted: Counter[str]
    adjusted: Counter[str]
    refitted: Misfits


def sizes_needed(labels: SourceLabels, feature: Int32, objects: Sequence[OntologyObject]) -> Bool:
    """Return (n,) whether a row can become its shape only with the image's size in pixels.

    Turning happens in pixels; geometry that stays as it is, or stays upright, needs no size.
    Coordinates in pixels always need it.
    """
    if labels.is_in_pixels:
        return np.ones(len(labels), dtype=bool)
    rotated_objects = column_shapes(objects) == ColumnShape.ROTATED_BOX
    is_rotated: Bool = labels.kind == SourceKind.ROTATED_BOX
    if not (rotated_objects.any() or is_rotated.any()):
        return is_rotated
    is_upright = labels.kind <= SourceKind.BOX_AND_NUMBER
    needed: Bool = np.where(rotated_objects[feature], ~is_rotated & ~is_upright, is_rotated)
    rows = np.flatnonzero(is_rotated)
    # How far a box reaches that is longer than the image's side is known in pixels only.
    sides = labels.values[labels.begin[rows, np.newaxis] + np.arange(2, 4)]
    needed[rows] |= sides.max(axis=1, initial=0.0) > 1
    return needed


def assemble(
    labels: SourceLabels,
    feature: Int32,
    objects: Sequence[OntologyObject],
    units: DataUnits,
    options: AssemblyOptions,
    problems: BatchProblems,
    same_as: Int32 | None = None,
) -> Assembled:
    """Turn source labels into annotations of the shapes that their ontology objects have.

    Parameters
    ----------
    labels
        (n,) rows as read.
    feature
        (n,) row of each row's object in objects, whose shape is a `ColumnShape`.
    objects
        The ontology's objects.
    units
        Sizes of the images, where known, and names for problems.
    options
        Choices.
    problems
        Takes the rows that cannot become annotations.
    same_as
        (n,) line of the identical row before each, 0 for none, where labels are a part of a file
        and duplicates are known of annotations only; None where labels are whole files.
    """
    shape = column_shapes(objects)[feature]
    content = row_fingerprints(labels.values, labels.first, labels.columns)
    context = AssemblyContext(
        labels=labels_in_fractions(labels, units),
        written_values=labels.values,
        shape=shape,
        units=units,
        options=options,
        problems=problems,
    )
    valid = _check_confidence(context)
    if options.reject_shape_mismatch:
        valid &= _check_shape(context, valid)
    if same_as is None:
        duplicates = _find_duplicates(labels, content, valid)
        lines = {row: int(labels.line[original]) for row, original in duplicates.items()}
    else:
        duplicates = {}
        lines = {row: int(same_as[row]) for row in np.flatnonzero(same_as).tolist()}
    if options.drop_duplicates:
        valid[list(lines)] = False
        context.originals.update(duplicates.values())
    pieces = _convert(context, valid)
    is_annotation = _rows_of(pieces, len(labels))
    if options.drop_duplicates:
        _drop_duplicates(context, lines, duplicates)
    else:
        _warn_of_duplicates(context, lines, is_annotation)
    annotations = _merge(labels, feature, content, pieces, is_annotation)
    adjusted = count_outside(context, is_annotation)
    return Assembled(annotations, context.converted, adjusted, context.refitted)


def _steps(labels: SourceLabels, shape: UInt8) -> UInt8:
    """Return (n,) the `_Step` that each row needs to get its `ColumnShape`, (n,)."""
    kind = labels.kind
    steps = np.full(len(kind), _Step.RING, dtype=np.uint8)
    steps[kind <= SourceKind.BOX_AND_NUMBER] = _Step.BOX
    steps[kind == SourceKind.ROTATED_BOX] = _Step.ROTATED_BOX
    corners = (kind == SourceKind.CORNERS) | (kind == SourceKind.QUAD)
    steps[corners & (shape == ColumnShape.ROTATED_BOX)] = _Step.CORNERS
    return steps


def _convert(context: AssemblyContext, valid: Bool) -> list[Piece]:
    """Convert the valid rows, (n,), grouped by the step that they need."""
    steps = _steps(context.labels, context.shape)
    if context.labels.is_in_pixels:
        rows = np.flatnonzero(valid)
        valid[rows] = check_size_known(context, rows)
    pieces = []
    for step, convert in _CONVERSIONS.items():
        rows = np.flatnonzero((steps == step) & valid)
        if len(rows):
            pieces += convert(context, rows)
    return pieces


def _rows_of(pieces: Sequence[Piece], count: int) -> Bool:
    """Return (n,) rows that became annotations, of a count of n rows."""
    is_annotation = np.zeros(count, dtype=bool)
    for piece in pieces:
        is_annotation[piece.rows] = True
    return is_annotation


def _check_confidence(context: AssemblyContext) -> Bool:
    """Return (n,) rows whose numbers beside the geometry make sense; reject the others."""
    labels = context.labels
    unclear = labels.kind == SourceKind.BOX_AND_NUMBER
    unclear &= context.shape == ColumnShape.ROTATED_BOX
    for row in context.rows_to_note(unclear):
        detail = (
            "6 columns for a rotated box: is the last a confidence or an angle? Declare the row "
            "layout: box+confidence or xywhr"
        )
        context.reject(row, ProblemCode.AMBIGUOUS_COLUMNS, detail, RowPart.CONFIDENCE)
    wrong = ~unclear & ((labels.confidence < 0) | (labels.confidence > 1))
    for row in context.rows_to_note(wrong):
        detail = (
            f"{float(labels.confidence[row])!r} was read as a confidence, which is 0 to 1: if it "
            "is something else, declare the row layout"
        )
        context.reject(row, ProblemCode.BAD_CONFIDENCE, detail, RowPart.CONFIDENCE)
    valid: Bool = ~unclear & ~wrong
    return valid


def _check_shape(context: AssemblyContext, mask: Bool) -> Bool:
    """Return (n,) rows that have their object's shape; reject the others where mask is true."""
    unconverted = _shape_as_read(context)
    is_same: Bool = unconverted == context.shape
    for row in context.rows_to_note(mask & ~is_same):
        shape, wanted_shape = ColumnShape(unconverted[row]), ColumnShape(context.shape[row])
        detail = f"the row is a {shape.label}, its ontology object a {wanted_shape.label}"
        context.reject(row, ProblemCode.SHAPE_MISMATCH, detail)
    return is_same


def _shape_as_read(context: AssemblyContext) -> UInt8:
    """Return (n,) the `ColumnShape` that each row would have without conversion."""
    kind = context.labels.kind
    shape = np.full(len(kind), ColumnShape.POLYGON, dtype=np.uint8)
    shape[kind <= SourceKind.BOX_AND_NUMBER] = ColumnShape.BOX
    shape[(kind == SourceKind.CORNERS) | (kind == SourceKind.ROTATED_BOX)] = ColumnShape.ROTATED_BOX
    # Eight numbers are corners for a rotated box and four vertices for everything else.
    is_quad = kind == SourceKind.QUAD
    shape[is_quad & (context.shape == ColumnShape.ROTATED_BOX)] = ColumnShape.ROTATED_BOX
    return shape


def _find_duplicates(labels: SourceLabels, content: UInt64, valid: Bool) -> dict[int, int]:
    """Return valid row → the first identical row of its file, for rows that have one before them."""
    key = mix(content ^ mix(labels.unit.astype(np.uint64)))
    order = np.argsort(key, kind="stable")
    same = key[order[1:]] == key[order[:-1]]
    duplicates: dict[int, int] = {}
    if not same.any():
        return duplicates
    first: dict[tuple[int, bytes], int] = {}
    for row in np.sort(np.union1d(order[1:][same], order[:-1][same])).tolist():
        begin = int(labels.first[row])
        numbers = labels.values[begin : begin + int(labels.columns[row])].tobytes()
        original = first.setdefault((int(labels.unit[row]), numbers), row)
        if original != row and valid[row]:
            duplicates[row] = original
    return duplicates


def _drop_duplicates(
    context: AssemblyContext, lines: Mapping[int, int], duplicates: Mapping[int, int]
) -> None:
    """Drop the duplicates of annotations; reject duplicates of rejected rows for the same cause.

    Parameters
    ----------
    context
        Knows why the originals were rejected.
    lines
        Row → line of the identical row before it.
    duplicates
        Row → the identical row, where labels are whole files.
    """
    for row, line in lines.items():
        rejection = context.rejections.get(duplicates.get(row, -1))
        if rejection is None:
            detail = f"identical to line {line}: dropped"
            context.drop(row, ProblemCode.DUPLICATE_ROW, detail, RowPart.START)
        else:
            context.reject(row, *rejection)


def _warn_of_duplicates(
    context: AssemblyContext, lines: Mapping[int, int], is_annotation: Bool
) -> None:
    """Warn of the duplicates that became annotations; the others were rejected themselves."""
    for row, line in lines.items():
        if is_annotation[row]:
            detail = f"identical to line {line}: kept"
            context.warn(row, ProblemCode.DUPLICATE_ROW, detail, RowPart.START)


def _merge(
    labels: SourceLabels,
    feature: Int32,
    content: UInt64,
    pieces: Sequence[Piece],
    is_annotation: Bool,
) -> Annotations:
    """Put the converted rows, where is_annotation (n,) is true, back into the source's order."""
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
        unit=labels.unit[is_annotation],
        feature=feature[is_annotation],
        line=labels.line[is_annotation],
        confidence=labels.confidence[is_annotation],
        coordinates=coordinates,
        offsets=ragged.offsets_from_lengths(lengths[is_annotation]),
        content=content[is_annotation],
    )
