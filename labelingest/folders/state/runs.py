"""The record of a run: its status and its counts.

The run writes its record while it is running, so that other processes can show progress. Counters
carry the names of Encord's sync result: a scan page is a page of the listing, an upload job a
batch, and a unit one data file with changes.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from labelingest.folders.state.books import Books, read_books
from labelingest.folders.state.clock import now
from labelingest.folders.state.stored_classes import misfit_of_classes
from labelingest.folders.state.stored_values import damaged, is_moment, misfit, read_stored
from labelingest.folders.state.tables import runs
from labelingest.problems import UNEXPECTED, Problem, Severity

__all__ = [
    "Counters",
    "RunRecord",
    "Status",
    "begin_run",
    "run_of_row",
    "save_run",
    "stored_runs",
]


class Status(StrEnum):
    """Status of a run."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    """The run went through all changes; some units may have failed."""
    ERROR = "error"
    """The run as a whole failed; the state has what it recorded before."""
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Counters:
    """Counts of a run."""

    scan_pages_processing_pending: int = 0
    scan_pages_processing_done: int = 0
    scan_pages_processing_error: int = 0
    scan_pages_processing_cancelled: int = 0
    upload_jobs_pending: int = 0
    upload_jobs_done: int = 0
    upload_jobs_error: int = 0
    upload_jobs_units_pending: int = 0
    upload_jobs_units_done: int = 0
    upload_jobs_units_error: int = 0
    upload_jobs_units_cancelled: int = 0
    keys_listed: int = 0
    places_not_listed: int = 0
    """Places that may hide files from the listing: dead links, folders without permission, …"""
    files_read: int = 0
    """Sidecars read, without image headers."""
    bytes_read: int = 0
    headers_read: int = 0
    files_written: int = 0
    bytes_written: int = 0
    files_deleted: int = 0
    label_rows_made: int = 0
    errors: int = 0
    """Problems that cost a label, a label row or metadata."""
    warnings: int = 0
    unexpected: int = 0
    """Files that a failure of the program itself cost."""
    failure: str = ""
    """Sentence of the first such failure; empty without one."""
    changes: dict[str, int] = field(default_factory=dict)
    """Reason → number of changes with the reason."""
    withheld: dict[str, int] = field(default_factory=dict)
    """Reason → number of withheld deletions with the reason."""
    classes: dict[str, Any] = field(default_factory=dict)
    """Counts by class as in the report of `convert`, of the files that the run converted; beside
    them `label_rows`, their number, and `is_complete`: whether they are all files of the folder.
    Empty where the run converted none."""

    def count_problems(self, problems: Iterable[Problem]) -> None:
        """Count problems by severity."""
        for problem in problems:
            if problem.code in UNEXPECTED:
                self.unexpected += problem.count
                self.failure = self.failure or str(problem)
            if problem.severity is Severity.ERROR:
                self.errors += problem.count
            else:
                self.warnings += problem.count

    def cancel(self) -> None:
        """Count everything pending as cancelled."""
        self.scan_pages_processing_cancelled += self.scan_pages_processing_pending
        self.upload_jobs_units_cancelled += self.upload_jobs_units_pending
        self.scan_pages_processing_pending = self.upload_jobs_units_pending = 0
        self.upload_jobs_pending = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the counters; those of failures of the program and of classes only where there are any."""
        values = asdict(self)
        rare = {*(() if self.unexpected else _RARE), *(() if self.classes else ("classes",))}
        return {name: value for name, value in values.items() if name not in rare}

    def to_wire(self) -> dict[str, Any]:
        """Return the counters by their names on the wire.

        Examples
        --------
        >>> Counters(upload_jobs_units_done=3).to_wire()["uploadJobsUnitsDone"]
        3
        """
        return {_camel_case(name): value for name, value in self.as_dict().items()}


_RARE: Final = ("unexpected", "failure")


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


@dataclass(slots=True)
class RunRecord:
    """One run of a folder; times are ISO 8601 in UTC."""

    id: int
    folder_id: int
    trigger: str
    """Cause of the run: "manual", "schedule" or "plan"."""
    status: Status = Status.PENDING
    stage: str = ""
    started_at: str = ""
    ended_at: str | None = None
    counters: Counters = field(default_factory=Counters)
    books: Books | None = None
    """What became of every key and row; None before the run has compared, and in earlier versions."""
    message: str | None = None
    """Sentences for people: the cause of a failure, or why deletions were withheld."""

    @property
    def failed(self) -> bool:
        """Whether a person should look at the run: something failed, or deletions were withheld."""
        counters = self.counters
        return self.status is not Status.DONE or bool(counters.errors or counters.withheld)

    def exit_code(self, *, strict: bool = False) -> int:
        """Return 0 for a clean run, 1 where a person should look, 3 where the program failed over a file.

        With `strict`, warnings count as failures.
        """
        if self.counters.unexpected:
            return 3
        return int(self.failed or (strict and self.counters.warnings > 0))

    def to_wire(self) -> dict[str, Any]:
        """Return the run by its names in JSON."""
        return {
            "run": self.id,
            "trigger": self.trigger,
            "status": self.status.value,
            "stage": self.stage,
            "startedAt": self.started_at,
            "endedAt": self.ended_at,
            "message": self.message,
            **self.counters.to_wire(),
            "books": None if self.books is None else self.books.to_wire(),
        }


def begin_run(connection: Connection, folder_id: int, trigger: str) -> RunRecord:
    """Enter a new run, and return its record."""
    run = RunRecord(0, folder_id, trigger, started_at=now())
    values = {"folder_id": folder_id, "started_at": run.started_at, **_values(run)}
    [run.id] = connection.execute(runs.insert().values(values).returning(runs.c.id)).one()
    return run


def save_run(connection: Connection, run: RunRecord) -> None:
    """Write the record of a run."""
    connection.execute(runs.update().where(runs.c.id == run.id).values(_values(run)))


def _values(run: RunRecord) -> dict[str, Any]:
    return {
        "trigger": run.trigger,
        "status": run.status.value,
        "stage": run.stage,
        "ended_at": run.ended_at,
        "counters": orjson.dumps(run.counters.as_dict()).decode(),
        "books": None if run.books is None else run.books.to_json(),
        "message": run.message,
    }


def stored_runs(connection: Connection, folder_id: int, limit: int) -> list[RunRecord]:
    """Return the last runs of a folder as the state has them, newest first."""
    query = (
        sa.select(runs).where(runs.c.folder_id == folder_id).order_by(runs.c.id.desc()).limit(limit)
    )
    return [run_of_row(row, folder_id) for row in connection.execute(query).mappings()]


def run_of_row(row: RowMapping, folder_id: int) -> RunRecord:
    """Return a run as a row of the state has it.

    Raises
    ------
    StorageError
        The row does not fit: the state is damaged.
    """
    what = f"the records of run {row['id']}"
    values = {
        **row,
        "counters": read_stored(Counters, row["counters"], what),
        "books": read_books(row["books"], what),
        "folder_id": folder_id,
    }
    if row["status"] not in list(Status):
        raise damaged(what, f"status: found {row['status']!r}")
    values["status"] = Status(row["status"])
    why = misfit(RunRecord, values) or misfit_of_classes(values["counters"].classes)
    if not is_moment(row["started_at"]) or (row["ended_at"] and not is_moment(row["ended_at"])):
        why = f"found {row['started_at']!r} to {row['ended_at']!r}, expected times"
    if why is not None:
        raise damaged(what, why)
    return RunRecord(**values)
