"""Annotations → Encord label rows, as the official client reads them without loss.

The text is put together from templates: everything that is the same for all rows of an ontology
object is escaped once, numbers are turned into text column by column. It equals, byte for byte,
`orjson.dumps` of the plain dictionary; that is its property test (`tests/oracles/label_rows.py`).

Order of keys and their meaning: Encord's label row format (`LabelRowV2.from_labels_dict`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final
from urllib.parse import quote

import numpy as np
import orjson

from labelingest.arrays import Float64, Int64
from labelingest.model.annotations import Annotations, shape_positions
from labelingest.model.kinds import mime_type_of
from labelingest.model.ontology import Ontology, OntologyObject
from labelingest.model.units import DataUnits
from labelingest.writers.ids import data_hashes, dataset_hash, label_hashes, object_hashes
from labelingest.writers.number_text import shortest_texts

__all__ = ["WriterOptions", "date_text", "object_url", "write"]

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND: Final = -62_135_596_800
_LAST_SECOND: Final = 253_402_300_799
_USUAL: Final = 512
"""How many numbers most rings have at the most."""
_OBJECT_STORES: Final = ("s3://", "gs://", "az://")


@dataclass(frozen=True, slots=True)
class WriterOptions:
    """What label rows say beside the annotations."""

    storage_url: str
    """URL of the storage path, ending in "/"; what data hashes and links are made from."""
    created_by: str | None = None
    """E-mail address of the author; None is the user who imports."""
    dataset_title: str = ""


def write(
    annotations: Annotations, units: DataUnits, ontology: Ontology, options: WriterOptions
) -> list[bytes]:
    """Write one label row for each data unit, in their order, each on one line.

    Parameters
    ----------
    annotations
        (n,) annotations of the units; a unit may have none.
    units
        (u,) the data units.
    ontology
        The ontology that `annotations.feature` points into.
    options
        What else label rows say.

    Returns
    -------
    list
        u documents in UTF-8.
    """
    dates = [date_text(mtime_ns) for mtime_ns in units.mtime_ns.tolist()]
    hashes = object_hashes(units.key, annotations.unit, annotations.line, annotations.content)
    objects = _objects(annotations, ontology, hashes, dates, options)
    answers = [f'"{name}":{{"objectHash":"{name}","classifications":[]}}' for name in hashes]
    bounds = pairwise(np.searchsorted(annotations.unit, np.arange(len(units) + 1)).tolist())
    frames = _frames(units, ontology, options, dates)
    return [
        f"{before}{','.join(answers[a:b])}{between}{','.join(objects[a:b])}{_AFTER}".encode()
        for (before, between), (a, b) in zip(frames, bounds, strict=True)
    ]


_AFTER: Final = '],"classifications":[]}}}}'


def _frames(
    units: DataUnits, ontology: Ontology, options: WriterOptions, dates: list[str]
) -> Iterator[tuple[str, str]]:
    """Yield, for each unit, what stands before its answers, and between answers and objects."""
    dataset = f'","dataset_hash":"{dataset_hash(options.storage_url)}","dataset_title":'
    dataset += f'{_json(options.dataset_title)},"data_title":'
    state = (
        ',"data_type":"image","annotation_task_status":"QUEUED","is_shadow_data":false,'
        '"label_status":"LABEL_IN_PROGRESS","object_answers":{'
    )
    data = data_hashes(options.storage_url, units.key)
    labels = label_hashes(data, ontology.identity)
    for key, name, label, date, width, height in zip(
        units.key, data, labels, dates, units.width.tolist(), units.height.tolist(), strict=True
    ):
        title = _json(key.rpartition("/")[2])
        link = _json(object_url(options.storage_url, key))
        size = f'"width":{width},"height":{height},' if width > 0 else ""
        yield (
            f'{{"label_hash":"{label}","branch_name":"main","created_at":"{date}",'
            f'"last_edited_at":"{date}","data_hash":"{name}{dataset}{title}{state}',
            '},"classification_answers":{},"object_actions":{},"spaces":{},"data_units":{'
            f'"{name}":{{"data_hash":"{name}","data_title":{title},"data_link":{link},'
            f'"data_type":"{mime_type_of(key)}","data_sequence":0,{size}"labels":{{"objects":[',
        )


def _objects(
    annotations: Annotations,
    ontology: Ontology,
    hashes: list[str],
    dates: list[str],
    options: WriterOptions,
) -> list[str]:
    """Return (n,) the JSON of each annotation."""
    heads = [_head(o) for o in ontology.objects]
    middles = [
        f'","featureHash":{_json(o.feature_hash)},"manualAnnotation":' for o in ontology.objects
    ]
    author = _json(options.created_by)
    confidence, manual = _confidences(annotations.confidence)
    # The one loop over annotations: a format operation each, nothing else.
    return [
        f'{heads[f]}{dates[u]}","createdBy":{author},"confidence":{c},"objectHash":"{h}{middles[f]}'
        f'{m},"lastEditedAt":"{dates[u]}",{payload}}}'
        for f, u, c, h, m, payload in zip(
            annotations.feature.tolist(),
            annotations.unit.tolist(),
            confidence,
            hashes,
            manual,
            _payloads(annotations, ontology),
            strict=True,
        )
    ]


def _head(of: OntologyObject) -> str:
    return (
        f'{{"name":{_json(of.name)},"color":{_json(of.color)},"shape":"{of.shape}",'
        f'"value":{_json(of.value)},"createdAt":"'
    )


def _confidences(confidence: Float64) -> tuple[list[str], list[str]]:
    """Return the text of confidence and of manualAnnotation: a row without one is ground truth."""
    drawn = np.isnan(confidence)
    if drawn.all():
        return ["1.0"] * len(drawn), ["true"] * len(drawn)
    text = shortest_texts(np.where(drawn, 1.0, confidence))
    return text, ["true" if by_hand else "false" for by_hand in drawn.tolist()]


def _payloads(annotations: Annotations, ontology: Ontology) -> list[str]:
    """Return (n,) the shape's own key and value of each annotation."""
    texts = shortest_texts(annotations.coordinates)
    shape = shape_positions(ontology.objects)[annotations.feature]
    payloads: list[str] = [""] * len(annotations)
    for position, payload in enumerate((_boxes, _rotated_boxes, _polygons)):
        rows = np.flatnonzero(shape == position)
        if len(rows) == len(annotations):
            return payload(texts, annotations.offsets)
        if len(rows):
            picked = _pick(texts, annotations.offsets, rows)
            for row, text in zip(rows.tolist(), payload(*picked), strict=True):
                payloads[row] = text
    return payloads


def _pick(texts: list[str], offsets: Int64, rows: Int64) -> tuple[list[str], Int64]:
    """Return the texts of some rows and their offsets."""
    begin, end = offsets[rows].tolist(), offsets[rows + 1].tolist()
    picked = [text for a, b in zip(begin, end, strict=True) for text in texts[a:b]]
    lengths = np.concatenate(([0], offsets[rows + 1] - offsets[rows]))
    return picked, np.cumsum(lengths)


def _boxes(texts: list[str], offsets: Int64) -> list[str]:
    numbers = (texts[0::4], texts[1::4], texts[2::4], texts[3::4])
    return [
        f'"boundingBox":{{"h":{h},"w":{w},"x":{x},"y":{y}}}'
        for x, y, w, h in zip(*numbers, strict=True)
    ]


def _rotated_boxes(texts: list[str], offsets: Int64) -> list[str]:
    numbers = (texts[0::5], texts[1::5], texts[2::5], texts[3::5], texts[4::5])
    return [
        f'"rotatableBoundingBox":{{"h":{h},"w":{w},"x":{x},"y":{y},"theta":{theta}}}'
        for x, y, w, h, theta in zip(*numbers, strict=True)
    ]


def _polygons(texts: list[str], offsets: Int64) -> list[str]:
    payloads = []
    for a, b in pairwise(offsets.tolist()):
        numbers = texts[a:b]
        payloads.append(_ring_template(b - a) % (*numbers, ",".join(numbers)))
    return payloads


def _ring_template(numbers: int) -> str:
    # Long rings are rare, and their templates large: those are made each time.
    return _usual_template(numbers) if numbers <= _USUAL else _make_template(numbers)


@lru_cache(maxsize=_USUAL)
def _usual_template(numbers: int) -> str:
    return _make_template(numbers)


def _make_template(numbers: int) -> str:
    points = ",".join(f'"{i}":{{"x":%s,"y":%s}}' for i in range(numbers // 2))
    return f'"polygon":{{{points}}},"polygons":[[[%s]]]'


def _json(value: str | None) -> str:
    return orjson.dumps(value).decode()


def object_url(storage_url: str, key: str) -> str:
    """Return the URL of one file of a storage path.

    Keys of object stores stand as they are, as their tools write them; elsewhere they are
    percent-encoded.

    Examples
    --------
    >>> object_url("s3://bucket/", "a b.jpg"), object_url("file:///data/", "a b.jpg")
    ('s3://bucket/a b.jpg', 'file:///data/a%20b.jpg')
    """
    return storage_url + (key if storage_url.startswith(_OBJECT_STORES) else quote(key))


@lru_cache(maxsize=4096)
def _date_of_second(second: int) -> str:
    # A file system holds any number; dates here have four-digit years.
    time = _EPOCH + timedelta(seconds=min(max(second, _FIRST_SECOND), _LAST_SECOND))
    day, month = _DAYS[time.weekday()], _MONTHS[time.month - 1]
    return f"{day}, {time.day:02} {month} {time.year:04} {time:%H:%M:%S} UTC"


def date_text(time_ns: int) -> str:
    """Return a time, in nanoseconds since 1970 UTC, as label rows spell dates.

    Whole seconds, English names whatever the locale.

    Examples
    --------
    >>> date_text(1_767_631_618_999_999_999)
    'Mon, 05 Jan 2026 16:46:58 UTC'
    """
    return _date_of_second(time_ns // 1_000_000_000)
