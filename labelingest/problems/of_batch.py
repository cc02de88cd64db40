"""BatchProblems: the problems of a batch while its stages run, and which rows they cost.

A stage that drops a row says so through `reject`, once a row; that is what keeps the books of
"rows seen = annotations written + rows rejected, by code".
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from labelingest.columns.types import Int64
from labelingest.problems import Problem, ProblemCode, Severity

__all__ = ["MAX_LISTED", "BatchProblems", "UnrecordedProblems"]

MAX_LISTED: Final = 10_000
"""Problems of one code listed for one file; a file of a million bad rows must not fill memory."""


@dataclass(slots=True)
class BatchProblems:
    """Problems with the data unit each belongs to.

    Examples
    --------
    >>> findings = BatchProblems()
    >>> findings.reject(0, Problem(ProblemCode.UNKNOWN_CLASS, "a.txt", "no object for 7", line=2))
    >>> findings.warn(0, Problem(ProblemCode.DUPLICATE_ROW, "a.txt", "as line 1", line=1))
    >>> [p.code.value for p in findings.in_order()], dict(findings.rejected)
    (['duplicate-row', 'unknown-class'], {<ProblemCode.UNKNOWN_CLASS: 'unknown-class'>: 1})
    """

    rejected: Counter[ProblemCode] = field(default_factory=Counter)
    """Rows that were not converted, by cause."""
    rejected_in: Counter[int] = field(default_factory=Counter)
    """Rows that were not converted, by data unit."""
    failed: set[int] = field(default_factory=set)
    """Data units whose sidecar as a whole could not be used."""
    flawed: set[int] = field(default_factory=set)
    """Data units with an error: something of theirs was not converted."""
    _listed: list[tuple[int, Problem]] = field(default_factory=list)
    _seen: Counter[tuple[int, ProblemCode]] = field(default_factory=Counter)

    def lists(self, unit: int, code: ProblemCode) -> bool:
        """Tell whether one more problem would be listed, so that it is worth explaining."""
        return self._seen[unit, code] < MAX_LISTED

    def rows_to_note(self, rows: Int64) -> Int64:
        """Return the bad rows that a stage has to go through: here all of them."""
        return rows

    def count_rejected(self, unit: int, code: ProblemCode) -> None:
        """Count a problem that costs one row and would not be listed."""
        if self.lists(unit, code):
            raise ValueError(f"{code} is still listed for data unit {unit}: use reject")
        self._seen[unit, code] += 1
        self._cost(unit, code)

    def count_unlisted(self, unit: int, code: ProblemCode) -> None:
        """Count a problem that costs no row, is no error and would not be listed."""
        if self.lists(unit, code):
            raise ValueError(f"{code} is still listed for data unit {unit}: use warn")
        self._seen[unit, code] += 1

    def warn(self, unit: int, problem: Problem) -> None:
        """Note a problem that costs no row."""
        self._note(unit, problem)
        self._seen[unit, problem.code] += 1
        if self._seen[unit, problem.code] <= MAX_LISTED:
            self._listed.append((unit, problem))

    def reject(self, unit: int, problem: Problem) -> None:
        """Note a problem that costs one row."""
        self.warn(unit, problem)
        self._cost(unit, problem.code)

    def fail(self, unit: int, problem: Problem) -> None:
        """Note a problem that costs a whole sidecar, before its rows were counted."""
        self.warn(unit, problem)
        self.failed.add(unit)

    def take(self, unit: int, problems: Iterable[Problem]) -> None:
        """Take over problems that were listed, and limited in number, by their reader."""
        for problem in problems:
            self._listed.append((unit, problem))
            self._note(unit, problem)

    def _note(self, unit: int, problem: Problem) -> None:
        if problem.severity is Severity.ERROR:
            self.flawed.add(unit)

    def _cost(self, unit: int, code: ProblemCode) -> None:
        self.rejected[code] += 1
        self.rejected_in[unit] += 1

    def __len__(self) -> int:
        return len(self._listed)

    def in_order(self, of: int | None = None) -> list[Problem]:
        """Return the problems, of one unit where it is given, by unit, line and column.

        Those of a whole file come first.
        """
        self._listed.sort(key=_place)
        sources = {(unit, problem.code): problem.source for unit, problem in self._listed}
        unlisted = [
            (unit, Problem(code, sources[unit, code], _unlisted(seen), count=seen - MAX_LISTED))
            for (unit, code), seen in self._seen.items()
            if seen > MAX_LISTED
        ]
        ordered = sorted([*self._listed, *unlisted], key=lambda found: found[0])
        return [problem for unit, problem in ordered if of is None or unit == of]


class UnrecordedProblems(BatchProblems):
    """Takes everything and notes nothing: for stages that are gone through once more."""

    def lists(self, unit: int, code: ProblemCode) -> bool:
        """Tell that nothing is worth explaining."""
        return False

    def rows_to_note(self, rows: Int64) -> Int64:
        """Return no row: a file may have millions of bad ones."""
        return rows[:0]

    def count_unlisted(self, unit: int, code: ProblemCode) -> None:
        """Pass over a problem."""

    def count_rejected(self, unit: int, code: ProblemCode) -> None:
        """Pass over a problem."""

    def warn(self, unit: int, problem: Problem) -> None:
        """Pass over a problem."""

    def reject(self, unit: int, problem: Problem) -> None:
        """Pass over a problem."""


def _place(found: tuple[int, Problem]) -> tuple[int, int, int, bool]:
    unit, problem = found
    # Pointers keep the order of their reader.
    return unit, problem.line or 0, problem.column or 0, problem.pointer is not None


def _unlisted(seen: int) -> str:
    return f"{seen - MAX_LISTED:,} more rows of this file: only the first {MAX_LISTED:,} are listed"
