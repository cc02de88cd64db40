"""Seeded Encord JSON sidecars of images, in memory: what label rows of the client look like.

Written as Encord's client writes them with `to_encord_dict` and Python's json module. Numbers, dates
and hashes are drawn; classes are those of `generate.ontology`, with attributes where `answers` asks
for them.
"""

import json
import random
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from labelingest.bench.synthetic.data_set import ontology
from labelingest.bench.synthetic.kinds import Kind
from labelingest.model.ontology import machine_name

__all__ = ["HEIGHT", "WIDTH", "Sidecars", "sidecars", "structure_of"]

WIDTH, HEIGHT = 640, 480
_ZERO: Final = "00000000-0000-0000-0000-000000000000"
_START: Final = datetime(2026, 1, 5, 16, 46, 58, tzinfo=UTC)
_OBJECTS: Final = 7
_VERTICES: Final = 20
_WEATHER: Final = "c1a55000"
_Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sidecars:
    """Sidecars in memory."""

    contents: Sequence[bytes]
    structure: _Row
    """The ontology."""
    objects: int
    """In all of them."""
    dirty: int
    """Sidecars with a coordinate that is text."""


@cache
def sidecars(files: int, kind: str, *, answers: bool = False, dirty: float = 0.0) -> Sidecars:
    """Make sidecars of one kind of shapes, 7 objects each.

    Parameters
    ----------
    files
        How many.
    kind
        `boxes`, `polygons` (20 vertices), or `mixed` (both).
    answers
        Whether objects and images are asked something.
    dirty
        Part of the files, 0..1, in which one coordinate is text.

    Examples
    --------
    >>> json.loads(sidecars(1, "boxes").contents[0])["data_type"]
    'image'
    """
    rng = random.Random(f"{kind}{answers}")
    structure = structure_of(kind, answers=answers)
    shapes = ("bounding_box", "polygon")
    classes = [
        ontology_object
        for ontology_object in structure["objects"]
        if ontology_object["shape"] in shapes
    ]
    contents = []
    spoiled = range(0, files, round(1 / dirty)) if dirty else range(0)
    for number in range(files):
        row = _row(rng, classes, answers=answers)
        if number in spoiled:
            _spoil(row)
        contents.append(json.dumps(row).encode())
    return Sidecars(contents, structure, files * _OBJECTS, len(spoiled))


def structure_of(kind: str, *, answers: bool = False) -> _Row:
    """Return the ontology of a kind."""
    structure = ontology(Kind(kind))
    if answers:
        for number, ontology_object in enumerate(structure["objects"]):
            ontology_object["attributes"] = _attributes(number)
        structure["classifications"] = [
            {
                "id": "1",
                "featureNodeHash": _WEATHER,
                "attributes": [_radio("1.1", "Weather", "We4ther0", ("Fair", "Rain", "Fog"))],
            }
        ]
    return structure


def _attributes(number: int) -> list[_Row]:
    speed = {"id": f"{number + 1}.2", "name": "Speed", "type": "numeric", "required": False}
    return [
        _radio(f"{number + 1}.1", "State", f"St{number:06d}", ("Moves", "Stands", "Not sure")),
        {**speed, "featureNodeHash": f"Sp{number:06d}", "archived": False, "dynamic": False},
    ]


def _radio(number: str, name: str, feature_hash: str, labels: Sequence[str]) -> _Row:
    options = [
        {
            "id": f"{number}.{i}",
            "label": label,
            "value": machine_name(label),
            "featureNodeHash": f"{feature_hash[:7]}{chr(ord('A') + i)}",
        }
        for i, label in enumerate(labels)
    ]
    return {
        "id": number,
        "name": name,
        "type": "radio",
        "featureNodeHash": feature_hash,
        "required": False,
        "archived": False,
        "dynamic": False,
        "options": options,
    }


def _hash(rng: random.Random) -> str:
    return b64encode(rng.randbytes(6)).decode()


def _date(rng: random.Random) -> str:
    # English names, as long as nobody changes the locale of the process.
    moment = _START + timedelta(seconds=rng.randrange(10**6))
    return moment.strftime("%a, %d %b %Y %H:%M:%S UTC")


def _row(rng: random.Random, classes: Sequence[_Row], *, answers: bool) -> _Row:
    date = _date(rng)
    objects = [_object(rng, rng.choice(classes)) for _ in range(_OBJECTS)]
    class_of_hash = {entry["featureNodeHash"]: entry for entry in classes}
    return {
        "label_hash": _ZERO,
        "branch_name": "main",
        "created_at": date,
        "last_edited_at": date,
        "data_hash": _ZERO,
        "dataset_hash": _ZERO,
        "dataset_title": "",
        "data_title": "",
        "data_type": "image",
        "annotation_task_status": "QUEUED",
        "is_shadow_data": False,
        "object_answers": {
            entry["objectHash"]: {
                "classifications": _answers(rng, class_of_hash[entry["featureHash"]])
                if answers
                else [],
                "objectHash": entry["objectHash"],
            }
            for entry in objects
        },
        "classification_answers": _classification(rng, date) if answers else {},
        "object_actions": {},
        "label_status": "LABEL_IN_PROGRESS",
        "data_units": {
            _ZERO: {
                "data_hash": _ZERO,
                "data_title": "",
                "data_link": "",
                "data_type": "image/jpeg",
                "data_sequence": 0,
                "width": WIDTH,
                "height": HEIGHT,
                "labels": {"objects": objects, "classifications": []},
            }
        },
        "spaces": {},
    }


def _object(rng: random.Random, ontology_object: _Row) -> _Row:
    date = _date(rng)
    return {
        "name": ontology_object["name"],
        "color": ontology_object["color"],
        "shape": ontology_object["shape"],
        "value": machine_name(ontology_object["name"]),
        "createdAt": date,
        "createdBy": rng.choice((None, "ann.otator@example.com")),
        "confidence": 1.0,
        "objectHash": _hash(rng),
        "featureHash": ontology_object["featureNodeHash"],
        "manualAnnotation": True,
        "lastEditedAt": date,
        **(_polygon(rng) if ontology_object["shape"] == "polygon" else _box(rng)),
    }


def _box(rng: random.Random) -> _Row:
    width, height = rng.random(), rng.random()
    left, top = rng.random() * (1 - width), rng.random() * (1 - height)
    return {"boundingBox": {"h": height, "w": width, "x": left, "y": top}}


def _polygon(rng: random.Random) -> _Row:
    ring = [rng.random() for _ in range(2 * _VERTICES)]
    points = {str(i): {"x": ring[2 * i], "y": ring[2 * i + 1]} for i in range(_VERTICES)}
    return {"polygon": points, "polygons": [[ring]]}


def _answers(rng: random.Random, ontology_object: _Row) -> list[_Row]:
    radio, numeric = ontology_object["attributes"]
    return [_answer(numeric, round(rng.random() * 90, 1)), _answer(radio, [_chosen(rng, radio)])]


def _chosen(rng: random.Random, radio: _Row) -> _Row:
    option = rng.choice(radio["options"])
    return {
        "name": option["label"],
        "value": option["value"],
        "featureHash": option["featureNodeHash"],
    }


def _answer(attribute: _Row, answers: Any) -> _Row:
    return {
        "name": attribute["name"],
        "value": machine_name(attribute["name"]),
        "answers": answers,
        "featureHash": attribute["featureNodeHash"],
        "manualAnnotation": True,
    }


def _classification(rng: random.Random, date: str) -> _Row:
    name = _hash(rng)
    radio = _radio("1.1", "Weather", "We4ther0", ("Fair", "Rain", "Fog"))
    return {
        name: {
            "classifications": [_answer(radio, [_chosen(rng, radio)])],
            "classificationHash": name,
            "featureHash": _WEATHER,
            "spaces": {},
            "range": [[0, 0]],
            "createdBy": None,
            "createdAt": date,
            "lastEditedBy": None,
            "lastEditedAt": date,
            "confidence": 1.0,
            "manualAnnotation": True,
        }
    }


def _spoil(row: _Row) -> None:
    first = row["data_units"][_ZERO]["labels"]["objects"][0]
    if "boundingBox" in first:
        first["boundingBox"]["x"] = "0.5"
    else:
        first["polygons"][0][0][0] = "0.5"
