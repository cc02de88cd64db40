"""Rows that contradict a layout which was decided from all rows of a folder.

A layout that the caller declared is taken at its word. A layout that was decided from other rows is
not: a row whose numbers mean something else under it is not read in another way, but named. Columns
are counted by `layouts.py`; the module looks at the numbers of rows that have as many columns as
they should.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from labelingest.columns import ragged
from labelingest.columns.types import Bool, Float64, Int64
from labelingest.problems import ProblemCode
from labelingest.readers.yolo.layouts import RowCut, RowLayout, YoloOptions
from labelingest.readers.yolo.sheet import Sheet

__all__ = ["Contradictions", "contradictions"]

_MARGIN = 0.1
"""Part of the box's size by which a keypoint may lie outside its box: points are clicked by hand."""
_WITH_VISIBILITY = 3
"""Numbers of a keypoint with x, y and a visibility."""
_LARGEST_VISIBILITY = 2
_TRACKS = (RowLayout.BOX_TRACK, RowLayout.BOX_CONFIDENCE_TRACK)


class Contradictions(NamedTuple):
    """Rows that contradict a layout for one cause."""

    rows: Int64
    """(m,) positions of the rows."""
    column: Int64
    """(m,) position in each row of the number that contradicts."""
    cause: str
    """What the rows have that the layout has not, without the end of the sentence."""


def contradictions(
    sheet: Sheet, cut: RowCut, options: YoloOptions, valid: Bool
) -> Iterator[Contradictions]:
    """Yield the rows whose numbers contradict the layout; none of a layout that was declared.

    Parameters
    ----------
    sheet
        The rows.
    cut
        The places of their numbers.
    options
        The layout.
    valid
        (r,) rows that are readable and fit the layout.
    """
    if cut.misfit != ProblemCode.LAYOUT_CONTRADICTED or not valid.any():
        return
    rows = np.flatnonzero(valid)
    first, count, begin = sheet.rows.first[rows], sheet.rows.count[rows], cut.begin[rows]
    column = cut.confidence[rows]
    confidence = sheet.values[first + column]
    wrong = (column > 0) & ((confidence < 0) | (confidence > 1))
    yield Contradictions(rows[wrong], column[wrong], "a confidence is 0 to 1")
    if options.row_layout in _TRACKS:
        track = sheet.values[first + count - 1]
        wrong = ~wrong & (track != np.floor(track))
        yield Contradictions(rows[wrong], count[wrong] - 1, "a track ID is a whole number")
    if cut.is_in_pixels:
        numbers = sheet.values[ragged.gather(first + begin, cut.coordinates[rows])]
        offsets = ragged.offsets_from_lengths(cut.coordinates[rows])
        wrong = ragged.segment_max(numbers, offsets) <= 1
        cause = "none of the numbers is beyond 1, as pixels are"
        yield Contradictions(rows[wrong], begin[wrong], cause)
    if options.kpt_shape is not None:
        numbers = sheet.values[first[:, np.newaxis] + np.arange(1, int(count[0]))]
        yield from _of_poses(rows, numbers, options.kpt_shape)


def _of_poses(
    rows: Int64, numbers: Float64, kpt_shape: tuple[int, int]
) -> Iterator[Contradictions]:
    """Yield the rows, (n,), whose numbers behind the class number, (n, k), are no pose."""
    keypoints = numbers[:, 4:].reshape(len(rows), *kpt_shape)
    outside = _lie_outside(numbers[:, :4], keypoints[:, :, :2])
    if kpt_shape[1] == _WITH_VISIBILITY:
        visibility = keypoints[:, :, 2]
        is_none = (visibility < 0) | (visibility > _LARGEST_VISIBILITY)
        wrong = is_none.any(axis=1)
        column = 7 + _WITH_VISIBILITY * is_none[wrong].argmax(axis=1)
        yield Contradictions(rows[wrong], column, "the visibility of a keypoint is 0, 1 or 2")
        outside &= ~wrong
    yield Contradictions(rows[outside], np.full(outside.sum(), 5), "no keypoint lies in the box")


def _lie_outside(cxcywh: Float64, points: Float64) -> Bool:
    """Return (n,) whether all points, (n, k, 2), lie outside their box; hidden ones, 0 0, do not count."""
    centre, size = cxcywh[:, np.newaxis, :2], cxcywh[:, np.newaxis, 2:]
    inside = (np.abs(points - centre) <= size * (0.5 + _MARGIN)).all(axis=2)
    is_hidden = (points == 0).all(axis=2)
    mask: Bool = ~(inside | is_hidden).any(axis=1)
    return mask
