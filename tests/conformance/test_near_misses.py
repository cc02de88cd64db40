"""Files that look like pairs and are not: cause, count, and a cure that pairs them."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from labelingest.model.listing import Listing
from labelingest.pairing.near_misses.near_misses import NearMiss, near_misses
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import PatternRule, SuffixRule
from tests.conformance.test_pairing import rule_of

FOLDER = Path(__file__).parents[2] / "fixtures/conformance/near_misses"
CORPUS: list[tuple[str, dict[str, Any]]] = [
    (f"{path.stem}: {case['name']}", case)
    for path in sorted(FOLDER.glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))
]
CASES = [pytest.param(case, id=name) for name, case in CORPUS]
CURABLE = [pytest.param(case, id=name) for name, case in CORPUS if case["misses"]]


def misses_of(keys: list[str], rule: PatternRule | SuffixRule) -> list[NearMiss]:
    listing = Listing.from_entries((key, 1, 0) for key in keys)
    return near_misses(listing, pair(listing, rule), rule)


@pytest.mark.parametrize("case", CASES)
def test_near_misses_are_those_of_the_corpus(case: dict[str, Any]) -> None:
    misses = misses_of(case["keys"], rule_of(case["rule"]))
    assert [[m.cause.value, m.count, list(m.keys), m.fix] for m in misses] == case["misses"]


@pytest.mark.parametrize("case", CURABLE)
def test_a_cure_pairs_what_it_is_for(case: dict[str, Any]) -> None:
    for miss in misses_of(case["keys"], rule_of(case["rule"])):
        keys, rule = cured(case["keys"], rule_of(case["rule"]), miss)
        before = Listing.from_entries((key, 1, 0) for key in case["keys"])
        after = Listing.from_entries((key, 1, 0) for key in keys)
        assert len(pair(after, rule)) == len(pair(before, rule_of(case["rule"]))) + miss.count


def cured(
    keys: list[str], rule: PatternRule | SuffixRule, miss: NearMiss
) -> tuple[list[str], PatternRule | SuffixRule]:
    """Follow the cure of a near miss."""
    if miss.renames:
        names = dict(miss.renames)
        return [names.get(key, key) for key in keys], rule
    assert isinstance(rule, PatternRule)
    verb, *words = shlex.split(miss.fix)
    flags = list(zip(words[::2], words[1::2], strict=True))
    images = tuple(text for flag, text in flags if flag == "--images")
    labels = [text for flag, text in flags if flag == "--labels"] or [rule.labels]
    images = (*rule.images, *images) if verb == "add" else images or rule.images
    return keys, PatternRule(images, labels[0])


def test_the_corpus_is_not_empty() -> None:
    assert CASES
