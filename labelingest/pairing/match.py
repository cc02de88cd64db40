"""Match many keys of a column against a pattern at once, and capture the placeholders' values.

The literal before the first placeholder is a range of rows, because keys are ordered. The literal
after the last one is compared for all rows together. The literals between are found in the text of
all rows at once, and each key takes the first place after the one before.

`parse` gives the same answers (a property test holds them equal): when the first place of a literal
leaves no way to match the rest, no later place does, as everything between is free. Matching here
never tries twice, so that no key takes longer than its length.

Captures stay in the text, as positions. For look-ups each capture is one number: ten million
strings would take a gigabyte. Equal captures have equal numbers; `equal_captures` checks the
reverse. Numbers differ from run to run, so that a folder whose files all have one number cannot be
constructed.
"""

import os
from bisect import bisect_left
from typing import Final

import numpy as np
from msgspec import Struct

from labelingest.columns.fingerprints import mix, part_fingerprints
from labelingest.columns.keys import Keys
from labelingest.columns.text_order import Words, equal_texts
from labelingest.columns.types import Bool, Int64, UInt8, UInt64
from labelingest.pairing.file_kinds import chunks
from labelingest.pairing.rules import Pattern

__all__ = ["Affixes", "Spans", "ending_with", "equal_captures", "first_row", "row_of"]

_SECRET: Final = int.from_bytes(os.urandom(8), "little")


class Spans(Struct, frozen=True, eq=False):
    """Captures of the k placeholders of a pattern in n keys, as positions in the keys' text."""

    rows: Int64
    """(n,) rows of the keys that match."""
    begins: tuple[Int64, ...]
    """k times (n,) position at which each capture begins, in the order of the placeholders' names."""
    ends: tuple[Int64, ...]
    """k times (n,) position at which each capture ends."""

    def captures(self, keys: Keys) -> list[tuple[bytes, ...]]:
        """Return the captured bytes, row by row."""
        text = keys.text
        columns = [
            [text[a:b] for a, b in zip(begin.tolist(), end.tolist(), strict=True)]
            for begin, end in zip(self.begins, self.ends, strict=True)
        ]
        return list(zip(*columns, strict=True))

    def fingerprints(self, words: Words) -> UInt64:
        """Return (n,) a number for what each row captures, given the words of the keys' text."""
        number = np.full(len(self.rows), _SECRET, dtype=np.uint64)
        for begin, end in zip(self.begins, self.ends, strict=True):
            number = mix(number ^ part_fingerprints(words, begin, end, _SECRET))
        return number


class Affixes(Struct, frozen=True):
    """A pattern as bytes: the beginning and the end of a key, and the literals between placeholders.

    Examples
    --------
    >>> keys = Keys.from_texts(["images/a.jpg", "images/b.png", "labels/a.txt"])
    >>> images = Affixes.from_pattern(Pattern("images/{name}.jpg", "image file pattern"))
    >>> spans = images.spans(keys, np.arange(3))
    >>> spans.rows.tolist(), spans.captures(keys)
    ([0], [(b'a',)])
    """

    prefix: bytes
    suffix: bytes
    between: tuple[bytes, ...] = ()
    """(k - 1,) literals between k placeholders; they may be empty."""
    order: tuple[int, ...] = (0,)
    """(k,) positions of the placeholders, in the order of their names."""
    at_least: int = 1
    """Bytes that the last placeholder captures at least; 0 for suffixes, which may be the whole key."""

    @classmethod
    def from_pattern(cls, pattern: Pattern) -> "Affixes":
        """Return the affixes of a pattern."""
        first, *between, last = (literal.encode() for literal in pattern.literals)
        return cls(first, last, tuple(between), pattern.order)

    def match(self, keys: Keys, rows: Int64) -> Int64:
        """Return the rows that match.

        Parameters
        ----------
        keys
            Keys in order.
        rows
            (n,) rows, ascending.
        """
        rows = self._in_range(keys, rows)
        matched, count = np.empty(len(rows), dtype=np.int64), 0
        for chunk in chunks(rows):
            found_rows = self.spans(keys, chunk).rows
            matched[count : count + len(found_rows)] = found_rows
            count += len(found_rows)
        return matched[:count] if count > len(rows) // 2 else matched[:count].copy()

    def numbers(self, keys: Keys, rows: Int64) -> UInt64:
        """Return (n,) a number for what each row captures; all rows match."""
        words = Words(keys.text)
        parts = [self.spans(keys, chunk).fingerprints(words) for chunk in chunks(rows)]
        return np.concatenate([np.zeros(0, dtype=np.uint64), *parts])

    def fields(self, keys: Keys, rows: Int64) -> dict[int, tuple[str, ...]]:
        """Return the captured values of the rows that match, as text, by row."""
        fields_by_row = {}
        for chunk in chunks(self._in_range(keys, rows)):
            spans = self.spans(keys, chunk)
            for row, captured in zip(spans.rows.tolist(), spans.captures(keys), strict=True):
                fields_by_row[row] = tuple(field.decode() for field in captured)
        return fields_by_row

    def spans(self, keys: Keys, rows: Int64) -> Spans:
        """Return the captures of the rows that match, as positions.

        Parameters
        ----------
        rows
            (n,) rows whose keys begin with the prefix; fast for rows that follow each other.
        """
        rows = ending_with(keys, rows, self.suffix)
        begins = [keys.offsets[rows] + len(self.prefix)]
        stop = keys.offsets[rows + 1] - len(self.suffix)
        ends = []
        text = np.frombuffer(keys.text, dtype=np.uint8)
        for literal in self.between:
            # Each placeholder captures at least one character before the literal that ends it.
            find = _find if literal else _skip_character
            ends.append(find(text, literal, begins[-1], stop))
            begins.append(ends[-1] + len(literal))
        ends.append(stop)
        matched = stop - begins[-1] >= self.at_least
        return Spans(
            rows[matched],
            tuple(begins[i][matched] for i in self.order),
            tuple(ends[i][matched] for i in self.order),
        )

    def _in_range(self, keys: Keys, rows: Int64) -> Int64:
        """Return the rows whose keys begin with the prefix."""
        first = first_row(keys, self.prefix)
        # No byte of UTF-8 is 0xff, so this lies behind every key that begins with the prefix.
        last = first_row(keys, self.prefix + b"\xff")
        return rows[np.searchsorted(rows, first) : np.searchsorted(rows, last)]


def equal_captures(
    keys: Keys, left: Affixes, left_rows: Int64, right: Affixes, right_rows: Int64
) -> Bool:
    """Return (n,) whether pairs of rows, each row matching its own pattern, capture the same values.

    Examples
    --------
    >>> keys = Keys.from_texts(["a.jpg", "a.txt", "b.txt"])
    >>> images, labels = Affixes(b"", b".jpg"), Affixes(b"", b".txt")
    >>> equal_captures(keys, images, np.array([0, 0]), labels, np.array([1, 2])).tolist()
    [True, False]
    """
    same = [np.zeros(0, dtype=np.bool_)]
    words = Words(keys.text)
    for lefts, rights in zip(chunks(left_rows), chunks(right_rows), strict=True):
        if not left.between:
            spans = left.spans(keys, lefts), right.spans(keys, rights)
            same.append(_equal_spans(words, spans[0], words, spans[1]))
            continue
        # Gathered, because scattered rows would make each search run through all keys.
        left_keys, right_keys = keys.pick(lefts), keys.pick(rights)
        all_rows = np.arange(len(lefts))
        spans = left.spans(left_keys, all_rows), right.spans(right_keys, all_rows)
        same.append(_equal_spans(Words(left_keys.text), spans[0], Words(right_keys.text), spans[1]))
    return np.concatenate(same)


def _equal_spans(words: Words, spans: Spans, other_words: Words, others: Spans) -> Bool:
    """Return (n,) whether the captures of rows and of other rows have the same bytes."""
    equal = np.ones(len(spans.rows), dtype=np.bool_)
    for begin, end, other_begin, other_end in zip(
        spans.begins, spans.ends, others.begins, others.ends, strict=True
    ):
        equal &= equal_texts((words, begin, end), (other_words, other_begin, other_end))
    return equal


def first_row(keys: Keys, key: bytes) -> int:
    """Return the first row that is not before a key; the key need not exist.

    Examples
    --------
    >>> first_row(Keys.from_texts(["a", "c", "d"]), b"b")
    1
    """
    text, offsets = keys.text, keys.offsets
    rows = range(len(keys))
    return bisect_left(rows, key, key=lambda row: text[offsets[row] : offsets[row + 1]])


def row_of(keys: Keys, key: str) -> int | None:
    """Return the row of a key; None where no row has it.

    Examples
    --------
    >>> row_of(Keys.from_texts(["a", "c"]), "c"), row_of(Keys.from_texts(["a", "c"]), "b")
    (1, None)
    """
    row = first_row(keys, key.encode())
    return row if row < len(keys) and keys[row] == key else None


def ending_with(keys: Keys, rows: Int64, suffix: bytes) -> Int64:
    """Return the rows whose keys end with a suffix.

    Examples
    --------
    >>> ending_with(Keys.from_texts(["a.jpg", "b.txt", "txt"]), np.arange(3), b".txt").tolist()
    [1]
    """
    text = np.frombuffer(keys.text, dtype=np.uint8)
    ends = keys.offsets[rows + 1]
    long_enough = ends - keys.offsets[rows] >= len(suffix)
    rows, ends = rows[long_enough], ends[long_enough]
    for back, byte in enumerate(reversed(suffix), start=1):
        equal = text[ends - back] == byte
        if not equal.all():
            rows, ends = rows[equal], ends[equal]
    return rows


def _find(text: UInt8, literal: bytes, begin: Int64, stop: Int64) -> Int64:
    """Return (n,) the first position of a literal behind begin that ends before stop, else stop."""
    if not len(begin):
        return stop
    low, high = int(begin.min()), int(stop.max())
    window = text[low : max(high, low)]
    places = np.flatnonzero(window[: max(len(window) - len(literal) + 1, 0)] == literal[0])
    for i, byte in enumerate(literal[1:], start=1):
        places = places[window[places + i] == byte]
    places = np.append(places + low, len(text))
    place = places[np.minimum(np.searchsorted(places, begin + 1), len(places) - 1)]
    return np.where(place + len(literal) <= stop, place, stop)


def _skip_character(text: UInt8, literal: bytes, begin: Int64, stop: Int64) -> Int64:
    """Return (n,) the position after the character that starts at begin, at most stop."""
    del literal  # an empty one: the placeholder before it captures one character
    position = np.minimum(begin + 1, stop)
    for _ in range(3):  # a character of UTF-8 has at most three bytes more
        is_continuation = (position < stop) & (
            text[np.minimum(position, len(text) - 1)] & 0xC0 == 0x80
        )
        position = position + is_continuation
    return position
