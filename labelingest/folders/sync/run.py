"""A run of a folder, from the lock to the record: list, compare, apply. A plan ends before `apply`.

A listing with the digest of the last complete sync is not even loaded into the database. `_Run` has
the stages as methods, in their order; `sync` calls them from top to bottom. How a stage works is
described in the modules beside this one.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, BinaryIO

from sqlalchemy.engine import Connection

from labelingest.folders.class_changes import changes_since
from labelingest.folders.converter import make_folder_converter
from labelingest.folders.locations import OpenPlaces, Places
from labelingest.folders.output_owner import MARKER, confirm_owner, known_below, without_outputs
from labelingest.folders.settings import FolderSettings
from labelingest.folders.staged_rows import StagingHalf
from labelingest.folders.state.class_counts import past_classes
from labelingest.folders.state.class_lists import replace_answers
from labelingest.folders.state.database import State
from labelingest.folders.state.folders import FolderRecord, change_settings, find_folder
from labelingest.folders.state.runs import RunRecord
from labelingest.folders.state.tables import folders
from labelingest.folders.state.written_files import replace_written
from labelingest.folders.sync.apply import Applying
from labelingest.folders.sync.batch import BatchWork
from labelingest.folders.sync.class_counts import record_classes
from labelingest.folders.sync.class_lists import cures
from labelingest.folders.sync.compare import Comparison
from labelingest.folders.sync.custom_metadata import check_schema
from labelingest.folders.sync.fingerprints import (
    Fingerprints,
    label_fingerprint,
    schema_fingerprint,
)
from labelingest.folders.sync.missing_outputs import note_verified
from labelingest.folders.sync.options import SCHEDULE, SyncOptions
from labelingest.folders.sync.plan import Plan, save_plan
from labelingest.folders.sync.prepared import PreparedChanges
from labelingest.folders.sync.recorder import CancelledRunError, Recorder, recorded_run
from labelingest.folders.sync.row_layout import refuse_undecided
from labelingest.folders.sync.scan import is_complete
from labelingest.model.listing import Listing
from labelingest.pipeline.class_lists import refuse_disagreeing
from labelingest.pipeline.fetched_files import FetchedFile
from labelingest.pipeline.worker import Worker
from labelingest.problems import Problem
from labelingest.progress import Progress
from labelingest.storage.base import list_all
from labelingest.storage.cloud.list_parts import splits_of
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.urls import is_cloud

__all__ = ["make_plan", "run_sync"]


def make_plan(
    state: State,
    record: FolderRecord,
    open_places: OpenPlaces,
    options: SyncOptions,
    *,
    save: Callable[[], AbstractContextManager[BinaryIO]] | None = None,
) -> Plan:
    """Find what a sync would do, without writing anything but the plan itself.

    Parameters
    ----------
    state, record
        The folder.
    open_places
        Opens storage path and output of settings.
    options
        Options of the sync.
    save
        Opens the file for the plan with all its changes; None saves no plan.
    """
    run = _Run(state, record, open_places(record.settings), options)
    run.confirm_owner(claims=False)
    listing = run.list_files()
    with state.connection(snapshot=True) as connection, connection.begin():
        changes = run.compare(connection, listing, needs_rows=save is not None)
        refuse_disagreeing(changes.lists.class_lists, cures(record.name))
        refuse_undecided(changes.first_layout, record.name)
        plan = replace(changes.plan, class_changes=run.class_changes(connection))
        if save is not None:
            with save() as file:
                save_plan(file, plan, changes.rows())
    return plan


def run_sync(
    state: State, record: FolderRecord, open_places: OpenPlaces, options: SyncOptions
) -> RunRecord:
    """Bring a folder into step with its storage path.

    Parameters
    ----------
    state, record, open_places
        As for `make_plan`.
    options
        Options of the sync.

    Returns
    -------
    RunRecord
        The record of the run, as the state has it.

    Raises
    ------
    LockedError
        Another run has the folder.
    DriftError
        The options have a plan, and storage path, settings, state or output have changed since.
    StorageError, ConfigError, OntologyError
        The run as a whole failed; what it recorded before is done, and the next run continues.
    """
    with recorded_run(state, record, options.trigger) as recorder:
        # What another run did before this one had the lock counts.
        record = find_folder(state, record.name)
        scheduled = options.trigger == SCHEDULE and record.settings.auto_sync_hours is not None
        if scheduled and not record.is_due(recorder.run.started_at):
            recorder.add_message("it is not due any more: another process was faster")
        else:
            recorder.begin_stage("list")
            _Run(state, record, open_places(record.settings), options).sync(recorder)
    return recorder.run


@dataclass(slots=True)
class _Run:
    """One run of a folder: its stages are the methods, in their order."""

    state: State
    record: FolderRecord
    places: Places
    options: SyncOptions
    fingerprints: Fingerprints = field(init=False)

    def __post_init__(self) -> None:
        self._take_fingerprints()

    def _take_fingerprints(self) -> None:
        settings, urls = self.record.settings, (self.places.storage.url, self.places.output.url)
        self.fingerprints = Fingerprints(
            label_fingerprint(settings, *urls), schema_fingerprint(settings)
        )

    def sync(self, recorder: Recorder) -> None:
        """Go through all stages."""
        recorder.add_message(self.confirm_owner(claims=True))
        listing = self.list_files(partial(self._on_page, recorder))
        recorder.count_listing(listing)
        recorder.begin_stage("compare")
        with self.state.connection() as connection:
            with connection.begin():
                changes = self.compare(connection, listing)
            complete, splits = is_complete(listing), self._splits(listing)
            del listing  # the temporary tables have its data files
            self._refuse_drift(changes.plan)
            recorder.count_changes(changes)
            self.settle_files(changes, recorder)
            self.settle_layout(changes)
            if self.options.verify_output:
                with State.writing(connection):
                    recorder.lock.confirm(connection)
                    note_verified(connection, self.record.id)
            # The folder is in step: nothing was compared, or nothing differs.
            is_same = changes.plan.digest == self.record.digest and changes.has_books
            if is_same and not changes.plan.changes:
                recorder.close_books(connection, None)
                return
            is_finished = self.apply(changes, recorder)
            if is_finished and complete and not changes.plan.withheld:
                self.note_in_step(changes, recorder, splits)

    def confirm_owner(self, *, claims: bool) -> str:
        """Make sure that the output is the folder's; return a notice for its users, or ""."""
        self.record, notice = confirm_owner(
            self.state, self.record, self.places.output, claims=claims
        )
        return notice

    def list_files(self, on_page: Callable[[int], None] = lambda files: None) -> Listing:
        """List the storage path, without the outputs of other folders.

        Parameters
        ----------
        on_page
            Called with the number of files so far.
        """

        def report(files: int) -> None:
            if self.options.progress is not None:
                self.options.progress(Progress("list", files))
            on_page(files)

        storage, exclude = self.places.storage, self.places.exclude
        listing = list_all(storage, exclude, splits=self.record.splits, on_listed=report)
        return without_outputs(listing, partial(known_below, self.state, self.record))

    def compare(
        self, connection: Connection, listing: Listing, *, needs_rows: bool = True
    ) -> PreparedChanges:
        """Compare a listing with the state, as `Comparison.prepare` does."""
        comparison = Comparison(
            self.record, self.places, self.fingerprints, self.options, self.list_files
        )
        return comparison.prepare(connection, listing, needs_rows=needs_rows)

    def class_changes(self, connection: Connection) -> list[dict[str, Any]]:
        """Return what classes mean now and meant in the last sync that converted label files."""
        past, settings = past_classes(connection, self.record.id), self.record.settings
        if past.classes is None or settings.format is None:
            return []
        changes = changes_since(past.classes, settings, past.label_rows)
        return [change.as_dict() for change in changes]

    def settle_files(self, changes: PreparedChanges, recorder: Recorder) -> None:
        """Keep what files beside the labels say, and refuse class lists that disagree."""
        lists, looked_at = changes.lists, changes.looked_at
        if lists.is_changed or looked_at.is_changed:
            with State.writing(changes.connection):
                recorder.lock.confirm(changes.connection)
                if lists.is_changed:
                    replace_answers(changes.connection, self.record.id, lists.answers)
                if looked_at.is_changed:
                    replace_written(changes.connection, self.record.id, looked_at.files)
        refuse_disagreeing(lists.class_lists, cures(self.record.name))

    def settle_layout(self, changes: PreparedChanges) -> None:
        """Keep the row layout that was decided: no later run changes its mind."""
        first = changes.first_layout
        refuse_undecided(first, self.record.name)
        if first.layout is not None:
            self.record = change_settings(self.state, self.record, first.settings)
            self._take_fingerprints()

    def apply(self, changes: PreparedChanges, recorder: Recorder) -> bool:
        """Carry out changes; return whether none of them is left for the next sync."""
        # Engines are loaded where something is to be done.
        from labelingest.pipeline.choose_engine import Engines

        recorder.run.stage = "apply"
        with Engines(self.options, self.options.executor) as engines:
            applying = Applying(
                prepared=changes,
                lock=recorder.lock,
                run=recorder.run,
                work=self._work(recorder.run, changes.first_layout.fetched),
                engines=engines,
                on_batch=partial(self._on_batch, recorder.run),
            )
            try:
                applying.apply_all((*changes.problems, *_schema_problems(self.record.settings)))
            except CancelledRunError:
                self._record_classes(changes, recorder, applying.work)
                raise
        self._record_classes(changes, recorder, applying.work)
        recorder.count_unused(changes.first_layout.fetched)
        recorder.close_books(changes.connection, applying.work.tally)
        if changes.is_mass_delete and self.record.settings.allow_mass_delete:
            self._forbid_mass_delete()
        return not (applying.unread or applying.refused)

    def _record_classes(
        self, changes: PreparedChanges, recorder: Recorder, work: BatchWork
    ) -> None:
        named = changes.lists.class_lists.named_numbers
        with State.writing(changes.connection):
            recorder.lock.confirm(changes.connection)
            record_classes(changes.connection, recorder, work, named_numbers=named)

    def note_in_step(
        self, changes: PreparedChanges, recorder: Recorder, splits: Sequence[str]
    ) -> None:
        """Note the digest with which the folder is in step, and splits for the next listing."""
        values = {
            "digest": changes.plan.digest,
            "splits": json.dumps(splits) if splits else None,
        }
        with State.writing(changes.connection):
            recorder.lock.confirm(changes.connection)
            changes.connection.execute(
                folders.update().where(folders.c.id == self.record.id).values(values)
            )

    def _refuse_drift(self, plan: Plan) -> None:
        expected = self.options.plan
        if expected is not None:
            expected.refuse_drift(plan.digest, plan.generation, plan.changes)

    def _splits(self, listing: Listing) -> Sequence[str]:
        """Return keys between which the next listing is cut; a local folder needs none."""
        return splits_of(listing.keys) if is_cloud(self.places.storage.url) else ()

    def _work(self, run: RunRecord, fetched: dict[str, FetchedFile]) -> BatchWork:
        storage, settings = self.places.storage, self.record.settings
        worker = None
        if settings.format is not None:
            converter = make_folder_converter(settings, storage.url)
            worker = Worker(storage, converter, self._half(), wants_tokens=True)
        return BatchWork(
            storage=storage,
            output=self.places.output,
            settings=settings,
            worker=worker,
            fingerprints=self.fingerprints,
            counters=run.counters,
            fetched=fetched,
        )

    def _half(self) -> StagingHalf | None:
        """Return the workers' half of the output; None where it takes no files ahead."""
        output = self.places.output
        if not isinstance(output, LocalStorage):
            return None
        return StagingHalf(output, MARKER, output.fetch([MARKER]).get(0))

    def _forbid_mass_delete(self) -> None:
        """Withdraw a permission that was given for one sync."""
        change_settings(
            self.state, self.record, lambda latest: latest.changed(allow_mass_delete=False)
        )

    def _on_page(self, recorder: Recorder, files: int) -> None:
        recorder.count_page(files)
        self._stop_if_cancelled()
        recorder.save_if_old()

    def _on_batch(self, run: RunRecord) -> None:
        counters = run.counters
        finished = counters.upload_jobs_units_done + counters.upload_jobs_units_error
        if self.options.progress is not None:
            total = finished + counters.upload_jobs_units_pending
            self.options.progress(Progress("convert", finished, total))
        self._stop_if_cancelled()

    def _stop_if_cancelled(self) -> None:
        if self.options.cancelled():
            raise CancelledRunError


def _schema_problems(settings: FolderSettings) -> Sequence[Problem]:
    schema = settings.metadata_schema
    return () if schema is None else check_schema(schema)
