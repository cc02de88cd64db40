"""Where a path of this machine leads when its links are followed; a loop of links leads nowhere."""

import os
from pathlib import Path

__all__ = ["real_path"]


def real_path(path: str | Path) -> Path:
    """Return a path with its links followed; what leads back to itself stays as it is written.

    `Path.resolve` calls such a loop a RuntimeError, and only in some versions of Python.

    Examples
    --------
    >>> import tempfile
    >>> loop = Path(tempfile.mkdtemp()) / "loop"
    >>> loop.symlink_to("loop")
    >>> real_path(loop).name
    'loop'
    """
    return Path(os.path.realpath(path))
