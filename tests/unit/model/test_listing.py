import numpy as np

from labelingest.columns.keys import Keys
from labelingest.model.listing import Listing


def page(keys: list[str], tokens: list[str] | None) -> Listing:
    numbers = np.arange(len(keys), dtype=np.int64)
    column = None if tokens is None else Keys.from_texts(tokens)
    return Listing(Keys.from_texts(keys), numbers, numbers * 10, tokens=column)


def test_tokens_stay_with_their_keys_when_pages_are_merged() -> None:
    pages = [page(["d", "b"], ["D", "BB"]), page([], []), page(["a", "c"], ["", "C"])]
    merged = Listing.from_pages(pages)
    assert list(merged.keys) == ["a", "b", "c", "d"]
    assert list(merged.token_column()) == ["", "BB", "C", "D"]


def test_without_tokens_size_and_time_are_the_token() -> None:
    merged = Listing.from_pages([page(["d", "b"], None), page(["a"], None)])
    assert merged.tokens is None
    assert list(merged.token_column()) == ["0:0", "1:10", "0:0"]


def test_the_token_column_of_many_rows_is_whole() -> None:
    listing = page([f"{number:06}" for number in range(70_000)], None)
    column = listing.token_column()
    assert len(column) == 70_000
    assert [column[row] for row in (0, 65_535, 65_536, 69_999)] == [
        "0:0",
        "65535:655350",
        "65536:655360",
        "69999:699990",
    ]


def test_a_listing_of_nothing_has_no_tokens() -> None:
    assert list(Listing.from_pages([]).token_column()) == []
