"""Stage 7: annotations to label rows, YOLO, COCO and Parquet.

Label rows are measured against orjson.dumps of plain dictionaries. The first rival gets the
dictionaries ready-made: it shows what dumping alone costs. The second makes them from the columns,
as an obvious writer does; object hashes, the dear part, are given to both. The rival of COCO is the
first of these, that of YOLO a loop; Parquet has none.
"""

from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
import pytest
from msgspec.structs import replace
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.batches import KINDS, STORAGE_URL, Batch, batch
from labelingest.encord.identifiers import object_hashes
from labelingest.model.annotations import Annotations
from labelingest.model.ontology import Shape
from labelingest.writers import yolo
from labelingest.writers.coco import BETWEEN, HEAD, CocoWriter
from labelingest.writers.encord_json import write
from labelingest.writers.parquet import ParquetWriter
from labelingest.writers.target import TargetOptions, WriterOptions
from labelingest.writers.yolo import class_numbers
from tests.oracles.label_rows import Labelled, label_row
from tests.oracles.yolo_shapes import corners_of


def options_of(sample: Batch) -> TargetOptions:
    return TargetOptions(
        ontology=sample.ontology,
        writer=WriterOptions(STORAGE_URL),
        class_numbers=class_numbers(sample.class_map, sample.ontology.objects),
        yolo_confidence=True,
    )


def dump_all(label_rows: list[dict[str, Any]]) -> list[bytes]:
    return [orjson.dumps(row) for row in label_rows]


def build_and_dump(sample: Batch, annotations: Annotations, hashes: list[str]) -> list[bytes]:
    objects = sample.structure["objects"]
    begin = annotations.offsets.tolist()
    numbers = annotations.coordinates.tolist()
    features = annotations.feature.tolist()
    confidences = [None if c != c else c for c in annotations.confidence.tolist()]
    bounds = np.searchsorted(annotations.unit, np.arange(len(sample.units) + 1)).tolist()
    sizes = zip(sample.units.width.tolist(), sample.units.height.tolist(), strict=True)
    return [
        orjson.dumps(
            label_row(
                key,
                [
                    Labelled(
                        objects[features[i]],
                        numbers[begin[i] : begin[i + 1]],
                        confidences[i],
                        hashes[i],
                    )
                    for i in range(first, last)
                ],
                storage_url=STORAGE_URL,
                ontology_identity=sample.ontology.identity,
                mtime_ns=mtime_ns,
                size=size,
            )
        )
        for key, (first, last), size, mtime_ns in zip(
            sample.units.key, pairwise(bounds), sizes, sample.units.mtime_ns.tolist(), strict=True
        )
    ]


@pytest.mark.parametrize("kind", KINDS)
class TestWrite:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture, kind: str) -> None:
        benchmark.group = f"writers: label rows, {kind}"

    @pytest.fixture
    def annotations(self, kind: str) -> Annotations:
        return batch(kind).assembled().annotations

    @pytest.fixture
    def label_rows(self, kind: str, annotations: Annotations) -> list[bytes]:
        return list(write(annotations, batch(kind).units, options_of(batch(kind))).texts)

    def test_write(self, benchmark: BenchmarkFixture, kind: str, annotations: Annotations) -> None:
        sample = batch(kind)
        label_rows = benchmark(write, annotations, sample.units, options_of(sample)).texts
        annotation_count = sum(len(orjson.loads(row)["object_answers"]) for row in label_rows)
        assert (len(label_rows), annotation_count) == (len(sample.units), sample.files.rows)

    def test_write_with_names_that_json_escapes(
        self, benchmark: BenchmarkFixture, kind: str, annotations: Annotations
    ) -> None:
        sample = batch(kind)
        units = replace(sample.units, key=[f"ü {key}" for key in sample.units.key])
        label_rows = benchmark(write, annotations, units, options_of(sample)).texts
        assert len(label_rows) == len(units)

    def test_write_with_another_date_for_each_file(
        self, benchmark: BenchmarkFixture, kind: str, annotations: Annotations
    ) -> None:
        sample = batch(kind)
        hours = np.arange(len(sample.units), dtype=np.int64) * 3_600_000_000_000
        units = replace(sample.units, mtime_ns=hours)
        label_rows = benchmark(write, annotations, units, options_of(sample)).texts
        assert len({orjson.loads(row)["created_at"] for row in label_rows}) == len(units)

    def test_rival_dictionaries_dumped(
        self, benchmark: BenchmarkFixture, label_rows: list[bytes]
    ) -> None:
        assert benchmark(dump_all, [orjson.loads(row) for row in label_rows]) == label_rows

    def test_rival_dictionaries_made_and_dumped(
        self,
        benchmark: BenchmarkFixture,
        kind: str,
        annotations: Annotations,
        label_rows: list[bytes],
    ) -> None:
        sample = batch(kind)
        hashes = object_hashes(
            sample.units.key, annotations.unit, annotations.line, annotations.content
        )
        assert benchmark(build_and_dump, sample, annotations, hashes) == label_rows


def yolo_of_rows(sample: Batch, annotations: Annotations) -> list[bytes]:
    """Write YOLO as an obvious writer does: a row at a time, centres by adding."""
    begin, numbers = annotations.offsets.tolist(), annotations.coordinates.tolist()
    lines: list[list[str]] = [[] for _ in range(len(sample.units))]
    classes = class_numbers(sample.class_map, sample.ontology.objects).tolist()
    for i, (unit, feature) in enumerate(
        zip(annotations.unit.tolist(), annotations.feature.tolist(), strict=True)
    ):
        row = numbers[begin[i] : begin[i + 1]]
        shape = sample.ontology.objects[feature].shape
        if shape == Shape.BOUNDING_BOX:
            x, y, w, h = row
            row = [x + w / 2, y + h / 2, w, h]
        elif shape == Shape.ROTATABLE_BOUNDING_BOX:
            size = int(sample.units.width[unit]), int(sample.units.height[unit])
            corners = corners_of(row[:4], row[4], size)
            row = [c / s for corner in corners for c, s in zip(corner, size, strict=True)]
        lines[unit].append(" ".join(map(str, (classes[feature], *row))) + "\n")
    return ["".join(unit).encode() for unit in lines]


@pytest.mark.parametrize("kind", KINDS)
class TestWriteYolo:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture, kind: str) -> None:
        benchmark.group = f"writers: YOLO, {kind}"

    def test_write_yolo(self, benchmark: BenchmarkFixture, kind: str) -> None:
        sample, annotations = batch(kind), batch(kind).assembled().annotations
        options = options_of(sample)
        files = benchmark(yolo.write, annotations, sample.units, options)
        assert sum(text.count(b"\n") for text in files.texts) == sample.files.rows

    def test_rival_row_by_row(self, benchmark: BenchmarkFixture, kind: str) -> None:
        sample, annotations = batch(kind), batch(kind).assembled().annotations
        texts = benchmark(yolo_of_rows, sample, annotations)
        assert sum(text.count(b"\n") for text in texts) == sample.files.rows


@pytest.mark.parametrize("kind", KINDS)
class TestWriteCoco:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture, kind: str) -> None:
        benchmark.group = f"writers: COCO, {kind}"

    @staticmethod
    def write_document(sample: Batch, annotations: Annotations) -> bytes:
        writer = CocoWriter(sample.ontology, STORAGE_URL)
        chunk = writer.add(annotations, sample.units)
        return HEAD + chunk.images + BETWEEN + chunk.annotations + writer.tail()

    def test_write_coco(self, benchmark: BenchmarkFixture, kind: str) -> None:
        sample, annotations = batch(kind), batch(kind).assembled().annotations
        document = orjson.loads(benchmark(self.write_document, sample, annotations))
        counts = len(document["images"]), len(document["annotations"])
        assert counts == (len(sample.units), sample.files.rows)

    def test_rival_dictionaries_dumped(self, benchmark: BenchmarkFixture, kind: str) -> None:
        document = orjson.loads(
            self.write_document(batch(kind), batch(kind).assembled().annotations)
        )
        assert orjson.loads(benchmark(orjson.dumps, document)) == document


@pytest.mark.parametrize("kind", KINDS)
class TestWriteParquet:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture, kind: str) -> None:
        pytest.importorskip("pyarrow")
        benchmark.group = f"writers: Parquet, {kind}"

    @staticmethod
    def write_file(sample: Batch, annotations: Annotations) -> int:
        with ParquetWriter(BytesIO(), sample.ontology, STORAGE_URL) as writer:
            writer.add(annotations, sample.units)
        return writer.rows

    def test_write_parquet(self, benchmark: BenchmarkFixture, kind: str) -> None:
        sample, annotations = batch(kind), batch(kind).assembled().annotations
        assert benchmark(self.write_file, sample, annotations) == sample.files.rows
