"""Words of messages about ontology objects and class numbers."""

from collections.abc import Iterable, Sequence
from typing import Final

from labelingest.model.ontology import OntologyObject

__all__ = ["ADD_IDS", "MAP_BY_HAND", "described", "either_of", "named", "quoted", "shortlist"]

ADD_IDS: Final = 'add external IDs to its objects ("externalIds": {"YOLO": "7"})'
MAP_BY_HAND: Final = "map class numbers by hand (--map 7=NAME)"


def named(object_class: OntologyObject) -> str:
    """Return name and feature hash of an object."""
    return f"{object_class.name!r} ({object_class.feature_hash})"


def described(object_class: OntologyObject) -> str:
    """Return feature hash and shape of an object, for choosing between objects of one name."""
    archived = ", archived" if object_class.archived else ""
    return f"{object_class.feature_hash} ({object_class.shape}{archived})"


def quoted(names: Iterable[str]) -> str:
    """Return names in quotes.

    Examples
    --------
    >>> quoted(["SAP", "YOLO"])
    "'SAP', 'YOLO'"
    """
    return ", ".join(map(repr, names))


def either_of(words: Sequence[str]) -> str:
    """Return words as alternatives.

    Examples
    --------
    >>> either_of(["box", "polygon", "point"])
    'box, polygon or point'
    """
    return f"{', '.join(words[:-1])} or {words[-1]}"


def shortlist(numbers: Sequence[int]) -> str:
    """Return the first five numbers."""
    return ", ".join(map(str, numbers[:5])) + (", …" if numbers[5:] else "")
