"""Angles: degrees, clockwise on screen (y is down), in [0, 360)."""

import numpy as np

from labelingest.columns.types import Float64

__all__ = ["degrees_from_vectors", "reduce_to_one_turn"]


def degrees_from_vectors(vectors: Float64) -> Float64:
    """Return the directions of vectors.

    Parameters
    ----------
    vectors
        (2, n) x and y, y down; any length.

    Returns
    -------
    ndarray
        (n,) degrees clockwise from the direction to the right, in [0, 360); a new array.

    Examples
    --------
    >>> degrees_from_vectors(np.array([[1.0, 0.0, -3.0], [0.0, 2.0, -3.0]])).tolist()
    [0.0, 90.0, 225.0]
    """
    return reduce_to_one_turn(np.degrees(np.arctan2(vectors[1], vectors[0])))


def reduce_to_one_turn(theta: Float64) -> Float64:
    """Return angles reduced to one turn.

    Parameters
    ----------
    theta
        (n,) degrees, finite.

    Returns
    -------
    ndarray
        (n,) degrees in [0, 360); a new array.

    Examples
    --------
    >>> reduce_to_one_turn(np.array([-90.0, 720.0, -1e-17])).tolist()
    [270.0, 0.0, 0.0]
    """
    remainder = np.mod(theta, 360.0)
    # The remainder of a tiny negative angle rounds to 360.
    return np.where(remainder >= 360, 0.0, remainder)
