"""Counts by class: they add up in any grouping, and stay small."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from labelingest.converter import Conversion, LabelFile
from labelingest.model.class_counts import (
    MOST_UNMAPPED,
    ClassCounts,
    FileClasses,
    RowPlace,
    UnmappedNumbers,
)
from labelingest.model.ontology import ClassMap
from labelingest.model.tally import Tally
from tests.builders.yolo import SHAPES, converter_for


def unmapped_of(numbers: Sequence[int], first_row: int = 0) -> UnmappedNumbers:
    return UnmappedNumbers.of_rows(
        np.array(numbers, dtype=np.int64),
        np.arange(len(numbers), dtype=np.int32),
        lambda row: RowPlace("a.txt", first_row + row, 1),
    )


@pytest.mark.parametrize("width", [1, 7, 400, 3_000])
def test_unmapped_numbers_are_capped_alike_in_any_grouping(width: int) -> None:
    random = np.random.default_rng(0)
    numbers = random.integers(0, 2_000, 3_000).tolist()
    grouped = UnmappedNumbers()
    for start in range(0, len(numbers), width):
        grouped.merge(unmapped_of(numbers[start : start + width], start))
    counts = Counter(numbers)
    smallest = sorted(counts)[:MOST_UNMAPPED]
    assert {n: entry.rows for n, entry in grouped.numbers.items()} == {
        n: counts[n] for n in smallest
    }
    assert all(grouped.numbers[n].first.line == numbers.index(n) for n in smallest)
    assert grouped.other_rows == len(numbers) - sum(counts[n] for n in smallest)


@pytest.mark.parametrize("classes", [3, 2_000_000])
def test_files_are_counted_by_class_as_one_by_one(classes: int) -> None:
    random = np.random.default_rng(1)
    unit = np.sort(random.integers(0, 50, 400)).astype(np.int32)
    place = random.integers(0, classes, 400).astype(np.int32) % 40
    keys = np.arange(classes, dtype=np.int64) * 2
    keep = random.random(50) < 0.5
    counted = FileClasses.count(unit, place, keys).where(keep).total()
    pairs = [
        (u, int(keys[p])) for u, p in zip(unit.tolist(), place.tolist(), strict=True) if keep[u]
    ]
    assert counted.rows == Counter(key for _, key in pairs)
    assert counted.files == Counter(key for _, key in set(pairs))


def test_counts_of_batches_are_those_of_one_batch() -> None:
    files = [
        LabelFile(f"{n}.jpg", b"0 .5 .5 .1 .1\n1 .5 .5 .1 .1\n9 .5 .5 .1 .1\n" * (n % 3), (64, 48))
        for n in range(10)
    ]
    converter = converter_for(SHAPES)
    together = converter.convert(files)
    parts = [converter.convert(files[:4]), converter.convert(files[4:])]
    assert Tally.sum(part.tally for part in parts).classes == together.tally.classes
    assert Conversion.joined(parts).tally.classes == together.tally.classes
    assert together.tally.classes.files == {0: 6, 1: 6}
    assert together.tally.classes.unmapped.numbers[9].files == 6


def test_counts_survive_a_journal() -> None:
    counts = ClassCounts(Counter({0: 2, -1: 3}), Counter({0: 1}), Counter({0: 9}))
    counts.unmapped = unmapped_of([9, 9, 2**53])
    counts.unmapped.other_rows = 4
    assert ClassCounts.from_json(counts.as_json()) == counts
    with pytest.raises(TypeError, match="whole number"):
        ClassCounts.from_json({**counts.as_json(), "other_rows": "4"})


def test_without_any_mapped_number_all_rows_are_of_unmapped_ones() -> None:
    converter = replace(converter_for(SHAPES), class_map=ClassMap.empty())
    counts = converter.convert([("a.jpg", b"7 .5 .5 .1 .1\n7 .5 .5 .2 .1")]).tally.classes
    assert (counts.rows, counts.seen) == (Counter(), Counter())
    assert counts.unmapped.numbers[7].rows == 2
