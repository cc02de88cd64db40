"""Merge several iterators that wait for answers; threads advance them at the same time."""

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from threading import Event
from typing import TypeVar

__all__ = ["interleave"]

T = TypeVar("T")


def interleave(
    iterators: Iterable[Iterator[T]], most: int, stopped: Event
) -> Generator[T, None, None]:
    """Yield the values of iterators as they come.

    At most one value of each active iterator waits for the consumer. Where one iterator raises, or
    the consumer stops, the others are not advanced any further.

    Parameters
    ----------
    iterators
        Iterators that yield no None; started in order.
    most
        Number of iterators that are active at a time, each in a thread.
    stopped
        Set when the consumer stops, which ends the pauses of iterators.

    Examples
    --------
    >>> sorted(interleave([iter("ab"), iter("c"), iter("de")], 2, Event()))
    ['a', 'b', 'c', 'd', 'e']
    """
    waiting = iter(iterators)
    under_way: dict[Future[T | None], Iterator[T]] = {}
    with ThreadPoolExecutor(most) as threads:

        def wait_for_next(iterator: Iterator[T]) -> None:
            under_way[threads.submit(next, iterator, None)] = iterator

        try:
            for iterator in islice(waiting, most):
                wait_for_next(iterator)
            while under_way:
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    iterator = under_way.pop(future)
                    value = future.result()
                    if value is not None:
                        # First: the next request runs while this value is used.
                        wait_for_next(iterator)
                        yield value
                    elif (following := next(waiting, None)) is not None:
                        wait_for_next(following)
        finally:
            stopped.set()
