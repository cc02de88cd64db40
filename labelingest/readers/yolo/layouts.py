"""Row layouts: the meaning of a row's columns, by their number or declared for all rows.

Every layout ends in the same arrays, one value a row (`RowCut`), so that a reader has one path.
Class numbers and wanted geometry are not known here: a box followed by one number stays
`BOX_AND_NUMBER`, eight numbers stay a `QUAD`.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np
from msgspec import Struct

from labelingest.columns.types import Bool, Int64, UInt8
from labelingest.errors import ConfigError
from labelingest.model.source_labels import Doubt, SourceKind
from labelingest.problems import ProblemCode

__all__ = ["CLASS_LAST", "RowCut", "RowLayout", "YoloOptions", "cut_rows"]


CLASS_LAST: Final = 4
"""Position of the class number in rows of the layout `box+class`."""


class RowLayout(StrEnum):
    """Meaning of the columns of every row; the class number comes first, but for `BOX_CLASS`."""

    AUTO = "auto"
    """As `COLUMNS`, where nothing is known of the other rows of a folder."""
    COLUMNS = "columns"
    """Each row by its number of columns."""
    BOX = "box"
    BOX_CONFIDENCE = "box+confidence"
    CONFIDENCE_BOX = "confidence+box"
    BOX_TRACK = "box+track"
    BOX_CONFIDENCE_TRACK = "box+confidence+track"
    POLYGON = "polygon"
    POLYGON_CONFIDENCE = "polygon+confidence"
    CORNERS = "corners"
    CORNERS_CONFIDENCE = "corners+confidence"
    XYWHR = "xywhr"
    """A box and an angle in radians, clockwise on screen."""
    XYWHR_DEGREES = "xywhr-degrees"
    POSE = "pose"
    BOX_PIXELS = "box-pixels"
    """Centre, width and height in pixels of the image."""
    POLYGON_PIXELS = "polygon-pixels"
    BOX_CLASS = "box+class"
    """The class number comes last."""


class YoloOptions(Struct, frozen=True):
    """Options of the YOLO reader.

    Examples
    --------
    >>> YoloOptions("pose", (17, 3)).kpt_shape
    (17, 3)
    >>> YoloOptions("pose")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: row layout 'pose' needs kpt_shape
    """

    row_layout: str = RowLayout.AUTO
    """Meaning of the columns; a value of `RowLayout`."""
    kpt_shape: tuple[int, int] | None = None
    """Keypoints and numbers per keypoint (2 or 3) of the layout `pose`."""
    decided_by_evidence: bool = False
    """Whether the layout was decided from the rows of all files; the caller declared it otherwise."""

    @property
    def flags(self) -> str:
        """Flags of the command line that declare the layout.

        Examples
        --------
        >>> YoloOptions("pose", (17, 3)).flags
        '--row-layout pose --kpt-shape 17 3'
        """
        shape = "" if self.kpt_shape is None else " --kpt-shape {} {}".format(*self.kpt_shape)
        return f"--row-layout {self.row_layout}{shape}"

    def __post_init__(self) -> None:
        if self.row_layout not in list(RowLayout):
            raise ConfigError(
                f"row layout {self.row_layout!r} is not known; choose one of {', '.join(RowLayout)}"
            )
        if (self.row_layout == RowLayout.POSE) != (self.kpt_shape is not None):
            needs = (
                "needs kpt_shape, the number of keypoints and of values for each (2 or 3), as in "
                "data.yaml: --kpt-shape 17 3"
                if self.kpt_shape is None
                else "has no use for kpt_shape: leave it out, or declare --row-layout pose"
            )
            raise ConfigError(f"row layout {str(self.row_layout)!r} {needs}")
        if self.kpt_shape is not None and (
            self.kpt_shape[0] < 1 or self.kpt_shape[1] not in (2, 3)
        ):
            raise ConfigError(
                f"kpt_shape {self.kpt_shape}: expected a number of keypoints from 1 on, and 2 or 3 "
                "values for each"
            )


class RowCut(Struct, frozen=True, eq=False):
    """Places of class number, coordinates and confidence in every row.

    Positions in a row count from 0 on.
    """

    fits: Bool
    """(r,) whether a row has a number of columns that the layout allows."""
    kind: UInt8
    """(r,) values of `SourceKind`."""
    begin: Int64
    """(r,) position of the first coordinate."""
    coordinates: Int64
    """(r,) number of coordinates; of no use in a row that does not fit."""
    confidence: Int64
    """(r,) position of the confidence; 0 for a row without one."""
    misfit: ProblemCode
    """Problem of a row that does not fit."""
    expected: str
    """The layout and the numbers of columns that it allows, as the end of a sentence."""
    dropped: str = ""
    """Name of the columns that are read past, for the report; empty for a layout without them."""
    class_column: int = 0
    """Position of the class number in every row that fits."""
    is_in_pixels: bool = False
    """Whether coordinates are pixels; they are fractions of the image's sides otherwise."""
    is_in_degrees: bool = False
    """Whether angles are degrees; they are radians otherwise."""
    doubt: Doubt = Doubt.NONE


def cut_rows(count: Int64, options: YoloOptions) -> RowCut:
    """Return how a layout cuts rows.

    Parameters
    ----------
    count
        (r,) columns of each row, at least 1.
    options
        The layout.

    Examples
    --------
    >>> cut = cut_rows(np.array([5, 6, 4]), YoloOptions("box+confidence"))
    >>> cut.fits.tolist(), cut.confidence.tolist()
    ([False, True, False], [5, 5, 5])
    """
    if options.row_layout in (RowLayout.AUTO, RowLayout.COLUMNS):
        return _cut_by_count(count, _doubt(options))
    return _cut_as_declared(count, options)


def _doubt(options: YoloOptions) -> Doubt:
    if options.row_layout == RowLayout.COLUMNS:
        return Doubt.NONE
    return Doubt.LITTLE if options.decided_by_evidence else Doubt.FULL


def _cut_by_count(count: Int64, doubt: Doubt) -> RowCut:
    """Derive kind and coordinates from the number of columns (specification, table 5)."""
    odd = count - 1 + count % 2  # an even row is the odd one before it and a confidence
    kind = np.full(len(count), SourceKind.RING, dtype=np.uint8)
    kind[odd == 9] = SourceKind.QUAD
    kind[count == 5] = SourceKind.BOX
    kind[count == 6] = SourceKind.BOX_AND_NUMBER
    return RowCut(
        fits=count >= 5,
        kind=kind,
        begin=np.ones(len(count), dtype=np.int64),
        coordinates=odd - 1,
        confidence=np.where(odd < count, count - 1, 0),
        misfit=ProblemCode.TOO_FEW_COLUMNS,
        expected="the least is 5: class number, centre x, centre y, width, height",
        doubt=doubt,
    )


def _cut_as_declared(count: Int64, options: YoloOptions) -> RowCut:
    columns = _declared(options)
    confidence = np.full(len(count), columns.confidence, dtype=np.int64)
    if columns.confidence < 0:
        confidence += count
    return RowCut(
        fits=columns.allow(count),
        kind=np.full(len(count), columns.kind, dtype=np.uint8),
        begin=np.full(len(count), columns.coordinates, dtype=np.int64),
        coordinates=count - columns.coordinates - columns.after,
        confidence=confidence,
        misfit=_misfit(options),
        expected=_expected(columns, options),
        dropped=columns.dropped,
        class_column=columns.class_column,
        is_in_pixels=columns.is_in_pixels,
        is_in_degrees=columns.is_in_degrees,
    )


def _misfit(options: YoloOptions) -> ProblemCode:
    if options.decided_by_evidence:
        return ProblemCode.LAYOUT_CONTRADICTED
    return ProblemCode.WRONG_COLUMN_COUNT


def _expected(columns: "_Columns", options: YoloOptions) -> str:
    layout = str(options.row_layout)
    if not options.decided_by_evidence:
        return f"row layout {layout!r} has {columns.expected()}"
    return (
        f"the rows of all files decided for row layout {layout!r}, which has {columns.expected()} "
        f"columns: correct the row, or declare the layout of all rows, as {options.flags} does for "
        "this one"
    )


class _Columns(Struct, frozen=True):
    """Columns of a declared layout; positions in a row count from 0 on."""

    kind: SourceKind
    least: int
    """Number of columns; for rings the least number."""
    confidence: int = 0
    """Position of the confidence; 0 for none, negative from the row's end."""
    coordinates: int = 1
    """Position of the first coordinate."""
    after: int = 0
    """Number of columns behind the coordinates."""
    dropped: str = ""
    """Name of the columns that are read past, for the report."""
    ragged: bool = False
    """Whether rows may have any even number of further columns."""
    class_column: int = 0
    """Position of the class number."""
    is_in_pixels: bool = False
    is_in_degrees: bool = False

    def allow(self, count: Int64) -> Bool:
        """Return (r,) whether the layout allows each number of columns."""
        allowed: Bool = count == self.least
        if self.ragged:
            allowed = (count >= self.least) & ((count - self.least) % 2 == 0)
        return allowed

    def expected(self) -> str:
        """Return the allowed numbers of columns."""
        least = self.least
        return f"{least}, {least + 2}, {least + 4}, …" if self.ragged else f"{least}"


def _declared(options: YoloOptions) -> _Columns:
    if options.row_layout != RowLayout.POSE or options.kpt_shape is None:
        return _DECLARED[options.row_layout]
    keypoints = options.kpt_shape[0] * options.kpt_shape[1]
    return _Columns(_BOX, 5 + keypoints, after=keypoints, dropped="poses (keypoints)")


_BOX: Final = SourceKind.BOX
_RING: Final = SourceKind.RING
_CORNERS: Final = SourceKind.CORNERS
_TURNED: Final = SourceKind.ROTATED_BOX
_TRACKS: Final = "track IDs"
_DECLARED: Final[Mapping[str, _Columns]] = MappingProxyType(
    {
        RowLayout.BOX: _Columns(_BOX, 5),
        RowLayout.BOX_CONFIDENCE: _Columns(_BOX, 6, confidence=5, after=1),
        RowLayout.CONFIDENCE_BOX: _Columns(_BOX, 6, confidence=1, coordinates=2),
        RowLayout.BOX_TRACK: _Columns(_BOX, 6, after=1, dropped=_TRACKS),
        RowLayout.BOX_CONFIDENCE_TRACK: _Columns(_BOX, 7, confidence=5, after=2, dropped=_TRACKS),
        RowLayout.POLYGON: _Columns(_RING, 7, ragged=True),
        RowLayout.POLYGON_CONFIDENCE: _Columns(_RING, 8, confidence=-1, after=1, ragged=True),
        RowLayout.CORNERS: _Columns(_CORNERS, 9),
        RowLayout.CORNERS_CONFIDENCE: _Columns(_CORNERS, 10, confidence=9, after=1),
        RowLayout.XYWHR: _Columns(_TURNED, 6),
        RowLayout.XYWHR_DEGREES: _Columns(_TURNED, 6, is_in_degrees=True),
        RowLayout.BOX_PIXELS: _Columns(_BOX, 5, is_in_pixels=True),
        RowLayout.POLYGON_PIXELS: _Columns(_RING, 7, ragged=True, is_in_pixels=True),
        RowLayout.BOX_CLASS: _Columns(_BOX, 5, coordinates=0, after=1, class_column=CLASS_LAST),
    }
)
