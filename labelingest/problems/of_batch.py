"""Problems of a batch while its stages run, and the rows that they cost.

A stage that drops a row calls `reject`, once for the row. So the counts balance: rows seen =
annotations written + rows rejected, by code.
"""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct, field

from labelingest.columns.types import Int64
from labelingest.problems.capped import CappedProblems
from labelingest.problems.codes import ProblemCode
from labelingest.problems.definition import Severity
from labelingest.problems.problem import Problem

__all__ = ["BatchProblems", "UnrecordedProblems"]


class BatchProblems(Struct):
    """Problems with the data unit that each belongs to.

    Examples
    --------
    >>> problems = BatchProblems()
    >>> problems.reject(0, Problem(ProblemCode.UNKNOWN_CLASS, "a.txt", "no object for 7", line=2))
    >>> problems.warn(0, Problem(ProblemCode.DUPLICATE_ROW, "a.txt", "as line 1", line=1))
    >>> [p.code.value for p in problems.in_order()], dict(problems.rejected)
    (['duplicate-row', 'unknown-class'], {<ProblemCode.UNKNOWN_CLASS: 'unknown-class'>: 1})
    """

    rejected: Counter[ProblemCode] = field(default_factory=Counter)
    """Rows that were not converted, by cause."""
    rejected_in: Counter[int] = field(default_factory=Counter)
    """Rows that were not converted, by data unit."""
    failed: set[int] = field(default_factory=set)
    """Data units whose sidecar as a whole could not be used."""
    flawed: set[int] = field(default_factory=set)
    """Data units with an error: a part of their labels was not converted."""
    _problems: CappedProblems[int] = field(default_factory=CappedProblems)

    def has_room(self, unit: int, code: ProblemCode) -> bool:
        """Return whether one more problem would be listed, so that it is worth explaining."""
        return self._problems.has_room(unit, code)

    def rows_to_note(self, rows: Int64) -> Int64:
        """Return the bad rows that a stage has to go through: here all of them."""
        return rows

    def count_rejected(self, unit: int, code: ProblemCode) -> None:
        """Count a problem that costs one row and would not be listed."""
        self._problems.count(unit, code)
        self._cost(unit, code)

    def count_unlisted(self, unit: int, code: ProblemCode) -> None:
        """Count a problem that costs no row, is no error and would not be listed."""
        self._problems.count(unit, code)

    def warn(self, unit: int, problem: Problem) -> None:
        """Note a problem that costs no row."""
        self._flaw(unit, problem)
        self._problems.add(unit, problem)

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
            self._problems.entries.append((unit, problem))
            self._flaw(unit, problem)

    def _flaw(self, unit: int, problem: Problem) -> None:
        if problem.severity is Severity.ERROR:
            self.flawed.add(unit)

    def _cost(self, unit: int, code: ProblemCode) -> None:
        self.rejected[code] += 1
        self.rejected_in[unit] += 1

    def __len__(self) -> int:
        return len(self._problems.entries)

    def in_order(self, unit: int | None = None) -> list[Problem]:
        """Return the problems, of one unit or of all, by unit, line and column.

        Problems of a whole file come before those of its rows.
        """
        entries = self._problems.entries
        entries.sort(key=_place)
        ordered = sorted([*entries, *self._problems.unlisted()], key=lambda entry: entry[0])
        return [problem for owner, problem in ordered if unit is None or owner == unit]


class UnrecordedProblems(BatchProblems):
    """Container that takes everything and notes nothing, for stages that run a second time."""

    def has_room(self, unit: int, code: ProblemCode) -> bool:
        """Return that nothing is worth explaining."""
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


def _place(entry: tuple[int, Problem]) -> tuple[int, int, int, bool]:
    unit, problem = entry
    # Pointers keep the order of their reader.
    return unit, problem.line or 0, problem.column or 0, problem.pointer is not None
