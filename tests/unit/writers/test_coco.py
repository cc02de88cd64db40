import json
from collections.abc import Sequence
from typing import Any

import pytest
import shapely
from msgspec.structs import replace
from shapely.affinity import rotate

from labelingest.encord.identifiers import data_hashes, object_hashes
from labelingest.model.annotations import Rings
from labelingest.problems import ProblemCode
from labelingest.writers import coco
from labelingest.writers.target import CocoRotated
from tests.builders.annotations import Batch, Row, batch_of, with_instances
from tests.builders.outputs import target_options
from tests.builders.yolo import STORAGE_URL

SHAPES = {7: "bounding_box", 8: "polygon", 9: "rotatable_bounding_box"}
BOX, POLYGON, ROTATED = range(3)
SIZE = (200, 100)
FULL = Row(BOX, (0.25, 0.5, 0.5, 0.25))
TRIANGLE = Row(POLYGON, (0.25, 0.25, 0.75, 0.25, 0.5, 0.75))


def document(batches: Sequence[Batch]) -> dict[str, Any]:
    """Return the document of what can be represented; the rest is in the findings, and the books add up."""
    writer = coco.CocoWriter(batches[0].ontology, STORAGE_URL)
    chunks, count = [], 0
    for b in batches:
        annotations = coco.representable(
            b.annotations, b.units, target_options(b.ontology), b.findings
        )
        assert len(annotations) + b.findings.rejected.total() == len(b.annotations)
        chunks.append(writer.add(annotations, b.units))
        count += len(annotations)
    text = coco.HEAD + b"".join(chunk.images for chunk in chunks)
    text += coco.BETWEEN + b"".join(chunk.annotations for chunk in chunks) + writer.tail()
    decoded: dict[str, Any] = json.loads(text)
    assert count == len(decoded["annotations"])
    return decoded


def annotation_of(row: Row) -> dict[str, Any]:
    (entry,) = document([batch_of([row], [SIZE], SHAPES)])["annotations"]
    assert isinstance(entry, dict)
    return entry


def test_a_box_is_in_pixels() -> None:
    entry = annotation_of(FULL)
    assert entry["bbox"] == [50, 50, 100, 25]
    assert entry["segmentation"] == [[50, 50, 150, 50, 150, 75, 50, 75]]
    assert entry["area"] == 2500
    assert entry["iscrowd"] == 0
    assert "rotation" not in entry["attributes"]


def test_a_rotated_box_is_the_ring_of_its_corners_and_the_box_around_it() -> None:
    entry = annotation_of(Row(ROTATED, (0.25, 0.4, 0.5, 0.2, 30.0)))
    (ring,) = entry["segmentation"]
    corners = [61.699, 16.340, 148.301, 66.340, 138.301, 83.660, 51.699, 33.660]
    assert ring == pytest.approx(corners, abs=1e-3)
    xs, ys = ring[::2], ring[1::2]
    assert entry["bbox"] == [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
    assert entry["area"] == 2000
    assert entry["attributes"]["rotation"] == 30


def test_rotated_boxes_among_others_keep_their_places() -> None:
    rows = [Row(ROTATED, (0.25, 0.5, 0.5, 0.25, 90.0)), FULL, TRIANGLE]
    rows.append(Row(ROTATED, (0.25, 0.5, 0.5, 0.25, 0.0)))
    turned, box, polygon, flat = document([batch_of(rows, [SIZE], SHAPES)])["annotations"]
    assert turned["bbox"] == pytest.approx([87.5, 12.5, 25, 100])
    assert box["bbox"] == flat["bbox"] == [50, 50, 100, 25]
    assert flat["segmentation"] == box["segmentation"]
    assert polygon["area"] == 2500


@pytest.mark.parametrize("theta", [0.0, 17.0, 45.0, 60.0, 90.0, 134.5, 180.0, 359.0])
def test_the_ring_of_a_rotated_box_is_what_shapely_turns(theta: float) -> None:
    # 80 x 10 pixels: at 60 degrees the unrotated box has an IoU of 0.08 with what is drawn.
    entry = annotation_of(Row(ROTATED, (0.3, 0.4, 0.4, 0.1, theta)))
    unrotated = shapely.box(60, 40, 140, 50)
    turned = rotate(unrotated, theta, origin="center")
    ring = shapely.Polygon(list(zip(*[iter(entry["segmentation"][0])] * 2, strict=True)))
    assert turned.symmetric_difference(ring).area < 1e-9
    left, top, right, bottom = turned.bounds
    assert entry["bbox"] == pytest.approx([left, top, right - left, bottom - top])
    assert entry["area"] == pytest.approx(turned.area)


def test_a_rotated_box_stays_unrotated_by_option() -> None:
    batch = batch_of([Row(ROTATED, (0.25, 0.5, 0.5, 0.25, 30.0))], [SIZE], SHAPES)
    writer = coco.CocoWriter(batch.ontology, STORAGE_URL, CocoRotated.UNROTATED)
    entry = json.loads(writer.add(batch.annotations, batch.units).annotations)
    assert entry["bbox"] == [50, 50, 100, 25]
    assert entry["segmentation"] == [[50, 50, 150, 50, 150, 75, 50, 75]]
    assert entry["area"] == 2500
    assert entry["attributes"]["rotation"] == 30


@pytest.mark.parametrize(
    ("drawing", "name"), [("corners", "ring of its corners"), ("unrotated", "unrotated box")]
)
def test_what_rotated_boxes_become_is_counted(drawing: str, name: str) -> None:
    rows = [FULL, Row(ROTATED, (0.25, 0.5, 0.5, 0.25, 30.0))]
    batch = batch_of(rows, [SIZE], SHAPES)
    options = replace(target_options(batch.ontology), coco_rotated=CocoRotated(drawing))
    document_part = coco.write(batch.annotations, batch.units, options)
    assert document_part.converted == {f"rotated box → {name}": 1}


def test_a_polygon_has_its_outline_its_envelope_and_its_area() -> None:
    entry = annotation_of(TRIANGLE)
    assert entry["segmentation"] == [[50, 25, 150, 25, 100, 75]]
    assert entry["bbox"] == [50, 25, 100, 50]
    assert entry["area"] == 2500


def test_the_area_of_a_polygon_does_not_depend_on_its_direction() -> None:
    assert annotation_of(Row(POLYGON, (0.5, 0.75, 0.75, 0.25, 0.25, 0.25)))["area"] == 2500


def test_a_confidence_that_was_read_is_the_score() -> None:
    entry = annotation_of(FULL._replace(confidence=0.75))
    assert (entry["score"], entry["attributes"]["manual_annotation"]) == (0.75, False)


def test_what_a_person_drew_has_no_score() -> None:
    entry = annotation_of(FULL)
    assert "score" not in entry
    assert entry["attributes"]["manual_annotation"] is True


def test_an_annotation_carries_the_object_hash_of_its_label_row() -> None:
    batch = batch_of([FULL], [SIZE], SHAPES)
    a = batch.annotations
    (entry,) = document([batch])["annotations"]
    assert [entry["attributes"]["encord_track_uuid"]] == object_hashes(
        batch.units.key, a.unit, a.line, a.content
    )


def test_an_annotation_of_a_label_row_keeps_its_object_hash() -> None:
    (entry,) = document([with_instances(batch_of([FULL], [SIZE], SHAPES))])["annotations"]
    assert entry["attributes"]["encord_track_uuid"] == "hash+/00"


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
    decoded = document([batch_of([TRIANGLE._replace(feature=3)], [SIZE], shapes)])
    assert [(c["id"], c["name"]) for c in decoded["categories"]] == [(1, "Class 1"), (2, "Class 4")]
    assert decoded["annotations"][0]["category_id"] == 2


def test_annotations_keep_their_order_and_point_to_image_and_category() -> None:
    rows = [TRIANGLE, FULL, TRIANGLE._replace(unit=2), FULL._replace(unit=2)]
    decoded = document([batch_of(rows, [SIZE] * 3, SHAPES)])
    assert [(a["id"], a["image_id"], a["category_id"]) for a in decoded["annotations"]] == [
        *((1, 1, 2), (2, 1, 1), (3, 3, 2), (4, 3, 1))
    ]


def test_batches_are_numbered_on() -> None:
    batches = [
        batch_of([FULL], [SIZE, SIZE], SHAPES),
        batch_of([], [], SHAPES),
        batch_of([], [SIZE], SHAPES),
        batch_of([FULL, TRIANGLE], [SIZE], SHAPES),
    ]
    decoded = document(batches)
    assert [image["id"] for image in decoded["images"]] == [1, 2, 3, 4]
    assert [(a["id"], a["image_id"]) for a in decoded["annotations"]] == [(1, 1), (2, 4), (3, 4)]


def test_nothing_at_all_is_a_document() -> None:
    decoded = document([batch_of([], [], SHAPES)])
    assert (decoded["images"], decoded["annotations"]) == ([], [])


def test_an_image_of_unknown_size_is_listed_and_its_annotations_are_problems() -> None:
    batch = batch_of([FULL, FULL, FULL._replace(unit=1)], [None, SIZE], SHAPES)
    decoded = document([batch])
    assert [image.get("width") for image in decoded["images"]] == [None, 200]
    assert [a["image_id"] for a in decoded["annotations"]] == [2]
    assert batch.findings.rejected == {ProblemCode.IMAGE_SIZE_UNKNOWN: 2}


@pytest.mark.parametrize("size", [(200, 0), (0, 100), (200, -1), (-1, 100)])
def test_an_image_of_which_one_side_is_unknown_has_no_size(size: tuple[int, int]) -> None:
    batch = batch_of([FULL], [size], SHAPES)
    decoded = document([batch])
    assert "width" not in decoded["images"][0]
    assert "height" not in decoded["images"][0]
    assert decoded["annotations"] == []
    assert batch.findings.rejected == {ProblemCode.IMAGE_SIZE_UNKNOWN: 1}


def test_an_image_may_be_one_pixel_large() -> None:
    decoded = document([batch_of([FULL], [(1, 1)], SHAPES)])
    assert (decoded["images"][0]["width"], decoded["images"][0]["height"]) == (1, 1)
    assert decoded["annotations"][0]["bbox"] == [0.25, 0.5, 0.5, 0.25]


# A square of 100 x 50 pixels with two holes, and a triangle beside it.
SQUARE = (0.25, 0.25, 0.75, 0.25, 0.75, 0.75, 0.25, 0.75)
HOLE = (0.3, 0.4, 0.4, 0.4, 0.4, 0.6)  # 20 x 20 pixels, halved
OTHER_HOLE = (0.5, 0.5, 0.5, 0.6, 0.6, 0.6, 0.6, 0.5)  # 20 x 10 pixels, the other way round
BESIDE = (0.8, 0.0, 1.0, 0.0, 1.0, 0.5)  # 40 x 50 pixels, halved


def of_parts(*parts: Any) -> dict[str, Any]:
    """Return the annotation of a polygon between two others."""
    batch = batch_of([FULL, Row(POLYGON, parts[0][0]), TRIANGLE], [SIZE], SHAPES)
    batch = with_instances(batch, parts={1: parts})
    first, entry, last = document([batch])["annotations"]
    assert (first["bbox"], last["area"]) == ([50, 50, 100, 25], 2500)
    assert isinstance(entry, dict)
    return entry


def test_a_polygon_of_several_parts_has_all_outlines_and_what_is_around_them() -> None:
    entry = of_parts([SQUARE], [BESIDE])
    assert entry["segmentation"] == [
        [50, 25, 150, 25, 150, 75, 50, 75],
        [160, 0, 200, 0, 200, 50],
    ]
    assert entry["bbox"] == [50, 0, 150, 75]
    assert entry["area"] == 100 * 50 + 40 * 50 / 2


def test_holes_are_out_of_the_area_only() -> None:
    entry = of_parts([SQUARE, HOLE, OTHER_HOLE])
    assert entry["segmentation"] == [[50, 25, 150, 25, 150, 75, 50, 75]]
    assert entry["bbox"] == [50, 25, 100, 50]
    assert entry["area"] == pytest.approx(100 * 50 - 20 * 20 / 2 - 20 * 10, abs=1e-9)


def test_holes_are_counted() -> None:
    batch = batch_of([TRIANGLE, TRIANGLE], [SIZE], SHAPES)
    assert coco.dropped_parts(batch.annotations) == {}
    parts: dict[int, Rings] = {1: [[SQUARE, HOLE, OTHER_HOLE], [BESIDE], [SQUARE, HOLE]]}
    assert coco.dropped_parts(with_instances(batch, parts=parts).annotations) == {"hole": 3}
    assert coco.dropped_parts(with_instances(batch).annotations) == {}


def test_what_is_on_no_image_or_has_no_columns_is_a_problem_at_its_object() -> None:
    rows = [Row(3, ()), FULL, FULL._replace(unit=1), FULL._replace(unit=1)]
    batch = batch_of(rows, [SIZE, None], {**SHAPES, 10: "cuboid_2d"})
    batch = with_instances(batch, frames=[0, 0, 4, 5], keys=["a.png", "b.mov"])
    assert [a["bbox"] for a in document([batch])["annotations"]] == [[50, 50, 100, 25]]
    assert batch.findings.rejected == {ProblemCode.NO_PLACE_IN_FORMAT: 3}
    places = [problem.place for problem in batch.findings.in_order()]
    assert places == [
        f"labels/{unit}.txt#/object_answers/hash+~1{ending}"
        for unit, ending in ((0, "00"), (1, "02"), (1, "03"))
    ]
    assert "'Class 10' is of shape cuboid 2d" in batch.findings.in_order()[0].detail


def test_the_official_clients_importer_reads_the_document() -> None:
    structure = pytest.importorskip("encord.utilities.coco.datastructure")
    rows = [FULL, TRIANGLE, Row(ROTATED, (0.25, 0.5, 0.5, 0.25, 30.0))]
    decoded = document([batch_of(rows, [SIZE], SHAPES)])
    # Its reader changes what it is given.
    root = structure.CocoRootModel.from_dict(json.loads(json.dumps(decoded)))
    assert [tuple(a.bbox) for a in root.annotations] == [
        tuple(a["bbox"]) for a in decoded["annotations"]
    ]
    assert [image.id for image in root.images] == [1]
