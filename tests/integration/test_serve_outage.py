"""`serve` while the database is away: a real server that is stopped, a real file that is locked."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from labelingest.folders import RunRecord, State, Status, SyncedFolder
from labelingest.folders.schedule import serve
from tests.builders.databases import out_of_service
from tests.builders.synced import World, contents

Outage = Callable[[], AbstractContextManager[None]]


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Write to an SQLite file for a long time."""
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        yield


@pytest.fixture
def outage(state_url: str, monkeypatch: pytest.MonkeyPatch) -> Outage:
    """Return what makes the database of the state fail while a block lasts."""
    if state_url.startswith("postgresql"):
        return lambda: out_of_service(state_url)
    monkeypatch.setattr("labelingest.folders.state.database._PATIENCE", 0.05)
    return lambda: locked(state_url.removeprefix("sqlite:///"))


@pytest.fixture
def folder(tmp_path: Path, state_url: str, outage: Outage) -> Iterator[SyncedFolder]:
    with State(state_url) as state:
        world = World(tmp_path, state)
        for number in range(3):
            world.image(f"{number}.jpg")
            world.write(f"{number}.txt", "0 0.5 0.5 0.25 0.5")
        yield world.folder(auto_sync_hours=24)


class Served:
    """Serves one state; the database is away from some moment on, for three tries."""

    def __init__(self, state: State, outage: Outage) -> None:
        self.state = state
        self.away = outage()
        self.is_away = False
        self.waits: list[float] = []
        self.runs: list[RunRecord] = []

    def begin(self) -> None:
        self.away.__enter__()
        self.is_away = True

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        if self.is_away and len(self.waits) == 3:
            self.away.__exit__(None, None, None)
            self.is_away = False
            return False
        return not self.is_away

    def serve(self, stopped: Callable[[], bool] = lambda: False) -> None:
        serve(
            self.state,
            wait=self.wait,
            stopped=stopped,
            on_run=lambda folder, run: self.runs.append(run),
        )


def test_what_is_due_while_the_database_is_away_is_run_when_it_is_back(
    folder: SyncedFolder, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    served = Served(folder.state, outage)
    served.begin()
    served.serve()
    # Three tries, each after twice as long; then half a minute, as there is nothing else.
    assert served.waits == [1, 2, 4, 30]
    [run] = served.runs
    assert (run.status, run.trigger) == (Status.DONE, "schedule")
    first, last = caplog.messages
    assert first.startswith(f"the state {folder.state.url!r} failed: ")
    assert first.endswith("; trying again until it is back")
    assert last == f"the state {folder.state.url!r} is back"


def test_a_run_that_loses_the_database_is_made_up_for_when_it_is_back(
    folder: SyncedFolder, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelingest.folders.sync.apply._FILES", 1)
    served = Served(folder.state, outage)
    rows = Path(folder.settings.output)

    def lose_it_after_a_label_row() -> bool:
        if not served.waits and not served.is_away and contents(rows):
            served.begin()
        return False

    served.serve(lose_it_after_a_label_row)
    assert served.waits == [1, 2, 4, 30]
    [run] = served.runs
    assert run.status is Status.DONE
    # One label row was made, and committed, before.
    assert run.counters.changes == {"an earlier sync did not get to it": 2}
    assert len(contents(rows)) == 3
    _, lost = folder.activity()
    assert lost.status is Status.ERROR
    assert "lost the database" in str(lost.message)
    assert folder.plan().changes == {}


def test_a_service_that_is_asked_to_end_while_the_database_is_away_does(
    folder: SyncedFolder, outage: Outage
) -> None:
    served = Served(folder.state, outage)
    served.begin()
    serve(folder.state, wait=lambda seconds: True, stopped=lambda: False)
    served.away.__exit__(None, None, None)
    assert folder.activity() == []
