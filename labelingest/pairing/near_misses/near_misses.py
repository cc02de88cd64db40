"""Find files that look like pairs but are not: another folder name, `.JPG` for `.jpg`, and so on.

1. Files left over are compared by their names without extension, case, Unicode form and surrounding
   blanks: first at the place where a rule expects them, then with one folder, then alone. In between,
   names that a tool changed are compared, and label files called after the whole name of an image.
2. The difference that keeps two files from being a pair is named, with the cure: a flag or a command.
3. Pairs with the same cause and cure are counted together.

The results are hints for people: at most `MAX_LEFT_OVER` files of each side are compared, and nothing
is changed.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from labelingest.columns.keys import Keys
from labelingest.columns.types import Int64, UInt8
from labelingest.model.kinds import DataKind
from labelingest.model.listing import Listing
from labelingest.model.pairs import Outcome, Pairs
from labelingest.pairing.file_kinds import KINDS, kind_numbers
from labelingest.pairing.match import Affixes
from labelingest.pairing.near_misses.commands import Commands
from labelingest.pairing.near_misses.differences import Cause, Parts, fold
from labelingest.pairing.near_misses.explanations import (
    Explained,
    LeftOver,
    data_key,
    explain,
    explain_whole_name,
    partners,
)
from labelingest.pairing.near_misses.stored_links import stored_links
from labelingest.pairing.near_misses.tool_names import explain_tool_name, matches
from labelingest.pairing.rules import PatternRule, SuffixRule

__all__ = [
    "MAX_LEFT_OVER",
    "NearMiss",
    "explained_pairs",
    "left_over",
    "near_miss",
    "near_misses",
]

MAX_LEFT_OVER: Final = 20_000
"""Data files, and sidecars, that are compared."""

_MAX_CAUSES: Final = 20

Places: TypeAlias = Callable[[LeftOver, PatternRule | SuffixRule, bool], list[str]]
"""Function that returns the places of a file, of which one of its partner's is the same."""
Coupled: TypeAlias = tuple[tuple[str, str], Explained | None]
"""Keys of a data file and a sidecar, and the cause that keeps them from pairing."""


class NearMiss(Struct, frozen=True):
    """Files that did not pair for one cause."""

    cause: Cause
    count: int
    """Number of pairs that the cure would give; 1 for a file that should be a folder."""
    keys: tuple[str, ...]
    """An example: data file and sidecar, or the file that should be a folder."""
    detail: str
    """The cause in the example, in a sentence."""
    fix: str
    """The cure: flags, or a command for a shell."""
    renames: tuple[tuple[str, str], ...] = ()
    """Key and new key of a file of each pair, where that is the cure; `fix` is the first."""
    command: str = ""
    """Command that pairs the files, which prints all commands that rename."""

    def __str__(self) -> str:
        counted = f"{self.count:,}" if self.count < MAX_LEFT_OVER else f"at least {self.count:,}"
        times = "" if self.count == 1 else f" ({counted} pairs like this)"
        commands = f"all {len(self.renames):,} commands"
        more = f", and so on; {self.command or 'labelingest pair'} --renames prints {commands}"
        return f"{self.detail}{times}; {self.fix}{more if len(self.renames) > 1 else ''}"


def near_misses(
    listing: Listing,
    pairs: Pairs,
    rule: PatternRule | SuffixRule,
    *,
    small_files: Callable[[str], bytes] | None = None,
    place: str = "",
    command: str = "",
) -> list[NearMiss]:
    """Return the causes that keep files from pairing, the most frequent cause first.

    Parameters
    ----------
    pairs
        Pairs of the listing by `rule`.
    small_files
        Returns the content of a file of a few kilobytes; called for files at the place of an
        expected folder, which come first in the result. None: such files are not read.
    place
        Storage path for commands, as `Commands` takes it.
    command
        Command that pairs the files by `rule`; messages repeat it.

    Examples
    --------
    >>> from labelingest.pairing.pair import pair
    >>> listing = Listing.from_entries((key, 1, 0) for key in ["images/a.JPG", "labels/a.txt"])
    >>> rule = PatternRule(("images/{name}.jpg",), "labels/{name}.txt")
    >>> [miss] = near_misses(listing, pair(listing, rule), rule)
    >>> miss.cause.value, miss.fix
    ('extension-case', "add --images 'images/{name}.JPG'")
    """
    commands = Commands(place)
    groups: dict[tuple[Cause, str], list[Explained]] = {}
    data, sidecars = left_over(listing.keys, pairs.outcome, rule, lambda rows: rows[:MAX_LEFT_OVER])
    for explained in explained_pairs(data, sidecars, rule):
        # A command that renames names one file; all such commands of one cause are one group.
        fix = explained.general_fix or ("" if explained.rename else explained.fix)
        groups.setdefault((explained.cause, fix), []).append(explained)
    misses = [replace(near_miss(g, commands), command=command) for g in groups.values()]
    misses.sort(key=lambda miss: (-miss.count, miss.cause, miss.keys))
    return [*_links(listing, rule, small_files, commands), *misses[:_MAX_CAUSES]]


def near_miss(group: Sequence[Explained], commands: Commands) -> NearMiss:
    """Return the pairs of one cause and cure as one near miss."""
    first = group[0]
    fix = first.fix if all(e.fix == first.fix for e in group) else first.general_fix
    renames = () if fix else tuple(e.rename for e in group if e.rename is not None)
    fix = fix or commands.rename(*renames[0])
    return NearMiss(first.cause, len(group), first.keys, first.detail, fix, renames=renames)


def _links(
    listing: Listing,
    rule: PatternRule | SuffixRule,
    small_files: Callable[[str], bytes] | None,
    commands: Commands,
) -> Iterator[NearMiss]:
    if small_files is not None:
        for link in stored_links(listing, small_files, _folders(rule)):
            fix = commands.link(link.target, link.key)
            yield NearMiss(Cause.LINK_AS_FILE, 1, (link.key,), link.detail, fix)


def _folders(rule: PatternRule | SuffixRule) -> list[str]:
    """Return the names of folders in the patterns."""
    if isinstance(rule, SuffixRule):
        return []
    patterns = [*rule.image_patterns, rule.label_pattern]
    # NUL for a placeholder: a part that has one is no name.
    parts = [part for p in patterns for part in "\0".join(p.literals).split("/")[:-1]]
    return sorted({part for part in parts if part and "\0" not in part})


def explained_pairs(
    data: Sequence[LeftOver], sidecars: Sequence[LeftOver], rule: PatternRule | SuffixRule
) -> Iterator[Explained]:
    """Explain each data file left over with the sidecar that was most likely meant for it."""
    for stage in (
        partial(_by_places, places=_expected_places),
        _whole_names,
        _tool_names,
        partial(_by_places, places=_near_places),
        partial(_by_places, places=_names),
    ):
        coupled = set[str]()
        for pair_keys, explained in stage(data, sidecars, rule):
            coupled.update(pair_keys)
            if explained is not None:
                yield explained
        data = [item for item in data if item.key not in coupled]
        sidecars = [item for item in sidecars if item.key not in coupled]


def _by_places(
    data: Sequence[LeftOver],
    sidecars: Sequence[LeftOver],
    rule: PatternRule | SuffixRule,
    places: Places,
) -> Iterator[Coupled]:
    """Yield files that have a place in common, with the cause."""
    for file, sidecar in _couples(data, sidecars, places, rule):
        yield (file.key, sidecar.key), explain(rule, file, sidecar)


def _whole_names(
    data: Sequence[LeftOver], sidecars: Sequence[LeftOver], rule: PatternRule | SuffixRule
) -> Iterator[Coupled]:
    """Yield images and label files called after their whole names."""
    if isinstance(rule, PatternRule):
        for file, sidecar in _couples(data, sidecars, _whole_name_places, rule):
            if explained := explain_whole_name(rule, file, sidecar):
                yield (file.key, sidecar.key), explained


def _tool_names(
    data: Sequence[LeftOver], sidecars: Sequence[LeftOver], rule: PatternRule | SuffixRule
) -> Iterator[Coupled]:
    """Yield files whose names a tool changed."""
    for match in matches(data, sidecars, rule):
        yield (match.data.key, match.sidecar.key), explain_tool_name(rule, match)


def _couples(
    data: Sequence[LeftOver],
    sidecars: Sequence[LeftOver],
    places: Places,
    rule: PatternRule | SuffixRule,
) -> Iterator[tuple[LeftOver, LeftOver]]:
    """Match files that have a place in common; each file once, in order of keys."""
    waiting: dict[str, list[LeftOver]] = {}
    for sidecar in reversed(sidecars):
        for place in places(sidecar, rule, True):
            waiting.setdefault(place, []).append(sidecar)
    coupled: set[str] = set()
    for file in data:
        stacks = (waiting.get(place, []) for place in places(file, rule, False))
        for sidecar in chain.from_iterable(_popped(stack) for stack in stacks):
            if sidecar.key not in coupled:
                coupled.add(sidecar.key)
                yield file, sidecar
                break


def _popped(stack: list[LeftOver]) -> Iterator[LeftOver]:
    while stack:
        yield stack.pop()


def _expected_places(item: LeftOver, rule: PatternRule | SuffixRule, is_sidecar: bool) -> list[str]:
    """Return the place of a file and the expected places of its partner, comparable with each other."""
    role, partner = ("sidecar", "data") if is_sidecar else ("data", "sidecar")
    expected = [f"{partner}:{_place(key)}" for key in partners(rule, item, is_sidecar)]
    return [*expected, f"{role}:{_place(item.key)}"]


def _near_places(item: LeftOver, rule: PatternRule | SuffixRule, is_sidecar: bool) -> list[str]:
    parts = Parts.from_key(data_key(item, rule) if is_sidecar else item.key)
    return [f"{fold(parts.folders[-1])}/{fold(parts.stem)}"] if parts.folders else []


def _names(item: LeftOver, rule: PatternRule | SuffixRule, is_sidecar: bool) -> list[str]:
    return [fold(Parts.from_key(data_key(item, rule) if is_sidecar else item.key).stem)]


def _whole_name_places(
    item: LeftOver, rule: PatternRule | SuffixRule, is_sidecar: bool
) -> list[str]:
    name = item.key.rpartition("/")[2]
    return [Parts.from_key(name).stem if is_sidecar else name]


def _place(key: str) -> str:
    parts = Parts.from_key(key)
    return "/".join(fold(part) for part in (*parts.folders, parts.stem))


def left_over(
    keys: Keys,
    outcome: UInt8,
    rule: PatternRule | SuffixRule,
    select: Callable[[Int64], Int64],
) -> tuple[list[LeftOver], list[LeftOver]]:
    """Return data files and sidecars without partner.

    Parameters
    ----------
    keys, outcome, rule
        Keys of a listing, (n,) outcome of each, and the rule that decided.
    select
        Returns the rows to compare among those without partner.
    """
    data = _data_left_over(keys, outcome, rule, select)
    return data, _sidecars_left_over(keys, outcome, rule, select)


def _data_left_over(
    keys: Keys, outcome: UInt8, rule: PatternRule | SuffixRule, select: Callable[[Int64], Int64]
) -> list[LeftOver]:
    rows = np.flatnonzero(outcome == Outcome.UNLABELLED)
    if isinstance(rule, SuffixRule):
        return [LeftOver(key, (key,)) for key in keys.take(select(rows))]
    rows = select(rows[kind_numbers(keys, rows) == KINDS.index(DataKind.IMAGE)])
    fields: dict[int, tuple[str, ...]] = {}
    for pattern in reversed(rule.image_patterns):  # the first that matches wins
        fields |= Affixes.from_pattern(pattern).fields(keys, rows)
    return _left_over(keys, rows, fields)


def _sidecars_left_over(
    keys: Keys, outcome: UInt8, rule: PatternRule | SuffixRule, select: Callable[[Int64], Int64]
) -> list[LeftOver]:
    """Return orphans, and files that match the label pattern in their extension only."""
    orphans = select(np.flatnonzero(outcome == Outcome.ORPHAN_SIDECAR))
    if isinstance(rule, SuffixRule):
        suffix = rule.suffix
        return [LeftOver(key, (key.removesuffix(suffix),)) for key in keys.take(orphans)]
    fields = Affixes.from_pattern(rule.label_pattern).fields(keys, orphans)
    extension = Parts.from_key(f"x{rule.label_pattern.literals[-1]}").extension.lower()
    rows = np.flatnonzero((outcome == Outcome.UNLABELLED) | (outcome == Outcome.UNSUPPORTED))
    rows = select(rows[kind_numbers(keys, rows) != KINDS.index(DataKind.IMAGE)])
    unclaimed = [
        LeftOver(key, None)
        for key in keys.take(rows)
        if extension and key.lower().endswith(extension)
    ]
    return [*_left_over(keys, orphans, fields), *unclaimed]


def _left_over(keys: Keys, rows: Int64, fields: dict[int, tuple[str, ...]]) -> list[LeftOver]:
    texts = keys.take(rows)
    return [LeftOver(key, fields.get(row)) for row, key in zip(rows.tolist(), texts, strict=True)]
