"""Verdicts on the class lists of a folder: what is wrong, in problems, in a table and as JSON.

A list that disagrees with the ontology is an error, unless another list of the same label files
agrees with it: then the lists disagree, and a person has to look.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import Any, Final

from msgspec import Struct, field

from labelingest.class_lists.class_list import ClassList
from labelingest.class_lists.compare import Comparison, Difference, lists_differ
from labelingest.class_lists.names import comparable
from labelingest.class_lists.read import numbers_from_one
from labelingest.problems import Problem, ProblemCode, printable

__all__ = [
    "ClassLists",
    "ListUse",
    "Verdict",
    "disagreement_lines",
    "judge",
    "problems_of",
    "summary",
]

_MOST_PROBLEMS: Final = 100
"""Problems of one code that are listed for one class list; the others are counted."""
_MOST_LINES: Final = 500
"""Numbers of a table that is printed; no data set of the usual formats has more classes."""
_NEAREST_OF: Final = 2_000
"""Object names among which the nearest is looked for, at most: a millisecond each time."""
_NEAREST_FOR: Final = 20
"""Listed names for which the nearest object name is looked for."""
_LONGEST: Final = 100
"""Characters of a name that are compared for nearness."""


class Verdict(StrEnum):
    """How a class list compares with the ontology."""

    AGREES = "agrees"
    DIFFERS = "differs"
    """Some names are those of no mapped object."""
    DISAGREES = "disagrees"
    """Some names are those of other mapped objects."""
    CONTRADICTED = "contradicted"
    """Some names differ or belong to other objects, but another list agrees with the ontology."""
    ACCEPTED = "accepted"
    """Some names differ or belong to other objects, and the caller accepts that."""
    UNRELATED = "unrelated"
    """No class number of the list is mapped."""


class ListUse(Struct, frozen=True):
    """A class list, the label files that have it, and how it compares with the ontology."""

    comparison: Comparison
    verdict: Verdict
    label_files: int
    rows: Mapping[int, int] = field(default_factory=dict)
    """Class number → rows of these label files, counted where the list disagrees."""
    counted_files: int = 0
    """Label files in which rows were counted."""

    @property
    def class_list(self) -> ClassList:
        """The class list."""
        return self.comparison.class_list

    def as_dict(self) -> dict[str, Any]:
        """Return list and comparison as JSON values."""
        comparison = self.comparison
        differences = sorted((*comparison.disagreeing, *comparison.renamed))
        return {
            "source": self.class_list.source,
            "verdict": self.verdict.value,
            "label_files": self.label_files,
            "summary": summary(self),
            "names": len(self.class_list.names),
            "agreeing": comparison.agreeing,
            "disagreeing": len(comparison.disagreeing),
            "differing": len(comparison.renamed),
            "unmapped": len(comparison.unmapped),
            "unlisted": len(comparison.unlisted),
            "pattern": comparison.pattern,
            "counted_files": self.counted_files,
            "numbers": [self._entry(difference) for difference in differences[:_MOST_LINES]],
        }

    def _entry(self, difference: Difference) -> dict[str, Any]:
        return {
            "number": difference.number,
            "list": difference.name,
            "ontology": difference.mapped_name,
            "number_in_ontology": difference.home,
            "rows": self.rows.get(difference.number, 0) if self.counted_files else None,
        }


class ClassLists(Struct, frozen=True):
    """Class lists of a folder beside its ontology."""

    uses: Sequence[ListUse] = ()
    label_files_without: int = 0
    """Label files without a class list."""
    reason: str = ""
    """Reason for comparing nothing; empty where something was compared."""
    problems: Sequence[Problem] = ()
    settings: Sequence[ClassList] = ()
    """Lists for these label files, compared or not, that say something of rows beside the names."""

    @property
    def named_numbers(self) -> frozenset[int]:
        """Class numbers that a list gives a name."""
        return frozenset().union(*(use.class_list.names for use in self.uses))

    @property
    def disagreeing(self) -> Sequence[ListUse]:
        """Uses of lists that disagree with the ontology."""
        return [use for use in self.uses if use.verdict is Verdict.DISAGREES]

    def as_dict(self) -> dict[str, Any]:
        """Return the lists as JSON values."""
        return {
            "compared": [use.as_dict() for use in self.uses],
            "label_files_without": self.label_files_without,
            "reason": self.reason,
        }


def judge(
    comparison: Comparison, rivals: Iterable[Comparison], *, accepts: bool
) -> tuple[Verdict, Sequence[Problem]]:
    """Return the verdict on a list, and the problems of other lists that it settles.

    Parameters
    ----------
    comparison
        The list that label files have.
    rivals
        Other lists for the same label files.
    accepts
        Whether the caller accepts names that differ.
    """
    others = [
        (rival, numbers)
        for rival in rivals
        if (numbers := lists_differ(rival.class_list, comparison.class_list))
    ]
    if comparison.agrees:
        against = comparison.class_list.source
        return Verdict.AGREES, [
            _lists_disagree(rival.class_list, comparison, numbers, f"{against!r}, which agrees")
            for rival, numbers in others
        ]
    if not comparison.disagreeing and not comparison.renamed:
        return Verdict.UNRELATED, []
    if accepts:
        return Verdict.ACCEPTED, []
    for rival, _ in others:
        if rival.agrees and _covers(rival, comparison):
            numbers = lists_differ(comparison.class_list, rival.class_list)
            agreeing = f"{rival.class_list.source!r}, which agrees"
            problem = _lists_disagree(comparison.class_list, rival, numbers, agreeing)
            return Verdict.CONTRADICTED, [problem]
    return Verdict.DISAGREES if comparison.disagreeing else Verdict.DIFFERS, []


def _covers(rival: Comparison, comparison: Comparison) -> bool:
    """Whether a list has a name for each number about which another list disagrees."""
    names = rival.class_list.names
    return all(difference.number in names for difference in comparison.disagreeing)


def _lists_disagree(
    class_list: ClassList, agreeing: Comparison, numbers: Sequence[int], which: str
) -> Problem:
    first, others = numbers[0], len(numbers) - 1
    more = f"; {others:,} more {'number differs' if others == 1 else 'numbers differ'}"
    detail = (
        f"class number {first} is {class_list.names[first]!r} here and "
        f"{agreeing.class_list.names[first]!r} in {which} with the ontology{more if others else ''}"
    )
    place = class_list.place(first)
    return Problem(ProblemCode.CLASS_LISTS_DISAGREE, class_list.source, detail, **place)


def problems_of(use: ListUse) -> list[Problem]:
    """Return the problems of a list that label files have: its own defects, and its names."""
    comparison = use.comparison
    problems = list(use.class_list.problems)
    if use.verdict is Verdict.ACCEPTED:
        return problems
    if use.verdict in (Verdict.DISAGREES, Verdict.DIFFERS):
        problems += _limited(
            ProblemCode.CLASS_NAMES_DISAGREE,
            use,
            comparison.disagreeing if use.verdict is Verdict.DISAGREES else (),
        )
        problems += _limited(ProblemCode.CLASS_NAME_DIFFERS, use, comparison.renamed)
    if comparison.counts_from_one and not comparison.disagreeing:
        problems += numbers_from_one(use.class_list)
    return problems


def _limited(
    code: ProblemCode, use: ListUse, differences: Sequence[Difference]
) -> Iterable[Problem]:
    """Yield a problem for each of the first differences, and one for all others."""
    class_list = use.class_list
    # Nearness takes time for each pair of names.
    names = {
        comparable(name)[:_LONGEST]: name
        for name in islice(dict.fromkeys(use.comparison.mapped.values()), _NEAREST_OF)
    }
    for position, difference in enumerate(differences[:_MOST_PROBLEMS]):
        detail = (
            f"class number {difference.number} is {difference.name!r} in the list and "
            f"{difference.mapped_name!r} in the ontology"
        )
        if difference.home is not None:
            detail += (
                f", where {difference.name!r} is number {difference.home}{_rows(use, difference)}"
            )
        else:
            near = names if position < _NEAREST_FOR else {}
            detail += f"; {_nearest(difference, near)}"
        yield Problem(code, class_list.source, detail, **class_list.place(difference.number))
    if (more := len(differences) - _MOST_PROBLEMS) > 0:
        detail = f"{more:,} more in this list: only the first {_MOST_PROBLEMS} are listed"
        yield Problem(code, class_list.source, detail, count=more)


def _rows(use: ListUse, difference: Difference) -> str:
    if not use.counted_files:
        return ""
    count = use.rows.get(difference.number, 0)
    sample = (
        "" if use.counted_files == use.label_files else f" in {use.counted_files:,} label files"
    )
    return f": {count:,} {'row' if count == 1 else 'rows'}{sample}"


def _nearest(difference: Difference, names: Mapping[str, str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(comparable(difference.name)[:_LONGEST], names, n=1)
    nearest = f"; the nearest name is {names[near[0]]!r}" if near else ""
    is_other = bool(near) and names[near[0]] != difference.mapped_name
    return f"no mapped object is called {difference.name!r}{nearest if is_other else ''}"


def summary(use: ListUse) -> str:
    """Return how a list compares with the ontology, as one sentence without its source."""
    comparison = use.comparison
    compared = comparison.agreeing + len(comparison.disagreeing) + len(comparison.renamed)
    sentence = f"{comparison.agreeing:,} of {compared:,} names agree"
    if comparison.renamed:
        count = len(comparison.renamed)
        sentence += f", {count:,} {'is that' if count == 1 else 'are those'} of no mapped object"
    if comparison.disagreeing:
        count = len(comparison.disagreeing)
        sentence += (
            f", {count:,} {'is that' if count == 1 else 'are those'} of other objects: "
            f"{comparison.pattern}"
        )
    if use.verdict is Verdict.UNRELATED:
        sentence = "none of its class numbers is mapped"
    if use.verdict is Verdict.ACCEPTED:
        sentence += "; accepted (--accept-class-names)"
    return sentence


def disagreement_lines(use: ListUse) -> list[str]:
    """Return the lines that say how a list disagrees: a sentence, and a table of its numbers."""
    rows = [use.rows.get(difference.number, 0) for difference in use.comparison.disagreeing]
    files = "1 label file has" if use.label_files == 1 else f"{use.label_files:,} label files have"
    count = "1 row" if sum(rows) == 1 else f"{sum(rows):,} rows"
    sample = "" if use.counted_files == use.label_files else _looked_at(use.counted_files)
    table = _number_lines(use)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        f"{printable(use.class_list.source)} disagrees with the ontology: {use.comparison.pattern}",
        f"{files} this class list{sample}, with {count} of these numbers that would get the wrong "
        "class:",
        *(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in table
        ),
    ]


def _looked_at(files: int) -> str:
    return f"; {files:,} of them {'was' if files == 1 else 'were'} looked at"


def _number_lines(use: ListUse) -> list[tuple[str, str, str, str]]:
    """Return the table of a list that disagrees: number, list, ontology, rows; headings first."""
    heading = "rows" if use.counted_files == use.label_files else "rows in the sample"
    lines = [("number", "class list", "ontology", heading)]
    for difference in use.comparison.disagreeing[:_MOST_LINES]:
        rows = f"{use.rows.get(difference.number, 0):,}" if use.counted_files else ""
        lines.append(
            (
                str(difference.number),
                printable(difference.name),
                printable(difference.mapped_name),
                rows,
            )
        )
    if (more := len(use.comparison.disagreeing) - _MOST_LINES) > 0:
        lines.append(("…", f"and {more:,} more", "", ""))
    return lines
