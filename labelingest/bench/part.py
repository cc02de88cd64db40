"""Part of a folder that is measured: batches, spread evenly over it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from msgspec.structs import replace

from labelingest.columns.types import Int64
from labelingest.model.kinds import DataKind, kind_of
from labelingest.model.pairs import Outcome, Pairs
from labelingest.pipeline.discover import Paired

__all__ = ["Part", "part_of"]

_MOST_TOGETHER: Final = 4096
"""Files that follow each other in the measured part, at most: as many as one batch has."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of a folder, and its counts."""

    paired: Paired
    """The folder with some of its pairs, and of its images without label file."""
    files: int
    """Data files of the part."""
    data_files: int
    """Data files of the whole folder that a run would convert or include."""


def part_of(paired: Paired, files: int, batch_bytes: int, *, with_unlabelled: bool = False) -> Part:
    """Return a part of a folder.

    Parameters
    ----------
    paired
        The folder.
    files
        Most data files of the part.
    batch_bytes
        Bytes of the sidecars of a batch.
    with_unlabelled
        Whether the run includes images without label file; the part has its share of these.
    """
    pairs = paired.pairs
    images = _unlabelled_images(paired) if with_unlabelled else np.zeros(0, dtype=np.int64)
    data_files = len(pairs) + len(images)
    if data_files <= files:
        return Part(paired, data_files, data_files)
    mean = max(float(paired.listing.size[pairs.sidecar].mean()), 1.0)
    together = min(max(int(batch_bytes / mean), 1), _MOST_TOGETHER)
    most_images = files * len(images) // data_files
    rows = _spread(len(pairs), max(files - most_images, 1), together)
    images_of_part = images[_spread(len(images), most_images, _MOST_TOGETHER)]
    outcome = pairs.outcome.copy()
    outcome[np.setdiff1d(images, images_of_part)] = Outcome.IGNORED
    part = Pairs(pairs.data[rows], pairs.sidecar[rows], outcome, pairs.problems)
    return Part(replace(paired, pairs=part), len(rows) + len(images_of_part), data_files)


def _spread(count: int, most: int, together: int) -> Int64:
    """Return at most so many of the numbers below a count, in runs that are spread evenly."""
    if count <= most:
        return np.arange(count)
    together = max(min(together, most), 1)
    runs = most // together
    starts = np.arange(runs) * count // max(runs, 1)
    return (starts[:, np.newaxis] + np.arange(together)).ravel()


def _unlabelled_images(paired: Paired) -> Int64:
    """Return the rows of images without label file in the listing, ascending."""
    rows = np.flatnonzero(paired.pairs.outcome == Outcome.UNLABELLED)
    keys = paired.listing.keys.take(rows)
    return rows[[kind_of(key) is DataKind.IMAGE for key in keys]]
