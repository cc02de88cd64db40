"""Clean label rows, many at once, in columns: the fast path beside the one that explains.

A row is clean when `rows.py` would write it as it stands, but for frame lists of classifications in
style *answers*, which are added, and would have nothing to say about it. That is asked of all rows
together with built-ins that work on whole columns, without a step of the interpreter for each
object. So the answer is for all as well: if one row is not clean, none is taken, and who asks goes
on without it, or divides them where it is not known which one it is. Steps: rows and their data units; frames; objects; answers; classifications; repeated keys.

Knows images, videos and documents whose answers do not change over time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np

from labelingest.arrays import Int32, Int64
from labelingest.readers.encord.clean_answers import clean_object_answers
from labelingest.readers.encord.clean_classifications import (
    clean_image_classifications,
    clean_video_classifications,
)
from labelingest.readers.encord.clean_heads import Heads, clean_heads
from labelingest.readers.encord.clean_objects import CleanObjects, clean_objects
from labelingest.readers.encord.data_file import DataFile
from labelingest.readers.encord.keyed import (
    Row,
    Unclean,
    about,
    columns,
    demand,
    demand_dates,
    demand_types,
)
from labelingest.readers.encord.known import Known
from labelingest.readers.encord.object_answers import Medium

__all__ = ["CleanRows", "clean_rows"]

_FRAME: Final = (("objects", "classifications"),)
_COLON: Final = ord(":")
_NEAR: Final = 65_536
"""Bytes that are looked at together: so few that they stay near the processor."""
_ESCAPED: Final = (b"\\u003a", b"\\u003A")


@dataclass(frozen=True, slots=True, eq=False)
class CleanRows:
    """Label rows as every reader takes them, and their objects in columns."""

    objects: CleanObjects | None
    """None where there are none."""
    unit: Int64
    """(n,) the row of each object."""
    frame: Int32
    """(n,)"""


@dataclass(frozen=True, slots=True, eq=False)
class _Frames:
    """What stands on frames, of all rows."""

    unit: Int64
    """(f,) the row of each frame."""
    number: Int32
    """(f,) from 0 on."""
    labels: Sequence[Row]
    """(f,)"""


def clean_rows(
    documents: Sequence[Any], contents: Sequence[bytes], files: Sequence[DataFile], known: Known
) -> CleanRows | frozenset[int]:
    """Return label rows in columns if all of them are clean, else positions of some that are not.

    The set is empty where it is not known which are not.

    Parameters
    ----------
    documents
        (u,) sidecars as decoded, u > 0; completed in place if all are clean.
    contents
        (u,) the sidecars as stored.
    files
        (u,) the data files that they stand beside.
    known
        What labels may refer to.
    """
    try:
        return _clean(documents, contents, files, known)
    except Unclean as found:
        return found.positions
    # What is not even of the form that is looked for: missing keys, other types, other lengths.
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError):
        return frozenset()


def _clean(
    documents: Sequence[Any], contents: Sequence[bytes], files: Sequence[DataFile], known: Known
) -> CleanRows:
    heads = clean_heads(documents, files)
    frames = _frames(heads)
    # Key of a frame where frames are numbered, and the two keys inside.
    colons = heads.colons + len(frames.labels) * (2 if heads.kind == "image" else 3)
    with about(frames.unit.item):
        column = columns(frames.labels, _FRAME) if frames.labels else dict.fromkeys(_FRAME[0], ())
    demand_types(chain(column["objects"], column["classifications"]), list)
    counts = np.fromiter(map(len, column["objects"]), np.int64, len(frames.labels))
    objects: list[Row] = list(chain.from_iterable(column["objects"]))
    clean = CleanRows(None, np.repeat(frames.unit, counts), np.repeat(frames.number, counts))
    answers: Sequence[Row] = heads.column["object_answers"]
    if objects:
        with about(clean.unit.item):
            found = clean_objects(objects, heads.sizes, clean.unit, known)
        clean = CleanRows(found, clean.unit, clean.frame)
        colons += found.colons + _clean_answers(answers, clean, found, known)
    else:
        demand(not any(answers))
    demand_dates(heads.dates if clean.objects is None else [*heads.dates, *clean.objects.dates])
    missing, of_classifications = _clean_classifications(documents, heads, frames, column, known)
    _demand_no_key_twice(contents, colons + of_classifications)
    for unit, labels in missing.items():
        heads.units[unit]["labels"] = labels
    return clean


def _frames(heads: Heads) -> _Frames:
    labels = heads.unit_column["labels"]
    if heads.kind == "image":
        return _Frames(np.arange(len(labels)), np.zeros(len(labels), dtype=np.int32), labels)
    numbers = [_numbers_of_frames(found, heads.frame_counts[i]) for i, found in enumerate(labels)]
    lists = list(chain.from_iterable(map(dict.values, labels)))
    # A frame on which nothing stands is not written.
    demand(all(frame["objects"] or frame["classifications"] for frame in lists))
    return _Frames(
        np.repeat(np.arange(len(labels)), list(map(len, labels))),
        np.array(list(chain.from_iterable(numbers)), dtype=np.int32),
        lists,
    )


def _numbers_of_frames(labels: Row, count: int) -> list[int]:
    """Return the numbers of frames in their shortest form, ascending, below count."""
    numbers = list(map(int, labels))
    demand(list(map(str, numbers)) == list(labels) and numbers == sorted(numbers))
    demand(not numbers or (numbers[0] >= 0 and numbers[-1] < count))
    return numbers


def _clean_answers(
    answers: Sequence[Row], clean: CleanRows, objects: CleanObjects, known: Known
) -> int:
    """Return the colons in object_answers, if there is one clean entry for each object."""
    names = list(chain.from_iterable(answers))
    entries = list(chain.from_iterable(map(dict.values, answers)))
    lengths = np.fromiter(map(len, answers), np.int64, len(answers))
    unit = np.repeat(np.arange(len(answers)), lengths)
    of = objects.of.tolist()
    # Nearly always in the same order, each object on one frame; keys stand once in a JSON object.
    if not (names == list(objects.hashes) and np.array_equal(unit, clean.unit)):
        of = _classes_of(list(zip(unit.tolist(), names, strict=True)), clean, objects)
    with about(unit.item):
        return clean_object_answers(names, entries, of, unit.tolist(), known)


def _classes_of(
    wanted: Sequence[tuple[int, str]], clean: CleanRows, objects: CleanObjects
) -> list[int]:
    """Return the class of each object, by row and hash, if each has one and is once on a frame."""
    found = list(zip(clean.unit.tolist(), objects.hashes, strict=True))
    of = objects.of.tolist()
    demand(len(set(zip(found, clean.frame.tolist(), strict=True))) == len(found))
    class_of = dict(zip(found, of, strict=True))
    demand(list(map(class_of.__getitem__, found)) == of)
    demand(len(class_of) == len(wanted))
    return list(map(class_of.__getitem__, wanted))


def _clean_classifications(
    documents: Sequence[Row],
    heads: Heads,
    frames: _Frames,
    column: Mapping[str, Sequence[Any]],
    known: Known,
) -> tuple[dict[int, Row], int]:
    """Return the labels of data units that lack classifications, completed; and the colons."""
    labels: dict[int, Row] = {}
    if heads.kind == "image":
        answers = heads.column["classification_answers"]
        lists = column["classifications"]
        missing, colons = clean_image_classifications(answers, lists, known)
        for unit, rows in missing.items():
            labels[unit] = {**frames.labels[unit], "classifications": rows}
        return labels, colons
    colons = 0
    for unit, row in enumerate(documents):
        found = heads.unit_column["labels"][unit]
        by_number = {int(number): frame for number, frame in found.items()}
        medium = Medium(heads.frame_counts[unit])
        standing, more = clean_video_classifications(row, by_number, medium, known)
        colons += more
        if standing:
            labels[unit] = _completed(by_number, standing)
    return labels, colons


def _completed(frames: Mapping[int, Row], standing: Mapping[int, list[Row]]) -> Row:
    """Return the labels of a video with classifications on the frames that they stand on."""
    return {
        str(number): {
            "objects": frames[number]["objects"] if number in frames else [],
            "classifications": standing.get(number, []),
        }
        for number in sorted({*frames, *standing})
    }


def _demand_no_key_twice(contents: Sequence[bytes], colons: int) -> None:
    r"""Raise `Unclean` where an object may have a key twice.

    A colon stands behind each key and else only in strings. Both are counted in what was decoded,
    where of two equal keys one is left; a text has more, unless a colon is written as an escape.
    """
    found = 0
    together = max(_NEAR * len(contents) // sum(map(len, contents)), 1)
    for start in range(0, len(contents), together):
        text = b"".join(contents[start : start + together])
        found += int(np.count_nonzero(np.frombuffer(text, np.uint8) == _COLON))
        demand(b"\\" not in text or not any(escape in text for escape in _ESCAPED))
    demand(found == colons)
