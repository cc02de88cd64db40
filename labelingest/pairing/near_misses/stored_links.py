"""Find files that lie at the place of an expected folder and hold the path of one.

Git stores a symbolic link as a file where it must not make one (core.symlinks=false); some archives
and copies do the same. People see a folder called "images" in the repository, and an image file
pattern that matches nothing.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from labelingest.model.listing import Listing
from labelingest.pairing.match import ending_with

__all__ = ["StoredLink", "stored_links"]

_USUAL_FOLDERS: Final = ("images", "labels")
_MAX_PATH: Final = 4096
_MAX_LOOKED_INTO: Final = 100


class StoredLink(Struct, frozen=True):
    """A symbolic link that was stored as a file."""

    key: str
    target: str
    """Path in the file."""

    @property
    def detail(self) -> str:
        """Return the problem in a sentence."""
        return (
            f"{self.key!r} is a file that holds {self.target!r}: a symbolic link to a folder, "
            "stored as a file as git does with core.symlinks=false"
        )


def stored_links(
    listing: Listing, small_files: Callable[[str], bytes], folders: Sequence[str] = _USUAL_FOLDERS
) -> list[StoredLink]:
    """Return the files that should be links to folders, in order of their keys.

    Parameters
    ----------
    small_files
        Returns the content of a file of a few kilobytes.
    folders
        Expected names of folders.

    Examples
    --------
    >>> listing = Listing.from_entries([("images", 9, 0), ("labels/a.txt", 20, 0)])
    >>> [link] = stored_links(listing, lambda key: b"../images")
    >>> link.key, link.target
    ('images', '../images')
    """
    links = []
    for key in _called(listing, folders):
        target = _as_path(small_files(key))
        if target is not None:
            links.append(StoredLink(key, target))
    return links


def _called(listing: Listing, folders: Sequence[str]) -> list[str]:
    """Return the keys of small files with the name of a folder."""
    small = np.flatnonzero((listing.size > 0) & (listing.size <= _MAX_PATH))
    candidates: list[str] = []
    for folder in folders:
        keys = listing.keys.take(ending_with(listing.keys, small, folder.encode()))
        candidates += (key for key in keys if key.rpartition("/")[2] == folder)
    return sorted(candidates)[:_MAX_LOOKED_INTO]


def _as_path(content: bytes) -> str | None:
    """Return the path that is the whole content of a file; None for other content."""
    try:
        path = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        return None
    is_one = path.isprintable() and path == path.strip() and ("/" in path or path.startswith("."))
    return path if is_one else None
