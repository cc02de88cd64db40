"""Stage 3, bytes of sidecars to columns, against a plain loop with split() and float()."""

from collections.abc import Sequence

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.batches import KINDS, batch
from labelingest.problems.of_batch import BatchProblems
from labelingest.readers.yolo.layouts import YoloOptions
from labelingest.readers.yolo.numbers import numbers_from_tokens
from labelingest.readers.yolo.read import read
from labelingest.readers.yolo.tokens import rows_of

Row = tuple[int, list[float]]


def split_all(contents: Sequence[bytes]) -> list[list[list[bytes]]]:
    return [[line.split() for line in content.splitlines()] for content in contents]


def floats_of(tokens: Sequence[bytes]) -> list[float]:
    return [float(token) for token in tokens]


def read_by_rows(contents: Sequence[bytes]) -> list[list[Row]]:
    """What nearly every other reader does: an object for each row."""
    return [
        [(int(line[0]), [float(token) for token in line[1:]]) for line in file]
        for file in split_all(contents)
    ]


def tokens_of(contents: Sequence[bytes]) -> list[bytes]:
    return b"".join(contents).split()


@pytest.mark.parametrize("kind", KINDS)
class TestTokens:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture, kind: str) -> None:
        benchmark.group = f"readers: tokens, {kind}"

    def test_rows_of(self, benchmark: BenchmarkFixture, kind: str) -> None:
        rows, tokens = benchmark(rows_of, batch(kind).blobs)
        assert len(rows.line) == batch(kind).files.rows
        assert len(tokens.start) == len(tokens_of(batch(kind).files.contents))

    def test_rival_split(self, benchmark: BenchmarkFixture, kind: str) -> None:
        lines = benchmark(split_all, batch(kind).files.contents)
        assert sum(map(len, lines)) == batch(kind).files.rows


@pytest.mark.parametrize("kind", KINDS)
class TestNumbers:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture, kind: str) -> None:
        benchmark.group = f"readers: numbers, {kind}"

    def test_numbers_from_tokens(self, benchmark: BenchmarkFixture, kind: str) -> None:
        _, tokens = rows_of(batch(kind).blobs)
        numbers = benchmark(numbers_from_tokens, batch(kind).blobs.buffer, tokens)
        # Bit for bit what float() says.
        assert numbers.tolist() == floats_of(tokens_of(batch(kind).files.contents))

    def test_rival_float(self, benchmark: BenchmarkFixture, kind: str) -> None:
        tokens = tokens_of(batch(kind).files.contents)
        assert len(benchmark(floats_of, tokens)) == len(tokens)

    def test_rival_numpy_fromstring(self, benchmark: BenchmarkFixture, kind: str) -> None:
        # Finds tokens and numbers at once, but no rows, and stops in silence at what it cannot read.
        text = b"".join(batch(kind).files.contents).decode()
        numbers = benchmark(np.fromstring, text, sep=" ")
        assert len(numbers) == len(text.split())


@pytest.mark.parametrize("kind", KINDS)
class TestRead:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture, kind: str) -> None:
        benchmark.group = f"readers: read, {kind}"

    def test_read(self, benchmark: BenchmarkFixture, kind: str) -> None:
        sample = batch(kind)
        result = benchmark(read, sample.blobs, sample.units, YoloOptions(), BatchProblems())
        assert len(result.labels) == int(result.rows_seen.sum()) == sample.files.rows

    def test_read_with_bad_rows(self, benchmark: BenchmarkFixture, kind: str) -> None:
        sample = batch(kind, 0.01)

        def read_and_explain() -> BatchProblems:
            problems = BatchProblems()
            read(sample.blobs, sample.units, YoloOptions(), problems)
            return problems

        rejected = benchmark(read_and_explain).rejected
        for_a_reader = ("not-a-number", "not-finite", "too-few-columns", "bad-class-number")
        assert rejected == {code: sample.files.defects[code] for code in for_a_reader}

    def test_rival_a_loop_over_rows(self, benchmark: BenchmarkFixture, kind: str) -> None:
        files = benchmark(read_by_rows, batch(kind).files.contents)
        labels = batch(kind).read()
        assert [number for file in files for number, _ in file] == labels.class_number.tolist()


@pytest.mark.parametrize("kind", ["boxes", "rotated"])
def test_rival_numpy_loadtxt(benchmark: BenchmarkFixture, kind: str) -> None:
    # Reads tables only: rows of one length. Polygons are none.
    benchmark.group = f"readers: read, {kind}"
    contents = batch(kind).files.contents
    tables = benchmark(lambda: [np.loadtxt(c.splitlines(), ndmin=2) for c in contents])
    assert sum(map(len, tables)) == batch(kind).files.rows
