"""The contents of one label row, for people and for programs: its head, objects, answers.

The row may be any JSON object. A value that the official client would not write is None here, so
that one bad value does not hide the others; `readers.encord` reports the defect.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from labelingest.cli.show.answers import AnswersView, classifications, object_answers
from labelingest.cli.show.geometry import PIXELS, Geometry, Scale, read_geometry
from labelingest.cli.show.lenient_json import (
    Ranges,
    dicts_of,
    items_of,
    number_of,
    ranges_of,
    text_of,
    whole_of,
)
from labelingest.model.frame_ranges import union
from labelingest.model.vocabulary import Vocabulary

__all__ = ["LabelRowView", "ObjectView", "UnitView", "label_row_of"]

_WITHOUT_FRAMES: Final = ("image", "audio", "plain_text", None)


@dataclass(frozen=True, slots=True)
class UnitView:
    """One data unit: a file, or an image of a group."""

    title: str | None
    link: str | None
    mime_type: str | None
    data_hash: str | None
    width: int | None
    """Width in pixels; None where it is unknown, as in audio, text and PDF."""
    height: int | None
    """Height in pixels; None where it is unknown."""


@dataclass(frozen=True, slots=True)
class ObjectView:
    """An object on one frame, or on the ranges of a file without frames."""

    object_hash: str | None
    feature_hash: str | None
    name: str | None
    shape: str | None
    frame: int | None
    """Frame, page or image of the group; None where the kind has none."""
    ranges: Ranges | None
    """Milliseconds of audio or characters of text; None for an object with a geometry."""
    html_ranges: list[str] | None
    """Ranges of an HTML file, as `xpath:offset – xpath:offset`."""
    geometry: Geometry | None
    """Geometry by shape, as `read_geometry` returns it; None for no geometry or an unreadable one."""
    unit: str | None
    """Unit of the geometry: pixels where the size of the image is known, else fractions."""
    confidence: float | None
    created_by: str | None

    @property
    def is_ranged(self) -> bool:
        """Whether the object lies on ranges of a file and has no geometry."""
        return self.unit is None


@dataclass(frozen=True, slots=True)
class LabelRowView:
    """The parts of a label row that `labelingest show` prints."""

    title: str | None
    kind: str | None
    label_status: str | None
    label_hash: str | None
    data_hash: str | None
    dataset_hash: str | None
    units: list[UnitView]
    frames: Ranges | None
    """Frames that have objects; None where the kind has no frames."""
    objects: list[ObjectView]
    answers: list[AnswersView]
    classifications: list[AnswersView]
    spaces: int
    """Spaces of data groups and scenes, whose labels are not shown."""


class _Frame(NamedTuple):
    """One entry of `labels`."""

    frame: int | None
    scale: Scale
    labels: dict[str, Any]


def label_row_of(row: Mapping[str, Any], vocabulary: Vocabulary | None = None) -> LabelRowView:
    """Return the contents of a label row.

    Parameters
    ----------
    row
        The decoded row.
    vocabulary
        The ontology that its labels refer to, for the nesting of answers.

    Examples
    --------
    >>> row = label_row_of({"data_type": "image", "data_units": {}, "object_answers": []})
    >>> row.kind, row.title, row.objects
    ('image', None, [])
    """
    kind = text_of(row.get("data_type"))
    unit_entries = list(dicts_of(row.get("data_units")))
    units = [_unit(entry) for entry in unit_entries]
    frames = [frame for entry in unit_entries for frame in _frames(entry, kind)]
    objects = [
        _object_on_frame(entry, frame.frame, frame.scale)
        for frame in frames
        for entry in dicts_of(frame.labels.get("objects"))
    ]
    objects += [
        _object_on_ranges(name, entry)
        for name, entry in items_of(row.get("object_answers"))
        if "range" in entry or "range_html" in entry
    ]
    classes = {o.object_hash: (o.feature_hash, o.name) for o in reversed(objects)}
    classified = (
        (frame.frame or 0, entry)
        for frame in frames
        for entry in dicts_of(frame.labels.get("classifications"))
    )
    frame_numbers = [entry.frame for entry in objects if entry.frame is not None]
    has_frames = bool(frame_numbers) or kind not in _WITHOUT_FRAMES
    title = next((unit.title for unit in units if unit.title), None)
    return LabelRowView(
        title=text_of(row.get("data_title")) or title,
        kind=kind,
        label_status=text_of(row.get("label_status")),
        label_hash=text_of(row.get("label_hash")),
        data_hash=text_of(row.get("data_hash")),
        dataset_hash=text_of(row.get("dataset_hash")),
        units=units,
        frames=union((n, n) for n in frame_numbers) if has_frames else None,
        objects=objects,
        answers=object_answers(row, classes, vocabulary),
        classifications=classifications(row, classified, vocabulary),
        spaces=sum(1 for _ in items_of(row.get("spaces"))),
    )


def _unit(entry: dict[str, Any]) -> UnitView:
    scale = Scale.from_size(entry.get("width"), entry.get("height"))
    has_size = scale.unit == PIXELS
    return UnitView(
        title=text_of(entry.get("data_title")),
        link=text_of(entry.get("data_link")),
        mime_type=text_of(entry.get("data_type")),
        data_hash=text_of(entry.get("data_hash")),
        width=entry["width"] if has_size else None,
        height=entry["height"] if has_size else None,
    )


def _frames(unit: dict[str, Any], kind: str | None) -> Iterator[_Frame]:
    """Yield the frames of a data unit; an image is one frame."""
    scale = Scale.from_size(unit.get("width"), unit.get("height"))
    labels = unit.get("labels")
    if isinstance(labels, dict) and not labels.keys() & {"objects", "classifications"}:
        for number, entry in items_of(labels):
            yield _Frame(whole_of(number), scale, entry)
    elif isinstance(labels, dict):
        sequence = whole_of(unit.get("data_sequence")) if kind == "img_group" else None
        yield _Frame(sequence, scale, labels)


def _object_on_frame(entry: dict[str, Any], frame: int | None, scale: Scale) -> ObjectView:
    return ObjectView(
        object_hash=text_of(entry.get("objectHash")),
        feature_hash=text_of(entry.get("featureHash")),
        name=text_of(entry.get("name")),
        shape=text_of(entry.get("shape")),
        frame=frame,
        ranges=None,
        html_ranges=None,
        geometry=read_geometry(entry, scale),
        unit=scale.unit,
        confidence=number_of(entry.get("confidence")),
        created_by=text_of(entry.get("createdBy")),
    )


def _object_on_ranges(name: str, entry: dict[str, Any]) -> ObjectView:
    """Return an object of a file without frames: `object_answers` holds the whole object."""
    pairs = entry.get("range_html")
    return ObjectView(
        object_hash=name,
        feature_hash=text_of(entry.get("featureHash")),
        name=text_of(entry.get("name")),
        shape=text_of(entry.get("shape")),
        frame=None,
        ranges=ranges_of(entry.get("range")),
        html_ranges=None if pairs is None else [_html_range(pair) for pair in dicts_of(pairs)],
        geometry=None,
        unit=None,
        confidence=number_of(entry.get("confidence")),
        created_by=text_of(entry.get("createdBy")),
    )


def _html_range(pair: dict[str, Any]) -> str:
    return f"{_html_place(pair.get('start'))} – {_html_place(pair.get('end'))}"


def _html_place(value: object) -> str:
    entry = value if isinstance(value, dict) else {}
    offset = whole_of(entry.get("offset"))
    return f"{text_of(entry.get('xpath')) or '?'}:{'?' if offset is None else offset}"
