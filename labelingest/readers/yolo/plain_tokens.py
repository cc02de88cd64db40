"""Rows and tokens of plain text: lines of tokens with single blanks between them.

Nearly all label files are plain. A token ends at each blank or newline, and rows follow from
counting newlines among them. Nearly all tokens are digits with one point at most; a batch in which
some are not (signs, exponents, defects) costs one more look at all points. Text with tabs, CRLF,
comments or runs of blanks is left to `tokens.rows_of`, which returns the same for plain text, more
slowly.
"""

import numpy as np

from labelingest.columns.types import Bool, Int64, UInt8
from labelingest.model.blobs import FRONT, Blobs
from labelingest.readers.yolo.tokens import Rows, Tokens

__all__ = ["plain_rows"]

_BLANK, _NEWLINE, _POINT, _ZERO, _NINE, _HASH = (
    np.uint8(ord(character)) for character in " \n.09#"
)


def plain_rows(blobs: Blobs) -> tuple[Rows, Tokens] | None:
    r"""Split files into rows and tokens; None for text that is not plain.

    Parameters
    ----------
    blobs
        Contents as read.

    Examples
    --------
    >>> rows, tokens = plain_rows(Blobs.from_contents([b"0 .5\n\n1 0.25\n", b"7"]))
    >>> rows.unit.tolist(), rows.line.tolist(), rows.count.tolist(), tokens.end.tolist()
    ([0, 0, 1], [1, 3, 1], [2, 2, 1], [17, 20, 23, 28, 31])
    >>> plain_rows(Blobs.from_contents([b"0\t1"])) is None
    True
    """
    text = blobs.buffer[FRONT:]
    separators = np.flatnonzero(text <= _BLANK)
    breaks = text[separators] == _NEWLINE
    line_ends = np.flatnonzero(breaks)
    blanks, points = (int(np.count_nonzero(text == mark)) for mark in (_BLANK, _POINT))
    digits = np.count_nonzero((text - _ZERO) < 10)
    is_odd = digits + points + blanks + len(line_ends) != len(text)
    if is_odd and (blanks + len(line_ends) != len(separators) or (text == _HASH).any()):
        return None
    lengths = np.diff(separators, prepend=-1)  # of tokens, plus one
    empty = lengths == 1
    ends_nothing = empty[line_ends]
    if np.count_nonzero(empty) != np.count_nonzero(ends_nothing):
        return None  # a blank at the beginning of a line, or a run of blanks
    separators += FRONT
    rows = _rows(blobs, separators[line_ends], np.diff(line_ends, prepend=-1) - ends_nothing)
    if ends_nothing.any():
        separators, lengths = separators[~empty], lengths[~empty]
    start = separators - lengths + 1
    point, plain = None, np.ones(len(start), dtype=bool)
    if not is_odd:
        point = _points(blobs.buffer, start, separators, rows.first, points)
    if point is None:
        point, plain = _odd_points(text, separators)
    return rows, Tokens(start, separators, point, plain)


def _rows(blobs: Blobs, line_ends: Int64, count: Int64) -> Rows:
    """Return the lines that have tokens, from the end and the number of tokens of each line."""
    lines = np.flatnonzero(count)
    # The newline behind each file ends its last line.
    lines_until = np.searchsorted(line_ends, blobs.ends) + 1
    lines_of = np.diff(lines_until, prepend=0)
    unit = np.repeat(np.arange(len(blobs), dtype=np.int32), lines_of)[lines]
    line = lines - (lines_until - lines_of)[unit] + 1
    count = count[lines]
    return Rows(unit, line.astype(np.int32), np.cumsum(count) - count, count)


def _points(buffer: UInt8, start: Int64, end: Int64, first: Int64, count: int) -> Int64 | None:
    """Return (t,) the point of each token, or its end; None for a token with several points."""
    point = end.copy()
    if count == len(end) - len(first):
        # Most rows: the class number has no point, the other tokens have one behind one digit.
        others = np.ones(len(end), dtype=bool)
        others[first] = False
        second = start[others] + 1
        if (buffer[second] == _POINT).all():
            point[others] = second
            return point
    positions = np.flatnonzero(buffer == _POINT)
    tokens = np.searchsorted(end, positions)
    if (tokens[1:] == tokens[:-1]).any():
        return None
    point[tokens] = positions
    return point


def _odd_points(text: UInt8, end: Int64) -> tuple[Int64, Bool]:
    """Return (t,) the point of each token, or its end, and whether the token is digits otherwise.

    Parameters
    ----------
    text
        (b,) what follows the front of the buffer.
    end
        (t,) end of each token in the buffer.
    """
    marks = np.flatnonzero((text > _BLANK) & (text < _ZERO))
    positions = marks + FRONT
    tokens = np.searchsorted(end, positions)
    is_alone = np.ones(len(marks), dtype=bool)
    is_alone[1:] &= tokens[1:] != tokens[:-1]
    is_alone[:-1] &= tokens[:-1] != tokens[1:]
    is_point = is_alone & (text[marks] == _POINT)
    point, plain = end.copy(), np.ones(len(end), dtype=bool)
    point[tokens[is_point]] = positions[is_point]
    plain[tokens[~is_point]] = False
    plain[np.searchsorted(end, np.flatnonzero(text > _NINE) + FRONT)] = False
    return point, plain
