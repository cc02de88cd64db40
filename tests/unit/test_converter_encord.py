"""What becomes of an Encord sidecar beside its data file: identifiers, policies, other formats."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import orjson
import pytest

from labelingest.converter import LabelFile
from labelingest.errors import ConfigError, SidecarError
from labelingest.model.batch_output import BatchOutput
from labelingest.resolution.ontology_json import load_ontology
from labelingest.sinks import open_sink
from tests.builders.encord import BOX, ONTOLOGY, encord_converter, label_row, row_of, sidecar
from tests.builders.outputs import output_target
from tests.builders.sidecars import client_rows
from tests.oracles.client import load

URL = "s3://bucket/drive/"
DATA_HASH = str(uuid5(uuid5(NAMESPACE_URL, URL), "drive/a.jpg"))
BAD = {"boundingBox": {**BOX, "x": "left"}}


read_table = pytest.importorskip("pyarrow.parquet").read_table


def codes(done: Any) -> list[str]:
    return [problem.code.value for problem in done.problems]


def test_placeholders_are_replaced_by_what_follows_from_path_key_and_ontology() -> None:
    structure = {**ONTOLOGY, "title": "Vehicles"}
    row = row_of(encord_converter(), sidecar("k3P/x0+a"))
    assert row["data_hash"] == DATA_HASH
    assert row["dataset_hash"] == str(uuid5(NAMESPACE_URL, URL))
    assert row["data_title"] == "a.jpg"
    ((key, unit),) = row["data_units"].items()
    assert key == unit["data_hash"] == DATA_HASH
    assert unit["data_title"] == "a.jpg"
    assert unit["data_link"] == "s3://bucket/drive/drive/a.jpg"
    wrapped = {"ontology_hash": "0d5f", "title": "Vehicles", "editor": structure}
    named = row_of(encord_converter(wrapped), sidecar("k3P/x0+a"))
    assert named["label_hash"] == str(
        uuid5(uuid5(uuid5(NAMESPACE_URL, URL), "drive/a.jpg"), "0d5f")
    )


def test_good_object_hashes_are_kept_and_bad_ones_replaced_everywhere() -> None:
    bad = "not a hash"
    content = label_row({"k3P/x0+a": {"boundingBox": BOX}, bad: {"boundingBox": BOX}})
    content["classification_answers"] = {
        "c": {
            "classificationHash": "c",
            "featureHash": "d1B2c3D4",
            "range": [[0, 0]],
            "classifications": [{"featureHash": "e1B2c3D4", "answers": "fog"}],
        }
    }
    converter = encord_converter()
    row = row_of(converter, orjson.dumps(content))
    first, second = (
        found["objectHash"]
        for unit in row["data_units"].values()
        for found in unit["labels"]["objects"]
    )
    assert first == "k3P/x0+a"
    assert re.fullmatch("[A-Za-z0-9+/]{8}", second)
    assert list(row["object_answers"]) == [first, second]
    assert row["object_answers"][second]["objectHash"] == second
    ((name, answer),) = row["classification_answers"].items()
    assert re.fullmatch("[A-Za-z0-9+/]{8}", name)
    assert answer["classificationHash"] == name
    loaded = load(row, ONTOLOGY)
    assert {one.object_hash for one in loaded.get_object_instances()} == {first, second}
    (note,) = loaded.get_classification_instances()
    assert note.classification_hash == name
    assert row_of(converter, orjson.dumps(content)) == row
    assert row_of(converter, orjson.dumps(content), "drive/b.jpg") != row


def test_labels_without_dates_or_author_get_the_sidecars_date_and_the_given_author() -> None:
    content = label_row({"k3P/x0+a": {"boundingBox": BOX}, "k3P/x0+b": {"boundingBox": BOX}})
    content["created_at"] = content["last_edited_at"] = None
    (unit,) = content["data_units"].values()
    first, second = unit["labels"]["objects"]
    first["createdAt"], second["createdBy"] = None, "b@example.com"
    file = LabelFile("a.jpg", orjson.dumps(content), None, 1_767_631_618_000_000_000)
    done = encord_converter(created_by="a@example.com").convert([file])
    (row,) = done.as_dicts()
    assert row is not None
    assert row["created_at"] == "Mon, 05 Jan 2026 16:46:58 UTC"
    (unit,) = row["data_units"].values()
    first, second = unit["labels"]["objects"]
    assert first["createdAt"] == "Mon, 05 Jan 2026 16:46:58 UTC"
    assert (first["createdBy"], second["createdBy"]) == ("a@example.com", "b@example.com")


@pytest.mark.parametrize(
    ("key", "data_type", "sentence"),
    [
        ("a.jpg", "video", "Expected a video, got a file of type image/jpeg"),
        ("a.mp4", "image", "Expected an image, got a file of type video/mp4"),
        ("a.pdf", "image", "Expected an image, got a file of type application/pdf"),
    ],
)
def test_a_row_about_another_kind_of_file_is_refused(
    key: str, data_type: str, sentence: str
) -> None:
    content = label_row({}, data_type=data_type)
    (unit,) = content["data_units"].values()
    unit["labels"] = {}
    done = encord_converter().convert([(key, orjson.dumps(content))])
    assert codes(done) == ["wrong-data-type"]
    assert sentence in done.problems[0].detail
    assert done.label_rows == [None]
    assert done.tally.failed_files == 1


def test_html_and_text_are_different_kinds_and_all_texts_are_one() -> None:
    (html,) = (row for _, kind, row in client_rows(0, 7) if kind == "html")
    structure = next(s for s, kind, _ in client_rows(0, 7) if kind == "html")
    converter = encord_converter(structure)
    content = orjson.dumps(html)
    assert codes(converter.convert([("a.txt", content)])) == ["wrong-data-type"]
    assert codes(converter.convert([("a.html", content)])) == []
    (text,) = (row for _, kind, row in client_rows(0, 7) if kind == "text")
    structure = next(s for s, kind, _ in client_rows(0, 7) if kind == "text")
    converter = encord_converter(structure)
    assert codes(converter.convert([("a.csv", orjson.dumps(text))])) == []


def test_a_mime_type_within_the_kind_is_written_as_the_files() -> None:
    done = encord_converter().convert([("a.png", sidecar("k3P/x0+a"))])
    assert codes(done) == ["replaced-value"]
    (row,) = done.as_dicts()
    assert row is not None
    assert [unit["data_type"] for unit in row["data_units"].values()] == ["image/png"]


def test_an_image_group_has_no_place_beside_one_file_and_is_converted_in_memory() -> None:
    structure, row = next((s, row) for s, kind, row in client_rows(3, 7) if kind == "img_group")
    converter = encord_converter(structure)
    content = orjson.dumps(row)
    beside = converter.convert([("a.jpg", content)])
    assert codes(beside) == ["unsupported-label"]
    assert beside.label_rows == [None]
    (group,) = converter.convert([("groups/1", content)]).as_dicts()
    assert group is not None
    group_hash = uuid5(uuid5(NAMESPACE_URL, URL), "groups/1")
    hashes = [str(uuid5(group_hash, str(place))) for place in range(len(row["data_units"]))]
    assert list(group["data_units"]) == hashes
    assert [unit["data_hash"] for unit in group["data_units"].values()] == hashes


def test_the_size_in_the_header_counts_and_a_differing_one_is_named() -> None:
    file = LabelFile("a.jpg", sidecar("k3P/x0+a"), (480, 640))
    done = encord_converter(image_sizes="all").convert([file])
    assert codes(done) == ["image-size-differs"]
    assert "turned" in done.problems[0].detail
    (row,) = done.as_dicts()
    assert row is not None
    assert [(u["width"], u["height"]) for u in row["data_units"].values()] == [(480, 640)]
    assert codes(encord_converter(image_sizes="never").convert([file])) == []


def test_a_bad_object_costs_itself_or_its_file_or_the_run() -> None:
    good = sidecar("k3P/x0+a", "k3P/x0+b")
    mixed = orjson.dumps(label_row({"k3P/x0+a": {"boundingBox": BOX}, "k3P/x0+b": BAD}))
    files = [("a.jpg", good), ("b.jpg", mixed)]
    done = encord_converter().convert(files)
    assert codes(done) == ["not-a-number"]
    tally = done.tally
    assert (tally.rows_seen, tally.annotations, tally.rejected) == (4, 3, {"not-a-number": 1})
    done = encord_converter(on_row_error="skip-file").convert(files)
    assert codes(done) == ["file-skipped", "not-a-number"]
    assert [row is None for row in done.label_rows] == [False, True]
    assert done.tally.rejected == {"not-a-number": 1, "file-skipped": 1}
    assert done.tally.balance()
    with pytest.raises(SidecarError, match="not-a-number"):
        encord_converter(on_row_error="stop").convert(files)


def test_an_answer_that_is_wrong_skips_its_file_too() -> None:
    content = label_row({"k3P/x0+a": {"boundingBox": BOX}})
    content["object_answers"]["k3P/x0+a"]["classifications"] = [
        {"featureHash": "nowhere0", "answers": "x"}
    ]
    done = encord_converter(on_row_error="skip-file").convert([("a.jpg", orjson.dumps(content))])
    assert codes(done) == ["file-skipped", "unknown-attribute"]
    assert done.label_rows == [None]
    assert done.tally.balance()


def test_a_row_of_which_nothing_is_left_says_so() -> None:
    content = orjson.dumps(label_row({"k3P/x0+b": BAD}))
    assert codes(encord_converter().convert([("a.jpg", content)])) == [
        "no-row-left",
        "not-a-number",
    ]


def test_a_crossing_outline_is_named_as_it_is_in_label_files() -> None:
    ring = [0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.25, 0.75]
    lake = {
        "name": "Lake",
        "color": "#E27300",
        "shape": "polygon",
        "value": "lake",
        "featureHash": "b1B2c3D4",
        "polygons": [[ring]],
        "polygon": {
            str(i): {"x": x, "y": y}
            for i, (x, y) in enumerate(zip(ring[::2], ring[1::2], strict=True))
        },
    }
    done = encord_converter().convert([("a.jpg", orjson.dumps(label_row({"k3P/x0+a": lake})))])
    assert [str(problem) for problem in done.problems] == [
        "a.jpg#/object_answers/k3P~1x0+a: self-intersecting-polygon: the outline crosses or "
        "touches itself: kept as it is"
    ]


def test_a_bow_tie_is_kept_and_named_as_a_part_and_as_a_hole() -> None:
    square = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0]
    bow_tie = [0.25, 0.25, 0.75, 0.75, 0.75, 0.25, 0.25, 0.75]
    polygons = [[square, bow_tie], [bow_tie]]
    lake = {"name": "Lake", "color": "#E27300", "shape": "polygon", "value": "lake"}
    content = label_row({"k3P/x0+a": {**lake, "featureHash": "b1B2c3D4", "polygons": polygons}})
    conversion = encord_converter().convert([("a.jpg", orjson.dumps(content))])
    pointer = "a.jpg#/object_answers/k3P~1x0+a: self-intersecting-polygon: the ring"
    assert [str(problem) for problem in conversion.problems] == [
        f"{pointer} polygons/0/1 crosses or touches itself: kept as it is",
        f"{pointer} polygons/1/0 crosses or touches itself: kept as it is",
    ]
    (row,) = conversion.as_dicts()
    assert row is not None
    (unit,) = row["data_units"].values()
    assert unit["labels"]["objects"][0]["polygons"] == polygons


def test_a_sidecar_is_the_same_bytes_whatever_its_batch() -> None:
    files = [(f"{n}.jpg", sidecar(f"k3P/x0+{n}")) for n in range(5)]
    converter = encord_converter()
    together = converter.convert(files).label_rows
    alone = [converter.convert([file]).label_rows[0] for file in files]
    assert list(together) == alone


def test_yolo_gets_the_rows_it_has_a_place_for() -> None:
    nose = {"shape": "point", "featureHash": "c1B2c3D4", "name": "Nose", "color": "#16406C"}
    nose |= {"value": "nose", "point": {"0": {"x": 0.5, "y": 0.5}}}  # type: ignore[dict-item]
    content = label_row({"k3P/x0+a": {"boundingBox": BOX}, "k3P/x0+b": nose})
    done = encord_converter(to="yolo").convert([("a.jpg", orjson.dumps(content))])
    assert list(done.label_rows) == [b"7 0.5625 0.5 0.125 0.25\n"]
    assert codes(done) == ["no-place-in-format"]
    assert done.tally.rejected == {"no-place-in-format": 1}
    assert done.tally.balance()


def test_a_video_has_no_label_file_and_no_place_in_coco() -> None:
    structure, row = next((s, row) for s, kind, row in client_rows(3, 7) if kind == "video")
    done = encord_converter(structure, to="coco").convert([("a.mp4", orjson.dumps(row))])
    assert codes(done) == ["no-place-in-format"]
    assert done.labels is not None
    assert not len(done.labels.units)
    assert done.tally.balance()
    assert done.tally.failed_files == 1


def test_what_stands_beside_annotations_is_counted_where_the_format_has_no_place() -> None:
    structure, row = next((s, row) for s, kind, row in client_rows(5, 21) if kind == "image")
    done = encord_converter(structure, to="parquet").convert([("a.jpg", orjson.dumps(row))])
    answers = sum(len(entry["classifications"]) for entry in row["object_answers"].values())
    answers += sum(len(entry["actions"]) for entry in row["object_actions"].values())
    assert done.tally.dropped["answers"] == answers
    assert done.tally.classifications == len(row["classification_answers"])


@pytest.mark.parametrize("change", [{"format": "coco"}, {"to": "csv"}, {"yolo_layout": "ring"}])
def test_an_unknown_choice_is_refused(change: dict[str, str]) -> None:
    (value,) = change.values()
    with pytest.raises(ConfigError, match=f"'{value}' is none of"):
        replace(encord_converter(), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"[" * 100_000_000, "file-too-large"),
        (b'{"a":' * 20_000_000, "file-too-large"),
        (b"[NaN," + b"[" * 60_000_000, "file-too-large"),
        (b"[" * 3_900_000, "not-json"),
        (b'{"a":' * 1_900_000, "not-json"),
        (b"[NaN," + b"[" * 3_900_000, "not-json"),
        (b"1" * 60_000_000, "not-a-label-row"),
        (b" " * 300_000_001, "file-too-large"),
    ],
)
def test_bombs_get_a_problem(content: bytes, code: str) -> None:
    done = encord_converter().convert([("a.jpg", content)])
    assert code in codes(done)
    assert done.label_rows == [None]


def test_a_confidence_is_a_column_of_yolo_rows_only_when_asked_for() -> None:
    sure = {"boundingBox": BOX, "confidence": 0.75, "manualAnnotation": False}
    files = [("a.jpg", orjson.dumps(label_row({"k3P/x0+a": sure})))]
    plain = encord_converter(to="yolo").convert(files)
    assert list(plain.label_rows) == [b"7 0.5625 0.5 0.125 0.25\n"]
    assert plain.tally.dropped == {"confidence": 1}
    scored = encord_converter(to="yolo", yolo_confidence=True).convert(files)
    assert list(scored.label_rows) == [b"7 0.5625 0.5 0.125 0.25 0.75\n"]


def test_a_hash_that_is_replaced_is_the_same_in_every_output(tmp_path: Path) -> None:
    bad = 'a"b\\c\n\x00' + "x" * 200
    content = orjson.dumps(label_row({"k3P/x0+a": {"boundingBox": BOX}, bad: {"boundingBox": BOX}}))
    files = [LabelFile("a.jpg", content)]
    row = row_of(encord_converter(), content, "a.jpg")
    ontology = load_ontology(ONTOLOGY)
    found = {"encord": list(row["object_answers"])}
    for to in ("coco", "parquet"):
        labels = encord_converter(to=to).convert(files).labels
        assert labels is not None
        out = tmp_path / f"rows.{'json' if to == 'coco' else to}"
        numbers = np.full(len(ontology.objects), -1)
        target = output_target(to, out, ontology=ontology, class_numbers=numbers)
        with open_sink(target) as sink:
            sink.put(BatchOutput(labels.units.key, (), labels))
        if to == "coco":
            document = orjson.loads(out.read_bytes())
            hashes = [one["attributes"]["encord_track_uuid"] for one in document["annotations"]]
        else:
            hashes = read_table(out)["object_hash"].to_pylist()
        found[to] = hashes
    assert found["coco"] == found["parquet"] == found["encord"]
    assert bad not in found["encord"]


def test_a_file_of_yolo_without_rows_says_so_although_a_classification_was_kept() -> None:
    content = label_row({"k3P/x0+b": BAD})
    content["classification_answers"] = {
        "k3P/x0+c": {
            "classificationHash": "k3P/x0+c",
            "featureHash": "d1B2c3D4",
            "range": [[0, 0]],
            "classifications": [{"featureHash": "e1B2c3D4", "answers": "fog"}],
        }
    }
    files = [("a.jpg", orjson.dumps(content))]
    assert "no-row-left" in codes(encord_converter(to="yolo").convert(files))
    assert "no-row-left" not in codes(encord_converter().convert(files))


def test_a_missing_side_and_the_header_give_the_same_bytes_when_read_again() -> None:
    content = label_row({"k3P/x0+a": {"boundingBox": BOX}})
    (unit,) = content["data_units"].values()
    unit["width"] = "640"
    converter = encord_converter(image_sizes="all")
    first = converter.convert([LabelFile("a.jpg", orjson.dumps(content), (640, 480))]).label_rows
    assert first[0] is not None
    again = converter.convert([LabelFile("a.jpg", first[0], (640, 480))]).label_rows
    assert again == first


def test_what_stops_a_run_is_the_same_in_every_batch() -> None:
    mixed = orjson.dumps(label_row({"k3P/x0+a": BAD, "k3P/x0+b": BAD}))
    files = [LabelFile(f"{n}.jpg", mixed, sidecar=f"{n}.json") for n in range(3)]
    converter = encord_converter(on_row_error="stop")
    for batch in (files, files[:1]):
        with pytest.raises(SidecarError) as stopped:
            converter.convert(batch)
        assert [problem.source for problem in stopped.value.problems] == ["0.json", "0.json"]
        assert stopped.value.data_file == "0.jpg"


def test_label_files_are_no_dictionaries() -> None:
    done = encord_converter(to="yolo").convert([("a.jpg", sidecar("k3P/x0+a"))])
    with pytest.raises(ValueError, match="no label rows"):
        done.as_dicts()


def test_an_image_without_extension_is_an_image_in_memory() -> None:
    done = encord_converter(to="coco").convert([("frame-1", sidecar("k3P/x0+a"))])
    assert codes(done) == []
    assert done.tally.annotations == 1
