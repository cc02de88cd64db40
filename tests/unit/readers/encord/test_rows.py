"""Label rows as a whole: their own keys, objects on frames, classifications, the file beside them."""

from typing import Any

import orjson
import pytest

from labelingest.model.vocabulary import (
    Attribute,
    ClassificationClass,
    ObjectClass,
    Option,
    Vocabulary,
)
from labelingest.problems.of_document import DocumentProblems
from labelingest.problems.pointers import child_pointer
from labelingest.readers.encord.data_file import ANY_FILE, DataFile
from labelingest.readers.encord.explain.classifications import (
    MOST_LISTED,
    Classifications,
    frame_entry,
)
from labelingest.readers.encord.explain.data_file import same_type
from labelingest.readers.encord.explain.entries import Medium
from labelingest.readers.encord.explain.label_row import CheckedRow, read_label_row
from labelingest.readers.encord.explain.provenance import Dates

DATE = "Mon, 05 Jan 2026 16:46:58 UTC"
OTHER_DATE = "Sat, 29 Feb 2020 00:00:00 UTC"
SKY = Attribute("sky", "Sky", "text")
PLACE = Attribute("place", "Place", "text", required=True)
LIGHT = Attribute("light", "Light", "radio", options={"dim": Option("dim", "Dim", "dim")})
WEATHER = ClassificationClass("weather", "Sky", "sky", attributes={"sky": SKY, "light": LIGHT})
SCENE = ClassificationClass("scene", "Place", "place", is_global=True, attributes={"place": PLACE})
OLD = ClassificationClass("old", "Old", "sky", archived=True, attributes={"sky": SKY})
CAR = ObjectClass("car", "Car", "#D33115", "bounding_box")
VOCABULARY = Vocabulary(
    {
        "car": CAR,
        "bus": ObjectClass("bus", "Bus", "#E27300", "bounding_box"),
        "loud": ObjectClass("loud", "Loud", "#E27300", "audio"),
        "word": ObjectClass("word", "Word", "#E27300", "text"),
        "cube": ObjectClass("cube", "Cube", "#E27300", "cuboid"),
    },
    {one.feature_hash: one for one in (WEATHER, SCENE, OLD)},
    {"sky": ("weather", "old"), "light": ("weather",), "place": ("scene",)},
)
BOX = {"h": 0.25, "w": 0.125, "x": 0.5, "y": 0.375}


def car(object_hash: str = "AAAAAAAA", **keys: Any) -> dict[str, Any]:
    made = {
        "objectHash": object_hash,
        "featureHash": "car",
        "shape": "bounding_box",
        "boundingBox": BOX,
        "createdAt": DATE,
        "lastEditedAt": DATE,
        **keys,
    }
    return {key: value for key, value in made.items() if value != "(left out)"}


def answer(feature: str, value: Any) -> dict[str, Any]:
    return {"featureHash": feature, "answers": value}


def label_row(kind: str = "image", labels: Any = None, **keys: Any) -> dict[str, Any]:
    types = {"image": "image/jpeg", "video": "video/mp4", "plain_text": "text/plain"}
    unit: dict[str, Any] = {
        "data_hash": "u",
        "data_title": "a",
        "data_link": "",
        "data_type": types.get(kind, kind),
        "data_sequence": 0,
        "labels": labels or {},
    }
    if kind == "video":
        unit |= {"data_fps": 5.0, "data_duration": 2.0}
    return {
        **dict.fromkeys(("label_hash", "data_hash", "dataset_hash", "dataset_title"), "h"),
        "data_title": "a",
        "created_at": DATE,
        "last_edited_at": DATE,
        "data_type": kind,
        "label_status": "LABELLED",
        "data_units": {"u": unit},
        "object_answers": {},
        "classification_answers": {},
        "object_actions": {},
        **keys,
    }


def read(row: Any, file: DataFile = ANY_FILE) -> tuple[CheckedRow, list[str]]:
    checked = read_label_row(orjson.dumps(row), "a.json", VOCABULARY, file)
    return checked, [f"{p.pointer}: {p.code}: {p.detail}" for p in checked.problems]


def kept(row: Any, file: DataFile = ANY_FILE) -> tuple[dict[str, Any], list[str]]:
    checked, problems = read(row, file)
    assert checked.row is not None
    return checked.row, problems


def of_row(**keys: Any) -> tuple[dict[str, Any], list[str]]:
    return kept(label_row(**keys))


# The row's own keys


def test_the_keys_of_a_row_are_written_in_one_order() -> None:
    row, problems = of_row(is_shadow_data=True, annotation_task_status="COMPLETED", priority=1)
    assert problems == []
    assert list(row) == [
        *("label_hash", "branch_name", "created_at", "last_edited_at", "data_hash"),
        *("dataset_hash", "dataset_title", "data_title", "data_type", "annotation_task_status"),
        *("is_shadow_data", "object_answers", "classification_answers", "object_actions"),
        *("label_status", "data_units", "spaces"),
    ]
    assert (row["branch_name"], row["label_status"]) == ("main", "LABELLED")
    assert (row["is_shadow_data"], row["annotation_task_status"]) == (True, "COMPLETED")
    assert row["data_units"]["u"]["labels"] == {"objects": [], "classifications": []}


def test_keys_of_a_row_that_are_no_text_are_replaced() -> None:
    row, problems = of_row(label_hash=None, branch_name=7, data_hash=None, is_shadow_data=1)
    assert (row["label_hash"], row["branch_name"], row["data_hash"]) == (None, "main", "")
    assert row["is_shadow_data"] is False
    assert problems == [
        "/branch_name: replaced-value: found 7, expected text: 'main' is written",
        "/data_hash: replaced-value: found null, expected text: '' is written",
    ]
    row, problems = of_row(label_hash=7)
    assert row["label_hash"] == ""
    assert len(problems) == 1


def test_a_status_is_one_of_a_list() -> None:
    row, problems = of_row(label_status=None, annotation_task_status="DONE")
    assert (row["label_status"], row["annotation_task_status"]) == ("LABEL_IN_PROGRESS", None)
    assert problems == [
        "/label_status: replaced-value: found null, expected one of NOT_LABELLED, "
        "LABEL_IN_PROGRESS, LABELLED, REVIEW_IN_PROGRESS, REVIEWED, REVIEWED_TWICE: "
        "'LABEL_IN_PROGRESS' is written",
        "/annotation_task_status: replaced-value: found 'DONE', expected one of QUEUED, ASSIGNED, "
        "IN_REVIEW, RETURNED, COMPLETED: null is written",
    ]
    assert of_row(annotation_task_status=None)[1] == []


def test_dates_that_are_missing_are_those_of_the_file() -> None:
    row, _ = kept(label_row(created_at=None), DataFile(date=OTHER_DATE))
    assert (row["created_at"], row["last_edited_at"]) == (OTHER_DATE, DATE)


@pytest.mark.parametrize("key", ["object_answers", "classification_answers", "object_actions"])
def test_answers_are_keyed_by_hashes(key: str) -> None:
    row = label_row()
    row[key] = []
    checked, problems = read(row)
    assert checked.row is None
    assert problems == [
        f"/{key}: not-a-label-row: found a list, expected an object keyed by hashes"
    ]


def test_spaces_and_scenes_are_not_read() -> None:
    for key in ("spaces", "scene"):
        checked, problems = read(label_row() | {key: {"a": 1}})
        assert checked.row is None
        assert problems == [
            f"/{key}: unsupported-label: {key} belong to data groups and scenes, which folders do "
            "not hold"
        ]
        assert of_row(**{key: []})[1] == [
            f"/{key}: replaced-value: found [], expected an empty object: {{}} is written"
        ]
        assert of_row(**{key: {}})[1] == of_row(**{key: None})[1] == []


@pytest.mark.parametrize(
    ("kind", "code"),
    [("dicom", "unsupported-label"), ("scene", "unsupported-label"), (7, "not-a-label-row"),
     ("IMAGE", "not-a-label-row")],
)  # fmt: skip
def test_a_kind_that_cannot_be_read_is_said(kind: Any, code: str) -> None:
    checked, problems = read(label_row(data_type=kind))
    assert checked.row is None
    assert problems == [
        f"/data_type: {code}: {kind!r} cannot be read; expected one of image, img_group, video, "
        "audio, plain_text, pdf"
    ]


# Objects on frames

OBJECTS = "/data_units/u/labels/objects"


def test_an_object_is_written_with_the_names_of_its_class() -> None:
    made = car(createdBy="a@b.org", confidence=0.5, lastEditedBy="c@d.org", isDeleted=False)
    row, problems = of_row(labels={"objects": [made]})
    assert problems == []
    assert row["data_units"]["u"]["labels"]["objects"] == [
        {
            "featureHash": "car",
            "name": "Car",
            "color": "#D33115",
            "shape": "bounding_box",
            "value": "car",
            "createdAt": DATE,
            "createdBy": "a@b.org",
            "confidence": 0.5,
            "objectHash": "AAAAAAAA",
            "manualAnnotation": True,
            "lastEditedAt": DATE,
            "lastEditedBy": "c@d.org",
            "isDeleted": False,
            "boundingBox": BOX,
        }
    ]


def test_dates_that_nobody_gives_are_left_out() -> None:
    made = car(createdAt=None, lastEditedAt=None)
    row, _ = of_row(labels={"objects": [made]}, created_at=None, last_edited_at=None)
    [found] = row["data_units"]["u"]["labels"]["objects"]
    assert not {"createdAt", "lastEditedAt"} & found.keys()


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (7, ": wrong-type: found a number (7), expected an object"),
        (car(objectHash=None), ": missing-key: 'objectHash' is null, expected 8 base64 characters"),
        (car(objectHash=""), ": missing-key: 'objectHash' is '', expected 8 base64 characters"),
        (car(featureHash="(left out)"),
         ": missing-key: 'featureHash' is missing, expected that of an ontology object"),
        (car(featureHash=7),
         "/featureHash: unknown-class: no object of the ontology has the feature hash 7"),
        (car(shape=None),
         ": missing-key: 'shape' is missing, expected 'bounding_box', the shape of 'Car'"),
        (car(shape="point"),
         "/shape: shape-mismatch: 'point' is not 'bounding_box', the shape of 'Car'"),
        (car(featureHash="loud"),
         "/shape: shape-mismatch: an object of shape audio belongs in object_answers of an audio file"),
        (car(featureHash="word"),
         "/shape: shape-mismatch: an object of shape text belongs in object_answers of a text"),
        (car(featureHash="cube"),
         "/shape: unsupported-label: an object of shape cuboid belongs to scenes and time series"),
        (car(event="upsert"),
         "/event: unsupported-label: keyframes belong to scenes, which cloud-synced folders do not "
         "hold"),
        (car(interpolate="linear"),
         "/interpolate: unsupported-label: keyframes belong to scenes, which cloud-synced folders do "
         "not hold"),
        (car(confidence="1"),
         "/confidence: bad-confidence: found text ('1'), expected a number from 0 to 1"),
    ],
)  # fmt: skip
def test_an_object_that_cannot_be_used_is_counted_by_its_cause(made: Any, problem: str) -> None:
    checked, problems = read(label_row(labels={"objects": [made, car("BBBBBBBB")]}))
    assert problems == [f"{OBJECTS}/0{problem}"]
    assert (checked.objects_seen, checked.objects_kept) == (2, 1)
    assert [str(code) for code in checked.rejected.elements()] == [problem.split(": ")[1]]


def test_what_is_wrong_beside_the_geometry_costs_no_object() -> None:
    made = car("AAAA AAA", isDeleted=1, interpolate="hold", extra=1, name="Auto")
    _, problems = of_row(labels={"objects": [made], "extra": []})
    assert problems == [
        f"{OBJECTS}/0/objectHash: bad-hash: 'AAAA AAA' is no hash of 8 base64 characters: it gets a "
        "new one",
        f"{OBJECTS}/0/name: differs-from-ontology: 'Auto' is 'Car' in the ontology, which is "
        "written",
        f"{OBJECTS}/0/isDeleted: replaced-value: found 1, expected true or false: left out",
        "/data_units/u/labels/extra: unknown-key: 'extra' is no key of a frame: dropped",
        f"{OBJECTS}/0/extra: unknown-key: 'extra' is no key of an object: dropped",
    ]


def test_an_object_stands_once_on_a_frame_and_keeps_its_class() -> None:
    labels = {
        "0": {"objects": [car(), car()]},
        "3": {"objects": [car()]},
        "4": {"objects": [car(featureHash="bus")]},
    }
    row, problems = of_row(kind="video", labels=labels)
    assert list(row["data_units"]["u"]["labels"]) == ["0", "3"]
    at = "/data_units/u/labels"
    assert problems == [
        f"{at}/0/objects/1/objectHash: duplicate-object: object 'AAAAAAAA' is already on frame 0",
        f"{at}/4/objects/0/featureHash: class-changed: object 'AAAAAAAA' is of 'Car' before and of "
        "'Bus' here; an object keeps its class",
    ]


# Classifications


def classified(
    answers: dict[str, Any], frames: dict[int, Any] | None = None, count: int = 10, **medium: Any
) -> tuple[Classifications, list[str]]:
    notes = DocumentProblems("a.json")
    found = Classifications(VOCABULARY, Dates(DATE, DATE), Medium(count, **medium), notes)
    for frame, rows in (frames or {}).items():
        found.add_frame_list(rows, f"/l/{frame}", frame)
    found.add_answers(answers, "/c")
    return found, [f"{p.pointer}: {p.code}: {p.detail}" for p in notes.in_order()]


def weather(name: str, *ranges: Any, **keys: Any) -> dict[str, Any]:
    made = {
        "classificationHash": name,
        "featureHash": "weather",
        "classifications": [answer("sky", "grey")],
        "range": [list(pair) for pair in ranges],
        **keys,
    }
    return {name: {key: value for key, value in made.items() if value != "(left out)"}}


def ranges(found: Classifications) -> dict[str, Any]:
    return {name: row["range"] for name, row in found.output.items()}


def test_a_classification_is_written_with_its_dates_and_its_answers() -> None:
    found, problems = classified(weather("AAAAAAAA", (2, 3), (4, 4), (7, 7), confidence=0.5))
    assert problems == []
    assert found.output == {
        "AAAAAAAA": {
            "featureHash": "weather",
            "classifications": [
                {
                    "featureHash": "sky",
                    "name": "Sky",
                    "value": "sky",
                    "answers": "grey",
                    "manualAnnotation": True,
                }
            ],
            "classificationHash": "AAAAAAAA",
            "spaces": {},
            "range": [[2, 4], [7, 7]],
            "createdBy": None,
            "createdAt": DATE,
            "lastEditedBy": None,
            "lastEditedAt": DATE,
            "confidence": 0.5,
            "manualAnnotation": True,
        }
    }
    entry = frame_entry(found.output["AAAAAAAA"], WEATHER)
    assert sorted(found.frame_entries(), key=lambda one: one[0]) == [
        (frame, entry) for frame in (2, 3, 4, 7)
    ]
    assert (entry["name"], entry["value"], entry["confidence"]) == ("Sky", "sky", 0.5)


def on_frame(own_hash: str = "AAAAAAAA", **keys: Any) -> dict[str, Any]:
    return {"classificationHash": own_hash, "featureHash": "weather", **keys}


def test_frames_that_name_a_classification_count_with_its_ranges() -> None:
    found, problems = classified(
        weather("AAAAAAAA", (0, 1)), {2: [on_frame()], 5: [on_frame()], 6: None}
    )
    assert (ranges(found), problems) == ({"AAAAAAAA": [[0, 2], [5, 5]]}, [])


def test_a_classification_may_stand_on_frames_alone() -> None:
    rows = [on_frame(name="Weather", value="w", createdBy="a@b.org")]
    found, problems = classified({}, {3: rows})
    assert found.output["AAAAAAAA"]["createdBy"] == "a@b.org"
    assert ranges(found) == {"AAAAAAAA": [[3, 3]]}
    assert problems == [
        "/l/3/0/name: differs-from-ontology: 'Weather' is 'Sky' in the ontology, which is written",
        "/l/3/0/value: differs-from-ontology: 'w' is 'sky' in the ontology, which is written",
        "/l/3/0: missing-answer: 'Sky' has no answer",
    ]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ({}, "/l/0: wrong-type: found an object ({}), expected a list of classifications"),
        ([7], "/l/0/0: wrong-type: found a number (7), expected a classification"),
        ([on_frame("")],
         "/l/0/0: missing-key: 'classificationHash' is '', expected 8 base64 characters"),
        ([{"classificationHash": 7}],
         "/l/0/0: missing-key: 'classificationHash' is 7, expected 8 base64 characters"),
    ],
)  # fmt: skip
def test_what_is_no_classification_on_a_frame_is_named(rows: Any, problem: str) -> None:
    found, problems = classified({}, {0: rows})
    assert (found.seen, found.output, problems) == (0, {}, [problem])


def test_frames_outside_the_file_are_cut() -> None:
    found, problems = classified(weather("AAAAAAAA", (-1, 1), (8, 12)))
    assert ranges(found) == {"AAAAAAAA": [[0, 1], [8, 9]]}
    assert problems == [
        "/c/AAAAAAAA/range: bad-frame: [[-1, 1], [8, 12]] leaves the frames of the file: cut"
    ]
    found, problems = classified(weather("AAAAAAAA", (10, 12)))
    assert (ranges(found), len(problems), found.rejected.total()) == ({}, 1, 1)


def test_two_of_a_class_do_not_share_a_frame() -> None:
    both = weather("AAAAAAAA", (0, 4), (8, 8)) | weather("BBBBBBBB", (4, 6), (8, 9))
    found, problems = classified(both | weather("CCCCCCCC", (5, 5)) | weather("DDDDDDDD", (7, 7)))
    assert ranges(found) == {
        "AAAAAAAA": [[0, 4], [8, 8]],
        "BBBBBBBB": [[5, 6], [9, 9]],
        "DDDDDDDD": [[7, 7]],
    }
    assert problems == [
        "/c/BBBBBBBB: overlapping-classifications: another 'Sky' is on some of the frames "
        "[[4, 6], [8, 9]]: cut",
        "/c/CCCCCCCC: overlapping-classifications: another 'Sky' is on some of the frames "
        "[[5, 5]]: dropped",
    ]
    assert found.rejected == {"overlapping-classifications": 1}


def test_a_global_classification_stands_once_and_on_no_frame() -> None:
    def scene(name: str) -> dict[str, Any]:
        return weather(name, (0, 0), featureHash="scene", classifications=[answer("place", "x")])

    found, problems = classified(scene("AAAAAAAA") | scene("BBBBBBBB"))
    assert ranges(found) == {"AAAAAAAA": []}
    assert problems == [
        "/c/BBBBBBBB: overlapping-classifications: 'Place' is global and already in the row: "
        "dropped"
    ]


def test_in_a_file_without_frames_a_classification_is_on_none() -> None:
    found, problems = classified(weather("AAAAAAAA", (0, 0)), count=1, on_frames=False)
    assert (ranges(found), problems) == ({"AAAAAAAA": []}, [])


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"featureHash": "zzz"},
         "/c/AAAAAAAA/featureHash: unknown-class: no classification of the ontology has the feature "
         "hash 'zzz'"),
        ({"featureHash": 7},
         "/c/AAAAAAAA/featureHash: unknown-class: no classification of the ontology has the feature "
         "hash 7"),
        ({"featureHash": "(left out)"},
         "/c/AAAAAAAA: missing-key: 'featureHash' is missing, and its answers do not tell which "
         "classification it is: Encord's client drops it silently"),
        ({"spaces": {"a": 1}},
         "/c/AAAAAAAA/spaces: unsupported-label: spaces belong to data groups, which cloud-synced "
         "folders do not hold"),
        ({"range": None},
         "/c/AAAAAAAA: classification-not-placed: it has no range and is on no frame: Encord's "
         "client drops it silently"),
        ({"confidence": 7},
         "/c/AAAAAAAA/confidence: bad-confidence: 7 is no confidence; expected a number from 0 to "
         "1"),
    ],
)  # fmt: skip
def test_a_classification_that_cannot_be_used_is_counted(
    keys: dict[str, Any], problem: str
) -> None:
    found, problems = classified(weather("AAAAAAAA", (0, 0), **keys))
    assert (found.output, problems) == ({}, [problem])
    assert (found.seen, found.rejected.total()) == (1, 1)


def test_the_answers_tell_which_classification_it_is() -> None:
    light = answer("light", [{"featureHash": "dim"}])
    rows = [answer("sky", "grey"), light]
    found, problems = classified(
        weather("AAAAAAAA", (0, 0), featureHash="(left out)", classifications=rows)
    )
    assert (found.output["AAAAAAAA"]["featureHash"], problems) == ("weather", [])
    found, _ = classified(
        weather("AAAAAAAA", (0, 0), featureHash="(left out)", classifications=[light, 7])
    )
    assert found.output["AAAAAAAA"]["featureHash"] == "weather"


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"featureHash": "old"},
         "/c/AAAAAAAA: archived-class: 'Old' is archived in the ontology: kept"),
        ({"classifications": []}, "/c/AAAAAAAA: missing-answer: 'Sky' has no answer"),
        ({"classifications": None},
         "/c/AAAAAAAA: missing-key: 'classifications' is missing: the list of answers"),
        ({"extra": 1},
         "/c/AAAAAAAA/extra: unknown-key: 'extra' is no key of an entry of classification_answers: "
         "dropped"),
        ({"featureHash": "scene", "classifications": [7]},
         "/c/AAAAAAAA/classifications/0: wrong-type: found a number (7), expected an answer"),
    ],
)  # fmt: skip
def test_a_classification_with_a_defect_is_kept(keys: dict[str, Any], problem: str) -> None:
    found, problems = classified(weather("AAAAAAAA", (0, 0), **keys))
    assert list(found.output) == ["AAAAAAAA"]
    assert problems[0] == problem


def test_a_classification_hash_of_another_form_is_named() -> None:
    _, problems = classified(weather("AAAA", (0, 0)))
    assert problems == [
        "/c/AAAA/classificationHash: bad-hash: 'AAAA' is no hash of 8 base64 characters: it gets a "
        "new one"
    ]


def test_very_many_frame_entries_are_not_listed() -> None:
    found, _ = classified(weather("AAAAAAAA", (0, MOST_LISTED)), count=MOST_LISTED + 1)
    assert list(found.frame_entries()) == []
    found, _ = classified(weather("AAAAAAAA", (0, MOST_LISTED - 1)), count=MOST_LISTED + 1)
    assert next(found.frame_entries())[0] == 0


# The file beside the row


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("image/jpg", "image/jpeg", True),
        ("image/x-ms-bmp", "image/bmp", True),
        ("audio/mp3", "Audio/MPEG; codecs=1", True),
        ("image/tif", "image/tiff", True),
        ("image/png", "video/png", False),
        ("audio/wave", "audio/x-wav", True),
    ],
)
def test_types_have_several_spellings(one: str, other: str, same: bool) -> None:
    assert same_type(one, other) == same == same_type(other, one)


def test_a_row_about_another_kind_of_file_is_none() -> None:
    checked, problems = read(label_row("video"), DataFile.from_key("a.pdf"))
    assert checked.row is None
    assert problems == [
        "/data_type: wrong-data-type: Expected a video, got a file of type application/pdf: the "
        "label row is about another file; put it beside that one"
    ]
    page = label_row("plain_text")
    page["data_units"]["u"]["data_type"] = "text/html"
    assert read(page, DataFile.from_key("a.txt"))[1] == [
        "/data_units/u/data_type: wrong-data-type: Expected an HTML page, got a file of type "
        "text/plain: the label row is about another file; put it beside that one"
    ]
    assert read(page, DataFile.from_key("a.html"))[1] == []


def test_a_group_is_about_many_files() -> None:
    row = label_row("img_group")
    row["data_units"]["u"]["data_type"] = "image/jpeg"
    assert read(row, DataFile.from_key("a.jpg"))[1] == [
        "/data_type: unsupported-label: an image group is about many files, and folders hold "
        "sidecars of one file each: give every image its own"
    ]


def sized(width: Any, height: Any) -> dict[str, Any]:
    row = label_row()
    row["data_units"]["u"] |= {"width": width, "height": height}
    return row


@pytest.mark.parametrize(
    ("row", "problems"),
    [
        (sized(4, 2), []),
        (label_row(), []),
        (sized(2, 4),
         ["/data_units/u/width: image-size-differs: the row says 2 x 4 pixels, the header of the "
          "image says 4 x 2, which is written; were the labels drawn before it was turned?"]),
        (sized(4, 4),
         ["/data_units/u/width: image-size-differs: the row says 4 x 4 pixels, the header of the "
          "image says 4 x 2, which is written"]),
    ],
)  # fmt: skip
def test_the_size_of_an_image_is_that_of_its_header(
    row: dict[str, Any], problems: list[str]
) -> None:
    found, noted = kept(row, DataFile.from_key("a.jpg", (4, 2)))
    unit = found["data_units"]["u"]
    assert (unit["width"], unit["height"], noted) == (4, 2, problems)
    assert [key for key in unit if key in ("width", "height")] == ["width", "height"]


def test_the_type_of_a_file_is_that_of_its_name() -> None:
    found, problems = kept(label_row(), DataFile.from_key("a.png"))
    assert found["data_units"]["u"]["data_type"] == "image/png"
    assert problems == [
        "/data_units/u/data_type: replaced-value: found 'image/jpeg', expected image/png, the type "
        "of the file by its name: that is written"
    ]
    page = label_row("plain_text")
    page["data_units"]["u"]["data_type"] = "text/x-notes"
    assert kept(page, DataFile.from_key("a.txt"))[1] == []


@pytest.mark.parametrize("key", ["k" * 1_000_000, "/~" * 500_000])
def test_problems_below_a_long_key_do_not_each_repeat_the_key(key: str) -> None:
    """Else a file of 5 MB takes gigabytes: thousands of problems are listed for each code."""
    notes = DocumentProblems("s.json")
    at = child_pointer("/data_units", key)
    notes.get({"labels": 1}, "labels", at, dict)
    assert len(notes.in_order()[0].pointer or "") < 500
    assert notes.in_order()[0].pointer == at + "/labels"


def test_a_pointer_ends_below_many_long_keys() -> None:
    at = ""
    for number in range(254):
        at = child_pointer(at, "k" * 300 + str(number))
    assert len(at) < 2_300
    assert at.count("…") == at.count("/")
    assert at.endswith("/…")


def test_a_pointer_of_usual_keys_has_all_of_them() -> None:
    at = ""
    for number in range(60):
        for name in ("classifications", number, "answers", 0):
            at = child_pointer(at, name)
    assert at.endswith("/classifications/59/answers/0")
    assert at.count("/") == 240
