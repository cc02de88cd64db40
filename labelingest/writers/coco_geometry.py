"""Box, outline and area of annotations in pixels, as JSON for COCO."""

from itertools import pairwise

import numpy as np

from labelingest.columns import ragged
from labelingest.columns.types import Bool, Float64, Int64, UInt8
from labelingest.geometry import boxes
from labelingest.geometry.rotated_boxes import corners_from_rotated
from labelingest.model.annotations import Annotations, ColumnShape, Rings, column_shapes
from labelingest.model.ontology import Ontology
from labelingest.model.units import DataUnits
from labelingest.writers.instances import parts_of
from labelingest.writers.number_text import shortest_texts
from labelingest.writers.target import CocoRotated

__all__ = ["geometries"]


def geometries(
    annotations: Annotations, units: DataUnits, ontology: Ontology, rotated: CocoRotated
) -> list[tuple[str, str]]:
    """Return (n,) the JSON of box, outlines and area, and of the angle where there is one.

    Parameters
    ----------
    annotations
        (n,) boxes, rotated boxes and polygons.
    units
        (u,) the data units; those of the annotations have a size.
    ontology
        The ontology that annotations point into.
    rotated
        Drawing of rotated boxes.
    """
    shape = column_shapes(ontology.objects)[annotations.feature]
    unit = annotations.unit
    size = np.stack((units.width[unit], units.height[unit]), axis=1).astype(float)
    begin = annotations.offsets[:-1]
    parts = parts_of(annotations)
    fragments: list[tuple[str, str]] = [("", "")] * len(annotations)
    of_box = np.flatnonzero(shape != ColumnShape.POLYGON)
    for row, fragment in zip(
        of_box.tolist(), _fragments_of_boxes(annotations, of_box, shape, size, rotated), strict=True
    ):
        fragments[row] = fragment
    of_ring = np.setdiff1d(np.flatnonzero(shape == ColumnShape.POLYGON), list(parts))
    if len(of_ring):
        count = annotations.offsets[of_ring + 1] - begin[of_ring]
        numbers = annotations.coordinates[ragged.gather(begin[of_ring], count)].reshape(-1, 2)
        vertices_px = numbers * np.repeat(size[of_ring], count // 2, axis=0)
        texts = _polygons(vertices_px, ragged.offsets_from_lengths(count // 2))
        for row, text in zip(of_ring.tolist(), texts, strict=True):
            fragments[row] = text, ""
    for row, rings in parts.items():
        fragments[row] = _polygon_of_parts(rings, size[row]), ""
    return fragments


def _fragments_of_boxes(
    annotations: Annotations, rows: Int64, shape: UInt8, size: Float64, rotated: CocoRotated
) -> list[tuple[str, str]]:
    """Return (r,) the JSON of the boxes and rotated boxes of some rows; shape and size are of all."""
    if not len(rows):
        return []
    begin = annotations.offsets[rows]
    numbers = annotations.coordinates[begin[:, np.newaxis] + np.arange(4)]
    texts = _boxes(numbers * np.tile(size[rows], 2))
    is_rotated = shape[rows] == ColumnShape.ROTATED_BOX
    if rotated is CocoRotated.CORNERS and is_rotated.any():
        turned = np.flatnonzero(is_rotated)
        numbers = annotations.coordinates[begin[turned, np.newaxis] + np.arange(5)]
        outlines = _rotated_boxes(numbers, size[rows[turned]])
        for position, text in zip(turned.tolist(), outlines, strict=True):
            texts[position] = text
    return list(zip(texts, _angles(annotations, begin, is_rotated), strict=True))


def _angles(annotations: Annotations, begin: Int64, rotated: Bool) -> list[str]:
    """Return (r,) the JSON of the angle of boxes that begin there; "" where they cannot have one."""
    angles = [""] * len(begin)
    turned = np.flatnonzero(rotated)
    theta = shortest_texts(annotations.coordinates[begin[turned] + 4])
    for position, text in zip(turned.tolist(), theta, strict=True):
        angles[position] = f'"rotation":{text},'
    return angles


def _boxes(ltwh_px: Float64) -> list[str]:
    left, top, width, height = ltwh_px.T
    columns = (left, top, width, height, left + width, top + height, width * height)
    texts = shortest_texts(np.stack(columns, axis=1).reshape(-1))
    return [
        f'"bbox":[{x},{y},{w},{h}],"segmentation":[[{x},{y},{r},{y},{r},{b},{x},{b}]],"area":{area}'
        for x, y, w, h, r, b, area in zip(*(texts[i::7] for i in range(7)), strict=True)
    ]


def _rotated_boxes(boxes_ltwh_theta: Float64, size: Float64) -> list[str]:
    """Return the JSON of rotated boxes, (r, 5), on images of a size, (r, 2), as they lie."""
    corners_px = corners_from_rotated(boxes_ltwh_theta, size[:, 0], size[:, 1])
    offsets = np.arange(len(corners_px) + 1, dtype=np.int64) * 4
    areas = (boxes_ltwh_theta[:, 2:4] * size).prod(axis=1)
    return _polygons(corners_px.reshape(-1, 2), offsets, areas)


def _polygons(vertices_px: Float64, offsets: Int64, areas_px: Float64 | None = None) -> list[str]:
    around = boxes.ltwh_from_vertices(vertices_px, offsets)
    areas = shortest_texts(_areas(vertices_px, offsets) if areas_px is None else areas_px)
    texts = shortest_texts(around.reshape(-1))
    numbers = shortest_texts(vertices_px.reshape(-1))
    return [
        f'"bbox":[{x},{y},{w},{h}],"segmentation":[[{",".join(numbers[a:b])}]],"area":{area}'
        for x, y, w, h, area, (a, b) in zip(
            *(texts[i::4] for i in range(4)), areas, pairwise((2 * offsets).tolist()), strict=True
        )
    ]


def _polygon_of_parts(parts: Rings, size: Float64) -> str:
    """Return the JSON of a polygon with holes, which its area has, or several parts."""
    rings = [ring for part in parts for ring in part]
    is_outline = np.array([not ring for part in parts for ring in range(len(part))])
    lengths = np.array([len(ring) // 2 for ring in rings])
    vertices_px = np.array([number for ring in rings for number in ring]).reshape(-1, 2) * size
    signed = _areas(vertices_px, ragged.offsets_from_lengths(lengths)) * np.where(is_outline, 1, -1)
    outlines_px = vertices_px[np.repeat(is_outline, lengths)]
    around = boxes.ltwh_from_vertices(outlines_px, np.array([0, len(outlines_px)]))
    numbers = shortest_texts(outlines_px.reshape(-1))
    ends = ragged.offsets_from_lengths(2 * lengths[is_outline]).tolist()
    segmentation = ",".join(f"[{','.join(numbers[a:b])}]" for a, b in pairwise(ends))
    box, (area,) = ",".join(shortest_texts(around[0])), shortest_texts(signed.sum(keepdims=True))
    return f'"bbox":[{box}],"segmentation":[{segmentation}],"area":{area}'


def _areas(vertices_px: Float64, offsets: Int64) -> Float64:
    """Return (r,) the area of each ring in square pixels; crossing outlines: by the signed sum."""
    ring = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    # From the first vertex, so that a small ring far from the origin keeps its digits.
    x, y = (vertices_px - vertices_px[offsets[:-1]][ring]).T
    cross = np.zeros(len(x))
    cross[1:] = x[:-1] * y[1:] - x[1:] * y[:-1]
    # No edge leads from ring to ring; those at the first vertex have no part in the sum.
    cross[offsets[:-1]] = 0
    areas: Float64 = np.abs(ragged.segment_sum(cross, offsets)) / 2
    return areas
