"""Rows and tokens of many text files at once, with the line of each row.

One comparison over the buffer finds every byte below "0": separators, signs and points. Tokens,
rows and line numbers follow from those marks alone. Blank lines, CRLF and runs of blanks are masks,
not branches. Encodings are settled here too: UTF-8 with or without byte order mark, and UTF-16
with one.

Refuses to know what a token means.
"""

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from typing import Final

import numpy as np
from msgspec import Struct

from labelingest.columns.types import Bool, Int32, Int64, UInt8
from labelingest.model.blobs import FRONT, Blobs

__all__ = ["Rows", "Tokens", "as_utf8", "rows_of", "text_of"]

_POINT: Final = ord(".")
_HASH: Final = ord("#")
_SEPARATES: Final = np.isin(np.arange(256), np.frombuffer(b" \t\n\r", np.uint8))
_BREAKS: Final = np.isin(np.arange(256), np.frombuffer(b"\n\r", np.uint8))


class Tokens(Struct, frozen=True, eq=False):
    """Tokens between separators, in the order of the buffer."""

    start: Int64
    """(t,) position of the first byte in the buffer."""
    end: Int64
    """(t,) position after the last byte."""
    point: Int64
    """(t,) position of the decimal point; equal to `end` for a token without one."""
    plain: Bool
    """(t,) whether a token is digits with at most one point: the form that the kernel reads."""


class Rows(Struct, frozen=True, eq=False):
    """Lines that have tokens and are no comments, in the order of the buffer."""

    unit: Int32
    """(r,) row of the file in the blobs."""
    line: Int32
    """(r,) 1-based line in the file."""
    first: Int64
    """(r,) position of the first token in `Tokens`."""
    count: Int64
    """(r,) number of tokens, which are consecutive; at least 1."""


def as_utf8(blobs: Blobs) -> tuple[Blobs, dict[int, str]]:
    r"""Return blobs in UTF-8 without byte order marks, and the reasons of files that are no text.

    Parameters
    ----------
    blobs
        Contents as read.

    Returns
    -------
    blobs
        The same object if every byte is ASCII; files that are no text become empty.
    not_text
        Row → sentence, for files with NUL bytes or bytes that are not UTF-8.

    Examples
    --------
    >>> decoded, not_text = as_utf8(Blobs.from_contents(["0 1".encode("utf-16"), b"\x89PNG\x00"]))
    >>> decoded.get(0), not_text[1]
    (b'0 1', 'byte 1 is 0x89, which is not UTF-8: is this a text file?')
    """
    # NUL wraps around to 255: one comparison finds NUL and everything beyond ASCII.
    suspect = np.flatnonzero((blobs.buffer[FRONT:] - np.uint8(1)) >= 127) + FRONT
    if not len(suspect):
        return blobs, {}
    contents = [blobs.get(unit) for unit in range(len(blobs))]
    not_text = {}
    for unit in np.unique(np.searchsorted(blobs.ends, suspect)).tolist():
        decoded = _utf8(contents[unit])
        if isinstance(decoded, str):
            not_text[unit] = decoded
        contents[unit] = b"" if isinstance(decoded, str) else decoded
    return Blobs.from_contents(contents, blobs.unread), not_text


def text_of(content: bytes) -> bytes | str:
    r"""Return the content of one file in UTF-8 without byte order mark; for no text, the reason.

    Equal to `as_utf8` of one file; a content in ASCII is returned as the same object.

    Examples
    --------
    >>> text_of("0 1".encode("utf-16"))
    b'0 1'
    >>> text_of(b"\x00")
    'byte 1 is NUL: a binary file, or UTF-16 without a byte order mark'
    """
    if content.isascii() and b"\0" not in content:
        return content
    return _utf8(content)


def _utf8(content: bytes) -> bytes | str:
    """Return a content in UTF-8; for no text, a sentence why."""
    try:
        if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            content = content.decode("utf-16").encode()
        else:
            content = content.removeprefix(BOM_UTF8)
            content.decode()
    except UnicodeDecodeError as problem:
        if problem.encoding != "utf-8":
            return f"the byte order mark says UTF-16, but the text is not: {problem.reason}"
        position = problem.start
        byte = f"byte {position + 1} is 0x{content[position]:02x}"
        return f"{byte}, which is not UTF-8: is this a text file?"
    except UnicodeEncodeError:
        return "the byte order mark says UTF-16, but the text holds half a surrogate pair"
    if (position := content.find(0)) >= 0:
        return f"byte {position + 1} is NUL: a binary file, or UTF-16 without a byte order mark"
    return content


def rows_of(blobs: Blobs) -> tuple[Rows, Tokens]:
    r"""Split files into rows and tokens.

    Separators are space and tab; line ends are LF, CRLF and CR. Lines whose first token begins
    with "#" are comments: their tokens are returned, but belong to no row.

    Parameters
    ----------
    blobs
        Contents in UTF-8 (see `as_utf8`).

    Examples
    --------
    >>> rows, tokens = rows_of(Blobs.from_contents([b"# boxes\r\n0 .5\r\n\r\n7", b"1"]))
    >>> rows.unit.tolist(), rows.line.tolist(), rows.count.tolist()
    ([0, 0, 1], [2, 4, 1], [2, 1, 1])
    """
    buffer = blobs.buffer
    marks = np.flatnonzero(buffer[FRONT:] < ord("0")) + FRONT
    characters = buffer[marks]
    separators = np.flatnonzero(_SEPARATES[characters])
    tokens, ends_at = _tokens(buffer, marks, characters, separators)
    breaks = _line_breaks(marks, characters)
    # All line breaks of the buffer counted: two tokens are on one line when as many precede both.
    token_line = breaks[separators[ends_at]]
    starts_row = np.ones(len(token_line), dtype=bool)
    np.not_equal(token_line[1:], token_line[:-1], out=starts_row[1:])
    first = np.flatnonzero(starts_row)
    count = np.diff(first, append=len(token_line))
    is_row = buffer[tokens.start[first]] != _HASH
    if not is_row.all():
        first, count = first[is_row], count[is_row]
    unit = np.searchsorted(blobs.ends, tokens.start[first])
    # Line number = line ends before the token - line ends before its file + 1.
    line = token_line[first] - _breaks_before_files(blobs, marks, breaks)[unit] + 1
    return Rows(unit.astype(np.int32), line.astype(np.int32), first, count), tokens


def _breaks_before_files(blobs: Blobs, marks: Int64, breaks: Int64) -> Int64:
    """Return (u + 1,) the number of line ends before each file, and before the end of all."""
    # The newline behind each file ends its last line, and is the last to precede the next file.
    until_end = breaks[np.searchsorted(marks, blobs.ends)] + 1
    # A carriage return before that newline makes one line end with it, not two.
    until_end -= blobs.buffer[blobs.ends - 1] == ord("\r")
    return np.concatenate(([0], until_end))


def _tokens(
    buffer: UInt8, marks: Int64, characters: UInt8, separators: Int64
) -> tuple[Tokens, Int64]:
    """Return the tokens, and (t,) the separator behind each token."""
    ends = marks[separators]
    starts = np.empty_like(ends)
    starts[:1] = FRONT
    starts[1:] = ends[:-1] + 1
    ends_at = np.flatnonzero(ends > starts)
    start, end = starts[ends_at], ends[ends_at]
    ended_by = separators[ends_at]
    inner = np.diff(separators, prepend=-1)[ends_at] - 1
    # The mark before the separator; mark -1 is only looked at where inner says there is one.
    has_point = (inner == 1) & (characters[ended_by - 1] == _POINT)
    point = np.where(has_point, marks[ended_by - 1], end)
    plain = has_point | (inner == 0)
    letters = np.flatnonzero(buffer > ord("9"))
    if len(letters):
        plain[np.searchsorted(end, letters, side="right")] = False
    return Tokens(start, end, point, plain), ends_at


def _line_breaks(marks: Int64, characters: UInt8) -> Int64:
    """Return (m,) the number of line ends that begin before each mark."""
    breaks = _BREAKS[characters]
    carriage = np.flatnonzero(characters == ord("\r"))
    if len(carriage):
        followed = carriage[
            (marks[np.minimum(carriage + 1, len(marks) - 1)] == marks[carriage] + 1)
            & (characters[np.minimum(carriage + 1, len(marks) - 1)] == ord("\n"))
        ]
        breaks[followed + 1] = False
    before: Int64 = np.cumsum(breaks)
    return before - breaks
