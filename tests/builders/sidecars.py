"""Label rows made with the official client: all kinds, shapes, attributes, styles; seeded."""

import base64
import random
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from encord.objects import LabelRowV2, OntologyStructure
from encord.objects.attributes import (
    Attribute,
    ChecklistAttribute,
    NumericAttribute,
    RadioAttribute,
    TextAttribute,
)
from encord.objects.bitmask import BitmaskCoordinates
from encord.objects.classification import OntologyClassificationLevel
from encord.objects.common import Shape
from encord.objects.coordinates import (
    AudioCoordinates,
    BoundingBoxCoordinates,
    CircleCoordinates,
    Cuboid2DIsometricCoordinates,
    Cuboid2DPerspectiveCoordinates,
    EllipseCoordinates,
    HtmlCoordinates,
    PointCoordinate,
    PolygonCoordinates,
    PolylineCoordinates,
    RotatableBoundingBoxCoordinates,
    SkeletonCoordinate,
    SkeletonCoordinates,
    TextCoordinates,
    Visibility,
)
from encord.objects.frames import Range
from encord.objects.html_node import HtmlNode, HtmlRange
from encord.objects.ontology_object_instance import ObjectInstance
from encord.objects.skeleton_template import SkeletonTemplate, SkeletonTemplateCoordinate
from encord.orm import storage

__all__ = ["KINDS", "client_rows", "frames_of_row", "in_style", "structure_of"]

KINDS: Final = ("image", "img_group", "video", "pdf", "audio", "text", "html")
FRAMES: Final = 12
WIDTH, HEIGHT = 64, 48
_DRAWN: Final = (
    *(Shape.BOUNDING_BOX, Shape.ROTATABLE_BOUNDING_BOX, Shape.POLYGON, Shape.POLYLINE),
    *(Shape.POINT, Shape.CIRCLE, Shape.ELLIPSE, Shape.BITMASK, Shape.SKELETON, Shape.CUBOID_2D),
)
_START: Final = datetime(2026, 1, 5, 16, 46, 58, tzinfo=UTC)
_JOINTS: Final = ("nose", "left eye", "right eye")


def frames_of_row(kind: str) -> int:
    """Number of frames of the rows of a kind, as the client has to be told."""
    return {"image": 1, "img_group": 4, "audio": 20_000, "text": 1, "html": 1}.get(kind, FRAMES)


def _hash(rng: random.Random) -> str:
    return base64.b64encode(rng.randbytes(6)).decode()


def _attributes(add: Any, rng: random.Random, *, nested: bool = True) -> None:
    """Add one attribute of each type; the radio's options nest two levels down."""
    dynamic = {} if nested else {"dynamic": True}
    kind = "" if nested else "now "
    radio = add(RadioAttribute, f"{kind}kind", feature_node_hash=_hash(rng), **dynamic)
    for position, label in enumerate(("Private Car", "Lorry", "Ümlaut / Bus")):
        option = radio.add_option(label, feature_node_hash=_hash(rng))
        if nested and position:
            add_nested = option.add_nested_attribute
            inner = add_nested(RadioAttribute, f"goods of {label}", feature_node_hash=_hash(rng))
            for goods in ("gravel", "people"):
                deep = inner.add_option(goods, feature_node_hash=_hash(rng))
                deep.add_nested_attribute(
                    TextAttribute, f"which {goods}", feature_node_hash=_hash(rng)
                )
            add_nested(NumericAttribute, "Seats", feature_node_hash=_hash(rng))
    checklist = add(ChecklistAttribute, f"{kind}seen", feature_node_hash=_hash(rng), **dynamic)
    for label in ("Front", "Back side", "Left"):
        checklist.add_option(label, feature_node_hash=_hash(rng))
    add(TextAttribute, f"{kind}plate", feature_node_hash=_hash(rng), **dynamic)
    add(NumericAttribute, f"{kind}speed", feature_node_hash=_hash(rng), **dynamic)


@lru_cache(maxsize=32)
def structure_of(seed: int) -> OntologyStructure:
    """Make an ontology with a class of each shape and classifications of each root."""
    rng = random.Random(seed)
    structure = OntologyStructure()
    for shape in (*_DRAWN, Shape.AUDIO, Shape.TEXT):
        for copy in range(2):
            name = f"{shape.value} No {copy}"
            ontology_object = structure.add_object(name, shape, feature_node_hash=_hash(rng))
            if copy:
                continue
            _attributes(ontology_object.add_attribute, rng)
            if shape in _DRAWN:
                _attributes(ontology_object.add_attribute, rng, nested=False)
    for root in (RadioAttribute, ChecklistAttribute, TextAttribute, NumericAttribute):
        for level in (None, OntologyClassificationLevel.GLOBAL):
            classification = structure.add_classification(feature_node_hash=_hash(rng), level=level)
            attribute: Any = classification.add_attribute(
                root, f"{root.__name__} {level}", feature_node_hash=_hash(rng)
            )
            if root in (RadioAttribute, ChecklistAttribute):
                for label in ("Good", "Bad light"):
                    option = attribute.add_option(label, feature_node_hash=_hash(rng))
                    if root is RadioAttribute:
                        option.add_nested_attribute(
                            TextAttribute, f"why {label}", feature_node_hash=_hash(rng)
                        )
    points = {
        str(i): SkeletonTemplateCoordinate(x=0.1 * i, y=0.2, name=name, feature_hash=_hash(rng))
        for i, name in enumerate(_JOINTS)
    }
    template = SkeletonTemplate(
        name="skeleton No 0", width=1, height=1, skeleton=points, skeleton_edges={}
    )
    structure.add_skeleton_template(template)
    return structure


class _Maker:
    """Makes one label row."""

    def __init__(self, rng: random.Random, structure: OntologyStructure, kind: str) -> None:
        self.rng = rng
        self.structure = structure
        self.kind = kind
        stand_in: Any = SimpleNamespace(structure=structure)
        self.row = LabelRowV2.from_media_metadata(stand_in, _media(kind))

    def make(self) -> dict[str, Any]:
        for _ in range(self.rng.randint(0, 6)):
            self._object()
        for classification in self.structure.classifications:
            if self.rng.random() < 0.4:
                self._classification(classification)
        label_row: dict[str, Any] = self.row.to_encord_dict()
        return label_row

    def _annotation(self) -> dict[str, Any]:
        rng = self.rng
        moment = _START + timedelta(seconds=rng.randrange(10**8))
        return {
            "created_at": moment,
            "last_edited_at": moment + timedelta(days=1),
            "created_by": rng.choice([None, "ann.otator@example.com"]),
            "last_edited_by": rng.choice([None, "re.viewer@example.com"]),
            "confidence": rng.choice([1.0, round(rng.random(), 3)]),
            "manual_annotation": rng.random() < 0.8,
        }

    def _object(self) -> None:
        shape = {"audio": Shape.AUDIO, "text": Shape.TEXT, "html": Shape.TEXT}.get(self.kind)
        shape = shape or self.rng.choice(_DRAWN)
        if shape == Shape.BITMASK and self.kind == "pdf":
            shape = Shape.POINT
        ontology_object = self.rng.choice([o for o in self.structure.objects if o.shape == shape])
        instance = ObjectInstance(ontology_object, object_hash=_hash(self.rng))
        annotation = self._annotation()
        if self.kind in ("audio", "text", "html"):
            annotation.pop("confidence")
            instance.set_for_frames(self._ranges(), 0, **annotation)
        else:
            for frame in self._frames():
                instance.set_for_frames(self._coordinates(shape), frame, **annotation)
        self.row.add_object_instance(instance)
        if self.rng.random() < 0.2:
            instance.object_number = len(self.row.get_object_instances())
        self._answer(instance, ontology_object.attributes)
        for attribute in ontology_object.attributes:
            if attribute.dynamic:
                self._answer_over_time(instance, attribute)

    def _frames(self) -> list[int]:
        count = min(frames_of_row(self.kind), FRAMES)
        return sorted(self.rng.sample(range(count), self.rng.randint(1, min(count, 5))))

    def _ranges(self) -> Any:
        rng = self.rng
        if self.kind == "html":
            nodes = [HtmlNode(xpath=f"/html/body/p[{i}]/text()", offset=i * 3) for i in range(4)]
            return HtmlCoordinates(
                range=[
                    HtmlRange(start=nodes[0], end=nodes[1]),
                    HtmlRange(start=nodes[2], end=nodes[3]),
                ]
            )
        edges = sorted(rng.sample(range(2_000), 4))
        ranges = [Range(edges[0], edges[1]), Range(edges[2], edges[3])][: rng.randint(1, 2)]
        return (
            AudioCoordinates(range=ranges)
            if self.kind == "audio"
            else TextCoordinates(range=ranges)
        )

    def _answer(self, instance: Any, attributes: list[Attribute[Any]]) -> None:
        for attribute in attributes:
            if attribute.dynamic or self.rng.random() < 0.3:
                continue
            value = self._value(attribute)
            instance.set_answer(value, attribute=attribute)
            if isinstance(attribute, RadioAttribute):
                self._answer(instance, value.attributes)

    def _answer_over_time(self, instance: ObjectInstance, attribute: Attribute[Any]) -> None:
        frames = [annotation.frame for annotation in instance.get_annotations()]
        for frame in frames:
            if self.rng.random() < 0.6:
                instance.set_answer(self._value(attribute), attribute=attribute, frames=frame)

    def _value(self, attribute: Attribute[Any]) -> Any:
        rng = self.rng
        if isinstance(attribute, RadioAttribute):
            return rng.choice(attribute.options)
        if isinstance(attribute, ChecklistAttribute):
            return rng.sample(list(attribute.options), rng.randint(1, len(attribute.options)))
        if isinstance(attribute, TextAttribute):
            return rng.choice(["", "gravel", 'a "quoted": text', "zwölf / ~0"])
        return rng.choice([0, 7, -2.5, 41.5, 1e6])

    def _classification(self, classification: Any) -> None:
        instance = classification.create_instance(range_only=self.kind in ("audio", "text", "html"))
        instance._classification_hash = _hash(self.rng)
        annotation = self._annotation()
        if instance.is_range_only():
            instance.set_for_frames([], **annotation)
        else:
            instance.set_for_frames(self._frames(), **annotation)
        self._answer(instance, classification.attributes[:])
        if not instance.get_answer():
            instance.set_answer(self._value(classification.attributes[0]), overwrite=True)
        self.row.add_classification_instance(instance)

    def _coordinates(self, shape: Shape) -> Any:
        return _COORDINATES[shape](self.rng)


def _points(rng: random.Random, count: int) -> list[PointCoordinate]:
    return [PointCoordinate(rng.random(), rng.random()) for _ in range(count)]


def _polygon(rng: random.Random) -> PolygonCoordinates:
    rings = [[_points(rng, rng.randint(3, 6)) for _ in range(rng.randint(1, 2))]]
    if rng.random() < 0.5:
        rings.append([_points(rng, 3)])
    return PolygonCoordinates(polygons=rings)


def _rotatable(rng: random.Random) -> RotatableBoundingBoxCoordinates:
    width, height = rng.random(), rng.random()
    left, top = rng.random() * (1 - width), rng.random() * (1 - height)
    return RotatableBoundingBoxCoordinates(height, width, left, top, rng.random() * 359)


def _box(rng: random.Random) -> BoundingBoxCoordinates:
    width, height = rng.random(), rng.random()
    return BoundingBoxCoordinates(
        height, width, rng.random() * (1 - width), rng.random() * (1 - height)
    )


def _bitmask(rng: random.Random) -> BitmaskCoordinates:
    mask = np.random.default_rng(rng.randrange(2**32)).random((HEIGHT, WIDTH)) < rng.random()
    return BitmaskCoordinates(mask)


def _skeleton(rng: random.Random) -> SkeletonCoordinates:
    values = [
        SkeletonCoordinate(
            x=rng.random(),
            y=rng.random(),
            name=name,
            color="#D33115",
            feature_hash=_hash(rng),
            value=name.replace(" ", "_"),
            visibility=rng.choice([None, *Visibility]),
        )
        for name in _JOINTS
    ]
    return SkeletonCoordinates(values=values, name="skeleton No 0")


def _cuboid(rng: random.Random) -> Any:
    front = _points(rng, 4)
    if rng.random() < 0.5:
        return Cuboid2DIsometricCoordinates(front=front, offset=PointCoordinate(-0.1, 0.2))
    return Cuboid2DPerspectiveCoordinates(
        front=front, vanishing_point=PointCoordinate(1.5, -0.25), scale_ratio=rng.random()
    )


_COORDINATES: Final[dict[Shape, Any]] = {
    Shape.BOUNDING_BOX: _box,
    Shape.ROTATABLE_BOUNDING_BOX: _rotatable,
    Shape.POLYGON: _polygon,
    Shape.POLYLINE: lambda rng: PolylineCoordinates(_points(rng, rng.randint(1, 6))),
    Shape.POINT: lambda rng: _points(rng, 1)[0],
    Shape.CIRCLE: lambda rng: CircleCoordinates(
        rng.random(), rng.random(), rng.random(), rng.random(), rng.random() * 9
    ),
    Shape.ELLIPSE: lambda rng: EllipseCoordinates(*(rng.random() for _ in range(5))),
    Shape.BITMASK: _bitmask,
    Shape.SKELETON: _skeleton,
    Shape.CUBOID_2D: _cuboid,
}


def _media(kind: str) -> Any:
    image = storage.CustomerProvidedImageMetadata(
        mime_type="image/jpeg", file_size=1, height=HEIGHT, width=WIDTH
    )
    return {
        "image": image,
        "img_group": [image] * frames_of_row("img_group"),
        "video": storage.CustomerProvidedVideoMetadata(
            fps=FRAMES / 2,
            duration=1.95,
            width=WIDTH,
            height=HEIGHT,
            file_size=1,
            mime_type="video/mp4",
        ),
        "pdf": storage.CustomerProvidedPdfMetadata(file_size=1, num_pages=FRAMES),
        "audio": storage.CustomerProvidedAudioMetadata(
            duration=2.5,
            file_size=1,
            mime_type="audio/wav",
            sample_rate=8_000,
            bit_depth=16,
            codec="pcm",
            num_channels=1,
        ),
        "text": storage.CustomerProvidedTextMetadata(file_size=1, mime_type="text/plain"),
        "html": storage.CustomerProvidedTextMetadata(file_size=1, mime_type="text/html"),
    }[kind]


def client_rows(seed: int, count: int) -> Iterator[tuple[dict[str, Any], str, dict[str, Any]]]:
    """Yield ontology structure, kind and label row, all kinds in turn, in style *answers*."""
    rng = random.Random(seed)
    for position in range(count):
        structure = structure_of(seed * 100 + position % 4)
        kind = KINDS[position % len(KINDS)]
        row = _Maker(rng, structure, kind).make()
        yield structure.to_dict(), kind, row


def in_style(row: dict[str, Any], style: str) -> dict[str, Any]:
    """Rewrite the classifications of a client's row: *frames* (older releases), *both*, *answers*."""
    row = deepcopy(row)
    if style == "answers" or row["data_type"] in ("audio", "plain_text"):
        return row
    units = {int(unit["data_sequence"]): unit for unit in row["data_units"].values()}
    for answer in row["classification_answers"].values():
        keys = ("classificationHash", "featureHash", "createdAt", "createdBy", "confidence")
        entry = {
            key: answer[key] for key in (*keys, "manualAnnotation", "lastEditedAt", "lastEditedBy")
        }
        for first, last in answer["range"]:
            for frame in range(first, last + 1):
                labels = units.get(frame, units[0])["labels"]
                if row["data_type"] in ("video", "pdf"):
                    labels = labels.setdefault(str(frame), {"objects": [], "classifications": []})
                labels["classifications"].append(dict(entry))
        if style == "frames" and answer["range"]:
            for key in ("range", "createdAt", "createdBy", "confidence", "lastEditedAt"):
                del answer[key]
            for key in ("lastEditedBy", "manualAnnotation", "featureHash"):
                del answer[key]
    return row
