"""Recognise the usual layouts of YOLO folders in a listing, so that users need not write patterns.

A layout is recognised when it pairs at least one image. That threshold is low on purpose: with two
layouts recognised the caller has to ask, and a few files that pair another way may be the ones that
matter. One kind of accident is excluded: side by side, `README.png` and `README.txt` are a picture
and its text, not an image and its labels. Every other pair of files in one folder counts.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from labelingest.columns.fingerprints import mix, part_fingerprints
from labelingest.columns.keys import Keys
from labelingest.columns.text_order import Words
from labelingest.columns.types import Int64
from labelingest.model.kinds import DataKind
from labelingest.model.listing import Listing
from labelingest.model.pairs import Pairs
from labelingest.pairing.file_kinds import KINDS, chunks, folder_numbers, kind_numbers
from labelingest.pairing.match import ending_with
from labelingest.pairing.names import Names
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import PatternRule

__all__ = ["USUAL_LABELS", "LayoutGuess", "recognise"]

USUAL_LABELS: Final = ".txt"
"""Ending of the label files of all layouts."""

_NO_LABELS: Final = frozenset({"readme", "license", "licence", "notice", "changelog", "classes"})
"""Names, without extension and in lower case, of files that describe the other files."""


class LayoutGuess(Struct, frozen=True):
    """A layout that a listing may have."""

    rule: PatternRule
    """Rule with one image file pattern for each extension, as spelt, of the layout's images."""
    pairs: int
    """Number of images that the rule pairs; at least one."""
    description: str
    """The layout in words, for a person."""


class _Layout(Struct, frozen=True):
    image: str
    """Image file pattern up to its extension."""
    labels: str
    description: str
    is_about: Callable[[str], bool]
    """Return whether an image key belongs to the layout."""


_LAYOUTS: Final = (
    _Layout(
        "images/{name}",
        "labels/{name}" + USUAL_LABELS,
        "the folder images beside the folder labels",
        lambda key: key.startswith("images/"),
    ),
    _Layout(
        "{split}/images/{name}",
        "{split}/labels/{name}" + USUAL_LABELS,
        "folders that have images and labels in them",
        # Behind at least one character, which belongs to the split.
        lambda key: "/images/" in key[1:],
    ),
    _Layout(
        "{name}",
        "{name}" + USUAL_LABELS,
        "each label file beside its image",
        lambda key: True,
    ),
)
_BESIDE: Final = _LAYOUTS[2]


def recognise(listing: Listing) -> list[LayoutGuess]:
    """Return the usual layouts that pair at least one file of a listing.

    Callers use a single layout, and ask the user where several pair files.

    Examples
    --------
    >>> keys = ["images/a.JPG", "images/b.png", "labels/a.txt", "labels/b.txt"]
    >>> [guess] = recognise(Listing.from_entries((key, 1, 0) for key in keys))
    >>> guess.rule.images, guess.rule.labels, guess.pairs
    (('images/{name}.JPG', 'images/{name}.png'), 'labels/{name}.txt', 2)
    """
    keys = listing.keys
    texts = ending_with(keys, np.arange(len(keys)), USUAL_LABELS.encode())
    images = _images(keys)
    if not len(texts) or not len(images):
        return []
    examples = _examples(keys, images)
    guesses = (_guess(listing, layout, images, texts, examples) for layout in _LAYOUTS)
    return [guess for guess in guesses if guess is not None]


def _images(keys: Keys) -> Int64:
    return np.flatnonzero(kind_numbers(keys, np.arange(len(keys))) == KINDS.index(DataKind.IMAGE))


def _guess(
    listing: Listing, layout: _Layout, images: Int64, texts: Int64, examples: Sequence[str]
) -> LayoutGuess | None:
    if layout is _BESIDE and not _share_a_folder(listing.keys, images, texts):
        return None
    extensions = sorted({key.rpartition(".")[2] for key in examples if layout.is_about(key)})
    if not extensions:
        return None
    patterns = tuple(f"{layout.image}.{extension}" for extension in extensions)
    rule = PatternRule(patterns, layout.labels)
    pairs = pair(listing, rule)
    count = len(pairs)
    if layout is _BESIDE:
        count -= sum(_is_about_others(key) for key in _sidecars(listing.keys, pairs))
    return LayoutGuess(rule, count, layout.description) if count > 0 else None


def _share_a_folder(keys: Keys, images: Int64, texts: Int64) -> bool:
    """Return whether any label file lies in the folder of an image: cheaper than pairing them."""
    folders = folder_numbers(keys, texts)
    return bool(np.isin(folder_numbers(keys, images), folders, kind="sort").any())


def _examples(keys: Keys, images: Int64) -> list[str]:
    """Return keys of images: one at least for each folder and extension, as they are spelt."""
    words = Words(keys.text)
    examples: dict[int, str] = {}
    for rows in chunks(images):
        ends = keys.offsets[rows + 1]
        lengths = Names.from_rows(keys, rows).extension_lengths()
        extensions = part_fingerprints(words, ends - lengths, ends, 0)
        numbers, places = np.unique(mix(folder_numbers(keys, rows) ^ extensions), return_index=True)
        new = [place for place, n in enumerate(numbers.tolist()) if n not in examples]
        new_keys = keys.take(rows[places[new]])
        examples |= zip(numbers[new].tolist(), new_keys, strict=True)
    return list(examples.values())


def _sidecars(keys: Keys, pairs: Pairs) -> Iterator[str]:
    for rows in chunks(pairs.sidecar):
        yield from keys.take(rows)


def _is_about_others(key: str) -> bool:
    name = key.rpartition("/")[2]
    return name.removesuffix(USUAL_LABELS).lower() in _NO_LABELS
