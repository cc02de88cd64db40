"""Objects on frames: one annotation after the other → as it is written, or why it is dropped.

Remembers of each object its class and frames: an object keeps its class, stands once on a frame,
and its answers are checked against both. Payloads are the business of `shapes.py`.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from labelingest.model.ontology import Shape
from labelingest.model.vocabulary import ObjectClass, Vocabulary
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems, child_pointer, excerpt
from labelingest.readers.encord.explain.provenance import (
    Dates,
    author,
    confidence,
    dates,
    hash_is_sound,
    is_manual,
)
from labelingest.readers.encord.explain.shapes import PAYLOAD_KEYS, payload

__all__ = ["Instance", "Objects", "compare_names", "object_class"]

KNOWN_KEYS: Final = frozenset(
    (
        *("name", "color", "shape", "value", "createdAt", "createdBy", "confidence"),
        *("objectHash", "featureHash", "manualAnnotation", "lastEditedAt", "lastEditedBy"),
        *("isDeleted", "reviews", "event", "interpolate", "polygons"),
        *PAYLOAD_KEYS.values(),
    )
)
_ELSEWHERE: Final = {
    Shape.AUDIO: "stands in object_answers of an audio file",
    Shape.TEXT: "stands in object_answers of a text",
}


@dataclass(slots=True)
class Instance:
    """One object of a row, on all its frames."""

    of: ObjectClass
    frames: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Objects:
    """The objects of one row."""

    vocabulary: Vocabulary
    defaults: Dates
    notes: DocumentProblems
    instances: dict[str, Instance] = field(default_factory=dict)
    """Hash → object, in the order of their first annotations that were kept."""
    dropped: dict[str, set[int]] = field(default_factory=dict)
    """Hash → frames of annotations that were not kept: nothing more is said of their answers."""
    rejected: Counter[ProblemCode] = field(default_factory=Counter)
    """Annotations that were not kept, by cause."""
    seen: int = 0
    kept: int = 0

    def read(
        self, value: object, at: str, frame: int, size: tuple[int, int] | None
    ) -> dict[str, Any] | None:
        """Return one annotation as it is written; None where it cannot be.

        Parameters
        ----------
        value
            The annotation as decoded.
        at
            Its pointer.
        frame
            The frame it stands on.
        size
            Width and height of the data unit in pixels; None where not known.
        """
        self.seen += 1
        if not isinstance(value, dict):
            self.notes.wrong_type(at, value, "an object")
            self.rejected[self.notes.cause] += 1
            return None
        object_hash = value.get("objectHash")
        if not isinstance(object_hash, str) or not object_hash:
            detail = f"'objectHash' is {excerpt(object_hash)}, expected 8 base64 characters"
            self.notes.note(ProblemCode.MISSING_KEY, at, detail)
            self.rejected[self.notes.cause] += 1
            return None
        written = self._written(value, at, frame, size, object_hash)
        if written is None:
            self.dropped.setdefault(object_hash, set()).add(frame)
            self.rejected[self.notes.cause] += 1
            return None
        self.kept += 1
        return written

    def _written(
        self,
        value: dict[str, Any],
        at: str,
        frame: int,
        size: tuple[int, int] | None,
        object_hash: str,
    ) -> dict[str, Any] | None:
        of = object_class(value, at, self.vocabulary, self.notes)
        if (
            of is None
            or not self._fits(value, at, of)
            or not self._free(object_hash, at, of, frame)
        ):
            return None
        sure = confidence(value, at, self.notes)
        drawn = payload(value, at, of, size, self.notes)
        if sure is None or drawn is None:
            return None
        self.enter(object_hash, at, of, frame)
        compare_names(value, at, of, self.notes)
        self.notes.unknown_keys(value, KNOWN_KEYS, at, "an object")
        when = dates(value, at, self.defaults, self.notes)
        written: dict[str, Any] = {
            "featureHash": of.feature_hash,
            "name": of.name,
            "color": of.color,
            "shape": of.shape,
            "value": of.value,
            "createdAt": when.created_at,
            "createdBy": author(value, "createdBy", at, self.notes),
            "confidence": sure,
            "objectHash": object_hash,
            "manualAnnotation": is_manual(value, at, self.notes),
            "lastEditedAt": when.last_edited_at,
        }
        _without_nulls(written, ("createdAt", "lastEditedAt"))
        self._optional(value, at, written)
        written.update(drawn)
        return written

    def _fits(self, value: dict[str, Any], at: str, of: ObjectClass) -> bool:
        """Whether the shape is the one of the class, and one that stands on frames."""
        shape = value.get("shape")
        code, place = ProblemCode.SHAPE_MISMATCH, child_pointer(at, "shape")
        if of.shape not in PAYLOAD_KEYS:
            where = _ELSEWHERE.get(Shape(of.shape)) if of.shape in list(Shape) else None
            code = code if where else ProblemCode.UNSUPPORTED_LABEL
            detail = f"an object of shape {of.shape} {where or 'belongs to scenes and time series'}"
        elif shape is None:
            code, place = ProblemCode.MISSING_KEY, at
            detail = f"'shape' is missing, expected {of.shape!r}, the shape of {excerpt(of.name)}"
        elif shape != of.shape:
            detail = f"{excerpt(shape)} is not {of.shape!r}, the shape of {excerpt(of.name)}"
        elif value.get("event") is not None or value.get("interpolate") not in (None, "hold"):
            code, place = ProblemCode.UNSUPPORTED_LABEL, child_pointer(at, _event_key(value))
            detail = "keyframes belong to scenes, which cloud-synced folders do not hold"
        else:
            return True
        self.notes.note(code, place, detail)
        return False

    def _free(self, object_hash: str, at: str, of: ObjectClass, frame: int) -> bool:
        """Whether the hash is new, or that of the same class on another frame."""
        known = self.instances.get(object_hash)
        if known is None:
            return True
        if known.of is not of:
            detail = (
                f"object {excerpt(object_hash)} is of {excerpt(known.of.name)} before and of "
                f"{excerpt(of.name)} here; an object keeps its class"
            )
            self.notes.note(ProblemCode.CLASS_CHANGED, child_pointer(at, "featureHash"), detail)
            return False
        if frame in known.frames:
            detail = f"object {excerpt(object_hash)} stands on frame {frame} already"
            self.notes.note(ProblemCode.DUPLICATE_OBJECT, child_pointer(at, "objectHash"), detail)
            return False
        return True

    def enter(self, object_hash: str, at: str, of: ObjectClass, frame: int) -> None:
        """Remember an object that is kept on a frame."""
        known = self.instances.get(object_hash)
        if known is None:
            known = self.instances[object_hash] = Instance(of)
            hash_is_sound(object_hash, child_pointer(at, "objectHash"), self.notes)
            if of.archived:
                detail = f"{excerpt(of.name)} is archived in the ontology: kept"
                self.notes.note(
                    ProblemCode.ARCHIVED_CLASS, child_pointer(at, "featureHash"), detail
                )
        known.frames.add(frame)

    def _optional(self, value: dict[str, Any], at: str, written: dict[str, Any]) -> None:
        """Add the keys that are written only when they say something."""
        editor = author(value, "lastEditedBy", at, self.notes)
        if editor is not None:
            written["lastEditedBy"] = editor
        deleted = value.get("isDeleted")
        if isinstance(deleted, bool):
            written["isDeleted"] = deleted
        elif deleted is not None:
            self.notes.replaced(
                child_pointer(at, "isDeleted"), deleted, "true or false", "left out"
            )


def object_class(
    value: dict[str, Any], at: str, vocabulary: Vocabulary, notes: DocumentProblems
) -> ObjectClass | None:
    """Return the class of an object; None where the ontology has none of its feature hash."""
    feature_hash = value.get("featureHash")
    if feature_hash is None:
        detail = "'featureHash' is missing, expected that of an ontology object"
        notes.note(ProblemCode.MISSING_KEY, at, detail)
        return None
    of = vocabulary.objects.get(feature_hash) if isinstance(feature_hash, str) else None
    if of is None:
        detail = f"no object of the ontology has the feature hash {excerpt(feature_hash)}"
        notes.note(ProblemCode.UNKNOWN_CLASS, child_pointer(at, "featureHash"), detail)
    return of


def compare_names(value: dict[str, Any], at: str, of: ObjectClass, notes: DocumentProblems) -> None:
    """Note name, color and value that are not those of the class, which are written instead."""
    for key, expected in (("name", of.name), ("color", of.color), ("value", of.value)):
        found = value.get(key, expected)
        if found != expected:
            detail = f"{excerpt(found)} is {expected!r} in the ontology, which is written"
            notes.note(ProblemCode.DIFFERS_FROM_ONTOLOGY, child_pointer(at, key), detail)


def _event_key(value: dict[str, Any]) -> str:
    return "event" if value.get("event") is not None else "interpolate"


def _without_nulls(written: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in keys:
        if written[key] is None:
            del written[key]
