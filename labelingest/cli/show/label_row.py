"""What is in one label row, for people and for programs: its head, objects, answers.

The row may be any JSON object. What is not as the official client writes it is None here, so that
one bad value does not hide the others; what is wrong with it is said by `readers.encord`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from labelingest.cli.show.answers import Answered, classifications, object_answers
from labelingest.cli.show.geometry import PIXELS, Geometry, Scale, measured
from labelingest.cli.show.lenient_json import (
    Ranges,
    dicts_of,
    items_of,
    joined,
    number_of,
    ranges_of,
    text_of,
    whole_of,
)
from labelingest.model.vocabulary import Vocabulary

__all__ = ["Drawn", "LabelRow", "Unit", "label_row_of"]

_WITHOUT_FRAMES: Final = ("image", "audio", "plain_text", None)


@dataclass(frozen=True, slots=True)
class Unit:
    """One data unit: a file, or an image of a group."""

    title: str | None
    link: str | None
    mime_type: str | None
    data_hash: str | None
    width: int | None
    """Pixels; None where not known, as in audio, text and PDF."""
    height: int | None


@dataclass(frozen=True, slots=True)
class Drawn:
    """An object on one frame, or on the ranges of a file without frames."""

    object_hash: str | None
    feature_hash: str | None
    name: str | None
    shape: str | None
    frame: int | None
    """Frame, page or image of the group; None where the kind has none."""
    ranges: Ranges | None
    """Milliseconds of audio, characters of text; None where it is drawn."""
    html_ranges: list[str] | None
    """Ranges of an HTML file, as `xpath:offset – xpath:offset`."""
    geometry: Geometry | None
    """By shape, as `cli/drawn.py` makes it; None where nothing is drawn, or nothing readable."""
    unit: str | None
    """Unit of the geometry: pixels where the size of the image is known, else fractions."""
    confidence: float | None
    created_by: str | None

    @property
    def is_ranged(self) -> bool:
        """Whether it lies on ranges of a file instead of being drawn."""
        return self.unit is None


@dataclass(frozen=True, slots=True)
class LabelRow:
    """All that is shown of a label row."""

    title: str | None
    kind: str | None
    label_status: str | None
    label_hash: str | None
    data_hash: str | None
    dataset_hash: str | None
    units: list[Unit]
    frames: Ranges | None
    """Frames that have objects; None where the kind has no frames."""
    objects: list[Drawn]
    answers: list[Answered]
    classifications: list[Answered]
    spaces: int
    """Spaces of data groups and scenes, whose labels are not shown."""


class _Frame(NamedTuple):
    """One entry of `labels`."""

    frame: int | None
    scale: Scale
    labels: dict[str, Any]


def label_row_of(row: Mapping[str, Any], vocabulary: Vocabulary | None = None) -> LabelRow:
    """Return what is in a label row.

    Parameters
    ----------
    row
        The decoded row.
    vocabulary
        What its labels refer to, for the nesting of answers.

    Examples
    --------
    >>> row = label_row_of({"data_type": "image", "data_units": {}, "object_answers": []})
    >>> row.kind, row.title, row.objects
    ('image', None, [])
    """
    kind = text_of(row.get("data_type"))
    found_units = list(dicts_of(row.get("data_units")))
    units = [_unit(found) for found in found_units]
    frames = [frame for found in found_units for frame in _frames(found, kind)]
    objects = [
        _drawn(found, frame.frame, frame.scale)
        for frame in frames
        for found in dicts_of(frame.labels.get("objects"))
    ]
    objects += [
        _ranged(name, found)
        for name, found in items_of(row.get("object_answers"))
        if "range" in found or "range_html" in found
    ]
    classes = {o.object_hash: (o.feature_hash, o.name) for o in reversed(objects)}
    classified = (
        (frame.frame or 0, found)
        for frame in frames
        for found in dicts_of(frame.labels.get("classifications"))
    )
    on = [found.frame for found in objects if found.frame is not None]
    return LabelRow(
        text_of(row.get("data_title")) or next((unit.title for unit in units if unit.title), None),
        kind,
        text_of(row.get("label_status")),
        text_of(row.get("label_hash")),
        text_of(row.get("data_hash")),
        text_of(row.get("dataset_hash")),
        units,
        joined((n, n) for n in on) if on or kind not in _WITHOUT_FRAMES else None,
        objects,
        object_answers(row, classes, vocabulary),
        classifications(row, classified, vocabulary),
        sum(1 for _ in items_of(row.get("spaces"))),
    )


def _unit(found: dict[str, Any]) -> Unit:
    scale = Scale.of(found.get("width"), found.get("height"))
    known = scale.unit == PIXELS
    return Unit(
        text_of(found.get("data_title")),
        text_of(found.get("data_link")),
        text_of(found.get("data_type")),
        text_of(found.get("data_hash")),
        found["width"] if known else None,
        found["height"] if known else None,
    )


def _frames(unit: dict[str, Any], kind: str | None) -> Iterator[_Frame]:
    """Yield the frames of a unit: by number, or the one that an image is."""
    scale = Scale.of(unit.get("width"), unit.get("height"))
    labels = unit.get("labels")
    if isinstance(labels, dict) and not labels.keys() & {"objects", "classifications"}:
        for number, found in items_of(labels):
            yield _Frame(whole_of(number), scale, found)
    elif isinstance(labels, dict):
        sequence = whole_of(unit.get("data_sequence")) if kind == "img_group" else None
        yield _Frame(sequence, scale, labels)


def _drawn(found: dict[str, Any], frame: int | None, scale: Scale) -> Drawn:
    return Drawn(
        text_of(found.get("objectHash")),
        text_of(found.get("featureHash")),
        text_of(found.get("name")),
        text_of(found.get("shape")),
        frame,
        None,
        None,
        measured(found, scale),
        scale.unit,
        number_of(found.get("confidence")),
        text_of(found.get("createdBy")),
    )


def _ranged(name: str, found: dict[str, Any]) -> Drawn:
    """Return an object of a file without frames: its answers hold all of it."""
    pairs = found.get("range_html")
    return Drawn(
        name,
        text_of(found.get("featureHash")),
        text_of(found.get("name")),
        text_of(found.get("shape")),
        None,
        ranges_of(found.get("range")),
        None if pairs is None else [_html_range(pair) for pair in dicts_of(pairs)],
        None,
        None,
        number_of(found.get("confidence")),
        text_of(found.get("createdBy")),
    )


def _html_range(pair: dict[str, Any]) -> str:
    return f"{_html_place(pair.get('start'))} – {_html_place(pair.get('end'))}"


def _html_place(found: object) -> str:
    place = found if isinstance(found, dict) else {}
    offset = whole_of(place.get("offset"))
    return f"{text_of(place.get('xpath')) or '?'}:{'?' if offset is None else offset}"
