"""How many files the benchmarks work on, and data sets on disk, made once for all of them.

Measured (`--benchmark-enable`) the size is `--bench-files`, 20,000 by default. As plain tests they
run on a few files: that is for finding out whether they still work.

Data sets are made in pytest's temporary folder, or kept in the folder that the environment variable
LABELINGEST_BENCH_DIR names, for the next run.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from hashlib import blake2b
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import generate
from benchmarks.generate import Generated

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
    asked: int | None = pytestconfig.getoption("bench_files")
    measured = pytestconfig.getoption("benchmark_enable") or not pytestconfig.getoption(
        "benchmark_disable"
    )
    return asked or (_MEASURED if measured else _TRIED)


@pytest.fixture(scope="session")
def data_set(
    bench_files: int, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, float], Generated]:
    """Return a function from kind and part of defects to a data set on disk."""
    kept = os.environ.get("LABELINGEST_BENCH_DIR")
    folder = Path(kept).absolute() if kept else tmp_path_factory.mktemp("bench")
    folder.mkdir(parents=True, exist_ok=True)

    @cache
    def made(kind: str, defects: float) -> Generated:
        return _made(folder, bench_files, kind, defects)

    return made


def _made(folder: Path, files: int, kind: str, defects: float) -> Generated:
    """Make a data set, or take the one that the same recipe made before."""
    recipe = blake2b(Path(generate.__file__).read_bytes(), digest_size=4).hexdigest()
    out = folder / f"{kind}-{files}-{defects}-{recipe}"
    # Written last, so that a data set without it was left unfinished.
    summary = out.with_suffix(f"{out.suffix}.json")
    if summary.exists():
        return Generated(**json.loads(summary.read_text()))
    shutil.rmtree(out, ignore_errors=True)
    generated = generate.generate(out, files, kind, defects=defects)
    summary.write_text(json.dumps(asdict(generated)))
    return generated
