"""Refuse a pairing rule that pairs nothing although label files exist, and say why they do not pair.

Patterns that pair nothing are a mistake: they are mistyped, or the files were moved. So is a suffix
where sidecars have another. A folder without any label file yet is no mistake, and neither is one
whose labels may be hidden. What was in a folder before and is gone is left to the guard against
deletions.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Final

import numpy as np

from labelingest.columns.types import Int64
from labelingest.errors import ConfigError, StorageError
from labelingest.folders.locations import Places
from labelingest.folders.output_owner import without_outputs
from labelingest.folders.settings import FolderSettings
from labelingest.folders.sync.other_sidecars import other_rules, other_suffix
from labelingest.folders.sync.scan import Scan, scan
from labelingest.model.kinds import DataKind
from labelingest.model.listing import Listing
from labelingest.model.pairs import Outcome
from labelingest.pairing.file_kinds import KINDS
from labelingest.pairing.match import ending_with
from labelingest.pairing.near_misses.near_misses import NearMiss, near_misses
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import PatternRule, SuffixRule
from labelingest.pipeline.pairing_rule import as_flags
from labelingest.storage.base import Storage

__all__ = ["LOOKED_AT", "FolderBefore", "refuse_listed", "refuse_unpaired"]

LOOKED_AT: Final = 200_000
"""Keys of a storage path that are listed before settings are accepted: seconds, in any store."""
_FEWEST: Final = 2
"""Unpaired label files that show a mistake: a single one without a near miss is an orphan."""
_LOOKED_AT_ALONE: Final = 100
"""Label files of which each may be another text: more are no accident."""
_TEXT: Final = re.compile(r"(?:.*/)?(?:requirements.*|robots)\.\w+", re.DOTALL | re.IGNORECASE)
"""Keys of texts that lie beside label files, have the same ending, and are no companion files."""
_SHOWN: Final = 3
"""Near misses that a message repeats."""


@dataclass(frozen=True, slots=True)
class FolderBefore:
    """What a folder has before its pairing rule is judged."""

    name: str = ""
    """Name of the folder; empty for a folder that is being created."""
    has_items: bool = False
    has_rows: bool = False
    """Whether it has label rows."""
    rule_changes: bool = True
    """Whether the rule is new to the folder: label rows without label files are no deletion then."""

    @property
    def cure(self) -> str:
        """What helps, for a message."""
        if not self.name:
            return (
                "mend the patterns, or create the folder without --images and --labels: labelingest "
                "folder configure takes labels in once they are there"
            )
        return (
            f"mend the patterns with labelingest folder configure {quote(self.name)}, or give "
            "--allow-mass-delete if they are no labels"
        )


@dataclass(frozen=True, slots=True)
class _Mistake:
    """Reason to refuse a rule."""

    but: str
    """What contradicts the rule, in words."""
    misses: Sequence[NearMiss] = ()
    cure: str = ""
    """What helps; empty for what helps in general."""


def refuse_unpaired(
    scanned: Scan, settings: FolderSettings, storage: Storage, before: FolderBefore
) -> None:
    """Refuse a rule that pairs nothing where there are files that look like label files.

    Parameters
    ----------
    scanned, settings
        Data files of a listing, and settings of the folder.
    storage
        Storage path: the first bytes of a few files are read for the message.
    before
        What the folder has already.

    Raises
    ------
    ConfigError
        Nothing pairs; the message names near misses.
    """
    rule = settings.rule
    if rule is None or _pairs_any(scanned) or scanned.listing.hiding:
        return
    judge = _patterns_mistake if isinstance(rule, PatternRule) else _suffix_mistake
    mistake = judge(scanned, settings, storage, before)
    if mistake is None and before.rule_changes and before.has_rows:
        mistake = _Mistake("it has label rows")
    if mistake is not None:
        hints = "".join(f"\nnear miss: {miss}" for miss in mistake.misses[:_SHOWN])
        raise ConfigError(
            f"no data file in {settings.storage_path!r} has {_noun(rule)} by {as_flags(rule)}, but "
            f"{mistake.but}: nothing was changed; {mistake.cure or before.cure}{hints}"
        )


def _pairs_any(scanned: Scan) -> bool:
    return bool(scanned.sidecars or (scanned.outcome == Outcome.AMBIGUOUS).any())


def _noun(rule: PatternRule | SuffixRule) -> str:
    return "a label file" if isinstance(rule, PatternRule) else "a sidecar"


def _patterns_mistake(
    scanned: Scan, settings: FolderSettings, storage: Storage, before: FolderBefore
) -> _Mistake | None:
    rule = settings.rule
    if not isinstance(rule, PatternRule):
        return None
    has_images = (scanned.kind == KINDS.index(DataKind.IMAGE)).any()
    if before.has_items and not before.rule_changes and not has_images:
        return None  # the images are gone, not the labels
    ending = rule.label_pattern.literals[-1]
    rows = _label_files(scanned, ending)
    if not len(rows):
        return None
    misses = _near_misses(scanned, settings, storage)
    if len(rows) < _FEWEST and (not misses or (before.has_rows and not before.rule_changes)):
        return None  # a label file without image: named by the sync
    example = scanned.listing.keys[int(rows[0])]
    is_one = len(rows) == 1
    files = "a file ends" if is_one else "files end"
    number = "" if is_one else f" ({len(rows):,} of them)"
    return _Mistake(f"{files} with {ending!r}, as {example!r}{number}", misses)


def _suffix_mistake(
    scanned: Scan, settings: FolderSettings, storage: Storage, before: FolderBefore
) -> _Mistake | None:
    rule = settings.rule
    if not isinstance(rule, SuffixRule) or (before.has_rows and not before.rule_changes):
        return None
    other = other_suffix(scanned.listing, rule, settings.metadata_rule, storage)
    if other is not None:
        guess, example = other
        files = f"{guess.pairs:,} data files have" if guess.pairs > 1 else "a data file has"
        flags = as_flags(guess.rule)
        return _Mistake(
            f"{files} a label row that ends with {guess.rule.suffix!r}, as {example!r}",
            cure=f"give {flags}",
        )
    orphans = np.flatnonzero(scanned.outcome == Outcome.ORPHAN_SIDECAR)
    misses = _near_misses(scanned, settings, storage) if len(orphans) else []
    if not misses:
        return None  # sidecars whose data files are still to come: named by the sync
    example = scanned.listing.keys[int(orphans[0])]
    return _Mistake(
        f"files end with {rule.suffix!r}, as {example!r}", misses, "rename what is misnamed"
    )


def _near_misses(scanned: Scan, settings: FolderSettings, storage: Storage) -> list[NearMiss]:
    rule, listing = settings.rule, scanned.listing
    if rule is None:
        return []
    return near_misses(
        listing,
        pair(listing, rule, settings.metadata_rule),
        rule,
        small_files=lambda key: storage.fetch([key]).get(0),
        place=settings.storage_path,
        command=f"labelingest pair {quote(settings.storage_path)} {as_flags(rule)}",
    )


def _label_files(scanned: Scan, ending: str) -> Int64:
    """Return the rows of keys that end as label files do; none where label files have no ending."""
    keys, outcome = scanned.listing.keys, scanned.outcome
    rows = np.flatnonzero((outcome == Outcome.UNLABELLED) | (outcome == Outcome.ORPHAN_SIDECAR))
    if not ending:
        return rows[:0]
    rows = ending_with(keys, rows, ending.encode())
    if len(rows) > _LOOKED_AT_ALONE:
        return rows
    is_text = [_TEXT.fullmatch(key) is not None for key in keys.take(rows)]
    return rows[~np.array(is_text, dtype=np.bool_)]


def refuse_listed(places: Places, settings: FolderSettings, before: FolderBefore) -> str:
    """List a storage path as far as that is quick, and refuse a rule that pairs nothing.

    A storage path that cannot be listed passes: the sync reports it.

    Parameters
    ----------
    places, settings
        Open storages and settings of the folder.
    before
        What the folder has already.

    Returns
    -------
    str
        Notice that nothing pairs yet; "" where something pairs, or the listing is too long to tell.

    Raises
    ------
    ConfigError
        As `refuse_unpaired`.
    """
    rule = settings.rule
    if rule is None or settings.allow_mass_delete:
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
    scanned = scan(without_outputs(Listing.from_pages(pages), lambda _: []), settings)
    refuse_unpaired(scanned, settings, places.storage, before)
    if _pairs_any(scanned) or scanned.listing.hiding:
        return ""
    return (
        f"no data file in {settings.storage_path!r} has {_noun(rule)} by {as_flags(rule)} yet: items "
        f"come without label rows until there is one{other_rules(scanned.listing, settings)}"
    )
