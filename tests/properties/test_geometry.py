import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from labelingest.columns import ragged
from labelingest.columns.types import Float64, Int64
from labelingest.geometry import boxes, polygons, simple_polygons
from labelingest.geometry import rotated_boxes as rotated
from tests.oracles import geometry as slow

Point = tuple[float, float]
Ring = list[Point]

# Examples with fractions take their time on a busy machine; none of them is a timing.
unhurried = settings(deadline=None)

lengths = st.lists(st.integers(0, 5), max_size=8)
filled = st.lists(st.integers(1, 5), max_size=8)
unit_floats = st.floats(0, 1)
wide_floats = st.floats(-2, 3)


def boxes_of(elements: st.SearchStrategy[float]) -> st.SearchStrategy[Float64]:
    return npst.arrays(np.float64, st.tuples(st.integers(0, 20), st.just(4)), elements=elements)


def rings_of(
    coordinate: st.SearchStrategy[float], shortest: int, longest: int
) -> st.SearchStrategy[list[Ring]]:
    """Up to eight rings, or none, of points that often coincide."""
    point = st.tuples(coordinate, coordinate)
    return st.lists(st.lists(point, min_size=shortest, max_size=longest), max_size=8)


# Few values make corners meet, edges overlap and lines pass through vertices.
grid = st.integers(0, 4).map(float)
tenths = st.integers(0, 10).map(lambda tenth: tenth / 10)
pixels = st.integers(0, 4000 * 64).map(lambda step: step / 64)
few_pixels = st.integers(0, 6).map(float)


def columns(rings: list[Ring]) -> tuple[Float64, Int64]:
    vertices = np.array([point for ring in rings for point in ring], dtype=np.float64)
    return vertices.reshape(-1, 2), np.cumsum([0, *map(len, rings)])


def rings_from(vertices: Float64, offsets: Int64) -> list[Ring]:
    points = [(x, y) for x, y in vertices.tolist()]
    return [points[a:b] for a, b in pairwise(offsets.tolist())]


# Ragged columns


@given(lengths)
def test_offsets_equal_the_sums_before(lengths: list[int]) -> None:
    found = ragged.offsets_from_lengths(np.array(lengths, dtype=np.int64))
    assert found.tolist() == slow.offsets_from_lengths(lengths)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), max_size=10))
def test_gather_equals_slice_after_slice(slices: list[tuple[int, int]]) -> None:
    begin, count = [b for b, _ in slices], [c for _, c in slices]
    found = ragged.gather(np.array(begin, dtype=np.int64), np.array(count, dtype=np.int64))
    assert found.tolist() == slow.gather(begin, count)


@given(filled, st.data())
def test_segments_are_reduced_like_slices(lengths: list[int], data: st.DataObject) -> None:
    offsets = slow.offsets_from_lengths(lengths)
    values = data.draw(st.lists(st.floats(-9, 9), min_size=offsets[-1], max_size=offsets[-1]))
    array, ends = np.array(values), np.array(offsets)
    assert ragged.segment_min(array, ends).tolist() == slow.segments(min, values, offsets)
    assert ragged.segment_max(array, ends).tolist() == slow.segments(max, values, offsets)
    sums = slow.segments(math.fsum, values, offsets)
    np.testing.assert_allclose(ragged.segment_sum(array, ends), sums, rtol=0, atol=1e-13)


# Boxes


@given(boxes_of(unit_floats))
def test_ltwh_from_cxcywh_equals_the_scalar_formula(boxes_cxcywh: Float64) -> None:
    expected = [slow.ltwh_from_cxcywh(*row) for row in boxes_cxcywh.tolist()]
    assert boxes.ltwh_from_cxcywh(boxes_cxcywh).tolist() == expected


@given(boxes_of(wide_floats))
def test_boxes_are_clipped_axis_by_axis(boxes_ltwh: Float64) -> None:
    boxes_ltwh[:, 2:] = np.abs(boxes_ltwh[:, 2:])
    expected = [slow.clip_box(*row) for row in boxes_ltwh.tolist()]
    clipped, deviation = boxes.clip_to_image(boxes_ltwh)
    assert clipped.tolist() == [box for box, _ in expected]
    assert deviation.tolist() == [beyond for _, beyond in expected]


@given(boxes_of(wide_floats))
def test_corners_equal_the_edges_combined(boxes_ltwh: Float64) -> None:
    expected = [slow.corners_from_ltwh(*row) for row in boxes_ltwh.tolist()]
    found = boxes.corners_from_ltwh(boxes_ltwh).tolist()
    assert [[tuple(corner) for corner in corners] for corners in found] == expected


@given(rings_of(wide_floats, 1, 6))
def test_envelopes_equal_least_and_greatest(rings: list[Ring]) -> None:
    found = boxes.ltwh_from_vertices(*columns(rings))
    assert found.tolist() == [slow.envelope(ring) for ring in rings]


# Rings


@given(st.lists(st.tuples(wide_floats, wide_floats), max_size=20))
def test_vertices_are_clipped_one_by_one(points: Ring) -> None:
    expected = [slow.clip_point(*point) for point in points]
    clipped, deviation = polygons.clip_to_unit_square(columns([points])[0])
    assert [tuple(point) for point in clipped.tolist()] == [point for point, _ in expected]
    assert deviation.tolist() == [beyond for _, beyond in expected]


@given(rings_of(grid, 0, 6))
def test_repeated_last_vertices_are_dropped_ring_by_ring(rings: list[Ring]) -> None:
    found = rings_from(*polygons.drop_repeated_last(*columns(rings)))
    assert found == [slow.drop_repeated_last(ring) for ring in rings]


@given(rings_of(st.sampled_from([0.0, -0.0, 1.0]), 0, 7))
def test_different_vertices_equal_the_size_of_a_set(rings: list[Ring]) -> None:
    found = polygons.different_vertices(*columns(rings))
    assert found.tolist() == [slow.different_vertices(ring) for ring in rings]


@unhurried
@given(rings_of(st.integers(0, 6), 0, 8))
def test_rings_without_area_equal_the_exact_area_of_decimals(rings: list[Ring]) -> None:
    written = [[(x / 10, y / 10) for x, y in ring] for ring in rings]
    exact = [[(Fraction(int(x), 10), Fraction(int(y), 10)) for x, y in ring] for ring in rings]
    found = polygons.enclosed_area_is_zero(*columns(written))
    assert found.tolist() == [not ring or slow.enclosed_area(ring) == 0 for ring in exact]


@unhurried
@given(rings_of(st.integers(-999_999, 999_999), 3, 5), st.integers(0, 3))
def test_six_decimals_decide_whether_there_is_area(rings: list[Ring], turn: int) -> None:
    # Each ring, and its first two vertices with their middle: a line.
    rings = [*rings, *([a, b, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)] for a, b, *_ in rings)]
    rings = [ring[turn % len(ring) :] + ring[: turn % len(ring)] for ring in rings]
    exact = [[(Fraction(x) / 10**6, Fraction(y) / 10**6) for x, y in ring] for ring in rings]
    written = [[(float(x), float(y)) for x, y in ring] for ring in exact]
    found = polygons.enclosed_area_is_zero(*columns(written))
    assert found.tolist() == [slow.enclosed_area(ring) == 0 for ring in exact]


@unhurried
@given(
    rings_of(tenths, 3, 8) | rings_of(unit_floats, 3, 6),
    st.floats(1e-17, 1e-13),
    st.integers(0, 7),
    st.booleans(),
)
def test_first_vertex_and_direction_do_not_decide_whether_there_is_area(
    rings: list[Ring], width: float, turn: int, is_reversed: bool
) -> None:
    # Rings as thin as rounding, where each order of additions gives another sum.
    lines = [[(x + (i % 2) * width, x) for i, (x, _) in enumerate(ring)] for ring in rings]
    rings = [*rings, *lines]
    turned = [ring[turn % len(ring) :] + ring[: turn % len(ring)] for ring in rings]
    turned = [ring[::-1] if is_reversed else ring for ring in turned]
    found = polygons.enclosed_area_is_zero(*columns(rings)).tolist()
    assert polygons.enclosed_area_is_zero(*columns(turned)).tolist() == found
    alone = [polygons.enclosed_area_is_zero(*columns([ring])).tolist() for ring in turned]
    assert alone == [[zero] for zero in found]


def judged(rings: list[Ring]) -> tuple[Float64, Int64, list[Ring]]:
    """The rings that may be asked whether they cross themselves."""
    kept = [ring for ring in rings if slow.different_vertices(ring) == 3]
    return *columns(kept), kept


@unhurried
@given(rings_of(grid, 3, 9) | rings_of(tenths, 3, 7) | rings_of(unit_floats, 3, 7))
def test_crossing_rings_equal_the_exact_answer(rings: list[Ring]) -> None:
    vertices, offsets, kept = judged(rings)
    # Differences below the smallest normal number are beyond shapely.
    vertices = np.round(vertices, 15)
    kept = rings_from(vertices, offsets)
    if any(slow.different_vertices(ring) < 3 for ring in kept):
        return
    found = simple_polygons.self_intersecting(vertices, offsets)
    assert found.tolist() == [slow.self_intersecting(ring) for ring in kept]


@unhurried
@given(
    rings_of(grid, 3, 12) | rings_of(tenths, 3, 12) | rings_of(st.floats(-1e300, 1e300), 3, 6),
    st.integers(-300, 2),
)
def test_crossing_rings_equal_those_that_shapely_calls_invalid(
    rings: list[Ring], exponent: int
) -> None:
    vertices, offsets, _ = judged(rings)
    kept = rings_from(vertices * 10.0**exponent, offsets)
    vertices, offsets, kept = judged(kept)
    found = simple_polygons.self_intersecting(vertices, offsets)
    with np.errstate(all="ignore"):
        expected = [not shapely.is_valid(shapely.Polygon(ring)) for ring in kept]
    assert found.tolist() == expected


@unhurried
@given(st.integers(0, 2**32 - 1), st.integers(3, 200), st.integers(0, 6))
def test_crossing_outlines_equal_those_that_shapely_calls_invalid(
    seed: int, count: int, exchanged: int
) -> None:
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    outline = np.stack((np.cos(angle), np.sin(angle)), axis=1) * rng.uniform(0.2, 1, (count, 1))
    outline = np.round(outline, int(rng.integers(1, 6)))
    at = rng.integers(0, count, (2, exchanged))
    outline[at[0]] = outline[at[1]]
    vertices, offsets, kept = judged([[(x, y) for x, y in outline.tolist()]])
    found = simple_polygons.self_intersecting(vertices, offsets)
    assert found.tolist() == [not shapely.is_valid(shapely.Polygon(ring)) for ring in kept]


# Rotated boxes, in pixels

quads = rings_of(pixels, 4, 4) | rings_of(few_pixels, 4, 4)


def corners_of(rings: list[Ring]) -> Float64:
    return columns(rings)[0].reshape(-1, 4, 2)


def rectangle(row: list[float]) -> slow.Rectangle:
    cx, cy, w, h, theta = row
    return cx, cy, w, h, theta


@given(
    st.lists(
        st.tuples(
            *[wide_floats] * 2,
            *[unit_floats] * 2,
            st.floats(-720, 720),
            *[st.integers(1, 9999)] * 2,
        ),
        max_size=8,
    )
)
def test_corners_from_rotated_equal_the_scalar_formula(
    rows: list[tuple[float, float, float, float, float, int, int]],
) -> None:
    table = np.array(rows, dtype=np.float64).reshape(-1, 7)
    found = rotated.corners_from_rotated(table[:, :5], table[:, 5], table[:, 6])
    expected = [slow.corners_from_rotated(*row) for row in rows]
    np.testing.assert_allclose(found, np.array(expected).reshape(-1, 4, 2), rtol=0, atol=1e-9)


@given(quads)
def test_averaged_rectangles_equal_the_scalar_formula(rings: list[Ring]) -> None:
    found = rotated.rectangle_from_corners(corners_of(rings))
    expected = [slow.rectangle_from_corners(ring) for ring in rings]
    np.testing.assert_allclose(
        rotated.corners_from_centred(found),
        np.array([slow.corners_from_centred(one) for one in expected]).reshape(-1, 4, 2),
        rtol=0,
        atol=1e-8,
    )


@given(quads)
def test_misfits_equal_the_scalar_formula(rings: list[Ring]) -> None:
    corners = corners_of(rings)
    rectangles = rotated.rectangle_from_corners(corners)
    rows = rectangles.tolist()
    expected = [slow.misfit(rectangle(row), ring) for row, ring in zip(rows, rings, strict=True)]
    np.testing.assert_allclose(rotated.misfit(rectangles, corners), expected, rtol=0, atol=1e-9)


def assert_smallest(found: Float64, rings: list[Ring]) -> None:
    """The rectangle is one of the smallest, corner by corner, to a millionth of a pixel."""
    assert len(found) == len(rings)
    for row, ring in zip(rotated.corners_from_centred(found), rings, strict=True):
        candidates = [slow.corners_from_centred(one) for one in slow.smallest_rectangles(ring)]
        gap = min(np.abs(row - np.array(candidate)).max() for candidate in candidates)
        assert gap < 1e-6, (row.tolist(), candidates)


@unhurried
@given(quads)
def test_smallest_rectangles_of_quads_are_the_smallest_along_the_first_edge(
    rings: list[Ring],
) -> None:
    assert_smallest(rotated.smallest_rectangle_of_quads(corners_of(rings)), rings)


@unhurried
@given(rings_of(pixels, 2, 12) | rings_of(few_pixels, 2, 12))
def test_smallest_rectangles_of_rings_are_the_smallest_along_the_first_edge(
    rings: list[Ring],
) -> None:
    assert_smallest(rotated.smallest_rectangle_of_rings(*columns(rings)), rings)


@unhurried
@given(rings_of(pixels, 2, 40))
def test_smallest_rectangles_have_the_area_of_shapely(rings: list[Ring]) -> None:
    found = rotated.smallest_rectangle_of_rings(*columns(rings))
    expected = [shapely.oriented_envelope(shapely.MultiPoint(ring)).area for ring in rings]
    np.testing.assert_allclose(found[:, 2] * found[:, 3], expected, rtol=1e-9, atol=1e-6)


@given(quads)
def test_the_better_of_two_rectangles_is_taken(rings: list[Ring]) -> None:
    corners = corners_of(rings)
    found, misfit, refitted = rotated.rectangle_from_quad(corners)
    averaged = rotated.rectangle_from_corners(corners)
    limit = np.maximum(0.1, 0.001 * averaged[:, 2:4].max(axis=1, initial=0))
    smallest = rotated.smallest_rectangle_of_quads(corners)
    assert refitted.tolist() == (misfit > limit).tolist()
    assert found.tolist() == np.where(refitted[:, None], smallest, averaged).tolist()


@given(quads, st.integers(1, 9999), st.integers(1, 9999))
def test_rotated_boxes_survive_a_round_trip(rings: list[Ring], width: int, height: int) -> None:
    rectangles = rotated.rectangle_from_corners(corners_of(rings))
    widths, heights = np.full(len(rings), float(width)), np.full(len(rings), float(height))
    normalised = rotated.normalised_from_centred(rectangles, widths, heights)
    rows = [
        slow.normalised_from_centred(rectangle(row), width, height) for row in rectangles.tolist()
    ]
    assert normalised.tolist() == rows
    np.testing.assert_allclose(
        rotated.corners_from_rotated(normalised, widths, heights),
        rotated.corners_from_centred(rectangles),
        rtol=0,
        atol=1e-8,
    )


@given(quads)
def test_angles_are_reduced_to_one_turn(rings: list[Ring]) -> None:
    theta = rotated.rectangle_from_quad(corners_of(rings))[0][:, 4]
    assert ((theta >= 0) & (theta < 360)).all()
