"""Convex hulls of rings, by shapely."""

import numpy as np
import shapely

from labelingest.columns.ragged import offsets_from_lengths
from labelingest.columns.types import Float64, Int64

__all__ = ["hulls"]


def hulls(vertices: Float64, offsets: Int64) -> tuple[Float64, Int64]:
    """Return the convex hull of each ring.

    Parameters
    ----------
    vertices
        (v, 2) x, y of the vertices of all rings, finite.
    offsets
        (n + 1,) ring i owns vertices[offsets[i] : offsets[i + 1]]; every ring has two vertices or
        more, which may be equal.

    Returns
    -------
    vertices, offsets
        The hulls as rings: clockwise on screen, the first vertex not repeated; two vertices when
        all are on one line, one when all are the same.

    Examples
    --------
    >>> dart = np.array([[0.0, 0.0], [4.0, 0.0], [1.0, 1.0], [0.0, 4.0]])
    >>> vertices, offsets = hulls(dart, np.array([0, 4]))
    >>> sorted(vertices.tolist()), offsets.tolist()
    ([[0.0, 0.0], [0.0, 4.0], [4.0, 0.0]], [0, 3])
    """
    rings = len(offsets) - 1
    owner = np.repeat(np.arange(rings), np.diff(offsets))
    shapes = shapely.convex_hull(shapely.linestrings(vertices, indices=owner))
    # Counter-clockwise with y up, as shapely sees it, is clockwise with y down.
    shapes = shapely.orient_polygons(shapes, exterior_cw=False)
    hull_vertices, owner = shapely.get_coordinates(shapes, return_index=True)
    lengths = np.bincount(owner, minlength=rings)
    closed = shapely.get_dimensions(shapes) == 2
    keep = np.ones(len(hull_vertices), dtype=np.bool_)
    keep[np.cumsum(lengths)[closed] - 1] = False
    return hull_vertices[keep], offsets_from_lengths(lengths - closed)
