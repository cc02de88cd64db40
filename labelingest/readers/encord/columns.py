"""Clean label rows → annotations in columns, for stages that work on labels of every format.

Each object on each frame is one row. Boxes, rotated boxes and polygons have their numbers; the
payloads of other shapes stay in the label row. Objects of audio and text are on no frame.

Refuses to judge: the explaining path returns only rows that every reader takes.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, TypeAlias

import numpy as np

from labelingest.model.annotations import Annotations, Instances
from labelingest.model.ontology import Shape

__all__ = ["columns_of"]

_FrameObject: TypeAlias = tuple[int, dict[str, Any]]
_BOX: Final = ("x", "y", "w", "h")
_IMAGES: Final = ("image", "img_group")


def columns_of(
    rows: Sequence[Mapping[str, Any] | None], features: Mapping[str, int]
) -> Annotations:
    """Return the objects of label rows as columns.

    Parameters
    ----------
    rows
        (u,) label rows; None for a data unit without one.
    features
        Feature hash → row in `Ontology.objects`, of every object in the label rows.

    Examples
    --------
    >>> box = {"h": 0.25, "w": 0.125, "x": 0.5, "y": 0.375}
    >>> car = {"shape": "bounding_box", "featureHash": "a1B2c3D4", "objectHash": "k3P/x0+a",
    ...        "confidence": 1.0, "manualAnnotation": True, "boundingBox": box}
    >>> unit = {"data_sequence": 0, "labels": {"objects": [car]}}
    >>> row = {"data_type": "image", "data_units": {"u": unit}}
    >>> columns_of([None, row], {"a1B2c3D4": 0}).coordinates.tolist()
    [0.5, 0.375, 0.125, 0.25]
    """
    by_row = [[] if row is None else list(_frame_objects(row)) for row in rows]
    objects = list(chain.from_iterable(by_row))
    numbers = [_numbers(value) for _, value in objects]
    lengths = np.fromiter(map(len, numbers), np.int64, len(numbers))
    n = len(objects)
    return Annotations(
        unit=np.repeat(np.arange(len(rows), dtype=np.int32), [len(of_row) for of_row in by_row]),
        feature=np.array([features[value["featureHash"]] for _, value in objects], dtype=np.int32),
        line=np.zeros(n, dtype=np.int32),
        confidence=np.array([_confidence(value) for _, value in objects], dtype=np.float64),
        coordinates=np.array(list(chain.from_iterable(numbers)), dtype=np.float64),
        offsets=np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths))),
        content=np.zeros(n, dtype=np.uint64),
        instances=Instances(
            [value["objectHash"] for _, value in objects],
            np.array([frame for frame, _ in objects], dtype=np.int32),
            {i: parts for i, (_, value) in enumerate(objects) if (parts := _parts(value))},
        ),
    )


def _frame_objects(row: Mapping[str, Any]) -> Iterator[_FrameObject]:
    """Yield frame and object of each annotation of a row; the frame is -1 for audio and text."""
    if row["data_type"] in ("audio", "plain_text"):
        yield from ((-1, entry) for entry in row["object_answers"].values())
        return
    for unit in row["data_units"].values():
        labels = unit["labels"]
        if row["data_type"] in _IMAGES:
            frame = int(unit["data_sequence"])
            yield from ((frame, value) for value in labels["objects"])
        else:
            for key, of_frame in labels.items():
                yield from ((int(key), value) for value in of_frame["objects"])


def _numbers(value: Mapping[str, Any]) -> Sequence[float]:
    shape = value["shape"]
    if shape == Shape.BOUNDING_BOX:
        return [value["boundingBox"][key] for key in _BOX]
    if shape == Shape.ROTATABLE_BOUNDING_BOX:
        box = value["rotatableBoundingBox"]
        return [*(box[key] for key in _BOX), box["theta"]]
    if shape == Shape.POLYGON:
        ring: Sequence[float] = value["polygons"][0][0]
        return ring
    return ()


def _parts(value: Mapping[str, Any]) -> Any:
    """Return all rings of a polygon with several; None for other objects."""
    parts = value.get("polygons")
    return parts if parts and (len(parts) > 1 or len(parts[0]) > 1) else None


def _confidence(value: Mapping[str, Any]) -> float:
    """Return the confidence; NaN for ground truth, which a person drew with full confidence."""
    # Objects of audio and text have none: the client reads 1.0.
    confidence = float(value.get("confidence", 1.0))
    return float("nan") if confidence == 1 and value["manualAnnotation"] else confidence
