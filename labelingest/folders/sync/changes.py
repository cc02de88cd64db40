"""Changes: the difference between a listing and the state, found by the database.

1. Load the data files of the listing, with their sidecars, into the temporary table
   `scanned_files`. Leave out files that are certainly unchanged. Load keys of the state that
   the listing seems to lack into `missed`.
2. Join scanned files with items and label rows, and insert what differs into `changes`. Insert
   items whose keys are gone. These two statements alone decide what has changed.
3. `guard.py` takes out deletions that must not be made.

This module writes temporary tables only, and nothing of the state.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.database import bulk_insert, create_temporary
from labelingest.folders.state.tables import changes, items, label_rows, missed, scanned_files
from labelingest.folders.sync.fingerprints import Fingerprints
from labelingest.folders.sync.scan import Scan
from labelingest.folders.sync.skip_unchanged import find_candidates, takes_metadata
from labelingest.model.pairs import Outcome

__all__ = [
    "CLAIMS",
    "HIDES",
    "OUTPUT_CHANGES",
    "ItemChange",
    "LabelChange",
    "MetadataChange",
    "count_changes",
    "count_first_changes",
    "find_changes",
    "iterate_changes",
]


class ItemChange(StrEnum):
    """Reason for the change of an item."""

    ADD = "new file"
    UPDATE = "file replaced"
    RESTORE = "file is back"
    DATA_AGAIN = "became a data file again"
    DELETE = "file is gone"
    SIDECAR = "became a sidecar"
    COMPANION = "became a companion"
    UNSUPPORTED = "became a file that cannot be labelled"
    IGNORED = "became a file that is ignored"


CLAIMS: Final[Mapping[Outcome, ItemChange]] = {
    Outcome.SIDECAR: ItemChange.SIDECAR,
    Outcome.ORPHAN_SIDECAR: ItemChange.SIDECAR,
    Outcome.AMBIGUOUS_SIDECAR: ItemChange.SIDECAR,
    Outcome.METADATA_SIDECAR: ItemChange.SIDECAR,
    Outcome.COMPANION: ItemChange.COMPANION,
    Outcome.UNSUPPORTED: ItemChange.UNSUPPORTED,
    Outcome.IGNORED: ItemChange.IGNORED,
}
"""Outcome of a key that was an item → reason why the item is hidden, although its file is there."""
HIDES: Final = frozenset({ItemChange.DELETE, *CLAIMS.values()})
"""Reasons that hide an item."""


class LabelChange(StrEnum):
    """Reason for the change of a label row: the last removes it, all others build or rebuild it."""

    NEW = "new sidecar"
    UNFINISHED = "an earlier sync did not get to it"
    SETTINGS = "ontology or options changed"
    SIDECAR = "sidecar changed"
    CONTENT = "content of its sidecar changed, size and time did not"
    FIRST_READ = "an earlier version did not note the content of its sidecar"
    TOUCHED = "sidecar has another time and the same content"
    IMAGE = "image replaced, and its size counts"
    REFUSED = "something foreign was in its place in the output"
    MISSING = "label row is missing from the output"
    CUT = "label row is cut short in the output"
    STALE = "label row in the output is an older one"
    ALTERED = "label row was altered in the output"
    GONE = "sidecar is gone"


OUTPUT_CHANGES: Final = frozenset({LabelChange.CUT, LabelChange.STALE, LabelChange.ALTERED})
"""Reasons that another program changed the label row in the output: it is written over."""


class MetadataChange(StrEnum):
    """Reason for the change of an item's custom metadata."""

    SET = "new metadata"
    REPLACE = "metadata changed"
    SCHEMA = "metadata schema changed"
    CLEAR = "metadata is gone"


_AT_ONCE: Final = 65_536
"""Keys that are in memory as texts together."""
_COLUMNS: Final = ("key", "item", "label", "metadata")
"""Columns of the table of changes."""


def find_changes(
    connection: Connection,
    folder_id: int,
    scan: Scan,
    settings: FolderSettings,
    fingerprints: Fingerprints,
    *,
    load_all: bool = False,
) -> None:
    """Make the temporary tables of a connection, and fill them.

    Parameters
    ----------
    connection
        Connection in a transaction. A transaction that reads will do: temporary tables belong to
        the connection.
    folder_id, settings
        Number and settings of the folder.
    scan
        Data files of the listing.
    fingerprints
        Fingerprints of the settings.
    load_all
        Whether `scanned_files` gets unchanged data files too.
    """
    for table in (scanned_files, missed, changes):
        create_temporary(connection, table)
    candidates = find_candidates(connection, folder_id, scan, settings, fingerprints)
    places = np.arange(len(scan.data)) if load_all else candidates.places
    bulk_insert(connection, scanned_files, scan.rows(places))
    bulk_insert(connection, missed, _with_reasons(scan, candidates.keys))
    if connection.dialect.name == "postgresql":
        # Without knowing how many there are, the planner joins them one by one.
        connection.execute(sa.text("ANALYZE scanned_files, missed"))
    for differences in (_differences(folder_id, settings, fingerprints), _gone(folder_id)):
        connection.execute(changes.insert().from_select(_COLUMNS, differences))


def count_first_changes(scan: Scan, settings: FolderSettings) -> dict[str, int]:
    """Count the changes of a folder whose items the state does not know yet, without the database.

    Parameters
    ----------
    scan
        Data files of the listing.
    settings
        Settings of the folder.
    """
    counts = {
        ItemChange.ADD.value: len(scan.data),
        LabelChange.NEW.value: scan.sidecars,
        MetadataChange.SET.value: scan.metadata_sidecars if takes_metadata(settings) else 0,
    }
    return {reason: count for reason, count in counts.items() if count}


def _differences(
    folder_id: int, settings: FolderSettings, fingerprints: Fingerprints
) -> sa.Select[Any]:
    item = sa.case(
        (items.c.key.is_(None), ItemChange.ADD.value),
        (items.c.deleted_why.in_(sorted(set(CLAIMS.values()))), ItemChange.DATA_AGAIN.value),
        (items.c.deleted_at.is_not(None), ItemChange.RESTORE.value),
        (items.c.token != scanned_files.c.token, ItemChange.UPDATE.value),
    )
    label = _label_difference(fingerprints.labels)
    metadata = _metadata_difference(settings, fingerprints)
    joined = scanned_files.outerjoin(
        items, (items.c.folder_id == folder_id) & (items.c.key == scanned_files.c.key)
    ).outerjoin(
        label_rows,
        (label_rows.c.folder_id == folder_id) & (label_rows.c.key == scanned_files.c.key),
    )
    compared = (
        sa.select(
            scanned_files.c.key,
            item.label("item"),
            label.label("label"),
            metadata.label("metadata"),
        )
        .select_from(joined)
        .subquery()
    )
    differs = sa.or_(
        compared.c.item.is_not(None),
        compared.c.label.is_not(None),
        compared.c.metadata.is_not(None),
    )
    return sa.select(compared).where(differs).order_by(compared.c.key)


def _label_difference(fingerprint: str) -> sa.ColumnElement[str | None]:
    rows = label_rows.c
    return sa.case(
        (
            scanned_files.c.sidecar.is_(None),
            sa.case((rows.key.is_not(None), LabelChange.GONE.value)),
        ),
        (rows.key.is_(None), LabelChange.NEW.value),
        (rows.status == "refused", LabelChange.REFUSED.value),
        (
            rows.sidecar_token.is_(None) | rows.fingerprint.is_(None),
            LabelChange.UNFINISHED.value,
        ),
        (rows.fingerprint != fingerprint, LabelChange.SETTINGS.value),
        (
            (rows.sidecar != scanned_files.c.sidecar)
            | (rows.sidecar_token != scanned_files.c.sidecar_token),
            LabelChange.SIDECAR.value,
        ),
        (
            rows.data_token.is_not(None) & (rows.data_token != scanned_files.c.token),
            LabelChange.IMAGE.value,
        ),
    )


def _metadata_difference(
    settings: FolderSettings, fingerprints: Fingerprints
) -> sa.ColumnElement[str | None]:
    if not takes_metadata(settings):
        return sa.cast(sa.null(), sa.Text)
    token = items.c.metadata_token
    return sa.case(
        (
            scanned_files.c.metadata.is_(None),
            sa.case((token.is_not(None), MetadataChange.CLEAR.value)),
        ),
        (token.is_(None), MetadataChange.SET.value),
        (token != scanned_files.c.metadata_token, MetadataChange.REPLACE.value),
        (
            items.c.metadata_schema.not_in((fingerprints.schema, fingerprints.crashed)),
            MetadataChange.SCHEMA.value,
        ),
    )


def _with_reasons(scan: Scan, keys: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Yield keys of the state, and what they became where the listing has the key as no data file."""
    if not keys:
        return
    listing_keys = scan.listing.keys
    others = np.delete(np.arange(len(listing_keys)), scan.data)
    state_keys = set(keys)
    why: dict[str, str] = {}
    for start in range(0, len(others), _AT_ONCE):
        rows = others[start : start + _AT_ONCE]
        outcomes = scan.outcome[rows].tolist()
        why |= {
            key: CLAIMS[Outcome(outcome)].value
            for key, outcome in zip(listing_keys.take(rows), outcomes, strict=True)
            if key in state_keys
        }
    yield from ((key, why.get(key)) for key in keys)


def _gone(folder_id: int) -> sa.Select[Any]:
    reason = sa.func.coalesce(missed.c.why, ItemChange.DELETE.value)
    is_found = (
        sa.select(1).select_from(scanned_files).where(scanned_files.c.key == items.c.key).exists()
    )
    return (
        sa.select(items.c.key, reason, sa.null(), sa.null())
        .join(missed, missed.c.key == items.c.key)
        .where(items.c.folder_id == folder_id, items.c.deleted_at.is_(None), ~is_found)
        .order_by(items.c.key)
    )


def count_changes(connection: Connection) -> dict[str, int]:
    """Return reason → number of changes, in the order of the enumerations."""
    counts: dict[str, int] = {}
    for column, reasons in (
        (changes.c.item, ItemChange),
        (changes.c.label, LabelChange),
        (changes.c.metadata, MetadataChange),
    ):
        query = sa.select(column, sa.func.count()).where(column.is_not(None)).group_by(column)
        by_reason = {row[0]: int(row[1]) for row in connection.execute(query)}
        counts |= {r.value: by_reason[r.value] for r in reasons if r.value in by_reason}
    return counts


def iterate_changes(connection: Connection) -> Iterator[dict[str, str]]:
    """Yield key and reasons of each change, ordered by key."""
    query = sa.select(changes).order_by(changes.c.key)
    with connection.execute(query.execution_options(yield_per=10_000)) as rows:
        for row in rows:
            columns = zip(_COLUMNS, row, strict=True)
            yield {name: value for name, value in columns if value is not None}
