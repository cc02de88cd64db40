"""The oracle of the YOLO conversion: one file, one row, one rule at a time, from the specification.

Slow on purpose: text is split by characters, numbers are read by `float`, geometry is answered by
`tests.oracles.yolo_shapes`. It knows class numbers and shapes, no ontology and no JSON.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import degrees, isfinite
from typing import NamedTuple

from tests.oracles.yolo_evidence import contradicting_column, resembled
from tests.oracles.yolo_shapes import (
    Corners,
    Vertex,
    as_corners,
    clip,
    corners_of,
    encloses_area,
    fits_of,
    is_simple,
    ltwh_of_box,
    smallest_rectangles,
)

__all__ = ["Expected", "Found", "Options", "Reading", "decoded", "expected", "lines_of"]

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NAME_OF_NO_NUMBER = re.compile(r"[+-]?(inf|infinity|nan)", re.IGNORECASE | re.ASCII)
_LITTLE = 1e-6


class Options(NamedTuple):
    """What a caller may ask for."""

    row_layout: str = "auto"
    kpt_shape: tuple[int, int] | None = None
    decided_by_evidence: bool = False
    out_of_range: str = "clip"
    snap_edges: bool = False
    reject_shape_mismatch: bool = False
    drop_duplicates: bool = False
    warn_misfit: float = 0.1


class Found(NamedTuple):
    """A problem with its place; line and column are None where it is of the whole file."""

    code: str
    line: int | None = None
    column: int | None = None


class Expected(NamedTuple):
    """An annotation."""

    line: int
    class_number: int
    shape: str
    numbers: tuple[float, ...]
    """Box: left, top, width, height; rotated box: the same and degrees; polygon: x, y, x, y, …
    Empty for a rotated box that only `rectangles` tells."""
    confidence: float | None
    exact: bool = False
    """Whether the numbers must be these to the last bit: the operations are prescribed."""
    rectangles: Sequence[Corners] = ()
    """Corners in pixels, in order, for a rotated box: one of these."""


@dataclass
class Reading:
    """What should become of one file."""

    annotations: list[Expected] = field(default_factory=list)
    problems: list[Found] = field(default_factory=list)
    optional: list[Found] = field(default_factory=list)
    """Problems that may be named or not: the specification can be read both ways."""
    rejected: Counter[str] = field(default_factory=Counter)
    rows_seen: int = 0
    is_text: bool = True
    converted: Counter[str] = field(default_factory=Counter)
    adjusted: Counter[str] = field(default_factory=Counter)
    refitted: list[float] = field(default_factory=list)
    """Misfits of the quadrilaterals that became the smallest rectangle, pixels."""
    perhaps_refitted: int = 0
    """Quadrilaterals for which rounding decides that."""
    needs_size: bool = False
    """Whether a row of a known class cannot become its shape without the image's size; that the row
    may be rejected for something else is not known when the size is asked for."""

    def add(self, of_row: "Reading") -> None:
        """Add what was noted of one row."""
        self.annotations += of_row.annotations
        self.problems += of_row.problems
        self.optional += of_row.optional
        self.converted += of_row.converted
        self.adjusted += of_row.adjusted
        self.refitted += of_row.refitted
        self.perhaps_refitted += of_row.perhaps_refitted


class Token(NamedTuple):
    text: str
    column: int


class Rejected(Exception):  # noqa: N818 - what happens to a row, not an error of the oracle
    def __init__(self, code: str, column: int) -> None:
        super().__init__(code, column)
        self.code = code
        self.column = column


class Row(NamedTuple):
    """A row whose numbers could be read."""

    line: int
    tokens: Sequence[Token]
    values: Sequence[float]
    kind: str
    """box, box and number, polygon, corners, quadrilateral or rotated box."""
    first: int
    """Position of the first coordinate."""
    numbers: int
    """How many numbers the geometry has."""
    confidence: float | None
    confidence_column: int = 0
    """Position of the confidence; 0 for a row without one."""
    class_column: int = 0
    divisors: tuple[float, float] | None = None
    """Width and height of the image where numbers are pixels."""
    is_in_degrees: bool = False

    @property
    def class_number(self) -> int:
        return int(self.values[self.class_column])

    @property
    def numbers_in_text(self) -> Sequence[float]:
        return self.values[self.first : self.first + self.numbers]

    @property
    def coordinates(self) -> Sequence[float]:
        if self.divisors is None:
            return self.numbers_in_text
        return [value / self.divisors[k % 2] for k, value in enumerate(self.numbers_in_text)]

    @property
    def vertices(self) -> list[Vertex]:
        return list(zip(self.coordinates[::2], self.coordinates[1::2], strict=True))

    def column(self, coordinate: int = 0) -> int:
        return self.tokens[self.first + coordinate].column


def decoded(content: bytes) -> str | None:
    """Return the text of a sidecar without its byte order mark; None when it is none."""
    encoding = "utf-8-sig"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def lines_of(text: str) -> list[list[Token]]:
    """Split text into lines, and those into tokens with their 1-based columns."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [
        [Token(match[0], match.start() + 1) for match in re.finditer("[^ \t]+", line)]
        for line in lines
    ]


def expected(
    content: bytes,
    shape_of: Mapping[int, str],
    *,
    size: tuple[int, int] | None = None,
    options: Options = Options(),  # noqa: B008 - a tuple: cannot change
) -> Reading:
    """Say what a sidecar becomes.

    Parameters
    ----------
    content
        The sidecar, as stored.
    shape_of
        Class number → shape of its ontology object.
    size
        Width and height of the image in pixels, where known.
    options
        What the caller asked for.
    """
    reading = Reading()
    text = decoded(content)
    if text is None:
        reading.is_text = False
        reading.problems.append(Found("not-text"))
        return reading
    rows = [
        (number, tokens)
        for number, tokens in enumerate(lines_of(text), start=1)
        if tokens and not tokens[0].text.startswith("#")
    ]
    # The size of an image is asked for when a row of its file needs it; then all rows know it.
    reading.needs_size = any(_row_needs_size(*row, shape_of, options) for row in rows)
    size_px = size if reading.needs_size else None
    seen: set[tuple[str, ...]] = set()
    for number, tokens in rows:
        reading.rows_seen += 1
        of_row = Reading()
        try:
            _one_row(number, tokens, shape_of, size_px, options, of_row, seen)
        except Rejected as rejected:
            # What was noted of a row is void when it is rejected in the end.
            reading.problems.append(Found(rejected.code, number, rejected.column))
            reading.rejected[rejected.code] += 1
        else:
            reading.add(of_row)
    if reading.rows_seen and not reading.annotations:
        reading.problems.append(Found("no-row-left"))
    return reading


def _row_needs_size(
    line: int, tokens: Sequence[Token], shape_of: Mapping[int, str], options: Options
) -> bool:
    try:
        row = _cut(line, tokens, options)
    except Rejected:
        return False
    shape = shape_of.get(row.class_number)
    is_in_pixels = options.row_layout.endswith("-pixels")
    if row.kind == "rotated box" and max(row.coordinates[2:4]) > 1:
        is_in_pixels = True
    return shape is not None and (is_in_pixels or _needs_size(row.kind, shape))


def _one_row(
    line: int,
    tokens: Sequence[Token],
    shape_of: Mapping[int, str],
    size: tuple[int, int] | None,
    options: Options,
    reading: Reading,
    seen: set[tuple[str, ...]],
) -> None:
    row = _cut(line, tokens, options)
    place = tokens[0].column
    shape = shape_of.get(row.class_number)
    if shape is None:
        raise Rejected("unknown-class", tokens[row.class_column].column)
    if row.kind == "box and number":
        if shape == "rotatable_bounding_box":
            raise Rejected("ambiguous-columns", tokens[5].column)
        row = row._replace(kind="box", confidence=row.values[5], confidence_column=5)
    if row.confidence is not None and not 0 <= row.confidence <= 1:
        raise Rejected("bad-confidence", tokens[row.confidence_column].column)
    conversion = _conversion(row.kind, shape)
    if conversion and options.reject_shape_mismatch:
        raise Rejected("shape-mismatch", row.column())
    # repr tells -0.0 from 0.0 and nothing else that differs.
    identity = tuple(map(repr, row.values))
    is_duplicate = identity in seen
    if is_duplicate and options.drop_duplicates:
        raise Rejected("duplicate-row", place)
    row = _in_fractions(row, size, options)
    annotation = _GEOMETRY[row.kind](row, shape, size, options, reading)
    seen.add(identity)
    reading.annotations.append(annotation)
    if is_duplicate:
        reading.problems.append(Found("duplicate-row", line, place))
    if conversion:
        reading.converted[conversion] += 1


def _in_fractions(row: Row, size: tuple[int, int] | None, options: Options) -> Row:
    if not options.row_layout.endswith("-pixels"):
        return row
    if size is None:
        raise Rejected("image-size-unknown", row.tokens[0].column)
    return row._replace(divisors=(float(size[0]), float(size[1])))


# Numbers and columns


def _class_number(token: Token) -> float:
    if "," in token.text or ";" in token.text:
        raise Rejected("not-a-number", token.column)
    value = float(token.text) if _NUMBER.fullmatch(token.text) else -1.0
    if not 0 <= value <= 2**53 or value != int(value):
        raise Rejected("bad-class-number", token.column)
    return value


def _number(token: Token) -> float:
    if not _NUMBER.fullmatch(token.text):
        named = _NAME_OF_NO_NUMBER.fullmatch(token.text)
        raise Rejected("not-finite" if named else "not-a-number", token.column)
    value = float(token.text)
    if not isfinite(value):
        raise Rejected("not-finite", token.column)
    return value


class Columns(NamedTuple):
    """A declared layout: positions count from the class number, which is 0."""

    kind: str
    fits: Callable[[int], bool]
    """Number of columns → whether a row may have it."""
    first: int = 1
    confidence: int = 0
    """Position of the confidence; 0 for none."""
    after: int = 0
    """Columns behind the coordinates."""
    class_column: int = 0


_TABLE = ("auto", "columns")
"""Layouts that read each row by its number of columns."""
_DECLARED = {
    "box": Columns("box", lambda n: n == 5),
    "box+confidence": Columns("box", lambda n: n == 6, 1, 5, 1),
    "confidence+box": Columns("box", lambda n: n == 6, 2, 1),
    "box+track": Columns("box", lambda n: n == 6, 1, 0, 1),
    "box+confidence+track": Columns("box", lambda n: n == 7, 1, 5, 2),
    "polygon": Columns("polygon", lambda n: n >= 7 and n % 2 == 1),
    "polygon+confidence": Columns("polygon", lambda n: n >= 8 and n % 2 == 0, 1, -1, 1),
    "corners": Columns("corners", lambda n: n == 9),
    "corners+confidence": Columns("corners", lambda n: n == 10, 1, 9, 1),
    "xywhr": Columns("rotated box", lambda n: n == 6),
    "xywhr-degrees": Columns("rotated box", lambda n: n == 6),
    "box-pixels": Columns("box", lambda n: n == 5),
    "polygon-pixels": Columns("polygon", lambda n: n >= 7 and n % 2 == 1),
    "box+class": Columns("box", lambda n: n == 5, 0, 0, 1, 4),
}


def _columns(options: Options, count: int) -> Columns:
    if options.row_layout == "pose":
        assert options.kpt_shape is not None
        keypoints = options.kpt_shape[0] * options.kpt_shape[1]
        return Columns("box", lambda n: n == 5 + keypoints, 1, 0, keypoints)
    if options.row_layout not in _TABLE:
        return _DECLARED[options.row_layout]
    if count == 5:
        return _DECLARED["box"]
    if count == 6:
        return Columns("box and number", lambda _: True, after=1)
    layout = _DECLARED["polygon" if count % 2 else "polygon+confidence"]
    return layout._replace(kind="quadrilateral") if count in (9, 10) else layout


def _cut(line: int, tokens: Sequence[Token], options: Options) -> Row:
    count = len(tokens)
    columns = _columns(options, count)
    # A row that does not fit has no known place for a class number, unless that comes first.
    has_class = columns.class_column == 0 or columns.fits(count)
    values = [
        _class_number(token) if has_class and k == columns.class_column else _number(token)
        for k, token in enumerate(tokens)
    ]
    if options.row_layout in _TABLE and count < 5:
        raise Rejected("too-few-columns", tokens[0].column)
    is_decided = options.decided_by_evidence and options.row_layout not in _TABLE
    if not columns.fits(count):
        code = "layout-contradicted" if is_decided else "wrong-column-count"
        raise Rejected(code, tokens[0].column)
    if is_decided:
        position = contradicting_column(options.row_layout, values, options.kpt_shape)
        if position is not None:
            raise Rejected("layout-contradicted", tokens[position].column)
    return Row(
        line,
        tokens,
        values,
        columns.kind,
        columns.first,
        count - columns.first - columns.after,
        values[columns.confidence] if columns.confidence else None,
        columns.confidence % count,
        columns.class_column,
        is_in_degrees=options.row_layout == "xywhr-degrees",
    )


# Meaning


_NAMES = {
    "box": "box",
    "polygon": "polygon",
    "quadrilateral": "polygon",
    "corners": "rotated box",
    "rotated box": "rotated box",
    "bounding_box": "box",
    "rotatable_bounding_box": "rotated box",
}


def _conversion(kind: str, shape: str) -> str:
    """Name the change of geometry; "" for none."""
    if kind in ("quadrilateral", "corners") and shape == "rotatable_bounding_box":
        return ""
    source, target = _NAMES[kind], _NAMES.get(shape, shape)
    return "" if source == target else f"{source} → {target}"


def _needs_size(kind: str, shape: str) -> bool:
    if shape == "rotatable_bounding_box":
        return kind in ("polygon", "quadrilateral", "corners")
    return kind == "rotated box"


def _check_box(row: Row, *, largest: float) -> None:
    for position, value in enumerate(row.coordinates[:4]):
        if position < 2:
            wrong = value <= -_LITTLE or value - 1 >= _LITTLE
        else:
            wrong = value <= 0 or value - largest >= _LITTLE
        if wrong:
            raise Rejected("out-of-range", row.column(position))


def _check_range(
    row: Row, values: Sequence[float], options: Options, reading: Reading, *, clips: bool = True
) -> bool:
    """Count or refuse what reaches outside the image; return whether it is to be clipped."""
    farthest = max(max(-value, value - 1) for value in values)
    if farthest < _LITTLE:
        return clips and _check_little(row, values, options, reading)
    clipped = clips and options.out_of_range == "clip"
    if farthest > 1:
        raise Rejected("far-outside-image", row.column())
    if options.out_of_range == "reject":
        raise Rejected("out-of-range", row.column())
    name = _NAMES[row.kind] if clips or row.kind == "rotated box" else "corners"
    what = "clipped to the image" if clipped else "reaching outside the image, kept"
    reading.adjusted[f"{name} {what}"] += 1
    return clipped


def _check_little(row: Row, values: Sequence[float], options: Options, reading: Reading) -> bool:
    """Count the parts that lie a little outside the image; return whether they are clipped."""
    is_outside = [value < 0 or value > 1 for value in values]
    if row.kind == "box":
        count, parts = sum(is_outside), "box edges"
    elif row.kind in ("polygon", "quadrilateral"):
        count, parts = (
            sum(map(any, zip(is_outside[::2], is_outside[1::2], strict=True))),
            "polygon vertices",
        )
    else:
        return False
    if count:
        what = "clipped to it" if options.snap_edges else "kept"
        reading.adjusted[f"{parts} less than a millionth outside the image, {what}"] += count
    return count > 0 and options.snap_edges


def _box(
    row: Row, shape: str, size: tuple[int, int] | None, options: Options, reading: Reading
) -> Expected:
    _check_box(row, largest=1.0)
    left, top, width, height = ltwh_of_box(row.coordinates, clipped=False)
    edges = [left, top, left + width, top + height]
    clipped = _check_range(row, edges, options, reading)
    # Whether an edge on the border is out by one rounding depends on how it is computed.
    exact = not clipped or all(1e-9 < edge < 1 - 1e-9 for edge in edges)
    if clipped:
        left, top, width, height = ltwh_of_box(row.coordinates, clipped=True)
    if width == 0 or height == 0:
        raise Rejected("out-of-range", row.column())
    if shape != "polygon":
        turn = (0.0,) if shape == "rotatable_bounding_box" else ()
        return _annotation(row, shape, (left, top, width, height, *turn), exact=exact)
    right, bottom = left + width, top + height
    vertices = [(left, top), (right, top), (right, bottom), (left, bottom)]
    _check_area(row, vertices)
    return _of_ring(row, shape, vertices, exact=False)


def _polygon(
    row: Row, shape: str, size: tuple[int, int] | None, options: Options, reading: Reading
) -> Expected:
    vertices = row.vertices
    if vertices[-1] == vertices[0]:
        vertices.pop()
    vertices = _settled(row, vertices, options, reading)
    if shape == "rotatable_bounding_box":
        if size is None:
            raise Rejected("image-size-unknown", row.tokens[0].column)
        return _annotation(
            row, shape, (), rectangles=smallest_rectangles(_in_pixels(vertices, size))
        )
    if shape == "bounding_box" and options.row_layout == "auto":
        code = resembled(row.values, is_known=options.decided_by_evidence)
        if code:
            reading.problems.append(Found(code, row.line, row.column(4)))
    if shape == "polygon" and not is_simple(vertices):
        reading.problems.append(Found("self-intersecting-polygon", row.line, row.column()))
    return _of_ring(row, shape, vertices, exact=True)


def _settled(row: Row, vertices: list[Vertex], options: Options, reading: Reading) -> list[Vertex]:
    """Apply the rules of range and degeneracy to a ring."""
    values = [value for vertex in vertices for value in vertex]
    clipped = _check_range(row, values, options, reading)
    _check_area(row, vertices)
    if clipped:
        vertices = [(clip(x), clip(y)) for x, y in vertices]
        try:
            _check_area(row, vertices)
        except Rejected:
            raise Rejected("out-of-range", row.column()) from None
    return vertices


def _check_area(row: Row, vertices: Sequence[Vertex]) -> None:
    if len(set(vertices)) < 3 or not encloses_area(vertices):
        raise Rejected("degenerate-polygon", row.column())


def _of_ring(row: Row, shape: str, vertices: Sequence[Vertex], *, exact: bool) -> Expected:
    """Make a polygon, or the envelope."""
    if shape == "polygon":
        return _annotation(row, shape, [v for vertex in vertices for v in vertex], exact=exact)
    # + 0.0: of 0.0 and -0.0 neither is the smaller one.
    left, top = min(x for x, _ in vertices) + 0.0, min(y for _, y in vertices) + 0.0
    right, bottom = max(x for x, _ in vertices), max(y for _, y in vertices)
    return _annotation(row, shape, (left, top, right - left, bottom - top), exact=exact)


def _quadrilateral(
    row: Row, shape: str, size: tuple[int, int] | None, options: Options, reading: Reading
) -> Expected:
    if shape != "rotatable_bounding_box":
        return _polygon(row, shape, size, options, reading)
    _check_range(row, row.coordinates, options, reading, clips=False)
    vertices = row.vertices
    _check_area(row, vertices)
    if size is None:
        raise Rejected("image-size-unknown", row.tokens[0].column)
    fits = fits_of(as_corners(_in_pixels(vertices, size)), options.warn_misfit)
    refitted = {fit.misfit for fit in fits} - {0.0}
    if len(refitted) == 1 and all(fit.misfit for fit in fits):
        reading.refitted.append(*refitted)
    elif refitted:
        reading.perhaps_refitted += 1
    problem = Found("not-a-rectangle", row.line, row.column())
    if all(fit.warns for fit in fits):
        reading.problems.append(problem)
    elif any(fit.warns for fit in fits):
        reading.optional.append(problem)
    rectangles = [rectangle for fit in fits for rectangle in fit.rectangles]
    _note_centre(row, rectangles, size, reading)
    return _annotation(row, shape, (), rectangles=rectangles)


def _note_centre(
    row: Row, rectangles: Sequence[Corners], size: tuple[int, int], reading: Reading
) -> None:
    """Note a centre outside the image; where rounding decides, both answers are right."""
    centres = [
        sum(corner[axis] for corner in rectangle) / 4 / size[axis]
        for rectangle in rectangles
        for axis in (0, 1)
    ]
    beyond = [max(-centre, centre - 1) - 1e-6 for centre in centres]
    pairs = [max(both) for both in zip(beyond[::2], beyond[1::2], strict=True)]
    problem = Found("outside-image", row.line, row.column())
    if all(distance > 1e-9 for distance in pairs):
        reading.problems.append(problem)
    elif any(distance > -1e-9 for distance in pairs):
        reading.optional.append(problem)


def _rotated_box(
    row: Row, shape: str, size: tuple[int, int] | None, options: Options, reading: Reading
) -> Expected:
    _check_box(row, largest=100.0)
    *cxcywh, turn = row.coordinates
    theta = (turn if row.is_in_degrees else degrees(turn)) % 360
    ltwh = ltwh_of_box(cxcywh, clipped=False)
    if shape == "rotatable_bounding_box":
        theta = 0.0 if theta == 360 else theta
        if size is not None:
            reach = [(x / size[0], y / size[1]) for x, y in corners_of(ltwh, theta, size)]
        else:
            # Half a turn leaves the outline as it is; of other angles nothing can be told.
            left, top, width, height = ltwh
            reach = [(left, top), (left + width, top + height)] if theta % 180 == 0 else [(0, 0)]
        _check_range(row, [v for vertex in reach for v in vertex], options, reading, clips=False)
        return _annotation(row, shape, (*ltwh, theta))
    if size is None:
        raise Rejected("image-size-unknown", row.tokens[0].column)
    vertices = [(x / size[0], y / size[1]) for x, y in corners_of(ltwh, theta, size)]
    vertices = _settled(row, vertices, options, reading)
    return _of_ring(row, shape, vertices, exact=False)


_GEOMETRY = {
    "box": _box,
    "polygon": _polygon,
    "quadrilateral": _quadrilateral,
    "corners": _quadrilateral,
    "rotated box": _rotated_box,
}


def _in_pixels(vertices: Sequence[Vertex], size: tuple[int, int]) -> list[Vertex]:
    return [(x * size[0], y * size[1]) for x, y in vertices]


def _annotation(
    row: Row,
    shape: str,
    numbers: Sequence[float],
    *,
    exact: bool = False,
    rectangles: Sequence[Corners] = (),
) -> Expected:
    return Expected(
        row.line, row.class_number, shape, tuple(numbers), row.confidence, exact, rectangles
    )
