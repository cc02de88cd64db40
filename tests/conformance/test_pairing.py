"""What becomes of each key of a listing."""

import json
from pathlib import Path
from typing import Any

import pytest

from labelingest.model.listing import Listing
from labelingest.model.pairs import Outcome
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import PatternRule, SuffixRule

FOLDER = Path(__file__).parents[2] / "fixtures/conformance/pairing"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(FOLDER.glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))
]


def rule_of(rule: dict[str, Any]) -> PatternRule | SuffixRule:
    if "suffix" in rule:
        return SuffixRule(rule["suffix"])
    return PatternRule(tuple(rule["images"]), rule["labels"])


@pytest.mark.parametrize("case", CASES)
def test_every_key_has_the_outcome_that_the_corpus_says(case: dict[str, Any]) -> None:
    listing = Listing.from_entries((key, 1, 0) for key in case["outcomes"])
    metadata = SuffixRule(case["metadata"]) if "metadata" in case else None
    pairs = pair(listing, rule_of(case["rule"]), metadata)
    keys = list(listing.keys)
    became = {
        key: Outcome(outcome).name.lower() for key, outcome in zip(keys, pairs.outcome, strict=True)
    }
    assert became == case["outcomes"]
    data, sidecars = listing.keys.take(pairs.data), listing.keys.take(pairs.sidecar)
    assert dict(zip(data, sidecars, strict=True)) == case["pairs"]
    assert [[p.code.value, p.source, p.count] for p in pairs.problems] == case["problems"]


def test_the_corpus_is_not_empty() -> None:
    assert len(CASES) > 30
