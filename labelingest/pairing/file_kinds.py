"""Classify many files by their names at once: as junk, or by kind of data.

The answers equal those of `labelingest.model.kinds` for one key (a property test holds them equal),
but come from the bytes of the column, without a string for each key.
"""

import os
from collections.abc import Collection, Iterator
from typing import Final

import numpy as np

from labelingest.columns.fingerprints import part_fingerprints
from labelingest.columns.keys import Keys
from labelingest.columns.text_order import Words
from labelingest.columns.types import Int64, UInt8, UInt64
from labelingest.model.kinds import KIND_OF_EXTENSION, DataKind, extension_of, is_junk, kind_of
from labelingest.pairing.names import Names

__all__ = [
    "KINDS",
    "NO_KIND",
    "chunks",
    "folder_numbers",
    "junk_among",
    "junk_rows",
    "kind_numbers",
    "rows_with_extension",
]

KINDS: Final = tuple(DataKind)
"""Kind number → kind of data."""
NO_KIND: Final = len(KINDS)
"""Kind number of files that cannot be labelled."""

_SECRET: Final = int.from_bytes(os.urandom(8), "little")
_CHUNK: Final = 65_536
"""Rows of a chunk, whose columns stay in the processor's cache."""

_EXTENSIONS: Final = sorted(
    (int.from_bytes(extension.encode(), "little"), KINDS.index(kind))
    for extension, kind in KIND_OF_EXTENSION.items()
)
_WORDS: Final = np.array([word for word, _ in _EXTENSIONS], dtype=np.uint64)
_KIND_NUMBERS: Final = np.array([number for _, number in _EXTENSIONS], dtype=np.uint8)


def chunks(rows: Int64) -> Iterator[Int64]:
    """Yield rows in runs that are small enough to work on in the processor's cache.

    Examples
    --------
    >>> [len(chunk) for chunk in chunks(np.arange(100_000))]
    [65536, 34464]
    """
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


def junk_rows(keys: Keys) -> Int64:
    """Return the rows of files that a system or a tool left.

    Examples
    --------
    >>> junk_rows(Keys.from_texts(["a/.DS_Store", "a/b.jpg", "labels.cache"])).tolist()
    [0, 2]
    """
    parts = chunks(np.arange(len(keys)))
    junk = [junk_among(keys, rows, Names.from_rows(keys, rows)) for rows in parts]
    return np.concatenate([np.zeros(0, dtype=np.int64), *junk])


def junk_among(keys: Keys, rows: Int64, names: Names) -> Int64:
    """Return those of some rows that a system or a tool left; `names` are the names of the rows."""
    first, last = names.text[names.begins], names.text[names.ends - 1]
    # Every name of junk has one of these bytes at an end; few other names do.
    suspects = rows[(first == ord(".")) | (first == ord("T")) | (last == ord("e"))]
    is_junk_name = [is_junk(key) for key in keys.take(suspects)]
    junk: Int64 = suspects[np.array(is_junk_name, dtype=np.bool_)]
    return junk


def kind_numbers(keys: Keys, rows: Int64) -> UInt8:
    """Return (n,) the kind number of each row: its position in `KINDS`, or `NO_KIND`.

    Examples
    --------
    >>> kind_numbers(Keys.from_texts(["a.JPG", "b.dcm", "c.txt"]), np.arange(3)).tolist()
    [0, 6, 4]
    """
    numbers = [np.zeros(0, dtype=np.uint8)]
    for chunk in chunks(rows):
        names = Names.from_rows(keys, chunk)
        words, dotted = names.extensions()
        position = np.minimum(np.searchsorted(_WORDS, words), len(_WORDS) - 1)
        number = np.where(_WORDS[position] == words, _KIND_NUMBERS[position], np.uint8(NO_KIND))
        for row in np.flatnonzero(dotted).tolist():
            kind = kind_of(keys[chunk[row]])
            number[row] = NO_KIND if kind is None else KINDS.index(kind)
        numbers.append(number)
    return np.concatenate(numbers)


def rows_with_extension(keys: Keys, rows: Int64, extensions: Collection[str]) -> Int64:
    """Return those of some rows whose names have one of these extensions, in either case.

    Parameters
    ----------
    rows
        (n,) rows, ascending.
    extensions
        Extensions in lower case, without dot, of at most eight letters.

    Examples
    --------
    >>> keys = Keys.from_texts(["a.JSON", "b.txt", "json"])
    >>> rows_with_extension(keys, np.arange(3), ["json"]).tolist()
    [0]
    """
    words = np.array(
        [int.from_bytes(extension.encode(), "little") for extension in extensions], dtype=np.uint64
    )
    may_end = np.zeros(256, dtype=np.bool_)
    for extension in extensions:
        may_end[[ord(extension[-1].lower()), ord(extension[-1].upper())]] = True
    text = np.frombuffer(keys.text, dtype=np.uint8)
    parts = [np.zeros(0, dtype=np.int64)]
    for chunk in chunks(rows):
        suspects = chunk[may_end[text[keys.offsets[chunk + 1] - 1]]]
        if len(suspects):
            extension_words, dotted = Names.from_rows(keys, suspects).extensions()
            has_extension = np.isin(extension_words, words)
            for row in np.flatnonzero(dotted).tolist():
                has_extension[row] = extension_of(keys[suspects[row]]) in extensions
            parts.append(suspects[has_extension])
    return np.concatenate(parts)


def folder_numbers(keys: Keys, rows: Int64) -> UInt64:
    """Return (n,) a number for the folder of each row, the same for files of one folder.

    Two folders can have one number too, by an accident that cannot be provoked.

    Examples
    --------
    >>> a, b, c = folder_numbers(Keys.from_texts(["x/1.jpg", "x/2.jpg", "y/1.jpg"]), np.arange(3)).tolist()
    >>> a == b, a == c
    (True, False)
    """
    numbers = [np.zeros(0, dtype=np.uint64)]
    words = Words(keys.text)
    for chunk in chunks(rows):
        begins = keys.offsets[chunk]
        folders_end = begins + Names.from_rows(keys, chunk).folder_lengths()
        numbers.append(part_fingerprints(words, begins, folders_end, _SECRET))
    return np.concatenate(numbers)
