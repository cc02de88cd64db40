"""How one of many files appears whole or not at all: written beside, under a name that follows from its own.

A process that is killed cannot tidy up. As the temporary name follows from the file's, the next
`write_whole` or `delete_unfinished` of that file does. While it is written it is locked, so that two
writers of one file come one after the other.

Where that name cannot be used (it is another user's, or files cannot be locked there) a new one is
taken, and what a killed process leaves behind stays; its name says to all that it is no data.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from labelingest.storage.unfinished_files import (
    UNFOLLOWED,
    has_name,
    protect,
    temporary_name,
    unfinished_name,
)

__all__ = ["delete_unfinished", "write_whole"]

_OPEN: Final = os.O_WRONLY | UNFOLLOWED | os.O_NONBLOCK
"""The name can be foretold: a pipe at that place is not waited for."""
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_NO_LOCKS: Final = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What a file system without locks answers."""


def write_whole(
    folder: int,
    name: bytes,
    content: bytes | Iterable[bytes],
    *,
    check: Callable[[], None] | None = None,
) -> os.stat_result:
    """Write a file in an open folder under a temporary name, then give it its own.

    A file that is replaced keeps its permissions.

    Parameters
    ----------
    folder
        Descriptor of the folder.
    name
        The file's own.
    content
        All of it, perhaps in pieces.
    check
        Called when everything is written; where it raises, an older file stays as it is.

    Returns
    -------
    os.stat_result
        Of the new file.

    Raises
    ------
    OSError
        It cannot be written; an older file of that name is as it was.
    """
    replaced = _file_at(folder, name)
    temporary, file = _open_temporary(folder, name, 0o666 if replaced is None else 0o600)
    try:
        try:
            os.ftruncate(file, 0)
            if replaced is not None:
                protect(file, replaced)
            for piece in (content,) if isinstance(content, bytes) else content:
                rest = memoryview(piece)
                while rest:
                    rest = rest[os.write(file, rest) :]
            os.fsync(file)
            if check is not None:
                check()
            # While it is locked, as the removal: who waits for it then makes a new one.
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            return os.fstat(file)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise
    finally:
        os.close(file)


def delete_unfinished(folder: int, name: bytes) -> None:
    """Delete what a killed `write_whole` left of a file; one that is being written stays.

    Parameters
    ----------
    folder, name
        As for `write_whole`.
    """
    temporary = unfinished_name(name)
    try:
        file = os.open(temporary, _OPEN, dir_fd=folder)
    except OSError:
        return  # there is none, nearly always
    try:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if has_name(file, temporary, folder=folder):
                os.unlink(temporary, dir_fd=folder)
    finally:
        os.close(file)


def _open_temporary(folder: int, name: bytes, mode: int) -> tuple[str, int]:
    """Open and lock the unfinished file, or a new one where that cannot be; return its name too."""
    temporary = unfinished_name(name)
    while True:
        try:
            file = os.open(temporary, _OPEN | os.O_CREAT, mode, dir_fd=folder)
        except OSError:
            break
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if has_name(file, temporary, folder=folder):
                return temporary, file
        except OSError as error:
            os.close(file)
            if error.errno in _NO_LOCKS:  # so nobody can have it
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
            break
        # The other writer ended in between, and it has its own name now.
        os.close(file)
    temporary = temporary_name()
    return temporary, os.open(temporary, _NEW, mode, dir_fd=folder)


def _file_at(folder: int, name: bytes) -> os.stat_result | None:
    """Return what is known of the regular file of a name; None where there is none."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None
