"""Ragged columns: addressing, gathering and reducing of slices without a loop.

A ragged column is one flat array and its offsets: slice i is values[offsets[i] : offsets[i + 1]].
Offsets start with 0 and end with the length of the flat array. The module
refuses to know what the values mean.
"""

import numpy as np

from labelingest.columns.types import Float64, Int64

__all__ = ["gather", "offsets_from_lengths", "segment_max", "segment_min", "segment_sum"]


def offsets_from_lengths(lengths: Int64) -> Int64:
    """Return where each slice begins when slices lie one after the other.

    Parameters
    ----------
    lengths
        (n,) lengths of the slices; 0 is allowed.

    Returns
    -------
    ndarray
        (n + 1,) offsets; the first is 0, the last the sum of the lengths; a new array.

    Examples
    --------
    >>> offsets_from_lengths(np.array([3, 0, 4])).tolist()
    [0, 3, 3, 7]
    """
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def gather(begin: Int64, count: Int64) -> Int64:
    """Return the positions of all elements of some slices, slice after slice.

    Parameters
    ----------
    begin
        (n,) where each slice begins; any order, slices may overlap.
    count
        (n,) how many elements each slice has; 0 is allowed.

    Returns
    -------
    ndarray
        (sum of count,) positions begin[i], begin[i] + 1, … for each i in turn; a new array.

    Examples
    --------
    >>> gather(np.array([10, 4, 7]), np.array([2, 0, 3])).tolist()
    [10, 11, 7, 8, 9]
    """
    offsets = offsets_from_lengths(count)
    positions = np.repeat(begin - offsets[:-1], count)
    positions += np.arange(offsets[-1])
    return positions


def segment_min(values: Float64, offsets: Int64) -> Float64:
    """Return the smallest value of each segment.

    Parameters
    ----------
    values
        (v,) or (v, k) values; those of a segment are neighbours along the first axis.
    offsets
        (n + 1,) offsets; every segment holds at least one value.

    Returns
    -------
    ndarray
        (n,) or (n, k) minimum along the first axis; a new array.

    Examples
    --------
    >>> segment_min(np.array([3.0, 1.0, 2.0]), np.array([0, 2, 3])).tolist()
    [1.0, 2.0]
    """
    return np.minimum.reduceat(values, offsets[:-1], axis=0)


def segment_max(values: Float64, offsets: Int64) -> Float64:
    """Return the largest value of each segment.

    Parameters
    ----------
    values
        (v,) or (v, k) values; those of a segment are neighbours along the first axis.
    offsets
        (n + 1,) offsets; every segment holds at least one value.

    Returns
    -------
    ndarray
        (n,) or (n, k) maximum along the first axis; a new array.

    Examples
    --------
    >>> segment_max(np.array([3.0, 1.0, 2.0]), np.array([0, 2, 3])).tolist()
    [3.0, 2.0]
    """
    return np.maximum.reduceat(values, offsets[:-1], axis=0)


def segment_sum(values: Float64, offsets: Int64) -> Float64:
    """Return the sum of each segment.

    Parameters
    ----------
    values
        (v,) or (v, k) values; those of a segment are neighbours along the first axis.
    offsets
        (n + 1,) offsets; every segment holds at least one value.

    Returns
    -------
    ndarray
        (n,) or (n, k) sum along the first axis; a new array. Sums of contiguous (v,) values are
        pairwise: the rounding error grows with the logarithm of a segment's length.

    Examples
    --------
    >>> segment_sum(np.array([3.0, 1.0, 2.0]), np.array([0, 2, 3])).tolist()
    [4.0, 2.0]
    """
    return np.add.reduceat(values, offsets[:-1], axis=0)
