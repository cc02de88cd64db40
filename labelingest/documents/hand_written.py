"""Small JSON documents that people edit, as ontologies and metadata schemas: strict and explained.

`loads_strictly` decodes one, `defect_sentence` words what pydantic refuses in it. pydantic itself is
not imported here: its errors come as the dictionaries that `ValidationError.errors()` returns.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from reprlib import repr as short
from typing import Any, Final

__all__ = ["defect_sentence", "expected_value", "loads_strictly", "own_message"]

_EXPECTED: Final[Mapping[str, str]] = {
    "bool_type": "true or false",
    "dict_type": "a JSON object",
    "greater_than_equal": "at least {ge}",
    "int_type": "a whole number",
    "less_than_equal": "at most {le}",
    "list_type": "a list",
    "literal_error": "{expected}",
    "model_type": "a JSON object",
    "string_too_short": "at least one character",
    "string_type": "text",
    "too_long": "at most {max_length}",
    "too_short": "one at least",
    "tuple_type": "a list",
    "uuid_parsing": "a UUID",
}
"""pydantic's type of an error → the value that is expected, in words for the author of the file."""


def loads_strictly(content: bytes | str) -> Any:
    """Decode JSON; a key that is repeated would lose a value in silence and is refused.

    Raises
    ------
    ValueError
        The content is not JSON, repeats a key, or has half a surrogate pair.
    RecursionError
        The content is nested too deeply.

    Examples
    --------
    >>> loads_strictly('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ValueError: key 'a' occurs 2 times in one object
    """
    document = json.loads(content, object_pairs_hook=_object)
    # Half a surrogate pair is a string to json, and cannot be written out.
    json.dumps(document, ensure_ascii=False).encode()
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) < len(pairs):
        repeated, times = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"key {short(repeated)} occurs {times} times in one object")
    return keys


def defect_sentence(
    name: str,
    errors: Sequence[Mapping[str, Any]],
    describe: Callable[[Mapping[str, Any]], tuple[str, str]],
) -> str:
    """Return where the first defect is, what was found there, and how many more there are.

    Parameters
    ----------
    name
        What messages call the document.
    errors
        The result of `ValidationError.errors()`; at least one.
    describe
        Error → JSON pointer of its place, and what is wrong there.

    Examples
    --------
    >>> defect_sentence("a.json", [{"loc": ("objects",)}] * 2, lambda _: ("/objects", "is empty"))
    'a.json#/objects: is empty (and 1 more place)'
    """
    pointer, detail = describe(errors[0])
    others = len(errors) - 1
    more = f" (and {others} more place{'s' if others > 1 else ''})" if others else ""
    return f"{name}{'#' if pointer else ''}{pointer}: {detail}{more}"


def expected_value(error: Mapping[str, Any]) -> str | None:
    """Return the value that pydantic expected, in words; None for an error without words of ours.

    Examples
    --------
    >>> expected_value({"type": "greater_than_equal", "ctx": {"ge": 1}})
    'at least 1'
    """
    words = _EXPECTED.get(error["type"])
    return None if words is None else words.format_map(error.get("ctx", {}))


def own_message(error: Mapping[str, Any]) -> str | None:
    """Return the message of a validator of ours; None where pydantic itself refused the value."""
    return str(error["ctx"]["error"]) if error["type"] == "value_error" else None
