"""Answers and classifications of images: rules that their types cannot state (`types.py`).

The rules are which answers belong to which class, which are asked under which option, and which are
required. Answers repeat, as the same options are chosen again and again. So each list is reduced to
its form, which leaves out texts and numbers, and each form is judged once, by the explaining path.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from labelingest.encord.typed_rows import ImageRow
from labelingest.model.vocabulary import Attribute, ClassificationClass
from labelingest.readers.encord.typed.rejected import demand
from labelingest.readers.encord.typed.schema import RowSchema
from labelingest.readers.encord.typed.types import Answer, Classification, OnFrame

__all__ = ["clean_answers", "clean_classifications"]


def clean_answers(
    answers: Sequence[Answer],
    class_hash: str,
    attributes: Mapping[str, Attribute],
    schema: RowSchema,
) -> int:
    """Return the colons in the text of a list of answers.

    `Rejected` for a list that would be written differently.

    Parameters
    ----------
    answers
        List of answers, as decoded.
    class_hash
        Feature hash of the class that the answers are about.
    attributes
        Hash → attribute of the class.
    schema
        Types of the vocabulary; it remembers clean forms of lists.
    """
    types = list(map(type, answers))
    in_texts = 0
    for answer in answers:
        value = answer.answers
        if type(value) is list:
            types += map(type, value)
        elif type(value) is str:
            in_texts += value.count(":")
    form = tuple(types)
    colons = schema.clean_answers.get((class_hash, form))
    if colons is None:
        demand(schema.rules.are_clean_answers(msgspec.to_builtins(answers), attributes))
        colons = msgspec.json.encode(answers).count(b":") - in_texts
        schema.remember(class_hash, form, colons)
    return colons + in_texts


def clean_classifications(row: ImageRow, schema: RowSchema) -> tuple[list[OnFrame], int]:
    """Return the frame labels of a row, and the colons in all its classifications.

    `Rejected` for a classification that is not clean. Hashes, dates and authors are left unchecked.

    Parameters
    ----------
    row
        Label row with classifications.
    schema
        Types of the vocabulary.
    """
    classes = set()
    expected = []
    colons = 0
    for name, entry in row.classification_answers.items():
        definition = schema.classifications[type(entry)]
        classes.add(definition.feature_hash)
        demand(entry.classifications and entry.classification_hash == name)
        colons += _KEYS_AND_CLOCKS + definition.feature_hash.count(":")
        colons += clean_answers(
            entry.classifications, definition.feature_hash, definition.attributes, schema
        )
        if not definition.is_global:
            expected.append(_on_frame(entry, definition, schema))
    # Two classifications of one class would be on the same image.
    demand(len(classes) == len(row.classification_answers))
    labels = row.unit.labels.classifications
    if labels:
        demand(labels == expected)
        colons += msgspec.json.encode(labels).count(b":")
    return expected, colons


_KEYS_AND_CLOCKS: Final = 1 + 11 + 2 * 2
"""Colons of an entry of classification_answers: after its name and its keys, and in its dates."""


def _on_frame(entry: Classification, definition: ClassificationClass, schema: RowSchema) -> OnFrame:
    """Return the frame label of an entry, as `frame_entry` of the explaining path does."""
    label: OnFrame = schema.on_frames[definition.feature_hash](
        definition.name,
        definition.value,
        entry.created_at,
        entry.created_by,
        entry.confidence,
        entry.classification_hash,
        entry.manual_annotation,
        entry.last_edited_at,
        entry.last_edited_by,
    )
    return label
