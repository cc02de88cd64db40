import math

import numpy as np
import pytest

from labelingest.columns.types import Float64
from labelingest.geometry.rotated_boxes import (
    corners_from_centred,
    corners_from_rotated,
    misfit,
    normalised_from_centred,
    rectangle_from_corners,
    rectangle_from_quad,
    smallest_rectangle_of_quads,
    smallest_rectangle_of_rings,
)

# The worked example of the label row's specification: an image of 200 by 100 pixels.
EXAMPLE = np.array([[0.25, 0.4, 0.5, 0.2, 30.0]])
EXAMPLE_CORNERS = [(61.699, 16.340), (148.301, 66.340), (138.301, 83.660), (51.699, 33.660)]
WIDTH, HEIGHT = np.array([200.0]), np.array([100.0])

Quad = list[tuple[float, float]]

UPRIGHT: Quad = [(1.0, 2.0), (5.0, 2.0), (5.0, 4.0), (1.0, 4.0)]


def quad(*corners: tuple[float, float]) -> Float64:
    return np.array([corners], dtype=np.float64)


def centred(*numbers: float) -> Float64:
    return np.array([numbers])


def corner_set(rectangle: Float64) -> list[tuple[float, float]]:
    return sorted(tuple(np.round(corner, 9) + 0.0) for corner in corners_from_centred(rectangle)[0])


def test_the_worked_example_has_its_corners() -> None:
    corners = corners_from_rotated(EXAMPLE, WIDTH, HEIGHT)
    np.testing.assert_allclose(corners[0], EXAMPLE_CORNERS, atol=6e-4)


def test_the_worked_example_comes_back_from_its_corners() -> None:
    rectangles = rectangle_from_corners(corners_from_rotated(EXAMPLE, WIDTH, HEIGHT))
    normalised = normalised_from_centred(rectangles, WIDTH, HEIGHT)
    np.testing.assert_allclose(normalised, EXAMPLE, rtol=0, atol=1e-13)


def test_the_worked_example_is_about_its_centre() -> None:
    rectangle = rectangle_from_corners(quad(*EXAMPLE_CORNERS))
    np.testing.assert_allclose(rectangle, centred(100, 50, 100, 20, 30), atol=1e-3)


@pytest.mark.parametrize("theta", [0.0, 30.0, 90.0, 135.0, 180.0, 269.5, 359.999])
def test_the_angle_survives_the_corners(theta: float) -> None:
    rectangle = centred(300.0, 200.0, 80.0, 20.0, theta)
    from_corners = rectangle_from_corners(corners_from_centred(rectangle))
    np.testing.assert_allclose(from_corners, rectangle, rtol=0, atol=1e-10)


def test_positive_angles_turn_clockwise_on_screen() -> None:
    # Clockwise: the right end of the width goes down.
    corners = corners_from_centred(centred(0.0, 0.0, 2.0, 0.0, 90.0))
    np.testing.assert_allclose(corners[0, 1], (0.0, 1.0), atol=1e-15)


def test_the_first_edge_is_the_width() -> None:
    shifted = quad(*UPRIGHT[1:], UPRIGHT[0])
    assert rectangle_from_corners(shifted).tolist() == [[3.0, 3.0, 2.0, 4.0, 90.0]]


def test_a_counter_clockwise_ring_exchanges_its_second_and_fourth_corner() -> None:
    first, second, third, fourth = UPRIGHT
    backwards = quad(first, fourth, third, second)
    assert rectangle_from_corners(backwards).tolist() == [[3.0, 3.0, 4.0, 2.0, 0.0]]


def test_opposite_edges_are_averaged() -> None:
    trapezium = quad((0, 0), (4, 0), (3, 2), (1, 2))
    assert rectangle_from_corners(trapezium).tolist() == [[2.0, 1.0, 3.0, 2.0, 0.0]]


def test_a_line_keeps_the_order_of_its_corners() -> None:
    ends = (0.1, 0.3), (7.3, 2.9)
    rectangle = rectangle_from_corners(quad(ends[0], ends[1], ends[1], ends[0]))
    np.testing.assert_allclose(rectangle[0, 2:4], (math.dist(*ends), 0), atol=1e-12)


def test_an_angle_just_below_zero_is_zero() -> None:
    rectangle = rectangle_from_corners(quad((0, 0), (1, -1e-20), (1, 1), (0, 1)))
    assert rectangle[0, 4] == 0.0


@pytest.mark.parametrize(
    ("theta", "reduced"),
    [(-1e-17, 0.0), (360.0, 0.0), (-90.0, 270.0), (725.0, 5.0), (-0.0, 0.0), (359.5, 359.5)],
)
def test_angles_are_reduced(theta: float, reduced: float) -> None:
    normalised = normalised_from_centred(centred(5, 5, 2, 2, theta), WIDTH, HEIGHT)
    assert normalised[0, 4] == reduced


def test_a_rectangle_fits_its_own_corners() -> None:
    corners = corners_from_centred(centred(50.0, 60.0, 30.0, 10.0, 0.0))
    assert misfit(centred(50.0, 60.0, 30.0, 10.0, 0.0), corners).tolist() == [0.0]


def test_the_misfit_is_that_of_the_worst_corner() -> None:
    corners = quad((1, 2), (5, 3), (5, 4), (-2, 8))
    assert misfit(centred(3, 3, 4, 2, 0), corners).tolist() == [5.0]


def test_the_misfit_is_between_corresponding_corners() -> None:
    first, second, third, fourth = UPRIGHT
    assert misfit(centred(3, 3, 4, 2, 0), quad(first, fourth, third, second)).tolist() == [0.0]


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        (UPRIGHT, [3, 3, 4, 2, 0]),
        ([(0, 0), (4, 0), (3, 2), (1, 2)], [2, 1, 4, 2, 0]),
        ([(0, 0), (2, 0), (4, 0), (4, 1)], [2, 0.5, 4, 1, 0]),
        ([(1, 0), (2, 1), (1, 2), (0, 1)], [1, 1, math.sqrt(2), math.sqrt(2), 45]),
        ([(2, 2), (2, 2), (2, 2), (2, 2)], [2, 2, 0, 0, 0]),
        ([(0, 0), (3, 4), (3, 4), (0, 0)], [1.5, 2, 5, 0, math.degrees(math.atan2(4, 3))]),
        ([(0, 0), (0, 0), (0, 6), (0, 2)], [0, 3, 0, 6, 0]),
    ],
    ids=["rectangle", "trapezium", "triangle", "diamond", "point", "line", "no first edge"],
)
def test_the_smallest_rectangle_of_a_quad(corners: Quad, expected: list[float]) -> None:
    smallest = smallest_rectangle_of_quads(quad(*corners))
    np.testing.assert_allclose(smallest, [expected], rtol=0, atol=1e-12)


def test_the_width_is_the_side_nearest_in_direction_to_the_first_edge() -> None:
    # The long side of the rectangle is upright, and so is the first edge.
    smallest = smallest_rectangle_of_quads(quad((4, 0), (4, 9), (1, 9), (0, 0)))
    np.testing.assert_allclose(smallest, centred(2, 4.5, 9, 4, 90), atol=1e-12)


@pytest.mark.parametrize(
    ("corners", "theta"),
    [
        ([(0, 0), (4, 0), (0, 2), (0, 1)], 0.0),
        ([(4, 0), (0, 2), (0, 1), (0, 0)], 180 - math.degrees(math.atan2(2, 4))),
    ],
    ids=["along a leg", "along the long side"],
)
def test_of_two_smallest_rectangles_the_one_along_the_first_edge_counts(
    corners: Quad, theta: float
) -> None:
    # Around a right triangle, those along the legs and along the long side have the same area.
    smallest = smallest_rectangle_of_quads(quad(*corners))
    np.testing.assert_allclose(smallest[0, 4], theta, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1.0, 1e150, 1e300])
def test_the_smallest_rectangle_is_found_at_any_scale(scale: float) -> None:
    corners = np.array(quad((0, 0), (4, 0), (3, 2), (1, 2))) * scale
    smallest = smallest_rectangle_of_quads(corners)[0, :4] / scale
    np.testing.assert_allclose(smallest, (2, 1, 4, 2), rtol=1e-12)


def test_far_from_the_origin_corners_are_exact_to_a_millionth_pixel() -> None:
    rectangle = centred(99_000.0, 98_000.0, 3.0, 1.0, 17.0)
    smallest = smallest_rectangle_of_quads(corners_from_centred(rectangle))
    np.testing.assert_allclose(
        corners_from_centred(smallest), corners_from_centred(rectangle), rtol=0, atol=1e-6
    )


def test_a_ring_of_four_has_the_smallest_rectangle_of_the_quad() -> None:
    corners = np.random.default_rng(0).uniform(0, 1000, (200, 4, 2))
    quads = smallest_rectangle_of_quads(corners)
    rings = smallest_rectangle_of_rings(corners.reshape(-1, 2), np.arange(0, 801, 4))
    np.testing.assert_allclose(rings, quads, rtol=0, atol=1e-9)


def test_the_smallest_rectangle_of_a_ring_holds_all_its_vertices() -> None:
    inside = np.random.default_rng(1).uniform(-0.5, 0.5, (500, 2)) * (80, 30)
    ring = np.concatenate(([(-40, -15), (40, -15), (40, 15), (-40, 15)], inside))
    turn = np.radians(25)
    ring = ring @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + 300
    smallest = smallest_rectangle_of_rings(ring, np.array([0, len(ring)]))
    np.testing.assert_allclose(smallest, centred(300, 300, 80, 30, 25), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("ring", "corners"),
    [
        ([(2, 3), (2, 3)], [(2, 3)] * 4),
        ([(0, 0), (4, 0)], [(0, 0), (0, 0), (4, 0), (4, 0)]),
        ([(0, 4), (0, 1), (0, 0)], [(0, 0), (0, 0), (0, 4), (0, 4)]),
    ],
    ids=["point", "flat", "upright"],
)
def test_rings_without_area_have_rectangles_without_area(
    ring: Quad, corners: list[tuple[float, float]]
) -> None:
    smallest = smallest_rectangle_of_rings(
        np.array(ring, dtype=np.float64), np.array([0, len(ring)])
    )
    assert corner_set(smallest) == corners


def test_a_counter_clockwise_ring_has_its_last_edge_for_the_first() -> None:
    ring = np.array([(0, 0), (0, 2), (2, 3), (4, 2), (4, 0)], dtype=np.float64)
    smallest = smallest_rectangle_of_rings(ring, np.array([0, 5]))
    np.testing.assert_allclose(smallest, centred(2, 1.5, 4, 3, 0), atol=1e-12)


def test_a_quad_that_nearly_fits_becomes_the_averaged_rectangle() -> None:
    corners = quad((0, 0), (40, 0), (40, 20), (0.1, 20))
    rectangles, _, refitted = rectangle_from_quad(corners)
    assert rectangles.tolist() == rectangle_from_corners(corners).tolist()
    assert refitted.tolist() == [False]


def test_a_quad_that_does_not_fit_becomes_the_smallest_rectangle() -> None:
    corners = quad((0, 0), (40, 0), (40, 20), (1, 20))
    rectangles, _, refitted = rectangle_from_quad(corners)
    assert rectangles.tolist() == [[20.0, 10.0, 40.0, 20.0, 0.0]]
    assert refitted.tolist() == [True]


def test_a_large_quad_may_miss_by_a_thousandth_of_its_longer_side() -> None:
    corners = np.array([UPRIGHT]) * 1000
    corners[0, 2, 0] += 3.0
    assert rectangle_from_quad(corners)[2].tolist() == [False]


@pytest.mark.parametrize(("tolerance_px", "refitted"), [(0.0, True), (2.0, False)])
def test_the_tolerance_is_an_option(tolerance_px: float, refitted: bool) -> None:
    corners = quad((0, 0), (40, 0), (40, 20), (1, 20))
    assert rectangle_from_quad(corners, tolerance_px, 0.0)[2].tolist() == [refitted]


def test_the_misfit_is_reported_where_another_rectangle_is_taken() -> None:
    corners = quad((0, 0), (40, 0), (40, 20), (1, 20))
    _, reported, _ = rectangle_from_quad(corners)
    assert reported.tolist() == misfit(rectangle_from_corners(corners), corners).tolist()


def test_corners_are_not_written_to() -> None:
    corners = quad((0, 0), (0, 20), (40, 20), (41, 0))
    corners.flags.writeable = False
    assert rectangle_from_quad(corners)[2].tolist() == [True]


def test_nothing_becomes_nothing() -> None:
    none = np.zeros(0)
    corners = np.zeros((0, 4, 2))
    results = (
        corners_from_rotated(np.zeros((0, 5)), none, none),
        rectangle_from_corners(corners),
        misfit(np.zeros((0, 5)), corners),
        smallest_rectangle_of_quads(corners),
        smallest_rectangle_of_rings(np.zeros((0, 2)), np.array([0])),
        *rectangle_from_quad(corners),
        normalised_from_centred(np.zeros((0, 5)), none, none),
    )
    shapes = [result.shape for result in results]
    assert shapes == [(0, 4, 2), (0, 5), (0,), (0, 5), (0, 5), (0, 5), (0,), (0,), (0, 5)]
