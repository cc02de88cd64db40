"""Compares what a converter made with what the oracle expects, one annotation at a time."""

from collections.abc import Mapping, Sequence
from math import dist
from typing import Any

from tests.oracles.yolo import Expected
from tests.oracles.yolo_shapes import corners_of

__all__ = ["disagreement", "numbers_of", "objects_of"]


def objects_of(label_row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the objects of an image's label row."""
    (unit,) = label_row["data_units"].values()
    objects: list[dict[str, Any]] = unit["labels"]["objects"]
    return objects


def numbers_of(entry: Mapping[str, Any]) -> list[float]:
    """Return the geometry of an object of a label row as the oracle writes it."""
    if entry["shape"] == "polygon":
        ((ring,),) = entry["polygons"]
        return list(ring)
    if entry["shape"] == "bounding_box":
        box = entry["boundingBox"]
        return [box["x"], box["y"], box["w"], box["h"]]
    box = entry["rotatableBoundingBox"]
    return [box["x"], box["y"], box["w"], box["h"], box["theta"]]


def disagreement(
    entry: Mapping[str, Any],
    expected: Expected,
    size: tuple[int, int] | None,
    *,
    tolerance: float = 1e-12,
    tolerance_px: float = 1e-6,
) -> str:
    """Say how an object differs from what is expected; "" when it does not.

    Parameters
    ----------
    made
        An object of a label row.
    expected
        What the oracle says.
    size
        Width and height of the image in pixels.
    tolerance
        Part of the image by which numbers may differ that are not to be exact.
    tolerance_px
        Pixels by which corners may differ that only rectangles tell.
    """
    numbers = numbers_of(entry)
    if entry["shape"] != expected.shape:
        return f"{entry['shape']} instead of {expected.shape}"
    ground_truth = expected.confidence is None
    if entry["confidence"] != (1.0 if ground_truth else expected.confidence):
        return f"confidence {entry['confidence']} instead of {expected.confidence}"
    if entry["manualAnnotation"] is not ground_truth:
        return f"manualAnnotation {entry['manualAnnotation']}"
    if expected.shape == "rotatable_bounding_box" and not 0 <= numbers[4] < 360:
        return f"theta {numbers[4]}"
    if expected.rectangles:
        return _rectangle_apart(numbers, expected, size, tolerance_px)
    return _numbers_apart(numbers, expected, tolerance)


def _rectangle_apart(
    numbers: Sequence[float], expected: Expected, size: tuple[int, int] | None, tolerance: float
) -> str:
    assert size is not None
    corners = corners_of(numbers[:4], numbers[4], size)
    apart = min(
        max(dist(a, b) for a, b in zip(corners, rectangle, strict=True))
        for rectangle in expected.rectangles
    )
    return "" if apart <= tolerance else f"corners {corners} are {apart} px off {expected}"


def _numbers_apart(numbers: Sequence[float], expected: Expected, tolerance: float) -> str:
    if len(numbers) != len(expected.numbers):
        return f"{len(numbers)} numbers instead of {len(expected.numbers)}"
    if expected.exact and numbers == list(expected.numbers):
        return ""
    apart = [abs(a - b) for a, b in zip(numbers, expected.numbers, strict=True)]
    if expected.shape == "rotatable_bounding_box":
        # Degrees; a turn by 360 is none.
        apart[4] = min(apart[4], 360 - apart[4]) * 1e-3
    if expected.exact or max(apart) > tolerance:
        return f"{numbers} instead of {expected}"
    return ""
