"""Problems of one JSON document, each with the JSON pointer of its place.

Readers note a problem under the pointer that they build from the parent's (`pointers.py`), with
the helpers of this module for the words: an excerpt of a value, the JSON name of its type.
"""

from reprlib import Repr
from typing import Any, Final

from labelingest.problems.broken_text import BROKEN_TEXT_NAME, BrokenText
from labelingest.problems.capped import MAX_LISTED, CappedProblems
from labelingest.problems.codes import ProblemCode
from labelingest.problems.definition import Severity
from labelingest.problems.pointers import child_pointer
from labelingest.problems.problem import Problem

__all__ = ["DocumentProblems", "excerpt", "json_type_name"]

_SHORT: Final = Repr()
_SHORT.maxstring = 60
_SHORT.maxother = 60


def excerpt(value: object) -> str:
    """Return a value as messages show it: on one line, and short.

    Examples
    --------
    >>> excerpt([1] * 100), excerpt(None)
    ('[1, 1, 1, 1, 1, 1, ...]', 'null')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _SHORT.repr(value)


def json_type_name(value: object) -> str:
    """Return what JSON calls the kind of a decoded value.

    Examples
    --------
    >>> json_type_name([]), json_type_name(True), json_type_name(1.5)
    ('a list', 'a boolean', 'a number')
    """
    kinds = {
        dict: "an object",
        list: "a list",
        str: "text",
        bool: "a boolean",
        BrokenText: BROKEN_TEXT_NAME,
    }
    return "null" if value is None else kinds.get(type(value), "a number")


class DocumentProblems:
    """Problems of one sidecar, in the order in which they were noted.

    Examples
    --------
    >>> problems = DocumentProblems("a.jpg.encord.json")
    >>> problems.note(ProblemCode.WRONG_TYPE, "/data_units", "found a list, expected an object")
    >>> print(problems.in_order()[0])
    a.jpg.encord.json#/data_units: wrong-type: found a list, expected an object
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.base = ""
        """JSON pointer of the value that is read, which pointers begin with."""
        self._problems = CappedProblems[str]()
        self._unknown: dict[tuple[str, str], tuple[str, int]] = {}
        self.cause = ProblemCode.NOT_A_LABEL_ROW
        """The code of the last error: why the label that is being read is dropped."""

    def note(self, code: ProblemCode, pointer: str, detail: str) -> None:
        """Note a problem of the value at a pointer."""
        pointer = self.base + pointer
        if code.severity is Severity.ERROR:
            self.cause = code
        if self._problems.has_room(self.source, code):
            self._problems.add(self.source, Problem(code, self.source, detail, pointer=pointer))
        else:
            self._problems.count(self.source, code)

    def note_line(self, code: ProblemCode, detail: str, line: int, column: int) -> None:
        """Note a problem of the text, before there are pointers; line and column count from 1."""
        problem = Problem(code, self.source, detail, line=line, column=column)
        self._problems.add(self.source, problem)

    def wrong_type(self, pointer: str, value: object, expected: str) -> None:
        """Note a value of another JSON type than the place asks for."""
        self.note(
            ProblemCode.WRONG_TYPE,
            pointer,
            f"found {json_type_name(value)} ({excerpt(value)}), expected {expected}",
        )

    def replaced(self, pointer: str, value: object, expected: str, consequence: str) -> None:
        """Note a value that was left out or replaced by a default."""
        self.note(
            ProblemCode.REPLACED_VALUE,
            pointer,
            f"found {excerpt(value)}, expected {expected}: {consequence}",
        )

    def unknown_keys(
        self, entry: dict[str, Any], expected: frozenset[str], pointer: str, owner: str
    ) -> None:
        """Note keys that no reader reads; each is listed once, at its first place."""
        if entry.keys() <= expected:
            return
        for key in entry:
            if key not in expected:
                first, count = self._unknown.get((owner, key), (child_pointer(pointer, key), 0))
                if len(self._unknown) < MAX_LISTED or count:
                    self._unknown[owner, key] = first, count + 1

    def in_order(self) -> list[Problem]:
        """Return the problems in the order noted, then unknown keys, then numbers of unlisted ones."""
        unknown = [
            Problem(
                ProblemCode.UNKNOWN_KEY,
                self.source,
                f"{excerpt(key)} is no key of {owner}: dropped",
                pointer=self.base + first,
                count=count,
            )
            for (owner, key), (first, count) in self._unknown.items()
        ]
        noted = [problem for _, problem in self._problems.entries]
        return [*noted, *unknown, *(problem for _, problem in self._problems.unlisted())]

    def get(
        self, parent: dict[str, Any], key: str, pointer: str, expected: type, default: Any = None
    ) -> Any:
        """Return the value of an optional key when it has the type, else the default.

        Null counts as absent; a value of another type is noted as wrong.
        """
        value = parent.get(key)
        if value is None:
            return default
        if type(value) is not expected:
            words = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
            self.wrong_type(child_pointer(pointer, key), value, words[expected])
            return default
        return value
