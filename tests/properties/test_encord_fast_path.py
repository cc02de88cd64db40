"""The fast path of sidecars against the general one, which is its oracle."""

import gc
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any

import msgspec
import numpy as np
import orjson
import pytest

from labelingest.encord.typed_rows import ImageRow
from labelingest.model.vocabulary import Vocabulary
from labelingest.readers.encord import DataFile, read_label_row
from labelingest.readers.encord.columns import columns_of
from labelingest.readers.encord.data_file import ANY_FILE
from labelingest.readers.encord.read import SidecarBatch, read_sidecars
from tests.builders.corruption import corrupted
from tests.builders.effort import SEEDS
from tests.builders.sidecars import client_rows, in_style

STYLES = ("answers", "frames", "both")
Row = dict[str, Any]


def features_of(structure: Row) -> dict[str, int]:
    return {one["featureNodeHash"]: row for row, one in enumerate(structure["objects"])}


def assert_same(
    contents: Sequence[bytes], structure: Row, files: Sequence[DataFile] | None = None
) -> SidecarBatch:
    """Assert that a batch is what the general path says of each sidecar alone."""
    files = files or [ANY_FILE] * len(contents)
    sources = [f"{i}.json" for i in range(len(contents))]
    vocabulary, features = Vocabulary.from_structure(structure), features_of(structure)
    read = read_sidecars(contents, sources, files, vocabulary, features)
    alone = [
        read_label_row(content, source, vocabulary, file)
        for content, source, file in zip(contents, sources, files, strict=True)
    ]
    rows = [one.row for one in alone]
    # The text: the same keys in the same order, and numbers with a point where the other has one.
    assert list(map(msgspec.json.encode, read.rows)) == list(map(msgspec.json.encode, rows))
    assert list(map(list, read.problems)) == [one.problems for one in alone]
    assert read.objects_seen.tolist() == [one.objects_seen for one in alone]
    assert read.classifications_seen.tolist() == [one.classifications_seen for one in alone]
    assert read.classifications_kept.tolist() == [one.classifications_kept for one in alone]
    assert read.rejected == sum((one.rejected for one in alone), Counter())
    assert_same_columns(read, columns_of(rows, features))
    return read


def assert_same_columns(read: SidecarBatch, expected: Any) -> None:
    for name in ("unit", "feature", "line", "confidence", "coordinates", "offsets", "content"):
        found, wanted = getattr(read.annotations, name), getattr(expected, name)
        assert found.dtype == wanted.dtype, name
        np.testing.assert_array_equal(found, wanted, name)
    instances = read.annotations.instances
    assert instances is not None
    assert list(instances.hash) == list(expected.instances.hash)
    np.testing.assert_array_equal(instances.frame, expected.instances.frame)
    assert dict(instances.parts) == dict(expected.instances.parts)


def is_fast(content: bytes, structure: Row, file: DataFile = ANY_FILE) -> bool:
    """Whether the fast path takes a sidecar."""
    return are_fast([content], structure, [file])


def are_fast(contents: Sequence[bytes], structure: Row, files: Sequence[DataFile]) -> bool:
    """Whether the fast path takes all sidecars of a batch."""
    sources = [""] * len(contents)
    vocabulary = Vocabulary.from_structure(structure)
    read = read_sidecars(contents, sources, files, vocabulary, features_of(structure))
    return all(isinstance(row, ImageRow) for row in read.rows)


def rows_by_ontology(seed: int, count: int) -> Iterator[tuple[Row, list[tuple[str, Row]]]]:
    """Yield an ontology and the client's rows about it, with their kinds."""
    found: dict[str, list[tuple[str, Row]]] = {}
    structures: dict[str, Row] = {}
    for structure, kind, row in client_rows(seed, count):
        name = json.dumps(structure)
        structures[name] = structure
        found.setdefault(name, []).append((kind, row))
    for name, rows in found.items():
        yield structures[name], rows


def texts(row: Row) -> tuple[bytes, bytes, bytes]:
    """A row as different programs write it."""
    try:
        compact = orjson.dumps(row)
    except TypeError:  # half a surrogate pair, or an integer beyond 64 bits
        compact = json.dumps(row, separators=(",", ":")).encode()
    return compact, json.dumps(row).encode(), json.dumps(row, indent=1).encode()


def without_actions(row: Row) -> Row:
    return {**row, "object_actions": {}}


@pytest.mark.parametrize("seed", range(4))
def test_rows_of_the_client_are_read_alike_in_batches_of_any_size(seed: int) -> None:
    rng = random.Random(seed)
    for structure, rows in rows_by_ontology(seed, 84):
        contents = [
            rng.choice(texts(rng.choice((row, without_actions(row)))))
            for _, client in rows
            for row in (in_style(client, style) for style in STYLES)
        ]
        for size in (1, 2, 7, len(contents)):
            start = rng.randrange(len(contents))
            assert_same(contents[start : start + size], structure)


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_rows_among_clean_ones_are_read_alike(seed: int) -> None:
    rng = random.Random(seed)
    for structure, rows in rows_by_ontology(seed, 56):
        clean = [
            in_style(without_actions(row), rng.choice(("answers", "both")))
            for kind, row in rows
            if kind == "image"
        ]
        clean += [row for row in map(written_of, clean, [structure] * len(clean)) if row]
        contents = [
            rng.choice(texts(damaged(row, rng) if rng.random() < 0.3 else row)) for row in clean * 3
        ]
        rng.shuffle(contents)
        assert_same(contents, structure)


def damaged(row: Row, rng: random.Random) -> Row:
    """A row with one node damaged, as it is after it was written once."""
    found: Row = json.loads(json.dumps(corrupted(row, rng)[0]))
    return found


def written_of(row: Row, structure: Row) -> Row | None:
    """What the general path makes of a row."""
    return read_label_row(orjson.dumps(row), "s.json", Vocabulary.from_structure(structure)).row


@pytest.mark.parametrize("seed", range(3))
def test_clean_rows_of_images_take_the_fast_path(seed: int) -> None:
    taken = 0
    for structure, rows in rows_by_ontology(seed, 70):
        for kind, client in rows:
            if kind != "image":
                continue
            row = without_actions(client)
            written = written_of(row, structure)
            assert written is not None
            for one in (row, written):
                assert all(is_fast(text, structure) for text in texts(one))
            taken += 1
    assert taken > 3


def test_clean_rows_take_the_fast_path_together() -> None:
    structure, rows = next(rows_by_ontology(5, 140))
    images = [orjson.dumps(without_actions(row)) for kind, row in rows if kind == "image"]
    assert len(images) > 3
    assert are_fast(images, structure, [ANY_FILE] * len(images))


CAR, LANE, KIND, SIZE, WEATHER = "a1B2c3D4", "b1B2c3D4", "Ki9nDd22", "Si2e+/00", "Cl4ss0+1"
STRUCTURE: Row = {
    "objects": [
        {
            "id": "1",
            "name": "Car: any",
            "color": "#D33115",
            "shape": "bounding_box",
            "featureNodeHash": CAR,
            "attributes": [
                {
                    "id": "1.1",
                    "name": "Kind",
                    "type": "radio",
                    "featureNodeHash": KIND,
                    "options": [
                        {"id": "1.1.1", "label": "Van", "value": "van", "featureNodeHash": "Op0"},
                        {"id": "1.1.2", "label": "Bus", "value": "bus", "featureNodeHash": "Op1"},
                    ],
                },
                {"id": "1.2", "name": "Size", "type": "numeric", "featureNodeHash": SIZE},
            ],
        },
        {
            "id": "2",
            "name": "Lane",
            "color": "#E27300",
            "shape": "polygon",
            "featureNodeHash": LANE,
        },
        {
            "id": "3",
            "name": "Old",
            "color": "#16406C",
            "shape": "bounding_box",
            "featureNodeHash": "0ldC1ass",
            "archived": True,
        },
        {
            "id": "4",
            "name": "Turned",
            "color": "#FE9200",
            "shape": "rotatable_bounding_box",
            "featureNodeHash": "c1B2c3D4",
        },
        {
            "id": "5",
            "name": "Asks",
            "color": "#FCDC00",
            "shape": "bounding_box",
            "featureNodeHash": "d1B2c3D4",
            "attributes": [
                {
                    "id": "5.1",
                    "name": "Plate",
                    "type": "text",
                    "featureNodeHash": "P1ate000",
                    "required": True,
                }
            ],
        },
    ],
    "classifications": [
        {
            "id": "1",
            "featureNodeHash": WEATHER,
            "attributes": [
                {"id": "1.1", "name": "Weather", "type": "text", "featureNodeHash": "We4ther0"}
            ],
        }
    ],
}
DATE = "Mon, 05 Jan 2026 16:46:58 UTC"
ZERO = "00000000-0000-0000-0000-000000000000"


def object_of(number: int, feature: str, **payload: Any) -> Row:
    of = next(one for one in STRUCTURE["objects"] if one["featureNodeHash"] == feature)
    return {
        **{key: of[key] for key in ("name", "color", "shape")},
        "value": of["name"].lower().replace(" ", "_"),
        "createdAt": DATE,
        "createdBy": None,
        "confidence": 1.0,
        "objectHash": f"AAAAAAA{number}",
        "featureHash": feature,
        "manualAnnotation": True,
        "lastEditedAt": DATE,
        **payload,
    }


def clean_image() -> Row:
    """A row with a box, a polygon and a turned box, answers and a classification."""
    ring = [0.1, 0.2, 0.8, 0.25, 0.5, 1.0]
    points = {str(i): {"x": ring[2 * i], "y": ring[2 * i + 1]} for i in range(3)}
    box = {"h": 0.25, "w": 0.125, "x": 0.5, "y": 0.375}
    objects = [
        object_of(0, CAR, boundingBox=box),
        object_of(1, LANE, polygon=points, polygons=[[ring]]),
        object_of(2, "c1B2c3D4", rotatableBoundingBox={**box, "theta": 30.5}),
    ]
    answers: Row = {one["objectHash"]: [] for one in objects}
    answers["AAAAAAA0"] = [
        answer("Size", 41.5, SIZE),
        answer("Kind", [{"name": "Bus", "value": "bus", "featureHash": "Op1"}], KIND),
    ]
    return {
        "label_hash": ZERO,
        "branch_name": "main",
        "created_at": DATE,
        "last_edited_at": DATE,
        "data_hash": ZERO,
        "dataset_hash": ZERO,
        "dataset_title": "",
        "data_title": "",
        "data_type": "image",
        "annotation_task_status": "QUEUED",
        "is_shadow_data": False,
        "object_answers": {
            name: {"classifications": found, "objectHash": name} for name, found in answers.items()
        },
        "classification_answers": {
            "BBBBBBBB": {
                "classifications": [answer("Weather", "fair: warm", "We4ther0")],
                "classificationHash": "BBBBBBBB",
                "featureHash": WEATHER,
                "spaces": {},
                "range": [[0, 0]],
                "createdBy": None,
                "createdAt": DATE,
                "lastEditedBy": None,
                "lastEditedAt": DATE,
                "confidence": 1.0,
                "manualAnnotation": True,
            }
        },
        "object_actions": {},
        "label_status": "LABEL_IN_PROGRESS",
        "data_units": {
            ZERO: {
                "data_hash": ZERO,
                "data_title": "",
                "data_link": "s3://a/b",
                "data_type": "image/jpeg",
                "data_sequence": 0,
                "width": 64,
                "height": 48,
                "labels": {"objects": objects, "classifications": []},
            }
        },
        "spaces": {},
    }


def clean_video() -> Row:
    """A row with two objects on the frames 2 and 10."""
    row = clean_image()
    labels = row["data_units"][ZERO]["labels"]
    unit = {**row["data_units"][ZERO], "data_type": "video/mp4"}
    unit["labels"] = {"2": deepcopy(labels), "10": deepcopy(labels)}
    row["data_units"] = {ZERO: {**unit, "data_duration": 2.0, "data_fps": 6}}
    row["classification_answers"]["BBBBBBBB"]["range"] = [[2, 4], [10, 11]]
    return {**row, "data_type": "video"}


def answer(name: str, said: Any, feature: str) -> Row:
    value = name.lower()
    return {
        "name": name,
        "value": value,
        "answers": said,
        "featureHash": feature,
        "manualAnnotation": True,
    }


def box_of(row: Row) -> Row:
    box: Row = row["data_units"][ZERO]["labels"]["objects"][0]["boundingBox"]
    return box


def unit_of(row: Row) -> Row:
    unit: Row = row["data_units"][ZERO]
    return unit


def object_at(row: Row, position: int = 0) -> Row:
    found: Row = row["data_units"][ZERO]["labels"]["objects"][position]
    return found


def entry_of(row: Row, number: int = 0) -> Row:
    entry: Row = row["object_answers"][f"AAAAAAA{number}"]
    return entry


def class_entry(row: Row) -> Row:
    entry: Row = row["classification_answers"]["BBBBBBBB"]
    return entry


def polygon_of(row: Row) -> Row:
    return object_at(row, 1)


def all_at(value: Any, key: str) -> Callable[[Row], None]:
    """A change of the box of the first object."""
    return lambda row: box_of(row).update({key: value})


def reordered(found: Row) -> None:
    first = next(iter(found))
    found[first] = found.pop(first)


def same_hash_twice(row: Row) -> None:
    object_at(row, 2)["objectHash"] = "AAAAAAA1"


def ring_with(row: Row, position: int, value: Any, point: Any) -> None:
    polygon_of(row)["polygons"][0][0][position] = value
    polygon_of(row)["polygon"][str(position // 2)]["xy"[position % 2]] = point


DIRT: dict[str, Callable[[Row], Any]] = {
    "a coordinate is true": all_at(True, "w"),
    "a coordinate is false": all_at(False, "x"),
    "a coordinate is text": all_at("0.5", "x"),
    "a coordinate is null": all_at(None, "x"),
    "a box leaves the image": all_at(0.9, "w"),
    "a box has a negative side": all_at(-0.1, "h"),
    "a box has another order": lambda row: reordered(box_of(row)),
    "a box has one key more": all_at(0.1, "z"),
    "a box has one key less": lambda row: box_of(row).pop("w"),
    "an angle is 360": lambda row: object_at(row, 2)["rotatableBoundingBox"].update(theta=360),
    "a centre is outside": lambda row: object_at(row, 2)["rotatableBoundingBox"].update(x=0.99),
    "an object has another order": lambda row: reordered(object_at(row)),
    "an object has an unknown key": lambda row: object_at(row).update(extra=1),
    "an object lacks a key": lambda row: object_at(row).pop("value"),
    "an object has reviews": lambda row: object_at(row).update(reviews=[]),
    "an object is null": lambda row: unit_of(row)["labels"]["objects"].append(None),
    "a name is another": lambda row: object_at(row).update(name="Truck"),
    "a color is another": lambda row: object_at(row).update(color="#000000"),
    "a value is another": lambda row: object_at(row).update(value="truck"),
    "name and value are exchanged": lambda row: object_at(row).update(
        name="car:_any", value="Car: any"
    ),
    "a shape is another": lambda row: object_at(row).update(shape="polygon"),
    "a class is archived": lambda row: object_at(row).update(
        name="Old", value="old", color="#16406C", featureHash="0ldC1ass"
    ),
    "a class is unknown": lambda row: object_at(row).update(featureHash="Unknown0"),
    "a required answer is missing": lambda row: (
        object_at(row).update(name="Asks", value="asks", color="#FCDC00", featureHash="d1B2c3D4"),
        entry_of(row).update(classifications=[]),
    ),
    "a confidence is true": lambda row: object_at(row).update(confidence=True),
    "a confidence is 2": lambda row: object_at(row).update(confidence=2),
    "a confidence is null": lambda row: object_at(row).update(confidence=None),
    "manual is 1": lambda row: object_at(row).update(manualAnnotation=1),
    "deleted is 0": lambda row: object_at(row).update(isDeleted=0),
    "an author is no address": lambda row: object_at(row).update(createdBy="Ann"),
    "an editor is null": lambda row: object_at(row).update(lastEditedBy=None),
    "a date of an object is null": lambda row: object_at(row).update(createdAt=None),
    "a date is ISO 8601": lambda row: object_at(row).update(lastEditedAt="2026-01-05T16:46:58Z"),
    "a date has a wrong weekday": lambda row: object_at(row).update(
        createdAt="Tue, 05 Jan 2026 16:46:58 UTC"
    ),
    "a date has an hour too much": lambda row: object_at(row).update(
        createdAt="Mon, 05 Jan 2026 24:46:58 UTC"
    ),
    "two dates share their characters": lambda row: object_at(row).update(
        createdAt=DATE[:-1], lastEditedAt="C" + DATE
    ),
    "two dates share their lines": lambda row: object_at(row).update(
        createdAt=f"{DATE}\n{DATE}", lastEditedAt=""
    ),
    "the row's date is null": lambda row: row.update(created_at=None),
    "a hash is no hash": lambda row: (
        object_at(row).update(objectHash="AAAA_AA0"),
        row["object_answers"].update(AAAA_AA0={"classifications": [], "objectHash": "AAAA_AA0"}),
        row["object_answers"].pop("AAAAAAA0"),
    ),
    "an object stands twice": same_hash_twice,
    "an entry has another hash": lambda row: entry_of(row).update(objectHash="AAAAAAA1"),
    "an entry has no object": lambda row: row["object_answers"].update(
        CCCCCCCC={"classifications": [], "objectHash": "CCCCCCCC"}
    ),
    "an object has no entry": lambda row: row["object_answers"].pop("AAAAAAA1"),
    "an entry has an unknown key": lambda row: entry_of(row).update(extra=1),
    "an entry lacks its answers": lambda row: entry_of(row).pop("classifications"),
    "an entry has a wrong number": lambda row: entry_of(row).update(objectNumber=True),
    "entries have one number": lambda row: [
        row["object_answers"].update(
            {name: {**found, "objectNumber": 1} for name, found in row["object_answers"].items()}
        ),
        object_at(row, 2).update(deepcopy(object_at(row)), objectHash="AAAAAAA2"),
        object_at(row, 2).pop("rotatableBoundingBox"),
    ],
    "an answer has another order": lambda row: reordered(entry_of(row)["classifications"][0]),
    "an answer has another name": lambda row: entry_of(row)["classifications"][0].update(name="S"),
    "an answer has an unknown key": lambda row: entry_of(row)["classifications"][1].update(x=1),
    "an answer is true": lambda row: entry_of(row)["classifications"][0].update(answers=True),
    "an answer is text": lambda row: entry_of(row)["classifications"][0].update(answers="1"),
    "an answer stands twice": lambda row: entry_of(row)["classifications"].append(
        answer("Size", 1, SIZE)
    ),
    "an option has another name": lambda row: entry_of(row)["classifications"][1]["answers"][
        0
    ].update(name="bus"),
    "an option is unknown": lambda row: entry_of(row)["classifications"][1]["answers"][0].update(
        featureHash="Op9"
    ),
    "two options are chosen": lambda row: entry_of(row)["classifications"][1]["answers"].append(
        {"name": "Van", "value": "van", "featureHash": "Op0"}
    ),
    "a vertex has 1 beside 1.0": lambda row: ring_with(row, 5, 1.0, 1),
    "a vertex is true": lambda row: ring_with(row, 5, True, True),
    "a vertex has -0.0 beside 0.0": lambda row: ring_with(row, 0, 0.0, -0.0),
    "an outline differs": lambda row: ring_with(row, 0, 0.1, 0.2),
    "an outline has another order": lambda row: reordered(polygon_of(row)["polygon"]),
    "a point has another order": lambda row: reordered(polygon_of(row)["polygon"]["0"]),
    "a point has three keys": lambda row: polygon_of(row)["polygon"]["0"].update(z=0),
    "an outline is numbered from 1": lambda row: polygon_of(row).update(
        polygon={str(i + 1): p for i, p in enumerate(polygon_of(row)["polygon"].values())}
    ),
    "an outline is a list": lambda row: polygon_of(row).update(
        polygon=list(polygon_of(row)["polygon"].values())
    ),
    "a ring is of points": lambda row: polygon_of(row).update(
        polygons=[[list(polygon_of(row)["polygon"].values())]]
    ),
    "a ring is a line": lambda row: polygon_of(row).update(
        polygons=[[[0.1, 0.1, 0.2, 0.2, 0.3, 0.3]]],
        polygon={str(i): {"x": 0.1 * i, "y": 0.1 * i} for i in (1, 2, 3)},
    ),
    "a hole has two vertices": lambda row: polygon_of(row)["polygons"][0].append(
        [0.1, 0.2, 0.3, 0.3]
    ),
    "a polygon has an empty part": lambda row: polygon_of(row)["polygons"].append([]),
    "a polygon has no parts": lambda row: polygon_of(row).update(polygons=[]),
    "a classification is out of range": lambda row: class_entry(row).update(range=[[0, 1]]),
    "a range is of booleans": lambda row: class_entry(row).update(range=[[False, 0]]),
    "a range is of doubles": lambda row: class_entry(row).update(range=[[0.0, 0.0]]),
    "a classification is nowhere": lambda row: class_entry(row).update(range=[]),
    "a classification has spaces": lambda row: class_entry(row).update(spaces={"root": {}}),
    "a classification has null spaces": lambda row: class_entry(row).update(spaces=None),
    "a classification has no answer": lambda row: class_entry(row).update(classifications=[]),
    "a classification is of nobody's address": lambda row: class_entry(row).update(createdBy="a b"),
    "a classification was edited by no address": lambda row: class_entry(row).update(
        lastEditedBy="a b"
    ),
    "a classification has a null date": lambda row: class_entry(row).update(createdAt=None),
    "a classification is of no class": lambda row: class_entry(row).update(featureHash="x"),
    "a classification stands twice": lambda row: row["classification_answers"].update(
        BBBBBBBC={**class_entry(row), "classificationHash": "BBBBBBBC"}
    ),
    "a classification has another hash": lambda row: class_entry(row).update(
        classificationHash="BBBBBBBC"
    ),
    "a frame list has one more": lambda row: unit_of(row)["labels"]["classifications"].append(
        {"classificationHash": "BBBBBBBD", "featureHash": WEATHER}
    ),
    "a frame has an unknown key": lambda row: unit_of(row)["labels"].update(metadata={}),
    "a frame has no list": lambda row: unit_of(row)["labels"].update(objects=None),
    "labels are null": lambda row: unit_of(row).update(labels=None),
    "a unit has an unknown key": lambda row: unit_of(row).update(extra=1),
    "a unit has another name": lambda row: row.update(data_units={"x": unit_of(row)}),
    "a width is a double": lambda row: unit_of(row).update(width=64.0),
    "a width is true": lambda row: unit_of(row).update(width=True),
    "a width is 0": lambda row: unit_of(row).update(width=0),
    "a width is above what numbers say exactly": lambda row: unit_of(row).update(width=2**53),
    "an answer is above what numbers say exactly": lambda row: entry_of(row)["classifications"][
        0
    ].update(answers=2**53),
    "a sequence is text": lambda row: unit_of(row).update(data_sequence="0"),
    "a sequence is false": lambda row: unit_of(row).update(data_sequence=False),
    "a link is a number": lambda row: unit_of(row).update(data_link=1),
    "two units": lambda row: row["data_units"].update(x=deepcopy(unit_of(row))),
    "a row has an unknown key": lambda row: row.update(extra=1),
    "a row has what exports add": lambda row: row.update(export_hash="x"),
    "a row has another order": reordered,
    "a status is unknown": lambda row: row.update(label_status="DONE"),
    "a task is null": lambda row: row.update(annotation_task_status=None),
    "shadow is null": lambda row: row.update(is_shadow_data=None),
    "spaces are a list": lambda row: row.update(spaces=[]),
    "a branch is null": lambda row: row.update(branch_name=None),
    "a kind is unknown": lambda row: row.update(data_type="dicom"),
    "a kind is a list": lambda row: row.update(data_type=[]),
    "actions of an unknown object": lambda row: row.update(object_actions={"x": {}}),
}
CLEAN = {
    *("a task is null", "a vertex has 1 beside 1.0"),
    *(
        f"{one} has another order"
        for one in ("a box", "an object", "an answer", "a point", "a row")
    ),
}
"""What is written differently, and says the same."""


@pytest.mark.parametrize("dirt", DIRT)
def test_what_is_not_clean_is_read_by_the_general_path(dirt: str) -> None:
    row = clean_image()
    DIRT[dirt](row)
    content, clean = json.dumps(row).encode(), orjson.dumps(clean_image())
    first, _, last = assert_same([clean, content, clean], STRUCTURE).rows
    # A row that is not clean slows down no other one.
    assert isinstance(first, ImageRow)
    assert isinstance(last, ImageRow)
    assert is_fast(content, STRUCTURE) == (dirt in CLEAN)


FRAMES: dict[str, Callable[[Row], Any]] = {
    "frames are not in order": lambda labels: labels.update({"2": labels.pop("2")}),
    "a frame has a leading zero": lambda labels: labels.update({"012": labels.pop("10")}),
    "a frame is beyond the video": lambda labels: labels.update({"12": labels.pop("10")}),
    "a frame is negative": lambda labels: labels.update({"-1": labels.pop("2")}),
    "a frame is no number": lambda labels: labels.update({"x": labels.pop("2")}),
    "a frame is empty": lambda labels: labels.update(
        {"11": {"objects": [], "classifications": []}}
    ),
    "an object changes its class": lambda labels: labels["10"]["objects"][0].update(
        name="Asks", value="asks", color="#FCDC00", featureHash="d1B2c3D4"
    ),
    "an object stands twice on a frame": lambda labels: labels["10"]["objects"].append(
        labels["10"]["objects"][0]
    ),
    "an object is only on one frame": lambda labels: labels["10"]["objects"].pop(),
}


@pytest.mark.parametrize("dirt", FRAMES)
def test_frames_of_a_video_are_read_alike(dirt: str) -> None:
    row = clean_video()
    FRAMES[dirt](unit_of(row)["labels"])
    content, clean = json.dumps(row).encode(), orjson.dumps(clean_video())
    assert_same([clean, content, orjson.dumps(clean_image()), clean], STRUCTURE)


@pytest.mark.parametrize(
    ("written", "again"),
    [
        ('"w": 0.125', '"w": 0.5, "w": 0.125'),
        ('"w": 0.125', '"w" : 0.5, "w": 0.125'),
        ('"w": 0.125', '"w"  : 0.5, "w"\n: 0.125'),
        ('"w": 0.125', '"w": 0.5, "\\u0077": 0.125'),
        ('"spaces": {}', '"spaces": {"a:b": 1}, "spaces": {}'),
        ('"We4ther0"', '"We4ther0", "answers": "fair\\u003a warm"'),
        ('"branch_name": "main"', '"branch_name": "a\\u003ab", "branch_name": "main"'),
    ],
)
def test_a_key_that_stands_twice_is_found(written: str, again: str) -> None:
    text = json.dumps(clean_image())
    assert text.count(written) >= 1
    content = text.replace(written, again, 1).encode()
    assert not is_fast(content, STRUCTURE)
    read = assert_same([content, orjson.dumps(clean_image())], STRUCTURE)
    assert [problem.code.value for problem in read.problems[0]] == ["duplicate-key"]


@pytest.mark.parametrize("said", ['a ":" b', ":x", "a : b", "\\u003a", '"', "zwölf\n\\"])
def test_texts_that_look_like_keys_are_clean(said: str) -> None:
    row = clean_image()
    class_entry(row)["classifications"][0]["answers"] = said
    row["dataset_title"] = said
    for text in texts(row):
        read = assert_same([text], STRUCTURE)
        assert list(read.problems) == [[]] or read.problems == [()]
    assert is_fast(orjson.dumps(row), STRUCTURE) or "\\u003a" in said


def test_attributes_of_one_hash_that_differ_are_looked_at_by_the_general_path() -> None:
    structure = deepcopy(STRUCTURE)
    kind = deepcopy(structure["objects"][0]["attributes"][0])
    kind["options"] = kind["options"][:1]
    structure["objects"][1]["attributes"] = [kind]
    row = clean_image()
    row["object_answers"]["AAAAAAA1"]["classifications"] = [
        answer("Kind", [{"name": "Bus", "value": "bus", "featureHash": "Op1"}], KIND)
    ]
    read = assert_same([orjson.dumps(row)], structure)
    assert [problem.pointer for problem in read.problems[0]] == [
        "/object_answers/AAAAAAA1/classifications/0/answers/0/featureHash"
    ]


EDGES: list[tuple[str, Callable[[Row], Any], bool]] = [
    ("x is as far left as a rounding error", all_at(-1e-6, "x"), True),
    ("x is farther left", all_at(-1.1e-6, "x"), False),
    ("a box is as wide as the image", lambda row: box_of(row).update(x=0.0, w=1.0), True),
    ("a box is wider by a rounding error", lambda row: box_of(row).update(x=0, w=1 + 1e-6), True),
    ("a box is wider", lambda row: box_of(row).update(x=0, w=1 + 1.1e-6), False),
    ("a box has no width", all_at(0.0, "w"), True),
    ("a box has no height", all_at(0, "h"), True),
    ("a box begins at the far edge", lambda row: box_of(row).update(y=1.0, h=0.0), True),
    ("an angle is almost 360", lambda row: turned_of(row).update(theta=359.999), True),
    ("an angle is 0", lambda row: turned_of(row).update(theta=0), True),
    ("an angle is 360.5", lambda row: turned_of(row).update(theta=360.5), False),
    ("an angle is below 0", lambda row: turned_of(row).update(theta=-0.5), False),
    ("a turned box is larger than the image", lambda row: turned_of(row).update(x=-1, w=3), True),
    ("a turned box has a side below 0", lambda row: turned_of(row).update(w=-0.5), False),
    ("a confidence is 0", lambda row: object_at(row).update(confidence=0), True),
    ("a confidence is 1.5", lambda row: object_at(row).update(confidence=1.5), False),
    ("a confidence is below 0", lambda row: object_at(row).update(confidence=-0.5), False),
    ("a width is 1", lambda row: unit_of(row).update(width=1), True),
    ("a width is below 0", lambda row: unit_of(row).update(width=-1), False),
    ("a width is exact still", lambda row: unit_of(row).update(width=2**53 - 1), True),
    ("a number is 0", lambda row: entry_of(row).update(objectNumber=0), True),
    ("a number is below 0", lambda row: entry_of(row).update(objectNumber=-1), False),
    ("a number is exact still", lambda row: entry_of(row).update(objectNumber=2**53 - 1), True),
    ("an answer is exact still", lambda row: number_of(row).update(answers=1 - 2**53), True),
    ("an answer is not exact", lambda row: number_of(row).update(answers=-(2**53)), False),
    ("an outline has two vertices", lambda row: polygon_of(row).update(
        polygons=[[[0.1, 0.2, 0.8, 0.25]]], polygon={"0": {"x": 0.1, "y": 0.2}, "1": {"x": 0.8, "y": 0.25}}
    ), False),
    ("a part has no ring", lambda row: polygon_of(row)["polygons"].append([]), False),
    ("a range is of one number", lambda row: class_entry(row).update(range=[[0]]), False),
    ("a range is of three numbers", lambda row: class_entry(row).update(range=[[0, 0, 0]]), False),
    ("a range is given twice", lambda row: class_entry(row).update(range=[[0, 0]] * 2), False),
    ("a range begins before", lambda row: class_entry(row).update(range=[[-1, 0]]), False),
    ("a unit has no hash", lambda row: unit_of(row).update(data_hash=""), False),
    ("a unit has no type", lambda row: unit_of(row).update(data_type=""), False),
    ("there is no unit", lambda row: row.update(data_units={}), False),
    ("a sequence is 1", lambda row: unit_of(row).update(data_sequence=1), False),
    ("there are actions", lambda row: row.update(object_actions={"AAAAAAA0": {
        "objectHash": "AAAAAAA0", "actions": []}}), False),
]  # fmt: skip
"""Values at the edges of what is clean: a change of a row, and whether it stays clean."""


def turned_of(row: Row) -> Row:
    turned: Row = object_at(row, 2)["rotatableBoundingBox"]
    return turned


def number_of(row: Row) -> Row:
    number: Row = entry_of(row)["classifications"][0]
    return number


@pytest.mark.parametrize(
    ("change", "clean"), [edge[1:] for edge in EDGES], ids=[e[0] for e in EDGES]
)
def test_what_is_clean_has_sharp_edges(change: Callable[[Row], Any], clean: bool) -> None:
    row = clean_image()
    change(row)
    content = orjson.dumps(row)
    assert_same([content], STRUCTURE)
    assert is_fast(content, STRUCTURE) == clean


def test_polygons_of_several_rings_beside_those_of_one_keep_their_parts() -> None:
    ring, hole = [0.1, 0.2, 0.8, 0.25, 0.5, 1.0], [0.4, 0.4, 0.5, 0.4, 0.5, 0.5]
    outline = {str(i): {"x": ring[2 * i], "y": ring[2 * i + 1]} for i in range(3)}
    row = clean_image()
    for number, polygons in ((3, [[ring, hole]]), (4, [[ring]]), (5, [[ring], [hole]])):
        made = object_of(number, LANE, polygon=outline, polygons=polygons)
        unit_of(row)["labels"]["objects"].append(made)
        name = made["objectHash"]
        row["object_answers"][name] = {"classifications": [], "objectHash": name}
    read = assert_same([orjson.dumps(row)], STRUCTURE)
    assert is_fast(orjson.dumps(row), STRUCTURE)
    assert read.annotations.instances is not None
    assert sorted(read.annotations.instances.parts) == [3, 5]


def test_the_clean_rows_are_fast() -> None:
    written = written_of(clean_image(), STRUCTURE)
    assert written is not None
    for one in (clean_image(), written):
        assert all(is_fast(text, STRUCTURE) for text in texts(one))


@pytest.mark.parametrize(
    ("file", "fast"),
    [
        (DataFile.from_key("a.jpg"), True),
        (DataFile.from_key("a.jpg", (64, 48), "Tue, 06 Jan 2026 00:00:00 UTC"), True),
        (DataFile.from_key("a.jpg", (48, 64)), False),
        (DataFile.from_key("a.png"), False),
        (DataFile.from_key("a.mp4"), False),
        (DataFile.from_key("a.bin", (48, 64)), True),
    ],
)
def test_the_data_file_is_compared_on_both_paths(file: DataFile, fast: bool) -> None:
    content = orjson.dumps(clean_image())
    assert is_fast(content, STRUCTURE, file) == fast
    assert_same(
        [content] * 3, STRUCTURE, [DataFile.from_key("b.jpg"), file, DataFile.from_key("c.jpg")]
    )


def test_no_sidecar_is_read_as_no_row() -> None:
    assert_same([], STRUCTURE)


def test_garbage_collection_is_as_it_was_before() -> None:
    assert gc.isenabled()
    assert_same([b"{"], STRUCTURE)
    assert gc.isenabled()
