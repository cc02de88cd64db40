"""The report of a run: what was seen, what became of it, and everything that was wrong.

Counts add up in two equations, checked when the report is closed: every key of the listing met one
outcome, and every row of a sidecar became an annotation or was rejected for a cause.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Final

import orjson

from labelingest.model.pairs import Outcome
from labelingest.model.tally import Tally
from labelingest.problems import SEVERITY, UNEXPECTED, Problem, ProblemCode, Severity, as_cell

__all__ = ["EXAMPLES", "KEPT", "ProblemLog", "Report", "problem_dict"]

EXAMPLES: Final = 3
"""Problems of each code that a report shows."""
KEPT: Final = 10_000
"""Problems that a report keeps in memory; files and counts have them all."""


def problem_dict(problem: Problem) -> dict[str, Any]:
    """Return a problem as JSON says it; places that it does not have are left out.

    Examples
    --------
    >>> problem_dict(Problem(ProblemCode.NOT_A_NUMBER, "a.txt", "'x' is not a number", 2, 9))
    {'code': 'not-a-number', 'severity': 'error', 'source': 'a.txt', 'line': 2, 'column': 9, \
'detail': "'x' is not a number"}
    """
    fields = {
        "code": problem.code.value,
        "severity": problem.severity.value,
        "source": problem.source,
        "line": problem.line,
        "column": problem.column,
        "pointer": problem.pointer,
        "count": problem.count if problem.count != 1 else None,
        "detail": problem.detail,
    }
    return {name: value for name, value in fields.items() if value is not None}


@dataclass(slots=True)
class ProblemLog:
    """Takes the problems of a run as they come; keeps counts and examples, writes all to files."""

    lines: IO[bytes] | None = None
    """Gets every problem as a line of JSON."""
    failed_csv: IO[str] | None = None
    """Gets a row of CSV for every file with an error."""
    totals: Counter[ProblemCode] = field(default_factory=Counter)
    examples: dict[ProblemCode, list[Problem]] = field(default_factory=dict)
    kept: list[Problem] = field(default_factory=list)
    files: int = 0
    """Files with an error."""

    def __post_init__(self) -> None:
        if self.failed_csv is not None:
            csv.writer(self.failed_csv).writerow(
                ("data_file", "sidecar", "errors", "codes", "first_error")
            )

    def add(self, problems: Sequence[Problem], data_files: Mapping[str, str]) -> None:
        """Take the problems of one batch.

        Parameters
        ----------
        problems
            In order; those of one file follow each other.
        data_files
            Key of a sidecar → key of its data file.
        """
        errors: dict[str, list[Problem]] = {}
        for problem in problems:
            self.totals[problem.code] += problem.count
            examples = self.examples.setdefault(problem.code, [])
            if len(examples) < EXAMPLES:
                examples.append(problem)
            if problem.severity is Severity.ERROR and problem.source:
                errors.setdefault(problem.source, []).append(problem)
        self.kept += problems[: max(KEPT - len(self.kept), 0)]
        self.files += len(errors)
        if self.lines is not None:
            self.lines.writelines(orjson.dumps(problem_dict(p)) + b"\n" for p in problems)
        if self.failed_csv is not None:
            rows = _failed_rows(errors, data_files)
            csv.writer(self.failed_csv).writerows([*map(as_cell, row)] for row in rows)

    def count(self, severity: Severity) -> int:
        """Return how many problems there are of a severity."""
        return sum(count for code, count in self.totals.items() if SEVERITY[code] is severity)

    @property
    def unexpected(self) -> int:
        """How many files a failure of the program cost."""
        return sum(self.totals[code] for code in UNEXPECTED)

    def exit_code(self, *, strict: bool = False) -> int:
        """Return 0 when clean, 1 with errors, 3 where the program failed over a file.

        Warnings count as errors when strict.
        """
        if self.unexpected:
            return 3
        warnings = strict and self.count(Severity.WARNING)
        return int(bool(self.count(Severity.ERROR) or warnings))


def _failed_rows(
    errors: Mapping[str, Sequence[Problem]], data_files: Mapping[str, str]
) -> Iterable[tuple[str, str, int, str, str]]:
    for source, problems in errors.items():
        codes = " ".join(dict.fromkeys(problem.code.value for problem in problems))
        count = sum(problem.count for problem in problems)
        data_file = data_files.get(source, "")
        sidecar = source if data_file else ""
        yield data_file or source, sidecar, count, codes, str(problems[0])


@dataclass(slots=True)
class Report:
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
        return self.log.kept

    @property
    def errors(self) -> int:
        """How many problems cost something."""
        return self.log.count(Severity.ERROR)

    @property
    def warnings(self) -> int:
        """How many problems only deserve a look."""
        return self.log.count(Severity.WARNING)

    def balance(self) -> bool:
        """Whether all is accounted for: every key, every pair and every row, each once."""
        tally = self.tally
        keys = sum(self.keys.values()) == self.keys_seen
        pairs = tally.label_rows + tally.failed_files == self.keys.get(Outcome.PAIRED, 0)
        return keys and pairs and tally.balance()

    def exit_code(self, *, strict: bool = False) -> int:
        """Return 0 when clean, 1 with errors, 3 where the program failed over a file.

        Warnings count as errors when strict.
        """
        return self.log.exit_code(strict=strict)

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
                    problem_dict(p)
                    for code in sorted(self.log.examples)
                    for p in self.log.examples[code]
                ],
            },
            "seconds": self.seconds,
        }

    def to_json(self) -> bytes:
        """Return the report as indented JSON."""
        return orjson.dumps(self.as_dict(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
