"""Problem log of a run: counts and examples in memory, every problem in files.

Takes problems batch by batch, in order of files; the files are opened and closed by the caller.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any, Final

import orjson
from msgspec import Struct, field

from labelingest.problems.characters import escaped
from labelingest.problems.codes import SEVERITY, UNEXPECTED, ProblemCode
from labelingest.problems.definition import Severity
from labelingest.problems.problem import Problem

__all__ = ["EXAMPLES", "KEPT", "LoggedReport", "ProblemLog", "as_cell"]

EXAMPLES: Final = 3
"""Problems of each code that a report shows."""
KEPT: Final = 10_000
"""Problems that a report keeps in memory; files and counts have them all."""
_FORMULAS: Final = tuple("=+-@\t\r\n＝＋－＠")
"""Beginnings of cells that a spreadsheet may take for something to compute."""
_ACTING: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, marks of writing direction, line separators, lone surrogates."""


def as_cell(value: object) -> str:
    r"""Return a value as a cell of CSV that neither a spreadsheet nor a terminal acts on.

    Blanks and joiners that are part of a name stay: the cell is compared with names of files.

    Examples
    --------
    >>> as_cell('=HYPERLINK("https://example.com")'), as_cell("a\x1b[2J.txt"), as_cell(-3)
    ('\'=HYPERLINK("https://example.com")', 'a\\x1b[2J.txt', '-3')
    """
    if not isinstance(value, str):
        return str(value)
    plain = _ACTING.sub(lambda match: escaped(match[0]), value)
    return f"'{plain}" if value.startswith(_FORMULAS) else plain


class ProblemLog(Struct):
    """Counts and examples of the problems of a run; all of them go to files, as they come."""

    lines: IO[bytes] | None = None
    """File that gets every problem as a line of JSON."""
    failed_csv: IO[str] | None = None
    """File that gets a row of CSV for every file with an error."""
    totals: Counter[ProblemCode] = field(default_factory=Counter)
    examples: dict[ProblemCode, list[Problem]] = field(default_factory=dict)
    first: list[Problem] = field(default_factory=list)
    """The first `KEPT` problems."""
    files: int = 0
    """Number of files with an error."""

    def __post_init__(self) -> None:
        if self.failed_csv is not None:
            import csv

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
        self.first += problems[: max(KEPT - len(self.first), 0)]
        self.files += len(errors)
        if self.lines is not None:
            self.lines.writelines(orjson.dumps(p.as_dict()) + b"\n" for p in problems)
        if self.failed_csv is not None:
            import csv

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

    def as_dict(self) -> dict[str, Any]:
        """Return counts and examples as JSON values."""
        return {
            "errors": self.count(Severity.ERROR),
            "warnings": self.count(Severity.WARNING),
            "files_with_errors": self.files,
            "by_code": {code.value: n for code, n in sorted(self.totals.items())},
            "examples": [
                p.as_dict() for code in sorted(self.examples) for p in self.examples[code]
            ],
        }


class LoggedReport:
    """The part of a report that its problem log answers; a report has its other fields beside it."""

    __slots__ = ()

    log: ProblemLog

    @property
    def errors(self) -> int:
        """How many problems cost something."""
        return self.log.count(Severity.ERROR)

    @property
    def warnings(self) -> int:
        """How many problems only deserve a look."""
        return self.log.count(Severity.WARNING)

    def exit_code(self, *, strict: bool = False) -> int:
        """Return 0 when clean, 1 with errors, 3 where the program failed over a file.

        Warnings count as errors when strict.
        """
        return self.log.exit_code(strict=strict)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        raise NotImplementedError

    def to_json(self) -> bytes:
        """Return the report as indented JSON."""
        return orjson.dumps(self.as_dict(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _failed_rows(
    errors: Mapping[str, Sequence[Problem]], data_files: Mapping[str, str]
) -> Iterable[tuple[str, str, int, str, str]]:
    for source, problems in errors.items():
        codes = " ".join(dict.fromkeys(problem.code.value for problem in problems))
        count = sum(problem.count for problem in problems)
        data_file = data_files.get(source, "")
        sidecar = source if data_file else ""
        yield data_file or source, sidecar, count, codes, str(problems[0])
