"""The oracle of rows that contradict a layout, and of rows that look like another one."""

from collections.abc import Sequence

__all__ = ["contradicting_column", "resembled"]

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


def resembled(values: Sequence[float], *, is_known: bool) -> str | None:
    """Return what the row of a box resembles that has as many columns as a polygon; None for that.

    Parameters
    ----------
    values
        All numbers of the row.
    is_known
        Whether all rows of the folder were looked at.
    """
    box, rest = values[1:5], values[5:]
    if not _is_box(box):
        return None
    parts = [values[start : start + 5] for start in range(0, len(values), 5)]
    if len(parts) > 1 and all(map(_is_row, parts)):
        return "looks-like-joined-rows"
    if not len(rest) % 3 and all(
        _may_be_keypoint(rest[k : k + 2], box) and rest[k + 2] in (0, 1, 2)
        for k in range(0, len(rest), 3)
    ):
        return "looks-like-pose"
    if is_known or len(rest) % 2:
        return None
    points = [rest[k : k + 2] for k in range(0, len(rest), 2)]
    # A polygon has no vertex that lies apart from all others, unless it is a triangle.
    is_telling = len(points) == 1 or not _is_in(box[2:], box)
    fits = all(_may_be_keypoint(point, box) for point in points)
    return "looks-like-pose" if is_telling and fits else None


def _is_row(values: Sequence[float]) -> bool:
    if len(values) != 5 or not 0 <= values[0] <= 2**53:
        return False
    return values[0] == int(values[0]) and _is_box(values[1:])


def _is_box(cxcywh: Sequence[float]) -> bool:
    x, y, width, height = cxcywh
    return all(
        size / 2 > 0 and centre - size / 2 >= -0.01 and centre + size / 2 <= 1 + 0.01
        for centre, size in ((x, width), (y, height))
    )


def _may_be_keypoint(point: Sequence[float], box: Sequence[float]) -> bool:
    return _is_in(point, box) or not any(point)


def _is_in(point: Sequence[float], box: Sequence[float]) -> bool:
    pairs = zip(point, box[:2], box[2:], strict=True)
    return all(abs(p - centre) <= size / 2 for p, centre, size in pairs)
