"""The oracle of rows that contradict a layout decided from all rows of a folder, one row at a time."""

from collections.abc import Sequence

__all__ = ["contradicting_column"]

_CONFIDENCE = {
    "box+confidence": 5,
    "confidence+box": 1,
    "box+confidence+track": 5,
    "polygon+confidence": -1,
    "corners+confidence": 9,
}


def contradicting_column(
    layout: str, values: Sequence[float], kpt_shape: tuple[int, int] | None
) -> int | None:
    """Return the position of the number that the layout cannot have; None for none."""
    if layout in _CONFIDENCE and not 0 <= values[_CONFIDENCE[layout]] <= 1:
        return _CONFIDENCE[layout] % len(values)
    if layout.endswith("+track") and values[-1] != int(values[-1]):
        return len(values) - 1
    if layout.endswith("-pixels") and max(values[1:]) <= 1:
        return 1
    return None if kpt_shape is None else _of_pose(values, kpt_shape[1])


def _of_pose(values: Sequence[float], size: int) -> int | None:
    starts = range(5, len(values), size)
    if size == 3:
        for start in starts:
            if not 0 <= values[start + 2] <= 2:
                return start + 2
    centre, extent = values[1:3], values[3:5]
    for start in starts:
        point = values[start : start + 2]
        distances = [abs(p - c) for p, c in zip(point, centre, strict=True)]
        is_inside = all(d <= e * (0.5 + 0.1) for d, e in zip(distances, extent, strict=True))
        if is_inside or not any(point):
            return None
    return 5
