"""Problem: one defect of one file among a million, as a value with a code and a place.

A problem is data, not an exception: it is counted, listed and written out, and the run continues.
A defect of the call or the world (a folder that does not exist, an ontology that cannot be
read) is an exception instead: `labelingest.errors`.
"""

from typing import Any, Final

from msgspec import Struct

from labelingest.problems.characters import printable
from labelingest.problems.codes import ProblemCode
from labelingest.problems.definition import Severity

__all__ = ["Problem"]

_LONGEST_POINTER: Final = 400
"""Characters of a pointer on a screen: keys may be as long as their file."""


class Problem(Struct, frozen=True):
    """One defect at one place of one file.

    Examples
    --------
    >>> str(Problem(ProblemCode.UNKNOWN_CLASS, "labels/a.txt", "no object for 7", line=3, column=1))
    'labels/a.txt:3:1: unknown-class: no object for 7'
    """

    code: ProblemCode
    source: str
    """Key of the file concerned, as listed; "" where the problem is not one file's."""
    detail: str
    """One sentence for a person: what was found, what was expected, what helps."""
    line: int | None = None
    """1-based line; None where there are no lines."""
    column: int | None = None
    """1-based column of the first character concerned, in characters; None for a whole line."""
    pointer: str | None = None
    """JSON pointer into the file; None for text formats."""
    count: int = 1
    """How many problems this one stands for: some are listed once for each file extension."""

    @property
    def severity(self) -> Severity:
        """Severity of the code."""
        return self.code.severity

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as JSON values, without the keys of places that it does not have.

        Examples
        --------
        >>> Problem(ProblemCode.NOT_A_NUMBER, "a.txt", "'x' is not a number", 2, 9).as_dict()
        {'code': 'not-a-number', 'severity': 'error', 'source': 'a.txt', 'line': 2, 'column': 9, \
'detail': "'x' is not a number"}
        """
        fields = {
            "code": self.code.value,
            "severity": self.severity.value,
            "source": self.source,
            "line": self.line,
            "column": self.column,
            "pointer": self.pointer,
            "count": self.count if self.count != 1 else None,
            "detail": self.detail,
        }
        return {name: value for name, value in fields.items() if value is not None}

    @property
    def place(self) -> str:
        """`path:line:column` or `path#/json/pointer`, as editors and terminals understand it."""
        place = printable(self.source)
        if self.pointer is not None:
            return f"{place}#{printable(_shortened(self.pointer))}"
        if self.line is not None:
            place += f":{self.line}" + (f":{self.column}" if self.column is not None else "")
        return place

    def __str__(self) -> str:
        place = self.place
        return f"{place}{': ' if place else ''}{self.code}: {printable(self.detail)}"


def _shortened(pointer: str) -> str:
    """Return a pointer that fits on a screen."""
    half = _LONGEST_POINTER // 2
    return pointer if len(pointer) <= 2 * half else f"{pointer[:half]}…{pointer[-half:]}"
