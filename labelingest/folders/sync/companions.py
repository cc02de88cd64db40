"""Companion files of a synced folder that their contents tell.

A sync that finds nothing new reads nothing: what a file was found to be is kept in the state beside
its version token.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy.engine import Connection

from labelingest.class_lists.class_list import ClassList
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.written_files import WrittenFiles, list_written
from labelingest.folders.sync.class_lists import FolderLists
from labelingest.folders.sync.scan import Scan, scan_with_companions
from labelingest.pairing.match import row_of
from labelingest.pipeline.companions import are_outputs, output_suspects, with_database_files
from labelingest.storage.base import Storage
from labelingest.storage.urls import is_cloud

__all__ = ["LookedAt", "set_lists_apart", "set_outputs_apart"]


@dataclass(frozen=True, slots=True)
class LookedAt:
    """Files that may be outputs of runs, and what the state is to keep of them."""

    files: WrittenFiles = field(default_factory=dict)
    """Files that the state is to know."""
    is_changed: bool = False
    """Whether the state knows other files than these."""
    files_read: int = 0
    """Number of files of which a part was read."""


def set_lists_apart(scanned: Scan, settings: FolderSettings, lists: FolderLists) -> Scan:
    """Return a scan in which files that were read as class lists are companion files.

    Parameters
    ----------
    scanned, settings
        A scan, and the settings of its folder.
    lists
        Class lists of the folder; a YAML file with any name is one only if it has names.
    """
    keys = scanned.listing.keys
    named = (
        row_of(keys, key)
        for key, (_, answer) in lists.answers.items()
        if isinstance(answer, ClassList) and answer.names
    )
    rows = np.array(sorted(row for row in named if row is not None), dtype=np.int64)
    return scan_with_companions(scanned, settings, rows)


def set_outputs_apart(
    connection: Connection,
    folder_id: int,
    scanned: Scan,
    settings: FolderSettings,
    storage: Storage,
) -> tuple[Scan, LookedAt]:
    """Return a scan in which files that a run wrote are companion files.

    Parameters
    ----------
    connection
        Connection in a transaction; nothing is written.
    folder_id, settings
        The folder.
    scanned
        A scan of its storage path.
    storage
        The storage path. Files on this machine are looked at; elsewhere each look is a request.
    """
    if is_cloud(settings.storage_path):
        return scanned, LookedAt()
    listing = scanned.listing
    rows = output_suspects(listing.keys, scanned.outcome)
    keys, tokens = listing.keys.take(rows), listing.take_tokens(rows)
    stored = list_written(connection, folder_id)
    earlier: Mapping[int, bool] = {
        place: stored[key][1]
        for place, (key, token) in enumerate(zip(keys, tokens, strict=True))
        if stored.get(key, ("",))[0] == token
    }
    is_written = np.zeros(len(rows), dtype=np.bool_)
    is_written[list(earlier)] = list(earlier.values())
    new = np.setdiff1d(np.arange(len(rows)), np.array(list(earlier), dtype=np.int64))
    is_written[new] = are_outputs(storage, listing, rows[new])
    answers = zip(tokens, is_written.tolist(), strict=True)
    files = dict(zip(keys, answers, strict=True))
    apart = scan_with_companions(
        scanned, settings, with_database_files(listing.keys, rows[is_written])
    )
    return apart, LookedAt(files, files != stored, len(new))
