import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelingest.documents import decode as module
from labelingest.documents.decode import UNDECODED, decode
from labelingest.problems.broken_text import BrokenKey, BrokenText
from labelingest.problems.of_document import DocumentProblems


def found(content: bytes) -> tuple[object, list[tuple[str, str | None]]]:
    notes = DocumentProblems("a.json")
    document = decode(content, notes)
    return document, [(problem.code.value, problem.pointer) for problem in notes.in_order()]


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe{\0}\0", '{"ä": 1}'.encode("latin-1"), '{"a": 1}'.encode("utf-16-be")],
)
def test_what_is_not_utf8_is_refused(content: bytes) -> None:
    document, problems = found(content)
    assert document is UNDECODED
    assert [code for code, _ in problems] in (["not-text"], ["not-json"])


def test_a_byte_order_mark_is_read_past() -> None:
    assert found(b'\xef\xbb\xbf{"a": 1}') == ({"a": 1}, [("byte-order-mark", None)])


def test_many_brackets_end_in_one_problem() -> None:
    document, problems = found(b"[" * 3_000_000)
    assert document is UNDECODED
    assert problems == [("not-json", None)]


@pytest.mark.parametrize("opening", ['{"a":', '{"a" : ', "["])
def test_as_many_levels_are_read_as_can_be_written(opening: str) -> None:
    closing = "}" if opening.startswith("{") else "]"
    document, problems = found((opening * 254 + "1" + closing * 254).encode())
    assert problems == []
    assert orjson.dumps(document)
    for depth in (255, 1024):
        deeper = (opening * depth + "1" + closing * depth).encode()
        assert found(deeper) == (UNDECODED, [("not-json", "")])


def test_a_file_over_the_limit_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 7)
    assert found(b'{"a": 1}') == (UNDECODED, [("file-too-large", "")])


def test_a_large_file_is_decoded_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE_BYTES", 7)
    assert found(b'{"a": 1}') == ({"a": 1}, [("large-sidecar", "")])


@pytest.mark.parametrize(
    ("text", "pointers"),
    [
        ('{"a": 1, "a": 2}', ["/a"]),
        ('{"x/y": [0, {"b": 1, "c": 2, "b": 3}]}', ["/x~1y/1/b"]),
        ('{"a" : 1, "b" : 2, "a" : 3}', ["/a"]),
        ('{"a": 1, "\\u0061": 2}', ["/a"]),
        ('{"a":1,"a":2,"b":"\\u0022:"}', ["/a"]),
        ('{"a":1,"a":2,"b":"\\"\\u003a"}', ["/a"]),
        ('{"a": NaN, "a": 2}', ["/a"]),
        ('{"a": "\\": ", "b": "\\" :"}', []),
    ],
)
def test_repeated_keys_are_named(text: str, pointers: list[str]) -> None:
    document, problems = found(text.encode())
    assert problems == [("duplicate-key", pointer) for pointer in pointers]
    assert str(document) == str(json.loads(text))


def test_what_was_decoded_by_the_second_way_can_be_written() -> None:
    document, _ = found(b'{"a": [NaN, -Infinity, 1e400, 123456789012345678901234567890]}')
    assert orjson.dumps(document) == b'{"a":[null,null,null,1.2345678901234568e+29]}'


def test_half_a_surrogate_pair_costs_no_other_value() -> None:
    document, problems = found(b'{"a": [NaN, "\\ud800"], "\\udc00": "\\ud83d\\ude00"}')
    assert repr(document) == "{'a': [nan, '\\ud800'], '\\udc00': '\U0001f600'}"
    assert isinstance(document, dict)
    assert isinstance(document["a"][1], BrokenText)
    assert list(map(type, document)) == [str, BrokenKey]
    assert problems == []


def test_keys_with_half_a_pair_are_named_when_repeated() -> None:
    problems = found(b'{"x\\ud800": {"y": 1, "y": 2}, "x\\ud800": {"y": 1, "y": 2}}')[1]
    assert [pointer for _, pointer in problems] == ["/\ufffdx\\ud800", "/\ufffdx\\ud800/y"]


def sentence(content: bytes) -> str:
    notes = DocumentProblems("a.json")
    assert decode(content, notes) is UNDECODED
    [problem] = notes.in_order()
    return str(problem)


def test_bytes_that_are_half_a_pair_are_not_text() -> None:
    assert sentence(b'{"a": "\xed\xa0\xbd"}').startswith("a.json:1:1: not-text: ")
    assert sentence(b'{"a": NaN, "b": "\xed\xa0\xbd"}').startswith("a.json:1:1: not-text: ")


def test_an_answer_beyond_64_bits_is_named_and_other_numbers_are_not() -> None:
    text = b'[{"answers": 123456789012345678901, "x": 123456789012345678901}, NaN]'
    for content in (text, text.replace(b", NaN", b"")):
        notes = DocumentProblems("a.json")
        document = decode(content, notes)
        assert document[0]["answers"] == 1.2345678901234568e20
        assert [str(problem) for problem in notes.in_order()] == [
            "a.json#/0/answers: replaced-value: found 123456789012345678901, expected a number that "
            "fits into 64 bits: 1.2345678901234568e+20 is written"
        ]
    assert found(b'[{"answers": 18446744073709551615, "x": "12345678901234567890123"}]')[1] == []
    assert found(b"12345678901234567890123") == (1.2345678901234568e22, [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "1:1: not-json: the file is empty; expected "),
        (b" \n\t", "1:1: not-json: the file is empty; expected "),
        (
            b'{"a":\n [1, 2',
            "2:7: not-json: the JSON ends too early: the file is truncated; expected ",
        ),
        (b'{"a": 1} \n', None),
        (b'{"a": 1}\n x23456789012345678901', "2:2: not-json: not JSON from "),
        (
            b'{"a": 1} 23456789012345678901',
            "1:10: not-json: not JSON from '23456789012345678901' on: ",
        ),
        (b"[" * 2000, "not-json: "),
        (
            "\ufeff{".encode("utf-16-le"),
            "1:1: not-text: the file is UTF-16 or UTF-32; JSON is UTF-8",
        ),
        ("{}".encode("utf-16-be"), "not-"),
        (b'{"a": "b\xe4"}', "1:1: not-text: byte 9 is 0xe4, which is not UTF-8"),
        (b'"\xed\xa0\x80"', "1:1: not-text: byte 2 is 0xed, which is not UTF-8"),
    ],
)
def test_what_is_wrong_with_the_text_is_said_with_its_place(
    content: bytes, said: str | None
) -> None:
    if said is None:
        assert found(content) == ({"a": 1}, [])
    else:
        assert said in sentence(content)


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("text", ["{}", "[{}]", '{{"a": {}}}', '{{"a": [0, {}, 1]}}'])
def test_literals_that_only_python_writes_are_read_wherever_they_stand(
    literal: str, text: str
) -> None:
    content = text.format(literal)
    document, problems = found(content.encode())
    assert str(document) == str(json.loads(content))
    assert problems == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


@given(_JSON, st.booleans(), st.sampled_from([None, 1]))
def test_clean_json_is_decoded_without_a_word(
    value: object, ascii: bool, indent: int | None
) -> None:
    content = json.dumps(value, ensure_ascii=ascii, indent=indent).encode()
    assert found(content) == (value, [])


@given(st.binary(max_size=40))
def test_no_bytes_raise(content: bytes) -> None:
    found(content)
