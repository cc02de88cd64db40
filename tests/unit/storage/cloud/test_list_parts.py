"""Where a listing is cut into parts."""

from itertools import pairwise

import pytest

from labelingest.columns.keys import Keys
from labelingest.storage.cloud.list_parts import Part, parts_of, splits_of


def numbered(count: int) -> Keys:
    return Keys.from_texts([f"{number:07}" for number in range(count)])


@pytest.mark.parametrize(
    ("keys", "parts"), [(0, 1), (20_000, 1), (20_001, 4), (320_000, 64), (500_000, 64)]
)
def test_parts_have_five_thousand_keys_at_least_and_are_sixty_four_at_most(
    keys: int, parts: int
) -> None:
    ends = [0, *(int(split) + 1 for split in splits_of(numbered(keys))), keys]
    sizes = [end - begin for begin, end in pairwise(ends)]
    assert len(sizes) == parts
    assert max(sizes) - min(sizes) <= 1


def test_parts_follow_each_other_whatever_the_order_of_the_splits() -> None:
    assert parts_of(["c", "a", "b", "a"]) == [
        Part(None, "a"),
        Part("a", "b"),
        Part("b", "c"),
        Part("c", None),
    ]


@pytest.mark.parametrize("split", ["", "/", "b/", "/b", "b//c", "b/./c", "..", "b\n", "\ud800"])
def test_what_can_be_no_key_splits_nothing(split: str) -> None:
    assert parts_of([split]) == [Part()]


def test_splits_that_are_listed_already_are_passed_over() -> None:
    assert parts_of(["a", "b", "c"], after="b") == [Part("b", "c"), Part("c", None)]
