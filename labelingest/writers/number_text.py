"""Numbers as text: the shortest that reads back to the same double, for whole columns at once."""

from decimal import Decimal
from typing import Final

import numpy as np
import orjson

from labelingest.columns.types import Float64, Texts, UInt64

__all__ = ["plain_texts", "shortest_column", "shortest_texts"]

_WORD: Final = 8
"""Bytes of a text that are moved at once."""
_LONGEST: Final = 24
"""Bytes of the longest text of a double: -2.2250738585072014e-308."""
_FIRST_BYTES: Final = (np.tri(_LONGEST + 1, _LONGEST, -1, np.uint8) * np.uint8(0xFF)).view("<u8")
"""(25, 3) by k: the words that keep the first k bytes of a text."""


def shortest_texts(numbers: Float64) -> list[str]:
    """Return the shortest text of each number that reads back to the same double, as in JSON.

    Parameters
    ----------
    numbers
        (n,) finite numbers.

    Examples
    --------
    >>> shortest_texts(np.array([0.1, 1.0, 1e-7]))
    ['0.1', '1.0', '1e-7']
    """
    if not len(numbers):
        return []
    return _dumped(numbers)[1:-1].decode().split(",")


def _dumped(numbers: Float64) -> bytes:
    return orjson.dumps(np.ascontiguousarray(numbers), option=orjson.OPT_SERIALIZE_NUMPY)


def shortest_column(numbers: Float64) -> Texts:
    """Return the texts of `shortest_texts` as a column of bytes, each padded with NUL.

    Numbers of at most eight decimals between 0.0001 and 1, which most coordinates are, are written
    digit by digit, all at once. That is the shortest text: no two texts of so few digits read as
    one double, so a shorter one would be another number.

    Parameters
    ----------
    numbers
        (n,) finite numbers.

    Examples
    --------
    >>> shortest_column(np.array([0.1, 0.0625])).tolist()
    [b'0.1', b'0.0625']
    >>> shortest_column(np.array([0.1, -1 / 3])).tolist()
    [b'0.1', b'-0.3333333333333333']
    """
    with np.errstate(over="ignore"):
        units = np.rint(numbers * 1e8)
    short = (units >= 1e4) & (units < 1e8) & (units / 1e8 == numbers)
    if short.all():
        words = _short_texts(units)
        count = 1 + int(words[:, 1].any())
        return np.ascontiguousarray(words[:, :count]).view(f"S{count * _WORD}")[:, 0]
    texts = np.zeros(len(numbers), dtype=f"S{_LONGEST}")
    texts.view("<u8").reshape(-1, 3)[:, :2] = _short_texts(np.where(short, units, 0))
    long = np.flatnonzero(~short)
    texts[long] = _long_texts(numbers[long])
    return texts


def _four_digits(*, zeros: bool) -> UInt64:
    """Return (10000,) the digits of 0..9999 as bytes of a word, with the zeros at the end or not."""
    numbers = np.arange(10_000)[:, np.newaxis]
    digits = (numbers // [1000, 100, 10, 1] % 10 + ord("0")).astype(np.uint8)
    if not zeros:
        digits[numbers % [10_000, 1000, 100, 10] == 0] = 0
    return digits.view("<u4")[:, 0].astype("<u8")


_ALL_FOUR: Final = _four_digits(zeros=True)
_WITHOUT_ZEROS: Final = _four_digits(zeros=False)
_POINT: Final = np.uint64(int.from_bytes(b"0.", "little"))


def _short_texts(units: Float64) -> UInt64:
    """Return (n, 2) words with the text of 0.0001 to 0.99999999, given in units of the eighth."""
    digits = units.astype(np.int32)
    high = digits // 10_000
    low = digits - high * 10_000
    first, last = np.where(low > 0, _ALL_FOUR[high], _WITHOUT_ZEROS[high]), _WITHOUT_ZEROS[low]
    words = np.empty((len(units), 2), dtype="<u8")
    words[:, 0] = _POINT | first << np.uint64(16) | last << np.uint64(48)
    words[:, 1] = last >> np.uint64(16)
    return words


def _long_texts(numbers: Float64) -> Texts:
    """Return (n,) texts of any numbers."""
    dumped = _dumped(numbers)
    buffer = np.frombuffer(dumped + bytes(_LONGEST), dtype=np.uint8)
    ends = np.append(np.flatnonzero(buffer == ord(",")), len(dumped) - 1)
    starts = np.concatenate(([1], ends[:-1] + 1))
    # A text begins at any byte: numpy takes the same number of bytes from each, and what follows
    # the text is masked away.
    texts: Texts = np.ndarray((len(dumped),), f"S{_LONGEST}", buffer, 0, (1,))[starts]
    words = texts.view("<u8").reshape(-1, _LONGEST // _WORD)
    words &= _FIRST_BYTES.take(ends - starts, axis=0)
    return texts


def plain_texts(numbers: Float64) -> list[str]:
    """Return the shortest texts without exponents, for readers that may know digits only.

    Parameters
    ----------
    numbers
        (n,) finite numbers.

    Examples
    --------
    >>> plain_texts(np.array([0.1, 1.0, 1.5e-7]))
    ['0.1', '1.0', '0.00000015']
    """
    texts = shortest_texts(numbers)
    # Only very small and very large numbers have exponents, and few coordinates are either.
    size = np.abs(numbers)
    for position in np.flatnonzero((size < 1e-4) & (size > 0) | (size >= 1e15)).tolist():
        texts[position] = format(Decimal(texts[position]), "f")
    return texts
