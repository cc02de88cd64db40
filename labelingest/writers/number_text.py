"""Numbers as text: the shortest that reads back to the same double, for whole columns at once."""

from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import orjson

from labelingest.columns.text_page import RaggedTexts
from labelingest.columns.types import Float64, Int64, Texts, UInt64

__all__ = ["NumberTexts", "number_texts", "plain_column", "plain_texts", "shortest_texts"]

_WIDTH: Final = 32
"""Bytes of a column of texts: the longest text of a double, -2.2250738585072014e-308, has 24."""


class NumberTexts(NamedTuple):
    """Texts of numbers as they are put on a page: a comma is behind each, then any bytes."""

    texts: Texts
    """(n,) at least one byte wider than the text."""
    lengths: Int64
    """(n,) bytes of each text without the comma."""


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


def number_texts(numbers: Float64) -> NumberTexts:
    """Return the texts of `shortest_texts` as a column for a page.

    Numbers of at most eight decimals between 0.0001 and 1, which most coordinates are, are written
    digit by digit, all at once. That is the shortest text: no two texts of so few digits read as
    one double, so a shorter one would be another number.

    Parameters
    ----------
    numbers
        (n,) finite numbers.

    Examples
    --------
    >>> texts, lengths = number_texts(np.array([0.1, -1 / 3]))
    >>> [text[:length] for text, length in zip(texts.tolist(), lengths.tolist(), strict=True)]
    [b'0.1', b'-0.3333333333333333']
    """
    with np.errstate(over="ignore"):
        units = np.rint(numbers * 1e8)
    short = (units >= 1e4) & (units < 1e8) & (units / 1e8 == numbers)
    long = np.flatnonzero(~short)
    if not len(long):
        return _short_texts(units)
    if _LONG_SHARE * len(long) >= len(numbers):
        return _long_texts(numbers)
    units[long] = 0
    of_short, of_long = _short_texts(units), _long_texts(numbers[long])
    texts = of_short.texts.astype(of_long.texts.dtype)
    texts[long] = of_long.texts
    of_short.lengths[long] = of_long.lengths
    return NumberTexts(texts, of_short.lengths)


_LONG_SHARE: Final = 4
"""Share of other numbers, a quarter, from which on all are written as those: it takes thrice as long."""


def _four_digits(*, zeros: bool) -> UInt64:
    """Return (10000,) the digits of 0..9999 in the low half of a word, their number in the high one.

    Zeros at the end are digits, or commas.
    """
    numbers = np.arange(10_000)[:, np.newaxis]
    digits = (numbers // [1000, 100, 10, 1] % 10 + ord("0")).astype(np.uint8)
    if not zeros:
        digits[numbers % [10_000, 1000, 100, 10] == 0] = ord(",")
    count = (digits != ord(",")).sum(axis=1).astype("<u8")
    words: UInt64 = digits.view("<u4")[:, 0] | count << np.uint64(32)
    return words


_ALL_FOUR: Final = _four_digits(zeros=True)
_WITHOUT_ZEROS: Final = _four_digits(zeros=False)
_DIGITS: Final = np.uint64(0xFFFFFFFF)
_POINT: Final = np.uint64(int.from_bytes(b"0.", "little"))
_COMMAS: Final = np.uint64(int.from_bytes(b"\0\0,,,,,,", "little"))


def _short_texts(units: Float64) -> NumberTexts:
    """Return (n,) texts of 0.0001 to 0.99999999, given in units of the eighth decimal."""
    digits = units.astype(np.int64)
    high = digits // 10_000
    low = digits - high * 10_000
    first = np.where(low > 0, _ALL_FOUR.take(high), _WITHOUT_ZEROS.take(high))
    last = _WITHOUT_ZEROS.take(low)
    lengths = ((first + last) >> np.uint64(32)).view(np.int64) + 2
    first &= _DIGITS
    last &= _DIGITS
    words = np.empty((len(units), 2), dtype="<u8")
    words[:, 0] = _POINT | first << np.uint64(16) | last << np.uint64(48)
    words[:, 1] = last >> np.uint64(16) | _COMMAS
    return NumberTexts(words.view("S16")[:, 0], lengths)


def _long_texts(numbers: Float64) -> NumberTexts:
    """Return (n,) texts of any numbers."""
    dumped = _dumped(numbers)[1:-1] + b"," + bytes(_WIDTH)
    buffer = np.frombuffer(dumped, dtype=np.uint8)
    ends = np.flatnonzero(buffer == ord(","))
    starts = np.concatenate(([0], ends[:-1] + 1))
    # A text begins at any byte: numpy takes the same number of bytes from each.
    windows: Texts = np.ndarray((len(dumped) - _WIDTH + 1,), f"S{_WIDTH}", buffer, 0, (1,))
    return NumberTexts(windows[starts], ends - starts)


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
    for position in _with_exponents(numbers).tolist():
        texts[position] = format(Decimal(texts[position]), "f")
    return texts


class UnusualTexts(NamedTuple):
    """Texts of very small and very large numbers, which have other texts without exponents."""

    rows: Int64
    """(k,) their rows in the column."""
    texts: RaggedTexts
    """(k,) texts, of up to some hundred bytes."""


class PlainTexts(NamedTuple):
    """Texts without exponents as they are put on a page: first those of the column, then unusual ones."""

    texts: Texts
    """(n,) texts as of `NumberTexts`; those of unusual numbers have exponents."""
    lengths: Int64
    """(n,) bytes of each text without exponent."""
    unusual: UnusualTexts


def plain_column(numbers: Float64) -> PlainTexts:
    """Return the texts of `plain_texts` as a column for a page."""
    texts, lengths = number_texts(numbers)
    rows = _with_exponents(numbers)
    unusual = [text.encode() for text in plain_texts(numbers[rows])]
    lengths[rows] = [len(text) for text in unusual]
    table = RaggedTexts.from_table(unusual, np.arange(len(rows)))
    return PlainTexts(texts, lengths, UnusualTexts(rows, table))


def _with_exponents(numbers: Float64) -> Int64:
    """Return the rows of numbers whose shortest text has an exponent, and of a few others."""
    size = np.abs(numbers)
    return np.flatnonzero((size < 1e-4) & (size > 0) | (size >= 1e15))
