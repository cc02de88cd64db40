"""Rules of the explaining path, for values that the typed path has decoded.

Each function runs the explaining path on values outside their rows, and refuses values that would
get a problem.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labelingest.encord.keys import PAYLOAD_KEYS
from labelingest.model.vocabulary import Attribute, ObjectClass
from labelingest.problems.of_document import DocumentProblems
from labelingest.readers.encord.data_file import DataFile
from labelingest.readers.encord.explain.answers import (
    note_missing,
    read_answers,
    static_answers,
    written_answer,
)
from labelingest.readers.encord.explain.data_file import fits
from labelingest.readers.encord.explain.data_units import Unit
from labelingest.readers.encord.explain.shapes import read_payload

__all__ = ["are_clean_answers", "are_types_of_files", "clean_payloads"]


def are_clean_answers(
    entries: Sequence[dict[str, Any]], attributes: Mapping[str, Attribute]
) -> bool:
    """Return whether a list of answers has no problem and would be written as it is.

    Parameters
    ----------
    entries
        The answers as decoded.
    attributes
        Hash → attribute of the class that the answers are about.
    """
    problems = DocumentProblems("")
    chosen = static_answers(read_answers(entries, "", attributes, problems), problems)
    note_missing(attributes, chosen, (), "", problems)
    rewritten = [written_answer(a.attribute, a.value, a.manual) for a in chosen.values()]
    return not problems.in_order() and rewritten == entries


def clean_payloads(
    payloads: Sequence[Any],
    classes: Sequence[ObjectClass],
    sizes: Sequence[tuple[int, int]],
) -> list[dict[str, Any]] | None:
    """Return payload keys as label rows write them; None for payloads with a problem.

    Parameters
    ----------
    payloads
        (n,) the payloads as decoded.
    classes
        (n,) the classes of their objects.
    sizes
        (n,) width and height in pixels of their images.
    """
    problems = DocumentProblems("")
    clean = []
    for payload, object_class, size in zip(payloads, classes, sizes, strict=True):
        entry = {"shape": object_class.shape, PAYLOAD_KEYS[object_class.shape]: payload}
        keys = read_payload(entry, "", object_class, size, problems)
        if keys is None:
            return None
        clean.append(keys)
    return None if problems.in_order() else clean


def are_types_of_files(types: Iterable[tuple[str, DataFile]]) -> bool:
    """Return whether each MIME type fits its image file.

    Parameters
    ----------
    types
        MIME types of data units, each with its file.
    """
    problems = DocumentProblems("")
    for mime_type, file in types:
        unit = Unit({"data_type": mime_type}, {}, None, "", 0)
        if not fits("image", [unit], DataFile(file.kind, file.mime_type), problems):
            return False
    return not problems.in_order()
