"""A sync: lock → list → digest → difference → guard → apply → record. And a plan: the same, to the guard.

A listing with the digest of the last complete sync is not even loaded into the database.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from typing import BinaryIO, Final

from sqlalchemy.engine import Connection

from labelingest.converter import Converter, LabelFormat
from labelingest.errors import LabelIngestError
from labelingest.folders.locations import OpenPlaces, Places
from labelingest.folders.output_owner import confirm_owner, known_below, without_outputs
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.clock import now
from labelingest.folders.state.database import State
from labelingest.folders.state.folders import FolderRecord, change_settings, find_folder
from labelingest.folders.state.lock import Lock, LockedError, take_lock
from labelingest.folders.state.runs import RunRecord, Status, save_run
from labelingest.folders.state.tables import folders
from labelingest.folders.sync.apply import Applying
from labelingest.folders.sync.batch import BatchWork
from labelingest.folders.sync.changes import (
    count_changes,
    count_first_changes,
    find_changes,
)
from labelingest.folders.sync.compare_contents import Contents
from labelingest.folders.sync.custom_metadata import check_schema
from labelingest.folders.sync.fingerprints import (
    Fingerprints,
    label_fingerprint,
    listing_digest,
    schema_fingerprint,
)
from labelingest.folders.sync.guard import withhold_deletions
from labelingest.folders.sync.missing_outputs import add_differences, note_verified
from labelingest.folders.sync.plan import Plan, keep_plan
from labelingest.folders.sync.scan import is_complete, scan
from labelingest.folders.sync.second_listing import needs_second_look
from labelingest.folders.sync.skip_unchanged import is_new
from labelingest.folders.sync.unpaired import refuse_unpaired
from labelingest.model.blobs import Unread
from labelingest.model.listing import Listing
from labelingest.pipeline.run import make_converter
from labelingest.pipeline.worker import Worker
from labelingest.problems import Problem
from labelingest.progress import Progress
from labelingest.resolution.class_map import make_class_map
from labelingest.storage.base import Storage, list_all
from labelingest.storage.cloud.list_parts import splits_of
from labelingest.storage.urls import is_cloud

__all__ = ["SCHEDULE", "SyncOptions", "make_folder_converter", "make_plan", "run_sync"]

SCHEDULE: Final = "schedule"
"""The trigger that moves the schedule."""
_SAVED_EVERY: Final = 1.0
"""Seconds between what other processes see of a listing."""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """How a sync is run."""

    trigger: str = "manual"
    allow_mass_delete: bool = False
    verify_output: bool = False
    """Whether the output is listed too, and label rows that are missing there are made anew."""
    checksum: bool = False
    """Whether contents are compared too; the folder may be set to that as well."""
    plan: Plan | None = None
    """What it is to carry out, and nothing else; None for whatever there is to do."""
    progress: Callable[[Progress], None] | None = None
    cancelled: Callable[[], bool] = field(default=lambda: False)
    """Asked after each page of the listing and each batch."""


class _CancelledError(Exception):
    """The run is to end here."""


def make_plan(
    state: State,
    record: FolderRecord,
    open_places: OpenPlaces,
    options: SyncOptions,
    *,
    save: Callable[[], AbstractContextManager[BinaryIO]] | None = None,
) -> Plan:
    """Find what a sync would do; nothing is written but the plan itself, if asked for.

    Parameters
    ----------
    state, record
        The folder.
    open_places
        Opens its storage path and its output, as the settings say.
    options
        As for the sync.
    save
        Opens the file for the plan with all its changes.
    """
    comparison = _Comparison(state, record, open_places, options)
    comparison.confirm_owner(claims=False)
    listing = comparison.list(lambda files: None)
    with state.connection(snapshot=True) as connection, connection.begin():
        plan, _ = comparison.plan(connection, listing, counts_do=save is None)
        if save is not None:
            with save() as file:
                keep_plan(file, plan, connection)
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
        How.

    Returns
    -------
    RunRecord
        What happened, as it stands in the state.

    Raises
    ------
    LockedError
        Another run has the folder.
    DriftError
        A plan was to be carried out, and the storage path or the state have moved on.
    StorageError, ConfigError, OntologyError
        The run as a whole failed; what it recorded before is done, and the next run goes on.
    """
    with take_lock(state, record.id, record.name, options.trigger) as lock:
        run = lock.run
        with _recorded(state, record, lock):
            # What another run did before this one had the lock counts.
            record = find_folder(state, record.name)
            scheduled = options.trigger == SCHEDULE and record.settings.auto_sync_hours is not None
            if scheduled and not record.is_due(run.started_at):
                run.message = "it is not due any more: another process was faster"
            else:
                _Syncing(state, record, open_places, options, lock).do()
    return run


@contextmanager
def _recorded(state: State, record: FolderRecord, lock: Lock) -> Iterator[None]:
    """Write down how a run ended, however it does."""
    run = lock.run
    try:
        yield
        run.status = Status.DONE
    except _CancelledError:
        run.status = Status.CANCELLED
    except LockedError:
        raise  # the run that took over wrote down how this one ended
    except KeyboardInterrupt:
        run.status, run.message = Status.CANCELLED, "ended in the middle of a batch"
        raise
    except BaseException as error:
        run.status = Status.ERROR
        # What an unexpected exception says may quote the data, and the state outlives it.
        is_sentence = isinstance(error, LabelIngestError)
        run.message = str(error) if is_sentence else f"unexpected {type(error).__name__}"
        raise
    finally:
        if run.status is not Status.RUNNING:
            _end_run(state, record, run)


def _end_run(state: State, record: FolderRecord, run: RunRecord) -> None:
    run.ended_at, run.stage = now(), ""
    if run.status is not Status.DONE:
        run.counters.cancel()
    with state.write() as connection:
        save_run(connection, run)
        # A run that was cut short is still due.
        if run.trigger == SCHEDULE and run.status is not Status.CANCELLED:
            due = record.next_due(run.ended_at)
            # Unless the schedule was set otherwise meanwhile.
            same = (folders.c.id == record.id) & (folders.c.due_at == record.due_at)
            connection.execute(folders.update().where(same).values(due_at=due))


@dataclass(slots=True)
class _Comparison:
    """Compares a storage path with the state."""

    state: State
    record: FolderRecord
    open_places: OpenPlaces
    options: SyncOptions
    places: Places = field(init=False)
    fingerprints: Fingerprints = field(init=False)
    contents: Contents | None = None
    """What was read to compare contents; None where that was not asked for."""
    used_mass_delete: bool = field(default=False, init=False)
    """Whether deletions are made that would be withheld for their number."""

    def __post_init__(self) -> None:
        settings = self.record.settings
        self.places = self.open_places(settings)
        urls = self.places.storage.url, self.places.output.url
        self.fingerprints = Fingerprints(
            label_fingerprint(settings, *urls), schema_fingerprint(settings)
        )

    def confirm_owner(self, *, claims: bool) -> str:
        """Make sure that the output is the folder's; return what is to be said of it."""
        self.record, notice = confirm_owner(
            self.state, self.record, self.places.output, claims=claims
        )
        return notice

    def list(self, on_listed: Callable[[int], None]) -> Listing:
        """List, and tell how far."""

        def report(files: int) -> None:
            if self.options.progress is not None:
                self.options.progress(Progress("list", files))
            on_listed(files)

        storage, exclude = self.places.storage, self.places.exclude
        listing = list_all(storage, exclude, splits=self.record.splits, on_listed=report)
        return without_outputs(listing, partial(known_below, self.state, self.record))

    def splits(self, listing: Listing) -> Sequence[str]:
        """Return between which keys the next listing is cut; local folders answer at once."""
        return splits_of(listing.keys) if is_cloud(self.places.storage.url) else ()

    def plan(
        self, connection: Connection, listing: Listing, *, counts_do: bool = False
    ) -> tuple[Plan, Sequence[Problem]]:
        """Find what is to be done; the temporary tables of the connection have it then.

        Parameters
        ----------
        connection
            In a transaction.
        listing
            Of the storage path.
        counts_do
            Whether the tables are not needed: where all is new, they are not made then.

        Returns
        -------
        plan
            What is to be done.
        problems
            Of listing and pairing; none where the folder is in step, as nothing is paired then.
        """
        record = self.record
        allow = self.options.allow_mass_delete or record.settings.allow_mass_delete
        digest = listing_digest(listing, record.settings, self.fingerprints.labels)
        verify = self.options.verify_output
        checksum = self.options.checksum or record.settings.checksum
        plan = Plan(
            *(record.name, now(), len(listing), digest, record.generation, allow, verify),
            checksum=self.options.checksum,
        )
        if digest == record.digest and not (verify or checksum):
            return plan, ()
        scanned = scan(listing, record.settings)
        if not allow:
            refuse_unpaired(scanned, record.settings)
        if counts_do and is_new(connection, record.id):
            counts = count_first_changes(scanned, record.settings)
            return replace(plan, changes=counts), scanned.problems
        load_all = verify or checksum
        find_changes(
            connection, record.id, scanned, record.settings, self.fingerprints, load_all=load_all
        )
        if checksum:
            self.contents = self._compared(connection)
        if verify:
            add_differences(connection, record.id, self.places.output)
        second = partial(self.list, lambda files: None)
        withheld = withhold_deletions(
            connection,
            record.id,
            scanned,
            record.settings,
            allow_mass_delete=allow,
            list_again=second if needs_second_look(self.places.storage) else None,
        )
        self.used_mass_delete = withheld.is_meant
        counts, held = count_changes(connection), dict(withheld.counts)
        plan = replace(plan, changes=counts, withheld=held, why_withheld=withheld.why)
        return plan, scanned.problems

    def _compared(self, connection: Connection) -> Contents:
        """Compare contents too; return what was read for that."""
        storage, settings = self.places.storage, self.record.settings
        contents = Contents(connection, self.record.id, storage, settings, self._sizes_of)
        contents.add_differences()
        return contents

    def _sizes_of(self, keys: Sequence[str]) -> Sequence[tuple[int, int] | Unread | None]:
        storage = self.places.storage
        converter = make_folder_converter(self.record.settings, storage.url)
        return Worker(storage, converter).image_sizes(keys)


@dataclass(slots=True)
class _Syncing:
    """One run of a folder."""

    state: State
    record: FolderRecord
    open_places: OpenPlaces
    options: SyncOptions
    lock: Lock
    _saved: float = field(default_factory=monotonic)

    def do(self) -> None:
        """List, compare, apply."""
        run, expected = self.lock.run, self.options.plan
        self._begin_stage("list")
        comparison = _Comparison(self.state, self.record, self.open_places, self.options)
        run.message = comparison.confirm_owner(claims=True) or None
        listing = comparison.list(self._on_listed)
        complete = is_complete(listing)
        run.counters.scan_pages_processing_error = int(not complete)
        run.counters.places_not_listed = len(listing.hiding)
        self._begin_stage("compare")
        with self.state.connection() as connection:
            with connection.begin():
                plan, problems = comparison.plan(connection, listing)
            splits = comparison.splits(listing)
            del listing  # the temporary tables have what is needed of it
            if expected is not None:
                expected.refuse_drift(plan.digest, plan.generation, plan.changes)
            if (read := comparison.contents) is not None:
                run.counters.files_read += read.files_read
                run.counters.bytes_read += read.bytes_read
                run.counters.headers_read += read.headers_read
            run.counters.changes = dict(plan.changes)
            run.counters.withheld = dict(plan.withheld)
            run.message = "; ".join(filter(None, (run.message, plan.why_withheld))) or None
            if self.options.verify_output:
                with State.writing(connection):
                    self.lock.confirm(connection)
                    note_verified(connection, self.record.id)
            if plan.digest == self.record.digest and not plan.changes:
                return
            run.stage = "apply"
            applying = Applying(connection, self.lock, self._work(comparison), self._on_batch)
            applying.do((*problems, *_schema_problems(self.record.settings)))
            if comparison.used_mass_delete and self.record.settings.allow_mass_delete:
                self._forbid_mass_delete()
            if not (applying.unread or applying.refused) and complete and not plan.withheld:
                self._in_step(connection, plan.digest, splits)

    def _forbid_mass_delete(self) -> None:
        """Take back what was allowed once."""
        change_settings(
            self.state, self.record, lambda latest: latest.changed(allow_mass_delete=False)
        )

    def _begin_stage(self, stage: str) -> None:
        """Let other processes see at what the run is."""
        self.lock.run.stage = stage
        self._save()

    def _save(self) -> None:
        self._saved = monotonic()
        with self.state.write() as connection:
            self.lock.confirm(connection)
            save_run(connection, self.lock.run)

    def _on_listed(self, files: int) -> None:
        counters = self.lock.run.counters
        counters.scan_pages_processing_done += 1
        counters.keys_listed = files
        self._stop_if_asked()
        if monotonic() - self._saved > _SAVED_EVERY:
            self._save()

    def _on_batch(self) -> None:
        counters = self.lock.run.counters
        finished = counters.upload_jobs_units_done + counters.upload_jobs_units_error
        if self.options.progress is not None:
            total = finished + counters.upload_jobs_units_pending
            self.options.progress(Progress("convert", finished, total))
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self.options.cancelled():
            raise _CancelledError

    def _work(self, comparison: _Comparison) -> BatchWork:
        places, settings = comparison.places, self.record.settings
        return BatchWork(
            places.storage,
            places.output,
            settings,
            None if settings.format is None else self._worker(places.storage),
            comparison.fingerprints.labels,
            comparison.fingerprints.schema,
            comparison.fingerprints.crashed,
            self.lock.run.counters,
        )

    def _worker(self, storage: Storage) -> Worker:
        converter = make_folder_converter(self.record.settings, storage.url)
        return Worker(storage, converter, wants_tokens=True)

    def _in_step(self, connection: Connection, digest: str, splits: Sequence[str]) -> None:
        values = {"digest": digest, "splits": json.dumps(splits) if splits else None}
        with State.writing(connection):
            self.lock.confirm(connection)
            connection.execute(
                folders.update().where(folders.c.id == self.record.id).values(values)
            )


def _schema_problems(settings: FolderSettings) -> Sequence[Problem]:
    schema = settings.metadata_schema
    return () if schema is None else check_schema(schema)


def make_folder_converter(settings: FolderSettings, url: str) -> Converter:
    """Make what converts the sidecars of a folder.

    Parameters
    ----------
    settings
        With a format.
    url
        Of the storage path.

    Raises
    ------
    ConfigError, OntologyError
        Ontology, class map and options do not go together.
    """
    ontology, config = settings.load_ontology(), settings.config
    format = LabelFormat(str(settings.format))
    mapping = None
    if format is LabelFormat.YOLO:
        mapping = make_class_map(ontology, namespace=config.namespace, overrides=config.map)
    return make_converter(config, ontology, mapping, format, url)
