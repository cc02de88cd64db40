"""Objects on frames: each annotation → its form in label rows, or the problem that drops it.

An object keeps its class, and is on a frame once. Class and frames of each object are collected, as
its answers are checked against both. Payloads are checked by `shapes.py`.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct, field

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
_ELSEWHERE: Final[Mapping[str, str]] = {
    Shape.AUDIO: "belongs in object_answers of an audio file",
    Shape.TEXT: "belongs in object_answers of a text",
}


class Instance(Struct):
    """Class and frames of one object."""

    object_class: ObjectClass
    frames: set[int] = field(default_factory=set)


class Objects(Struct):
    """Objects of one row."""

    vocabulary: Vocabulary
    """Classes that the ontology has."""
    defaults: Dates
    """Dates of objects without their own."""
    problems: DocumentProblems
    """Container of the problems."""
    instances: dict[str, Instance] = field(default_factory=dict)
    """Hash → object, in the order of the first annotations in the label row."""
    dropped: dict[str, set[int]] = field(default_factory=dict)
    """Hash → frames of dropped annotations, whose answers get no further problem."""
    rejected: Counter[ProblemCode] = field(default_factory=Counter)
    """Cause → dropped annotations."""
    seen: int = 0
    """Annotations in the sidecar."""
    accepted: int = 0
    """Annotations in the label row."""

    def read(
        self, value: object, pointer: str, frame: int, size: tuple[int, int] | None
    ) -> dict[str, Any] | None:
        """Return one annotation as label rows write it; None for an invalid one.

        Parameters
        ----------
        value
            Annotation as decoded.
        pointer
            JSON pointer of the annotation.
        frame
            Frame of the annotation.
        size
            Width and height of the data unit in pixels; None for an unknown size.
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
        """Return whether the shape is the class's and is drawn on frames; note another one."""
        shape, expected = value.get("shape"), object_class.shape
        code, place = ProblemCode.SHAPE_MISMATCH, child_pointer(pointer, "shape")
        if expected not in PAYLOAD_KEYS:
            code = code if expected in _ELSEWHERE else ProblemCode.UNSUPPORTED_LABEL
            elsewhere = _ELSEWHERE.get(expected, "belongs to scenes and time series")
            detail = f"an object of shape {expected} {elsewhere}"
        elif shape is None:
            code, place = ProblemCode.MISSING_KEY, pointer
            of_class = f"{expected!r}, the shape of {excerpt(object_class.name)}"
            detail = f"'shape' is missing, expected {of_class}"
        elif shape != expected:
            of_class = f"{expected!r}, the shape of {excerpt(object_class.name)}"
            detail = f"{excerpt(shape)} is not {of_class}"
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
        """Return whether the hash is new, or of the same class on another frame; note others."""
        instance = self.instances.get(object_hash)
        if instance is None:
            return True
        if instance.object_class is not object_class:
            before, now = excerpt(instance.object_class.name), excerpt(object_class.name)
            detail = (
                f"object {excerpt(object_hash)} is of {before} before and of {now} here; an object "
                "keeps its class"
            )
            self.problems.note(
                ProblemCode.CLASS_CHANGED, child_pointer(pointer, "featureHash"), detail
            )
            return False
        if frame in instance.frames:
            detail = f"object {excerpt(object_hash)} is already on frame {frame}"
            self.problems.note(
                ProblemCode.DUPLICATE_OBJECT, child_pointer(pointer, "objectHash"), detail
            )
            return False
        return True

    def enter(self, object_hash: str, pointer: str, object_class: ObjectClass, frame: int) -> None:
        """Add a frame to an object; check a new object's hash and class."""
        instance = self.instances.get(object_hash)
        if instance is None:
            instance = self.instances[object_hash] = Instance(object_class)
            check_hash(object_hash, child_pointer(pointer, "objectHash"), self.problems)
            place = child_pointer(pointer, "featureHash")
            note_archived(object_class.archived, object_class.name, place, self.problems)
        instance.frames.add(frame)

    def _optional(self, value: dict[str, Any], pointer: str, output: dict[str, Any]) -> None:
        """Add the keys that label rows write only with a value."""
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
    """Return the class of an object by its feature hash; None for an unknown class."""
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
    """Note name, color and value that differ from the class, whose texts are written."""
    expected = tuple((key, getattr(object_class, key)) for key in ("name", "color", "value"))
    note_differences(value, expected, pointer, problems)


def _event_key(value: dict[str, Any]) -> str:
    return "event" if value.get("event") is not None else "interpolate"


def _without_nulls(output: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in keys:
        if output[key] is None:
            del output[key]
