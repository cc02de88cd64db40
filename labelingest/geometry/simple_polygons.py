"""Tell simple polygons from rings that cross, touch or retrace themselves.

shapely answers exactly, one ring after the other, at about 0.3 µs a vertex and 2 µs an object.
`self_intersecting` therefore decides most rings itself, many at a time. Only rings that rounding or
a special position makes doubtful go to shapely:

0. A ring that turns once round the mean of its vertices, in one direction all the way, is simple:
   each direction from the mean meets it once. Many outlines of things are like that.
1. Edges whose envelopes are apart cannot meet. Envelopes are compared for all pairs of edges of a
   block of rings of similar length, on a grid of whole numbers. Rounding keeps the order of
   numbers, so no overlap is missed.
2. For the few pairs left, the side of each end relative to the other edge is computed with a
   bound on its rounding error. Both ends certainly on one side: the edges are apart. Each edge
   certainly divides the ends of the other, or they share an end: the ring is not simple.
3. An edge must not fold back onto the one before it.

Whatever is not certain makes its ring doubtful. The answer equals `shapely.is_valid` for every ring
but those for which shapely takes very long: where long edges lie beside each other, as in hatching,
its time is quadratic. `too_large_to_check` names those rings.
"""

from typing import Final, TypeAlias

import numpy as np
import shapely
from msgspec import Struct

from labelingest.columns.ragged import gather, offsets_from_lengths, segment_sum
from labelingest.columns.types import Bool, Float64, Int16, Int64

__all__ = ["self_intersecting", "too_large_to_check"]

_LONGEST: Final = 128
"""Vertices of a ring above which it goes to shapely at once: comparing all pairs is quadratic, and at
twice this length both take the same time."""

_ALWAYS_CHECKED: Final = 4096
"""Vertices up to which a ring is checked whatever its form: that takes less than half a second."""

_MOST_PAIRS: Final = _ALWAYS_CHECKED**2 // 2
"""Pairs of edges side by side above which a ring is not checked."""

_BLOCK: Final = 1 << 18
"""Pairs of edges compared at once: as many as the processor's cache holds."""

_STEPS: Final = 32_000
"""Steps of the grid on which edges are compared: they fit short integers."""

_BEHIND: Final = np.iinfo(np.int16).max
"""A coordinate beyond the last step of the grid."""

_ROUNDING: Final = 4 * float(np.finfo(np.float64).eps)
"""More than the relative error of a cross product of differences (1.5 epsilon)."""

_TINY: Final = 1e-290
"""Far above what is lost when products of small differences underflow."""

_SIMPLE, _DOUBTFUL, _CROSSING = 0, 1, 2

_Points: TypeAlias = tuple[Float64, Float64]
"""x and y of some points."""


def self_intersecting(vertices: Float64, offsets: Int64) -> Bool:
    """Tell which rings are not simple polygons.

    A ring is simple when its edges meet at the common ends of neighbours only; vertices repeated
    one after the other do not matter, nor does the first repeated at the end. This is
    `shapely.is_valid` on the polygon.

    Parameters
    ----------
    vertices
        (v, 2) x, y of the vertices of all rings, finite.
    offsets
        (n + 1,) ring i owns vertices[offsets[i] : offsets[i + 1]]; every ring has three different
        vertices or more.

    Returns
    -------
    ndarray
        (n,) true where the ring crosses, touches or retraces itself; false where that was not
        checked (`too_large_to_check`), unless two edges in a row fold; a new array.

    Examples
    --------
    >>> square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    >>> bow_tie = [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    >>> self_intersecting(np.array(square + bow_tie), np.array([0, 4, 8])).tolist()
    [False, True]
    """
    lengths = np.diff(offsets)
    crossing = np.zeros(len(lengths), dtype=bool)
    # Overflow makes a product infinite or NaN, and neither is ever certain.
    with np.errstate(over="ignore", invalid="ignore"):
        rest = np.flatnonzero(~_turns_once(vertices, offsets))
        if len(rest):
            vertices = vertices[gather(offsets[rest], lengths[rest])]
            crossing[rest] = _crosses(vertices, offsets_from_lengths(lengths[rest]))
    return crossing


def _turns_once(vertices: Float64, offsets: Int64) -> Bool:
    """Return (n,) whether rings certainly turn once round the mean of their vertices, never back."""
    lengths = np.diff(offsets)
    following = _following(offsets)
    x, y = np.ascontiguousarray(vertices.T)
    from_x = x - np.repeat(segment_sum(x, offsets) / lengths, lengths)
    from_y = y - np.repeat(segment_sum(y, offsets) / lengths, lengths)
    to_x, to_y = from_x[following], from_y[following]
    turns = segment_sum(_certain_sign(from_x, from_y, to_x, to_y), offsets)
    # Each round goes upwards past the mean once. The sign of a difference is exact.
    rounds = np.add.reduceat((from_y <= 0) & (to_y > 0), offsets[:-1], dtype=np.int64)
    once: Bool = (np.abs(turns) == lengths) & (rounds == 1)
    return once


def _crosses(vertices: Float64, offsets: Int64) -> Bool:
    """Return (n,) whether rings are not simple polygons, judged by their edges."""
    lengths = np.diff(offsets)
    state = np.where(lengths > _LONGEST, _DOUBTFUL, _SIMPLE)
    _settle(_Edges.from_rings(vertices, offsets), offsets, state)
    crossing: Bool = state == _CROSSING
    doubtful = np.flatnonzero((state == _DOUBTFUL) & ~too_large_to_check(vertices, offsets))
    if len(doubtful):
        crossing[doubtful] = ~_is_valid(vertices, offsets[doubtful], lengths[doubtful])
    return crossing


def too_large_to_check(vertices: Float64, offsets: Int64) -> Bool:
    """Tell which rings `self_intersecting` leaves unchecked because it would take very long.

    Pairs of edges that overlap in x, and pairs that overlap in y, are counted without visiting each;
    the smaller number bounds the pairs that shapely compares. An ordinary outline has few, however
    many vertices it has.

    Parameters
    ----------
    vertices
        (v, 2) x, y of the vertices of all rings, finite.
    offsets
        (n + 1,) ring i owns vertices[offsets[i] : offsets[i + 1]].

    Returns
    -------
    ndarray
        (n,) true where more than 8 million pairs of edges lie side by side; a new array.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> too_large_to_check(square, np.array([0, 4])).tolist()
    [False]
    """
    too_large = np.diff(offsets) > _ALWAYS_CHECKED
    for ring in np.flatnonzero(too_large).tolist():
        start = vertices[offsets[ring] : offsets[ring + 1]]
        end = np.roll(start, -1, axis=0)
        low, high = np.minimum(start, end), np.maximum(start, end)
        pair_count = min(_overlapping(low[:, axis], high[:, axis]) for axis in (0, 1))
        too_large[ring] = pair_count > _MOST_PAIRS
    return too_large


def _overlapping(low: Float64, high: Float64) -> int:
    """Count the pairs of intervals that overlap: all except pairs in which one ends before the other."""
    count = len(low)
    apart = count - np.searchsorted(np.sort(low), high, side="right")
    return count * (count - 1) // 2 - int(apart.sum())


def _is_valid(vertices: Float64, begin: Int64, count: Int64) -> Bool:
    """Ask shapely which rings are valid polygons."""
    owner = np.repeat(np.arange(len(count)), count)
    outlines = shapely.linearrings(vertices[gather(begin, count)], indices=owner)
    with np.errstate(over="ignore", invalid="ignore"):
        valid: Bool = shapely.is_valid(shapely.polygons(outlines))
    return valid


class _Edges(Struct, frozen=True, eq=False):
    """The edges of all rings; edge i begins at vertex i."""

    start: _Points
    """Two (v,) columns."""
    end: _Points
    """Two (v,) columns."""
    following: Int64
    """(v,) the edge of the same ring that begins where this one ends."""

    @classmethod
    def from_rings(cls, vertices: Float64, offsets: Int64) -> "_Edges":
        x, y = np.ascontiguousarray(vertices.T)
        following = _following(offsets)
        return cls((x, y), (x[following], y[following]), following)


def _following(offsets: Int64) -> Int64:
    """Return (v,) the vertex that comes after each one of its ring."""
    following = np.arange(1, offsets[-1] + 1)
    following[offsets[1:] - 1] = offsets[:-1]
    return following


def _settle(edges: _Edges, offsets: Int64, state: Int64) -> None:
    """Write the state of each ring as far as it is certain."""
    first, second = _close_pairs(edges, offsets)
    apart, meet = _meeting(edges, first, second)
    fold_edges, is_certain, zero_length_edges = _fold_edges(edges)

    def mark(edge: Int64, new: int) -> None:
        state[np.searchsorted(offsets, edge, side="right") - 1] = new

    mark(first[~apart & ~meet], _DOUBTFUL)
    mark(fold_edges[~is_certain], _DOUBTFUL)
    mark(first[meet], _CROSSING)
    mark(fold_edges[is_certain], _CROSSING)
    # Last: where an edge has no length, edges with a common end may be neighbours.
    mark(zero_length_edges, _DOUBTFUL)


def _close_pairs(edges: _Edges, offsets: Int64) -> tuple[Int64, Int64]:
    """Return the pairs of edges of one ring, not neighbours, whose envelopes touch."""
    lengths = np.diff(offsets)
    order = np.argsort(lengths, kind="stable")
    ascending = lengths[order]
    block, stop = np.searchsorted(ascending, (4, _LONGEST + 1)).tolist()
    points = _on_grid(edges.start)
    firsts, seconds = [order[:0]], [order[:0]]
    while block < stop:
        # Lengths of a block differ by a quarter at most: shorter rings are padded.
        longest = ascending[block] * 5 // 4
        similar = int(np.searchsorted(ascending, longest, side="right"))
        end = min(similar, stop, block + 1 + int(_BLOCK // longest**2 * 2))
        first, second = _close_pairs_of_block(
            points, offsets[order[block:end]], ascending[block:end]
        )
        firsts.append(first)
        seconds.append(second)
        block = end
    return np.concatenate(firsts), np.concatenate(seconds)


def _on_grid(points: _Points) -> Int16:
    """Return (2, v) coordinates in steps of the extent of all, none of them below 0.

    Short integers are compared many at once. Coordinates keep their order, or become
    equal: envelopes that touch still touch.
    """
    grid = np.zeros((2, len(points[0])), dtype=np.int16)
    for column, steps in zip(points, grid, strict=True):
        low = column.min(initial=np.inf)
        span = column.max(initial=-np.inf) - low
        # Where the extent is nothing or overflows, all are on one step.
        if _TINY < span < np.inf:
            steps[:] = (column - low) * (_STEPS / span)
    return grid


def _close_pairs_of_block(points: Int16, begin: Int64, length: Int64) -> tuple[Int64, Int64]:
    """Return the close pairs of rings of ascending length, 4 or more."""
    longest, rings = int(length[-1]), len(length)
    size = longest * rings
    step = np.arange(longest + 1)[:, None]
    corners = points.take(np.where(step < length, step, 0) + begin, axis=1)
    # [low or high, x or y, edge, ring], and the edges once more: a window over the flat edges and
    # rings, shifted by whole edges, then meets every pair after half a turn.
    extent = np.empty((2, 2, 2 * longest, rings), dtype=np.int16)
    np.minimum(corners[:, :-1], corners[:, 1:], out=extent[0, :, :longest])
    np.maximum(corners[:, :-1], corners[:, 1:], out=extent[1, :, :longest])
    # Padding begins beyond all edges, so that it is near no edge.
    np.copyto(extent[0, :, :longest], _BEHIND, where=step[:-1] >= length)
    extent[:, :, longest:] = extent[:, :, :longest]
    low, high = extent.reshape(2, 2, -1)[:, :, :size]
    # As numpy's as_strided, which takes longer than a comparison.
    shape = (2, 2, longest // 2 - 1, size)
    shifted: Int16 = np.ndarray(shape, extent.dtype, extent, 2 * extent.strides[2], extent.strides)
    near = shifted[0, 0] <= high[0]
    other = np.empty_like(near)
    near &= np.less_equal(shifted[0, 1], high[1], out=other)
    near &= np.less_equal(low[0], shifted[1, 0], out=other)
    near &= np.less_equal(low[1], shifted[1, 1], out=other)
    shift, place = np.divmod(np.flatnonzero(near), size)
    first, ring = np.divmod(place, rings)
    second = (first + shift + 2) % longest
    keep = np.abs(second - first) != length[ring] - 1
    begin = begin[ring[keep]]
    return begin + first[keep], begin + second[keep]


def _meeting(edges: _Edges, first: Int64, second: Int64) -> tuple[Bool, Bool]:
    """Tell which pairs of edges, not neighbours, are certainly apart and which certainly meet."""
    a, b, c, d = (
        (x[pair], y[pair]) for pair in (first, second) for x, y in (edges.start, edges.end)
    )
    across_first = _side(a, b, c) * _side(a, b, d)
    across_second = _side(c, d, a) * _side(c, d, b)
    meet = (across_first < 0) & (across_second < 0)
    for p, q in ((a, c), (a, d), (b, c), (b, d)):
        meet |= (p[0] == q[0]) & (p[1] == q[1])
    return (across_first > 0) | (across_second > 0), meet


def _side(a: _Points, b: _Points, p: _Points) -> Float64:
    """Return on which side of the line from a to b each p is: 1, -1, or 0 where rounding may decide."""
    return _certain_sign(b[0] - a[0], b[1] - a[1], p[0] - a[0], p[1] - a[1])


def _certain_sign(ux: Float64, uy: Float64, vx: Float64, vy: Float64) -> Float64:
    """Return the sign of the cross product of two differences, or 0 where rounding may decide it."""
    left, right = ux * vy, uy * vx
    product = left - right
    bound = _ROUNDING * (np.abs(left) + np.abs(right)) + _TINY
    return np.where(np.abs(product) > bound, np.sign(product), 0.0)


def _fold_edges(edges: _Edges) -> tuple[Int64, Bool, Int64]:
    """Return edges that may fold back, whether they certainly do, and edges of length 0."""
    (x, y), (end_x, end_y) = edges.start, edges.end
    dx, dy = end_x - x, end_y - y
    # A fold reverses the direction, or leaves it at 0, in x and in y.
    before = np.flatnonzero(_not_forward(dx, edges) & _not_forward(dy, edges))
    after = edges.following[before]
    ux, uy, vx, vy = dx[before], dy[before], dx[after], dy[after]
    doubt = _certain_sign(ux, uy, vx, vy) == 0
    opposite = (np.sign(ux) * np.sign(vx) <= 0) & (np.sign(uy) * np.sign(vy) <= 0)
    upright = ((ux == 0) & (vx == 0)) | ((uy == 0) & (vy == 0))
    returns = (x[before] == end_x[after]) & (y[before] == end_y[after])
    zero_length = before[(ux == 0) & (uy == 0)]
    return after[doubt], (returns | (upright & opposite))[doubt], zero_length


def _not_forward(difference: Float64, edges: _Edges) -> Bool:
    """Return (v,) where the next edge does not continue in the same direction along an axis."""
    forward: Bool = difference * difference[edges.following] > 0
    return ~forward
