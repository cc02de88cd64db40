"""Stage 4, class numbers to ontology objects, against a dictionary asked row by row."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.batches import batch
from labelingest.bench.synthetic.data_set import ontology
from labelingest.problems.of_batch import BatchProblems
from labelingest.resolution.class_map import make_class_map
from labelingest.resolution.ontology_json import load_ontology
from labelingest.resolution.resolve import resolve

LOOK_UP = "resolution: class numbers to objects, boxes"


def features_one_by_one(numbers: list[int], feature_of: dict[int, int]) -> list[int]:
    return [feature_of.get(number, -1) for number in numbers]


@pytest.mark.benchmark(group=LOOK_UP)
def test_resolve(benchmark: BenchmarkFixture) -> None:
    sample, labels = batch("boxes"), batch("boxes").read()
    resolved, feature = benchmark(resolve, labels, sample.class_map, sample.units, BatchProblems())
    assert resolved is labels
    # Object i of the generated ontology has class number i.
    assert feature.tolist() == labels.class_number.tolist()


@pytest.mark.benchmark(group=LOOK_UP)
def test_resolve_with_unknown_classes(benchmark: BenchmarkFixture) -> None:
    sample = batch("boxes", 0.01)
    labels = sample.read()

    def resolve_and_explain() -> BatchProblems:
        problems = BatchProblems()
        resolve(labels, sample.class_map, sample.units, problems)
        return problems

    rejected = benchmark(resolve_and_explain).rejected
    assert rejected == {"unknown-class": sample.files.defects["unknown-class"]}


@pytest.mark.benchmark(group=LOOK_UP)
def test_rival_a_dictionary(benchmark: BenchmarkFixture) -> None:
    numbers = batch("boxes").read().class_number.tolist()
    features = benchmark(features_one_by_one, numbers, {number: number for number in range(80)})
    assert features == numbers


@pytest.mark.benchmark(group="resolution: an ontology of 80 objects, once a run")
def test_load_ontology_and_make_class_map(benchmark: BenchmarkFixture) -> None:
    structure = ontology("mixed")
    mapping = benchmark(lambda: make_class_map(load_ontology(structure)))
    assert len(mapping.class_map) == len(structure["objects"])
