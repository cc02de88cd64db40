"""Verify the output: find label rows that are missing, cut short, older or altered.

A sync compares the storage path only. With the option, it also lists the output and rebuilds such
label rows. On this machine it reads every label row and compares digests. In the cloud it compares
size and ETag, and reads nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from labelingest.columns.fingerprints import content_digest
from labelingest.encord.keys import SIDECAR_SUFFIX
from labelingest.errors import StorageError
from labelingest.folders.output_files import LARGE_ROW, digest_of
from labelingest.folders.state.database import bulk_insert
from labelingest.folders.state.label_rows import (
    FILE_COLUMNS,
    LabelStatus,
    RowFile,
    row_file,
)
from labelingest.folders.state.tables import (
    changes,
    label_rows,
    output_listing,
    output_rows,
    scanned_files,
)
from labelingest.folders.sync.changes import LabelChange
from labelingest.folders.sync.portions import first_portion
from labelingest.model.listing import Listing
from labelingest.problems import ProblemCode, Severity
from labelingest.storage.base import Storage, Version, list_all
from labelingest.storage.urls import is_cloud

__all__ = [
    "add_differences",
    "difference",
    "is_whole",
    "list_output",
    "load_output",
    "note_verified",
]

_AT_ONCE: Final = 1_000
"""Label rows whose contents are in memory together."""
_BYTES: Final = 64_000_000
"""Bytes of label rows in memory together, about."""
_SLACK: Final = 10_000
"""Bytes by which a label row may have grown beyond double its size, and is still read."""
_FOREIGN_NAMES: Final = {ProblemCode.KEY_NOT_UTF8, ProblemCode.UNUSABLE_KEY}
"""Problems of names that no label row has: they hide none."""


def list_output(output: Storage) -> Listing:
    """Return the listing of an output; empty where its folder is missing.

    Raises
    ------
    StorageError
        The output cannot be listed completely, so that no label row is known to be missing.
    """
    try:
        listing = list_all(output)
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return Listing.from_entries([])
        raise
    # A link is not followed, which is no error: label rows behind it count as missing.
    unread = [
        problem
        for problem in listing.hiding
        if problem.severity is Severity.ERROR and problem.code not in _FOREIGN_NAMES
    ]
    if unread:
        raise StorageError(
            f"the output {output.url} cannot be listed completely, so missing label rows are unknown: {unread[0]}"
        )
    return listing


def load_output(connection: Connection, listing: Listing) -> None:
    """Make the temporary table `output_listing`, and load the listing of an output."""
    output_listing.create(connection, checkfirst=False)
    bulk_insert(connection, output_listing, _label_rows_of(listing))


def _label_rows_of(listing: Listing) -> Iterator[tuple[str, int, str, None]]:
    for start in range(0, len(listing), _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, len(listing)))
        sizes, tokens = listing.size[rows].tolist(), listing.take_tokens(rows)
        for key, size, token in zip(listing.keys.take(rows), sizes, tokens, strict=True):
            if key.endswith(SIDECAR_SUFFIX):
                yield key.removesuffix(SIDECAR_SUFFIX), size, token, None


def add_differences(connection: Connection, folder_id: int, output: Storage) -> None:
    """Add label rows that are missing from the output, or were changed there, to the changes.

    Parameters
    ----------
    connection
        Connection whose temporary tables `find_changes` has filled.
    folder_id
        Number of the folder in the state.
    output
        Output of the folder.
    """
    load_output(connection, list_output(output))
    _add_missing(connection, folder_id)
    reads = not is_cloud(output.url)
    after = ""
    while rows := _next_rows(connection, folder_id, after):
        after = rows[-1]["key"]
        contents = _contents(output, rows) if reads else {}
        reasons = {}
        same = []
        for row in rows:
            key, content = row["key"], contents.get(row["key"])
            version = Version(row["written_size"], row["written_token"])
            digest = None
            if content is not None:
                digest = content_digest(content)
            elif reads and _is_read(row):
                digest = digest_of(output, key, version.size)
            reason = difference(row_file(row), version, digest, content, compares_contents=reads)
            if reason is not None:
                reasons[key] = reason
            elif digest is not None:
                same.append({"same": key, "seen": digest})
        _add(connection, reasons)
        if same:
            digests = output_listing.update().where(output_listing.c.key == sa.bindparam("same"))
            connection.execute(digests.values(digest=sa.bindparam("seen")), same)


def difference(
    file: RowFile,
    version: Version,
    digest: str | None,
    content: bytes | None = None,
    *,
    compares_contents: bool,
) -> LabelChange | None:
    """Return how a label row in the output differs from the one that was written; None if equal.

    Parameters
    ----------
    file
        Entry of the file that the folder wrote.
    version, digest, content
        The file in the output. The digest is None where the file was not read or is unreadable; the
        content is None also where the file was read in parts.
    compares_contents
        Whether contents decide; versions decide otherwise.
    """
    if compares_contents and file.digest is not None:
        same = digest is not None and file.has_digest(digest)
    else:
        same = version.size == file.size and file.token in {None, version.token}
    if same and version.size:
        return None
    older = digest if compares_contents else version.token
    if older is not None and older == (file.old_digest if compares_contents else file.old_token):
        return LabelChange.STALE
    is_shorter = digest is not None and version.size < (file.size or 0)
    is_cut = is_shorter if content is None else not is_whole(content)
    return LabelChange.CUT if is_cut or not version.size else LabelChange.ALTERED


def is_whole(content: bytes) -> bool:
    """Return whether a content is one JSON document from beginning to end."""
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return True


def _add_missing(connection: Connection, folder_id: int) -> None:
    is_listed = (
        sa.select(1)
        .select_from(output_listing)
        .where(output_listing.c.key == label_rows.c.key)
        .exists()
    )
    missing = (
        sa.select(label_rows.c.key)
        .join(scanned_files, scanned_files.c.key == label_rows.c.key)
        .where(label_rows.c.folder_id == folder_id, label_rows.c.status == LabelStatus.MADE.value)
        .where(scanned_files.c.sidecar.is_not(None), ~is_listed)
    )
    reason = LabelChange.MISSING.value
    # All other reasons rebuild the label row as well.
    is_replaceable = changes.c.label.is_(None) | (changes.c.label == LabelChange.IMAGE.value)
    connection.execute(
        changes.update().where(is_replaceable, changes.c.key.in_(missing)).values(label=reason)
    )
    is_entered = sa.select(1).select_from(changes).where(changes.c.key == label_rows.c.key).exists()
    connection.execute(
        changes.insert().from_select(
            ["key", "label"], missing.add_columns(sa.literal(reason)).where(~is_entered)
        )
    )


def _next_rows(connection: Connection, folder_id: int, after: str) -> Sequence[RowMapping]:
    """Return written label rows whose file exists in the output, changed or not."""
    of_folder = (label_rows.c.folder_id == folder_id) & (output_rows.c.folder_id == folder_id)
    statuses = (LabelStatus.MADE.value, LabelStatus.REFUSED.value)
    query = (
        sa.select(
            label_rows.c.key,
            output_listing.c.size.label("written_size"),
            output_listing.c.token.label("written_token"),
            *(output_rows.c[name].label(f"file_{name}") for name in FILE_COLUMNS),
        )
        .select_from(
            label_rows.join(output_rows, output_rows.c.key == label_rows.c.key)
            .join(output_listing, output_listing.c.key == label_rows.c.key)
            .join(scanned_files, scanned_files.c.key == label_rows.c.key)
        )
        .where(of_folder, label_rows.c.status.in_(statuses), output_rows.c.size.is_not(None))
        .where(scanned_files.c.sidecar.is_not(None), label_rows.c.key > after)
        .order_by(label_rows.c.key)
        .limit(_AT_ONCE)
    )
    rows = connection.execute(query).mappings().all()
    return first_portion(rows, _BYTES, "written_size")


def _contents(output: Storage, rows: Sequence[RowMapping]) -> Mapping[str, bytes]:
    """Return data file → content of its label row; large ones are left out."""
    read = [row for row in rows if row["written_size"] <= LARGE_ROW and _is_read(row)]
    sizes = np.array([row["written_size"] for row in read], dtype=np.int64)
    keys = [row["key"] for row in read]
    blobs = output.fetch([key + SIDECAR_SUFFIX for key in keys], sizes=sizes, tokens=False)
    return {key: blobs.get(place) for place, key in enumerate(keys) if place not in blobs.unread}


def _is_read(row: RowMapping) -> bool:
    """Whether a label row is read: it is not far larger than the one that was written."""
    return bool(row["written_size"] <= 2 * row["file_size"] + _SLACK)


def _add(connection: Connection, reasons: Mapping[str, LabelChange]) -> None:
    """Add label rows to the changes, for reasons that allow to write over them."""
    if not reasons:
        return
    query = sa.select(changes.c.key).where(changes.c.key.in_(list(reasons)))
    entered = set(connection.scalars(query))
    values: list[dict[str, Any]] = [
        {"of_key": key, "reason": reason.value} for key, reason in reasons.items()
    ]
    is_made = changes.c.label.is_distinct_from(LabelChange.GONE.value)
    connection.execute(
        changes.update()
        .where(changes.c.key == sa.bindparam("of_key"), is_made)
        .values(label=sa.bindparam("reason")),
        values,
    )
    new = [
        {"key": value["of_key"], "label": value["reason"]}
        for value in values
        if value["of_key"] not in entered
    ]
    if new:
        connection.execute(changes.insert(), new)


def note_verified(connection: Connection, folder_id: int) -> None:
    """Write digests and times of label rows that the run read to the state, where they were unknown."""
    connection.execute(
        output_rows.update()
        .where(output_rows.c.folder_id == folder_id, output_rows.c.key == output_listing.c.key)
        .where(output_listing.c.digest.is_not(None))
        .where(
            sa.or_(
                output_rows.c.digest.is_(None) & (output_rows.c.token == output_listing.c.token),
                (output_rows.c.digest == output_listing.c.digest)
                & output_rows.c.token.is_distinct_from(output_listing.c.token),
            )
        )
        .values(
            digest=output_listing.c.digest, token=output_listing.c.token, size=output_listing.c.size
        )
    )
