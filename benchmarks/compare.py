"""Beside the floor and the libraries that one would use instead: one run, one data set of a kind.

From the command line::

    python -m benchmarks.compare --files 20000 --kinds boxes polygons --rounds 3

Everything is a whole process, start-up included, and all take turns (A, B, C, A, B, C, …), so that
what else the machine does meets all of them. The data set is read once before: the page cache is
warm. Ratios are to the floor of the same run: with image headers for rows that need them.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.contenders import CONTENDERS, FLOOR, FLOOR_WITH_HEADERS, Contender, Place
from benchmarks.data_sets import data_set
from benchmarks.floor import read_labels_write_once
from benchmarks.spent import Spent, spend
from benchmarks.start_up import measure_start_up, show_start_up
from labelingest.bench.synthetic.data_set import Generated
from labelingest.bench.synthetic.kinds import Kind

__all__ = ["Result", "arguments", "compare_kind", "count", "data_folder", "show"]

_LIMIT: Final = 600.0
"""Seconds that a run may take."""
_TRIAL: Final = 20_000
"""Files that a peer is tried on, to tell how long it would take for more."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one contender needed for one kind of rows."""

    name: str
    kind: str
    does: str
    files: int
    """That it was given."""
    seconds: Sequence[float]
    """Of each round; none where it was skipped."""
    cpu_seconds: float
    """Median."""
    peak_mb: float
    """Of the largest process, median."""
    note: str = ""
    """Why there is no time, or that it was given a part only."""
    ratio: float | None = None
    """Its time for a file to the floor's."""

    @property
    def median(self) -> float:
        """Median seconds."""
        return median(self.seconds)

    @property
    def seconds_a_file(self) -> float:
        """Median seconds for one file."""
        return self.median / self.files


def compare_kind(
    kind: str,
    files: int,
    folder: Path,
    contenders: Sequence[Contender] = CONTENDERS,
    *,
    rounds: int = 3,
    limit: float = _LIMIT,
    trial: int = _TRIAL,
) -> list[Result]:
    """Let all contenders that can do a kind of rows take turns.

    Parameters
    ----------
    kind, files
        The data set.
    folder
        Where data sets are kept, and outputs until the next run.
    contenders
        Those that take turns; who is not installed, or cannot do the kind, is left out.
    rounds
        How often each runs.
    limit
        Seconds that a run may take; who would need more for all files is not run.
    trial
        Files that a peer is tried on first, where there are more than that.
    """
    chosen = [
        contender for contender in contenders if contender.is_there() and kind in contender.does
    ]
    sets = {
        n: data_set(folder, n, kind) for n in {contender.files(kind, files) for contender in chosen}
    }
    with tempfile.TemporaryDirectory(dir=folder) as place:
        out = Path(place)
        for generated in sets.values():  # the page cache is warm from here on
            read_labels_write_once(generated.root, out / "warm", heads=True)
        skipped = _skipped(chosen, files, data_set(folder, min(files, trial), kind), out, limit)
        spent: dict[str, list[Spent]] = {contender.name: [] for contender in chosen}
        for _ in range(rounds):
            for contender in chosen:
                if contender.name not in skipped:
                    generated = sets[contender.files(kind, files)]
                    spent[contender.name].append(_run(contender, generated, out, limit))
    results = [
        _result(
            contender,
            sets[contender.files(kind, files)],
            files,
            spent[contender.name],
            skipped.get(contender.name, ""),
        )
        for contender in chosen
    ]
    return _with_ratios(results)


def _skipped(
    chosen: Sequence[Contender], files: int, tried: Generated, out: Path, limit: float
) -> dict[str, str]:
    """Return peers that would take too long, and why: tried on fewer files."""
    skipped = {}
    for contender in chosen:
        if contender.package and contender.files(tried.kind, files) > tried.files:
            seconds = _run(contender, tried, out, limit).seconds * files / tried.files
            if seconds > limit:
                skipped[contender.name] = (
                    f"would take {seconds / 60:,.0f} min at its rate for {tried.files:,}"
                )
    return skipped


def _run(contender: Contender, generated: Generated, out: Path, limit: float) -> Spent:
    """Run one contender once; its output is removed.

    Raises
    ------
    RuntimeError
        It failed, and is no other library: of those it is noted, and the rest goes on.
    """
    with tempfile.TemporaryDirectory(dir=out) as place:
        spent = spend(contender.command(Place(generated, Path(place))), limit)
    if spent.code and not spent.timed_out and not contender.package:
        raise RuntimeError(f"{contender.name} ended with {spent.code}:\n{spent.stderr}")
    return spent


def _result(
    contender: Contender, generated: Generated, files: int, spent: Sequence[Spent], note: str
) -> Result:
    failed = next((run for run in spent if run.code), None)
    if failed is not None:
        last = failed.stderr.strip().rpartition("\n")[2]
        ended = f"ended with {failed.code}: {last}"
        note, spent = f"took over {failed.seconds:,.0f} s" if failed.timed_out else ended, ()
    elif generated.files < files:
        note = f"the first {generated.files:,} files only"
    return Result(
        contender.name,
        generated.kind,
        contender.does[generated.kind],
        generated.files,
        tuple(run.seconds for run in spent),
        median([run.cpu_seconds for run in spent] or [0.0]),
        median([run.peak_mb for run in spent] or [0.0]),
        note,
    )


def _with_ratios(results: Sequence[Result]) -> list[Result]:
    """Return results with their ratios to the floor, file by file."""
    floors = {result.name: result.seconds_a_file for result in results if result.seconds}
    floor = floors.get(FLOOR_WITH_HEADERS, floors.get(FLOOR))
    if floor is None:
        return list(results)
    return [
        replace(result, ratio=result.seconds_a_file / floor) if result.seconds else result
        for result in results
    ]


def show(results: Sequence[Result], kind: str, files: int, rounds: int) -> None:
    """Print one table."""
    title = f"{kind}: {files:,} files, medians of {rounds} rounds"
    table = Table("contender", title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("seconds", "files/s", "× floor", "CPU s", "peak MB"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("what it does", ratio=1)
    for result in results:
        does = f"{result.does} ({result.note})" if result.note else result.does
        if not result.seconds:
            table.add_row(result.name, "–", "–", "–", "–", "–", does)
            continue
        ratio = "–" if result.ratio is None else f"{result.ratio:.2f}"
        rate = f"{1 / result.seconds_a_file:,.0f}"
        cells = (
            f"{result.median:.2f}",
            rate,
            ratio,
            f"{result.cpu_seconds:.2f}",
            f"{result.peak_mb:,.0f}",
        )
        table.add_row(result.name, *cells, does)
    Console(width=max(Console().width, 120)).print(table, "")


def _machine() -> dict[str, str | int]:
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
    }


def count(text: str) -> int:
    """Return a number from 1 on, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def arguments(description: str, module: str) -> argparse.ArgumentParser:
    """Return a parser with what the commands here share: where data sets are kept, rounds."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FOLDER",
        default=os.environ.get("LABELINGEST_BENCH_DIR"),
        help="keep data sets there for the next run (default: LABELINGEST_BENCH_DIR, else not)",
    )
    parser.add_argument("--rounds", type=count, default=3, help="times that each runs (default 3)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser


@contextmanager
def data_folder(keep: Path | None) -> Iterator[Path]:
    """Yield the folder of data sets: one that stays, or a temporary one."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _chosen() -> argparse.Namespace:
    parser = arguments(
        "The floor, this project and the libraries that one would use instead, side by side.",
        "benchmarks.compare",
    )
    parser.add_argument("--files", type=count, default=20_000, help="images (default 20000)")
    kinds = [kind.value for kind in Kind]
    parser.add_argument("--kinds", nargs="+", choices=kinds, default=kinds, metavar="KIND")
    names = [contender.name for contender in CONTENDERS]
    parser.add_argument(
        "--only", nargs="+", choices=names, default=(), metavar="NAME", help=", ".join(names)
    )
    return parser.parse_args()


def _main() -> None:
    chosen = _chosen()
    contenders = [
        contender for contender in CONTENDERS if not chosen.only or contender.name in chosen.only
    ]
    missing = [contender.package for contender in contenders if not contender.is_there()]
    if missing:
        them = ", ".join(missing)
        print(f"not installed, so not run: {them}; pip install '.[peers]'", file=sys.stderr)
    document: dict[str, Any] = {
        **_machine(),
        "files": chosen.files,
        "missing": missing,
        "results": [],
    }
    with data_folder(chosen.keep) as folder:
        for kind in chosen.kinds:
            results = compare_kind(kind, chosen.files, folder, contenders, rounds=chosen.rounds)
            document["results"] += [asdict(result) for result in results]
            if not chosen.json:
                show(results, kind, chosen.files, chosen.rounds)
    start_up = [] if chosen.only else measure_start_up()
    document["start_up"] = [asdict(result) for result in start_up]
    if chosen.json:
        print(json.dumps(document, indent=1))
    else:
        if start_up:
            show_start_up(start_up)
        print(", ".join(f"{name} {value}" for name, value in _machine().items()))


if __name__ == "__main__":
    _main()
