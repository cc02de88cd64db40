"""Find exports: JSON files that hold the label rows of many data files as one list.

Encord's client exports a project so. Nothing pairs with such a file, and its data files have no labels.
"""

from collections.abc import Callable, Sequence
from shlex import quote
from typing import Final

import numpy as np

from labelingest.model.listing import Listing
from labelingest.pairing.match import ending_with
from labelingest.pairing.near_misses.differences import Cause
from labelingest.pairing.near_misses.near_misses import NearMiss
from labelingest.pairing.near_misses.shell import shell_word

__all__ = ["HEAD_BYTES", "exports", "has_keys_of_rows"]

HEAD_BYTES: Final = 4096
"""First bytes of a file that tell: a label row begins with its hashes and titles."""
_MAX_LOOKED_INTO: Final = 20
_KEYS_OF_ROWS: Final = (b'"label_hash"', b'"data_hash"', b'"data_title"', b'"data_units"')
_MARK: Final = b"\xef\xbb\xbf"


def exports(
    listing: Listing, heads: Callable[[Sequence[str]], Sequence[bytes]], place: str
) -> list[NearMiss]:
    """Return the exports of a listing, with the command that splits them.

    Parameters
    ----------
    heads
        Returns the first `HEAD_BYTES` bytes of files.
    place
        Storage path as the user named it.

    Examples
    --------
    >>> listing = Listing.from_entries([("a.jpg", 9, 0), ("export.json", 900, 0)])
    >>> [miss] = exports(listing, lambda keys: [b'[{"label_hash": "x", "data_title": "a.jpg"'], "data")
    >>> miss.fix
    'labelingest split export.json data --out data writes each beside its data file'
    """
    keys = listing.keys
    rows = ending_with(keys, np.arange(len(keys)), b".json")[:_MAX_LOOKED_INTO]
    candidates = keys.take(rows)
    if not candidates:
        return []
    return [
        NearMiss(
            Cause.EXPORT,
            1,
            (key,),
            f"{key!r} holds a list of label rows, as an export of a project does",
            f"labelingest split {shell_word(key)} {quote(place)} --out {quote(place)} "
            "writes each beside its data file",
        )
        for key, head in zip(candidates, heads(candidates), strict=True)
        if _is_list_of_rows(head)
    ]


def has_keys_of_rows(head: bytes) -> bool:
    """Return whether the first bytes of a file have a key of label rows.

    Examples
    --------
    >>> has_keys_of_rows(b'{"label_hash": "x"'), has_keys_of_rows(b'{"shapes": []')
    (True, False)
    """
    return any(key in head for key in _KEYS_OF_ROWS)


def _is_list_of_rows(head: bytes) -> bool:
    text = head.removeprefix(_MARK).lstrip()
    is_list = text.startswith(b"[") and text[1:].lstrip().startswith(b"{")
    return is_list and has_keys_of_rows(text)
