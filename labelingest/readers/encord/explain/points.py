"""Payloads made of points: polygon, polyline, point, skeleton.

Points are read as `{"0": {"x", "y"}, "1": …}`, as a list of such points, or as a flat list of
numbers. Each function returns the form that label rows write.
"""

from itertools import chain
from typing import Any, Final

import numpy as np

from labelingest.geometry.polygons import enclosed_area_is_zero
from labelingest.model.vocabulary import ObjectClass
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems, excerpt, json_type_name
from labelingest.problems.pointers import child_pointer
from labelingest.readers.encord.explain.coordinates import (
    check_finite,
    check_finite_ring,
    check_inside,
    check_inside_ring,
)

__all__ = ["numbered", "read_point", "read_polygon", "read_polyline", "read_skeleton"]

_SKELETON_KEYS: Final = frozenset(
    (
        *("x", "y", "name", "color", "value", "featureHash", "visibility"),
        *("invisible", "occluded", "selfOccluded", "visible"),
    )
)
_VISIBILITIES: Final = ("invisible", "occluded", "selfOccluded", "visible")
"""Visibilities, in the order in which the older booleans of these names count."""


def numbered(ring: list[float]) -> dict[str, dict[str, float]]:
    """Return the points of a flat ring, numbered as in label rows.

    Examples
    --------
    >>> numbered([0.1, 0.2, 0.3, 0.4])
    {'0': {'x': 0.1, 'y': 0.2}, '1': {'x': 0.3, 'y': 0.4}}
    """
    pairs = zip(ring[::2], ring[1::2], strict=True)
    return {str(position): {"x": x, "y": y} for position, (x, y) in enumerate(pairs)}


def read_polygon(
    value: dict[str, Any], pointer: str, problems: DocumentProblems
) -> dict[str, Any] | None:
    """Return `polygon` and `polygons` of an object; None where no part is valid.

    Of two that differ, `polygons` counts, as it has all parts and holes.
    """
    outline, parts = value.get("polygon"), value.get("polygons")
    if not outline and not parts:
        key = "polygons" if "polygon" not in value and "polygons" in value else "polygon"
        empty = key in value
        code = ProblemCode.BAD_POINTS if empty else ProblemCode.MISSING_KEY
        detail = "has no points" if empty else "'polygon' and 'polygons' are missing"
        problems.note(
            code,
            child_pointer(pointer, key) if empty else pointer,
            f"{detail}; expected an outline",
        )
        return None
    place = child_pointer(pointer, "polygon")
    if not parts:
        ring = _ring(outline, place, problems)
        return None if ring is None else {"polygon": numbered(ring), "polygons": [[ring]]}
    outer = _flat(outline, place, problems) if outline else None
    polygons = _parts(parts, child_pointer(pointer, "polygons"), problems)
    clean = [rings for rings in polygons if rings]
    if not clean:
        return None
    # Without its first part, nothing tells what the outline belongs to.
    if outer and polygons[0] and outer != polygons[0][0]:
        detail = "the outline differs from the first ring of 'polygons', which counts"
        problems.note(ProblemCode.POLYGONS_DIFFER, place, detail)
    return {"polygon": numbered(clean[0][0]), "polygons": clean}


def _parts(parts: object, pointer: str, problems: DocumentProblems) -> list[list[list[float]]]:
    """Return polygons → rings → flat numbers; no rings for an invalid polygon.

    Each polygon and each hole is judged by itself: an invalid hole costs the hole, an invalid outline
    its polygon.
    """
    if not isinstance(parts, list):
        problems.wrong_type(pointer, parts, "a list of polygons")
        return []
    polygons: list[list[list[float]]] = []
    for position, rings in enumerate(parts):
        place = child_pointer(pointer, position)
        valid: list[list[float] | None] = [None]
        if isinstance(rings, list) and rings:
            valid = [_ring(ring, child_pointer(place, i), problems) for i, ring in enumerate(rings)]
        else:
            detail = f"found {excerpt(rings)}, expected a list of rings"
            problems.note(ProblemCode.BAD_POINTS, place, detail)
        polygons.append([] if valid[0] is None else [ring for ring in valid if ring is not None])
    return polygons


def _ring(points: object, pointer: str, problems: DocumentProblems) -> list[float] | None:
    """Return x, y, x, y, … of a ring that encloses an area; None for an invalid one."""
    ring = _flat(points, pointer, problems)
    if ring is None:
        return None
    vertices = np.array(ring).reshape(-1, 2)
    if not enclosed_area_is_zero(vertices, np.array([0, len(vertices)]))[0]:
        return ring
    different = len(set(zip(ring[::2], ring[1::2], strict=True)))
    detail = f"{different} different vertices that enclose no area; a polygon has 3 or more"
    problems.note(ProblemCode.DEGENERATE_POLYGON, pointer, detail)
    return None


def _flat(points: object, pointer: str, problems: DocumentProblems) -> list[float] | None:
    """Return finite x, y, x, y, …; None for invalid points."""
    if isinstance(points, dict):
        keyed = _in_order(points, pointer, problems)
        return None if keyed is None else _flat_points(keyed, problems)
    if not isinstance(points, list):
        problems.wrong_type(pointer, points, "points")
        return None
    if not points:
        problems.note(ProblemCode.BAD_POINTS, pointer, "has no points")
        return None
    if isinstance(points[0], dict):
        return _flat_points(
            [(child_pointer(pointer, i), entry) for i, entry in enumerate(points)], problems
        )
    if len(points) % 2:
        detail = f"{len(points)} numbers are no pairs of x and y"
        problems.note(ProblemCode.BAD_POINTS, pointer, detail)
        return None
    if not check_finite_ring(points, pointer, problems):
        return None
    check_inside_ring(points, pointer, problems)
    return list(map(float, points))


def _in_order(
    points: dict[str, Any], pointer: str, problems: DocumentProblems
) -> list[tuple[str, Any]] | None:
    """Return JSON pointers and points in the order of their numbers; None for other keys."""
    if not points:
        problems.note(ProblemCode.BAD_POINTS, pointer, "has no points")
        return None
    plain = all(map(str.isdecimal, points)) and all(map(str.isascii, points))
    if not plain or max(map(len, points)) > 9 or len(set(map(int, points))) < len(points):
        detail = f"keys {excerpt(list(points))} do not number points 0, 1, 2, …"
        problems.note(ProblemCode.BAD_POINTS, pointer, detail)
        return None
    # Nearly always in order already, and sorting an ordered list is one pass.
    return [(child_pointer(pointer, key), points[key]) for key in sorted(points, key=int)]


def _flat_points(points: list[tuple[str, Any]], problems: DocumentProblems) -> list[float] | None:
    pairs = [_pair(entry, pointer, problems) for pointer, entry in points]
    valid = [pair for pair in pairs if pair is not None]
    return list(chain.from_iterable(valid)) if len(valid) == len(pairs) else None


def _pair(entry: object, pointer: str, problems: DocumentProblems) -> tuple[float, float] | None:
    """Return x and y of one point; None for an invalid one."""
    if not isinstance(entry, dict):
        problems.wrong_type(pointer, entry, "a point with x and y")
        return None
    if not _has_coordinates(entry, pointer, problems):
        return None
    x, y = entry["x"], entry["y"]
    check_inside(x, child_pointer(pointer, "x"), problems)
    check_inside(y, child_pointer(pointer, "y"), problems)
    return float(x), float(y)


def _has_coordinates(entry: dict[str, Any], pointer: str, problems: DocumentProblems) -> bool:
    valid = True
    for key in ("x", "y"):
        if key not in entry:
            problems.note(
                ProblemCode.MISSING_KEY, pointer, f"{key!r} is missing; expected a number"
            )
            valid = False
        elif not check_finite(entry[key], child_pointer(pointer, key), problems):
            valid = False
    if "z" in entry:
        detail = "3D points belong to scenes, which cloud-synced folders do not hold"
        problems.note(ProblemCode.UNSUPPORTED_LABEL, child_pointer(pointer, "z"), detail)
        valid = False
    return valid


def read_polyline(
    value: dict[str, Any], pointer: str, problems: DocumentProblems
) -> dict[str, Any] | None:
    """Return `polyline` of an object; None for invalid points."""
    place = child_pointer(pointer, "polyline")
    points = value["polyline"]
    if isinstance(points, dict | list) and not points:
        problems.note(ProblemCode.BAD_POINTS, place, "has no points; expected a line")
        return None
    if isinstance(points, list) and not isinstance(points[0], dict):
        problems.wrong_type(child_pointer(place, 0), points[0], "a point with x and y")
        return None
    ring = _flat(points, place, problems)
    return None if ring is None else {"polyline": numbered(ring)}


def read_point(
    value: dict[str, Any], pointer: str, problems: DocumentProblems
) -> dict[str, Any] | None:
    """Return `point` of an object; None for an invalid point."""
    place = child_pointer(pointer, "point")
    points = value["point"]
    if not isinstance(points, dict) or list(points) != ["0"]:
        detail = f"found {excerpt(points)}, expected one point under the key '0'"
        problems.note(ProblemCode.BAD_POINTS, place, detail)
        return None
    pair = _pair(points["0"], child_pointer(place, "0"), problems)
    return None if pair is None else {"point": {"0": {"x": pair[0], "y": pair[1]}}}


def read_skeleton(
    value: dict[str, Any], pointer: str, object_class: ObjectClass, problems: DocumentProblems
) -> dict[str, Any] | None:
    """Return `skeleton` of an object; None for an invalid point."""
    place = child_pointer(pointer, "skeleton")
    entries = value["skeleton"]
    if not isinstance(entries, dict) or not entries:
        detail = f"found {excerpt(entries)}, expected points under the keys '0', '1', …"
        problems.note(ProblemCode.BAD_POINTS, place, detail)
        return None
    joints = [
        _joint(joint, child_pointer(place, key), object_class, problems)
        for key, joint in entries.items()
    ]
    valid = [joint for joint in joints if joint is not None]
    if len(valid) < len(joints):
        return None
    return {"skeleton": {str(position): joint for position, joint in enumerate(valid)}}


def _joint(
    entry: object, pointer: str, object_class: ObjectClass, problems: DocumentProblems
) -> dict[str, Any] | None:
    """Return one point of a skeleton; None for an invalid one."""
    if not isinstance(entry, dict):
        problems.note(
            ProblemCode.WRONG_TYPE,
            pointer,
            f"found {json_type_name(entry)}, expected a point of a skeleton",
        )
        return None
    if not _has_coordinates(entry, pointer, problems):
        return None
    name = entry.get("name")
    if not isinstance(name, str):
        detail = f"'name' is {excerpt(name)}, expected the name of a point of the skeleton template"
        problems.note(ProblemCode.MISSING_KEY, pointer, detail)
        return None
    problems.unknown_keys(entry, _SKELETON_KEYS, pointer, "a point of a skeleton")
    check_inside(entry["x"], child_pointer(pointer, "x"), problems)
    check_inside(entry["y"], child_pointer(pointer, "y"), problems)
    if object_class.points and name not in object_class.points:
        template = f"the skeleton template of {excerpt(object_class.name)}"
        detail = f"{excerpt(name)} is no point of {template}: kept"
        problems.note(ProblemCode.UNKNOWN_SKELETON_POINT, child_pointer(pointer, "name"), detail)
    joint = {"x": float(entry["x"]), "y": float(entry["y"]), "name": name}
    for key in ("color", "featureHash", "value"):
        text = problems.get(entry, key, pointer, str)
        if text is not None:
            joint[key] = text
    visibility = _visibility(entry, pointer, problems)
    return joint if visibility is None else {**joint, "visibility": visibility}


def _visibility(joint: dict[str, Any], pointer: str, problems: DocumentProblems) -> str | None:
    """Return the visibility; older rows have a boolean key of that name instead."""
    for name in _VISIBILITIES:
        if joint.get(name):
            return name
    visibility = joint.get("visibility")
    if visibility is None or (isinstance(visibility, str) and visibility in _VISIBILITIES):
        return visibility
    expected = f"one of {', '.join(_VISIBILITIES)}"
    problems.replaced(child_pointer(pointer, "visibility"), visibility, expected, "left out")
    return None
