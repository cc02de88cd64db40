"""Answers and classifications of images: what their types cannot tell (`types.py`).

Which answers belong to which class, what is asked under which option, what is required. Answers
repeat: the same options are chosen again and again. Each list is reduced to its form, which leaves
out what texts and numbers say, and a form is judged once, by `readers/encord/explain/answers.py` itself.
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

    `Rejected` where it is not as it would be written.

    Parameters
    ----------
    answers
        The list.
    class_hash
        Feature hash of the class it is about.
    attributes
        Hash → attribute of the class.
    schema
        Remembers what was clean before.
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
    """Return what is to stand on the image of a row, and the colons in all its classifications.

    `Rejected` where one is not clean; hashes, dates and authors are still to be checked.

    Parameters
    ----------
    row
        The label row, which has some.
    schema
        What classifications may be.
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
    # Two of one class would stand on the same image.
    demand(len(classes) == len(row.classification_answers))
    labels = row.unit.labels.classifications
    if labels:
        demand(labels == expected)
        colons += msgspec.json.encode(labels).count(b":")
    return expected, colons


_KEYS_AND_CLOCKS: Final = 1 + 11 + 2 * 2
"""Colons of an entry of classification_answers: behind its name, behind its keys, in its dates."""


def _on_frame(entry: Classification, definition: ClassificationClass, schema: RowSchema) -> OnFrame:
    """Return what stands on an image, as `frame_entry` does."""
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
