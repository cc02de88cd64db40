"""What the fast path knows of a vocabulary: its classes in columns, and answers found clean before.

Made once for a vocabulary. An archived class is not in here: each of its labels is worth a warning.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from labelingest.model.vocabulary import ClassificationClass, ObjectClass, Vocabulary
from labelingest.readers.encord.keyed import Row, demand

__all__ = ["Known", "known_of"]

_MOST: Final = 50_000
"""Lists of answers that are remembered; then all are forgotten: memory has a bound."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The classes that labels of a clean row can be of."""

    vocabulary: Vocabulary
    objects: tuple[ObjectClass, ...]
    position: Mapping[str, int]
    """Feature hash → position in `objects`."""
    names: Mapping[str, tuple[str, ...]]
    """Key of an object → what it says for each class."""
    colons: tuple[int, ...]
    """Colons in what an object says of each class."""
    demanding: frozenset[str]
    """Feature hashes of the classes that ask for an answer always."""
    clean_answers: set[tuple[str, bytes]] = field(default_factory=set)
    """Feature hash of a class and the form of a list of answers, of those found clean."""

    def answers_are_clean(self, of: str, form: bytes, check: Callable[[], bool]) -> bool:
        """Return what a check says of answers of that form, remembered where it is yes."""
        if (of, form) in self.clean_answers:
            return True
        clean = check()
        if clean:
            if len(self.clean_answers) >= _MOST:
                self.clean_answers.clear()
            self.clean_answers.add((of, form))
        return clean

    def classification(self, feature_hash: str) -> ClassificationClass:
        """Return a class of classifications that is not archived."""
        of = self.vocabulary.classifications[feature_hash]
        demand(not of.archived)
        return of


@lru_cache(maxsize=4)
def known_of(vocabulary: Vocabulary) -> Known:
    """Return what is known of a vocabulary; the same object for the same one."""
    objects = tuple(of for of in vocabulary.objects.values() if not of.archived)
    rows: list[Row] = [
        {"name": of.name, "color": of.color, "shape": of.shape, "value": of.value} for of in objects
    ]
    return Known(
        vocabulary,
        objects,
        {of.feature_hash: position for position, of in enumerate(objects)},
        {key: tuple(map(itemgetter(key), rows)) for key in ("name", "color", "shape", "value")},
        tuple(
            sum(text.count(":") for text in (of.feature_hash, *row.values()))
            for of, row in zip(objects, rows, strict=True)
        ),
        frozenset(of.feature_hash for of in objects if _asks(of)),
    )


def _asks(of: ObjectClass) -> bool:
    """Whether an object of a class without any answer lacks one."""
    asked: list[Any] = [a for a in of.attributes.values() if a.required and not a.archived]
    return any(attribute.parent is None for attribute in asked)
