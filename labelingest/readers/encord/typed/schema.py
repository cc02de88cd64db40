"""What the fast path knows of a vocabulary: types of its classes, and answers found clean before.

Made once for a vocabulary. An archived class is not in here: each of its labels is worth a warning.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import msgspec
import numpy as np

from labelingest.columns.types import UInt8
from labelingest.encord.typed_rows import ImageRow
from labelingest.model.vocabulary import Attribute, ClassificationClass, ObjectClass, Vocabulary
from labelingest.readers.encord.explain.shapes import PAYLOAD_KEYS
from labelingest.readers.encord.typed.types import (
    answer_types,
    classification_type,
    frame_type,
    object_type,
    row_type,
)

__all__ = ["Form", "Known", "known_of"]

Form = tuple[type, ...]
"""The types of the answers of a list, then those of the options that are chosen."""

_MOST: Final = 50_000
"""Forms of answers that are remembered; then all are forgotten: memory has a bound."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The classes that labels of a clean row can be of."""

    decoder: msgspec.json.Decoder[ImageRow]
    objects: tuple[ObjectClass, ...]
    position: Mapping[type, int]
    """Type of an object → position of its class in `objects`."""
    shapes: UInt8
    """(o,) a number for the shape of each class, the same for the same shape."""
    colons: tuple[int, ...]
    """Colons in the text of an object of each class, without what it draws and optional keys."""
    classifications: Mapping[type, ClassificationClass]
    """Type of an entry of classification_answers → its class."""
    on_frames: Mapping[str, type]
    """Feature hash of a classification → type of what stands on frames of it."""
    demanding: frozenset[int]
    """Positions in `objects` of the classes that ask for an answer always."""
    clean_answers: dict[tuple[str, Form], int] = field(default_factory=dict)
    """Feature hash of a class and the form of a list of answers, of those found clean → the colons
    in their text, but for those in texts that are answered."""

    def remember(self, of: str, form: Form, colons: int) -> None:
        """Remember that answers of a form are clean."""
        if len(self.clean_answers) >= _MOST:
            self.clean_answers.clear()
        self.clean_answers[of, form] = colons


@lru_cache(maxsize=4)
def known_of(vocabulary: Vocabulary) -> Known:
    """Return what is known of a vocabulary; the same object for the same one."""
    objects = tuple(
        of for of in vocabulary.objects.values() if not of.archived and of.shape in PAYLOAD_KEYS
    )
    drawn = [object_type(of) for of in objects]
    classes = [of for of in vocabulary.classifications.values() if not of.archived]
    said = [classification_type(of) for of in classes]
    on_frames = [frame_type(of) for of in classes]
    row = row_type(drawn, answer_types(_attributes(objects)), said, on_frames)
    return Known(
        msgspec.json.Decoder(row),
        objects,
        {kind: position for position, kind in enumerate(drawn)},
        np.array([list(PAYLOAD_KEYS).index(of.shape) for of in objects], dtype=np.uint8),
        tuple(map(_colons, objects)),
        dict(zip(said, classes, strict=True)),
        {of.feature_hash: kind for of, kind in zip(classes, on_frames, strict=True)},
        frozenset(position for position, of in enumerate(objects) if _asks(of)),
    )


def _attributes(objects: Iterable[ObjectClass]) -> list[Attribute]:
    """Return the attributes of all classes, each hash once; none of those that differ."""
    found: dict[str, Attribute] = {}
    different: set[str] = set()
    for attribute in (one for of in objects for one in of.attributes.values()):
        if found.setdefault(attribute.feature_hash, attribute) != attribute:
            different.add(attribute.feature_hash)
    return [one for one in found.values() if one.feature_hash not in different]


_KEYS_AND_CLOCKS: Final = 11 + 2 * 2


def _colons(of: ObjectClass) -> int:
    """Return the colons in the keys of an object, in its dates and in what it says of its class."""
    payload = 2 if of.shape == "polygon" else 1
    texts = (of.feature_hash, of.name, of.color, of.shape, of.value)
    return _KEYS_AND_CLOCKS + payload + sum(text.count(":") for text in texts)


def _asks(of: ObjectClass) -> bool:
    """Whether an object of a class without any answer lacks one."""
    asked = [a for a in of.attributes.values() if a.required and not a.archived]
    return any(attribute.parent is None for attribute in asked)
