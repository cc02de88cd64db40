"""Types of clean label rows of images, made from a vocabulary: most checks happen while decoding.

The feature hash of its class selects the type of an object. The type demands the texts of the
ontology, exactly the keys that label rows write, and a payload of the class's shape. Answers,
options and classifications have such types too. Rules about several values are checked afterwards
(`label_rows.py`). An archived class, attribute or option has no type, as each use gets a warning.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, Union

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from labelingest.encord.keys import (
    COORDINATE_SLACK,
    LABEL_STATUS,
    LONGEST_SIDE,
    PAYLOAD_KEYS,
    TASK_STATUS,
)
from labelingest.encord.typed_rows import Frame, ImageRow, ImageUnit, ObjectEntry
from labelingest.model.ontology import Shape, machine_name
from labelingest.model.vocabulary import Attribute, ClassificationClass, ObjectClass, Option

__all__ = [
    "Answer",
    "Box",
    "Choice",
    "Classification",
    "OnFrame",
    "Point",
    "RotatedBox",
    "TypedObject",
    "answer_types",
    "classification_type",
    "frame_type",
    "object_type",
    "one_of",
    "row_type",
]

_MOST: Final = 2**53
"""Integers below this bound are exact in every JSON program."""
_Inside = Annotated[float, Meta(ge=-COORDINATE_SLACK, le=1 + COORDINATE_SLACK)]
_Side = Annotated[float, Meta(ge=0, le=LONGEST_SIDE)]
_Length = Annotated[float, Meta(ge=0)]
_Angle = Annotated[float, Meta(ge=0, lt=360)]
_Pixels = Annotated[int, Meta(gt=0, lt=_MOST)]
_Hash = Annotated[str, Meta(min_length=8, max_length=8)]
_Text = Annotated[str, Meta(min_length=1)]
_Confidence = Annotated[float, Meta(ge=0, le=1)]
_Number = Annotated[int, Meta(gt=-_MOST, lt=_MOST)] | float
_Empty = Annotated[dict[str, Any], Meta(max_length=0)]
_Nothing = Annotated[list[Any], Meta(max_length=0)]


class _Strict(Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    """Base of all types: unknown keys are refused."""


class Box(_Strict):
    """A box parallel to the edges of the image."""

    h: _Side
    w: _Side
    x: _Inside
    y: _Inside


class RotatedBox(_Strict):
    """A rotated box."""

    h: _Length
    w: _Length
    x: float
    y: float
    theta: _Angle


class Point(_Strict):
    """A vertex, or the point of a point object."""

    x: _Inside
    y: _Inside


class _Points(Struct, forbid_unknown_fields=True, gc=False):
    point: Point = msgspec.field(name="0")


class _Circle(_Strict):
    x: _Inside
    y: _Inside
    r: _Inside
    stretch: _Length
    theta: _Angle


class _Ellipse(_Strict):
    x: _Inside
    y: _Inside
    rx: _Inside
    ry: _Inside
    theta: _Angle


_Ring = Annotated[list[float], Meta(min_length=6)]
_Part = Annotated[list[_Ring], Meta(min_length=1)]
_POLYGONS: Final = Annotated[list[_Part], Meta(min_length=1)]
_PAYLOADS: Final[Mapping[str, Any]] = {
    Shape.BOUNDING_BOX: Box,
    Shape.ROTATABLE_BOUNDING_BOX: RotatedBox,
    Shape.POLYGON: msgspec.Raw,
    Shape.POLYLINE: Annotated[dict[str, Point], Meta(min_length=1)],
    Shape.POINT: _Points,
    Shape.CIRCLE: _Circle,
    Shape.ELLIPSE: _Ellipse,
}
"""Shape → type of its payload; payloads of other shapes are decoded as they are."""


class TypedObject(_Strict, kw_only=True, omit_defaults=True):
    """An object; the type of a class adds its payload."""

    name: str
    color: str
    shape: str
    value: str
    created_at: str
    created_by: str | None
    confidence: _Confidence
    object_hash: _Hash
    manual_annotation: bool
    last_edited_at: str
    last_edited_by: str | UnsetType = UNSET
    is_deleted: bool | UnsetType = UNSET


class _ChosenOption(_Strict):
    """An option that was chosen."""

    name: str
    value: str


class Answer(_Strict):
    """An answer; each attribute has a type of its own."""

    name: str
    value: str
    answers: Any
    manual_annotation: bool


class Choice(Answer):
    """An answer by options."""

    answers: list[_ChosenOption]


class Classification(_Strict):
    """An entry of classification_answers; each class has a type of its own."""

    classifications: list[Answer]
    classification_hash: _Hash
    spaces: _Empty
    range: Any
    created_by: str | None
    created_at: str
    last_edited_by: str | None
    last_edited_at: str
    confidence: _Confidence
    manual_annotation: bool


class OnFrame(_Strict):
    """A classification on a frame; each class has a type of its own."""

    name: str
    value: str
    created_at: str
    created_by: str | None
    confidence: _Confidence
    classification_hash: _Hash
    manual_annotation: bool
    last_edited_at: str
    last_edited_by: str | None


def one_of(texts: Sequence[str]) -> Any:
    """Return the type of a text from a closed set."""
    return Literal.__getitem__(tuple(texts))


def _union(types: Iterable[type]) -> Any:
    return Union.__getitem__(tuple(types))


def _list_of(types: Sequence[type]) -> Any:
    """Return the type of a list whose values have any of some types."""
    return list[_union(types)] if types else _Nothing  # type: ignore[misc]


def _tagged(base: type[Struct], feature_hash: str, **fields: Any) -> type[Struct]:
    """Return a type that is tagged by its feature hash."""
    return msgspec.defstruct(
        base.__name__.strip("_"),
        list(fields.items()),
        bases=(base,),
        tag_field="featureHash",
        tag=feature_hash,
    )


def object_type(object_class: ObjectClass) -> type[Struct]:
    """Return the type of objects of a class whose shape is drawn on frames."""
    polygon_fields: dict[str, Any] = {}
    if object_class.shape == Shape.POLYGON:
        polygon_fields["polygons"] = _POLYGONS
    payload = _PAYLOADS.get(object_class.shape, dict[str, Any])
    return msgspec.defstruct(
        "Object",
        [
            *(
                (key, one_of([getattr(object_class, key)]))
                for key in ("name", "color", "shape", "value")
            ),
            ("payload", payload, msgspec.field(name=PAYLOAD_KEYS[object_class.shape])),
            *polygon_fields.items(),
        ],
        bases=(TypedObject,),
        tag_field="featureHash",
        tag=object_class.feature_hash,
        kw_only=True,
    )


def answer_types(attributes: Iterable[Attribute]) -> list[type[Struct]]:
    """Return the types of answers to static attributes."""
    answerable = [
        attribute for attribute in attributes if attribute.type in _ANSWERS or attribute.options
    ]
    return [
        _answer_type(attribute)
        for attribute in answerable
        if not (attribute.dynamic or attribute.archived)
    ]


def _answer_type(attribute: Attribute) -> type[Struct]:
    names = {"name": one_of([attribute.name]), "value": one_of([machine_name(attribute.name)])}
    if attribute.type in _ANSWERS:
        return _tagged(Answer, attribute.feature_hash, **names, answers=_ANSWERS[attribute.type])
    options = [_option_type(option) for option in attribute.options.values() if not option.archived]
    return _tagged(Choice, attribute.feature_hash, **names, answers=_list_of(options))


_ANSWERS: Final[Mapping[str, Any]] = {"text": str, "numeric": _Number}


def _option_type(option: Option) -> type[Struct]:
    return _tagged(
        _ChosenOption,
        option.feature_hash,
        name=one_of([option.label]),
        value=one_of([option.value]),
    )


_FIRST_IMAGE = Annotated[
    list[Annotated[list[Literal[0]], Meta(min_length=2, max_length=2)]],
    Meta(min_length=1, max_length=1),
]
"""Range of every label of an image: [[0, 0]]."""


def classification_type(definition: ClassificationClass) -> type[Struct]:
    """Return the type of entries of classification_answers."""
    return _tagged(
        Classification,
        definition.feature_hash,
        classifications=_list_of(answer_types(definition.attributes.values())),
        range=_Nothing if definition.is_global else _FIRST_IMAGE,
    )


def frame_type(definition: ClassificationClass) -> type[Struct]:
    """Return the type of frame labels of a classification."""
    return _tagged(
        OnFrame,
        definition.feature_hash,
        name=one_of([definition.name]),
        value=one_of([definition.value]),
    )


def row_type(
    objects: Sequence[type],
    answers: Sequence[type],
    classifications: Sequence[type],
    on_frames: Sequence[type],
) -> type[ImageRow]:
    """Return the type of label rows.

    Parameters
    ----------
    objects, answers, classifications, on_frames
        Types of objects, of answers about objects, of entries of classification_answers, and of
        frame labels of classifications.
    """
    entries = dict[str, _union(classifications)] if classifications else _Empty  # type: ignore[misc]
    unit = _unit_type(objects, on_frames)
    row: Any = msgspec.defstruct(
        "Row",
        [
            ("data_type", Literal["image"]),
            ("annotation_task_status", one_of(TASK_STATUS) | None),
            ("object_answers", dict[str, _entry_type(answers)]),  # type: ignore[misc]
            ("classification_answers", entries),
            ("object_actions", _Empty),
            ("label_status", one_of(LABEL_STATUS)),
            ("data_units", Annotated[dict[str, unit], Meta(min_length=1, max_length=1)]),  # type: ignore[valid-type]
            ("spaces", _Empty),
        ],
        bases=(ImageRow,),
    )
    typed_row: type[ImageRow] = row
    return typed_row


def _unit_type(objects: Sequence[type], on_frames: Sequence[type]) -> type[Struct]:
    """Return the type of the data unit of an image."""
    frame = msgspec.defstruct(
        "Frame",
        [("objects", _list_of(objects)), ("classifications", _list_of(on_frames))],
        bases=(Frame,),
    )
    return msgspec.defstruct(
        "Unit",
        [
            ("data_hash", _Text),
            ("data_type", _Text),
            ("data_sequence", Literal[0]),
            ("width", _Pixels),
            ("height", _Pixels),
            ("labels", frame),
        ],
        bases=(ImageUnit,),
    )


def _entry_type(answers: Sequence[type]) -> type[Struct]:
    """Return the type of entries of object_answers."""
    return msgspec.defstruct(
        "Entry",
        [
            ("classifications", _list_of(answers)),
            ("object_number", Annotated[int, Meta(ge=0, lt=_MOST)] | UnsetType, UNSET),
        ],
        bases=(ObjectEntry,),
    )
