"""Answers to attributes, all at once: are they what would be written, as they stand.

Answers repeat: the same options are chosen again and again. Each list is reduced to its form, which
leaves out what texts and numbers say, and a form is judged once, by `answers.py` itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from labelingest.model.vocabulary import Attribute
from labelingest.readers.encord.answers import (
    note_missing,
    read_answers,
    static_answers,
    written_answer,
)
from labelingest.readers.encord.keyed import (
    Row,
    Unclean,
    by_keys,
    columns,
    demand,
    demand_types,
)
from labelingest.readers.encord.known import Known
from labelingest.readers.encord.notes import Notes

__all__ = ["clean_object_answers", "demand_clean_answers"]

_ENTRY: Final = ("objectHash", "classifications")
_CLIENTS: Final = ("classifications", "objectHash")
_ENTRIES: Final = frozenset(
    (_ENTRY, _CLIENTS, (*_ENTRY, "objectNumber"), (*_CLIENTS, "objectNumber"))
)


def clean_object_answers(
    names: Sequence[str],
    entries: Sequence[Row],
    of: Sequence[int],
    unit: Sequence[int],
    known: Known,
) -> int:
    """Return how many colons the text of entries of object_answers has.

    `Unclean` where one is not as it would be written.

    Parameters
    ----------
    names
        (n,) their keys, the objects they are about, n > 0.
    entries
        (n,) the entries.
    of
        (n,) position in `Known.objects` of the class of each object.
    unit
        (n,) the label row each is in.
    known
        What the objects may be.
    """
    try:
        column: Mapping[str, Sequence[Any]] = columns(entries, _ENTRIES)
    except (Unclean, ValueError):
        demand(by_keys(entries).keys() <= _ENTRIES)
        column = {key: [entry[key] for entry in entries] for key in _ENTRY}
    demand(list(column["objectHash"]) == list(names))
    lists = column["classifications"]
    demand_types(lists, list)
    keys = sum(map(len, entries))
    if keys > len(_ENTRY) * len(entries):
        _demand_numbers(entries, of, unit)
    colons = len(names) + keys
    if any(lists) or known.demanding:
        for rows, position in zip(lists, of, strict=True):
            one = known.objects[position]
            if rows or one.feature_hash in known.demanding:
                demand_clean_answers(rows, one.feature_hash, one.attributes, known)
        colons += orjson.dumps(lists).count(b":")
    return colons


def demand_clean_answers(
    rows: Sequence[Row], of: str, attributes: Mapping[str, Attribute], known: Known
) -> None:
    """Raise `Unclean` where a list of answers is not as it would be written.

    Parameters
    ----------
    rows
        The list.
    of
        Feature hash of the class it is about.
    attributes
        Hash → attribute of the class.
    known
        Remembers what was clean before.
    """
    form = orjson.dumps(
        [
            row if type(row["answers"]) is list else {**row, "answers": str(type(row["answers"]))}
            for row in rows
        ]
    )
    demand(known.answers_are_clean(of, form, lambda: _are_clean(rows, attributes)))


def _are_clean(rows: Sequence[Row], attributes: Mapping[str, Attribute]) -> bool:
    notes = Notes("")
    chosen = static_answers(read_answers(rows, "", attributes, notes), notes)
    note_missing(attributes, chosen, (), "", notes)
    written = [written_answer(a.attribute, a.value, a.manual) for a in chosen.values()]
    changing = any(answer.attribute.dynamic for answer in chosen.values())
    return not (changing or notes.problems()) and orjson.dumps(written) == orjson.dumps(rows)


def _demand_numbers(entries: Sequence[Row], of: Sequence[int], unit: Sequence[int]) -> None:
    """Raise `Unclean` where numbers of objects are none, or two of a class have the same."""
    numbered = [
        (row, position, entry["objectNumber"])
        for entry, position, row in zip(entries, of, unit, strict=True)
        if "objectNumber" in entry
    ]
    demand_types((number for _, _, number in numbered), int)
    demand(all(number >= 0 for _, _, number in numbered))
    demand(len(set(numbered)) == len(numbered))
