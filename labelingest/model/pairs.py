"""Pairs of data file and sidecar, and the outcome of every other key of a listing."""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from msgspec import Struct, field

from labelingest.columns.types import Int64, UInt8
from labelingest.problems import Problem

__all__ = ["Outcome", "Pairs"]


class Outcome(IntEnum):
    """Outcome of one key of a listing; every key has exactly one."""

    PAIRED = 0
    """A data file with its sidecar: converted."""
    UNLABELLED = 1
    """A data file without sidecar: no label row, not a problem."""
    AMBIGUOUS = 2
    """A data file that shares a sidecar with others, or has several: not converted."""
    SIDECAR = 3
    """The sidecar of a paired data file."""
    ORPHAN_SIDECAR = 4
    """A sidecar whose data file does not exist."""
    AMBIGUOUS_SIDECAR = 5
    """A sidecar with several data files, or one of several for a data file."""
    METADATA_SIDECAR = 6
    """Custom metadata of a data file."""
    UNSUPPORTED = 7
    """A file of a kind that cannot be labelled here."""
    IGNORED = 8
    """Junk, temporary files, and what the run itself writes."""
    COMPANION = 9
    """A file that belongs to the data set or to a run, as a class list: neither data nor label file."""


class Pairs(Struct, frozen=True, eq=False):
    """The pairs of a listing, ordered by data file, and the outcome of each of its keys."""

    data: Int64
    """(m,) rows of the data files in the listing; ascending."""
    sidecar: Int64
    """(m,) rows of their sidecars in the listing."""
    outcome: UInt8
    """(n,) `Outcome` of each key of the listing."""
    problems: Sequence[Problem] = field(default=())
    failed: int = 0
    """Number of files with an error of pairing; each error is of another file."""

    def __post_init__(self) -> None:
        if len(self.data) != len(self.sidecar):
            raise ValueError(f"{len(self.data)} data files, {len(self.sidecar)} sidecars")

    def __len__(self) -> int:
        return len(self.data)

    def counts(self) -> dict[Outcome, int]:
        """Return how many keys met each outcome; the sum is the length of the listing."""
        counts = np.bincount(self.outcome, minlength=len(Outcome))
        return {outcome: int(counts[outcome]) for outcome in Outcome}
