"""Classifications of frames or of the whole file: three styles, read as one.

Older clients list a classification on each of its frames, and keep only its answers in
classification_answers. Later clients keep everything in classification_answers. The reader takes
the union of both, and writes both, so that every program finds what it looks for.

    style       frame lists            classification_answers
    frames      one entry a frame      hash and answers only
    both        one entry a frame      complete, with range
    answers     empty                  complete, with range
"""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct, field

from labelingest.model.frame_ranges import Range, clip, count_frames, difference, union
from labelingest.model.vocabulary import ClassificationClass, Vocabulary
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems, excerpt
from labelingest.problems.pointers import child_pointer
from labelingest.readers.encord.explain.answers import (
    note_missing,
    read_answers,
    static_answers,
    written_answer,
)
from labelingest.readers.encord.explain.entries import Medium, entries, ranges_of
from labelingest.readers.encord.explain.ontology_checks import note_archived, note_differences
from labelingest.readers.encord.explain.provenance import (
    Dates,
    check_hash,
    read_author,
    read_confidence,
    read_dates,
    read_manual,
)

__all__ = ["MOST_LISTED", "Classifications", "frame_entry"]

MOST_LISTED: Final = 1_000_000
"""Entries in the frame lists of one row. A row with more gets style *answers* only, which every
release since 0.1.198 reads."""

_METADATA: Final = frozenset(
    (
        *("createdAt", "createdBy", "lastEditedAt", "lastEditedBy", "confidence"),
        *("manualAnnotation", "classificationHash", "featureHash", "reviews"),
    )
)
_ENTRY_KEYS: Final = _METADATA | {"name", "value"}
_ANSWER_KEYS: Final = _METADATA | {"classifications", "range", "spaces"}


class _Instance(Struct):
    """Entries of one classification, as decoded."""

    pointer: str
    """JSON pointer of the first entry."""
    frames: list[int] = field(default_factory=list)
    """Frames whose lists contain the classification."""
    entry: dict[str, Any] = field(default_factory=dict)
    """First entry in a frame list; empty for style *answers*."""
    entry_pointer: str = ""
    """JSON pointer of that entry."""
    answer: dict[str, Any] = field(default_factory=dict)
    """Entry in classification_answers; empty for a missing one."""
    answer_pointer: str = ""
    """JSON pointer of the entry in classification_answers; empty for a missing one."""


class Classifications(Struct):
    """Classifications of one row: collect frame lists, then answers."""

    vocabulary: Vocabulary
    """Classifications that the ontology has."""
    defaults: Dates
    """Dates of classifications without their own."""
    medium: Medium
    """Properties of the labelled file."""
    problems: DocumentProblems
    """Container of the problems."""
    instances: dict[str, _Instance] = field(default_factory=dict)
    """Hash → entries of a classification."""
    output: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Hash → entry of classification_answers, as label rows write it."""
    occupied: dict[str, list[Range]] = field(default_factory=dict)
    """Feature hash → frames with such a classification, as sorted ranges."""
    rejected: Counter[ProblemCode] = field(default_factory=Counter)
    """Cause → dropped classifications."""

    @property
    def seen(self) -> int:
        """Number of classifications, valid or not."""
        return len(self.instances)

    def add_frame_list(self, values: object, pointer: str, frame: int) -> None:
        """Add the list of one frame."""
        if values is None:
            return
        if not isinstance(values, list):
            self.problems.wrong_type(pointer, values, "a list of classifications")
            return
        for position, entry in enumerate(values):
            self._add_entry(entry, child_pointer(pointer, position), frame)

    def _add_entry(self, entry: object, pointer: str, frame: int) -> None:
        if not isinstance(entry, dict):
            self.problems.wrong_type(pointer, entry, "a classification")
            return
        name = entry.get("classificationHash")
        if not isinstance(name, str) or not name:
            detail = f"'classificationHash' is {excerpt(name)}, expected 8 base64 characters"
            self.problems.note(ProblemCode.MISSING_KEY, pointer, detail)
            return
        self.problems.unknown_keys(entry, _ENTRY_KEYS, pointer, "a classification on a frame")
        instance = self.instances.setdefault(name, _Instance(pointer))
        if not instance.entry:
            instance.entry, instance.entry_pointer = entry, pointer
        instance.frames.append(frame)

    def add_answers(self, value: dict[str, Any], pointer: str) -> None:
        """Add classification_answers after all frames, and judge every classification."""
        answered: dict[str, _Instance] = {}
        for name, entry, place in entries(value, pointer, "classificationHash", self.problems):
            self.problems.unknown_keys(
                entry, _ANSWER_KEYS, place, "an entry of classification_answers"
            )
            instance = answered[name] = self.instances.get(name) or _Instance(place)
            instance.answer, instance.answer_pointer = entry, place
        # Entries of classification_answers come first, so that a second reading changes nothing.
        self.instances = {**answered, **self.instances}
        for name, instance in self.instances.items():
            output = self._output_entry(name, instance)
            if output is None:
                self.rejected[self.problems.cause] += 1
            else:
                self.output[name] = output

    def _output_entry(self, name: str, instance: _Instance) -> dict[str, Any] | None:
        definition = self._class_of(instance)
        if definition is None or not self._is_supported(instance):
            return None
        ranges = self._frame_ranges(instance, definition)
        if ranges is None:
            return None
        entry = {**instance.entry, **{k: v for k, v in instance.answer.items() if v is not None}}
        metadata = self._provenance(entry, instance)
        if metadata is None:
            return None
        self._note_class(instance, definition)
        check_hash(name, child_pointer(instance.pointer, "classificationHash"), self.problems)
        return {
            "featureHash": definition.feature_hash,
            "classifications": self._answers(instance, definition),
            "classificationHash": name,
            "spaces": {},
            "range": [list(pair) for pair in ranges],
            **metadata,
        }

    def _class_of(self, instance: _Instance) -> ClassificationClass | None:
        """Return the class by its feature hash, or by the attributes with answers."""
        for entry, pointer in (
            (instance.answer, instance.answer_pointer),
            (instance.entry, instance.entry_pointer),
        ):
            feature_hash = entry.get("featureHash")
            if feature_hash is None:
                continue
            definitions = self.vocabulary.classifications
            definition = definitions.get(feature_hash) if isinstance(feature_hash, str) else None
            if definition is None:
                absent = f"the feature hash {excerpt(feature_hash)}"
                detail = f"no classification of the ontology has {absent}"
                self.problems.note(
                    ProblemCode.UNKNOWN_CLASS, child_pointer(pointer, "featureHash"), detail
                )
            return definition
        candidates = self._candidates(instance)
        if len(candidates) == 1:
            return self.vocabulary.classifications[candidates.pop()]
        detail = (
            "'featureHash' is missing, and its answers do not tell which classification it is: "
            "Encord's client drops it silently"
        )
        self.problems.note(ProblemCode.MISSING_KEY, instance.pointer, detail)
        return None

    def _candidates(self, instance: _Instance) -> set[str]:
        """Return the feature hashes of classes with all attributes that have answers."""
        answer_entries = instance.answer.get("classifications")
        candidates: set[str] | None = None
        for entry in answer_entries if isinstance(answer_entries, list) else ():
            feature_hash = entry.get("featureHash") if isinstance(entry, dict) else None
            if isinstance(feature_hash, str):
                owners = set(self.vocabulary.classifications_of.get(feature_hash, ()))
                candidates = owners if candidates is None else candidates & owners
        return candidates or set()

    def _is_supported(self, instance: _Instance) -> bool:
        if not instance.answer.get("spaces"):
            return True
        detail = "spaces belong to data groups, which cloud-synced folders do not hold"
        pointer = child_pointer(instance.answer_pointer, "spaces")
        self.problems.note(ProblemCode.UNSUPPORTED_LABEL, pointer, detail)
        return False

    def _frame_ranges(
        self, instance: _Instance, definition: ClassificationClass
    ) -> list[Range] | None:
        """Return the frames of a classification, [] for the whole file; None to drop it."""
        pointer = child_pointer(instance.answer_pointer, "range")
        range_value = instance.answer.get("range")
        stored_ranges = (
            [] if range_value is None else ranges_of(range_value, pointer, self.problems)
        )
        if definition.is_global:
            return self._global_range(instance, definition)
        if not self.medium.on_frames:
            return []
        ranges = union([*stored_ranges, *((frame, frame) for frame in instance.frames)])
        inside = clip(ranges, self.medium.frame_count)
        if count_frames(inside) < count_frames(ranges):
            detail = f"{excerpt(range_value)} leaves the frames of the file: cut"
            self.problems.note(ProblemCode.BAD_FRAME, pointer, detail)
        elif not ranges:
            detail = "it has no range and is on no frame: Encord's client drops it silently"
            self.problems.note(ProblemCode.CLASSIFICATION_NOT_PLACED, instance.pointer, detail)
        return self._free_ranges(inside, instance, definition) if inside else None

    def _global_range(
        self, instance: _Instance, definition: ClassificationClass
    ) -> list[Range] | None:
        if definition.feature_hash not in self.occupied:
            self.occupied[definition.feature_hash] = []
            return []
        detail = f"{excerpt(definition.name)} is global and already in the row: dropped"
        self.problems.note(ProblemCode.OVERLAPPING_CLASSIFICATIONS, instance.pointer, detail)
        return None

    def _free_ranges(
        self, ranges: list[Range], instance: _Instance, definition: ClassificationClass
    ) -> list[Range] | None:
        """Return the frames without another classification of the class; None for no such frame."""
        occupied = self.occupied.setdefault(definition.feature_hash, [])
        clashing = [pair for span in ranges for pair in _overlapping(occupied, span)]
        free = difference(ranges, union(clashing)) if clashing else ranges
        if clashing:
            place = instance.answer_pointer or instance.pointer
            frames = excerpt([list(pair) for pair in ranges])
            detail = (
                f"another {excerpt(definition.name)} is on some of the frames {frames}: "
                f"{'cut' if free else 'dropped'}"
            )
            self.problems.note(ProblemCode.OVERLAPPING_CLASSIFICATIONS, place, detail)
        for pair in free:
            insort(occupied, pair)
        return free or None

    def _provenance(self, entry: dict[str, Any], instance: _Instance) -> dict[str, Any] | None:
        pointer = instance.answer_pointer or instance.entry_pointer
        confidence = read_confidence(entry, pointer, self.problems)
        if confidence is None:
            return None
        label_dates = read_dates(entry, pointer, self.defaults, self.problems)
        return {
            "createdBy": read_author(entry, "createdBy", pointer, self.problems),
            "createdAt": label_dates.created_at,
            "lastEditedBy": read_author(entry, "lastEditedBy", pointer, self.problems),
            "lastEditedAt": label_dates.last_edited_at,
            "confidence": confidence,
            "manualAnnotation": read_manual(entry, pointer, self.problems),
        }

    def _note_class(self, instance: _Instance, definition: ClassificationClass) -> None:
        note_archived(definition.archived, definition.name, instance.pointer, self.problems)
        expected = (("name", definition.name), ("value", definition.value))
        note_differences(instance.entry, expected, instance.entry_pointer, self.problems)

    def _answers(
        self, instance: _Instance, definition: ClassificationClass
    ) -> list[dict[str, Any]]:
        pointer = child_pointer(instance.answer_pointer, "classifications")
        answer_entries = instance.answer.get("classifications")
        if answer_entries is None and instance.answer:
            detail = "'classifications' is missing: the list of answers"
            self.problems.note(ProblemCode.MISSING_KEY, instance.answer_pointer, detail)
        answers = read_answers(answer_entries or [], pointer, definition.attributes, self.problems)
        chosen = static_answers(answers, self.problems)
        place = instance.answer_pointer or instance.pointer
        if not chosen and not answer_entries:
            detail = f"{excerpt(definition.name)} has no answer"
            self.problems.note(ProblemCode.MISSING_ANSWER, place, detail)
        else:
            note_missing(definition.attributes, chosen, (), place, self.problems)
        return [written_answer(a.attribute, a.value, a.manual) for a in chosen.values()]

    def frame_entries(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield frame and label of all frame lists, in no order of frames."""
        total = sum(count_frames(map(_pair, entry["range"])) for entry in self.output.values())
        for entry in self.output.values() if total <= MOST_LISTED else ():
            definition = self.vocabulary.classifications[entry["featureHash"]]
            on_frame = frame_entry(entry, definition)
            for first, last in map(_pair, entry["range"]):
                for frame in range(first, last + 1):
                    yield frame, on_frame


def frame_entry(entry: Mapping[str, Any], definition: ClassificationClass) -> dict[str, Any]:
    """Return the frame label of a classification, from its entry of classification_answers."""
    return {
        "featureHash": entry["featureHash"],
        "name": definition.name,
        "value": definition.value,
        "createdAt": entry["createdAt"],
        "createdBy": entry["createdBy"],
        "confidence": entry["confidence"],
        "classificationHash": entry["classificationHash"],
        "manualAnnotation": entry["manualAnnotation"],
        "lastEditedAt": entry["lastEditedAt"],
        "lastEditedBy": entry["lastEditedBy"],
    }


def _pair(ends: list[int]) -> Range:
    return ends[0], ends[1]


def _overlapping(occupied: list[Range], span: Range) -> Iterator[Range]:
    """Yield the occupied ranges, sorted and apart, that share a frame with a span."""
    position = max(bisect_right(occupied, (span[0], span[0])) - 1, 0)
    while position < len(occupied) and occupied[position][0] <= span[1]:
        if occupied[position][1] >= span[0]:
            yield occupied[position]
        position += 1
