"""A folder at a glance: what it is, how it stands, when it was synced and will be."""

from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa

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
    """A folder at a glance."""

    name: str
    description: str
    storage_path: str
    output: str
    format: str | None
    auto_sync_hours: float | None
    due_at: str | None
    """When the next scheduled sync is due; None without a schedule, and for a deleted folder."""
    last_run: RunRecord | None
    items: dict[str, int] = field(default_factory=dict)
    """Kind → items that are there."""
    size: int = 0
    """Bytes of them."""
    labelled: int = 0
    """Of them, those with a label row."""
    failed: int = 0
    """Those whose sidecar could not be converted, or whose label row could not be written."""
    unfinished: int = 0
    """Those whose sidecar is still to be converted."""
    deleted: int = 0
    """Items that are hidden, because their files are gone."""
    problems: dict[str, int] = field(default_factory=dict)
    """Code → problems of the folder as it stands."""
    deleted_at: str | None = None
    """When the folder was deleted; None while it is there."""
    allow_mass_delete: bool = False
    """Whether the next sync that would withhold deletions for their number makes them."""

    @property
    def unlabelled(self) -> int:
        """Items that are there and have no sidecar."""
        return sum(self.items.values()) - self.labelled - self.failed - self.unfinished

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON says it."""
        values = {**asdict(self), "unlabelled": self.unlabelled}
        values["last_run"] = None if self.last_run is None else self.last_run.to_wire()
        return values


def summarise(state: State, record: FolderRecord) -> Summary:
    """Count what a folder holds."""
    settings = record.settings
    present = (items.c.folder_id == record.id) & items.c.deleted_at.is_(None)
    number = sa.func.count()
    by_kind = (
        sa.select(items.c.kind, number, sa.func.sum(items.c.size))
        .where(present)
        .group_by(items.c.kind)
    )
    by_status = (
        sa.select(label_rows.c.status, number)
        .join(items, (items.c.folder_id == record.id) & (items.c.key == label_rows.c.key))
        .where(label_rows.c.folder_id == record.id, items.c.deleted_at.is_(None))
        .group_by(label_rows.c.status)
    )
    hidden = sa.select(number).where(
        items.c.folder_id == record.id, items.c.deleted_at.is_not(None)
    )
    by_code = (
        sa.select(problems.c.code, sa.func.sum(problems.c.count))
        .where(problems.c.folder_id == record.id, of_present_items())
        .group_by(problems.c.code)
        .order_by(problems.c.code)
    )
    with state.read() as connection:
        kinds = connection.execute(by_kind).all()
        statuses = {row[0]: int(row[1]) for row in connection.execute(by_status)}
        last = next(iter(list_runs(connection, record.id, 1)), None)
        return Summary(
            name=record.name,
            description=settings.description,
            storage_path=settings.storage_path,
            output=settings.output,
            format=settings.format,
            auto_sync_hours=settings.auto_sync_hours,
            due_at=None if record.deleted_at else record.due_at,
            last_run=last,
            items={KIND_NAMES[kind]: count for kind, count, _ in sorted(kinds)},
            size=sum(int(size) for _, _, size in kinds),
            labelled=statuses.get(LabelStatus.MADE, 0),
            failed=statuses.get(LabelStatus.FAILED, 0) + statuses.get(LabelStatus.REFUSED, 0),
            unfinished=statuses.get(LabelStatus.PENDING, 0),
            deleted=connection.scalar(hidden) or 0,
            problems={code: int(count) for code, count in connection.execute(by_code)},
            deleted_at=record.deleted_at,
            allow_mass_delete=settings.allow_mass_delete,
        )
