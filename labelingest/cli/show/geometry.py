"""Geometries of label rows for people: payload → coordinates in pixels, and in words.

Label rows hold fractions of the image's width and height; people compare with a viewer, which
shows pixels. Where the size is unknown the fractions stay, and the words name them.

The payload may be any JSON value: an unreadable one gives None, never an exception.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, TypeAlias

from labelingest.encord.keys import PAYLOAD_KEYS
from labelingest.model.ontology import Shape
from labelingest.readers.encord.explain.bitmask import run_lengths

__all__ = ["FRACTIONS", "PIXELS", "Scale", "describe_geometry", "read_geometry"]

PIXELS: Final = "px"
FRACTIONS: Final = "fractions of width and height"

_SHOWN_POINTS: Final = 6
_ABSURD: Final = 1e9
"""Pixels that no image has on a side: from here on, digits would only fill the screen."""
_UNREADABLE: Final = (
    *(AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError),
)
"""Exceptions of the functions below for a payload that the official client would not write."""

Geometry: TypeAlias = dict[str, Any]
Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """The factors that turn fractions into pixels."""

    width: float
    height: float
    unit: str

    @classmethod
    def from_size(cls, width: object, height: object) -> "Scale":
        """Return the scale of an image; fractions stay where its size is unusable.

        Examples
        --------
        >>> Scale.from_size(640, 480).unit, Scale.from_size(0, 0).unit
        ('px', 'fractions of width and height')
        """
        if type(width) is int and type(height) is int and width > 0 and height > 0:
            return cls(float(width), float(height), PIXELS)
        return cls(1.0, 1.0, FRACTIONS)

    def x(self, value: object) -> float:
        """Return a horizontal position or length."""
        return _number(_number(value) * self.width)

    def y(self, value: object) -> float:
        """Return a vertical position or length."""
        return _number(_number(value) * self.height)


def read_geometry(entry: Mapping[str, Any], scale: Scale) -> Geometry | None:
    """Return the geometry of an object; None where its shape or payload is unreadable.

    Examples
    --------
    >>> box = {"h": 0.25, "w": 0.125, "x": 0.5, "y": 0.375}
    >>> read_geometry({"shape": "bounding_box", "boundingBox": box}, Scale.from_size(640, 480))
    {'left': 320.0, 'top': 180.0, 'width': 80.0, 'height': 120.0}
    """
    shape = entry.get("shape")
    if not isinstance(shape, str) or shape not in PAYLOAD_KEYS:
        return None
    try:
        if shape == Shape.POLYGON:
            return _polygon(entry, scale)
        return _MEASURES[shape](entry[PAYLOAD_KEYS[shape]], scale)
    except _UNREADABLE:
        return None


def describe_geometry(
    shape: str, geometry: Geometry, unit: str, *, everything: bool = False
) -> str:
    """Return a geometry for people.

    Examples
    --------
    >>> describe_geometry("circle", {"centre": (8.0, 4.5), "radius": 2.0, "stretch": 1, "degrees": 0}, "px")
    'centre 8, 4.5, radius 2 px'
    """
    most = None if everything else _SHOWN_POINTS
    words = _WORDS[shape](geometry, most)
    if shape == Shape.BITMASK:
        return words
    degrees = geometry.get("degrees")
    turned = f", {_short(degrees)}°" if degrees else ""
    if shape == Shape.ROTATABLE_BOUNDING_BOX:
        turned = f" before turning by {_short(geometry['degrees'])}°"
    return f"{words} {unit if unit == PIXELS else '(fractions)'}{turned}"


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(value)
    return float(value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _box(payload: Any, scale: Scale) -> Geometry:
    return {
        "left": scale.x(payload["x"]),
        "top": scale.y(payload["y"]),
        "width": scale.x(payload["w"]),
        "height": scale.y(payload["h"]),
    }


def _rotatable_box(payload: Any, scale: Scale) -> Geometry:
    return {**_box(payload, scale), "degrees": _number(payload["theta"])}


def _circle(payload: Any, scale: Scale) -> Geometry:
    return {
        "centre": _point(payload, scale),
        "radius": scale.x(payload["r"]),
        "stretch": _number(payload.get("stretch", 1.0)),
        "degrees": _number(payload.get("theta", 0.0)),
    }


def _ellipse(payload: Any, scale: Scale) -> Geometry:
    return {
        "centre": _point(payload, scale),
        "radii": (scale.x(payload["rx"]), scale.y(payload["ry"])),
        "degrees": _number(payload.get("theta", 0.0)),
    }


def _point(payload: Any, scale: Scale) -> Point:
    return scale.x(payload["x"]), scale.y(payload["y"])


def _points(payload: Any, scale: Scale) -> Geometry:
    points = _line(payload, scale)
    if not points:
        raise ValueError(payload)
    return {"points": points}


def _line(payload: Any, scale: Scale) -> list[Point]:
    """Return the points of `{"0": {"x", "y"}, …}`, of a list of such, or of numbers in pairs."""
    if isinstance(payload, list) and payload and not isinstance(payload[0], dict):
        pairs = zip(payload[::2], payload[1::2], strict=True)
        return [(scale.x(x), scale.y(y)) for x, y in pairs]
    points = payload if isinstance(payload, list) else payload.values()
    return [_point(point, scale) for point in points]


def _polygon(entry: Mapping[str, Any], scale: Scale) -> Geometry:
    parts = entry.get("polygons") or [[entry["polygon"]]]
    polygons = [[_line(ring, scale) for ring in rings] for rings in parts]
    xs, ys = zip(*[point for rings in polygons for ring in rings for point in ring], strict=True)
    left, top = min(xs), min(ys)
    return {
        "bounding_box": {
            "left": left,
            "top": top,
            "width": max(xs) - left,
            "height": max(ys) - top,
        },
        "polygons": polygons,
    }


def _bitmask(payload: Any, scale: Scale) -> Geometry:
    width, height, runs = payload["width"], payload["height"], run_lengths(payload["rleString"])
    if type(width) is not int or type(height) is not int or runs is None:
        raise ValueError(payload)
    if (len(runs) and runs.min() < 0) or int(runs.sum()) != width * height:
        raise ValueError(payload)
    return {"width": width, "height": height, "pixels_set": int(runs[1::2].sum())}


def _skeleton(payload: Any, scale: Scale) -> Geometry:
    joints = list(payload.values())
    if not joints:
        raise ValueError(payload)
    return {
        "points": [
            {
                "name": _text(joint.get("name")),
                "point": _point(joint, scale),
                "visibility": _text(joint.get("visibility")),
            }
            for joint in joints
        ]
    }


def _cuboid_2d(payload: Any, scale: Scale) -> Geometry:
    front = {"front": _line(payload["front"], scale)}
    if "offset" in payload:
        return {**front, "offset": _point(payload["offset"], scale)}
    return {
        **front,
        "vanishing_point": _point(payload["vanishingPoint"], scale),
        "scale_ratio": _number(payload["scaleRatio"]),
    }


_MEASURES: Final[Mapping[str, Callable[[Any, Scale], Geometry]]] = {
    Shape.BOUNDING_BOX: _box,
    Shape.ROTATABLE_BOUNDING_BOX: _rotatable_box,
    Shape.POLYLINE: _points,
    Shape.POINT: _points,
    Shape.CIRCLE: _circle,
    Shape.ELLIPSE: _ellipse,
    Shape.BITMASK: _bitmask,
    Shape.SKELETON: _skeleton,
    Shape.CUBOID_2D: _cuboid_2d,
}


def _short(value: float) -> str:
    """Return a number with what a person reads of it: tenths of a pixel, or four digits."""
    if abs(value) >= _ABSURD:
        return f"{value:.3g}"
    digits = 1 if abs(value) >= 2 else 4
    return f"{round(value, digits) + 0.0:.{digits}f}".rstrip("0").rstrip(".")


def _place(point: Point) -> str:
    return f"{_short(point[0])}, {_short(point[1])}"


def _box_words(box: Geometry, most: int | None) -> str:
    size = f"{_short(box['width'])} × {_short(box['height'])}"
    return f"left {_short(box['left'])}, top {_short(box['top'])}, {size}"


def _circle_words(circle: Geometry, most: int | None) -> str:
    stretch = "" if circle["stretch"] == 1 else f", stretched {_short(circle['stretch'])} times"
    return f"centre {_place(circle['centre'])}, radius {_short(circle['radius'])}{stretch}"


def _ellipse_words(ellipse: Geometry, most: int | None) -> str:
    across, down = map(_short, ellipse["radii"])
    return f"centre {_place(ellipse['centre'])}, radii {across} × {down}"


def _point_words(geometry: Geometry, most: int | None) -> str:
    return _listed([_place(point) for point in geometry["points"]], most)


def _line_words(line: Geometry, most: int | None) -> str:
    points = line["points"]
    vertices = f"{len(points):,} {'vertex' if len(points) == 1 else 'vertices'}"
    return f"{vertices} from {_place(points[0])} to {_place(points[-1])}"


def _polygon_words(geometry: Geometry, most: int | None) -> str:
    polygons = geometry["polygons"]
    vertices = sum(len(ring) for rings in polygons for ring in rings)
    holes = sum(max(len(rings) - 1, 0) for rings in polygons)
    words = [f"{vertices:,} vertices"]
    if len(polygons) > 1:
        words.append(f"{len(polygons):,} parts")
    if holes:
        words.append(f"{holes:,} {'hole' if holes == 1 else 'holes'}")
    return f"{', '.join(words)}, within {_box_words(geometry['bounding_box'], most)}"


def _bitmask_words(mask: Geometry, most: int | None) -> str:
    return f"{mask['pixels_set']:,} pixels set of {mask['width']} × {mask['height']}"


def _skeleton_words(skeleton: Geometry, most: int | None) -> str:
    joints = [f"{p['name'] or '?'} {_place(p['point'])}" for p in skeleton["points"]]
    return _listed(joints, most)


def _cuboid_words(cuboid: Geometry, most: int | None) -> str:
    return f"front {_listed([_place(point) for point in cuboid['front']], most)}"


def _listed(words: list[str], most: int | None) -> str:
    excerpt = "; ".join(words[:most])
    cut = len(words) - len(words[:most])
    return f"{excerpt}; … and {cut:,} more" if cut else excerpt


_WORDS: Final[Mapping[str, Callable[[Geometry, int | None], str]]] = {
    Shape.BOUNDING_BOX: _box_words,
    Shape.ROTATABLE_BOUNDING_BOX: _box_words,
    Shape.POLYGON: _polygon_words,
    Shape.POLYLINE: _line_words,
    Shape.POINT: _point_words,
    Shape.CIRCLE: _circle_words,
    Shape.ELLIPSE: _ellipse_words,
    Shape.BITMASK: _bitmask_words,
    Shape.SKELETON: _skeleton_words,
    Shape.CUBOID_2D: _cuboid_words,
}
