"""Write a file whole or not at all: under a temporary name beside it, then renamed.

A reader never sees half a file, and what was there before stays until the new file is complete and
on the disk. The caller learns of success only when the name is on the disk too.

The temporary name follows from the file's name, so that the next run removes what a killed one
left. The file is locked while it is written, so that two runs cannot write one file.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from labelingest.errors import StorageError
from labelingest.storage.local.real_paths import resolve
from labelingest.storage.os_errors import cannot_write
from labelingest.storage.shared_file import wait_for_writers
from labelingest.storage.unfinished_files import UNFOLLOWED, has_name, protect, unfinished_name

__all__ = [
    "NO_FLUSH",
    "building_file",
    "file_target",
    "flush_folder",
    "open_anew",
    "open_locked",
    "whole_file",
]

_DISK_ERRORS: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ESTALE}
"""Error numbers with which a write fails; other errors of the with block are not the file's."""
NO_FLUSH: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""Error numbers of a file system that cannot flush a folder: it keeps names in its own way."""
_UNREADABLE: Final = {errno.EACCES, errno.EPERM}
"""Error numbers of a folder in which names can be made, but which cannot be opened to flush them."""
_OPEN: Final = os.O_RDWR | os.O_CREAT | UNFOLLOWED


def open_locked(path: Path, output: str, mode: int = 0o666) -> int:
    """Open a file for reading and writing that no other run has open; create it if it is missing.

    Parameters
    ----------
    path
        Path of the file.
    output
        The output that the file belongs to, as the user calls it.
    mode
        Permissions of a new file, before the umask.

    Raises
    ------
    StorageError
        Another run has the file open, or it cannot be opened.
    """
    while True:
        try:
            file = os.open(path, _OPEN, mode)
        except OSError as error:
            raise cannot_write(output, error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(file)
            raise StorageError(
                f"{output!r} is being written by another run: wait for it, or choose another name"
            ) from error
        except OSError:
            # A file system without locks: other writers cannot be kept away.
            return file
        if has_name(file, path):
            return file
        # The other run ended in between and took the file with it.
        os.close(file)


def open_anew(path: Path, output: str, mode: int = 0o666) -> int:
    """Open an empty file as `open_locked` does; what a killed run left at its place is removed.

    A worker of the killed run may still be writing: its last write must not reach the new file.
    """
    while os.fstat(file := open_locked(path, output, mode)).st_size:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(output, error) from error
        finally:
            os.close(file)
    return file


@contextmanager
def whole_file(path: Path, *, unfinished: tuple[Path, int] | None = None) -> Iterator[BinaryIO]:
    """Open a file for writing that gets its name only when the block ends without exception.

    A symbolic link at the path stays, and the file it points to is replaced. A file that is replaced
    keeps its permissions.

    Parameters
    ----------
    path
        The path of the finished file.
    unfinished
        An unfinished file of the caller in the same folder, and the number of its bytes that count.
        Writing continues from there, and the file stays when the block fails.

    Raises
    ------
    StorageError
        The file cannot be made, written or renamed, or another run writes it. Nothing is left
        behind, and an older file of that name is as it was. Where only the folder cannot be
        flushed, the new file is in its place, at least until the machine goes down.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "rows.jsonl"
    >>> with whole_file(path) as file:
    ...     _ = file.write(b"{}")
    ...     path.exists()
    False
    >>> path.read_bytes()
    b'{}'
    """
    target = file_target(path)
    temporary = building_file(path) if unfinished is None else unfinished[0]
    replaced = target.stat() if target.exists() else None
    descriptor = _open_unfinished(temporary, str(path), unfinished, private=replaced is not None)
    if replaced is not None:
        protect(descriptor, replaced)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            try:
                yield file
                _finish(file, path)
                # Renamed, as removed, while locked: a run that comes then starts a new file.
                _rename(temporary, target, path)
            except BaseException:
                if unfinished is None:
                    with suppress(OSError):
                        temporary.unlink()
                # What cannot be flushed any more must not hide why the block failed.
                with suppress(OSError):
                    file.close()
                raise
    except OSError as error:
        if not isinstance(error, StorageError) and error.errno in _DISK_ERRORS:
            raise cannot_write(str(path), error) from error
        raise
    flush_folder(target.parent, str(path))


def building_file(path: Path) -> Path:
    """Return the path at which a file is written, beside the file that the path leads to.

    Raises
    ------
    StorageError
        As `file_target` raises it.
    """
    target = file_target(path)
    return target.with_name(unfinished_name(target.name))


def _open_unfinished(
    temporary: Path, output: str, unfinished: tuple[Path, int] | None, *, private: bool
) -> int:
    """Open the unfinished file, cut to the bytes that count."""
    mode = 0o600 if private else 0o666
    if unfinished is None:
        descriptor, length = open_anew(temporary, output, mode), 0
    else:
        try:
            if not unfinished[1]:
                # Nothing of the output is in it; opening a pipe may not end, and a write of a
                # killed run must not reach the new file.
                temporary.unlink(missing_ok=True)
            descriptor = os.open(temporary, _OPEN, mode)
        except OSError as error:
            raise cannot_write(output, error) from error
        length = unfinished[1]
        if not wait_for_writers(descriptor):
            os.close(descriptor)
            raise StorageError(
                f"{output!r} is still being written by worker processes of an earlier run: end them"
            )
    os.ftruncate(descriptor, length)
    os.lseek(descriptor, length, os.SEEK_SET)
    return descriptor


def file_target(path: Path) -> Path:
    """Follow links to the file to write, and refuse early what would fail after an hour of writing.

    Raises
    ------
    StorageError
        No file can be written at this path.
    """
    try:
        target = resolve(path)
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target
    except OSError as error:
        raise cannot_write(str(path), error) from error
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise StorageError(f"{str(path)!r} cannot be written: it is {what}; choose another name")
    return target


def _finish(file: BinaryIO, path: Path) -> None:
    try:
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        raise cannot_write(str(path), error) from error


def _rename(temporary: Path, target: Path, path: Path) -> None:
    try:
        temporary.replace(target)
    except OSError as error:
        raise cannot_write(str(path), error) from error


def flush_folder(folder: Path, output: str) -> None:
    """Bring the names in a folder onto the disk, after an output has been renamed into it.

    Parameters
    ----------
    folder
        The folder of the output; one that cannot be flushed is left as it is.
    output
        The output, as the user calls it.

    Raises
    ------
    StorageError
        The disk failed: the name exists, but may be lost in a power failure.
    """
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _UNREADABLE:
            return
        raise cannot_write(output, error) from error
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in NO_FLUSH:
            raise cannot_write(output, error) from error
    finally:
        os.close(opened)
