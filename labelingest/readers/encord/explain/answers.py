"""Answers to attributes: each must fit its attribute, and all must be consistent.

The answers of a label are one flat list. Nested answers are beside their parents, and hashes tell
them apart. The vocabulary says which attributes exist and which change over time; the ranges of the
latter are left to `dynamic_answers.py`.
"""

from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import Any, Final, TypeAlias

from msgspec import Struct

from labelingest.model.ontology import machine_name
from labelingest.model.vocabulary import Attribute
from labelingest.problems import ProblemCode
from labelingest.problems.broken_text import BROKEN_TEXT_NAME, BrokenText
from labelingest.problems.of_document import DocumentProblems, excerpt, json_type_name
from labelingest.problems.pointers import child_pointer
from labelingest.readers.encord.explain.ontology_checks import note_archived, note_differences
from labelingest.readers.encord.explain.provenance import read_manual

__all__ = ["Answer", "Value", "note_missing", "read_answers", "static_answers", "written_answer"]

Value: TypeAlias = tuple[str, ...] | str | int | float
"""Hashes of options in the ontology's order (radio: one), a text, or a number."""

_KEYS: Final = frozenset(
    (
        *("name", "value", "answers", "featureHash", "manualAnnotation"),
        *("dynamic", "range", "shouldPropagate", "trackHash", "spaceId", "classifications"),
    )
)
_OPTION_KEYS: Final = frozenset(("name", "value", "featureHash"))


class Answer(Struct, frozen=True):
    """One answer that fits its attribute."""

    attribute: Attribute
    """The attribute that is answered."""
    value: Value
    """Options, text or number."""
    manual: bool
    """Whether a person gave the answer."""
    entry: Mapping[str, Any]
    """The answer as decoded."""
    pointer: str
    """JSON pointer of the answer."""


def read_answers(
    entries: object, pointer: str, attributes: Mapping[str, Attribute], problems: DocumentProblems
) -> list[Answer]:
    """Return the valid answers of a list, in their order; note the others.

    Parameters
    ----------
    entries
        List of answers as decoded.
    pointer
        JSON pointer of the list.
    attributes
        Hash → attribute of the class that the answers are about.
    problems
        Container of the problems.

    Examples
    --------
    >>> speed = Attribute("Sp33d+/0", "Speed", "numeric")
    >>> row = {"featureHash": "Sp33d+/0", "answers": "fast"}
    >>> problems = DocumentProblems("a.json")
    >>> read_answers([row], "/classifications", {"Sp33d+/0": speed}, problems)
    []
    >>> print(problems.in_order()[0])
    a.json#/classifications/0/answers: wrong-answer-type: found text ('fast'), expected a number
    """
    if not isinstance(entries, list):
        problems.wrong_type(pointer, entries, "a list of answers")
        return []
    answers = (
        _read_answer(entry, child_pointer(pointer, i), attributes, problems)
        for i, entry in enumerate(entries)
    )
    return [answer for answer in answers if answer is not None]


def _read_answer(
    entry: object, pointer: str, attributes: Mapping[str, Attribute], problems: DocumentProblems
) -> Answer | None:
    if not isinstance(entry, dict):
        problems.wrong_type(pointer, entry, "an answer")
        return None
    feature_hash = entry.get("featureHash")
    if feature_hash is None or "answers" not in entry:
        key = "answers" if feature_hash is not None else "featureHash"
        problems.note(ProblemCode.MISSING_KEY, pointer, f"{key!r} is missing in an answer")
        return None
    attribute = attributes.get(feature_hash) if isinstance(feature_hash, str) else None
    if attribute is None:
        detail = f"the class has no attribute of the feature hash {excerpt(feature_hash)}"
        problems.note(ProblemCode.UNKNOWN_ATTRIBUTE, child_pointer(pointer, "featureHash"), detail)
        return None
    problems.unknown_keys(entry, _KEYS, pointer, "an answer")
    note_differences(entry, [("name", attribute.name)], pointer, problems)
    note_archived(
        attribute.archived, attribute.name, child_pointer(pointer, "featureHash"), problems
    )
    read_value = _READERS.get(attribute.type)
    value = (
        read_value(entry["answers"], child_pointer(pointer, "answers"), attribute, problems)
        if read_value
        else None
    )
    if value is None:
        return None
    return Answer(attribute, value, read_manual(entry, pointer, problems), entry, pointer)


def _text(
    value: object, pointer: str, attribute: Attribute, problems: DocumentProblems
) -> Value | None:
    if isinstance(value, str):
        return value
    if isinstance(value, BrokenText):
        detail = f"found {BROKEN_TEXT_NAME} ({excerpt(value)}): no answer"
        problems.note(ProblemCode.NOT_TEXT, pointer, detail)
    else:
        _wrong(value, pointer, "text", problems)
    return None


def _numeric(
    value: object, pointer: str, attribute: Attribute, problems: DocumentProblems
) -> Value | None:
    if type(value) is not float and type(value) is not int:
        _wrong(value, pointer, "a number", problems)
        return None
    if not isfinite(value):
        problems.note(ProblemCode.NOT_FINITE, pointer, f"{value} is not finite: no answer")
        return None
    return value


def _wrong(value: object, pointer: str, expected: str, problems: DocumentProblems) -> None:
    detail = f"found {json_type_name(value)} ({excerpt(value)}), expected {expected}"
    problems.note(ProblemCode.WRONG_ANSWER_TYPE, pointer, detail)


def _radio(
    value: object, pointer: str, attribute: Attribute, problems: DocumentProblems
) -> Value | None:
    """Return the chosen option; None for no option, which is no answer."""
    if isinstance(value, list) and len(value) > 1:
        detail = f"{len(value)} options of {excerpt(attribute.name)}, where one can be chosen"
        problems.note(ProblemCode.TWO_ANSWERS, pointer, f"{detail}: none is kept")
        return None
    options = _options(value, pointer, attribute, problems)
    return tuple(options) if options else None


def _checklist(
    value: object, pointer: str, attribute: Attribute, problems: DocumentProblems
) -> Value | None:
    options = _options(value, pointer, attribute, problems)
    if options is None:
        return None
    return tuple(option for option in attribute.options if option in options)


def _options(
    value: object, pointer: str, attribute: Attribute, problems: DocumentProblems
) -> list[str] | None:
    """Return the hashes of known options; None for no list, or for unknown options only."""
    if not isinstance(value, list):
        _wrong(value, pointer, f"a list of options of a {attribute.type}", problems)
        return None
    hashes = [
        _option(option, child_pointer(pointer, i), attribute, problems)
        for i, option in enumerate(value)
    ]
    valid = [feature_hash for feature_hash in hashes if feature_hash is not None]
    return valid if valid or not hashes else None


def _option(
    entry: object, pointer: str, attribute: Attribute, problems: DocumentProblems
) -> str | None:
    if not isinstance(entry, dict):
        _wrong(entry, pointer, "an option with its feature hash", problems)
        return None
    feature_hash = entry.get("featureHash")
    if feature_hash is None:
        problems.note(ProblemCode.MISSING_KEY, pointer, "'featureHash' is missing in an option")
        return None
    option = attribute.options.get(feature_hash) if isinstance(feature_hash, str) else None
    if option is None:
        detail = (
            f"{excerpt(attribute.name)} has no option of the feature hash {excerpt(feature_hash)}"
        )
        problems.note(ProblemCode.UNKNOWN_OPTION, child_pointer(pointer, "featureHash"), detail)
        return None
    problems.unknown_keys(entry, _OPTION_KEYS, pointer, "an option")
    expected = (("name", option.label), ("value", option.value))
    note_differences(entry, expected, pointer, problems)
    note_archived(option.archived, option.label, child_pointer(pointer, "featureHash"), problems)
    return option.feature_hash


_Reader: TypeAlias = Callable[[object, str, Attribute, DocumentProblems], Value | None]
_READERS: Final[Mapping[str, _Reader]] = {
    "radio": _radio,
    "checklist": _checklist,
    "text": _text,
    "numeric": _numeric,
}


def static_answers(answers: Iterable[Answer], problems: DocumentProblems) -> dict[str, Answer]:
    """Return hash of attribute → its only answer, from answers that do not change over time.

    Answers to one checklist are merged, as the web editor writes one for each ticked option. Of
    several answers to another attribute the last counts, as in Encord's client. A nested answer
    without its parent's option is kept and noted.
    """
    chosen: dict[str, Answer] = {}
    for answer in answers:
        attribute = answer.attribute
        before = chosen.get(attribute.feature_hash)
        if before is not None and attribute.type == "checklist":
            answer = _with_all_options(before, answer)
        elif before is not None and before.value != answer.value:
            detail = f"{excerpt(attribute.name)} is answered twice: the last answer counts"
            problems.note(ProblemCode.TWO_ANSWERS, answer.pointer, detail)
        chosen[attribute.feature_hash] = answer
    for answer in chosen.values():
        if not _is_asked(answer.attribute, chosen):
            detail = (
                f"{excerpt(answer.attribute.name)} is asked only under an option that is not chosen: "
                "kept, though readers may not show it"
            )
            problems.note(ProblemCode.PARENT_NOT_SELECTED, answer.pointer, detail)
    return chosen


def _with_all_options(before: Answer, after: Answer) -> Answer:
    """Return one answer with the options of two answers to a checklist."""
    ticked = {*_hashes(before.value), *_hashes(after.value)}
    options = tuple(option for option in before.attribute.options if option in ticked)
    return Answer(before.attribute, options, before.manual, before.entry, before.pointer)


def _hashes(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _is_asked(attribute: Attribute, chosen: Mapping[str, Answer]) -> bool:
    """Return whether an attribute is at the top, or nested under a chosen option."""
    if attribute.parent is None:
        return True
    parent = chosen.get(attribute.parent[0])
    return parent is not None and attribute.parent[1] in _hashes(parent.value)


def note_missing(
    attributes: Mapping[str, Attribute],
    chosen: Mapping[str, Answer],
    changing: Iterable[str],
    pointer: str,
    problems: DocumentProblems,
) -> None:
    """Note required attributes without an answer, except those under an option that is not chosen.

    Parameters
    ----------
    attributes
        Hash → attribute of the class.
    chosen
        Hash → static answer.
    changing
        Hashes of attributes with answers that change over time.
    pointer
        JSON pointer of the answers.
    problems
        Container of the problems.
    """
    answered = {*chosen, *changing}
    for attribute in attributes.values():
        needs_answer = (
            attribute.required and not attribute.archived and _is_asked(attribute, chosen)
        )
        if needs_answer and attribute.feature_hash not in answered:
            detail = f"{excerpt(attribute.name)} is required, and has no answer"
            problems.note(ProblemCode.MISSING_ANSWER, pointer, detail)


def written_answer(attribute: Attribute, value: Value, manual: bool) -> dict[str, Any]:
    """Return an answer as label rows write it.

    Examples
    --------
    >>> written_answer(Attribute("Qr5tUv6w", "Goods in", "text"), "gravel", True)["value"]
    'goods_in'
    """
    answers: object = value
    if isinstance(value, tuple):
        answers = [
            {"featureHash": option.feature_hash, "name": option.label, "value": option.value}
            for option in map(attribute.options.__getitem__, value)
        ]
    return {
        "featureHash": attribute.feature_hash,
        "name": attribute.name,
        "value": machine_name(attribute.name),
        "answers": answers,
        "manualAnnotation": manual,
    }
