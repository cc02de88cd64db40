"""The oracle of label rows: the plain dictionary that a label row is, written out key by key.

`orjson.dumps` of it must equal what the writer makes from byte templates. Names that are hashes of
content are not told here: they are taken from the row under test, after their form was checked.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

__all__ = ["Labelled", "date_of", "label_row", "payload_of"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_MIME_TYPES = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "bmp": "image/bmp"}


class Labelled(NamedTuple):
    """One object of a label row."""

    definition: Mapping[str, Any]
    """The ontology object, as the ontology's JSON has it."""
    numbers: Sequence[float]
    """Box: left, top, width, height; rotated box: the same and degrees; polygon: x, y, x, y, …"""
    confidence: float | None
    object_hash: str


def date_of(time_ns: int) -> str:
    """Return a time as label rows spell it."""
    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time_ns // 1_000_000_000)
    day, month = _DAYS[time.weekday()], _MONTHS[time.month - 1]
    return f"{day}, {time.day:02} {month} {time.year} {time:%H:%M:%S} UTC"


def payload_of(shape: str, numbers: Sequence[float]) -> dict[str, Any]:
    """Return the keys of an object that hold its geometry."""
    if shape == "polygon":
        points = zip(numbers[::2], numbers[1::2], strict=True)
        return {
            "polygon": {str(i): {"x": x, "y": y} for i, (x, y) in enumerate(points)},
            "polygons": [[list(numbers)]],
        }
    left, top, width, height, *turn = numbers
    box = {"h": height, "w": width, "x": left, "y": top}
    if shape == "bounding_box":
        return {"boundingBox": box}
    return {"rotatableBoundingBox": {**box, "theta": turn[0]}}


def label_row(
    key: str,
    labelled: Sequence[Labelled],
    *,
    storage_url: str,
    ontology_identity: str,
    mtime_ns: int = 0,
    size: tuple[int, int] | None = None,
    created_by: str | None = None,
    dataset_title: str = "",
) -> dict[str, Any]:
    """Write out the label row of an image in an object store.

    Parameters
    ----------
    key
        Key of the image.
    labelled
        Its objects, in the order of their lines.
    storage_url
        URL of the storage path, ending in "/".
    ontology_identity
        What names the ontology in the label hash.
    mtime_ns
        Last change of the sidecar, nanoseconds since 1970 UTC.
    size
        Width and height in pixels; left out when None.
    created_by, dataset_title
        As the caller says.
    """
    date, title = date_of(mtime_ns), key.rsplit("/", 1)[-1]
    dataset_hash = uuid5(NAMESPACE_URL, storage_url)
    data_hash = str(uuid5(dataset_hash, key))
    unit: dict[str, Any] = {
        "data_hash": data_hash,
        "data_title": title,
        "data_link": storage_url + key,
        "data_type": _MIME_TYPES[key.rsplit(".", 1)[-1]],
        "data_sequence": 0,
    }
    if size is not None:
        unit |= {"width": size[0], "height": size[1]}
    objects = [_object(labelled_object, date, created_by) for labelled_object in labelled]
    return {
        "label_hash": str(uuid5(UUID(data_hash), ontology_identity)),
        "branch_name": "main",
        "created_at": date,
        "last_edited_at": date,
        "data_hash": data_hash,
        "dataset_hash": str(dataset_hash),
        "dataset_title": dataset_title,
        "data_title": title,
        "data_type": "image",
        "annotation_task_status": "QUEUED",
        "is_shadow_data": False,
        "label_status": "LABEL_IN_PROGRESS",
        "object_answers": {
            labelled_object.object_hash: {
                "objectHash": labelled_object.object_hash,
                "classifications": [],
            }
            for labelled_object in labelled
        },
        "classification_answers": {},
        "object_actions": {},
        "spaces": {},
        "data_units": {data_hash: {**unit, "labels": {"objects": objects, "classifications": []}}},
    }


def _object(labelled: Labelled, date: str, created_by: str | None) -> dict[str, Any]:
    definition = labelled.definition
    return {
        "name": definition["name"],
        "color": definition["color"],
        "shape": definition["shape"],
        "value": definition["name"].lower().replace(" ", "_"),
        "createdAt": date,
        "createdBy": created_by,
        "confidence": 1.0 if labelled.confidence is None else labelled.confidence,
        "objectHash": labelled.object_hash,
        "featureHash": definition["featureNodeHash"],
        "manualAnnotation": labelled.confidence is None,
        "lastEditedAt": date,
        **payload_of(definition["shape"], labelled.numbers),
    }
