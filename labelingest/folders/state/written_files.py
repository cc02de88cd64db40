"""Files of a storage path that were looked at: whether a run wrote them, by their version tokens.

A file is looked at again when its token changes. Only files on this machine are looked at, and few of
each folder: `labelingest.pipeline.companions` says which.
"""

from collections.abc import Mapping
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from labelingest.folders.state.tables import written_files

__all__ = ["WrittenFiles", "list_written", "replace_written"]

WrittenFiles: TypeAlias = Mapping[str, tuple[str, bool]]
"""Key → version token, and whether a run wrote the file."""


def list_written(connection: Connection, folder_id: int) -> WrittenFiles:
    """Return what is known of the files of a folder."""
    query = sa.select(written_files).where(written_files.c.folder_id == folder_id)
    return {
        row["key"]: (row["token"], bool(row["is_written"]))
        for row in connection.execute(query).mappings()
    }


def replace_written(connection: Connection, folder_id: int, files: WrittenFiles) -> None:
    """Replace what is known of the files of a folder.

    Parameters
    ----------
    connection
        Connection in a transaction that writes.
    folder_id
        Number of the folder in the state.
    files
        All files that the state is to know.
    """
    connection.execute(written_files.delete().where(written_files.c.folder_id == folder_id))
    rows = [
        {"folder_id": folder_id, "key": key, "token": token, "is_written": int(is_written)}
        for key, (token, is_written) in files.items()
    ]
    if rows:
        connection.execute(written_files.insert(), rows)
