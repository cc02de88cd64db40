"""Does a conversion stay linear, and its memory small, from ten thousand files to a million?

From the command line::

    python -m benchmarks.scaling --files 10000 100000 1000000 --kind boxes --workers 1

prints for each number of files the time of `labelingest convert`, microseconds of processor time a
file without start-up (that of a folder with one file), how much that has grown since the smallest,
and the memory of the largest process. Processor time, because a million files seldom stay in memory:
how long the storage takes for them is another question.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.compare import arguments, count, data_folder
from benchmarks.contenders import Place, labelingest
from benchmarks.data_sets import data_set
from benchmarks.spent import Spent, spend
from labelingest.bench.synthetic.kinds import Kind

__all__ = ["Size", "scaling"]


@dataclass(frozen=True, slots=True)
class Size:
    """What a number of files costs."""

    files: int
    seconds: float
    """Median of whole processes."""
    us_a_file: float
    """Processor time without start-up; the least of all rounds."""
    growth_percent: float
    """Of that, since the smallest number of files."""
    peak_mb: float
    """Of the largest process; the largest of all rounds."""


def scaling(sizes: Sequence[int], kind: str, folder: Path, workers: int, rounds: int) -> list[Size]:
    """Convert data sets of several sizes in turns.

    Parameters
    ----------
    sizes
        Numbers of files, each at least 2.
    kind, folder
        What is generated, and where.
    workers
        Processes that convert.
    rounds
        How often each is converted.
    """
    file_counts = [1, *sorted(sizes)]
    spent: dict[int, list[Spent]] = {files: [] for files in file_counts}
    for _ in range(rounds):
        for files in file_counts:
            spent[files].append(_convert(folder, files, kind, workers))
    medians = {files: median(run.seconds for run in runs) for files, runs in spent.items()}
    least = {files: min(run.cpu_seconds for run in runs) for files, runs in spent.items()}
    each = {files: (least[files] - least[1]) / (files - 1) * 1e6 for files in file_counts[1:]}
    return [
        Size(
            files,
            medians[files],
            each[files],
            (each[files] / each[file_counts[1]] - 1) * 100,
            max(run.peak_mb for run in spent[files]),
        )
        for files in file_counts[1:]
    ]


def _convert(folder: Path, files: int, kind: str, workers: int) -> Spent:
    generated = data_set(folder, files, kind)
    with tempfile.TemporaryDirectory(dir=folder) as out:
        spent = spend(labelingest(workers)(Place(generated, Path(out))))
    if spent.code:
        raise RuntimeError(f"{files} files ended with {spent.code}:\n{spent.stderr}")
    return spent


def _chosen() -> argparse.Namespace:
    parser = arguments("Time and memory against the number of files.", "benchmarks.scaling")
    parser.add_argument("--files", type=count, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--kind", choices=[k.value for k in Kind], default=Kind.BOXES.value)
    parser.add_argument("--workers", type=count, default=1, help="processes (default 1)")
    return parser.parse_args()


def _main() -> None:
    chosen = _chosen()
    if min(chosen.files) < 2:
        sys.exit("--files: at least 2, as start-up is that of a folder with one file")
    with data_folder(chosen.keep) as folder:
        measurements = scaling(chosen.files, chosen.kind, folder, chosen.workers, chosen.rounds)
    if min(measurement.us_a_file for measurement in measurements) <= 0:
        print(
            "so few files take no longer than start-up alone: give larger numbers", file=sys.stderr
        )
    if chosen.json:
        print(json.dumps([asdict(measurement) for measurement in measurements], indent=1))
        return
    table = Table(
        "files", "seconds", "CPU µs a file", "growth", "peak MB", box=None, pad_edge=False
    )
    for column in table.columns:
        column.justify = "right"
    for measurement in measurements:
        times = (
            f"{measurement.seconds:.2f}",
            f"{measurement.us_a_file:.1f}",
            f"{measurement.growth_percent:+.0f} %",
        )
        table.add_row(f"{measurement.files:,}", *times, f"{measurement.peak_mb:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    _main()
