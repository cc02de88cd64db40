"""JSON objects of one form → columns, at the speed of built-ins: the tools of the fast path.

Everything here answers for many values at once, and raises `Unclean` where one of them is not as
asked; which one is said where that is easily told. Refuses to know label rows.
"""

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import numpy as np

from labelingest.arrays import Bool, Float64
from labelingest.readers.encord.dates import written_date

__all__ = [
    "Row",
    "Unclean",
    "about",
    "by_keys",
    "columns",
    "demand",
    "demand_all",
    "demand_dates",
    "demand_equal",
    "demand_types",
    "numbers_of",
    "same_numbers",
]

Row: TypeAlias = dict[str, Any]

_EARLIEST: Final = b"AAA, 00 AAA 0000 00:00:00 UTC\n"
_LATEST: Final = b"zzz, 39 zzz 9999 29:59:59 UTC\n"
"""Least and greatest character at each place of a date and the line's end behind it."""
_LINE: Final = len(_EARLIEST)
_HOUR: Final = len("Mon, 05 Jan 2026 ")
_TWO: Final = ord("2")
_THREE: Final = ord("3")


class Unclean(Exception):  # noqa: N818 # no error: the general path takes over
    """Something is not as label rows are written; the general path finds out what."""

    def __init__(self, positions: Iterable[int] = ()) -> None:
        super().__init__()
        self.positions = frozenset(positions)
        """Which of the values that were looked at; empty where that is not known."""


@contextmanager
def about(place: Callable[[int], int]) -> Iterator[None]:
    """Let `Unclean` name what positions stand for instead of the positions."""
    try:
        yield
    except Unclean as found:
        raise Unclean(map(place, found.positions)) from None


def demand_equal(found: Sequence[object], expected: Sequence[object]) -> None:
    """Raise `Unclean` where two sequences of one length differ."""
    if found != expected:
        pairs = zip(found, expected, strict=True)
        raise Unclean(i for i, (one, other) in enumerate(pairs) if one != other)


def demand_all(good: Bool) -> None:
    """Raise `Unclean` where a condition, (n,), does not hold for each."""
    if not good.all():
        raise Unclean(np.flatnonzero(~good).tolist())


def demand(condition: object) -> None:
    """Raise `Unclean` where a condition does not hold."""
    if not condition:
        raise Unclean


def demand_types(values: Iterable[object], *allowed: type) -> None:
    """Raise `Unclean` where a value has another type; a boolean is no integer."""
    demand(set(map(type, values)) <= set(allowed))


def columns(rows: Sequence[Row], orders: Collection[tuple[str, ...]]) -> dict[str, tuple[Any, ...]]:
    """Return key → values of JSON objects that all have the same keys in the same order.

    Parameters
    ----------
    rows
        (n,) the objects, n > 0.
    orders
        The orders of keys that are allowed.

    Examples
    --------
    >>> columns([{"x": 1, "y": 2}, {"x": 3, "y": 4}], {("x", "y")})
    {'x': (1, 3), 'y': (2, 4)}
    """
    try:
        keys = tuple(rows[0])
        demand(keys in orders)
        # Strict, so that ValueError is raised where one has more or fewer keys than another.
        for key, found in zip(keys, zip(*rows, strict=True), strict=True):
            demand(found.count(key) == len(rows))
        return dict(zip(keys, zip(*map(dict.values, rows), strict=True), strict=True))
    except (Unclean, TypeError, ValueError):
        raise Unclean(_others(rows, orders)) from None


def _others(rows: Sequence[object], orders: Collection[tuple[str, ...]]) -> Iterator[int]:
    """Yield the positions of what is no JSON object with such keys."""
    for position, row in enumerate(rows):
        if not isinstance(row, dict) or tuple(row) not in orders:
            yield position


def by_keys(rows: Sequence[Row]) -> dict[tuple[str, ...], list[int]]:
    """Return order of keys → positions of the JSON objects that have it.

    Examples
    --------
    >>> by_keys([{"x": 1}, {"y": 2}, {"x": 3}])
    {('x',): [0, 2], ('y',): [1]}
    """
    found: dict[tuple[str, ...], list[int]] = {}
    for position, keys in enumerate(map(tuple, rows)):
        found.setdefault(keys, []).append(position)
    return found


def numbers_of(values: Sequence[Any]) -> Float64:
    """Return decoded JSON numbers as doubles; `Unclean` where one is a boolean or no number.

    Examples
    --------
    >>> numbers_of([0.5, 1]).tolist()
    [0.5, 1.0]
    """
    if not values:
        return np.zeros(0)
    try:
        numbers = np.frombuffer(array("d", values), np.float64)
    except TypeError:
        no_numbers = (i for i, value in enumerate(values) if type(value) not in (int, float))
        raise Unclean(no_numbers) from None
    # Booleans became 0 and 1: only there types have to be looked at.
    ends = np.flatnonzero((numbers == 0) | (numbers == 1)).tolist()
    booleans = [i for i in ends if type(values[i]) is bool]
    if booleans:
        raise Unclean(booleans)
    return numbers


def same_numbers(some: Sequence[Any], others: Sequence[Any]) -> Float64:
    """Return numbers that two sequences have in common, written alike: 1 is not 1.0, 0.0 not -0.0.

    `Unclean` where they differ. Whole numbers other than 0 and 1 are not told from doubles: no
    coordinate inside an image is one.
    """
    demand_equal(some, others)
    numbers = numbers_of(some)
    for i in np.flatnonzero((numbers == 0) | (numbers == 1)).tolist():
        demand(repr(some[i]) == repr(others[i]))
    return numbers


def demand_dates(dates: Sequence[str]) -> None:
    """Raise `Unclean` where a date is not in the written form, or no day of the calendar.

    Examples
    --------
    >>> demand_dates(["Mon, 05 Jan 2026 16:46:58 UTC"])
    """
    if not dates:
        return
    # As many lines as dates, each as long as a date: so no date is shorter or longer than another.
    n = len(dates)
    text = "\n".join((*dates, "")).encode()
    demand(len(text) == n * _LINE)
    characters = np.frombuffer(text, np.uint8)
    demand((characters >= np.frombuffer(_EARLIEST * n, np.uint8)).all())
    demand((characters <= np.frombuffer(_LATEST * n, np.uint8)).all())
    demand(
        not ((characters[_HOUR::_LINE] == _TWO) & (characters[_HOUR + 1 :: _LINE] > _THREE)).any()
    )
    # A day is 16 characters, two numbers of 64 bits; often all dates are of one day.
    days = np.ndarray((n, 2), "<u8", text, strides=(_LINE, 8))
    others = days[(days[:, 0] != days[0, 0]) | (days[:, 1] != days[0, 1])]
    for day in {days[0].tobytes(), *others.view("S16").ravel().tolist()}:
        midnight = f"{day.decode()} 00:00:00 UTC"
        demand(written_date(midnight) == midnight)
