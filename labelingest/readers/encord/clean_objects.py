"""Objects on frames, all at once: clean ones in columns, or not clean.

Clean is what `objects.py` would write as it stands, without a word. Objects with the same keys are
looked at together: their classes, dates, authors, hashes; what they draw by `clean_payloads.py`.
Refuses to know frames and answers.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any, Final

import numpy as np

from labelingest.arrays import Float64, Int32, Int64
from labelingest.model.annotations import Rings
from labelingest.readers.encord.clean_payloads import (
    PAYLOADS,
    Payloads,
    clean_payloads,
    payloads_one_by_one,
)
from labelingest.readers.encord.keyed import (
    Row,
    Unclean,
    about,
    by_keys,
    columns,
    demand,
    demand_equal,
    demand_types,
)
from labelingest.readers.encord.known import Known
from labelingest.readers.encord.metadata import is_email

__all__ = ["CleanObjects", "clean_objects", "demand_authors", "demand_hashes"]

_COMMON: Final = (
    *("name", "color", "shape", "value", "createdAt", "createdBy", "confidence", "objectHash"),
    *("featureHash", "manualAnnotation", "lastEditedAt"),
)
_OPTIONAL: Final[tuple[tuple[str, ...], ...]] = (
    (),
    ("lastEditedBy",),
    ("isDeleted",),
    ("lastEditedBy", "isDeleted"),
)
_SHAPES: Final = {
    (*_COMMON, *optional, *keys): shape
    for shape, keys in PAYLOADS.items()
    for optional in _OPTIONAL
}
"""Keys of an object as they are written → its shape."""
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*")
_HASH_LENGTH: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class CleanObjects:
    """Objects on frames in columns."""

    hashes: Sequence[str]
    """(n,)"""
    of: Int32
    """(n,) position of the class in `Known.objects`."""
    confidence: Float64
    """(n,) NaN for what a person drew and was sure of."""
    numbers: Float64
    """(v,) as in `Annotations`."""
    lengths: Int64
    """(n,) how many of them each object has."""
    parts: Mapping[int, Rings]
    """Object → all rings of a polygon that has more than one."""
    dates: Sequence[str]
    """Still to be checked."""
    colons: int
    """In the text of all objects."""


@dataclass(frozen=True, slots=True, eq=False)
class _Alike:
    """Objects that have the same keys."""

    rows: Int64
    """(k,) which of all objects."""
    column: Mapping[str, Sequence[Any]]
    """Key → (k,)"""
    of: Sequence[int]
    """(k,) position of the class in `Known.objects`."""
    payloads: Payloads


def clean_objects(
    objects: Sequence[Row], sizes: Sequence[tuple[int, int] | None], unit: Int64, known: Known
) -> CleanObjects:
    """Return objects in columns; `Unclean` where one is not clean.

    Parameters
    ----------
    objects
        (n,) the objects, n > 0.
    sizes
        (u,) width and height of the data units in pixels; None where not known.
    unit
        (n,) the data unit of each object.
    known
        What they may be.
    """
    groups = []
    for rows, column in _grouped(objects):
        with about(rows.item):
            groups.append(_alike(objects, rows, column, sizes, unit, known))
    dates = _dates([group.column for group in groups])
    colons = _colons(objects, groups, known)
    if len(groups) == 1:
        (only,) = groups
        hashes: Sequence[str] = only.column["objectHash"]
        demand_hashes(hashes)
        drawn = only.payloads
        of = np.array(only.of, dtype=np.int32)
        confidence = _confidence(only.column)
        return CleanObjects(
            hashes, of, confidence, drawn.numbers, drawn.lengths, drawn.parts, dates, colons
        )
    hashes = [value["objectHash"] for value in objects]
    demand_hashes(hashes)
    n = len(objects)
    lengths, of = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int32)
    confidence = np.empty(n)
    for group in groups:
        lengths[group.rows], of[group.rows] = group.payloads.lengths, group.of
        confidence[group.rows] = _confidence(group.column)
    parts = {
        int(group.rows[i]): rings for group in groups for i, rings in group.payloads.parts.items()
    }
    numbers = _in_order(groups, lengths)
    return CleanObjects(hashes, of, confidence, numbers, lengths, parts, dates, colons)


def _grouped(objects: Sequence[Row]) -> Iterator[tuple[Int64, dict[str, Any]]]:
    """Yield rows and columns of the objects that have the same keys."""
    try:
        alike = columns(objects, _SHAPES)
    except Unclean as found:
        if found.positions:
            raise
        for rows in map(np.array, by_keys(objects).values()):
            # All are known here: those with other keys were found before.
            yield rows, columns([objects[row] for row in rows.tolist()], _SHAPES)
    else:
        yield np.arange(len(objects)), alike


def _alike(
    objects: Sequence[Row],
    rows: Int64,
    column: dict[str, Any],
    sizes: Sequence[tuple[int, int] | None],
    unit: Int64,
    known: Known,
) -> _Alike:
    try:
        of = list(map(known.position.__getitem__, column["featureHash"]))
    except (KeyError, TypeError):
        names = enumerate(column["featureHash"])
        raise Unclean(i for i, name in names if str(name) not in known.position) from None
    for key, texts in known.names.items():
        # One itemgetter for all is three times as fast as a look-up for each.
        expected = itemgetter(*of)(texts) if len(of) > 1 else (texts[of[0]],)
        demand_equal(column[key], expected)
    shape = _SHAPES[tuple(column)]
    demand(column["shape"].count(shape.value) == len(rows))
    payloads = clean_payloads(shape, column)
    if payloads is None:
        payloads = payloads_one_by_one(
            [objects[row] for row in rows.tolist()],
            [known.objects[position] for position in of],
            [sizes[one] for one in unit[rows].tolist()],
        )
    return _Alike(rows, column, of, payloads)


def _dates(groups: Sequence[Mapping[str, Sequence[Any]]]) -> list[str]:
    """Return the dates of objects; `Unclean` where what is said beside them is not clean."""
    dates: list[str] = []
    authors: set[str | None] = set()
    for column in groups:
        dates += column["createdAt"]
        if column["lastEditedAt"] != column["createdAt"]:
            dates += column["lastEditedAt"]
        authors.update(column["createdBy"])
        if "lastEditedBy" in column:
            demand(None not in column["lastEditedBy"])
            authors.update(column["lastEditedBy"])
        demand_types(column["manualAnnotation"], bool)
        demand_types(column.get("isDeleted", ()), bool)
        demand_types(column["confidence"], float, int)
    demand_authors(authors)
    return dates


def demand_authors(authors: set[str | None]) -> None:
    """Raise `Unclean` where one is neither null nor an e-mail address without a colon."""
    demand(all(who is None or (is_email(who) and ":" not in who) for who in authors))


def demand_hashes(hashes: Sequence[str]) -> None:
    """Raise `Unclean` where one is not 8 base64 characters."""
    demand(set(map(len, hashes)) <= {_HASH_LENGTH} and _BASE64.fullmatch("".join(hashes)))


def _confidence(column: Mapping[str, Sequence[Any]]) -> Float64:
    """Return confidences; NaN for what a person drew and was sure of."""
    n = len(column["confidence"])
    sure = np.fromiter(column["confidence"], np.float64, n)
    demand(sure.min() >= 0 and sure.max() <= 1)
    manual = np.fromiter(column["manualAnnotation"], np.bool_, n)
    sure[manual & (sure == 1)] = np.nan
    return sure


def _in_order(groups: Sequence[_Alike], lengths: Int64) -> Float64:
    """Return the numbers of all groups in the order of the objects."""
    begin = np.cumsum(lengths) - lengths
    numbers = np.empty(int(lengths.sum()))
    for group in groups:
        own = group.payloads.lengths
        within = np.arange(own.sum()) - np.repeat(np.cumsum(own) - own, own)
        numbers[np.repeat(begin[group.rows], own) + within] = group.payloads.numbers
    return numbers


def _colons(objects: Sequence[Row], groups: Sequence[_Alike], known: Known) -> int:
    """Return the colons in the text of objects: keys, the clocks of two dates, names, payloads."""
    colons = 4 * len(objects)
    for group in groups:
        colons += len(group.rows) * len(group.column) + group.payloads.colons
    if any(known.colons):
        colons += sum(known.colons[of] for of in chain.from_iterable(g.of for g in groups))
    return colons
