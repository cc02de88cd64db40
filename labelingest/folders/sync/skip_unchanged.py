"""Find unchanged data files, nearly always nearly all, and leave them out of the comparison.

Loading a listing into the database costs more than the rest of a comparison. So this module reads
the state beside the listing, both in the order of keys, and leaves out what is equal on both sides.
The database compares the remaining files, and it alone decides what has changed. This module may
leave out too little, and never too much: a property test compares with nothing left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from labelingest.columns.types import Int64
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.tables import items, label_rows
from labelingest.folders.sync.fingerprints import Fingerprints
from labelingest.folders.sync.scan import Scan

__all__ = ["Candidates", "find_candidates", "has_entries", "is_new", "takes_metadata"]

_AT_ONCE: Final = 16_384
"""Data files whose texts are in memory together."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Files of a listing and items of a state that may differ."""

    places: Int64
    """(m,) positions in `Scan.data`; ascending."""
    keys: list[str]
    """Keys of the items that the listing lacks, and possibly of other items."""


def is_new(connection: Connection, folder_id: int) -> bool:
    """Whether the state has no entry of the folder's files yet."""
    return not any(has_entries(connection, table, folder_id) for table in (items, label_rows))


def has_entries(connection: Connection, table: sa.Table, folder_id: int) -> bool:
    """Whether a table of the state has entries of the folder."""
    return bool(connection.scalar(sa.select(sa.exists().where(table.c.folder_id == folder_id))))


def takes_metadata(settings: FolderSettings) -> bool:
    """Whether syncs attach metadata sidecars; otherwise attached metadata stays."""
    return settings.metadata_suffix is not None and not settings.metadata_paused


def find_candidates(
    connection: Connection,
    folder_id: int,
    scan: Scan,
    settings: FolderSettings,
    fingerprints: Fingerprints,
) -> Candidates:
    """Return the data files and items that may differ.

    Parameters
    ----------
    connection
        Connection in a transaction.
    folder_id, settings, fingerprints
        Number and settings of the folder, and their fingerprints.
    scan
        Data files of the listing.
    """
    if is_new(connection, folder_id):
        return Candidates(np.arange(len(scan.data)), [])
    metadata = takes_metadata(settings)
    state = _in_step(folder_id, fingerprints, metadata=metadata)
    places: list[Int64] = [np.zeros(0, dtype=np.int64)]
    keys: list[str] = []
    for part, key_range in _parts(scan):
        scanned_versions = scan.versions(part, metadata=metadata)
        # Plain tuples: rows of SQLAlchemy take three times as long to compare.
        stored_versions = [tuple(row) for row in connection.execute(state.where(*key_range))]
        if scanned_versions == stored_versions:
            continue
        by_key = {version[0]: version for version in stored_versions}
        places.append(
            part[[by_key.pop(version[0], None) != version for version in scanned_versions]]
        )
        keys += by_key
    return Candidates(np.concatenate(places), keys)


def _parts(scan: Scan) -> Iterator[tuple[Int64, list[sa.ColumnElement[bool]]]]:
    """Yield positions of data files with the range of item keys around them; ranges cover all keys."""
    key_range: list[sa.ColumnElement[bool]] = []
    for start in range(0, len(scan.data), _AT_ONCE):
        part = np.arange(start, min(start + _AT_ONCE, len(scan.data)))
        last = scan.listing.keys[int(scan.data[part[-1]])]
        yield part, [*key_range, items.c.key <= last]
        key_range = [items.c.key > last]
    yield np.zeros(0, dtype=np.int64), key_range


def _in_step(
    folder_id: int, fingerprints: Fingerprints, *, metadata: bool
) -> sa.Select[tuple[Any, ...]]:
    """Select the versions of present items; the token is NULL where anything else differs."""
    rows = label_rows.c
    in_step = [
        rows.key.is_(None)
        | (
            (rows.fingerprint == fingerprints.labels)
            & (rows.data_token.is_(None) | (rows.data_token == items.c.token))
        ),
    ]
    if metadata:
        same = items.c.metadata_schema.in_((fingerprints.schema, fingerprints.crashed))
        in_step.append(items.c.metadata_token.is_(None) | same)
    of_item = (rows.folder_id == items.c.folder_id) & (rows.key == items.c.key)
    return (
        sa.select(
            items.c.key,
            sa.case((sa.and_(*in_step), items.c.token)),
            rows.sidecar,
            rows.sidecar_token,
            *([items.c.metadata_token] if metadata else []),
        )
        .select_from(items.outerjoin(label_rows, of_item))
        .where(items.c.folder_id == folder_id, items.c.deleted_at.is_(None))
        .order_by(items.c.key)
    )
