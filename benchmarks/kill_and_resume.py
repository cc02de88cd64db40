"""Kill a run again and again, at random moments, and go on: is the result that of one run?

From the command line::

    python -m benchmarks.kill_and_resume FILES KILLS [--out rows.jsonl] [OPTION …]

makes a data set of so many files with defects in one row of a hundred, converts it undisturbed,
then converts it with so many kills (`kill -9`), and compares every byte of the output, the report, the
problems and the list of failed files, and that nothing else is left. The whole run is killed, and its
workers must find out themselves; before that up to two of its worker processes are killed alone,
and the run goes on. Other options go to `labelingest convert`.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final

from labelingest.bench.synthetic.data_set import generate
from labelingest.bench.synthetic.kinds import Images, Kind

__all__ = ["Killed", "Run", "kill_and_resume", "outputs", "undisturbed"]

_FULL: Final = 1
"""Exit code of a run that is through, for a folder with defects."""


@dataclass(frozen=True, slots=True)
class Run:
    """A conversion that can be repeated anywhere."""

    data: Path
    """Folder as `generate` makes it."""
    out: str = "rows.jsonl"
    """Name of the output."""
    options: Sequence[str] = ()

    def command(self, place: Path) -> list[str]:
        """Return the command line with all outputs in one folder."""
        arguments = [self.data, "--ontology", self.data / "ontology.json", "--quiet"]
        for option in ("report", "problems", "failed-csv"):
            arguments += [f"--{option}", place / f"{option}.{_ENDINGS[option]}"]
        arguments += ["--out", place / self.out, *self.options]
        return [sys.executable, "-m", "labelingest", "convert", *map(str, arguments)]


_ENDINGS: Final = {"report": "json", "problems": "jsonl", "failed-csv": "csv"}


@dataclass(frozen=True, slots=True)
class Killed:
    """What happened on the way."""

    kills: int
    """How often the run was killed before it was through."""
    workers: int
    """How often one of its worker processes was killed."""
    resumed: int
    """How often work was kept then."""
    seconds: float


def undisturbed(run: Run, place: Path) -> float:
    """Do a run in one go; return its seconds."""
    started = monotonic()
    code = subprocess.run(run.command(place), check=False).returncode
    if code != _FULL:
        raise RuntimeError(f"the undisturbed run ended with {code}")
    return monotonic() - started


def kill_and_resume(
    run: Run, place: Path, kills: int, seconds: float, *, most_workers: int = 0, seed: int = 0
) -> Killed:
    """Kill a run and its workers so often, then let it end; start over when it was through before.

    Parameters
    ----------
    run, place
        What to do, and where its outputs go.
    kills
        How often the run.
    seconds
        How long it takes undisturbed: moments are drawn from that time.
    most_workers
        How often worker processes are killed alone before that, at most: an item may cost two.
    seed
        Of the moments.
    """
    moments = random.Random(seed)
    started = monotonic()
    killed = resumed = workers = 0
    while killed < kills:
        with subprocess.Popen(run.command(place)) as process:
            for _ in range(moments.randint(0, most_workers)):
                workers += _kill_a_worker(process, moments.uniform(0.1, 0.5) * seconds, moments)
            try:
                code = process.wait(moments.uniform(0.1, 1.0) * seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                killed += 1
                resumed += any(path.name.endswith("-journal") for path in place.iterdir())
                continue
        if code != _FULL:
            raise RuntimeError(f"a run ended with {code}")
    undisturbed(run, place)
    return Killed(killed, workers, resumed, monotonic() - started)


def _kill_a_worker(
    process: "subprocess.Popen[bytes]", seconds: float, moments: random.Random
) -> bool:
    """Kill one worker process of a run after some seconds, if there is one then."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if children:
            os.kill(int(moments.choice(children)), signal.SIGKILL)
        return bool(children)
    return False


def outputs(place: Path) -> dict[str, Any]:
    """Return everything in a folder, whatever it is called; of a report what is not time."""
    contents: dict[str, Any] = {}
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        if path.is_dir():
            contents[name] = None
        elif name == "report.json":
            report = json.loads(path.read_bytes())
            report["seconds"], report["out"] = None, Path(report["out"]).name
            contents[name] = report
        else:
            contents[name] = path.read_bytes()
    return contents


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_and_resume")
    parser.add_argument("files", type=int, metavar="FILES")
    parser.add_argument("kills", type=int, metavar="KILLS")
    parser.add_argument("--out", default="rows.jsonl", help="name of the output")
    chosen, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        data, undisturbed_place, killed_place = (
            Path(folder, name) for name in ("data", "whole", "killed")
        )
        for place in (undisturbed_place, killed_place):
            place.mkdir()
        generate(data, chosen.files, Kind.BOXES, defects=0.01, images=Images.EMPTY)
        run = Run(data, chosen.out, options)
        seconds = undisturbed(run, undisturbed_place)
        print(f"undisturbed: {seconds:.1f} s")
        happened = kill_and_resume(run, killed_place, chosen.kills, seconds, most_workers=2)
        print(f"killed {happened.kills} times, with work kept {happened.resumed} times")
        print(f"workers killed alone: {happened.workers} times")
        same = outputs(undisturbed_place) == outputs(killed_place)
        print("the same, byte by byte, and nothing left over" if same else "NOT the same")
        raise SystemExit(not same)


if __name__ == "__main__":
    _main()
