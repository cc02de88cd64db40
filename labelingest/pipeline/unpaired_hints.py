"""Hints for a folder whose files do not pair: what it holds, and what would pair its files.

Where nothing pairs, hints come in this order: other layouts that pair files, exports of a project, label
rows called after the stem of their data file. Files that look like pairs follow in any case.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Final

from labelingest.model.kinds import KIND_OF_EXTENSION, DataKind, extension_of
from labelingest.model.listing import Listing
from labelingest.model.pairs import Pairs
from labelingest.pairing.layouts import recognise
from labelingest.pairing.near_misses.commands import Commands
from labelingest.pairing.near_misses.differences import Cause
from labelingest.pairing.near_misses.exports import HEAD_BYTES, exports, has_keys_of_rows
from labelingest.pairing.near_misses.near_misses import NearMiss, near_misses
from labelingest.pairing.rules import SuffixRule
from labelingest.pairing.suffixes import named_after_stems, suffixes
from labelingest.pipeline.pairing_rule import PairingRule, as_flags
from labelingest.storage.base import Storage

__all__ = ["contents", "hints"]

_LOOKED_AT: Final = 200_000
"""Keys whose extensions are counted: a tenth of a second."""
_EXTENSIONS: Final = 4
"""Extensions that a message names."""
_LABELS: Final = frozenset({"txt", "json"})
"""Extensions of label files."""
_LAYOUTS: Final = 3
"""Other layouts that are named."""


def contents(listing: Listing) -> str:
    """Return what a folder holds, by extension, and whether images or label files are missing.

    Examples
    --------
    >>> contents(Listing.from_entries((key, 1, 0) for key in ["a.jpg", "b.jpg", "a.txt", "README"]))
    '2 .jpg, 1 without extension, 1 .txt'
    >>> contents(Listing.from_entries((key, 1, 0) for key in ["a.jpg", "a.xml"]))
    "1 .jpg, 1 .xml, and no label file: YOLO's end in .txt, Encord's in .json"
    """
    counts = Counter(map(extension_of, islice(listing.keys, _LOOKED_AT)))
    names = [
        f"{count:,} .{extension}" if extension else f"{count:,} without extension"
        for extension, count in counts.most_common(_EXTENSIONS)
    ]
    others = counts.total() - sum(count for _, count in counts.most_common(_EXTENSIONS))
    words = ", ".join([*names, *([f"{others:,} others"] if others else [])])
    if len(listing) > _LOOKED_AT:
        return f"{words} and more"
    if not counts.keys() & _LABELS:
        return f"{words}, and no label file: YOLO's end in .txt, Encord's in .json"
    kinds = {KIND_OF_EXTENSION.get(extension) for extension in counts}
    return words if kinds - {None, DataKind.TEXT} else f"{words}, and no image"


def hints(
    storage: Storage, path: str, listing: Listing, pairs: Pairs, rule: PairingRule, command: str
) -> list[NearMiss]:
    """Return what would pair files that do not pair, the likeliest first.

    Parameters
    ----------
    storage, path
        The folder, and its storage path as the user named it.
    listing, pairs, rule
        The files of the folder, and how they pair.
    command
        The command that pairs the files by this rule.
    """

    def small_file(key: str) -> bytes:
        return storage.fetch([key]).get(0)

    misses = near_misses(listing, pairs, rule, small_files=small_file, place=path, command=command)
    if len(pairs):
        return misses
    heads = partial(_heads, storage)
    others = [*_other_layouts(listing, rule)]
    return [
        *others,
        *exports(listing, heads, path),
        *_stems(listing, heads, path, command),
        *misses,
    ]


def _heads(storage: Storage, keys: Sequence[str]) -> list[bytes]:
    heads = storage.fetch_heads(keys, HEAD_BYTES)
    return [head if isinstance(head, bytes) else b"" for head in heads]


def _other_layouts(listing: Listing, rule: PairingRule) -> Iterator[NearMiss]:
    """Yield the layouts that pair files, although the rule pairs none."""
    guesses: list[tuple[PairingRule, int, str]] = [
        (guess.rule, guess.pairs, guess.description) for guess in recognise(listing)
    ]
    guesses += [
        (guess.rule, guess.pairs, "JSON files beside their data files")
        for guess in suffixes(listing)
    ]
    for other, count, description in [g for g in guesses if g[0] != rule][:_LAYOUTS]:
        detail = (
            f"another layout pairs {count:,} {'file' if count == 1 else 'files'}: {description}"
        )
        yield NearMiss(Cause.OTHER_LAYOUT, 1, (), detail, f"use {as_flags(other)}")


def _stems(
    listing: Listing, heads: Callable[[Sequence[str]], Sequence[bytes]], path: str, command: str
) -> Iterator[NearMiss]:
    """Yield label rows called after the stems of their data files; the first one's content tells."""
    couples = named_after_stems(listing)
    if not couples or not has_keys_of_rows(heads([couples[0][0]])[0]):
        return
    renames = tuple((sidecar, data + SuffixRule().suffix) for sidecar, data in couples)
    sidecar, data = couples[0]
    yield NearMiss(
        Cause.STEM,
        len(renames),
        (data, sidecar),
        f"{sidecar!r} is called after {data!r} without its extension; an Encord sidecar has the whole "
        "name",
        Commands(path).rename(*renames[0]),
        renames=renames,
        command=command,
    )
