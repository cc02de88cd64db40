"""Classifications: what is said of frames or of the whole file, in three styles, merged into one.

Older clients list a classification on each of its frames and keep only its answers in
classification_answers; later ones keep everything in classification_answers. Read is the union of
both; written are both, so that every reader finds what it looks for.

    style       frame lists            classification_answers
    frames      one entry a frame      hash and answers only
    both        one entry a frame      complete, with range
    answers     empty                  complete, with range
"""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from labelingest.model.frame_ranges import Range, length, merged, minus, within
from labelingest.model.vocabulary import ClassificationClass, Vocabulary
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems, child_pointer, excerpt
from labelingest.readers.encord.explain.answers import (
    note_missing,
    read_answers,
    static_answers,
    written_answer,
)
from labelingest.readers.encord.explain.dynamic_answers import ranges_of
from labelingest.readers.encord.explain.object_answers import Medium, entries
from labelingest.readers.encord.explain.provenance import (
    Dates,
    author,
    confidence,
    dates,
    hash_is_sound,
    is_manual,
)

__all__ = ["MOST_LISTED", "Classifications", "frame_entry"]

MOST_LISTED: Final = 1_000_000
"""Entries in frame lists; a row with more has its classifications in style *answers* only, which
every release since 0.1.198 reads."""

_METADATA: Final = frozenset(
    (
        *("createdAt", "createdBy", "lastEditedAt", "lastEditedBy", "confidence"),
        *("manualAnnotation", "classificationHash", "featureHash", "reviews"),
    )
)
_ENTRY_KEYS: Final = _METADATA | {"name", "value"}
_ANSWER_KEYS: Final = _METADATA | {"classifications", "range", "spaces"}


@dataclass(slots=True)
class _Instance:
    """What is known of one classification before it is judged."""

    at: str
    """Pointer of the first place it is named at."""
    frames: list[int] = field(default_factory=list)
    """Frames whose lists name it."""
    row: dict[str, Any] = field(default_factory=dict)
    """The first entry of a frame list."""
    row_at: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    """Its entry in classification_answers; empty where it has none."""
    answer_at: str = ""


@dataclass(slots=True)
class Classifications:
    """The classifications of one row."""

    vocabulary: Vocabulary
    defaults: Dates
    medium: Medium
    notes: DocumentProblems
    instances: dict[str, _Instance] = field(default_factory=dict)
    written: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Hash → entry of classification_answers, as written."""
    taken: dict[str, list[Range]] = field(default_factory=dict)
    """Feature hash → frames that have such a classification, sorted."""
    rejected: Counter[ProblemCode] = field(default_factory=Counter)
    """Classifications that were not kept, by cause."""

    @property
    def seen(self) -> int:
        """Number of classifications, good or not."""
        return len(self.instances)

    def on_frame(self, rows: object, at: str, frame: int) -> None:
        """Take the list of one frame."""
        if rows is None:
            return
        if not isinstance(rows, list):
            self.notes.wrong_type(at, rows, "a list of classifications")
            return
        for position, row in enumerate(rows):
            self._listed(row, child_pointer(at, position), frame)

    def _listed(self, row: object, at: str, frame: int) -> None:
        if not isinstance(row, dict):
            self.notes.wrong_type(at, row, "a classification")
            return
        name = row.get("classificationHash")
        if not isinstance(name, str) or not name:
            detail = f"'classificationHash' is {excerpt(name)}, expected 8 base64 characters"
            self.notes.note(ProblemCode.MISSING_KEY, at, detail)
            return
        self.notes.unknown_keys(row, _ENTRY_KEYS, at, "a classification on a frame")
        instance = self.instances.setdefault(name, _Instance(at))
        if not instance.row:
            instance.row, instance.row_at = row, at
        instance.frames.append(frame)

    def answers(self, value: dict[str, Any], at: str) -> None:
        """Take classification_answers, after all frames."""
        answered: dict[str, _Instance] = {}
        for name, row, place in entries(value, at, "classificationHash", self.notes):
            self.notes.unknown_keys(row, _ANSWER_KEYS, place, "an entry of classification_answers")
            instance = answered[name] = self.instances.get(name) or _Instance(place)
            instance.answer, instance.answer_at = row, place
        # Those that have answers first, as they stand: a row that is read again stays as it is.
        self.instances = {**answered, **self.instances}
        for name, instance in self.instances.items():
            written = self._written(name, instance)
            if written is None:
                self.rejected[self.notes.cause] += 1
            else:
                self.written[name] = written

    def _written(self, name: str, instance: _Instance) -> dict[str, Any] | None:
        of = self._class_of(instance)
        if of is None or not self._supported(instance):
            return None
        ranges = self._placed(instance, of)
        if ranges is None:
            return None
        row = {**instance.row, **{k: v for k, v in instance.answer.items() if v is not None}}
        metadata = self._metadata(row, instance)
        if metadata is None:
            return None
        self._note_class(instance, of)
        hash_is_sound(name, child_pointer(instance.at, "classificationHash"), self.notes)
        return {
            "featureHash": of.feature_hash,
            "classifications": self._answers(instance, of),
            "classificationHash": name,
            "spaces": {},
            "range": [list(pair) for pair in ranges],
            **metadata,
        }

    def _class_of(self, instance: _Instance) -> ClassificationClass | None:
        """Return the class by its feature hash, or by the attributes that are answered."""
        for row, at in ((instance.answer, instance.answer_at), (instance.row, instance.row_at)):
            feature_hash = row.get("featureHash")
            if feature_hash is None:
                continue
            known = self.vocabulary.classifications
            of = known.get(feature_hash) if isinstance(feature_hash, str) else None
            if of is None:
                detail = f"no classification of the ontology has the feature hash {excerpt(feature_hash)}"
                self.notes.note(ProblemCode.UNKNOWN_CLASS, child_pointer(at, "featureHash"), detail)
            return of
        candidates = self._candidates(instance)
        if len(candidates) == 1:
            return self.vocabulary.classifications[candidates.pop()]
        detail = (
            "'featureHash' is missing, and its answers do not tell which classification it is: "
            "Encord's client drops it without a word"
        )
        self.notes.note(ProblemCode.MISSING_KEY, instance.at, detail)
        return None

    def _candidates(self, instance: _Instance) -> set[str]:
        """Return the classes that have all the attributes that are answered."""
        rows = instance.answer.get("classifications")
        candidates: set[str] | None = None
        for row in rows if isinstance(rows, list) else ():
            feature_hash = row.get("featureHash") if isinstance(row, dict) else None
            if isinstance(feature_hash, str):
                owners = set(self.vocabulary.classifications_of.get(feature_hash, ()))
                candidates = owners if candidates is None else candidates & owners
        return candidates or set()

    def _supported(self, instance: _Instance) -> bool:
        if not instance.answer.get("spaces"):
            return True
        detail = "spaces belong to data groups, which cloud-synced folders do not hold"
        at = child_pointer(instance.answer_at, "spaces")
        self.notes.note(ProblemCode.UNSUPPORTED_LABEL, at, detail)
        return False

    def _placed(self, instance: _Instance, of: ClassificationClass) -> list[Range] | None:
        """Return the frames it is written on, [] for the whole file; None where it has no place."""
        at = child_pointer(instance.answer_at, "range")
        said = instance.answer.get("range")
        read = [] if said is None else ranges_of(said, at, self.notes)
        if of.is_global:
            return self._once(instance, of)
        if not self.medium.on_frames:
            return []
        ranges = merged([*read, *((frame, frame) for frame in instance.frames)])
        inside = within(ranges, self.medium.frame_count)
        if length(inside) < length(ranges):
            detail = f"{excerpt(said)} leaves the frames of the file: cut"
            self.notes.note(ProblemCode.BAD_FRAME, at, detail)
        elif not ranges:
            detail = (
                "it has no range and stands on no frame: Encord's client drops it without a word"
            )
            self.notes.note(ProblemCode.CLASSIFICATION_NOT_PLACED, instance.at, detail)
        return self._apart(inside, instance, of) if inside else None

    def _once(self, instance: _Instance, of: ClassificationClass) -> list[Range] | None:
        if of.feature_hash not in self.taken:
            self.taken[of.feature_hash] = []
            return []
        detail = f"{excerpt(of.name)} is global and stands in the row already: dropped"
        self.notes.note(ProblemCode.OVERLAPPING_CLASSIFICATIONS, instance.at, detail)
        return None

    def _apart(
        self, ranges: list[Range], instance: _Instance, of: ClassificationClass
    ) -> list[Range] | None:
        """Return the frames that no other classification of the class has."""
        taken = self.taken.setdefault(of.feature_hash, [])
        clashing = [pair for wanted in ranges for pair in _touching(taken, wanted)]
        free = minus(ranges, merged(clashing)) if clashing else ranges
        if clashing:
            place = instance.answer_at or instance.at
            frames = excerpt([list(pair) for pair in ranges])
            detail = (
                f"another {excerpt(of.name)} stands on some of the frames {frames}: "
                f"{'cut' if free else 'dropped'}"
            )
            self.notes.note(ProblemCode.OVERLAPPING_CLASSIFICATIONS, place, detail)
        for pair in free:
            insort(taken, pair)
        return free or None

    def _metadata(self, row: dict[str, Any], instance: _Instance) -> dict[str, Any] | None:
        at = instance.answer_at or instance.row_at
        sure = confidence(row, at, self.notes)
        if sure is None:
            return None
        when = dates(row, at, self.defaults, self.notes)
        return {
            "createdBy": author(row, "createdBy", at, self.notes),
            "createdAt": when.created_at,
            "lastEditedBy": author(row, "lastEditedBy", at, self.notes),
            "lastEditedAt": when.last_edited_at,
            "confidence": sure,
            "manualAnnotation": is_manual(row, at, self.notes),
        }

    def _note_class(self, instance: _Instance, of: ClassificationClass) -> None:
        if of.archived:
            detail = f"{excerpt(of.name)} is archived in the ontology: kept"
            self.notes.note(ProblemCode.ARCHIVED_CLASS, instance.at, detail)
        for key, expected in (("name", of.name), ("value", of.value)):
            found = instance.row.get(key, expected)
            if found != expected:
                detail = f"{excerpt(found)} is {expected!r} in the ontology, which is written"
                at = child_pointer(instance.row_at, key)
                self.notes.note(ProblemCode.DIFFERS_FROM_ONTOLOGY, at, detail)

    def _answers(self, instance: _Instance, of: ClassificationClass) -> list[dict[str, Any]]:
        at = child_pointer(instance.answer_at, "classifications")
        rows = instance.answer.get("classifications")
        if rows is None and instance.answer:
            detail = "'classifications' is missing: the list of answers"
            self.notes.note(ProblemCode.MISSING_KEY, instance.answer_at, detail)
        answers = read_answers(rows or [], at, of.attributes, self.notes)
        chosen = static_answers(answers, self.notes)
        place = instance.answer_at or instance.at
        if not chosen and not rows:
            detail = f"{excerpt(of.name)} has no answer"
            self.notes.note(ProblemCode.MISSING_ANSWER, place, detail)
        else:
            note_missing(of.attributes, chosen, (), place, self.notes)
        return [written_answer(a.attribute, a.value, a.manual) for a in chosen.values()]

    def frame_entries(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield frame and entry of all frame lists as they are written, in no order of frames."""
        total = sum(length(map(_pair, row["range"])) for row in self.written.values())
        for row in self.written.values() if total <= MOST_LISTED else ():
            of = self.vocabulary.classifications[row["featureHash"]]
            entry = frame_entry(row, of)
            for first, last in map(_pair, row["range"]):
                for frame in range(first, last + 1):
                    yield frame, entry


def frame_entry(row: Mapping[str, Any], of: ClassificationClass) -> dict[str, Any]:
    """Return what stands on frames of a classification, from its entry of classification_answers."""
    return {
        "featureHash": row["featureHash"],
        "name": of.name,
        "value": of.value,
        "createdAt": row["createdAt"],
        "createdBy": row["createdBy"],
        "confidence": row["confidence"],
        "classificationHash": row["classificationHash"],
        "manualAnnotation": row["manualAnnotation"],
        "lastEditedAt": row["lastEditedAt"],
        "lastEditedBy": row["lastEditedBy"],
    }


def _pair(ends: list[int]) -> Range:
    return ends[0], ends[1]


def _touching(taken: list[Range], wanted: Range) -> Iterator[Range]:
    """Yield the ranges, of sorted ones that do not overlap, that share a frame with the wanted."""
    at = max(bisect_right(taken, (wanted[0], wanted[0])) - 1, 0)
    while at < len(taken) and taken[at][0] <= wanted[1]:
        if taken[at][1] >= wanted[0]:
            yield taken[at]
        at += 1
