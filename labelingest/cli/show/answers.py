"""Answers of a label row: those of its objects, and those of its classifications.

With a vocabulary answers nest: a nested attribute lies below the one whose option it needs.
Label rows hold them as flat neighbours that differ in their hashes alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from labelingest.cli.show.lenient_json import (
    Ranges,
    dicts_of,
    items_of,
    number_of,
    ranges_of,
    text_of,
)
from labelingest.model.frame_ranges import union
from labelingest.model.vocabulary import Attribute, Vocabulary

__all__ = ["AnswerView", "AnswersView", "classifications", "object_answers"]

_DEEPEST: Final = 50
"""Levels that nest; the platform has 7, and JSON of some hundreds cannot be written."""


@dataclass(frozen=True, slots=True)
class AnswerView:
    """The answer to one attribute."""

    attribute: str | None
    answer: list[str | None] | str | int | float | None
    """The labels of options, a text, or a number."""
    frames: Ranges | None
    """Frames of an answer that changes over time; None for an answer that does not."""
    nested: list["AnswerView"]


@dataclass(frozen=True, slots=True)
class AnswersView:
    """The answers of one object or classification."""

    hash: str
    name: str | None
    frames: Ranges | None
    """Frames of a classification, empty for the whole file; None for objects."""
    answers: list[AnswerView]


def object_answers(
    row: Mapping[str, Any],
    classes: Mapping[str | None, tuple[str | None, str | None]],
    vocabulary: Vocabulary | None,
) -> list[AnswersView]:
    """Return the objects that have answers; constant answers come before answers that change.

    Parameters
    ----------
    row
        The decoded row.
    classes
        Object hash → feature hash and name of its class.
    vocabulary
        The ontology that answers refer to; without it they do not nest.
    """
    fixed = dict(items_of(row.get("object_answers")))
    changing = dict(items_of(row.get("object_actions")))
    answered = []
    for name in {**fixed, **changing}:
        feature, called = classes.get(name, (None, None))
        object_class = vocabulary.objects.get(feature or "") if vocabulary else None
        attributes = object_class.attributes if object_class else {}
        answers = _nested(dicts_of(fixed.get(name, {}).get("classifications")), attributes)
        answers += _nested(dicts_of(changing.get(name, {}).get("actions")), attributes)
        if answers:
            answered.append(AnswersView(name, called, None, answers))
    return answered


def classifications(
    row: Mapping[str, Any],
    frame_entries: Iterable[tuple[int, dict[str, Any]]],
    vocabulary: Vocabulary | None,
) -> list[AnswersView]:
    """Return the classifications of a row, those of answers and those on frames merged.

    Parameters
    ----------
    row
        The decoded row.
    frame_entries
        Frame and entry of the classifications on frames, as older rows have them.
    vocabulary
        The ontology that answers refer to; without it they do not nest.
    """
    entries: dict[str, dict[str, Any]] = {}
    frames_of: defaultdict[str, Ranges] = defaultdict(list)
    for frame, entry in frame_entries:
        name = text_of(entry.get("classificationHash")) or "?"
        entries[name] = entry
        frames_of[name].append((frame, frame))
    answers = dict(items_of(row.get("classification_answers")))
    return [
        _classification(
            name, {**entries.get(name, {}), **answers.get(name, {})}, frames_of[name], vocabulary
        )
        for name in {**answers, **entries}
    ]


def _classification(
    name: str, entry: dict[str, Any], frames_of_row: Ranges, vocabulary: Vocabulary | None
) -> AnswersView:
    ranges = ranges_of(entry.get("range"))
    feature = text_of(entry.get("featureHash")) or ""
    declared = vocabulary.classifications.get(feature) if vocabulary else None
    answers = _nested(
        dicts_of(entry.get("classifications")), declared.attributes if declared else {}
    )
    label = declared.name if declared else text_of(entry.get("name"))
    # Without an ontology the root cannot be distinguished from its nested answers, unless it is alone.
    alone = answers[0].attribute if len(answers) == 1 else None
    frames = (
        union([*(ranges or []), *frames_of_row]) if frames_of_row or ranges is not None else None
    )
    return AnswersView(name, label or alone or feature or None, frames, answers)


def _nested(
    entries: Iterable[dict[str, Any]], attributes: Mapping[str, Attribute]
) -> list[AnswerView]:
    """Return answers, each nested one below the answer that it depends on."""
    below: defaultdict[str | None, list[dict[str, Any]]] = defaultdict(list)
    answers = list(entries)
    chosen = {
        (text_of(answer.get("featureHash")), text_of(option.get("featureHash")))
        for answer in answers
        for option in dicts_of(answer.get("answers"))
    }
    for answer in answers:
        attribute = attributes.get(text_of(answer.get("featureHash")) or "")
        parent = attribute.parent if attribute and attribute.parent in chosen else None
        below[parent[0] if parent else None].append(answer)
    rank = {name: position for position, name in enumerate(attributes)}

    def tree(parent: str | None, depth: int = 0) -> list[AnswerView]:
        names = [
            (text_of(answer.get("featureHash")) or "", answer) for answer in below.pop(parent, [])
        ]
        names.sort(key=lambda pair: rank.get(pair[0], len(rank)))
        answers_of_level = []
        for name, answer in names:
            nested = tree(name, depth + 1)
            flat = depth >= _DEEPEST
            answers_of_level += (
                [_answer(answer, []), *nested] if flat else [_answer(answer, nested)]
            )
        return answers_of_level

    return tree(None)


def _answer(entry: dict[str, Any], nested: list[AnswerView]) -> AnswerView:
    value = entry.get("answers")
    answer: list[str | None] | str | int | float | None
    if isinstance(value, list):
        answer = [
            text_of(option.get("name")) if isinstance(option, dict) else None for option in value
        ]
    else:
        answer = text_of(value) if isinstance(value, str) else number_of(value)
    return AnswerView(text_of(entry.get("name")), answer, ranges_of(entry.get("range")), nested)
