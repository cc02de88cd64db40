"""The record of a run: how it stands, and what it counted.

Written while the run goes on, so that another process can look. Counters carry the names of Encord's
sync result: a scan page is a page of the listing, an upload job a batch, a unit one data file of
which something is to be done.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from labelingest.folders.state.clock import now
from labelingest.folders.state.stored_values import damaged, is_moment, misfit, stored
from labelingest.folders.state.tables import runs
from labelingest.problems import UNEXPECTED, Problem, Severity

__all__ = [
    "Counters",
    "RunRecord",
    "Status",
    "begin_run",
    "save_run",
    "stored_runs",
]


class Status(StrEnum):
    """How a run stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    """Everything was gone through; some units may have failed."""
    ERROR = "error"
    """The run as a whole failed; what it recorded before is done."""
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Counters:
    """What a run counted."""

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
    """Where files may be that are not listed: dead links, folders without permission, …"""
    files_read: int = 0
    """Sidecars that were read; image headers are not counted."""
    bytes_read: int = 0
    headers_read: int = 0
    files_written: int = 0
    bytes_written: int = 0
    files_deleted: int = 0
    label_rows_made: int = 0
    errors: int = 0
    """Problems that cost something."""
    warnings: int = 0
    unexpected: int = 0
    """Files that a failure of the program cost."""
    failure: str = ""
    """What was said of the first of them."""
    changes: dict[str, int] = field(default_factory=dict)
    """Reason → how many changes had it."""
    withheld: dict[str, int] = field(default_factory=dict)
    """The same of deletions that were not made."""

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
        """Move what is pending to what is cancelled."""
        self.scan_pages_processing_cancelled += self.scan_pages_processing_pending
        self.upload_jobs_units_cancelled += self.upload_jobs_units_pending
        self.scan_pages_processing_pending = self.upload_jobs_units_pending = 0
        self.upload_jobs_pending = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the counters; what runs hardly ever have is left out where this one has it not."""
        values = asdict(self)
        return values if self.unexpected else {k: values[k] for k in values if k not in _RARE}

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
    """One run of a folder."""

    id: int
    folder_id: int
    trigger: str
    """What began it: "manual", "schedule" or "plan"."""
    status: Status = Status.PENDING
    stage: str = ""
    started_at: str = ""
    ended_at: str | None = None
    counters: Counters = field(default_factory=Counters)
    message: str | None = None
    """What is to be said of it: why it failed, what was withheld."""

    @property
    def failed(self) -> bool:
        """Whether a person should look: something failed, or was withheld."""
        counters = self.counters
        return self.status is not Status.DONE or bool(counters.errors or counters.withheld)

    def exit_code(self, *, strict: bool = False) -> int:
        """Return 0 when clean, 1 where a person should look, 3 where the program failed over a file.

        Warnings count when strict.
        """
        if self.counters.unexpected:
            return 3
        return int(self.failed or (strict and self.counters.warnings > 0))

    def to_wire(self) -> dict[str, Any]:
        """Return the run as JSON says it."""
        return {
            "run": self.id,
            "trigger": self.trigger,
            "status": self.status.value,
            "stage": self.stage,
            "startedAt": self.started_at,
            "endedAt": self.ended_at,
            "message": self.message,
            **self.counters.to_wire(),
        }


def begin_run(connection: Connection, folder_id: int, trigger: str) -> RunRecord:
    """Enter a new run."""
    run = RunRecord(0, folder_id, trigger, started_at=now())
    values = {"folder_id": folder_id, "started_at": run.started_at, **_values(run)}
    [run.id] = connection.execute(runs.insert().values(values).returning(runs.c.id)).one()
    return run


def save_run(connection: Connection, run: RunRecord) -> None:
    """Write down how a run stands."""
    connection.execute(runs.update().where(runs.c.id == run.id).values(_values(run)))


def _values(run: RunRecord) -> dict[str, Any]:
    return {
        "trigger": run.trigger,
        "status": run.status.value,
        "stage": run.stage,
        "ended_at": run.ended_at,
        "counters": orjson.dumps(run.counters.as_dict()).decode(),
        "message": run.message,
    }


def stored_runs(connection: Connection, folder_id: int, limit: int) -> list[RunRecord]:
    """Return the last runs of a folder, newest first."""
    query = (
        sa.select(runs).where(runs.c.folder_id == folder_id).order_by(runs.c.id.desc()).limit(limit)
    )
    return [_run(row, folder_id) for row in connection.execute(query).mappings()]


def _run(row: RowMapping, folder_id: int) -> RunRecord:
    what = f"the records of run {row['id']}"
    values = {**row, "counters": stored(Counters, row["counters"], what), "folder_id": folder_id}
    if row["status"] not in list(Status):
        raise damaged(what, f"status: found {row['status']!r}")
    values["status"] = Status(row["status"])
    why = misfit(RunRecord, values)
    if not is_moment(row["started_at"]) or (row["ended_at"] and not is_moment(row["ended_at"])):
        why = f"found {row['started_at']!r} to {row['ended_at']!r}, expected times"
    if why is not None:
        raise damaged(what, why)
    return RunRecord(**values)
