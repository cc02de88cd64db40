"""Names, flags and permissions of files that are being written.

Temporary names begin with `labelingest.model.kinds.TEMPORARY_PREFIX`, which pairing ignores, so that
what a killed run leaves behind is never read as data. A name that follows from that of the output
lets the next run find what the last one left. Anybody can foretell such a name: a link at that place
is not followed.
"""

import os
import stat
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

from labelingest.model.kinds import TEMPORARY_PREFIX

__all__ = [
    "UNFOLLOWED",
    "has_name",
    "protect",
    "temporary_name",
    "unfinished_name",
    "unfinished_names",
]

UNFOLLOWED: Final = os.O_CLOEXEC | os.O_NOFOLLOW
"""Flags for opening a file whose name can be foretold: a link at its place is not followed."""
_PURPOSES: Final = ("", "-journal", "-old", "-annotations")


def temporary_name() -> str:
    """Return a new name for an unfinished file."""
    return TEMPORARY_PREFIX + os.urandom(8).hex()


def unfinished_name(name: str | bytes, purpose: str = "") -> str:
    """Return the name under which an output is built, or that of a file that accompanies it.

    Parameters
    ----------
    name
        Name of the output.
    purpose
        "" for the output itself, "-journal" for its journal, "-old" for an older output that is
        about to be removed, "-annotations" for the second half of a COCO document.

    Examples
    --------
    >>> unfinished_name("rows.jsonl")
    '.labelingest-tmp-e513f5f3f6b21836'
    """
    digest = blake2b(os.fsencode(name), digest_size=8).hexdigest()
    return f"{TEMPORARY_PREFIX}{digest}{purpose}"


def unfinished_names(name: str) -> list[str]:
    """Return all names that are used in the folder of an output while it is made.

    Examples
    --------
    >>> [name[-8:] for name in unfinished_names("rows.jsonl")]
    ['f6b21836', '-journal', '1836-old', 'otations']
    """
    return [unfinished_name(name, purpose) for purpose in _PURPOSES]


def protect(file: int, replaced: os.stat_result) -> None:
    """Give an open file the permissions of the file that it replaces, and the owner if allowed.

    Parameters
    ----------
    file
        Descriptor of the new file, which is still empty.
    replaced
        Status of the file that it replaces.
    """
    status = os.fstat(file)
    if (status.st_uid, status.st_gid) != (replaced.st_uid, replaced.st_gid):
        with suppress(OSError):  # for the administrator only
            os.fchown(file, replaced.st_uid, replaced.st_gid)
    mode = stat.S_IMODE(replaced.st_mode) & 0o777
    if stat.S_IMODE(status.st_mode) != mode:
        with suppress(OSError):  # a file system without permissions
            os.fchmod(file, mode)


def has_name(file: int, name: str | Path, *, folder: int | None = None) -> bool:
    """Return whether an open file still has a name; another writer may have renamed or removed it.

    Parameters
    ----------
    file
        Descriptor of the file.
    name
        Path of the file, or its name in `folder`.
    folder
        Descriptor of the folder; None for a path.
    """
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(status, os.fstat(file))
