"""One batch: jobs for the engine, then label rows in the output, and entries for the state.

1. `BatchWork.begin` makes the jobs of a batch. An engine converts them, here or in other processes.
2. `BatchWork.finish` takes their results: the state notes the label rows, then they get their names.

Label rows get their names before the state says so, and the state notes them before that. So a run
that is killed in between leaves no file that the next run does not know.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import SQLAlchemyError

from labelingest.columns.fingerprints import content_digest
from labelingest.converter import Counts
from labelingest.documents.exact_numbers import dumps_exactly
from labelingest.fence import result_or_reason
from labelingest.folders.output_files import LabelRowFiles, foreign_file
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.clock import now
from labelingest.folders.state.label_rows import (
    UNWRITTEN,
    LabelRowEntry,
    LabelStatus,
    RowFile,
    row_file,
)
from labelingest.folders.state.problems import Part
from labelingest.folders.state.runs import Counters
from labelingest.folders.sync.changes import OUTPUT_CHANGES, LabelChange, MetadataChange
from labelingest.folders.sync.custom_metadata import checked_metadata
from labelingest.folders.sync.fingerprints import Fingerprints
from labelingest.metadata.check import MAX_METADATA, too_large_metadata
from labelingest.model.batch_output import BatchOutput
from labelingest.model.blobs import Unread
from labelingest.model.class_table import ClassTable, class_table
from labelingest.model.tally import Tally
from labelingest.pipeline.fetched_files import FetchedFile, take_fetched
from labelingest.pipeline.worker import Job, JobResult, Worker
from labelingest.problems import Problem, ProblemCode, Severity
from labelingest.storage.base import Storage

__all__ = ["METADATA_COLUMNS", "Batch", "BatchOutcome", "BatchWork", "do_nothing"]

METADATA_COLUMNS: Final = ("metadata", "metadata_token", "metadata_schema", "metadata_digest")
"""Columns of the metadata of an item."""

_TRIED_AGAIN: Final = (ProblemCode.UNREADABLE_FILE, ProblemCode.OUT_OF_MEMORY)
"""Problems of reading, not of the sidecar's content: the next sync tries again."""
_MAKES_NO_FILE: Final = frozenset({None, LabelChange.GONE, LabelChange.TOUCHED})
"""Changes for which no label row is made."""


@dataclass(slots=True)
class BatchOutcome:
    """Outcome of a batch, as values for the state."""

    label_rows: list[LabelRowEntry] = field(default_factory=list)
    """Entries of label rows."""
    metadata: list[tuple[str | None, ...]] = field(default_factory=list)
    """Key of each item with new metadata, and the values of `METADATA_COLUMNS`."""
    sizes: list[tuple[str, int | None, int | None]] = field(default_factory=list)
    """Key, width and height in pixels of each item whose image's header was read."""
    problems: dict[tuple[str, Part], list[Problem]] = field(default_factory=dict)
    """Data file and part of it → problems, in order."""
    unread: set[str] = field(default_factory=set)
    """Data files with an unreadable sidecar: their entries stay, and the next sync tries again."""

    refused: set[str] = field(default_factory=set)
    """Data files whose label row is blocked by a foreign file in the output."""
    files: dict[str, RowFile] = field(default_factory=dict)
    """Data file → entry of its label row's file."""
    unchanged: set[str] = field(default_factory=set)
    """Data files whose label row and problems stay."""

    def add(self, key: str, part: Part, problems: Sequence[Problem]) -> None:
        """Add problems of a data file."""
        self.problems.setdefault((key, part), []).extend(problems)

    def add_metadata(
        self,
        key: str,
        text: str | None,
        token: str | None,
        schema: str | None,
        *,
        digest: str | None = None,
    ) -> None:
        """Add the metadata of an item as JSON, with what it was made from."""
        self.metadata.append((key, text, token, schema, digest))

    def failed(self) -> set[str]:
        """Return the data files with an error."""
        return {
            key
            for (key, _), problems in self.problems.items()
            if any(problem.severity is Severity.ERROR for problem in problems)
        }


@dataclass(slots=True)
class Batch:
    """Data files on their way through an engine."""

    rows: Sequence[RowMapping]
    """Changes, joined with scanned files, label rows and entries of output files."""
    outcome: BatchOutcome
    """Outcome, as far as it is known."""
    makes: bool
    """Whether label rows are made."""
    parts: list[tuple[Sequence[RowMapping], Job]] = field(default_factory=list)
    """Jobs, each with its rows."""
    results: list[JobResult] = field(default_factory=list)
    """Results of the first jobs."""

    @property
    def jobs(self) -> Sequence[Job]:
        """Return the jobs for the engine: at least one, which may have nothing to do."""
        return [job for _, job in self.parts] or [_IDLE]

    @property
    def is_complete(self) -> bool:
        """Whether the engine has returned all results."""
        return len(self.results) == len(self.jobs)


@dataclass(frozen=True, slots=True)
class BatchWork:
    """Work of all batches of one sync."""

    storage: Storage
    output: Storage
    settings: FolderSettings
    worker: Worker | None
    """Worker that converts; None where the folder takes in no labels."""
    fingerprints: Fingerprints
    """Fingerprints of what label rows are made with and metadata is checked against."""
    counters: Counters
    fetched: dict[str, FetchedFile] = field(default_factory=dict)
    """Label files that were read before; each is removed when it is converted."""
    tally: Tally = field(default_factory=Tally)
    """Counts of the rows that were read, as in the report of `convert`."""

    @property
    def files(self) -> LabelRowFiles:
        """Files of label rows in the output."""
        return LabelRowFiles(self.output)

    def begin(self, rows: Sequence[RowMapping]) -> Batch:
        """Return a batch of some data files, with its jobs.

        Parameters
        ----------
        rows
            Changes, joined with scanned files, label rows and entries of output files.
        """
        outcome = BatchOutcome()
        self._keep_touched(rows, outcome)
        makes = [row for row in rows if row["label"] not in _MAKES_NO_FILE]
        batch = Batch(rows, outcome, bool(makes and self.worker is not None))
        if makes and self.worker is not None:
            alone = self.worker.most_shared_bytes
            large = [row for row in makes if alone is not None and row["sidecar_size"] > alone]
            together = [row for row in makes if row not in large] if large else makes
            for rows_of_job in (together, *([row] for row in large)):
                remaining = self._without_same_sizes(self.worker, rows_of_job, outcome)
                if remaining:
                    batch.parts.append((remaining, self._job(remaining)))
        return batch

    def finish(self, batch: Batch, on_begin: Callable[[Mapping[str, RowFile]], None]) -> None:
        """Write the label rows of a batch, and read metadata.

        Parameters
        ----------
        batch
            Batch with the results of its jobs.
        on_begin
            Called before the output is touched, with entries of its files for the state; raises
            where another run took over.
        """
        outcome = batch.outcome
        for (rows, job), result in zip(batch.parts, batch.results, strict=False):
            self._make(rows, job, result, outcome, on_begin)
        changed_metadata = [row for row in batch.rows if row["change"] is not None]
        self._take_metadata(changed_metadata, outcome)
        for problems in outcome.problems.values():
            self.counters.count_problems(problems)
        if batch.makes:
            self._count_classes()

    def discard(self, batches: Iterable[Batch]) -> None:
        """Remove what workers wrote ahead for batches that are not finished."""
        for batch in batches:
            self.files.discard([row["key"] for rows, _ in batch.parts for row in rows])

    @property
    def class_table(self) -> ClassTable:
        """Classes of the folder's labels; none where the folder takes in no labels."""
        if self.worker is None:
            return ClassTable()
        converter = self.worker.converter
        has_numbers = converter.source_format.needs_class_numbers
        return class_table(converter.ontology, converter.class_map, has_numbers=has_numbers)

    def _count_classes(self) -> None:
        """Put the counts by class so far into the record of the run, which each batch saves."""
        self.counters.classes = {
            **self.class_table.as_dict(self.tally.classes),
            "label_rows": self.tally.label_rows,
            "is_complete": False,
        }

    def _job(self, rows: Sequence[RowMapping]) -> Job:
        sidecars = [row["sidecar"] for row in rows]
        return Job(
            [row["key"] for row in rows],
            sidecars,
            np.array([row["sidecar_size"] for row in rows], dtype=np.int64),
            np.array([row["sidecar_mtime_ns"] for row in rows], dtype=np.int64),
            fetched=take_fetched(self.fetched, sidecars),
        )

    def _make(
        self,
        rows: Sequence[RowMapping],
        job: Job,
        result: JobResult,
        outcome: BatchOutcome,
        on_begin: Callable[[Mapping[str, RowFile]], None],
    ) -> None:
        if self.worker is None:
            return
        if result.deferred is not None:
            result = self.worker.convert_large(result.deferred)
        self.counters.files_read += len(rows)
        self.counters.bytes_read += sum(row["sidecar_size"] for row in rows)
        self._note_sizes(result.image_sizes, outcome)
        self._note_problems(result, outcome)
        write = partial(self._write, rows, result, outcome, on_begin)
        large = result.output.large is not None
        written_keys = result_or_reason(write, passes=(SQLAlchemyError,)) if large else write()
        if isinstance(written_keys, Unread):
            # Writing failed half way, and the output has no part of the label row.
            result, written_keys = self.worker.give_up(job, 0, written_keys), set()
            self._note_problems(result, outcome)
        self.tally.merge(result.tally(_not_written(result, written_keys)))
        self._enter(rows, result, written_keys, outcome)

    def _keep_touched(self, rows: Sequence[RowMapping], outcome: BatchOutcome) -> None:
        """Keep the label rows whose sidecar differs in its time only."""
        touched = [row for row in rows if row["label"] == LabelChange.TOUCHED]
        outcome.label_rows += [self._unchanged_row(row, row["data_token"]) for row in touched]
        outcome.unchanged |= {row["key"] for row in touched}

    def _unchanged_row(self, row: RowMapping, data_token: str | None) -> LabelRowEntry:
        """Return the entry of an unchanged label row for the state."""
        return LabelRowEntry(
            key=row["key"],
            status=row["status"],
            sidecar=row["sidecar"],
            sidecar_token=row["sidecar_token"],
            sidecar_digest=row["sidecar_digest"],
            data_token=data_token,
            width=row["width"],
            height=row["height"],
            fingerprint=self.fingerprints.labels,
            made_at=row["made_at"],
        )

    def _note_problems(self, result: JobResult, outcome: BatchOutcome) -> None:
        for problem in result.problems:
            key = result.data_files.get(problem.source, problem.source)
            outcome.add(key, Part.LABEL, [problem])

    def _without_same_sizes(
        self, worker: Worker, rows: Sequence[RowMapping], outcome: BatchOutcome
    ) -> list[RowMapping]:
        """Leave out label rows whose image was replaced by one of the same size."""
        replaced = [row for row in rows if row["label"] == LabelChange.IMAGE]
        if not replaced:
            return list(rows)
        sizes = worker.image_sizes([row["key"] for row in replaced]).each()
        by_key = {
            row["key"]: size
            for row, size in zip(replaced, sizes, strict=True)
            if not isinstance(size, Unread)  # read again with its sidecar
        }
        self._note_sizes(by_key, outcome)
        same = {
            row["key"]
            for row in replaced
            if row["key"] in by_key and by_key[row["key"]] == _size_of(row)
        }
        unchanged = [row for row in replaced if row["key"] in same]
        outcome.label_rows += [self._unchanged_row(row, row["token"]) for row in unchanged]
        outcome.unchanged |= same
        return [row for row in rows if row["key"] not in same]

    def _note_sizes(
        self, sizes: Mapping[str, tuple[int, int] | None], outcome: BatchOutcome
    ) -> None:
        self.counters.headers_read += len(sizes)
        outcome.sizes += [(key, *(size or (None, None))) for key, size in sizes.items()]

    def _write(
        self,
        rows: Sequence[RowMapping],
        result: JobResult,
        outcome: BatchOutcome,
        on_begin: Callable[[Mapping[str, RowFile]], None],
    ) -> set[str]:
        """Write label rows; return the keys of the label rows that have a file."""
        label_rows = result.output
        files = {row["key"]: row_file(row) for row in rows}
        changed = {row["key"] for row in rows if row["label"] in OUTPUT_CHANGES}
        missing = {row["key"] for row in rows if row["label"] == LabelChange.MISSING}
        writes = self.files.write(label_rows, files, on_begin, overwrites=changed, missing=missing)
        for key, why in sorted(writes.refused.items()):
            outcome.add(key, Part.LABEL, [Problem(ProblemCode.OUTPUT_NAME_REFUSED, key, why)])
        outcome.files |= writes.files
        outcome.refused |= writes.blocked
        written_keys = writes.written_keys
        self.counters.files_written += len(written_keys)
        self.counters.label_rows_made += len(written_keys)
        self.counters.bytes_written += sum(writes.files[key].size or 0 for key in written_keys)
        return written_keys

    def _enter(
        self,
        rows: Sequence[RowMapping],
        result: JobResult,
        written_keys: set[str],
        outcome: BatchOutcome,
    ) -> None:
        moment = now()
        unread = {p.source for p in result.problems if p.code in _TRIED_AGAIN}
        crashed = {p.source for p in result.problems if p.code is ProblemCode.INTERNAL_ERROR}
        tokens = result.tokens or [row["sidecar_token"] for row in rows]
        obsolete = {}
        for place, (row, token) in enumerate(zip(rows, tokens, strict=True)):
            key = row["key"]
            if row["sidecar"] in unread:
                outcome.unread.add(key)
                continue
            refused = key in outcome.refused
            if key not in written_keys and not refused:
                obsolete[key] = row_file(row)
            size = result.image_sizes.get(key)
            # Another image may help where the program itself failed.
            counts = key in result.image_sizes or row["sidecar"] in crashed
            outcome.label_rows.append(
                LabelRowEntry(
                    key=key,
                    status=_status(key, written_keys, outcome.refused).value,
                    sidecar=row["sidecar"],
                    # The token of the bytes read: a sidecar replaced since the listing is no new change then.
                    sidecar_token=token or row["sidecar_token"],
                    sidecar_digest=(result.digests[place] or None) if result.digests else None,
                    data_token=row["token"] if counts else None,
                    width=size[0] if size else None,
                    height=size[1] if size else None,
                    fingerprint=None if refused else self.fingerprints.labels,
                    made_at=moment,
                )
            )
        self._remove(obsolete, outcome)

    def _remove(self, obsolete: Mapping[str, RowFile], outcome: BatchOutcome) -> None:
        """Remove the files of obsolete label rows, except foreign files."""
        # What a killed run wrote ahead has no entry yet.
        self.files.discard([key for key, file in obsolete.items() if not file.exists])
        obsolete = {key: file for key, file in obsolete.items() if file.exists}
        foreign = self.files.remove(obsolete) if obsolete else set()
        for key in sorted(foreign):
            detail = f"not deleted: {foreign_file(self.output, key, is_changed=False)}"
            outcome.add(key, Part.LABEL, [Problem(ProblemCode.OUTPUT_NAME_REFUSED, key, detail)])
        outcome.files |= {key: obsolete[key] if key in foreign else UNWRITTEN for key in obsolete}

    def _take_metadata(self, rows: Sequence[RowMapping], outcome: BatchOutcome) -> None:
        readable_rows = []
        for row in rows:
            if row["change"] == MetadataChange.CLEAR:
                outcome.add_metadata(row["key"], None, None, None)
            elif row["metadata_size"] > MAX_METADATA:
                detail = too_large_metadata(row["metadata_size"])
                problem = Problem(ProblemCode.FILE_TOO_LARGE, row["metadata"], detail)
                outcome.add(row["key"], Part.METADATA, [problem])
                outcome.add_metadata(
                    row["key"], None, row["metadata_token"], self.fingerprints.schema
                )
            else:
                readable_rows.append(row)
        if readable_rows:
            self._read_metadata(readable_rows, outcome)

    def _read_metadata(self, rows: Sequence[RowMapping], outcome: BatchOutcome) -> None:
        sizes = np.array([row["metadata_size"] for row in rows], dtype=np.int64)
        blobs = self.storage.fetch([row["metadata"] for row in rows], sizes=sizes)
        self.counters.files_read += len(rows)
        self.counters.bytes_read += sum(sizes.tolist())
        for place, row in enumerate(rows):
            key, source = row["key"], row["metadata"]
            if place in blobs.unread:
                code, detail = blobs.unread[place]
                outcome.add(key, Part.METADATA, [Problem(code, source, detail)])
                outcome.unread.add(key)
                continue
            metadata = result_or_reason(
                partial(checked_metadata, blobs.get(place), source, self.settings.metadata_schema)
            )
            schema = self.fingerprints.schema
            if isinstance(metadata, Unread):
                metadata, schema = (
                    (None, [Problem(metadata.code, source, metadata.detail)]),
                    self.fingerprints.crashed,
                )
            value, problems = metadata
            if problems:
                outcome.add(key, Part.METADATA, problems)
            token = blobs.tokens[place] if blobs.tokens else row["metadata_token"]
            text = None if value is None else dumps_exactly(value).decode()
            digest = content_digest(blobs.get(place))
            outcome.add_metadata(key, text, token, schema, digest=digest)


def do_nothing(_worker: Worker | None, _job: Job) -> JobResult:
    """Return the result of a job that has nothing to do.

    Examples
    --------
    >>> do_nothing(None, _IDLE).output.keys
    []
    """
    nothing = np.zeros(0, dtype=np.int64)
    return JobResult(BatchOutput([]), Counts(nothing, nothing, nothing), [], {}, Tally())


_IDLE: Final = Job([], [], np.zeros(0, np.int64), np.zeros(0, np.int64), work=do_nothing)


def _not_written(result: JobResult, written_keys: Set[str]) -> list[tuple[int, Problem]]:
    """Return position and problem of the converted files whose label row could not be written."""
    return [
        (position, Problem(ProblemCode.OUTPUT_NAME_REFUSED, key, ""))
        for position, key in enumerate(result.output.keys)
        if key not in written_keys
    ]


def _size_of(row: RowMapping) -> tuple[int, int] | None:
    return None if row["width"] is None else (row["width"], row["height"])


def _status(key: str, written_keys: Set[str], refused: Set[str]) -> LabelStatus:
    if key in written_keys:
        return LabelStatus.MADE
    return LabelStatus.REFUSED if key in refused else LabelStatus.FAILED
