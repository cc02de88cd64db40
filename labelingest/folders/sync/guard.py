"""Withhold deletions: of files that may exist unlisted, and of so many that it looks like an accident.

1. A key that the listing says nothing about (`hidden_keys.py`) is not gone. No option changes that,
   and all other changes are made.
2. Deletions are of three kinds: items, label rows, metadata. All deletions are withheld where all of
   a kind would go, or more than half and more than a hundred; an option allows them.
3. Where a listing cannot prove that it is complete, a second listing must confirm the deletions.

The guard refuses to know what the output of a command may replace: that is
`labelingest.sinks.output_guard`.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.tables import changes, items, label_rows
from labelingest.folders.sync.changes import ItemChange, LabelChange, MetadataChange
from labelingest.folders.sync.hidden_keys import hider_of, is_hidden, load_hidden
from labelingest.folders.sync.scan import Scan
from labelingest.folders.sync.second_listing import why_unconfirmed
from labelingest.model.listing import Listing

__all__ = ["Withheld", "withhold_deletions"]

_FEW: Final = 100
"""Number of deletions up to which part of a kind never looks like an accident: people delete so many."""
_PART: Final = 0.5
"""Part of a kind up to which deletions never look like an accident."""
_NONE: Final = changes.c.item.is_(None) & changes.c.label.is_(None) & changes.c.metadata.is_(None)
_OF_ITEMS: Final = changes.c.item == ItemChange.DELETE.value
_OF_ROWS: Final = changes.c.label == LabelChange.GONE.value
_OF_METADATA: Final = changes.c.metadata == MetadataChange.CLEAR.value
_BACK: Final = (ItemChange.RESTORE.value, ItemChange.DATA_AGAIN.value)
_KINDS: Final = (
    (ItemChange.DELETE, changes.c.item, _OF_ITEMS, "items"),
    (LabelChange.GONE, changes.c.label, _OF_ROWS, "label rows"),
    (MetadataChange.CLEAR, changes.c.metadata, _OF_METADATA, "items' metadata"),
)
"""Reason of a deletion, its column, the condition on changes, and what is deleted in words."""


@dataclass(slots=True)
class Withheld:
    """Withheld deletions, and the reasons."""

    counts: Counter[str] = field(default_factory=Counter)
    """Reason → number of changes that were taken out."""
    reasons: list[str] = field(default_factory=list)
    """Sentences that say why deletions are withheld."""
    is_meant: bool = False
    """Whether deletions are made that only the permission of a mass deletion allows."""

    @property
    def why(self) -> str:
        """All sentences; empty where nothing was withheld."""
        return "; ".join(self.reasons)


def withhold_deletions(
    connection: Connection,
    folder_id: int,
    scan: Scan,
    settings: FolderSettings,
    *,
    allow_mass_delete: bool,
    list_again: Callable[[], Listing] | None = None,
) -> Withheld:
    """Take deletions that must not be made out of the changes.

    Parameters
    ----------
    connection
        Connection whose temporary tables `find_changes` has filled.
    folder_id, settings
        Number and settings of the folder.
    scan
        Data files of the listing.
    allow_mass_delete
        Whether deletions that look like an accident are made.
    list_again
        Lists a second time; None where the first listing proves that it is complete.

    Raises
    ------
    StorageError
        The second listing shows that the first was not complete.
    """
    withheld = Withheld()
    if not any(_counts(connection).values()):
        return withheld
    if scan.listing.hiding:
        _keep_hidden(connection, folder_id, scan, settings, withheld)
    counts = _counts(connection)
    why = _why_mass(connection, folder_id, scan, counts)
    if why and allow_mass_delete:
        withheld.is_meant, why = True, ""
    if not why and list_again is not None and any(counts.values()):
        listings = scan.listing, list_again()
        why = why_unconfirmed(connection, folder_id, listings, settings)
    if why:
        _take_out(connection)
        withheld.counts.update(counts)
        withheld.reasons.append(why)
    withheld.counts = +withheld.counts
    connection.execute(changes.delete().where(_NONE))
    return withheld


def _counts(connection: Connection) -> dict[str, int]:
    """Return reason → number of deletions."""
    return {reason.value: _count(connection, where) for reason, _, where, _ in _KINDS}


def _count(connection: Connection, where: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(changes).where(where)
    return connection.scalar(query) or 0


def _take_out(connection: Connection) -> None:
    """Take all deletions out of the changes."""
    for _, column, reason_is, _ in _KINDS:
        connection.execute(changes.update().where(reason_is).values({column.name: None}))


# --- files that may exist unlisted ---


def _keep_hidden(
    connection: Connection,
    folder_id: int,
    scan: Scan,
    settings: FolderSettings,
    withheld: Withheld,
) -> None:
    """Take out deletions of what the listing says nothing about."""
    load_hidden(connection, scan.listing.hiding)
    row = (label_rows.c.folder_id == folder_id) & (label_rows.c.key == changes.c.key)
    of_row = sa.select(label_rows.c.sidecar).where(row).scalar_subquery()
    row_is_hidden = sa.exists().where(row, is_hidden(connection, label_rows.c.sidecar))
    metadata = changes.c.key + (settings.metadata_suffix or "")
    example = None
    for reason, column, key, hidden in (
        (ItemChange.DELETE, changes.c.item, changes.c.key, is_hidden(connection, changes.c.key)),
        (LabelChange.GONE, changes.c.label, of_row, row_is_hidden),
        # Another sidecar, because the one that the label row was made from is hidden.
        (LabelChange.SIDECAR, changes.c.label, of_row, row_is_hidden),
        (MetadataChange.CLEAR, changes.c.metadata, metadata, is_hidden(connection, metadata)),
    ):
        where = (column == reason.value) & hidden
        hidden_key = connection.scalar(sa.select(key).where(where).limit(1))
        if hidden_key is not None:
            example = example or hidden_key
            update = changes.update().where(where).values({column.name: None})
            withheld.counts[reason.value] = connection.execute(update).rowcount
    if example is not None:
        withheld.reasons.append(_why_hidden(example, scan))


def _why_hidden(example: str, scan: Scan) -> str:
    places = scan.listing.hiding
    first = hider_of(example, places) or places[0]
    others = f" and {len(places) - 1:,} other places" if len(places) > 1 else ""
    return (
        f"the listing is not complete: {first.source!r} ({first.code}){others} may hide files, and "
        "what they may hide is not deleted"
    )


# --- so many that it looks like an accident ---


def _why_mass(connection: Connection, folder_id: int, scan: Scan, counts: Mapping[str, int]) -> str:
    if not any(counts.values()):
        return ""
    cure = "if that is right, give --allow-mass-delete"  # also to `folder configure`, for `serve`
    if not len(scan.listing):
        return f"the storage path is empty; {cure}"
    is_present = (items.c.folder_id == folder_id) & items.c.deleted_at.is_(None)
    of_item = (items.c.folder_id == folder_id) & (items.c.key == label_rows.c.key)
    before = {
        ItemChange.DELETE: sa.select(sa.func.count()).select_from(items).where(is_present),
        LabelChange.GONE: sa.select(sa.func.count())
        .select_from(label_rows.join(items, of_item))
        .where(label_rows.c.folder_id == folder_id, is_present),
        MetadataChange.CLEAR: sa.select(sa.func.count())
        .select_from(items)
        .where(is_present, items.c.metadata_token.is_not(None)),
    }
    for reason, _, reason_is, what in _KINDS:
        count = counts[reason.value]
        if count < 2:
            continue
        # Items that were hidden until now are not in the count before.
        back = _count(connection, reason_is & changes.c.item.in_(_BACK))
        total = (connection.scalar(before[reason]) or 0) + back
        if count > _FEW and count > _PART * total:
            return f"{count:,} of {total:,} {what} would go, more than half; {cure}"
        if count == total:
            return f"{count:,} of {total:,} {what} would go, which is all; {cure}"
    return ""
