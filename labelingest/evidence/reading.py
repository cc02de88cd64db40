"""Readings of rows, with their words and flags; what was found in a folder, and what follows."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from labelingest.readers.yolo.layouts import RowLayout, YoloOptions

__all__ = ["COLUMNS", "TABLE", "Decision", "Fact", "Reading"]

_OF_THE_TABLE: Final = (RowLayout.AUTO, RowLayout.BOX_CONFIDENCE)
"""Layouts that the table gives too; the table reads boxes without confidence beside them."""

_WORDS: Final = {
    RowLayout.AUTO: "each row by its number of columns",
    RowLayout.COLUMNS: "each row by its number of columns",
    RowLayout.BOX: "box",
    RowLayout.BOX_CONFIDENCE: "box + confidence",
    RowLayout.CONFIDENCE_BOX: "confidence + box",
    RowLayout.BOX_TRACK: "box + track ID",
    RowLayout.BOX_CONFIDENCE_TRACK: "box + confidence + track ID",
    RowLayout.BOX_CLASS: "box + class number at the end",
    RowLayout.BOX_PIXELS: "box in pixels",
    RowLayout.POLYGON: "polygon",
    RowLayout.POLYGON_PIXELS: "polygon in pixels",
    RowLayout.XYWHR: "box + angle in radians",
    RowLayout.XYWHR_DEGREES: "box + angle in degrees",
}


class Reading(Struct, frozen=True):
    """One way to read rows.

    Examples
    --------
    >>> Reading(RowLayout.POSE, (17, 3)).words, Reading(RowLayout.POSE, (17, 3)).flags
    ('box + 17 × 3 keypoints', '--row-layout pose --kpt-shape 17 3')
    """

    layout: RowLayout
    kpt_shape: tuple[int, int] | None = None
    """Keypoints and numbers for each, for the layout `pose`."""

    @property
    def words(self) -> str:
        """The reading in words."""
        if self.kpt_shape is not None:
            return f"box + {self.kpt_shape[0]} × {self.kpt_shape[1]} keypoints"
        return _WORDS.get(self.layout, str(self.layout))

    @property
    def flags(self) -> str:
        """Flags of the command line that declare the reading."""
        return YoloOptions(self.layout, self.kpt_shape).flags

    def options(self, *, has_polygons: bool = False) -> YoloOptions:
        """Return the layout for the reader, where the reading was decided.

        Parameters
        ----------
        has_polygons
            Whether rows of bounding boxes are polygons, as enough of them show together.

        Examples
        --------
        >>> Reading(RowLayout.BOX_TRACK).options().flags
        '--row-layout box+track'
        >>> Reading(RowLayout.BOX_CONFIDENCE).options().flags
        '--row-layout auto'
        """
        if self.layout in _OF_THE_TABLE:
            return YoloOptions(decided_by_evidence=has_polygons)
        return YoloOptions(self.layout, self.kpt_shape, decided_by_evidence=True)

    def as_dict(self) -> dict[str, Any]:
        """Return the reading as JSON values."""
        shape = None if self.kpt_shape is None else list(self.kpt_shape)
        return {"row_layout": str(self.layout), "kpt_shape": shape, "flags": self.flags}


TABLE: Final = Reading(RowLayout.AUTO)
"""Each row by its number of columns."""
COLUMNS: Final = Reading(RowLayout.COLUMNS)
"""The same, where a user has declared it."""


class Fact(Struct, frozen=True):
    """Number of rows that have something in common."""

    rows: int
    total: int
    """Rows that were looked at."""
    words: str

    def __str__(self) -> str:
        return f"{self.rows:,} of {self.total:,} rows: {self.words}"

    def as_dict(self) -> dict[str, Any]:
        """Return the fact as JSON values; `Fact(**values)` is the same fact."""
        return {"rows": self.rows, "total": self.total, "words": self.words}


class Decision(Struct, frozen=True):
    """The reading of a folder's rows and the evidence for it.

    Examples
    --------
    >>> print(Decision(TABLE, (Fact(3, 4, "5 columns: box"),)).evidence[0])
    3 of 4 rows: 5 columns: box
    """

    reading: Reading = TABLE
    """The layout of all rows; `TABLE` where nothing else was decided."""
    evidence: Sequence[Fact] = ()
    """Facts about the sample; empty where all rows have five plain columns."""
    choices: Sequence[Reading] = ()
    """Readings between which a user must choose; empty where the evidence separates."""
    why: str = ""
    """The reason why the evidence does not separate, as one sentence without its end."""
    otherwise: str = ""
    """What to do instead of a choice, with "or " at its end; empty where nothing else helps."""
    has_polygons: bool = False
    """Whether rows of bounding boxes are polygons, as enough of them show together."""

    @property
    def options(self) -> YoloOptions:
        """The layout for the reader."""
        return self.reading.options(has_polygons=self.has_polygons)

    @property
    def is_decided(self) -> bool:
        """Whether the evidence gives another layout than the table."""
        return self.reading != TABLE
