from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from encord.common.bitmask_operations import serialise_bitmask
from encord.common.time_parser import parse_datetime
from hypothesis import given
from hypothesis import strategies as st

from labelingest.encord.dates import written_date
from labelingest.model.frame_ranges import clip, difference, latest, union
from labelingest.problems.of_document import DocumentProblems
from labelingest.readers.encord.explain.bitmask import run_lengths

RANGES = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 8)).map(lambda r: (r[0], r[0] + r[1])), max_size=8
)


def frames(ranges: list[tuple[int, int]]) -> set[int]:
    return {frame for first, last in ranges for frame in range(first, last + 1)}


@given(RANGES, RANGES)
def test_ranges_are_sets_of_frames(
    some: list[tuple[int, int]], others: list[tuple[int, int]]
) -> None:
    merged = union(some)
    assert frames(merged) == frames(some)
    assert all(b[0] > a[1] + 1 for a, b in pairwise(merged))
    assert frames(difference(merged, union(others))) == frames(some) - frames(others)
    assert frames(clip(some, 10)) == frames(some) & set(range(10))


@given(RANGES)
def test_the_latest_range_has_the_frame(ranges: list[tuple[int, int]]) -> None:
    expected = {frame: rank for rank, r in enumerate(ranges) for frame in frames([r])}
    ranked = [(first, last, rank) for rank, (first, last) in enumerate(ranges)]
    result = [(f, rank) for a, b, rank in latest(ranked) for f in range(a, b + 1)]
    assert sorted(result) == sorted(expected.items())


@given(st.lists(st.integers(1, 70_000), min_size=1, max_size=12), st.booleans())
def test_run_lengths_are_those_of_the_client(runs: list[int], starts_set: bool) -> None:
    values = np.arange(len(runs)) % 2 == (0 if starts_set else 1)
    mask = np.repeat(values, runs)
    read = run_lengths(serialise_bitmask(mask.tobytes()))
    assert read is not None
    assert read.tolist() == ([0, *runs] if starts_set else runs)


@given(st.text(max_size=20))
def test_no_text_breaks_the_run_lengths(text: str) -> None:
    run_lengths(text)


@pytest.mark.parametrize(
    "text",
    [
        "Mon, 05 Jan 2026 16:46:58 UTC",
        "Mon, 05 Jan 2026 16:46:58 GMT",
        "2026-01-05 16:46:58",
        "2026-01-05",
        "2026-01-05T16:46:58Z",
        "2026-01-05T16:46:58.123456+02:00",
        "20260105T164658",
        "5 January 2026",
        "January 5, 2026 4:46 PM",
        "2026/01/05 16:46",
        "Mon, 05 Jan 2026 16:46:58 +0100",
    ],
)
def test_dates_are_read_as_by_the_client(text: str) -> None:
    expected = parse_datetime(text).astimezone(UTC)
    assert written_date(text) == expected.strftime("%a, %d %b %Y %H:%M:%S UTC")


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "Mon", "9" * 100, "2026-01-05T99:00"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert written_date(text) is None


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))
def test_a_written_date_stays_as_it_is(at: datetime) -> None:
    text = written_date(at.isoformat())
    assert text is not None
    assert written_date(text) == text


@given(st.text(max_size=30))
def test_no_text_breaks_a_date(text: str) -> None:
    written_date(text)


def test_problems_of_one_code_are_listed_up_to_a_limit() -> None:
    notes = DocumentProblems("a.json")
    for position in range(10_005):
        notes.wrong_type(f"/{position}", 1, "text")
    *listed, rest = notes.in_order()
    assert len(listed) == 10_000
    assert rest.count == 5
