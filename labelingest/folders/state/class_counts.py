"""Counts by class of past runs, as the state keeps them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from labelingest.folders.state.label_rows import LabelStatus
from labelingest.folders.state.runs import RunRecord, Status, run_of_row
from labelingest.folders.state.tables import label_rows, runs
from labelingest.model.class_counts import ClassCounts, RowPlace, UnmappedNumber, UnmappedNumbers

__all__ = ["PastClasses", "counts_of_unfinished", "past_classes"]

_HAS_CLASSES: Final = '%"classes":{%'
"""Pattern of counters, as JSON without blanks, of a run that converted label files."""
_MOST_UNFINISHED: Final = 100
"""Runs in succession that were cancelled or killed, of which the counts are added up."""


@dataclass(frozen=True, slots=True)
class PastClasses:
    """What past runs tell of the classes of a folder."""

    classes: Sequence[dict[str, Any]] | None
    """Classes that the last complete run converted with; None where no run has any."""
    label_rows: dict[int | str, int] | None
    """Class number, or feature hash of an object without one → label rows with the class; None where the
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


def counts_of_unfinished(
    connection: Connection, run: RunRecord, mapped: Sequence[dict[str, Any]]
) -> ClassCounts | None:
    """Return what the runs counted that a run continues; None unless all label rows are theirs.

    Parameters
    ----------
    connection
        Connection in a transaction.
    run
        A run that converted a part of the label files.
    mapped
        Its classes: runs with other classes are not continued.
    """
    query = (
        sa.select(runs)
        .where(runs.c.folder_id == run.folder_id, runs.c.id < run.id)
        .where(runs.c.counters.like(_HAS_CLASSES))
        .order_by(runs.c.id.desc())
        .limit(_MOST_UNFINISHED)
    )
    newest_first = connection.execute(query).mappings().all()
    unfinished = [*takewhile(lambda row: row["status"] != Status.DONE.value, newest_first)]
    if not unfinished:
        return None
    of_folder = label_rows.c.folder_id == run.folder_id
    oldest = connection.scalar(sa.select(sa.func.min(label_rows.c.made_at)).where(of_folder))
    total, started_at = ClassCounts(), run.started_at
    for row in unfinished:
        if oldest is None or started_at <= oldest:
            break
        earlier = run_of_row(row, run.folder_id)
        if _meanings(earlier.counters.classes["mapped"]) != _meanings(mapped):
            return None
        total.merge(_counts_of(earlier.counters.classes))
        started_at = earlier.started_at
    return total if oldest is not None and started_at <= oldest else None


def _meanings(mapped: Sequence[dict[str, Any]]) -> list[tuple[int | None, str]]:
    return [(entry["number"], entry["feature_hash"]) for entry in mapped]


def _counts_of(classes: Mapping[str, Any]) -> ClassCounts:
    """Return the numbers that a stored run counted; a number has been seen where it has rows."""
    rows = {entry["number"]: entry["rows"] for entry in classes["mapped"] if entry["rows"]}
    numbers = {}
    for entry in classes["unmapped"]:
        source, line, column = entry["first"].rsplit(":", 2)
        place = RowPlace(source, int(line), int(column))
        numbers[entry["number"]] = UnmappedNumber(entry["rows"], entry["files"], place)
    unmapped = UnmappedNumbers(numbers, classes["unmapped_other_rows"])
    return ClassCounts(seen=Counter(rows), unmapped=unmapped)


def _count(connection: Connection, folder_id: int, where: sa.ColumnElement[bool]) -> int:
    rows = sa.select(sa.func.count()).where(label_rows.c.folder_id == folder_id, where)
    return connection.scalar(rows) or 0
