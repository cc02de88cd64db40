"""Find companion files among many keys: by their names, without a string for each key.

The answers equal those of `labelingest.pairing.companion_names` for one key (a property test holds them
equal). The first and last bytes and the length of a name leave few suspects, and only these become
strings.
"""

from typing import Final

import numpy as np

from labelingest.columns.keys import Keys
from labelingest.columns.types import Bool, Int64, UInt8
from labelingest.model.pairs import Outcome
from labelingest.pairing.candidates import rows_with_suffix_added
from labelingest.pairing.companion_names import COMPANION_ENDINGS, COMPANION_NAMES, is_companion
from labelingest.pairing.file_kinds import chunks, junk_among
from labelingest.pairing.names import WORD, Names, lower_word
from labelingest.pairing.rules import PatternRule, SuffixRule

__all__ = ["companions_among", "junk_and_companions"]

_LEFT_OVER: Final = (Outcome.UNLABELLED, Outcome.UNSUPPORTED, Outcome.ORPHAN_SIDECAR)
"""Outcomes of keys that may be companion files instead."""


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
        companions.append(_companions(keys, rows, names))
    return np.concatenate(junk), np.concatenate(companions)


def companions_among(
    keys: Keys,
    outcome: UInt8,
    rows: Int64,
    rule: PatternRule | SuffixRule | None,
    metadata: SuffixRule | None,
) -> Int64:
    """Return those of some rows that nothing else claims: they are companion files.

    Files that pair or are ambiguous, and files with a sidecar of their own, are no companions.

    Parameters
    ----------
    outcome
        (n,) outcome of each key, with pairs.
    rows
        (m,) rows of keys that may be companion files, ascending.
    rule, metadata
        Rules by which label and metadata sidecars are named; None for no such sidecars.
    """
    rows = rows[np.isin(outcome[rows], _LEFT_OVER)]
    if metadata is not None and len(rows):
        sidecars = np.flatnonzero(outcome == Outcome.METADATA_SIDECAR)
        owners = rows_with_suffix_added(keys, rows, metadata.suffix, sidecars)
        rows = np.setdiff1d(rows, owners)
    if isinstance(rule, SuffixRule) and len(rows):
        sidecars = np.flatnonzero(outcome == Outcome.ORPHAN_SIDECAR)
        rows = np.setdiff1d(rows, rows_with_suffix_added(keys, rows, rule.suffix, sidecars))
    return rows


def _companions(keys: Keys, rows: Int64, names: Names) -> Int64:
    """Return those of some rows that have names of companion files; `names` are those of the rows."""
    first, last = names.text[names.begins], names.text[names.ends - 1]
    is_name = np.zeros(len(rows), dtype=np.bool_)
    for ending in COMPANION_ENDINGS:
        is_name[_ending(names, np.flatnonzero(_in_either_case(ending[-1])[last]), ending)] = True
    places = np.flatnonzero(((_FIRST[first] & _LAST[last]) | _DOCUMENT_FIRST[first]) & ~is_name)
    places = places[_is_near(names.pick(places))]
    is_name[places] = [is_companion(key) for key in keys.take(rows[places])]
    companions: Int64 = rows[is_name]
    return companions


def _in_either_case(letters: str) -> Bool:
    """Return (256,) whether a byte is one of these letters, in either case."""
    table = np.zeros(256, dtype=np.bool_)
    table[np.frombuffer((letters.lower() + letters.upper()).encode(), dtype=np.uint8)] = True
    return table


def _word(text: str) -> int:
    return int.from_bytes(text.encode()[:WORD], "little")


_FIRST: Final = _in_either_case("".join(name[0] for name in COMPANION_NAMES))
_LAST: Final = _in_either_case("".join(name[-1] for name in COMPANION_NAMES))
_DOCUMENT_FIRST: Final = _in_either_case("rl")
_LENGTH_BITS: Final = 56
_MARKS: Final = np.array(
    sorted(_word(name) ^ (len(name) << _LENGTH_BITS) for name in COMPANION_NAMES), dtype=np.uint64
)
"""First eight bytes and length of each name, in one number."""
_DOCUMENTS: Final = ("readme", "license", "licence")


def _is_near(names: Names) -> Bool:
    """Return (n,) whether eight bytes and the length of a name are those of a companion file."""
    words, lengths = names.beginnings(), names.ends - names.begins
    folded = lower_word(words)
    mark = folded ^ (np.minimum(lengths, 255).astype(np.uint64) << np.uint64(_LENGTH_BITS))
    position = np.minimum(np.searchsorted(_MARKS, mark), len(_MARKS) - 1)
    near: Bool = _MARKS[position] == mark
    for name in _DOCUMENTS:
        mask = np.uint64((1 << 8 * len(name)) - 1)
        behind = folded >> np.uint64(8 * len(name)) & np.uint64(0xFF)
        near |= (folded & mask == _word(name)) & ((behind == 0) | (behind == ord(".")))
        near |= words & mask == _word(name.upper())
    return near


def _ending(names: Names, places: Int64, ending: str) -> Int64:
    """Return those of some places whose names end so, in either case."""
    places = places[names.ends[places] - names.begins[places] >= len(ending)]
    for back, letter in enumerate(reversed(ending), start=1):
        places = places[_in_either_case(letter)[names.text[names.ends[places] - back]]]
    return places
