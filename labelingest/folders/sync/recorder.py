"""The record of a run, kept up to date in the state from the beginning of the run to its end.

Other processes read the record to show progress. Every write confirms the lock of the run: a run
that lost its lock records nothing any more.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from sqlalchemy.engine import Connection

from labelingest.errors import LabelIngestError
from labelingest.folders.state.clock import now
from labelingest.folders.state.database import State
from labelingest.folders.state.folders import FolderRecord
from labelingest.folders.state.lock import Lock, LockedError, take_lock
from labelingest.folders.state.runs import RunRecord, Status, save_run
from labelingest.folders.state.tables import folders
from labelingest.folders.sync.options import SCHEDULE
from labelingest.folders.sync.prepared import PreparedChanges
from labelingest.folders.sync.scan import is_complete
from labelingest.model.listing import Listing
from labelingest.model.tally import Tally
from labelingest.pipeline.fetched_files import FetchedFile

__all__ = ["CancelledRunError", "Recorder", "recorded_run"]

_SAVED_EVERY: Final = 1.0
"""Seconds between two writes of the record while files are listed: others see that as live."""

_NO_BALANCE: Final = "the counts do not add up: please report this"


class CancelledRunError(Exception):
    """The caller cancelled the run; the record says so, and no caller sees this exception."""


@dataclass(slots=True)
class Recorder:
    """Record of a running sync, with the lock under which it is written."""

    state: State
    lock: Lock
    run: RunRecord
    left_out: int = 0
    """Number of listed keys that lie in outputs of other folders."""
    _saved: float = field(default_factory=monotonic)

    def begin_stage(self, stage: str) -> None:
        """Record the stage that begins: other processes see it at once."""
        self.run.stage = stage
        self.save()

    def save(self) -> None:
        """Write the record as it is now.

        Raises
        ------
        LockedError
            Another run took over the lock.
        """
        self._saved = monotonic()
        with self.state.write() as connection:
            self.lock.confirm(connection)
            save_run(connection, self.run)

    def count_page(self, files: int) -> None:
        """Count a page of the listing.

        Parameters
        ----------
        files
            Files listed so far.
        """
        counters = self.run.counters
        counters.scan_pages_processing_done += 1
        counters.keys_listed = files

    def save_if_old(self) -> None:
        """Write the record unless it was written a moment ago."""
        if monotonic() - self._saved > _SAVED_EVERY:
            self.save()

    def count_listing(self, listing: Listing) -> None:
        """Count what a listing could not see."""
        counters = self.run.counters
        counters.scan_pages_processing_error = int(not is_complete(listing))
        counters.places_not_listed = len(listing.hiding)
        self.left_out = counters.keys_listed - len(listing)

    def count_changes(self, changes: PreparedChanges) -> None:
        """Count what a comparison read and found."""
        counters, plan = self.run.counters, changes.plan
        if (contents := changes.contents) is not None:
            counters.files_read += contents.files_read
            counters.bytes_read += contents.bytes_read
            counters.headers_read += contents.headers_read
        counters.files_read += changes.lists.files_read + changes.looked_at.files_read
        counters.bytes_read += changes.lists.bytes_read
        counters.changes = dict(plan.changes)
        counters.withheld = dict(plan.withheld)
        self.add_message(plan.why_withheld)
        self.run.books = changes.books.taken_by(self.run.id, self.left_out)
        self._check_books()

    def count_unused(self, fetched: Mapping[str, FetchedFile]) -> None:
        """Count label files that were read to decide the row layout, and needed no conversion."""
        self.run.counters.files_read += len(fetched)
        self.run.counters.bytes_read += sum(len(file.content) for file in fetched.values())

    def close_books(self, connection: Connection, tally: Tally | None) -> None:
        """Count the files with errors, and the rows that were read.

        Parameters
        ----------
        connection
            Connection without a transaction.
        tally
            Counts of the rows that the run read; None where it converted nothing.
        """
        if self.run.books is not None:
            with connection.begin():
                self.run.books = self.run.books.closed(connection, self.run.folder_id, tally)
            if tally is not None and not tally.balance():
                self.add_message(_NO_BALANCE)

    def _check_books(self) -> None:
        books = self.run.books
        if books is not None and books.keys_seen != self.run.counters.keys_listed:
            self.add_message(_NO_BALANCE)

    def add_message(self, sentence: str) -> None:
        """Add a sentence to the message of the run; "" adds nothing."""
        self.run.message = "; ".join(filter(None, (self.run.message, sentence))) or None


@contextmanager
def recorded_run(state: State, record: FolderRecord, trigger: str) -> Iterator[Recorder]:
    """Begin a run under the lock of its folder, and record how it ends.

    A block that raises `CancelledRunError` ends well.

    Raises
    ------
    LockedError
        Another run has the lock.
    ConfigError
        The folder was removed from the state in the meantime.
    """
    with take_lock(state, record.id, record.name, trigger) as (lock, run):
        try:
            yield Recorder(state, lock, run)
            run.status = Status.DONE
        except CancelledRunError:
            run.status = Status.CANCELLED
        except LockedError:
            raise  # the run that took over wrote down how this one ended
        except KeyboardInterrupt:
            run.status, run.message = Status.CANCELLED, "ended in the middle of a batch"
            raise
        except BaseException as error:
            run.status = Status.ERROR
            # The text of an unexpected exception may quote data, which must not stay in the state.
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
            # A schedule that changed during the run keeps its new due time.
            same = (folders.c.id == record.id) & (folders.c.due_at == record.due_at)
            connection.execute(folders.update().where(same).values(due_at=due))
