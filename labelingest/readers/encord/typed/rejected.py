"""What the fast path raises, and the conditions that it raises it for."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from labelingest.columns.types import Bool

__all__ = ["Rejected", "about", "demand", "demand_all"]


class Rejected(Exception):  # noqa: N818 # no error: the general path takes over
    """Something is not as label rows are written; the general path finds out what."""

    def __init__(self, positions: Iterable[int] = ()) -> None:
        super().__init__()
        self.positions = frozenset(positions)
        """Which of the values that were looked at; empty where that is not known."""


@contextmanager
def about(place: Callable[[int], int]) -> Iterator[None]:
    """Let `Rejected` name what positions stand for instead of the positions."""
    try:
        yield
    except Rejected as rejection:
        raise Rejected(map(place, rejection.positions)) from None


def demand(condition: object) -> None:
    """Raise `Rejected` where a condition does not hold."""
    if not condition:
        raise Rejected


def demand_all(good: Bool) -> None:
    """Raise `Rejected` where a condition, (n,), does not hold for each."""
    if not good.all():
        raise Rejected(np.flatnonzero(~good).tolist())
