"""Refuse patterns that pair nothing although label files exist, and say why they do not pair.

Patterns that pair nothing are a mistake: they are mistyped, or the files were moved. A folder without
any label file yet is no mistake, and neither is one whose labels may be hidden.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

import numpy as np

from labelingest.columns.keys import Keys
from labelingest.errors import ConfigError, StorageError
from labelingest.folders.locations import Places
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.items import KIND_NAMES
from labelingest.folders.sync.scan import Scan, scan
from labelingest.model.kinds import DataKind
from labelingest.model.listing import Listing
from labelingest.pairing.match import ending_with
from labelingest.pairing.near_misses.near_misses import near_misses
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import PatternRule
from labelingest.pipeline.pairing_rule import as_flags

__all__ = ["LOOKED_AT", "refuse_listed", "refuse_unpaired"]

LOOKED_AT: Final = 200_000
"""Keys of a storage path that are listed before settings are accepted: seconds, in any store."""
_FEWEST: Final = 2
"""Unpaired label files that show a mistake: a single one is an orphan."""
_SHOWN: Final = 3
"""Near misses that a message repeats."""
_CURE: Final = (
    "mend the patterns with labelingest folder configure, or give --allow-mass-delete if they are no "
    "labels"
)
_CURE_OF_NEW: Final = (
    "mend the patterns, or create the folder without --images and --labels: labelingest folder "
    "configure takes labels in once they are there"
)
_IMAGE: Final = KIND_NAMES.index(DataKind.IMAGE)
_TEXT: Final = re.compile(
    r"(?:.*/)?(?:classes|labels|predefined_classes|train|val|valid|test|trainval|README.*"
    r"|LICEN[CS]E.*|requirements.*|robots)\.\w+",
    re.DOTALL | re.IGNORECASE,
)
"""Keys of texts that lie beside label files and have the same ending."""


def refuse_unpaired(
    scanned: Scan, settings: FolderSettings, *, cure: str = _CURE, has_rows: bool = False
) -> None:
    """Refuse patterns that pair nothing where files end as label files do.

    Parameters
    ----------
    scanned, settings
        Data files of a listing, and settings of the folder.
    cure
        Cure, for the message.
    has_rows
        Whether the folder has label rows: patterns that pair nothing are refused in any case then.

    Raises
    ------
    ConfigError
        Nothing pairs; the message names near misses.
    """
    rule = settings.rule
    if not isinstance(rule, PatternRule) or scanned.sidecars or scanned.listing.hiding:
        return
    listing, ending = scanned.listing, rule.label_pattern.literals[-1]
    examples = list(islice(_label_files(listing.keys, ending), _FEWEST))
    if (len(examples) < _FEWEST and not has_rows) or not (scanned.kind == _IMAGE).any():
        return  # a label file without image, or labels without any image: named by the sync
    but = f"files end with {ending!r}, as {examples[0]!r}" if examples else "it has label rows"
    pairs = pair(listing, rule, settings.metadata_rule)
    misses = near_misses(listing, pairs, rule, place=settings.storage_path)
    hints = "".join(f"\nnear miss: {miss}" for miss in misses[:_SHOWN])
    raise ConfigError(
        f"no data file in {settings.storage_path!r} has a label file by {as_flags(rule)}, but {but}: "
        f"nothing was changed; {cure}{hints}"
    )


def _label_files(keys: Keys, ending: str) -> Iterator[str]:
    """Yield the keys that end as label files do; nothing where label files have no ending."""
    if ending:
        rows = ending_with(keys, np.arange(len(keys)), ending.encode())
        yield from (key for row in rows.tolist() if not _TEXT.fullmatch(key := keys[row]))


def refuse_listed(
    places: Places, settings: FolderSettings, *, is_new: bool = False, has_rows: bool = False
) -> str:
    """List a storage path as far as that is quick, and refuse patterns that pair nothing.

    A storage path that cannot be listed passes: the sync reports it.

    Parameters
    ----------
    places, settings
        Open storages and settings of the folder.
    is_new
        Whether the folder is being created.
    has_rows
        As for `refuse_unpaired`.

    Returns
    -------
    str
        Notice that no label file fits the patterns yet; "" where one fits, or the listing is too
        long to tell.

    Raises
    ------
    ConfigError
        As `refuse_unpaired`.
    """
    if not isinstance(settings.rule, PatternRule) or settings.allow_mass_delete:
        return ""
    pages, count = list[Listing](), 0
    try:
        for page in places.storage.list(exclude=places.exclude):
            pages.append(page)
            count += len(page)
            if count > LOOKED_AT:
                return ""
    except StorageError:
        return ""
    scanned = scan(Listing.from_pages(pages), settings)
    cure = _CURE_OF_NEW if is_new else _CURE
    refuse_unpaired(scanned, settings, cure=cure, has_rows=has_rows)
    if scanned.sidecars or scanned.listing.hiding:
        return ""
    return (
        f"no data file in {settings.storage_path!r} has a label file by {as_flags(settings.rule)} "
        "yet: items come without label rows until label files are there"
    )
