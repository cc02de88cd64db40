"""How a file appears whole or not at all: written beside under a temporary name, then renamed.

A reader never sees half a file, and what was there before stays until the new file is complete and
on the disk. Temporary names begin with `labelingest.model.kinds.TEMPORARY_PREFIX`, which pairing
ignores, so that what a killed run leaves behind is never taken for data.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from labelingest.errors import StorageError
from labelingest.model.kinds import TEMPORARY_PREFIX
from labelingest.storage.causes import cannot_write

__all__ = ["temporary_name", "whole_file"]

_DISK_ERRORS: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ESTALE}
"""What a write may fail with: other errors of the with block are not the file's."""


def temporary_name() -> str:
    """Return a new name for an unfinished file."""
    return TEMPORARY_PREFIX + secrets.token_hex(8)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that gets its name only when the block ends without exception.

    A symbolic link at the path stays, and the file it points to is replaced.

    Raises
    ------
    StorageError
        Where the file cannot be made, written or renamed; nothing is left behind, and an older
        file of that name is as it was.

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
    target = _target(path)
    temporary = target.with_name(temporary_name())
    try:
        file = temporary.open("xb")
    except OSError as error:
        raise cannot_write(str(path), error) from error
    try:
        with file:
            yield file
            _finish(file, path)
        _rename(temporary, target, path)
    except OSError as error:
        if not isinstance(error, StorageError) and error.errno in _DISK_ERRORS:
            raise cannot_write(str(path), error) from error
        raise
    finally:
        with suppress(OSError):
            temporary.unlink()


def _target(path: Path) -> Path:
    """Follow links, and refuse what would be found out only after an hour of writing."""
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
