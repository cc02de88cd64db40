"""The owner of an output: a marker holds the identity of one folder, and no other folder writes there.

The marker is written once, on condition that the output has none: of two folders that want an
output, also of two states, one gets it. A sync looks for the marker by one LIST request, or one
system call on this machine. It reads the marker only where its version is not the known one.

A folder adopts an output without marker where its state knows all label rows in there: an earlier
version made the output, or the marker was deleted. This module refuses to know how label rows are
written and deleted (`output_files.py`).
"""

import os
from collections.abc import Callable, Collection, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_to_bytes
from uuid import uuid4

import numpy as np
import orjson
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from labelingest.encord.keys import SIDECAR_SUFFIX
from labelingest.errors import ConfigError, StorageError
from labelingest.folders.state.database import State
from labelingest.folders.state.folders import FolderRecord, change_folder
from labelingest.folders.state.label_rows import LabelStatus
from labelingest.folders.state.tables import items, label_rows, output_listing, output_rows
from labelingest.folders.sync.missing_outputs import list_output, load_output
from labelingest.model.kinds import OWNER_MARKER
from labelingest.model.listing import Listing
from labelingest.storage.base import ChangedError, Storage
from labelingest.storage.local.real_paths import real_path

__all__ = [
    "MARKER",
    "claim_output",
    "confirm_owner",
    "free_output",
    "known_below",
    "refuse_used_output",
    "without_outputs",
]

_FOLDER: Final = ".labelingest-folder/"
MARKER: Final = _FOLDER + OWNER_MARKER
"""Key of the marker in an output."""
_FORMAT: Final = "labelingest folder output 1"
_FEW: Final = 3
"""Names that a message repeats."""


def _marker(record: FolderRecord) -> bytes:
    return orjson.dumps(
        {
            "format": _FORMAT,
            "identity": record.identity,
            "folder": record.name,
            "about": "labelingest writes the label rows of one synced folder here, and no others.",
        },
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )


def _read(output: Storage) -> tuple[str, str]:
    """Return identity and name of the folder in a marker; "" where the marker is unreadable."""
    blobs = output.fetch([MARKER])
    if blobs.unread:
        raise StorageError(f"{MARKER!r} in {output.url}: {blobs.unread[0].detail}")
    try:
        document: Any = orjson.loads(blobs.get(0))
    except orjson.JSONDecodeError:
        return "", ""
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        return "", ""
    return str(document.get("identity", "")), str(document.get("folder", ""))


def _of_another(output: Storage, name: str) -> str:
    whose = (
        f"the folder {name!r} of another state, or one that was created again"
        if name
        else "another folder"
    )
    return (
        f"the output {output.url} belongs to {whose}: no two folders share one, as they would write "
        "over each other's label rows; give another output, or, if that folder is no more, delete "
        f"{MARKER!r} in it"
    )


def refuse_used_output(output: Storage) -> None:
    """Refuse an output of another folder, or with label rows of no folder, to a new folder.

    Raises
    ------
    ConfigError
        The output is used, lies in a used output, or contains one.
    """
    if MARKER in output.versions_in(_FOLDER):
        raise ConfigError(_of_another(output, _read(output)[1]))
    outer = _outer(output)
    if outer is not None:
        raise ConfigError(
            f"the output {output.url} lies in {str(outer)!r}, which is the output of another "
            "folder: give one outside"
        )
    label_files, markers = _used(output)
    if markers:
        raise ConfigError(
            f"the output {output.url} lies around the output of another folder, which is marked by "
            f"{markers[0]!r}: give another"
        )
    if label_files:
        raise ConfigError(
            f"the output {output.url} holds label rows that belong to no folder, as "
            f"{', '.join(map(repr, label_files))}: they would be written over; give an empty folder, "
            "or move them away"
        )


def _outer(output: Storage) -> Path | None:
    """Return the output of another folder that contains a folder of this machine."""
    root = _root(output)
    outer = () if root is None else real_path(root).parents
    return next((folder for folder in outer if (folder / MARKER).is_file()), None)


def _root(output: Storage) -> Path | None:
    """Return the path of an output on this machine; None for cloud storage."""
    scheme, _, path = output.url.partition("://")
    return Path(os.fsdecode(unquote_to_bytes(path))) if scheme == "file" else None


def _used(output: Storage) -> tuple[list[str], list[str]]:
    """Return some keys of label rows, and of markers in folders below."""
    label_files: list[str] = []
    markers: list[str] = []
    for page in output.list():
        if page.keys.text.find(SIDECAR_SUFFIX.encode()) >= 0:
            names = (key for key in page.keys if key.endswith(SIDECAR_SUFFIX))
            label_files += islice(names, _FEW - len(label_files))
        markers += _markers(page)
    return label_files, markers


def _markers(listing: Listing) -> list[str]:
    """Return the keys of the markers in folders of a listing."""
    name = f"/{MARKER}".encode()
    offsets, text = listing.keys.offsets, listing.keys.text
    keys, place = [], text.find(name)
    while place >= 0:
        row = int(np.searchsorted(offsets, place, side="right")) - 1
        if offsets[row + 1] == place + len(name):
            keys.append(listing.keys[row])
        place = text.find(name, place + 1)
    return keys


def without_outputs(listing: Listing, keys_below: Callable[[str], Collection[str]]) -> Listing:
    """Leave out the outputs of other folders, which have markers: they are no data.

    Keys that the state has as data stay. A marker that is put among data must not make label files
    look as if they were gone.

    Parameters
    ----------
    listing
        Listing of a storage path.
    keys_below
        Returns the keys below a folder ("…/") that the state has as data.

    Examples
    --------
    >>> keys = [f"rows/{MARKER}", "rows/a.jpg.encord.json", "rows/b.txt", "rows2/a.jpg", "a.jpg"]
    >>> listing = Listing.from_entries([(key, 1, 0) for key in keys])
    >>> list(without_outputs(listing, lambda folder: [f"{folder}b.txt"]).keys)
    ['a.jpg', 'rows/b.txt', 'rows2/a.jpg']
    """
    prefixes = tuple(key.removesuffix(MARKER) for key in _markers(listing))
    if not prefixes:
        return listing
    stays = {key for prefix in prefixes for key in keys_below(prefix)}
    keep = np.array(
        [key in stays or not key.startswith(prefixes) for key in listing.keys], dtype=np.bool_
    )
    rows = np.flatnonzero(keep)
    return replace(
        listing,
        keys=listing.keys.pick(rows),
        size=listing.size[rows],
        mtime_ns=listing.mtime_ns[rows],
        tokens=None if listing.tokens is None else listing.tokens.pick(rows),
    )


def known_below(state: State, record: FolderRecord, folder: str) -> set[str]:
    """Return the keys below a folder ("…/") of the storage path that the state has as data.

    Label rows count as sidecars only: earlier versions took label rows of other folders for texts.
    """

    def below(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        return (column > folder) & (column < folder[:-1] + "0")  # "0" follows "/"

    data = sa.select(items.c.key, items.c.metadata_token).where(
        items.c.folder_id == record.id, items.c.deleted_at.is_(None), below(items.c.key)
    )
    sidecars = sa.select(label_rows.c.sidecar).where(
        label_rows.c.folder_id == record.id, below(label_rows.c.sidecar)
    )
    suffix = record.settings.metadata_suffix
    with state.read() as connection:
        keys = set(connection.scalars(sidecars))
        for key, metadata in connection.execute(data):
            if not key.endswith(SIDECAR_SUFFIX):
                keys.add(key)
            if suffix and metadata is not None:
                keys.add(key + suffix)
    return keys


def claim_output(state: State, record: FolderRecord, output: Storage) -> FolderRecord:
    """Write the marker of a folder into an output that has none.

    Raises
    ------
    StorageError
        Another folder claimed the output first.
    """
    try:
        token = output.put(MARKER, _marker(record), unless_changed="")
        output.flush([MARKER])
    except ChangedError as error:
        identity, name = _read(output)
        if identity != record.identity:
            raise StorageError(_of_another(output, name)) from error
        token = output.versions_in(_FOLDER)[MARKER].token
    return change_folder(state, record, marker_token=token)


def free_output(record: FolderRecord, output: Storage) -> None:
    """Remove the marker of a purged folder; its label rows stay."""
    if MARKER in output.versions_in(_FOLDER) and _read(output)[0] == record.identity:
        output.delete([MARKER])
        root = _root(output)
        if root is not None:
            (root / _FOLDER).rmdir()


def confirm_owner(
    state: State, record: FolderRecord, output: Storage, *, claims: bool
) -> tuple[FolderRecord, str]:
    """Make sure that an output belongs to a folder, before anything else is done.

    Parameters
    ----------
    state, record
        The folder.
    output
        Its output.
    claims
        Whether to claim an output without marker; otherwise the check alone is made.

    Returns
    -------
    record
        The folder, with the version of its marker.
    notice
        Notice for users of the folder; empty where nothing was adopted.

    Raises
    ------
    StorageError
        The output belongs to another folder, or has label rows that the state does not know.
    """
    marker = output.versions_in(_FOLDER).get(MARKER)
    if marker is not None:
        if record.identity and marker.token == record.marker_token:
            return record, ""
        identity, name = _read(output)
        if not record.identity or identity != record.identity:
            raise StorageError(_of_another(output, name))
        if claims:
            record = change_folder(state, record, marker_token=marker.token)
        return record, ""
    if claims and not record.identity:
        record = change_folder(state, record, identity=str(uuid4()))
    with state.connection() as connection:
        count = _adopt(connection, record, output, claims=claims)
    if not claims:
        return record, ""
    record = claim_output(state, record, output)
    adopted = (
        f"the output had no marker, and is this folder's from now on, with {count:,} label rows"
    )
    return record, adopted if count else ""


def _adopt(connection: Connection, record: FolderRecord, output: Storage, *, claims: bool) -> int:
    """Adopt the label rows of an output as the folder's; return their number."""
    listing = list_output(output)
    with connection.begin():
        load_output(connection, listing)
        _refuse_unknown(connection, record, output)
    if claims:
        with State.writing(connection):
            connection.execute(_take_over(record.id))
    with connection.begin():
        count = connection.scalar(sa.select(sa.func.count()).select_from(output_listing)) or 0
        output_listing.drop(connection, checkfirst=False)
    return count


def _may_have_been_written() -> sa.ColumnElement[bool]:
    statuses = (LabelStatus.MADE.value, LabelStatus.PENDING.value)
    return label_rows.c.status.in_(statuses) | (
        label_rows.c.fingerprint.is_(None) & (label_rows.c.status != LabelStatus.REFUSED.value)
    )


def _refuse_unknown(connection: Connection, record: FolderRecord, output: Storage) -> None:
    is_known = sa.select(1).where(
        label_rows.c.folder_id == record.id,
        label_rows.c.key == output_listing.c.key,
        _may_have_been_written() | (label_rows.c.status == LabelStatus.REFUSED.value),
    )
    query = (
        sa.select(output_listing.c.key)
        .where(~is_known.exists())
        .order_by(output_listing.c.key)
        .limit(_FEW)
    )
    unknown: Sequence[str] = connection.scalars(query).all()
    if unknown:
        names = ", ".join(repr(key + SIDECAR_SUFFIX) for key in unknown)
        raise StorageError(
            f"the output {output.url} has no marker, and label rows that the folder "
            f"{record.name!r} did not write, as {names}: move them away, and the next sync takes the "
            "output for its own; or create a folder with another output"
        )


def _take_over(folder_id: int) -> sa.Insert:
    is_entered = sa.select(1).where(
        output_rows.c.folder_id == folder_id, output_rows.c.key == output_listing.c.key
    )
    adopted = (
        sa.select(
            sa.literal(folder_id),
            output_listing.c.key,
            output_listing.c.size,
            output_listing.c.token,
        )
        .select_from(output_listing.join(label_rows, label_rows.c.key == output_listing.c.key))
        .where(label_rows.c.folder_id == folder_id, _may_have_been_written(), ~is_entered.exists())
        .order_by(output_listing.c.key)
    )
    return output_rows.insert().from_select(["folder_id", "key", "size", "token"], adopted)
