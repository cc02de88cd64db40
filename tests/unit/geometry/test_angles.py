import numpy as np
import pytest

from labelingest.geometry.angles import degrees_from_vectors, reduce_to_one_turn


@pytest.mark.parametrize(
    ("vector", "degrees"),
    [
        ((1.0, 0.0), 0.0),
        ((0.0, 1.0), 90.0),
        ((-1.0, 0.0), 180.0),
        ((-1.0, -0.0), 180.0),
        ((0.0, -1.0), 270.0),
        ((1.0, -0.0), 0.0),
        ((1.0, -1e-20), 0.0),
        ((0.0, 0.0), 0.0),
        ((3.0, 3.0), 45.0),
    ],
)
def test_directions_are_counted_clockwise_from_the_right(
    vector: tuple[float, float], degrees: float
) -> None:
    assert degrees_from_vectors(np.array([vector]).T).tolist() == [degrees]


@pytest.mark.parametrize(
    ("theta", "expected"),
    [(0.0, 0.0), (360.0, 0.0), (-90.0, 270.0), (725.5, 5.5), (-1e-17, 0.0), (-720.0, 0.0)],
)
def test_angles_are_reduced_to_one_turn(theta: float, expected: float) -> None:
    assert reduce_to_one_turn(np.array([theta])).tolist() == [expected]


def test_zero_has_no_sign() -> None:
    assert not np.signbit(reduce_to_one_turn(np.array([-0.0, -360.0]))).any()
