"""Guess the suffixes of the JSON sidecars of a listing, so that users need not know them."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import numpy as np
from msgspec import Struct

from labelingest.columns.keys import Keys
from labelingest.model.kinds import kind_of
from labelingest.model.listing import Listing
from labelingest.pairing.match import ending_with, first_row, row_of
from labelingest.pairing.rules import MAX_SUFFIX, SuffixRule

__all__ = ["SuffixGuess", "named_after_stems", "suffixes"]

_MOST_LOOKED_AT: Final = 20_000
_JSON: Final = b".json"
_NEIGHBOURS: Final = 4
"""Files checked for one stem: an image, and the files that accompany it."""


class SuffixGuess(Struct, frozen=True):
    """A suffix that sidecars of a listing have."""

    rule: SuffixRule
    pairs: int
    """Number of the examined sidecars that have a data file."""


def suffixes(listing: Listing) -> list[SuffixGuess]:
    """Return the suffixes of JSON files that lie beside their data files, most frequent first.

    The function examines the first files that end with `.encord.json`, and the first that end with
    `.json`.

    Examples
    --------
    >>> keys = ["a.jpg", "a.jpg.labels.json", "b.jpg", "b.jpg.labels.json", "notes.json"]
    >>> [guess] = suffixes(Listing.from_entries((key, 1, 0) for key in keys))
    >>> guess.rule.suffix, guess.pairs
    ('.labels.json', 2)
    """
    keys = listing.keys
    rows = ending_with(keys, np.arange(len(keys)), _JSON)
    usual = ending_with(keys, rows, SuffixRule().suffix.encode())
    looked_at = np.unique(np.concatenate([usual[:_MOST_LOOKED_AT], rows[:_MOST_LOOKED_AT]]))
    count: Counter[str] = Counter()
    before = keys.take(np.maximum(looked_at - 1, 0))
    for key, key_before in zip(keys.take(looked_at), before, strict=True):
        count.update(set(_suffixes_of(key, key_before, keys)))
    ordered = sorted(count.items(), key=lambda item: (-item[1], item[0]))
    return [SuffixGuess(SuffixRule(suffix), pairs) for suffix, pairs in ordered]


def named_after_stems(listing: Listing) -> list[tuple[str, str]]:
    """Return the JSON files named after a data file's name without extension, with the data files.

    That is the likeliest mistake: a sidecar is named after the whole name.

    Examples
    --------
    >>> named_after_stems(Listing.from_entries((key, 1, 0) for key in ["a.encord.json", "a.jpg"]))
    [('a.encord.json', 'a.jpg')]
    """
    keys = listing.keys
    rows = ending_with(keys, np.arange(len(keys)), _JSON)[:_MOST_LOOKED_AT]
    data_files = ((key, _data_file(key, keys)) for key in keys.take(rows))
    return [(key, data) for key, data in data_files if data is not None]


def _data_file(key: str, keys: Keys) -> str | None:
    """Return the data file after whose stem a JSON file is named."""
    stem = key.removesuffix(".json").removesuffix(".encord") + "."
    first = first_row(keys, stem.encode())
    for other in keys.take(np.arange(first, min(first + _NEIGHBOURS, len(keys)))):
        if not other.startswith(stem):
            break
        if not other.endswith(".json") and kind_of(other) is not None:
            return other
    return None


def _suffixes_of(key: str, key_before: str, keys: Keys) -> Iterator[str]:
    """Yield the rests of a key behind the keys of data files that begin it.

    The data file nearly always comes right before its sidecar in the order of keys.
    """
    start = key.rfind("/") + 1
    dot = key.find(".", start + 1)
    while dot != -1:
        data, suffix = key[:dot], key[dot:]
        if (
            len(suffix) <= MAX_SUFFIX
            and kind_of(data) is not None
            and (data == key_before or row_of(keys, data) is not None)
        ):
            yield suffix
        dot = key.find(".", dot + 1)
