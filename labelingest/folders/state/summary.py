"""Summary of a folder: settings, counts of items and problems, last and next sync."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa

from labelingest.folders.state.books import Books, last_books
from labelingest.folders.state.database import State
from labelingest.folders.state.folders import FolderRecord
from labelingest.folders.state.items import KIND_NAMES
from labelingest.folders.state.label_rows import LabelStatus
from labelingest.folders.state.lock import list_runs
from labelingest.folders.state.problems import of_present_items
from labelingest.folders.state.runs import RunRecord
from labelingest.folders.state.tables import items, label_rows, problems

__all__ = ["Summary", "summarise"]


@dataclass(frozen=True, slots=True)
class Summary:
    """Summary of one folder; times are ISO 8601 in UTC."""

    name: str
    description: str
    storage_path: str
    output: str
    format: str | None
    auto_sync_hours: float | None
    due_at: str | None
    """Time at which the next scheduled sync is due; None without a schedule or for a deleted folder."""
    last_run: RunRecord | None
    items: dict[str, int] = field(default_factory=dict)
    """Kind → number of present items."""
    size: int = 0
    """Bytes of all present items."""
    labelled: int = 0
    """Number of present items with a label row."""
    failed: int = 0
    """Number of present items whose sidecar failed, or whose label row could not be written."""
    unfinished: int = 0
    """Number of present items whose sidecar is still to be converted."""
    deleted: int = 0
    """Number of hidden items."""
    deleted_by: dict[str, int] = field(default_factory=dict)
    """Reason → number of items that are hidden for it."""
    books: Books | None = None
    """Newest books: what became of every key; None before a run has compared."""
    problems: dict[str, int] = field(default_factory=dict)
    """Code → number of current problems."""
    deleted_at: str | None = None
    """Time at which the folder was deleted; None while it is present."""
    row_layout: Mapping[str, Any] | None = None
    """Row layout that a sync decided, with its evidence; None where none was."""
    allow_mass_delete: bool = False
    """Whether the next sync makes deletions that it would withhold for their number."""

    @property
    def unlabelled(self) -> int:
        """Number of present items without a sidecar."""
        return sum(self.items.values()) - self.labelled - self.failed - self.unfinished

    def as_dict(self) -> dict[str, Any]:
        """Return the summary by its names in JSON."""
        values = {**asdict(self), "unlabelled": self.unlabelled}
        values["last_run"] = None if self.last_run is None else self.last_run.to_wire()
        values["books"] = None if self.books is None else self.books.to_wire()
        return values


def summarise(state: State, record: FolderRecord) -> Summary:
    """Count the items and problems of a folder."""
    settings = record.settings
    with state.read() as connection:
        kinds = connection.execute(_by_kind(record.id)).all()
        hidden = {row[0]: int(row[1]) for row in connection.execute(_by_reason(record.id))}
        statuses = {row[0]: int(row[1]) for row in connection.execute(_by_status(record.id))}
        return Summary(
            name=record.name,
            description=settings.description,
            storage_path=settings.storage_path,
            output=settings.output,
            format=settings.format,
            row_layout=settings.decided_layout,
            auto_sync_hours=settings.auto_sync_hours,
            due_at=None if record.deleted_at else record.due_at,
            last_run=next(iter(list_runs(connection, record.id, 1)), None),
            items={KIND_NAMES[kind]: count for kind, count, _ in sorted(kinds)},
            size=sum(int(size) for _, _, size in kinds),
            labelled=statuses.get(LabelStatus.MADE, 0),
            failed=statuses.get(LabelStatus.FAILED, 0) + statuses.get(LabelStatus.REFUSED, 0),
            unfinished=statuses.get(LabelStatus.PENDING, 0),
            deleted=sum(hidden.values()),
            deleted_by=hidden,
            books=last_books(connection, record.id),
            problems={code: int(count) for code, count in connection.execute(_by_code(record.id))},
            deleted_at=record.deleted_at,
            allow_mass_delete=settings.allow_mass_delete,
        )


def _by_kind(folder_id: int) -> sa.Select[Any]:
    """Select kind, number and bytes of the present items."""
    return (
        sa.select(items.c.kind, sa.func.count(), sa.func.sum(items.c.size))
        .where(items.c.folder_id == folder_id, items.c.deleted_at.is_(None))
        .group_by(items.c.kind)
    )


def _by_status(folder_id: int) -> sa.Select[Any]:
    """Select status and number of the label rows of present items."""
    return (
        sa.select(label_rows.c.status, sa.func.count())
        .join(items, (items.c.folder_id == folder_id) & (items.c.key == label_rows.c.key))
        .where(label_rows.c.folder_id == folder_id, items.c.deleted_at.is_(None))
        .group_by(label_rows.c.status)
    )


def _by_reason(folder_id: int) -> sa.Select[Any]:
    """Select reason and number of the hidden items; earlier versions noted no reason."""
    why: sa.ColumnElement[Any] = sa.func.coalesce(items.c.deleted_why, "file is gone")
    return (
        sa.select(why, sa.func.count())
        .where(items.c.folder_id == folder_id, items.c.deleted_at.is_not(None))
        .group_by(why)
        .order_by(why)
    )


def _by_code(folder_id: int) -> sa.Select[Any]:
    """Select code and number of the current problems, ordered by code."""
    return (
        sa.select(problems.c.code, sa.func.sum(problems.c.count))
        .where(problems.c.folder_id == folder_id, of_present_items())
        .group_by(problems.c.code)
        .order_by(problems.c.code)
    )
