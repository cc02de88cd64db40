"""When folders run: due ones once, missed moments made up for once, cut ones again."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from labelingest.errors import StorageError
from labelingest.folders import RunRecord, State, Status, SyncedFolder
from labelingest.folders.schedule import serve
from labelingest.folders.state.clock import later, now, seconds_between
from labelingest.folders.state.folders import FolderRecord, find_folder
from labelingest.folders.state.lock import take_lock
from labelingest.folders.state.tables import folders
from labelingest.model.listing import Listing
from labelingest.storage import LocalStorage
from tests.builders.states import new_sqlite
from tests.builders.synced import CountingStorage, World


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(new_sqlite(tmp_path / "state.sqlite")) as state:
        yield state


@pytest.fixture
def world(tmp_path: Path, state: State) -> World:
    world = World(tmp_path, state)
    world.image("a.jpg")
    return world


def served(
    world: World, stopped: Callable[[], bool] = lambda: False
) -> tuple[list[RunRecord], list[float]]:
    """Serve until there is nothing due; return the runs, and the seconds it would have waited."""
    runs: list[RunRecord] = []
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return True

    def on_run(_: FolderRecord, run: RunRecord) -> None:
        runs.append(run)

    serve(world.state, wait=wait, stopped=stopped, open_storage=world.open, on_run=on_run)
    return runs, waits


def make_due(world: World, hours_ago: float) -> str:
    due = later(now(), -3600 * hours_ago)
    with world.state.write() as connection:
        connection.execute(folders.update().values(due_at=due))
    return due


def due_of(folder: SyncedFolder) -> str:
    return str(find_folder(folder.state, folder.name).due_at)


def test_a_new_folder_is_due_at_once_and_then_a_day_later(world: World) -> None:
    folder = world.folder(auto_sync_hours=24)
    first = due_of(folder)
    [run], [waited] = served(world)
    assert (run.trigger, run.status) == ("schedule", Status.DONE)
    assert seconds_between(first, due_of(folder)) == 24 * 3600
    assert waited == 30
    assert served(world)[0] == []


def test_missed_moments_are_made_up_for_once_and_the_clock_does_not_drift(world: World) -> None:
    folder = world.folder(auto_sync_hours=24)
    due = make_due(world, hours_ago=60)
    [_], _ = served(world)
    assert seconds_between(due, due_of(folder)) == 3 * 24 * 3600


def test_of_two_processes_that_find_a_folder_due_one_runs_it(world: World) -> None:
    folder = world.folder(auto_sync_hours=24)
    first = due_of(folder)
    served(world)
    world.requests()
    # The other one looked before, and waited for the lock.
    run = folder.sync(trigger="schedule")
    assert run.message == "it is not due any more: another process was faster"
    assert world.requests() == {}
    assert seconds_between(first, due_of(folder)) == 24 * 3600


def test_a_schedule_that_is_switched_off_while_it_runs_stays_off(world: World) -> None:
    folder = world.folder(auto_sync_hours=24)

    def switch_off() -> bool:
        folder.configure(auto_sync_hours=None)
        return False

    assert folder.sync(trigger="schedule", cancelled=switch_off).status is Status.DONE
    assert find_folder(folder.state, folder.name).due_at is None


def test_a_manual_sync_does_not_move_the_schedule(world: World) -> None:
    folder = world.folder(auto_sync_hours=24)
    due = make_due(world, hours_ago=-2)
    folder.sync()
    assert due_of(folder) == due
    assert served(world)[0] == []


def test_a_folder_without_a_schedule_is_left_alone(world: World) -> None:
    world.folder()
    assert served(world) == ([], [30])


def test_a_run_that_was_cut_short_is_still_due(world: World) -> None:
    folder = world.folder(auto_sync_hours=24)
    due = make_due(world, hours_ago=1)
    calls = iter([False, False, True])
    [run], _ = served(world, stopped=lambda: next(calls, True))
    assert run.status is Status.CANCELLED
    assert due_of(folder) == due
    [run], _ = served(world)
    assert run.status is Status.DONE


def test_after_the_end_was_asked_for_no_other_folder_begins(world: World, tmp_path: Path) -> None:
    world.folder("first", auto_sync_hours=24)
    other = World(tmp_path / "other", world.state)
    second = other.folder("second", auto_sync_hours=24)
    damage(world, "first", due_at=later(now(), -7200))
    damage(world, "second", due_at=later(now(), -3600))
    runs: list[tuple[str, Status]] = []
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return True

    serve(
        world.state,
        wait=wait,
        stopped=lambda: bool(runs),
        open_storage=world.open,
        on_run=lambda folder, run: runs.append((folder.name, run.status)),
    )
    assert runs == [("first", Status.DONE)]
    assert second.activity() == []
    assert waits == []


def test_a_run_that_failed_waits_for_its_next_moment(world: World) -> None:
    folder = world.folder(auto_sync_hours=24)
    due = make_due(world, hours_ago=1)
    world.remove("a.jpg")
    world.data.rmdir()
    assert served(world)[0] == []
    assert seconds_between(due, due_of(folder)) == 24 * 3600
    [failed] = folder.activity()
    assert failed.status is Status.ERROR
    with pytest.raises(StorageError):
        folder.sync()


def test_a_folder_that_another_process_syncs_stays_due(world: World) -> None:
    folder = world.folder(auto_sync_hours=24)
    due = make_due(world, hours_ago=1)
    with take_lock(world.state, folder.record.id, folder.name, "manual"):
        assert served(world) == ([], [30])
    assert due_of(folder) == due


def test_the_next_moment_is_waited_for_and_not_missed(world: World) -> None:
    world.folder(auto_sync_hours=24)
    make_due(world, hours_ago=-10 / 3600)
    _, [waited] = served(world)
    assert 5 < waited <= 10


def test_switching_the_schedule_on_sets_the_first_moment(world: World) -> None:
    folder = world.folder()
    folder.configure(auto_sync_hours=24)
    assert 23.9 * 3600 < seconds_between(now(), due_of(folder)) <= 24 * 3600
    folder.configure(auto_sync_hours=None)
    with world.state.read() as connection:
        assert connection.scalar(sa.select(folders.c.due_at)) is None


def test_a_sync_that_fails_in_a_way_nobody_foresaw_does_not_end_the_service(
    world: World, tmp_path: Path
) -> None:
    class Broken(LocalStorage):
        def list(self, **options: Any) -> Iterator[Listing]:
            raise ZeroDivisionError("pages of no keys")

    broken = world.folder("broken", auto_sync_hours=24)
    world.storages[str(world.data)] = CountingStorage(Broken(str(world.data)))
    due = make_due(world, hours_ago=1)
    other = World(tmp_path / "other", world.state)
    other.folder("other", auto_sync_hours=24)
    runs, waits = served(world)
    assert [run.status for run in runs] == [Status.DONE]
    assert waits == [30]
    [failed] = broken.activity()
    assert (failed.status, failed.message) == (Status.ERROR, "unexpected ZeroDivisionError")
    assert seconds_between(due, due_of(broken)) == 24 * 3600


def test_a_moment_that_a_wrong_clock_set_is_not_waited_for(world: World) -> None:
    folder = world.folder(auto_sync_hours=24)
    make_due(world, hours_ago=-10 * 365 * 24)
    [run], _ = served(world)
    assert run.status is Status.DONE
    assert run.message is None
    assert 23.9 * 3600 < seconds_between(now(), due_of(folder)) <= 24 * 3600


def test_setting_the_schedule_again_brings_a_moment_near_but_never_puts_it_off(
    world: World,
) -> None:
    folder = world.folder(auto_sync_hours=24)
    make_due(world, hours_ago=-10 * 365 * 24)
    folder.configure(auto_sync_hours=24)
    assert 23.9 * 3600 < seconds_between(now(), due_of(folder)) <= 24 * 3600
    due = make_due(world, hours_ago=-2)
    folder.configure(auto_sync_hours=24)
    assert due_of(folder) == due


# --- schedules that somebody damaged ---


def damage(world: World, name: str, **values: object) -> None:
    with world.state.write() as connection:
        connection.execute(folders.update().where(folders.c.name == name).values(**values))


def test_a_moment_without_a_schedule_is_not_waited_for(world: World) -> None:
    world.folder()
    make_due(world, hours_ago=1)
    assert served(world) == ([], [30])


@pytest.mark.parametrize("due", [None, "1970-01-01T00:00:00.000Z", "8999-12-31T23:59:59.999Z"])
@pytest.mark.parametrize("hours", [24, 1e-300, 8_760])
def test_a_moment_far_away_or_none_is_due_at_once_and_set_again(
    world: World, due: str | None, hours: float
) -> None:
    folder = world.folder(auto_sync_hours=hours)
    damage(world, "drive", due_at=due)
    [run], [_] = served(world)
    assert run.status is Status.DONE
    assert run.message is None
    # A moment of the distant past is one: the schedule keeps its hour.
    assert -300 < seconds_between(now(), due_of(folder)) <= max(hours * 3600, 1)


HOURS = ["0", "-24", "1e999", '"24"', "[]", "NaN", "8761"]
MOMENTS = ["soon", "", "2026-01-01", "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"]


@pytest.mark.parametrize(
    ("hours", "due"), [*((h, None) for h in HOURS), *(("24", moment) for moment in MOMENTS)]
)
def test_a_folder_whose_schedule_cannot_be_read_is_named_once_and_passed_over(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture, hours: str, due: str | None
) -> None:
    world.folder("damaged", auto_sync_hours=24)
    settings = find_folder(world.state, "damaged").settings.to_json()
    other = World(tmp_path / "other", world.state)
    other.folder("other", auto_sync_hours=24)
    # By its key: the path in the settings may hold the same digits.
    damaged = settings.replace('"auto_sync_hours":24', f'"auto_sync_hours":{hours}')
    assert (damaged == settings) == (hours == "24")
    damage(world, "damaged", settings=damaged, due_at=due)
    runs, waits = served(other)
    assert [run.status for run in runs] == [Status.DONE]
    assert waits == [30]
    [warning] = [record for record in caplog.records if "passed over" in record.getMessage()]
    assert warning.getMessage().startswith("damaged: ")
