"""Write each label row of an export into a file of its own, called as the sidecar of its data file.

1. The export is a JSON list of label rows, in a file of this machine or of the storage path.
2. A label row belongs to the one data file whose name, or key, is its title.
3. Titles of no file, of several files or of several rows are named, and nothing is written for them.
4. The sidecars go to the folder that the user names; it may be the storage path itself.
5. An existing file is never replaced, and nothing is added to an output of a run or synced folder.
"""

import errno
from collections import defaultdict
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from msgspec import Struct

from labelingest.columns.keys import Keys
from labelingest.documents.list_entries import ListEntry, list_entries
from labelingest.encord.keys import SIDECAR_SUFFIX
from labelingest.encord.titles import is_title_of
from labelingest.errors import ConfigError, StorageError
from labelingest.model.kinds import OWNER_MARKER
from labelingest.pairing.match import row_of
from labelingest.pairing.rules import SuffixRule
from labelingest.sinks.output_folder import MARKER
from labelingest.small_files import read_small
from labelingest.storage import open_storage
from labelingest.storage.base import MAX_SIDECAR, ChangedError, Storage, list_all
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.os_errors import cannot_write

__all__ = ["Fate", "SplitRow", "split_export"]

_MARKERS: Final = (MARKER, f".labelingest-folder/{OWNER_MARKER}")
"""Keys in outputs of runs and of synced folders, whose files only these may add."""


class Fate(StrEnum):
    """What became of a label row of an export."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    """The sidecar exists with the same content."""
    SIDECAR_EXISTS = "sidecar-exists"
    """The sidecar exists with another content, and is not replaced."""
    NO_TITLE = "no-title"
    """The entry is no label row, or has no title."""
    NO_FILE = "no-file"
    """No data file has the title."""
    AMBIGUOUS_FILE = "ambiguous-file"
    """Several data files have the title."""
    AMBIGUOUS_ROW = "ambiguous-row"
    """Several label rows belong to one data file."""


class SplitRow(Struct, frozen=True):
    """One label row of an export."""

    place: int
    """Position in the list, from 0."""
    title: str
    """Title of the data file; "" for none."""
    fate: Fate
    keys: Sequence[str] = ()
    """Sidecar that was written or exists; or the data files that are meant."""


def split_export(
    export: str, storage_path: str, out: str, *, suffix: str = SIDECAR_SUFFIX, dry_run: bool = False
) -> list[SplitRow]:
    """Write each label row of an export into a file with the key of its data file.

    Parameters
    ----------
    export
        Path of the export, or its key in the storage path.
    storage_path
        Folder or URL with the data files; nothing is written there unless `out` is the same place.
    out
        Folder or URL for the sidecars; a folder of this machine is made.
    suffix
        Suffix of sidecars, added to the name of the data file.
    dry_run
        Whether nothing is written.

    Returns
    -------
    list of SplitRow
        What became of each label row, in order of the list.

    Raises
    ------
    ConfigError
        The export cannot be read, is too large, or is no list of label rows; or `out` is an output
        of a run or of a synced folder.
    StorageError
        The storage path cannot be listed, or a sidecar cannot be written.
    """
    rule = SuffixRule(suffix)
    storage = open_storage(storage_path)
    keys = list_all(storage).keys
    entries = _entries(export, storage, keys)
    rows = list(_matched(entries, keys, rule, _key_of_export(export, storage, keys)))
    if dry_run:
        return _foreseen(rows, entries, out)
    output = _opened(out)
    outcomes = [_put(row, entries[row.place].content, output) for row in rows]
    output.flush([row.keys[0] for row in outcomes if row.fate is Fate.WRITTEN])
    return outcomes


def _opened(out: str) -> Storage:
    """Open the place of the sidecars, unless a run or a synced folder writes there."""
    if "://" not in out:
        try:
            Path(out).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(out, error) from error
    output = open_storage(out)
    markers = output.fetch(_MARKERS)
    for position, marker in enumerate(_MARKERS):
        if position not in markers.unread:
            raise ConfigError(
                f"--out {out} is the output of a run or of a synced folder, as {marker!r} in it "
                "says: choose another folder"
            )
    return output


def _key_of_export(export: str, storage: Storage, keys: Keys) -> str | None:
    """Return the key of an export that lies in the storage path."""
    if isinstance(storage, LocalStorage) and Path(export).is_file():
        path, root = Path(export).resolve(), Path(storage.root).resolve()
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else None
    return export if row_of(keys, export) is not None else None


def _entries(export: str, storage: Storage, keys: Keys) -> Sequence[ListEntry]:
    try:
        content = _content(export, storage, keys)
        entries = list_entries(content)
    except OSError as error:
        raise ConfigError(f"{export} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise ConfigError(f"{export} is no list of label rows, as an export is: {error}") from None
    if not any(entry.is_label_row for entry in entries):
        raise ConfigError(f"{export} is a list without any label row: an object with 'data_units'")
    return entries


def _content(export: str, storage: Storage, keys: Keys) -> bytes:
    if Path(export).is_file() or row_of(keys, export) is None:
        try:
            return read_small(export, MAX_SIDECAR)
        except OSError as error:
            if error.errno != errno.EFBIG:
                raise
            detail = f"{error.strerror}, the most that an export may have: export it in parts"
            raise ConfigError(f"{export}: {detail}") from None
    blobs = storage.fetch([export])
    if 0 in blobs.unread:
        raise ConfigError(f"{export}: {blobs.unread[0].detail}")
    return blobs.get(0)


def _matched(
    entries: Sequence[ListEntry], keys: Keys, rule: SuffixRule, export_key: str | None
) -> Iterator[SplitRow]:
    """Yield each entry with its only data file's sidecar, or with the cause of having none."""
    names = {entry.title.rpartition("/")[2] for entry in entries if entry.title}
    files: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        name = key.rpartition("/")[2]
        if name in names and key != export_key and not key.endswith(rule.suffix):
            files[name].append(key)
    candidates = [_files(entry, files) for entry in entries]
    claims: dict[str, int] = defaultdict(int)
    for of_entry in candidates:
        if len(of_entry) == 1:
            claims[of_entry[0]] += 1
    for place, (entry, of_entry) in enumerate(zip(entries, candidates, strict=True)):
        if entry.title is None or not entry.is_label_row:
            yield SplitRow(place, entry.title or "", Fate.NO_TITLE)
        elif len(of_entry) != 1:
            fate = Fate.AMBIGUOUS_FILE if of_entry else Fate.NO_FILE
            yield SplitRow(place, entry.title, fate, of_entry)
        elif claims[of_entry[0]] > 1:
            yield SplitRow(place, entry.title, Fate.AMBIGUOUS_ROW, of_entry)
        else:
            yield SplitRow(place, entry.title, Fate.WRITTEN, [of_entry[0] + rule.suffix])


def _files(entry: ListEntry, files: dict[str, list[str]]) -> list[str]:
    if entry.title is None or not entry.is_label_row:
        return []
    namesakes = files.get(entry.title.rpartition("/")[2], ())
    return [key for key in namesakes if is_title_of(entry.title, key)]


def _put(row: SplitRow, content: bytes, storage: Storage) -> SplitRow:
    """Write one sidecar, unless a file has its name."""
    if row.fate is not Fate.WRITTEN:
        return row
    [key] = row.keys
    try:
        storage.put(key, content, unless_changed="")
    except ChangedError:
        return _compared(row, content, storage)
    except StorageError as error:
        raise StorageError(f"{error}; the label rows before it were written") from None
    return row


def _foreseen(rows: list[SplitRow], entries: Sequence[ListEntry], out: str) -> list[SplitRow]:
    """Return what would become of label rows that are not written."""
    if "://" not in out and not Path(out).is_dir():
        return rows
    output = _opened(out)
    new = [row for row in rows if row.fate is Fate.WRITTEN]
    versions = output.versions([row.keys[0] for row in new])
    existing = {
        row.place for row, version in zip(new, versions, strict=True) if version is not None
    }
    return [
        _compared(row, entries[row.place].content, output) if row.place in existing else row
        for row in rows
    ]


def _compared(row: SplitRow, content: bytes, storage: Storage) -> SplitRow:
    """Return a label row whose sidecar exists: with the same content, or with another."""
    blobs = storage.fetch(row.keys)
    is_same = 0 not in blobs.unread and blobs.get(0) == content
    fate = Fate.UNCHANGED if is_same else Fate.SIDECAR_EXISTS
    return SplitRow(row.place, row.title, fate, row.keys)
