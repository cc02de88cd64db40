"""Names of files as positions in the text of a column of keys, so that no string is made of them."""

from typing import Final

import numpy as np
from msgspec import Struct

from labelingest.columns.keys import Keys
from labelingest.columns.types import Bool, Int64, UInt8, UInt64

__all__ = ["WORD", "Names", "lower_word"]

WORD: Final = 8
"""Bytes that are compared as one number; no supported extension is longer."""


class Names(Struct, frozen=True, eq=False):
    """Names of files, the last parts of keys, as positions in the keys' text.

    Examples
    --------
    >>> names = Names.from_rows(Keys.from_texts(["a/b.jpg", "c"]), np.arange(2))
    >>> names.begins.tolist(), names.ends.tolist()
    ([2, 7], [7, 8])
    """

    text: UInt8
    keys_begin: Int64
    """(n,) position at which each key begins."""
    begins: Int64
    """(n,) position at which each name begins."""
    ends: Int64
    """(n,) position at which each name ends."""

    @classmethod
    def from_rows(cls, keys: Keys, rows: Int64) -> "Names":
        """Return the names of rows, ascending; at least one row."""
        begins, ends = keys.offsets[rows], keys.offsets[rows + 1]
        if ends[-1] - begins[0] > 2 * (ends - begins).sum():
            # The text between rows that lie far apart is not looked at.
            keys, rows = keys.pick(rows), np.arange(len(rows))
        start = int(keys.offsets[rows[0]])
        text = np.frombuffer(keys.text, dtype=np.uint8)[start : keys.offsets[rows[-1] + 1]]
        keys_begin, ends = keys.offsets[rows] - start, keys.offsets[rows + 1] - start
        begins = np.maximum(keys_begin, _last(text, "/", ends) + 1)
        # A key that ends with a slash has no name: its slash serves as one.
        return cls(text, keys_begin, np.minimum(begins, ends - 1), ends)

    def pick(self, rows: Int64) -> "Names":
        """Return the names of these rows."""
        return Names(self.text, self.keys_begin[rows], self.begins[rows], self.ends[rows])

    def folder_lengths(self) -> Int64:
        """Return (n,) how many bytes of each key are before the name."""
        return self.begins - self.keys_begin

    def beginnings(self) -> UInt64:
        """Return (n,) the first eight bytes of each name as a number, 0 behind a shorter name."""
        return _words(self.text, self.begins, self.ends - self.begins)

    def extension_lengths(self) -> Int64:
        """Return (n,) how many bytes each extension has; 0 for none, or more than a word."""
        dots = _last(self.text, ".", self.ends)
        length = self.ends - dots - 1
        length[(dots <= self.begins) | (length > WORD)] = 0
        return length

    def extensions(self) -> tuple[UInt64, Bool]:
        """Return (n,) extensions as numbers, 0 for none; and whether a name begins with a dot.

        Extensions are in lower case. A name that begins with a dot may have no extension, however
        many dots follow.
        """
        length = self.extension_lengths()
        words = lower_word(_words(self.text, self.ends - length, length))
        return words, self.text[self.begins] == ord(".")


def lower_word(words: UInt64) -> UInt64:
    """Return (n,) numbers of eight bytes each, with ASCII letters in lower case.

    Examples
    --------
    >>> word = np.frombuffer("README.m".encode(), dtype="<u8")
    >>> lower_word(word).tobytes().decode()
    'readme.m'
    """
    letters = np.ascontiguousarray(words).view(np.uint8)
    upper = (letters >= ord("A")) & (letters <= ord("Z"))
    lower: UInt64 = (letters | upper * np.uint8(0x20)).view(np.uint64)
    return lower


def _words(text: UInt8, begins: Int64, lengths: Int64) -> UInt64:
    """Return (n,) up to eight bytes from each position, as numbers of which the first byte is low."""
    words = np.zeros(len(begins), dtype=np.uint64)
    for i in range(WORD):
        rows = np.flatnonzero(lengths > i)
        if not len(rows):
            break
        words[rows] |= text[begins[rows] + i].astype(np.uint64) << np.uint64(8 * i)
    return words


def _last(text: UInt8, character: str, ends: Int64) -> Int64:
    """Return (n,) the last position of a character before each end; -1 for none."""
    places = np.concatenate([[-1], np.flatnonzero(text == ord(character))])
    last: Int64 = places[np.searchsorted(places, ends) - 1]
    return last
