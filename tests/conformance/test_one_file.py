"""Answers for one file: what became of it, by which pattern, and what is near."""

import json
from pathlib import Path
from typing import Any

import pytest

from labelingest.model.listing import Listing
from labelingest.pairing.near_misses.one_file import answer_for
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import SuffixRule
from tests.conformance.test_pairing import rule_of

FOLDER = Path(__file__).parents[2] / "fixtures/conformance/one_file"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(FOLDER.glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))
]


def answer_to(case: dict[str, Any]) -> dict[str, Any]:
    """Return the answer for the file of a case, as far as the corpus states it."""
    listing = Listing.from_entries((key, 1, 0) for key in case["keys"])
    rule = rule_of(case["rule"])
    metadata = SuffixRule(case["metadata"]) if "metadata" in case else None
    pairs = pair(listing, rule, metadata)
    answer = answer_for(listing, pairs, rule, case["file"], metadata=metadata)
    return {
        "outcome": answer.outcome.name.lower(),
        "matches": [[claim.text, dict(claim.captures)] for claim in answer.claims],
        "expected": {
            other.key: None if other.outcome is None else other.outcome.name.lower()
            for other in answer.expected
        },
        "why": answer.reason,
        "near": list(answer.near),
        "similar": list(answer.similar),
    }


@pytest.mark.parametrize("case", CASES)
def test_the_answer_for_a_file_is_that_of_the_corpus(case: dict[str, Any]) -> None:
    assert answer_to(case) == case["answer"]


def test_the_corpus_is_not_empty() -> None:
    assert CASES
