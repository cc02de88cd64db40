"""Text files in slices of about equal size, each with its rows and their numbers.

Reading a text takes 30 to 50 times its size in memory, so that a large file is read in slices. They
end where lines end. A line that is longer than a slice is a slice of its own, whose numbers are
read piece by piece.

Refuses to know what numbers mean.
"""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
from msgspec import Struct

from labelingest.columns.types import Float64, Int64
from labelingest.model.blobs import FRONT, Blobs
from labelingest.readers.yolo.numbers import number_from_text, numbers_from_tokens
from labelingest.readers.yolo.read import sheet_of
from labelingest.readers.yolo.sheet import Sheet
from labelingest.readers.yolo.tokens import Rows, Tokens, rows_of

__all__ = ["MAX_COLUMNS", "SLICE_BYTES", "TooManyColumns", "sheets"]

SLICE_BYTES: Final = 1_000_000
"""Bytes of a slice, about: large enough for columns to pay, small enough for memory."""
MAX_COLUMNS: Final = 2_000_000
"""Columns of the longest row: a polygon of a million vertices."""

_LINE_END: Final = re.compile(rb"[\r\n]")
_BLANK: Final = re.compile(rb"[ \t]")
_BLANKS: Final = re.compile(rb"[ \t]*+")


class TooManyColumns(Struct, frozen=True):
    """Place of a row with more columns than a row may have."""

    line: int
    """Line in the file, from 1 on."""
    column: int
    """Column of the first token, from 1 on."""


def sheets(
    content: bytes, size: int = SLICE_BYTES, most: int = MAX_COLUMNS
) -> Iterator[Sheet | TooManyColumns]:
    r"""Yield the rows of a file, slice by slice.

    Parameters
    ----------
    content
        Content of the file, in UTF-8 without byte order mark.
    size
        Bytes of a slice, about.
    most
        Columns that a row longer than a slice may have.

    Examples
    --------
    >>> [sheet.rows.line.tolist() for sheet in sheets(b"0 1\n\n2 3\r\n4 5", 4)]
    [[1], [], [3], [4]]
    """
    lines = 0
    for start, end in _bounds(content, size):
        if end - start <= 2 * size:
            text = content[start:end]
            yield sheet_of(Blobs.from_contents([text]), lines)
            lines += text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n")
        else:
            yield from _long_row(content, start, end, size, (lines + 1, most))
            lines += 1


def _bounds(content: bytes, size: int) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each slice, which are behind line ends."""
    start = 0
    while start < len(content):
        end = start + size
        if end < len(content):
            last = max(content.rfind(b"\n", start, end), content.rfind(b"\r", start, end))
            if last < start:
                following = _LINE_END.search(content, end)
                last = following.start() if following else len(content) - 1
            end = last + 1
            if content[last:end] == b"\r" and content[end : end + 1] == b"\n":
                end += 1
        end = min(end, len(content))
        yield start, end
        start = end


def _long_row(
    content: bytes, start: int, end: int, size: int, line_and_most: tuple[int, int]
) -> Iterator[Sheet | TooManyColumns]:
    """Yield the row of a long line; nothing for a comment or blanks."""
    line, most = line_and_most
    blanks = _BLANKS.match(content, start, end)
    begin = blanks.end() if blanks else start
    if content[begin : begin + 1] in (b"#", b"\n", b"\r", b""):
        return
    starts, ends, values = [], [], []
    count = 0
    for first, last in _pieces(content, begin, end, size):
        token_starts, token_ends, numbers = _numbers(content, first, last, size)
        count += len(token_starts)
        if count > most:
            yield TooManyColumns(line, begin - start + 1)
            return
        starts.append(token_starts)
        ends.append(token_ends)
        values.append(numbers)
    text = np.frombuffer(content, np.uint8)
    blobs = Blobs(text, np.array([start]), np.array([end]))
    row = Rows(
        np.zeros(1, np.int32), np.array([line], np.int32), np.zeros(1, np.int64), np.array([count])
    )
    token_starts, token_ends = np.concatenate(starts), np.concatenate(ends)
    # The numbers are read already, so that the positions of points are of no use.
    tokens = Tokens(token_starts, token_ends, token_ends, np.zeros(len(token_starts), dtype=bool))
    yield Sheet(blobs, row, tokens, np.concatenate(values))


def _pieces(content: bytes, start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield pieces of a line that end behind blanks; a longer token is a piece of its own."""
    while start < end:
        last = start + size
        if last < end:
            blank = max(content.rfind(b" ", start, last), content.rfind(b"\t", start, last))
            if blank < start:
                following = _BLANK.search(content, last, end)
                blank = following.start() if following else end - 1
            last = blank + 1
        last = min(last, end)
        yield start, last
        start = last


def _numbers(content: bytes, start: int, end: int, size: int) -> tuple[Int64, Int64, Float64]:
    """Return begin, end and value of the tokens of a piece."""
    if end - start > size:
        # One token, and perhaps a blank or the end of the line.
        text = content[start:end].rstrip(b" \t\r\n")
        number = np.array([number_from_text(text)[0]] if text else [])
        token_start = np.full(len(number), start)
        return token_start, token_start + len(text), number
    piece = Blobs.from_contents([content[start:end]])
    tokens = rows_of(piece)[1]
    values = numbers_from_tokens(piece.buffer, tokens)
    shift = start - FRONT
    return tokens.start + shift, tokens.end + shift, values
