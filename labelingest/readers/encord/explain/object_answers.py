"""Entries of object_answers and object_actions, each with its object.

Every object of the row gets an entry, if only an empty one. An answer in the wrong one of the two
is moved: static answers to object_answers, answers that change over time to object_actions. Whether
an answer fits its attribute is decided by `answers.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from labelingest.model.frame_ranges import Range, union
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems, excerpt
from labelingest.problems.pointers import child_pointer
from labelingest.readers.encord.explain.answers import (
    Answer,
    note_missing,
    read_answers,
    static_answers,
    written_answer,
)
from labelingest.readers.encord.explain.dynamic_answers import written_actions
from labelingest.readers.encord.explain.entries import Medium, entries
from labelingest.readers.encord.explain.objects import Instance, Objects
from labelingest.readers.encord.explain.ranged_objects import RANGED_KEYS, read_ranged

__all__ = ["object_answers"]

_KEYS: Final = frozenset(("objectHash", "classifications", "objectNumber"))
_NO_ENTRY: Final[dict[str, Any]] = {"classifications": []}
_ACTION_KEYS: Final = frozenset(("objectHash", "actions"))


@dataclass(slots=True)
class _Numbers:
    """Numbers of objects, each used once in a class."""

    problems: DocumentProblems
    used: set[tuple[str, int]] = field(default_factory=set)

    def read(self, entry: dict[str, Any], pointer: str, feature_hash: str) -> dict[str, int]:
        """Return the number as label rows write it; an empty object for a missing or wrong one."""
        number = entry.get("objectNumber")
        if number is None:
            return {}
        pointer_of_number = child_pointer(pointer, "objectNumber")
        if type(number) is not int or number < 0:
            detail = f"found {excerpt(number)}, expected a whole number from 0 on: left out"
            self.problems.note(ProblemCode.BAD_OBJECT_NUMBER, pointer_of_number, detail)
            return {}
        if (feature_hash, number) in self.used:
            detail = f"another object of the class has the number {number}: left out"
            self.problems.note(ProblemCode.BAD_OBJECT_NUMBER, pointer_of_number, detail)
            return {}
        self.used.add((feature_hash, number))
        return {"objectNumber": number}


def object_answers(
    row: Mapping[str, Any], objects: Objects, medium: Medium
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return object_answers and object_actions as label rows write them.

    Parameters
    ----------
    row
        Label row as decoded; the values of both keys are JSON objects.
    objects
        Objects on frames; objects of audio and text are added.
    medium
        Properties of the labelled file.
    """
    problems = objects.problems
    answer_entries = {
        name: (entry, pointer)
        for name, entry, pointer in entries(
            row["object_answers"], "/object_answers", "objectHash", problems
        )
    }
    action_entries = {
        name: (entry, pointer)
        for name, entry, pointer in entries(
            row["object_actions"], "/object_actions", "objectHash", problems
        )
    }
    ranged_keys: dict[str, dict[str, Any]] = {}
    if not medium.on_frames:
        for name, (entry, pointer) in answer_entries.items():
            keys = read_ranged(entry, pointer, name, objects, html=medium.html, audio=medium.audio)
            if keys is not None:
                ranged_keys[name] = keys
    _note_orphans(answer_entries, action_entries, objects)
    numbers = _Numbers(problems)
    answers, actions = {}, {}
    for name, instance in _in_order(answer_entries, objects):
        entry, pointer = answer_entries.get(name, (_NO_ENTRY, "/object_answers"))
        frames = union((f, f) for f in instance.frames | objects.dropped.get(name, set()))
        static, changing = _of_object(
            entry, pointer, action_entries.get(name), instance, frames, medium, problems, name
        )
        answers[name] = {
            "classifications": static,
            "objectHash": name,
            **numbers.read(entry, pointer, instance.object_class.feature_hash),
            **ranged_keys.get(name, {}),
        }
        if changing:
            actions[name] = {"objectHash": name, "actions": changing}
    return answers, actions


def _in_order(
    answer_entries: Mapping[str, Any], objects: Objects
) -> Iterator[tuple[str, Instance]]:
    """Yield objects with entries in the order of the entries, then the other objects."""
    for name in answer_entries:
        if name in objects.instances:
            yield name, objects.instances[name]
    for name, instance in objects.instances.items():
        if name not in answer_entries:
            yield name, instance


def _note_orphans(
    answer_entries: Mapping[str, tuple[Any, str]],
    action_entries: Mapping[str, tuple[Any, str]],
    objects: Objects,
) -> None:
    for rows in (answer_entries, action_entries):
        for name, (_, pointer) in rows.items():
            if name not in objects.instances and name not in objects.dropped:
                detail = f"no object {excerpt(name)} stands in the row: its answers are dropped"
                objects.problems.note(ProblemCode.ANSWER_WITHOUT_OBJECT, pointer, detail)


def _of_object(
    entry: dict[str, Any],
    pointer: str,
    action_entry: tuple[dict[str, Any], str] | None,
    instance: Instance,
    frames: list[Range],
    medium: Medium,
    problems: DocumentProblems,
    name: str,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return static answers and actions of one object, as label rows write them."""
    known_keys = _KEYS if medium.on_frames else _KEYS | RANGED_KEYS
    answers = _answers_of_entry(entry, pointer, "classifications", known_keys, instance, problems)
    actions = (
        _answers_of_entry(*action_entry, "actions", _ACTION_KEYS, instance, problems)
        if action_entry
        else []
    )
    for answer in (answer for answer in answers if answer.attribute.dynamic):
        _note_misplaced(answer, "changes over time and belongs into object_actions", problems)
    for answer in (answer for answer in actions if not answer.attribute.dynamic):
        _note_misplaced(answer, "never changes and belongs into object_answers", problems)
    both = [*answers, *actions]
    chosen = static_answers((a for a in both if not a.attribute.dynamic), problems)
    changing = [answer for answer in both if answer.attribute.dynamic]
    output = written_actions(changing, name, frames, medium.frame_count, problems)
    note_missing(
        instance.object_class.attributes,
        chosen,
        (action["featureHash"] for action in output),
        pointer,
        problems,
    )
    return [written_answer(a.attribute, a.value, a.manual) for a in chosen.values()], output


def _answers_of_entry(
    entry: dict[str, Any],
    pointer: str,
    key: str,
    known_keys: frozenset[str],
    instance: Instance,
    problems: DocumentProblems,
) -> list[Answer]:
    problems.unknown_keys(entry, known_keys, pointer, f"an entry of {pointer.split('/')[1]}")
    if key not in entry:
        problems.note(ProblemCode.MISSING_KEY, pointer, f"{key!r} is missing: the list of answers")
        return []
    return read_answers(
        entry[key], child_pointer(pointer, key), instance.object_class.attributes, problems
    )


def _note_misplaced(answer: Answer, why: str, problems: DocumentProblems) -> None:
    detail = f"{excerpt(answer.attribute.name)} {why}: moved there"
    problems.note(ProblemCode.MISPLACED_ANSWER, answer.pointer, detail)
