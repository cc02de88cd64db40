"""Two worker processes on one PostgreSQL: nothing is lost, nothing is done twice."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from labelingest.folders import LockedError, State, Status, SyncedFolder
from tests.builders.processes import PROCESSES
from tests.builders.synced import World, contents

BOX = "0 0.5 0.5 0.25 {}"
ROUNDS = 10
FILES = 5


def work(url: str, orders: Connection) -> None:
    """Sync folders by name until told to end; where asked to, wait while holding the lock."""
    with State(url) as state:
        for name, holds in iter(orders.recv, None):
            asked = iter([holds])

            def wait(asked: Iterator[bool] = asked) -> bool:
                if next(asked, False):
                    orders.send("holds")
                    orders.recv()
                return False

            try:
                run = SyncedFolder(name, state=state).sync(cancelled=wait)
                orders.send((run.counters.files_read, run.counters.files_written))
            except LockedError as error:
                orders.send(str(error))


class Worker:
    """One worker process, which takes orders."""

    def __init__(self, url: str) -> None:
        self.orders, theirs = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=work, args=(url, theirs))
        self.process.start()
        theirs.close()

    def order(self, name: str, *, hold: bool = False) -> None:
        self.orders.send((name, hold))

    def hears(self) -> Any:
        assert self.orders.poll(60)
        return self.orders.recv()

    def go_on(self) -> None:
        self.orders.send(None)

    def sync(self, name: str) -> Any:
        self.order(name)
        return self.hears()


@contextmanager
def worker(url: str) -> Iterator[Worker]:
    started = Worker(url)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.join(60)
        started.orders.close()


@pytest.fixture
def workers(postgresql_state: str) -> Iterator[tuple[Worker, Worker]]:
    with ExitStack() as stack:
        first, second = (stack.enter_context(worker(postgresql_state)) for _ in range(2))
        yield first, second


@pytest.fixture
def state(postgresql_state: str) -> Iterator[State]:
    with State(postgresql_state) as state:
        yield state


class Folder(World):
    """One folder whose label files are all changed again and again."""

    def __init__(self, root: Path, state: State, name: str) -> None:
        super().__init__(root / name, state)
        self.synced = self.folder(name)
        self.turns = 0

    def change(self) -> None:
        self.turns += 1
        for number in range(FILES):
            if self.turns == 1:
                self.image(f"{number}.jpg")
            self.write(f"{number}.txt", BOX.format(f"0.{self.turns + number:04}"))

    def is_in_step(self) -> bool:
        rows = contents(self.rows)
        assert len(rows) == FILES
        made = [box_height(rows[f"{number}.jpg.encord.json"]) for number in range(FILES)]
        assert made == [float(f"0.{self.turns + number:04}") for number in range(FILES)]
        return self.synced.plan().changes == {}


def box_height(row: bytes) -> float:
    [unit] = json.loads(row)["data_units"].values()
    [found] = unit["labels"]["objects"]
    return float(found["boundingBox"]["h"])


def test_two_folders_are_synced_at_the_same_time(
    tmp_path: Path, state: State, workers: tuple[Worker, Worker]
) -> None:
    folders = [Folder(tmp_path, state, name) for name in ("a", "b")]
    for _ in range(ROUNDS):
        for folder, its in zip(folders, workers, strict=True):
            folder.change()
            its.order(folder.synced.name)
        assert [its.hears() for its in workers] == [(FILES, FILES)] * 2
        assert all(folder.is_in_step() for folder in folders)


def test_of_one_folder_one_worker_syncs_and_the_other_is_refused(
    tmp_path: Path, state: State, workers: tuple[Worker, Worker]
) -> None:
    folder = Folder(tmp_path, state, "a")
    for turn in range(4):
        folder.change()
        first, second = workers if turn % 2 else workers[::-1]
        first.order("a", hold=True)
        assert first.hears() == "holds"
        refused = second.sync("a")
        assert refused.startswith(f"'a' is being synced by process {first.process.pid} on ")
        first.go_on()
        assert first.hears() == (FILES, FILES)
        assert second.sync("a") == (0, 0)
        assert folder.is_in_step()
    assert all(run.status is Status.DONE for run in folder.synced.activity(100))


def test_of_two_that_come_at_the_same_moment_each_label_row_is_made_by_one(
    tmp_path: Path, state: State, workers: tuple[Worker, Worker]
) -> None:
    folder = Folder(tmp_path, state, "a")
    for _ in range(ROUNDS):
        folder.change()
        for its in workers:
            its.order("a")
        heard = [its.hears() for its in workers]
        done = [counts for counts in heard if not isinstance(counts, str)]
        assert sorted(done, reverse=True) == [(FILES, FILES), (0, 0)][: len(done)]
        assert folder.is_in_step()


def test_the_lock_of_a_worker_that_is_killed_is_taken_over_at_once(
    tmp_path: Path, state: State, postgresql_state: str, workers: tuple[Worker, Worker]
) -> None:
    folder = Folder(tmp_path, state, "a")
    _, heir = workers
    for _ in range(2):
        folder.change()
        with worker(postgresql_state) as killed:
            killed.order("a", hold=True)
            assert killed.hears() == "holds"
        assert heir.sync("a") == (FILES, FILES)
        assert folder.is_in_step()
    ends = [run.status for run in folder.synced.activity()]
    assert ends == [Status.DONE, Status.ERROR] * 2
