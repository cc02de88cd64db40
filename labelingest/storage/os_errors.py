"""Sentences for refusals of the operating system: the cause of each error number, and the cure.

The caller names the file, and decides whether the error ends the run.
"""

import errno
from collections.abc import Mapping
from typing import Final

from labelingest.errors import NameRefusedError, PlaceTakenError, StorageError

__all__ = ["cannot_delete", "cannot_write", "cause_of"]

_CAUSES: Final[Mapping[int, str]] = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENOENT: "no such file or folder",
    errno.ENOTDIR: "a file is where a folder is expected",
    errno.EEXIST: "a file is where a folder is expected",
    errno.EISDIR: "it is a folder",
    errno.ELOOP: "a symbolic link that leads nowhere, or that is not followed here",
    errno.ENXIO: "not a regular file",
    errno.ESPIPE: "not a regular file",
    errno.ENAMETOOLONG: "name too long for this file system",
    errno.EIO: "the disk or the network failed (input/output error)",
    errno.ESTALE: "the network file system has lost it (stale handle)",
    errno.EMFILE: "too many open files in this process",
    errno.ENOSPC: "disk full",
    errno.EDQUOT: "disk quota used up",
    errno.EROFS: "the file system is read-only",
    errno.EFBIG: "larger than this file system allows",
}

_CURES: Final[Mapping[int, str]] = {
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.ENOENT: "make the folder first",
    errno.ENOTDIR: "choose another name, or move that file away",
    errno.EEXIST: "choose another name, or move that file away",
    errno.EISDIR: "choose another name",
    errno.ELOOP: "choose another name, or move the link away",
    errno.ENAMETOOLONG: "a name may have 255 bytes on most",
    errno.EMFILE: "raise the limit with ulimit -n",
    errno.ENOSPC: "free some space, or choose another disk",
    errno.EDQUOT: "free some space, or choose another disk",
    errno.EROFS: "choose a folder on another one",
}


_TAKEN: Final = {errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ELOOP}
"""Error numbers for a name, or a folder's name, that something else has."""
_NAMES: Final = {errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL}
"""Error numbers for one bad name; other names are not affected."""


def cause_of(error: OSError) -> str:
    """Return the cause of a refusal in words.

    Examples
    --------
    >>> cause_of(PermissionError(errno.EACCES, "Permission denied"))
    'permission denied'
    """
    return _CAUSES.get(error.errno or 0) or error.strerror or str(error)


def cannot_write(what: str, error: OSError) -> StorageError:
    """Return the exception for something that cannot be written, with its cause and cure.

    The exception is a `NameRefusedError` where only the name is the obstacle.

    Examples
    --------
    >>> print(cannot_write("rows.jsonl", OSError(errno.ENOSPC, "No space left on device")))
    'rows.jsonl' cannot be written: disk full; free some space, or choose another disk
    """
    cure = _CURES.get(error.errno or 0)
    kind = NameRefusedError if error.errno in _NAMES else StorageError
    kind = PlaceTakenError if error.errno in _TAKEN else kind
    return kind(f"{what!r} cannot be written: {cause_of(error)}" + (f"; {cure}" if cure else ""))


def cannot_delete(what: str, error: OSError) -> StorageError:
    """Return the exception for something that cannot be deleted, with its cause.

    Examples
    --------
    >>> print(cannot_delete("rows.jsonl", OSError(errno.EROFS, "Read-only file system")))
    'rows.jsonl' cannot be deleted: the file system is read-only
    """
    return StorageError(f"{what!r} cannot be deleted: {cause_of(error)}")
