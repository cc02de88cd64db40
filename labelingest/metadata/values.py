"""Check a value against the type of its key; a wrong value gets a code, a place inside it and a cure.

Null counts as missing and fits any type. A time without a zone is UTC. Correct values are not
changed.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from labelingest.documents.exact_numbers import ExactNumber
from labelingest.metadata.types import (
    BooleanType,
    DatetimeType,
    EmbeddingType,
    EnumType,
    GeospatialType,
    LiveType,
    NumberType,
    TextType,
    UserType,
    UuidType,
    VarcharType,
    VariantType,
)
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import excerpt, json_type_name

__all__ = ["Wrong", "wrong_value"]

_NUMBERS: Final = frozenset((int, float, ExactNumber))
"""Types of numbers, compared exactly: a boolean is an instance of int."""
_LARGEST_F32: Final = float.fromhex("0x1.fffffefffffffp127")
"""The largest double that single precision rounds to a finite number."""
_ISO_8601: Final = re.compile(
    r"\d{4}(?:-\d\d-\d\d|\d{4})"
    r"(?:[T ]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:(?:-[0-9a-f]{4}){3}-|[0-9a-f]{12})[0-9a-f]{12}", re.I)
_LONGEST_OPTION: Final = 100
"""Characters of the longest text that is compared with options as a misspelling."""
_DEGREES: Final[Mapping[str, int]] = {"latitude": 90, "longitude": 180}


class Wrong(NamedTuple):
    """Reason why a value does not fit the type of its key."""

    code: ProblemCode
    pointer: str
    """JSON pointer inside the value; "" for the value itself."""
    detail: str


def wrong_value(value: Any, declared: LiveType) -> Wrong | None:
    """Return why a value does not fit the type of its key; None where it fits.

    Parameters
    ----------
    value
        Value of decoded JSON.

    Examples
    --------
    >>> wrong_value("2026-01-05T16:46:58Z", DatetimeType()) is None
    True
    >>> print(wrong_value("0.5", NumberType()).detail)
    found text ('0.5'), expected a number
    >>> wrong_value({"latitude": 47.4, "longitude": 208.5}, GeospatialType()).pointer
    '/longitude'
    """
    if value is None:
        return None
    if isinstance(declared, VariantType):
        declared = _PLAIN[declared.hint]
    return _CHECKS[type(declared)](value, declared)


def _type(value: Any, expected: str, pointer: str = "") -> Wrong:
    actual = f"found {json_type_name(value)} ({excerpt(value)})"
    return Wrong(ProblemCode.WRONG_TYPE, pointer, f"{actual}, expected {expected}")


def _boolean(value: Any, declared: BooleanType) -> Wrong | None:
    return None if type(value) is bool else _type(value, "true or false")


def _number(value: Any, declared: NumberType) -> Wrong | None:
    if type(value) not in _NUMBERS:
        return _type(value, "a number")
    if declared.format == "F32" and abs(value) > _LARGEST_F32:
        detail = f"{excerpt(value)} is beyond single precision (F32, ±3.4e38): declare it as F64"
        return Wrong(ProblemCode.NUMBER_TOO_LARGE, "", detail)
    return None


def _text(value: Any, declared: TextType | UserType) -> Wrong | None:
    return None if type(value) is str else _type(value, "text")


def _varchar(value: Any, declared: VarcharType) -> Wrong | None:
    if type(value) is not str:
        return _type(value, "text")
    if len(value) > declared.max_length:
        detail = (
            f"{len(value):,} characters, at most {declared.max_length:,} fit: shorten it, or "
            "declare the key as text"
        )
        return Wrong(ProblemCode.TEXT_TOO_LONG, "", detail)
    return None


def _datetime(value: Any, declared: DatetimeType) -> Wrong | None:
    if type(value) is not str:
        return _type(value, "a date and time as text")
    try:
        if len(value) <= 64 and _ISO_8601.fullmatch(value):
            datetime.fromisoformat(value)
            return None
    except ValueError:
        pass
    detail = f"{excerpt(value)} is no date of ISO 8601, as '2026-01-05T16:46:58Z'"
    return Wrong(ProblemCode.BAD_DATETIME, "", detail)


def _uuid(value: Any, declared: UuidType) -> Wrong | None:
    if type(value) is not str:
        return _type(value, "a UUID as text")
    if _UUID.fullmatch(value):
        return None
    detail = f"{excerpt(value)} is no UUID, as '3f0c9a52-6d1e-4b7a-9c55-08d2b1c7e4aa'"
    return Wrong(ProblemCode.BAD_UUID, "", detail)


def _enum(value: Any, declared: EnumType) -> Wrong | None:
    if type(value) is not str:
        return _type(value, "one of the options as text")
    if value in declared.values:
        return None
    similar: list[str] = []
    if len(value) <= _LONGEST_OPTION:
        similar = [option for option in declared.values if option.lower() == value.lower()]
        similar += get_close_matches(value, declared.values, n=1)
    hint = (
        f"did you mean {similar[0]!r}?" if similar else f"declared are {excerpt(declared.values)}"
    )
    return Wrong(ProblemCode.UNDECLARED_OPTION, "", f"{excerpt(value)} is no option; {hint}")


def _embedding(value: Any, declared: EmbeddingType) -> Wrong | None:
    if type(value) is not list:
        return _type(value, f"a list of {declared.size:,} numbers")
    if not _NUMBERS.issuperset(map(type, value)):
        position, number = next(
            (position, number)
            for position, number in enumerate(value)
            if type(number) not in _NUMBERS
        )
        return _type(number, "a number", f"/{position}")
    if len(value) != declared.size:
        detail = f"{len(value):,} numbers, declared are {declared.size:,}: of another model?"
        return Wrong(ProblemCode.WRONG_EMBEDDING_SIZE, "", detail)
    return None


def _geospatial(value: Any, declared: GeospatialType) -> Wrong | None:
    if type(value) is not dict:
        return _type(value, "an object with latitude and longitude")
    for name, most in _DEGREES.items():
        if name not in value:
            detail = f"{name!r} is missing; a place has latitude and longitude, in degrees"
            return Wrong(ProblemCode.BAD_COORDINATES, "", detail)
        degrees = value[name]
        if type(degrees) not in _NUMBERS:
            return _type(degrees, "a number of degrees", f"/{name}")
        if not -most <= degrees <= most:
            detail = f"{excerpt(degrees)} is no {name}: −{most} to {most} degrees"
            swapped = name == "latitude" and abs(degrees) <= 180
            detail += "; are latitude and longitude swapped?" if swapped else ""
            return Wrong(ProblemCode.BAD_COORDINATES, f"/{name}", detail)
    return None


_PLAIN: Final[Mapping[str, LiveType]] = {
    "boolean": BooleanType(),
    "datetime": DatetimeType(),
    "number": NumberType(),
    "text": TextType(),
    "uuid": UuidType(),
    "varchar": VarcharType(),
}
"""Hint of a variant → the type that the hint means."""
_CHECKS: Final[Mapping[type, Callable[[Any, Any], Wrong | None]]] = {
    BooleanType: _boolean,
    DatetimeType: _datetime,
    EmbeddingType: _embedding,
    EnumType: _enum,
    GeospatialType: _geospatial,
    NumberType: _number,
    TextType: _text,
    UserType: _text,
    UuidType: _uuid,
    VarcharType: _varchar,
}
