"""Answer for one file of a listing: which rule applies, which partner is expected, what became of it.

`labelingest.pairing.pair` decides for all files at once; here its decision for one is put in words.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from labelingest.columns.keys import Keys
from labelingest.columns.types import Int64
from labelingest.model.kinds import DataKind, kind_of
from labelingest.model.listing import Listing
from labelingest.model.pairs import Outcome, Pairs
from labelingest.pairing.match import row_of
from labelingest.pairing.near_misses.commands import Commands
from labelingest.pairing.near_misses.differences import Parts, fold
from labelingest.pairing.near_misses.explanations import LeftOver, partners
from labelingest.pairing.near_misses.near_misses import explained_pairs, left_over, near_miss
from labelingest.pairing.near_misses.reasons import Expected, reason_for
from labelingest.pairing.near_misses.similar_keys import similar_keys
from labelingest.pairing.near_misses.tool_names import former_names
from labelingest.pairing.rules import PatternRule, SuffixRule

__all__ = ["Claim", "FileAnswer", "answer_for"]

_SIDECARS: Final = (Outcome.SIDECAR, Outcome.ORPHAN_SIDECAR, Outcome.AMBIGUOUS_SIDECAR)
_WITHOUT_PARTNER: Final = (Outcome.UNLABELLED, Outcome.ORPHAN_SIDECAR, Outcome.UNSUPPORTED)


class Claim(Struct, frozen=True):
    """A pattern or suffix that a key matches."""

    role: str
    """Role of the pattern or suffix, as "label file pattern"."""
    text: str
    """The pattern or suffix as given."""
    captures: Mapping[str, str]
    """Placeholder → captured value; for a suffix, "key" → the key without it."""


class FileAnswer(Struct, frozen=True):
    """What became of one file, and why."""

    key: str
    outcome: Outcome
    claims: Sequence[Claim]
    """Patterns and suffixes that the key matches, the deciding one first."""
    expected: Sequence[Expected]
    """Partners that were looked for."""
    reason: str
    near: Sequence[str] = ()
    """Near misses with their cure."""
    similar: Sequence[str] = ()
    """Keys of files without partner whose names resemble an expected one."""


def answer_for(
    listing: Listing,
    pairs: Pairs,
    rule: PatternRule | SuffixRule,
    key: str,
    *,
    metadata: SuffixRule | None = None,
    place: str = "",
) -> FileAnswer:
    """Return what became of one file of a listing, and why.

    Parameters
    ----------
    listing, pairs, rule, metadata
        A listing, its pairs, and the rules that paired it.
    key
        Key of the file, which the listing has.
    place
        Storage path for commands, as `Commands` takes it.

    Examples
    --------
    >>> from labelingest.pairing.pair import pair
    >>> listing = Listing.from_entries((key, 1, 0) for key in ["images/a.JPG", "labels/a.txt"])
    >>> rule = PatternRule(("images/{name}.jpg",), "labels/{name}.txt")
    >>> answer = answer_for(listing, pair(listing, rule), rule, "labels/a.txt")
    >>> answer.outcome.name, answer.claims[0].captures, answer.expected[0].key
    ('ORPHAN_SIDECAR', {'name': 'a'}, 'images/a.jpg')
    >>> answer.near[0].partition("; ")[2]
    "add --images 'images/{name}.JPG'"
    """
    row = row_of(listing.keys, key)
    if row is None:
        raise KeyError(key)
    outcome = Outcome(pairs.outcome[row])
    claims = list(_claims(rule, metadata, key, outcome))
    expected = [
        Expected(other, _outcome(listing.keys, pairs, other))
        for other in _expected_keys(rule, metadata, key, outcome)
    ]
    answer = FileAnswer(
        key, outcome, claims, expected, reason=reason_for(listing.keys, pairs, rule, row, expected)
    )
    if outcome not in _WITHOUT_PARTNER:
        return answer
    near = _near(listing, pairs, rule, key, Commands(place))
    return replace(answer, near=near, similar=() if near else _similar(listing, pairs, answer))


def _claims(
    rule: PatternRule | SuffixRule, metadata: SuffixRule | None, key: str, outcome: Outcome
) -> Iterator[Claim]:
    """Yield the patterns and suffixes that a key matches, the deciding one first."""
    claims = []
    if isinstance(rule, SuffixRule):
        claims += _suffix_claims(rule, "suffix of sidecars", key)
    else:
        for pattern in (rule.label_pattern, *rule.image_patterns):
            fields = pattern.fields(key)
            if fields is not None:
                captures = dict(zip(rule.placeholders, fields, strict=True))
                claims.append(Claim(pattern.role, pattern.text, captures))
    meta = _suffix_claims(metadata, "suffix of metadata", key) if metadata else []
    yield from (*meta, *claims) if outcome is Outcome.METADATA_SIDECAR else (*claims, *meta)


def _suffix_claims(rule: SuffixRule, role: str, key: str) -> list[Claim]:
    if not key.endswith(rule.suffix):
        return []
    return [Claim(role, rule.suffix, {"key": key.removesuffix(rule.suffix)})]


def _expected_keys(
    rule: PatternRule | SuffixRule, metadata: SuffixRule | None, key: str, outcome: Outcome
) -> list[str]:
    """Return the keys that the partner of a file can have."""
    if outcome is Outcome.METADATA_SIDECAR and metadata is not None:
        return [key.removesuffix(metadata.suffix)]
    if outcome in _SIDECARS or outcome is Outcome.COMPANION:
        fields = (
            (key.removesuffix(rule.suffix),)
            if isinstance(rule, SuffixRule)
            else rule.label_pattern.fields(key)
        )
        return partners(rule, LeftOver(key, fields), is_sidecar=True)
    if outcome not in (Outcome.PAIRED, Outcome.UNLABELLED, Outcome.AMBIGUOUS):
        return []
    if isinstance(rule, SuffixRule):
        return [key + rule.suffix]
    if kind_of(key) is not DataKind.IMAGE:
        return []
    fields_of_all = [pattern.fields(key) for pattern in rule.image_patterns]
    keys = [rule.label_pattern.key(fields) for fields in fields_of_all if fields is not None]
    return list(dict.fromkeys(keys))


def _outcome(keys: Keys, pairs: Pairs, key: str) -> Outcome | None:
    row = row_of(keys, key)
    return None if row is None else Outcome(pairs.outcome[row])


def _near(
    listing: Listing, pairs: Pairs, rule: PatternRule | SuffixRule, key: str, commands: Commands
) -> list[str]:
    """Return the near misses that concern a file."""
    forms = _forms(key, rule)

    def related(rows: Int64) -> Int64:
        """Return the rows of files with a name in common: no other explains the file."""
        texts = zip(rows.tolist(), listing.keys.take(rows), strict=True)
        return np.array([row for row, text in texts if _shares(text, forms, rule)], dtype=np.int64)

    data, sidecars = left_over(listing.keys, pairs.outcome, rule, related)
    return [
        str(near_miss([explained], commands))
        for explained in explained_pairs(data, sidecars, rule)
        if key in explained.keys
    ]


def _shares(key: str, forms: set[str], rule: PatternRule | SuffixRule) -> bool:
    """Return whether a file has one of these names; of most files without listing its names."""
    name = key[key.rfind("/") + 1 :]
    is_plain = name.isascii() and "%" not in name and ".rf." not in name.lower()
    if not is_plain or name[8:9] == "-" or isinstance(rule, SuffixRule):
        return not forms.isdisjoint(_forms(key, rule))
    name = name.strip().lower()
    stem = name.rpartition(".")[0] or name
    return (
        name in forms or stem in forms or stem.partition(".")[0] in forms or stem.strip() in forms
    )


def _forms(key: str, rule: PatternRule | SuffixRule) -> set[str]:
    """Return the names, without folders, by which near misses compare a file with others."""
    if isinstance(rule, SuffixRule):
        key = key.removesuffix(rule.suffix)
    name = fold(key.rpartition("/")[2])
    stem = Parts.from_key(name).stem
    names = (former for _, former in former_names(stem))
    return {name, stem, stem.partition(".")[0], *map(fold, names)} - {""}


def _similar(listing: Listing, pairs: Pairs, answer: FileAnswer) -> list[str]:
    """Return files without partner that have nearly the name of an expected partner."""
    others = (
        (Outcome.UNLABELLED, Outcome.UNSUPPORTED)
        if answer.outcome is Outcome.ORPHAN_SIDECAR
        else (Outcome.ORPHAN_SIDECAR,)
    )
    rows = np.flatnonzero(np.isin(pairs.outcome, others))
    missing = [expected.key for expected in answer.expected if expected.outcome is None]
    similar = [key for other in missing for key in similar_keys(listing.keys, other, rows)]
    return list(dict.fromkeys(similar))[:3]
