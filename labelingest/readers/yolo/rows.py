"""What a reader of rows of numbers gives back."""

from collections import Counter
from dataclasses import dataclass

from labelingest.columns.types import Int64
from labelingest.model.source_labels import SourceLabels

__all__ = ["ReadResult"]


@dataclass(frozen=True, slots=True, eq=False)
class ReadResult:
    """What a reader found in the sidecars of a batch."""

    labels: SourceLabels
    """The rows that could be read."""
    rows_seen: Int64
    """(u,) rows of each sidecar, readable or not; comments and blank lines are none."""
    dropped: Counter[str]
    """Parts of rows that label rows have no place for, by name, with how many."""
