import numpy as np
import pytest
import shapely

from labelingest.columns.types import Float64, Int64
from labelingest.geometry.simple_polygons import self_intersecting, too_large_to_check

Ring = list[tuple[float, float]]

NO_VERTICES = np.zeros((0, 2))
NO_RINGS = np.zeros(1, dtype=np.int64)
SQUARE: Ring = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
COMB: Ring = [(0, 0), (9, 0), (9, 5), (7, 1), (6, 5), (5, 1), (4, 5), (3, 1), (2, 5), (1, 1)]


def ragged(*rings: Ring) -> tuple[Float64, Int64]:
    vertices = np.array([point for ring in rings for point in ring], dtype=np.float64)
    return vertices.reshape(-1, 2), np.cumsum([0, *map(len, rings)])


@pytest.mark.parametrize(
    "ring",
    [
        SQUARE,
        SQUARE[::-1],
        SQUARE[:3],
        COMB,
        [(0, 0), (1, 0), (2, 0), (2, 1), (1, 1), (0, 1)],
        [(0, 0), (0, 0), (1, 0), (1, 1), (1, 1), (1, 1)],
        [(0, 0), (4, 0), (4, 4), (2, 1)],
        [(x * 1e300, y * 1e300) for x, y in COMB],
        [*SQUARE, SQUARE[0]],
        [(0, 0), (1, 0), (1, 1e-170), (1, 2e-170), (1, 1)],
    ],
    ids=[
        "square",
        "counter-clockwise",
        "triangle",
        "comb",
        "straight corners",
        "repeated vertices",
        "dart",
        "huge",
        "closed",
        "steps that underflow",
    ],
)
def test_a_simple_ring_does_not_cross_itself(ring: Ring) -> None:
    assert self_intersecting(*ragged(SQUARE, ring, COMB)).tolist() == [False, False, False]


@pytest.mark.parametrize(
    "ring",
    [
        [(0, 0), (1, 1), (1, 0), (0, 1)],
        [(0, 0), (2, 0), (2, 2), (1, 0), (0, 2)],
        [(0, 0), (2, 0), (1, 1), (2, 2), (0, 2), (1, 1)],
        [(0, 0), (4, 0), (4, 4), (4, -2)],
        [(0, 0), (4, 0), (4, 4), (6, 6), (4, 4), (0, 4)],
        [(0, 0), (3, 0), (3, 3), (2, 3), (2, 0), (1, 0), (1, 3), (0, 3)],
        [*SQUARE, *SQUARE],
        [(0, 0), (1, 1), (2, 2)],
    ],
    ids=[
        "bow tie",
        "vertex on an edge",
        "vertex met twice",
        "upright spike",
        "slanting spike",
        "bridge",
        "twice around",
        "line",
    ],
)
def test_a_ring_that_meets_itself_is_found(ring: Ring) -> None:
    assert self_intersecting(*ragged(SQUARE, ring, COMB)).tolist() == [False, True, False]


@pytest.mark.parametrize("count", [5, 40, 127, 128, 129, 700])
def test_rings_of_any_length_are_judged_alike(count: int) -> None:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    circle = np.stack((np.cos(angle), np.sin(angle)), axis=1)
    crossed = circle.copy()
    crossed[[1, 3]] = circle[[3, 1]]
    offsets = np.array([0, count, 2 * count])
    assert self_intersecting(np.concatenate((circle, crossed)), offsets).tolist() == [False, True]


def test_many_rings_of_different_lengths_are_judged_each_by_itself() -> None:
    rng = np.random.default_rng(0)
    rings = [rng.random((rng.integers(3, 9), 2)) for _ in range(2000)]
    offsets = np.cumsum([0, *map(len, rings)])
    expected = [not shapely.is_valid(shapely.Polygon(ring)) for ring in rings]
    assert self_intersecting(np.concatenate(rings), offsets).tolist() == expected


def test_no_rings_cross_themselves() -> None:
    assert self_intersecting(NO_VERTICES, NO_RINGS).tolist() == []


def _hatching(lines: int) -> Ring:
    """Draw diagonals side by side, each from the lower left to the upper right and back."""
    return [(k + k % 2 * 10.0 * lines, k % 2 * 10.0 * lines - k) for k in range(lines)]


def _circle(vertices: int) -> Ring:
    angles = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    return list(zip(np.cos(angles).tolist(), np.sin(angles).tolist(), strict=True))


def test_only_long_rings_of_edges_side_by_side_are_too_large_to_check() -> None:
    rings = ragged(_hatching(4000), _circle(20_000), _hatching(6000), SQUARE)
    assert too_large_to_check(*rings).tolist() == [False, False, True, False]


def test_a_ring_that_is_too_large_to_check_is_not_called_crossing() -> None:
    assert not self_intersecting(*ragged(_hatching(6000))).any()


def test_a_long_ring_of_few_edges_side_by_side_is_checked() -> None:
    ring = _circle(20_000)
    ring[5000], ring[15_000] = ring[15_000], ring[5000]
    assert self_intersecting(*ragged(ring)).all()
