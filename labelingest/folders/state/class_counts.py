"""Counts by class of past runs, as the state keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from labelingest.folders.state.label_rows import LabelStatus
from labelingest.folders.state.runs import Status, run_of_row
from labelingest.folders.state.tables import label_rows, runs

__all__ = ["PastClasses", "past_classes"]

_HAS_CLASSES: Final = '%"classes":{%'
"""Pattern of counters, as JSON without blanks, of a run that converted label files."""


@dataclass(frozen=True, slots=True)
class PastClasses:
    """What past runs tell of the classes of a folder."""

    classes: Sequence[dict[str, Any]] | None
    """Classes that the last complete run converted with; None where no run has any."""
    label_rows: dict[int | str, int] | None
    """Class number, or feature hash where there is none → label rows with the class; None where the
    state does not know, because runs converted a part of the files since."""
    has_label_rows: bool
    """Whether the folder has label rows, or files for them: otherwise no class means anything yet."""


def past_classes(connection: Connection, folder_id: int) -> PastClasses:
    """Return what past runs tell of the classes of a folder."""
    query = (
        sa.select(runs)
        .where(runs.c.folder_id == folder_id, runs.c.counters.like(_HAS_CLASSES))
        .order_by(runs.c.id.desc())
        .limit(1)
    )
    newest = connection.execute(query).mappings().first()
    complete = (
        connection.execute(query.where(runs.c.status == Status.DONE.value)).mappings().first()
    )
    label_row_count = _count(connection, folder_id, label_rows.c.status == LabelStatus.MADE.value)
    has_label_rows = _count(connection, folder_id, sa.true()) > 0
    if newest is None or complete is None:
        return PastClasses(None, None if has_label_rows else {}, has_label_rows)
    counted = run_of_row(complete, folder_id).counters.classes
    entries: list[dict[str, Any]] = counted["mapped"]
    is_known = newest["id"] == complete["id"] and counted["is_complete"]
    if not is_known or label_row_count != counted["label_rows"]:
        return PastClasses(entries, None, has_label_rows)
    files: dict[int | str, int] = {
        entry["feature_hash"] if entry["number"] is None else entry["number"]: entry["files"]
        for entry in entries
    }
    return PastClasses(entries, files, has_label_rows)


def _count(connection: Connection, folder_id: int, where: sa.ColumnElement[bool]) -> int:
    rows = sa.select(sa.func.count()).where(label_rows.c.folder_id == folder_id, where)
    return connection.scalar(rows) or 0
