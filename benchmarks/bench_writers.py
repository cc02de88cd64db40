"""Stage 7, annotations to label rows, against orjson.dumps of plain dictionaries.

The first rival gets the dictionaries ready-made: it shows what dumping alone costs. The second makes
them from the columns, as an obvious writer does; object hashes, the dear part, are given to both.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import orjson
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.batches import KINDS, STORAGE_URL, Batch, batch
from labelingest.model.annotations import Annotations
from labelingest.writers.encord_json import WriterOptions, write
from labelingest.writers.ids import object_hashes
from tests.oracles.label_rows import Labelled, label_row

OPTIONS = WriterOptions(STORAGE_URL)


def dump_all(label_rows: list[dict[str, Any]]) -> list[bytes]:
    return [orjson.dumps(row) for row in label_rows]


def build_and_dump(one: Batch, annotations: Annotations, hashes: list[str]) -> list[bytes]:
    objects = one.structure["objects"]
    begin = annotations.offsets.tolist()
    numbers = annotations.coordinates.tolist()
    features = annotations.feature.tolist()
    drawn = [None if c != c else c for c in annotations.confidence.tolist()]
    bounds = np.searchsorted(annotations.unit, np.arange(len(one.units) + 1)).tolist()
    sizes = zip(one.units.width.tolist(), one.units.height.tolist(), strict=True)
    return [
        orjson.dumps(
            label_row(
                key,
                [
                    Labelled(
                        objects[features[i]], numbers[begin[i] : begin[i + 1]], drawn[i], hashes[i]
                    )
                    for i in range(first, last)
                ],
                storage_url=STORAGE_URL,
                ontology_identity=one.ontology.identity,
                mtime_ns=mtime_ns,
                size=size,
            )
        )
        for key, (first, last), size, mtime_ns in zip(
            one.units.key, pairwise(bounds), sizes, one.units.mtime_ns.tolist(), strict=True
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
    def written(self, kind: str, annotations: Annotations) -> list[bytes]:
        return write(annotations, batch(kind).units, batch(kind).ontology, OPTIONS)

    def test_write(self, benchmark: BenchmarkFixture, kind: str, annotations: Annotations) -> None:
        one = batch(kind)
        label_rows = benchmark(write, annotations, one.units, one.ontology, OPTIONS)
        found = sum(len(orjson.loads(row)["object_answers"]) for row in label_rows)
        assert (len(label_rows), found) == (len(one.units), one.files.rows)

    def test_rival_dictionaries_dumped(
        self, benchmark: BenchmarkFixture, written: list[bytes]
    ) -> None:
        assert benchmark(dump_all, [orjson.loads(row) for row in written]) == written

    def test_rival_dictionaries_made_and_dumped(
        self,
        benchmark: BenchmarkFixture,
        kind: str,
        annotations: Annotations,
        written: list[bytes],
    ) -> None:
        one = batch(kind)
        hashes = object_hashes(
            one.units.key, annotations.unit, annotations.line, annotations.content
        )
        assert benchmark(build_and_dump, one, annotations, hashes) == written
