"""Estimates of `labelingest bench` beside real runs: how well does a part tell the whole?

From the command line::

    python -m benchmarks.estimates --files 100000 --kinds boxes polygons

measures 20,000 files of each data set, as a user does, and converts the whole of it with one process
and with one for each core. Both leave start-up out: that of a folder with one file is subtracted from
the real runs. Also beside each other: the seconds of the measured part in several processes, and what
arithmetic expects of them from the stages of one process.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.compare import arguments, count, data_folder
from benchmarks.contenders import Place, labelingest
from benchmarks.data_sets import data_set
from benchmarks.spent import spend
from labelingest.bench.synthetic.data_set import Generated
from labelingest.bench.synthetic.kinds import Kind

__all__ = ["Estimate", "estimates"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate beside what it is of."""

    kind: str
    subject: str
    """What was estimated: a number of processes, of the whole or of the measured part."""
    estimated: float
    """Seconds."""
    real: float
    """Seconds, the least of the rounds."""

    @property
    def ratio(self) -> float:
        """Estimated seconds for each real one."""
        return self.estimated / self.real


def estimates(kind: str, files: int, part: int, folder: Path, rounds: int) -> list[Estimate]:
    """Measure a part of a data set, convert the whole, and return both beside each other.

    Parameters
    ----------
    kind, files, folder
        What is generated, and where.
    part
        Files that are measured.
    rounds
        How often each is done.
    """
    generated, single = data_set(folder, files, kind), data_set(folder, 1, kind)
    document = _measured(generated, part, rounds)
    results = []
    for workers, seconds in document["derived"]["estimated_seconds"].items():
        real = _real(generated, int(workers), folder, rounds) - _real(single, 1, folder, rounds)
        results.append(Estimate(kind, f"all, {workers} processes", seconds, real))
    processes = document["measurement"]["processes"]
    if processes is not None:
        [(workers, seconds)] = document["derived"]["expected_seconds"].items()
        subject = f"part, {workers} processes"
        results.append(Estimate(kind, subject, seconds, min(processes["seconds"])))
    return results


def _measured(generated: Generated, part: int, rounds: int) -> dict[str, Any]:
    sizes = () if generated.kind in (Kind.ROTATED, Kind.MIXED) else ("--image-sizes", "never")
    command = [
        *(sys.executable, "-m", "labelingest", "bench", generated.root, "--json"),
        *("--ontology", str(generated.ontology), "--files", str(part), "--rounds", str(rounds)),
        *("--images", "images/{name}.jpg", "--labels", "labels/{name}.txt", *sizes),
    ]
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


def _real(generated: Generated, workers: int, folder: Path, rounds: int) -> float:
    """Return the seconds of a whole process, the least of the rounds."""
    seconds = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=folder) as out:
            spent = spend(labelingest(workers)(Place(generated, Path(out))))
        if spent.code:
            raise RuntimeError(f"{workers} processes ended with {spent.code}:\n{spent.stderr}")
        seconds.append(spent.seconds)
    return min(seconds)


def show(results: Sequence[Estimate]) -> None:
    """Print estimates as a table."""
    table = Table("kind", "estimate of", "estimated s", "real s", "ratio", box=None, pad_edge=False)
    for column in table.columns[2:]:
        column.justify = "right"
    for estimate in results:
        values = (estimate.estimated, estimate.real, estimate.ratio)
        table.add_row(estimate.kind, estimate.subject, *(f"{value:.2f}" for value in values))
    Console().print(table)
    print(f"median ratio {median(estimate.ratio for estimate in results):.2f}")


def _chosen() -> argparse.Namespace:
    parser = arguments("Estimates of `labelingest bench` beside real runs.", "benchmarks.estimates")
    parser.add_argument("--files", type=count, default=100_000, help="images (default 100000)")
    parser.add_argument("--part", type=count, default=20_000, help="measured (default 20000)")
    kinds = [kind.value for kind in Kind]
    parser.add_argument("--kinds", nargs="+", choices=kinds, default=kinds, metavar="KIND")
    return parser.parse_args()


def _main() -> None:
    chosen = _chosen()
    with data_folder(chosen.keep) as folder:
        results = [
            estimate
            for kind in chosen.kinds
            for estimate in estimates(kind, chosen.files, chosen.part, folder, chosen.rounds)
        ]
    if chosen.json:
        print(json.dumps([asdict(e) | {"ratio": e.ratio} for e in results], indent=1))
    else:
        show(results)


if __name__ == "__main__":
    _main()
