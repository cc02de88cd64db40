"""Functions for workers of any engine to run: importable in every process."""

import errno
import os
import signal
from pathlib import Path
from typing import NamedTuple

from labelingest.model.chunks import Chunk

__all__ = [
    "Fatal",
    "chunk_of",
    "die_or_write",
    "die_while_there_is_a_cause",
    "fail_on",
    "import_colors",
    "keep_secret",
    "new_chunk_each_time",
    "refuse_odd",
    "square",
    "where",
]


def square(number: int) -> int:
    return number * number


def refuse_odd(number: int) -> int:
    if number % 2:
        raise KeyError(f"{number} is odd")
    return number


def where(_: object) -> tuple[int, int]:
    """Return the process, and the process group it is in."""
    return os.getpid(), os.getpgid(0)


def keep_secret(secret: str) -> object:
    """Return what cannot be pickled, and says what it is."""

    class Unpicklable:
        def __repr__(self) -> str:
            return secret

        def __reduce__(self) -> str:
            raise ValueError(secret)

    return Unpicklable()


def import_colors(_: object) -> str:
    """Import a module of the standard library that nothing else imports."""
    import colorsys

    return colorsys.__name__


class Fatal(NamedTuple):
    """An item that costs a worker its life as long as there are causes for it."""

    number: int
    causes: str
    """Folder; each file in it whose name begins with the number is a cause, and used up."""


def die_while_there_is_a_cause(item: Fatal) -> int:
    for cause in Path(item.causes).glob(f"{item.number}-*"):
        cause.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return item.number


def chunk_of(number: int) -> Chunk:
    """Return a chunk of some thousand bytes, other bytes for every number."""
    return Chunk(b"%d\n" % number * 1000)


def new_chunk_each_time(folder: str) -> Chunk:
    """Return other bytes whenever it is called."""
    before = len(list(Path(folder).iterdir()))
    Path(folder, str(before)).touch()
    return Chunk(b"x" * (1 + before))


def die_or_write(folder: str, path: str, offset: int, content: bytes) -> None:
    """Write a content to its place, if there is no cause to die."""
    for cause in sorted(Path(folder).glob(f"{offset}-*"))[:1]:
        cause.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    with Path(path).open("r+b") as file:
        file.seek(offset)
        file.write(content)


def fail_on(content: bytes) -> None:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
