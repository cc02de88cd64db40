"""Apply prepared changes, in transactions from each of which another run can continue.

1. Add, update and restore items in one transaction. It enters new label rows as pending, and marks
   label rows that change or go as unfinished: the next run knows what a killed run may have touched.
2. Work in batches: convert label files by an engine, perhaps several batches at once. Then, batch by
   batch in order, write label rows, read metadata, and commit the outcome of the batch.
3. Delete last: label rows whose sidecar is gone, then items whose file is gone.

Every transaction confirms the lock, and so does every step that touches the output: a run that lost
its lock writes nothing any more.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from labelingest.folders.output_files import foreign_file
from labelingest.folders.state.clock import now
from labelingest.folders.state.database import State, bulk_update, bulk_upsert, upsert
from labelingest.folders.state.label_rows import (
    FILE_COLUMNS,
    LABEL_ROW_COLUMNS,
    UNWRITTEN,
    LabelStatus,
    RowFile,
    row_file,
)
from labelingest.folders.state.lock import Lock, LockedError
from labelingest.folders.state.problems import Part, replace_problems
from labelingest.folders.state.runs import RunRecord, save_run
from labelingest.folders.state.tables import (
    changes,
    folders,
    items,
    label_rows,
    output_rows,
    scanned_files,
)
from labelingest.folders.sync.batch import (
    METADATA_COLUMNS,
    Batch,
    BatchOutcome,
    BatchWork,
    do_nothing,
)
from labelingest.folders.sync.changes import HIDES, LabelChange
from labelingest.folders.sync.portions import first_portion
from labelingest.folders.sync.prepared import PreparedChanges
from labelingest.pipeline.worker import Job
from labelingest.problems import Problem, ProblemCode

if TYPE_CHECKING:  # engines are loaded where something is to be done
    from labelingest.engines.base import Engine
    from labelingest.pipeline.choose_engine import Engines

__all__ = ["Applying"]

_FILES: Final = 1_000
"""Data files of one batch, at most: a killed run repeats no more than these."""
_BYTES: Final = 4_000_000
"""Bytes of sidecars of one batch, about: they are in memory together."""


@dataclass(slots=True)
class Applying:
    """Applies prepared changes, and counts what is left for the next sync."""

    prepared: PreparedChanges
    lock: Lock
    run: RunRecord
    work: BatchWork
    engines: "Engines"
    """Chooses the engine that converts label files."""
    on_batch: Callable[[], None]
    """Called after each batch; an exception ends the run there."""
    unread: int = 0
    """Number of data files with a sidecar that could not be read."""
    refused: int = 0
    """Number of data files whose label row is blocked by a foreign file in the output."""

    @property
    def connection(self) -> Connection:
        """Connection with the temporary tables of the changes."""
        return self.prepared.connection

    @property
    def folder_id(self) -> int:
        """Number of the folder in the state."""
        return self.prepared.folder_id

    def apply_all(self, problems: Sequence[Problem]) -> None:
        """Apply all changes.

        Parameters
        ----------
        problems
            Problems of the listing, of pairing and of the metadata schema.
        """
        counters = self.run.counters
        counters.upload_jobs_units_pending = self._count(sa.true())
        files = self._count(_NEEDS_WORK)
        counters.upload_jobs_pending = -(-files // _FILES)
        self.engines.on_listed(2 * files)  # data files and sidecars
        self._take_items(problems)
        self.on_batch()
        self._convert_batches(self.engines.engine(files))
        self._remove_label_rows()
        self._hide_items()

    def _count(self, where: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count()).select_from(changes).where(where)
        with self.connection.begin():
            return self.connection.scalar(query) or 0

    def _commit(self) -> None:
        """Write the record of the run at the end of a transaction, and confirm the lock."""
        save_run(self.connection, self.run)
        self.lock.confirm(self.connection)

    def _begin(self, files: Mapping[str, RowFile]) -> None:
        """Note the files that the run is about to write, and confirm the lock.

        A run that was asleep must not write over its successor.
        """
        with State.writing(self.connection):
            self.lock.confirm(self.connection)
            self._note_files(files)

    def _note_files(self, files: Mapping[str, RowFile]) -> None:
        """Write entries of files in the output to the state."""
        folder = self.folder_id
        rows = [(folder, key, *file) for key, file in files.items() if file.exists]
        bulk_upsert(self.connection, output_rows, ("folder_id", "key", *FILE_COLUMNS), rows)
        removed = [{"removed_key": key} for key, file in files.items() if not file.exists]
        if removed:
            of_key = (output_rows.c.folder_id == folder) & (
                output_rows.c.key == sa.bindparam("removed_key")
            )
            self.connection.execute(output_rows.delete().where(of_key), removed)

    def _settle(self, units: int, errors: int = 0) -> None:
        counters = self.run.counters
        counters.upload_jobs_units_pending -= units
        counters.upload_jobs_units_done += units - errors
        counters.upload_jobs_units_error += errors

    def _take_items(self, problems: Sequence[Problem]) -> None:
        self.run.counters.count_problems(problems)
        plain = changes.c.label.is_(None) & changes.c.metadata.is_(None)
        self._settle(self._count(plain & (changes.c.item.not_in(_HIDES))))
        of_listing = ("", Part.LISTING)
        with State.writing(self.connection):
            self.connection.execute(
                folders.update()
                .where(folders.c.id == self.folder_id)
                .values(generation=folders.c.generation + 1, digest=None)
            )
            self.connection.execute(self._upsert_items())
            self.connection.execute(self._enter_pending())
            self.connection.execute(self._mark_unfinished())
            replace_problems(self.connection, self.folder_id, [of_listing], {of_listing: problems})
            self._commit()

    def _upsert_items(self) -> Any:
        moment = sa.literal(now())
        columns = ["kind", "size", "mtime_ns", "token"]
        new_items = (
            sa.select(
                sa.literal(self.folder_id),
                scanned_files.c.key,
                *(scanned_files.c[name] for name in columns),
                moment,
                moment,
            )
            .select_from(changes.join(scanned_files, scanned_files.c.key == changes.c.key))
            .where(changes.c.item.is_not(None))
            .order_by(scanned_files.c.key)
        )
        insert = upsert(self.connection, items).from_select(
            ["folder_id", "key", *columns, "added_at", "updated_at"], new_items
        )
        new = insert.excluded
        same = items.c.token == new.token
        return insert.on_conflict_do_update(
            index_elements=["folder_id", "key"],
            set_={
                **{name: new[name] for name in (*columns, "updated_at")},
                # The size of another image is not known yet.
                "width": sa.case((same, items.c.width)),
                "height": sa.case((same, items.c.height)),
                "deleted_at": None,
                "deleted_why": None,
            },
        )

    def _enter_pending(self) -> Any:
        pending_rows = (
            sa.select(
                sa.literal(self.folder_id),
                scanned_files.c.key,
                sa.literal(LabelStatus.PENDING.value),
                scanned_files.c.sidecar,
            )
            .select_from(changes.join(scanned_files, scanned_files.c.key == changes.c.key))
            .where(changes.c.label == LabelChange.NEW.value)
            .order_by(scanned_files.c.key)
        )
        return label_rows.insert().from_select(
            ["folder_id", "key", "status", "sidecar"], pending_rows
        )

    def _mark_unfinished(self) -> Any:
        touched = sa.select(changes.c.key).where(changes.c.label.is_not(None))
        return (
            label_rows.update()
            .where(label_rows.c.folder_id == self.folder_id, label_rows.c.key.in_(touched))
            .values(fingerprint=None)
        )

    def _convert_batches(self, engine: "Engine") -> None:
        """Convert all batches; the engine takes some of them ahead, and they finish in order."""
        batches: deque[Batch] = deque()
        worker = partial(do_nothing, None) if self.work.worker is None else self.work.worker
        try:
            with closing(engine.map(worker, self._jobs(batches))) as results:
                for result in results:
                    batches[0].results.append(result)
                    if batches[0].is_complete:
                        self._finish(batches[0])
                        batches.popleft()
                        self.on_batch()
        except LockedError:
            raise  # the files of unfinished batches are those of the run that took over
        except BaseException:
            self.work.discard(batches)
            raise
        self.run.counters.upload_jobs_pending = 0

    def _jobs(self, batches: deque[Batch]) -> Iterator[Job]:
        """Yield the jobs of all batches; each batch is added when its first job is taken."""
        after = ""
        while rows := self._next_batch(after):
            after = rows[-1]["key"]
            batches.append(self.work.begin(rows))
            yield from batches[-1].jobs

    def _finish(self, batch: Batch) -> None:
        """Write the label rows of a batch, and commit its outcome."""
        rows, outcome = batch.rows, batch.outcome
        self.work.finish(batch, self._begin)
        self.unread += len(outcome.unread)
        self.refused += len(outcome.refused)
        counted = [row["key"] for row in rows if row["label"] != LabelChange.GONE]
        self._settle(len(counted), len(outcome.failed().intersection(counted)))
        counters = self.run.counters
        counters.upload_jobs_done += 1
        counters.upload_jobs_pending = max(counters.upload_jobs_pending - 1, 0)
        with State.writing(self.connection):
            self._note(rows, outcome)
            self._commit()

    def _next_batch(self, after: str) -> Sequence[RowMapping]:
        of_folder = (label_rows.c.folder_id == self.folder_id) & (
            label_rows.c.key == scanned_files.c.key
        )
        files = (output_rows.c.folder_id == self.folder_id) & (
            output_rows.c.key == scanned_files.c.key
        )
        query = (
            sa.select(
                changes.c.label,
                changes.c.metadata.label("change"),
                scanned_files,
                *(label_rows.c[name] for name in _OF_LABEL_ROW),
                *_FILE,
            )
            .select_from(
                changes.join(scanned_files, scanned_files.c.key == changes.c.key)
                .outerjoin(label_rows, of_folder)
                .outerjoin(output_rows, files)
            )
            .where(_NEEDS_WORK, changes.c.key > after)
            .order_by(changes.c.key)
            .limit(_FILES)
        )
        with self.connection.begin():
            rows = self.connection.execute(query).mappings().all()
        return first_portion(rows, _BYTES, "sidecar_size", "metadata_size")

    def _note(self, rows: Sequence[RowMapping], outcome: BatchOutcome) -> None:
        """Write the outcome of a batch to the state."""
        connection, folder = self.connection, self.folder_id
        entries = [(folder, *entry) for entry in outcome.label_rows]
        bulk_upsert(connection, label_rows, ("folder_id", *LABEL_ROW_COLUMNS), entries)
        self._note_files(outcome.files)
        for names, values in (
            (("width", "height"), outcome.sizes),
            (METADATA_COLUMNS, outcome.metadata),
        ):
            of_item = [(*row[1:], folder, row[0]) for row in values]
            bulk_update(connection, items, (*names, "folder_id", "key"), of_item)
        replace_problems(
            connection, folder, _checked_parts(rows, outcome.unchanged), outcome.problems
        )

    def _remove_label_rows(self) -> None:
        after = ""
        while rows := self._next_gone(after):
            after = rows[-1]["key"]
            self._begin({})
            foreign = self.work.files.remove({row["key"]: row_file(row) for row in rows})
            removed = [row["key"] for row in rows if row["key"] not in foreign]
            self.refused += len(foreign)
            self.run.counters.files_deleted += len(removed)
            self._settle(len(rows), len(foreign))
            with State.writing(self.connection):
                self._forget(removed)
                self._note_foreign(sorted(foreign))
                self._commit()
            self.on_batch()

    def _next_gone(self, after: str) -> Sequence[RowMapping]:
        of_folder = output_rows.c.folder_id == self.folder_id
        query = (
            sa.select(changes.c.key, *_FILE)
            .select_from(
                changes.outerjoin(output_rows, of_folder & (output_rows.c.key == changes.c.key))
            )
            .where(changes.c.label == LabelChange.GONE.value, changes.c.key > after)
            .order_by(changes.c.key)
            .limit(_FILES)
        )
        with self.connection.begin():
            return self.connection.execute(query).mappings().all()

    def _forget(self, keys: Sequence[str]) -> None:
        """Remove label rows from the state whose files were removed."""
        if not keys:
            return
        of_key = (label_rows.c.folder_id == self.folder_id) & (
            label_rows.c.key == sa.bindparam("removed_key")
        )
        self.connection.execute(
            label_rows.delete().where(of_key), [{"removed_key": key} for key in keys]
        )
        self._note_files(dict.fromkeys(keys, UNWRITTEN))
        looked_at = [(key, Part.LABEL) for key in keys]
        replace_problems(self.connection, self.folder_id, looked_at, {})

    def _note_foreign(self, keys: Sequence[str]) -> None:
        """Keep label rows whose file is foreign: every sync tries them again."""
        if not keys:
            return
        problems_of_key = (label_rows.c.folder_id == self.folder_id) & (
            label_rows.c.key == sa.bindparam("foreign")
        )
        refused = (
            label_rows.update().where(problems_of_key).values(status=LabelStatus.REFUSED.value)
        )
        self.connection.execute(refused, [{"foreign": key} for key in keys])
        looked_at = [(key, Part.LABEL) for key in keys]
        output = self.work.output
        problems = {
            (key, Part.LABEL): [
                Problem(
                    ProblemCode.OUTPUT_NAME_REFUSED,
                    key,
                    f"its sidecar is gone, and its label row is not deleted: "
                    f"{foreign_file(output, key, is_changed=False)}",
                )
            ]
            for key in keys
        }
        self.run.counters.count_problems(
            problem for problems_of_key in problems.values() for problem in problems_of_key
        )
        replace_problems(self.connection, self.folder_id, looked_at, problems)

    def _hide_items(self) -> None:
        is_hidden = changes.c.item.in_(_HIDES)
        count = self._count(is_hidden)
        if not count:
            return
        self._settle(count)
        moment = now()
        why = sa.select(changes.c.item).where(changes.c.key == items.c.key).scalar_subquery()
        with State.writing(self.connection):
            self.connection.execute(
                items.update()
                .where(items.c.folder_id == self.folder_id)
                .where(items.c.key.in_(sa.select(changes.c.key).where(is_hidden)))
                .values(deleted_at=moment, deleted_why=why, updated_at=moment)
            )
            self._commit()


_OF_LABEL_ROW: Final = ("status", "sidecar_digest", "data_token", "width", "height", "made_at")
_FILE: Final = tuple(output_rows.c[name].label(f"file_{name}") for name in FILE_COLUMNS)
_HIDES: Final = sorted(reason.value for reason in HIDES)
_NEEDS_WORK: Final = (
    changes.c.label.is_not(None) & (changes.c.label != LabelChange.GONE.value)
) | (changes.c.metadata.is_not(None))
"""Condition that a change needs a sidecar to be read."""


def _checked_parts(rows: Sequence[RowMapping], unchanged_keys: Set[str]) -> list[tuple[str, Part]]:
    """Return key and part of what a batch checked, where earlier runs may have left problems."""
    labels = [
        (row["key"], Part.LABEL)
        for row in rows
        if row["label"] not in _FIRST_TIME and row["key"] not in unchanged_keys
    ]
    return labels + [(row["key"], Part.METADATA) for row in rows if row["change"] is not None]


_FIRST_TIME: Final = {None, LabelChange.NEW, LabelChange.GONE}
