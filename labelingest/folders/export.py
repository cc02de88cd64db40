"""The label rows of a folder as one file: each as it was written, or named and left out."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from labelingest.folders.batch import FILE_COLUMNS, LabelStatus, row_file
from labelingest.folders.output import OUTPUT_SUFFIX
from labelingest.folders.state.tables import items, label_rows, output_rows
from labelingest.folders.verify import difference
from labelingest.storage.base import Storage, Version

__all__ = ["iterate_label_rows"]

_AT_ONCE: Final = 1_000


def iterate_label_rows(
    connection: Connection, folder_id: int, output: Storage, which: str = "present"
) -> Iterator[tuple[str, bytes | str]]:
    """Yield the name of each label row of a folder with its content, or why it is not exported.

    Parameters
    ----------
    connection, folder_id
        Where.
    output
        Where the label rows are.
    which
        One of `labelingest.folders.items.WHICH`.
    """
    with connection.execute(_query(folder_id, which)) as result:
        rows = iter(result.mappings())
        while batch := list(islice(rows, _AT_ONCE)):
            names = [row["key"] + OUTPUT_SUFFIX for row in batch]
            blobs = output.fetch(names)
            tokens = blobs.tokens or [""] * len(names)
            for place, (row, name) in enumerate(zip(batch, names, strict=True)):
                if place in blobs.unread:
                    yield name, blobs.unread[place].detail
                else:
                    content = blobs.get(place)
                    yield name, _wrong(row, content, tokens[place]) or content


def _query(folder_id: int, which: str) -> sa.Select[tuple[str]]:
    of_file = (output_rows.c.folder_id == folder_id) & (output_rows.c.key == label_rows.c.key)
    of_item = (items.c.folder_id == folder_id) & (items.c.key == label_rows.c.key)
    query: sa.Select[tuple[str]] = (
        sa.select(
            label_rows.c.key,
            *(output_rows.c[name].label(f"file_{name}") for name in FILE_COLUMNS),
        )
        .select_from(label_rows.join(items, of_item).outerjoin(output_rows, of_file))
        .where(label_rows.c.folder_id == folder_id, label_rows.c.status == LabelStatus.MADE.value)
        .order_by(label_rows.c.key)
        .execution_options(yield_per=_AT_ONCE)
    )
    gone = items.c.deleted_at
    if which == "all":
        return query
    return query.where(gone.is_(None) if which == "present" else gone.is_not(None))


def _wrong(row: RowMapping, content: bytes, token: str) -> str | None:
    """Return what is wrong with a label row; of one with no digest, only what its content shows."""
    file = row_file(row)
    if file.digest is None:
        return None if content.strip() else "it is empty"
    found = difference(file, Version(len(content), token), content, read=True)
    return None if found is None else found.value.removeprefix("label row ")
