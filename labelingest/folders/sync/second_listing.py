"""Confirm deletions by a second listing, where the first cannot prove that it is complete.

Such a store lists from its first key only: Azure, and directory buckets. Keys that only the second
listing has may be new files. If the changes delete one of them, the first listing was incomplete,
and the run fails. Keys that only the first listing has show that the second is incomplete, or that
files are being deleted: deletions wait for the next sync then.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from labelingest.columns.keys import Keys
from labelingest.errors import StorageError
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.database import bulk_insert, create_temporary
from labelingest.folders.state.tables import changes, label_rows, missed
from labelingest.folders.sync.changes import ItemChange, LabelChange, MetadataChange
from labelingest.model.listing import Listing
from labelingest.storage.base import Storage
from labelingest.storage.urls import is_cloud, place_of

__all__ = ["needs_second_listing", "why_unconfirmed"]

_MOST: Final = 100_000
"""Keys of the second listing alone that may be new files: more came from an incomplete first one."""


def needs_second_listing(storage: Storage) -> bool:
    """Return whether the listings of a storage cannot prove that they are complete."""
    return is_cloud(storage.url) and not place_of(storage.url).lists_from_any_key


def why_unconfirmed(
    connection: Connection,
    folder_id: int,
    listings: tuple[Listing, Listing],
    settings: FolderSettings,
) -> str:
    """Return why two listings do not confirm the deletions; "" where they agree.

    Parameters
    ----------
    connection
        Connection whose temporary tables have the changes.
    folder_id, settings
        Number and settings of the folder.
    listings
        The listing behind the changes, and the second listing.

    Raises
    ------
    StorageError
        The second listing has a file whose absence would delete something.
    """
    first, second = listings
    new = list(islice(_only_in(second.keys, first.keys), _MOST + 1))
    deleted = _deleted_of(connection, folder_id, new, settings)
    if deleted is not None or len(new) > _MOST:
        raise StorageError(
            f"two listings do not agree: {deleted or new[0]!r} is in the second only, so the first "
            "was not complete; nothing was changed: check the network and whatever lies between, "
            "and sync again"
        )
    missing_key = next(_only_in(first.keys, second.keys), None)
    if missing_key is None:
        return ""
    return f"two listings do not agree: {missing_key!r} is in the first only; the next sync looks again"


def _only_in(keys: Keys, others: Keys) -> Iterator[str]:
    """Yield the keys that the other column lacks; both are in order.

    Examples
    --------
    >>> list(_only_in(Keys.from_texts(["a", "b", "c"]), Keys.from_texts(["b", "d"])))
    ['a', 'c']
    """
    following = iter(others)
    other = next(following, None)
    for key in keys:
        while other is not None and other < key:
            other = next(following, None)
        if key != other:
            yield key


def _deleted_of(
    connection: Connection, folder_id: int, keys: list[str], settings: FolderSettings
) -> str | None:
    """Return one of the keys whose absence would delete something."""
    create_temporary(connection, missed)
    bulk_insert(connection, missed, ((key, None) for key in keys))
    again = sa.select(missed.c.key)
    row = (label_rows.c.folder_id == folder_id) & (label_rows.c.key == changes.c.key)
    metadata = changes.c.key + (settings.metadata_suffix or "")
    for query in (
        sa.select(changes.c.key).where(
            changes.c.item == ItemChange.DELETE.value, changes.c.key.in_(again)
        ),
        sa.select(label_rows.c.sidecar)
        .select_from(changes.join(label_rows, row))
        .where(changes.c.label == LabelChange.GONE.value, label_rows.c.sidecar.in_(again)),
        sa.select(metadata).where(
            changes.c.metadata == MetadataChange.CLEAR.value, metadata.in_(again)
        ),
    ):
        deleted_key = connection.scalar(query.limit(1))
        if deleted_key is not None:
            return str(deleted_key)
    return None
