"""Who has a folder: the living are waited for, the dead are not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from labelingest.errors import ConfigError
from labelingest.folders import FolderSettings, LockedError, State, Status, SyncedFolder
from labelingest.folders.state.clock import later, now, seconds_between
from labelingest.folders.state.folders import (
    FolderRecord,
    enter_folder,
    list_folders,
    remove_folder,
)
from labelingest.folders.state.lock import Holder, list_runs, take_lock
from labelingest.folders.state.runs import RunRecord, stored_runs
from labelingest.folders.state.tables import locks, runs


@pytest.fixture
def state(state_url: str) -> Iterator[State]:
    with State(state_url) as state:
        yield state


@pytest.fixture
def folder(state: State) -> FolderRecord:
    return enter_folder(state, "drive", FolderSettings("/data", "/rows"))


def run_in(state: State, folder: FolderRecord) -> RunRecord:
    with take_lock(state, folder.id, folder.name, "manual") as (_, run):
        return run


def hold(state: State, folder: FolderRecord, holder: Holder, heartbeat: str) -> int:
    """Enter a lock as another process would have left it; return its run."""
    run = run_in(state, folder)
    with state.write() as connection:
        connection.execute(
            locks.insert().values(
                folder_id=folder.id,
                run_id=run.id,
                host=holder.host,
                space=holder.space,
                pid=holder.pid,
                born=holder.born,
                since=heartbeat,
                heartbeat=heartbeat,
            )
        )
    return run.id


def test_a_lock_is_free_again_after_its_block(state: State, folder: FolderRecord) -> None:
    first, second = run_in(state, folder), run_in(state, folder)
    assert second.id > first.id


def test_a_living_process_of_this_machine_is_waited_for_however_silent(
    state: State, folder: FolderRecord
) -> None:
    hold(state, folder, Holder.this_process(), later(now(), -86_400))
    with pytest.raises(LockedError, match=f"'drive' is being synced by process {os.getpid()} on "):
        run_in(state, folder)


def test_a_dead_process_of_this_machine_is_succeeded_at_once(
    state: State, folder: FolderRecord
) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    before = hold(state, folder, replace(Holder.this_process(), pid=dead.pid), now())
    after = run_in(state, folder)
    with state.read() as connection:
        runs = {run.id: run for run in stored_runs(connection, folder.id, 10)}
    assert runs[before].status is Status.ERROR
    assert f"run {after.id} continued it" in str(runs[before].message)


def test_a_process_that_got_the_number_of_a_dead_one_is_not_taken_for_it(
    state: State, folder: FolderRecord
) -> None:
    if not Holder.this_process().born:
        pytest.skip("this system does not say when a process began")
    hold(state, folder, replace(Holder.this_process(), born="1"), now())
    run_in(state, folder)


def test_processes_are_told_apart_by_when_they_began() -> None:
    if not Holder.this_process().born:
        pytest.skip("this system does not say when a process began")
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as later_one:
        assert Holder.this_process().is_alive()
        assert not replace(Holder.this_process(), pid=later_one.pid).is_alive()
        later_one.communicate(b"\n")


@pytest.mark.parametrize(("silent", "dead"), [(100, False), (1000, True)])
def test_of_a_process_elsewhere_the_heartbeat_decides(
    state: State, folder: FolderRecord, silent: float, dead: bool
) -> None:
    # The number of this process, which lives: on another machine it means nothing.
    elsewhere = replace(Holder.this_process(), host="host-b", space="another boot")
    hold(state, folder, elsewhere, later(now(), -silent))
    if dead:
        run_in(state, folder)
    else:
        with pytest.raises(LockedError, match="on host-b since"):
            run_in(state, folder)


def test_a_process_in_another_container_of_this_host_is_not_looked_up(
    state: State, folder: FolderRecord
) -> None:
    hold(
        state,
        folder,
        replace(Holder.this_process(), space="another namespace", pid=999_999_999),
        now(),
    )
    with pytest.raises(LockedError):
        run_in(state, folder)


def test_who_lost_the_lock_commits_nothing_any_more(state: State, folder: FolderRecord) -> None:
    with take_lock(state, folder.id, folder.name, "manual") as (lock, _):
        with state.write() as connection:
            connection.execute(locks.delete())
        with (
            pytest.raises(LockedError, match="another took its place"),
            state.write() as connection,
        ):
            lock.confirm(connection)


@pytest.mark.parametrize("state_url", ["postgresql"], indirect=True)
def test_machines_that_share_a_database_go_by_its_clock(
    state: State, folder: FolderRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(state, folder, replace(Holder.this_process(), host="host-b"), now())
    monkeypatch.setattr("labelingest.folders.state.lock.now", lambda: later(now(), 3600))
    with pytest.raises(LockedError, match="on host-b since"):
        run_in(state, folder)
    with state.write() as connection:
        connection.execute(locks.delete())
    with take_lock(state, folder.id, folder.name, "manual") as (lock, _):
        for _ in range(2):
            with state.read() as connection:
                heartbeat = connection.scalars(sa.select(locks.c.heartbeat)).one()
            assert abs(seconds_between(heartbeat, now())) < 60
            lock.beat()


def test_a_folder_whose_lock_is_held_is_not_removed(state: State, folder: FolderRecord) -> None:
    with (
        take_lock(state, folder.id, folder.name, "manual"),
        pytest.raises(LockedError, match="'drive' is being synced by process"),
    ):
        remove_folder(state, folder)
    remove_folder(state, folder)
    assert list_folders(state) == []


def test_a_run_of_a_folder_that_was_just_removed_does_not_begin(
    state: State, folder: FolderRecord
) -> None:
    remove_folder(state, folder)
    with pytest.raises(ConfigError, match="'drive' was just removed"):
        run_in(state, folder)


def test_a_run_whose_process_is_dead_is_not_shown_as_running(
    state: State, folder: FolderRecord
) -> None:
    run = hold(state, folder, Holder.this_process(), now())
    with SyncedFolder("drive", state=state) as synced:
        assert [(record.id, record.status) for record in synced.activity()] == [
            (run, Status.RUNNING)
        ]
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        with state.write() as connection:
            connection.execute(locks.update().values(pid=dead.pid))
        [record] = synced.activity()
        assert (record.id, record.status) == (run, Status.ERROR)
        assert f"its process {dead.pid} on " in str(record.message)
        assert synced.summary().last_run == record


@pytest.mark.parametrize("status", [Status.DONE, Status.CANCELLED])
def test_a_run_that_came_to_its_end_is_over_though_its_dead_process_left_the_lock(
    state: State, folder: FolderRecord, status: Status
) -> None:
    began = later(now(), -7200)
    run = hold(
        state, folder, replace(Holder.this_process(), host="host-b", space="another boot"), began
    )
    with state.write() as connection:
        ended = {"status": status.value, "ended_at": later(began, 60), "message": "as it was"}
        connection.execute(runs.update().values(ended))
    with state.read() as connection:
        [record] = list_runs(connection, folder.id, 10)
    assert (record.id, record.status) == (run, status)
    assert (record.ended_at, record.message) == (later(began, 60), "as it was")


def test_only_the_run_that_has_the_lock_is_judged_by_its_process(
    state: State, folder: FolderRecord
) -> None:
    dead = replace(Holder.this_process(), host="host-b", space="another boot")
    other = run_in(state, folder)
    run = hold(state, folder, dead, later(now(), -7200))
    with state.write() as connection:
        connection.execute(runs.update().values(status=Status.RUNNING.value))
    with state.read() as connection:
        last, first = list_runs(connection, folder.id, 10)
    assert [(last.id, last.status), (first.id, first.status)] == [
        (run, Status.ERROR),
        (other.id, Status.RUNNING),
    ]


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_died_run_ended_with_its_last_heartbeat_but_never_before_it_began(
    state: State, folder: FolderRecord, hours: int
) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    heartbeat = later(now(), 3600 * hours)
    hold(state, folder, replace(Holder.this_process(), pid=dead.pid), heartbeat)
    with state.read() as connection:
        [record] = list_runs(connection, folder.id, 10)
    assert record.ended_at == (heartbeat if hours > 0 else record.started_at)
