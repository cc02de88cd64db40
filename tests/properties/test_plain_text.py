"""The fast way to rows and tokens says what the general way says, of all text that it takes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from labelingest.model.blobs import Blobs
from labelingest.readers.yolo.plain_tokens import plain_rows
from labelingest.readers.yolo.tokens import Rows, Tokens, rows_of

PLAIN_TOKENS = st.sampled_from(
    ["0", "7", "12", "0.5", ".5", "5.", "1.0", ".", "0.12345678901234567"]
)
ODD_TOKENS = st.sampled_from(["-1", "+.5", "1e3", "1.2.3", "x", "#", "\t", "\r", "", "é", "\0"])
ENDS = st.sampled_from(["", "\n", "\n\n"])


def texts(tokens: st.SearchStrategy[str]) -> st.SearchStrategy[list[bytes]]:
    lines = st.lists(tokens, max_size=6).map(" ".join)
    text = st.tuples(st.lists(lines, max_size=5).map("\n".join), ENDS).map("".join)
    return st.lists(text.map(str.encode), max_size=5)


def assert_same(contents: list[bytes]) -> None:
    blobs = Blobs.from_contents(contents)
    fast = plain_rows(blobs)
    assert fast is not None
    assert_equal_columns(fast[0], rows_of(blobs)[0])
    assert_equal_columns(fast[1], rows_of(blobs)[1])


def assert_equal_columns(found: Rows | Tokens, expected: Rows | Tokens) -> None:
    for name, right in asdict(expected).items():
        values = getattr(found, name)
        assert np.array_equal(values, right), name
        assert values.dtype == right.dtype


@given(texts(PLAIN_TOKENS))
def test_plain_text_is_taken_and_read_as_the_general_way_reads_it(contents: list[bytes]) -> None:
    assert_same(contents)


def test_a_blank_before_the_end_of_a_line_is_plain() -> None:
    assert_same([b"0 .5 \n1 .25 \n\n2 .5 "])


@given(texts(st.one_of(PLAIN_TOKENS, ODD_TOKENS)))
def test_what_is_taken_of_any_text_is_read_as_the_general_way_reads_it(
    contents: list[bytes],
) -> None:
    if plain_rows(Blobs.from_contents(contents)) is not None:
        assert_same(contents)


@pytest.mark.parametrize(
    "content", [b"0 -1", b"0 1e3", b"0 1.2.3", b"0 x", b"0 .", b"-.5 1/2", b"\xff", b"x"]
)
def test_odd_tokens_of_plain_text_are_taken(content: bytes) -> None:
    assert_same([b"0 .5", content, b"1 0.25"])


@pytest.mark.parametrize(
    "content",
    [b"0\t1", b"0 1\r\n", b" 0 1", b"0  1", b"# 0", b"0 1 # x", b"0 1\0"],
)
def test_other_text_is_left_to_the_general_way(content: bytes) -> None:
    assert plain_rows(Blobs.from_contents([b"0 .5", content])) is None
