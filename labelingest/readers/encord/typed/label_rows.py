"""Clean label rows of images, many at once, with their objects in columns.

A row is clean when the explaining path has no problem with it and would write it as it is. Two
differences are allowed: the order of keys, and empty frame lists of classifications, which are
filled in. Types check most of this while decoding (`types.py`), the functions here the rest, by
built-ins that work on whole columns.

Rows are accepted or rejected together. The caller then leaves out the named rows, or divides the
batch when none is named.

Steps: rows and their images; objects; answers; classifications; repeated keys. Decoding keeps one of
two equal keys in silence, so each step returns the colons that its values have as text: the contents
have more colons only where a key is repeated (`_demand_no_key_twice`).
"""

import re
from collections.abc import Iterable, Sequence
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
from labelingest.readers.encord.data_file import DataFile
from labelingest.readers.encord.typed.answers import clean_answers, clean_classifications
from labelingest.readers.encord.typed.payloads import (
    Payloads,
    clean_payloads,
    payloads_one_by_one,
)
from labelingest.readers.encord.typed.rejected import Rejected, demand, translate_positions
from labelingest.readers.encord.typed.schema import RowSchema

__all__ = ["CleanObjects", "clean_rows"]

_ROW_TEXTS: Final = (
    *("label_hash", "branch_name", "created_at", "last_edited_at", "data_hash", "dataset_hash"),
    *("dataset_title", "data_title"),
)
_UNIT_TEXTS: Final = ("data_hash", "data_title", "data_link", "data_type")
_KEYS: Final = 17 + 1 + 8 + 2
"""Keys of a row without entries: its own, those of its units, of its one unit and its labels."""
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*")
_ESCAPED: Final = (b"\\u003a", b"\\u003A")


class CleanObjects(Struct, frozen=True, eq=False, kw_only=True):
    """Objects of clean rows, in columns."""

    unit: Int64
    """(n,) label row of each object."""
    object_class: Int32
    """(n,) position of each object's class in `RowSchema.objects`."""
    hashes: Sequence[str]
    """(n,) object hashes."""
    confidence: Float64
    """(n,) 0..1; NaN for ground truth, as in `Annotations`."""
    payloads: Payloads
    """Payloads of all objects."""
    sizes: Int64
    """(u, 2) width and height in each label row."""


def clean_rows(
    rows: Sequence[ImageRow],
    contents: Sequence[bytes],
    files: Sequence[DataFile],
    schema: RowSchema,
) -> CleanObjects | frozenset[int]:
    """Return the objects of clean label rows; for rejected rows, positions of some not clean.

    An empty set means that the rows which are not clean are unknown.

    Parameters
    ----------
    rows
        (u,) sidecars as decoded, u > 0; completed in place if all are clean.
    contents
        (u,) the sidecars as stored.
    files
        (u,) data files of the sidecars.
    schema
        Types of the vocabulary.
    """
    try:
        return _clean(rows, contents, files, schema)
    except Rejected as rejection:
        return rejection.positions


def _clean(
    rows: Sequence[ImageRow],
    contents: Sequence[bytes],
    files: Sequence[DataFile],
    schema: RowSchema,
) -> CleanObjects:
    units = [unit for row in rows for unit in row.data_units.values()]
    dates: list[str] = []
    colons = _KEYS * len(rows) + _heads(rows, units, files, schema, dates)
    lists = [unit.labels.objects for unit in units]
    objects: list[Any] = list(chain.from_iterable(lists))
    unit = np.repeat(np.arange(len(rows)), np.fromiter(map(len, lists), np.int64, len(rows)))
    classes = list(map(schema.position.__getitem__, map(type, objects)))
    with translate_positions(unit.item):
        clean_objects, in_objects = _objects(objects, classes, unit, units, schema, dates)
    colons += in_objects + _answers(rows, clean_objects, schema)
    on_images, in_classifications = _classifications(rows, units, schema, dates)
    demand(are_written_dates(dates))
    _demand_no_key_twice(contents, colons + in_classifications)
    for image, labels in zip(units, on_images, strict=False):
        image.labels.classifications = labels
    for polygon, outline, parts in clean_objects.payloads.texts:
        polygon.payload, polygon.polygons = outline, parts
    return clean_objects


def _columns(values: Sequence[Struct]) -> dict[str, tuple[Any, ...]]:
    """Return field → values, for the fields that all structures have."""
    # Structures of some types have further fields behind the shared ones.
    fields = zip(*map(astuple, values), strict=False)
    return dict(zip(values[0].__struct_fields__, fields, strict=False))


def _heads(
    rows: Sequence[ImageRow],
    units: Sequence[ImageUnit],
    files: Sequence[DataFile],
    schema: RowSchema,
    dates: list[str],
) -> int:
    """Return the colons in the texts of rows and units; add their dates, unchecked."""
    row, unit = _columns(rows), _columns(units)
    names = unit["data_hash"]
    demand(list(chain.from_iterable(row["data_units"])) == list(names))
    dates += row["created_at"]
    dates += row["last_edited_at"]
    # Types and kinds repeat, files do not.
    types = {
        (data_type, file.kind, file.mime_type)
        for data_type, file in zip(unit["data_type"], files, strict=True)
    }
    demand(
        schema.rules.are_types_of_files(
            (data_type, DataFile(kind, mime_type)) for data_type, kind, mime_type in types
        )
    )
    sizes = list(zip(unit["width"], unit["height"], strict=True))
    file_sizes = [file.size if file.kind else None for file in files]
    # Nearly always all sizes are known and equal.
    demand(
        sizes == file_sizes or all(b in (a, None) for a, b in zip(sizes, file_sizes, strict=True))
    )
    texts = [*map(row.__getitem__, _ROW_TEXTS), *map(unit.__getitem__, _UNIT_TEXTS), names]
    return msgspec.json.encode(texts).count(b":")


def _objects(
    objects: Sequence[Any],
    class_positions: Sequence[int],
    unit: Int64,
    units: Sequence[ImageUnit],
    schema: RowSchema,
    dates: list[str],
) -> tuple[CleanObjects, int]:
    """Return objects in columns, and the colons in their text; add their dates, unchecked."""
    n = len(objects)
    sizes = np.array([(image.width, image.height) for image in units], dtype=np.int64)
    if not n:
        return _no_objects(sizes), 0
    column = _columns(objects)
    dates += column["created_at"]
    if column["last_edited_at"] != column["created_at"]:
        dates += column["last_edited_at"]
    editors, deleted = column["last_edited_by"], column["is_deleted"]
    _demand_authors({*column["created_by"], *editors} - {UNSET})
    _demand_hashes(column["object_hash"])
    confidence = np.fromiter(column["confidence"], np.float64, n)
    # Ground truth has no confidence: a person drew it, with full confidence.
    confidence[np.fromiter(column["manual_annotation"], np.bool_, n) & (confidence == 1)] = np.nan
    classes = np.array(class_positions, dtype=np.int32)
    payloads = _payloads(objects, column["payload"], classes, unit, units, schema)
    optional = 2 * n - editors.count(UNSET) - deleted.count(UNSET)
    colons = sum(map(schema.colons.__getitem__, class_positions)) + optional + payloads.colons
    clean_objects = CleanObjects(
        unit=unit,
        object_class=classes,
        hashes=column["object_hash"],
        confidence=confidence,
        payloads=payloads,
        sizes=sizes,
    )
    return clean_objects, colons


def _no_objects(sizes: Int64) -> CleanObjects:
    nothing = np.zeros(0, dtype=np.int64)
    return CleanObjects(
        unit=nothing,
        object_class=nothing.astype(np.int32),
        hashes=(),
        confidence=np.zeros(0),
        payloads=Payloads(np.zeros(0), nothing, 0),
        sizes=sizes,
    )


def _demand_authors(authors: Iterable[str | None]) -> None:
    """Raise `Rejected` for an author that is neither null nor an e-mail address without a colon."""
    demand(all(author is None or (is_email(author) and ":" not in author) for author in authors))


def _demand_hashes(hashes: Sequence[str]) -> None:
    """Raise `Rejected` for a hash, of 8 characters, that is not base64."""
    demand(_BASE64.fullmatch("".join(hashes)))


def _payloads(
    objects: Sequence[Any],
    payloads: Sequence[Any],
    object_class: Int32,
    unit: Int64,
    units: Sequence[ImageUnit],
    schema: RowSchema,
) -> Payloads:
    """Return the payloads of all objects, in their order."""
    shapes = schema.shapes[object_class]
    groups = []
    for shape in {schema.shapes.item(position) for position in set(object_class.tolist())}:
        rows = np.flatnonzero(shapes == shape)
        shape_objects, shape_payloads = objects, payloads
        if len(rows) < len(objects):
            places = rows.tolist()
            shape_objects = [objects[i] for i in places]
            shape_payloads = [payloads[i] for i in places]
        with translate_positions(rows.item):
            group = clean_payloads(
                schema.objects[object_class[rows[0]]].shape, shape_objects, shape_payloads
            )
            if group is None:
                sizes = [(units[i].width, units[i].height) for i in unit[rows].tolist()]
                classes = [schema.objects[i] for i in object_class[rows].tolist()]
                group = payloads_one_by_one(shape_payloads, classes, sizes, schema.rules)
        groups.append((rows, group))
    return groups[0][1] if len(groups) == 1 else _in_order(groups, len(objects))


def _in_order(groups: Sequence[tuple[Int64, Payloads]], n: int) -> Payloads:
    """Return the payloads of groups of objects in the order of the objects."""
    lengths = np.empty(n, dtype=np.int64)
    for rows, payloads in groups:
        lengths[rows] = payloads.lengths
    begin = np.cumsum(lengths) - lengths
    numbers = np.empty(int(lengths.sum()))
    parts: dict[int, Rings] = {}
    for rows, payloads in groups:
        counts = payloads.lengths
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        numbers[np.repeat(begin[rows], counts) + offsets] = payloads.numbers
        parts.update({int(rows[i]): rings for i, rings in payloads.parts.items()})
    texts = [text for _, payloads in groups for text in payloads.texts]
    return Payloads(numbers, lengths, sum(payloads.colons for _, payloads in groups), parts, texts)


def _answers(rows: Sequence[ImageRow], objects: CleanObjects, schema: RowSchema) -> int:
    """Return the colons in object_answers; `Rejected` unless each object has one clean entry."""
    answers = [row.object_answers for row in rows]
    names = list(chain.from_iterable(answers))
    entries: list[ObjectEntry] = list(chain.from_iterable(map(dict.values, answers)))
    if not entries:
        demand(not len(objects.object_class))
        return 0
    column = _columns(entries)
    demand(list(column["object_hash"]) == names)
    lengths = np.fromiter(map(len, answers), np.int64, len(answers))
    unit = np.repeat(np.arange(len(answers)), lengths)
    classes = objects.object_class.tolist()
    # Nearly always in the same order, and a JSON object has each key once.
    if not (names == list(objects.hashes) and np.array_equal(unit, objects.unit)):
        classes = _classes_of(list(zip(unit.tolist(), names, strict=True)), objects)
    numbers = column["object_number"]
    numbered = len(numbers) - numbers.count(UNSET)
    if numbered:
        numbers_of_classes = [
            entry
            for entry in zip(unit.tolist(), classes, numbers, strict=True)
            if entry[2] is not UNSET
        ]
        demand(len(set(numbers_of_classes)) == numbered)
    colons = 3 * len(names) + numbered
    lists = column["classifications"]
    if any(lists) or schema.demanding:
        with translate_positions(unit.item):
            colons += _lists(lists, classes, schema)
    return colons


def _classes_of(keys: Sequence[tuple[int, str]], objects: CleanObjects) -> list[int]:
    """Return the class of each object by row and hash; `Rejected` unless each pair occurs once."""
    object_keys = zip(objects.unit.tolist(), objects.hashes, strict=True)
    class_of = dict(zip(object_keys, objects.object_class.tolist(), strict=True))
    demand(len(class_of) == len(keys) == len(objects.object_class) and class_of.keys() == set(keys))
    return list(map(class_of.__getitem__, keys))


def _lists(lists: Sequence[Sequence[Any]], classes: Sequence[int], schema: RowSchema) -> int:
    """Return the colons in the lists of answers of objects."""
    colons = seen = 0
    try:
        for answers, position in zip(lists, classes, strict=True):
            if answers or position in schema.demanding:
                object_class = schema.objects[position]
                colons += clean_answers(
                    answers, object_class.feature_hash, object_class.attributes, schema
                )
            seen += 1
    except Rejected:
        raise Rejected([seen]) from None
    return colons


def _classifications(
    rows: Sequence[ImageRow], units: Sequence[ImageUnit], schema: RowSchema, dates: list[str]
) -> tuple[list[list[Any]], int]:
    """Return frame labels by row, and the colons in all classifications; add dates, unchecked."""
    answers = [row.classification_answers for row in rows]
    if not any(answers):
        demand(not any(image.labels.classifications for image in units))
        return [], 0
    entries = list(chain.from_iterable(map(dict.values, answers)))
    on_images: list[list[Any]] = []
    colons = 0
    try:
        for row in rows:
            labels, more = clean_classifications(row, schema)
            on_images.append(labels)
            colons += more
    except Rejected:
        raise Rejected([len(on_images)]) from None
    column = _columns(entries)
    _demand_hashes(column["classification_hash"])
    _demand_authors({*column["created_by"], *column["last_edited_by"]})
    dates += column["created_at"]
    dates += column["last_edited_at"]
    return on_images, colons


def _demand_no_key_twice(contents: Sequence[bytes], colons: int) -> None:
    r"""Raise `Rejected` for contents in which an object may have a key twice.

    Each key is followed by a colon, and all other colons are inside strings. Decoding keeps one of
    two equal keys, so that a content with repeated keys has more colons than its rows. A colon
    written as an escape could hide that, and is rejected.
    """
    demand(sum(content.count(b":") for content in contents) == colons)
    for content in contents:
        demand(b"\\" not in content or not any(escape in content for escape in _ESCAPED))
