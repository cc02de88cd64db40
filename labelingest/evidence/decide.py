"""Decide the row layout of a folder from the rows of a sample, or say between which ones to choose.

1. Rows of five columns with numbers in 0..1 need no second look.
2. Class numbers at the end and pixels concern all rows together.
3. Other rows are judged in groups of the same number of columns. A reading that the table does not
   give is decided where nearly all rows of the folder have it, and no row would be read in another
   way than by its object's shape. Otherwise the user has the choice.

Numbers of rows below which nothing is decided, and shares of exceptions, stand where they are used.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from labelingest.columns.types import Bool
from labelingest.evidence.boxes import (
    FEW,
    NEARLY_ALL,
    class_last,
    is_share,
    joined_rows,
    pixel_boxes,
)
from labelingest.evidence.poses import (
    are_poses_in_pixels,
    judge_declared_pose,
    judge_pose,
    judge_pose_and_more,
    judge_visibilities,
)
from labelingest.evidence.reading import COLUMNS, TABLE, Decision, Fact, Reading
from labelingest.evidence.rows import NO_SHAPE, EvidenceRows, RowGroup
from labelingest.evidence.six_columns import (
    judge_confidence_and_track,
    judge_six,
    judge_six_rotated,
)
from labelingest.evidence.verdict import Verdict
from labelingest.model.annotations import ColumnShape
from labelingest.readers.yolo.layouts import RowLayout

__all__ = ["Hints", "decide"]

_FAR: Final = 2.0
"""Number beyond which a coordinate is a pixel: a box that leaves the image by its own size has none."""
_IN_PIXELS: Final = 0.99
"""Share of the rows with far coordinates; a few things lie in the very corner of the image."""
_MOST_PIXELS: Final = 1_000_000
"""Pixels of the longest image side, about: whole slides of microscopes have 200,000."""
_MANY_PIXELS: Final = 10
"""Rows of boxes in pixels that decide: fewer do not tell centre boxes from corners."""
_ONE_COUNT: Final = 0.9
"""Share of the long rows with one number of columns: polygons have many numbers of columns."""
_JOINED: Final = "several rows without the line ends between them"
"""Words for rows of boxes in one line."""


class Hints(Struct, frozen=True):
    """What the data set says about its rows, in `data.yaml`."""

    kpt_shape: tuple[int, int] | None = None
    task: str = ""
    """Task of the model: "detect", "segment", "pose", "obb"; empty where it is not known."""


def decide(rows: EvidenceRows, hints: Hints | None = None) -> Decision:
    """Decide how the rows of a folder are read.

    Parameters
    ----------
    rows
        The rows of the sample.
    hints
        What the data set says itself; rows that contradict a hint weigh more.

    Examples
    --------
    >>> from labelingest.evidence.rows import rows_of_sheet
    >>> from labelingest.model.blobs import Blobs
    >>> from labelingest.readers.yolo.read import sheet_of
    >>> sheet = sheet_of(Blobs.from_contents([b"0 .5 .5 .4 .4 .4 .5 2 .5 .5 1 .6 .5 2"]))
    >>> are_boxes = lambda numbers: np.zeros(len(numbers), dtype=np.uint8)
    >>> decide(rows_of_sheet(sheet, are_boxes)).reading.words
    'box + 3 × 3 keypoints'
    """
    # Numbers near the largest double leave the range: their rows are no boxes in any reading.
    with np.errstate(over="ignore", invalid="ignore"):
        return _decide(rows, hints or Hints())


def _decide(rows: EvidenceRows, hints: Hints) -> Decision:
    if not len(rows):
        return Decision(evidence=_unusable(rows))
    stages: Sequence[Callable[[EvidenceRows], Decision | None]] = (_plain, _class_last, _pixels)
    for judge in stages:
        decision = judge(rows)
        if decision is not None:
            return replace(decision, evidence=(*decision.evidence, *_unusable(rows)))
    return _by_groups(rows, hints)


def _plain(rows: EvidenceRows) -> Decision | None:
    """Decide where all rows are boxes of five columns, which need no second look."""
    if not (rows.count == 5).all() or (rows.shape == NO_SHAPE).any():
        return None
    if rows.largest().max() > 1:
        return None
    return Decision(evidence=(Fact(len(rows), len(rows), "5 columns: box"),))


def _class_last(rows: EvidenceRows) -> Decision | None:
    every_row = np.ones(len(rows), dtype=bool)
    group = rows.group(every_row, 5)
    begins_with_class = rows.shape[rows.count == 5] != NO_SHAPE
    fits = class_last(rows, group)
    decides = len(group) >= FEW and np.count_nonzero(fits) >= NEARLY_ALL * len(rows)
    if not decides or is_share(begins_with_class, 0.5):
        return None
    reading = Reading(RowLayout.BOX_CLASS)
    return Decision(reading, (Fact(int(fits.sum()), len(rows), reading.words),))


def _pixels(rows: EvidenceRows) -> Decision | None:
    is_mapped = rows.shape != NO_SHAPE
    total, largest = int(is_mapped.sum()), rows.largest()
    in_pixels = rows.share_beyond(_FAR) >= 0.5
    if total < FEW or not is_share(in_pixels[is_mapped], _IN_PIXELS):
        return None
    if largest[is_mapped].max() > _MOST_PIXELS:
        return None
    reading = _pixel_reading(rows, is_mapped)
    if reading is None:
        return Decision(evidence=(Fact(int(in_pixels.sum()), len(rows), "numbers far beyond 1"),))
    fact = Fact(int((in_pixels & is_mapped).sum()), len(rows), reading.words)
    is_normalised = is_mapped & (largest <= 1)
    if not is_normalised.any():
        return Decision(reading, (fact,))
    other = Fact(int(is_normalised.sum()), len(rows), "numbers up to 1 alone")
    why = "some rows are in pixels, others are fractions of the image"
    return Decision(evidence=(fact, other), choices=(reading, COLUMNS), why=why)


def _pixel_reading(rows: EvidenceRows, is_mapped: Bool) -> Reading | None:
    """Return the reading of rows in pixels; None where no layout has them."""
    count = rows.count[is_mapped]
    if (count == 5).all():
        group = rows.group(is_mapped, 5)
        is_clear = len(group) >= _MANY_PIXELS and pixel_boxes(group)
        return Reading(RowLayout.BOX_PIXELS) if is_clear else None
    are_rings = (count >= 7) & (count % 2 == 1)
    is_rotated = rows.shape == ColumnShape.ROTATED_BOX
    if not are_rings.all() or is_rotated.any() or rows.smallest()[is_mapped].min() < -_FAR:
        return None
    if (count == count[0]).all() and _has_parts(rows.group(is_mapped, int(count[0]))):
        return None
    return Reading(RowLayout.POLYGON_PIXELS)


def _has_parts(group: RowGroup) -> bool:
    """Return whether rows in pixels with one number of columns are boxes and something behind."""
    behind = group.values[:, 5]
    is_confidence = group.columns == 7 and is_share((behind >= 0) & (behind <= 1))
    numbers = group.values[:, 1:]
    # A column of zeros alone may be the image's edge.
    is_small = (np.abs(numbers) <= _FAR).all(axis=0) & (numbers != 0).any(axis=0)
    return is_confidence or bool(is_small.any()) or are_poses_in_pixels(group)


class _Parts(Struct, frozen=True, eq=False):
    """Rows of mapped classes by what the columns and the object's shape say about them."""

    boxes: Bool
    """(r,) five columns."""
    concerned: Bool
    """(r,) more than one reading is possible: six columns, and more for bounding boxes."""
    rotated: Bool
    """(r,) six columns for rotated boxes."""
    settled: Bool
    """(r,) seven columns or more that are as the object's shape wants them."""

    @classmethod
    def from_rows(cls, rows: EvidenceRows) -> "_Parts":
        is_mapped, count = rows.shape != NO_SHAPE, rows.count
        is_box = rows.shape == ColumnShape.BOX
        is_rotated = rows.shape == ColumnShape.ROTATED_BOX
        settled = is_mapped & (count >= 7) & ~is_box
        poses = _poses_of_other_shapes(rows, settled)
        joined = _joined_of_other_shapes(rows, settled & ~poses)
        six = (count == 6) & ~is_rotated
        return cls(
            boxes=is_mapped & (count == 5),
            concerned=is_mapped & (six | ((count >= 7) & is_box) | poses | joined),
            rotated=is_rotated & (count == 6),
            settled=settled & ~poses & ~joined,
        )


def _poses_of_other_shapes(rows: EvidenceRows, settled: Bool) -> Bool:
    """Return (r,) rows with a visibility of 2 in their keypoints, which no outline has."""
    poses = np.zeros(len(rows), dtype=bool)
    is_outside = settled & (rows.largest() == 2)
    for columns in np.unique(rows.count[is_outside]).tolist():
        verdict = judge_visibilities(rows.group(settled, columns))
        if verdict is not None:
            poses |= settled & (rows.count == columns)
    return poses


def _joined_of_other_shapes(rows: EvidenceRows, settled: Bool) -> Bool:
    """Return (r,) rows of boxes in one line, where some have class numbers that no outline has."""
    mask = np.zeros(len(rows), dtype=bool)
    is_outside = settled & (rows.largest() > 1) & (rows.count % 5 == 0)
    for columns in np.unique(rows.count[is_outside]).tolist():
        joined = joined_rows(rows, rows.group(settled, columns))
        if is_share(joined, 0.5):
            mask[np.flatnonzero(settled & (rows.count == columns))[joined]] = True
    return mask


def _by_groups(rows: EvidenceRows, hints: Hints) -> Decision:
    parts = _Parts.from_rows(rows)
    total = int((rows.shape != NO_SHAPE).sum())
    verdicts = [*_verdicts(rows, parts, hints, total), *_rotated_verdicts(rows, parts)]
    evidence = (*_facts(rows, parts, verdicts), *_unusable(rows))
    choices = [r for v in verdicts for r in ((v.reading,) if v.reading else v.choices)]
    if not choices:
        reading = _table_reading(rows, parts, verdicts)
        if reading == TABLE and _are_mostly_joined(rows, parts):
            return _refuse_joined(parts, evidence)
        return Decision(reading, evidence, has_polygons=_has_polygons(rows, parts, verdicts))
    (first, *others) = [verdict for verdict in verdicts if verdict.reading or verdict.choices]
    if first.reading is None:
        why = f"{first.words}: {first.why}"
    elif others or parts.settled.any() or first.rows < NEARLY_ALL * total:
        why = f"some rows are {first.words}, others are not, and one layout is for all rows"
    else:
        return Decision(first.reading, evidence)
    return Decision(
        evidence=evidence,
        choices=(*dict.fromkeys(c for c in choices if c != COLUMNS), COLUMNS),
        why=why,
    )


def _verdicts(rows: EvidenceRows, parts: _Parts, hints: Hints, total: int) -> Iterator[Verdict]:
    """Yield the verdicts on the groups of concerned rows that are more than exceptions."""
    long_rows = int((parts.concerned & (rows.count >= 7)).sum())
    for columns, size in zip(
        *np.unique(rows.count[parts.concerned], return_counts=True), strict=True
    ):
        if size < (1 - NEARLY_ALL) * total:
            continue
        group = rows.group(parts.concerned, int(columns))
        verdict = None
        if hints.kpt_shape is not None:
            verdict = judge_declared_pose(group, hints.kpt_shape)
        if verdict is None and columns == 6:
            verdict = judge_six(group)
        elif verdict is None:
            is_polygon = hints.task == "segment" or size < _ONE_COUNT * long_rows
            verdict = _judge_long(group, is_polygon=is_polygon)
        if verdict is not None:
            yield verdict


def _judge_long(group: RowGroup, *, is_polygon: bool) -> Verdict | None:
    """Judge rows of seven columns or more of bounding boxes; None for polygons."""
    verdict = judge_confidence_and_track(group) if group.columns == 7 else None
    has_pairs = not is_polygon
    verdict = verdict or judge_pose(group, has_pairs=has_pairs)
    return verdict or judge_pose_and_more(group, has_pairs=has_pairs)


def _rotated_verdicts(rows: EvidenceRows, parts: _Parts) -> Iterator[Verdict]:
    """Yield the verdict on rotated boxes with one more number, where they are no exceptions."""
    is_rotated = rows.shape == ColumnShape.ROTATED_BOX
    size = int(parts.rotated.sum())
    if size >= FEW and is_share(parts.rotated[is_rotated], 0.5):
        yield judge_six_rotated(rows.group(parts.rotated, 6))


def _has_polygons(rows: EvidenceRows, parts: _Parts, verdicts: Sequence[Verdict]) -> bool:
    """Return whether enough rows of bounding boxes have the columns of polygons, and no pattern."""
    long_rows = parts.concerned & (rows.count >= 7)
    joined = sum(int(joined_rows(rows, group).sum()) for group in rows.groups(long_rows))
    judged = sum(verdict.rows for verdict in verdicts)
    return int(long_rows.sum()) - joined - judged >= FEW


def _table_reading(rows: EvidenceRows, parts: _Parts, verdicts: Sequence[Verdict]) -> Reading:
    """Return the layout that says what the table says where all rows are alike, for later rows."""
    confidence = Reading(RowLayout.BOX_CONFIDENCE)
    if rows.unusable == 0 and len(verdicts) == 1 and len(rows) >= FEW:
        (verdict,) = verdicts
        if verdict.words == confidence.words and verdict.rows == len(rows):
            return confidence
    others = parts.settled.any() or parts.rotated.any()
    total = int((rows.shape != NO_SHAPE).sum())
    if not others and parts.concerned.any() and is_share(parts.boxes, 0.9) and total:
        joined = _joined(rows, parts)
        if joined == int(parts.concerned.sum()):
            return Reading(RowLayout.BOX)
    return TABLE


def _joined(rows: EvidenceRows, parts: _Parts) -> int:
    """Return the number of concerned rows that are several rows of boxes."""
    groups = rows.groups(parts.concerned & (rows.count % 5 == 0))
    return sum(int(joined_rows(rows, group).sum()) for group in groups)


def _are_mostly_joined(rows: EvidenceRows, parts: _Parts) -> bool:
    """Return whether most of the rows that are no boxes are several rows of boxes."""
    joined = _joined(rows, parts)
    return joined >= FEW and joined >= 0.5 * int(parts.concerned.sum())


def _refuse_joined(parts: _Parts, evidence: Sequence[Fact]) -> Decision:
    """Return the choice for rows that lost line ends: no layout reads them rightly."""
    (fact,) = [fact for fact in evidence if fact.words == _JOINED]
    return Decision(
        evidence=evidence,
        choices=(*((Reading(RowLayout.BOX),) if parts.boxes.any() else ()), COLUMNS),
        why=str(fact),
        otherwise="correct the label files, which need one row on each line, or ",
    )


def _facts(rows: EvidenceRows, parts: _Parts, verdicts: Sequence[Verdict]) -> Iterator[Fact]:
    """Yield what was counted, most rows first."""
    joined = _joined(rows, parts)
    judged = sum(verdict.rows for verdict in verdicts)
    others = int(parts.concerned.sum() + parts.rotated.sum()) - judged - joined
    is_long = rows.count >= 7
    outlines = others if is_long[parts.concerned].all() else 0
    counts = [
        *((verdict.rows, verdict.words) for verdict in verdicts),
        (int(parts.boxes.sum()), "5 columns: box"),
        (int(parts.settled.sum()), "7 columns or more: polygon or corners, as their classes are"),
        (joined, _JOINED),
        (outlines, "7 columns or more: polygon or corners"),
        (others - outlines, "6 columns or more, none of these"),
        (int((rows.shape == NO_SHAPE).sum()), "no class number that is mapped"),
    ]
    total = len(rows) + rows.unusable
    for count, words in sorted(counts, key=lambda entry: -entry[0]):
        if count > 0:
            yield Fact(count, total, words)


def _unusable(rows: EvidenceRows) -> Sequence[Fact]:
    total = len(rows) + rows.unusable
    words = "fewer than 5 columns, or no numbers"
    return (Fact(rows.unusable, total, words),) if rows.unusable else ()
