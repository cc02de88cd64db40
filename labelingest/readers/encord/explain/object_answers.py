"""Entries of object_answers and object_actions, each with its object.

Every object of the row gets an entry, if only an empty one. An answer in the wrong one of the two
is moved: static answers to object_answers, answers that change over time to object_actions. Whether
an answer fits its attribute is decided by `answers.py`.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final, NamedTuple

from msgspec import Struct, field

from labelingest.model.frame_ranges import union
from labelingest.model.vocabulary import Attribute
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
_ACTION_KEYS: Final = frozenset(("objectHash", "actions"))


class _Entry(NamedTuple):
    """An entry of object_answers or object_actions."""

    value: dict[str, Any]
    """The entry as decoded."""
    pointer: str
    """JSON pointer of the entry."""


_NO_ENTRY: Final = _Entry({"classifications": []}, "/object_answers")


class _ObjectEntries(NamedTuple):
    """An object with its entries."""

    name: str
    """Object hash."""
    instance: Instance
    """Class and frames of the object."""
    answers: _Entry
    """Entry of object_answers; an empty one for a missing one."""
    actions: _Entry | None
    """Entry of object_actions; None for a missing one."""


class _Numbers(Struct):
    """Numbers of objects, each used once in a class."""

    problems: DocumentProblems
    seen: set[tuple[str, int]] = field(default_factory=set)

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
        if (feature_hash, number) in self.seen:
            detail = f"another object of the class has the number {number}: left out"
            self.problems.note(ProblemCode.BAD_OBJECT_NUMBER, pointer_of_number, detail)
            return {}
        self.seen.add((feature_hash, number))
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
    answer_entries = _entries_of(row, "object_answers", problems)
    action_entries = _entries_of(row, "object_actions", problems)
    ranged_keys = {} if medium.on_frames else _ranged_keys(answer_entries, objects, medium)
    _note_orphans(answer_entries, action_entries, objects)
    numbers = _Numbers(problems)
    answers, actions = {}, {}
    for name, instance in _in_order(answer_entries, objects):
        entry = answer_entries.get(name, _NO_ENTRY)
        object_entries = _ObjectEntries(name, instance, entry, action_entries.get(name))
        static, changing = _answers_and_actions(object_entries, objects, medium)
        answers[name] = {
            "classifications": static,
            "objectHash": name,
            **numbers.read(entry.value, entry.pointer, instance.object_class.feature_hash),
            **ranged_keys.get(name, {}),
        }
        if changing:
            actions[name] = {"objectHash": name, "actions": changing}
    return answers, actions


def _entries_of(row: Mapping[str, Any], key: str, problems: DocumentProblems) -> dict[str, _Entry]:
    """Return object hash → entry of one key of a label row."""
    return {
        name: _Entry(value, pointer)
        for name, value, pointer in entries(row[key], f"/{key}", "objectHash", problems)
    }


def _ranged_keys(
    answer_entries: Mapping[str, _Entry], objects: Objects, medium: Medium
) -> dict[str, dict[str, Any]]:
    """Return object hash → keys of valid objects of audio or text, which are added to objects."""
    keys = {
        name: read_ranged(
            entry.value, entry.pointer, name, objects, html=medium.html, audio=medium.audio
        )
        for name, entry in answer_entries.items()
    }
    return {name: valid for name, valid in keys.items() if valid is not None}


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
    answer_entries: Mapping[str, _Entry], action_entries: Mapping[str, _Entry], objects: Objects
) -> None:
    for name, entry in chain(answer_entries.items(), action_entries.items()):
        if name not in objects.instances and name not in objects.dropped:
            detail = f"no object {excerpt(name)} is in the row: its answers are dropped"
            objects.problems.note(ProblemCode.ANSWER_WITHOUT_OBJECT, entry.pointer, detail)


def _answers_and_actions(
    object_entries: _ObjectEntries, objects: Objects, medium: Medium
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return static answers and actions of one object, as label rows write them."""
    name, instance, entry, action_entry = object_entries
    problems, attributes = objects.problems, instance.object_class.attributes
    keys = _KEYS if medium.on_frames else _KEYS | RANGED_KEYS
    answers = _read_list(entry, "classifications", keys, attributes, problems)
    actions = []
    if action_entry is not None:
        actions = _read_list(action_entry, "actions", _ACTION_KEYS, attributes, problems)
    for answer in (answer for answer in answers if answer.attribute.dynamic):
        _note_misplaced(answer, "changes over time and belongs into object_actions", problems)
    for answer in (answer for answer in actions if not answer.attribute.dynamic):
        _note_misplaced(answer, "never changes and belongs into object_answers", problems)
    both = [*answers, *actions]
    chosen = static_answers((a for a in both if not a.attribute.dynamic), problems)
    changing = [answer for answer in both if answer.attribute.dynamic]
    frames = union((f, f) for f in instance.frames | objects.dropped.get(name, set()))
    output = written_actions(changing, name, frames, medium.frame_count, problems)
    changing_hashes = (action["featureHash"] for action in output)
    note_missing(attributes, chosen, changing_hashes, entry.pointer, problems)
    return [written_answer(a.attribute, a.value, a.manual) for a in chosen.values()], output


def _read_list(
    entry: _Entry,
    key: str,
    keys: frozenset[str],
    attributes: Mapping[str, Attribute],
    problems: DocumentProblems,
) -> list[Answer]:
    """Return the valid answers in one list of an entry, which may have the given keys."""
    value, pointer = entry
    problems.unknown_keys(value, keys, pointer, f"an entry of {pointer.split('/')[1]}")
    if key not in value:
        problems.note(ProblemCode.MISSING_KEY, pointer, f"{key!r} is missing: the list of answers")
        return []
    return read_answers(value[key], child_pointer(pointer, key), attributes, problems)


def _note_misplaced(answer: Answer, why: str, problems: DocumentProblems) -> None:
    detail = f"{excerpt(answer.attribute.name)} {why}: moved there"
    problems.note(ProblemCode.MISPLACED_ANSWER, answer.pointer, detail)
