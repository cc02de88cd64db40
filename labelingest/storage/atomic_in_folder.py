"""Write one of many files of an open folder whole or not at all.

The temporary name follows from the file's name. A process that is killed cannot remove its unfinished
file, so the next `write_whole` or `delete_unfinished` of that file does. The unfinished file is locked
while it is written, so that two writers of one file take turns.

Where that name cannot be used (it belongs to another user, or the file system has no locks), the
writer chooses a random name. What a killed process leaves under such a name stays; the name marks it
as unfinished.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, NamedTuple

from labelingest.storage.unfinished_files import (
    UNFOLLOWED,
    has_name,
    protect,
    temporary_name,
    unfinished_name,
)

__all__ = ["UnfinishedFile", "delete_unfinished", "finish", "write_unfinished", "write_whole"]

_OPEN: Final = os.O_WRONLY | UNFOLLOWED | os.O_NONBLOCK
"""The name can be foretold: a pipe at that place is not waited for."""
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_NO_LOCKS: Final = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""Error numbers of a file system without locks."""


class UnfinishedFile(NamedTuple):
    """A file that is complete under a temporary name, as it was when it was written."""

    temporary: str
    """Temporary name of the file in its folder."""
    inode: int
    """Number of the file on its file system."""
    size: int
    """Bytes of the file."""
    mtime_ns: int
    """Time of the last write, nanoseconds since 1970 UTC."""

    @classmethod
    def of_status(cls, temporary: str, status: os.stat_result) -> "UnfinishedFile":
        """Return the file with a temporary name and a status."""
        return cls(temporary, status.st_ino, status.st_size, status.st_mtime_ns)


def write_unfinished(folder: int, name: bytes, content: bytes, *, flush: bool) -> UnfinishedFile:
    """Write a file in an open folder under a temporary name; `finish` gives it its own.

    Parameters
    ----------
    folder, name
        As for `write_whole`.
    content
        The whole content.
    flush
        Whether to bring the content onto the disk; otherwise the caller does that before `finish`.

    Raises
    ------
    OSError
        The file cannot be written; nothing is left of it.
    """
    replaced = _file_at(folder, name)
    temporary, file = _open_temporary(folder, name, 0o666 if replaced is None else 0o600)
    try:
        _write(file, content, replaced)
        if flush:
            os.fsync(file)
        return UnfinishedFile.of_status(temporary, os.fstat(file))
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    finally:
        os.close(file)


def finish(
    folder: int, name: bytes, unfinished: UnfinishedFile, *, check: Callable[[], None]
) -> bool:
    """Give a file its name; return whether it was still there as it was written.

    Parameters
    ----------
    folder, name
        As for `write_whole`.
    unfinished
        Result of `write_unfinished`.
    check
        Called before the name is given; an exception leaves an older file as it is.

    Raises
    ------
    OSError
        The file cannot get its name; an older file of that name is as it was.
    """
    temporary = unfinished.temporary
    try:
        file = os.open(temporary, _OPEN, dir_fd=folder)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        if UnfinishedFile.of_status(temporary, os.fstat(file)) != unfinished:
            return False  # another run writes the file
        check()
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(file)
    return True


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
        Name of the file in the folder.
    content
        The whole content, perhaps in pieces.
    check
        Called when everything is written; an exception leaves an older file as it is.

    Returns
    -------
    os.stat_result
        Status of the new file.

    Raises
    ------
    OSError
        The file cannot be written; an older file of that name is as it was.
    """
    replaced = _file_at(folder, name)
    temporary, file = _open_temporary(folder, name, 0o666 if replaced is None else 0o600)
    try:
        try:
            _write(file, content, replaced)
            os.fsync(file)
            if check is not None:
                check()
            # Renamed, as removed, while locked: a waiting writer then starts a new file.
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            return os.fstat(file)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise
    finally:
        os.close(file)


def _write(file: int, content: bytes | Iterable[bytes], replaced: os.stat_result | None) -> None:
    """Write the content of a temporary file, with the permissions of the file that it replaces."""
    os.ftruncate(file, 0)
    if replaced is not None:
        protect(file, replaced)
    for piece in (content,) if isinstance(content, bytes) else content:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(file, rest) :]


def delete_unfinished(folder: int, name: bytes) -> None:
    """Delete what a killed `write_whole` left of a file; a file that is being written stays.

    Parameters
    ----------
    folder, name
        As for `write_whole`.
    """
    temporary = unfinished_name(name)
    try:
        file = os.open(temporary, _OPEN, dir_fd=folder)
    except OSError:
        return  # nearly always: nothing was left
    try:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if has_name(file, temporary, folder=folder):
                os.unlink(temporary, dir_fd=folder)
    finally:
        os.close(file)


def _open_temporary(folder: int, name: bytes, mode: int) -> tuple[str, int]:
    """Return the name and descriptor of the unfinished file, locked, or of one with a random name."""
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
            if error.errno in _NO_LOCKS:  # no other writer can hold the file
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
            break
        # The other writer ended in between, and it has its own name now.
        os.close(file)
    temporary = temporary_name()
    return temporary, os.open(temporary, _NEW, mode, dir_fd=folder)


def _file_at(folder: int, name: bytes) -> os.stat_result | None:
    """Return the status of the regular file of a name; None where no such file exists."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None
