"""Which label rows are missing from the output: made once, and deleted since by somebody else.

A sync looks at the storage path only. Asked to, it lists the output too, and makes these anew.
"""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from labelingest.errors import StorageError
from labelingest.folders.batch import OUTPUT_SUFFIX, LabelStatus
from labelingest.folders.changes import LabelChange
from labelingest.folders.scan import is_complete
from labelingest.folders.state.database import bulk_insert
from labelingest.folders.state.tables import changes, found, label_rows, written
from labelingest.model.listing import Listing
from labelingest.storage.base import Storage, list_all

__all__ = ["add_missing", "list_output"]


def list_output(output: Storage) -> Listing:
    """Return the listing of an output; empty where its folder is gone.

    Raises
    ------
    StorageError
        It cannot be listed, or not all of it: what is missing is not known then.
    """
    try:
        listing = list_all(output)
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return Listing.of([])
        raise
    if not is_complete(listing):
        raise StorageError(
            f"which label rows are missing from {output.url} cannot be told: {listing.problems[0]}"
        )
    return listing


def add_missing(connection: Connection, folder_id: int, output: Listing) -> None:
    """Add to the changes of a connection the label rows that are missing from the output.

    Parameters
    ----------
    connection
        With the temporary tables that `find_changes` has filled.
    folder_id
        Whose label rows.
    output
        What is in its output.
    """
    written.create(connection, checkfirst=False)
    suffix = OUTPUT_SUFFIX
    bulk_insert(
        connection,
        written,
        ((key.removesuffix(suffix),) for key in output.keys if key.endswith(suffix)),
    )
    there = sa.select(1).select_from(written).where(written.c.key == label_rows.c.key).exists()
    missing = (
        sa.select(label_rows.c.key)
        .join(found, found.c.key == label_rows.c.key)
        .where(label_rows.c.folder_id == folder_id, label_rows.c.status == LabelStatus.MADE.value)
        .where(found.c.sidecar.is_not(None), ~there)
    )
    reason = LabelChange.MISSING.value
    # For any other reason it is made anew too.
    kept = changes.c.label.is_(None) | (changes.c.label == LabelChange.IMAGE.value)
    connection.execute(
        changes.update().where(kept, changes.c.key.in_(missing)).values(label=reason)
    )
    known = sa.select(1).select_from(changes).where(changes.c.key == label_rows.c.key).exists()
    connection.execute(
        changes.insert().from_select(
            ["key", "label"], missing.add_columns(sa.literal(reason)).where(~known)
        )
    )
