"""A folder, listed and paired: by the rule that was given, or by what its files make plain."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Final

from labelingest.config import IngestConfig
from labelingest.converter import LabelFormat
from labelingest.errors import ConfigError
from labelingest.model.kinds import KIND_OF_EXTENSION, DataKind
from labelingest.model.listing import Listing
from labelingest.model.pairs import Pairs
from labelingest.pairing.layouts import USUAL_LABELS, recognise
from labelingest.pairing.near_misses.near_misses import NearMiss, near_misses
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import PatternRule, SuffixRule
from labelingest.pairing.suffixes import SuffixGuess, named_after_stems, suffixes
from labelingest.progress import Progress
from labelingest.sinks.output_guard import Output, OutputGuard, OutputKind
from labelingest.sinks.own_outputs import own_keys
from labelingest.stopwatch import OFF, Stage, Stopwatch
from labelingest.storage import open_storage
from labelingest.storage.base import Storage, list_all
from labelingest.storage.local.local import LocalStorage

__all__ = [
    "Paired",
    "as_flags",
    "given_rule",
    "never_sidecars",
    "output_guard",
    "outputs_of",
    "pair_folder",
    "refuse_nothing",
]

_KINDS: Final[Mapping[str, OutputKind]] = {
    "out": OutputKind.LABELS,
    "report": OutputKind.REPORT,
    "problems": OutputKind.PROBLEMS,
    "failed_csv": OutputKind.FAILED_FILES,
}
"""Field of the configuration → what the output is."""


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """A folder, listed and paired."""

    path: str
    """As the configuration names it."""
    storage: Storage
    listing: Listing
    rule: PatternRule | SuffixRule
    recognised: str
    """What was recognised, in words; empty when the rule was given."""
    pairs: Pairs

    @property
    def format(self) -> LabelFormat:
        """Format of the sidecars: each has its way of pairing."""
        return LabelFormat.ENCORD if isinstance(self.rule, SuffixRule) else LabelFormat.YOLO

    def near_misses(self) -> list[NearMiss]:
        """Return why files that look like pairs are none."""
        return near_misses(self.listing, self.pairs, self.rule, small_files=self._content)

    def _content(self, key: str) -> bytes:
        return self.storage.fetch([key]).get(0)


def pair_folder(
    config: IngestConfig,
    *,
    progress: Callable[[Progress], None] | None = None,
    seen: Callable[[int], None] | None = None,
    watch: Stopwatch = OFF,
) -> Paired:
    """List a folder and pair its files.

    Parameters
    ----------
    config
        Which folder, and how its files pair.
    progress, seen
        Told how many files were listed.
    watch
        Told which stage is on.

    Raises
    ------
    ConfigError
        No rule was given and the folder has none of the usual layouts, or several; or an output
        would replace what no run wrote.
    """
    storage = open_storage(config.storage_path, follow_symlinks=config.follow_symlinks)

    def tell(files: int) -> None:
        if progress is not None:
            progress(Progress("list", files))
        if seen is not None:
            seen(files)

    # Images by name alone only where their sizes are not read: an unfinished run is continued if
    # nothing changed that its result depends on.
    bare = never_sidecars(given_rule(config)) if config.image_sizes == "never" else []
    output_guard(config, storage).admit(*outputs_of(config).values())
    with watch.stage(Stage.LIST):
        listing = list_all(storage, _own_keys(config, storage), bare=bare, seen=tell)
    with watch.stage(Stage.PAIR):
        rule, recognised = _rule(config, storage, listing)
        metadata = None if config.metadata_suffix is None else SuffixRule(config.metadata_suffix)
        pairs = pair(listing, rule, metadata)
    return Paired(config.storage_path, storage, listing, rule, recognised, pairs)


def given_rule(config: IngestConfig) -> PatternRule | SuffixRule | None:
    """Return the rule that a configuration gives; None where the folder is to make it plain.

    Raises
    ------
    ConfigError
        What is given is no rule, or more than one.
    """
    patterns = config.labels is not None or bool(config.images)
    if config.format == "encord" or (config.suffix is not None and not patterns):
        if patterns or config.format == "yolo":
            _refuse_mixture(config)
        return SuffixRule() if config.suffix is None else SuffixRule(config.suffix)
    if config.suffix is not None:
        _refuse_mixture(config)
    if not patterns:
        return None
    if config.labels is None or not config.images:
        missing = "labels" if config.labels is None else "images"
        raise ConfigError(
            f"{missing} is missing: give image file patterns and a label file pattern, or neither "
            "to have the usual layouts recognised"
        )
    return PatternRule(config.images, config.labels)


def never_sidecars(rule: PatternRule | SuffixRule | None) -> list[str]:
    """Return the extensions of images that no sidecar has: their names are enough to pair them.

    Parameters
    ----------
    rule
        How sidecars are called; None for any of the usual ways.

    Examples
    --------
    >>> never_sidecars(SuffixRule(".labels.png"))[:4]
    ['jpg', 'JPG', 'jpeg', 'JPEG']
    >>> never_sidecars(PatternRule(("images/{name}.jpg",), "labels/{name}"))
    []
    """
    if rule is None:
        ends = [USUAL_LABELS, SuffixRule().suffix]
    else:
        last = rule.suffix if isinstance(rule, SuffixRule) else rule.label_pattern.literals[-1]
        ends = [last]
    return [
        spelt
        for extension, kind in KIND_OF_EXTENSION.items()
        if kind is DataKind.IMAGE
        for spelt in (extension, extension.upper())
        if not any(end.endswith(spelt) or spelt.endswith(end) for end in ends)
    ]


def _refuse_mixture(config: IngestConfig) -> None:
    """Refuse what belongs to two formats."""
    if config.suffix is not None:
        raise ConfigError(
            f"suffix {config.suffix!r} is for Encord sidecars, patterns and the format yolo are for "
            "YOLO label files: leave out one of the two"
        )
    raise ConfigError(
        "images and labels are patterns of YOLO label files; Encord sidecars pair by their suffix: "
        "leave the patterns out, or give the format yolo"
    )


def _rule(
    config: IngestConfig, storage: Storage, listing: Listing
) -> tuple[PatternRule | SuffixRule, str]:
    """Return the rule to pair by, and in words what it was recognised from."""
    given = given_rule(config)
    if given is not None:
        return given, ""
    if not len(listing):
        raise ConfigError(f"{config.storage_path!r} holds no files: there is nothing to convert")
    guesses: list[tuple[PatternRule | SuffixRule, int, str]] = [
        (guess.rule, guess.pairs, guess.description) for guess in recognise(listing)
    ]
    found = suffixes(listing) if config.format != "yolo" else []
    guesses += [(g.rule, g.pairs, "Encord sidecars") for g in found if g.rule == SuffixRule()]
    if len(guesses) == 1:
        return guesses[0][0], guesses[0][2]
    if guesses:
        choices = "".join(f"\n  pairs {count:,}: {as_flags(rule)}" for rule, count, _ in guesses)
        raise ConfigError(
            f"several layouts are possible in {config.storage_path!r}; say how files pair:{choices}"
        )
    usual = PatternRule(("images/{name}.jpg", "images/{name}.png"), "labels/{name}.txt")
    misses = Paired(
        config.storage_path, storage, listing, usual, "", pair(listing, usual)
    ).near_misses()
    raise ConfigError(
        f"none of the usual layouts is in {config.storage_path!r}; say how files pair, as "
        f"{as_flags(usual)}{_other_suffixes(found)}{_misnamed(listing)}{_hints(misses)}"
        f"{_causes(listing)}"
    )


def _misnamed(listing: Listing) -> str:
    found = named_after_stems(listing)
    if found is None:
        return ""
    sidecar, data = found
    right = data + SuffixRule().suffix
    return (
        f"\nnear miss: an Encord sidecar is called after the whole name of its data file; "
        f"mv {quote(sidecar)} {quote(right)}"
    )


def _other_suffixes(found: Sequence[SuffixGuess]) -> str:
    return "".join(f"\n  or, for {g.pairs:,} files, {as_flags(g.rule)}" for g in found[:3])


def _causes(listing: Listing) -> str:
    """Return what could not be listed: it may be what is missing."""
    return "".join(f"\n{problem.severity}: {problem}" for problem in listing.problems[:3])


def _hints(misses: Sequence[NearMiss]) -> str:
    return "".join(f"\nnear miss: {miss}" for miss in misses[:3])


def as_flags(rule: PatternRule | SuffixRule) -> str:
    """Return a rule as the command line's flags.

    Examples
    --------
    >>> as_flags(PatternRule(("images/{name}.jpg",), "labels/{name}.txt"))
    "--images 'images/{name}.jpg' --labels 'labels/{name}.txt'"
    >>> as_flags(SuffixRule())
    '--suffix .encord.json'
    """
    if isinstance(rule, SuffixRule):
        return f"--suffix {quote(rule.suffix)}"
    images = " ".join(f"--images {quote(pattern)}" for pattern in rule.images)
    return f"{images} --labels {quote(rule.labels)}"


def output_guard(config: IngestConfig, storage: Storage) -> OutputGuard:
    """Return what says which files the outputs of a run may replace."""
    inputs = {"ontology": config.ontology}
    return OutputGuard(inputs, {"storage path": storage}, overwrite=config.overwrite)


def outputs_of(config: IngestConfig) -> dict[str, Output]:
    """Return the outputs that a configuration asks for, by their fields."""
    return {
        name: Output(name, path, kind)
        for name, kind in _KINDS.items()
        if (path := getattr(config, name)) is not None
    }


def _own_keys(config: IngestConfig, storage: Storage) -> list[str]:
    """Return the keys and folders that the run itself writes inside the storage path."""
    if not isinstance(storage, LocalStorage):
        return []
    return own_keys(Path(storage.root), [output.path for output in outputs_of(config).values()])


def refuse_nothing(paired: Paired, config: IngestConfig) -> None:
    """Refuse a folder in which nothing pairs, and say why that may be.

    Raises
    ------
    ConfigError
        No data file has a sidecar.
    """
    if len(paired.pairs):
        return
    if not len(paired.listing):
        raise ConfigError(f"{config.storage_path!r} holds no files: there is nothing to convert")
    others = suffixes(paired.listing) if isinstance(paired.rule, SuffixRule) else []
    hints = _other_suffixes(others) + _misnamed(paired.listing) + _hints(paired.near_misses())
    raise ConfigError(
        f"no data file in {config.storage_path!r} has a sidecar by {as_flags(paired.rule)}"
        f"{hints or '; labelingest pair shows what is there'}{_causes(paired.listing)}"
    )
