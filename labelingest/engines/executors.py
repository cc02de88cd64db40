"""Run items on any executor with the interface of `concurrent.futures`: threads, processes, Dask, MPI.

The executor belongs to the caller, who makes it and shuts it down. The executor has its own rules for
lost workers; a future that fails by them ends the run.
"""

import pickle
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor
from functools import lru_cache, partial
from typing import Any, Final, Protocol, TypeVar

from msgspec import Struct

from labelingest.crashes import crash_sentence
from labelingest.engines.base import attempt, value_of
from labelingest.errors import EngineError

__all__ = ["ExecutorEngine", "Ticket", "in_order"]

_OF_EXECUTORS: Final = ("concurrent", "distributed", "ray")
"""Packages whose exceptions describe workers, not the items of the workers."""

A = TypeVar("A")
B = TypeVar("B")


class Ticket(Protocol):
    """Future result of an item, wherever it is computed."""

    def result(self) -> Any:
        """Wait for the result; raise where the worker was lost."""
        ...

    def cancel(self) -> Any:
        """Cancel the item unless it has been started."""
        ...


class ExecutorEngine(Struct, frozen=True):
    """Does items on an executor that the caller owns.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(2) as executor:
    ...     list(ExecutorEngine(executor, in_flight=4).map(abs, [-3, 2, -1]))
    [3, 2, 1]
    """

    executor: Executor
    in_flight: int
    """Number of items, at most, that are submitted while their results are unread."""

    def map(self, fn: Callable[[A], B], items: Iterable[A], /) -> Generator[B]:
        """Yield fn(item) in the order of items, as `Engine` says."""
        shared = _Shared(fn)
        yield from in_order(
            lambda item: self.executor.submit(shared, item), items, in_flight=self.in_flight
        )


def in_order(
    submit: Callable[[Any], Ticket], items: Iterable[Any], *, in_flight: int
) -> Generator[Any]:
    """Yield results in the order of items, with a bounded number of items submitted.

    Raises
    ------
    EngineError
        Items cannot be submitted, or results do not come back.
    """
    tickets: deque[Ticket] = deque()
    try:
        for item in items:
            tickets.append(_or_engine_error(partial(submit, item)))
            if len(tickets) >= in_flight:
                yield value_of(_or_engine_error(tickets.popleft().result))
        while tickets:
            yield value_of(_or_engine_error(tickets.popleft().result))
    finally:
        for ticket in tickets:
            ticket.cancel()


def _or_engine_error(step: Callable[[], B]) -> B:
    try:
        return step()
    except Exception as error:
        # Exceptions of the function come back as values: this one is the executor's own.
        raise EngineError(f"the executor failed: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return an executor's own message, without anything that may quote an item or its result."""
    package = type(error).__module__.partition(".")[0]
    quotes = package not in _OF_EXECUTORS and not isinstance(error, ImportError | OSError)
    if quotes or "TaskError" in type(error).__name__:
        return crash_sentence(error)
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


class _Shared:
    """A function that is unpickled once in each process, however often it is sent there.

    Executors cannot send an object to all workers beforehand. Sending a function of some kilobytes
    with every item costs nothing beside results of a megabyte; unpickling it for every item would.
    """

    def __init__(self, fn: Callable[[Any], Any], pickled: bytes = b"") -> None:
        self._fn, self._pickled = fn, pickled

    def __call__(self, item: Any) -> Any:
        return attempt(self._fn, item)

    def __reduce__(self) -> tuple[Callable[[bytes], "_Shared"], tuple[bytes]]:
        self._pickled = self._pickled or pickle.dumps(self._fn, pickle.HIGHEST_PROTOCOL)
        return _shared, (self._pickled,)


@lru_cache(maxsize=1)
def _shared(pickled: bytes) -> _Shared:
    return _Shared(pickle.loads(pickled), pickled)
