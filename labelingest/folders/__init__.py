"""Synced folders: a folder stays in step with a storage path, and only what changed is converted.

::

    folder.py        SyncedFolder: all of it as methods of one object
    creation.py      what is checked and made before a folder exists
    settings.py      what a folder is set to
    places.py        its storage path and its output, open; integrations.py: how clouds are reached
    sync.py          one run, from the lock to the record; a plan is the same to half way
    scan.py            1  listing and pairing
    changes.py         2  the difference with the state, found by the database
    guard.py              deletions that are withheld; hidden.py, second_look.py, unpaired.py: why
    contents.py           changes that sizes and times do not tell, where that is asked for
    verify.py             label rows in the output that are missing or changed, where that is asked for
    plan.py            3  what would be done, kept if asked for
    apply.py           4  transactions, from each of which another run can go on
    batch.py           5  read, convert, write; metadata.py: custom metadata
    output.py             files of label rows: what the folder wrote, and nothing else, is replaced
    owner.py           which folder an output belongs to
    outputs.py         what files that people ask for must not replace
    export.py          label rows as one file
    fingerprints.py  what decides whether anything is to be done
    lock.py          one sync per folder at a time
    runs.py          the record of a run, as Encord counts
    findings.py      what is wrong in a folder as it stands
    records.py, items.py, summary.py   what is known of folders
    schedule.py      runs folders when they are due
    stored.py        what was stored, checked when it is read
    state/           the database

The names below are loaded when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labelingest.folders.folder import SyncedFolder
    from labelingest.folders.lock import LockedError
    from labelingest.folders.plan import DriftError, Plan
    from labelingest.folders.runs import RunRecord, Status
    from labelingest.folders.settings import FolderSettings
    from labelingest.folders.state.database import State

__all__ = [
    "DriftError",
    "FolderSettings",
    "LockedError",
    "Plan",
    "RunRecord",
    "State",
    "Status",
    "SyncedFolder",
]

_HOMES = {
    "DriftError": "plan",
    "FolderSettings": "settings",
    "LockedError": "lock",
    "Plan": "plan",
    "RunRecord": "runs",
    "State": "state.database",
    "Status": "runs",
    "SyncedFolder": "folder",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'labelingest.folders' has no attribute {name!r}")
    return getattr(import_module(f"labelingest.folders.{_HOMES[name]}"), name)
