"""Do one item after the other in this process: the reference for every other engine."""

from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

__all__ = ["SerialEngine"]

A = TypeVar("A")
B = TypeVar("B")


class SerialEngine:
    """Does each item when the caller reads its result.

    Examples
    --------
    >>> list(SerialEngine().map(abs, [-2, 1]))
    [2, 1]
    """

    def map(self, fn: Callable[[A], B], items: Iterable[A], /) -> Generator[B]:
        """Yield fn(item) in the order of items, as `Engine` says."""
        for item in items:
            yield fn(item)
