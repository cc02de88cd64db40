"""The text of COCO images and annotations: a dictionary for each, dumped on its own."""

from collections.abc import Sequence
from math import isnan
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import orjson

from labelingest.geometry.rotated_boxes import corners_from_rotated
from labelingest.model.annotations import Annotations
from labelingest.model.ontology import OntologyObject, Shape
from labelingest.model.units import DataUnits
from labelingest.writers.instances import hashes_of

__all__ = ["annotations_text", "images_text"]


def images_text(units: DataUnits, storage_url: str, before: int) -> bytes:
    """Return the images of a file:// storage, numbered after those before."""
    entries = []
    for number, key in enumerate(units.key, start=before + 1):
        width, height = (
            int(units.width[number - before - 1]),
            int(units.height[number - before - 1]),
        )
        size = {"width": width, "height": height} if width > 0 and height > 0 else {}
        entries.append(
            {
                "id": number,
                "file_name": key,
                **size,
                "coco_url": storage_url + quote(key),
                "data_hash": str(uuid5(uuid5(NAMESPACE_URL, storage_url), key)),
            }
        )
    return _lines(entries, before)


def annotations_text(
    annotations: Annotations,
    units: DataUnits,
    objects: Sequence[OntologyObject],
    images_before: int,
    before: int,
) -> bytes:
    """Return the annotations, all of shapes that have a category, rotated boxes by their corners."""
    hashes, entries = hashes_of(annotations, units), []
    for row in range(len(annotations)):
        unit, feature = int(annotations.unit[row]), int(annotations.feature[row])
        begin, end = annotations.offsets[row : row + 2].tolist()
        numbers = annotations.coordinates[begin:end].tolist()
        size = float(units.width[unit]), float(units.height[unit])
        shape = objects[feature].shape
        score = float(annotations.confidence[row])
        attributes: dict[str, Any] = {"encord_track_uuid": hashes[row]}
        if shape is Shape.ROTATABLE_BOUNDING_BOX:
            attributes["rotation"] = numbers[4]
        attributes["manual_annotation"] = isnan(score)
        entries.append(
            {
                "id": before + row + 1,
                "image_id": images_before + unit + 1,
                "category_id": feature + 1,
                **_geometry(shape, numbers, size),
                "iscrowd": 0,
                "attributes": attributes,
                **({} if isnan(score) else {"score": score}),
            }
        )
    return _lines(entries, before)


def _geometry(shape: Shape, numbers: list[float], size: tuple[float, float]) -> dict[str, Any]:
    if shape is Shape.BOUNDING_BOX:
        x, y, w, h = (number * side for number, side in zip(numbers, size * 2, strict=True))
        r, b = x + w, y + h
        return {"bbox": [x, y, w, h], "segmentation": [[x, y, r, y, r, b, x, b]], "area": w * h}
    if shape is Shape.ROTATABLE_BOUNDING_BOX:
        sides = (np.array([side]) for side in size)
        ring = corners_from_rotated(np.array([numbers]), *sides).reshape(-1).tolist()
        area = (numbers[2] * size[0]) * (numbers[3] * size[1])
    else:
        ring = [n * size[place % 2] for place, n in enumerate(numbers)]
        area = _area(ring)
    xs, ys = ring[::2], ring[1::2]
    box = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
    return {"bbox": box, "segmentation": [ring], "area": area}


def _area(ring: list[float]) -> float:
    xs, ys = ([n - ring[axis] for n in ring[axis::2]] for axis in (0, 1))
    edges = [xs[i] * ys[i + 1] - xs[i + 1] * ys[i] for i in range(len(xs) - 1)]
    total = float(np.add.reduceat(np.array([0.0, *edges]), [0])[0])
    return abs(total) / 2


def _lines(entries: Sequence[dict[str, Any]], before: int) -> bytes:
    text = b"".join(b",\n" + orjson.dumps(entry) for entry in entries)
    return text if before else text[1:]
