from math import nextafter

import numpy as np
import pytest

from labelingest.geometry.boxes import ltwh_from_cxcywh
from labelingest.geometry.centre_boxes import cxcywh_from_ltwh


def centre(left: float, width: float) -> float:
    return float(cxcywh_from_ltwh(np.array([[left, 0.25, width, 0.5]]))[0, 0])


@pytest.mark.parametrize(
    ("expected", "width"), [(0.223, 0.086), (0.701, 0.128), (0.114, 0.072), (0.452, 0.176)]
)
def test_a_centre_is_found_where_adding_misses_it(expected: float, width: float) -> None:
    left = expected - width / 2
    assert left + width / 2 != expected
    assert centre(left, width) == expected


def test_a_centre_with_seventeen_digits_gives_its_left_edge_again() -> None:
    random = np.random.default_rng(0)
    size = random.uniform(0, 1, (20_000, 2))
    cxcywh = np.concatenate((random.uniform(size / 2, 1 - size / 2), size), axis=1)
    ltwh = ltwh_from_cxcywh(cxcywh)
    assert (ltwh_from_cxcywh(cxcywh_from_ltwh(ltwh)) == ltwh).all()


def test_of_two_centres_with_the_same_left_edge_the_one_of_fewer_digits_is_taken() -> None:
    # Doubles about 0.07 are 2**-56 apart: with half of that in the half width, every left edge is
    # a tie, which two neighbours give. 16 decimals: too many for looking at 15 of them.
    half = 2**-10 + 2**-57
    centres = [float(f"0.07123456789012{n}") for n in range(11, 100, 2) if n % 10]
    left = [c - half for c in centres]
    assert all(
        sum(tried - half == edge for tried in (nextafter(c, 0), c, nextafter(c, 1))) == 2
        for c, edge in zip(centres, left, strict=True)
    )
    assert 0 < sum(edge + half != c for c, edge in zip(centres, left, strict=True)) < len(centres)
    assert [centre(edge, 2 * half) for edge in left] == centres


def test_a_left_edge_that_no_centre_gives_keeps_the_nearest_centre() -> None:
    # Doubles about 0.25 are 2**-54 apart: none of them is 1e-20 above 0.25.
    assert centre(1e-20, 0.5) == 0.25


def test_a_left_edge_far_outside_finds_the_centre_by_its_decimals() -> None:
    # Doubles about -0.499 are 2**-54 apart, those about 0.001 512 times finer.
    assert centre(0.001 - 0.5, 1.0) == 0.001


def test_numbers_far_outside_the_image_are_left_to_rounding() -> None:
    assert centre(1e300, 2e300) == 2e300
    assert centre(640.0, 100.0) == 690.0


def test_no_boxes_have_no_centres() -> None:
    assert cxcywh_from_ltwh(np.zeros((0, 4))).shape == (0, 4)


def test_the_argument_is_not_changed() -> None:
    ltwh = np.array([[0.637, 0.25, 0.128, 0.5]])
    cxcywh_from_ltwh(ltwh)
    assert ltwh.tolist() == [[0.637, 0.25, 0.128, 0.5]]
