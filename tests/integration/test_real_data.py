"""Real folders, from listing to label rows: every row accounted for, geometry as the oracle's.

The folders are not part of the repository. They are looked for where the environment variable
LABELINGEST_REAL_DATA points, else in `shared/data` beside the repository; without them the tests
are skipped.
"""

import json
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image, ImageOps

from labelingest.config import IngestConfig
from labelingest.model.pairs import Outcome
from labelingest.pipeline import convert
from labelingest.report import Report
from tests.oracles.client import load
from tests.oracles.judge import disagreement, objects_of
from tests.oracles.yolo import Reading, expected
from tests.oracles.yolo_shapes import Vertex, corners_of

REPOSITORY = Path(__file__).parents[2]
DATA = Path(os.environ.get("LABELINGEST_REAL_DATA", REPOSITORY.parent / "shared" / "data"))


class Source(NamedTuple):
    """A folder of labels with the folder of its images."""

    labels: str
    images: str


SOURCES = {
    "object_detection": Source("coco128/object_detection", "coco128/images"),
    "instance_segmentation": Source("coco128/instance_segmentation", "coco128/images"),
    "dota8": Source("dota8", "dota8/images"),
}


class Run(NamedTuple):
    report: Report
    lines: list[bytes]


@pytest.fixture(params=sorted(SOURCES))
def source(request: pytest.FixtureRequest) -> Source:
    found = SOURCES[request.param]
    if not (DATA / found.labels).is_dir():
        pytest.skip(f"no {found.labels} in {DATA}: set LABELINGEST_REAL_DATA to try real data")
    return found


@pytest.fixture
def folder(source: Source, tmp_path: Path) -> Path:
    """Put images and labels side by side: the link between them may not survive a checkout."""
    root = tmp_path / "data"
    root.mkdir()
    (root / "images").symlink_to(DATA / source.images, target_is_directory=True)
    (root / "labels").symlink_to(DATA / source.labels / "labels", target_is_directory=True)
    return root


def _run(folder: Path, source: Source, out: str = "label_rows.jsonl", **options: Any) -> Run:
    path = folder.parent / out
    values = {
        "storage_path": str(folder),
        "ontology": str(DATA / source.labels / "ontology.json"),
        "out": str(path),
        **options,
    }
    report = convert(IngestConfig(**values))
    return Run(report, path.read_bytes().splitlines())


@cache
def _ontology(source: Source) -> Mapping[str, Any]:
    structure: dict[str, Any] = json.loads((DATA / source.labels / "ontology.json").read_bytes())
    return structure


def _shape_of(source: Source) -> dict[int, str]:
    return {
        int(number): one["shape"]
        for one in _ontology(source)["objects"]
        for number in _as_list(one["externalIds"]["YOLO"])
    }


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        turned = ImageOps.exif_transpose(image)
        return turned.width, turned.height


@cache
def _readings(source: Source) -> Mapping[str, tuple[Reading, tuple[int, int]]]:
    """Return what the oracle says of each labelled image, by its name, and the image's size."""
    shape_of, found = _shape_of(source), {}
    for name in _names(source, "images") & _names(source, "labels"):
        sidecar = DATA / source.labels / "labels" / f"{name}.txt"
        image = DATA / source.images / f"{name}.jpg"
        size = _size(image)
        found[image.name] = expected(sidecar.read_bytes(), shape_of, size=size), size
    return found


def _names(source: Source, folder: str) -> set[str]:
    """Return the names that pair images and labels: paths without extension."""
    root = DATA / (source.images if folder == "images" else f"{source.labels}/labels")
    return {
        path.relative_to(root).with_suffix("").as_posix()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_every_file_and_every_row_is_accounted_for(folder: Path, source: Source) -> None:
    run = _run(folder, source)
    readings = [reading for reading, _ in _readings(source).values()]
    tally = run.report.tally
    assert run.report.balance()
    images, sidecars = _names(source, "images"), _names(source, "labels")
    keys = run.report.keys
    assert keys[Outcome.PAIRED] == keys[Outcome.SIDECAR] == len(images & sidecars) == len(run.lines)
    assert keys[Outcome.UNLABELLED] == len(images - sidecars)
    assert keys[Outcome.ORPHAN_SIDECAR] == len(sidecars - images)
    assert sum(keys.values()) == len(images) + len(sidecars)
    assert tally.rows_seen == sum(reading.rows_seen for reading in readings)
    assert tally.annotations == sum(len(reading.annotations) for reading in readings)
    # Every sidecar that pairs is paired; an orphan is the only error in this data.
    assert run.report.errors == len(sidecars - images)


def test_geometry_is_the_oracles(folder: Path, source: Source) -> None:
    readings = _readings(source)
    feature_hashes = {
        int(number): one["featureNodeHash"]
        for one in _ontology(source)["objects"]
        for number in _as_list(one["externalIds"]["YOLO"])
    }
    for line in _run(folder, source).lines:
        label_row = json.loads(line)
        reading, size = readings[label_row["data_title"]]
        objects = objects_of(label_row)
        assert len(objects) == len(reading.annotations)
        for made, wanted in zip(objects, reading.annotations, strict=True):
            assert made["featureHash"] == feature_hashes[wanted.class_number]
            assert not disagreement(made, wanted, size, tolerance=1e-9)


def test_problems_and_counts_are_the_oracles(folder: Path, source: Source) -> None:
    run = _run(folder, source)
    tally = run.report.tally
    readings = [reading for reading, _ in _readings(source).values()]
    codes = [found.code for reading in readings for found in reading.problems]
    codes += ["orphan-sidecar"] * len(_names(source, "labels") - _names(source, "images"))
    assert sorted(
        code.value for code, n in run.report.log.totals.items() for _ in range(n)
    ) == sorted(codes)
    assert tally.converted == sum((reading.converted for reading in readings), Counter())
    assert tally.adjusted == sum((reading.adjusted for reading in readings), Counter())
    refitted = sorted(missed for reading in readings for missed in reading.refitted)
    assert tally.refitted.steps.total() == len(refitted)
    if refitted:
        assert tally.refitted.largest == pytest.approx(refitted[-1], rel=1e-9)
        middle = refitted[(len(refitted) - 1) // 2]
        assert tally.refitted.median() == pytest.approx(middle, rel=0.003)


def test_every_label_row_loads_in_the_official_client(folder: Path, source: Source) -> None:
    for line in _run(folder, source, image_sizes="all").lines:
        label_row = json.loads(line)
        loaded = load(label_row, _ontology(source))
        made = {one["objectHash"]: one["featureHash"] for one in objects_of(label_row)}
        assert {one.object_hash: one.feature_hash for one in loaded.get_object_instances()} == made
        _, size = _readings(source)[label_row["data_title"]]
        assert (loaded.width, loaded.height) == size


def test_two_runs_and_all_batch_sizes_give_the_same_bytes(folder: Path, source: Source) -> None:
    first = _run(folder, source)
    again = _run(folder, source, "again.jsonl")
    assert again.lines == first.lines
    for batch_bytes in (1, 5_000, 400_000):
        run = _run(folder, source, f"{batch_bytes}.jsonl", batch_bytes=batch_bytes)
        assert run.lines == first.lines
        assert run.report.tally == first.report.tally
        assert run.report.log.first == first.report.log.first


def test_label_rows_are_ordered_by_key(folder: Path, source: Source) -> None:
    links = [
        next(iter(json.loads(line)["data_units"].values()))["data_link"]
        for line in _run(folder, source).lines
    ]
    assert links == sorted(links)


def _to_sidecars(folder: Path, source: Source, name: str) -> Path:
    """Convert a folder to sidecars, put its images beside them, and return the folder of both."""
    made = folder.parent / name
    _convert(folder, source, made, image_sizes="all")
    for sidecar in made.rglob("*.encord.json"):
        key = sidecar.relative_to(made).as_posix().removesuffix(".encord.json")
        (made / key).symlink_to((folder / key).resolve())
    return made


def _to_yolo(folder: Path, source: Source, name: str) -> Path:
    """Convert a folder of sidecars to label files, and put its images beside them."""
    made = folder.parent / name
    report = _convert(folder, source, made, to="yolo")
    assert not report.errors
    assert report.tally.annotations == report.tally.rows_seen
    (made / "images").symlink_to(DATA / source.images, target_is_directory=True)
    return made


def _convert(folder: Path, source: Source, out: Path, **options: Any) -> Report:
    ontology = DATA / source.labels / "ontology.json"
    return convert(IngestConfig(storage_path=folder, ontology=ontology, out=out, **options))


def _label_files(folder: Path) -> dict[str, list[list[float]]]:
    """Return name → the numbers of each row of a label file."""
    return {
        path.stem: [[float(n) for n in line.split()] for line in path.read_bytes().splitlines()]
        for path in (folder / "labels").rglob("*.txt")
    }


def test_yolo_to_encord_to_yolo_gives_the_same_numbers(folder: Path, source: Source) -> None:
    if source.labels == "dota8":
        pytest.skip("corners that are no rectangle become one: compared as sets of corners")
    back = _label_files(_to_yolo(_to_sidecars(folder, source, "sidecars"), source, "back"))
    written = _label_files(folder)
    assert len(back) == len(_names(source, "images") & _names(source, "labels"))
    for name, rows in back.items():
        assert rows == [_unclosed(row) for row in written[name]]


def _unclosed(row: list[float]) -> list[float]:
    """Return the row of a polygon without a last vertex that repeats the first."""
    return row[:-2] if len(row) > 5 and row[-2:] == row[1:3] else row


def test_corners_to_encord_and_back_are_the_same_sets(folder: Path, source: Source) -> None:
    if source.labels != "dota8":
        pytest.skip("has no corners")
    sidecars = _to_sidecars(folder, source, "sidecars")
    once = _to_yolo(sidecars, source, "once")
    twice = _to_yolo(_to_sidecars(once, source, "again"), source, "twice")
    first, second = _label_files(once), _label_files(twice)
    compared = 0
    for sidecar in sidecars.rglob("*.encord.json"):
        objects = objects_of(json.loads(sidecar.read_bytes()))
        name = sidecar.name.removesuffix(".jpg.encord.json")
        size = _size(DATA / source.images / sidecar.parent.name / f"{name}.jpg")
        for made, row, again in zip(objects, first[name], second[name], strict=True):
            box = made["rotatableBoundingBox"]
            wanted = corners_of([box[key] for key in "xywh"], box["theta"], size)
            found = [(x * size[0], y * size[1]) for x, y in zip(row[1::2], row[2::2], strict=True)]
            assert _apart(found, wanted) < 1e-9
            found = [
                (x * size[0], y * size[1]) for x, y in zip(again[1::2], again[2::2], strict=True)
            ]
            assert _apart(found, wanted) < 1e-6
            compared += 1
    assert compared == sum(map(len, first.values())) > 100


def _apart(one: Sequence[Vertex], other: Sequence[Vertex]) -> float:
    """Return how far, in pixels, a corner of one set is from the nearest of the other at most."""
    return max(min(math.dist(a, b) for b in other) for a in one)
