"""Rejection of rows by the typed path, and the conditions that lead to it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from labelingest.columns.types import Bool

__all__ = ["Rejected", "demand", "demand_all", "translate_positions"]


class Rejected(Exception):  # noqa: N818 # no error: the explaining path takes over
    """Signal that rows are not clean; the explaining path finds the cause."""

    def __init__(self, positions: Iterable[int] = ()) -> None:
        super().__init__()
        self.positions = frozenset(positions)
        """Positions of values that are not clean; empty for unknown ones."""


@contextmanager
def translate_positions(place: Callable[[int], int]) -> Iterator[None]:
    """Translate the positions of a `Rejected` from within, such as objects into their rows."""
    try:
        yield
    except Rejected as rejection:
        raise Rejected(map(place, rejection.positions)) from None


def demand(condition: object) -> None:
    """Raise `Rejected` unless a condition holds."""
    if not condition:
        raise Rejected


def demand_all(good: Bool) -> None:
    """Raise `Rejected` unless a condition, (n,), holds for each value."""
    if not good.all():
        raise Rejected(np.flatnonzero(~good).tolist())
