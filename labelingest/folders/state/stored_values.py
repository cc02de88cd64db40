"""Check stored JSON and texts before they are used: any program may have written them.

A state is a file or a server that other programs reach, and a plan is a file. `misfit` compares
decoded JSON with the fields of a dataclass, and says where they differ. The caller decides what a
difference is: a damaged state, or a file that is no plan. This module refuses to know what the
fields mean.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson

from labelingest.errors import StorageError

__all__ = ["damaged", "is_moment", "json_object", "misfit", "read_stored"]

T = TypeVar("T")

_MOST: Final = 2**63
"""Bound of whole numbers in a state: databases keep 64 bits."""
_SHOWN: Final = 60
"""Characters of a value that a sentence repeats."""
_NAMES: Final = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    NoneType: "null",
}


def misfit(kind: type, values: object) -> str | None:
    """Return in words where decoded JSON does not fit a dataclass; None where it fits.

    Parameters
    ----------
    kind
        Dataclass that the values should fit.
    values
        Decoded JSON: an object with the fields by name.

    Examples
    --------
    >>> from labelingest.storage.cloud.connections import Connection
    >>> misfit(Connection, {"region": 7}), misfit(Connection, {"retries": 3})
    ('region: found 7, expected a text or null', None)
    """
    if not isinstance(values, dict):
        return f"found {_shown(values)}, expected an object"
    types = _types(kind)
    for name, value in values.items():
        if name not in types:
            return f"{_shown(name)}: not known"
        if not _fits(value, types[name]):
            return f"{name}: found {_shown(value)}, expected {_expected(types[name])}"
    missing = [name for name in _needed(kind) if name not in values]
    return f"{missing[0]}: missing" if missing else None


def json_object(text: object) -> Any:
    """Return the decoded JSON of a stored text.

    Raises
    ------
    ValueError
        The value is no text, or the text is no JSON.
    """
    if not isinstance(text, str | bytes):
        raise ValueError(f"found {_shown(text)}, expected JSON")  # noqa: TRY004
    return orjson.loads(text)


def read_stored(kind: type[T], text: object, what: str) -> T:
    """Return the dataclass that a state keeps as JSON.

    Raises
    ------
    StorageError
        The text does not fit: the state is damaged.
    """
    try:
        values = json_object(text)
        why = misfit(kind, values)
        if why is None:
            return kind(**values)
    except ValueError as error:  # that of JSON, and what the dataclass refuses
        why = str(error)
    raise damaged(what, why)


def damaged(what: str, why: str) -> StorageError:
    """Return the exception for a part of a state that cannot be read, with the cure.

    Examples
    --------
    >>> str(damaged("the records of run 7", "status: missing")).partition(":")[0]
    'the records of run 7 in the state are damaged (status'
    """
    return StorageError(
        f"{what} in the state are damaged ({why}): put a backup of the state in its place, or name "
        "another with --state"
    )


def is_moment(value: object) -> bool:
    """Return whether a value is a time in the form that the state keeps.

    Examples
    --------
    >>> is_moment("2026-03-01T23:59:59.500Z"), is_moment("soon"), is_moment("2026-03-01")
    (True, False, False)
    """
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return False
    # Far enough from both ends of the calendar that a schedule can be added to it.
    return moment is not None and moment.tzinfo is not None and 1970 <= moment.year < 9000


@cache
def _types(kind: type) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind) if field.init}


@cache
def _needed(kind: type) -> Sequence[str]:
    return [
        field.name
        for field in fields(kind)
        if field.init and field.default is MISSING and field.default_factory is MISSING
    ]


def _fits(value: object, hint: Any) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(_fits(value, item) for item in arguments)
    if origin in (Mapping, dict):
        return isinstance(value, dict) and all(_fits(item, arguments[1]) for item in value.values())
    if origin in (Sequence, list):
        return isinstance(value, list) and all(_fits(item, arguments[0]) for item in value)
    if hint is float:
        return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))
    return _is_whole(value) if hint is int else isinstance(value, hint)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_MOST <= value < _MOST


def _expected(hint: Any) -> str:
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(map(_expected, get_args(hint)))
    if get_origin(hint) in (Mapping, dict):
        return "an object"
    return "a list" if get_origin(hint) in (Sequence, list) else _NAMES.get(hint, str(hint))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
