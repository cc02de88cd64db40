"""What was read from YOLO is written back as the same numbers; on made-up and on real data.

Real data is looked for as in `tests/integration/test_real_data.py`.
"""

import os
from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import pairwise
from math import dist
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from labelingest.converter import LabelFile
from labelingest.geometry.boxes import ltwh_from_cxcywh
from labelingest.geometry.centre_boxes import cxcywh_from_ltwh
from labelingest.media.image_size import image_size
from labelingest.model.ontology import Ontology
from labelingest.resolution.ontology_json import load_ontology
from labelingest.writers import coco, yolo
from labelingest.writers.number_text import plain_texts
from labelingest.writers.yolo import class_numbers
from tests.builders.annotations import Batch, from_yolo
from tests.builders.outputs import target_options
from tests.builders.yolo import SHAPES, STORAGE_URL, converter_for
from tests.oracles.yolo_shapes import corners_of

unhurried = settings(deadline=None)
DATA = Path(os.environ.get("LABELINGEST_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))

Numbers = tuple[float, ...]


def written(batch: Batch, **options: Any) -> list[bytes]:
    objects = batch.ontology.objects
    numbers = class_numbers(batch.class_map, objects)
    target = target_options(batch.ontology, class_numbers=numbers, **options)
    rows = yolo.representable(batch.annotations, batch.units, target, batch.findings)
    assert not batch.findings.rejected
    return list(yolo.write(rows, batch.units, target).texts)


def rows_of(content: bytes) -> list[Numbers]:
    """Return the numbers of all rows, without the last vertex of a ring that repeats the first."""
    return [_unclosed(tuple(map(float, line.split()))) for line in content.splitlines()]


def _unclosed(row: Numbers) -> Numbers:
    # Seven columns are the least that a ring has; one column more is a confidence.
    end = len(row) - 1 + len(row) % 2
    closed = len(row) >= 7 and row[1:3] == row[end - 2 : end]
    return row[: end - 2] + row[end:] if closed else row


@st.composite
def lengths_inside(draw: st.DrawFn, digits: int) -> tuple[str, str]:
    """Draw centre and width, decimals of so many digits, of a box that is inside the image."""
    one = 10**digits
    width = draw(st.integers(1, one))
    centre = draw(st.integers((width + 1) // 2, one - (width + 1) // 2))
    return f"0.{centre:0{digits}d}", f"0.{width:0{digits}d}" if width < one else "1.0"


SEEDS = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@given(st.integers(1, 15).flatmap(lambda digits: st.lists(lengths_inside(digits), min_size=1)))
def test_a_box_inside_the_image_comes_back_with_the_same_numbers(
    drawn: list[tuple[str, str]],
) -> None:
    boxes = np.array([(*[float(c)] * 2, *[float(w)] * 2) for c, w in drawn])
    texts = plain_texts(cxcywh_from_ltwh(ltwh_from_cxcywh(boxes)).reshape(-1))
    assert [float(text) for text in texts] == boxes.reshape(-1).tolist()


@given(SEEDS, st.integers(1, 15))
def test_a_thousand_boxes_inside_the_image_come_back_with_the_same_numbers(
    random: np.random.Generator, digits: int
) -> None:
    one = 10**digits
    width = random.integers(1, one, (1000, 2), endpoint=True)
    centre = random.integers((width + 1) // 2, one - (width + 1) // 2, endpoint=True)
    # Both are doubles, so that the quotient is the one nearest to the decimal number.
    boxes = np.concatenate((centre, width), axis=1) / one
    assert (cxcywh_from_ltwh(ltwh_from_cxcywh(boxes)) == boxes).all()


@given(SEEDS, st.integers(1, 15), st.integers(-9, 0))
def test_fifteen_significant_digits_are_enough(
    random: np.random.Generator, digits: int, exponent: int
) -> None:
    drawn = random.uniform(0.1, 1, (200, 2)) * 10.0**exponent
    centre = np.array([float(f"{c:.{digits - 1}e}") for c in drawn.flat]).reshape(-1, 2)
    # Any width that leaves the box inside: the width's digits do not matter.
    width = random.uniform(0, 2, centre.shape) * np.minimum(centre, 1 - centre)
    inside = (centre - width / 2 >= 0).all(axis=1)
    boxes = np.concatenate((centre, width), axis=1)[inside]
    assert (cxcywh_from_ltwh(ltwh_from_cxcywh(boxes)) == boxes).all()


@given(SEEDS)
def test_whatever_the_centre_was_the_left_edge_comes_back(random: np.random.Generator) -> None:
    ltwh = ltwh_from_cxcywh(random.uniform(0, 1, (1000, 4)))
    assert (ltwh_from_cxcywh(cxcywh_from_ltwh(ltwh)) == ltwh).all()


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 4), min_size=1, max_size=8))
def test_the_left_edge_of_odd_boxes_comes_back_as_well(boxes: list[Numbers]) -> None:
    ltwh = ltwh_from_cxcywh(np.array(boxes))
    assert (ltwh_from_cxcywh(cxcywh_from_ltwh(ltwh)) == ltwh).all()


@given(st.lists(st.tuples(*[st.floats(-10, 10)] * 2, *[st.floats(0, 10)] * 2), max_size=8))
def test_any_box_comes_back_nearly(boxes: list[Numbers]) -> None:
    ltwh = np.array(boxes).reshape(-1, 4)
    back = ltwh_from_cxcywh(cxcywh_from_ltwh(ltwh))
    assert np.abs(back - ltwh).max(initial=0) <= 2e-15


FINE = st.integers(0, 10**6).map(lambda n: f"{n / 10**6:.6f}")
COORDINATES = st.one_of(
    FINE, st.floats(0, 1).map(repr), st.integers(0, 10).map(lambda n: f"{n / 10}")
)


@st.composite
def rows(draw: st.DrawFn) -> str:
    """Draw a box or a polygon, some with a confidence."""
    tail = draw(st.sampled_from(["", "", " 0.5", " 1.0", " 0.123456"]))
    if draw(st.booleans()):
        x, y = (draw(lengths_inside(draw(st.sampled_from([3, 6, 12])))) for _ in "xy")
        return f"0 {x[0]} {y[0]} {x[1]} {y[1]}{tail}"
    ring = draw(st.lists(COORDINATES, min_size=6, max_size=24).filter(lambda r: len(r) % 2 == 0))
    ring += ring[:2] if draw(st.booleans()) else []
    return f"1 {' '.join(ring)}{tail}"


FILES = st.lists(st.lists(rows(), max_size=6), min_size=1, max_size=4).map(
    lambda files: ["".join(f"{row}\n" for row in file).encode() for file in files]
)


CLOSED_TWICE = b"1 0 0.000001 0.000001 0 0 0 0 0 0 0.000001 0 0.000001\n"
"""One repetition is dropped on reading, one belongs to the ring."""


@unhurried
@given(FILES)
@example([CLOSED_TWICE])
def test_boxes_and_polygons_come_back_with_the_same_numbers(contents: list[bytes]) -> None:
    batch = from_yolo(contents, [None] * len(contents))
    assume(not batch.findings.rejected)
    again = written(batch)
    assert [rows_of(text) for text in again] == [rows_of(content) for content in contents]


@unhurried
@given(FILES)
@example([CLOSED_TWICE])
def test_what_is_written_makes_the_same_label_rows_again(contents: list[bytes]) -> None:
    batch = from_yolo(contents, [None] * len(contents))
    assume(not batch.findings.rejected)
    converter = converter_for()
    rows = [
        [_without_hashes(row) for row in converter.convert(_files(texts)).as_dicts()]
        for texts in (contents, written(batch))
    ]
    assert rows[0] == rows[1]


def _files(contents: Sequence[bytes]) -> list[LabelFile]:
    return [LabelFile(f"{i}.jpg", content) for i, content in enumerate(contents)]


def _without_hashes(label_row: dict[str, Any] | None) -> Any:
    """Return the objects; their hashes tell a ring that was closed from one that was not."""
    assert label_row is not None
    (unit,) = label_row["data_units"].values()
    return [
        {name: value for name, value in one.items() if name != "objectHash"}
        for one in unit["labels"]["objects"]
    ]


@st.composite
def rectangles(draw: st.DrawFn) -> tuple[list[tuple[float, float]], tuple[int, int]]:
    """Draw the corners of a turned rectangle, as fractions of an image, and the image's size.

    No corner lies more than one side of the image outside: such rows are rejected.
    """
    size = draw(st.sampled_from([(640, 480), (1000, 1000), (33, 512)]))
    ltwh = [draw(st.floats(0.1, 0.6)) for _ in "xy"] + [draw(st.floats(0.05, 0.4)) for _ in "wh"]
    theta = draw(st.one_of(st.sampled_from([0.0, 45.0, 90.0, 180.0, 270.0]), st.floats(0, 360)))
    corners = corners_of(ltwh, theta, size)
    fractions = [(x / size[0], y / size[1]) for x, y in corners]
    assume(all(-1 < number < 2 for corner in fractions for number in corner))
    return fractions, size


@unhurried
@given(rectangles())
def test_rotated_boxes_come_back_with_the_same_corners_in_the_same_order(
    drawn: tuple[list[tuple[float, float]], tuple[int, int]],
) -> None:
    corners, size = drawn
    row = f"2 {' '.join(repr(number) for corner in corners for number in corner)}\n"
    (text,) = written(from_yolo([row.encode()], [size]))
    (back,) = rows_of(text)
    assert back[0] == 2
    assert _apart_px(_corners(back), corners, size) < 1e-9 * max(size)
    # And once more, from what was written: nothing wanders off.
    (again,) = written(from_yolo([text], [size]))
    (twice,) = rows_of(again)
    assert _apart_px(_corners(twice), corners, size) < 1e-9 * max(size)


def _corners(row: Numbers) -> list[tuple[float, float]]:
    return list(zip(row[1::2], row[2::2], strict=True))


def _apart_px(
    some: Sequence[tuple[float, float]],
    others: Sequence[tuple[float, float]],
    size: tuple[int, int],
) -> float:
    """Return the largest distance between corners, in pixels."""
    return max(
        dist((a[0] * size[0], a[1] * size[1]), (b[0] * size[0], b[1] * size[1]))
        for a, b in zip(some, others, strict=True)
    )


@unhurried
@given(FILES, st.integers(1, 4))
def test_a_coco_document_is_the_same_however_it_is_cut(contents: list[bytes], cut: int) -> None:
    batch = from_yolo(contents, [(640, 480)] * len(contents))
    documents = []
    for step in (len(contents), cut):
        writer, images, annotations = coco.CocoWriter(batch.ontology, STORAGE_URL), b"", b""
        for begin in range(0, len(contents), step):
            part = from_yolo(contents[begin : begin + step], [(640, 480)] * len(contents))
            units = part.units
            keys = [f"{begin + i}.jpg" for i in range(len(contents[begin : begin + step]))]
            size = np.full(len(keys), 640, np.int32), np.full(len(keys), 480, np.int32)
            units = type(units)(keys, keys, *size, np.zeros(len(keys), np.int64))
            chunk = writer.add(part.annotations, units)
            images, annotations = images + chunk.images, annotations + chunk.annotations
        documents.append(coco.HEAD + images + coco.BETWEEN + annotations + writer.tail())
    assert documents[0] == documents[1]
    assert len(orjson.loads(documents[0])["annotations"]) == len(batch.annotations)


class Folder:
    """A real folder of labels: its files, the sizes of its images, and its ontology."""

    def __init__(self, labels: str, images: str) -> None:
        if not (DATA / labels).is_dir():
            pytest.skip(f"no {labels} in {DATA}: set LABELINGEST_REAL_DATA to try real data")
        root = DATA / labels / "labels"
        paths = [p for p in sorted(root.rglob("*.txt")) if self._image(root, images, p).is_file()]
        self.contents = [path.read_bytes() for path in paths]
        self.sizes = [image_size(self._image(root, images, path).read_bytes()) for path in paths]
        self.structure: Mapping[str, Any] = orjson.loads(
            (DATA / labels / "ontology.json").read_bytes()
        )

    @staticmethod
    def _image(root: Path, images: str, label: Path) -> Path:
        return DATA / images / label.relative_to(root).with_suffix(".jpg")

    def batch(self, **options: Any) -> Batch:
        ontology: Ontology = load_ontology(self.structure)
        return from_yolo(self.contents, self.sizes, ontology, **options)


@pytest.mark.parametrize("task", ["object_detection", "instance_segmentation"])
def test_real_boxes_and_polygons_come_back_with_the_same_numbers(task: str) -> None:
    folder = Folder(f"coco128/{task}", "coco128/images")
    again = written(folder.batch())
    assert [rows_of(text) for text in again] == [rows_of(text) for text in folder.contents]


def test_real_corners_come_back_as_the_same_rectangles() -> None:
    folder = Folder("dota8", "dota8/images")
    first = folder.batch()
    texts = written(first)
    second = from_yolo(texts, folder.sizes, first.ontology)
    assert not second.findings.rejected
    assert len(first.annotations) == len(second.annotations) > 0
    for unit, (begin, end) in enumerate(
        pairwise(np.searchsorted(first.annotations.unit, np.arange(len(texts) + 1)).tolist())
    ):
        size = folder.sizes[unit]
        assert size is not None
        made = first.annotations.coordinates.reshape(-1, 5)[begin:end].tolist()
        for row, (*ltwh, theta) in zip(rows_of(texts[unit]), made, strict=True):
            expected = corners_of(ltwh, theta, size)
            corners = [(x * size[0], y * size[1]) for x, y in _corners(row)]
            assert max(dist(a, b) for a, b in zip(corners, expected, strict=True)) < 1e-9
        again = rows_of(written(second)[unit])
        for row, twice in zip(rows_of(texts[unit]), again, strict=True):
            assert _apart_px(_corners(row), _corners(twice), size) < 1e-6


def test_a_parquet_table_has_the_numbers_of_the_label_rows() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    from labelingest.writers.parquet import ParquetWriter

    contents = [b"0 0.5 0.5 0.25 0.5 0.75\n1 0 0 1 0 0.5 1\n", b"", b"2 0.5 0.5 0.25 0.5\n"]
    batch = from_yolo(contents, [(640, 480)] * 3)
    stream = BytesIO()
    with ParquetWriter(stream, batch.ontology, STORAGE_URL) as writer:
        writer.add(batch.annotations, batch.units)
    rows = parquet.read_table(stream).to_pylist()
    files = [LabelFile(f"images/{i}.jpg", content) for i, content in enumerate(contents)]
    made = [
        one
        for label_row in converter_for().convert(files).as_dicts()
        if label_row is not None
        for unit in label_row["data_units"].values()
        for one in unit["labels"]["objects"]
    ]
    assert [row["object_hash"] for row in rows] == [one["objectHash"] for one in made]
    assert [row["shape"] for row in rows] == list(SHAPES.values())
    assert [row["manual"] for row in rows] == [one["manualAnnotation"] for one in made]
    assert rows[0]["left"] == made[0]["boundingBox"]["x"]
    assert rows[1]["vertices"] == made[1]["polygons"][0][0]
    assert rows[2]["theta"] == made[2]["rotatableBoundingBox"]["theta"]
