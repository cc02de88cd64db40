"""YOLO rows → source labels: a class number, then the numbers of a box, a ring or corners.

Steps: text in UTF-8 → rows and tokens (`plain_tokens.py`, for other text `tokens.py`) → numbers
(`numbers.py`), a `Sheet` (`sheet.py`) → class number, coordinates and confidence of each row
(`layouts.py`). Bad rows are explained by `explain.py`.

Refuses to know what class numbers mean, and which geometry is wanted.
"""

from collections import Counter

import numpy as np
from msgspec.structs import replace

from labelingest.columns.types import Bool
from labelingest.model.blobs import Blobs
from labelingest.model.source_labels import SourceLabels
from labelingest.model.units import DataUnits
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.of_batch import BatchProblems
from labelingest.readers.yolo.contradictions import contradictions
from labelingest.readers.yolo.explain import RowExplainer, class_tokens
from labelingest.readers.yolo.layouts import RowCut, YoloOptions, cut_rows
from labelingest.readers.yolo.numbers import numbers_from_tokens
from labelingest.readers.yolo.plain_tokens import plain_rows
from labelingest.readers.yolo.sheet import ReadResult, Sheet, is_class_number
from labelingest.readers.yolo.tokens import Rows, as_utf8, rows_of

__all__ = ["read", "read_sheet", "sheet_of"]


def read(
    blobs: Blobs, units: DataUnits, options: YoloOptions, problems: BatchProblems
) -> ReadResult:
    r"""Read the sidecars of a batch.

    Parameters
    ----------
    blobs
        (u,) contents of the sidecars, as stored; the unread ones are left alone.
    units
        (u,) the data units; they name the sidecars in problems.
    options
        Meaning of the columns.
    problems
        Container of the rows and files that cannot be read.

    Examples
    --------
    >>> units = DataUnits.from_keys(["a.jpg"], ["a.txt"], np.zeros(1, np.int64))
    >>> problems = BatchProblems()
    >>> text = b"7 .5 .5 .2 .4\n7 .5 .5 .2 x"
    >>> labels = read(Blobs.from_contents([text]), units, YoloOptions(), problems).labels
    >>> labels.line.tolist(), labels.class_number.tolist()
    ([1], [7])
    >>> print(problems.in_order()[0])
    a.txt:2:12: not-a-number: 'x' is not a number
    """
    blobs, not_text = as_utf8(blobs)
    for unit, reason in not_text.items():
        problems.fail(unit, Problem(ProblemCode.NOT_TEXT, units.sidecar[unit], reason))
    return read_sheet(sheet_of(blobs), units, options, problems)


def sheet_of(blobs: Blobs, lines_before: int = 0) -> Sheet:
    """Split text in UTF-8 into rows, and read their numbers.

    Parameters
    ----------
    blobs
        Contents without byte order marks.
    lines_before
        Lines before the only content, in the file that it is a slice of.
    """
    rows, tokens = plain_rows(blobs) or rows_of(blobs)
    has_comments = len(tokens.start) > int(rows.count.sum())
    in_rows = _is_in_row(rows, len(tokens.start)) if has_comments else None
    values = numbers_from_tokens(blobs.buffer, tokens, in_rows)
    if lines_before:
        rows = replace(rows, line=rows.line + np.int32(lines_before))
    return Sheet(blobs, rows, tokens, values)


def _is_in_row(rows: Rows, tokens: int) -> Bool:
    """Return (t,) whether each token is one of a row; the others are those of comments."""
    change = np.zeros(tokens + 1, dtype=np.int64)
    change[rows.first] += 1
    change[rows.first + rows.count] -= 1
    in_rows: Bool = np.cumsum(change[:-1]) > 0
    return in_rows


def read_sheet(
    sheet: Sheet, units: DataUnits, options: YoloOptions, problems: BatchProblems
) -> ReadResult:
    """Read rows with known numbers.

    Parameters
    ----------
    sheet
        The rows.
    units, options, problems
        As in `read`.
    """
    cut = cut_rows(sheet.rows.count, options)
    explainer = RowExplainer(sheet, cut, units, problems)
    is_readable = _is_readable(sheet, cut)
    explainer.reject_unreadable(np.flatnonzero(~is_readable))
    explainer.reject_misfits(np.flatnonzero(is_readable & ~cut.fits))
    valid = is_readable & cut.fits
    for contradiction in contradictions(sheet, cut, options, valid):
        explainer.reject_contradictions(*contradiction)
        valid[contradiction.rows] = False
    dropped = Counter({cut.dropped: int(valid.sum())} if cut.dropped else {})
    rows_seen = np.bincount(sheet.rows.unit, minlength=len(units))
    return ReadResult(_labels(sheet, valid, cut), rows_seen, dropped)


def _is_readable(sheet: Sheet, cut: RowCut) -> Bool:
    """Return (r,) whether a row has a class number and only finite numbers."""
    rows = sheet.rows
    is_readable = is_class_number(sheet.values[class_tokens(sheet, cut)])
    if cut.class_column:
        is_readable |= ~cut.fits
    is_nan = np.isnan(sheet.values)
    if is_nan.any():
        nan_before = np.concatenate(([0], np.cumsum(is_nan)))
        is_readable &= nan_before[rows.first + rows.count] == nan_before[rows.first]
    return is_readable


def _labels(sheet: Sheet, valid: Bool, cut: RowCut) -> SourceLabels:
    """Return the valid rows, (r,), as labels."""
    # Nearly all batches are valid as a whole, and views of their columns cost nothing.
    selected = slice(None) if valid.all() else valid
    first = sheet.rows.first[selected]
    class_token = first + cut.class_column if cut.class_column else first
    position = cut.confidence[selected]
    has_confidence = np.flatnonzero(position)
    confidence = np.full(len(first), np.nan)
    confidence[has_confidence] = sheet.values[(first + position)[has_confidence]]
    return SourceLabels(
        unit=sheet.rows.unit[selected],
        line=sheet.rows.line[selected],
        class_number=sheet.values[class_token].astype(np.int64),
        kind=cut.kind[selected],
        first=first,
        columns=sheet.rows.count[selected],
        begin=first + cut.begin[selected],
        count=cut.coordinates[selected],
        confidence=confidence,
        confidence_column=position,
        values=sheet.values,
        starts=sheet.tokens.start,
        blobs=sheet.blobs,
        class_column=cut.class_column,
        is_in_pixels=cut.is_in_pixels,
        is_in_degrees=cut.is_in_degrees,
        doubt=cut.doubt,
    )
