"""Label rows and their data units, all at once: clean ones in columns, or not clean.

Clean is what `rows.py` and `units.py` would write as it stands, without a word, of rows of one kind.
Refuses to know labels.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import NoneType
from typing import Any, Final

from labelingest.readers.encord.data_file import DataFile, fits
from labelingest.readers.encord.keyed import (
    Row,
    columns,
    demand,
    demand_types,
)
from labelingest.readers.encord.notes import Notes
from labelingest.readers.encord.rows import LABEL_STATUS, TASK_STATUS
from labelingest.readers.encord.units import Unit, frame_count

__all__ = ["Heads", "clean_heads"]

_FIRST: Final = (
    *("label_hash", "branch_name", "created_at", "last_edited_at", "data_hash", "dataset_hash"),
    *("dataset_title", "data_title", "data_type", "annotation_task_status", "is_shadow_data"),
)
_ANSWERS: Final = ("object_answers", "classification_answers", "object_actions")
_OURS: Final = (*_FIRST, "label_status", *_ANSWERS, "spaces", "data_units")
_CLIENTS: Final = (*_FIRST, *_ANSWERS, "label_status", "data_units", "spaces")
_TEXTS: Final = ("branch_name", "data_hash", "dataset_hash", "dataset_title", "data_title")
_LABEL_STATUS: Final = frozenset(LABEL_STATUS)
_TASK_STATUS: Final = frozenset((*TASK_STATUS, None))

_UNIT: Final = ("data_hash", "data_title", "data_link", "data_type", "data_sequence")
_UNITS: Final = {
    "image": ((*_UNIT, "width", "height", "labels"),),
    "video": ((*_UNIT, "width", "height", "labels", "data_duration", "data_fps"),),
    "pdf": ((*_UNIT, "height", "width", "data_fps", "labels"),),
}
_MOST_PIXELS: Final = 2**53


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """Label rows of one kind, each with one data unit."""

    kind: str
    """`image`, `video` or `pdf`."""
    column: Mapping[str, Sequence[Any]]
    """Key of a row → (u,) values."""
    units: Sequence[Row]
    """(u,) data units as decoded."""
    unit_column: Mapping[str, Sequence[Any]]
    """Key of a data unit → (u,) values."""
    sizes: Sequence[tuple[int, int] | None]
    """(u,) width and height in pixels; None where not known."""
    frame_counts: Sequence[int]
    """(u,)"""
    dates: Sequence[str]
    """Still to be checked."""
    colons: int
    """In the text of rows and units, without labels and answers."""


def clean_heads(documents: Sequence[Any], files: Sequence[DataFile]) -> Heads:
    """Return label rows and their data units in columns; `Unclean` where one is not clean.

    Parameters
    ----------
    documents
        (u,) label rows as decoded, u > 0.
    files
        (u,) the data files that they stand beside.
    """
    column = columns(documents, (_OURS, _CLIENTS))
    colons = len(documents) * len(_OURS) + _colons_of_heads(column)
    kind = column["data_type"][0]
    demand(column["data_type"].count(kind) == len(documents))
    demand(set(map(len, column["data_units"])) == {1})
    units: list[Row] = list(chain.from_iterable(map(dict.values, column["data_units"])))
    of_unit = columns(units, _UNITS[kind])
    demand(list(of_unit["data_hash"]) == list(chain.from_iterable(column["data_units"])))
    # One for the name of the unit, which may itself have some, as its hash.
    colons += len(units) * (1 + len(of_unit)) + _colons_of_units(of_unit)
    _demand_lengths(of_unit, kind)
    _demand_fitting(kind, of_unit, files)
    sizes = list(zip(of_unit["width"], of_unit["height"], strict=True))
    return Heads(
        kind,
        column,
        units,
        of_unit,
        sizes if kind != "pdf" else [None] * len(units),
        [1] * len(units) if kind == "image" else [_frame_count(unit, kind) for unit in units],
        (*column["created_at"], *column["last_edited_at"]),
        colons,
    )


def _colons_of_heads(column: Mapping[str, Sequence[Any]]) -> int:
    demand_types(column["label_hash"], str, NoneType)
    demand(_TASK_STATUS.issuperset(column["annotation_task_status"]))
    demand(_LABEL_STATUS.issuperset(column["label_status"]))
    demand_types(column["is_shadow_data"], bool)
    for key in (*_ANSWERS, "spaces", "data_units"):
        demand_types(column[key], dict)
    demand(not any(column["object_actions"]) and not any(column["spaces"]))
    in_dates = 4 * len(column["created_at"])
    in_texts = sum(_colons(column[key]) for key in _TEXTS)
    return in_dates + in_texts + _colons(filter(None, column["label_hash"]))


def _colons_of_units(column: Mapping[str, Sequence[Any]]) -> int:
    demand(all(column["data_hash"]) and all(column["data_type"]))
    demand_types(column["data_link"], str, NoneType)
    demand_types(column["data_sequence"], int)
    demand(not any(column["data_sequence"]))
    in_texts = sum(_colons(column[key]) for key in ("data_title", "data_type"))
    in_links = _colons(filter(None, column["data_link"]))
    return 2 * _colons(column["data_hash"]) + in_texts + in_links


def _colons(texts: Iterable[str]) -> int:
    """Return the colons of texts; TypeError where one is none."""
    return "".join(texts).count(":")


def _demand_lengths(column: Mapping[str, Sequence[Any]], kind: str) -> None:
    """Raise `Unclean` where a size or a length is not as it would be written."""
    sides = (*column["width"], *column["height"])
    demand_types(sides, int)
    if kind == "pdf":
        demand_types(column["data_fps"], int)
        demand(not any(sides) and not any(column["data_fps"]))
        return
    demand(min(sides) > 0 and max(sides) < _MOST_PIXELS)
    if kind == "video":
        lengths = (*column["data_duration"], *column["data_fps"])
        demand_types(lengths, int, float)
        demand(min(lengths) >= 0)


def _demand_fitting(
    kind: str, column: Mapping[str, Sequence[Any]], files: Sequence[DataFile]
) -> None:
    """Raise `Unclean` where a row is about another file than it stands beside."""
    types = {
        (mime_type, file.kind, file.mime_type)
        for mime_type, file in zip(column["data_type"], files, strict=True)
    }
    notes = Notes("")
    for mime_type, kind_of_file, type_of_file in types:
        unit = Unit({"data_type": mime_type}, {}, None, "", 0)
        demand(fits(kind, [unit], DataFile(kind_of_file, type_of_file), notes))
    demand(not notes.problems())
    if kind == "image":
        sizes = list(zip(column["width"], column["height"], strict=True))
        known = [file.size if file.kind else None for file in files]
        # Nearly always all are known, and the same.
        demand(sizes == known or all(b in (a, None) for a, b in zip(sizes, known, strict=True)))


def _frame_count(unit: Row, kind: str) -> int:
    tail: Row = {key: unit[key] for key in ("data_duration", "data_fps") if key in unit}
    return frame_count([Unit(unit, tail, None, "", 0)], kind)
