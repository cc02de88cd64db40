"""What every label format's module gives: options, a read function, and a record of both."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labelingest.arrays import Int64
from labelingest.model.blobs import Blobs
from labelingest.model.findings import Findings
from labelingest.model.source_labels import SourceLabels
from labelingest.model.units import DataUnits

__all__ = ["LabelFormat", "ReadResult"]


@dataclass(frozen=True, slots=True, eq=False)
class ReadResult:
    """What a reader found in the sidecars of a batch."""

    labels: SourceLabels
    """The rows that could be read."""
    rows_seen: Int64
    """(u,) rows of each sidecar, readable or not; comments and blank lines are none."""
    dropped: Counter[str]
    """Parts of rows that label rows have no place for, by name, with how many."""


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """A label format: one module of `labelingest.readers`."""

    name: str
    options: Callable[..., Any]
    """Makes the options from keywords; all have defaults."""
    read: Callable[[Blobs, DataUnits, Any, Findings], ReadResult]
    """Read the sidecars of a batch; what cannot be read goes to the findings."""
