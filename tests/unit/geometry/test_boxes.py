import numpy as np
import pytest

from labelingest.columns.types import Float64
from labelingest.geometry.boxes import (
    clip_to_image,
    corners_from_ltwh,
    ltwh_from_cxcywh,
    ltwh_from_vertices,
)


def box(*numbers: float) -> Float64:
    return np.array([numbers])


def bits(numbers: Float64) -> list[int]:
    """Tell -0.0 from 0.0, and one last digit from the next."""
    return np.ascontiguousarray(numbers).view(np.int64).ravel().tolist()


def test_the_left_edge_is_half_a_width_left_of_the_centre() -> None:
    assert ltwh_from_cxcywh(box(0.5, 0.25, 0.5, 0.125)).tolist() == [[0.25, 0.1875, 0.5, 0.125]]


def test_centre_boxes_are_not_written_to() -> None:
    boxes = box(0.5, 0.25, 0.5, 0.125)
    ltwh_from_cxcywh(boxes)
    assert boxes.tolist() == [[0.5, 0.25, 0.5, 0.125]]


@pytest.mark.parametrize(
    ("ltwh", "clipped", "deviation"),
    [
        ((-0.25, 0.5, 0.5, 0.25), [0.0, 0.5, 0.25, 0.25], 0.25),
        ((0.75, 0.5, 0.5, 0.25), [0.75, 0.5, 0.25, 0.25], 0.25),
        ((0.5, -0.125, 0.25, 0.5), [0.5, 0.0, 0.25, 0.375], 0.125),
        ((0.5, 0.75, 0.25, 0.75), [0.5, 0.75, 0.25, 0.25], 0.5),
        ((-1.0, -0.5, 3.0, 3.0), [0.0, 0.0, 1.0, 1.0], 1.5),
        ((1.5, 0.5, 0.25, 0.25), [1.0, 0.5, 0.0, 0.25], 0.75),
        ((-0.5, 0.5, 0.25, 0.25), [0.0, 0.5, 0.0, 0.25], 0.5),
    ],
    ids=["left", "right", "top", "bottom", "all round", "beyond the right", "beyond the left"],
)
def test_a_box_that_leaves_the_image_is_clipped(
    ltwh: tuple[float, ...], clipped: list[float], deviation: float
) -> None:
    inside, beyond = clip_to_image(box(*ltwh))
    assert (inside.tolist(), beyond.tolist()) == ([clipped], [deviation])


def test_boxes_inside_are_returned_themselves() -> None:
    boxes = np.array([[0.0, 0.0, 1.0, 1.0], [0.1, 0.2, 0.3, 0.4]])
    assert clip_to_image(boxes)[0] is boxes


def test_a_box_inside_deviates_by_nothing() -> None:
    assert clip_to_image(box(0.0, 0.0, 1.0, 1.0))[1].tolist() == [0.0]


def test_a_box_inside_keeps_its_bits_beside_one_outside() -> None:
    boxes = np.array([[-0.0, 0.1, 0.3, 0.7], [0.9, 0.9, 0.9, 0.9]])
    assert bits(clip_to_image(boxes)[0][0]) == bits(boxes[0])


def test_an_axis_inside_keeps_its_bits_beside_one_outside() -> None:
    boxes = box(-0.5, 0.1, 0.7, 0.7)
    assert bits(clip_to_image(boxes)[0][0, 1::2]) == bits(boxes[0, 1::2])


def test_a_clipped_box_is_inside() -> None:
    clipped, _ = clip_to_image(np.random.default_rng(0).uniform(-1, 2, (1000, 4)).clip(-1, None))
    inside = clipped[clipped[:, 2:].min(axis=1) >= 0]
    assert clip_to_image(inside)[0] is inside


def test_boxes_are_not_written_to() -> None:
    boxes = box(-0.5, 0.1, 0.7, 0.7)
    clip_to_image(boxes)
    assert boxes.tolist() == [[-0.5, 0.1, 0.7, 0.7]]


def test_corners_run_clockwise_from_the_top_left() -> None:
    corners = corners_from_ltwh(box(0.0, 0.25, 0.5, 0.75))
    assert corners.tolist() == [[[0.0, 0.25], [0.5, 0.25], [0.5, 1.0], [0.0, 1.0]]]


def test_the_envelope_reaches_from_the_least_to_the_greatest_coordinate() -> None:
    ring = np.array([[0.5, 0.0], [0.75, 0.5], [0.25, 1.0]])
    assert ltwh_from_vertices(ring, np.array([0, 3])).tolist() == [[0.25, 0.0, 0.5, 1.0]]


def test_each_ring_has_its_own_envelope() -> None:
    vertices = np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 0.25]])
    boxes = ltwh_from_vertices(vertices, np.array([0, 2, 3]))
    assert boxes.tolist() == [[0.0, 0.0, 1.0, 1.0], [0.5, 0.25, 0.0, 0.0]]


def test_no_boxes_are_no_boxes() -> None:
    none = np.zeros((0, 4))
    clipped, deviation = clip_to_image(none)
    shapes = [ltwh_from_cxcywh(none).shape, clipped.shape, deviation.shape]
    assert [*shapes, corners_from_ltwh(none).shape] == [(0, 4), (0, 4), (0,), (0, 4, 2)]


def test_no_rings_have_no_envelopes() -> None:
    assert ltwh_from_vertices(np.zeros((0, 2)), np.array([0])).shape == (0, 4)
