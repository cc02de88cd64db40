"""Sets of frames as sorted lists of inclusive ranges: union, difference, the latest of many.

All in n log n, and never frame by frame: a range may span more frames than memory has room for.
"""

from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import pairwise
from typing import TypeAlias

__all__ = ["Range", "clip", "count_frames", "difference", "latest", "union"]

Range: TypeAlias = tuple[int, int]
"""First and last frame, both included."""


def union(ranges: Iterable[Range]) -> list[Range]:
    """Return the frames of all ranges: sorted, at least one frame apart from each other.

    Examples
    --------
    >>> union([(4, 6), (0, 1), (2, 2)])
    [(0, 2), (4, 6)]
    """
    result: list[Range] = []
    for first, last in sorted(ranges):
        if result and first <= result[-1][1] + 1:
            if last > result[-1][1]:
                result[-1] = result[-1][0], last
        else:
            result.append((first, last))
    return result


def difference(ranges: list[Range], others: list[Range]) -> list[Range]:
    """Return the frames of ranges that are not in others; both as `union` returns them.

    Examples
    --------
    >>> difference([(0, 9)], [(2, 3), (7, 20)])
    [(0, 1), (4, 6)]
    """
    left: list[Range] = []
    next_other = 0
    for first, last in ranges:
        start = first
        while next_other < len(others) and others[next_other][1] < start:
            next_other += 1
        position = next_other
        while position < len(others) and others[position][0] <= last:
            if others[position][0] > start:
                left.append((start, others[position][0] - 1))
            start = others[position][1] + 1
            position += 1
        next_other = max(next_other, position - 1)
        if start <= last:
            left.append((start, last))
    return left


def clip(ranges: Iterable[Range], count: int) -> list[Range]:
    """Return the parts of ranges from frame 0 to the last of count frames.

    Examples
    --------
    >>> clip([(-3, 1), (8, 12), (20, 30)], 10)
    [(0, 1), (8, 9)]
    """
    cut = ((max(first, 0), min(last, count - 1)) for first, last in ranges)
    return [(first, last) for first, last in cut if first <= last]


def count_frames(ranges: Iterable[Range]) -> int:
    """Return the number of frames of ranges that do not overlap."""
    return sum(last - first + 1 for first, last in ranges)


def latest(ranges: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Return ranges without overlaps: each frame belongs to the range of the highest rank.

    Parameters
    ----------
    ranges
        First frame, last frame, rank.

    Examples
    --------
    >>> latest([(0, 9, 0), (4, 5, 1)])
    [(0, 3, 0), (4, 5, 1), (6, 9, 0)]
    """
    starts = sorted(ranges)
    edges = sorted({first for first, _, _ in ranges} | {last + 1 for _, last, _ in ranges})
    active: list[tuple[int, int]] = []
    result: list[tuple[int, int, int]] = []
    next_start = 0
    for edge, following in pairwise(edges):
        while next_start < len(starts) and starts[next_start][0] <= edge:
            _, last, rank = starts[next_start]
            heappush(active, (-rank, last))
            next_start += 1
        while active and active[0][1] < edge:
            heappop(active)
        if active:
            result.append((edge, following - 1, -active[0][0]))
    return result
