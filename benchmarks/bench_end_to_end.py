"""A whole folder to label rows, against the floor: what reading and writing alone must cost.

Everything runs in this process, so that start-up (the last group) is not in the ratio: at 20,000
files it would be a third of the floor, at a million nothing. One round warms the cache up.
"""

import gc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import orjson
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.batches import KINDS
from benchmarks.floor import read_labels_write_once
from labelingest.bench.synthetic.data_set import Generated
from labelingest.config import IngestConfig
from labelingest.pipeline import check, convert
from labelingest.report import Report

DataSet = Callable[[str, float], Generated]
Made = TypeVar("Made")

BOXES = "end to end: boxes to JSON Lines"
SIDECARS = "end to end: boxes to one file each"
START = "end to end: start-up"
PATTERNS = {"images": ("images/{name}.jpg",), "labels": "labels/{name}.txt"}


def group_of(kind: str) -> str:
    return f"end to end: {kind} to JSON Lines"


def config_of(generated: Generated, **options: object) -> IngestConfig:
    values = {"storage_path": generated.root, "ontology": str(generated.ontology), **PATTERNS}
    return IngestConfig.model_validate({**values, "workers": 1, **options})


def timed(benchmark: BenchmarkFixture, work: Callable[[], Made], rounds: int = 3) -> Made:
    """Run work some times after a warm-up round, or once when nothing is measured."""
    gc.collect()
    result: Made = benchmark.pedantic(work, rounds=rounds, warmup_rounds=1)  # type: ignore[no-untyped-call]
    return result


def converted(benchmark: BenchmarkFixture, generated: Generated, **options: object) -> Report:
    """Convert a data set; return the last round's report."""
    config = config_of(generated, **options)
    benchmark.extra_info["files"], benchmark.extra_info["rows"] = generated.files, generated.rows
    return timed(benchmark, lambda: convert(config))


@pytest.mark.parametrize("kind", KINDS)
def test_convert(benchmark: BenchmarkFixture, data_set: DataSet, tmp_path: Path, kind: str) -> None:
    benchmark.group = group_of(kind)
    generated, out = data_set(kind, 0.0), tmp_path / "label_rows.jsonl"
    report = converted(benchmark, generated, out=str(out))
    assert report.balance()
    assert not report.errors
    assert (report.tally.label_rows, report.tally.annotations) == (generated.files, generated.rows)
    lines = out.read_bytes().splitlines()
    assert len(lines) == generated.files
    assert orjson.loads(lines[-1])["data_title"] == f"{generated.files - 1:06d}.jpg"


@pytest.mark.parametrize("kind", KINDS)
def test_convert_in_two_processes(
    benchmark: BenchmarkFixture, data_set: DataSet, tmp_path: Path, kind: str
) -> None:
    benchmark.group = group_of(kind)
    generated, out = data_set(kind, 0.0), tmp_path / "label_rows.jsonl"
    report = converted(benchmark, generated, out=str(out), workers=2)
    assert (report.tally.label_rows, report.tally.annotations) == (generated.files, generated.rows)


@pytest.mark.parametrize("kind", KINDS)
def test_floor(benchmark: BenchmarkFixture, data_set: DataSet, tmp_path: Path, kind: str) -> None:
    benchmark.group = group_of(kind)
    generated, out = data_set(kind, 0.0), tmp_path / "label_rows.jsonl"
    timed(benchmark, lambda: read_labels_write_once(generated.root, out))
    assert out.stat().st_size == generated.label_bytes


@pytest.mark.parametrize("kind", ["rotated", "mixed"])
def test_floor_with_image_headers(
    benchmark: BenchmarkFixture, data_set: DataSet, tmp_path: Path, kind: str
) -> None:
    benchmark.group = group_of(kind)
    generated, out = data_set(kind, 0.0), tmp_path / "label_rows.jsonl"
    timed(benchmark, lambda: read_labels_write_once(generated.root, out, heads=True))
    assert out.stat().st_size == generated.label_bytes


@pytest.mark.parametrize("kind", ["boxes", "polygons"])
def test_convert_with_bad_rows(
    benchmark: BenchmarkFixture, data_set: DataSet, tmp_path: Path, kind: str
) -> None:
    benchmark.group = group_of(kind)
    generated = data_set(kind, 0.01)
    report = converted(benchmark, generated, out=str(tmp_path / "label_rows.jsonl"))
    assert report.tally.rejected == generated.defects
    assert report.tally.annotations == generated.rows - sum(generated.defects.values())


@pytest.mark.benchmark(group=BOXES)
def test_convert_with_all_image_sizes(
    benchmark: BenchmarkFixture, data_set: DataSet, tmp_path: Path
) -> None:
    generated, out = data_set("boxes", 0.0), tmp_path / "label_rows.jsonl"
    converted(benchmark, generated, out=str(out), image_sizes="all")
    [unit] = orjson.loads(out.read_bytes().splitlines()[0])["data_units"].values()
    assert (unit["width"], unit["height"]) == (320, 480)


@pytest.mark.benchmark(group=BOXES)
def test_check(benchmark: BenchmarkFixture, data_set: DataSet) -> None:
    generated = data_set("boxes", 0.0)
    config = config_of(generated)
    assert timed(benchmark, lambda: check(config)).tally.annotations == generated.rows


@pytest.mark.benchmark(group=SIDECARS)
def test_convert_to_sidecars(
    benchmark: BenchmarkFixture, data_set: DataSet, tmp_path: Path
) -> None:
    generated, out = data_set("boxes", 0.0), tmp_path / "label_rows"
    report = converted(benchmark, generated, out=str(out))
    assert report.tally.label_rows == generated.files
    assert len(list(out.rglob("*.jpg.encord.json"))) == generated.files


@pytest.mark.benchmark(group=SIDECARS)
def test_floor_one_file_each(
    benchmark: BenchmarkFixture, data_set: DataSet, tmp_path: Path
) -> None:
    generated = data_set("boxes", 0.0)
    # As many bytes for each file as a label row of 7.3 boxes has.
    content = bytes(4_000)
    rounds = iter(range(100))

    def write_all() -> None:
        folder = tmp_path / str(next(rounds))
        folder.mkdir()
        for i in range(generated.files):
            (folder / f"{i:06d}.jpg.encord.json").write_bytes(content)

    timed(benchmark, write_all)
    assert len(list((tmp_path / "0").iterdir())) == generated.files


def run_python(*arguments: str) -> str:
    process = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True
    )
    return process.stdout


@pytest.mark.benchmark(group=START)
def test_help(benchmark: BenchmarkFixture) -> None:
    help_text = timed(benchmark, lambda: run_python("-m", "labelingest", "--help"), rounds=5)
    assert "convert" in help_text


@pytest.mark.benchmark(group=START)
def test_import(benchmark: BenchmarkFixture) -> None:
    code = "import labelingest; print(labelingest.__name__)"
    assert timed(benchmark, lambda: run_python("-c", code), rounds=5) == "labelingest\n"


@pytest.mark.benchmark(group=START)
def test_import_and_use(benchmark: BenchmarkFixture) -> None:
    # Names are loaded when they are first used.
    code = "from labelingest import convert; print(convert.__name__)"
    assert timed(benchmark, lambda: run_python("-c", code), rounds=5) == "convert\n"


@pytest.mark.benchmark(group=START)
def test_floor_python_and_numpy(benchmark: BenchmarkFixture) -> None:
    code = "import numpy, orjson; print(numpy.__name__)"
    assert timed(benchmark, lambda: run_python("-c", code), rounds=5) == "numpy\n"
