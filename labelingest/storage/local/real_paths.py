"""Follow the links of paths on this machine; the one module that knows loops of links.

`Path.resolve` reports a loop as a RuntimeError in some versions of Python, and not at all in others.
"""

import errno
import os
from pathlib import Path

__all__ = ["is_loop", "real_path", "resolve"]


def real_path(path: str | Path) -> Path:
    """Return a path with its links followed; links that lead back to themselves stay as they are.

    Examples
    --------
    >>> import tempfile
    >>> loop = Path(tempfile.mkdtemp()) / "loop"
    >>> loop.symlink_to("loop")
    >>> real_path(loop).name
    'loop'
    """
    return Path(os.path.realpath(path))


def resolve(path: str | Path) -> Path:
    """Return a path with its links followed, for a file that is to be written.

    Raises
    ------
    OSError
        A link leads back to itself (ELOOP), or cannot be followed.

    Examples
    --------
    >>> import tempfile
    >>> loop = Path(tempfile.mkdtemp()) / "loop"
    >>> loop.symlink_to("loop")
    >>> try:
    ...     resolve(loop)
    ... except OSError as error:
    ...     print(errno.errorcode[error.errno])
    ELOOP
    """
    if is_loop(path):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return Path(path).resolve()


def is_loop(path: str | Path) -> bool:
    """Return whether following the links of a path leads back to them.

    Examples
    --------
    >>> is_loop("/"), is_loop("/no/such/folder")
    (False, False)
    """
    try:
        os.stat(path)
    except OSError as error:
        return error.errno == errno.ELOOP
    return False
