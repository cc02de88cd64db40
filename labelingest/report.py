"""The report of a run: what was seen, what became of it, and everything that was wrong.

Counts add up in two equations, checked when the report is closed: every key of the listing met one
outcome, and every row of a sidecar became an annotation or was rejected for a cause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labelingest.model.pairs import Outcome
from labelingest.model.tally import Tally
from labelingest.problems import Problem
from labelingest.problems.log import LoggedReport, ProblemLog

__all__ = ["Report"]


@dataclass(slots=True)
class Report(LoggedReport):
    """What a run did.

    Examples
    --------
    >>> report = Report("file:///data/", "vehicles")
    >>> report.exit_code(), report.balance()
    (0, True)
    """

    storage_url: str
    ontology: str
    namespace: str | None = None
    """Namespace of the external IDs; None where class numbers were given by hand, or not asked."""
    format: str = "yolo"
    """Format of the sidecars."""
    to: str = "encord"
    """What they became."""
    images: Sequence[str] = ()
    labels: str = ""
    suffix: str | None = None
    """How sidecars are called after their data files; None where they pair by patterns."""
    recognised: bool = False
    """Whether the patterns or the suffix were found, not given."""
    out: str | None = None
    stopped: bool = False
    """Whether the run was ended by a bad row, as was asked for: nothing was written then."""
    keys_seen: int = 0
    """Keys of the listing."""
    places_not_listed: int = 0
    """Where files may be that are not among them: dead links, folders without permission, …"""
    keys: Mapping[Outcome, int] = field(default_factory=dict)
    """Keys of the listing by outcome."""
    unlabelled: Mapping[str, int] = field(default_factory=dict)
    """Unlabelled data files by kind."""
    tally: Tally = field(default_factory=Tally)
    log: ProblemLog = field(default_factory=ProblemLog)
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall time of each stage."""

    @property
    def problems(self) -> Sequence[Problem]:
        """The first `KEPT` problems, in order of files."""
        return self.log.first

    def balance(self) -> bool:
        """Whether all is accounted for: every key, every pair and every row, each once."""
        tally = self.tally
        keys = sum(self.keys.values()) == self.keys_seen
        pairs = tally.label_rows + tally.failed_files == self.keys.get(Outcome.PAIRED, 0)
        return keys and pairs and tally.balance()

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON says it."""
        tally, refitted = self.tally, self.tally.refitted
        return {
            "storage_url": self.storage_url,
            "ontology": self.ontology,
            "namespace": self.namespace,
            "format": self.format,
            "to": self.to,
            "images": list(self.images),
            "labels": self.labels,
            "suffix": self.suffix,
            "recognised": self.recognised,
            "out": self.out,
            "stopped": self.stopped,
            "keys": {
                "seen": self.keys_seen,
                **{outcome.name.lower(): n for outcome, n in self.keys.items()},
            },
            "places_not_listed": self.places_not_listed,
            "unlabelled": dict(self.unlabelled),
            "label_rows": tally.label_rows,
            "empty_label_rows": tally.empty_label_rows,
            "failed_files": tally.failed_files,
            "files_with_rejected_rows": tally.files_with_rejected_rows,
            "rows_seen": tally.rows_seen,
            "annotations": tally.annotations,
            "classifications": tally.classifications,
            "rejected": {code.value: n for code, n in sorted(tally.rejected.items())},
            "converted": dict(sorted(tally.converted.items())),
            "adjusted": dict(sorted(tally.adjusted.items())),
            "dropped": dict(sorted(tally.dropped.items())),
            "refitted": {
                "rows": refitted.steps.total(),
                "median_px": refitted.median(),
                "largest_px": refitted.largest,
            },
            "problems": {
                "errors": self.errors,
                "warnings": self.warnings,
                "files_with_errors": self.log.files,
                "by_code": {code.value: n for code, n in sorted(self.log.totals.items())},
                "examples": [
                    p.as_dict()
                    for code in sorted(self.log.examples)
                    for p in self.log.examples[code]
                ],
            },
            "seconds": self.seconds,
        }
