"""What the bytes of JSON say of its values, beside what the decoded document says."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelingest.documents import value_count as weigh

TEXTS = st.text(alphabet='ab",[{:}]\\\u00e9', max_size=6)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(0, 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def values_in(document: Any) -> int:
    if isinstance(document, dict):
        return 2 + sum(map(values_in, document.values()))
    return 1 + sum(map(values_in, document)) if isinstance(document, list) else 1


@given(DOCUMENTS, st.integers(1, 40), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_the_bytes_say_how_many_values_there_are(
    document: Any, chunk: int, separators: tuple[str, str]
) -> None:
    content = json.dumps(document, separators=separators, ensure_ascii=False).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weigh, "_CHUNK", chunk)
        assert weigh.count_values(content) == values_in(document)


def texts_in(document: Any) -> list[str]:
    if isinstance(document, dict):
        return [*document, *(text for value in document.values() for text in texts_in(value))]
    if isinstance(document, list):
        return [text for value in document for text in texts_in(value)]
    return [document] if isinstance(document, str) else []


@given(DOCUMENTS, st.integers(1, 40))
def test_the_bytes_say_how_long_the_longest_text_is(document: Any, chunk: int) -> None:
    content = json.dumps(document, ensure_ascii=False).encode()
    written = [len(json.dumps(t, ensure_ascii=False).encode()) - 2 for t in texts_in(document)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weigh, "_CHUNK", chunk)
        assert weigh.longest_text(content) == max(written, default=0)


@given(st.binary(max_size=60))
def test_any_bytes_can_be_counted(content: bytes) -> None:
    assert 0 <= weigh.count_values(content) <= 1 + 2 * len(content)


def test_texts_below_the_limit_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weigh, "count_values", lambda _: pytest.fail("counted"))
    assert weigh.too_many_values(b"[" + b"1," * 90 + b"1]", 100) == 0
    assert weigh.too_many_values(b"[" + b" " * 900 + b"1]", 100) == 0
