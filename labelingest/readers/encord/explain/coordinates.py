"""Check the coordinates of a payload: finite numbers, preferably inside the image.

A value that is no finite number costs its object. A coordinate outside the image is kept and noted.
A boolean is no number, though Python and some readers accept it.
"""

from math import isfinite
from typing import Any, Final

from labelingest.encord.keys import COORDINATE_SLACK
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems, excerpt, json_type_name
from labelingest.problems.pointers import child_pointer

__all__ = [
    "check_finite",
    "check_finite_ring",
    "check_inside",
    "check_inside_ring",
    "note_outside",
    "read_angle",
]


def check_finite(value: object, pointer: str, problems: DocumentProblems) -> bool:
    """Return whether a value is a finite number; note one that is not.

    Examples
    --------
    >>> problems = DocumentProblems("a.json")
    >>> check_finite(0.5, "/x", problems), check_finite("0.5", "/y", problems)
    (True, False)
    >>> print(problems.in_order()[0])
    a.json#/y: not-a-number: found text ('0.5'), expected a number
    """
    if type(value) is not float and type(value) is not int:
        detail = f"found {json_type_name(value)} ({excerpt(value)}), expected a number"
        problems.note(ProblemCode.NOT_A_NUMBER, pointer, detail)
        return False
    if not isfinite(value):
        problems.note(
            ProblemCode.NOT_FINITE, pointer, f"{value} is not finite: no place in an image"
        )
        return False
    return True


def check_inside(value: float, pointer: str, problems: DocumentProblems) -> None:
    """Note a coordinate outside 0..1, a fraction of the image's side."""
    if not -COORDINATE_SLACK <= value <= 1 + COORDINATE_SLACK:
        note_outside(f"{value!r}", pointer, problems)


def note_outside(
    coordinate: str, pointer: str, problems: DocumentProblems, *, more: str = ""
) -> None:
    """Note a coordinate outside the image.

    Parameters
    ----------
    coordinate
        The coordinate as messages show it.
    pointer
        JSON pointer of the coordinate.
    problems
        Container of the problem.
    more
        Further coordinates of the same ring, in parentheses.
    """
    detail = f"{coordinate} lies outside the image, whose coordinates go from 0 to 1{more}: kept"
    problems.note(ProblemCode.OUTSIDE_IMAGE, pointer, detail)


def read_angle(value: float, pointer: str, problems: DocumentProblems) -> float:
    """Return degrees reduced to [0, 360); note an angle outside.

    Examples
    --------
    >>> problems = DocumentProblems("a.json")
    >>> [read_angle(degrees, "/theta", problems) for degrees in (400, -1e-20, 30.5)]
    [40, 0.0, 30.5]
    """
    if 0 <= value < 360:
        return value
    # A tiny negative angle plus 360 rounds to 360 itself.
    reduced = value % 360
    reduced = reduced if reduced < 360 else 0.0
    detail = f"{value!r} degrees are outside 0 to 360 (excluded): written as {reduced!r}"
    problems.note(ProblemCode.ANGLE_OUT_OF_RANGE, pointer, detail)
    return reduced


def check_finite_ring(ring: list[Any], pointer: str, problems: DocumentProblems) -> bool:
    """Return whether a flat list contains only finite numbers; note each bad value."""
    # Types are checked at once: only a list with a bad value is looped over.
    if set(map(type, ring)) <= _NUMBERS and all(map(isfinite, ring)):
        return True
    valid = [
        check_finite(value, child_pointer(pointer, position), problems)
        for position, value in enumerate(ring)
    ]
    return all(valid)


def check_inside_ring(ring: list[float], pointer: str, problems: DocumentProblems) -> None:
    """Note the first coordinate of a flat ring outside 0..1, and the number of further ones."""
    if ring and min(ring) >= -COORDINATE_SLACK and max(ring) <= 1 + COORDINATE_SLACK:
        return
    out = [
        i for i, value in enumerate(ring) if not -COORDINATE_SLACK <= value <= 1 + COORDINATE_SLACK
    ]
    if out:
        more = f" (and {len(out) - 1} more of this ring)" if len(out) > 1 else ""
        note_outside(f"{ring[out[0]]!r}", child_pointer(pointer, out[0]), problems, more=more)


_NUMBERS: Final = frozenset((int, float))
