"""Values are counted in the bytes; the oracle counts what was decoded."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelingest.documents import value_count as weigh
from labelingest.documents.value_count import count_values, too_many_values


def counted(value: Any) -> int:
    """Count an object twice, all others once."""
    if isinstance(value, dict):
        return 2 + sum(map(counted, value.values()))
    return 1 + (sum(map(counted, value)) if isinstance(value, list) else 0)


TEXTS = st.text(alphabet='\\",[]{}:a', max_size=8)
_JSON = st.recursive(
    st.integers(0, 9) | TEXTS | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(_JSON, st.integers(1, 9))
def test_values_are_those_of_the_document_wherever_it_is_cut(value: Any, chunk: int) -> None:
    content = json.dumps(value, separators=(",", ":")).encode()
    assert count_values(content) == counted(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weigh, "_CHUNK", chunk)
        assert count_values(content) == counted(value)


@pytest.mark.parametrize(
    "text",
    ['"', "\\", '\\"', '"\\"', '\\\\"', '","', '\\,"', '"a"b",[', "[" * 9 + "\\", '""\\\\""'],
)
def test_what_stands_in_a_text_counts_once(text: str) -> None:
    content = json.dumps([text, 1]).encode()
    assert count_values(content) == 3


def test_a_text_is_too_much_from_one_value_more() -> None:
    content = b"[" + b"1," * 9 + b"1]"
    assert too_many_values(content, 11) == 0
    assert too_many_values(content, 10) == 11
    assert too_many_values(b'["' + b"," * 50 + b'"]', 10) == 0
