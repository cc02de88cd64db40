"""Rows of six and seven columns: a confidence behind the box or before it, a track ID, an angle."""

from typing import Final

import numpy as np

from labelingest.columns.types import Bool, Float64
from labelingest.evidence.boxes import FEW, is_share
from labelingest.evidence.reading import COLUMNS, Reading
from labelingest.evidence.rows import RowGroup
from labelingest.evidence.verdict import Verdict
from labelingest.geometry.boxes import are_in_image
from labelingest.readers.yolo.layouts import RowLayout

__all__ = ["judge_confidence_and_track", "judge_six", "judge_six_rotated"]

_CONFIDENCE: Final = Reading(RowLayout.BOX_CONFIDENCE)
_TRACK: Final = Reading(RowLayout.BOX_TRACK)
_RADIANS: Final = Reading(RowLayout.XYWHR)
_DEGREES: Final = Reading(RowLayout.XYWHR_DEGREES)
_SOME_BEYOND: Final = 0.02
"""Share of sixth numbers outside 0..1 beyond which they are no confidences with a few errors."""
_FULL_TURN: Final = 6.3
"""Radians of a full turn, rounded up: larger angles are degrees."""

_DEGREES_OF_TURN: Final = 360
_MOST_DENSE: Final = 120
"""Largest of some numbers that use up half of all numbers below it, as IDs do: whole degrees are
spread over 180 or 360."""
_MANY_NEIGHBOURS: Final = 900
"""Pairs of rows in one file, of which five would have the same angle if they were whole degrees."""


def judge_six(group: RowGroup) -> Verdict:
    """Judge rows of six columns whose objects are no rotated boxes."""
    box_before, last = are_in_image(group.numbers(1)), group.values[:, 5]
    is_confidence = (last >= 0) & (last <= 1)
    if _is_confidence_first(group, box_before):
        reading = Reading(RowLayout.CONFIDENCE_BOX)
        return Verdict(reading.words, _count(are_in_image(group.numbers(2))), reading)
    if not is_share(~is_confidence, _SOME_BEYOND) or len(group) < FEW:
        has_fractions = bool((last != np.floor(last)).any())
        words = _CONFIDENCE.words if has_fractions else "box + 0 or 1"
        return Verdict(words, _count(is_confidence & box_before))
    if not is_share(last == np.floor(last)):
        angles = (_DEGREES,) if np.abs(last).max() > _FULL_TURN else (_RADIANS, _DEGREES)
        return _ask(group, "box + a number beyond 0..1 with fractions", (*angles, COLUMNS))
    if _are_track_ids(group, last):
        return Verdict(_TRACK.words, _count(box_before), _TRACK)
    return _ask(group, "box + a whole number", (_TRACK, _DEGREES, COLUMNS))


def judge_six_rotated(group: RowGroup) -> Verdict:
    """Judge rows of six columns whose objects are rotated boxes: a choice, never a decision."""
    last = group.values[:, 5]
    if not is_share((last < 0) | (last > 1), _SOME_BEYOND):
        choices: tuple[Reading, ...] = (_RADIANS, _CONFIDENCE, _DEGREES)
    elif np.abs(last).max() > _FULL_TURN:
        choices = (_DEGREES,)
    else:
        choices = (_RADIANS, _DEGREES)
    return _ask(group, "box of a rotated class + one number", (*choices, COLUMNS))


def judge_confidence_and_track(group: RowGroup) -> Verdict | None:
    """Judge rows of seven columns; None where they are no boxes with confidence and track ID."""
    confidence, track = group.values[:, 5], group.values[:, 6]
    fits = are_in_image(group.numbers(1)) & (confidence >= 0) & (confidence <= 1)
    fits &= track == np.floor(track)
    if len(group) < FEW or not is_share(fits):
        return None
    reading = Reading(RowLayout.BOX_CONFIDENCE_TRACK)
    if _are_track_ids(group, track):
        return Verdict(reading.words, _count(fits), reading)
    return _ask(group, "box + confidence + a whole number", (reading, COLUMNS))


def _is_confidence_first(group: RowGroup, box_before: Bool) -> bool:
    """Return whether columns 3 to 6 are boxes and columns 2 to 5 are not."""
    first = group.values[:, 1]
    box_behind = are_in_image(group.numbers(2)) & (first >= 0) & (first <= 1)
    contradicts = box_behind & ~box_before
    return (
        is_share(box_behind)
        and _count(contradicts) >= FEW - 1
        and is_share(contradicts, 0.1)
        and len(group) >= FEW
    )


def _are_track_ids(group: RowGroup, last: Float64) -> bool:
    """Return whether whole numbers, (m,), are unique in their files, and are no angles either."""
    if len(group) < FEW or (last < 0).any() or not (last > 1).any():
        return False
    if len(np.unique(np.column_stack((group.unit, last)), axis=0)) < len(group):
        return False
    rows_of_files = np.bincount(group.unit)
    neighbours = int((rows_of_files * (rows_of_files - 1)).sum()) // 2
    largest, distinct = float(last.max()), len(np.unique(last))
    is_dense = largest <= min(2 * distinct, _MOST_DENSE)
    is_no_angle = largest > _DEGREES_OF_TURN or is_dense or neighbours >= _MANY_NEIGHBOURS
    return is_no_angle and neighbours >= FEW


def _ask(group: RowGroup, words: str, choices: tuple[Reading, ...]) -> Verdict:
    return Verdict(words, len(group), choices=choices)


def _count(mask: Bool) -> int:
    return int(np.count_nonzero(mask))
