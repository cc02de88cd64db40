"""Pairing as the specification says it: one key after the other, every pair of files compared.

Written from sections 2 and 3 of the specification, not from the code: matching tries every way to
cut a key, shortest first; pairing compares each data file with each sidecar.
"""

import mimetypes
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Rule", "Sorted", "match", "sort_out"]

IMAGE = {"jpg", "jpeg", "png", "webp", "avif", "bmp", "tif", "tiff"}
MEDIA = {"mp4", "mov", "webm", "mkv", "mp3", "wav", "flac"}
OTHER = MEDIA | {"pdf", "txt", "json", "xml", "html", "htm"}
# What mimetypes calls text/* since Python 3.12 or 3.13; the rest is asked from this one.
OTHER |= {"md", "markdown", "rst", "rtf", "js", "mjs"}
STANDARD = mimetypes.MimeTypes(filenames=())


@dataclass(frozen=True)
class Rule:
    """Patterns, or a suffix."""

    images: tuple[str, ...] = ()
    labels: str = ""
    suffix: str = ""


@dataclass(frozen=True)
class Sorted:
    """What became of the keys."""

    outcome: dict[str, str]
    pairs: dict[str, str]
    """Data file → sidecar."""
    problems: Counter[tuple[str, str]]
    """Code and source → how many files it stands for."""


def extension(key: str) -> str:
    """Return the extension in lower case; only ASCII letters have one here."""
    name = key.split("/")[-1]
    if "." not in name.lstrip("."):
        return ""
    ending = name.split(".")[-1]
    if name[-7:].lower() == ".nii.gz":
        return "nii.gz"
    return ending.lower() if ending.isascii() else ending


def kind(key: str) -> str | None:
    """Return image, other or None."""
    ending = extension(key)
    if ending in IMAGE:
        return "image"
    text = (STANDARD.types_map[True].get(f".{ending}") or "").startswith("text/")
    return "other" if ending in OTHER or text else None


def junk(key: str) -> bool:
    """Return whether a key is ignored."""
    name = key.split("/")[-1]
    return (
        name in (".DS_Store", "Thumbs.db")
        or name[:2] == "._"
        or name[-6:] == ".cache"
        or name[:17] == ".labelingest-tmp-"
    )


COMPANIONS = [
    "data.yaml",
    "dataset.yaml",
    "config.yaml",
    "data.yml",
    "dataset.yml",
    "config.yml",
    "classes.txt",
    "labels.txt",
    "predefined_classes.txt",
    "obj.data",
    "_darknet.labels",
    "notes.json",
    "train.txt",
    "val.txt",
    "valid.txt",
    "test.txt",
    "trainval.txt",
]


def companion(key: str) -> bool:
    """Return whether a key has the name of a companion file; only ASCII letters have case."""
    name = key.split("/")[-1]
    lower = "".join(c.lower() if c.isascii() else c for c in name)
    if lower in COMPANIONS or lower[-6:] == ".names" or lower[-12:] == ".encord.json":
        return True
    if extension(key) in IMAGE | MEDIA:
        return False
    return any(
        name.startswith(word.upper()) or lower == word or lower.startswith(f"{word}.")
        for word in ("readme", "license", "licence")
    )


def parts(pattern: str) -> list[tuple[str, bool]]:
    """Take a pattern apart: text, and whether it is a placeholder."""
    texts = [("", False)]
    position = 0
    while position < len(pattern):
        if pattern[position] in "{}" and pattern[position : position + 2] == pattern[position] * 2:
            texts[-1] = (texts[-1][0] + pattern[position], False)
            position += 2
        elif pattern[position] == "{":
            end = pattern.index("}", position)
            texts += [(pattern[position + 1 : end], True), ("", False)]
            position = end + 1
        else:
            texts[-1] = (texts[-1][0] + pattern[position], False)
            position += 1
    return texts


def ways(pattern: Sequence[tuple[str, bool]], key: str) -> Iterator[dict[str, str]]:
    """Yield every way to match, those with short captures first."""
    if not pattern:
        if not key:
            yield {}
        return
    text, is_placeholder = pattern[0]
    if not is_placeholder:
        if key.startswith(text):
            yield from ways(pattern[1:], key[len(text) :])
        return
    for length in range(1, len(key) + 1):
        for rest in ways(pattern[1:], key[length:]):
            yield {text: key[:length]} | rest


def match(pattern: str, key: str) -> dict[str, str] | None:
    """Return what the placeholders capture."""
    return next(ways(parts(pattern), key), None)


def is_metadata(key: str, rule: Rule, metadata: str | None) -> bool:
    """Return whether the metadata suffix claims a key: the longer of two suffixes wins."""
    if metadata is None or not key.endswith(metadata):
        return False
    claimed_by_labels = bool(rule.suffix) and key.endswith(rule.suffix)
    return not claimed_by_labels or len(metadata) > len(rule.suffix)


def is_sidecar(key: str, rule: Rule) -> bool:
    """Return whether the rule claims a key as a label sidecar."""
    return key.endswith(rule.suffix) if rule.suffix else match(rule.labels, key) is not None


def belong(data: str, sidecar: str, rule: Rule) -> bool:
    """Return whether two files are a pair by themselves."""
    if rule.suffix:
        return sidecar == data + rule.suffix
    captured = match(rule.labels, sidecar)
    return any(match(image, data) == captured for image in rule.images)


def sort_out(keys: Sequence[str], rule: Rule, metadata: str | None = None) -> Sorted:
    """Pair keys."""
    keys = sorted(keys, key=str.encode)
    assert all(a != b for a, b in pairwise(keys))
    outcome: dict[str, str] = {}
    for key in keys:
        if junk(key):
            outcome[key] = "IGNORED"
        elif is_metadata(key, rule, metadata):
            outcome[key] = "METADATA_SIDECAR"
        elif is_sidecar(key, rule):
            outcome[key] = "ORPHAN_SIDECAR"
        elif rule.suffix:
            outcome[key] = "UNLABELLED" if kind(key) else "UNSUPPORTED"
        else:
            matched = any(match(image, key) is not None for image in rule.images)
            refused = kind(key) is None or (matched and kind(key) != "image")
            outcome[key] = "UNSUPPORTED" if refused else "UNLABELLED"
    extra = [key for key in keys if is_extra(key, outcome, rule, metadata)]
    for key in extra:
        if outcome[key] != "ORPHAN_SIDECAR":
            outcome[key] = "COMPANION"
    data = [key for key in keys if outcome[key] == "UNLABELLED"]
    sidecars = [key for key in keys if outcome[key] == "ORPHAN_SIDECAR"]
    couples = [(d, s) for d in data for s in sidecars if belong(d, s, rule)]
    return settle(outcome, couples, extra)


def is_extra(key: str, outcome: dict[str, str], rule: Rule, metadata: str | None) -> bool:
    """Return whether a key is a companion file unless it pairs."""
    if rule.suffix or not companion(key) or outcome[key] in ("IGNORED", "METADATA_SIDECAR"):
        return False
    return outcome.get(key + metadata) != "METADATA_SIDECAR" if metadata else True


def settle(outcome: dict[str, str], couples: list[tuple[str, str]], extra: list[str]) -> Sorted:
    """Tell pairs from rivals."""
    of_data = Counter(d for d, _ in couples)
    of_sidecar = Counter(s for _, s in couples)
    pairs = {}
    for d, s in couples:
        if of_data[d] == of_sidecar[s] == 1:
            outcome[d], outcome[s] = "PAIRED", "SIDECAR"
            pairs[d] = s
        else:
            outcome[d], outcome[s] = "AMBIGUOUS", "AMBIGUOUS_SIDECAR"
    for key in extra:
        if outcome[key] == "ORPHAN_SIDECAR":
            outcome[key] = "COMPANION"
    problems: Counter[tuple[str, str]] = Counter()
    first: dict[str, str] = {}
    for key, became in outcome.items():
        if became == "ORPHAN_SIDECAR":
            problems["orphan-sidecar", key] += 1
        if of_data[key] > 1 or of_sidecar[key] > 1:
            problems["ambiguous-pair", key] += 1
        if became == "UNSUPPORTED":
            problems["unsupported-data-type", first.setdefault(extension(key), key)] += 1
    return Sorted(outcome, pairs, problems)
