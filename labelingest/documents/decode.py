"""Bytes of a document → decoded JSON, or the problem that prevents it.

orjson decodes: it refuses numbers beyond a double, halves of surrogate pairs and bytes that are not
UTF-8, all in bounded time and memory. It writes nothing that is nested beyond 254 levels, so such
documents are refused as well. What orjson cannot do is done here, only when needed:

- Literals `NaN` and `Infinity`, which Python's json module writes, are decoded by that module. They
  can then be named by their pointers, and valid objects beside them survive. The same holds for
  halves of surrogate pairs that are spelt as escapes: a `BrokenText` or `BrokenKey` each.
- Digits beyond those of a double are kept where a caller asks for exact numbers; elsewhere integers
  beyond 64 bits that answer a question are named.
- Repeated keys are found by the number of `":` in the text and in the decoded document written
  again. Where the numbers differ, or where spacing or escapes make them uncertain, Python's json
  module lists the keys.

Refuses to know what the document means.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import orjson
from msgspec import Struct

from labelingest.documents.exact_numbers import (
    dumps_exactly,
    exact_float,
    exact_integer,
    fits_64_bits,
    may_lose_digits,
)
from labelingest.documents.value_count import MAX_VALUES, longest_text, too_many_values
from labelingest.problems import ProblemCode
from labelingest.problems.broken_text import BrokenKey, BrokenText, is_broken
from labelingest.problems.of_document import DocumentProblems, excerpt
from labelingest.problems.pointers import child_pointer

__all__ = ["LARGE_BYTES", "MAX_BYTES", "UNDECODED", "decode"]

MAX_BYTES: Final = 300_000_000
"""Bytes of the largest sidecar."""
LARGE_BYTES: Final = 50_000_000
"""Bytes above which a sidecar gets a warning, as it is slow to load everywhere."""

MAX_TEXT: Final = 10_000_000
"""Bytes of the longest text of a sidecar that has more than 50 MB and is not ASCII."""

UNDECODED: Final = object()
"""Result for bytes that are no document; `null` is a document."""

_LABEL_ROW: Final = "a label row as Encord's client writes it"
_TOO_DEEP: Final = "nested deeper than 254 levels"
_LITERALS: Final = ("NaN", "Infinity", "-Infinity")
_UNSURE: Final = (b" :", b"\t:", b"\n:", b"\r:", b"\\u0022", b"\\u003a", b"\\u003A")
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
"""Escapes of surrogates: of whole pairs, too."""
_HUGE: Final = re.compile(rb"(?<![0-9.])[0-9]{19,}(?![0-9.eE])")
"""Integers that 64 bits may not hold."""


def decode(
    content: bytes,
    problems: DocumentProblems,
    expected: str = _LABEL_ROW,
    *,
    exact: bool = False,
) -> Any:
    r"""Decode a sidecar; `UNDECODED` for bytes that are not JSON, with a problem.

    Parameters
    ----------
    expected
        What the sidecar should be, as messages say.
    exact
        Whether numbers with more digits than a double become an `ExactNumber`.

    Examples
    --------
    >>> problems = DocumentProblems("a.encord.json")
    >>> decode(b'{"a": 1}', problems)
    {'a': 1}
    >>> decode(b'{"a": 1', problems) is UNDECODED
    True
    >>> print(problems.in_order()[0].code)
    not-json
    """
    if not _size_allowed(content, problems):
        return UNDECODED
    content = _without_mark(content, problems)
    if (
        len(content) > LARGE_BYTES
        and not content.isascii()
        and _is_wide(content, problems, expected)
    ):
        return UNDECODED
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        return _second_try(content, error, problems, expected, exact=exact)
    try:
        encoded = orjson.dumps(document)
    except orjson.JSONEncodeError:
        problems.note(ProblemCode.NOT_JSON, "", f"{_TOO_DEEP}; expected {expected}")
        return UNDECODED
    if _keys_may_repeat(content, encoded):
        _note_repeated(content, problems)
    if exact:
        return _loads(content, exact=True) if may_lose_digits(content, encoded) else document
    if _HUGE.search(content):
        _note_rounded(content, problems)
    return document


def _size_allowed(content: bytes, problems: DocumentProblems) -> bool:
    if len(content) > MAX_BYTES:
        problems.note(
            ProblemCode.FILE_TOO_LARGE,
            "",
            f"{len(content):,} bytes are more than the {MAX_BYTES:,} that a sidecar may have",
        )
        return False
    if count := too_many_values(content):
        problems.note(
            ProblemCode.FILE_TOO_LARGE,
            "",
            f"{count:,} values are more than the {MAX_VALUES:,} that a sidecar may have (an object "
            "counts as two): fewer vertices or frames, or several files",
        )
        return False
    if len(content) > LARGE_BYTES:
        problems.note(
            ProblemCode.LARGE_SIDECAR,
            "",
            f"{len(content):,} bytes; above {LARGE_BYTES:,} a sidecar is slow to load",
        )
    return True


def _is_wide(content: bytes, problems: DocumentProblems, expected: str) -> bool:
    """Return whether decoding would take far more memory than a large text has; note the cause.

    One emoji makes Python store every character of its text in four bytes. An error message of
    orjson does so with the whole file.
    """
    length = longest_text(content)
    if length > MAX_TEXT:
        detail = (
            f"a text of {length:,} bytes; where there is more than ASCII, it may have {MAX_TEXT:,}"
        )
        problems.note(ProblemCode.FILE_TOO_LARGE, "", detail)
        return True
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        if any(literal.encode() in content for literal in _LITERALS[:2]) or _HALF.search(content):
            return False  # Python writes these, and they are read.
        problems.note_line(ProblemCode.NOT_JSON, f"not JSON: {error}; expected {expected}", 1, 1)
        return True
    return False


def _without_mark(content: bytes, problems: DocumentProblems) -> bytes:
    """Return the content without the byte order mark of UTF-8, which is invalid in JSON."""
    if not content.startswith(b"\xef\xbb\xbf"):
        return content
    problems.note_line(
        ProblemCode.BYTE_ORDER_MARK, "begins with a byte order mark, which JSON may not: read", 1, 1
    )
    return content[3:]


def _second_try(
    content: bytes,
    error: json.JSONDecodeError,
    problems: DocumentProblems,
    expected: str,
    *,
    exact: bool,
) -> Any:
    """Decode text that only Python's json module accepts, or note why it is not JSON."""
    is_read = "infinity" in error.msg or "surrogate in string" in error.msg
    tail = error.doc[error.pos : error.pos + 9]
    if is_read or tail.startswith(_LITERALS):
        document = _loads(content, exact=exact)
        if document is not None:
            _note_repeated(content, problems)
            if not exact and _HUGE.search(content):
                _note_rounded(content, problems)
            return document
    if "UTF-8" in error.msg:
        problems.note_line(ProblemCode.NOT_TEXT, _not_utf8(content), 1, 1)
    else:
        detail = f"{_reason(error, content)}; expected {expected}"
        problems.note_line(ProblemCode.NOT_JSON, detail, error.lineno, error.colno)
    return UNDECODED


def _reason(error: json.JSONDecodeError, content: bytes) -> str:
    if not content.strip():
        return "the file is empty"
    if "depth" in error.msg:
        return _TOO_DEEP
    if error.pos >= len(error.doc) or error.doc[error.pos :].isspace():
        return "the JSON ends too early: the file is truncated"
    return f"not JSON from {excerpt(error.doc[error.pos : error.pos + 20])} on: {error.msg}"


def _not_utf8(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:4]:
        return "the file is UTF-16 or UTF-32; JSON is UTF-8: save it as that"
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1} is 0x{content[error.start]:02x}, which is not UTF-8"
    return "the text holds half a surrogate pair, which is not UTF-8"


def _loads(content: bytes, *, exact: bool) -> Any:
    """Decode by Python's json module; None for text that fails, or that orjson could not write."""
    integer, number = (exact_integer, exact_float) if exact else (_integer, None)
    try:
        document = json.loads(content.decode(), parse_int=integer, parse_float=number)
        if _HALF.search(content):
            document = _without_half_pairs(document)
        dumps_exactly(document, default=repr)
    except (ValueError, TypeError, RecursionError):
        return None
    return document


def _integer(text: str) -> int | float:
    """Return an integer that fits into 64 bits, else the double nearest to it, as orjson does."""
    value = exact_integer(text)
    return value if type(value) is int and fits_64_bits(value) else float(value)


def _without_half_pairs(document: Any) -> Any:
    """Return the document with a `BrokenText` or `BrokenKey` for each text with half a pair."""
    root = [document]
    waiting: list[Any] = [root]
    while waiting:
        parent = waiting.pop()
        if isinstance(parent, dict) and any(map(is_broken, parent)):
            entries = [(_sound_key(key), value) for key, value in parent.items()]
            parent.clear()
            parent.update(entries)
        for place, value in list(parent.items() if isinstance(parent, dict) else enumerate(parent)):
            if isinstance(value, str) and is_broken(value):
                parent[place] = BrokenText(value)
            elif isinstance(value, dict | list):
                waiting.append(value)
    return root[0]


def _sound_key(key: str) -> str:
    return BrokenKey.from_text(key) if is_broken(key) else key


def _note_rounded(content: bytes, problems: DocumentProblems) -> None:
    """Note each answer that is an integer beyond 64 bits, whose digits a double has not."""
    document = json.loads(content, parse_int=exact_integer)
    waiting = [(document, "")] if isinstance(document, dict | list) else []
    while waiting:
        parent, pointer = waiting.pop()
        entries = parent.items() if isinstance(parent, dict) else enumerate(parent)
        for key, value in entries:
            if isinstance(value, dict | list):
                waiting.append((value, child_pointer(pointer, key)))
            elif key == "answers" and type(value) is int and not fits_64_bits(value):
                place = child_pointer(pointer, key)
                detail = f"{float(value)!r} is written"
                problems.replaced(place, value, "a number that fits into 64 bits", detail)


def _keys_may_repeat(content: bytes, encoded: bytes) -> bool:
    r"""Return whether an object may have a key twice; never false for one that has.

    In text that orjson writes, `":` follows each key, and else only an escaped quote in a string.
    The same holds for the content, unless a blank separates the two characters or one of them is
    escaped by number.
    """
    if any(sign in content for sign in _UNSURE):
        return True
    return content.count(b'":') != encoded.count(b'":')


class _Trail(Struct, frozen=True):
    """Trace of an object with repeated keys, or of a parent of such an object."""

    names: list[str]
    """Keys that the object had twice."""
    inner: Sequence[tuple[str | int, "_Trail"]]


def _hook(pairs: list[tuple[str, Any]]) -> _Trail | None:
    """Return the trace of an object; None for one without repeated keys, which is forgotten."""
    keys = dict(pairs)
    names: list[str] = []
    if len(keys) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        names = [key for key, count in counts.items() if count > 1]
    inner = [(key, trail) for key, value in keys.items() if (trail := _trail(value)) is not None]
    return _Trail(names, inner) if names or inner else None


def _trail(value: Any) -> _Trail | None:
    if type(value) is not list:
        return value if type(value) is _Trail else None
    items = ((place, _trail(item)) for place, item in enumerate(value) if type(item) in _NESTED)
    inner = [(key, trail) for key, trail in items if trail]
    return _Trail([], inner) if inner else None


_NESTED: Final = frozenset((list, _Trail))


def _note_repeated(content: bytes, problems: DocumentProblems) -> None:
    """Note each key that an object has twice, with its JSON pointer."""
    try:
        document = json.loads(content, object_pairs_hook=_hook, parse_int=_integer)
        trail = _trail(document)
    except (ValueError, RecursionError):
        problems.note(ProblemCode.DUPLICATE_KEY, "", "some object may have a key twice")
        return
    waiting = [] if trail is None else [(trail, "")]
    while waiting:
        value, pointer = waiting.pop()
        for name in value.names:
            detail = f"the key {excerpt(name)} occurs twice in one object: the last one counts"
            place = child_pointer(pointer, _sound_key(name))
            problems.note(ProblemCode.DUPLICATE_KEY, place, detail)
        for key, inner in value.inner:
            sound = _sound_key(key) if isinstance(key, str) else key
            waiting.append((inner, child_pointer(pointer, sound)))
