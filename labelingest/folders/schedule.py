"""Run every folder with a schedule when it is due, until the caller stops the service.

The state has the due time of each folder. The due time moves only when a scheduled run ends: a run
that was cut short is still due. One run makes up for all missed moments.

The service waits for a database that fails, and runs what is due when the database is back.
"""

import logging
from collections.abc import Callable
from typing import Final

from labelingest.crashes import crash_sentence
from labelingest.errors import LabelIngestError
from labelingest.folders.folder import SyncedFolder
from labelingest.folders.locations import OpenStorage
from labelingest.folders.state.clock import now, seconds_between
from labelingest.folders.state.database import State, StateFailedError
from labelingest.folders.state.folders import FolderRecord, list_folders
from labelingest.folders.state.lock import LockedError
from labelingest.folders.state.runs import RunRecord, Status
from labelingest.folders.sync.options import SCHEDULE

__all__ = ["serve"]

_log = logging.getLogger("labelingest")
_LONGEST_WAIT: Final = 30.0
"""Seconds after which the service reads the state again: other processes create folders too."""
_FIRST_PAUSE: Final = 1.0
"""Seconds before the service tries a failed database again; they double each time."""


def serve(
    state: State,
    *,
    wait: Callable[[float], bool],
    stopped: Callable[[], bool],
    open_storage: OpenStorage | None = None,
    on_run: Callable[[FolderRecord, RunRecord], None] = lambda folder, run: None,
    workers: int | None = None,
    engine: str | None = None,
) -> None:
    """Run folders when they are due.

    Parameters
    ----------
    state
        State with the folders.
    wait
        Waits a number of seconds at most, and returns whether to stop.
    stopped
        Returns whether to stop; a running sync ends at its next batch.
    open_storage
        As for `SyncedFolder`.
    on_run
        Called with each run that ended.
    workers, engine
        As for `SyncedFolder.sync`.
    """
    damaged: set[str] = set()

    def on_damaged(name: str, error: Exception) -> None:
        if name not in damaged:
            damaged.add(name)
            _log.warning("%s: it is passed over, as its settings cannot be read: %s", name, error)

    def sync(record: FolderRecord) -> RunRecord:
        folder = SyncedFolder(record.name, state=state, open_storage=open_storage)
        return folder.sync(trigger=SCHEDULE, cancelled=stopped, workers=workers, engine=engine)

    pause = 0.0
    while not stopped():
        try:
            seconds = _run_due(state, stopped, sync, on_run, on_damaged)
            if pause:
                _log.warning("the state %r is back", state.url)
            pause = 0.0
        except StateFailedError as error:
            if not pause:
                _log.warning("%s; trying again until it is back", error)
            seconds = pause = min(2 * pause or _FIRST_PAUSE, _LONGEST_WAIT)
        if stopped() or wait(seconds):
            return


def _run_due(
    state: State,
    stopped: Callable[[], bool],
    sync: Callable[[FolderRecord], RunRecord],
    on_run: Callable[[FolderRecord, RunRecord], None],
    on_damaged: Callable[[str, Exception], None],
) -> float:
    """Run all folders that are due; return the seconds until another may be due."""
    held = False
    for record in _due(state, on_damaged):
        held |= not _run(record, sync, on_run)
        if stopped():
            return 0.0
    return _LONGEST_WAIT if held else _seconds_left(state, on_damaged)


def _due(state: State, on_damaged: Callable[[str, Exception], None]) -> list[FolderRecord]:
    moment = now()
    records = list_folders(state, on_damaged=on_damaged)
    due = [record for record in records if record.is_due(moment)]
    return sorted(due, key=lambda record: str(record.due_at))


def _seconds_left(state: State, on_damaged: Callable[[str, Exception], None]) -> float:
    """Return the seconds until the next folder with a schedule is due."""
    moment = now()
    left = [
        0.0 if record.is_due(moment) else seconds_between(moment, str(record.due_at))
        for record in list_folders(state, on_damaged=on_damaged)
        if record.settings.auto_sync_hours is not None
    ]
    return min([_LONGEST_WAIT, *(max(seconds, 0.0) for seconds in left)])


def _run(
    record: FolderRecord,
    sync: Callable[[FolderRecord], RunRecord],
    on_run: Callable[[FolderRecord, RunRecord], None],
) -> bool:
    """Run one folder; return whether the run ended well."""
    try:
        run = sync(record)
    except LockedError as error:
        _log.warning("%s", error)
        return False
    except StateFailedError:
        raise  # nothing could be recorded: it is still due
    except LabelIngestError as error:
        _log.warning("%s: %s", record.name, error)
        return False
    except Exception as error:  # noqa: BLE001 - the other folders are synced all the same
        _log.warning("%s: %s", record.name, crash_sentence(error))
        return False
    on_run(record, run)
    return run.status is Status.DONE
