"""Match files whose names a tool changed: percent-encoded, cut at a dot, with a prefix or a hash.

1. Each file has its own name, and the names that it had before a tool changed it.
2. Files of one folder match where a former name of one is the name of the other.
3. A match counts only where no other file left over has a claim to the name: a hint is never a guess.

Every file is looked at once; the cost grows with the number of files alone.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import unquote

from msgspec import Struct, field

from labelingest.pairing.near_misses.differences import Cause, Parts, fold, patterns_from
from labelingest.pairing.near_misses.explanations import (
    Explained,
    LeftOver,
    add_images,
    data_key,
    partners,
    use_patterns,
)
from labelingest.pairing.rules import Pattern, PatternRule, SuffixRule

__all__ = ["Match", "explain_tool_name", "former_names", "matches"]

_CHANGES: Final = {
    Cause.PERCENT_ENCODING: "percent-encoded",
    Cause.LABEL_STUDIO: "behind eight hexadecimal digits and a hyphen, as Label Studio writes names",
    Cause.ROBOFLOW: "before '.rf.' and a hash, as Roboflow writes names",
}

_PERCENT: Final = "%[0-9A-Fa-f]{2}"
_LABEL_STUDIO: Final = re.compile("([0-9a-f]{8})-(.+)", re.DOTALL)
_DATE: Final = r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
"""A date, which is not the prefix of a tool: 20240131."""
_ROBOFLOW: Final = re.compile(
    r"(.+)_(?:jpe?g|png|webp|avif|bmp|tiff?)\.rf\.[0-9A-Za-z]{16,64}", re.DOTALL | re.IGNORECASE
)


class Match(Struct, frozen=True):
    """Two files of one former name."""

    data: LeftOver
    sidecar: LeftOver
    cause: Cause
    is_data: bool
    """Whether the tool changed the name of the data file, not that of the sidecar."""


class _Claims(Struct):
    """Claims to one name in one folder: file, and cause where it is a former name."""

    data: list[tuple[LeftOver, Cause | None]] = field(default_factory=list)
    sidecars: list[tuple[LeftOver, Cause | None]] = field(default_factory=list)


def former_names(stem: str) -> Iterator[tuple[Cause, str]]:
    """Yield the names, without extension, that a file may have had before a tool changed them.

    Examples
    --------
    >>> [(cause.value, name) for cause, name in former_names("1c2d3e4f-my%20boat")]
    [('percent-encoding', '1c2d3e4f-my boat'), ('label-studio', 'my%20boat')]
    >>> list(former_names("20240131-boat"))
    []
    """
    # Searching for one character is much faster than a regular expression that does not match.
    if "%" in stem and re.search(_PERCENT, stem):
        decoded = unquote(stem, errors="replace")
        if decoded.isprintable() and "/" not in decoded and "\ufffd" not in decoded:
            yield Cause.PERCENT_ENCODING, decoded
    prefixed = _LABEL_STUDIO.fullmatch(stem) if stem[8:9] == "-" else None
    if prefixed is not None and not re.fullmatch(_DATE, prefixed[1]):
        yield Cause.LABEL_STUDIO, prefixed[2]
    hashed = _ROBOFLOW.fullmatch(stem) if ".rf." in stem.lower() else None
    if hashed is not None:
        yield Cause.ROBOFLOW, hashed[1]


def matches(
    data: Sequence[LeftOver], sidecars: Sequence[LeftOver], rule: PatternRule | SuffixRule
) -> list[Match]:
    """Return the files whose names differ by the change that a tool made, in order of data files.

    Examples
    --------
    >>> rule = PatternRule(("images/{name}.jpg",), "labels/{name}.txt")
    >>> image, label = LeftOver("images/w.jpg", ("w",)), LeftOver("labels/1c2d3e4f-w.txt", ("1c2d3e4f-w",))
    >>> [match] = matches([image], [label], rule)
    >>> match.cause.value, match.is_data
    ('label-studio', False)
    """
    claims: dict[tuple[str, str], _Claims] = {}
    for file in data:
        for place, cause in _data_places(file):
            claims.setdefault(place, _Claims()).data.append((file, cause))
    for sidecar in sidecars:
        for place, cause in _sidecar_places(sidecar, rule):
            # A name that no data file claims is no use, and would take memory.
            if place in claims:
                claims[place].sidecars.append((sidecar, cause))
    return list(_unrivalled(claims.values(), rule))


def _data_places(file: LeftOver) -> Iterator[tuple[tuple[str, str], Cause | None]]:
    folder, _, _ = file.key.rpartition("/")
    stem = Parts.from_key(file.key).stem
    yield (folder, fold(stem)), None
    for cause, name in former_names(stem):
        yield (folder, fold(name)), cause
    beginning, dot, _ = stem.partition(".")
    if dot and beginning:
        yield (folder, fold(beginning)), Cause.FIRST_DOT


def _sidecar_places(
    sidecar: LeftOver, rule: PatternRule | SuffixRule
) -> Iterator[tuple[tuple[str, str], Cause | None]]:
    folders = {key.rpartition("/")[0] for key in partners(rule, sidecar, is_sidecar=True)}
    if sidecar.fields is None:
        folders.add(sidecar.key.rpartition("/")[0])
    stem = Parts.from_key(data_key(sidecar, rule)).stem
    for folder in sorted(folders):
        yield (folder, fold(stem)), None
        for cause, name in former_names(stem):
            yield (folder, fold(name)), cause


def _unrivalled(claims: Iterable[_Claims], rule: PatternRule | SuffixRule) -> Iterator[Match]:
    """Yield the matches of files that have no other match."""
    candidates: list[Match] = []
    rivals: dict[str, int] = {}
    for claim in claims:
        if len(claim.data) != 1 or len(claim.sidecars) != 1:
            continue
        [(file, data_cause)], [(sidecar, sidecar_cause)] = claim.data, claim.sidecars
        cause = data_cause or sidecar_cause
        # Two names that were both changed, or neither, are not told apart by one change.
        if (data_cause is None) == (sidecar_cause is None) or cause is None:
            continue
        if isinstance(rule, SuffixRule) and not _of_one_extension(file, sidecar, rule):
            continue
        candidates.append(Match(file, sidecar, cause, is_data=data_cause is not None))
        for key in (file.key, sidecar.key):
            rivals[key] = rivals.get(key, 0) + 1
    for match in candidates:
        if rivals[match.data.key] == rivals[match.sidecar.key] == 1:
            yield match


def _of_one_extension(file: LeftOver, sidecar: LeftOver, rule: SuffixRule) -> bool:
    extension = Parts.from_key(data_key(sidecar, rule)).extension
    return extension in ("", Parts.from_key(file.key).extension)


def explain_tool_name(rule: PatternRule | SuffixRule, match: Match) -> Explained:
    """Return why two files of one former name do not pair.

    Examples
    --------
    >>> rule = PatternRule(("images/{name}.jpg",), "labels/{name}.txt")
    >>> image, label = LeftOver("images/w.jpg", ("w",)), LeftOver("labels/1c2d3e4f-w.txt", ("1c2d3e4f-w",))
    >>> explain_tool_name(rule, *matches([image], [label], rule)).rename
    ('labels/1c2d3e4f-w.txt', 'labels/w.txt')
    """
    data, sidecar, cause = match.data, match.sidecar, match.cause
    keys = (data.key, sidecar.key)
    rename = (sidecar.key, _sidecar_key(rule, data, sidecar))
    if cause is Cause.FIRST_DOT:
        detail = f"{sidecar.key!r} has the name of {data.key!r} up to its first dot"
        fix = "" if isinstance(rule, SuffixRule) else _up_to_first_dot(rule, data, sidecar)
        return Explained(cause, keys, detail, fix, rename=rename)
    changed, plain = (data, sidecar) if match.is_data else (sidecar, data)
    detail = f"{changed.key!r} has the name of {plain.key!r} {_CHANGES[cause]}"
    return Explained(cause, keys, detail, rename=rename)


def _sidecar_key(rule: PatternRule | SuffixRule, data: LeftOver, sidecar: LeftOver) -> str:
    """Return the key by which a sidecar pairs with a data file."""
    if isinstance(rule, SuffixRule):
        return data.key + rule.suffix
    if data.fields is not None:
        return rule.label_pattern.key(data.fields)
    folder, slash, _ = sidecar.key.rpartition("/")
    return folder + slash + Parts.from_key(data.key).stem + Parts.from_key(sidecar.key).extension


def _up_to_first_dot(rule: PatternRule, data: LeftOver, sidecar: LeftOver) -> str:
    """Return the flags that leave everything behind the first dot to the image file pattern."""
    folder, slash, name = data.key.rpartition("/")
    beginning, _, rest = name.partition(".")
    extension = Parts.from_key(data.key).extension
    ending = "." + rest.replace("{", "{{").replace("}", "}}")
    for pattern in rule.image_patterns:
        text = pattern.text.removesuffix(extension) + ending
        if sidecar.fields is not None and sidecar.fields == Pattern(text, pattern.role).fields(
            data.key
        ):
            return add_images(text)
    patterns = patterns_from(folder + slash + beginning + extension, sidecar.key)
    if patterns is None or data.fields is not None or sidecar.fields is not None:
        return ""
    return use_patterns(patterns[0].removesuffix(extension) + ending, patterns[1])
