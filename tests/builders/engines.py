"""Functions for workers of any engine to run: importable in every process."""

import os
import signal
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "Fatal",
    "die_while_there_is_a_cause",
    "import_colors",
    "keep_secret",
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
