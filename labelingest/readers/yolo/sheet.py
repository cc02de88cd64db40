"""Rows of a batch with the value of every token, and the labels that a reader makes of them.

Refuses to know what the columns of a row mean.
"""

from collections import Counter

import numpy as np
from msgspec import Struct

from labelingest.columns.types import Bool, Float64, Int64
from labelingest.model.blobs import Blobs
from labelingest.model.ontology import LARGEST_CLASS_NUMBER
from labelingest.model.source_labels import SourceLabels
from labelingest.readers.yolo.tokens import Rows, Tokens

__all__ = ["ReadResult", "Sheet", "is_class_number"]


class Sheet(Struct, frozen=True, eq=False):
    """All rows of a batch with the value of every token."""

    blobs: Blobs
    """(u,) contents of the sidecars, in UTF-8."""
    rows: Rows
    """(r,) rows that are no comments."""
    tokens: Tokens
    """(t,) tokens of all rows and comments."""
    values: Float64
    """(t,) NaN for a token of a row that is no finite number; any value for those of comments."""


class ReadResult(Struct, frozen=True, eq=False):
    """Labels that a reader found in the sidecars of a batch."""

    labels: SourceLabels
    """The readable rows."""
    rows_seen: Int64
    """(u,) rows of each sidecar, readable or not; comments and blank lines do not count."""
    dropped: Counter[str]
    """Name of a part of rows that label rows have no place for → number of such parts."""


def is_class_number(values: Float64) -> Bool:
    """Return (n,) whether each value is a class number: 0, 1, 2, … up to the largest.

    Examples
    --------
    >>> is_class_number(np.array([3.0, -1.0, 0.5, np.nan])).tolist()
    [True, False, False, False]
    """
    valid: Bool = (values >= 0) & (values == np.floor(values)) & (values <= LARGEST_CLASS_NUMBER)
    return valid
