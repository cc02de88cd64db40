import numpy as np

from labelingest.columns.types import Float64, Int64
from labelingest.geometry.hulls import hulls

Ring = list[tuple[float, float]]

SQUARE: Ring = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]


def ragged(*rings: Ring) -> tuple[Float64, Int64]:
    vertices = np.array([point for ring in rings for point in ring], dtype=np.float64)
    return vertices.reshape(-1, 2), np.cumsum([0, *map(len, rings)])


def test_a_hull_runs_clockwise_without_the_vertices_inside() -> None:
    vertices, offsets = hulls(*ragged([(0, 0), (1, 1), (0, 4), (4, 4), (4, 0), (3, 1)]))
    origin = vertices.tolist().index([0.0, 0.0])
    assert np.roll(vertices, -origin, axis=0).tolist() == [[0, 0], [4, 0], [4, 4], [0, 4]]
    assert offsets.tolist() == [0, 4]


def test_the_hull_of_a_line_is_its_ends() -> None:
    vertices, offsets = hulls(*ragged([(1, 1), (0, 0), (3, 3), (2, 2)], SQUARE))
    assert sorted(vertices[: offsets[1]].tolist()) == [[0.0, 0.0], [3.0, 3.0]]


def test_the_hull_of_a_point_is_the_point() -> None:
    vertices, offsets = hulls(*ragged([(2, 3), (2, 3)], SQUARE))
    assert vertices[: offsets[1]].tolist() == [[2.0, 3.0]]


def test_no_rings_have_no_hulls() -> None:
    vertices, offsets = hulls(np.zeros((0, 2)), np.zeros(1, dtype=np.int64))
    assert (vertices.shape, offsets.tolist()) == ((0, 2), [0])
