"""Read the class names of `notes.json`, which Label Studio writes beside exported YOLO labels."""

import json
from typing import Any, Final

from labelingest.class_lists.class_list import ClassList, UnreadableListError
from labelingest.model.ontology import LARGEST_CLASS_NUMBER

__all__ = ["from_notes"]

_NO_CATEGORIES: Final = "expected 'categories', a list of objects with id and name"


def from_notes(source: str, text: str) -> ClassList:
    """Read `categories`: a list of objects with `id` and `name`.

    Raises
    ------
    UnreadableListError
        The file is not JSON, or a number or name is missing, repeated or invalid.

    Examples
    --------
    >>> from_notes("notes.json", '{"categories": [{"id": 0, "name": "tug"}]}').names
    {0: 'tug'}
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableListError(
            source, f"not JSON ({error.msg})", error.lineno, error.colno
        ) from error
    except (ValueError, RecursionError) as error:
        raise UnreadableListError(source, "not JSON that holds class names") from error
    categories = document.get("categories") if isinstance(document, dict) else None
    if not isinstance(categories, list):
        return ClassList(source, {}, missing=_NO_CATEGORIES)
    names: dict[int, str] = {}
    pointers: dict[int, str] = {}
    for position, category in enumerate(categories):
        number, name = _category(source, position, category)
        if number in names:
            raise UnreadableListError(source, f"class number {number} is named twice")
        names[number], pointers[number] = name, f"/categories/{position}/name"
    missing = "" if names else "holds no class name"
    return ClassList(source, dict(sorted(names.items())), pointers=pointers, missing=missing)


def _category(source: str, position: int, category: Any) -> tuple[int, str]:
    """Return class number and name of one entry."""
    entry: dict[str, Any] = category if isinstance(category, dict) else {}
    number, name = entry.get("id"), entry.get("name")
    if type(number) is not int or not 0 <= number <= LARGEST_CLASS_NUMBER:
        raise UnreadableListError(
            source, f"categories/{position}: expected 'id', an integer from 0 on"
        )
    if not isinstance(name, str) or not name.strip():
        raise UnreadableListError(
            source, f"categories/{position}: expected 'name', a text that is not empty"
        )
    return number, name.strip()
