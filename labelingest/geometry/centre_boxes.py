"""Convert boxes by left and top to boxes by centre, without losing the last bit.

A box that was written with a centre is stored by its left edge, left = centre - width / 2, rounded
to a double. Adding the half width again rounds once more, so that left + width / 2 may miss the
centre by its last bit. The centre chosen here is one whose left edge, computed again, is the same
double, wherever there is such a centre:

1. The double nearest to left + width / 2 with 15 decimals is right for nearly everything that a
   person or a tool wrote. (n / 10**15 is the double nearest to that decimal number, because n and
   10**15 are doubles themselves.)
2. Otherwise the double nearest to left + width / 2 and its two neighbours are tried. If one of them
   gives the left edge back, that one is the centre.
3. If several do, the one written with the fewest digits is the centre. This is the only loop, over
   the boxes that round to a tie.

So a centre written with up to 15 significant digits is recovered when the left edge is not
negative: then at most two doubles give the same left edge, they are neighbours, and of neighbours
at most one has 15 digits. Where the left edge is outside the image, further than the centre is
inside, at most 15 decimals are recovered. A number of 16 or 17 digits is recovered but for ties, in
which its neighbour may be chosen: the left edge is the same double then too.

No double gives the left edge back when that is finer than doubles near the centre, as the edge of a
clipped or measured box may be. Then the centre is the nearest double.
"""

from decimal import Decimal
from typing import Final

import numpy as np

from labelingest.columns.types import Float64

__all__ = ["cxcywh_from_ltwh"]

_DECIMALS: Final = 1e15
_LARGEST: Final = 8.0
"""Below this, a number with 15 decimals is a whole number of 53 bits, divided by `_DECIMALS`."""


def cxcywh_from_ltwh(boxes_ltwh: Float64) -> Float64:
    """Convert boxes to centre x, centre y, width, height: what `ltwh_from_cxcywh` turns back.

    Parameters
    ----------
    boxes_ltwh
        (n, 4) left, top, width, height; finite; meant to be normalised: digits are counted from
        the decimal point.

    Returns
    -------
    ndarray
        (n, 4) centre x, centre y, width, height in the same unit; width and height are the same
        doubles; a new array.

    Examples
    --------
    >>> left = 0.701 - 0.128 / 2
    >>> left + 0.128 / 2
    0.7010000000000001
    >>> cxcywh_from_ltwh(np.array([[left, 0.25, 0.128, 0.5]])).tolist()
    [[0.701, 0.5, 0.128, 0.5]]
    """
    low, size = boxes_ltwh[:, :2], boxes_ltwh[:, 2:]
    half = size / 2
    nearest = low + half
    with np.errstate(over="ignore", invalid="ignore"):
        decimal = np.rint(nearest * _DECIMALS) / _DECIMALS
        has_decimal = (decimal - half == low) & (np.abs(nearest) < _LARGEST)
    centre = np.where(has_decimal, decimal, nearest)
    rest = np.flatnonzero(~has_decimal)
    if len(rest):
        low, half, nearest = low.reshape(-1)[rest], half.reshape(-1)[rest], nearest.flat[rest]
        centre.reshape(-1)[rest] = _searched(low, half, nearest)
    return np.concatenate((centre, size), axis=1)


def _searched(low: Float64, half: Float64, nearest: Float64) -> Float64:
    """Return (r,) the number next to nearest (r,) that gives low (r,) when half (r,) is subtracted."""
    candidates = np.stack((nearest, np.nextafter(nearest, -np.inf), np.nextafter(nearest, np.inf)))
    gives = candidates - half == low
    # argmax takes the first that is true, and the nearest where none is.
    centre: Float64 = np.take_along_axis(candidates, gives.argmax(axis=0)[np.newaxis], axis=0)[0]
    for column in np.flatnonzero(gives.sum(axis=0) > 1).tolist():
        centre[column] = min(candidates[gives[:, column], column].tolist(), key=_digits)
    return centre


def _digits(number: float) -> int:
    """Count the digits with which a number is written."""
    return len(Decimal(repr(number)).normalize().as_tuple().digits)
