import numpy as np
import pytest

from labelingest.columns.keys import Keys
from labelingest.pairing.match import Affixes, Spans, ending_with, equal_captures, first_row
from labelingest.pairing.rules import Pattern


def captured(pattern: str, *names: str) -> dict[str, tuple[bytes, ...]]:
    """Return what each key that matches gives, by key."""
    ordered = sorted(names)
    keys = Keys.from_texts(ordered)
    spans = Affixes.from_pattern(Pattern(pattern, "pattern")).spans(keys, np.arange(len(ordered)))
    return dict(zip([ordered[i] for i in spans.rows], spans.captures(keys), strict=True))


def test_a_literal_that_begins_where_the_last_key_ends_is_not_there() -> None:
    # The text of all keys ends within what would be the literal.
    assert captured("{a}--{b}", "x-", "y--z-") == {"y--z-": (b"y", b"z-")}
    assert captured("{a}--{b}.jpg", "x-.jpg", "z--.jpg") == {}


def test_all_characters_of_a_literal_count() -> None:
    assert captured("{a}xy{b}", "1xy2", "1yy2", "1xx2", "1xyy", "1yxy2") == {
        "1xy2": (b"1", b"2"),
        "1xyy": (b"1", b"y"),
        "1yxy2": (b"1y", b"2"),
    }


@pytest.mark.parametrize("name", ["-", "--", "---", "----", "-----"])
def test_a_key_may_be_shorter_than_a_literal(name: str) -> None:
    assert captured("{a}-----{b}", name) == captured("{a}--{b}", name[:3]) == {}


def test_a_literal_between_leaves_a_character_on_either_side() -> None:
    assert captured("{a}-{b}", "-", "--", "a-", "-b", "---", "a-b") == {
        "---": (b"-", b"-"),
        "a-b": (b"a", b"b"),
    }


def test_a_literal_is_not_looked_for_beyond_its_own_key() -> None:
    assert captured("{a}-{b}-{c}", "a-b", "c-d-e", "f") == {"c-d-e": (b"c", b"d", b"e")}


def test_placeholders_side_by_side_take_one_character_but_for_the_last() -> None:
    assert captured("{a}{b}", "é", "éa", "xyz", "𝄞𝄞", "a") == {
        "éa": ("é".encode(), b"a"),
        "xyz": (b"x", b"yz"),
        "𝄞𝄞": ("𝄞".encode(), "𝄞".encode()),
    }


@pytest.mark.parametrize("name", ["a", "é", "𝄞"])
def test_one_character_is_too_little_for_two_placeholders(name: str) -> None:
    assert captured("{a}{b}", name) == captured("{a}{b}.x", f"{name}.x") == {}


def test_captures_stand_in_the_order_of_the_names() -> None:
    assert captured("{b}/{a}.jpg", "x/y.jpg") == {"x/y.jpg": (b"y", b"x")}


@pytest.mark.parametrize(
    ("key", "row"), [(b"", 0), (b"a", 0), (b"b", 1), (b"c", 1), (b"cc", 2), (b"d", 2), (b"e", 3)]
)
def test_the_first_row_is_the_one_of_the_key_or_of_the_next(key: bytes, row: int) -> None:
    assert first_row(Keys.from_texts(["a", "c", "d"]), key) == row


def test_a_key_may_be_the_suffix_alone() -> None:
    keys = Keys.from_texts(["", "a.txt", ".txt", "txt"])
    assert ending_with(keys, np.arange(4), b".txt").tolist() == [1, 2]
    assert ending_with(keys, np.arange(4), b"").tolist() == [0, 1, 2, 3]


def test_captures_are_equal_when_all_their_bytes_are() -> None:
    names = ["a/x.jpg", "a/y.jpg", "b/x.jpg", "a/xx.jpg", "a/x.txt"]
    keys = Keys.from_texts(sorted(names))
    images = Affixes.from_pattern(Pattern("{a}/{b}.jpg", "pattern"))
    labels = Affixes.from_pattern(Pattern("{a}/{b}.txt", "pattern"))
    rows = np.array([sorted(names).index(name) for name in names[:4]])
    label = np.full(4, sorted(names).index("a/x.txt"))
    assert equal_captures(keys, images, rows, labels, label).tolist() == [True, *[False] * 3]


def test_no_keys_match_nothing() -> None:
    spans = Affixes(b"", b".jpg").spans(Keys.from_texts([]), np.arange(0))
    assert isinstance(spans, Spans)
    assert spans.captures(Keys.from_texts([])) == []
    assert captured("{a}-{b}") == {}
