"""`SyncedFolder`: life and settings of one synced folder, and the door to its runs and queries.

The methods that run, ask or export only bind the folder's state, settings and storages to functions
of `sync/`, `state/` and `export.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any, BinaryIO, Self

from labelingest.errors import LabelIngestError
from labelingest.folders.class_changes import (
    ClassChange,
    changes_of_settings,
    refuse_changes,
)
from labelingest.folders.converter import notice_of_namespace
from labelingest.folders.creation import check_settings, create_folder
from labelingest.folders.export import export_label_rows
from labelingest.folders.locations import OpenPlaces, OpenStorage, Places, open_places
from labelingest.folders.output_owner import free_output
from labelingest.folders.protected_files import guard_of
from labelingest.folders.settings import FolderSettings, replaced_patterns
from labelingest.folders.state.class_counts import past_classes
from labelingest.folders.state.clock import now
from labelingest.folders.state.database import State, default_state
from labelingest.folders.state.folders import (
    FolderRecord,
    change_folder,
    change_settings,
    find_folder,
    remove_folder,
)
from labelingest.folders.state.items import iterate_items
from labelingest.folders.state.lock import list_runs
from labelingest.folders.state.problems import iterate_problems
from labelingest.folders.state.runs import RunRecord
from labelingest.folders.state.summary import Summary, summarise
from labelingest.folders.sync.options import SyncOptions
from labelingest.folders.sync.plan import Plan
from labelingest.folders.sync.run import make_plan, run_sync
from labelingest.folders.sync.unpaired import FolderBefore, refuse_listed
from labelingest.problems.problem import Problem
from labelingest.progress import Progress
from labelingest.sinks.output_guard import GuardedOutput, OutputKind
from labelingest.storage import url_of

__all__ = ["SyncedFolder"]


class SyncedFolder:
    """A folder that stays in step with a storage path.

    Parameters
    ----------
    name
        Name of a folder that was created.
    state
        URL of the state, or an open state; None for the file in the user's data directory.
    open_storage
        Opens storage path and output; None for `labelingest.storage.open_storage` with the
        integrations of the folder.

    Raises
    ------
    ConfigError
        No folder has this name, or the state cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> root = Path(tempfile.mkdtemp())
    >>> (root / "data").mkdir()
    >>> (root / "data/a.jpg").touch()
    >>> state = f"sqlite:///{root}/state.sqlite"
    >>> settings = FolderSettings(f"{root}/data", f"{root}/rows")
    >>> with SyncedFolder.create("drive", settings, state=state) as folder:
    ...     run = folder.sync()
    ...     run.status.value, dict(run.counters.changes), [i["name"] for i in folder.items()]
    ('done', {'new file': 1}, ['a.jpg'])
    """

    def __init__(
        self,
        name: str,
        *,
        state: State | str | None = None,
        open_storage: OpenStorage | None = None,
    ) -> None:
        self.notice = ""
        """Notice for the people who created or configured the folder; empty where nothing is to be said."""
        self.class_changes: Sequence[ClassChange] = ()
        """Changes of classes that the last call of `configure` made, or was refused for."""
        self._owns_state = not isinstance(state, State)
        self.state = state if isinstance(state, State) else State(state or default_state())
        self._open_storage = open_storage
        self._open_places = _opener(self.state, open_storage)
        try:
            self.record: FolderRecord = find_folder(self.state, name, deleted=True)
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(
        cls,
        name: str,
        settings: FolderSettings,
        *,
        state: State | str | None = None,
        open_storage: OpenStorage | None = None,
    ) -> Self:
        """Create a folder; the storage path is listed only as far as that is quick.

        Parameters
        ----------
        name
            Name of the new folder.
        settings
            Settings of the folder. Relative paths are made absolute, and a missing output folder is
            made.
        state, open_storage
            As for `SyncedFolder`.

        Raises
        ------
        ConfigError, OntologyError
            The name is taken, or the settings contradict each other.
        StorageError
            The storage path does not exist, or the output cannot be made.
        """
        opened_state = state if isinstance(state, State) else State(state or default_state())
        try:
            notice = create_folder(
                opened_state, name, settings, _opener(opened_state, open_storage)
            )
        except BaseException:
            if opened_state is not state:
                opened_state.close()
            raise
        folder = cls(name, state=opened_state, open_storage=open_storage)
        folder._owns_state = opened_state is not state
        folder.notice = notice
        return folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the state, unless the caller opened it."""
        if self._owns_state:
            self.state.close()

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.record.name

    @property
    def settings(self) -> FolderSettings:
        """Settings of the folder."""
        return self.record.settings

    def configure(
        self, *, unmap: Sequence[int] = (), accept_class_changes: bool = False, **values: Any
    ) -> FolderSettings:
        """Change settings. If a label row depends on one of them, the next sync rebuilds all.

        `class_changes` has the changes of classes then.

        Parameters
        ----------
        unmap
            Class numbers whose override is taken back.
        accept_class_changes
            Whether labels may get another object, or none. A folder without label rows needs no
            such permission.
        values
            Fields of `FolderSettings`; options are merged, and so are overrides of class numbers.

        Raises
        ------
        ClassChangesError
            A class number means another object, or none, and that is not accepted.
        ConfigError, OntologyError
            A setting cannot be changed, or the settings contradict each other then.
        """
        record = self._present()
        with self.state.read() as connection:
            past = past_classes(connection, record.id)
        self.class_changes = []

        def change(settings: FolderSettings) -> FolderSettings:
            changed = settings.changed(unmap=unmap, **values)
            check_settings(changed)
            self.class_changes = changes_of_settings(settings, changed, past.label_rows)
            if past.has_label_rows and not accept_class_changes:
                refuse_changes(self.class_changes)
            return changed

        # Slow checks come first: other processes wait during the write.
        changed = change(record.settings)
        places = self._open_places(changed)
        unpaired = ""
        if changed.rule != record.settings.rule:
            summary = self.summary()
            before = FolderBefore(record.name, bool(summary.items), summary.labelled > 0)
            unpaired = refuse_listed(places, changed, before)
        self.record = change_settings(
            self.state,
            record,
            lambda latest: changed if latest == record.settings else change(latest),
        )
        replaced = replaced_patterns(record.settings, changed)
        same_classes = (changed.ontology, changed.options) == (
            record.settings.ontology,
            record.settings.options,
        )
        namespaces = "" if same_classes else notice_of_namespace(changed)
        self.notice = "; ".join(filter(None, (replaced, unpaired, namespaces)))
        return self.record.settings

    def plan(
        self,
        *,
        save: str | None = None,
        overwrite: bool = False,
        allow_mass_delete: bool = False,
        verify_output: bool = False,
        checksum: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> Plan:
        """Return what a sync would do.

        Parameters
        ----------
        save
            File for the plan with the list of all changes, for `apply`.
        overwrite
            Whether the plan may replace a file that is no plan.
        allow_mass_delete
            Whether deletions that look like an accident are intended.
        verify_output
            Whether to compare the output too, and to rebuild label rows that are missing from it or
            were changed in it.
        checksum
            Whether to compare contents where size and time are equal, or only the time differs.
        progress
            Called with the progress of the listing.
        """
        options = SyncOptions(
            allow_mass_delete=allow_mass_delete,
            verify_output=verify_output,
            checksum=checksum,
            progress=progress,
        )
        record = self._present()
        plan_file = None if save is None else self._plan_file(record, save, overwrite)
        return make_plan(self.state, record, self._open_places, options, save=plan_file)

    def sync(
        self,
        *,
        allow_mass_delete: bool = False,
        verify_output: bool = False,
        checksum: bool = False,
        workers: int | None = None,
        engine: str | None = None,
        executor: Executor | None = None,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        trigger: str = "manual",
    ) -> RunRecord:
        """Bring the folder into step with its storage path.

        Parameters
        ----------
        allow_mass_delete, verify_output, checksum, progress
            As for `plan`.
        workers, engine, executor
            Engine that converts label files, as for `labelingest.convert`. The state is written by
            this process alone.
        cancelled
            Called between batches; True ends the run, and the next run continues.
        trigger
            Cause of the run, for the record. "schedule" moves the schedule, and does nothing before
            the folder is due.

        Returns
        -------
        RunRecord
            What happened; `failed` says whether a person should look.

        Raises
        ------
        LockedError
            Another process syncs the folder.
        StorageError, ConfigError, OntologyError
            The run as a whole failed.
        """
        options = SyncOptions(
            trigger=trigger,
            allow_mass_delete=allow_mass_delete,
            verify_output=verify_output,
            checksum=checksum,
            workers=workers,
            engine=engine,
            executor=executor,
            progress=progress,
            cancelled=cancelled,
        )
        return run_sync(self.state, self._present(), self._open_places, options)

    def apply(
        self,
        plan: Plan,
        *,
        workers: int | None = None,
        engine: str | None = None,
        executor: Executor | None = None,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> RunRecord:
        """Carry out a plan, or refuse it where storage path, settings or state have changed.

        Parameters
        ----------
        plan
            Plan that this folder made.
        workers, engine, executor, progress, cancelled
            As for `sync`.

        Raises
        ------
        DriftError
            Storage path, settings, state or output have changed since the plan was made.
        """
        options = SyncOptions(
            trigger="plan",
            allow_mass_delete=plan.allow_mass_delete,
            verify_output=plan.verify_output,
            checksum=plan.checksum,
            workers=workers,
            engine=engine,
            executor=executor,
            plan=plan,
            progress=progress,
            cancelled=cancelled,
        )
        return run_sync(self.state, self._present(), self._open_places, options)

    def activity(self, limit: int = 20) -> list[RunRecord]:
        """Return the last runs, newest first, with the progress of the current one."""
        with self.state.read() as connection:
            return list_runs(connection, self.record.id, limit)

    def items(self, which: str = "present") -> Iterator[dict[str, Any]]:
        """Yield the items, ordered by key, by Encord's names.

        Parameters
        ----------
        which
            "present", "deleted" (hidden: the file is gone, or is no data file any more) or "all".

        Raises
        ------
        ConfigError
            `which` is another text.
        """
        path = self.settings.storage_path
        url = url_of(path) if self._open_storage is None else self._open_storage(path).url
        with self.state.read() as connection:
            yield from iterate_items(connection, self.record.id, url, which)

    def problems(self) -> Iterator[Problem]:
        """Yield the current problems of the folder, by data file."""
        with self.state.read() as connection:
            yield from iterate_problems(connection, self.record.id)

    def export(self, path: str, which: str = "present", *, overwrite: bool = False) -> int:
        """Write the label rows of items to one file, one a line, and return how many.

        Label rows that cannot be read, or were changed in the output, are left out. They are named
        when all others are written.

        Parameters
        ----------
        path
            The file; it appears whole or not at all.
        which
            As for `items`.
        overwrite
            Whether the export may replace a file that holds no label rows.

        Raises
        ------
        ConfigError
            The file would replace what no export wrote.
        StorageError
            Label rows are missing from the file.
        """
        places = self._open_places(self.settings)
        guard = guard_of(self.state, places, overwrite=overwrite)
        return export_label_rows(self.state, self.record, places.output, guard, path, which=which)

    def summary(self) -> Summary:
        """Return the folder at a glance."""
        return summarise(self.state, self.record)

    def delete(self, *, purge: bool = False) -> None:
        """Hide the folder: no list shows it and no sync runs, until `restore` brings it back.

        Parameters
        ----------
        purge
            Whether to remove the folder from the state for good instead, with the marker in its
            output. Another folder may use the output then, once its label rows are moved away. No
            other file is touched.

        Raises
        ------
        LockedError
            The folder is to be removed, and another process syncs it.
        """
        if purge:
            remove_folder(self.state, self.record)
            # An output that cannot be reached keeps its marker, which says what helps.
            with suppress(LabelIngestError, OSError):
                free_output(self.record, self._open_places(self.settings).output)
        else:
            self.record = change_folder(self.state, self._present(), deleted_at=now())

    def restore(self) -> None:
        """Bring a deleted folder back; its next sync finds what happened meanwhile."""
        self.record = change_folder(self.state, self.record, deleted_at=None)

    def _present(self) -> FolderRecord:
        return find_folder(self.state, self.name)

    def _plan_file(
        self, record: FolderRecord, path: str, overwrite: bool
    ) -> Callable[[], AbstractContextManager[BinaryIO]]:
        """Return a function that opens the file of a plan; refuse a file that may not be replaced."""
        output = GuardedOutput("save", path, OutputKind.PLAN)
        guard = guard_of(self.state, self._open_places(record.settings), overwrite=overwrite)
        guard.admit(output)
        return partial(guard.open, output)


def _opener(state: State, open_storage: OpenStorage | None) -> OpenPlaces:
    """Return a function that opens the places of a state's folders."""
    if open_storage is None:
        return partial(open_places, state)
    return lambda settings: Places(
        open_storage(settings.storage_path), open_storage(settings.output)
    )
