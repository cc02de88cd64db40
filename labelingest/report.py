"""Report of a run: the keys and rows it saw, the outcome of each, and all problems.

Counts add up in two equations, checked when the report is closed: every key of the listing met one
outcome, and every row of a sidecar became an annotation or was rejected for a cause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from labelingest.class_lists.verdicts import ClassLists
from labelingest.model.class_table import ClassTable
from labelingest.model.failed_files import FailedFiles
from labelingest.model.pairs import Outcome
from labelingest.model.tally import Tally
from labelingest.problems import Problem
from labelingest.problems.log import LoggedReport, ProblemLog

__all__ = ["Report"]


@dataclass(slots=True)
class Report(LoggedReport):
    """Result of a run.

    Examples
    --------
    >>> report = Report("file:///data/", "vehicles")
    >>> report.exit_code(), report.balance()
    (0, True)
    """

    storage_url: str
    ontology: str
    namespace: str | None = None
    """Namespace of the external IDs; None where class numbers were mapped by hand, or not needed."""
    notices: Sequence[str] = ()
    """Sentences that a person should know and that are no problems: namespaces passed over."""
    format: str = "yolo"
    """Format of the sidecars."""
    to: str = "encord"
    """Format that was written."""
    images: Sequence[str] = ()
    labels: str = ""
    suffix: str | None = None
    """Suffix that names sidecars after their data files; None where they pair by patterns."""
    recognised: bool = False
    """Whether the patterns or the suffix were recognised by the run, not given by the caller."""
    layout: Mapping[str, Any] | None = None
    """Row layout of the label files, declared or decided, and the evidence; None for no rows."""
    out: str | None = None
    stopped: bool = False
    """Whether a bad row ended the run, as the caller asked for: nothing was written then."""
    keys_seen: int = 0
    """Keys of the listing."""
    places_not_listed: int = 0
    """Places that may hold files which were not listed: dead links, folders without permission."""
    keys: Mapping[Outcome, int] = field(default_factory=dict)
    """Keys of the listing by outcome."""
    unlabelled: Mapping[str, int] = field(default_factory=dict)
    """Unlabelled data files by kind."""
    class_lists: ClassLists = field(default_factory=ClassLists)
    """Class lists of the label files, beside the ontology."""
    early_failed: FailedFiles = field(default_factory=FailedFiles)
    """Files with an error before the conversion: class lists, and files that were not paired."""
    tally: Tally = field(default_factory=Tally)
    classes: ClassTable = field(default_factory=ClassTable)
    """All classes of the run; the tally has their counts."""
    log: ProblemLog = field(default_factory=ProblemLog)
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall time of each stage."""

    @property
    def problems(self) -> Sequence[Problem]:
        """The first `KEPT` problems, in order of files."""
        return self.log.first

    @property
    def failed(self) -> FailedFiles:
        """Files with errors."""
        return replace(
            self.early_failed, total=self.log.files, not_converted=self.tally.failed_files
        )

    def balance(self) -> bool:
        """Whether every key, every pair and every row is accounted for once."""
        tally = self.tally
        keys = sum(self.keys.values()) == self.keys_seen
        pairs = tally.label_rows + tally.failed_files == self.keys.get(Outcome.PAIRED, 0)
        return keys and pairs and tally.balance()

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "storage_url": self.storage_url,
            "ontology": self.ontology,
            "namespace": self.namespace,
            "notices": list(self.notices),
            "format": self.format,
            "to": self.to,
            "images": list(self.images),
            "labels": self.labels,
            "suffix": self.suffix,
            "recognised": self.recognised,
            "layout": self.layout,
            "out": self.out,
            "stopped": self.stopped,
            "keys": {
                "seen": self.keys_seen,
                **{outcome.name.lower(): n for outcome, n in self.keys.items()},
            },
            "places_not_listed": self.places_not_listed,
            "unlabelled": dict(self.unlabelled),
            "class_lists": self.class_lists.as_dict(),
            "files_with_errors": self.failed.as_dict(),
            **self.tally.as_dict(),
            "classes": self.classes.as_dict(self.tally.classes),
            "problems": self.log.as_dict(),
            "seconds": self.seconds,
        }
