"""Start-up in seconds: whole processes that have next to no work, beside the import of two libraries.

From the command line::

    python -m benchmarks.start_up --rounds 15

All take turns, and the first round is not counted: it fills the page cache, and compiles modules into
a temporary folder where an installation would have compiled them. `tests/architecture/test_start_up.py`
counts what is loaded.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.spent import Spent, spend

__all__ = ["StartUp", "measure_start_up", "show_start_up"]

YARDSTICK: Final = "import numpy, orjson"
"""What no conversion in Python can do without."""
ROUNDS: Final = 15
_DEMO: Final = Path(__file__).parents[1] / "fixtures/demo"
_LABELINGEST: Final = (sys.executable, "-m", "labelingest")


@dataclass(frozen=True, slots=True)
class StartUp:
    """What one process needed."""

    name: str
    seconds: float
    """Median."""
    cpu_seconds: float
    """Median, of all processors."""
    ratio: float
    """Median of the rounds' ratios of seconds to those of the yardstick."""
    cpu_ratio: float
    """The same of CPU seconds."""


def measure_start_up(rounds: int = ROUNDS) -> list[StartUp]:
    """Measure all processes, the yardstick first.

    Raises
    ------
    RuntimeError
        A process failed.
    """
    spent: dict[str, list[Spent]] = {}
    with tempfile.TemporaryDirectory() as folder, _compiled_into(Path(folder) / "compiled"):
        for number in range(rounds + 1):
            for name, command in _commands(Path(folder) / f"{number}.jsonl").items():
                cost = spend(command)
                if cost.code != 0:
                    raise RuntimeError(f"{name} ended with {cost.code}: {cost.stderr}")
                if number:
                    spent.setdefault(name, []).append(cost)
    return [_start_up(name, costs, spent[YARDSTICK]) for name, costs in spent.items()]


def _commands(out: Path) -> Mapping[str, Sequence[str]]:
    patterns = ("--images", "images/{name}.jpg", "--labels", "labels/{name}.txt", "--exit-zero")
    demo = (str(_DEMO), "--ontology", str(_DEMO / "ontology.json"), *patterns)
    return {
        YARDSTICK: (sys.executable, "-c", YARDSTICK),
        "convert of the demo's six files": (*_LABELINGEST, "convert", *demo, "--out", str(out)),
        "check of the same": (*_LABELINGEST, "check", *demo),
        "labelingest --help": (*_LABELINGEST, "--help"),
        "labelingest folder --help": (*_LABELINGEST, "folder", "--help"),
        "labelingest --version": (*_LABELINGEST, "--version"),
        "import labelingest": (sys.executable, "-c", "import labelingest"),
        "python": (sys.executable, "-c", ""),
    }


@contextmanager
def _compiled_into(folder: Path) -> Iterator[None]:
    """Let processes store compiled modules in a folder of their own."""
    before = dict(os.environ)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _start_up(name: str, costs: Sequence[Spent], yardstick: Sequence[Spent]) -> StartUp:
    rounds = [*zip(costs, yardstick, strict=True)]
    return StartUp(
        name,
        seconds=median(cost.seconds for cost in costs),
        cpu_seconds=median(cost.cpu_seconds for cost in costs),
        ratio=median(cost.seconds / other.seconds for cost, other in rounds),
        cpu_ratio=median(cost.cpu_seconds / other.cpu_seconds for cost, other in rounds),
    )


def show_start_up(results: Sequence[StartUp], rounds: int = ROUNDS) -> None:
    """Print a table."""
    table = Table(title=f"start-up, whole processes, medians of {rounds} rounds")
    for heading in ("process", "s", "× import", "CPU s", "CPU × import"):
        table.add_column(heading, justify="left" if heading == "process" else "right")
    for result in results:
        table.add_row(
            result.name,
            f"{result.seconds:.3f}",
            f"{result.ratio:.2f}",
            f"{result.cpu_seconds:.3f}",
            f"{result.cpu_ratio:.2f}",
        )
    Console().print(table)


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start_up", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="times that each runs (default 15)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    chosen = parser.parse_args()
    results = measure_start_up(chosen.rounds)
    if chosen.json:
        print(json.dumps([asdict(result) for result in results], indent=1))
    else:
        show_start_up(results, chosen.rounds)


if __name__ == "__main__":
    _main()
