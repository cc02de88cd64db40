"""Classifications of many label rows: are they what would be written, as they stand.

Those of images are looked at in columns. Those of videos and documents, which may stand on many
frames, row by row by `classifications.py` itself. What rows lack, the lists on frames in style
*answers*, is returned; nothing is changed.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final

import orjson

from labelingest.model.vocabulary import ClassificationClass
from labelingest.readers.encord.classifications import Classifications, frame_entry
from labelingest.readers.encord.clean_answers import demand_clean_answers
from labelingest.readers.encord.clean_objects import demand_authors, demand_hashes
from labelingest.readers.encord.keyed import (
    Row,
    about,
    columns,
    demand,
    demand_dates,
    demand_types,
)
from labelingest.readers.encord.known import Known
from labelingest.readers.encord.metadata import Dates
from labelingest.readers.encord.notes import Notes
from labelingest.readers.encord.object_answers import Medium

__all__ = ["clean_image_classifications", "clean_video_classifications"]

_KEYS: Final = (
    *("classifications", "classificationHash", "featureHash", "spaces", "range", "createdBy"),
    *("createdAt", "lastEditedBy", "lastEditedAt", "confidence", "manualAnnotation"),
)


def clean_image_classifications(
    answers: Sequence[dict[str, Row]], lists: Sequence[list[Row]], known: Known
) -> tuple[dict[int, list[Row]], int]:
    """Return the lists that images lack, and how many colons the text of all has.

    Parameters
    ----------
    answers
        (u,) classification_answers of label rows of one image each.
    lists
        (u,) what stands on the images.
    known
        What classifications may be.
    """
    if not any(answers):
        demand(not any(lists))
        return {}, 0
    entries = list(chain.from_iterable(map(dict.values, answers)))
    with about(lambda entry: [unit for unit, found in enumerate(answers) for _ in found][entry]):
        of = _clean_entries(list(chain.from_iterable(answers)), entries, known)
    missing: dict[int, list[Row]] = {}
    begin = 0
    for row, (answer, found) in enumerate(zip(answers, lists, strict=True)):
        mine = slice(begin, begin + len(answer))
        begin += len(answer)
        classes = {one.feature_hash for one in of[mine]}
        demand(len(classes) == len(answer))
        expected = [
            frame_entry(entry, one)
            for entry, one in zip(entries[mine], of[mine], strict=True)
            if not one.is_global
        ]
        if found:
            demand(orjson.dumps(found) == orjson.dumps(expected))
        elif expected:
            missing[row] = expected
    return missing, orjson.dumps([answers, lists]).count(b":")


def _clean_entries(
    names: Sequence[str], entries: Sequence[Row], known: Known
) -> list[ClassificationClass]:
    """Return the classes of entries of classification_answers; `Unclean` where one is not clean."""
    column = columns(entries, (_KEYS,))
    demand(list(column["classificationHash"]) == names)
    demand_hashes(names)
    demand_types(column["spaces"], dict)
    demand(not any(column["spaces"]))
    demand_dates((*column["createdAt"], *column["lastEditedAt"]))
    demand_authors({*column["createdBy"], *column["lastEditedBy"]})
    demand_types(column["confidence"], float, int)
    demand(min(column["confidence"]) >= 0 and max(column["confidence"]) <= 1)
    demand_types(column["manualAnnotation"], bool)
    of = list(map(known.classification, column["featureHash"]))
    for rows, one, placed in zip(column["classifications"], of, column["range"], strict=True):
        demand(rows and orjson.dumps(placed) == (b"[]" if one.is_global else b"[[0,0]]"))
        demand_clean_answers(rows, one.feature_hash, one.attributes, known)
    return of


def clean_video_classifications(
    row: Row, frames: Mapping[int, Row], medium: Medium, known: Known
) -> tuple[dict[int, list[Row]], int]:
    """Return frame → list of one label row with many frames, and how many colons the text has.

    Parameters
    ----------
    row
        The label row.
    frames
        Frame → what stands on it.
    medium
        How many frames there are.
    known
        What classifications may be.
    """
    answers = row["classification_answers"]
    if not answers:
        demand(not any(frame["classifications"] for frame in frames.values()))
        return {}, 0
    notes = Notes("")
    defaults = Dates(row["created_at"], row["last_edited_at"])
    read = Classifications(known.vocabulary, defaults, medium, notes)
    for number, frame in frames.items():
        read.on_frame(frame["classifications"], "", number)
    read.answers(answers, "")
    demand(not notes.problems() and orjson.dumps(read.written) == orjson.dumps(answers))
    expected: dict[int, list[Row]] = {}
    for number, entry in read.frame_entries():
        expected.setdefault(number, []).append(entry)
    found = {number: frame["classifications"] for number, frame in frames.items()}
    if any(found.values()):
        stand: dict[int, Any] = {number: rows for number, rows in found.items() if rows}
        ordered = {number: expected[number] for number in sorted(expected)}
        demand(_text(stand) == _text(ordered))
    return expected, orjson.dumps(answers).count(b":") + _text(found).count(b":") - len(found)


def _text(rows: Mapping[int, Sequence[Row]]) -> bytes:
    return orjson.dumps(rows, option=orjson.OPT_NON_STR_KEYS)
