"""Number of values in a JSON text, counted in its bytes: a bound for the memory of decoding it.

A file of a few megabytes can contain millions of values, and each becomes a Python object. So they
are counted before decoding: every comma and every opening bracket outside strings begins a value.

Refuses to know whether the text is JSON: up to the first mistake it counts as a decoder reads.
"""

from typing import Final

import numpy as np

from labelingest.columns.types import Bool, Int64, UInt8

__all__ = ["MAX_VALUES", "count_values", "longest_text", "too_many_values"]

MAX_VALUES: Final = 4_000_000
"""Values that one JSON document may have: a process that decodes as many takes 600 MB."""

_CHUNK: Final = 1 << 20
_QUOTE, _ESCAPE = ord('"'), ord("\\")
_WEIGHT: Final = np.zeros(256, dtype=np.uint8)
_WEIGHT[[ord(","), ord("[")]] = 1
_WEIGHT[ord("{")] = 2
_COMMA: Final = ord(",")


def too_many_values(content: bytes, most: int = MAX_VALUES) -> int:
    r"""Return the number of values of a text with more than it may have; 0 for other texts.

    A short text, or one with few commas and brackets, is not searched byte by byte.

    Examples
    --------
    >>> too_many_values(b'{"a": [1, 2, 3]}', 4), too_many_values(b'["1, 2, 3"]', 4)
    (6, 0)
    """
    # A value has at least two bytes, as in [[[[ and 1,1,1; an object counts as two, and has five.
    if len(content) <= most:
        return 0
    roughly = 1 + content.count(b",") + content.count(b"[") + 2 * content.count(b"{")
    if roughly <= most:
        return 0
    count = count_values(content)
    return count if count > most else 0


def count_values(content: bytes) -> int:
    r"""Count numbers, texts, literals and arrays once, objects twice; keys do not count.

    An object is a hash table, and takes the memory of two values. An empty array counts once:
    `[]` is 1 value, `[[], 1]` are 3.

    Examples
    --------
    >>> count_values(b"[[], 1]"), count_values(b'{"a": {}}'), count_values(rb'["\",[", 1]')
    (3, 4, 3)
    """
    text = np.frombuffer(content, dtype=np.uint8)
    count, inside, start = 1, False, 0
    while start < len(text):
        chunk = text[start : start + _CHUNK]
        places, inside, escapes_next = _outside_strings(chunk, inside)
        marks = chunk[places]
        count += int(_WEIGHT[marks].sum(dtype=np.int64))
        # The brackets of an empty array or object differ by 2, unlike all other pairs that count.
        behind = text[np.minimum(start + places + 1, len(text) - 1)]
        count -= int(np.count_nonzero((marks != _COMMA) & (behind == marks + 2)))
        start += len(chunk) + escapes_next
    return count


def longest_text(content: bytes) -> int:
    r"""Return the bytes of the longest text, as it is written.

    Examples
    --------
    >>> longest_text(b'{"a": ["abc", "\\""]}')
    3
    """
    text = np.frombuffer(content, dtype=np.uint8)
    longest, inside, start, since = 0, False, 0, 0
    while start < len(text):
        chunk = text[start : start + _CHUNK]
        is_quote, escapes_next = _quotes(chunk)
        ends = np.flatnonzero(is_quote) + start
        if inside:
            ends = np.concatenate(([since], ends))
        longest = max(
            longest, int((ends[1::2] - ends[: len(ends) // 2 * 2 : 2]).max(initial=1)) - 1
        )
        inside = len(ends) % 2 == 1
        since = int(ends[-1]) if inside else 0
        start += len(chunk) + escapes_next
    return max(longest, len(text) - since - 1) if inside else longest


def _outside_strings(chunk: UInt8, inside: bool) -> tuple[Int64, bool, bool]:
    """Return the positions of marks outside strings in a chunk, and the state at its end.

    Parameters
    ----------
    chunk
        Part of the text.
    inside
        Whether the chunk begins inside a string.

    Returns
    -------
    places
        Positions of commas and opening brackets.
    inside
        Whether the next chunk begins inside a string.
    escapes_next
        Whether the byte after the chunk is escaped.
    """
    is_quote, escapes_next = _quotes(chunk)
    is_within = np.logical_xor.accumulate(is_quote) ^ inside
    places = np.flatnonzero(_WEIGHT[chunk].astype(bool) & ~is_within)
    return places, bool(is_within[-1]), escapes_next


def _quotes(chunk: UInt8) -> tuple[Bool, bool]:
    """Return the quotes of a chunk that are not escaped, and whether the next byte is escaped."""
    is_quote = chunk == _QUOTE
    escapes = np.flatnonzero(chunk == _ESCAPE)
    escapes_next = False
    if len(escapes):
        # In a run of escapes, every second one is escaped itself.
        number = np.arange(len(escapes))
        starts = np.diff(escapes, prepend=-2) != 1
        in_row = number - np.maximum.accumulate(np.where(starts, number, 0))
        escaped = escapes[in_row % 2 == 0] + 1
        escapes_next = bool(escaped[-1] == len(chunk))
        is_quote[escaped[: len(escaped) - escapes_next]] = False
    return is_quote, escapes_next
