"""Stage 2, pairing a listing, against a dictionary of all keys.

The rivals answer less: no order, no ambiguous pairs, no orphans, no problems, and they keep a
Python string for every key.
"""

import re
from collections.abc import Sequence

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from labelingest.model.listing import Listing
from labelingest.model.pairs import Outcome
from labelingest.pairing.layouts import recognise
from labelingest.pairing.near_misses.near_misses import MAX_LEFT_OVER, near_misses
from labelingest.pairing.near_misses.one_file import answer_for
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import PatternRule, SuffixRule

RULE = PatternRule(("images/{name}.jpg", "images/{name}.png"), "labels/{name}.txt")
DEEP_RULE = PatternRule(("drives/{drive}/images/{name}.jpg",), "drives/{drive}/labels/{name}.txt")
SUFFIX = ".encord.json"


@pytest.fixture(scope="session")
def pairs(bench_files: int) -> int:
    """Return how many pairs a listing has: 50,000 when measured, which is 100,000 keys."""
    return bench_files * 5 // 2


def listing_of(keys: Sequence[str]) -> Listing:
    return Listing.from_entries((key, 300, 0) for key in keys)


def pattern_keys(pairs: int) -> list[str]:
    names = [f"train/{i:08d}" for i in range(pairs)]
    return [f"images/{name}.jpg" for name in names] + [f"labels/{name}.txt" for name in names]


def deep_keys(pairs: int) -> list[str]:
    places = [(f"2026-01-{i % 28:02d}", f"{i:08d}") for i in range(pairs)]
    images = [f"drives/{drive}/images/{name}.jpg" for drive, name in places]
    return images + [f"drives/{drive}/labels/{name}.txt" for drive, name in places]


def companion_like_keys(pairs: int) -> list[str]:
    stems = ("license_plate", "train", "readme", "classes")
    names = [f"{stems[i % 4]}_{i:08d}" for i in range(pairs)]
    images = [f"images/{name}.jpg" for name in names]
    return [*images, "labels/classes.txt", *(f"labels/{name}.txt" for name in names)]


def label_studio_keys(pairs: int) -> list[str]:
    names = [f"{i:08d}x" for i in range(pairs)]
    labels = [f"labels/1c2d3e4f-{name}.txt" for name in names]
    return [f"images/{name}.jpg" for name in names] + labels


def suffix_keys(pairs: int) -> list[str]:
    images = [f"train/{i:08d}.jpg" for i in range(pairs)]
    return images + [image + SUFFIX for image in images]


def pair_by_dictionary(keys: Sequence[str]) -> list[tuple[str, str]]:
    labels = {match[1]: key for key in keys if (match := re.fullmatch(r"labels/(.+)\.txt", key))}
    return [
        (key, labels[match[1]])
        for key in keys
        if (match := re.fullmatch(r"images/(.+)\.(?:jpg|png)", key)) and match[1] in labels
    ]


def pair_suffixes_by_dictionary(keys: Sequence[str]) -> list[tuple[str, str]]:
    key_set = set(keys)
    return [(key, key + SUFFIX) for key in keys if key + SUFFIX in key_set]


class TestPatterns:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture, pairs: int) -> None:
        benchmark.group = f"pairing: patterns, {2 * pairs:,} keys"

    def test_pair(self, benchmark: BenchmarkFixture, pairs: int) -> None:
        listing = listing_of(pattern_keys(pairs))
        paired = benchmark(pair, listing, RULE)
        assert paired.counts()[Outcome.PAIRED] == paired.counts()[Outcome.SIDECAR] == pairs
        # Keys are ordered: all images, then their labels in the same order.
        assert np.array_equal(paired.sidecar, paired.data + pairs)

    def test_pair_where_every_third_image_has_no_labels(
        self, benchmark: BenchmarkFixture, pairs: int
    ) -> None:
        keys = pattern_keys(pairs)
        listing = listing_of([*keys[:pairs], *(k for i, k in enumerate(keys[pairs:]) if i % 3)])
        paired = benchmark(pair, listing, RULE)
        assert len(paired) == pairs - (pairs + 2) // 3

    def test_recognise(self, benchmark: BenchmarkFixture, pairs: int) -> None:
        [guess] = benchmark(recognise, listing_of(pattern_keys(pairs)))
        assert guess.pairs == pairs

    def test_pair_with_two_placeholders(self, benchmark: BenchmarkFixture, pairs: int) -> None:
        listing = listing_of(deep_keys(pairs))
        paired = benchmark(pair, listing, DEEP_RULE)
        data, sidecars = listing.keys.take(paired.data), listing.keys.take(paired.sidecar)
        assert len(paired) == pairs
        assert [key.replace("images", "labels")[:-3] + "txt" for key in data] == sidecars

    def test_pair_names_that_begin_as_companion_files_do(
        self, benchmark: BenchmarkFixture, pairs: int
    ) -> None:
        listing = listing_of(companion_like_keys(pairs))
        paired = benchmark(pair, listing, RULE)
        assert len(paired) == pairs
        assert paired.counts()[Outcome.COMPANION] == 1

    def test_rival_a_dictionary(self, benchmark: BenchmarkFixture, pairs: int) -> None:
        assert len(benchmark(pair_by_dictionary, pattern_keys(pairs))) == pairs


class TestSuffix:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture, pairs: int) -> None:
        benchmark.group = f"pairing: suffix, {2 * pairs:,} keys"

    def test_pair(self, benchmark: BenchmarkFixture, pairs: int) -> None:
        listing = listing_of(suffix_keys(pairs))
        paired = benchmark(pair, listing, SuffixRule(SUFFIX))
        assert len(paired) == pairs
        # Each data file is followed by its sidecar.
        assert np.array_equal(paired.sidecar, paired.data + 1)

    def test_rival_a_dictionary(self, benchmark: BenchmarkFixture, pairs: int) -> None:
        assert len(benchmark(pair_suffixes_by_dictionary, suffix_keys(pairs))) == pairs


class TestNothingPairs:
    """Hints where no file pairs: every file is compared once, whatever the names."""

    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture, pairs: int) -> None:
        benchmark.group = f"pairing: hints, {2 * pairs:,} keys without partner"

    def test_near_misses(self, benchmark: BenchmarkFixture, pairs: int) -> None:
        listing = listing_of(label_studio_keys(pairs))
        [miss] = benchmark(near_misses, listing, pair(listing, RULE), RULE)
        assert miss.count == min(pairs, MAX_LEFT_OVER)

    def test_answer_for_one_file(self, benchmark: BenchmarkFixture, pairs: int) -> None:
        keys = label_studio_keys(pairs)
        listing = listing_of(keys)
        answer = benchmark(answer_for, listing, pair(listing, RULE), RULE, keys[-1])
        assert len(answer.near) == 1
