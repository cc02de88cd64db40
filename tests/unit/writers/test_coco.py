import json
from collections.abc import Sequence
from typing import Any

import pytest

from labelingest.problems import ProblemCode
from labelingest.writers import coco
from labelingest.writers.ids import data_hashes, object_hashes
from tests.builders.annotations import Batch, Row, batch_of
from tests.builders.yolo import STORAGE_URL

SHAPES = {7: "bounding_box", 8: "polygon", 9: "rotatable_bounding_box"}
BOX, POLYGON, ROTATED = range(3)
SIZE = (200, 100)
FULL = Row(BOX, (0.25, 0.5, 0.5, 0.25))
TRIANGLE = Row(POLYGON, (0.25, 0.25, 0.75, 0.25, 0.5, 0.75))


def document(batches: Sequence[Batch], **options: Any) -> dict[str, Any]:
    writer = coco.CocoWriter(batches[0].ontology, STORAGE_URL)
    chunks = [writer.add(b.annotations, b.units, b.findings, **options) for b in batches]
    text = coco.HEAD + b"".join(chunk.images for chunk in chunks)
    text += coco.BETWEEN + b"".join(chunk.annotations for chunk in chunks) + writer.tail()
    decoded: dict[str, Any] = json.loads(text)
    assert sum(chunk.rows for chunk in chunks) == len(decoded["annotations"])
    return decoded


def one(row: Row) -> dict[str, Any]:
    (made,) = document([batch_of([row], [SIZE], SHAPES)])["annotations"]
    assert isinstance(made, dict)
    return made


def test_a_box_is_in_pixels() -> None:
    made = one(FULL)
    assert made["bbox"] == [50, 50, 100, 25]
    assert made["segmentation"] == [[50, 50, 150, 50, 150, 75, 50, 75]]
    assert made["area"] == 2500
    assert made["iscrowd"] == 0
    assert "rotation" not in made["attributes"]


def test_a_rotated_box_stays_unrotated_and_its_angle_goes_to_the_attributes() -> None:
    made = one(Row(ROTATED, (0.25, 0.5, 0.5, 0.25, 30.0)))
    assert made["bbox"] == [50, 50, 100, 25]
    assert made["segmentation"] == [[50, 50, 150, 50, 150, 75, 50, 75]]
    assert made["area"] == 2500
    assert made["attributes"]["rotation"] == 30


def test_a_polygon_has_its_outline_its_envelope_and_its_area() -> None:
    made = one(TRIANGLE)
    assert made["segmentation"] == [[50, 25, 150, 25, 100, 75]]
    assert made["bbox"] == [50, 25, 100, 50]
    assert made["area"] == 2500


def test_the_area_of_a_polygon_does_not_depend_on_its_direction() -> None:
    assert one(Row(POLYGON, (0.5, 0.75, 0.75, 0.25, 0.25, 0.25)))["area"] == 2500


def test_a_confidence_that_was_read_is_the_score() -> None:
    made = one(FULL._replace(confidence=0.75))
    assert (made["score"], made["attributes"]["manual_annotation"]) == (0.75, False)


def test_what_a_person_drew_has_no_score() -> None:
    made = one(FULL)
    assert "score" not in made
    assert made["attributes"]["manual_annotation"] is True


def test_an_annotation_carries_the_object_hash_of_its_label_row() -> None:
    batch = batch_of([FULL], [SIZE], SHAPES)
    a = batch.annotations
    (made,) = document([batch])["annotations"]
    assert [made["attributes"]["encord_track_uuid"]] == object_hashes(
        batch.units.key, a.unit, a.line, a.content
    )


def test_object_hashes_may_be_given() -> None:
    made = document([batch_of([FULL], [SIZE], SHAPES)], hashes=["k3P/x0+a"])
    assert made["annotations"][0]["attributes"]["encord_track_uuid"] == "k3P/x0+a"


def test_an_image_has_its_size_its_link_and_its_data_hash() -> None:
    (image,) = document([batch_of([], [SIZE], SHAPES)])["images"]
    assert image == {
        "id": 1,
        "file_name": "images/0.jpg",
        "width": 200,
        "height": 100,
        "coco_url": "s3://bucket/drive/images/0.jpg",
        "data_hash": data_hashes(STORAGE_URL, ["images/0.jpg"])[0],
    }


def test_categories_count_from_1_in_the_order_of_the_ontology() -> None:
    assert document([batch_of([], [], SHAPES)])["categories"] == [
        {"supercategory": shape, "id": i, "name": f"Class {number}", "feature_hash": f"{i:08x}"}
        for i, (number, shape) in enumerate(SHAPES.items(), start=1)
    ]


def test_shapes_that_are_on_no_image_are_no_categories_and_leave_no_gap() -> None:
    shapes = {1: "bounding_box", 2: "audio", 3: "text", 4: "polygon"}
    made = document([batch_of([TRIANGLE._replace(feature=3)], [SIZE], shapes)])
    assert [(c["id"], c["name"]) for c in made["categories"]] == [(1, "Class 1"), (2, "Class 4")]
    assert made["annotations"][0]["category_id"] == 2


def test_annotations_keep_their_order_and_point_to_image_and_category() -> None:
    rows = [TRIANGLE, FULL, TRIANGLE._replace(unit=2), FULL._replace(unit=2)]
    made = document([batch_of(rows, [SIZE] * 3, SHAPES)])
    assert [(a["id"], a["image_id"], a["category_id"]) for a in made["annotations"]] == [
        *((1, 1, 2), (2, 1, 1), (3, 3, 2), (4, 3, 1))
    ]


def test_batches_are_numbered_on() -> None:
    batches = [
        batch_of([FULL], [SIZE, SIZE], SHAPES),
        batch_of([], [], SHAPES),
        batch_of([], [SIZE], SHAPES),
        batch_of([FULL, TRIANGLE], [SIZE], SHAPES),
    ]
    made = document(batches)
    assert [image["id"] for image in made["images"]] == [1, 2, 3, 4]
    assert [(a["id"], a["image_id"]) for a in made["annotations"]] == [(1, 1), (2, 4), (3, 4)]


def test_nothing_at_all_is_a_document() -> None:
    made = document([batch_of([], [], SHAPES)])
    assert (made["images"], made["annotations"]) == ([], [])


def test_an_image_of_unknown_size_is_listed_and_its_annotations_are_problems() -> None:
    batch = batch_of([FULL, FULL, FULL._replace(unit=1)], [None, SIZE], SHAPES)
    made = document([batch])
    assert [image.get("width") for image in made["images"]] == [None, 200]
    assert [a["image_id"] for a in made["annotations"]] == [2]
    assert batch.findings.rejected == {ProblemCode.IMAGE_SIZE_UNKNOWN: 2}


def test_the_official_clients_importer_reads_the_document() -> None:
    structure = pytest.importorskip("encord.utilities.coco.datastructure")
    rows = [FULL, TRIANGLE, Row(ROTATED, (0.25, 0.5, 0.5, 0.25, 30.0))]
    made = document([batch_of(rows, [SIZE], SHAPES)])
    # Its reader changes what it is given.
    root = structure.CocoRootModel.from_dict(json.loads(json.dumps(made)))
    assert [tuple(a.bbox) for a in root.annotations] == [
        tuple(a["bbox"]) for a in made["annotations"]
    ]
    assert [image.id for image in root.images] == [1]
