"""A file that several processes of this machine write into, each at places that no other writes.

One process has made the file and keeps it open. The others open it for each write, by its path, and
check that the path leads to the same file: a writer that comes late must not reach another file.
While a process writes, it shares a lock on the file. A later run waits for that lock before it cuts
the file, because a write of a killed run may still be under way.
"""

import errno
import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Final, NamedTuple

from labelingest.storage.unfinished_files import UNFOLLOWED

__all__ = ["SharedFile", "wait_for_writers", "write_all"]

_PATIENCE: Final = 30.0
"""Seconds that a write of a killed run may take; a chunk of some megabytes takes milliseconds."""
_PAUSE: Final = 0.01
"""Seconds between two attempts."""


class SharedFile(NamedTuple):
    """The path of a file, and the identity of the file that the path must lead to."""

    path: str
    device: int
    inode: int

    @classmethod
    def from_descriptor(cls, path: Path, file: int) -> "SharedFile":
        """Return an open file as other processes can find it."""
        status = os.fstat(file)
        return cls(str(path.absolute()), status.st_dev, status.st_ino)

    def writer(self, offset: int) -> Callable[[bytes], None]:
        """Return a function that writes a content at a place; it can be pickled."""
        return partial(_write_shared, self, offset)


def _write_shared(shared: SharedFile, offset: int, content: bytes) -> None:
    file = os.open(shared.path, os.O_RDWR | UNFOLLOWED)
    try:
        with suppress(OSError):  # a file system without locks, or a file that its owner has locked
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        status = os.fstat(file)
        if (status.st_dev, status.st_ino) != shared[1:]:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        write_all(file, content, offset)
    finally:
        os.close(file)


def write_all(file: int, content: bytes, offset: int) -> None:
    """Write a content at a place of an open file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryFile() as file:
    ...     write_all(file.fileno(), b"b", 1), write_all(file.fileno(), b"a", 0)
    ...     file.read()
    (None, None)
    b'ab'
    """
    rest = memoryview(content)
    while rest:
        length = os.pwrite(file, rest, offset)
        rest, offset = rest[length:], offset + length


def wait_for_writers(file: int) -> bool:
    """Wait until no process writes into a file as a shared one; return whether that came true.

    Parameters
    ----------
    file
        The caller's own descriptor of the file.
    """
    deadline = monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if monotonic() > deadline:
                return False
            sleep(_PAUSE)
        except OSError:
            return True  # a file system without locks: nothing can be known
        else:
            fcntl.flock(file, fcntl.LOCK_UN)
            return True
