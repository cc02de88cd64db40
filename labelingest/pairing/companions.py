"""Find the keys with names of companion files among many, without a string for each key.

The answers equal those of `labelingest.model.companions` for one key (a property test holds them
equal). The first and last bytes and the length of a name leave few suspects, and only these become
strings.
"""

from typing import Final

import numpy as np

from labelingest.columns.keys import Keys
from labelingest.columns.types import Bool, Int64, UInt8, UInt64
from labelingest.model.companions import CLASS_LIST_ENDING, COMPANION_NAMES, is_companion
from labelingest.pairing.file_kinds import chunks, junk_among
from labelingest.pairing.names import WORD, Names, lower_word

__all__ = ["junk_and_companions"]


def junk_and_companions(keys: Keys) -> tuple[Int64, Int64]:
    """Return the rows of junk, and the rows of files with names of companion files; both ascending.

    Both come from one pass over the names, which is most of the time.

    Examples
    --------
    >>> keys = Keys.from_texts([".DS_Store", "a.txt", "data.yaml", "labels/Classes.txt"])
    >>> [rows.tolist() for rows in junk_and_companions(keys)]
    [[0], [2, 3]]
    """
    junk, companions = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for rows in chunks(np.arange(len(keys))):
        names = Names.from_rows(keys, rows)
        junk.append(junk_among(keys, rows, names))
        suspects = rows[_suspects(names)]
        is_name = [is_companion(key) for key in keys.take(suspects)]
        companions.append(suspects[np.array(is_name, dtype=np.bool_)])
    return np.concatenate(junk), np.concatenate(companions)


def _bytes_in(letters: str) -> Bool:
    """Return (256,) whether a byte is one of these letters, in either case."""
    table = np.zeros(256, dtype=np.bool_)
    table[np.frombuffer((letters.lower() + letters.upper()).encode(), dtype=np.uint8)] = True
    return table


def _word(text: str) -> int:
    return int.from_bytes(text.encode()[:WORD], "little")


_FIRST: Final = _bytes_in("".join(name[0] for name in COMPANION_NAMES))
_LAST: Final = _bytes_in("".join(name[-1] for name in COMPANION_NAMES))
_DOCUMENT_FIRST: Final = _bytes_in("rl")
_ENDING_LAST: Final = _bytes_in(CLASS_LIST_ENDING[-1])
_LENGTH_BITS: Final = np.uint64(56)
_MARKS: Final = np.array(
    sorted(_word(name) ^ (len(name) << 56) for name in COMPANION_NAMES), dtype=np.uint64
)
"""First eight bytes and length of each name, in one number."""
_DOCUMENTS: Final = ("readme", "license", "licence")


def _suspects(names: Names) -> Int64:
    """Return the positions of names that may be those of companion files."""
    first, last = names.text[names.begins], names.text[names.ends - 1]
    near = (_FIRST[first] & _LAST[last]) | _DOCUMENT_FIRST[first] | _ENDING_LAST[last]
    places = np.flatnonzero(near)
    if not len(places):
        return places
    return places[_is_near(names.pick(places), last[places])]


def _is_near(names: Names, last: UInt8) -> Bool:
    """Return (n,) whether eight bytes and the length of a name are those of a companion file."""
    words, lengths = names.beginnings(), names.ends - names.begins
    folded = lower_word(words)
    mark = folded ^ (np.minimum(lengths, 255).astype(np.uint64) << _LENGTH_BITS)
    position = np.minimum(np.searchsorted(_MARKS, mark), len(_MARKS) - 1)
    near: Bool = (_MARKS[position] == mark) | _begins_document(words, folded)
    ending = np.flatnonzero(_ENDING_LAST[last] & (lengths >= len(CLASS_LIST_ENDING)))
    near |= _ends_as_class_list(names, ending)
    return near


def _begins_document(words: UInt64, folded: UInt64) -> Bool:
    near = np.zeros(len(words), dtype=np.bool_)
    for name in _DOCUMENTS:
        mask = np.uint64((1 << 8 * len(name)) - 1)
        behind = folded >> np.uint64(8 * len(name)) & np.uint64(0xFF)
        alone = (folded & mask == _word(name)) & ((behind == 0) | (behind == ord(".")))
        near |= alone | (words & mask == _word(name.upper()))
    return near


def _ends_as_class_list(names: Names, places: Int64) -> Bool:
    near = np.zeros(len(names.ends), dtype=np.bool_)
    for back, byte in enumerate(reversed(CLASS_LIST_ENDING.encode()), start=1):
        letters = names.text[names.ends[places] - back]
        places = places[(letters == byte) | (letters == byte - 0x20) & (byte > 0x60)]
    near[places] = True
    return near
