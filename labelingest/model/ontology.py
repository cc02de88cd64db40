"""The target vocabulary: ontology objects with shape and feature hash, and the class map.

Knows nothing of files: `resolution/ontology_json.py` reads an ontology, `resolution/class_map.py`
makes a class map from it.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import numpy as np
from msgspec import Struct, field

from labelingest.columns.types import Int32, Int64

__all__ = [
    "LARGEST_CLASS_NUMBER",
    "ClassMap",
    "Ontology",
    "OntologyObject",
    "Shape",
    "class_number",
    "machine_name",
]


LARGEST_CLASS_NUMBER: Final = 2**53
"""Class numbers may be written `7.0`; beyond this, doubles no longer tell neighbours apart."""


def class_number(text: str) -> int | None:
    """Return the class number that a text of decimal digits means; None for any other text.

    Leading zeros and length do not matter; a number beyond `LARGEST_CLASS_NUMBER` is no class number.

    Examples
    --------
    >>> [class_number(text) for text in ("3", "03", "-1", "3.0", "car", "9" * 400)]
    [3, 3, None, None, None, None]
    """
    if not re.fullmatch("[0-9]+", text):
        return None
    digits = text.lstrip("0")
    # Length first: Python refuses to convert thousands of digits.
    number = int(digits or "0") if len(digits) <= 16 else LARGEST_CLASS_NUMBER + 1
    return number if number <= LARGEST_CLASS_NUMBER else None


def machine_name(name: str) -> str:
    """Return the `value` that Encord's client writes beside a name.

    Lower case, spaces to underscores, nothing else.

    Examples
    --------
    >>> machine_name("Speed kmh")
    'speed_kmh'
    """
    return name.lower().replace(" ", "_")


class Shape(StrEnum):
    """The shapes an ontology object may have (Encord's names)."""

    BOUNDING_BOX = "bounding_box"
    ROTATABLE_BOUNDING_BOX = "rotatable_bounding_box"
    POLYGON = "polygon"
    POLYLINE = "polyline"
    POINT = "point"
    CIRCLE = "circle"
    ELLIPSE = "ellipse"
    BITMASK = "bitmask"
    SKELETON = "skeleton"
    CUBOID_2D = "cuboid_2d"
    CUBOID = "cuboid"
    AUDIO = "audio"
    TEXT = "text"
    TIME_RANGE = "time_range"
    SEGMENTATION = "segmentation"


class OntologyObject(Struct, frozen=True):
    """One object class of an ontology, as columns of labels refer to it by its row.

    `model.vocabulary.ObjectClass` is the same class by feature hash, with attributes and skeleton
    points: only label rows have those.
    """

    name: str
    color: str
    """`#RRGGBB`."""
    shape: Shape
    feature_hash: str
    """`featureNodeHash`: the identity of the class; labels call it `featureHash`."""
    archived: bool = False
    external_ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Namespace → the identifiers this object has in that foreign system."""

    @property
    def value(self) -> str:
        """Machine name that label rows carry beside the name."""
        return machine_name(self.name)


class Ontology(Struct, frozen=True, eq=False):
    """An ontology as the engine uses it."""

    objects: tuple[OntologyObject, ...]
    """In the order of the file; `Annotations.feature` points here."""
    identity: str
    """The platform's ontology hash where the file has one, else a fingerprint of the content."""
    title: str = ""
    structure: Mapping[str, Any] = field(default_factory=dict)
    """The decoded JSON structure, as read: for what has no columns."""


class ClassMap(Struct, frozen=True, eq=False):
    """Class number → ontology object, as two columns.

    Examples
    --------
    >>> class_map = ClassMap(np.array([0, 7]), np.array([1, 0], dtype=np.int32))
    >>> class_map.resolve(np.array([7, 3, 0])).tolist()
    [0, -1, 1]
    """

    number: Int64
    """(m,) class numbers, ascending, all different."""
    feature: Int32
    """(m,) row of each number's object in `Ontology.objects`."""

    @classmethod
    def empty(cls) -> "ClassMap":
        """Return the class map of labels that have no class numbers."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.number)

    def is_one_to_one(self) -> bool:
        """Return whether no two numbers mean one object."""
        return int(np.bincount(self.feature).max(initial=0)) <= 1

    def resolve(self, class_number: Int64) -> Int32:
        """Return (n,) the row in `Ontology.objects` of each number; -1 where it is not mapped."""
        if not len(self.number):
            return np.full(len(class_number), -1, dtype=np.int32)
        rows = np.minimum(np.searchsorted(self.number, class_number), len(self.number) - 1)
        return np.where(self.number[rows] == class_number, self.feature[rows], np.int32(-1))
