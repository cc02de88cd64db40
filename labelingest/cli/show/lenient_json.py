"""Values of decoded JSON read by their expected type; None or empty where the type is another.

One bad value of a label row must not hide the good ones beside it.
"""

from collections.abc import Iterator, ValuesView
from math import isfinite
from typing import Any, Final, TypeAlias

__all__ = [
    "Ranges",
    "dicts_of",
    "items_of",
    "number_of",
    "ranges_of",
    "text_of",
    "whole_of",
]

Ranges: TypeAlias = list[tuple[int, int]]
"""Inclusive first and last frame, millisecond or character."""

_LONG: Final = 12
"""Digits from which a text is no frame number: no file has so many frames."""


def dicts_of(value: object) -> Iterator[dict[str, Any]]:
    """Yield the objects of a list or of an object; `{}` for each value of another type.

    Examples
    --------
    >>> list(dicts_of([{"a": 1}, 2])), list(dicts_of({"x": {"a": 1}})), list(dicts_of("text"))
    ([{'a': 1}, {}], [{'a': 1}], [{}])
    """
    entries = value.values() if isinstance(value, dict) else value
    if isinstance(entries, list | ValuesView):
        yield from (entry if isinstance(entry, dict) else {} for entry in entries)
    elif entries:
        yield {}


def items_of(value: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield names and objects of an object; `{}` for each value of another type.

    Examples
    --------
    >>> list(items_of({"x": {"a": 1}, "y": 2})), list(items_of([1]))
    ([('x', {'a': 1}), ('y', {})], [('?', {})])
    """
    if isinstance(value, dict):
        yield from ((name, item if isinstance(item, dict) else {}) for name, item in value.items())
    elif value:
        yield "?", {}


def text_of(value: object) -> str | None:
    """Return a text; None for a value of another type."""
    return value if isinstance(value, str) else None


def number_of(value: object) -> int | float | None:
    """Return a finite number; None for a value of another type."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return value


def whole_of(value: object) -> int | None:
    """Return a frame number; keys of JSON and image groups write it as text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < _LONG:
        return int(value)
    return value if type(value) is int else None


def ranges_of(value: object) -> Ranges | None:
    """Return inclusive ranges; None for a value that is no list of ranges."""
    if not isinstance(value, list):
        return None
    pairs = [
        pair for pair in value if isinstance(pair, list) and list(map(type, pair)) == [int, int]
    ]
    return [(first, last) for first, last in pairs] if len(pairs) == len(value) else None
