"""Check one metadata sidecar: return the accepted values, and the problems.

1. The document must be an object of JSON of at most 10 MB. Otherwise nothing is accepted.
2. PostgreSQL's `jsonb` refuses NaN and infinities, NUL and half surrogate pairs in text, and numbers
   with too many decimal places; numbers beyond a double are refused with them. Each costs the key
   that contains it. Nesting beyond 254 levels costs the file.
3. With a schema, a wrong value costs its key. A key that is not declared, or was deleted, is accepted
   and reported: values may exist before their keys are declared. Keys that begin with `$` belong to
   the platform and cannot be declared.

As in `jsonb`, the last of repeated keys counts, order is not kept, and all digits of numbers are: an
`ExactNumber` has those that a double has not.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from math import isfinite
from typing import Any, Final

from msgspec import Struct

from labelingest.documents.decode import UNDECODED, decode
from labelingest.documents.exact_numbers import ExactNumber
from labelingest.metadata.schema import MetadataSchema
from labelingest.metadata.types import TombstoneType
from labelingest.metadata.values import Wrong, wrong_value
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.broken_text import BROKEN_TEXT_NAME, BrokenKey, BrokenText
from labelingest.problems.of_document import DocumentProblems, excerpt, json_type_name
from labelingest.problems.pointers import child_pointer

__all__ = ["MAX_METADATA", "MetadataResult", "check_metadata", "too_large_metadata"]

MAX_METADATA: Final = 10_000_000
"""Bytes of a metadata sidecar."""

_SUSPECT: Final = re.compile(
    rb"\\u0000|\\u[dD][89a-fA-F]|NaN|Infinity|[0-9.][eE][+-]?[0-9]{3}|[0-9]{100}"
)
"""Signs of a value that jsonb refuses; a text without them needs no second look.

A number beyond a double has an exponent of three digits, or a hundred digits in a row.
"""
_MOST_PLACES: Final = 16_383
"""Decimal places of the numbers of PostgreSQL."""
_EXPECTED: Final = "custom metadata, an object of keys and values"
_SUGGESTED: Final = 100
"""Keys of one file for which the nearest declared key is looked up: a hostile file has millions."""
_LONGEST_NAME: Final = 100
"""Characters of a key that may be a misspelling of another."""


class MetadataResult(Struct, frozen=True):
    """Result of checking a metadata sidecar."""

    value: dict[str, Any] | None
    """Accepted keys with their values; None where the file as a whole is refused."""
    problems: Sequence[Problem]
    keys_seen: int = 0
    """Number of different keys of the document."""


def check_metadata(
    content: bytes, source: str, schema: MetadataSchema | None = None
) -> MetadataResult:
    """Check a metadata sidecar.

    Parameters
    ----------
    content
        Bytes of the sidecar.
    source
        Key of the sidecar, for problems.
    schema
        Schema that values are checked against; None accepts all values.

    Examples
    --------
    >>> schema = MetadataSchema().add("speed", "number").add("site", "varchar")
    >>> content = b'{"speed": "fast", "site": "Dock 4", "sight": 1}'
    >>> checked = check_metadata(content, "a.jpg.metadata.json", schema)
    >>> checked.value
    {'site': 'Dock 4', 'sight': 1}
    >>> for problem in checked.problems:
    ...     print(problem)
    a.jpg.metadata.json#/speed: wrong-type: found text ('fast'), expected a number
    a.jpg.metadata.json#/sight: undeclared-key: the schema has no key 'sight'; did you mean 'site'?
    """
    problems = DocumentProblems(source)
    document = _decoded(content, problems)
    if document is None:
        return MetadataResult(None, problems.in_order())
    suspected = _SUSPECT.search(content) is not None
    accepted = {}
    undeclared = 0
    for key, value in document.items():
        wrong = _unstorable(key, value) if suspected else None
        if wrong is None and schema is not None:
            declared = schema.keys.get(key)
            if isinstance(declared, TombstoneType):
                problems.note(
                    ProblemCode.DELETED_KEY, child_pointer("", key), _deleted(key, declared)
                )
            elif declared is not None:
                wrong = wrong_value(value, declared)
            elif not key.startswith("$"):
                undeclared += 1
                _note_undeclared(problems, key, schema if undeclared <= _SUGGESTED else None)
        if wrong is None:
            accepted[key] = value
        else:
            problems.note(wrong.code, child_pointer("", key) + wrong.pointer, wrong.detail)
    return MetadataResult(accepted, problems.in_order(), len(document))


def _decoded(content: bytes, problems: DocumentProblems) -> dict[str, Any] | None:
    """Return the document; None where it is no object, with the reason in `problems`."""
    if len(content) > MAX_METADATA:
        problems.note(ProblemCode.FILE_TOO_LARGE, "", too_large_metadata(len(content)))
        return None
    document = decode(content, problems, _EXPECTED, exact=True)
    if document is UNDECODED:
        return None
    if not isinstance(document, dict):
        detail = f"holds {json_type_name(document)} ({excerpt(document)}), expected {_EXPECTED}"
        problems.note(ProblemCode.NOT_METADATA, "", detail)
        return None
    return document


def too_large_metadata(size: int) -> str:
    """Return the sentence for a metadata sidecar with too many bytes.

    Examples
    --------
    >>> too_large_metadata(10_000_001)
    'it has 10,000,001 bytes, more than the 10,000,000 that custom metadata may have'
    """
    return f"it has {size:,} bytes, more than the {MAX_METADATA:,} that custom metadata may have"


def _note_undeclared(problems: DocumentProblems, key: str, schema: MetadataSchema | None) -> None:
    """Report a key that the schema does not have; with a schema, suggest the nearest key."""
    detail = f"the schema has no key {excerpt(key)}"
    near = None
    if schema is not None and len(key) <= _LONGEST_NAME:
        near = _nearest(key, tuple(schema.keys))
    detail += f"; did you mean {near!r}?" if near else ": kept, not checked"
    problems.note(ProblemCode.UNDECLARED_KEY, child_pointer("", key), detail)


@lru_cache(maxsize=4096)
def _nearest(key: str, names: tuple[str, ...]) -> str | None:
    """Return the name that a key may misspell; looked up once for all files."""
    same = [name for name in names if name.lower() == key.lower()]
    return next(iter([*same, *get_close_matches(key, names, n=1)]), None)


def _deleted(key: str, declared: TombstoneType) -> str:
    again = "restore it, or leave it out" if declared.deleted_ty else "leave it out"
    return f"{excerpt(key)} was deleted from the schema: kept, not checked; {again}"


def _unstorable(key: str, value: Any) -> Wrong | None:
    """Return the first part of a key and its value that jsonb refuses; None where all is accepted."""
    refusal = _refused(key) or _refused(value)
    if refusal is None:
        return None
    code, detail, path = refusal
    return Wrong(code, "".join(child_pointer("", name) for name in reversed(path)), detail)


def _refused(value: Any) -> tuple[ProblemCode, str, list[str | int]] | None:
    """Return why jsonb refuses a value, and the path up from the refused part.

    Sound values cost no object: a hostile file has millions of values.
    """
    if isinstance(value, str):
        if isinstance(value, BrokenKey):
            return ProblemCode.NOT_TEXT, _HALF_PAIR, []
        return (ProblemCode.NUL_IN_TEXT, _NUL, []) if "\0" in value else None
    if isinstance(value, BrokenText):
        return ProblemCode.NOT_TEXT, _HALF_PAIR, []
    if isinstance(value, ExactNumber) and _decimal_places(value.text) > _MOST_PLACES:
        return ProblemCode.NUMBER_TOO_LARGE, _TOO_SMALL, []
    if isinstance(value, float) and not isfinite(value):
        return ProblemCode.NOT_FINITE, f"found {excerpt(value)}{_INFINITE}", []
    if isinstance(value, dict):
        refusals = (refusal for name in value if (refusal := _refused(name)))
        if (refusal := next(refusals, None)) is not None:
            return refusal
        return _refused_child(value.items())
    return _refused_child(enumerate(value)) if isinstance(value, list) else None


def _refused_child(
    children: Iterable[tuple[str | int, Any]],
) -> tuple[ProblemCode, str, list[str | int]] | None:
    for name, child in children:
        refusal = _refused(child)
        if refusal is not None:
            refusal[2].append(name)
            return refusal
    return None


def _decimal_places(number: str) -> int:
    """Return the digits of a number behind its decimal point, once its exponent is written out."""
    mantissa, _, exponent = number.lower().partition("e")
    if len(exponent) > len(str(-_MOST_PLACES)) + 1:
        return _MOST_PLACES + 1 if exponent.startswith("-") else 0
    return len(mantissa.partition(".")[2]) - int(exponent or 0)


_TOO_SMALL: Final = "a number with more than 16,383 decimal places, which jsonb refuses: round it, or write it as text"
_HALF_PAIR: Final = f"{BROKEN_TEXT_NAME}, which no database column takes: a character was cut in two; write it whole"
_NUL: Final = "text with NUL (U+0000), which no database column takes: remove the character"
_INFINITE: Final = (
    ", expected a finite number that a double can hold: leave the key out, or write null"
)
