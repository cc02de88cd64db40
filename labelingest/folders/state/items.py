"""Items of a folder: which are selected, and each by Encord's names on the wire."""

from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from labelingest.encord.identifiers import data_hashes, dataset_hash
from labelingest.encord.keys import SIDECAR_SUFFIX
from labelingest.encord.urls import object_url
from labelingest.errors import ConfigError
from labelingest.folders.state.label_rows import LabelStatus
from labelingest.folders.state.tables import items, label_rows
from labelingest.model.kinds import mime_type_of
from labelingest.pairing.file_kinds import KINDS
from labelingest.storage.urls import Provider, is_cloud, place_of

__all__ = ["KIND_NAMES", "WHICH", "iterate_items", "selected_items"]

KIND_NAMES: Final = tuple(kind.value for kind in KINDS)
"""Names of the kinds by their numbers in the state."""
WHICH: Final = ("present", "deleted", "all")
"""Selections of items that callers can ask for."""
_LOCATIONS: Final = {Provider.S3: "s3", Provider.GOOGLE: "gcp", Provider.AZURE: "azure"}
_CONSTANTS: Final[dict[str, Any]] = {
    "description": "",
    "owner": "",
    "isPlaceholder": False,
    "backedDataUnitsCount": 0,
    # Fields of the wire that a listing does not tell.
    **dict.fromkeys(
        (
            *("integrationHash", "signedUrl", "duration", "fps", "frameCount"),
            *("dicomInstanceUid", "dicomStudyUid", "dicomSeriesUid"),
            *("audioSampleRate", "audioBitDepth", "audioCodec", "audioNumChannels"),
        )
    ),
}
_ITEM_TYPES: Final = {"text": "plainText", "html": "plainText"}
"""Kind → Encord's type of item, where the names differ."""


def selected_items(which: str) -> sa.ColumnElement[bool]:
    """Return the condition that an item is selected.

    Raises
    ------
    ConfigError
        `which` is not in `WHICH`.
    """
    if which not in WHICH:
        raise ConfigError(f"which {which!r}: expected {', '.join(WHICH[:-1])} or {WHICH[-1]}")
    if which == "all":
        return sa.true()
    is_present = items.c.deleted_at.is_(None)
    return is_present if which == "present" else ~is_present


def iterate_items(
    connection: Connection, folder_id: int, storage_url: str, which: str = "present"
) -> Iterator[dict[str, Any]]:
    """Yield the items of a folder, ordered by key; the official client reads each as one of its own.

    Parameters
    ----------
    connection
        Connection in a transaction.
    folder_id
        Number of the folder in the state.
    storage_url
        URL of the storage path.
    which
        One of `WHICH`.

    Raises
    ------
    ConfigError
        `which` is another text.
    """
    row_of_label = (label_rows.c.folder_id == folder_id) & (label_rows.c.key == items.c.key)
    query = (
        sa.select(items, label_rows.c.status)
        .select_from(items.outerjoin(label_rows, row_of_label))
        .where(items.c.folder_id == folder_id, selected_items(which))
        .order_by(items.c.key)
    )
    parent, location = dataset_hash(storage_url), _location(storage_url)
    of_folder = {"parent": parent, "storageLocation": location, **_CONSTANTS}
    with connection.execute(query.execution_options(yield_per=10_000)) as result:
        for rows in result.mappings().partitions():
            uuids = data_hashes(storage_url, [row["key"] for row in rows])
            for row, uuid in zip(rows, uuids, strict=True):
                yield {**_item(row, uuid, storage_url), **of_folder}


def _location(storage_url: str) -> str:
    """Return Encord's name for the kind of storage behind a URL.

    Examples
    --------
    >>> [_location(url) for url in ("s3://a/", "https://lab.blob.core.windows.net/a/", "file:///a/")]
    ['s3', 'azure', 'directAccess']
    """
    if not is_cloud(storage_url):
        return "directAccess"
    place = place_of(storage_url)
    if place.provider is Provider.S3 and place.endpoint is not None:
        return "s3Compatible"
    return _LOCATIONS[place.provider]


def _item(row: RowMapping, uuid: str, storage_url: str) -> dict[str, Any]:
    key, kind = row["key"], KIND_NAMES[row["kind"]]
    labelled = row["status"] == LabelStatus.MADE
    return {
        "uuid": uuid,
        "name": key,
        "itemType": _ITEM_TYPES.get(kind, kind),
        "mimeType": mime_type_of(key),
        "url": object_url(storage_url, key),
        "fileSize": row["size"],
        "width": row["width"],
        "height": row["height"],
        "clientMetadata": row["metadata"] or "{}",
        "createdAt": row["added_at"],
        "lastEditedAt": row["updated_at"],
        "isTombstone": row["deleted_at"] is not None,
        "tombstoneReason": row["deleted_why"],
        "labelRow": key + SIDECAR_SUFFIX if labelled else None,
    }
