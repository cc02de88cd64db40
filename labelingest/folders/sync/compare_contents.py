"""Compare contents: find sidecars that changed at equal size and time, and those that did not change.

A sync compares version tokens. On this machine a token is size and time: a change that keeps both
goes unnoticed, and a file that was only touched counts as changed. With the option, a sync reads
every label and metadata sidecar and compares digests. It also compares width and height of images
that a label row depends on. In the cloud a token is an ETag, which changes with the content: only
sidecars with another ETag are read.

The contents of data files are never compared.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from labelingest.columns.fingerprints import content_digest
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.tables import changes, items, label_rows, scanned_files
from labelingest.folders.sync.changes import LabelChange, MetadataChange
from labelingest.folders.sync.portions import first_portion
from labelingest.folders.sync.skip_unchanged import takes_metadata
from labelingest.metadata.check import MAX_METADATA
from labelingest.model.blobs import Unread
from labelingest.storage.base import Storage
from labelingest.storage.urls import is_cloud

__all__ = ["ContentComparison"]

_AT_ONCE: Final = 1_000
"""Files whose contents are in memory together."""
_BYTES: Final = 64_000_000
"""Bytes of contents in memory together, about."""
Sizes = Callable[[Sequence[str]], Sequence[tuple[int, int] | Unread | None]]


@dataclass(slots=True)
class ContentComparison:
    """Comparison of file contents with the digests in the state."""

    connection: Connection
    """Connection whose temporary tables `find_changes` has filled with all data files."""
    folder_id: int
    storage: Storage
    settings: FolderSettings
    sizes_of: Sizes
    """Returns width and height of images, in pixels."""
    files_read: int = 0
    """Number of sidecars read."""
    bytes_read: int = 0
    """Bytes of the sidecars read."""
    headers_read: int = 0
    """Number of image headers read."""

    def add_differences(self) -> None:
        """Correct the changes by the contents."""
        if self.settings.format is not None:
            self._compare_labels()
        if self._reads_all and takes_metadata(self.settings):
            self._compare_metadata()

    @property
    def _reads_all(self) -> bool:
        return not is_cloud(self.storage.url)

    def _compare_labels(self) -> None:
        after = ""
        while rows := self._next(self._labels(after), "sidecar_size"):
            after = rows[-1]["key"]
            digests = self._digests(rows, "sidecar")
            reasons = {
                row["key"]: _label_change(row, digests[row["key"]])
                for row in rows
                if row["key"] in digests
            }
            self._compare_sizes(
                [row for row in rows if reasons.get(row["key"]) is LabelChange.TOUCHED], reasons
            )
            self._change("label", {key: why for key, why in reasons.items() if why is not None})

    def _labels(self, after: str) -> sa.Select[Any]:
        """Select label rows whose sidecar may differ in its content, or in its time only."""
        label, rows = changes.c.label, label_rows.c
        is_compared = label == LabelChange.SIDECAR.value
        if self._reads_all:
            is_compared = label.is_(None) | is_compared
        return (
            sa.select(
                scanned_files.c.key,
                scanned_files.c.token,
                scanned_files.c.sidecar,
                scanned_files.c.sidecar_size,
            )
            .add_columns(scanned_files.c.sidecar_token, label)
            .add_columns(rows.sidecar.label("old_sidecar"), rows.sidecar_token.label("old_token"))
            .add_columns(rows.sidecar_digest, rows.data_token, rows.width, rows.height)
            .select_from(
                scanned_files.join(
                    label_rows,
                    (rows.folder_id == self.folder_id) & (rows.key == scanned_files.c.key),
                ).outerjoin(changes, changes.c.key == scanned_files.c.key)
            )
            .where(scanned_files.c.sidecar.is_not(None), is_compared, scanned_files.c.key > after)
            .order_by(scanned_files.c.key)
            .limit(_AT_ONCE)
        )

    def _compare_sizes(
        self, rows: Sequence[RowMapping], reasons: dict[str, LabelChange | None]
    ) -> None:
        """Compare sizes of images that a label row depends on, where its sidecar is unchanged."""
        for row in rows:
            if row["data_token"] not in {None, row["token"]}:
                reasons[row["key"]] = LabelChange.IMAGE  # its header is read when that is done
            elif row["label"] is None:
                reasons[row["key"]] = None
        same_images = [row for row in rows if self._reads_all and row["data_token"] == row["token"]]
        if not same_images:
            return
        self.headers_read += len(same_images)
        sizes = self.sizes_of([row["key"] for row in same_images])
        for row, size in zip(same_images, sizes, strict=True):
            old = None if row["width"] is None else (row["width"], row["height"])
            if not isinstance(size, Unread) and size != old:
                reasons[row["key"]] = LabelChange.IMAGE

    def _compare_metadata(self) -> None:
        after = ""
        while rows := self._next(self._metadata(after), "metadata_size"):
            after = rows[-1]["key"]
            digests = self._digests(rows, "metadata")
            other = {
                row["key"]: MetadataChange.REPLACE
                for row in rows
                if digests.get(row["key"], row["metadata_digest"]) != row["metadata_digest"]
            }
            self._change("metadata", other)

    def _metadata(self, after: str) -> sa.Select[Any]:
        of_item = (items.c.folder_id == self.folder_id) & (items.c.key == scanned_files.c.key)
        return (
            sa.select(
                scanned_files.c.key,
                scanned_files.c.metadata,
                scanned_files.c.metadata_size,
                items.c.metadata_digest,
            )
            .select_from(
                scanned_files.join(items, of_item).outerjoin(
                    changes, changes.c.key == scanned_files.c.key
                )
            )
            .where(scanned_files.c.metadata.is_not(None), changes.c.metadata.is_(None))
            .where(scanned_files.c.metadata_size <= MAX_METADATA, scanned_files.c.key > after)
            .order_by(scanned_files.c.key)
            .limit(_AT_ONCE)
        )

    def _next(self, query: sa.Select[Any], size: str) -> Sequence[RowMapping]:
        return first_portion(self.connection.execute(query).mappings().all(), _BYTES, size)

    def _digests(self, rows: Sequence[RowMapping], what: str) -> Mapping[str, str]:
        """Return data file → digest of its sidecar; unreadable sidecars are left out."""
        sizes = np.array([row[f"{what}_size"] for row in rows], dtype=np.int64)
        blobs = self.storage.fetch([row[what] for row in rows], sizes=sizes, tokens=False)
        self.files_read += len(rows)
        self.bytes_read += int(sizes.sum())
        return {
            row["key"]: content_digest(blobs.get(place))
            for place, row in enumerate(rows)
            if place not in blobs.unread
        }

    def _change(self, column: str, reasons: Mapping[str, LabelChange | MetadataChange]) -> None:
        """Enter reasons into the changes; they replace earlier ones."""
        if not reasons:
            return
        entered = set(
            self.connection.scalars(
                sa.select(changes.c.key).where(changes.c.key.in_(list(reasons)))
            )
        )
        old = [{"of_key": key, "why": reasons[key].value} for key in reasons if key in entered]
        if old:
            update = changes.update().where(changes.c.key == sa.bindparam("of_key"))
            self.connection.execute(update.values({column: sa.bindparam("why")}), old)
        new = [{"key": key, column: reasons[key].value} for key in reasons if key not in entered]
        if new:
            self.connection.execute(changes.insert(), new)


def _label_change(row: RowMapping, digest: str) -> LabelChange | None:
    """Return the change of a label row by the content of its sidecar; TOUCHED where it is equal."""
    if row["sidecar"] == row["old_sidecar"] and digest == row["sidecar_digest"]:
        return LabelChange.TOUCHED
    if row["label"] is not None:
        return LabelChange.SIDECAR
    return LabelChange.CONTENT if row["sidecar_digest"] is not None else LabelChange.FIRST_READ
