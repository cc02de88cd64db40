import numpy as np
import pytest

from labelingest.columns.types import Float64
from labelingest.geometry.rectangles import smallest_around_four, smallest_around_hulls

RIGHT = np.array([[1.0], [0.0]])


def regular(count: int, turn: float) -> Float64:
    """Corners of a regular polygon of radius 1, clockwise on screen."""
    angle = 2 * np.pi * np.arange(count) / count + turn
    return np.stack((np.cos(angle), np.sin(angle)), axis=1)


def around(hull: Float64, first_edge: Float64 = RIGHT) -> Float64:
    return smallest_around_hulls(hull, np.array([0, len(hull)]), first_edge)


@pytest.mark.parametrize("count", [4, 8, 400, 100_000])
@pytest.mark.parametrize("turn", [0.0, 0.3, 3.0])
def test_a_regular_polygon_is_as_wide_as_its_sides_are_apart(count: int, turn: float) -> None:
    # Opposite sides are parallel, and others at right angles to them.
    apart = 2 * np.cos(np.pi / count)
    rectangles = around(regular(count, turn))
    np.testing.assert_allclose(rectangles[0, :4], (0, 0, apart, apart), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("start", range(6))
def test_a_hull_may_begin_anywhere(start: int) -> None:
    hull = np.array([(0, 0), (6, 0), (9, 2), (8, 4), (3, 4), (0, 3)], dtype=np.float64)
    rectangles = around(np.roll(hull, start, axis=0))
    np.testing.assert_allclose(rectangles, [[4.5, 2, 9, 4, 0]], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("first_edge", "expected"),
    [
        ((1.0, 0.2), (2.0, 1.0, 4.0, 2.0, 0.0)),
        ((0.2, 1.0), (2.0, 1.0, 2.0, 4.0, 90.0)),
        ((-1.0, 0.2), (2.0, 1.0, 4.0, 2.0, 180.0)),
        ((0.2, -1.0), (2.0, 1.0, 2.0, 4.0, 270.0)),
        ((0.0, 0.0), (2.0, 1.0, 4.0, 2.0, 0.0)),
    ],
    ids=["right", "down", "left", "up", "none"],
)
def test_the_first_edge_decides_which_side_is_the_width(
    first_edge: tuple[float, float], expected: tuple[float, ...]
) -> None:
    hull = np.array([(0, 0), (4, 0), (4, 2), (0, 2)], dtype=np.float64)
    assert around(hull, np.array([first_edge]).T).tolist() == [list(expected)]


def test_each_hull_has_its_own_rectangle() -> None:
    hulls = np.array([(0, 0), (4, 0), (4, 2), (0, 2), (7, 7), (1, 1), (3, 1)], dtype=np.float64)
    rectangles = smallest_around_hulls(hulls, np.array([0, 4, 5, 7]), np.repeat(RIGHT, 3, axis=1))
    assert rectangles.tolist() == [[2, 1, 4, 2, 0], [7, 7, 0, 0, 0], [2, 1, 2, 0, 0]]


def test_a_point_within_three_others_changes_nothing() -> None:
    points = np.array([(0, 0), (4, 0), (1, 1), (0, 4)], dtype=np.float64)
    assert smallest_around_four(points[:, :, np.newaxis]).tolist() == [[2, 2, 4, 4, 0]]


def test_points_are_not_written_to() -> None:
    points = np.zeros((4, 2, 1))
    points.flags.writeable = False
    assert smallest_around_four(points).tolist() == [[0, 0, 0, 0, 0]]


def test_first_edges_are_not_written_to() -> None:
    edges = np.zeros((2, 1))
    edges.flags.writeable = False
    assert around(np.array([[2.0, 3.0]]), edges).tolist() == [[2, 3, 0, 0, 0]]


@pytest.mark.parametrize("length", [1.0, 1e-3, 1e-7, 1e-9])
def test_the_direction_of_a_short_first_edge_decides_between_rectangles(length: float) -> None:
    # Around a right triangle the rectangles along a leg and along the long side are as large. The
    # first edge points into the triangle, nearer to the direction of the leg.
    points = np.array([(4, 0), (4 - length, length / 10), (0, 2), (0, 0)], dtype=np.float64)
    expected = [[2, 1, 4, 2, 180]]
    rectangles = smallest_around_four(points[:, :, np.newaxis])
    np.testing.assert_allclose(rectangles, expected, atol=1e-6)
    edge = np.array([[-length], [length / 10]])
    np.testing.assert_allclose(around(points[[0, 2, 3]], edge), expected, atol=1e-6)
