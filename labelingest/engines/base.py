"""Protocol of an engine, which applies a function to independent items and returns results in order.

An engine knows neither labels nor files. Exceptions of the function come back as they were raised;
`EngineError` is for failures around it.
"""

import os
from collections.abc import Callable, Generator, Iterable
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from labelingest.crashes import note_frames
from labelingest.errors import LabelIngestError

__all__ = ["Engine", "Failure", "attempt", "usable_cores", "value_of"]

A = TypeVar("A")
B = TypeVar("B")


class Engine(Protocol):
    """Applies a function that can be pickled to independent items."""

    def map(self, fn: Callable[[A], B], items: Iterable[A], /) -> Generator[B]:
        """Yield fn(item) in the order of items.

        A bounded number of items is taken ahead of the results that the caller has read. Closing the
        generator ends all work.

        Raises
        ------
        EngineError
            Workers cannot be started, or are lost again and again.
        """
        ...


def usable_cores() -> int:
    """Return the number of cores that this process may use, which a container may limit."""
    affinity = getattr(os, "sched_getaffinity", None)  # not everywhere
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class Failure(Struct, frozen=True):
    """An exception of the function, on its way back from a worker."""

    error: Exception


def attempt(fn: Callable[[A], B], item: A) -> B | Failure:
    """Return fn(item), or its exception as a value.

    A value tells an exception of the function from one of the engine.

    Examples
    --------
    >>> attempt(abs, -1), attempt(int, "x")
    (1, Failure(error=ValueError("invalid literal for int() with base 10: 'x'")))
    """
    try:
        return fn(item)
    except Exception as error:  # noqa: BLE001 - the caller gets any exception
        if not isinstance(error, LabelIngestError):
            note_frames(error)
        return Failure(error)


def value_of(outcome: Any) -> Any:
    """Return the result of `attempt`, or raise the exception that it caught."""
    if isinstance(outcome, Failure):
        raise outcome.error
    return outcome
