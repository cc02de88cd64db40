"""Export label rows as one file: each as the folder wrote it, or named and left out."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from labelingest.columns.fingerprints import Digest, content_digest
from labelingest.encord.keys import SIDECAR_SUFFIX
from labelingest.errors import StorageError
from labelingest.folders.output_files import LARGE_ROW, digest_of, parts_of
from labelingest.folders.state.database import State
from labelingest.folders.state.folders import FolderRecord
from labelingest.folders.state.items import selected_items
from labelingest.folders.state.label_rows import (
    FILE_COLUMNS,
    LabelStatus,
    RowFile,
    row_file,
)
from labelingest.folders.state.tables import items, label_rows, output_rows
from labelingest.folders.sync.missing_outputs import difference, is_whole
from labelingest.folders.sync.portions import first_portion
from labelingest.sinks.output_guard import GuardedOutput, OutputGuard, OutputKind
from labelingest.storage.base import Storage, Version

__all__ = ["export_label_rows"]

_AT_ONCE: Final = 1_000
"""Label rows whose contents are in memory together."""
_BYTES: Final = 64_000_000
"""Bytes of label rows in memory together, about."""


def export_label_rows(
    state: State,
    record: FolderRecord,
    output: Storage,
    guard: OutputGuard,
    path: str,
    *,
    which: str = "present",
) -> int:
    """Write label rows to one file, one a line; return how many.

    Parameters
    ----------
    state, record
        The folder.
    output
        Storage with the label rows.
    guard
        Guard of the files that the export must not replace.
    path
        The file; it appears whole or not at all.
    which
        Items whose label rows are exported: one of `labelingest.folders.state.items.WHICH`.

    Raises
    ------
    ConfigError
        The file would replace what no export wrote, or `which` is another text.
    StorageError
        Label rows are missing from the file; all others are written.
    """
    query = _query(record.id, which)
    count, missing = 0, list[str]()
    with (
        guard.open(GuardedOutput("out", path, OutputKind.LABEL_ROWS)) as file,
        state.read() as connection,
    ):
        for name, row in _label_rows(connection, query, output):
            if isinstance(row, str):
                missing.append(f"{name!r}: {row}")
            else:
                file.writelines(row)
                file.write(b"\n")
                count += 1
    if missing:
        raise StorageError(
            f"{path!r} has {count:,} label rows, and {len(missing):,} are missing that cannot be "
            f"read from {output.url}, or are not as they were written, as "
            f"{'; '.join(missing[:3])}; labelingest folder sync {record.name!r} --verify-output "
            "makes them again"
        )
    return count


def _label_rows(
    connection: Connection, query: sa.Select[tuple[str]], output: Storage
) -> Iterator[tuple[str, Iterator[bytes] | str]]:
    """Yield the name of each label row with its content, or why it is not exported.

    Raises
    ------
    StorageError
        A large label row is changed while it is read: the exception ends its content.
    """
    with connection.execute(query) as result:
        rows = iter(result.mappings())
        waiting: Sequence[RowMapping] = []
        while waiting := [*waiting, *islice(rows, _AT_ONCE - len(waiting))]:
            batch = first_portion(waiting, _BYTES, "file_size")
            waiting = waiting[len(batch) :]
            yield from _contents(batch, output)


def _contents(
    rows: Sequence[RowMapping], output: Storage
) -> Iterator[tuple[str, Iterator[bytes] | str]]:
    """Yield contents of label rows; large ones are read in parts, one by one."""
    small = [row for row in rows if (row["file_size"] or 0) <= LARGE_ROW]
    blobs = output.fetch([row["key"] + SIDECAR_SUFFIX for row in small])
    place = 0
    for row in rows:
        name, file = row["key"] + SIDECAR_SUFFIX, row_file(row)
        if (file.size or 0) > LARGE_ROW:
            yield name, _large(row["key"], file, output)
            continue
        if place in blobs.unread:
            yield name, blobs.unread[place].detail
        else:
            content, token = blobs.get(place), blobs.tokens[place] if blobs.tokens else ""
            yield name, _wrong(file, content, token) or iter((content,))
        place += 1


def _large(key: str, file: RowFile, output: Storage) -> Iterator[bytes] | str:
    """Return the content of a large label row in parts, or what is wrong with it."""
    size = file.size or 0
    digest = digest_of(output, key, size)
    if digest is None:
        why = "it cannot be read, or was altered in the output"
    else:
        why = _difference(file, Version(size, ""), digest)
    return why or _parts(key, digest, size, output)


def _parts(key: str, digest: str | None, size: int, output: Storage) -> Iterator[bytes]:
    """Yield a label row in parts; raise where it has changed since its digest was taken."""
    exported = Digest()
    for part in parts_of(output, key, size):
        if isinstance(part, bytes):
            exported.add(part)
            yield part
    if exported.value != digest:
        raise StorageError(
            f"{key + SIDECAR_SUFFIX!r} in {output.url} has changed while it was exported: give the "
            "same command again"
        )


def _query(folder_id: int, which: str) -> sa.Select[tuple[str]]:
    of_file = (output_rows.c.folder_id == folder_id) & (output_rows.c.key == label_rows.c.key)
    of_item = (items.c.folder_id == folder_id) & (items.c.key == label_rows.c.key)
    return (
        sa.select(
            label_rows.c.key,
            *(output_rows.c[name].label(f"file_{name}") for name in FILE_COLUMNS),
        )
        .select_from(label_rows.join(items, of_item).outerjoin(output_rows, of_file))
        .where(label_rows.c.folder_id == folder_id, label_rows.c.status == LabelStatus.MADE.value)
        .where(selected_items(which))
        .order_by(label_rows.c.key)
        .execution_options(yield_per=_AT_ONCE)
    )


def _wrong(file: RowFile, content: bytes, token: str) -> str:
    """Return what is wrong with a label row.

    An earlier version noted no digest: size and time decide then, and before the first sync with
    this version the content alone.
    """
    if file.size is None:
        is_line = b"\n" not in content and is_whole(content)
        return "" if is_line else "it is empty, cut short or no label row"
    return _difference(file, Version(len(content), token), content_digest(content), content)


def _difference(file: RowFile, version: Version, digest: str, content: bytes | None = None) -> str:
    if file.digest is None and content is None:
        return ""
    change = difference(file, version, digest, content, compares_contents=True)
    return "" if change is None else change.value.removeprefix("label row ")
