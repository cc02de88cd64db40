"""List a folder and pair its files.

1. list the storage path, without the run's own outputs;
2. take the pairing rule of the configuration, or recognise one of the usual layouts;
3. pair, and refuse a folder in which nothing pairs, with the likely causes.

Ontologies and conversion are not known here.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from labelingest.errors import ConfigError
from labelingest.formats import declared_pairing, source_format_paired, target_format
from labelingest.model.kinds import BESIDE_LIST
from labelingest.model.listing import Listing
from labelingest.model.pairs import Pairs
from labelingest.pairing.layouts import recognise
from labelingest.pairing.limits import MAX_DATA_FILES, long_names, refuse_too_many
from labelingest.pairing.match import row_of
from labelingest.pairing.near_misses.near_misses import NearMiss
from labelingest.pairing.pair import pair, with_companions
from labelingest.pairing.rules import PatternRule, SuffixRule
from labelingest.pairing.suffixes import suffixes
from labelingest.pipeline.commands import pair_command
from labelingest.pipeline.companions import given_rows, list_rows, marked_rows, written_rows
from labelingest.pipeline.pairing_rule import PairingRule, as_flags, image_only_extensions
from labelingest.pipeline.unpaired_hints import contents, hints
from labelingest.progress import Progress
from labelingest.sinks.object_guard import key_in
from labelingest.sinks.output_guard import GuardedOutput, OutputGuard, OutputKind
from labelingest.sinks.own_outputs import own_keys
from labelingest.stopwatch import OFF, Stage, Stopwatch
from labelingest.storage import open_storage
from labelingest.storage.base import Storage, list_all
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.urls import is_cloud, place_of

if TYPE_CHECKING:
    from labelingest.config import IngestConfig, IngestOptions

__all__ = [
    "USUAL_RULE",
    "Paired",
    "output_guard",
    "outputs_of",
    "pair_folder",
    "refuse_empty",
]

_KINDS: Final[Mapping[str, OutputKind]] = {
    "out": OutputKind.LABELS,
    "report": OutputKind.REPORT,
    "problems": OutputKind.PROBLEMS,
    "failed_csv": OutputKind.FAILED_FILES,
}
"""Field of the configuration → kind of the output."""


USUAL_RULE: Final = PatternRule(("images/{name}.jpg", "images/{name}.png"), "labels/{name}.txt")
"""The most usual layout, as an example of patterns."""


class Paired(Struct, frozen=True, eq=False):
    """A listed and paired folder."""

    path: str
    """The storage path as the configuration names it."""
    storage: Storage
    listing: Listing
    rule: PairingRule
    recognised: str
    """The recognised layout in words; empty where the configuration gives the rule."""
    pairs: Pairs
    command: str = ""
    """The command that pairs the files by this rule."""

    @property
    def format(self) -> str:
        """Format of the sidecars: each has its way of pairing."""
        return source_format_paired(by_suffix=isinstance(self.rule, SuffixRule)).name

    def near_misses(self) -> list[NearMiss]:
        """Explain files that look like pairs and are not."""
        return hints(
            self.storage, self.path, self.listing, self.pairs, self.rule, command=self.command
        )


def pair_folder(
    config: "IngestOptions",
    rule: PairingRule | None,
    *,
    progress: Callable[[Progress], None] | None = None,
    on_listed: Callable[[int], None] | None = None,
    stopwatch: Stopwatch = OFF,
    last_resort: PairingRule | None = None,
    most_data_files: int = MAX_DATA_FILES,
) -> Paired:
    """List a folder and pair its files.

    Parameters
    ----------
    config
        The folder and the outputs of the run.
    rule
        The pairing rule; None to recognise one of the usual layouts.
    progress, on_listed
        Receive the number of listed files.
    stopwatch
        Measures listing and pairing.
    last_resort
        The pairing rule of a folder in which no layout is recognised; None to refuse it.
    most_data_files
        Number of data files that the folder may have.

    Raises
    ------
    ConfigError
        There is no rule and the folder has none of the usual layouts, or several; or an output
        would replace a file that no run wrote.
    StorageError
        The folder cannot be listed, or has too many files.
    """
    storage = open_storage(config.storage_path, follow_symlinks=config.follow_symlinks)
    report = partial(_report_listed, progress, on_listed)
    # Size and time of images are listed unless their headers are never read: an interrupted run is
    # resumed only if nothing changed that its result depends on.
    bare = image_only_extensions(rule) if config.image_sizes == "never" else []
    output_guard(config, storage).admit(*outputs_of(config).values())
    with stopwatch.stage(Stage.LIST):
        listing = list_all(storage, _own_keys(config, storage), bare=bare, on_listed=report)
    with stopwatch.stage(Stage.PAIR):
        recognised = ""
        if rule is None:
            rule, recognised = _recognise(config, storage, listing, last_resort)
        pairs = _pair(config, storage, listing, rule)
        refuse_too_many(pairs.outcome, config.storage_path, most_data_files)
        names = long_names(listing.keys, pairs.outcome)
        listing = replace(listing, problems=[*listing.problems, *names])
    return Paired(
        path=config.storage_path,
        storage=storage,
        listing=listing,
        rule=rule,
        recognised=recognised,
        command=pair_command(config, rule),
        pairs=pairs,
    )


def _report_listed(
    progress: Callable[[Progress], None] | None, on_listed: Callable[[int], None] | None, files: int
) -> None:
    if progress is not None:
        progress(Progress("list", files))
    if on_listed is not None:
        on_listed(files)


def _pair(config: "IngestOptions", storage: Storage, listing: Listing, rule: PairingRule) -> Pairs:
    """Pair a listing, and set companion files apart that their names do not tell."""
    metadata = None if config.metadata_suffix is None else SuffixRule(config.metadata_suffix)
    pairs = pair(listing, rule, metadata)
    keys, outcome = listing.keys, pairs.outcome
    companions = [marked_rows(keys, outcome)]
    if isinstance(storage, LocalStorage):
        companions.append(given_rows(storage.root, keys, _given_files(config)))
        companions.append(written_rows(storage, listing, outcome))
    if isinstance(rule, PatternRule):
        companions.append(list_rows(storage, pairs, keys))
    return with_companions(listing, pairs, np.unique(np.concatenate(companions)), rule, metadata)


def _given_files(config: "IngestOptions") -> list[str]:
    """Return the paths of the files that a run reads beside its storage path."""
    paths = (config.ontology, config.class_list, config.file)
    return [path for path in paths if path is not None and "://" not in path]


def _recognise(
    config: "IngestOptions", storage: Storage, listing: Listing, last_resort: PairingRule | None
) -> tuple[PairingRule, str]:
    """Return the rule of the only usual layout that a folder has, and the layout in words."""
    if not len(listing):
        raise _no_files(config.storage_path)
    guesses: list[tuple[PairingRule, int, str]] = [
        (guess.rule, guess.pairs, guess.description) for guess in recognise(listing)
    ]
    declared = declared_pairing(config.format)
    # Label rows that a run wrote beside data files are no input, unless the caller says so.
    is_output = config.beside or (
        declared is None and row_of(listing.keys, BESIDE_LIST) is not None
    )
    by_suffix = [] if declared is False or is_output else suffixes(listing)
    guesses += [(g.rule, g.pairs, "Encord sidecars") for g in by_suffix if g.rule == SuffixRule()]
    if len(guesses) == 1:
        return guesses[0][0], guesses[0][2]
    if guesses:
        choices = "".join(f"\n  pairs {count:,}: {as_flags(rule)}" for rule, count, _ in guesses)
        raise ConfigError(
            f"several layouts are possible in {config.storage_path!r}; say how files pair:{choices}"
        )
    if last_resort is not None:
        return last_resort, "assumed, as no usual layout is recognised"
    pairs = pair(listing, USUAL_RULE)
    misses = hints(
        storage, config.storage_path, listing, pairs, USUAL_RULE, command=pair_command(config)
    )
    raise ConfigError(
        f"none of the usual layouts is in {config.storage_path!r}, which holds {contents(listing)}; "
        f"say how files pair, as {as_flags(USUAL_RULE)}{_hints(misses)}{_causes(listing)}"
    )


def _no_files(path: str) -> ConfigError:
    """Return the error of a storage path without files; a URL is named as the store reads it."""
    if not is_cloud(path):
        return ConfigError(f"{path!r} holds no files: there is nothing to convert")
    place = place_of(path)
    prefix = f" whose keys begin with {place.prefix + '/'!r}" if place.prefix else ""
    percent = "; a literal % in a URL is written %25" if "%" in path else ""
    return ConfigError(
        f"{place.url!r} holds no files: the bucket {place.bucket!r} has none{prefix}{percent}"
    )


def _causes(listing: Listing) -> str:
    """Return the problems of the listing: they may explain what is missing."""
    return "".join(f"\n{problem.severity}: {problem}" for problem in listing.problems[:3])


def _hints(misses: Sequence[NearMiss]) -> str:
    return "".join(f"\nnear miss: {miss}" for miss in misses[:3])


def output_guard(config: "IngestOptions", storage: Storage) -> OutputGuard:
    """Return the guard that decides which files the outputs of a run may replace."""
    inputs = {"ontology": config.ontology}
    return OutputGuard(inputs, {"storage path": storage}, overwrite=config.overwrite)


def outputs_of(config: "IngestOptions") -> dict[str, GuardedOutput]:
    """Return the outputs that a configuration asks for, by their fields."""
    return {
        name: GuardedOutput(name, path, kind, target_format(config.to) if name == "out" else None)
        for name, kind in _KINDS.items()
        if (path := getattr(config, name)) is not None
    }


def _own_keys(config: "IngestOptions", storage: Storage) -> list[str]:
    """Return the keys and folders that the run itself writes inside the storage path."""
    paths = [output.path for output in outputs_of(config).values()]
    if isinstance(storage, LocalStorage):
        return own_keys(Path(storage.root), [path for path in paths if not is_cloud(path)])
    keys = [key_in(storage, path) for path in paths if is_cloud(path)]
    return [name for key in keys if key for name in (key, f"{key}/")]


def refuse_empty(paired: Paired, config: "IngestConfig") -> None:
    """Refuse a folder in which nothing pairs, with the likely causes.

    Raises
    ------
    ConfigError
        No data file has a sidecar.
    """
    if len(paired.pairs):
        return
    if not len(paired.listing):
        raise _no_files(config.storage_path)
    raise ConfigError(
        f"no data file in {config.storage_path!r} has a sidecar by {as_flags(paired.rule)}; the folder "
        f"holds {contents(paired.listing)}; {paired.command} shows its files"
        f"{_hints(paired.near_misses())}{_causes(paired.listing)}"
    )
