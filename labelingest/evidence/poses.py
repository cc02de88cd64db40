"""Poses among rows of bounding boxes: a box and keypoints, where the table sees a polygon.

With visibilities (0, 1 or 2 in every third column) a pose is plain to see. Without them, every row
of a pose is a possible polygon too: the first two vertices would be the box's centre and its size.
The size is a point far from the keypoints as soon as the box is not near the middle of the image, and a
polygon has no such vertex. Rows of that kind tell poses from polygons.
"""

from typing import Final

import numpy as np

from labelingest.columns.types import Bool, Float64
from labelingest.evidence.boxes import FEW, is_share
from labelingest.evidence.reading import COLUMNS, Reading
from labelingest.evidence.rows import RowGroup
from labelingest.evidence.verdict import Verdict
from labelingest.geometry.boxes import are_in_image
from labelingest.readers.yolo.layouts import RowLayout

__all__ = [
    "are_poses_in_pixels",
    "judge_declared_pose",
    "judge_pose",
    "judge_pose_and_more",
    "judge_visibilities",
]

_MANY: Final = 12
"""Rows that decide without visibilities: chance alone explains so many in no folder."""
_PLAIN: Final = 3
"""Keypoints from which visibilities in every row are no chance, however few the rows."""
_MARGIN: Final = 0.1
"""Part of the box's size by which a keypoint may lie outside the box."""
_MOST_INSIDE: Final = 0.9
"""Share of a row's keypoints that lie in its box: others are hidden or were clicked carelessly."""
_TELLING: Final = 0.2
"""Share of rows whose second vertex would lie outside their box: polygons have fewer."""
_SPREAD: Final = 0.25
"""Part of the image over which nine of ten centres are spread: one outline that a fixed camera sees
in all images is one row, however often it is written."""


def judge_pose(group: RowGroup, *, has_pairs: bool = True) -> Verdict | None:
    """Judge rows of seven columns or more of bounding boxes; None where they are no poses.

    Parameters
    ----------
    group
        The rows.
    has_pairs
        Whether keypoints without visibility are possible: not among polygons.
    """
    verdict = judge_visibilities(group)
    return verdict or (_pairs_verdict(group) if has_pairs else None)


def judge_pose_and_more(group: RowGroup, *, has_pairs: bool = True) -> Verdict | None:
    """Judge poses with a confidence behind them, or a confidence and a track ID: models write them.

    No layout has such rows: the table would make outlines of them.
    """
    for more, words in ((1, "confidence"), (2, "confidence + track ID")):
        last = group.values[:, group.columns - more]
        if group.columns < 7 + more or not is_share((last >= 0) & (last <= 1)):
            continue
        before = RowGroup(group.values[:, :-more], group.unit)
        verdict = judge_visibilities(before)
        if (
            verdict is not None
            and verdict.reading is None
            and not _are_spread(before.numbers(1, 2))
        ):
            verdict = None
        if verdict is None and has_pairs and more == 1:
            pairs = _pairs_verdict(before)
            verdict = pairs if pairs is not None and pairs.reading is not None else None
        if verdict is not None:
            column = "the last column" if more == 1 else "the last two columns"
            why = (
                f"no layout has such rows, and their columns are read as outlines: remove {column}"
            )
            return Verdict(f"{verdict.words} + {words}", verdict.rows, choices=(COLUMNS,), why=why)
    return None


def judge_declared_pose(group: RowGroup, kpt_shape: tuple[int, int]) -> Verdict | None:
    """Judge rows by the `kpt_shape` of the data set; None where they contradict it."""
    if group.columns != 5 + kpt_shape[0] * kpt_shape[1]:
        return None
    fits = are_in_image(group.numbers(1))
    if not is_share(fits, 0.95):
        return None
    reading = Reading(RowLayout.POSE, kpt_shape)
    return Verdict(f"{reading.words}, as kpt_shape says", len(group), reading)


def judge_visibilities(group: RowGroup) -> Verdict | None:
    """Judge keypoints of three numbers, of which the third is 0, 1 or 2."""
    keypoints, rest = divmod(group.columns - 5, 3)
    if rest or not keypoints:
        return None
    visibility = group.values[:, 7::3]
    is_visibility = ((visibility >= 0) & (visibility <= 2)).all(axis=1)
    is_whole = (visibility == np.floor(visibility)).all(axis=1)
    fits = are_in_image(group.numbers(1)) & is_visibility
    reading = Reading(RowLayout.POSE, (keypoints, 3))
    if is_share(fits & is_whole):
        has_two = bool((visibility == 2).any())
        if keypoints >= _PLAIN and (has_two or len(group) >= FEW):
            return Verdict(reading.words, int((fits & is_whole).sum()), reading)
        if has_two and len(group) >= FEW and is_share(_are_inside(group, 3)):
            return Verdict(reading.words, int((fits & is_whole).sum()), reading)
        return None
    # Predictions have the confidence of a keypoint in the place of its visibility.
    is_confidence = (visibility <= 1).all(axis=1) & (keypoints >= _PLAIN)
    fits &= is_confidence & _are_inside(group, 3)
    if len(group) >= _MANY and is_share(fits):
        words = f"{reading.words}, with confidences in the place of visibilities"
        return Verdict(words, int(fits.sum()), choices=(reading, COLUMNS))
    return None


def are_poses_in_pixels(group: RowGroup) -> bool:
    """Return whether rows in pixels may be boxes with keypoints: no layout has those."""
    centre, size = group.numbers(1, 2), group.numbers(3, 2)
    inside = (size > 0).all(axis=1) & (centre - size / 2 > -2).all(axis=1)
    return is_share(inside & _are_inside(group, 2), 0.9)


def _pairs_verdict(group: RowGroup) -> Verdict | None:
    """Judge keypoints of two numbers, which lie in the box."""
    keypoints, rest = divmod(group.columns - 5, 2)
    if rest or len(group) < FEW:
        return None
    fits = are_in_image(group.numbers(1)) & _are_inside(group, 2)
    if not is_share(fits):
        return None
    reading = Reading(RowLayout.POSE, (keypoints, 2))
    centre, size = group.numbers(1, 2), group.numbers(3, 2)
    is_far = (np.abs(size - centre) > size / 2).any(axis=1)
    if len(group) >= _MANY and is_share(is_far & fits, _TELLING) and _are_spread(centre):
        return Verdict(reading.words, int(fits.sum()), reading)
    words = f"{reading.words}, or polygons of {keypoints + 2} vertices"
    polygon = Reading(RowLayout.POLYGON)
    return Verdict(words, int(fits.sum()), choices=(reading, polygon, COLUMNS))


def _are_spread(centres: Float64) -> bool:
    """Return whether centres, (m, 2), lie in many places of the image."""
    low, high = np.quantile(centres, (0.05, 0.95), axis=0)
    return bool((high - low).max() >= _SPREAD)


def _are_inside(group: RowGroup, size: int) -> Bool:
    """Return (m,) whether most keypoints of each row, of size numbers each, lie in its box.

    Hidden keypoints, 0 0, do not count.
    """
    points = group.values[:, 5:].reshape(len(group), -1, size)[:, :, :2]
    centre, extent = group.numbers(1, 2)[:, np.newaxis], group.numbers(3, 2)[:, np.newaxis]
    inside = (np.abs(points - centre) <= extent * (0.5 + _MARGIN)).all(axis=2)
    is_hidden = (points == 0).all(axis=2)
    counted: Float64 = (~is_hidden).sum(axis=1)
    mask: Bool = (inside & ~is_hidden).sum(axis=1) >= _MOST_INSIDE * counted
    return mask
