"""Label rows made by the official client, written in the other formats: judged by its exporter."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from io import BytesIO
from itertools import groupby
from typing import Any

import pytest

from labelingest.model.annotations import Annotations
from labelingest.model.units import are_images
from labelingest.problems import ProblemCode
from labelingest.problems.of_batch import BatchProblems
from labelingest.writers import coco, yolo
from labelingest.writers.parquet import ParquetWriter
from labelingest.writers.target import CocoRotated
from labelingest.writers.yolo import class_numbers
from tests.builders.annotations import Batch, from_encord
from tests.builders.outputs import target_options
from tests.builders.sidecars import HEIGHT, WIDTH, client_rows
from tests.builders.yolo import STORAGE_URL
from tests.oracles.coco import area_and_box, exported
from tests.oracles.yolo_shapes import corners_of

SEEDS = range(3)
SIZE = (WIDTH, HEIGHT)
ENDINGS = {
    "image": "jpg",
    "video": "mp4",
    "pdf": "pdf",
    "audio": "wav",
    "text": "txt",
    "html": "html",
}
SAYABLE = ("bounding_box", "rotatable_bounding_box", "polygon")

Rows = list[dict[str, Any]]


@lru_cache
def batches(seed: int) -> list[tuple[Batch, Rows]]:
    """Return a batch for each ontology, with the label rows it was made from."""
    made_of = []
    found = [made for made in client_rows(seed, 112) if made[1] in ENDINGS]
    by_ontology = sorted(found, key=lambda made: json.dumps(made[0]))
    for _, group in groupby(by_ontology, key=lambda made: json.dumps(made[0])):
        members = list(group)
        keys = [f"images/{i}.{ENDINGS[kind]}" for i, (_, kind, _) in enumerate(members)]
        rows = [row for _, _, row in members]
        made_of.append((from_encord(rows, keys, members[0][0], SIZE), rows))
    return made_of


def of_images(batch: Batch) -> Annotations:
    """Return the annotations of images: other files fail as a whole before anything is written."""
    return batch.annotations.of_units(are_images(batch.units))


def objects_of(row: Mapping[str, Any]) -> Rows:
    """Return the objects on an image, in order; none for other kinds."""
    (unit,) = row["data_units"].values()
    return unit["labels"]["objects"] if row["data_type"] == "image" else []


def has_parts(one: Mapping[str, Any]) -> bool:
    polygons = one.get("polygons", [[[]]])
    return len(polygons) > 1 or len(polygons[0]) > 1


def coco_of(batch: Batch, drawing: CocoRotated = CocoRotated.CORNERS) -> dict[str, Any]:
    findings = BatchProblems()
    said = coco.representable(
        of_images(batch), batch.units, target_options(batch.ontology), findings
    )
    writer = coco.CocoWriter(batch.ontology, STORAGE_URL, drawing)
    chunk = writer.add(said, batch.units)
    text = coco.HEAD + chunk.images + coco.BETWEEN + chunk.annotations + writer.tail()
    document: dict[str, Any] = json.loads(text)
    assert list(findings.rejected) == [ProblemCode.NO_PLACE_IN_FORMAT]
    assert len(said) + findings.rejected.total() == len(of_images(batch))
    return document


def _simple(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row with boxes, rotated boxes and polygons of one ring only."""
    copy: dict[str, Any] = json.loads(json.dumps(row))
    (unit,) = copy["data_units"].values()
    unit["labels"]["objects"] = [
        one for one in objects_of(row) if one["shape"] in SAYABLE and not has_parts(one)
    ]
    return copy


@pytest.mark.parametrize("seed", SEEDS)
def test_coco_is_what_the_clients_exporter_makes(seed: int) -> None:
    seen = 0
    for batch, rows in batches(seed):
        images = [_simple(row) for row in rows if row["data_type"] == "image"]
        expected = exported(images, batch.ontology.structure)
        made = coco_of(batch, CocoRotated.UNROTATED)
        assert [(c["id"], c["name"], c["supercategory"]) for c in made["categories"]] == [
            (c["id"], c["name"], c["supercategory"]) for c in expected["categories"]
        ]
        ours = {one["attributes"]["encord_track_uuid"]: one for one in made["annotations"]}
        for one in expected["annotations"]:
            mine = ours[one["attributes"]["encord_track_uuid"]]
            assert mine["category_id"] == one["category_id"]
            assert mine["segmentation"] == one["segmentation"]
            assert mine["bbox"] == pytest.approx(one["bbox"], abs=1e-12)
            assert mine["area"] == pytest.approx(one["area"], rel=1e-9, abs=1e-9)
            assert mine["attributes"].get("rotation") == one["attributes"].get("rotation")
            seen += 1
    assert seen > 5


@pytest.mark.parametrize("seed", SEEDS)
def test_coco_has_all_outlines_of_polygons_and_their_area_without_holes(seed: int) -> None:
    holes = counted = 0
    for batch, rows in batches(seed):
        made = {
            one["attributes"]["encord_track_uuid"]: one for one in coco_of(batch)["annotations"]
        }
        drawn = [one for row in rows for one in objects_of(row) if one["shape"] in SAYABLE]
        assert list(made) == [one["objectHash"] for one in drawn]
        for one in filter(has_parts, drawn):
            mine, parts = made[one["objectHash"]], one["polygons"]
            area, around = area_and_box(parts, SIZE)
            assert mine["area"] == pytest.approx(area, abs=1e-9)
            assert mine["bbox"] == pytest.approx(around, abs=1e-12)
            assert mine["segmentation"] == [
                [n * SIZE[at % 2] for at, n in enumerate(rings[0])] for rings in parts
            ]
            holes += sum(len(rings) - 1 for rings in parts)
        said = coco.representable(
            of_images(batch), batch.units, target_options(batch.ontology), BatchProblems()
        )
        counted += coco.dropped_parts(said)["hole"]
    assert holes == counted > 0


def yolo_rows_of(one: Mapping[str, Any], number: int) -> list[list[float]]:
    """Return the YOLO rows of an object, worked out one by one."""
    if one["shape"] == "polygon":
        return [[number, *rings[0]] for rings in one["polygons"]]
    if one["shape"] == "bounding_box":
        x, y, w, h = (one["boundingBox"][key] for key in "xywh")
        return [[number, x + w / 2, y + h / 2, w, h]]
    box = one["rotatableBoundingBox"]
    corners = corners_of([box[key] for key in "xywh"], box["theta"], SIZE)
    return [[number, *(n for x, y in corners for n in (x / WIDTH, y / HEIGHT))]]


@pytest.mark.parametrize("seed", SEEDS)
def test_yolo_has_a_row_for_each_box_and_each_part(seed: int) -> None:
    for batch, rows in batches(seed):
        objects, findings = batch.ontology.objects, BatchProblems()
        numbers = class_numbers(batch.class_map, objects)
        number_of = {one.feature_hash: number for number, one in enumerate(objects)}
        options = target_options(batch.ontology, class_numbers=numbers, confidence=False)
        said = yolo.representable(of_images(batch), batch.units, options, findings)
        files = yolo.write(said, batch.units, options)
        assert len(said) + findings.rejected.total() == len(of_images(batch))
        for text, row in zip(files.texts, rows, strict=True):
            expected = [
                made
                for one in objects_of(row)
                if one["shape"] in SAYABLE
                for made in yolo_rows_of(one, number_of[one["featureHash"]])
            ]
            lines = [[float(word) for word in line.split()] for line in text.splitlines()]
            assert len(lines) == len(expected)
            for line, wanted in zip(lines, expected, strict=True):
                assert line == pytest.approx(wanted, abs=1e-12)


def placed(row: Mapping[str, Any]) -> Iterator[tuple[int | None, Mapping[str, Any]]]:
    """Yield frame and object of each annotation of a row."""
    if row["data_type"] in ("audio", "plain_text"):
        yield from ((None, one) for one in row["object_answers"].values())
        return
    (unit,) = row["data_units"].values()
    frames = {"0": unit["labels"]} if row["data_type"] == "image" else unit["labels"]
    for frame, labels in frames.items():
        yield from ((int(frame), one) for one in labels["objects"])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_parquet_table_has_every_annotation_of_every_kind_of_file(seed: int) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    for batch, rows in batches(seed):
        stream = BytesIO()
        with ParquetWriter(stream, batch.ontology, STORAGE_URL) as writer:
            writer.add(batch.annotations, batch.units)
        table = parquet.read_table(stream).to_pylist()
        expected = [(i, *found) for i, row in enumerate(rows) for found in placed(row)]
        keys = [batch.units.key[i] for i, _, _ in expected]
        assert [line["key"] for line in table] == keys
        for line, (_, frame, one) in zip(table, expected, strict=True):
            assert (line["frame"], line["line"]) == (frame, None)
            for name, key in (
                ("object_hash", "objectHash"),
                ("feature_hash", "featureHash"),
                ("name", "name"),
                ("shape", "shape"),
            ):
                assert line[name] == one[key]
            box = one.get("boundingBox") or one.get("rotatableBoundingBox") or {}
            edges = [box.get(key) for key in ("x", "y", "w", "h", "theta")]
            assert [line[n] for n in ("left", "top", "width", "height", "theta")] == edges
            assert line["vertices"] == (one["polygons"][0][0] if "polygons" in one else None)
            assert line["parts"] == (one["polygons"] if has_parts(one) else None)
