"""What was answered in a label row: by objects, and by classifications.

With a vocabulary answers nest: a nested attribute stands below the one whose option it needs.
Label rows hold them as flat neighbours, told apart by their hashes alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from labelingest.cli.show.lenient_json import (
    Ranges,
    dicts_of,
    items_of,
    joined,
    number_of,
    ranges_of,
    text_of,
)
from labelingest.model.vocabulary import Attribute, Vocabulary

__all__ = ["Answer", "Answered", "classifications", "object_answers"]

_DEEPEST: Final = 50
"""Levels that nest; the platform has 7, and JSON of some hundreds cannot be written."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one attribute was answered."""

    attribute: str | None
    answer: list[str | None] | str | int | float | None
    """The labels of options, a text, or a number."""
    frames: Ranges | None
    """The frames of an answer that changes over time; None where it does not."""
    nested: list["Answer"]


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers of one object or classification."""

    hash: str
    name: str | None
    frames: Ranges | None
    """Where a classification stands; empty: on the whole file. None for objects."""
    answers: list[Answer]


def object_answers(
    row: Mapping[str, Any],
    classes: Mapping[str | None, tuple[str | None, str | None]],
    vocabulary: Vocabulary | None,
) -> list[Answered]:
    """Return the objects that have answers; answers that stay before those that change.

    Parameters
    ----------
    row
        The decoded row.
    classes
        Object hash → feature hash and name of its class.
    vocabulary
        What answers refer to; without it they do not nest.
    """
    fixed = dict(items_of(row.get("object_answers")))
    changing = dict(items_of(row.get("object_actions")))
    answered = []
    for name in {**fixed, **changing}:
        feature, called = classes.get(name, (None, None))
        known = vocabulary.objects.get(feature or "") if vocabulary else None
        attributes = known.attributes if known else {}
        answers = _nested(dicts_of(fixed.get(name, {}).get("classifications")), attributes)
        answers += _nested(dicts_of(changing.get(name, {}).get("actions")), attributes)
        if answers:
            answered.append(Answered(name, called, None, answers))
    return answered


def classifications(
    row: Mapping[str, Any],
    on_frames: Iterable[tuple[int, dict[str, Any]]],
    vocabulary: Vocabulary | None,
) -> list[Answered]:
    """Return the classifications of a row, those of answers and those on frames merged.

    Parameters
    ----------
    row
        The decoded row.
    on_frames
        Frame and entry of the classifications that stand on frames, as older rows have them.
    vocabulary
        What answers refer to; without it they do not nest.
    """
    entries: dict[str, dict[str, Any]] = {}
    on: defaultdict[str, Ranges] = defaultdict(list)
    for frame, found in on_frames:
        name = text_of(found.get("classificationHash")) or "?"
        entries[name] = found
        on[name].append((frame, frame))
    answers = dict(items_of(row.get("classification_answers")))
    return [
        _classification(
            name, {**entries.get(name, {}), **answers.get(name, {})}, on[name], vocabulary
        )
        for name in {**answers, **entries}
    ]


def _classification(
    name: str, found: dict[str, Any], on: Ranges, vocabulary: Vocabulary | None
) -> Answered:
    ranges = ranges_of(found.get("range"))
    feature = text_of(found.get("featureHash")) or ""
    known = vocabulary.classifications.get(feature) if vocabulary else None
    answers = _nested(dicts_of(found.get("classifications")), known.attributes if known else {})
    called = known.name if known else text_of(found.get("name"))
    # Without an ontology the root is not told from what nests below it, unless it is alone.
    alone = answers[0].attribute if len(answers) == 1 else None
    frames = joined([*(ranges or []), *on]) if on or ranges is not None else None
    return Answered(name, called or alone or feature or None, frames, answers)


def _nested(found: Iterable[dict[str, Any]], attributes: Mapping[str, Attribute]) -> list[Answer]:
    """Return answers, each nested one below the answer that it depends on."""
    below: defaultdict[str | None, list[dict[str, Any]]] = defaultdict(list)
    answers = list(found)
    chosen = {
        (text_of(answer.get("featureHash")), text_of(option.get("featureHash")))
        for answer in answers
        for option in dicts_of(answer.get("answers"))
    }
    for answer in answers:
        attribute = attributes.get(text_of(answer.get("featureHash")) or "")
        parent = attribute.parent if attribute and attribute.parent in chosen else None
        below[parent[0] if parent else None].append(answer)
    place = {name: position for position, name in enumerate(attributes)}

    def tree(parent: str | None, depth: int = 0) -> list[Answer]:
        names = [
            (text_of(answer.get("featureHash")) or "", answer) for answer in below.pop(parent, [])
        ]
        names.sort(key=lambda pair: place.get(pair[0], len(place)))
        made = []
        for name, answer in names:
            nested = tree(name, depth + 1)
            flat = depth >= _DEEPEST
            made += [_answer(answer, []), *nested] if flat else [_answer(answer, nested)]
        return made

    return tree(None)


def _answer(found: dict[str, Any], nested: list[Answer]) -> Answer:
    value = found.get("answers")
    answer: list[str | None] | str | int | float | None
    if isinstance(value, list):
        answer = [text_of(one.get("name")) if isinstance(one, dict) else None for one in value]
    else:
        answer = text_of(value) if isinstance(value, str) else number_of(value)
    return Answer(text_of(found.get("name")), answer, ranges_of(found.get("range")), nested)
