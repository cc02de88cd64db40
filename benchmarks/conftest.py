"""How many files the benchmarks work on, and data sets on disk, made once for all of them.

Measured (`--benchmark-enable`) the size is `--bench-files`, 20,000 by default. As plain tests they
run on a few files: that is for finding out whether they still work.

Data sets are made in pytest's temporary folder, or kept in the folder that the environment variable
LABELINGEST_BENCH_DIR names, for the next run.
"""

import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.data_sets import data_set as on_disk
from labelingest.bench.synthetic.data_set import Generated

_MEASURED = 20_000
_TRIED = 200


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--bench-files",
        type=int,
        default=None,
        metavar="N",
        help=f"Files of the benchmarks' data sets (default {_MEASURED} when measured, else {_TRIED}).",
    )


@pytest.fixture(scope="session")
def bench_files(pytestconfig: pytest.Config) -> int:
    """Return how many files a data set has."""
    option: int | None = pytestconfig.getoption("bench_files")
    measured = pytestconfig.getoption("benchmark_enable") or not pytestconfig.getoption(
        "benchmark_disable"
    )
    return option or (_MEASURED if measured else _TRIED)


@pytest.fixture(scope="session")
def data_set(
    bench_files: int, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, float], Generated]:
    """Return a function from kind and part of defects to a data set on disk."""
    cache_folder = os.environ.get("LABELINGEST_BENCH_DIR")
    folder = Path(cache_folder).absolute() if cache_folder else tmp_path_factory.mktemp("bench")

    @cache
    def make(kind: str, defects: float) -> Generated:
        return on_disk(folder, bench_files, kind, defects)

    return make
