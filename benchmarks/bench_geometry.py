"""The kernels, on as many rows as a batch has, against shapely or the oracle's scalar formulae."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.batches import batch
from labelingest.columns.ragged import gather, offsets_from_lengths
from labelingest.columns.types import Float64, Int64
from labelingest.geometry import boxes, polygons, simple_polygons
from labelingest.geometry import rotated_boxes as rotated
from tests.oracles.yolo_shapes import clip, ltwh_of_box, smallest_rectangles

BOXES = "geometry: 10,000 boxes"
CLIP = "geometry: clip rings"
ENVELOPES = "geometry: envelopes of rings"
AREA = "geometry: rings without area"
SIMPLE = "geometry: rings that cross themselves"
QUADS = "geometry: rectangles from corners"
AROUND = "geometry: smallest rectangles around rings"


def rings(kind: str) -> tuple[Float64, Int64]:
    """Return the rings of a batch, normalised."""
    labels = batch(kind).read()
    vertices = labels.values[gather(labels.begin, labels.count)].reshape(-1, 2)
    return vertices, offsets_from_lengths(labels.count // 2)


def in_pixels(kind: str) -> tuple[Float64, Int64]:
    """Return the same in pixels."""
    vertices, offsets = rings(kind)
    units = batch(kind).units
    unit = np.repeat(batch(kind).read().unit, np.diff(offsets))
    return vertices * np.stack((units.width[unit], units.height[unit]), axis=1), offsets


def ring_lists(vertices: Float64, offsets: Int64) -> list[list[tuple[float, float]]]:
    points = [(x, y) for x, y in vertices.tolist()]
    return [points[a:b] for a, b in pairwise(offsets.tolist())]


def shapely_polygons(vertices: Float64, offsets: Int64) -> Any:
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return shapely.polygons(shapely.linearrings(vertices, indices=owner))


def areas(rectangles: Float64) -> Float64:
    return rectangles[:, 2] * rectangles[:, 3]


class TestBoxes:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture) -> None:
        benchmark.group = BOXES

    @pytest.fixture
    def boxes_cxcywh(self) -> Float64:
        # Most inside the image, some not.
        rng = np.random.default_rng(0)
        return rng.random((10_000, 4)) * (1.0, 1.0, 0.1, 0.1)

    def test_ltwh_from_cxcywh_and_clip(
        self, benchmark: BenchmarkFixture, boxes_cxcywh: Float64
    ) -> None:
        clipped, deviation = benchmark(
            lambda: boxes.clip_to_image(boxes.ltwh_from_cxcywh(boxes_cxcywh))
        )
        expected = [ltwh_of_box(box, clipped=True) for box in boxes_cxcywh.tolist()]
        assert clipped.tolist() == [list(box) for box in expected]
        assert 0 < np.count_nonzero(deviation) < len(deviation) / 5

    def test_oracle_box_by_box(self, benchmark: BenchmarkFixture, boxes_cxcywh: Float64) -> None:
        boxes_ltwh = benchmark(
            lambda: [ltwh_of_box(b, clipped=True) for b in boxes_cxcywh.tolist()]
        )
        assert len(boxes_ltwh) == len(boxes_cxcywh)


class TestClip:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture) -> None:
        benchmark.group = CLIP

    def test_clip_to_unit_square(self, benchmark: BenchmarkFixture) -> None:
        vertices = rings("polygons")[0] * 1.5 - 0.25
        clipped, _ = benchmark(polygons.clip_to_unit_square, vertices)
        assert clipped.tolist() == [[clip(x), clip(y)] for x, y in vertices.tolist()]

    def test_oracle_vertex_by_vertex(self, benchmark: BenchmarkFixture) -> None:
        vertices = (rings("polygons")[0] * 1.5 - 0.25).tolist()
        clipped = benchmark(lambda: [[clip(x), clip(y)] for x, y in vertices])
        assert len(clipped) == len(vertices)


class TestEnvelopes:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture) -> None:
        benchmark.group = ENVELOPES

    def test_ltwh_from_vertices(self, benchmark: BenchmarkFixture) -> None:
        vertices, offsets = rings("polygons")
        boxes_ltwh = benchmark(boxes.ltwh_from_vertices, vertices, offsets)
        bounds = shapely.bounds(shapely_polygons(vertices, offsets))
        assert np.array_equal(boxes_ltwh[:, :2], bounds[:, :2])

    def test_rival_shapely(self, benchmark: BenchmarkFixture) -> None:
        vertices, offsets = rings("polygons")
        bounds = benchmark(lambda: shapely.bounds(shapely_polygons(vertices, offsets)))
        assert bounds.shape == (len(offsets) - 1, 4)


class TestArea:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture) -> None:
        benchmark.group = AREA

    def test_enclosed_area_is_zero(self, benchmark: BenchmarkFixture) -> None:
        vertices, offsets = rings("polygons")
        flat = vertices.copy()
        flat[: offsets[10], 1] = 0.5
        assert np.flatnonzero(polygons.enclosed_area_is_zero(flat, offsets)).tolist() == [
            *range(10)
        ]
        assert not benchmark(polygons.enclosed_area_is_zero, vertices, offsets).any()

    def test_rival_shapely(self, benchmark: BenchmarkFixture) -> None:
        # Less: the area that shapely adds up is zero for a bow tie too.
        vertices, offsets = rings("polygons")
        is_flat = benchmark(lambda: shapely.area(shapely_polygons(vertices, offsets)) == 0)
        assert not is_flat.any()


class TestSimple:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture) -> None:
        benchmark.group = SIMPLE

    @pytest.fixture
    def some_crossing(self) -> tuple[Float64, Int64]:
        # One ring in a hundred gets two of its vertices exchanged.
        vertices, offsets = rings("polygons")
        vertices = vertices.copy()
        begin = offsets[:-1:100]
        vertices[[begin, begin + 1]] = vertices[[begin + 1, begin]]
        return vertices, offsets

    def test_self_intersecting(
        self, benchmark: BenchmarkFixture, some_crossing: tuple[Float64, Int64]
    ) -> None:
        is_crossing = benchmark(simple_polygons.self_intersecting, *some_crossing)
        assert np.array_equal(is_crossing, ~shapely.is_valid(shapely_polygons(*some_crossing)))
        assert is_crossing.any()

    def test_rival_shapely(
        self, benchmark: BenchmarkFixture, some_crossing: tuple[Float64, Int64]
    ) -> None:
        is_valid = benchmark(lambda: shapely.is_valid(shapely_polygons(*some_crossing)))
        assert not is_valid.all()


class TestRectanglesFromCorners:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture) -> None:
        benchmark.group = QUADS

    def test_rectangle_from_quad(self, benchmark: BenchmarkFixture) -> None:
        corners_px = in_pixels("rotated")[0].reshape(-1, 4, 2)
        rectangles, misfit, refitted = benchmark(rotated.rectangle_from_quad, corners_px)
        # Four corners in five were clicked by hand.
        assert 0.7 < refitted.mean() < 0.9
        assert (
            misfit[~refitted] <= np.maximum(0.1, 0.001 * rectangles[~refitted, 2:4].max())
        ).all()

    def test_oracle_on_a_hundred_of_them_only(self, benchmark: BenchmarkFixture) -> None:
        corners = ring_lists(*in_pixels("rotated"))[:100]
        rectangles = benchmark(
            lambda: [smallest_rectangles(corners_of_row) for corners_of_row in corners]
        )
        assert len(rectangles) == 100

    def test_rival_shapely(self, benchmark: BenchmarkFixture) -> None:
        # Less: the rectangle has no angle and no first corner yet.
        vertices, offsets = in_pixels("rotated")
        envelopes = benchmark(
            lambda: shapely.oriented_envelope(shapely_polygons(vertices, offsets))
        )
        assert len(envelopes) == len(offsets) - 1


class TestSmallestRectangles:
    @pytest.fixture(autouse=True)
    def _group(self, benchmark: BenchmarkFixture) -> None:
        benchmark.group = AROUND

    def test_smallest_rectangle_of_rings(self, benchmark: BenchmarkFixture) -> None:
        vertices, offsets = in_pixels("polygons")
        rectangles = benchmark(rotated.smallest_rectangle_of_rings, vertices, offsets)
        expected = shapely.area(shapely.oriented_envelope(shapely_polygons(vertices, offsets)))
        np.testing.assert_allclose(areas(rectangles), expected, rtol=1e-9)

    def test_rival_shapely(self, benchmark: BenchmarkFixture) -> None:
        vertices, offsets = in_pixels("polygons")
        envelopes = benchmark(
            lambda: shapely.oriented_envelope(shapely_polygons(vertices, offsets))
        )
        assert len(envelopes) == len(offsets) - 1
