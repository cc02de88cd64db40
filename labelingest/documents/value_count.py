"""Count of the values of a JSON text, from its bytes: the memory that decoding it would take.

A file of a few megabytes can hold millions of values, and each becomes an object of Python. So they
are counted before any is made: every comma and every opening bracket outside strings begins one.

Refuses to know whether the text is JSON: up to the first mistake it is counted as a decoder reads it.
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
    r"""Return how many values a text has where these are more than it may have; else 0.

    Texts that are short, or have few commas and brackets, are not looked at byte by byte.

    Examples
    --------
    >>> too_many_values(b'{"a": [1, 2, 3]}', 4), too_many_values(b'["1, 2, 3"]', 4)
    (6, 0)
    """
    # Two bytes for each at least, as in [[[[ and 1,1,1; an object is two values, and has five.
    if len(content) <= most:
        return 0
    roughly = 1 + content.count(b",") + content.count(b"[") + 2 * content.count(b"{")
    if roughly <= most:
        return 0
    count = count_values(content)
    return count if count > most else 0


def count_values(content: bytes) -> int:
    r"""Count numbers, texts, literals and arrays once, objects twice; keys are part of their object.

    An object is a table: it takes the room of two others. An empty array counts once, and so does
    what is in an array: `[]` is 1 value, `[[], 1]` are 3.

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
        # Both brackets of an empty one differ by 2, and no other characters that count do.
        behind = text[np.minimum(start + places + 1, len(text) - 1)]
        count -= int(np.count_nonzero((marks != _COMMA) & (behind == marks + 2)))
        start += len(chunk) + escapes_next
    return count


def longest_text(content: bytes) -> int:
    r"""Return how many bytes the longest text has, as it is written.

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
    """Return what counts outside strings, by place in a chunk, and how the chunk ends.

    Parameters
    ----------
    chunk
        Some of the text.
    inside
        Whether it begins inside a string.

    Returns
    -------
    places
        Of commas and opening brackets.
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
    """Return where texts begin and end in a chunk, and whether the byte after it is escaped."""
    is_quote = chunk == _QUOTE
    escapes = np.flatnonzero(chunk == _ESCAPE)
    escapes_next = False
    if len(escapes):
        # Of escapes in a row, every other one is escaped itself.
        number = np.arange(len(escapes))
        starts = np.diff(escapes, prepend=-2) != 1
        in_row = number - np.maximum.accumulate(np.where(starts, number, 0))
        escaped = escapes[in_row % 2 == 0] + 1
        escapes_next = bool(escaped[-1] == len(chunk))
        is_quote[escaped[: len(escaped) - escapes_next]] = False
    return is_quote, escapes_next
