"""Stages 5 and 6, rows to annotations, against the oracle's scalar formula for boxes.

The other kinds have their rivals kernel by kernel in `bench_geometry`; here they show what all
kernels of a kind cost together.
"""

import numpy as np
import pytest
from msgspec.structs import replace
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.batches import KINDS, batch
from labelingest.assembly.assemble import assemble
from labelingest.assembly.context import AssemblyOptions
from labelingest.columns import ragged
from labelingest.problems.of_batch import BatchProblems
from tests.oracles.yolo_shapes import ltwh_of_box


def boxes_one_by_one(rows: list[list[float]]) -> list[float]:
    return [number for row in rows for number in ltwh_of_box(row, clipped=True)]


@pytest.mark.parametrize("kind", KINDS)
def test_assemble(benchmark: BenchmarkFixture, kind: str) -> None:
    benchmark.group = f"assembly: {kind}"
    sample = batch(kind)
    labels, feature = sample.resolved()
    assembly = benchmark(
        assemble,
        *(
            labels,
            feature,
            sample.ontology.objects,
            sample.units,
            AssemblyOptions(),
            BatchProblems(),
        ),
    )
    assert len(assembly.annotations) == sample.files.rows
    assert np.array_equal(assembly.annotations.line, labels.line)
    assert not assembly.converted


def test_rival_boxes_one_by_one(benchmark: BenchmarkFixture) -> None:
    benchmark.group = "assembly: boxes"
    sample = batch("boxes")
    labels = sample.read()
    rows = labels.values[labels.begin[:, np.newaxis] + np.arange(4)].tolist()
    assert benchmark(boxes_one_by_one, rows) == sample.assembled().annotations.coordinates.tolist()


@pytest.mark.parametrize("kind", ["boxes", "polygons"])
def test_assemble_pixels(benchmark: BenchmarkFixture, kind: str) -> None:
    """Rows in pixels cost one division for each number more than rows in fractions."""
    benchmark.group = f"assembly: {kind}"
    sample = batch(kind)
    labels, feature = sample.resolved()
    sides = np.stack((sample.units.width[labels.unit], sample.units.height[labels.unit]), axis=1)
    values = labels.values.copy()
    positions = ragged.gather(labels.begin, labels.count)
    values[positions] *= np.repeat(sides, labels.count // 2, axis=0).reshape(-1)
    in_pixels = replace(labels, values=values, is_in_pixels=True)
    assembly = benchmark(
        assemble,
        *(
            in_pixels,
            feature,
            sample.ontology.objects,
            sample.units,
            AssemblyOptions(),
            BatchProblems(),
        ),
    )
    assert len(assembly.annotations) == sample.files.rows
