"""Tally: the counts of a batch, which add up to those of a run in any order."""

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct, field

from labelingest.columns.types import Float64
from labelingest.model.class_counts import ClassCounts
from labelingest.problems import ProblemCode

__all__ = ["Misfits", "Tally"]

_STEPS_PER_OCTAVE: Final = 256


class Misfits(Struct):
    """How far quadrilaterals are from rectangles, kept as a histogram: batches add up.

    Steps are 1/256 of an octave, so the median is exact to 0.3 %.

    Examples
    --------
    >>> import numpy as np
    >>> misfits = Misfits()
    >>> misfits.add(np.array([1.0, 2.0, 100.0]))
    >>> round(misfits.median(), 1), misfits.largest
    (2.0, 100.0)
    """

    steps: Counter[int] = field(default_factory=Counter)
    largest: float = 0.0
    """Largest misfit in pixels."""

    def add(self, misfit_px: Float64) -> None:
        """Count (n,) misfits in pixels, all positive."""
        if len(misfit_px):
            self.steps.update(
                math.floor(math.log2(px) * _STEPS_PER_OCTAVE) for px in misfit_px.tolist()
            )
            self.largest = max(self.largest, float(misfit_px.max()))

    def merge(self, other: "Misfits") -> None:
        """Add the counts of another batch."""
        self.steps.update(other.steps)
        self.largest = max(self.largest, other.largest)

    def as_dict(self) -> dict[str, Any]:
        """Return the histogram's summary as JSON values."""
        return {
            "rows": self.steps.total(),
            "median_px": self.median(),
            "largest_px": self.largest,
        }

    def median(self) -> float:
        """Return the (lower) median in pixels; 0.0 when nothing was counted."""
        remaining = (self.steps.total() + 1) // 2
        for step in sorted(self.steps):
            remaining -= self.steps[step]
            if remaining <= 0:
                return min(2 ** ((step + 0.5) / _STEPS_PER_OCTAVE), self.largest)
        return 0.0


class Tally(Struct):
    """Counts of one batch or of many."""

    label_rows: int = 0
    empty_label_rows: int = 0
    """Label rows whose sidecar held no row: labelled as empty."""
    failed_files: int = 0
    """Paired data files that got no label row."""
    unlabelled_images: int = 0
    """Images without label file that the output has, as an option asks for."""
    files_with_rejected_rows: int = 0
    rows_seen: int = 0
    annotations: int = 0
    classifications: int = 0
    """Classifications of frames or files; only label rows have them, and count them as rows seen."""
    rejected: Counter[ProblemCode] = field(default_factory=Counter)
    """Rows that became no annotation, by cause."""
    converted: Counter[str] = field(default_factory=Counter)
    """Rows whose kind of geometry was changed to that of the ontology object: "box → polygon"."""
    adjusted: Counter[str] = field(default_factory=Counter)
    """Rows that reached outside the image, by what was done to them; edges that reach less than a
    millionth outside."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Parts of rows that the output format cannot represent."""
    refitted: Misfits = field(default_factory=Misfits)
    """Quadrilaterals that are no rectangles and became the smallest rectangle around them."""
    classes: ClassCounts = field(default_factory=ClassCounts)
    """Annotations by class; they have names in a report only, and are no part of `as_dict`."""

    def merge(self, other: "Tally") -> None:
        """Add the counts of another batch."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _COUNTERS:
            if counter := getattr(other, name):
                getattr(self, name).update(counter)
        self.refitted.merge(other.refitted)
        self.classes.merge(other.classes)

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return {
            **{name: getattr(self, name) for name in _NUMBERS},
            **{
                name: {str(cause): n for cause, n in sorted(getattr(self, name).items())}
                for name in _COUNTERS
            },
            "refitted": self.refitted.as_dict(),
        }

    @classmethod
    def sum(cls, tallies: Iterable["Tally"]) -> "Tally":
        """Add tallies up."""
        total = cls()
        for tally in tallies:
            total.merge(tally)
        return total

    def balance(self) -> bool:
        """Whether rows seen = annotations + classifications + rows rejected, each once."""
        return self.rows_seen == self.annotations + self.classifications + self.rejected.total()


_NUMBERS: Final = (
    "label_rows",
    "empty_label_rows",
    "failed_files",
    "unlabelled_images",
    "files_with_rejected_rows",
    "rows_seen",
    "annotations",
    "classifications",
)
_COUNTERS: Final = ("rejected", "converted", "adjusted", "dropped")
