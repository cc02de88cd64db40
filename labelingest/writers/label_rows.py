"""Clean label rows → label rows of a storage path: the identifiers, titles and links are ours.

A sidecar holds placeholders where the platform has identifiers. Identifiers made from the storage
path, the key and the ontology (`encord/identifiers.py`) replace them, so that a row is the same in
every run. Valid object hashes are kept; shapes and answers stay as read.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace

from labelingest.encord.identifiers import (
    are_sound,
    data_hashes,
    dataset_hash,
    label_hashes,
    member_hashes,
    new_hashes,
)
from labelingest.encord.typed_rows import ImageRow, LabelRow
from labelingest.encord.urls import object_urls
from labelingest.model.units import DataUnits
from labelingest.writers.target import TargetOptions

__all__ = ["write_label_rows"]

_Change: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]

_HASHES: Final = {
    "object_answers": "objectHash",
    "classification_answers": "classificationHash",
    "object_actions": "objectHash",
}
"""Key of the entries of a row → key inside an entry that repeats its hash."""


def write_label_rows(
    rows: Sequence[LabelRow | None],
    units: DataUnits,
    options: TargetOptions,
) -> list[bytes | None]:
    """Write label rows that were read from sidecars, each on one line.

    Parameters
    ----------
    rows
        (u,) label rows as `readers/encord` gives them; they are not changed. None for no row.
    units
        (u,) the data files.
    options
        The ontology that the rows refer to, and what else they state: an author where labels have
        none, a dataset's title instead of the rows' own.

    Returns
    -------
    list
        u documents in UTF-8; None where there is no row.
    """
    ontology, writer = options.ontology, options.writer
    dataset = dataset_hash(writer.storage_url)
    data = data_hashes(writer.storage_url, units.key)
    labels = label_hashes(data, ontology.identity)
    unsound = not _all_sound(rows)
    encode = msgspec.json.Encoder().encode
    texts: list[bytes | None] = []
    links = object_urls(writer.storage_url, units.key)
    for row, key, link, data_hash, label_hash in zip(
        rows, units.key, links, data, labels, strict=True
    ):
        if row is None:
            texts.append(None)
            continue
        names = _Names(label_hash, data_hash, dataset, key[key.rfind("/") + 1 :])
        if isinstance(row, ImageRow) and writer.created_by is None:
            texts.append(encode(_named(row, names, link, writer.dataset_title)))
            continue
        plain: Mapping[str, Any] = row.as_dict() if isinstance(row, ImageRow) else row
        if unsound:
            plain = _with_sound_hashes(plain, key)
        if writer.created_by is not None:
            plain = _with_author(plain, writer.created_by)
        texts.append(encode(_renamed(plain, names, link, writer.dataset_title)))
    return texts


class _Names(NamedTuple):
    """Identifiers and title of a label row."""

    label_hash: str
    data_hash: str
    dataset_hash: str
    data_title: str


def _named(row: ImageRow, names: _Names, link: str, dataset_title: str) -> ImageRow:
    """Return a clean row of an image under our names."""
    label_hash, data_hash, dataset, title = names
    unit = replace(row.unit, data_hash=data_hash, data_title=title, data_link=link)
    return replace(
        row,
        label_hash=label_hash,
        data_hash=data_hash,
        dataset_hash=dataset,
        dataset_title=dataset_title or row.dataset_title,
        data_title=title,
        data_units={data_hash: unit},
    )


def _renamed(
    row: Mapping[str, Any], names: _Names, link: str, dataset_title: str
) -> dict[str, Any]:
    """Return any row under our names."""
    return {
        # First, as in every label row: outputs of earlier runs are recognised by it.
        "label_hash": names.label_hash,
        **{name: value for name, value in row.items() if name != "label_hash"},
        "data_hash": names.data_hash,
        "dataset_hash": names.dataset_hash,
        "dataset_title": dataset_title or row["dataset_title"],
        "data_title": names.data_title,
        "data_units": _units(row, names.data_hash, names.data_title, link),
    }


def _units(
    row: Mapping[str, Any], data_hash: str, title: str, link: str
) -> dict[str, dict[str, Any]]:
    """Return the data units under their identifiers."""
    units = list(row["data_units"].values())
    if row["data_type"] == "img_group":
        names = member_hashes(data_hash, [unit["data_sequence"] for unit in units])
        return {name: {**unit, "data_hash": name} for name, unit in zip(names, units, strict=True)}
    named = {"data_hash": data_hash, "data_title": title, "data_link": link}
    return {data_hash: {**units[0], **named}}


def _all_sound(rows: Iterable[LabelRow | None]) -> bool:
    """Whether all hashes of objects and classifications are sound; those of clean rows are."""
    answers = (
        row[key]
        for row in rows
        if row is not None and not isinstance(row, ImageRow)
        for key in ("object_answers", "classification_answers")
    )
    return are_sound(list(chain.from_iterable(answers)))


def _with_sound_hashes(row: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a row whose objects and classifications have hashes of 8 base64 characters."""
    new = {
        "objectHash": new_hashes(row["object_answers"], key),
        "classificationHash": new_hashes(row["classification_answers"], key),
    }

    def renamed(label: dict[str, Any]) -> dict[str, Any]:
        kind = "objectHash" if "objectHash" in label else "classificationHash"
        return {**label, kind: new[kind].get(label[kind], label[kind])}

    return _changed(row, renamed) if any(new.values()) else row


def _with_author(row: Mapping[str, Any], author: str) -> Mapping[str, Any]:
    """Return a row whose labels have an author: their own, or else the one given."""

    def authored(label: dict[str, Any]) -> dict[str, Any]:
        return {**label, "createdBy": author} if label.get("createdBy", author) is None else label

    return _changed(row, authored)


def _changed(row: Mapping[str, Any], change: _Change) -> dict[str, Any]:
    """Return a row with every object, classification and entry of answers changed."""
    entries = {
        key: {entry[kind]: entry for entry in map(change, row[key].values())}
        for key, kind in _HASHES.items()
    }
    units = {
        name: {**unit, "labels": _changed_labels(unit["labels"], change)}
        for name, unit in row["data_units"].items()
    }
    return {**row, **entries, "data_units": units}


def _changed_labels(labels: Mapping[str, Any], change: _Change) -> dict[str, Any]:
    """Return the labels of a data unit, of one frame or by frames, changed."""
    if "objects" not in labels:
        return {frame: _changed_labels(entry, change) for frame, entry in labels.items()}
    return {kind: [change(label) for label in entries] for kind, entries in labels.items()}
