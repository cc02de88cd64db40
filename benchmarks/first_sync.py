"""Compare the first sync of a synced folder with a conversion of the same files to a tree.

From the command line::

    python -m benchmarks.first_sync --files 12000 --workers 1 2

Both write one file for each label file, to the same disk, as whole processes in turns. A sync also
keeps a state, brings each batch onto the disk before it says so, and has to be able to go on after a
kill at any moment.
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
from benchmarks.data_sets import data_set
from benchmarks.spent import Spent, spend
from labelingest.bench.synthetic.data_set import Generated
from labelingest.bench.synthetic.kinds import Kind

__all__ = ["FirstSync", "first_sync"]

_PROGRAM = (sys.executable, "-m", "labelingest")
_PATTERNS = ("--images", "images/{name}.jpg", "--labels", "labels/{name}.txt")


@dataclass(frozen=True, slots=True)
class FirstSync:
    """Cost of a first sync beside that of a conversion; medians of whole processes."""

    workers: int
    convert_seconds: float
    sync_seconds: float
    ratio: float
    """Median of the ratios of each round."""
    convert_cpu: float
    sync_cpu: float
    peak_mb: float
    """Memory of the largest process of a sync."""


def first_sync(generated: Generated, folder: Path, workers: int, rounds: int) -> FirstSync:
    """Convert and sync a data set in turns.

    Parameters
    ----------
    generated
        The data set.
    folder
        Folder for the outputs of both.
    workers
        Worker processes of both.
    rounds
        How often each runs.
    """
    pairs = [_round(generated, folder, workers) for _ in range(rounds)]
    converts, syncs = zip(*pairs, strict=True)
    return FirstSync(
        workers,
        median(run.seconds for run in converts),
        median(run.seconds for run in syncs),
        ratio=median(sync.seconds / convert.seconds for convert, sync in pairs),
        convert_cpu=median(run.cpu_seconds for run in converts),
        sync_cpu=median(run.cpu_seconds for run in syncs),
        peak_mb=max(run.peak_mb for run in syncs),
    )


def _round(generated: Generated, folder: Path, workers: int) -> tuple[Spent, Spent]:
    """Return what a conversion and a first sync cost."""
    kind = ("--format", "yolo", "--ontology", str(generated.ontology), *_PATTERNS)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        state = ("--state", f"sqlite:///{place}/state.sqlite")
        tree = ("convert", generated.root, "--out", f"{place}/tree", *kind, "--quiet")
        create = ("--storage-path", generated.root, "--output", f"{place}/rows", *kind)
        count_of_workers = ("--workers", str(workers))
        converted = _spend(*tree, *count_of_workers)
        _spend("folder", "create", "drive", *create, *state)
        synced = _spend("folder", "sync", "drive", "--quiet", *state, *count_of_workers)
        _expect_same(Path(place))
    return converted, synced


def _spend(*words: str) -> Spent:
    spent = spend((*_PROGRAM, *words))
    if spent.code:
        raise RuntimeError(f"{' '.join(words[:2])} ended with {spent.code}:\n{spent.stderr}")
    return spent


def _expect_same(place: Path) -> None:
    tree, rows = (sorted((place / name).rglob("*.encord.json")) for name in ("tree", "rows"))
    if len(tree) != len(rows) or any(
        row.read_bytes() != other.read_bytes()
        for row, other in zip(tree[::100], rows[::100], strict=True)
    ):
        raise RuntimeError(
            f"{len(tree)} label rows in the tree are not the {len(rows)} of the sync"
        )


def _chosen() -> argparse.Namespace:
    parser = arguments("A first sync beside a conversion to a tree.", "benchmarks.first_sync")
    parser.add_argument("--files", type=count, default=12_000)
    parser.add_argument("--kind", choices=[k.value for k in Kind], default=Kind.BOXES.value)
    parser.add_argument("--workers", type=count, nargs="+", default=[1, 2])
    return parser.parse_args()


def _main() -> None:
    chosen = _chosen()
    with data_folder(chosen.keep) as folder:
        generated = data_set(folder, chosen.files, chosen.kind)
        measurements = [
            first_sync(generated, folder, workers, chosen.rounds) for workers in chosen.workers
        ]
    if chosen.json:
        print(json.dumps([asdict(measurement) for measurement in measurements], indent=1))
        return
    _print(chosen.files, measurements)


def _print(files: int, measurements: Sequence[FirstSync]) -> None:
    table = Table(
        *("workers", "convert s", "first sync s", "ratio", "CPU s", "CPU s", "peak MB"),
        title=f"first sync of {files:,} label files beside convert to a tree",
        box=None,
        pad_edge=False,
    )
    for column in table.columns:
        column.justify = "right"
    for row in measurements:
        seconds = (f"{row.convert_seconds:.2f}", f"{row.sync_seconds:.2f}", f"{row.ratio:.2f} ×")
        cpu = (f"{row.convert_cpu:.2f}", f"{row.sync_cpu:.2f}", f"{row.peak_mb:,.0f}")
        table.add_row(str(row.workers), *seconds, *cpu)
    Console().print(table)


if __name__ == "__main__":
    _main()
