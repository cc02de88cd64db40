"""Rows of synthetic label files as numbers: class numbers and coordinates, drawn with a seed."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.random import Generator

from labelingest.bench.synthetic.kinds import CLASSES, SHAPES, SIZES, Kind
from labelingest.columns.types import Float64, Int64

__all__ = ["Rows", "draw_rows"]

_VERTICES: Final = 20
"""Vertices of a polygon, on average."""
_CLICKED: Final = 0.8
"""Part of the rotated boxes whose corners were clicked by hand, as in DOTA."""


class Rows(NamedTuple):
    """Rows as numbers, before they become text."""

    class_number: Int64
    """(r,) class number of each row."""
    counts: Int64
    """(r,) number of coordinates of each row."""
    coordinates: Float64
    """(v,) in 0..1, one row after the other."""


def draw_rows(rng: Generator, kind: Kind, unit: Int64) -> Rows:
    """Draw rows.

    Parameters
    ----------
    rng
        Source of the random numbers.
    kind
        Kind of the rows.
    unit
        (r,) number of the image of each row.
    """
    # Low class numbers are more frequent, as people and cars are.
    class_number = (CLASSES * rng.random(len(unit)) ** 2).astype(np.int64)
    if kind != Kind.MIXED:
        return Rows(class_number, *_draw(kind)(rng, unit))
    shape_of_row = class_number % len(SHAPES)
    counts = np.zeros(len(unit), dtype=np.int64)
    coordinates_of_shape = []
    for shape, of_shape in enumerate((Kind.BOXES, Kind.POLYGONS, Kind.ROTATED)):
        rows = np.flatnonzero(shape_of_row == shape)
        counts[rows], numbers = _draw(of_shape)(rng, unit[rows])
        coordinates_of_shape.append((rows, numbers))
    coordinates = np.empty(int(counts.sum()))
    of_row = np.repeat(np.arange(len(unit)), counts)
    for shape, (_, numbers) in enumerate(coordinates_of_shape):
        coordinates[shape_of_row[of_row] == shape] = numbers
    return Rows(class_number, counts, coordinates)


def _draw(kind: Kind) -> Callable[[Generator, Int64], tuple[Int64, Float64]]:
    return {Kind.BOXES: _boxes, Kind.POLYGONS: _polygons, Kind.ROTATED: _corners}[kind]


def _boxes(rng: Generator, unit: Int64) -> tuple[Int64, Float64]:
    """Draw boxes inside the image; most are small."""
    n = len(unit)
    side = 0.01 + 0.6 * rng.random((n, 2)) ** 2
    centre = side / 2 + (1 - side) * rng.random((n, 2))
    return np.full(n, 4), np.concatenate((centre, side), axis=1).reshape(-1)


def _polygons(rng: Generator, unit: Int64) -> tuple[Int64, Float64]:
    """Draw outlines that do not cross themselves: vertices in order of their angle."""
    n = len(unit)
    vertices = 3 + rng.geometric(1 / (_VERTICES - 3), n)
    row = np.repeat(np.arange(n), vertices)
    begin = np.repeat(np.cumsum(vertices) - vertices, vertices)
    step = np.arange(len(row)) - begin + 0.8 * rng.random(len(row))
    angle = 2 * np.pi * step / vertices[row]
    radius = (0.01 + 0.3 * rng.random((n, 2)) ** 2)[row] * (0.6 + 0.4 * rng.random((len(row), 1)))
    room = 0.31  # the largest radius: centres keep that far from the border
    centre = room + (1 - 2 * room) * rng.random((n, 2))
    points = centre[row] + radius * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    return 2 * vertices, points.reshape(-1)


def _corners(rng: Generator, unit: Int64) -> tuple[Int64, Float64]:
    """Draw four corners in pixels: exact rectangles, or corners near one on whole pixels."""
    n = len(unit)
    size_px = np.array(SIZES, dtype=np.float64)[unit % len(SIZES)]
    longer = 12 + 0.3 * size_px.min(axis=1) * rng.random(n) ** 2
    sides_px = np.stack((longer, longer * (0.3 + 0.7 * rng.random(n))), axis=1)
    angle = 2 * np.pi * rng.random(n)
    unit_corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    upright = sides_px[:, np.newaxis] * unit_corners
    x = upright[..., 0] * np.cos(angle)[:, np.newaxis] - upright[..., 1] * np.sin(angle)[:, None]
    y = upright[..., 0] * np.sin(angle)[:, np.newaxis] + upright[..., 1] * np.cos(angle)[:, None]
    reach = longer[:, np.newaxis]
    centre = reach + (size_px - 2 * reach) * rng.random((n, 2))
    corners_px = centre[:, np.newaxis] + np.stack((x, y), axis=2)
    missed = corners_px + 0.02 * longer[:, None, None] * rng.standard_normal((n, 4, 2))
    clicked = rng.random(n) < _CLICKED
    corners_px[clicked] = np.rint(missed[clicked])
    corners = np.clip(corners_px / size_px[:, np.newaxis], 0.0, 1.0)
    return np.full(n, 8), corners.reshape(-1)
