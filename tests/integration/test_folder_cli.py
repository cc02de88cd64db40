"""`labelingest folder …`: what it prints, how it ends, and what it does beside another process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import sqlalchemy as sa

from labelingest.bench.synthetic.data_set import generate
from labelingest.bench.synthetic.kinds import Images, Kind
from labelingest.folders import State, SyncedFolder
from labelingest.folders.state.tables import label_rows, runs
from tests.builders.command_line import Run, command_line
from tests.builders.processes import PROCESSES
from tests.builders.states import new_sqlite

BATCH = 50
FILES = 1_000
"""Twenty batches: a sync can be met while it is on."""

IN_SMALL_BATCHES = f"""
import labelingest.folders.sync.apply
from labelingest.cli.main import main

labelingest.folders.sync.apply._FILES = {BATCH}
main()
"""


class Commands:
    """Runs commands in one place with one state."""

    def __init__(self, place: Path, state: str, command: Run) -> None:
        self.place, self.state, self.command = place, state, command

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start one in a process of its own, with small batches."""
        return subprocess.Popen(
            [sys.executable, "-c", IN_SMALL_BATCHES, "folder", *words],
            env=os.environ | {"LABELINGEST_STATE": self.state},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, code: int = 0) -> tuple[str, str]:
        """Run one in this process; return what it printed and what it said."""
        ran = self.command("folder", *words)
        assert ran.code == code, ran.err
        return ran.out, ran.err

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", code=code)[0])


@pytest.fixture
def commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    state = new_sqlite(tmp_path / "state.sqlite")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABELINGEST_STATE", state)
    monkeypatch.setenv("COLUMNS", "200")
    return Commands(tmp_path, state, command_line(capsys))


def create(commands: Commands, data: Path, ontology: Path) -> Commands:
    """Make a folder on a data set."""
    commands.run(
        *("create", "drive", "--storage-path", str(data), "--output", "rows"),
        *("--ontology", str(ontology)),
        *("--images", "images/{name}.jpg", "--labels", "labels/{name}.txt"),
    )
    return commands


def generated(place: Path, files: int) -> tuple[Path, Path]:
    """Make a data set and its ontology; in the data that would be an item, a text file."""
    generate(place / "data", files, Kind.BOXES, images=Images.EMPTY)
    return place / "data", (place / "data/ontology.json").rename(place / "ontology.json")


@pytest.fixture
def small(commands: Commands) -> Commands:
    return create(commands, *generated(commands.place, 20))


def test_a_folder_from_creation_to_export(small: Commands) -> None:
    plan = small.json("plan", "drive", "--save", "plan.jsonl")
    assert plan["changes"] == {"new file": 20, "new sidecar": 20}
    run = small.json("apply", "plan.jsonl", "--quiet")
    assert (run["status"], run["trigger"], run["uploadJobsUnitsDone"]) == ("done", "plan", 20)
    assert small.json("sync", "drive")["changes"] == {}
    assert [run["status"] for run in small.json("activity", "drive")] == ["done", "done"]
    shown = small.json("show", "drive")
    assert (shown["items"], shown["labelled"], shown["unlabelled"]) == ({"image": 20}, 20, 0)
    [listed] = small.json("list")["folders"]
    assert listed == shown
    first, *others = small.run("items", "drive", "--json")[0].splitlines()
    assert (json.loads(first)["name"], len(others)) == ("images/train/000000.jpg", 19)
    assert small.json("export", "drive", "--out", "rows.jsonl")["label_rows"] == 20
    rows = (small.place / "rows.jsonl").read_bytes().splitlines()
    assert rows[0] == (small.place / f"rows/{json.loads(first)['name']}.encord.json").read_bytes()


def test_what_people_see(small: Commands) -> None:
    printed, _ = small.run("plan", "drive")
    assert "20  new file\n" in printed
    printed, said = small.run("sync", "drive")
    assert printed == ""
    assert "new file 20, new sidecar 20" in said
    for words, part in (
        (("show", "drive"), "Items         20 = 20 image files\n"),
        (("list",), "drive  20     20          "),
        (("activity", "drive"), "40 keys; new file 20, new sidecar 20\n"),
        (("items", "drive"), "images/train/000019.jpg  labelled\n"),
    ):
        printed, said = small.run(*words)
        assert part in printed
        assert said == ""
    assert "State: " in small.run("list")[0]


def test_a_defect_is_exit_code_1_when_it_is_found_and_not_again(small: Commands) -> None:
    (small.place / "data/labels/train/000003.txt").write_text("nonsense\n")
    _, said = small.run("sync", "drive", code=1)
    assert "1 failed" in said
    small.run("sync", "drive")
    assert small.json("show", "drive")["problems"]["bad-class-number"] == 1
    (small.place / "data/labels/train/000003.txt").write_text("more nonsense\n")
    small.run("sync", "drive", "--exit-zero")


def test_label_rows_that_somebody_deleted_are_made_anew_where_that_is_asked_for(
    small: Commands,
) -> None:
    small.run("sync", "drive")
    row = small.place / "rows/images/train/000007.jpg.encord.json"
    content = row.read_bytes()
    row.unlink()
    assert small.json("sync", "drive")["changes"] == {}
    missing = {"label row is missing from the output": 1}
    assert small.json("plan", "drive", "--verify-output")["changes"] == missing
    assert small.json("sync", "drive", "--verify-output")["changes"] == missing
    assert row.read_bytes() == content


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("sync", "nothing"), 2, "there is no folder 'nothing'"),
        (("create", "drive", "--storage-path", "data", "--output", "rows"), 2, "already"),
        (("create", "x", "--storage-path", "nowhere", "--output", "rows"), 3, "there is no folder"),
        (("create", "x", "--storage-path", "data", "--output", "data"), 2, "give another folder"),
        (("apply", "ontology.json"), 2, "is no plan"),
        (("configure", "drive", "--ontology", "nowhere.json"), 2, "cannot be read"),
        (("configure", "drive", "--map", "7=nothing"), 2, "nothing"),
    ],
)
def test_a_mistake_is_said_in_one_sentence(
    small: Commands, words: tuple[str, ...], code: int, sentence: str
) -> None:
    _, said = small.run(*words, code=code)
    assert sentence in said
    assert said.startswith("labelingest: ")


def test_a_plan_that_is_out_of_date_is_exit_code_3(small: Commands) -> None:
    small.run("plan", "drive", "--save", "plan.jsonl")
    (small.place / "data/images/train/new.jpg").touch()
    _, said = small.run("apply", "plan.jsonl", code=3)
    assert "make a new plan" in said


def test_configuring_the_schedule_and_deleting(small: Commands) -> None:
    assert small.json("configure", "drive", "--auto-sync")["auto_sync_hours"] == 24
    assert small.json("configure", "drive", "--no-auto-sync")["due_at"] is None
    small.run("delete", "drive")
    assert small.json("list")["folders"] == []
    assert len(small.json("list", "--deleted")["folders"]) == 1
    small.run("sync", "drive", code=2)
    small.run("restore", "drive")
    small.run("delete", "drive", "--purge")
    assert small.json("list", "--deleted")["folders"] == []


# --- beside another process ---


@pytest.fixture(scope="module")
def many_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a data set that no test changes, and its ontology."""
    return generated(tmp_path_factory.mktemp("many"), FILES)


@pytest.fixture
def large(commands: Commands, many_files: tuple[Path, Path]) -> Commands:
    return create(commands, *many_files)


def sync_by_steps(state: str, steps: Connection) -> None:
    """Sync, and wait for a word after each page of the listing and after each batch."""

    def cancelled() -> bool:
        steps.send("waits")
        steps.recv()
        return False

    with pytest.MonkeyPatch.context() as patch, SyncedFolder("drive", state=state) as folder:
        patch.setattr("labelingest.folders.sync.apply._FILES", BATCH)
        folder.sync(cancelled=cancelled)


class Stepped:
    """A sync in a process of its own that goes on when it is told to."""

    def __init__(self, state: str) -> None:
        self.steps, theirs = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=sync_by_steps, args=(state, theirs))
        self.process.start()
        theirs.close()
        self.wait()

    def wait(self) -> None:
        assert self.steps.poll(60)
        assert self.steps.recv() == "waits"

    def step(self) -> None:
        self.steps.send("go on")
        self.wait()

    def end(self) -> None:
        # The items, and the batches.
        for _ in range(1 + FILES // BATCH):
            self.step()
        self.steps.send("go on")
        self.process.join(60)


@pytest.fixture
def stepped(large: Commands) -> Iterator[Stepped]:
    stepped = Stepped(large.state)
    try:
        yield stepped
    finally:
        stepped.process.kill()
        stepped.process.join(60)
        stepped.steps.close()


def test_of_two_syncs_one_runs_and_one_says_who_does(large: Commands, stepped: Stepped) -> None:
    _, said = large.run("sync", "drive", code=3)
    assert f"'drive' is being synced by process {stepped.process.pid} on " in said
    stepped.end()
    assert stepped.process.exitcode == 0
    [run] = large.json("activity", "drive")
    assert run["changes"] == {"new file": FILES, "new sidecar": FILES}


def test_a_run_in_another_process_shows_how_far_it_is(large: Commands, stepped: Stepped) -> None:
    [run] = large.json("activity", "drive")
    assert (run["status"], run["stage"]) == ("running", "list")
    # A page of the listing, the items, and a batch.
    for _ in range(2):
        stepped.step()
    [run] = large.json("activity", "drive")
    assert (run["status"], run["stage"], run["keysListed"]) == ("running", "apply", 2 * FILES)
    assert (run["uploadJobsUnitsDone"], run["uploadJobsUnitsPending"]) == (BATCH, FILES - BATCH)
    assert (run["uploadJobsDone"], run["uploadJobsPending"]) == (1, FILES // BATCH - 1)


def wait_until(state: State, query: sa.Select[Any], process: "subprocess.Popen[str]") -> None:
    deadline = monotonic() + 60
    while True:
        with state.read() as connection:
            if connection.scalar(query):
                return
        assert process.poll() is None, "the sync was through"
        assert monotonic() < deadline
        sleep(0.005)


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_sync_that_is_asked_to_end_does_so_at_a_batch_and_the_next_goes_on(
    large: Commands, asked: signal.Signals
) -> None:
    with large.start("sync", "drive") as process:
        with State(large.state) as state:
            some = sa.select(sa.func.count()).where(label_rows.c.status == "made")
            wait_until(state, some, process)
        process.send_signal(asked)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + asked
    assert "cancelled after" in said
    [run] = large.json("activity", "drive")
    assert run["status"] == "cancelled"
    assert run["uploadJobsUnitsDone"] % BATCH == 0
    assert run["uploadJobsUnitsDone"] + run["uploadJobsUnitsCancelled"] == FILES
    rest = large.json("sync", "drive")
    assert rest["filesRead"] == run["uploadJobsUnitsCancelled"] > 0
    assert large.json("show", "drive")["labelled"] == FILES


def test_serve_syncs_what_is_due_until_it_is_stopped(small: Commands) -> None:
    small.run("configure", "drive", "--auto-sync")
    with State(small.state) as state:
        with state.write() as connection:
            connection.execute(sa.text("UPDATE folders SET due_at = '2026-01-01T00:00:00.000Z'"))
        process = small.start("serve", "--json")
        ended = sa.select(sa.func.count()).where(runs.c.status == "done")
        wait_until(state, ended, process)
    process.send_signal(signal.SIGTERM)
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "drive: " in said
    assert "new file 20" in said
    line = json.loads(printed)
    assert (line["folder"], line["status"], line["changes"]["new file"]) == ("drive", "done", 20)
    [run] = small.json("activity", "drive")
    assert (run["trigger"], run["status"]) == ("schedule", "done")
