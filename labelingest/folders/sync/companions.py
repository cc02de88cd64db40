"""Companion files of a synced folder that their contents tell.

A sync that finds nothing new reads nothing: what a file was found to be is kept in the state beside
its version token.
"""

import numpy as np

from labelingest.class_lists.class_list import ClassList
from labelingest.folders.settings import FolderSettings
from labelingest.folders.sync.class_lists import FolderLists
from labelingest.folders.sync.scan import Scan, scan_with_companions
from labelingest.pairing.match import row_of

__all__ = ["set_lists_apart"]


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
