"""How a file appears whole or not at all: written beside under a temporary name, then renamed.

A reader never sees half a file, and what was there before stays until the new file is complete and
on the disk. Who writes it is told so only when its name is on the disk too. Temporary names begin with `labelingest.model.kinds.TEMPORARY_PREFIX`, which pairing
ignores, so that what a killed run leaves behind is never taken for data.

The temporary name follows from the file's: a run that was killed is tidied up by the next one. It is
locked while it is written, so that two runs cannot write one file.
"""

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

from labelingest.errors import StorageError
from labelingest.model.kinds import TEMPORARY_PREFIX
from labelingest.storage.os_errors import cannot_write

__all__ = [
    "NO_FLUSH",
    "file_target",
    "flush_folder",
    "open_locked",
    "protect",
    "temporary_name",
    "unfinished_name",
    "unfinished_names",
    "whole_file",
]

_DISK_ERRORS: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ESTALE}
"""What a write may fail with: other errors of the with block are not the file's."""
NO_FLUSH: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""What a file system answers that cannot flush a folder: it keeps names in its own way."""
_UNREADABLE: Final = {errno.EACCES, errno.EPERM}
"""Names can be made in such a folder, but nobody can open it to flush them."""
_PURPOSES: Final = ("", "-journal", "-old")
_OPEN: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
"""The name can be foretold: a link that somebody put there is not followed."""


def temporary_name() -> str:
    """Return a new name for an unfinished file."""
    return TEMPORARY_PREFIX + secrets.token_hex(8)


def unfinished_name(name: str | bytes, purpose: str = "") -> str:
    """Return the name under which an output is built, or of what stands beside it meanwhile.

    Parameters
    ----------
    name
        The output's own.
    purpose
        "" for the output itself, "-journal" for what is written down about it, "-old" for an
        older output that is about to go.

    Examples
    --------
    >>> unfinished_name("rows.jsonl")
    '.labelingest-tmp-e513f5f3f6b21836'
    """
    digest = blake2b(os.fsencode(name), digest_size=8).hexdigest()
    return f"{TEMPORARY_PREFIX}{digest}{purpose}"


def unfinished_names(name: str) -> list[str]:
    """Return all names that are taken beside an output while it is made.

    Examples
    --------
    >>> [name[-8:] for name in unfinished_names("rows.jsonl")]
    ['f6b21836', '-journal', '1836-old']
    """
    return [unfinished_name(name, purpose) for purpose in _PURPOSES]


def protect(file: int, replaced: os.stat_result) -> None:
    """Give an open file the permissions of the one that it replaces, and its owner where it may.

    Parameters
    ----------
    file
        Descriptor of the new file, nothing of which was written yet.
    replaced
        What is known of the older one.
    """
    status = os.fstat(file)
    if (status.st_uid, status.st_gid) != (replaced.st_uid, replaced.st_gid):
        with suppress(OSError):  # for the administrator only
            os.fchown(file, replaced.st_uid, replaced.st_gid)
    mode = stat.S_IMODE(replaced.st_mode) & 0o777
    if stat.S_IMODE(status.st_mode) != mode:
        with suppress(OSError):  # a file system without permissions
            os.fchmod(file, mode)


def open_locked(path: Path, output: str, mode: int = 0o666) -> int:
    """Open a file for reading and writing that no other run has open; make it if need be.

    Parameters
    ----------
    path
        The file.
    output
        What it is for, as the user calls it.
    mode
        Permissions of a new file, before the umask.

    Raises
    ------
    StorageError
        Another run has it, or it cannot be opened.
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
            # A file system without locks: nobody can be kept away.
            return file
        if _is_at(path, file):
            return file
        # The other run ended in between and took the file with it.
        os.close(file)


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


@contextmanager
def whole_file(path: Path, *, unfinished: tuple[Path, int] | None = None) -> Iterator[BinaryIO]:
    """Open a file for writing that gets its name only when the block ends without exception.

    A symbolic link at the path stays, and the file it points to is replaced. A file that is replaced
    keeps its permissions.

    Parameters
    ----------
    path
        The name it gets.
    unfinished
        An unfinished file beside it that belongs to the caller, and how many of its bytes count:
        it is written on from there, and stays when the block fails.

    Raises
    ------
    StorageError
        Where the file cannot be made, written or renamed, or another run writes it; nothing is
        left behind, and an older file of that name is as it was. Where only the folder cannot be
        flushed, the new file is in its place, until the machine goes down at least.

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
    temporary = (
        target.with_name(unfinished_name(target.name)) if unfinished is None else unfinished[0]
    )
    replaced = target.stat() if target.exists() else None
    descriptor = _begin(temporary, str(path), unfinished, private=replaced is not None)
    if replaced is not None:
        protect(descriptor, replaced)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            try:
                yield file
                _finish(file, path)
                # While it is locked, as the removal: a run that comes then makes a new one.
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


def _begin(
    temporary: Path, output: str, unfinished: tuple[Path, int] | None, *, private: bool
) -> int:
    """Open the unfinished file, cut to what counts of it."""
    mode = 0o600 if private else 0o666
    if unfinished is None:
        descriptor, length = open_locked(temporary, output, mode), 0
    else:
        try:
            if temporary.is_symlink() or temporary.is_fifo():
                temporary.unlink()  # nothing of the output is in it, and opening it may not end
            descriptor = os.open(temporary, _OPEN, mode)
        except OSError as error:
            raise cannot_write(output, error) from error
        length = unfinished[1]
    os.ftruncate(descriptor, length)
    os.lseek(descriptor, length, os.SEEK_SET)
    return descriptor


def file_target(path: Path) -> Path:
    """Follow links, and refuse what would be found out only after an hour of writing.

    Raises
    ------
    StorageError
        No file can be there.
    """
    try:
        target = path.resolve()
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target
    except (OSError, RuntimeError) as error:  # resolve() calls a loop of links a RuntimeError
        looped = OSError(errno.ELOOP, "") if isinstance(error, RuntimeError) else error
        raise cannot_write(str(path), looped) from error
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
    """Bring the names in a folder onto the disk, after an output got its own there.

    Parameters
    ----------
    folder
        Where the output is; one that cannot be flushed is left as it is.
    output
        The output, as the user calls it.

    Raises
    ------
    StorageError
        The disk failed: the name is there, but may be gone after a power failure.
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
