"""`SyncedFolder`: what the command line does, as methods of one object."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Self

from labelingest.errors import ConfigError, LabelIngestError, StorageError
from labelingest.folders.creation import (
    check_settings,
    refuse_shared_output,
    settings_in_place,
)
from labelingest.folders.export import iterate_label_rows
from labelingest.folders.locations import (
    OpenPlaces,
    OpenStorage,
    Places,
    open_places,
)
from labelingest.folders.output_owner import claim_output, free_output, refuse_used_output
from labelingest.folders.protected_files import guard_of
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.clock import now
from labelingest.folders.state.database import State, default_state
from labelingest.folders.state.folders import (
    FolderRecord,
    change_folder,
    change_settings,
    enter_folder,
    find_folder,
    refuse_taken_name,
    remove_folder,
)
from labelingest.folders.state.items import WHICH, iterate_items
from labelingest.folders.state.lock import list_runs
from labelingest.folders.state.problems import iterate_problems
from labelingest.folders.state.runs import RunRecord
from labelingest.folders.state.summary import Summary, summarise
from labelingest.folders.sync.options import SyncOptions
from labelingest.folders.sync.plan import Plan
from labelingest.folders.sync.run import make_plan, run_sync
from labelingest.folders.sync.unpaired import refuse_listed
from labelingest.problems import Problem
from labelingest.progress import Progress
from labelingest.sinks.output_guard import Output, OutputKind
from labelingest.storage import url_of

__all__ = ["SyncedFolder"]


class SyncedFolder:
    """A folder that stays in step with a storage path.

    Parameters
    ----------
    name
        Of a folder that was created.
    state
        URL of the state, or an open one; the file in the user's data directory when None.
    open_storage
        Opens storage path and output; when None, `labelingest.storage.open_storage` does, with the
        integrations of the folder.

    Raises
    ------
    ConfigError
        There is no such folder, or the state cannot be used.

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
        """What a person should know of a folder that was just created, where there is such a thing."""
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
        """Create a folder; of its storage path, no more is listed than is quick.

        Parameters
        ----------
        name
            By which it is called.
        settings
            Relative paths are made absolute, and an output folder that is not there is made.
        state, open_storage
            As for `SyncedFolder`.

        Raises
        ------
        ConfigError, OntologyError
            The name is taken, or the settings mean nothing.
        StorageError
            There is no such storage path, or the output cannot be made.
        """
        opened = state if isinstance(state, State) else State(state or default_state())
        opener = _opener(opened, open_storage)
        try:
            with settings_in_place(settings, opener) as in_place:
                refuse_taken_name(opened, name)
                refuse_shared_output(opened, name, in_place, opener)
                places = opener(in_place)
                output = places.output
                refuse_used_output(output)
                notice = refuse_listed(places, in_place, is_new=True)
                record = enter_folder(opened, name, in_place)
                try:
                    claim_output(opened, record, output)
                except BaseException:
                    remove_folder(opened, record)
                    raise
        except BaseException:
            if opened is not state:
                opened.close()
            raise
        folder = cls(name, state=opened, open_storage=open_storage)
        folder._owns_state = opened is not state
        folder.notice = notice
        return folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the state, if it was opened here."""
        if self._owns_state:
            self.state.close()

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.record.name

    @property
    def settings(self) -> FolderSettings:
        """How it is set."""
        return self.record.settings

    def configure(self, **values: Any) -> FolderSettings:
        """Change settings; those that decide a label row make all of them anew at the next sync.

        Parameters
        ----------
        values
            Fields of `FolderSettings`; options are merged.

        Raises
        ------
        ConfigError, OntologyError
            What is changed cannot be, or the result means nothing.
        """
        record = self._present()
        changed = record.settings.changed(**values)
        # What takes long, before others have to wait for the write.
        check_settings(changed)
        places = self._open_places(changed)
        if changed.rule != record.settings.rule:
            refuse_listed(places, changed, has_rows=self.summary().labelled > 0)
        self.record = change_settings(self.state, record, lambda latest: latest.changed(**values))
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
            File for the plan and the list of all changes, for `apply`.
        overwrite
            Whether it may replace a file that is no plan.
        allow_mass_delete
            Whether deletions that look like an accident are meant.
        verify_output
            Whether to look at the output too, and make label rows again that are missing there or changed.
        checksum
            Whether to compare contents where size and time are equal, or only the time is another.
        progress
            Told how far the listing is.
        """
        options = SyncOptions(
            allow_mass_delete=allow_mass_delete,
            verify_output=verify_output,
            checksum=checksum,
            progress=progress,
        )
        record, opened = self._present(), None
        if save is not None:
            output = Output("save", save, OutputKind.PLAN)
            guard = guard_of(self.state, self._open_places(record.settings), overwrite=overwrite)
            guard.admit(output)
            opened = partial(guard.open, output)
        return make_plan(self.state, record, self._open_places, options, save=opened)

    def sync(
        self,
        *,
        allow_mass_delete: bool = False,
        verify_output: bool = False,
        checksum: bool = False,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        trigger: str = "manual",
    ) -> RunRecord:
        """Bring the folder into step with its storage path.

        Parameters
        ----------
        allow_mass_delete, verify_output, checksum, progress
            As for `plan`.
        cancelled
            Asked between batches; the run ends where it says so, and the next goes on.
        trigger
            What began it, for the record. "schedule" moves the schedule, and does nothing before the
            folder is due.

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
            progress=progress,
            cancelled=cancelled,
        )
        return run_sync(self.state, self._present(), self._open_places, options)

    def apply(
        self,
        plan: Plan,
        *,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> RunRecord:
        """Carry out a plan, or refuse where storage path, settings or state have moved on.

        Raises
        ------
        DriftError
            They have.
        """
        options = SyncOptions(
            trigger="plan",
            allow_mass_delete=plan.allow_mass_delete,
            verify_output=plan.verify_output,
            checksum=plan.checksum,
            plan=plan,
            progress=progress,
            cancelled=cancelled,
        )
        return run_sync(self.state, self._present(), self._open_places, options)

    def activity(self, limit: int = 20) -> list[RunRecord]:
        """Return the last runs, newest first; of one that is running, how far it is."""
        with self.state.read() as connection:
            return list_runs(connection, self.record.id, limit)

    def items(self, which: str = "present") -> Iterator[dict[str, Any]]:
        """Yield the items, ordered by key, by Encord's names.

        Parameters
        ----------
        which
            "present", "deleted" (hidden, because their files are gone) or "all".

        Raises
        ------
        ConfigError
            It is none of these.
        """
        if which not in WHICH:
            raise ConfigError(f"{which!r} is none of {', '.join(WHICH)}")
        path = self.settings.storage_path
        url = url_of(path) if self._open_storage is None else self._open_storage(path).url
        with self.state.read() as connection:
            yield from iterate_items(connection, self.record.id, url, which)

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong in the folder as it stands, by data file."""
        with self.state.read() as connection:
            yield from iterate_problems(connection, self.record.id)

    def export(self, path: str, which: str = "present", *, overwrite: bool = False) -> int:
        """Write the label rows of items to one file, one a line, and return how many.

        Those that cannot be read, or are not as the folder wrote them, are left out, and named when
        all others are written.

        Parameters
        ----------
        path
            The file; it appears whole or not at all.
        which
            As for `items`.
        overwrite
            Whether it may replace a file that holds no label rows.

        Raises
        ------
        ConfigError
            The file would replace what no export wrote.
        StorageError
            Label rows are missing from the file.
        """
        if which not in WHICH:
            raise ConfigError(f"{which!r} is none of {', '.join(WHICH)}")
        places = self._open_places(self.settings)
        output, guard = places.output, guard_of(self.state, places, overwrite=overwrite)
        count, wrong = 0, list[str]()
        exported = Output("out", path, OutputKind.LABEL_ROWS)
        with guard.open(exported) as file, self.state.read() as connection:
            for name, row in iterate_label_rows(connection, self.record.id, output, which):
                if isinstance(row, str):
                    wrong.append(f"{name!r}: {row}")
                else:
                    file.writelines(row)
                    file.write(b"\n")
                    count += 1
        if wrong:
            raise StorageError(
                f"{path!r} has {count:,} label rows, and {len(wrong):,} are missing that cannot be "
                f"read from {output.url}, or are not as they were written, as "
                f"{'; '.join(wrong[:3])}; labelingest folder sync {self.name!r} --verify-output "
                "makes them again"
            )
        return count

    def summary(self) -> Summary:
        """Return the folder at a glance."""
        return summarise(self.state, self.record)

    def delete(self, *, purge: bool = False) -> None:
        """Hide the folder: it is not listed nor synced any more, and `restore` brings it back.

        Parameters
        ----------
        purge
            Remove it from the state for good instead, and the marker from its output: another
            folder may have it then, once its label rows are moved away. No other file is touched.

        Raises
        ------
        LockedError
            It is to be removed, and another process syncs it.
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


def _opener(state: State, open_storage: OpenStorage | None) -> OpenPlaces:
    """Return what opens the places of folders of a state."""
    if open_storage is None:
        return partial(open_places, state)
    return lambda settings: Places(
        open_storage(settings.storage_path), open_storage(settings.output)
    )
