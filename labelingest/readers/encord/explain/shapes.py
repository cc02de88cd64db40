"""Check the payloads of objects on frames: each must fit the shape of its class.

Each shape has one function. It takes the object as decoded and returns the payload keys that label
rows write, or notes the problem and returns None. Coordinates outside the image are kept, as a
writer decides about them.

Refuses to know frames, answers and other objects.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from labelingest.encord.keys import COORDINATE_SLACK, FAR_EDGE_SLACK, LONGEST_SIDE, PAYLOAD_KEYS
from labelingest.model.ontology import Shape
from labelingest.model.vocabulary import ObjectClass
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems
from labelingest.problems.pointers import child_pointer
from labelingest.readers.encord.explain.bitmask import read_bitmask
from labelingest.readers.encord.explain.coordinates import (
    check_finite,
    check_finite_ring,
    check_inside,
    check_inside_ring,
    note_outside,
    read_angle,
)
from labelingest.readers.encord.explain.points import (
    read_point,
    read_polygon,
    read_polyline,
    read_skeleton,
)

__all__ = ["read_payload"]

_Check: TypeAlias = Callable[[dict[str, Any], str, DocumentProblems], dict[str, Any] | None]

_BOX: Final = ("h", "w", "x", "y")
_CIRCLE: Final = ("x", "y", "r")
_ELLIPSE: Final = ("x", "y", "rx", "ry")


def read_payload(
    value: dict[str, Any],
    pointer: str,
    object_class: ObjectClass,
    size: tuple[int, int] | None,
    problems: DocumentProblems,
) -> dict[str, Any] | None:
    """Return the payload of an object as label rows write it.

    Parameters
    ----------
    value
        Object as decoded, with the shape of its class.
    pointer
        JSON pointer of the object.
    object_class
        Class of the object, with a shape of `PAYLOAD_KEYS`.
    size
        Width and height of the data unit in pixels; None for an unknown size.
    problems
        Container of the problems.

    Returns
    -------
    dict or None
        Keys of the payload; None for an invalid payload.

    Examples
    --------
    >>> car = ObjectClass("a1B2c3D4", "Car", "#D33115", "bounding_box")
    >>> box = {"boundingBox": {"h": 0.25, "w": 0.125, "x": 0.5, "y": 0.375}}
    >>> read_payload(box, "/0", car, None, DocumentProblems("a.json")) == box
    True
    """
    key = PAYLOAD_KEYS[object_class.shape]
    if object_class.shape == Shape.POLYGON:
        return read_polygon(value, pointer, problems)
    payload_value = value.get(key)
    if payload_value is None:
        problems.note(
            ProblemCode.MISSING_KEY,
            pointer,
            f"{key!r} is missing, the payload of {object_class.shape}",
        )
        return None
    if object_class.shape in _OF_POINTS:
        return _OF_POINTS[object_class.shape](value, pointer, problems)
    if object_class.shape == Shape.SKELETON:
        return read_skeleton(value, pointer, object_class, problems)
    if not isinstance(payload_value, dict):
        problems.wrong_type(child_pointer(pointer, key), payload_value, "an object")
        return None
    if object_class.shape == Shape.BITMASK:
        clean = read_bitmask(payload_value, child_pointer(pointer, key), size, problems)
    else:
        clean = _OF_NUMBERS[object_class.shape](
            payload_value, child_pointer(pointer, key), problems
        )
    return None if clean is None else {key: clean}


def _numbers(
    payload: dict[str, Any], keys: tuple[str, ...], pointer: str, problems: DocumentProblems
) -> bool:
    """Return whether all keys have finite numbers; note each that has not."""
    valid = True
    for key in keys:
        if key not in payload:
            problems.note(
                ProblemCode.MISSING_KEY, pointer, f"{key!r} is missing; expected a number"
            )
            valid = False
        elif not check_finite(payload[key], child_pointer(pointer, key), problems):
            valid = False
    return valid


def _bounding_box(
    payload: dict[str, Any], pointer: str, problems: DocumentProblems
) -> dict[str, Any] | None:
    if not _numbers(payload, _BOX, pointer, problems):
        return None
    problems.unknown_keys(payload, _BOX_KEYS, pointer, "a bounding box")
    box = {key: payload[key] for key in _BOX}
    is_inside = all(0 <= value <= 1 for value in box.values())
    if (
        is_inside
        and box["x"] + box["w"] <= 1 + FAR_EDGE_SLACK
        and box["y"] + box["h"] <= 1 + FAR_EDGE_SLACK
    ):
        return _floats(box)
    for key, start in (("x", "x"), ("y", "y"), ("w", "x"), ("h", "y")):
        if key == start or not 0 <= box[key] <= LONGEST_SIDE:
            check_inside(box[key], child_pointer(pointer, key), problems)
        elif box[start] + box[key] > 1 + FAR_EDGE_SLACK and box[start] <= 1 + COORDINATE_SLACK:
            edge = f"{box[start] + box[key]!r}, the far edge,"
            note_outside(edge, child_pointer(pointer, key), problems)
    return _floats(box)


def _floats(numbers: Mapping[str, float]) -> dict[str, float]:
    """Return numbers as label rows write them: coordinates are never integers."""
    return {key: float(value) for key, value in numbers.items()}


def _rotatable_box(
    payload: dict[str, Any], pointer: str, problems: DocumentProblems
) -> dict[str, Any] | None:
    if not _numbers(payload, (*_BOX, "theta"), pointer, problems):
        return None
    problems.unknown_keys(payload, _ROTATABLE_KEYS, pointer, "a rotatable bounding box")
    box = {key: payload[key] for key in _BOX}
    # Before its rotation a box may reach outside; only its centre and its size can be wrong.
    for corner, side in (("x", "w"), ("y", "h")):
        if box[side] < 0:
            check_inside(box[side], child_pointer(pointer, side), problems)
        centre = box[corner] + box[side] / 2
        if not -COORDINATE_SLACK <= centre <= 1 + COORDINATE_SLACK:
            detail = f"{centre!r}, the centre, lies outside the image (0 to 1): kept"
            problems.note(ProblemCode.OUTSIDE_IMAGE, child_pointer(pointer, corner), detail)
    box["theta"] = read_angle(payload["theta"], child_pointer(pointer, "theta"), problems)
    return _floats(box)


def _round(
    payload: dict[str, Any],
    keys: tuple[str, ...],
    defaults: Mapping[str, float],
    pointer: str,
    problems: DocumentProblems,
) -> dict[str, Any] | None:
    """Return a circle or an ellipse: required keys, then optional keys with their defaults."""
    optional = tuple(key for key in defaults if key in payload)
    if not _numbers(payload, (*keys, *optional), pointer, problems):
        return None
    problems.unknown_keys(payload, _ROUND_KEYS, pointer, "a circle or an ellipse")
    clean = {key: payload[key] for key in keys}
    for key, value in clean.items():
        check_inside(value, child_pointer(pointer, key), problems)
    clean.update({key: payload.get(key, default) for key, default in defaults.items()})
    if clean.get("stretch", 1.0) < 0:
        check_inside(clean["stretch"], child_pointer(pointer, "stretch"), problems)
    clean["theta"] = read_angle(clean["theta"], child_pointer(pointer, "theta"), problems)
    return _floats(clean)


def _circle(
    payload: dict[str, Any], pointer: str, problems: DocumentProblems
) -> dict[str, Any] | None:
    return _round(payload, _CIRCLE, {"stretch": 1.0, "theta": 0.0}, pointer, problems)


def _ellipse(
    payload: dict[str, Any], pointer: str, problems: DocumentProblems
) -> dict[str, Any] | None:
    return _round(payload, _ELLIPSE, {"theta": 0.0}, pointer, problems)


def _cuboid_2d(
    payload: dict[str, Any], pointer: str, problems: DocumentProblems
) -> dict[str, Any] | None:
    front = payload.get("front")
    place = child_pointer(pointer, "front")
    if not isinstance(front, list) or not front or len(front) % 2:
        detail = "'front' must be a list of x and y of the corners of the front face"
        problems.note(ProblemCode.BAD_POINTS, place if "front" in payload else pointer, detail)
        return None
    if not check_finite_ring(front, place, problems):
        return None
    check_inside_ring(front, place, problems)
    problems.unknown_keys(payload, _CUBOID_KEYS, pointer, "a 2D cuboid")
    key = "vanishingPoint" if "vanishingPoint" in payload else "offset"
    depth = payload.get(key)
    if not isinstance(depth, dict):
        detail = "needs 'vanishingPoint' and 'scaleRatio', or 'offset': where its back is"
        problems.note(
            ProblemCode.MISSING_KEY,
            pointer if key not in payload else child_pointer(pointer, key),
            detail,
        )
        return None
    if not _numbers(depth, ("x", "y"), child_pointer(pointer, key), problems):
        return None
    clean = {"front": list(map(float, front)), key: _floats({"x": depth["x"], "y": depth["y"]})}
    if key == "offset":
        return clean
    if not _numbers(payload, ("scaleRatio",), pointer, problems):
        return None
    return {**clean, "scaleRatio": float(payload["scaleRatio"])}


_BOX_KEYS: Final = frozenset(_BOX)
_ROTATABLE_KEYS: Final = frozenset((*_BOX, "theta"))
_ROUND_KEYS: Final = frozenset((*_CIRCLE, *_ELLIPSE, "stretch", "theta"))
_CUBOID_KEYS: Final = frozenset(("front", "vanishingPoint", "offset", "scaleRatio"))
_OF_POINTS: Final[Mapping[str, _Check]] = {
    Shape.POLYLINE: read_polyline,
    Shape.POINT: read_point,
}
_OF_NUMBERS: Final[Mapping[str, _Check]] = {
    Shape.BOUNDING_BOX: _bounding_box,
    Shape.ROTATABLE_BOUNDING_BOX: _rotatable_box,
    Shape.CIRCLE: _circle,
    Shape.ELLIPSE: _ellipse,
    Shape.CUBOID_2D: _cuboid_2d,
}
