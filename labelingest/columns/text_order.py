"""The order of many texts, without a Python object for each.

Eight bytes of a text, the first one highest, are a number that sorts as they do. All texts are
sorted by their first eight bytes, texts that are still equal by the next eight, and so on. Ten
million texts as Python objects take a gigabyte more and three times as long.
"""

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from labelingest.columns.types import Bool, Int64, UInt8, UInt64

__all__ = ["WORD", "Ints", "Words", "equal_texts", "is_text_order", "text_order"]

Ints: TypeAlias = NDArray[np.signedinteger[Any]]
"""Whole numbers of any width: rows are of 32 bits where memory counts."""
WORD: Final = 8
"""Bytes that are compared as one number."""
_AT_ONCE: Final = 65_536
"""Texts that are compared together."""
_FIRST_BYTES: Final = np.array(
    [0xFFFFFFFFFFFFFFFF ^ (0xFFFFFFFFFFFFFFFF >> (8 * count)) for count in range(WORD + 1)],
    dtype=np.uint64,
)
"""(9,) by k: the mask that keeps the first k bytes."""


def text_order(text: bytes, offsets: Int64) -> Ints:
    """Return the rows of texts in the order of their bytes.

    Parameters
    ----------
    text
        All texts, one after the other.
    offsets
        (n + 1,) text i is text[offsets[i]:offsets[i + 1]].

    Returns
    -------
    ndarray
        (n,) rows, of 32 bits where they suffice; equal texts in their own order.

    Examples
    --------
    >>> text_order(b"bab", np.array([0, 1, 2, 3])).tolist()
    [1, 0, 2]
    """
    word_at = Words(text)
    count = len(offsets) - 1
    # Half the memory where rows are few enough, as they nearly always are.
    dtype = np.int32 if count < 1 << 31 else np.int64
    order: Ints = np.arange(count, dtype=dtype)
    if count < 2:
        return order
    # What is not settled: places in the order, and which of them are equal so far.
    places: Ints = order.copy()
    groups: Ints = np.zeros(count, dtype=dtype)
    step = 0
    while len(places):
        rows = order[places]
        word, left = _words_of(word_at, offsets, rows, step)
        sorting = _sorted(word, left, groups)
        # One after the other: of ten million texts each of these is up to 80 megabytes.
        rows = rows[sorting]
        word = word[sorting]
        left = left[sorting]
        del sorting
        order[places] = rows
        differs = (word[1:] != word[:-1]) | (left[1:] != left[:-1]) | (groups[1:] != groups[:-1])
        begins = np.concatenate(([True], differs))
        unsettled = ~(begins & np.append(differs, True)) & (left == WORD)
        groups = np.cumsum(begins, dtype=dtype)[unsettled]
        places = places[unsettled]
        step += WORD
        del rows, word, left, differs, begins, unsettled  # before the next are made
    return order


def is_text_order(text: bytes, offsets: Int64) -> bool:
    """Return whether texts are in the order of their bytes already.

    Parameters
    ----------
    text, offsets
        As for `text_order`.

    Examples
    --------
    >>> is_text_order(b"abc", np.array([0, 1, 3])), is_text_order(b"ba", np.array([0, 1, 2]))
    (True, False)
    """
    word_at = Words(text)
    for start in range(0, len(offsets) - 2, _AT_ONCE):
        pairs = np.arange(start, min(start + _AT_ONCE, len(offsets) - 2))
        step = 0
        while len(pairs):
            begin, middle, end = (offsets[pairs + nth] for nth in range(3))
            word, left = word_at.masked(begin + step, middle - begin - step)
            next_word, next_left = word_at.masked(middle + step, end - middle - step)
            same = word == next_word
            if ((word > next_word) | (same & (left > next_left))).any():
                return False
            pairs = pairs[same & (left == WORD)]
            step += WORD
    return True


def equal_texts(left: tuple["Words", Int64, Int64], right: tuple["Words", Int64, Int64]) -> Bool:
    """Return (n,) whether parts of two texts have the same bytes.

    Parameters
    ----------
    left, right
        The words of a text, and where in it each part begins and ends, (n,) each.

    Examples
    --------
    >>> text = Words(b"abab")
    >>> starts, others = np.array([0, 0]), np.array([2, 1])
    >>> equal_texts((text, starts, starts + 2), (text, others, others + 2)).tolist()
    [True, False]
    """
    words, begin, end = left
    other_words, other_begin, other_end = right
    count = end - begin
    equal: Bool = count == other_end - other_begin
    rows = np.flatnonzero(equal)
    step = 0
    while len(rows):
        rest = count[rows] - step
        word, _ = words.masked(begin[rows] + step, rest)
        other, _ = other_words.masked(other_begin[rows] + step, rest)
        same = word == other
        equal[rows[~same]] = False
        rows = rows[same & (rest > WORD)]
        step += WORD
    return equal


class Words:
    """The eight bytes that begin at any place of a text, the first one highest."""

    def __init__(self, text: bytes) -> None:
        short = max(WORD - len(text), 0)
        octets = np.frombuffer(text + bytes(short) if short else text, np.uint8)
        self._words: UInt64 = np.ndarray((len(octets) - WORD + 1,), ">u8", octets, 0, (1,))

    def masked(self, begin: Int64, count: Int64) -> tuple[UInt64, UInt8]:
        """Return (n,) the first bytes of texts as words, padded with 0, and how many bytes they have.

        Parameters
        ----------
        begin, count
            (n,) where each text begins, and its bytes, of which the first eight are taken.
        """
        left = np.clip(count, 0, WORD).astype(np.uint8)
        return self.read(begin) & _FIRST_BYTES[left], left

    def read(self, begin: Int64) -> UInt64:
        """Return (n,) words; bytes behind the end of the text are 0."""
        last = len(self._words) - 1
        over = np.flatnonzero(begin > last)
        behind = begin[over] - last
        word = self._words[np.minimum(begin, last)]
        if not word.dtype.isnative:
            word = word.byteswap(inplace=True).view(np.uint64)
        # Eight and more bytes behind: nothing is left, and the mask of the caller says so.
        word[over] <<= 8 * np.minimum(behind, WORD - 1).astype(np.uint64)
        return word


def _words_of(words: Words, offsets: Int64, rows: Ints, step: int) -> tuple[UInt64, UInt8]:
    """Return (n,) the words of texts at a step, padded with 0, and how many bytes they have."""
    word, left = np.empty(len(rows), np.uint64), np.empty(len(rows), np.uint8)
    for start in range(0, len(rows), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        begin = offsets[rows[part]] + step
        word[part], left[part] = words.masked(begin, offsets[rows[part] + 1] - begin)
    return word, left


def _sorted(word: UInt64, left: UInt8, groups: Ints) -> Int64:
    """Return the order by group, word and bytes left, equal rows as they come; groups are in order."""
    if (left < WORD).any():
        # Where texts end, the shorter one comes first: its rest is padding.
        return np.lexsort((left, word, groups))
    if groups[0] == groups[-1]:
        return np.argsort(word, kind="stable")
    return np.lexsort((word, groups))
