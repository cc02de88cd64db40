"""Annotations → Encord label rows, as the official client reads them without loss.

The text is put together from templates: everything that is the same for all rows of an ontology
object is escaped once, numbers are turned into text column by column. It equals, byte for byte,
`orjson.dumps` of the plain dictionary; that is its property test (`tests/oracles/label_rows.py`).

Order of keys and their meaning: Encord's label row format (`LabelRowV2.from_labels_dict`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import orjson
from msgspec.structs import replace

from labelingest.columns.types import Bool, Int32, Int64, Texts
from labelingest.encord.dates import date_text
from labelingest.encord.identifiers import (
    data_hashes,
    dataset_hash,
    label_hashes,
    object_hash_column,
)
from labelingest.encord.urls import object_url
from labelingest.model.annotations import Annotations
from labelingest.model.batch_output import FileTexts
from labelingest.model.kinds import mime_type_of
from labelingest.model.ontology import Ontology, OntologyObject
from labelingest.model.units import DataUnits
from labelingest.problems.of_batch import BatchProblems
from labelingest.writers.encord_shapes import ring_pieces, shapes
from labelingest.writers.number_text import shortest_column
from labelingest.writers.target import TargetOptions, WriterOptions, Written
from labelingest.writers.text_columns import joined

__all__ = ["representable", "sizes_needed", "write", "write_pieces"]

_PLAIN: Final = re.compile("[A-Za-z0-9_.~/-]*")
"""Keys that are the same in JSON and in a URL."""


def sizes_needed(annotations: Annotations, units: DataUnits, options: TargetOptions) -> Bool:
    """Return (u,) no data units: coordinates of label rows are fractions."""
    return np.zeros(len(units), dtype=bool)


def representable(
    annotations: Annotations, units: DataUnits, options: TargetOptions, problems: BatchProblems
) -> Annotations:
    """Return all annotations: label rows represent every shape."""
    return annotations


def write(annotations: Annotations, units: DataUnits, options: TargetOptions) -> Written:
    """Write one label row for each data unit, in their order, each on one line.

    Parameters
    ----------
    annotations
        (n,) annotations of the units; a unit may have none.
    units
        (u,) the data units.
    options
        The ontology that `annotations.feature` points into, and what else label rows state.

    Returns
    -------
    Written
        u documents in UTF-8.
    """
    ontology, writer = options.ontology, options.writer
    dates = [date_text(mtime_ns) for mtime_ns in units.mtime_ns.tolist()]
    hashes = object_hash_column(units.key, annotations.unit, annotations.line, annotations.content)
    objects = _objects(annotations, ontology, hashes, dates, writer)
    assert hashes.dtype.itemsize == _HASH_LENGTH, "answers are cut by the length of object hashes"
    answers = joined(b',"', hashes, b'":{"objectHash":"', hashes, b'","classifications":[]}')
    bounds = np.searchsorted(annotations.unit, np.arange(len(units) + 1)).tolist()
    frames = _frames(units, ontology, writer, dates)
    texts = [
        # Each answer and each object begins with a comma; the first of a unit loses it.
        b"".join(
            (
                before,
                answers[_ANSWER * a + 1 : _ANSWER * b],
                between,
                objects[_PIECES * a][1:] if b > a else b"",
                *objects[_PIECES * a + 1 : _PIECES * b],
                _AFTER,
            )
        )
        for (before, between), (a, b) in zip(frames, pairwise(bounds), strict=True)
    ]
    return Written(FileTexts.from_texts(texts))


def write_pieces(
    units: DataUnits,
    options: TargetOptions,
    hashes: Iterable[Texts],
    parts: Iterable[tuple[Annotations, Texts]],
) -> Iterator[bytes]:
    """Yield the label row of one data unit piece by piece; joined, they are what `write` returns.

    Parameters
    ----------
    units
        The one data unit.
    options
        As for `write`.
    hashes
        Object hashes of all annotations, part by part.
    parts
        Annotations and their object hashes, in the parts of `hashes`.
    """
    ontology, writer = options.ontology, options.writer
    dates = [date_text(mtime_ns) for mtime_ns in units.mtime_ns.tolist()]
    ((before, between),) = _frames(units, ontology, writer, dates)
    yield before
    # Each answer and each object begins with a comma; the first loses it.
    comma = 1
    for names in hashes:
        if len(names):
            yield joined(b',"', names, b'":{"objectHash":"', names, b'","classifications":[]}')[
                comma:
            ]
            comma = 0
    yield between
    comma = 1
    for annotations, names in parts:
        if len(annotations):
            first, *others = _objects_or_ring(annotations, ontology, names, dates, writer)
            yield first[comma:]
            yield from others
            comma = 0
    yield _AFTER


def _objects_or_ring(
    annotations: Annotations,
    ontology: Ontology,
    hashes: Texts,
    dates: Sequence[str],
    options: WriterOptions,
) -> Iterator[bytes]:
    """Yield the JSON of annotations; a large polygon, which is alone, comes in pieces."""
    if len(annotations) > 1 or len(annotations.coordinates) < _LARGE_RING:
        yield b"".join(_objects(annotations, ontology, hashes, dates, options))
        return
    ring = annotations.coordinates
    # A short polygon gives the text before the shape; the shape itself follows in pieces.
    short = replace(annotations, coordinates=ring[:6], offsets=np.array([0, 6]))
    yield from _objects(short, ontology, hashes, dates, options)[:-1]
    yield from ring_pieces(ring)


_LARGE_RING: Final = 100_000
"""Coordinates of a polygon that is written in pieces; no other shape has as many."""
_AFTER: Final = b'],"classifications":[]}}}}'
_HASH_LENGTH: Final = 8
"""Characters of an object hash: 6 bytes in base64 (`labelingest.encord.identifiers`)."""
_ANSWER: Final = len(',"":{"objectHash":"","classifications":[]}') + 2 * _HASH_LENGTH
"""Bytes of an object's answers; all are equally long, as every object hash has 8 characters."""


def _frames(
    units: DataUnits, ontology: Ontology, options: WriterOptions, dates: list[str]
) -> Iterator[tuple[bytes, bytes]]:
    """Yield, for each unit, the text before its answers, and between answers and objects."""
    dataset = f'","dataset_hash":"{dataset_hash(options.storage_url)}","dataset_title":'
    dataset += f'{_json(options.dataset_title)},"data_title":'
    state = (
        ',"data_type":"image","annotation_task_status":"QUEUED","is_shadow_data":false,'
        '"label_status":"LABEL_IN_PROGRESS","object_answers":{'
    )
    data = data_hashes(options.storage_url, units.key)
    labels = label_hashes(data, ontology.identity)
    for name, title, link, mime_type, label, date, width, height in zip(
        data,
        *_places(units.key, options.storage_url),
        labels,
        dates,
        units.width.tolist(),
        units.height.tolist(),
        strict=True,
    ):
        size = f'"width":{width},"height":{height},' if width > 0 else ""
        yield (
            (
                f'{{"label_hash":"{label}","branch_name":"main","created_at":"{date}",'
                f'"last_edited_at":"{date}","data_hash":"{name}{dataset}{title}{state}'
            ).encode(),
            (
                '},"classification_answers":{},"object_actions":{},"spaces":{},"data_units":{'
                f'"{name}":{{"data_hash":"{name}","data_title":{title},"data_link":{link},'
                f'"data_type":"{mime_type}","data_sequence":0,{size}"labels":{{"objects":['
            ).encode(),
        )


def _places(keys: Sequence[str], url: str) -> tuple[list[str], list[str], list[str]]:
    """Return (u,) title, link and MIME type of data files; titles and links as JSON."""
    names = [key[key.rfind("/") + 1 :] for key in keys]
    if _PLAIN.fullmatch("".join(keys)):
        # JSON and URLs write such keys as they are.
        begin = _json(object_url(url, ""))[:-1]
        titles, links = [f'"{name}"' for name in names], [f'{begin}{key}"' for key in keys]
    else:
        titles = [_json(name) for name in names]
        links = [_json(object_url(url, key)) for key in keys]
    return titles, links, list(map(mime_type_of, names))


_PIECES: Final = 4
"""Pieces that the JSON of one annotation is joined from."""


def _objects(
    annotations: Annotations,
    ontology: Ontology,
    hashes: Texts,
    dates: Sequence[str],
    options: WriterOptions,
) -> list[bytes]:
    """Return (4n,) the pieces of the JSON of each annotation, the comma before it first."""
    is_manual = np.isnan(annotations.confidence)
    distinct_dates = list(dict.fromkeys(dates))
    date_numbers = {date: number for number, date in enumerate(distinct_dates)}
    date = np.array([date_numbers[text] for text in dates], dtype=np.int64)[annotations.unit]
    count = len(ontology.objects)
    # Text that only object, date and way of drawing decide is made once for each combination.
    variants, variant_of_row = np.unique(
        _encode_variants(date, is_manual, annotations.feature, count), return_inverse=True
    )
    author, names = _author_and_names(annotations, is_manual, hashes, options)
    heads, middles = [], []
    for variant in variants.tolist():
        date_number, manual, feature = _decode_variant(variant, count)
        written_date, entry = distinct_dates[date_number], ontology.objects[feature]
        heads.append(f"{_head(entry)}{written_date}{author}".encode())
        middles.append(f'{_middle(entry, manual=manual)}{written_date}",'.encode())
    chosen = variant_of_row.tolist()
    pieces = [b""] * (_PIECES * len(annotations))
    pieces[0::_PIECES] = [heads[variant] for variant in chosen]
    pieces[1::_PIECES] = names
    pieces[2::_PIECES] = [middles[variant] for variant in chosen]
    pieces[3::_PIECES] = shapes(annotations, ontology)
    return pieces


def _encode_variants(date: Int64, is_manual: Bool, feature: Int32, count: int) -> Int64:
    """Return (n,) one number for the date, the way of drawing and the object of each annotation."""
    variants: Int64 = (2 * date + is_manual) * count + feature
    return variants


def _decode_variant(variant: int, count: int) -> tuple[int, bool, int]:
    """Return the number of the date, whether a person drew, and the row of the object."""
    date_and_way, feature = divmod(variant, count)
    date, is_manual = divmod(date_and_way, 2)
    return date, bool(is_manual), feature


def _author_and_names(
    annotations: Annotations, is_manual: Bool, hashes: Texts, options: WriterOptions
) -> tuple[str, list[bytes]]:
    """Return the text of the author, and (n,) the texts from confidence to object hash."""
    author = f'","createdBy":{_json(options.created_by)},"confidence":'
    if is_manual.all():
        # A row without confidence is ground truth.
        return f'{author}1.0,"objectHash":"', hashes.tolist()
    certainty = shortest_column(np.where(is_manual, 1.0, annotations.confidence))
    return author, joined(certainty, b',"objectHash":"', hashes, b"\n").split(b"\n")[:-1]


def _head(entry: OntologyObject) -> str:
    name = f',{{"name":{_json(entry.name)},"color":{_json(entry.color)},"shape":"{entry.shape}",'
    return f'{name}"value":{_json(entry.value)},"createdAt":"'


def _middle(entry: OntologyObject, *, manual: bool) -> str:
    way = f'"manualAnnotation":{"true" if manual else "false"},"lastEditedAt":"'
    return f'","featureHash":{_json(entry.feature_hash)},{way}'


def _json(value: str | None) -> str:
    return orjson.dumps(value).decode()
