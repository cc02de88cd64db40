"""Objects on frames: one annotation after the other → as it is written, or why it is dropped.

Remembers of each object its class and frames: an object keeps its class, stands once on a frame,
and its answers are checked against both. Payloads are the business of `shapes.py`.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from labelingest.encord.keys import PAYLOAD_KEYS
from labelingest.model.ontology import Shape
from labelingest.model.vocabulary import ObjectClass, Vocabulary
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems, excerpt
from labelingest.problems.pointers import child_pointer
from labelingest.readers.encord.explain.ontology_checks import note_archived, note_differences
from labelingest.readers.encord.explain.provenance import (
    Dates,
    check_hash,
    read_author,
    read_confidence,
    read_dates,
    read_manual,
)
from labelingest.readers.encord.explain.shapes import read_payload

__all__ = ["Instance", "Objects", "compare_names", "find_class"]

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

    object_class: ObjectClass
    frames: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Objects:
    """The objects of one row."""

    vocabulary: Vocabulary
    defaults: Dates
    problems: DocumentProblems
    instances: dict[str, Instance] = field(default_factory=dict)
    """Hash → object, in the order of their first annotations that were kept."""
    dropped: dict[str, set[int]] = field(default_factory=dict)
    """Hash → frames of annotations that were not kept: nothing more is said of their answers."""
    rejected: Counter[ProblemCode] = field(default_factory=Counter)
    """Annotations that were not kept, by cause."""
    seen: int = 0
    accepted: int = 0

    def read(
        self, value: object, pointer: str, frame: int, size: tuple[int, int] | None
    ) -> dict[str, Any] | None:
        """Return one annotation as it is written; None where it cannot be.

        Parameters
        ----------
        value
            The annotation as decoded.
        pointer
            Its pointer.
        frame
            The frame it stands on.
        size
            Width and height of the data unit in pixels; None where not known.
        """
        self.seen += 1
        if not isinstance(value, dict):
            self.problems.wrong_type(pointer, value, "an object")
            self.rejected[self.problems.cause] += 1
            return None
        object_hash = value.get("objectHash")
        if not isinstance(object_hash, str) or not object_hash:
            detail = f"'objectHash' is {excerpt(object_hash)}, expected 8 base64 characters"
            self.problems.note(ProblemCode.MISSING_KEY, pointer, detail)
            self.rejected[self.problems.cause] += 1
            return None
        output = self._output(value, pointer, frame, size, object_hash)
        if output is None:
            self.dropped.setdefault(object_hash, set()).add(frame)
            self.rejected[self.problems.cause] += 1
            return None
        self.accepted += 1
        return output

    def _output(
        self,
        value: dict[str, Any],
        pointer: str,
        frame: int,
        size: tuple[int, int] | None,
        object_hash: str,
    ) -> dict[str, Any] | None:
        object_class = find_class(value, pointer, self.vocabulary, self.problems)
        if (
            object_class is None
            or not self._has_shape_of_class(value, pointer, object_class)
            or not self._is_free(object_hash, pointer, object_class, frame)
        ):
            return None
        confidence = read_confidence(value, pointer, self.problems)
        payload_keys = read_payload(value, pointer, object_class, size, self.problems)
        if confidence is None or payload_keys is None:
            return None
        self.enter(object_hash, pointer, object_class, frame)
        compare_names(value, pointer, object_class, self.problems)
        self.problems.unknown_keys(value, KNOWN_KEYS, pointer, "an object")
        label_dates = read_dates(value, pointer, self.defaults, self.problems)
        output: dict[str, Any] = {
            "featureHash": object_class.feature_hash,
            "name": object_class.name,
            "color": object_class.color,
            "shape": object_class.shape,
            "value": object_class.value,
            "createdAt": label_dates.created_at,
            "createdBy": read_author(value, "createdBy", pointer, self.problems),
            "confidence": confidence,
            "objectHash": object_hash,
            "manualAnnotation": read_manual(value, pointer, self.problems),
            "lastEditedAt": label_dates.last_edited_at,
        }
        _without_nulls(output, ("createdAt", "lastEditedAt"))
        self._optional(value, pointer, output)
        output.update(payload_keys)
        return output

    def _has_shape_of_class(
        self, value: dict[str, Any], pointer: str, object_class: ObjectClass
    ) -> bool:
        """Whether the shape is the one of the class, and one that stands on frames."""
        shape = value.get("shape")
        code, place = ProblemCode.SHAPE_MISMATCH, child_pointer(pointer, "shape")
        if object_class.shape not in PAYLOAD_KEYS:
            where = (
                _ELSEWHERE.get(Shape(object_class.shape))
                if object_class.shape in list(Shape)
                else None
            )
            code = code if where else ProblemCode.UNSUPPORTED_LABEL
            detail = f"an object of shape {object_class.shape} {where or 'belongs to scenes and time series'}"
        elif shape is None:
            code, place = ProblemCode.MISSING_KEY, pointer
            detail = f"'shape' is missing, expected {object_class.shape!r}, the shape of {excerpt(object_class.name)}"
        elif shape != object_class.shape:
            detail = f"{excerpt(shape)} is not {object_class.shape!r}, the shape of {excerpt(object_class.name)}"
        elif value.get("event") is not None or value.get("interpolate") not in (None, "hold"):
            code, place = ProblemCode.UNSUPPORTED_LABEL, child_pointer(pointer, _event_key(value))
            detail = "keyframes belong to scenes, which cloud-synced folders do not hold"
        else:
            return True
        self.problems.note(code, place, detail)
        return False

    def _is_free(
        self, object_hash: str, pointer: str, object_class: ObjectClass, frame: int
    ) -> bool:
        """Whether the hash is new, or that of the same class on another frame."""
        instance = self.instances.get(object_hash)
        if instance is None:
            return True
        if instance.object_class is not object_class:
            detail = (
                f"object {excerpt(object_hash)} is of {excerpt(instance.object_class.name)} before and of "
                f"{excerpt(object_class.name)} here; an object keeps its class"
            )
            self.problems.note(
                ProblemCode.CLASS_CHANGED, child_pointer(pointer, "featureHash"), detail
            )
            return False
        if frame in instance.frames:
            detail = f"object {excerpt(object_hash)} stands on frame {frame} already"
            self.problems.note(
                ProblemCode.DUPLICATE_OBJECT, child_pointer(pointer, "objectHash"), detail
            )
            return False
        return True

    def enter(self, object_hash: str, pointer: str, object_class: ObjectClass, frame: int) -> None:
        """Remember an object that is kept on a frame."""
        instance = self.instances.get(object_hash)
        if instance is None:
            instance = self.instances[object_hash] = Instance(object_class)
            check_hash(object_hash, child_pointer(pointer, "objectHash"), self.problems)
            place = child_pointer(pointer, "featureHash")
            note_archived(object_class.archived, object_class.name, place, self.problems)
        instance.frames.add(frame)

    def _optional(self, value: dict[str, Any], pointer: str, output: dict[str, Any]) -> None:
        """Add the keys that are written only when they say something."""
        editor = read_author(value, "lastEditedBy", pointer, self.problems)
        if editor is not None:
            output["lastEditedBy"] = editor
        deleted = value.get("isDeleted")
        if isinstance(deleted, bool):
            output["isDeleted"] = deleted
        elif deleted is not None:
            self.problems.replaced(
                child_pointer(pointer, "isDeleted"), deleted, "true or false", "left out"
            )


def find_class(
    value: dict[str, Any], pointer: str, vocabulary: Vocabulary, problems: DocumentProblems
) -> ObjectClass | None:
    """Return the class of an object; None where the ontology has none of its feature hash."""
    feature_hash = value.get("featureHash")
    if feature_hash is None:
        detail = "'featureHash' is missing, expected that of an ontology object"
        problems.note(ProblemCode.MISSING_KEY, pointer, detail)
        return None
    object_class = vocabulary.objects.get(feature_hash) if isinstance(feature_hash, str) else None
    if object_class is None:
        detail = f"no object of the ontology has the feature hash {excerpt(feature_hash)}"
        problems.note(ProblemCode.UNKNOWN_CLASS, child_pointer(pointer, "featureHash"), detail)
    return object_class


def compare_names(
    value: dict[str, Any], pointer: str, object_class: ObjectClass, problems: DocumentProblems
) -> None:
    """Note name, color and value that are not those of the class, which are written instead."""
    expected = tuple((key, getattr(object_class, key)) for key in ("name", "color", "value"))
    note_differences(value, expected, pointer, problems)


def _event_key(value: dict[str, Any]) -> str:
    return "event" if value.get("event") is not None else "interpolate"


def _without_nulls(output: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in keys:
        if output[key] is None:
            del output[key]
