"""Warn of label files that are numbered from 1 for an ontology that is numbered from 0.

Then every number but the last means the object of the class before it, and nothing else says so: the
rows are converted, to the wrong objects. The warning is given where the numbers that are used are
exactly 1…n and those that are mapped are exactly 0…n-1. With n = 1 it is not given: no mapped number
is used then, so that no row has a wrong object, and `unknown-class` already says all. From n = 2 on,
number n alone is an error too, and a folder that only happens to have no class 0 gets one sentence
more beside it.

A class list decides better than this rule: it gives each number a name, which is compared with that
of the object.
"""

from collections.abc import Sequence
from shlex import quote
from typing import Final

from labelingest.model.class_counts import ClassCounts
from labelingest.model.class_table import ClassTable
from labelingest.problems import Problem, ProblemCode

__all__ = ["warn_of_numbers_from_one"]

_MOST_MAPPED: Final = 4
"""Numbers whose overrides the message spells out, so that it stays a sentence."""


def warn_of_numbers_from_one(
    table: ClassTable, counts: ClassCounts, *, has_class_list: bool = False
) -> Sequence[Problem]:
    """Return a warning where the label files seem to count classes from 1.

    Parameters
    ----------
    table
        Classes of the run, by class number.
    counts
        Class numbers of all label files of the run.
    has_class_list
        Whether a class list gives the numbers their names: then they are compared by name.
    """
    mapped = [entry.number for entry in table.classes]
    last = len(mapped)
    unmapped = counts.unmapped
    if (
        has_class_list
        or last < 2
        or mapped != list(range(last))
        or sorted(counts.seen) != mapped[1:]
        or [*unmapped.numbers] != [last]
        or unmapped.other_rows
    ):
        return []
    first = unmapped.numbers[last].first
    detail = _sentence(table, last)
    return [Problem(ProblemCode.NUMBERS_FROM_ONE, first.source, detail, first.line, first.column)]


def _sentence(table: ClassTable, last: int) -> str:
    names = [entry.labelled.name for entry in table.classes]
    hashes = [entry.labelled.feature_hash for entry in table.classes]
    overrides = [f"--map {number}={quote(hashes[number - 1])}" for number in range(1, last + 1)]
    flags = " ".join(["--map 0=", *overrides[:_MOST_MAPPED], *(["…"] * (last > _MOST_MAPPED))])
    return (
        f"the label files use the class numbers 1 to {last}, the ontology maps 0 to {last - 1}: if "
        f"they count from 1, {last - 1} of {last} classes have the wrong object (1 became "
        f"{names[1]!r} instead of {names[0]!r}), and number {last} is unknown; map the numbers then "
        f"({flags}) or correct the external IDs; if number 0 is only not used, map number {last} too, "
        "or name the classes with a class list"
    )
