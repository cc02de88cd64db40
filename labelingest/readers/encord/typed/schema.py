"""Schema of a vocabulary: types of its classes, and forms of answers that were clean before.

A schema is made once for a vocabulary. Archived classes are not part of it, as each of their labels
gets a warning from the explaining path.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct, field

from labelingest.columns.types import UInt8
from labelingest.encord.keys import PAYLOAD_KEYS
from labelingest.encord.typed_rows import ImageRow
from labelingest.model.vocabulary import Attribute, ClassificationClass, ObjectClass, Vocabulary
from labelingest.readers.encord.typed.rules import Rules
from labelingest.readers.encord.typed.types import (
    answer_types,
    classification_type,
    frame_type,
    object_type,
    row_type,
)

__all__ = ["Form", "RowSchema", "schema_from_vocabulary"]

Form = tuple[type, ...]
"""Types of the answers of a list, then types of their chosen options."""

_MOST: Final = 50_000
"""Forms of answers that a schema remembers before it forgets all, to bound its memory."""


class RowSchema(Struct, frozen=True, eq=False):
    """Types and classes of the labels of clean rows."""

    rules: Rules
    """Rules that types cannot state."""
    decoder: msgspec.json.Decoder[ImageRow]
    """Decoder of clean label rows."""
    objects: tuple[ObjectClass, ...]
    """(o,) classes of objects that are not archived and are drawn on frames."""
    position: Mapping[type, int]
    """Type of an object → position of its class in `objects`."""
    shapes: UInt8
    """(o,) number of each class's shape; equal shapes have equal numbers."""
    colons: tuple[int, ...]
    """(o,) colons in the text of an object of each class, without payload and optional keys."""
    classifications: Mapping[type, ClassificationClass]
    """Type of an entry of classification_answers → its class."""
    on_frames: Mapping[str, type]
    """Feature hash of a classification → type of its frame labels."""
    demanding: frozenset[int]
    """Positions in `objects` of classes with an attribute that every object must answer."""
    clean_answers: dict[tuple[str, Form], int] = field(default_factory=dict)
    """Feature hash of a class and a clean form of a list of answers → colons in such a list,
    without those in texts that are answers."""

    def remember(self, class_hash: str, form: Form, colons: int) -> None:
        """Remember a clean form of answers, with its colons."""
        if len(self.clean_answers) >= _MOST:
            self.clean_answers.clear()
        self.clean_answers[class_hash, form] = colons


@lru_cache(maxsize=4)
def schema_from_vocabulary(vocabulary: Vocabulary, rules: Rules) -> RowSchema:
    """Return the schema of a vocabulary; the same object for the same vocabulary."""
    objects = tuple(
        object_class
        for object_class in vocabulary.objects.values()
        if not object_class.archived and object_class.shape in PAYLOAD_KEYS
    )
    definitions = [
        definition for definition in vocabulary.classifications.values() if not definition.archived
    ]
    object_types = list(map(object_type, objects))
    entry_types = list(map(classification_type, definitions))
    frame_types = list(map(frame_type, definitions))
    row = row_type(object_types, answer_types(_attributes(objects)), entry_types, frame_types)
    hashes = [definition.feature_hash for definition in definitions]
    shapes = [list(PAYLOAD_KEYS).index(object_class.shape) for object_class in objects]
    return RowSchema(
        rules=rules,
        decoder=msgspec.json.Decoder(row),
        objects=objects,
        position={kind: position for position, kind in enumerate(object_types)},
        shapes=np.array(shapes, dtype=np.uint8),
        colons=tuple(map(_colons, objects)),
        classifications=dict(zip(entry_types, definitions, strict=True)),
        on_frames=dict(zip(hashes, frame_types, strict=True)),
        demanding=frozenset(
            i for i, object_class in enumerate(objects) if _requires_answer(object_class)
        ),
    )


def _attributes(objects: Iterable[ObjectClass]) -> list[Attribute]:
    """Return the attributes of all classes, without hashes whose attributes differ."""
    attributes: dict[str, Attribute] = {}
    different: set[str] = set()
    for attribute in chain.from_iterable(
        object_class.attributes.values() for object_class in objects
    ):
        if attributes.setdefault(attribute.feature_hash, attribute) != attribute:
            different.add(attribute.feature_hash)
    return [value for key, value in attributes.items() if key not in different]


_KEYS_AND_CLOCKS: Final = 11 + 2 * 2


def _colons(object_class: ObjectClass) -> int:
    """Return the colons in the keys of an object, in its dates and in the texts of its class."""
    payload = 2 if object_class.shape == "polygon" else 1
    texts = (
        object_class.feature_hash,
        object_class.name,
        object_class.color,
        object_class.shape,
        object_class.value,
    )
    return _KEYS_AND_CLOCKS + payload + sum(text.count(":") for text in texts)


def _requires_answer(object_class: ObjectClass) -> bool:
    """Return whether every object of a class needs an answer."""
    required = [a for a in object_class.attributes.values() if a.required and not a.archived]
    return any(attribute.parent is None for attribute in required)
