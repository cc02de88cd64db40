"""The folders of a state while several processes enter, change and remove them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import pytest
import sqlalchemy as sa

from labelingest.errors import ConfigError
from labelingest.folders import FolderSettings, LockedError, State, SyncedFolder
from labelingest.folders.state.folders import enter_folder, remove_folder
from labelingest.folders.state.lock import take_lock
from labelingest.folders.state.runs import begin_run
from labelingest.folders.state.tables import folders, locks

SETTINGS = FolderSettings("/data", "/rows")


@pytest.fixture
def state(state_url: str) -> Iterator[State]:
    with State(state_url) as state:
        yield state


def wait_until_one_waits(state: State) -> None:
    """Wait until a transaction waits for another."""
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _ in range(500):
        with state.read() as connection:
            if connection.scalar(waiting):
                return
        sleep(0.01)
    pytest.fail("none waits")


def test_of_two_that_enter_a_name_at_once_one_is_told_that_it_is_taken(
    postgresql_state: str,
) -> None:
    row = {"name": "drive", "settings": SETTINGS.to_json(), "created_at": "2026", "generation": 0}
    with State(postgresql_state) as state, ThreadPoolExecutor(1) as pool:
        with state.write() as connection:
            connection.execute(folders.insert().values(row))
            second = pool.submit(enter_folder, state, "drive", SETTINGS)
            wait_until_one_waits(state)
        with pytest.raises(ConfigError, match="there is a folder 'drive' already"):
            second.result(60)


def test_who_changes_one_setting_leaves_those_that_another_changed_meanwhile(
    state: State, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    settings = FolderSettings(str(tmp_path / "data"), str(tmp_path / "rows"))
    first = SyncedFolder.create("drive", settings, state=state)
    second = SyncedFolder("drive", state=state)
    first.configure(description="north")
    assert second.configure(auto_sync_hours=5).description == "north"


def test_two_changes_at_once_are_made_one_after_the_other(
    tmp_path: Path, postgresql_state: str
) -> None:
    (tmp_path / "data").mkdir()
    settings = FolderSettings(str(tmp_path / "data"), str(tmp_path / "rows"))
    with State(postgresql_state) as state, ThreadPoolExecutor(1) as pool:
        folder = SyncedFolder.create("drive", settings, state=state)
        with state.write() as connection:
            changed_settings = settings.changed(description="north").to_json()
            connection.execute(folders.update().values(settings=changed_settings))
            second = pool.submit(folder.configure, auto_sync_hours=5)
            wait_until_one_waits(state)
        assert second.result(60).description == "north"


def test_a_folder_is_not_removed_by_one_who_waited_for_a_run_to_begin(
    postgresql_state: str,
) -> None:
    with State(postgresql_state) as state, ThreadPoolExecutor(1) as pool:
        folder = enter_folder(state, "drive", SETTINGS)
        with state.write() as connection:
            run = begin_run(connection, folder.id, "manual")
            removal = pool.submit(remove_folder, state, folder)
            wait_until_one_waits(state)
            holder = {"host": "host-b", "space": "", "pid": 1, "born": ""}
            times = {"since": run.started_at, "heartbeat": run.started_at}
            connection.execute(
                locks.insert().values(folder_id=folder.id, run_id=run.id, **holder, **times)
            )
        with pytest.raises(LockedError, match="on host-b since"):
            removal.result(60)


def test_the_numbers_of_a_folder_and_its_runs_are_not_given_to_another(state: State) -> None:
    folder = enter_folder(state, "drive", SETTINGS)
    with take_lock(state, folder.id, folder.name, "manual") as (_, before):
        pass
    remove_folder(state, folder)
    after = enter_folder(state, "drive", SETTINGS)
    assert after.id > folder.id
    with take_lock(state, after.id, after.name, "manual") as (_, later):
        assert later.id > before.id
