"""Runs that end before their time, and the same command afterwards: real processes, really killed."""

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from select import select
from time import monotonic, sleep
from typing import Any

import pytest

from benchmarks.kill_and_resume import Run, kill_and_resume, outputs, undisturbed
from labelingest.bench.synthetic.data_set import generate
from labelingest.bench.synthetic.kinds import Images, Kind
from labelingest.storage.atomic import open_locked
from labelingest.storage.unfinished_files import unfinished_name

FILES = 700
SMALL_BATCHES = ("--batch-bytes", "2000")
OPTIONS = {
    "rows.jsonl": (),
    "rows.jsonl.zst": (),
    "sidecars": (),
    "shards": ("--shard-rows", "200"),
    "shards.zst": ("--shard-rows", "200"),
    "labels": ("--to", "yolo"),
    "instances.json": ("--to", "coco"),
}
"""Name of an output → what asks for it."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    generate(root, FILES, Kind.BOXES, defects=0.01)
    return root


def run_of(data: Path, out: str, *options: str) -> Run:
    return Run(data, out, (*OPTIONS[out], *SMALL_BATCHES, *options))


@dataclass(frozen=True)
class Whole:
    """What a run leaves that is done in one go."""

    outputs: dict[str, Any]
    seconds: float


Wholes = Callable[[str], Whole]


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Wholes:
    """Return a function from the name of an output to what belongs there."""

    @cache
    def done(out: str) -> Whole:
        place = tmp_path_factory.mktemp("whole")
        seconds = undisturbed(run_of(data, out, "--workers", "1"), place)
        return Whole(outputs(place), seconds)

    return done


def journal_of(place: Path, out: str) -> Path:
    return place / unfinished_name(out, "-journal")


def wait_for_batches(process: subprocess.Popen[Any], journal: Path, more_than: int = 10) -> None:
    """Wait until so many batches are done, long before all are."""
    deadline = monotonic() + 60
    while not (journal.exists() and journal.read_bytes().count(b"\n") > more_than):
        assert process.poll() is None, "the run was through"
        assert monotonic() < deadline
        sleep(0.001)


def interrupted(
    command: Sequence[str], journal: Path, ending: signal.Signals = signal.SIGKILL
) -> tuple[int, str]:
    """Run until some batches are done, then end it so; return its exit code and what it said."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        wait_for_batches(process, journal)
        process.send_signal(ending)
        said = process.communicate(timeout=60)[1]
    return process.returncode, said


@pytest.mark.parametrize(
    ("out", "kills", "workers"),
    [
        ("rows.jsonl", 3, "2"),
        ("rows.jsonl", 1, "1"),
        ("rows.jsonl.zst", 1, "2"),
        ("sidecars", 1, "2"),
        ("shards", 1, "2"),
        ("shards.zst", 1, "2"),
        ("labels", 1, "2"),
        ("instances.json", 1, "2"),
    ],
)
def test_a_run_that_is_killed_again_and_again_gives_the_bytes_of_one_run(
    data: Path, whole: Wholes, tmp_path: Path, out: str, kills: int, workers: str
) -> None:
    run = run_of(data, out, "--workers", workers)
    happened = kill_and_resume(run, tmp_path, kills, whole(out).seconds, most_workers=1)
    assert happened.kills == kills
    expected, found = whole(out).outputs, outputs(tmp_path)
    assert found.keys() == expected.keys()
    assert found == expected


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("out", ["rows.jsonl", "sidecars"])
def test_an_interrupted_run_says_how_far_it_is_and_the_same_command_goes_on(
    data: Path, whole: Wholes, tmp_path: Path, out: str, ending: signal.Signals
) -> None:
    run = run_of(data, out, "--workers", "2")
    code, said = interrupted(run.command(tmp_path), journal_of(tmp_path, out), ending)
    assert code == 128 + ending
    [line] = said.splitlines()
    assert line.startswith("labelingest: interrupted; ")
    assert line.endswith(f" of {FILES:,} files are done: run the same command again to resume")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [unfinished_name(out), unfinished_name(out, "-journal")]
    )
    undisturbed(run, tmp_path)
    assert outputs(tmp_path) == whole(out).outputs


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in found.split()]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_its_run(data: Path, tmp_path: Path, ending: signal.Signals) -> None:
    command = run_of(data, "rows.jsonl", "--workers", "2").command(tmp_path)
    journal = journal_of(tmp_path, "rows.jsonl")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        wait_for_batches(process, journal)
        workers = [os.pidfd_open(pid) for pid in children(process.pid)]
        process.send_signal(ending)
        # Workers have standard error too: this ends when the last of them has ended.
        said = process.communicate(timeout=60)[1]
    assert len(workers) == 2
    assert "Traceback" not in said
    for worker in workers:
        # Readable when the process has ended, whether or not somebody asked for its exit status.
        assert select([worker], [], [], 60)[0] == [worker]
        os.close(worker)


def test_a_worker_that_is_killed_changes_nothing(data: Path, whole: Wholes, tmp_path: Path) -> None:
    run = run_of(data, "rows.jsonl", "--workers", "2")
    journal = journal_of(tmp_path, "rows.jsonl")
    killed = 0
    with subprocess.Popen(run.command(tmp_path)) as process:
        for batches in (10, 30, 50):
            wait_for_batches(process, journal, batches)
            for worker in children(process.pid)[:1]:
                os.kill(worker, signal.SIGKILL)
                killed += 1
    assert (process.returncode, killed) == (1, 3)
    assert outputs(tmp_path) == whole("rows.jsonl").outputs


def test_what_changed_since_makes_the_run_start_anew(data: Path, tmp_path: Path) -> None:
    run = run_of(data, "rows.jsonl", "--workers", "1")
    interrupted(run.command(tmp_path), journal_of(tmp_path, "rows.jsonl"))
    changed = replace(run, options=(*run.options, "--dataset-title", "another"))
    ran = subprocess.run(changed.command(tmp_path), stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr == (
        "labelingest: the folder or the options have changed: starting from the beginning\n"
    )
    other = tmp_path / "other"
    found = outputs(tmp_path)
    other.mkdir()
    undisturbed(changed, other)
    assert found == outputs(other)


def test_what_does_not_fit_in_a_journal_is_done_again(
    data: Path, whole: Wholes, tmp_path: Path
) -> None:
    run = run_of(data, "rows.jsonl", "--workers", "1")
    journal = journal_of(tmp_path, "rows.jsonl")
    interrupted(run.command(tmp_path), journal)
    journal.write_bytes(journal.read_bytes().replace(b'"rows_seen"', b'"lines_seen"'))
    ran = subprocess.run(run.command(tmp_path), stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr == (
        "labelingest: the journal of the unfinished run is damaged: files without a valid entry are "
        "converted again\n"
    )
    assert outputs(tmp_path) == whole("rows.jsonl").outputs


def test_the_number_of_workers_may_change_and_restart_begins_anew(
    data: Path, whole: Wholes, tmp_path: Path
) -> None:
    run = run_of(data, "rows.jsonl", "--workers", "2")
    for options in (("--workers", "1"), ("--workers", "2", "--restart")):
        interrupted(run.command(tmp_path), journal_of(tmp_path, "rows.jsonl"))
        again = replace(run, options=(*run.options, *options))
        ran = subprocess.run(
            again.command(tmp_path), stderr=subprocess.PIPE, text=True, check=False
        )
        assert (ran.returncode, ran.stderr) == (1, "")
        assert outputs(tmp_path) == whole("rows.jsonl").outputs


@pytest.mark.parametrize("out", ["rows.jsonl", "sidecars", "instances.json"])
def test_the_second_of_two_runs_on_one_output_is_refused(
    data: Path, tmp_path: Path, out: str
) -> None:
    purpose = "" if out == "instances.json" else "-journal"
    other = open_locked(tmp_path / unfinished_name(out, purpose), out)
    command = run_of(data, out).command(tmp_path)
    ran = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    os.close(other)
    assert ran.returncode == 3
    assert "is being written by another run: wait for it, or choose another name" in ran.stderr
    assert not (tmp_path / out).exists()
    undisturbed(run_of(data, out), tmp_path)


def test_an_output_in_the_storage_path_is_not_disturbed_by_its_unfinished_self(
    tmp_path: Path,
) -> None:
    generate(tmp_path, 400, Kind.BOXES, defects=0.01, images=Images.EMPTY)
    run = Run(tmp_path, "rows.jsonl", ("--batch-bytes", "1000", "--workers", "1"))
    interrupted(run.command(tmp_path), journal_of(tmp_path, "rows.jsonl"))
    undisturbed(run, tmp_path)
    first = outputs(tmp_path)
    assert not any("labelingest-tmp" in name for name in first)
    undisturbed(run, tmp_path)
    assert outputs(tmp_path) == first


@pytest.mark.parametrize(
    ("out", "small", "large"),
    [("rows.jsonl", "1m", "40m"), ("sidecars", "1500k", "40m"), ("shards", "1m", "40m")],
)
def test_after_a_full_disk_the_same_command_goes_on(
    data: Path, whole: Wholes, tmp_path: Path, out: str, small: str, large: str
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    run = run_of(data, out, "--workers", "2")
    # A mount namespace of our own: the tmpfs is gone with the process.
    script = (
        'disk=$1; small=$2; large=$3; result=$4; shift 4; mount -t tmpfs -o size=$small t "$disk" || exit 99; '
        '"$@"; echo "exit $?"; mount -o remount,size=$large "$disk"; '
        '"$@"; echo "exit $?"; cp -a "$disk/." "$result"'
    )
    result = tmp_path / "result"
    result.mkdir()
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", str(disk), small]
    ran = subprocess.run(
        [*command, large, str(result), *run.command(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "exit" not in ran.stdout:
        pytest.skip(f"no tmpfs can be mounted here: {ran.stderr.strip()}")
    assert ran.stdout.split() == ["exit", "3", "exit", "1"], ran.stderr
    assert "disk full; free some space, or choose another disk\n" in ran.stderr
    assert f" of {FILES:,} files are done: run the same command again to resume\n" in ran.stderr
    assert outputs(result) == whole(out).outputs


def test_rejected_rows_that_stop_the_run_leave_nothing_to_go_on_with(
    data: Path, tmp_path: Path
) -> None:
    run = run_of(data, "rows.jsonl", "--on-row-error", "stop", "--workers", "2")
    ran = subprocess.run(run.command(tmp_path), stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "failed-csv.csv",
        "problems.jsonl",
        "report.json",
    ]
