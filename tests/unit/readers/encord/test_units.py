from typing import Any

import pytest

from labelingest.problems.of_document import DocumentProblems
from labelingest.readers.encord.explain.data_units import (
    MOST_FRAMES,
    Unit,
    frame_count,
    frames_of,
    read_units,
)

IMAGE = {
    "data_hash": "u",
    "data_title": "a.jpg",
    "data_link": "s3://b/a.jpg",
    "data_type": "image/jpeg",
    "data_sequence": 0,
}
AUDIO = {
    **IMAGE,
    "data_type": "audio/mpeg",
    "audio_codec": "mp3",
    "audio_sample_rate": 44100,
    "audio_bit_depth": 16,
    "audio_num_channels": 2,
}
LISTED = ("data_hash", "data_title", "data_link", "data_type")


def units(kind: str, *rows: object) -> tuple[list[Unit] | None, list[str]]:
    """Read data units named u0, u1, …; problems as `pointer: code: sentence`."""
    notes = DocumentProblems("a.json")
    found = read_units({f"u{i}": row for i, row in enumerate(rows)}, kind, notes)
    return found, [f"{p.pointer}: {p.code}: {p.detail}" for p in notes.in_order()]


def one(kind: str, row: dict[str, Any]) -> tuple[Unit, list[str]]:
    found, problems = units(kind, row)
    assert found is not None
    return found[0], problems


def refusal(kind: str, *rows: object) -> str:
    found, problems = units(kind, *rows)
    assert found is None
    return problems[-1]


def test_a_unit_of_each_kind_has_its_own_keys() -> None:
    sized = IMAGE | {"width": 4, "height": 2, "data_fps": 5.0, "data_duration": 2}
    first = {key: IMAGE[key] for key in LISTED}
    of_image = {**first, "data_sequence": 0, "width": 4, "height": 2}
    of_audio = {**first, "data_type": "audio/mpeg", "data_sequence": 0}
    of_audio |= {key: AUDIO[key] for key in AUDIO if key.startswith("audio_")}
    length = {"data_duration": 2, "data_fps": 5.0}
    for kind, row, head, tail in (
        ("image", sized, of_image, {}),
        ("video", sized, of_image, length),
        ("audio", AUDIO | length, of_audio, {"data_duration": 2}),
        ("plain_text", sized, {**first, "data_sequence": 0}, {}),
        ("pdf", sized, {**first, "data_sequence": 0, "height": 0, "width": 0, "data_fps": 0}, {}),
    ):
        unit, problems = one(kind, row)
        assert (unit.head, unit.tail, unit.frame, problems) == (head, tail, 0, [])
        assert list(unit.head)[:5] == [*LISTED, "data_sequence"]


def test_a_size_needs_both_sides() -> None:
    assert one("image", IMAGE | {"width": 4, "height": 2})[0].size == (4, 2)
    for sides in ({"width": 4}, {"height": 2}, {"width": 4, "height": 0}, {}):
        assert one("image", IMAGE | sides)[0].size is None


@pytest.mark.parametrize("side", [-1, 2.5, True, "4", 2**53])
def test_a_side_that_is_no_number_of_pixels_is_left_out(side: object) -> None:
    unit, [problem] = one("image", IMAGE | {"width": side, "height": 1})
    assert "width" not in unit.head
    assert problem.startswith("/data_units/u0/width: replaced-value: found ")
    assert problem.endswith("expected a number of pixels: left out")


def test_a_side_may_be_as_long_as_numbers_are_exact() -> None:
    unit, problems = one("image", IMAGE | {"width": 2**53 - 1, "height": 1})
    assert (unit.size, problems) == ((2**53 - 1, 1), [])


def test_unknown_values_of_audio_are_null() -> None:
    bad = {"audio_codec": 7, "audio_sample_rate": "44100", "audio_bit_depth": True}
    unit, problems = one("audio", AUDIO | bad)
    assert [unit.head[key] for key in AUDIO if key.startswith("audio_")] == [None, None, None, 2]
    assert problems == [
        "/data_units/u0/audio_codec: replaced-value: found 7, expected text: null is written",
        "/data_units/u0/audio_sample_rate: replaced-value: found '44100', expected a whole number: "
        "null is written",
        "/data_units/u0/audio_bit_depth: replaced-value: found true, expected a whole number: "
        "null is written",
    ]
    assert one("audio", AUDIO | {"audio_codec": None})[1] == []


@pytest.mark.parametrize("value", [-0.5, float("inf"), "2", True])
def test_a_length_that_is_no_number_from_0_on_is_left_out(value: object) -> None:
    unit, [problem] = one("video", IMAGE | {"data_duration": value, "data_fps": 0})
    assert unit.tail == {"data_fps": 0}
    assert problem.endswith("expected a number from 0 on: left out")


def test_title_and_link_that_are_no_text_are_empty() -> None:
    unit, problems = one("image", IMAGE | {"data_title": None, "data_link": 7})
    assert (unit.head["data_title"], unit.head["data_link"]) == ("", "")
    assert problems == [
        "/data_units/u0/data_title: replaced-value: found null, expected text: '' is written",
        "/data_units/u0/data_link: replaced-value: found 7, expected text: '' is written",
    ]
    assert one("image", IMAGE | {"data_link": None})[0].head["data_link"] is None


@pytest.mark.parametrize("number", [1, -1, "2", "00", None, True, 2**53])
def test_a_single_unit_has_the_number_0(number: object) -> None:
    unit, [problem] = one("image", IMAGE | {"data_sequence": number})
    assert (unit.frame, unit.head["data_sequence"]) == (0, 0)
    assert problem.endswith("expected 0, as there is one data unit: 0 is written")


def in_group(number: object, name: str) -> dict[str, Any]:
    return {k: v for k, v in IMAGE.items() if k != "data_link"} | {
        "data_sequence": number,
        "data_hash": name,
    }


def test_the_images_of_a_group_are_in_the_order_of_their_numbers() -> None:
    found, problems = units("img_group", in_group("1", "b"), in_group(2, "c"), in_group("0", "a"))
    assert found is not None
    assert [(u.frame, u.head["data_hash"], u.head["data_sequence"]) for u in found] == [
        *((0, "a", "0"), (1, "b", "1"), (2, "c", "2"))
    ]
    assert problems == []


def test_the_images_of_a_group_have_each_number_and_each_hash_once() -> None:
    twice = refusal("img_group", in_group(0, "a"), in_group("0", "b"))
    assert twice == (
        "/data_units/u1/data_sequence: not-a-label-row: image 0 of a group of 2; its images are "
        "numbered 0 to 1, each once"
    )
    beyond = refusal("img_group", in_group(0, "a"), in_group(2, "b"))
    assert "image 2 of a group of 2" in beyond
    assert refusal("img_group", in_group(0, "a"), in_group(1, "a")) == (
        "/data_units/u1/data_hash: not-a-label-row: another image of the group has the hash 'a'"
    )
    assert refusal("img_group", in_group("01", "a")) == (
        "/data_units/u0/data_sequence: not-a-label-row: found '01', expected the number of the "
        "image, from 0 on"
    )


def test_what_is_no_data_unit_is_said() -> None:
    assert refusal("image") == (
        "/data_units: not-a-label-row: is empty; expected the file that the labels are about"
    )
    assert refusal("image", IMAGE, IMAGE) == (
        "/data_units: not-a-label-row: 2 data units; a row about one image has one"
    )
    assert refusal("image", []) == (
        "/data_units/u0: not-a-label-row: found [], expected a data unit"
    )
    assert refusal("image", {"data_hash": "u", "data_type": "image/png"}) == (
        "/data_units/u0: not-a-label-row: 'data_title', 'data_sequence', 'data_link' missing in "
        "the data unit of a label row"
    )
    assert "'audio_codec', 'audio_sample_rate'" in refusal("audio", IMAGE)
    for key in ("data_hash", "data_type"):
        for value in ("", None):
            assert refusal("image", IMAGE | {key: value}).startswith(f"/data_units/u0/{key}: ")
    notes = DocumentProblems("a.json")
    assert read_units([], "image", notes) is None
    assert notes.in_order()[0].detail.startswith("found []; expected")


@pytest.mark.parametrize(
    ("kind", "length", "frames"),
    [
        ("video", {"data_fps": 5.0, "data_duration": 2.0}, 10),
        ("video", {"data_fps": 5.0, "data_duration": 2.1}, 11),
        ("video", {"data_fps": 0.5, "data_duration": 1}, 1),
        ("video", {"data_fps": 5.0}, MOST_FRAMES),
        ("video", {"data_duration": 5.0}, MOST_FRAMES),
        ("video", {"data_fps": 1e5, "data_duration": 1e6}, MOST_FRAMES),
        ("pdf", {}, MOST_FRAMES),
        ("image", {}, 1),
        ("plain_text", {}, 1),
        ("audio", {"data_duration": 2.0}, 1),
    ],
)
def test_frames_are_counted_by_kind(kind: str, length: dict[str, float], frames: int) -> None:
    unit, _ = one(kind, (AUDIO if kind == "audio" else IMAGE) | length)
    assert frame_count([unit], kind) == frames


def test_a_group_has_as_many_frames_as_images() -> None:
    found, _ = units("img_group", in_group(0, "a"), in_group(1, "b"))
    assert found is not None
    assert frame_count(found, "img_group") == 2


def frames(kind: str, labels: object) -> tuple[list[tuple[int, Any, str]], list[str]]:
    unit, _ = one(kind, (AUDIO if kind == "audio" else IMAGE) | {"labels": labels})
    notes = DocumentProblems("a.json")
    found = list(frames_of(unit, kind, 10, notes))
    return found, [f"{p.pointer}: {p.code}: {p.detail}" for p in notes.in_order()]


def test_labels_of_a_video_are_by_frame() -> None:
    at = "/data_units/u0/labels"
    full: dict[str, Any] = {"objects": []}
    labels = {"9": full, "0": full, "10": full, "07": full, "1" * 16: full, "1" * 17: full}
    found, problems = frames("video", labels | {"3": [], "4": {}, "²": full})
    assert found == [(9, full, f"{at}/9"), (0, full, f"{at}/0"), (4, {}, f"{at}/4")]
    no_frame = "is no frame; expected a whole number from 0 on"
    assert problems == [
        f"{at}/10: bad-frame: frame 10 is beyond the 10 frames of the file",
        f"{at}/07: bad-frame: '07' {no_frame}",
        f"{at}/{'1' * 16}: bad-frame: frame {'1' * 16} is beyond the 10 frames of the file",
        f"{at}/{'1' * 17}: bad-frame: '{'1' * 17}' {no_frame}",
        f"{at}/3: wrong-type: found a list ([]), expected an object",
        f"{at}/4: missing-key: 'objects' is missing, the list of objects of the frame",
        f"{at}/²: bad-frame: '²' {no_frame}",
    ]


def test_labels_of_other_kinds_are_those_of_one_frame_or_none() -> None:
    at = "/data_units/u0/labels"
    assert frames("image", {"objects": []}) == ([(0, {"objects": []}, at)], [])
    assert frames("pdf", {"2": {"objects": []}})[0] == [(2, {"objects": []}, f"{at}/2")]
    assert frames("audio", {}) == ([], [])
    assert frames("image", None) == ([], [])
    assert frames("audio", {"0": {}}) == (
        [],
        [
            f"{at}: replaced-value: found {{'0': {{}}}}, expected {{}}: labels of audio and text "
            "stand in object_answers: left out"
        ],
    )
    assert frames("image", [1])[1] == [f"{at}: wrong-type: found a list ([1]), expected an object"]
