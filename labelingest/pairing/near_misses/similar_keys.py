"""Find the keys of a listing that resemble one that does not exist.

A folder of a million files is not compared as a whole: candidates are the files of the same name in
other folders, and the neighbours in order of keys.
"""

from difflib import get_close_matches
from typing import Final

import numpy as np

from labelingest.columns.keys import Keys
from labelingest.columns.types import Int64
from labelingest.pairing.match import ending_with, first_row
from labelingest.pairing.near_misses.differences import Parts

__all__ = ["similar_keys"]

_NEIGHBOURS: Final = 2_000
"""Keys before and behind the missing one that are compared: a tenth of a second."""
_SIMILARITY: Final = 0.75
"""Share of equal characters, as difflib counts, from which on names resemble each other."""
_LONGEST: Final = 512
"""Characters of a name that are compared: the cost grows with their square."""


def similar_keys(keys: Keys, key: str, rows: Int64 | None = None, most: int = 3) -> list[str]:
    """Return keys that resemble a key, the likeliest first.

    Parameters
    ----------
    keys, key
        Keys in order, and the key that is not among them.
    rows
        (n,) rows to choose from, ascending; None for all.
    most
        Number of keys to return at most.

    Examples
    --------
    >>> keys = Keys.from_texts(["images/a.jpg", "images/boat.jpg", "labels/boat.txt"])
    >>> similar_keys(keys, "images/baot.jpg"), similar_keys(keys, "boat.txt")
    (['images/boat.jpg', 'labels/boat.txt'], ['labels/boat.txt', 'images/boat.jpg'])
    """
    rows = np.arange(len(keys)) if rows is None else rows
    name = key.rpartition("/")[2]
    namesakes = keys.take(ending_with(keys, rows, f"/{name}".encode())[:most])
    place = int(np.searchsorted(rows, first_row(keys, key.encode())))
    near = keys.take(rows[max(place - _NEIGHBOURS, 0) : place + _NEIGHBOURS])
    # Without folders and extensions, which many keys share.
    by_stem: dict[str, list[str]] = {}
    for other in near:
        by_stem.setdefault(Parts.from_key(other).stem[:_LONGEST], []).append(other)
    stem = Parts.from_key(key).stem[:_LONGEST]
    close = get_close_matches(stem, by_stem, n=most, cutoff=_SIMILARITY)
    neighbours = [other for stem in close for other in by_stem[stem]]
    return list(dict.fromkeys([*namesakes, *neighbours]))[:most]
