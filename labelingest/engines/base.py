"""What an engine is: it applies a function to independent items, and gives results in their order.

An engine knows neither labels nor files. What the function raises is the caller's business and
comes back as it was raised; `EngineError` is for what went wrong around it.
"""

import os
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from labelingest.crashes import note_frames
from labelingest.errors import LabelIngestError

__all__ = ["Engine", "Failure", "attempt", "usable_cores", "value_of"]

A = TypeVar("A")
B = TypeVar("B")


class Engine(Protocol):
    """Applies a function that can be pickled to independent items."""

    def map(self, fn: Callable[[A], B], items: Iterable[A], /) -> Generator[B]:
        """Yield fn(item) in the order of items.

        Only so many items are taken ahead of the results that were asked for. Closing the
        generator ends all work.

        Raises
        ------
        EngineError
            Workers cannot be started, or are lost again and again.
        """
        ...


def usable_cores() -> int:
    """Return how many cores this process may use: fewer than there are in a container, say."""
    affinity = getattr(os, "sched_getaffinity", None)  # not everywhere
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Failure:
    """What a function raised, on its way back from a worker."""

    error: Exception


def attempt(fn: Callable[[A], B], item: A) -> B | Failure:
    """Return fn(item), or what it raised as a value.

    So an exception of the function can be told from one of the engine.

    Examples
    --------
    >>> attempt(abs, -1), attempt(int, "x")
    (1, Failure(error=ValueError("invalid literal for int() with base 10: 'x'")))
    """
    try:
        return fn(item)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets it
        if not isinstance(error, LabelIngestError):
            note_frames(error)
        return Failure(error)


def value_of(outcome: Any) -> Any:
    """Return what `attempt` returned; raise what it caught."""
    if isinstance(outcome, Failure):
        raise outcome.error
    return outcome
