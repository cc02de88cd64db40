r"""Annotations → YOLO rows: a class number, then the numbers of a box, a ring or corners.

What was read from YOLO comes out as the same numbers, read back as doubles: polygons always, boxes
with up to 15 digits that nothing was clipped from (`labelingest.geometry.centre_boxes` says why, and
where it ends). Rotated boxes come out as the corners of the same rectangle, up to rounding: they
are kept by centre, size and angle.

Numbers are written with as many digits as it takes to read back the same double, and without
exponents. Whether they are in the image is not asked here: what reaches outside is written so.

What a row has no place for is counted, never made up: a row has a class number, one outline and a
confidence; no holes, no angle, no author. A polygon of several parts is a row for each. Which
annotations cannot be written at all is decided before (`representable`), a problem each:

- `no-place-in-format`: no box, rotated box or polygon of an image;
- `no-class-number`: the class map has no number for the ontology object;
- `image-size-unknown`: turning happens in pixels.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from labelingest.columns import ragged
from labelingest.columns.text_page import RaggedTexts, TextPage
from labelingest.columns.types import Bool, Int64, Texts
from labelingest.errors import ConfigError
from labelingest.model.annotations import Annotations, ColumnShape, column_shapes
from labelingest.model.batch_output import FileTexts
from labelingest.model.ontology import ClassMap, OntologyObject
from labelingest.model.rejections import reject_rows
from labelingest.model.units import DataUnits, are_images
from labelingest.problems import ProblemCode
from labelingest.problems.of_batch import BatchProblems
from labelingest.writers.instances import hole_count, outlines, parts_of
from labelingest.writers.number_text import plain_column
from labelingest.writers.representable import representable_on_images
from labelingest.writers.target import TargetOptions, Written
from labelingest.writers.yolo_rows import YoloLayout, YoloRows, conversions, row_numbers

__all__ = [
    "YoloLayout",
    "class_numbers",
    "representable",
    "sizes_needed",
    "write",
    "write_pieces",
]


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


def sizes_needed(annotations: Annotations, units: DataUnits, options: TargetOptions) -> Bool:
    """Return (u,) the images with annotations that are rotated in pixels."""
    needed = np.zeros(len(units), dtype=bool)
    if options.yolo_layout == YoloLayout.CORNERS:
        needed[annotations.unit] = True
    else:
        shapes = column_shapes(options.ontology.objects)[annotations.feature]
        needed[annotations.unit[shapes == ColumnShape.ROTATED_BOX]] = True
    return are_images(units) & needed if needed.any() else needed


def representable(
    annotations: Annotations, units: DataUnits, options: TargetOptions, problems: BatchProblems
) -> Annotations:
    """Return the annotations that YOLO rows can represent; reject the others.

    Parameters
    ----------
    annotations, units, options
        As for `write`.
    problems
        Takes the annotations that cannot be written, each once.

    Raises
    ------
    ConfigError
        The layout is not known.
    """
    form = _layout(options.yolo_layout)
    objects, numbers = options.ontology.objects, options.class_numbers
    annotations = representable_on_images(annotations, units, objects, "YOLO", problems)

    def unnumbered(row: int) -> str:
        name = objects[annotations.feature[row]].name
        return f"{name!r} has no class number: add an external ID or an override (7={name})"

    numbered = numbers[annotations.feature] >= 0
    code = ProblemCode.NO_CLASS_NUMBER
    annotations = reject_rows(~numbered, code, annotations, units, unnumbered, problems)

    def unsized(row: int) -> str:
        return (
            "turning to or from a rotated box happens in pixels, and the size of "
            f"{units.key[annotations.unit[row]]!r} is not known: its header could not be read, or "
            "sizes are switched off"
        )

    in_pixels = YoloRows.from_annotations(annotations, units, objects, form).in_pixels
    unknown = (units.width <= 0) | (units.height <= 0)
    without_size = in_pixels & unknown[annotations.unit]
    code = ProblemCode.IMAGE_SIZE_UNKNOWN
    return reject_rows(without_size, code, annotations, units, unsized, problems)


def write(annotations: Annotations, units: DataUnits, options: TargetOptions) -> Written:
    r"""Write one label file for each data unit.

    Parameters
    ----------
    annotations
        (n,) annotations of the units that are `representable`; a unit may have none.
    units
        (u,) the data units, and their sizes where known.
    options
        The ontology, the class number of each object, the layout, and whether a confidence that was
        read is the last column; rows that a person drew have no such column.

    Returns
    -------
    Written
        For each data unit its label file, empty where the unit has no row: labelled as empty.

    Raises
    ------
    ConfigError
        The layout is not known.

    Examples
    --------
    >>> from labelingest.model.ontology import Ontology, Shape
    >>> from labelingest.writers.target import WriterOptions
    >>> car = OntologyObject("Car", "#D33115", Shape.BOUNDING_BOX, "a1B2c3D4")
    >>> one = np.zeros(1, dtype=np.int32)
    >>> numbers, offsets = np.array([0.637, 0.25, 0.128, 0.5]), np.array([0, 4])
    >>> content = np.zeros(1, np.uint64)
    >>> annotations = Annotations(one, one, one + 1, one + 0.9, numbers, offsets, content)
    >>> units = DataUnits.from_keys(["a.jpg", "b.jpg"], ["a.json", "b.json"], np.zeros(2, np.int64))
    >>> options = TargetOptions(
    ...     ontology=Ontology((car,), "vehicles"),
    ...     writer=WriterOptions("s3://bucket/"),
    ...     class_numbers=np.array([7]),
    ...     yolo_confidence=True,
    ... )
    >>> list(write(annotations, units, options).texts)
    [b'7 0.701 0.5 0.128 0.5 0.9\n', b'']
    """
    form, objects = _layout(options.yolo_layout), options.ontology.objects
    dropped = Counter({"hole": holes} if (holes := hole_count(annotations)) else {})
    by_part = form in (YoloLayout.AUTO, YoloLayout.POLYGON)
    multipart = sum(len(parts) > 1 for parts in parts_of(annotations).values())
    rows = YoloRows.from_annotations(
        outlines(annotations, joined=not by_part), units, objects, form
    )
    converted = conversions(rows)
    if by_part and multipart:
        converted["polygon of several parts → polygon each"] = multipart
    scored = ~np.isnan(annotations.confidence)
    if not options.yolo_confidence and scored.any():
        dropped["confidence"] = int(scored.sum())
    texts = _texts(rows, options.class_numbers, options.yolo_confidence, len(units))
    return Written(texts, None, converted, dropped)


def write_pieces(
    units: DataUnits,
    options: TargetOptions,
    hashes: Iterable[Texts],
    parts: Iterable[tuple[Annotations, Texts]],
) -> Iterator[bytes]:
    """Yield the label file of one data unit part by part; rows have no object hashes."""
    for annotations, _ in parts:
        yield write(annotations, units, options).texts[0]


def _layout(layout: str) -> YoloLayout:
    if layout not in list(YoloLayout):
        raise ConfigError(
            f"YOLO layout {layout!r} is not known; choose one of {', '.join(YoloLayout)}"
        )
    return YoloLayout(layout)


def _texts(rows: YoloRows, numbers: Int64, confidence: bool, units: int) -> FileTexts:
    """Return (u,) the text of each unit."""
    annotations = rows.annotations
    lengths, values = row_numbers(rows)
    scored = ~np.isnan(annotations.confidence)
    if confidence and scored.any():
        ends = ragged.offsets_from_lengths(lengths)[1:]
        values = np.insert(values, ends[scored], annotations.confidence[scored])
        lengths = lengths + scored
    feature, place = np.unique(annotations.feature, return_inverse=True)
    classes = RaggedTexts.from_table(
        [b"%d" % number for number in numbers[feature].tolist()], place
    )
    texts, text_lengths, unusual = plain_column(values)
    # A row is its class number, each number behind a space, and the end of the line.
    first = ragged.offsets_from_lengths(lengths)
    spaces = ragged.offsets_from_lengths(text_lengths + 1)
    row_lengths = classes.lengths + spaces[first[1:]] - spaces[first[:-1]] + 1
    row_starts = ragged.offsets_from_lengths(row_lengths)
    # One more line's end is behind the text of each unit.
    bounds = np.searchsorted(annotations.unit, np.arange(units + 1))
    offsets = row_starts[bounds] + np.arange(units + 1)
    starts = row_starts[:-1] + annotations.unit
    shift = starts + classes.lengths - spaces[first[:-1]]
    spaces = spaces[:-1] + np.repeat(shift, lengths)
    page = TextPage(int(offsets[-1]))
    page.put(spaces + 1, texts)
    page.put_ragged((spaces + 1)[unusual.rows], unusual.texts)
    page.put(spaces, b" ")
    page.put_ragged(starts, classes)
    page.put(starts + row_lengths - 1, b"\n")
    page.put(offsets[1:] - 1, b"\n")
    return FileTexts(page.content(), offsets)
