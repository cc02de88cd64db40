r"""Annotations → YOLO rows: a class number, then the numbers of a box, a ring or corners.

What was read from YOLO comes out as the same numbers, read back as doubles: polygons always, boxes
with up to 15 digits that nothing was clipped from (`labelingest.geometry.centres` says why, and
where it ends). Rotated boxes come out as the corners of the same rectangle, up to rounding: they
are kept by centre, size and angle.

Numbers are written with as many digits as it takes to read back the same double, and without
exponents. Whether they are in the image is not asked here: what reaches outside is written so.

What a row has no place for is counted, never made up: a row has a class number, one outline and a
confidence; no holes, no angle, no author. Which rows cannot be written at all is a problem each:

- `no-class-number`: the class map has no number for the ontology object;
- `image-size-unknown`: turning happens in pixels.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Final

import numpy as np

from labelingest.arrays import Bool, Float64, Int64, UInt8
from labelingest.errors import ConfigError
from labelingest.geometry import boxes, ragged, rotated
from labelingest.geometry.centres import cxcywh_from_ltwh
from labelingest.model.annotations import SHAPES, Annotations, shape_positions
from labelingest.model.findings import Findings
from labelingest.model.ontology import ClassMap, OntologyObject
from labelingest.model.units import DataUnits
from labelingest.problems import Problem, ProblemCode
from labelingest.writers.number_text import plain_texts

__all__ = ["YoloFiles", "YoloLayout", "class_numbers", "write_yolo"]


class YoloLayout(StrEnum):
    """What rows are to be, whatever the shapes of the ontology objects are."""

    AUTO = "auto"
    """Boxes, polygons and corners, as the shapes say."""
    BOX = "box"
    """Centre x, centre y, width, height; what is no box becomes the box around it."""
    POLYGON = "polygon"
    """x, y of the vertices; what is a box becomes its four corners."""
    CORNERS = "corners"
    """x, y of four corners; polygons become the smallest rectangle around them."""


_BOX, _ROTATED, _POLYGON = range(3)
_NAMES: Final = ("box", "rotated box", "polygon")
_FORMS: Final = {
    YoloLayout.AUTO: (_BOX, _ROTATED, _POLYGON),
    YoloLayout.BOX: (_BOX, _BOX, _BOX),
    YoloLayout.POLYGON: (_POLYGON, _POLYGON, _POLYGON),
    YoloLayout.CORNERS: (_ROTATED, _ROTATED, _ROTATED),
}
"""For each layout, by position in `SHAPES`: the form of a shape's rows."""


@dataclass(frozen=True, slots=True)
class YoloFiles:
    """What became of a batch of annotations."""

    texts: list[bytes]
    """For each data unit its label file; empty where it has no row: labelled as empty."""
    rows: int
    """How many rows were written; the other annotations are rejected ones in the findings."""
    converted: Counter[str] = field(default_factory=Counter)
    """Rows whose kind of geometry was changed for the layout: "polygon → box"."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Parts of annotations that were left out of rows."""


def class_numbers(class_map: ClassMap, objects: Sequence[OntologyObject]) -> Int64:
    """Return (o,) the class number that each ontology object is written with; -1 for none.

    Where several numbers are mapped to one object, it is the smallest.

    Examples
    --------
    >>> from labelingest.model.ontology import Shape
    >>> car = OntologyObject("Car", "#D33115", Shape.BOUNDING_BOX, "a1B2c3D4")
    >>> dog = OntologyObject("Dog", "#E27300", Shape.BOUNDING_BOX, "b1B2c3D4")
    >>> class_map = ClassMap(np.array([2, 7]), np.array([0, 0], dtype=np.int32))
    >>> class_numbers(class_map, [car, dog]).tolist()
    [2, -1]
    """
    numbers = np.full(len(objects), -1, dtype=np.int64)
    # Numbers ascend: written from the last to the first, the smallest stays.
    numbers[class_map.feature[::-1]] = class_map.number[::-1]
    return numbers


def write_yolo(
    annotations: Annotations,
    units: DataUnits,
    numbers: Int64,
    objects: Sequence[OntologyObject],
    findings: Findings,
    *,
    layout: str = YoloLayout.AUTO,
    confidence: bool = True,
) -> YoloFiles:
    r"""Write one label file for each data unit.

    Parameters
    ----------
    annotations
        (n,) annotations of the units; a unit may have none.
    units
        (u,) the data units, and their sizes where known.
    numbers
        (o,) class number of each ontology object; -1 for none.
    objects
        (o,) the ontology's objects.
    findings
        Takes the annotations that cannot be written.
    layout
        One of `YoloLayout`.
    confidence
        Whether a confidence that was read is written, as the last column; rows that a person drew
        have none, and no such column.

    Raises
    ------
    ConfigError
        The layout is not known.

    Examples
    --------
    >>> from labelingest.model.ontology import Shape
    >>> car = OntologyObject("Car", "#D33115", Shape.BOUNDING_BOX, "a1B2c3D4")
    >>> one = np.zeros(1, dtype=np.int32)
    >>> numbers, offsets = np.array([0.637, 0.25, 0.128, 0.5]), np.array([0, 4])
    >>> content = np.zeros(1, np.uint64)
    >>> annotations = Annotations(one, one, one + 1, one + 0.9, numbers, offsets, content)
    >>> units = DataUnits.of(["a.jpg", "b.jpg"], ["a.json", "b.json"], np.zeros(2, np.int64))
    >>> write_yolo(annotations, units, np.array([7]), [car], Findings()).texts
    [b'7 0.701 0.5 0.128 0.5 0.9\n', b'']
    """
    if layout not in list(YoloLayout):
        raise ConfigError(
            f"YOLO layout {layout!r} is not known; choose one of {', '.join(YoloLayout)}"
        )
    rows = _Rows.of(annotations, units, objects, YoloLayout(layout))
    kept = _sayable(rows, numbers, objects, findings)
    lengths, coordinates = _geometry(rows, np.flatnonzero(kept))
    scored = kept & ~np.isnan(annotations.confidence)
    dropped: Counter[str] = Counter()
    if not confidence and scored.any():
        dropped["confidence"] = int(scored.sum())
    if confidence and scored.any():
        ends = ragged.offsets_from_lengths(lengths)[1:]
        coordinates = np.insert(coordinates, ends[scored], annotations.confidence[scored])
        lengths = lengths + scored
    of_row = np.where(kept, numbers[annotations.feature], -1)
    texts = _texts(of_row, lengths, coordinates, annotations, len(units))
    return YoloFiles(texts, int(kept.sum()), _converted(rows, kept), dropped)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The rows of a batch, with what is done with each."""

    annotations: Annotations
    units: DataUnits
    shape: UInt8
    """(n,) position of each row's shape in `SHAPES`."""
    form: UInt8
    """(n,) position in `SHAPES` of the shape it is written as."""
    upright: Bool
    """(n,) boxes, and rotated boxes with an angle of 0: their first four numbers are a box."""

    @classmethod
    def of(
        cls,
        annotations: Annotations,
        units: DataUnits,
        objects: Sequence[OntologyObject],
        layout: YoloLayout,
    ) -> "_Rows":
        shape = shape_positions(objects)[annotations.feature]
        if (shape == len(SHAPES)).any():
            raise ValueError("annotations hold boxes, rotated boxes and polygons only")
        upright = shape == _BOX
        turned = np.flatnonzero(shape == _ROTATED)
        upright[turned] = annotations.coordinates[annotations.offsets[turned] + 4] == 0
        form = np.array(_FORMS[layout], dtype=np.uint8)[shape]
        return cls(annotations, units, shape, form, upright)

    def sizes(self, rows: Int64) -> Float64:
        """Return (r, 2) width and height in pixels of the rows' images; -1 where not known."""
        unit = self.annotations.unit[rows]
        return np.stack((self.units.width[unit], self.units.height[unit]), axis=1).astype(float)

    def numbers(self, rows: Int64, count: int) -> Float64:
        """Return (r, count) the first numbers of rows."""
        at = self.annotations.offsets[rows, np.newaxis] + np.arange(count)
        numbers: Float64 = self.annotations.coordinates[at]
        return numbers

    def rings(self, rows: Int64) -> tuple[Float64, Int64]:
        """Return vertices (v, 2) and offsets (r + 1,) of rows that are polygons."""
        begin = self.annotations.offsets[rows]
        count = self.annotations.offsets[rows + 1] - begin
        vertices = self.annotations.coordinates[ragged.gather(begin, count)].reshape(-1, 2)
        return vertices, ragged.offsets_from_lengths(count // 2)


def _sayable(
    rows: _Rows, numbers: Int64, objects: Sequence[OntologyObject], findings: Findings
) -> Bool:
    """Return (n,) rows that can be written; reject the others."""
    annotations, units = rows.annotations, rows.units
    numbered: Bool = numbers[annotations.feature] >= 0
    for row in np.flatnonzero(~numbered).tolist():
        name = objects[annotations.feature[row]].name
        detail = f"{name!r} has no class number: add an external ID or an override (7={name})"
        _reject(rows, row, ProblemCode.NO_CLASS_NUMBER, detail, findings)
    in_pixels = ~rows.upright & ((rows.shape == _ROTATED) | (rows.form == _ROTATED))
    unknown = (units.width <= 0) | (units.height <= 0)
    unsized = numbered & in_pixels & unknown[annotations.unit]
    for row in np.flatnonzero(unsized).tolist():
        key = units.key[annotations.unit[row]]
        detail = (
            f"turning to or from a rotated box happens in pixels, and the size of {key!r} is not "
            "known: its header could not be read, or sizes are switched off"
        )
        _reject(rows, row, ProblemCode.IMAGE_SIZE_UNKNOWN, detail, findings)
    sayable: Bool = numbered & ~unsized
    return sayable


def _reject(rows: _Rows, row: int, code: ProblemCode, detail: str, findings: Findings) -> None:
    unit = int(rows.annotations.unit[row])
    line = int(rows.annotations.line[row])
    findings.reject(unit, Problem(code, rows.units.sidecar[unit], detail, line=line))


def _converted(rows: _Rows, kept: Bool) -> Counter[str]:
    """Count the kept rows that are written as another shape, by both."""
    pairs = rows.shape[kept].astype(np.int64) * len(SHAPES) + rows.form[kept]
    counts = np.bincount(pairs, minlength=len(SHAPES) ** 2).reshape(len(SHAPES), -1)
    return Counter(
        {
            f"{_NAMES[shape]} → {_NAMES[form]}": int(counts[shape, form])
            for shape, form in zip(*counts.nonzero(), strict=True)
            if shape != form
        }
    )


def _geometry(rows: _Rows, kept: Int64) -> tuple[Int64, Float64]:
    """Return lengths (n,) and the numbers of all rows, one after the other; 0 where not kept."""
    pieces = [
        (of_step, *step(rows, of_step))
        for step, mask in (
            (_upright_boxes, rows.upright & (rows.form == _BOX)),
            (_upright_corners, rows.upright & (rows.form != _BOX)),
            (_turned_boxes, ~rows.upright & (rows.shape == _ROTATED) & (rows.form == _BOX)),
            (_turned_corners, ~rows.upright & (rows.shape == _ROTATED) & (rows.form != _BOX)),
            (_ring_boxes, (rows.shape == _POLYGON) & (rows.form == _BOX)),
            (_ring_corners, (rows.shape == _POLYGON) & (rows.form == _ROTATED)),
            (_rings, (rows.shape == _POLYGON) & (rows.form == _POLYGON)),
        )
        if len(of_step := kept[mask[kept]])
    ]
    lengths = np.zeros(len(rows.annotations), dtype=np.int64)
    for of_step, count, _ in pieces:
        lengths[of_step] = count
    begin = ragged.offsets_from_lengths(lengths)
    numbers = np.empty(int(begin[-1]))
    for of_step, count, piece in pieces:
        numbers[ragged.gather(begin[of_step], count)] = piece.reshape(-1)
    return lengths, numbers


# Each step returns lengths (r,) and numbers of the rows it gets, one after the other.


def _upright_boxes(rows: _Rows, of: Int64) -> tuple[Int64, Float64]:
    return np.full(len(of), 4), cxcywh_from_ltwh(rows.numbers(of, 4))


def _upright_corners(rows: _Rows, of: Int64) -> tuple[Int64, Float64]:
    return np.full(len(of), 8), boxes.corners_from_ltwh(rows.numbers(of, 4))


def _turned_corners(rows: _Rows, of: Int64) -> tuple[Int64, Float64]:
    size = rows.sizes(of)
    corners_px = rotated.corners_from_rotated(rows.numbers(of, 5), *size.T)
    return np.full(len(of), 8), corners_px / size[:, np.newaxis]


def _turned_boxes(rows: _Rows, of: Int64) -> tuple[Int64, Float64]:
    _, corners = _turned_corners(rows, of)
    return _boxes_around(corners.reshape(-1, 2), 4 * np.arange(len(of) + 1))


def _ring_boxes(rows: _Rows, of: Int64) -> tuple[Int64, Float64]:
    return _boxes_around(*rows.rings(of))


def _boxes_around(vertices: Float64, offsets: Int64) -> tuple[Int64, Float64]:
    around = boxes.ltwh_from_vertices(vertices, offsets)
    return np.full(len(around), 4), cxcywh_from_ltwh(around)


def _ring_corners(rows: _Rows, of: Int64) -> tuple[Int64, Float64]:
    vertices, offsets = rows.rings(of)
    size = rows.sizes(of)
    vertices_px = vertices * np.repeat(size, np.diff(offsets), axis=0)
    rectangles = rotated.smallest_rectangle_of_rings(vertices_px, offsets)
    corners = rotated.corners_from_centred(rectangles) / size[:, np.newaxis]
    return np.full(len(of), 8), corners


def _rings(rows: _Rows, of: Int64) -> tuple[Int64, Float64]:
    vertices, offsets = rows.rings(of)
    first, end = offsets[:-1], offsets[1:]
    # Readers drop a last vertex that repeats the first; where it belongs to the ring it is written
    # once more, so that what they drop is the repetition.
    closed = (vertices[first] == vertices[end - 1]).all(axis=1)
    if closed.any():
        vertices = np.insert(vertices, end[closed], vertices[first[closed]], axis=0)
    return 2 * (end - first + closed), vertices


def _texts(
    number: Int64, lengths: Int64, values: Float64, annotations: Annotations, units: int
) -> list[bytes]:
    """Return the text of each unit; rows with the number -1 are left out."""
    texts = plain_texts(values)
    ends = ragged.offsets_from_lengths(lengths).tolist()
    # The one loop over annotations.
    lines = [
        f"{n} {' '.join(texts[a:b])}\n" if n >= 0 else ""
        for n, (a, b) in zip(number.tolist(), pairwise(ends), strict=True)
    ]
    bounds = np.searchsorted(annotations.unit, np.arange(units + 1)).tolist()
    return ["".join(lines[a:b]).encode() for a, b in pairwise(bounds)]
