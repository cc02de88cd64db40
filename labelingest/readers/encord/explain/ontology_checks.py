"""Checks of labels against the texts of their class, attribute or option in the ontology.

A label may use an archived one. Texts that differ are written as the ontology has them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems, excerpt
from labelingest.problems.pointers import child_pointer

__all__ = ["note_archived", "note_differences"]


def note_archived(archived: bool, name: str, pointer: str, problems: DocumentProblems) -> None:
    """Note the use of a class, attribute or option that is archived.

    Parameters
    ----------
    archived
        Whether class, attribute or option is archived.
    name
        Name in the ontology.
    pointer
        JSON pointer of the place that refers to it.
    problems
        Container of the problem.
    """
    if archived:
        detail = f"{excerpt(name)} is archived in the ontology: kept"
        problems.note(ProblemCode.ARCHIVED_CLASS, pointer, detail)


def note_differences(
    entry: Mapping[str, Any],
    expected: Iterable[tuple[str, str]],
    pointer: str,
    problems: DocumentProblems,
) -> None:
    """Note values that differ from the ontology's; missing keys count as equal.

    Parameters
    ----------
    entry
        Label as decoded.
    expected
        Keys, each with its value in the ontology.
    pointer
        JSON pointer of the label.
    problems
        Container of the problems.

    Examples
    --------
    >>> problems = DocumentProblems("a.json")
    >>> note_differences({"name": "Lorry"}, [("name", "Truck"), ("color", "#0")], "/o", problems)
    >>> print(problems.in_order()[0])
    a.json#/o/name: differs-from-ontology: 'Lorry' is 'Truck' in the ontology, which is written
    """
    for key, value in expected:
        actual = entry.get(key, value)
        if actual != value:
            detail = f"{excerpt(actual)} is {value!r} in the ontology, which is written"
            problems.note(ProblemCode.DIFFERS_FROM_ONTOLOGY, child_pointer(pointer, key), detail)
