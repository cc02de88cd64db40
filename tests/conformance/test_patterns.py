"""Which patterns are refused, with what sentence; and what the others mean."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelingest.columns.keys import Keys
from labelingest.errors import ConfigError
from labelingest.pairing.match import Affixes
from labelingest.pairing.rules import Pattern, PatternRule
from tests.oracles import pairing as oracle

FOLDER = Path(__file__).parents[2] / "fixtures/conformance/patterns"


def cases(name: str) -> list[Any]:
    entries = json.loads((FOLDER / name).read_text("utf-8"))
    assert entries
    return [pytest.param(case, id=case["name"]) for case in entries]


@pytest.mark.parametrize("case", cases("refusals.json"))
def test_a_pattern_is_refused_with_its_own_sentence(case: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=re.escape(case["problem"])):
        PatternRule(tuple(case["images"]), case["labels"])


@pytest.mark.parametrize("case", cases("meaning.json"))
def test_a_pattern_captures_what_the_corpus_says(case: dict[str, Any]) -> None:
    pattern = Pattern(case["pattern"], "pattern")
    fields = {key: pattern.fields(key) for key in case["fields"]}
    assert fields == {
        key: None if fields is None else tuple(fields) for key, fields in case["fields"].items()
    }


@pytest.mark.parametrize("case", cases("meaning.json"))
def test_many_keys_at_once_capture_the_same(case: dict[str, Any]) -> None:
    keys = Keys.from_texts(sorted(key.encode() for key in case["fields"]))
    fields_of_row = Affixes.from_pattern(Pattern(case["pattern"], "pattern")).fields(
        keys, np.arange(len(keys))
    )
    assert {keys[row]: list(fields) for row, fields in fields_of_row.items()} == {
        key: fields for key, fields in case["fields"].items() if fields is not None
    }


@pytest.mark.parametrize("case", cases("meaning.json"))
def test_trying_everything_captures_the_same(case: dict[str, Any]) -> None:
    for key, fields in case["fields"].items():
        captured = oracle.match(case["pattern"], key)
        assert fields == (
            None if captured is None else [captured[name] for name in sorted(captured)]
        )
