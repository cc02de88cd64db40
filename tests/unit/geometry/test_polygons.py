import numpy as np
import pytest

from labelingest.columns.types import Float64, Int64
from labelingest.geometry.polygons import (
    clip_to_unit_square,
    different_vertices,
    drop_repeated_last,
    enclosed_area_is_zero,
)

Ring = list[tuple[float, float]]

NO_VERTICES = np.zeros((0, 2))
NO_RINGS = np.zeros(1, dtype=np.int64)


def ragged(*rings: Ring) -> tuple[Float64, Int64]:
    vertices = np.array([point for ring in rings for point in ring], dtype=np.float64)
    return vertices.reshape(-1, 2), np.cumsum([0, *map(len, rings)])


def zigzag(count: int, height: float) -> Float64:
    """A walk to the right and back on the same vertices."""
    outward = np.stack((np.linspace(0, 1, count), np.tile([0.0, height], count // 2)), axis=1)
    return np.concatenate((outward, outward[-2:0:-1]))


SQUARE: Ring = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]


def test_each_coordinate_is_clipped_by_itself() -> None:
    clipped, _ = clip_to_unit_square(np.array([[-0.5, 0.25], [0.75, 2.0], [1.5, -3.0]]))
    assert clipped.tolist() == [[0.0, 0.25], [0.75, 1.0], [1.0, 0.0]]


def test_the_deviation_of_a_vertex_is_its_farther_coordinate() -> None:
    _, deviation = clip_to_unit_square(np.array([[-0.5, 0.25], [1.25, 2.0], [0.5, 0.5]]))
    assert deviation.tolist() == [0.5, 1.0, 0.0]


def test_vertices_inside_are_returned_themselves() -> None:
    vertices = np.array(SQUARE)
    assert clip_to_unit_square(vertices)[0] is vertices


def test_a_vertex_inside_keeps_its_bits_beside_one_outside() -> None:
    clipped, _ = clip_to_unit_square(np.array([[-0.0, 0.1], [7.0, 7.0]]))
    assert np.signbit(clipped[0]).tolist() == [True, False]


def test_vertices_are_not_written_to() -> None:
    vertices = np.array([[-1.0, 2.0]])
    clip_to_unit_square(vertices)
    assert vertices.tolist() == [[-1.0, 2.0]]


def test_no_vertices_are_clipped_to_none() -> None:
    clipped, deviation = clip_to_unit_square(NO_VERTICES)
    assert (clipped.shape, deviation.shape) == ((0, 2), (0,))


def test_a_last_vertex_that_equals_the_first_is_dropped() -> None:
    vertices, offsets = drop_repeated_last(*ragged([*SQUARE, SQUARE[0]], SQUARE))
    assert (vertices.tolist(), offsets.tolist()) == (
        [[x, y] for x, y in SQUARE * 2],
        [0, 4, 8],
    )


def test_one_vertex_is_dropped_however_many_equal_the_first() -> None:
    _, offsets = drop_repeated_last(*ragged([*SQUARE, SQUARE[0], SQUARE[0]]))
    assert offsets.tolist() == [0, 5]


def test_minus_zero_repeats_zero() -> None:
    _, offsets = drop_repeated_last(*ragged([*SQUARE, (-0.0, 0.0)]))
    assert offsets.tolist() == [0, 4]


def test_the_only_vertex_of_a_ring_stays() -> None:
    _, offsets = drop_repeated_last(*ragged([(0.5, 0.5)], []))
    assert offsets.tolist() == [0, 1, 1]


def test_open_rings_are_returned_themselves() -> None:
    vertices, offsets = ragged(SQUARE, SQUARE)
    rings = drop_repeated_last(vertices, offsets)
    assert (rings[0] is vertices, rings[1] is offsets) == (True, True)


def test_no_rings_are_returned_themselves() -> None:
    assert drop_repeated_last(NO_VERTICES, NO_RINGS)[1] is NO_RINGS


@pytest.mark.parametrize(
    ("ring", "number"),
    [
        ([], 0),
        ([(0.5, 0.5)], 1),
        ([(0.5, 0.5)] * 9, 1),
        ([(0.0, 0.0), (-0.0, 0.0), (0.0, -0.0)], 1),
        ([(0.5, 0.5), (0.5, 0.25)], 2),
        ([(0.5, 0.5), (0.5, 0.25)] * 4, 2),
        ([(0.5, 0.5)] * 5 + [(0.25, 0.5)], 2),
        ([(0.5, 0.5)] * 5 + [(0.25, 0.5), (0.5, 0.25)], 3),
        (SQUARE, 3),
    ],
)
def test_different_vertices_are_counted_up_to_three(ring: Ring, number: int) -> None:
    vertices, offsets = ragged(SQUARE, ring, SQUARE)
    assert different_vertices(vertices, offsets).tolist() == [3, number, 3]


def test_no_rings_have_no_counts() -> None:
    assert different_vertices(NO_VERTICES, NO_RINGS).tolist() == []


@pytest.mark.parametrize(
    "ring",
    [
        [],
        [(0.5, 0.5)],
        [(0.0, 0.0), (1.0, 1.0)],
        [(0.5, 0.5)] * 4,
        [(0.1, 0.2), (0.2, 0.3), (0.3, 0.4)],
        [(0.1, 0.3), (0.2, 0.6), (0.3, 0.9), (0.15, 0.45)],
        [(0.9, 0.7), (0.5, 0.3), (0.7, 0.5), (0.6, 0.4)],
        [(0.1, 0.1), (0.7, 0.2), (0.3, 0.9), (0.7, 0.2)],
        [(0.1, 0.1), (0.7, 0.7), (0.3, 0.3), (0.3, 0.9), (0.3, 0.3)],
        [*SQUARE, (0.0, 0.0), *SQUARE[::-1]],
        [(1e-200, 1e-200), (2e-200, 2e-200), (3e-200, 3e-200)],
        [(1e200, 1e200), (2e200, 2e200), (3e200, 3e200)],
        zigzag(2000, 0.1).tolist(),
    ],
    ids=[
        "empty",
        "point",
        "two points",
        "one point four times",
        "decimals on a line",
        "there and back on a line",
        "out of order on a line",
        "a, b, c, b",
        "spike on a line",
        "square and back",
        "tiny",
        "huge",
        "long",
    ],
)
def test_a_ring_without_area_is_found(ring: Ring) -> None:
    vertices, offsets = ragged(SQUARE, ring, SQUARE)
    assert enclosed_area_is_zero(vertices, offsets).tolist() == [False, True, False]


@pytest.mark.parametrize(
    "ring",
    [
        [(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)],
        [*SQUARE, *SQUARE],
        [(0.5, 0.5), (0.500001, 0.5), (0.5, 0.500001)],
        [(0.0, 0.0), (1.0, 0.0), (0.5, 1e-9)],
        [(0.0, 0.0), (1e-200, 0.0), (0.0, 1e-200)],
        [(0.0, 0.0), (5e-324, 0.0), (0.0, 5e-324)],
        [(0.0, 0.0), (1e300, 0.0), (0.0, 1e300)],
        [(0.1, 0.1), (0.7, 0.2), (0.3, 0.9), (0.7, 0.2), (0.6, 0.6), (0.8, 0.6)],
        [*SQUARE, (0.0, 0.0), (-1.0, 0.0), (-1.0, 1.0), (0.0, 1.0)],
    ],
    ids=[
        "bow tie",
        "twice around",
        "a millionth wide",
        "a billionth high",
        "tiny",
        "least",
        "huge",
        "spike and triangle",
        "area that cancels",
    ],
)
def test_a_ring_with_area_is_none_without(ring: Ring) -> None:
    vertices, offsets = ragged(SQUARE, ring)
    assert enclosed_area_is_zero(vertices, offsets).tolist() == [False, False]


def test_a_ring_of_a_hundred_thousand_vertices_has_area() -> None:
    angle = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    circle = np.stack((0.5 + np.cos(angle) / 4, 0.5 + np.sin(angle) / 4), axis=1)
    assert enclosed_area_is_zero(circle, np.array([0, len(circle)])).tolist() == [False]


def test_no_rings_are_without_area() -> None:
    assert enclosed_area_is_zero(NO_VERTICES, NO_RINGS).tolist() == []


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("times", [2, 3, 5, 6, 7])
def test_a_line_that_rounding_bends_encloses_no_area_on_either_side_of_zero(
    sign: int, times: int
) -> None:
    line = sign * np.array([[0.0, 0.0], [0.1, 0.3], [round(0.1 * times, 3), round(0.3 * times, 3)]])
    assert enclosed_area_is_zero(line, np.array([0, 3])).tolist() == [True]
