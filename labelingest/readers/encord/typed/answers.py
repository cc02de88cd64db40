"""Answers and classifications of images: what their types cannot tell (`types.py`).

Which answers belong to which class, what is asked under which option, what is required. Answers
repeat: the same options are chosen again and again. Each list is reduced to its form, which leaves
out what texts and numbers say, and a form is judged once, by `readers/encord/explain/answers.py` itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from labelingest.encord.typed_rows import ImageRow
from labelingest.model.vocabulary import Attribute, ClassificationClass
from labelingest.problems.of_document import DocumentProblems
from labelingest.readers.encord.explain.answers import (
    note_missing,
    read_answers,
    static_answers,
    written_answer,
)
from labelingest.readers.encord.typed.rejected import demand
from labelingest.readers.encord.typed.schema import Known
from labelingest.readers.encord.typed.types import Answer, Classification, OnFrame

__all__ = ["clean_answers", "clean_classifications"]


def clean_answers(
    answers: Sequence[Answer], of: str, attributes: Mapping[str, Attribute], known: Known
) -> int:
    """Return the colons in the text of a list of answers.

    `Unclean` where it is not as it would be written.

    Parameters
    ----------
    answers
        The list.
    of
        Feature hash of the class it is about.
    attributes
        Hash → attribute of the class.
    known
        Remembers what was clean before.
    """
    types = list(map(type, answers))
    in_texts = 0
    for answer in answers:
        said = answer.answers
        if type(said) is list:
            types += map(type, said)
        elif type(said) is str:
            in_texts += said.count(":")
    form = tuple(types)
    colons = known.clean_answers.get((of, form))
    if colons is None:
        demand(_are_clean(msgspec.to_builtins(answers), attributes))
        colons = msgspec.json.encode(answers).count(b":") - in_texts
        known.remember(of, form, colons)
    return colons + in_texts


def _are_clean(rows: Sequence[dict[str, Any]], attributes: Mapping[str, Attribute]) -> bool:
    notes = DocumentProblems("")
    chosen = static_answers(read_answers(rows, "", attributes, notes), notes)
    note_missing(attributes, chosen, (), "", notes)
    written = [written_answer(a.attribute, a.value, a.manual) for a in chosen.values()]
    return not notes.in_order() and written == rows


def clean_classifications(row: ImageRow, known: Known) -> tuple[list[OnFrame], int]:
    """Return what is to stand on the image of a row, and the colons in all its classifications.

    `Unclean` where one is not clean; hashes, dates and authors are still to be checked.

    Parameters
    ----------
    row
        The label row, which has some.
    known
        What classifications may be.
    """
    classes = set()
    expected = []
    colons = 0
    for name, entry in row.classification_answers.items():
        of = known.classifications[type(entry)]
        classes.add(of.feature_hash)
        demand(entry.classifications and entry.classification_hash == name)
        colons += _KEYS_AND_CLOCKS + of.feature_hash.count(":")
        colons += clean_answers(entry.classifications, of.feature_hash, of.attributes, known)
        if not of.is_global:
            expected.append(_on_frame(entry, of, known))
    # Two of one class would stand on the same image.
    demand(len(classes) == len(row.classification_answers))
    found = row.unit.labels.classifications
    if found:
        demand(found == expected)
        colons += msgspec.json.encode(found).count(b":")
    return expected, colons


_KEYS_AND_CLOCKS: Final = 1 + 11 + 2 * 2
"""Colons of an entry of classification_answers: behind its name, behind its keys, in its dates."""


def _on_frame(entry: Classification, of: ClassificationClass, known: Known) -> OnFrame:
    """Return what stands on an image, as `frame_entry` does."""
    made: OnFrame = known.on_frames[of.feature_hash](
        of.name,
        of.value,
        entry.created_at,
        entry.created_by,
        entry.confidence,
        entry.classification_hash,
        entry.manual_annotation,
        entry.last_edited_at,
        entry.last_edited_by,
    )
    return made
