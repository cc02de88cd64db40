"""Warn of label files that are numbered from 1 for an ontology that is numbered from 0.

Then every number but the last means the object of the class before it, and nothing else says so: the
rows are converted, to the wrong objects. The warning is given where exactly 0…n-1 are mapped, n is
the only number that is used and not mapped, and 0 is not used. Between 1 and n some numbers may be
unused too: real data sets lack rare classes. Where no mapped number is used, no row has a wrong
object, and `unknown-class` already says all. Number n is always an error too, so a folder that only
happens to have no class 0 gets one sentence more beside it.

A class list that names number n shows that the files count from 0. Any other class list describes
the ontology, and says nothing about the numbers in the files.
"""

from collections.abc import Container, Sequence
from shlex import quote
from typing import Final

from labelingest.model.class_counts import ClassCounts
from labelingest.model.class_table import ClassTable
from labelingest.problems import Problem, ProblemCode

__all__ = ["warn_of_numbers_from_one"]

_MOST_MAPPED: Final = 4
"""Numbers whose overrides the message spells out, so that it stays a sentence."""


def warn_of_numbers_from_one(
    table: ClassTable, counts: ClassCounts, *, named_numbers: Container[int] = ()
) -> Sequence[Problem]:
    """Return a warning where the label files seem to count classes from 1.

    Parameters
    ----------
    table
        Classes of the run, by class number.
    counts
        Class numbers of all label files of the run.
    named_numbers
        Class numbers that class lists give a name.
    """
    mapped = [entry.number for entry in table.classes]
    last = len(mapped)
    unmapped = counts.unmapped
    if (
        last in named_numbers
        or mapped != list(range(last))
        or not counts.seen
        or 0 in counts.seen
        or [*unmapped.numbers] != [last]
        or unmapped.other_rows
    ):
        return []
    first = unmapped.numbers[last].first
    detail = _sentence(table, last, len(counts.seen))
    return [Problem(ProblemCode.NUMBERS_FROM_ONE, first.source, detail, first.line, first.column)]


def _sentence(table: ClassTable, last: int, used: int) -> str:
    names = [entry.labelled.name for entry in table.classes]
    hashes = [entry.labelled.feature_hash for entry in table.classes]
    overrides = [f"--map {number}={quote(hashes[number - 1])}" for number in range(1, last + 1)]
    which = "the class numbers" if used == last - 1 else f"{used + 1} of the class numbers"
    flags = " ".join(["--map 0=", *overrides[:_MOST_MAPPED], *(["…"] * (last > _MOST_MAPPED))])
    return (
        f"the label files use {which} 1 to {last}, the ontology maps 0 to {last - 1}: if "
        f"they count from 1, the rows of {used} of {used + 1} numbers have the wrong object (1 means "
        f"{names[0]!r} then, not {names[1]!r}), and number {last} is unknown; map the numbers then "
        f"({flags}) or correct the external IDs; if number 0 is only not used, map number {last} too"
    )
