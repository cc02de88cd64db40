"""Tables of the state for SQLAlchemy Core; the migrations make the same tables.

Times are ISO 8601 in UTC, as text: they sort, people can read them, and every database keeps them.
Keys sort by their bytes, as listings do. Nothing that follows from other columns is stored: the
UUID of an item is made from storage path and key.

Temporary tables belong to one connection each. They take a listing and its changes:
`labelingest.folders.sync.prepared` says which of them a comparison fills.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.types import TypeEngine

__all__ = [
    "METADATA",
    "changes",
    "class_lists",
    "folders",
    "hidden",
    "integrations",
    "items",
    "key_type",
    "label_rows",
    "locks",
    "missed",
    "output_listing",
    "output_rows",
    "problems",
    "runs",
    "scanned_files",
    "written_files",
]

METADATA: Final = MetaData()
"""Permanent tables."""
_TEMPORARY: Final = MetaData()


def key_type() -> TypeEngine[str]:
    """Return the type of keys: text in the order of its bytes."""
    return Text().with_variant(Text(collation="C"), "postgresql")


def _of_folder(*, primary_key: bool = True) -> Column[Any]:
    return Column(
        "folder_id",
        Integer,
        ForeignKey("folders.id"),
        primary_key=primary_key,
        nullable=False,
        autoincrement=False,
    )


folders: Final = Table(
    "folders",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("settings", Text, nullable=False),  # JSON: labelingest.folders.settings
    Column("created_at", Text, nullable=False),
    Column("deleted_at", Text),
    Column("due_at", Text),  # time of the next scheduled sync; NULL without a schedule
    # Rises whenever items or label rows change: a saved plan is for one generation.
    Column("generation", Integer, nullable=False),
    # Digest of listing and settings when the folder was last in step; NULL where it may not be.
    Column("digest", Text),
    # JSON: keys of the last listing, between which the next is cut into parts; NULL for one part.
    Column("splits", Text),
    Column("identity", Text),  # identity of the folder in the marker of its output
    Column("marker_token", Text),  # version token of the marker when a run last read it
    sqlite_autoincrement=True,  # no folder gets the number of a removed one
)
items: Final = Table(
    "items",
    METADATA,
    _of_folder(),
    Column("key", key_type(), primary_key=True),
    Column(
        "kind", SmallInteger, nullable=False
    ),  # position in labelingest.folders.state.items.KIND_NAMES
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("token", Text, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("metadata", Text),  # JSON
    Column("metadata_token", Text),  # version token of the metadata sidecar; NULL without metadata
    Column("metadata_schema", Text),  # fingerprint of the schema it was checked against
    Column("metadata_digest", Text),  # digest of the metadata sidecar; NULL where it is unknown
    Column("added_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("deleted_at", Text),  # soft-deleted: the storage path has no data file of the key
    # labelingest.folders.sync.changes.ItemChange; NULL while present, or hidden by an earlier version
    Column("deleted_why", Text),
    sqlite_with_rowid=False,
)
label_rows: Final = Table(
    "label_rows",
    METADATA,
    _of_folder(),
    Column("key", key_type(), primary_key=True),  # of the data file
    Column("status", Text, nullable=False),  # labelingest.folders.state.label_rows.LabelStatus
    Column("sidecar", Text, nullable=False),
    Column("sidecar_token", Text),  # version token of the sidecar; NULL while pending
    Column("sidecar_digest", Text),  # digest of the sidecar; NULL where it is unknown
    Column(
        "data_token", Text
    ),  # version token of the image whose size it needs; NULL where it needs none
    Column("width", Integer),  # size of that image, in pixels
    Column("height", Integer),
    Column("fingerprint", Text),
    Column("made_at", Text),
    sqlite_with_rowid=False,
)
output_rows: Final = Table(
    "output_rows",
    METADATA,
    _of_folder(),
    Column("key", key_type(), primary_key=True),  # of the data file
    # The file that the folder wrote; NULL where it wrote none yet.
    Column("size", BigInteger),
    Column("digest", Text),  # NULL also where an earlier version wrote it
    Column("token", Text),  # NULL also where the storage tells none
    # The file that was there before that.
    Column("old_digest", Text),
    Column("old_token", Text),
    # The file that is being written: after a kill it may be there, or not.
    Column("next_size", BigInteger),
    Column("next_digest", Text),
    sqlite_with_rowid=False,
)
problems: Final = Table(
    "problems",
    METADATA,
    _of_folder(),
    Column("key", key_type(), primary_key=True),  # of the data file; "" for those of the listing
    Column("part", Text, primary_key=True),  # labelingest.folders.state.problems.Part
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("code", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("line", Integer),
    Column("column", Integer),
    Column("pointer", Text),
    Column("count", Integer, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_with_rowid=False,
)
runs: Final = Table(
    "runs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("folder_id", Integer, ForeignKey("folders.id"), nullable=False, index=True),
    Column("trigger", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("ended_at", Text),
    Column("counters", Text, nullable=False),  # JSON: labelingest.folders.state.runs.Counters
    # JSON: labelingest.folders.state.books.Books; NULL before the run has any, and in earlier versions
    Column("books", Text),
    Column("message", Text),
    sqlite_autoincrement=True,
)
class_lists: Final = Table(
    "class_lists",
    METADATA,
    _of_folder(),
    Column("key", key_type(), primary_key=True),
    Column("token", Text, nullable=False),  # version token of the list when it was read
    Column("answer", Text, nullable=False),  # JSON: labelingest.folders.state.class_lists
    sqlite_with_rowid=False,
)
written_files: Final = Table(
    "written_files",
    METADATA,
    _of_folder(),
    Column("key", key_type(), primary_key=True),
    Column("token", Text, nullable=False),  # version token of the file when it was looked at
    Column("is_written", SmallInteger, nullable=False),  # whether a run wrote the file
    sqlite_with_rowid=False,
)
locks: Final = Table(
    "locks",
    METADATA,
    _of_folder(),
    Column("run_id", Integer, nullable=False),
    Column("host", Text, nullable=False),
    Column(
        "space", Text, nullable=False
    ),  # boot and process namespace, in which the pid has a meaning
    Column("pid", Integer, nullable=False),
    Column("born", Text, nullable=False),  # begin of the process: systems reuse pids
    Column("since", Text, nullable=False),
    Column("heartbeat", Text, nullable=False),
)
integrations: Final = Table(
    "integrations",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("connection", Text, nullable=False),  # JSON: labelingest.storage.cloud.connections
)

scanned_files: Final = Table(
    "scanned_files",
    _TEMPORARY,
    Column("key", key_type(), primary_key=True),
    Column("kind", SmallInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("token", Text, nullable=False),
    Column("sidecar", Text),
    Column("sidecar_size", BigInteger),
    Column("sidecar_mtime_ns", BigInteger),
    Column("sidecar_token", Text),
    Column("metadata", Text),  # key of the metadata sidecar
    Column("metadata_size", BigInteger),
    Column("metadata_token", Text),
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
)
"""Data files of a listing that may differ from the state, each with its sidecars."""
missed: Final = Table(
    "missed",
    _TEMPORARY,
    Column("key", key_type(), primary_key=True),
    # labelingest.folders.sync.changes.ItemChange, where the listing has the key; NULL where not
    Column("why", Text),
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
)
"""Items of the state that may be missing from the listing."""
changes: Final = Table(
    "changes",
    _TEMPORARY,
    Column("key", key_type(), primary_key=True),
    Column("item", Text),  # labelingest.folders.sync.changes.ItemChange
    Column("label", Text),  # labelingest.folders.sync.changes.LabelChange
    Column("metadata", Text),  # labelingest.folders.sync.changes.MetadataChange
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
)
"""Data files with changes, and the reasons of the changes."""
hidden: Final = Table(
    "hidden",
    _TEMPORARY,
    Column("kind", SmallInteger, primary_key=True),  # labelingest.folders.sync.hidden_keys
    Column("begins", key_type(), primary_key=True),
    Column("ends", key_type()),  # first text after the range; NULL without an end
    # A key is hidden if it has more than this many bytes beyond its characters.
    Column("outside_ascii", BigInteger, nullable=False),
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
)
"""Ranges of keys that the listing says nothing about; ranges of one kind do not overlap."""
output_listing: Final = Table(
    "output_listing",
    _TEMPORARY,
    Column("key", key_type(), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("token", Text, nullable=False),
    Column("digest", Text),  # NULL where the run did not read the label row
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
)
"""Data files whose label row is in the output, where a run lists the output."""
