"""What is drawn, shape by shape: the payload that is written, and each problem word by word."""

from typing import Any

import numpy as np
import pytest

from labelingest.encord.keys import PAYLOAD_KEYS
from labelingest.model.vocabulary import ObjectClass
from labelingest.problems.of_document import DocumentProblems
from labelingest.readers.encord.explain.bitmask import run_lengths
from labelingest.readers.encord.explain.coordinates import check_inside, read_angle
from labelingest.readers.encord.explain.shapes import read_payload

OUTSIDE = "lies outside the image, whose coordinates go from 0 to 1"
SQUARE = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0]
BOW_TIE = [0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0]
LINE = [0.25, 0.25, 0.5, 0.5, 0.75, 0.75]
HAND = ObjectClass("hand", "Hand", "#808900", "skeleton", points=frozenset(("thumb", "wrist")))


def read(shape: str, value: Any, size: tuple[int, int] | None = (4, 2)) -> tuple[Any, list[str]]:
    """Return the clean payload of a shape, and problems as `pointer: code: sentence`."""
    of = HAND if shape == "skeleton" else ObjectClass("f", "Name", "#000000", shape)
    notes = DocumentProblems("a.json")
    key = PAYLOAD_KEYS[shape]
    clean = read_payload({key: value}, "", of, size, notes)
    found = [f"{p.pointer}: {p.code}: {p.detail}" for p in notes.in_order()]
    return clean if clean is None or shape == "polygon" else clean[key], found


def of_polygon(value: dict[str, Any]) -> tuple[Any, list[str]]:
    notes = DocumentProblems("a.json")
    clean = read_payload(value, "", ObjectClass("f", "Name", "#0", "polygon"), None, notes)
    return clean, [f"{p.pointer}: {p.code}: {p.detail}" for p in notes.in_order()]


def box(**numbers: Any) -> dict[str, Any]:
    return {"h": 0.25, "w": 0.125, "x": 0.5, "y": 0.375} | numbers


def points(*numbers: float) -> dict[str, dict[str, float]]:
    return {
        str(i): {"x": numbers[2 * i], "y": numbers[2 * i + 1]} for i in range(len(numbers) // 2)
    }


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ("bounding_box", box()),
        ("bounding_box", box(x=0.875)),
        ("bounding_box", box(x=0.875 + 5e-7)),
        ("bounding_box", box(y=0.75 + 5e-7)),
        ("bounding_box", box(x=-5e-7)),
        ("bounding_box", box(x=1 + 5e-7, w=0.0)),
        ("rotatable_bounding_box", box(theta=359.0)),
        ("rotatable_bounding_box", box(x=-0.0625, theta=0.0)),
        ("rotatable_bounding_box", box(x=0.9375 + 5e-7, y=-0.125 - 5e-7, theta=0.0)),
        ("circle", {"x": 0.5, "y": 0.5, "r": 0.25, "stretch": 0.5, "theta": 30.0}),
        ("circle", {"x": 0.5, "y": 0.5, "r": 0.25, "stretch": 0.0, "theta": 0.0}),
        ("ellipse", {"x": 0.0, "y": 1.0, "rx": 0.25, "ry": 0.5, "theta": 30.0}),
        ("point", points(0.25, 0.75)),
        ("polyline", points(0.25, 0.75, 0.5, 0.5, 0.0, 1.0)),
        ("bitmask", {"top": 0, "left": 0, "height": 2, "width": 4, "rleString": "233"}),
        ("cuboid_2d", {"front": SQUARE, "vanishingPoint": {"x": 5.0, "y": -5.0}, "scaleRatio": 0.5}),
        ("cuboid_2d", {"front": SQUARE, "offset": {"x": 0.25, "y": 0.25}}),
        ("skeleton", {"0": {"x": 0.5, "y": 0.5, "name": "thumb", "color": "#1", "visibility": "visible"}}),
    ],
)  # fmt: skip
def test_what_is_clean_stays_as_it_is(shape: str, value: dict[str, Any]) -> None:
    assert read(shape, value) == (value, [])


def test_whole_numbers_and_what_is_left_out_are_written_in_one_form() -> None:
    clean, problems = read("bounding_box", {"h": 1, "w": 1, "x": 0, "y": 0})
    assert [repr(number) for number in clean.values()] == ["1.0", "1.0", "0.0", "0.0"]
    assert problems == []
    round_ = {"x": 0, "y": 1, "r": 1}
    assert read("circle", round_)[0] == {**round_, "stretch": 1.0, "theta": 0.0}
    oval = {"x": 0, "y": 1, "rx": 1, "ry": 1}
    assert read("ellipse", oval)[0] == {**oval, "theta": 0.0}
    assert read("bitmask", {"height": 2, "width": 4, "rleString": "233"})[0] == {
        "top": 0,
        "left": 0,
        "height": 2,
        "width": 4,
        "rleString": "233",
    }
    assert read("polyline", [{"x": 0, "y": 1}, {"x": 1, "y": 0}])[0] == points(0.0, 1.0, 1.0, 0.0)
    numbered = {"10": {"x": 0.5, "y": 1}, "9": {"x": 0, "y": 0}}
    assert read("polyline", numbered)[0] == points(0.0, 0.0, 0.5, 1.0)


@pytest.mark.parametrize(
    ("shape", "value", "problems"),
    [
        ("bounding_box", box(x=1.5, w=0.0), ["/boundingBox/x: outside-image: 1.5 {}: kept"]),
        ("bounding_box", box(y=-0.5), ["/boundingBox/y: outside-image: -0.5 {}: kept"]),
        ("bounding_box", box(w=0.75),
         ["/boundingBox/w: outside-image: 1.25, the far edge, {}: kept"]),
        ("bounding_box", box(h=0.75),
         ["/boundingBox/h: outside-image: 1.125, the far edge, {}: kept"]),
        ("bounding_box", box(x=1.0, w=0.5),
         ["/boundingBox/w: outside-image: 1.5, the far edge, {}: kept"]),
        ("bounding_box", box(y=1.0, h=0.5),
         ["/boundingBox/h: outside-image: 1.5, the far edge, {}: kept"]),
        ("bounding_box", box(w=-0.25), ["/boundingBox/w: outside-image: -0.25 {}: kept"]),
        ("bounding_box", box(h=1.25), ["/boundingBox/h: outside-image: 1.25 {}: kept"]),
        ("bounding_box", box(x=2.0),
         ["/boundingBox/x: outside-image: 2.0 {}: kept"]),
        ("rotatable_bounding_box", box(theta=0.0, x=-0.25),
         ["/rotatableBoundingBox/x: outside-image: -0.1875, the centre, lies outside the image "
          "(0 to 1): kept"]),
        ("rotatable_bounding_box", box(theta=0.0, y=0.9375),
         ["/rotatableBoundingBox/y: outside-image: 1.0625, the centre, lies outside the image "
          "(0 to 1): kept"]),
        ("rotatable_bounding_box", box(theta=0.0, w=-0.5),
         ["/rotatableBoundingBox/w: outside-image: -0.5 {}: kept"]),
        ("rotatable_bounding_box", box(theta=0.0, h=-0.5),
         ["/rotatableBoundingBox/h: outside-image: -0.5 {}: kept"]),
        ("circle", {"x": 1.5, "y": 0.5, "r": 0.5, "stretch": -1.0, "theta": 0.0},
         ["/circle/x: outside-image: 1.5 {}: kept", "/circle/stretch: outside-image: -1.0 {}: kept"]),
        ("ellipse", {"x": 0.5, "y": 0.5, "rx": 0.5, "ry": 2.0, "theta": 0.0},
         ["/ellipse/ry: outside-image: 2.0 {}: kept"]),
        ("point", points(-0.5, 1.5),
         ["/point/0/x: outside-image: -0.5 {}: kept", "/point/0/y: outside-image: 1.5 {}: kept"]),
        ("polyline", points(0.0, 0.0, 1.5, 0.0, 0.0, -1.5),
         ["/polyline/1/x: outside-image: 1.5 {}: kept",
          "/polyline/2/y: outside-image: -1.5 {}: kept"]),
        ("cuboid_2d", {"front": [0.0, 2.0, -1.0, 0.0], "offset": {"x": 0.0, "y": 0.0}},
         ["/cuboid_2d/front/1: outside-image: 2.0 {} (and 1 more of this ring): kept"]),
        ("skeleton", {"0": {"x": -1.0, "y": 2.0, "name": "wrist"}},
         ["/skeleton/0/x: outside-image: -1.0 {}: kept", "/skeleton/0/y: outside-image: 2.0 {}: kept"]),
        ("skeleton", {"0": {"x": 0.0, "y": 0.0, "name": "toe"}},
         ["/skeleton/0/name: unknown-skeleton-point: 'toe' is no point of the skeleton template of "
          "'Hand': kept"]),
    ],
)  # fmt: skip
def test_what_lies_outside_is_kept_and_named(
    shape: str, value: dict[str, Any], problems: list[str]
) -> None:
    clean, found = read(shape, value)
    assert clean == value
    assert found == [problem.format(OUTSIDE) for problem in problems]


@pytest.mark.parametrize(
    ("shape", "value", "problems"),
    [
        ("bounding_box", None, [": missing-key: 'boundingBox' is missing, the payload of bounding_box"]),
        ("bounding_box", [], ["/boundingBox: wrong-type: found a list ([]), expected an object"]),
        ("bounding_box", {"w": 1, "h": "1", "x": float("inf"), "y": True},
         ["/boundingBox/h: not-a-number: found text ('1'), expected a number",
          "/boundingBox/x: not-finite: inf is not finite: no place in an image",
          "/boundingBox/y: not-a-number: found a boolean (true), expected a number"]),
        ("bounding_box", {"x": 1, "y": 1},
         ["/boundingBox: missing-key: 'h' is missing; expected a number",
          "/boundingBox: missing-key: 'w' is missing; expected a number"]),
        ("rotatable_bounding_box", box(),
         ["/rotatableBoundingBox: missing-key: 'theta' is missing; expected a number"]),
        ("circle", {"x": 0.5, "y": 0.5, "r": 0.5, "stretch": None},
         ["/circle/stretch: not-a-number: found null (null), expected a number"]),
        ("ellipse", {"x": 0.5, "y": 0.5, "rx": 0.5},
         ["/ellipse: missing-key: 'ry' is missing; expected a number"]),
        ("polyline", {}, ["/polyline: bad-points: has no points; expected a line"]),
        ("polyline", [], ["/polyline: bad-points: has no points; expected a line"]),
        ("polyline", [0.5, 0.5],
         ["/polyline/0: wrong-type: found a number (0.5), expected a point with x and y"]),
        ("polyline", 7, ["/polyline: wrong-type: found a number (7), expected points"]),
        ("polyline", {"0": 7, "1": {"x": 0, "y": 0}},
         ["/polyline/0: wrong-type: found a number (7), expected a point with x and y"]),
        ("polyline", {"0": {"x": 0}},
         ["/polyline/0: missing-key: 'y' is missing; expected a number"]),
        ("polyline", {"0": {"x": 0, "y": 0, "z": 0}},
         ["/polyline/0/z: unsupported-label: 3D points belong to scenes, which cloud-synced folders "
          "do not hold"]),
        ("polyline", {"0": {"x": 0, "y": 0}, "00": {"x": 0, "y": 0}},
         ["/polyline: bad-points: keys ['0', '00'] do not number points 0, 1, 2, …"]),
        ("polyline", {"²": {"x": 0, "y": 0}},
         ["/polyline: bad-points: keys ['²'] do not number points 0, 1, 2, …"]),
        ("polyline", {"1234567890": {"x": 0, "y": 0}},
         ["/polyline: bad-points: keys ['1234567890'] do not number points 0, 1, 2, …"]),
        ("point", {}, ["/point: bad-points: found {}, expected one point under the key '0'"]),
        ("point", {"1": {"x": 0, "y": 0}},
         ["/point: bad-points: found {'1': {'x': 0, 'y': 0}}, expected one point under the key '0'"]),
        ("point", {"0": []},
         ["/point/0: wrong-type: found a list ([]), expected a point with x and y"]),
        ("bitmask", {"height": 2, "rleString": "8"},
         ["/bitmask: missing-key: 'width' is missing; expected pixels"]),
        ("bitmask", {"height": -2, "width": 4, "rleString": "8"},
         ["/bitmask/height: bad-bitmask: found -2, expected a whole number of pixels"]),
        ("bitmask", {"height": 2, "width": 4.0, "rleString": "8"},
         ["/bitmask/width: bad-bitmask: found 4.0, expected a whole number of pixels"]),
        ("bitmask", {"height": 2, "width": 4},
         ["/bitmask: bad-bitmask: 'rleString' is missing; expected run lengths"]),
        ("bitmask", {"height": 3, "width": 4, "rleString": "<"},
         ["/bitmask/height: bad-bitmask: the mask has 4 x 3 pixels, its image 4 x 2: a mask must be "
          "as large as its image"]),
        ("bitmask", {"height": 2, "width": 4, "left": 1, "rleString": "8"},
         ["/bitmask/left: bad-bitmask: found top 0 and left 1; a mask covers its image, so both are "
          "0"]),
        ("bitmask", {"height": 2, "width": 4, "top": 1, "left": 1, "rleString": "8"},
         ["/bitmask/top: bad-bitmask: found top 1 and left 1; a mask covers its image, so both are "
          "0"]),
        ("bitmask", {"height": 2, "width": 4, "rleString": "9"},
         ["/bitmask/rleString: bad-bitmask: the runs cover 9 pixels, the mask has 8"]),
        ("bitmask", {"height": 2, "width": 4, "rleString": "d"},
         ["/bitmask/rleString: bad-bitmask: 'd' holds no run lengths of a mask of 8 pixels"]),
        ("bitmask", {"height": 2, "width": 4, "rleString": "O9"},
         ["/bitmask/rleString: bad-bitmask: 'O9' holds no run lengths of a mask of 8 pixels"]),
        ("cuboid_2d", {"offset": {"x": 0, "y": 0}},
         ["/cuboid_2d: bad-points: 'front' must be a list of x and y of the corners of the front "
          "face"]),
        ("cuboid_2d", {"front": [0.5], "offset": {"x": 0, "y": 0}},
         ["/cuboid_2d/front: bad-points: 'front' must be a list of x and y of the corners of the "
          "front face"]),
        ("cuboid_2d", {"front": [0.5, None], "offset": {"x": 0, "y": 0}},
         ["/cuboid_2d/front/1: not-a-number: found null (null), expected a number"]),
        ("cuboid_2d", {"front": SQUARE},
         ["/cuboid_2d: missing-key: needs 'vanishingPoint' and 'scaleRatio', or 'offset': where its "
          "back is"]),
        ("cuboid_2d", {"front": SQUARE, "offset": 7},
         ["/cuboid_2d/offset: missing-key: needs 'vanishingPoint' and 'scaleRatio', or 'offset': "
          "where its back is"]),
        ("cuboid_2d", {"front": SQUARE, "offset": {"x": 0}},
         ["/cuboid_2d/offset: missing-key: 'y' is missing; expected a number"]),
        ("cuboid_2d", {"front": SQUARE, "vanishingPoint": {"x": 0, "y": 0}},
         ["/cuboid_2d: missing-key: 'scaleRatio' is missing; expected a number"]),
        ("skeleton", {},
         ["/skeleton: bad-points: found {}, expected points under the keys '0', '1', …"]),
        ("skeleton", {"0": []},
         ["/skeleton/0: wrong-type: found a list, expected a point of a skeleton"]),
        ("skeleton", {"0": {"x": 0.5, "y": 0.5}},
         ["/skeleton/0: missing-key: 'name' is null, expected the name of a point of the skeleton "
          "template"]),
        ("skeleton", {"0": {"x": 0.5, "y": 0.5, "name": "thumb"}, "1": {"x": 0.5, "name": "wrist"}},
         ["/skeleton/1: missing-key: 'y' is missing; expected a number"]),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(shape: str, value: Any, problems: list[str]) -> None:
    assert read(shape, value) == (None, problems)


@pytest.mark.parametrize(
    ("shape", "value", "of"),
    [
        ("bounding_box", box(), "a bounding box"),
        ("rotatable_bounding_box", box(theta=0.0), "a rotatable bounding box"),
        ("circle", {"x": 0, "y": 0, "r": 0}, "a circle or an ellipse"),
        ("bitmask", {"height": 2, "width": 4, "rleString": "8"}, "a bitmask"),
        ("cuboid_2d", {"front": SQUARE, "offset": {"x": 0, "y": 0}}, "a 2D cuboid"),
    ],
)
def test_unknown_keys_are_dropped(shape: str, value: dict[str, Any], of: str) -> None:
    clean, problems = read(shape, value | {"extra": 1})
    assert clean == read(shape, value)[0]
    key = PAYLOAD_KEYS[shape]
    assert problems == [f"/{key}/extra: unknown-key: 'extra' is no key of {of}: dropped"]


def test_a_mask_of_an_image_of_unknown_size_has_any_size() -> None:
    mask = {"top": 0, "left": 0, "height": 7, "width": 1, "rleString": "7"}
    assert read("bitmask", mask, None) == (mask, [])


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("", []),
        ("0", [0]),
        ("?", [15]),
        ("O", [-1]),
        ("o0", [31]),
        ("P1", [32]),
        ("1234", [1, 2, 3, 6]),  # the fourth one is 4 more than the second
        ("22OO2", [2, 2, -1, 1, 1]),
        ("p", None),
        ("/", None),
        ("é", None),
        ("P" * 6 + "`0", [1 << 34]),
        ("Q" + "P" * 5 + "`0", None),
        ("P" * 6 + "@", [-(1 << 34)]),
        ("o" * 6 + "_O", None),  # one below
        ("1" + "P" * 10 + "0", [1, 0]),
        ("1" + "P" * 11 + "0", [1, 0]),
        ("1" + "P" * 12 + "0", None),
    ],
)
def test_run_lengths_are_groups_of_five_bits(text: str, runs: list[int] | None) -> None:
    found = run_lengths(text)
    assert (None if found is None else found.tolist()) == runs


def test_an_outline_comes_in_three_forms() -> None:
    ring = [0.0, 0.0, 1.0, 0.0, 0.5, 1.0]
    expected = {"polygon": points(*ring), "polygons": [[ring]]}
    listed = list(points(*ring).values())
    for value in (
        {"polygon": points(*ring)},
        {"polygon": listed},
        {"polygon": ring},
        {"polygons": [[ring]]},
        {"polygons": [[listed]], "polygon": {}},
        {"polygon": ring, "polygons": [[points(*ring)]]},
    ):
        assert of_polygon(value) == (expected, [])


def test_the_outline_that_counts_is_the_first_of_all_parts() -> None:
    ring, hole = SQUARE, [0.25, 0.25, 0.75, 0.25, 0.5, 0.75]
    clean, problems = of_polygon({"polygon": hole, "polygons": [[ring, hole], [hole]]})
    assert clean == {"polygon": points(*ring), "polygons": [[ring, hole], [hole]]}
    assert problems == [
        "/polygon: polygons-differ: the outline differs from the first ring of 'polygons', which "
        "counts"
    ]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({}, ": missing-key: 'polygon' and 'polygons' are missing; expected an outline"),
        ({"polygon": {}}, "/polygon: bad-points: has no points; expected an outline"),
        ({"polygons": []}, "/polygons: bad-points: has no points; expected an outline"),
        ({"polygon": None, "polygons": []}, "/polygon: bad-points: has no points; expected an outline"),
        ({"polygons": {"0": []}}, "/polygons: wrong-type: found an object ({'0': []}), expected a list "
         "of polygons"),
        ({"polygons": [[]]}, "/polygons/0: bad-points: found [], expected a list of rings"),
        ({"polygons": [[[0.5, 0.5, 0.5]]]},
         "/polygons/0/0: bad-points: 3 numbers are no pairs of x and y"),
        ({"polygon": [0, 0, 1, 1, "1", 0]},
         "/polygon/4: not-a-number: found text ('1'), expected a number"),
        ({"polygon": [0, 0, 1, 1, 0, 0]},
         "/polygon: degenerate-polygon: 2 different vertices that enclose no area; a polygon has 3 "
         "or more"),
        ({"polygon": [0.5, 0, 0.5, 1, 0.5, 0.5]},
         "/polygon: degenerate-polygon: 3 different vertices that enclose no area; a polygon has 3 "
         "or more"),
    ],
)  # fmt: skip
def test_a_polygon_that_cannot_be_used_is_named(value: dict[str, Any], problem: str) -> None:
    assert of_polygon(value) == (None, [problem])


@pytest.mark.parametrize(
    ("value", "expected", "problem"),
    [
        ({"polygons": [[SQUARE], 7]}, [[SQUARE]],
         "/polygons/1: bad-points: found 7, expected a list of rings"),
        ({"polygons": [[SQUARE, []]]}, [[SQUARE]], "/polygons/0/1: bad-points: has no points"),
        ({"polygons": [[SQUARE, 7]]}, [[SQUARE]],
         "/polygons/0/1: wrong-type: found a number (7), expected points"),
        ({"polygons": [[SQUARE], [SQUARE, LINE]]}, [[SQUARE], [SQUARE]],
         "/polygons/1/1: degenerate-polygon: 3 different vertices that enclose no area; a polygon "
         "has 3 or more"),
        ({"polygons": [[LINE, SQUARE], [BOW_TIE]]}, [[BOW_TIE]],
         "/polygons/0/0: degenerate-polygon: 3 different vertices that enclose no area; a polygon "
         "has 3 or more"),
        ({"polygon": [0.5], "polygons": [[SQUARE]]}, [[SQUARE]],
         "/polygon: bad-points: 1 numbers are no pairs of x and y"),
    ],
)  # fmt: skip
def test_an_invalid_part_or_hole_costs_no_other_one(
    value: dict[str, Any], expected: list[list[list[float]]], problem: str
) -> None:
    outline = points(*expected[0][0])
    assert of_polygon(value) == ({"polygon": outline, "polygons": expected}, [problem])


def test_coordinates_of_a_ring_outside_the_image_are_counted() -> None:
    ring = [0.0, 0.0, 1.5, 0.0, 0.5, 1 + 5e-7]
    clean, problems = of_polygon({"polygon": ring})
    assert clean["polygons"] == [[ring]]
    assert problems == [f"/polygon/2: outside-image: 1.5 {OUTSIDE}: kept"]
    _, problems = of_polygon({"polygon": [-1.0, -2.0, 1.5, 0.0, -5e-7, 1.0]})
    assert problems == [
        f"/polygon/0: outside-image: -1.0 {OUTSIDE} (and 2 more of this ring): kept"
    ]


def joint(**keys: Any) -> tuple[Any, list[str]]:
    clean, problems = read("skeleton", {"7": {"x": 0, "y": 1, "name": "thumb", **keys}})
    return clean["0"], problems


def test_points_of_a_skeleton_are_numbered_anew_and_drop_unknown_keys() -> None:
    clean, problems = joint(extra=1, featureHash="f", value="v", color=7)
    assert clean == {"x": 0.0, "y": 1.0, "name": "thumb", "featureHash": "f", "value": "v"}
    assert problems == [
        "/skeleton/7/color: wrong-type: found a number (7), expected text",
        "/skeleton/7/extra: unknown-key: 'extra' is no key of a point of a skeleton: dropped",
    ]


@pytest.mark.parametrize(
    ("keys", "visibility"),
    [
        ({}, None),
        ({"visible": True}, "visible"),
        ({"visible": True, "occluded": True}, "occluded"),
        ({"invisible": True, "occluded": True}, "invisible"),
        ({"selfOccluded": True, "visible": True}, "selfOccluded"),
        ({"visible": False, "visibility": "occluded"}, "occluded"),
        ({"visible": True, "visibility": "occluded"}, "visible"),
    ],
)
def test_the_visibility_of_a_point_may_be_an_older_boolean(
    keys: dict[str, Any], visibility: str | None
) -> None:
    clean, problems = joint(**keys)
    assert (clean.get("visibility"), problems) == (visibility, [])


def test_an_unknown_visibility_is_left_out() -> None:
    for value in ("dim", 7):
        clean, [problem] = joint(visibility=value)
        assert "visibility" not in clean
        assert problem == (
            f"/skeleton/7/visibility: replaced-value: found {value!r}, expected one of invisible, "
            "occluded, selfOccluded, visible: left out"
        )


@pytest.mark.parametrize(
    ("degrees", "reduced"), [(0, 0), (359.5, 359.5), (360, 0), (400, 40), (-90, 270), (-1e-20, 0.0)]
)
def test_angles_are_reduced_to_one_turn(degrees: float, reduced: float) -> None:
    notes = DocumentProblems("a.json")
    assert read_angle(degrees, "/theta", notes) == reduced
    said = [problem.detail for problem in notes.in_order()]
    assert said == (
        []
        if 0 <= degrees < 360
        else [f"{degrees!r} degrees are outside 0 to 360 (excluded): written as {reduced!r}"]
    )


@pytest.mark.parametrize("value", [-1e-6, 1 + 1e-6, 0, 1])
def test_a_rounding_error_outside_is_not_worth_a_word(value: float) -> None:
    notes = DocumentProblems("a.json")
    check_inside(value, "/x", notes)
    assert notes.in_order() == []
    for beyond in (np.nextafter(-1e-6, -1), np.nextafter(1 + 1e-6, 2)):
        check_inside(float(beyond), "/x", notes)
    assert len(notes.in_order()) == 2
