"""Coordinates in pixels → fractions of the image, so that conversions know fractions only."""

import numpy as np
from msgspec.structs import replace

from labelingest.columns import ragged
from labelingest.model.source_labels import SourceLabels
from labelingest.model.units import DataUnits

__all__ = ["labels_in_fractions"]


def labels_in_fractions(labels: SourceLabels, units: DataUnits) -> SourceLabels:
    """Return labels whose coordinates are divided by the sides of their images.

    A fraction is one division, correctly rounded. Rows of images without known size keep the
    numbers that are written.

    Parameters
    ----------
    labels
        (n,) rows as read; returned as they are where coordinates are fractions already.
    units
        Sizes of the images, where known.

    Examples
    --------
    >>> from labelingest.model.blobs import Blobs
    >>> from labelingest.problems.of_batch import BatchProblems
    >>> from labelingest.readers.yolo.layouts import YoloOptions
    >>> from labelingest.readers.yolo.read import read
    >>> side = np.array([640]), np.array([480])
    >>> units = DataUnits.from_keys(["a.jpg"], ["a.txt"], np.zeros(1, np.int64)).with_sizes(*side)
    >>> blobs, options = Blobs.from_contents([b"0 320 240 64 48"]), YoloOptions("box-pixels")
    >>> labels = read(blobs, units, options, BatchProblems()).labels
    >>> labels_in_fractions(labels, units).values.tolist()
    [0.0, 0.5, 0.5, 0.1, 0.1]
    """
    if not labels.is_in_pixels:
        return labels
    sides = np.stack((units.width[labels.unit], units.height[labels.unit]), axis=1)
    has_size = (sides > 0).all(axis=1)
    count = labels.count[has_size]
    values = labels.values.copy()
    # Coordinates are pairs of x and y: every pair is divided by width and height.
    divisors = np.repeat(sides[has_size].astype(float), count // 2, axis=0).reshape(-1)
    values[ragged.gather(labels.begin[has_size], count)] /= divisors
    return replace(labels, values=values)
