"""The disk behind a folder: everything that was written there is brought onto it at once."""

import errno
import os
from collections.abc import Callable
from ctypes import CDLL, get_errno
from functools import cache
from pathlib import Path
from typing import Final, Self

from labelingest.storage.os_errors import cannot_write

__all__ = ["Disk"]

_NO_SYNCFS: Final = frozenset((errno.ENOSYS, errno.EPERM))
"""Error numbers of a system, or of a sandbox, that does not flush one file system alone."""


class Disk:
    """The file system of a folder; one flush brings all files onto the disk.

    A flush for each of a million files would cost more than all the rest. Where the system tells it,
    a write that failed since this object was made is an error of the flush, once.

    Parameters
    ----------
    folder
        Path of the folder.
    output
        The output, as the user calls it.
    """

    def __init__(self, folder: str | Path, output: str | Path) -> None:
        self._output = str(output)
        try:
            self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise cannot_write(self._output, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def flush(self) -> None:
        """Write all that is waiting; StorageError where something cannot be written."""
        flush, number = _syncfs(), errno.ENOSYS
        if flush is not None:
            number = get_errno() if flush(self._folder) else 0
        if number in _NO_SYNCFS:
            os.sync()
        elif number:
            error = OSError(number, "")
            raise cannot_write(self._output, error) from error

    @property
    def device(self) -> int:
        """Number of the file system; files of another one are not flushed."""
        return os.fstat(self._folder).st_dev

    def close(self) -> None:
        """Close the folder."""
        os.close(self._folder)


@cache
def _syncfs() -> Callable[[int], int] | None:
    """Return the system's call for one file system; None where it has none."""
    try:
        return CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return None
