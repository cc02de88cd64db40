"""The lock of a folder: one sync at a time; a row names the holder, a heartbeat shows it is alive.

A holder on this machine is dead when its process is gone, or when its number belongs to a process
that began later. A holder on another machine shows only its heartbeat: after some minutes of
silence it counts as dead. A holder that was only asleep notices at its next commit, and gives up.
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
"""Seconds between two heartbeats of a holder."""
_SILENCE: Final = 180.0
"""Seconds without a heartbeat after which a holder on another machine counts as dead: 12 beats."""
_GIVEN_UP: Final[set[tuple[str, int, str]]] = set()
"""State, run and begin of locks that this process could not give back because the database failed."""


class LockedError(StorageError):
    """Another process syncs the folder.

    Examples
    --------
    >>> raise LockedError("'drive' is being synced by process 7 on host-a since …")
    Traceback (most recent call last):
    labelingest.folders.state.lock.LockedError: 'drive' is being synced by process 7 on host-a since …
    """


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds a lock."""

    host: str
    """Name of its machine."""
    space: str
    """Boot of the machine and namespace of process numbers, in which `pid` has a meaning."""
    pid: int
    """Number of the process."""
    born: str
    """Begin of the process, in ticks since the boot; empty where the system does not tell it."""

    @classmethod
    def this_process(cls) -> "Holder":
        """Return the process that calls."""
        pid = os.getpid()
        return cls(socket.gethostname(), _space(), pid, _born(pid))

    def is_here(self) -> bool:
        """Whether this process can look up the holder's number."""
        return self.space == _space() and self.host == socket.gethostname()

    def is_alive(self) -> bool:
        """Whether the process runs; meaningful only where `is_here` is true."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass  # it runs, as another user
        return _born(self.pid) == self.born


@cache
def _space() -> str:
    """Return the boot of this machine and the namespace of process numbers (containers)."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return ""


def _born(pid: int) -> str:
    """Return the begin of a process, in ticks since the boot; "" where the system does not tell it."""
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
        """Note a heartbeat in a transaction that writes, and make sure that the run has the lock.

        Raises
        ------
        LockedError
            Another run took over the lock.
        """
        heartbeat = locks.update().where(self._is_mine).values(heartbeat=_present(connection))
        if not connection.execute(heartbeat).rowcount:
            raise LockedError(
                "this sync was silent for so long that another took its place: it ends here, and "
                "the other continues"
            )

    def beat(self) -> None:
        """Note a heartbeat, unless the database is busy."""
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
        except IntegrityError as error:  # another process took the lock at the same moment
            raise LockedError(
                f"{name!r} is being synced by another process, which began just now"
            ) from error
        return
    _refuse_living(connection, state, name, held)
    connection.execute(locks.update().where(of_folder).values(**values))
    what = "lost the database" if _was_given_up(state, held) else "ended unexpectedly"
    _GIVEN_UP.discard((state, held["run_id"], held["since"]))
    _end_dead_run(
        connection,
        held,
        f"its process {held['pid']} on {held['host']} {what}; run {run.id} continued it",
    )


def refuse_held(connection: Connection, state: str, folder_id: int, name: str) -> None:
    """Refuse a folder that is being synced.

    Parameters
    ----------
    connection
        Connection in a transaction.
    state
        URL of the state.
    folder_id, name
        Number and name of the folder.

    Raises
    ------
    LockedError
        A living process syncs the folder.
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
    """Return the present time: by the database's clock where machines share it, else by this one's."""
    if connection.dialect.name == "sqlite":
        return sa.literal(now())
    present = sa.func.timezone("UTC", sa.func.clock_timestamp())
    return sa.func.to_char(present, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')


def _is_dead(connection: Connection, held: RowMapping) -> bool:
    """Whether the holder in a row of `locks` is dead, as far as this process can tell."""
    holder = Holder(held["host"], held["space"], held["pid"], held["born"])
    if holder.is_here():
        return not holder.is_alive()
    return later(held["heartbeat"], _SILENCE) < str(
        connection.scalar(sa.select(_present(connection)))
    )


def list_runs(connection: Connection, folder_id: int, limit: int) -> list[RunRecord]:
    """Return the last runs of a folder, newest first; a run whose process is dead has failed."""
    last = stored_runs(connection, folder_id, limit)
    held = _held(connection, folder_id)
    if held is None:
        return last
    for run in last:
        holds = run.id == held["run_id"] and run.status is Status.RUNNING
        if holds and _is_dead(connection, held):
            run.status, run.ended_at = Status.ERROR, max(held["heartbeat"], run.started_at)
            run.message = (
                f"its process {held['pid']} on {held['host']} ended unexpectedly; the next sync "
                "continues it"
            )
    return last


def _end_dead_run(connection: Connection, held: RowMapping, message: str) -> None:
    died = (runs.c.id == held["run_id"]) & (runs.c.status == Status.RUNNING.value)
    ended = max(held["heartbeat"], held["since"])
    values = {"status": Status.ERROR.value, "ended_at": ended, "message": message}
    connection.execute(runs.update().where(died).values(values))
