"""What is counted of a folder and of its runs, number by number."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labelingest.folders import State, Status, SyncedFolder
from labelingest.folders.state.runs import Counters, RunRecord
from labelingest.folders.state.summary import Summary, summarise
from labelingest.problems import Problem, ProblemCode
from tests.builders.states import new_sqlite
from tests.builders.synced import BOX, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with State(new_sqlite(tmp_path / "state.sqlite")) as state:
        yield World(tmp_path, state)


def filled(world: World) -> SyncedFolder:
    """Return a folder of five images: three have labels, of which one is good."""
    for name in "abcde":
        world.image(f"{name}.jpg")
    world.write("a.txt", BOX)
    world.write("b.txt", "0 x .5 .5 .5")
    world.write("c.txt", f"{BOX}\n{BOX}\n7 .5 .5 .5 .5")
    return world.folder(description="at night")


def summary_of(world: World, folder: SyncedFolder) -> Summary:
    return summarise(world.state, folder.record)


def counted(run: RunRecord) -> dict[str, Any]:
    """Return what is not 0 of a run."""
    return {name: value for name, value in run.counters.as_dict().items() if value}


def test_a_folder_that_was_never_synced_is_empty(world: World) -> None:
    summary = summary_of(world, filled(world))
    assert summary == Summary(
        *("drive", "at night", str(world.data), str(world.rows), "yolo", None, None, None)
    )
    assert summary.unlabelled == 0
    assert summary.as_dict()["last_run"] is None


def test_items_are_counted_by_how_they_stand(world: World) -> None:
    folder = filled(world)
    run = folder.sync()
    size = sum((world.data / f"{name}.jpg").stat().st_size for name in "abcde")
    summary = summary_of(world, folder)
    assert (summary.items, summary.size) == ({"image": 5}, size)
    assert (summary.labelled, summary.failed, summary.unfinished) == (3, 0, 0)
    assert (summary.deleted, summary.unlabelled) == (0, 2)
    assert summary.problems == {
        "duplicate-row": 1,
        "no-row-left": 1,
        "not-a-number": 1,
        "unknown-class": 1,
    }
    assert summary.last_run == run
    assert summary.as_dict()["unlabelled"] == 2
    assert summary.as_dict()["last_run"]["run"] == run.id
    world.remove("d.jpg")
    world.remove("a.jpg")
    world.remove("a.txt")
    folder.sync()
    summary = summary_of(world, folder)
    assert (summary.items, summary.deleted) == ({"image": 3}, 2)
    assert (summary.labelled, summary.unlabelled) == (2, 1)


def test_a_run_counts_what_it_did_and_nothing_else(world: World) -> None:
    run = filled(world).sync()
    sidecars = sum((world.data / f"{name}.txt").stat().st_size for name in "abc")
    bytes_written = sum(path.stat().st_size for path in world.rows.glob("*.encord.json"))
    assert (run.status, run.message) == (Status.DONE, None)
    classes = run.counters.classes
    assert [(c["number"], c["rows"], c["files"]) for c in classes["mapped"]] == [
        (0, 3, 2),
        (1, 0, 0),
        (2, 0, 0),
    ]
    assert (classes["label_rows"], classes["is_complete"]) == (3, True)
    run.counters.classes = {}
    assert counted(run) == {
        "scan_pages_processing_done": 1,
        "upload_jobs_done": 1,
        "upload_jobs_units_done": 3,  # of b and c a row was lost
        "upload_jobs_units_error": 2,
        "keys_listed": 8,
        "files_read": 3,
        "bytes_read": sidecars,
        "files_written": 3,
        "bytes_written": bytes_written,
        "label_rows_made": 3,
        "errors": 2,
        "warnings": 2,
        "changes": {"new file": 5, "new sidecar": 3},
    }


def test_problems_are_counted_by_their_severity() -> None:
    counters = Counters()
    problems = [
        Problem(ProblemCode.NOT_A_NUMBER, "a.txt", "x", count=3),
        Problem(ProblemCode.DUPLICATE_ROW, "a.txt", "x", count=5),
        Problem(ProblemCode.INTERNAL_ERROR, "b.txt", "first"),
        Problem(ProblemCode.INTERNAL_ERROR, "c.txt", "second", count=2),
    ]
    counters.count_problems(problems)
    assert (counters.errors, counters.warnings, counters.unexpected) == (6, 5, 3)
    assert counters.failure == str(problems[2])
    counters.count_problems(problems[:1])
    assert counters.errors == 9


@pytest.mark.parametrize(
    ("status", "counters", "code", "strict"),
    [
        (Status.DONE, Counters(), 0, 0),
        (Status.DONE, Counters(warnings=1), 0, 1),
        (Status.DONE, Counters(errors=1), 1, 1),
        (Status.DONE, Counters(withheld={"file gone": 1}), 1, 1),
        (Status.CANCELLED, Counters(), 1, 1),
        (Status.ERROR, Counters(), 1, 1),
        (Status.DONE, Counters(unexpected=1, errors=1), 3, 3),
    ],
)
def test_the_exit_code_says_how_a_run_ended(
    status: Status, counters: Counters, code: int, strict: int
) -> None:
    run = RunRecord(1, 1, "manual", status, counters=counters)
    assert (run.exit_code(), run.exit_code(strict=True)) == (code, strict)


def test_a_run_is_said_with_the_names_of_syncs() -> None:
    wire = RunRecord(7, 1, "plan", Status.RUNNING, "listing", "then").to_wire()
    assert wire.pop("run") == 7
    texts = {name: value for name, value in wire.items() if not isinstance(value, int)}
    assert {name: value for name, value in texts.items() if value} == {
        "trigger": "plan",
        "status": "running",
        "stage": "listing",
        "startedAt": "then",
    }
    assert wire["uploadJobsUnitsDone"] == wire["keysListed"] == 0
