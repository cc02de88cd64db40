"""One sync per folder at a time: a row says who has it, and a heartbeat that he is alive.

A holder on this machine is dead when its process is gone, or when its number belongs to a process
that began later. Of a holder elsewhere only the heartbeat is known: after some minutes of silence it
counts as dead. A holder that was only asleep finds out at its next commit, and gives up.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Event, Thread
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from labelingest.errors import ConfigError, StorageError
from labelingest.folders.state.clock import later, now
from labelingest.folders.state.database import State, StateFailedError
from labelingest.folders.state.runs import RunRecord, Status, begin_run, stored_runs
from labelingest.folders.state.stored_values import damaged, is_moment
from labelingest.folders.state.tables import locks, runs

__all__ = ["Holder", "Lock", "LockedError", "list_runs", "refuse_held", "take_lock"]

_BEAT: Final = 15.0
"""Seconds between signs of life."""
_SILENCE: Final = 180.0
"""Seconds without one after which a holder on another machine counts as dead."""
_GIVEN_UP: Final[set[tuple[str, int, str]]] = set()
"""State, run and begin of locks that this process could not give back, as the database failed."""


class LockedError(StorageError):
    """Another process syncs this folder.

    Examples
    --------
    >>> raise LockedError("'drive' is being synced by process 7 on host-a since …")
    Traceback (most recent call last):
    labelingest.folders.state.lock.LockedError: 'drive' is being synced by process 7 on host-a since …
    """


@dataclass(frozen=True, slots=True)
class Holder:
    """A process, and where its number means something."""

    host: str
    space: str
    pid: int
    born: str

    @classmethod
    def this_process(cls) -> "Holder":
        """Return this process."""
        pid = os.getpid()
        return cls(socket.gethostname(), _space(), pid, _born(pid))

    def is_here(self) -> bool:
        """Whether its number can be looked up by this process."""
        return self.space == _space() and self.host == socket.gethostname()

    def is_alive(self) -> bool:
        """Whether it runs; asked only if it is here."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass  # it runs, as another user
        return _born(self.pid) == self.born


@cache
def _space() -> str:
    """Return this boot of the machine and the namespace of process numbers (containers)."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return ""


def _born(pid: int) -> str:
    """Return when a process began, in ticks since the boot; "" where that cannot be told."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    # The name of the program, in brackets, may hold anything.
    fields = stat.rpartition(b")")[2].split()
    return "" if fields[0] == b"Z" else fields[19].decode()


@dataclass(slots=True)
class Lock:
    """The lock of a folder, held by one run."""

    state: State
    folder_id: int
    run_id: int

    @property
    def _is_mine(self) -> sa.ColumnElement[bool]:
        return (locks.c.folder_id == self.folder_id) & (locks.c.run_id == self.run_id)

    def confirm(self, connection: Connection) -> None:
        """Note a sign of life in a transaction that writes; a lock that was lost ends the run.

        Raises
        ------
        LockedError
            It was taken over meanwhile.
        """
        beat = locks.update().where(self._is_mine).values(heartbeat=_present(connection))
        result = connection.execute(beat)
        if not result.rowcount:
            raise LockedError(
                "this sync was silent for so long that another took its place: it ends here, and "
                "the other goes on"
            )

    def beat(self) -> None:
        """Note a sign of life, if the database is free."""
        with suppress(SQLAlchemyError, StorageError), self.state.write() as connection:
            self.confirm(connection)

    def give_back(self) -> None:
        """Free the folder for the next run."""
        with self.state.write() as connection:
            connection.execute(locks.delete().where(self._is_mine))


@contextmanager
def take_lock(
    state: State, folder_id: int, name: str, trigger: str
) -> Iterator[tuple[Lock, RunRecord]]:
    """Begin a run under the lock of its folder; the lock is given back when the block ends.

    Yields
    ------
    lock
        The lock, which the run confirms whenever it writes.
    run
        The record of the run that begins.

    Raises
    ------
    LockedError
        Another run has the lock.
    ConfigError
        The folder was removed from the state in the meantime.
    """
    with state.write() as connection:
        try:
            run = begin_run(connection, folder_id, trigger)
        except IntegrityError as error:
            raise ConfigError(f"the folder {name!r} was just removed from the state") from error
        run.status = Status.RUNNING
        _enter(connection, state.url, run, name)
        connection.execute(
            runs.update().where(runs.c.id == run.id).values(status=Status.RUNNING.value)
        )
    lock = Lock(state, folder_id, run.id)
    stopped = Event()
    thread = Thread(target=_beat, args=(lock, stopped), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield lock, run
    finally:
        stopped.set()
        thread.join()
        try:
            lock.give_back()
        except StateFailedError:
            _GIVEN_UP.add((state.url, run.id, run.started_at))
            raise


def _beat(lock: Lock, stopped: Event) -> None:
    while not stopped.wait(_BEAT):
        lock.beat()


def _enter(connection: Connection, state: str, run: RunRecord, name: str) -> None:
    holder = Holder.this_process()
    values = {
        "run_id": run.id,
        "host": holder.host,
        "space": holder.space,
        "pid": holder.pid,
        "born": holder.born,
        "since": run.started_at,
        "heartbeat": _present(connection),
    }
    of_folder = locks.c.folder_id == run.folder_id
    held = _held(connection, run.folder_id, for_update=True)
    if held is None:
        try:
            connection.execute(locks.insert().values(folder_id=run.folder_id, **values))
        except IntegrityError as error:  # two came at the same moment
            raise LockedError(
                f"{name!r} is being synced by another process, which began just now"
            ) from error
        return
    _refuse_living(connection, state, name, held)
    connection.execute(locks.update().where(of_folder).values(**values))
    what = "lost the database" if _was_given_up(state, held) else "ended without a word"
    _GIVEN_UP.discard((state, held["run_id"], held["since"]))
    _end_died_run(
        connection,
        held,
        f"its process {held['pid']} on {held['host']} {what}; run {run.id} went on with it",
    )


def refuse_held(connection: Connection, state: str, folder_id: int, name: str) -> None:
    """Refuse a folder that is being synced.

    Parameters
    ----------
    connection
        In a transaction.
    state
        URL of the state.
    folder_id, name
        The folder.

    Raises
    ------
    LockedError
        It is.
    """
    held = _held(connection, folder_id)
    if held is not None:
        _refuse_living(connection, state, name, held)


def _held(connection: Connection, folder_id: int, *, for_update: bool = False) -> RowMapping | None:
    query = sa.select(locks).where(locks.c.folder_id == folder_id)
    if for_update:
        query = query.with_for_update()
    held = connection.execute(query).mappings().one_or_none()
    if held is None:
        return None
    are_numbers = isinstance(held["pid"], int) and isinstance(held["run_id"], int)
    if not are_numbers or not (is_moment(held["since"]) and is_moment(held["heartbeat"])):
        raise damaged(f"the entries of the lock of run {held['run_id']!r}", "times or numbers")
    return held


def _refuse_living(connection: Connection, state: str, name: str, held: RowMapping) -> None:
    if not _was_given_up(state, held) and not _is_dead(connection, held):
        raise LockedError(
            f"{name!r} is being synced by process {held['pid']} on {held['host']} since "
            f"{held['since']}: wait for it, or end it"
        )


def _was_given_up(state: str, held: RowMapping) -> bool:
    return (state, held["run_id"], held["since"]) in _GIVEN_UP


def _present(connection: Connection) -> sa.ColumnElement[str]:
    """Return the present by one clock: the database's where machines share it, else this one's."""
    if connection.dialect.name == "sqlite":
        return sa.literal(now())
    present = sa.func.timezone("UTC", sa.func.clock_timestamp())
    return sa.func.to_char(present, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')


def _is_dead(connection: Connection, held: RowMapping) -> bool:
    """Whether who entered this row of `locks` is no more, as far as can be told."""
    holder = Holder(held["host"], held["space"], held["pid"], held["born"])
    if holder.is_here():
        return not holder.is_alive()
    return later(held["heartbeat"], _SILENCE) < str(
        connection.scalar(sa.select(_present(connection)))
    )


def list_runs(connection: Connection, folder_id: int, limit: int) -> list[RunRecord]:
    """Return the last runs of a folder, newest first; one whose process is dead is over."""
    last = stored_runs(connection, folder_id, limit)
    held = _held(connection, folder_id)
    if held is None:
        return last
    for run in last:
        holds = run.id == held["run_id"] and run.status is Status.RUNNING
        if holds and _is_dead(connection, held):
            run.status, run.ended_at = Status.ERROR, max(held["heartbeat"], run.started_at)
            run.message = (
                f"its process {held['pid']} on {held['host']} ended without a word; the next sync "
                "goes on with it"
            )
    return last


def _end_died_run(connection: Connection, held: RowMapping, message: str) -> None:
    died = (runs.c.id == held["run_id"]) & (runs.c.status == Status.RUNNING.value)
    ended = max(held["heartbeat"], held["since"])
    values = {"status": Status.ERROR.value, "ended_at": ended, "message": message}
    connection.execute(runs.update().where(died).values(values))
