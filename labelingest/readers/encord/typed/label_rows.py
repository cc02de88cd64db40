"""Clean label rows of images, many at once: the fast path beside the one that explains.

A row is clean when `readers/encord/explain/label_row.py` would write it as it stands, but for the order of keys and for frame
lists of classifications in style *answers*, which are added, and would have nothing to say about
it. Most of that is checked while decoding, by types (`types.py`). The rest is asked of all
rows together with built-ins that work on whole columns. So the answer is for all as well: if one
row is not clean, none is taken, and who asks goes on without it, or divides them where it is not
known which one it is. Steps: rows and their images; objects; answers; classifications; repeated
keys.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import UNSET, Struct
from msgspec.structs import astuple

from labelingest.columns.types import Float64, Int32, Int64
from labelingest.encord.dates import are_written_dates
from labelingest.encord.typed_rows import ImageRow, ImageUnit, ObjectEntry
from labelingest.model.annotations import Rings
from labelingest.model.authors import is_email
from labelingest.problems.of_document import DocumentProblems
from labelingest.readers.encord.explain.data_file import DataFile, fits
from labelingest.readers.encord.explain.data_units import Unit
from labelingest.readers.encord.typed.answers import clean_answers, clean_classifications
from labelingest.readers.encord.typed.payloads import (
    Payloads,
    clean_payloads,
    payloads_one_by_one,
)
from labelingest.readers.encord.typed.rejected import Unclean, about, demand
from labelingest.readers.encord.typed.schema import Known

__all__ = ["CleanObjects", "clean_rows"]

_ROW_TEXTS: Final = (
    *("label_hash", "branch_name", "created_at", "last_edited_at", "data_hash", "dataset_hash"),
    *("dataset_title", "data_title"),
)
_UNIT_TEXTS: Final = ("data_hash", "data_title", "data_link", "data_type")
_KEYS: Final = 17 + 1 + 8 + 2
"""Of a row, without entries: of itself, of its units, of the one unit, of its labels."""
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*")
_COLON: Final = ord(":")
_NEAR: Final = 131_072
"""Bytes that are looked at together: so few that they stay near the processor."""
_ESCAPED: Final = (b"\\u003a", b"\\u003A")


@dataclass(frozen=True, slots=True, eq=False)
class CleanObjects:
    """The objects of clean rows, in columns."""

    unit: Int64
    """(n,) the row of each."""
    of: Int32
    """(n,) position in `Known.objects` of the class of each."""
    hashes: Sequence[str]
    """(n,)"""
    confidence: Float64
    """(n,) as in `Annotations`."""
    drawn: Payloads
    """Of all."""


def clean_rows(
    rows: Sequence[ImageRow], contents: Sequence[bytes], files: Sequence[DataFile], known: Known
) -> CleanObjects | frozenset[int]:
    """Return the objects of label rows if all rows are clean, else positions of some that are not.

    The set is empty where it is not known which are not.

    Parameters
    ----------
    rows
        (u,) sidecars as decoded, u > 0; completed in place if all are clean.
    contents
        (u,) the sidecars as stored.
    files
        (u,) the data files that they stand beside.
    known
        What labels may refer to.
    """
    try:
        return _clean(rows, contents, files, known)
    except Unclean as found:
        return found.positions


def _clean(
    rows: Sequence[ImageRow], contents: Sequence[bytes], files: Sequence[DataFile], known: Known
) -> CleanObjects:
    units = [unit for row in rows for unit in row.data_units.values()]
    dates: list[str] = []
    colons = _KEYS * len(rows) + _heads(rows, units, files, dates)
    lists = [unit.labels.objects for unit in units]
    objects: list[Any] = list(chain.from_iterable(lists))
    unit = np.repeat(np.arange(len(rows)), np.fromiter(map(len, lists), np.int64, len(rows)))
    of = list(map(known.position.__getitem__, map(type, objects)))
    with about(unit.item):
        found, in_objects = _objects(objects, of, unit, units, known, dates)
    colons += in_objects + _answers(rows, found, known)
    on_images, in_classifications = _classifications(rows, known, dates)
    demand(are_written_dates(dates))
    _demand_no_key_twice(contents, colons + in_classifications)
    for image, listed in zip(units, on_images, strict=False):
        image.labels.classifications = listed
    for polygon, outline, parts in found.drawn.texts:
        polygon.drawn, polygon.polygons = outline, parts
    return found


def _columns(values: Sequence[Struct]) -> dict[str, tuple[Any, ...]]:
    """Return field → its values, of the fields that all have."""
    # Those of some types go on where others end.
    fields = zip(*map(astuple, values), strict=False)
    return dict(zip(values[0].__struct_fields__, fields, strict=False))


def _heads(
    rows: Sequence[ImageRow],
    units: Sequence[ImageUnit],
    files: Sequence[DataFile],
    dates: list[str],
) -> int:
    """Return the colons in what rows and units say; adds dates that are still to be checked."""
    row, unit = _columns(rows), _columns(units)
    names = unit["data_hash"]
    demand(list(chain.from_iterable(row["data_units"])) == list(names))
    dates += row["created_at"]
    dates += row["last_edited_at"]
    _demand_types(set(zip(unit["data_type"], files, strict=True)))
    sizes = list(zip(unit["width"], unit["height"], strict=True))
    known = [file.size if file.kind else None for file in files]
    # Nearly always all are known, and the same.
    demand(sizes == known or all(b in (a, None) for a, b in zip(sizes, known, strict=True)))
    texts = [*map(row.__getitem__, _ROW_TEXTS), *map(unit.__getitem__, _UNIT_TEXTS), names]
    return msgspec.json.encode(texts).count(b":")


def _demand_types(types: set[tuple[str, DataFile]]) -> None:
    """Raise `Unclean` where a MIME type is not that of its file."""
    notes = DocumentProblems("")
    for mime_type, file in types:
        unit = Unit({"data_type": mime_type}, {}, None, "", 0)
        demand(fits("image", [unit], DataFile(file.kind, file.mime_type), notes))
    demand(not notes.in_order())


def _objects(
    objects: Sequence[Any],
    of: Sequence[int],
    unit: Int64,
    units: Sequence[ImageUnit],
    known: Known,
    dates: list[str],
) -> tuple[CleanObjects, int]:
    """Return objects in columns, and the colons in their text; adds their dates."""
    n = len(objects)
    if not n:
        nothing = Payloads(np.zeros(0), np.zeros(0, dtype=np.int64), 0)
        return CleanObjects(unit, np.zeros(0, np.int32), (), np.zeros(0), nothing), 0
    column = _columns(objects)
    dates += column["created_at"]
    if column["last_edited_at"] != column["created_at"]:
        dates += column["last_edited_at"]
    editors, deleted = column["last_edited_by"], column["is_deleted"]
    _demand_authors({*column["created_by"], *editors} - {UNSET})
    _demand_hashes(column["object_hash"])
    sure = np.fromiter(column["confidence"], np.float64, n)
    # What a person drew and was sure of is ground truth, which has no confidence.
    sure[np.fromiter(column["manual_annotation"], np.bool_, n) & (sure == 1)] = np.nan
    classes = np.array(of, dtype=np.int32)
    drawn = _payloads(objects, column["drawn"], classes, unit, units, known)
    optional = 2 * n - editors.count(UNSET) - deleted.count(UNSET)
    colons = sum(map(known.colons.__getitem__, of)) + optional + drawn.colons
    return CleanObjects(unit, classes, column["object_hash"], sure, drawn), colons


def _demand_authors(authors: Iterable[str | None]) -> None:
    """Raise `Unclean` where one is neither null nor an e-mail address without a colon."""
    demand(all(who is None or (is_email(who) and ":" not in who) for who in authors))


def _demand_hashes(hashes: Sequence[str]) -> None:
    """Raise `Unclean` where one, all of 8 characters, has one that is no base64."""
    demand(_BASE64.fullmatch("".join(hashes)))


def _payloads(
    objects: Sequence[Any],
    drawn: Sequence[Any],
    of: Int32,
    unit: Int64,
    units: Sequence[ImageUnit],
    known: Known,
) -> Payloads:
    """Return what all objects draw, in their order."""
    shapes = known.shapes[of]
    groups = []
    for shape in {known.shapes.item(position) for position in set(of.tolist())}:
        rows = np.flatnonzero(shapes == shape)
        alike, payloads = objects, drawn
        if len(rows) < len(objects):
            places = rows.tolist()
            alike, payloads = [objects[i] for i in places], [drawn[i] for i in places]
        with about(rows.item):
            found = clean_payloads(known.objects[of[rows[0]]].shape, alike, payloads)
            if found is None:
                sizes = [(units[i].width, units[i].height) for i in unit[rows].tolist()]
                classes = [known.objects[i] for i in of[rows].tolist()]
                found = payloads_one_by_one(payloads, classes, sizes)
        groups.append((rows, found))
    return groups[0][1] if len(groups) == 1 else _in_order(groups, len(objects))


def _in_order(groups: Sequence[tuple[Int64, Payloads]], n: int) -> Payloads:
    """Return the payloads of groups of objects in the order of the objects."""
    lengths = np.empty(n, dtype=np.int64)
    for rows, drawn in groups:
        lengths[rows] = drawn.lengths
    begin = np.cumsum(lengths) - lengths
    numbers = np.empty(int(lengths.sum()))
    parts: dict[int, Rings] = {}
    for rows, drawn in groups:
        own = drawn.lengths
        within = np.arange(own.sum()) - np.repeat(np.cumsum(own) - own, own)
        numbers[np.repeat(begin[rows], own) + within] = drawn.numbers
        parts.update({int(rows[i]): rings for i, rings in drawn.parts.items()})
    texts = [text for _, drawn in groups for text in drawn.texts]
    return Payloads(numbers, lengths, sum(drawn.colons for _, drawn in groups), parts, texts)


def _answers(rows: Sequence[ImageRow], found: CleanObjects, known: Known) -> int:
    """Return the colons in object_answers, if there is one clean entry for each object."""
    answers = [row.object_answers for row in rows]
    names = list(chain.from_iterable(answers))
    entries: list[ObjectEntry] = list(chain.from_iterable(map(dict.values, answers)))
    if not entries:
        demand(not len(found.of))
        return 0
    column = _columns(entries)
    demand(list(column["object_hash"]) == names)
    lengths = np.fromiter(map(len, answers), np.int64, len(answers))
    unit = np.repeat(np.arange(len(answers)), lengths)
    of = found.of.tolist()
    # Nearly always in the same order; keys stand once in a JSON object.
    if not (names == list(found.hashes) and np.array_equal(unit, found.unit)):
        of = _classes_of(list(zip(unit.tolist(), names, strict=True)), found)
    numbers = column["object_number"]
    numbered = len(numbers) - numbers.count(UNSET)
    if numbered:
        numbers_of_classes = [
            one for one in zip(unit.tolist(), of, numbers, strict=True) if one[2] is not UNSET
        ]
        demand(len(set(numbers_of_classes)) == numbered)
    colons = 3 * len(names) + numbered
    lists = column["classifications"]
    if any(lists) or known.demanding:
        with about(unit.item):
            colons += _lists(lists, of, known)
    return colons


def _classes_of(wanted: Sequence[tuple[int, str]], found: CleanObjects) -> list[int]:
    """Return the class of each object, by row and hash, if each stands once."""
    placed = zip(found.unit.tolist(), found.hashes, strict=True)
    class_of = dict(zip(placed, found.of.tolist(), strict=True))
    demand(len(class_of) == len(wanted) == len(found.of) and class_of.keys() == set(wanted))
    return list(map(class_of.__getitem__, wanted))


def _lists(lists: Sequence[Sequence[Any]], of: Sequence[int], known: Known) -> int:
    """Return the colons in lists of answers about objects."""
    colons = seen = 0
    try:
        for answers, one in zip(lists, of, strict=True):
            if answers or one in known.demanding:
                asked = known.objects[one]
                colons += clean_answers(answers, asked.feature_hash, asked.attributes, known)
            seen += 1
    except Unclean:
        raise Unclean([seen]) from None
    return colons


def _classifications(
    rows: Sequence[ImageRow], known: Known, dates: list[str]
) -> tuple[list[list[Any]], int]:
    """Return what is to stand on images, and the colons in all classifications; adds dates."""
    entries = list(chain.from_iterable(row.classification_answers.values() for row in rows))
    if not entries:
        demand(not any(row.unit.labels.classifications for row in rows))
        return [], 0
    on_images: list[list[Any]] = []
    colons = 0
    try:
        for row in rows:
            listed, more = clean_classifications(row, known)
            on_images.append(listed)
            colons += more
    except Unclean:
        raise Unclean([len(on_images)]) from None
    column = _columns(entries)
    _demand_hashes(column["classification_hash"])
    _demand_authors({*column["created_by"], *column["last_edited_by"]})
    dates += column["created_at"]
    dates += column["last_edited_at"]
    return on_images, colons


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
