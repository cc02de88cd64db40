"""Keys are sorted by their bytes, as Python sorts bytes."""

from hypothesis import example, given
from hypothesis import strategies as st

from labelingest.columns.keys import Keys

SHORT = st.binary(max_size=3)
REPEATED = st.builds(lambda part, count: part * count, SHORT, st.integers(0, 12))
TEXTS = st.builds(lambda *parts: b"".join(parts), REPEATED, SHORT, REPEATED)


@given(st.lists(TEXTS | st.binary(max_size=20), max_size=40))
@example([b"a", b"a\0", b"", b"a\0\0\0\0\0\0\0", b"a\0\0\0\0\0\0\0\0", b"a"])
@example([b"12345678", b"1234567", b"12345678\0", b"123456781", b"12345678"])
@example([b""])
@example([])
def test_texts_are_sorted_by_their_bytes_and_equal_ones_stay_in_order(texts: list[bytes]) -> None:
    ordered, rows = Keys.from_texts(texts).in_order()
    expected = sorted(range(len(texts)), key=texts.__getitem__)
    assert rows.tolist() == expected
    assert [
        ordered.text[a:b] for a, b in zip(ordered.offsets, ordered.offsets[1:], strict=False)
    ] == [texts[row] for row in expected]


@given(st.lists(TEXTS | st.binary(max_size=20), max_size=20))
@example([b"a", b"a\0"])
@example([b"a\0", b"a"])
@example([b"12345678", b"12345678"])
@example([b"123456781", b"12345678"])
def test_whether_texts_are_in_order_is_told(texts: list[bytes]) -> None:
    assert Keys.from_texts(texts).are_in_order() == (texts == sorted(texts))
    assert Keys.from_texts(sorted(texts)).are_in_order()
