"""Find label sidecars of a listing that a folder's rule does not look for.

Sidecars of another suffix are certain only by their contents: metadata lies beside data files too.
The first bytes of a few are read, and only where nothing pairs by the folder's own rule.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from labelingest.folders.settings import FolderSettings
from labelingest.model.blobs import Unread
from labelingest.model.listing import Listing
from labelingest.pairing.layouts import LayoutGuess, recognise
from labelingest.pairing.match import ending_with
from labelingest.pairing.near_misses.exports import HEAD_BYTES, has_keys_of_rows
from labelingest.pairing.rules import PatternRule, SuffixRule
from labelingest.pairing.suffixes import SuffixGuess, suffixes
from labelingest.pipeline.pairing_rule import as_flags
from labelingest.storage.base import Storage

__all__ = ["other_rules", "other_suffix"]

_LOOKED_AT: Final = 3
"""Suffixes that are looked at, and files of each."""


def other_suffix(
    listing: Listing, rule: SuffixRule, metadata: SuffixRule | None, storage: Storage
) -> tuple[SuffixGuess, str] | None:
    """Return another suffix of sidecars that hold label rows, and one of them; None without one.

    Parameters
    ----------
    listing, storage
        Files of the folder, and the storage that has them.
    rule, metadata
        Rules by which nothing pairs.
    """
    for guess in _guesses(listing, rule, metadata):
        rows = ending_with(listing.keys, np.arange(len(listing)), guess.rule.suffix.encode())
        keys = listing.keys.take(rows[:_LOOKED_AT])
        heads = storage.fetch_heads(keys, HEAD_BYTES)
        for key, head in zip(keys, heads, strict=True):
            if not isinstance(head, Unread) and has_keys_of_rows(head):
                return guess, key
    return None


def _guesses(
    listing: Listing, rule: SuffixRule, metadata: SuffixRule | None
) -> Sequence[SuffixGuess]:
    names = {rule.suffix, metadata.suffix if metadata else rule.suffix}
    return [guess for guess in suffixes(listing) if guess.rule.suffix not in names][:_LOOKED_AT]


def other_rules(listing: Listing, settings: FolderSettings) -> str:
    """Return the flags of usual rules of the other format by which files pair; "" without any."""
    guesses: Sequence[SuffixGuess | LayoutGuess] = recognise(listing)
    if isinstance(settings.rule, PatternRule):
        guesses = [guess for guess in suffixes(listing) if guess.rule == SuffixRule()]
    return "".join(f"; {g.pairs:,} would pair by {as_flags(g.rule)}" for g in guesses)
