"""Builders for Encord sidecars: an ontology of a few classes, a row with boxes, a converter."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import orjson

from labelingest.converter import Converter, LabelFile
from labelingest.resolution.ontology_json import load_ontology
from tests.builders.yolo import STORAGE_URL

__all__ = ["BOX", "ONTOLOGY", "encord_converter", "label_row", "row_of", "sidecar"]

BOX: Mapping[str, float] = {"h": 0.25, "w": 0.125, "x": 0.5, "y": 0.375}
_DATE = "Mon, 05 Jan 2026 16:46:58 UTC"
_NOBODY = "00000000-0000-0000-0000-000000000000"

ONTOLOGY: Mapping[str, Any] = {
    "objects": [
        {
            "id": "1",
            "name": "Car",
            "color": "#D33115",
            "shape": "bounding_box",
            "featureNodeHash": "a1B2c3D4",
            "externalIds": {"YOLO": "7"},
        },
        {
            "id": "2",
            "name": "Lake",
            "color": "#E27300",
            "shape": "polygon",
            "featureNodeHash": "b1B2c3D4",
            "externalIds": {"YOLO": "8"},
        },
        {
            "id": "3",
            "name": "Nose",
            "color": "#16406C",
            "shape": "point",
            "featureNodeHash": "c1B2c3D4",
        },
    ],
    "classifications": [
        {
            "id": "1",
            "featureNodeHash": "d1B2c3D4",
            "attributes": [
                {
                    "id": "1.1",
                    "name": "Note",
                    "type": "text",
                    "featureNodeHash": "e1B2c3D4",
                    "required": False,
                }
            ],
        }
    ],
}


def label_row(objects: Mapping[str, Mapping[str, Any]], **changes: Any) -> dict[str, Any]:
    """Return a row of an image of 640 x 480, with object hash → its class and payload."""
    entries = [
        {
            "name": "Car",
            "color": "#D33115",
            "shape": "bounding_box",
            "value": "car",
            "createdAt": _DATE,
            "createdBy": None,
            "confidence": 1.0,
            "objectHash": name,
            "featureHash": "a1B2c3D4",
            "manualAnnotation": True,
            "lastEditedAt": _DATE,
            **fields,
        }
        for name, fields in objects.items()
    ]
    row: dict[str, Any] = {
        "label_hash": _NOBODY,
        "branch_name": "main",
        "created_at": _DATE,
        "last_edited_at": _DATE,
        "data_hash": _NOBODY,
        "dataset_hash": _NOBODY,
        "dataset_title": "",
        "data_title": "",
        "data_type": "image",
        "annotation_task_status": "QUEUED",
        "is_shadow_data": False,
        "label_status": "LABEL_IN_PROGRESS",
        "object_answers": {n: {"objectHash": n, "classifications": []} for n in objects},
        "classification_answers": {},
        "object_actions": {},
        "spaces": {},
        "data_units": {
            _NOBODY: {
                "data_hash": _NOBODY,
                "data_title": "",
                "data_link": "",
                "data_type": "image/jpeg",
                "data_sequence": 0,
                "width": 640,
                "height": 480,
                "labels": {"objects": entries, "classifications": []},
            }
        },
    }
    return deepcopy({**row, **changes})


def sidecar(*objects: str, **changes: Any) -> bytes:
    """Return the sidecar of an image with a box for each object hash."""
    return orjson.dumps(label_row({name: {"boundingBox": BOX} for name in objects}, **changes))


def encord_converter(
    ontology: Mapping[str, Any] = ONTOLOGY, *, storage_url: str = STORAGE_URL, **options: Any
) -> Converter:
    """Return a converter of Encord sidecars."""
    return Converter.from_ontology(
        load_ontology(ontology), storage_url=storage_url, format="encord", **options
    )


def row_of(converter: Converter, content: bytes, key: str = "drive/a.jpg") -> dict[str, Any]:
    """Return the one label row that a sidecar becomes."""
    (row,) = converter.convert([LabelFile(key, content)]).as_dicts()
    assert row is not None
    return row
