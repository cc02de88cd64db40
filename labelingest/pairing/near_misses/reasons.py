"""Put in words why a file has its outcome."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from labelingest.columns.keys import Keys
from labelingest.model.kinds import DataKind, extension_of, kind_of
from labelingest.model.pairs import Outcome, Pairs
from labelingest.pairing.companion_names import is_companion
from labelingest.pairing.defects import Defects
from labelingest.pairing.match import row_of
from labelingest.pairing.rules import PatternRule, SuffixRule

__all__ = ["Expected", "reason_for"]

_ROLES: Final[Mapping[Outcome, str]] = {
    Outcome.SIDECAR: "the sidecar of another file",
    Outcome.ORPHAN_SIDECAR: "a sidecar that means another file",
    Outcome.AMBIGUOUS_SIDECAR: "an ambiguous sidecar",
    Outcome.METADATA_SIDECAR: "custom metadata",
    Outcome.UNSUPPORTED: "of a kind that cannot be labelled here",
    Outcome.IGNORED: "ignored as junk",
    Outcome.PAIRED: "paired with another file",
    Outcome.AMBIGUOUS: "an ambiguous data file",
    Outcome.UNLABELLED: "no sidecar",
    Outcome.COMPANION: "a companion file of the data set",
}
"""Outcome of an expected partner → how a sentence goes on after "it exists, but is"."""


class Expected(Struct, frozen=True):
    """A key that the partner of a file would have."""

    key: str
    outcome: Outcome | None
    """Outcome of the file with this key; None where none exists."""


def reason_for(
    keys: Keys,
    pairs: Pairs,
    rule: PatternRule | SuffixRule,
    row: int,
    expected: Sequence[Expected],
) -> str:
    """Return a sentence that says why a file has its outcome.

    Parameters
    ----------
    keys, pairs, rule
        Keys of a listing, their pairs, and the rule that paired them.
    row
        Row of the file.
    expected
        Keys that the partner of the file can have.

    Examples
    --------
    >>> from labelingest.model.listing import Listing
    >>> from labelingest.pairing.pair import pair
    >>> listing = Listing.from_entries((key, 1, 0) for key in ["a.jpg", "notes.md"])
    >>> rule = PatternRule(("{name}.jpg",), "{name}.txt")
    >>> pairs = pair(listing, rule)
    >>> reason_for(listing.keys, pairs, rule, 1, [])
    'text files have no labels of this format, images only: it is left alone'
    """
    key, outcome = keys[row], Outcome(pairs.outcome[row])
    match outcome:
        case Outcome.PAIRED:
            return f"converted with its sidecar {_partner(expected, Outcome.SIDECAR)}"
        case Outcome.SIDECAR:
            return f"its data file {_partner(expected, Outcome.PAIRED)} is converted with it"
        case Outcome.UNLABELLED:
            return _unlabelled(key, rule, expected)
        case Outcome.METADATA_SIDECAR:
            return _metadata(expected)
        case Outcome.UNSUPPORTED:
            return _unsupported(key)
        case Outcome.COMPANION:
            return _companion(key, expected)
        case Outcome.IGNORED:
            return "ignored: its name is one that systems and tools give to files of their own"
    return _problem(keys, pairs, row, expected)


def _partner(expected: Sequence[Expected], outcome: Outcome) -> str:
    return next((repr(other.key) for other in expected if other.outcome is outcome), "")


def _unlabelled(key: str, rule: PatternRule | SuffixRule, expected: Sequence[Expected]) -> str:
    kind = kind_of(key)
    if isinstance(rule, PatternRule) and kind is not None and kind is not DataKind.IMAGE:
        return f"{kind.value} files have no labels of this format, images only: it is left alone"
    if not expected:
        return "no image file pattern matches it, so no label file is looked for"
    existing = [other for other in expected if other.outcome is not None]
    if existing:
        other = existing[0]
        return f"{other.key!r} exists, but is {_ROLES[other.outcome or Outcome.UNLABELLED]}"
    names = " or ".join(repr(other.key) for other in expected)
    return f"there is no {names}: the data file has no label row, which is no problem"


def _metadata(expected: Sequence[Expected]) -> str:
    [data] = expected
    exists = "does not exist" if data.outcome is None else "exists"
    return f"custom metadata, which holds no labels; its data file {data.key!r} {exists}"


def _companion(key: str, expected: Sequence[Expected]) -> str:
    if not is_companion(key):
        if extension_of(key) in ("yaml", "yml"):
            return "a companion file, as YAML files with class names are; it holds no labels"
        return "a companion file: this run was given it, or a run wrote it; it holds no labels"
    why = (
        "a companion file by its name, as data.yaml, classes.txt and README are; it holds no labels"
    )
    if not expected:
        return why
    names = " or ".join(repr(other.key) for other in expected)
    return f"{why}, and there is no {names} whose labels it could hold"


def _unsupported(key: str) -> str:
    kind = kind_of(key)
    if kind is None:
        return "files of this kind cannot be labelled here"
    return f"{kind.value} files have no labels of this format, images only"


def _problem(keys: Keys, pairs: Pairs, row: int, expected: Sequence[Expected]) -> str:
    """Return the sentence of the file's problem, or of its rival's."""
    sentence = _sentence(pairs, row)
    if sentence:
        return sentence
    for other in expected:
        rival = row_of(keys, other.key)
        if rival is not None and (sentence := _sentence(pairs, rival)):
            return f"{other.key!r} decides: {sentence}"
    return "several files claim the same partner: none is converted"


def _sentence(pairs: Pairs, row: int) -> str:
    problem = pairs.problems.for_row(row) if isinstance(pairs.problems, Defects) else None
    return "" if problem is None else problem.detail
