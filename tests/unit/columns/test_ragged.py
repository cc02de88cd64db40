import numpy as np
import pytest

from labelingest.columns.ragged import (
    gather,
    offsets_from_lengths,
    segment_max,
    segment_min,
    segment_sum,
)

NOTHING = np.zeros(0, dtype=np.int64)
NO_SEGMENT = np.zeros(1, dtype=np.int64)


def test_offsets_begin_with_zero_and_end_with_the_sum() -> None:
    assert offsets_from_lengths(np.array([2, 0, 5])).tolist() == [0, 2, 2, 7]


def test_no_lengths_give_one_offset() -> None:
    assert offsets_from_lengths(NOTHING).tolist() == [0]


def test_slices_are_gathered_in_the_order_given() -> None:
    assert gather(np.array([5, 0]), np.array([2, 3])).tolist() == [5, 6, 0, 1, 2]


def test_empty_slices_gather_nothing() -> None:
    assert gather(np.array([3, 9]), np.array([0, 0])).tolist() == []


def test_no_slices_gather_nothing() -> None:
    assert gather(NOTHING, NOTHING).tolist() == []


def test_positions_are_64_bit_integers() -> None:
    assert gather(NOTHING, NOTHING).dtype == np.int64


@pytest.mark.parametrize(
    ("reduce", "expected"),
    [
        (segment_min, [[1.0, 5.0], [7.0, 0.0]]),
        (segment_max, [[4.0, 6.0], [7.0, 0.0]]),
        (segment_sum, [[5.0, 11.0], [7.0, 0.0]]),
    ],
)
def test_columns_are_reduced_each_by_itself(reduce: object, expected: list[list[float]]) -> None:
    assert callable(reduce)
    values = np.array([[4.0, 5.0], [1.0, 6.0], [7.0, 0.0]])
    assert reduce(values, np.array([0, 2, 3])).tolist() == expected


@pytest.mark.parametrize("reduce", [segment_min, segment_max, segment_sum])
def test_no_segments_reduce_to_nothing(reduce: object) -> None:
    assert callable(reduce)
    assert reduce(np.zeros((0, 2)), NO_SEGMENT).shape == (0, 2)
