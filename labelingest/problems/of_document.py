"""What was found wrong in one sidecar, with the JSON pointer of each place.

A pointer is built by those who note something, from the pointer of the parent and one step; so a
clean sidecar costs no text. Hashes contain `/`: a step is always escaped (RFC 6901).
"""

from collections import Counter
from reprlib import Repr
from typing import Any, Final

from labelingest.problems import Problem, ProblemCode, Severity
from labelingest.problems.of_batch import MAX_LISTED

__all__ = ["DocumentProblems", "child_pointer", "excerpt", "json_type_name"]

_SHORT: Final = Repr()
_SHORT.maxstring = 60
_SHORT.maxother = 60
_LONGEST_KEY: Final = 200
"""Characters of one key in a pointer: four times as many as any hash or attribute name needs."""
_LONGEST_POINTER: Final = 2000
"""Characters of a pointer: 254 levels of answers fit; 10,000 problems of a code take 20 MB."""


def child_pointer(at: str, key: str | int) -> str:
    """Return the pointer of a child: of a key of an object or a position in a list.

    A key of more than 200 characters loses its middle, and a pointer of 2,000 ends: a key may be as
    long as its file, and each of thousands of problems below the key repeats the key.

    Examples
    --------
    >>> child_pointer("/object_answers", "k3P/x0+~")
    '/object_answers/k3P~1x0+~0'
    """
    if len(at) > _LONGEST_POINTER:
        return at if at.endswith("/…") else f"{at}/…"
    name = str(key)
    if len(name) > _LONGEST_KEY:
        half = _LONGEST_KEY // 2
        name = f"{name[:half]}…{name[-half:]}"
    return f"{at}/{name.replace('~', '~0').replace('/', '~1')}"


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
    kinds = {dict: "an object", list: "a list", str: "text", bool: "a boolean"}
    return "null" if value is None else kinds.get(type(value), "a number")


class DocumentProblems:
    """The problems of one sidecar, in the order they were found.

    Examples
    --------
    >>> notes = DocumentProblems("a.jpg.encord.json")
    >>> notes.note(ProblemCode.WRONG_TYPE, "/data_units", "found a list, expected an object")
    >>> print(notes.in_order()[0])
    a.jpg.encord.json#/data_units: wrong-type: found a list, expected an object
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._listed: list[Problem] = []
        self._seen: Counter[ProblemCode] = Counter()
        self._unknown: dict[tuple[str, str], tuple[str, int]] = {}
        self.cause = ProblemCode.NOT_A_LABEL_ROW
        """The code of the last error: why the label that is being read is dropped."""

    def note(self, code: ProblemCode, at: str, detail: str) -> None:
        """Note a problem; at is the JSON pointer of what it is about."""
        self._seen[code] += 1
        if code.severity is Severity.ERROR:
            self.cause = code
        if self._seen[code] <= MAX_LISTED:
            self._listed.append(Problem(code, self.source, detail, pointer=at))

    def note_line(self, code: ProblemCode, detail: str, line: int, column: int) -> None:
        """Note a problem of the text, before there are pointers; both counted from 1."""
        self._seen[code] += 1
        self._listed.append(Problem(code, self.source, detail, line=line, column=column))

    def wrong_type(self, at: str, value: object, expected: str) -> None:
        """Note a value of another JSON type than is asked for there."""
        self.note(
            ProblemCode.WRONG_TYPE,
            at,
            f"found {json_type_name(value)} ({excerpt(value)}), expected {expected}",
        )

    def replaced(self, at: str, value: object, expected: str, instead: str) -> None:
        """Note a value that was left out or replaced by a default."""
        self.note(
            ProblemCode.REPLACED_VALUE,
            at,
            f"found {excerpt(value)}, expected {expected}: {instead}",
        )

    def unknown_keys(self, found: dict[str, Any], known: frozenset[str], at: str, of: str) -> None:
        """Note keys that nobody reads; each is listed once, at its first place."""
        if found.keys() <= known:
            return
        for key in found:
            if key not in known:
                first, count = self._unknown.get((of, key), (child_pointer(at, key), 0))
                if len(self._unknown) < MAX_LISTED or count:
                    self._unknown[of, key] = first, count + 1

    def in_order(self) -> list[Problem]:
        """Return all that was noted."""
        unknown = [
            Problem(
                ProblemCode.UNKNOWN_KEY,
                self.source,
                f"{excerpt(key)} is no key of {of}: dropped",
                pointer=first,
                count=count,
            )
            for (of, key), (first, count) in self._unknown.items()
        ]
        unlisted = [
            Problem(
                code,
                self.source,
                f"{seen - MAX_LISTED:,} more in this file: only the first {MAX_LISTED:,} are listed",
                count=seen - MAX_LISTED,
            )
            for code, seen in self._seen.items()
            if seen > MAX_LISTED
        ]
        return [*self._listed, *unknown, *unlisted]

    def get(
        self, parent: dict[str, Any], key: str, at: str, expected: type, default: Any = None
    ) -> Any:
        """Return the value of an optional key when it has the type, else the default.

        Null counts as absent; a value of another type is noted as wrong.
        """
        value = parent.get(key)
        if value is None:
            return default
        if type(value) is not expected:
            words = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
            self.wrong_type(child_pointer(at, key), value, words[expected])
            return default
        return value
