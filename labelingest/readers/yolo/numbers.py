"""Decimal text → the nearest double, for whole columns of tokens: bit for bit what `float()` gives.

The fast path reads digits eight at a time: eight ASCII digits are one 64-bit word, and three
multiplications turn it into an integer (Lemire: Quickly parsing eight digits, 2018). An integer up
to 2^53 divided by a power of ten up to 10^22 is one correctly rounded operation on exact operands,
so the quotient is the double nearest to the text (Clinger: How to read floating point numbers
accurately, 1990). Everything else goes to `float()` itself, behind a grammar that is narrower than
Python's: no underscores, no digits beyond ASCII, no white space, no names of infinity.
"""

import re
from typing import Final

import numpy as np

from labelingest.columns.types import Bool, Float64, Int64, UInt8, UInt64
from labelingest.readers.yolo.tokens import Tokens

__all__ = ["NOT_A_NUMBER", "NOT_FINITE", "OK", "number_from_text", "numbers_from_tokens"]

OK: Final = 0
NOT_A_NUMBER: Final = 1
NOT_FINITE: Final = 2

_NUMBER: Final = re.compile(rb"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")
_NAME_OF_NO_NUMBER: Final = re.compile(rb"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)

_POWER_OF_TEN: Final = np.array([float(10**k) for k in range(17)])
_ZEROS: Final = np.uint64(0x3030303030303030)
_LAST_DIGITS: Final = np.array(
    [0, *((0xFFFFFFFFFFFFFFFF << (64 - 8 * n)) & 0xFFFFFFFFFFFFFFFF for n in range(1, 9))],
    dtype=np.uint64,
)
"""Mask of the last n bytes of a little-endian word."""


def number_from_text(text: bytes) -> tuple[float, int]:
    """Read one token by the general path.

    Returns
    -------
    value, status
        The double and `OK`, or NaN and `NOT_A_NUMBER` or `NOT_FINITE`.

    Examples
    --------
    >>> number_from_text(b"-1.5e-3"), number_from_text(b"1_0"), number_from_text(b"1e999")
    ((-0.0015, 0), (nan, 1), (nan, 2))
    """
    if _NUMBER.fullmatch(text):
        value = float(text)
        return (value, OK) if -np.inf < value < np.inf else (np.nan, NOT_FINITE)
    return np.nan, NOT_FINITE if _NAME_OF_NO_NUMBER.fullmatch(text) else NOT_A_NUMBER


def numbers_from_tokens(buffer: UInt8, tokens: Tokens, selected: Bool | None = None) -> Float64:
    """Read many tokens.

    Parameters
    ----------
    buffer
        (b,) text with at least 16 bytes before the first token.
    tokens
        (t,) positions of the tokens in the buffer.
    selected
        (t,) whether to read each token; None for all. Unread tokens, of comments, get any value.

    Returns
    -------
    ndarray
        (t,) values; NaN for a token in which `number_from_text` finds no finite number.

    Examples
    --------
    >>> from labelingest.model.blobs import Blobs
    >>> from labelingest.readers.yolo.tokens import rows_of
    >>> blobs = Blobs.from_contents([b"7 0.1 -2e3 x"])
    >>> numbers_from_tokens(blobs.buffer, rows_of(blobs)[1]).tolist()
    [7.0, 0.1, -2000.0, nan]
    """
    integer_digits = tokens.point - tokens.start
    fraction = np.maximum(tokens.end - tokens.point - 1, 0)
    fast = tokens.plain & (integer_digits <= 8) & (fraction <= 16) & (integer_digits + fraction > 0)
    is_slow = ~fast
    if is_slow.any():
        # They are read as one digit here, and again below.
        integer_digits[is_slow], fraction[is_slow] = 1, 0
    mantissa = _mantissas(buffer, tokens.start, integer_digits, tokens.end, fraction)
    values: Float64 = mantissa / _POWER_OF_TEN[fraction]
    is_slow |= (mantissa > 1 << 53) | (integer_digits + fraction > 18)
    if selected is not None:
        is_slow &= selected
    slow = np.flatnonzero(is_slow)
    if len(slow):
        values[slow] = _one_by_one(buffer, tokens.start[slow], tokens.end[slow])
    return values


def _one_by_one(buffer: UInt8, start: Int64, end: Int64) -> list[float]:
    lowest = int(start.min())
    text = buffer[lowest : int(end.max())].tobytes()
    places = zip((start - lowest).tolist(), (end - lowest).tolist(), strict=True)
    return [number_from_text(text[a:b])[0] for a, b in places]


def _mantissas(
    buffer: UInt8, start: Int64, integer_digits: Int64, end: Int64, fraction: Int64
) -> Int64:
    """Return (t,) the digits of each token as one integer; at most 8 before the point, 16 after."""
    # Every byte of the buffer starts a (mostly unaligned) word; numpy reads them as they lie.
    words: UInt64 = np.ndarray((len(buffer) - 7,), "<u8", buffer, 0, (1,))
    mantissa = buffer[start].astype(np.int64) - ord("0")
    # Normalised coordinates have one digit before the point; other tokens are rare.
    many = np.flatnonzero(integer_digits != 1)
    if len(many):
        mantissa[many] = _integers(words, start[many] + integer_digits[many], integer_digits[many])
    mantissa *= _TEN_TO[fraction]
    mantissa += _integers(words, end, np.minimum(fraction, 8))
    long = np.flatnonzero(fraction > 8)
    if len(long):
        mantissa[long] += 100_000_000 * _integers(words, end[long] - 8, fraction[long] - 8)
    return mantissa


_TEN_TO: Final = np.array([10**k for k in range(17)], dtype=np.int64)


def _integers(words: UInt64, end: Int64, digits: Int64) -> Int64:
    """Return (t,) the integer of up to 8 ASCII digits that end at each position."""
    # Earlier bytes are lower: masking them away makes them leading zeros.
    word = (words[end - 8] ^ _ZEROS) & _LAST_DIGITS[digits]
    word = word * np.uint64(10) + (word >> np.uint64(8))
    pairs = np.uint64(0x000000FF000000FF)
    low = (word & pairs) * np.uint64(0x000F424000000064)
    high = ((word >> np.uint64(16)) & pairs) * np.uint64(0x0000271000000001)
    return ((low + high) >> np.uint64(32)).astype(np.int64)
