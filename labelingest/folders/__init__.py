"""Synced folders: a folder stays in step with a storage path, and only changes are converted.

::

    folder.py           SyncedFolder: the door to everything below
    creation.py         creation of a folder
    settings.py         settings; converter.py: the converter that they ask for
    locations.py        storage path and output, open
    sync/               one run
      run.py              the stages in their order, from the lock to the record; recorder.py
      scan.py             1  data files of a listing, with their sidecars
      compare.py          2  comparison with the state
        skip_unchanged.py     unchanged files, left out
        changes.py            changes, found by the database; fingerprints.py: of settings
        compare_contents.py   changes that sizes and times do not tell, as an option
        missing_outputs.py    label rows missing from the output or changed there, as an option
        guard.py              withheld deletions; hidden_keys.py, second_listing.py, unpaired.py
        prepared.py           the result: prepared changes
      plan.py             3  the plan, saved on request; a plan ends here
      apply.py            4  transactions, from each of which another run can continue
        batch.py              jobs for the engine, results; custom_metadata.py
    staged_rows.py      label rows that workers write ahead
    output_files.py     files of label rows: the folder replaces only its own
    output_owner.py     the folder that an output belongs to
    protected_files.py  files that plans and exports must not replace
    export.py           label rows as one file
    schedule.py         runs of folders that are due
    state/              the database and all queries: it knows nothing of sync/
      database.py, tables.py, migrate.py   opening, tables, migrations
      folders.py, items.py, label_rows.py, problems.py, runs.py, integrations.py   entries
      lock.py             one sync per folder at a time
      summary.py          a folder at a glance
      stored_values.py    checks of stored JSON; clock.py: times

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
