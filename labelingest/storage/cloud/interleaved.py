"""Several iterators that wait for answers, gone through by threads at the same time."""

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from threading import Event
from typing import TypeVar

__all__ = ["merged"]

T = TypeVar("T")


def merged(iterators: Iterable[Iterator[T]], most: int, stopped: Event) -> Generator[T, None, None]:
    """Yield what iterators yield, as it comes.

    Of each that is under way, one value at most waits to be taken. Where one raises, or nobody
    takes any more, the others are left where they are.

    Parameters
    ----------
    iterators
        They yield no None; begun in order.
    most
        How many are under way at a time, each in a thread.
    stopped
        Set when no more is taken: those that pause end it then.

    Examples
    --------
    >>> sorted(merged([iter("ab"), iter("c"), iter("de")], 2, Event()))
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
                        wait_for_next(iterator)  # first: it asks for more while this is used
                        yield value
                    elif (following := next(waiting, None)) is not None:
                        wait_for_next(following)
        finally:
            stopped.set()
