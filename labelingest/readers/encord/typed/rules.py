"""Rules of label rows that no type can state, as values that the typed path is given.

The explaining path has the same rules for one value at a time. Passing its functions as values
keeps both paths equal, and no module of the typed path imports the explaining one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from labelingest.model.vocabulary import Attribute, ObjectClass
from labelingest.readers.encord.data_file import DataFile

__all__ = ["Rules", "Size"]

Size: TypeAlias = tuple[int, int]
"""Width and height of an image in pixels."""


class Rules(Struct, frozen=True):
    """Functions of the explaining path; each refuses values that it has a problem with."""

    are_clean_answers: Callable[[Sequence[dict[str, Any]], Mapping[str, Attribute]], bool]
    """Whether decoded answers to attributes, by hash, would be written as they are."""
    clean_payloads: Callable[
        [Sequence[Any], Sequence[ObjectClass], Sequence[Size]], list[dict[str, Any]] | None
    ]
    """(n,) decoded payloads, their classes and image sizes → payload keys as label rows write
    them; None for payloads with a problem."""
    are_types_of_files: Callable[[Iterable[tuple[str, DataFile]]], bool]
    """Whether each MIME type fits its image file."""
