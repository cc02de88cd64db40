"""Pair the data files of one listing with their sidecars, and give every other key an outcome.

1. Every key is claimed once, in this order: junk, metadata sidecar, label sidecar that pairs, companion
   file, orphan sidecar, data file by its extension. A key that a rule claims as a sidecar never becomes
   a data file, even as an orphan.
2. Label sidecars and data files get a number each from what the rule says they have in common (the
   captured values; for suffixes the data file's key). Files of one number are candidates.
3. Candidates are compared by the captured text itself.
4. A candidate without a rival on either side is a pair; all rivals are ambiguous.
5. Of the files that are left over, companion files are set apart.

Pairing is a pure function of the listing, with a constant cost for each key: no request, no string
that stays in memory.
"""

from typing import Final

import numpy as np
from msgspec.structs import replace

from labelingest.columns.keys import Keys
from labelingest.columns.types import Bool, Int64, UInt8
from labelingest.model.kinds import DataKind
from labelingest.model.listing import Listing
from labelingest.model.pairs import Outcome, Pairs
from labelingest.pairing.candidates import Candidates
from labelingest.pairing.companions import companions_among, junk_and_companions
from labelingest.pairing.defects import Defects
from labelingest.pairing.file_kinds import KINDS, NO_KIND, chunks, junk_rows, kind_numbers
from labelingest.pairing.match import Affixes, ending_with, row_of
from labelingest.pairing.rules import PatternRule, SuffixRule, check_suffixes

__all__ = ["pair", "pair_metadata", "pair_nothing", "with_companions"]

_NO_ROWS: Final = np.zeros(0, dtype=np.int64)


def pair(
    listing: Listing, rule: PatternRule | SuffixRule, metadata: SuffixRule | None = None
) -> Pairs:
    """Pair the data files of a listing with their sidecars.

    Patterns pair images only; a suffix pairs data files of every kind. Patterns mean YOLO labels, and
    beside these the names of `labelingest.pairing.companion_names` are companion files.

    Parameters
    ----------
    listing
        Listing ordered by key.
    rule
        Rule by which label sidecars are named.
    metadata
        Rule by which metadata sidecars are named; they are set aside. Where a key ends with both
        suffixes, the longer suffix decides.

    Raises
    ------
    ConfigError
        Both suffixes are the same.

    Examples
    --------
    >>> keys = ["images/a.jpg", "images/b.jpg", "labels/a.txt"]
    >>> listing = Listing.from_entries((key, 1, 0) for key in keys)
    >>> pairs = pair(listing, PatternRule(("images/{name}.jpg",), "labels/{name}.txt"))
    >>> pairs.data.tolist(), pairs.sidecar.tolist()
    ([0], [2])
    >>> [Outcome(outcome).name for outcome in pairs.outcome]
    ['PAIRED', 'UNLABELLED', 'SIDECAR']
    """
    check_suffixes(rule, metadata)
    keys = listing.keys
    outcome = np.full(len(keys), Outcome.UNLABELLED, dtype=np.uint8)
    junk, named = _set_aside(keys, rule)
    outcome[junk] = Outcome.IGNORED
    if metadata is not None:
        outcome[_metadata(keys, _unclaimed(outcome), metadata, rule)] = Outcome.METADATA_SIDECAR
    labels = _label_affixes(rule)
    sidecars = labels.match(keys, _unclaimed(outcome))
    outcome[sidecars] = Outcome.ORPHAN_SIDECAR

    unclaimed = _unclaimed(outcome)
    matches = [(affixes, affixes.match(keys, unclaimed)) for affixes in _data_affixes(rule)]
    del unclaimed
    _mark_unsupported(keys, outcome, rule, [rows for _, rows in matches])
    candidates = Candidates(keys, labels, sidecars)
    edges = [
        candidates.with_equal_captures(affixes, _supported(outcome, rows))
        for affixes, rows in matches
    ]
    # Of ten million keys, each of these columns is 40 megabytes.
    del matches, candidates, sidecars
    data, sidecar, rivals = _settle(outcome, edges)
    outcome[companions_among(keys, outcome, named, rule, metadata)] = Outcome.COMPANION
    defects = Defects.from_outcome(keys, rule, outcome, rivals)
    return Pairs(data, sidecar, outcome, defects, defects.failed)


def with_companions(
    listing: Listing,
    pairs: Pairs,
    rows: Int64,
    rule: PatternRule | SuffixRule | None,
    metadata: SuffixRule | None = None,
) -> Pairs:
    """Return pairs with more companion files, which the caller knows by other marks than names.

    Parameters
    ----------
    listing, pairs, rule, metadata
        A listing, its pairs, and what they were paired by; None for no label sidecars.
    rows
        Rows that may be companion files. What pairs, is ambiguous or has a sidecar of its own stays.

    Examples
    --------
    >>> listing = Listing.from_entries((key, 1, 0) for key in ["a.jpg", "coco128.yaml"])
    >>> rule = PatternRule(("{name}.jpg",), "{name}.txt")
    >>> pairs = with_companions(listing, pair(listing, rule), np.array([0, 1]), rule)
    >>> [Outcome(outcome).name for outcome in pairs.outcome], len(pairs.problems)
    (['COMPANION', 'COMPANION'], 0)
    """
    rows = companions_among(listing.keys, pairs.outcome, rows, rule, metadata)
    if not len(rows):
        return pairs
    outcome = pairs.outcome.copy()
    outcome[rows] = Outcome.COMPANION
    if not isinstance(pairs.problems, Defects):
        return replace(pairs, outcome=outcome)
    defects = pairs.problems.with_outcome(outcome)
    return replace(pairs, outcome=outcome, problems=defects, failed=defects.failed)


def pair_nothing(listing: Listing, metadata: SuffixRule | None) -> Pairs:
    """Return the outcome of each key of a folder without labels: no file has a sidecar.

    Examples
    --------
    >>> keys = ["a.dcm", "a.jpg", "a.jpg.metadata.json", "b.dcm"]
    >>> pairs = pair_nothing(
    ...     Listing.from_entries((key, 1, 0) for key in keys), SuffixRule(".metadata.json")
    ... )
    >>> [Outcome(outcome).name for outcome in pairs.outcome]
    ['UNSUPPORTED', 'UNLABELLED', 'METADATA_SIDECAR', 'UNSUPPORTED']
    >>> [problem.count for problem in pairs.problems]
    [2]
    """
    keys = listing.keys
    rows = np.arange(len(keys))
    outcome = np.full(len(keys), Outcome.UNLABELLED, dtype=np.uint8)
    outcome[rows[kind_numbers(keys, rows) == NO_KIND]] = Outcome.UNSUPPORTED
    if metadata is not None:
        outcome[ending_with(keys, rows, metadata.suffix.encode())] = Outcome.METADATA_SIDECAR
    outcome[junk_rows(keys)] = Outcome.IGNORED
    defects = Defects.from_outcome(keys, SuffixRule(), outcome, (_NO_ROWS, _NO_ROWS))
    return Pairs(_NO_ROWS, _NO_ROWS, outcome, defects, defects.failed)


def pair_metadata(keys: Keys, rule: SuffixRule) -> tuple[Int64, Int64]:
    """Return the rows of metadata sidecars: those with a data file, and the orphans.

    A metadata sidecar is not the data file of another.

    Examples
    --------
    >>> keys = Keys.from_texts(["a.jpg", "a.jpg.meta.json", "b.jpg.meta.json"])
    >>> paired, orphans = pair_metadata(keys, SuffixRule(".meta.json"))
    >>> paired.tolist(), orphans.tolist()
    ([1], [2])
    """
    suffix = rule.suffix
    rows = ending_with(keys, np.arange(len(keys)), suffix.encode())
    rows = np.setdiff1d(rows, junk_rows(keys))
    data_files = (keys[row].removesuffix(suffix) for row in rows)
    paired = np.fromiter(
        (not data.endswith(suffix) and row_of(keys, data) is not None for data in data_files),
        np.bool_,
        len(rows),
    )
    return rows[paired], rows[~paired]


def _set_aside(keys: Keys, rule: PatternRule | SuffixRule) -> tuple[Int64, Int64]:
    """Return the rows of junk, and those with names of companion files where labels are YOLO."""
    return (
        junk_and_companions(keys) if isinstance(rule, PatternRule) else (junk_rows(keys), _NO_ROWS)
    )


def _unclaimed(outcome: UInt8) -> Int64:
    return np.flatnonzero(outcome == Outcome.UNLABELLED)


def _supported(outcome: UInt8, rows: Int64) -> Int64:
    """Return those of some rows that are not marked as unsupported; all, and no copy, if none is."""
    is_supported = outcome[rows] == Outcome.UNLABELLED
    return rows if is_supported.all() else rows[is_supported]


def _metadata(
    keys: Keys, rows: Int64, metadata: SuffixRule, rule: PatternRule | SuffixRule
) -> Int64:
    rows = ending_with(keys, rows, metadata.suffix.encode())
    if isinstance(rule, SuffixRule) and rule.suffix.endswith(metadata.suffix):
        rows = np.setdiff1d(rows, ending_with(keys, rows, rule.suffix.encode()))
    return rows


def _label_affixes(rule: PatternRule | SuffixRule) -> Affixes:
    if isinstance(rule, PatternRule):
        return Affixes.from_pattern(rule.label_pattern)
    # A key that consists of the suffix alone is an orphan sidecar.
    return Affixes(b"", rule.suffix.encode(), at_least=0)


def _data_affixes(rule: PatternRule | SuffixRule) -> list[Affixes]:
    if isinstance(rule, PatternRule):
        return [Affixes.from_pattern(pattern) for pattern in rule.image_patterns]
    return [Affixes(b"", b"")]


def _mark_unsupported(
    keys: Keys, outcome: UInt8, rule: PatternRule | SuffixRule, matched: list[Int64]
) -> None:
    """Mark the files that cannot be labelled.

    With patterns, a file of another kind than image is such a file only if an image pattern claims it.
    """
    is_matched = np.zeros(len(keys), dtype=np.bool_)
    for rows in matched:
        is_matched[rows] = True
    for rows in chunks(_unclaimed(outcome)):
        kinds = kind_numbers(keys, rows)
        refused = kinds == NO_KIND
        if isinstance(rule, PatternRule):
            refused |= (kinds != KINDS.index(DataKind.IMAGE)) & is_matched[rows]
        outcome[rows[refused]] = Outcome.UNSUPPORTED


def _settle(
    outcome: UInt8, edges: list[tuple[Int64, Int64]]
) -> tuple[Int64, Int64, tuple[Int64, Int64]]:
    """Separate the pairs from the rivals, and write the outcome of each; the edges are emptied.

    Returns
    -------
    data, sidecar
        (m,) rows of the pairs, ordered by data file.
    rivals
        Rows of data files and sidecars, (r,) each, where one or both have other candidates too.
    """
    data, sidecar = edges[0]
    if len(edges) > 1 or not (data[1:] > data[:-1]).all():
        data, sidecar = _merged(edges, len(outcome))
    edges.clear()
    rival = _several(data, len(outcome)) | _several(sidecar, len(outcome))
    outcome[data] = np.where(rival, Outcome.AMBIGUOUS, Outcome.PAIRED)
    outcome[sidecar] = np.where(rival, Outcome.AMBIGUOUS_SIDECAR, Outcome.SIDECAR)
    if not rival.any():
        return data, sidecar, (_NO_ROWS, _NO_ROWS)
    return data[~rival], sidecar[~rival], (data[rival], sidecar[rival])


def _merged(edges: list[tuple[Int64, Int64]], n: int) -> tuple[Int64, Int64]:
    """Return the candidates of all patterns, each once, ordered by data file and sidecar."""
    both = np.concatenate([data * n + sidecar for data, sidecar in edges])
    edges.clear()
    both.sort()
    # Two patterns may capture the same values from one key: the pair counts once.
    if (repeated := both[1:] == both[:-1]).any():
        both = both[np.append(True, ~repeated)]
    return np.divmod(both, max(n, 1))


def _several(rows: Int64, n: int) -> Bool:
    """Return (m,) whether a row occurs more than once."""
    seen = np.zeros(n, dtype=np.bool_)
    seen[rows] = True
    if np.count_nonzero(seen) == len(rows):
        return np.zeros(len(rows), dtype=np.bool_)
    return np.bincount(rows, minlength=n)[rows] > 1
