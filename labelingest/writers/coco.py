r"""Annotations → COCO JSON (instances): boxes, outlines and areas in pixels.

A COCO file is one document for the whole data set, so it is written as two streams, of images and
of annotations, that grow batch by batch and are joined at the end::

    HEAD  images  BETWEEN  annotations  tail()

Nothing but two counters is kept in between. Image and annotation IDs count from 1 in the order of
what is added: the same data in the same order gives the same bytes, however it is cut into batches.
(0 would do for most readers, but pycocotools takes an annotation 0 for no match.)

Fields are those of the official client's exporter: `bbox` and `segmentation` of a rotated box stay
unrotated, its angle is `attributes.rotation`; `attributes.encord_track_uuid` is the object hash;
categories count from 1 in the order of the ontology's objects. `score` is there where a confidence
was read. Additional keys lead back: `data_hash` of images, `feature_hash` of categories.

Products of fractions and pixels are not rounded. COCO has no place for an image of unknown size
but in the list of images, without width and height: its annotations are `image-size-unknown`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import orjson

from labelingest.arrays import Bool, Float64, Int64
from labelingest.geometry import boxes, ragged
from labelingest.model.annotations import Annotations
from labelingest.model.findings import Findings
from labelingest.model.ontology import Ontology, Shape
from labelingest.model.units import DataUnits
from labelingest.problems import Problem, ProblemCode
from labelingest.writers.encord_json import object_url
from labelingest.writers.ids import data_hashes, object_hashes
from labelingest.writers.number_text import shortest_texts

__all__ = ["BETWEEN", "HEAD", "CocoChunk", "CocoWriter"]

HEAD: Final = b'{"info":{"description":"written by labelingest"},"licenses":[],"images":['
"""What stands before the images."""
BETWEEN: Final = b'\n],"annotations":['
"""What stands between images and annotations."""

_NO_CATEGORY: Final = (Shape.AUDIO, Shape.TEXT)
"""Shapes that are on no image; the official client's exporter skips them as well."""


class CocoChunk(NamedTuple):
    """What a batch adds to each of the two streams."""

    images: bytes
    annotations: bytes
    rows: int
    """How many annotations that is; the others are rejected ones in the findings."""


@dataclass(slots=True)
class CocoWriter:
    """Writes batches, in order, as parts of one COCO document.

    Examples
    --------
    >>> from labelingest.model.ontology import OntologyObject
    >>> car = OntologyObject("Car", "#D33115", Shape.BOUNDING_BOX, "a1B2c3D4")
    >>> one = np.zeros(1, dtype=np.int32)
    >>> numbers, offsets = np.array([0.25, 0.5, 0.5, 0.5]), np.array([0, 4])
    >>> content = np.zeros(1, np.uint64)
    >>> annotations = Annotations(one, one, one + 1, one + 0.9, numbers, offsets, content)
    >>> units = DataUnits.of(["a.jpg"], ["a.txt"], np.zeros(1, np.int64))
    >>> units = units.with_sizes(one + 640, one + 480)
    >>> writer = CocoWriter(Ontology((car,), "vehicles"), "s3://bucket/")
    >>> chunk = writer.add(annotations, units, Findings())
    >>> document = HEAD + chunk.images + BETWEEN + chunk.annotations + writer.tail()
    >>> decoded = orjson.loads(document)
    >>> decoded["images"][0]["file_name"], decoded["annotations"][0]["bbox"]
    ('a.jpg', [160.0, 240.0, 320.0, 240.0])
    """

    ontology: Ontology
    storage_url: str
    """URL of the storage path, ending in "/": links and hashes are made from it."""
    images: int = 0
    """How many images were added."""
    annotations: int = 0
    """How many annotations were added."""

    def add(
        self,
        annotations: Annotations,
        units: DataUnits,
        findings: Findings,
        *,
        hashes: Sequence[str] | None = None,
    ) -> CocoChunk:
        """Write the next batch.

        Parameters
        ----------
        annotations
            (n,) annotations of the units; a unit may have none.
        units
            (u,) the data units, and their sizes where known.
        findings
            Takes the annotations of images whose size is not known.
        hashes
            (n,) object hashes where they are given; made as for label rows when None.
        """
        if hashes is None:
            hashes = object_hashes(
                units.key, annotations.unit, annotations.line, annotations.content
            )
        kept = _sized(annotations, units, findings)
        texts = _annotations(annotations, units, self._categories(), kept, hashes, self)
        chunk = CocoChunk(
            _joined(_images(units, self.storage_url, self.images), self.images == 0),
            _joined(texts, self.annotations == 0),
            len(texts),
        )
        self.images += len(units)
        self.annotations += len(texts)
        return chunk

    def tail(self) -> bytes:
        """Return what stands after the annotations: the categories, and the document's end."""
        categories = [
            {
                "supercategory": one.shape,
                "id": number,
                "name": one.name,
                "feature_hash": one.feature_hash,
            }
            for one, number in zip(self.ontology.objects, self._categories().tolist(), strict=True)
            if number
        ]
        return b'\n],"categories":' + orjson.dumps(categories) + b"}\n"

    def _categories(self) -> Int64:
        """Return (o,) the category ID of each ontology object; 0 for none."""
        has = np.array([o.shape not in _NO_CATEGORY for o in self.ontology.objects], dtype=bool)
        categories: Int64 = np.where(has, np.cumsum(has), 0)
        return categories


def _joined(texts: list[str], first: bool) -> bytes:
    """Return elements of an array, each on a line, to be put after the ones already there."""
    if not texts:
        return b""
    return (("\n" if first else ",\n") + ",\n".join(texts)).encode()


def _images(units: DataUnits, storage_url: str, before: int) -> list[str]:
    """Return (u,) the JSON of each image, numbered after those before."""
    hashes = data_hashes(storage_url, units.key)
    sizes = zip(units.width.tolist(), units.height.tolist(), strict=True)
    return [
        f'{{"id":{number},"file_name":{_json(key)},'
        + (f'"width":{width},"height":{height},' if width > 0 and height > 0 else "")
        + f'"coco_url":{_json(object_url(storage_url, key))},"data_hash":"{name}"}}'
        for number, (key, name, (width, height)) in enumerate(
            zip(units.key, hashes, sizes, strict=True), start=before + 1
        )
    ]


def _sized(annotations: Annotations, units: DataUnits, findings: Findings) -> Bool:
    """Return (n,) annotations of images whose size is known; reject the others."""
    unknown = (units.width <= 0) | (units.height <= 0)
    kept: Bool = ~unknown[annotations.unit]
    for row in np.flatnonzero(~kept).tolist():
        unit, line = int(annotations.unit[row]), int(annotations.line[row])
        detail = (
            f"COCO's coordinates are pixels, and the size of {units.key[unit]!r} is not known: its "
            "header could not be read, or sizes are switched off"
        )
        code = ProblemCode.IMAGE_SIZE_UNKNOWN
        findings.reject(unit, Problem(code, units.sidecar[unit], detail, line=line))
    return kept


def _annotations(
    annotations: Annotations,
    units: DataUnits,
    categories: Int64,
    kept: Bool,
    hashes: Sequence[str],
    before: CocoWriter,
) -> list[str]:
    """Return the JSON of each kept annotation, numbered after those before."""
    rows = np.flatnonzero(kept)
    confidence = annotations.confidence[rows]
    drawn = np.isnan(confidence)
    scores = shortest_texts(np.where(drawn, 1.0, confidence))
    tails = [
        '"manual_annotation":true}}'
        if by_hand
        else f'"manual_annotation":false}},"score":{score}}}'
        for by_hand, score in zip(drawn.tolist(), scores, strict=True)
    ]
    # The one loop over annotations that all shapes share.
    return [
        f'{{"id":{number},"image_id":{unit},"category_id":{category},{geometry},"iscrowd":0,'
        f'"attributes":{{"encord_track_uuid":"{hashes[row]}",{rotation}{tail}'
        for number, row, unit, category, (geometry, rotation), tail in zip(
            range(before.annotations + 1, before.annotations + 1 + len(rows)),
            rows.tolist(),
            (annotations.unit[rows].astype(np.int64) + before.images + 1).tolist(),
            categories[annotations.feature[rows]].tolist(),
            _geometries(annotations, units, before.ontology, rows),
            tails,
            strict=True,
        )
    ]


def _geometries(
    annotations: Annotations, units: DataUnits, ontology: Ontology, rows: Int64
) -> list[tuple[str, str]]:
    """Return (r,) the JSON of box, outline and area of rows, and of the angle where there is one."""
    polygon = np.array([o.shape == Shape.POLYGON for o in ontology.objects], dtype=bool)
    rotated = np.array([o.shape == Shape.ROTATABLE_BOUNDING_BOX for o in ontology.objects], bool)
    feature, unit = annotations.feature[rows], annotations.unit[rows]
    size = np.stack((units.width[unit], units.height[unit]), axis=1).astype(float)
    begin = annotations.offsets[rows]
    made: list[tuple[str, str]] = [("", "")] * len(rows)
    of_box = np.flatnonzero(~polygon[feature])
    if len(of_box):
        numbers = annotations.coordinates[begin[of_box, np.newaxis] + np.arange(4)]
        texts = _boxes(numbers * np.tile(size[of_box], 2))
        angles = _angles(annotations, begin[of_box], rotated[feature[of_box]])
        for at, text, angle in zip(of_box.tolist(), texts, angles, strict=True):
            made[at] = text, angle
    of_ring = np.flatnonzero(polygon[feature])
    if len(of_ring):
        count = annotations.offsets[rows[of_ring] + 1] - begin[of_ring]
        numbers = annotations.coordinates[ragged.gather(begin[of_ring], count)].reshape(-1, 2)
        vertices_px = numbers * np.repeat(size[of_ring], count // 2, axis=0)
        texts = _polygons(vertices_px, ragged.offsets_from_lengths(count // 2))
        for at, text in zip(of_ring.tolist(), texts, strict=True):
            made[at] = text, ""
    return made


def _angles(annotations: Annotations, begin: Int64, rotated: Bool) -> list[str]:
    """Return (r,) the JSON of the angle of boxes that begin there; "" where they cannot have one."""
    angles = [""] * len(begin)
    turned = np.flatnonzero(rotated)
    theta = shortest_texts(annotations.coordinates[begin[turned] + 4])
    for at, text in zip(turned.tolist(), theta, strict=True):
        angles[at] = f'"rotation":{text},'
    return angles


def _boxes(ltwh_px: Float64) -> list[str]:
    left, top, width, height = ltwh_px.T
    columns = (left, top, width, height, left + width, top + height, width * height)
    texts = shortest_texts(np.stack(columns, axis=1).reshape(-1))
    return [
        f'"bbox":[{x},{y},{w},{h}],"segmentation":[[{x},{y},{r},{y},{r},{b},{x},{b}]],"area":{area}'
        for x, y, w, h, r, b, area in zip(*(texts[i::7] for i in range(7)), strict=True)
    ]


def _polygons(vertices_px: Float64, offsets: Int64) -> list[str]:
    around = boxes.ltwh_from_vertices(vertices_px, offsets)
    areas = shortest_texts(_areas(vertices_px, offsets))
    texts = shortest_texts(around.reshape(-1))
    numbers = shortest_texts(vertices_px.reshape(-1))
    return [
        f'"bbox":[{x},{y},{w},{h}],"segmentation":[[{",".join(numbers[a:b])}]],"area":{area}'
        for x, y, w, h, area, (a, b) in zip(
            *(texts[i::4] for i in range(4)), areas, pairwise((2 * offsets).tolist()), strict=True
        )
    ]


def _areas(vertices_px: Float64, offsets: Int64) -> Float64:
    """Return (r,) the area of each ring in square pixels; crossing outlines: by the signed sum."""
    ring = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    # From the first vertex, so that a small ring far from the origin keeps its digits.
    x, y = (vertices_px - vertices_px[offsets[:-1]][ring]).T
    cross = np.zeros(len(x))
    cross[1:] = x[:-1] * y[1:] - x[1:] * y[:-1]
    # No edge leads from ring to ring; those at the first vertex have no part in the sum.
    cross[offsets[:-1]] = 0
    areas: Float64 = np.abs(ragged.segment_sum(cross, offsets)) / 2
    return areas


def _json(value: str) -> str:
    return orjson.dumps(value).decode()
