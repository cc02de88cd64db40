"""Synced folders: a folder stays in step with a storage path, and only what changed is converted.

::

    folder.py        SyncedFolder: all of it as methods of one object
    creation.py      what is checked and made before a folder exists
    settings.py      what a folder is set to
    locations.py        its storage path and its output, open; state/integrations.py: how clouds are reached
    sync/run.py          one run, from the lock to the record; a plan is the same to half way
    sync/scan.py            1  listing and pairing
    sync/changes.py         2  the difference with the state, found by the database
    sync/guard.py              deletions that are withheld; sync/hidden_keys.py, sync/second_listing.py, sync/unpaired.py: why
    sync/compare_contents.py           changes that sizes and times do not tell, where that is asked for
    sync/missing_outputs.py             label rows in the output that are missing or changed, where that is asked for
    sync/plan.py            3  what would be done, kept if asked for
    sync/apply.py           4  transactions, from each of which another run can go on
    sync/batch.py           5  read, convert, write; sync/custom_metadata.py: custom metadata
    output_files.py             files of label rows: what the folder wrote, and nothing else, is replaced
    output_owner.py           which folder an output belongs to
    protected_files.py         what files that people ask for must not replace
    export.py          label rows as one file
    sync/fingerprints.py  what decides whether anything is to be done
    state/lock.py          one sync per folder at a time
    state/runs.py          the record of a run, as Encord counts
    state/problems.py      what is wrong in a folder as it stands
    state/folders.py, state/items.py, state/summary.py   what is known of folders
    schedule.py      runs folders when they are due
    state/stored_values.py        what was stored, checked when it is read
    state/           the database

The names below are loaded when first used.
"""

from typing import TYPE_CHECKING

from labelingest._lazy import lazy_names

if TYPE_CHECKING:
    from labelingest.folders.folder import SyncedFolder
    from labelingest.folders.settings import FolderSettings
    from labelingest.folders.state.database import State
    from labelingest.folders.state.lock import LockedError
    from labelingest.folders.state.runs import RunRecord, Status
    from labelingest.folders.sync.plan import DriftError, Plan

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

__getattr__ = lazy_names(
    __name__,
    {
        "DriftError": "sync.plan",
        "FolderSettings": "settings",
        "LockedError": "state.lock",
        "Plan": "sync.plan",
        "RunRecord": "state.runs",
        "State": "state.database",
        "Status": "state.runs",
        "SyncedFolder": "folder",
    },
)
