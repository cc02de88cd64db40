"""Companion files of a folder that names alone do not tell: given files, own outputs, class lists.

1. Files that the run was given, as its ontology: by their places.
2. Folders that a run or a synced folder wrote: by their markers, in any storage.
3. Single files that a run wrote: by their first bytes, on this machine only.
4. YAML files with class names, where labels are YOLO: by their content.

What pairs, is ambiguous or has a sidecar of its own is no companion file, whatever is known here:
`labelingest.pairing.pair.with_companions` sees to that. Orphan sidecars are companion files by place
and marker only: a label file without data file is a defect, also when a run wrote it.

Few files are read. Files that end as outputs do are read only where a folder has at most
`FEW_TOGETHER` of them without a sidecar, since more are data, and no more than `MOST_READ` in all.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np

from labelingest.class_lists.class_list import UnreadableListError
from labelingest.class_lists.read import read_class_list
from labelingest.columns.keys import Keys
from labelingest.columns.types import Bool, Int64, UInt8
from labelingest.model.kinds import OWNER_MARKER
from labelingest.model.listing import Listing
from labelingest.model.pairs import Outcome, Pairs
from labelingest.pairing.file_kinds import folder_numbers, rows_with_extension
from labelingest.pairing.match import first_row, row_of
from labelingest.pipeline.class_list_files import MOST_BYTES, MOST_LISTS, has_names_line
from labelingest.sinks.output_folder import MARKER
from labelingest.sinks.own_contents import (
    HEAD_BYTES,
    OUTPUT_EXTENSIONS,
    PARQUET,
    SQLITE_ENDINGS,
    SQLITE_MAGIC,
    ZSTD,
    is_name_below_marker,
    is_own_head,
    is_own_table,
)
from labelingest.storage.base import Storage

__all__ = [
    "FEW_TOGETHER",
    "MOST_READ",
    "are_outputs",
    "given_rows",
    "list_rows",
    "marked_rows",
    "output_suspects",
    "with_database_files",
    "written_rows",
]

FEW_TOGETHER: Final = 100
"""Files of one folder, of a kind that runs write and without a sidecar, up to which they are read."""
MOST_READ: Final = 1_000
"""Files of a listing that are read: a few milliseconds."""
_SHORT_LIST_BYTES: Final = 65_536
"""Bytes up to which a YAML file is parsed: a megabyte of short lines takes seconds."""
_WITHOUT_LINES: Final = (b"{", b"\xff\xfe", b"\xfe\xff")
"""Beginnings of YAML files whose keys do not begin a line of bytes: JSON, and UTF-16."""
_SHORT_HEAD: Final = 512
"""First bytes of a file that tell most outputs."""
_TAIL: Final = 65_536
"""Last bytes of a Parquet file that say who wrote it."""
_YAML: Final = ("yaml", "yml")
_MARKERS: Final = (f"/{MARKER}", f"/.labelingest-folder/{OWNER_MARKER}")
_USED: Final = (Outcome.PAIRED, Outcome.SIDECAR, Outcome.AMBIGUOUS, Outcome.AMBIGUOUS_SIDECAR)
"""Outcomes of files whose folder is input of the run, also where another run wrote it."""


def given_rows(root: str, keys: Keys, paths: Iterable[str]) -> Int64:
    """Return the rows of files that a run was given by their paths, ascending.

    Parameters
    ----------
    root
        Path of the storage path on this machine.
    keys
        Keys of its listing.
    paths
        Paths of the files, as the caller gives them.

    Examples
    --------
    >>> keys = Keys.from_texts(["a.jpg", "new/ontology.json"])
    >>> given_rows("/data", keys, ["/data/new/ontology.json", "/tmp/other.json"]).tolist()
    [1]
    """
    rows = set()
    places = {Path(root), Path(os.path.realpath(root))}
    for path in paths:
        # As it is written, since keys are logical, and where it leads, since files are not.
        for name in (os.path.abspath(path), os.path.realpath(path)):  # noqa: PTH100
            for place in places:
                if Path(name).is_relative_to(place):
                    rows.add(row_of(keys, Path(name).relative_to(place).as_posix()))
    return np.array(sorted(row for row in rows if row is not None), dtype=np.int64)


def marked_rows(keys: Keys, outcome: UInt8) -> Int64:
    """Return the rows of files below the marker of an output, with names that are written there.

    A folder with a file that pairs is input, and so is the storage path itself.

    Examples
    --------
    >>> keys = Keys.from_texts(["a.jpg", f"rows/{MARKER}", "rows/a.jpg.encord.json", "rows/b.jpg"])
    >>> marked_rows(keys, np.full(4, Outcome.UNLABELLED, dtype=np.uint8)).tolist()
    [2]
    """
    rows = set()
    for marker in _MARKERS:
        for place in _rows_ending(keys, marker.encode()):
            folder = keys[place].removesuffix(marker[1:])
            first, end = (first_row(keys, folder.encode() + last) for last in (b"", b"\xff"))
            if not np.isin(outcome[first:end], _USED).any():
                below = range(first, end)
                names = (key.removeprefix(folder) for key in keys.take(below))
                rows |= {
                    row
                    for row, name in zip(below, names, strict=True)
                    if is_name_below_marker(name)
                }
    return np.array(sorted(rows), dtype=np.int64)


def _rows_ending(keys: Keys, name: bytes) -> list[int]:
    """Return the rows of keys that end so: few do, and none is looked at for itself."""
    rows, place = [], keys.text.find(name)
    while place >= 0:
        row = int(np.searchsorted(keys.offsets, place, side="right")) - 1
        if keys.offsets[row + 1] == place + len(name):
            rows.append(row)
        place = keys.text.find(name, place + 1)
    return rows


def written_rows(storage: Storage, listing: Listing, outcome: UInt8) -> Int64:
    """Return the rows of files that a run wrote, as their first bytes say, ascending.

    Parameters
    ----------
    storage
        Storage path on this machine: elsewhere each look is a request.
    listing
        Its listing.
    outcome
        (n,) outcome of each key.
    """
    rows = output_suspects(listing.keys, outcome)
    return with_database_files(listing.keys, rows[are_outputs(storage, listing, rows)])


def are_outputs(storage: Storage, listing: Listing, rows: Int64) -> Bool:
    """Return (n,) whether a file is one that a run wrote; reads a part of each file.

    Parameters
    ----------
    storage, listing
        Storage path on this machine, and its listing.
    rows
        (n,) rows of files that end as outputs do.
    """
    is_own = np.zeros(len(rows), dtype=np.bool_)
    if not len(rows):
        return is_own
    keys = listing.keys.take(rows)
    for place, (key, head) in enumerate(
        zip(keys, storage.fetch_heads(keys, _SHORT_HEAD), strict=True)
    ):
        if key.endswith(PARQUET):
            is_own[place] = _is_table(storage, key, int(listing.size[rows[place]]))
        elif isinstance(head, bytes):
            is_own[place] = _is_output(storage, key, head)
    return is_own


def with_database_files(keys: Keys, rows: Int64) -> Int64:
    """Return the rows of outputs, and of files that SQLite keeps beside one of them, ascending.

    Examples
    --------
    >>> keys = Keys.from_texts(["state.db", "state.db-wal", "text.db"])
    >>> with_database_files(keys, np.array([0])).tolist()
    [0, 1]
    """
    beside = (row_of(keys, key + ending) for key in keys.take(rows) for ending in SQLITE_ENDINGS)
    return np.union1d(rows, np.array([row for row in beside if row is not None], dtype=np.int64))


def output_suspects(keys: Keys, outcome: UInt8) -> Int64:
    """Return the rows of files without a pair that end as outputs do and are few in their folder.

    Examples
    --------
    >>> keys = Keys.from_texts(["a.jpg", "r.json", *(f"texts/{i:03}.json" for i in range(101))])
    >>> output_suspects(keys, np.full(len(keys), Outcome.UNLABELLED, dtype=np.uint8)).tolist()
    [1]
    """
    rows = np.flatnonzero((outcome == Outcome.UNLABELLED) | (outcome == Outcome.UNSUPPORTED))
    rows = rows_with_extension(keys, rows, OUTPUT_EXTENSIONS)
    if not len(rows):
        return rows
    _, folder, counts = np.unique(
        folder_numbers(keys, rows), return_inverse=True, return_counts=True
    )
    suspects: Int64 = rows[counts[folder] <= FEW_TOGETHER][:MOST_READ]
    return suspects


def _is_output(storage: Storage, key: str, head: bytes) -> bool:
    if key.endswith(ZSTD):
        return is_own_head(key, _long_head(storage, key))
    if not head.startswith(SQLITE_MAGIC):
        return is_own_head(key, head)
    # The tables may still be in the file beside the database.
    log = _long_head(storage, key + SQLITE_ENDINGS[0])
    return is_own_head(key, _long_head(storage, key) + log)


def _long_head(storage: Storage, key: str) -> bytes:
    (head,) = storage.fetch_heads([key], HEAD_BYTES)
    return head if isinstance(head, bytes) else b""


def _is_table(storage: Storage, key: str, size: int) -> bool:
    (tail,) = storage.fetch_heads([key], _TAIL, start=max(size - _TAIL, 0))
    return isinstance(tail, bytes) and is_own_table(tail)


def list_rows(storage: Storage, pairs: Pairs, keys: Keys) -> Int64:
    """Return the rows of YAML files with any name that have class names, ascending.

    At most `MOST_LISTS` files of `MOST_BYTES` bytes are read.
    """
    rows = np.flatnonzero(pairs.outcome == Outcome.UNSUPPORTED)
    rows = rows_with_extension(keys, rows, _YAML)[:MOST_LISTS]
    if not len(rows):
        return rows
    sources = keys.take(rows)
    blobs = storage.fetch(sources, tokens=False, most=MOST_BYTES)
    has_names = [
        place not in blobs.unread and _has_names(blobs.get(place), key)
        for place, key in enumerate(sources)
    ]
    lists: Int64 = rows[np.array(has_names, dtype=np.bool_)]
    return lists


def _has_names(content: bytes, key: str) -> bool:
    """Return whether a YAML file has the key `names`; a line says so, without a parser of YAML."""
    if has_names_line(content):
        return True
    if not content.startswith(_WITHOUT_LINES) or len(content) > _SHORT_LIST_BYTES:
        return False
    try:
        return bool(read_class_list(content, key).names)
    except UnreadableListError:
        return False
