"""Numbers of JSON with more digits than a double: kept as they are written.

Most numbers are doubles or integers of 64 bits, and stay that. PostgreSQL's `jsonb` keeps all digits
of the others, and so does `dumps_exactly`: with integers of any size, and with each `ExactNumber`.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import orjson

__all__ = [
    "ExactNumber",
    "dumps_exactly",
    "exact_float",
    "exact_integer",
    "fits_64_bits",
    "may_lose_digits",
]

_LONG: Final = re.compile(rb"[0-9.]{16,}|[eE]-[0-9]{3}")
"""Numbers that a double may not hold: doubles have 15 digits at least, and exponents to -308."""
_BITS: Final = range(-(2**63), 2**64)
"""Integers that orjson reads and writes."""
_INFINITIES: Final = (float("inf"), -float("inf"))
_MOST_DIGITS: Final = 310
"""Characters of the longest integer below the largest double, with its sign."""


class ExactNumber(float):
    """The double nearest to a number that no double is equal to, with the number as written.

    Examples
    --------
    >>> number = exact_float("0.10000000000000000001")
    >>> number, number + 0
    (0.10000000000000000001, 0.1)
    """

    __slots__ = ("text",)

    text: str
    """Number as written."""

    def __new__(cls, text: str) -> "ExactNumber":
        """Make the number that a text of JSON means."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __repr__(self) -> str:
        return self.text


def may_lose_digits(content: bytes, encoded: bytes) -> bool:
    """Return whether decoding may have cost digits; false for most texts with long numbers.

    Parameters
    ----------
    content
        Text of JSON.
    encoded
        What was decoded of it, encoded again.
    """
    return _LONG.findall(content) != _LONG.findall(encoded)


def exact_integer(text: str) -> int | float:
    """Return an integer, or infinity where no double is as large.

    Examples
    --------
    >>> exact_integer("123456789012345678901234567890"), exact_integer("9" * 400)
    (123456789012345678901234567890, inf)
    """
    value = float(text)
    return value if len(text) > _MOST_DIGITS or value in _INFINITIES else int(text)


def fits_64_bits(value: int) -> bool:
    """Return whether orjson writes an integer."""
    return value in _BITS


def exact_float(text: str) -> float:
    """Return a double, or an exact number where a text has digits that the double has not."""
    value = float(text)
    if repr(value) == text or value in _INFINITIES:
        return value
    from decimal import Decimal, InvalidOperation

    try:
        is_equal = Decimal(text) == Decimal(repr(value))
    except InvalidOperation:  # an exponent of more than 18 digits
        is_equal = False
    return value if is_equal else ExactNumber(text)


def dumps_exactly(value: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """Return JSON with all digits of exact numbers.

    Parameters
    ----------
    value
        Decoded JSON.
    default
        Value of another type → the value that is written for it; None where all values are JSON's.

    Examples
    --------
    >>> dumps_exactly({"a": [exact_float("0.10000000000000000001")]})
    b'{"a":[0.10000000000000000001]}'
    >>> dumps_exactly([2**70])
    b'[1180591620717411303424]'
    """

    def as_written(part: Any) -> Any:
        if isinstance(part, ExactNumber):
            return orjson.Fragment(part.text)
        if default is None:
            raise TypeError(type(part).__name__)
        return default(part)

    # Subclasses of texts are no keys otherwise.
    option = None if default is None else orjson.OPT_NON_STR_KEYS
    try:
        return orjson.dumps(value, default=as_written, option=option)
    except TypeError:  # an integer beyond 64 bits
        return orjson.dumps(_with_small_integers(value), default=as_written, option=option)


def _with_small_integers(value: Any) -> Any:
    """Return a copy with each integer beyond 64 bits as an exact number."""
    if isinstance(value, dict):
        return {key: _with_small_integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return list(map(_with_small_integers, value))
    if type(value) is int and not fits_64_bits(value):
        return ExactNumber(str(value))
    return value
