"""Whether the patterns of a folder pair nothing although label files are there, and why.

Patterns that suddenly pair nothing are a slip: of whoever set them, or of whoever moved the files. A
folder into which no label file has come yet is none; nor is one in which labels may be hidden.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

import numpy as np

from labelingest.errors import ConfigError, StorageError
from labelingest.folders.places import Places
from labelingest.folders.scan import KIND_NAMES, Scan, scan
from labelingest.folders.settings import FolderSettings
from labelingest.model.keys import Keys
from labelingest.model.kinds import DataKind
from labelingest.model.listing import Listing
from labelingest.pairing.match import ending_with
from labelingest.pairing.near_misses import near_misses
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import PatternRule
from labelingest.pipeline.folder import as_flags

__all__ = ["LOOKED_AT", "refuse_listed", "refuse_unpaired"]

LOOKED_AT: Final = 200_000
"""Keys of a storage path that are listed before settings are taken; more are left to the sync."""
_FEWEST: Final = 2
"""Label files that belong to no image by the patterns: one alone is an orphan."""
_SHOWN: Final = 3
_IMAGE: Final = KIND_NAMES.index(DataKind.IMAGE)
_TEXT: Final = re.compile(
    r"(?:.*/)?(?:classes|labels|predefined_classes|train|val|valid|test|trainval|README.*"
    r"|LICEN[CS]E.*|requirements.*|robots)\.\w+",
    re.DOTALL | re.IGNORECASE,
)
"""What lies beside labels, and ends as they do."""


def refuse_unpaired(found: Scan, settings: FolderSettings) -> None:
    """Refuse patterns by which nothing pairs where files end as label files do.

    Raises
    ------
    ConfigError
        Nothing pairs; it says which files are near to it.
    """
    rule = settings.rule
    if not isinstance(rule, PatternRule) or found.sidecars or found.listing.hiding:
        return
    listing, ending = found.listing, rule.label_pattern.literals[-1]
    examples = list(islice(_label_files(listing.keys, ending), _FEWEST))
    if len(examples) < _FEWEST or not (found.kind == _IMAGE).any():
        return  # a label file without image, or labels without any image: named by the sync
    misses = near_misses(listing, pair(listing, rule, settings.metadata_rule), rule)
    hints = "".join(f"\nnear miss: {miss}" for miss in misses[:_SHOWN])
    raise ConfigError(
        f"no data file in {settings.storage_path!r} has a label file by {as_flags(rule)}, but files "
        f"end with {ending!r}, as {examples[0]!r}: nothing was changed; mend the patterns with "
        f"labelingest folder configure, or give --allow-mass-delete if they are no labels{hints}"
    )


def _label_files(keys: Keys, ending: str) -> Iterator[str]:
    """Yield the keys that end as label files do; none where these have no ending."""
    if ending:
        rows = ending_with(keys, np.arange(len(keys)), ending.encode())
        yield from (key for row in rows.tolist() if not _TEXT.fullmatch(key := keys[row]))


def refuse_listed(places: Places, settings: FolderSettings) -> None:
    """List a storage path as far as that is quick, and refuse patterns that pair nothing there.

    Whether it can be listed at all is the sync's to say.

    Raises
    ------
    ConfigError
        As `refuse_unpaired`.
    """
    if not isinstance(settings.rule, PatternRule):
        return
    pages, count = list[Listing](), 0
    try:
        for page in places.storage.list(exclude=places.exclude):
            pages.append(page)
            count += len(page)
            if count > LOOKED_AT:
                return
    except StorageError:
        return
    refuse_unpaired(scan(Listing.from_pages(pages), settings), settings)
