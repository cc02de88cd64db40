"""Author, dates and confidence of a label: the keys that objects and classifications share."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from msgspec import Struct

from labelingest.encord.dates import written_date
from labelingest.model.authors import is_email
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems, excerpt, json_type_name
from labelingest.problems.pointers import child_pointer

__all__ = [
    "Dates",
    "check_hash",
    "read_author",
    "read_confidence",
    "read_date",
    "read_dates",
    "read_manual",
]

_HASH: Final = re.compile(r"[A-Za-z0-9+/]{8}")


class Dates(Struct, frozen=True):
    """Dates of a label, in the form of label rows."""

    created_at: str | None
    """Date of creation; None for an unknown date."""
    last_edited_at: str | None
    """Date of the last edit; None for an unknown date."""


def read_date(
    entry: Mapping[str, Any], key: str, pointer: str, problems: DocumentProblems
) -> str | None:
    """Return a date in the form of label rows; None for a missing, null or unreadable date.

    Examples
    --------
    >>> read_date({"createdAt": "2026-01-05"}, "createdAt", "", DocumentProblems("a.json"))
    'Mon, 05 Jan 2026 00:00:00 UTC'
    """
    value = entry.get(key)
    if value is None:
        return None
    date = written_date(value) if isinstance(value, str) else None
    if date is None:
        detail = f"found {excerpt(value)}, expected a date like 'Mon, 05 Jan 2026 16:46:58 UTC'"
        problems.note(ProblemCode.BAD_DATE, child_pointer(pointer, key), f"{detail}: left out")
    return date


def read_dates(
    entry: dict[str, Any], pointer: str, defaults: Dates, problems: DocumentProblems
) -> Dates:
    """Return the dates of a label; defaults replace missing ones."""
    created_at = read_date(entry, "createdAt", pointer, problems) or defaults.created_at
    return Dates(
        created_at, read_date(entry, "lastEditedAt", pointer, problems) or defaults.last_edited_at
    )


def read_author(
    entry: dict[str, Any], key: str, pointer: str, problems: DocumentProblems
) -> str | None:
    """Return an author's e-mail address; None for another value, which means the importing user."""
    value = entry.get(key)
    if value is None or (isinstance(value, str) and is_email(value)):
        return value
    detail = f"{excerpt(value)} is no e-mail address: left out"
    problems.note(ProblemCode.BAD_AUTHOR, child_pointer(pointer, key), detail)
    return None


def read_confidence(
    entry: dict[str, Any], pointer: str, problems: DocumentProblems
) -> float | None:
    """Return a confidence, 1.0 for a missing one; None for a value outside 0..1."""
    value = entry.get("confidence")
    if value is None:
        return 1.0
    place = child_pointer(pointer, "confidence")
    if type(value) is not float and type(value) is not int:
        detail = f"found {json_type_name(value)} ({excerpt(value)}), expected a number from 0 to 1"
    elif not isfinite(value) or not 0 <= value <= 1:
        detail = f"{value!r} is no confidence; expected a number from 0 to 1"
    else:
        return float(value)
    problems.note(ProblemCode.BAD_CONFIDENCE, place, detail)
    return None


def read_manual(entry: dict[str, Any], pointer: str, problems: DocumentProblems) -> bool:
    """Return whether a person made the label; true for a missing value."""
    value = entry.get("manualAnnotation")
    if value is None or isinstance(value, bool):
        return value is not False
    problems.replaced(
        child_pointer(pointer, "manualAnnotation"), value, "true or false", "true is written"
    )
    return True


def check_hash(value: str, pointer: str, problems: DocumentProblems) -> bool:
    """Return whether a hash is 8 base64 characters; note one that is not."""
    if _HASH.fullmatch(value):
        return True
    detail = f"{excerpt(value)} is no hash of 8 base64 characters: it gets a new one"
    problems.note(ProblemCode.BAD_HASH, pointer, detail)
    return False
