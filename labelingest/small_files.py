"""Read files that a person wrote, whole: configurations, ontologies, schemas, plans.

They are regular files of some kilobytes. A name may stand for something else, by mistake or because
it was planted: a device that never ends, a pipe without a writer, a disk image. Such files are not
read. The caller interprets the content.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

__all__ = ["MOST_BYTES", "open_regular", "read_small"]

MOST_BYTES: Final = 256 << 20
"""Bytes that a file written by a person may have: a thousand times more than any ontology has."""
_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
"""Flags for opening a file; a pipe is not waited for."""


@contextmanager
def open_regular(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a regular file for reading, and refuse other files.

    Parameters
    ----------
    path
        Path of the file; links are followed.

    Raises
    ------
    OSError
        The file cannot be read, or is not a regular file; `strerror` says so.
    """
    with open(os.open(path, _OPEN), "rb") as file:  # noqa: PTH123 - a descriptor
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        yield file


def read_small(path: str | os.PathLike[str], most: int = MOST_BYTES) -> bytes:
    """Return the content of a file that a person wrote.

    Parameters
    ----------
    path
        Path of the file; links are followed.
    most
        Bytes that the file may have.

    Raises
    ------
    OSError
        The file cannot be read, is not a regular file, or is larger; `strerror` says so.

    Examples
    --------
    >>> try:
    ...     read_small("/dev/zero")
    ... except OSError as error:
    ...     print(error.strerror)
    not a regular file
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        is_larger = size > most
        content = b"" if is_larger else file.read(size + 1)
        # The size may grow, and some file systems report a wrong one. Python reserves as many bytes
        # as it is asked to read, so that the most is asked for only where there is more.
        if len(content) > size:
            content += file.read(most + 1 - size)
    if is_larger or len(content) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return content
