"""YOLO rows → source labels: a class number, then the numbers of a box, a ring or corners.

What the columns of a row mean is told by their number, or declared once for all rows by a layout.
What the class numbers mean, and which geometry is wanted, is not known here: a box followed by one
number stays `BOX_AND_NUMBER`, eight numbers stay a `QUAD`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np

from labelingest.columns.types import Bool, Float64, Int64, UInt8
from labelingest.errors import ConfigError
from labelingest.model.blobs import Blobs
from labelingest.model.ontology import LARGEST_CLASS_NUMBER
from labelingest.model.source_labels import SourceKind, SourceLabels, column_at
from labelingest.model.units import DataUnits
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.of_batch import BatchProblems
from labelingest.readers.yolo.numbers import NOT_FINITE, OK, number_from_text, numbers_from_tokens
from labelingest.readers.yolo.plain_tokens import plain_rows
from labelingest.readers.yolo.rows import ReadResult
from labelingest.readers.yolo.tokens import Rows, Tokens, as_utf8, rows_of

__all__ = ["RowLayout", "Sheet", "YoloOptions", "read", "read_sheet", "sheet_of"]


class RowLayout(StrEnum):
    """What the columns of every row are; the class number always comes first."""

    AUTO = "auto"
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
    POSE = "pose"


@dataclass(frozen=True, slots=True)
class YoloOptions:
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
    kpt_shape: tuple[int, int] | None = None
    """Keypoints and numbers per keypoint (2 or 3) of the layout `pose`."""

    def __post_init__(self) -> None:
        if self.row_layout not in list(RowLayout):
            raise ConfigError(
                f"row layout {self.row_layout!r} is not known; choose one of {', '.join(RowLayout)}"
            )
        if (self.row_layout == RowLayout.POSE) != (self.kpt_shape is not None):
            needs = "needs" if self.kpt_shape is None else "has no use for"
            raise ConfigError(
                f"row layout {str(self.row_layout)!r} {needs} kpt_shape, the number of keypoints "
                "and of numbers for each (as in data.yaml, e.g. 17 and 3)"
            )
        if self.kpt_shape is not None and (
            self.kpt_shape[0] < 1 or self.kpt_shape[1] not in (2, 3)
        ):
            raise ConfigError(
                f"kpt_shape {self.kpt_shape} must be a positive number of keypoints and 2 or 3"
            )


@dataclass(frozen=True, slots=True)
class _Columns:
    """How one layout cuts a row; positions count from the class number, which is 0."""

    kind: SourceKind
    least: int
    """The number of columns; for rings the least one."""
    confidence: int = 0
    """Position of the confidence; 0 for none, negative from the row's end."""
    coordinates: int = 1
    """Position of the first coordinate."""
    after: int = 0
    """How many columns follow the coordinates."""
    dropped: str = ""
    """What the report calls the columns that are read past."""
    ragged: bool = False

    def fits(self, count: Int64) -> Bool:
        fits: Bool = count == self.least
        if self.ragged:
            fits = (count >= self.least) & ((count - self.least) % 2 == 0)
        return fits

    def expected(self) -> str:
        return (
            f"{self.least}, {self.least + 2}, {self.least + 4}, …"
            if self.ragged
            else f"{self.least}"
        )


_BOX: Final = SourceKind.BOX
_RING: Final = SourceKind.RING
_DECLARED: Final[Mapping[str, _Columns]] = MappingProxyType(
    {
        RowLayout.BOX: _Columns(_BOX, 5),
        RowLayout.BOX_CONFIDENCE: _Columns(_BOX, 6, confidence=5, after=1),
        RowLayout.CONFIDENCE_BOX: _Columns(_BOX, 6, confidence=1, coordinates=2),
        RowLayout.BOX_TRACK: _Columns(_BOX, 6, after=1, dropped="track IDs"),
        RowLayout.BOX_CONFIDENCE_TRACK: _Columns(
            _BOX, 7, confidence=5, after=2, dropped="track IDs"
        ),
        RowLayout.POLYGON: _Columns(_RING, 7, ragged=True),
        RowLayout.POLYGON_CONFIDENCE: _Columns(_RING, 8, confidence=-1, after=1, ragged=True),
        RowLayout.CORNERS: _Columns(SourceKind.CORNERS, 9),
        RowLayout.CORNERS_CONFIDENCE: _Columns(SourceKind.CORNERS, 10, confidence=9, after=1),
        RowLayout.XYWHR: _Columns(SourceKind.ROTATED_BOX, 6),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """All rows of a batch with the value of every token."""

    blobs: Blobs
    rows: Rows
    tokens: Tokens
    values: Float64
    """(t,) NaN where the token is no finite number."""


def read(
    blobs: Blobs, units: DataUnits, options: YoloOptions, problems: BatchProblems
) -> ReadResult:
    r"""Read the sidecars of a batch.

    Parameters
    ----------
    blobs
        (u,) contents of the sidecars, as stored; the unread ones are left alone.
    units
        (u,) the data units; names the sidecars in problems.
    options
        What the columns are.
    problems
        Takes the rows and files that cannot be read.

    Examples
    --------
    >>> units = DataUnits.from_keys(["a.jpg"], ["a.txt"], np.zeros(1, np.int64))
    >>> problems = BatchProblems()
    >>> text = b"7 .5 .5 .2 .4\n7 .5 .5 .2 x"
    >>> labels = read(Blobs.from_contents([text]), units, YoloOptions(), problems).labels
    >>> labels.line.tolist(), labels.class_number.tolist()
    ([1], [7])
    >>> print(problems.in_order()[0])
    a.txt:2:12: not-a-number: 'x' is not a number
    """
    blobs, not_text = as_utf8(blobs)
    for unit, reason in not_text.items():
        problems.fail(unit, Problem(ProblemCode.NOT_TEXT, units.sidecar[unit], reason))
    return read_sheet(sheet_of(blobs), units, options, problems)


def sheet_of(blobs: Blobs, lines_before: int = 0) -> Sheet:
    """Split text in UTF-8 into rows, and read their numbers.

    Parameters
    ----------
    blobs
        Contents; none has a byte order mark.
    lines_before
        Lines of the same file that stand before the only one.
    """
    rows, tokens = plain_rows(blobs) or rows_of(blobs)
    comments = len(tokens.start) - int(rows.count.sum())
    in_rows = None if not comments else _in_rows(rows, len(tokens.start))
    values = numbers_from_tokens(blobs.buffer, tokens, in_rows)
    if lines_before:
        rows = replace(rows, line=rows.line + np.int32(lines_before))
    return Sheet(blobs, rows, tokens, values)


def read_sheet(
    sheet: Sheet, units: DataUnits, options: YoloOptions, problems: BatchProblems
) -> ReadResult:
    """Read rows whose numbers are known; units, options and problems are those of `read`."""
    rows = sheet.rows
    parsed = _Sheet(sheet.blobs, units, rows, sheet.tokens, sheet.values)
    good = parsed.readable(problems)
    labels, dropped = _cut(parsed, good, options, problems)
    return ReadResult(labels, np.bincount(rows.unit, minlength=len(units)), dropped)


def _in_rows(rows: Rows, tokens: int) -> Bool:
    change = np.zeros(tokens + 1, dtype=np.int64)
    change[rows.first] += 1
    change[rows.first + rows.count] -= 1
    in_rows: Bool = np.cumsum(change[:-1]) > 0
    return in_rows


def _is_class_number(values: Float64) -> Bool:
    is_number: Bool = (
        (values >= 0) & (values == np.floor(values)) & (values <= LARGEST_CLASS_NUMBER)
    )
    return is_number


@dataclass(frozen=True, slots=True, eq=False)
class _Sheet:
    """All rows of a batch with the value of every token: what a problem is explained from."""

    blobs: Blobs
    units: DataUnits
    rows: Rows
    tokens: Tokens
    values: Float64
    """(t,) NaN where the token is no finite number."""

    def readable(self, problems: BatchProblems) -> Bool:
        """Return (r,) rows of finite numbers with a class number; the others are explained."""
        good = _is_class_number(self.values[self.rows.first])
        if np.isnan(self.values).any():
            good &= self._numbers_only()
        self._reject(np.flatnonzero(~good), problems)
        return good

    def _reject(self, rows: Int64, problems: BatchProblems) -> None:
        """Reject rows with a bad token; only those that are listed are explained."""
        rows = problems.rows_to_note(rows)
        first = self.rows.first[rows]
        of_class = ~_is_class_number(self.values[first])
        not_numbers = np.append(np.flatnonzero(np.isnan(self.values)), len(self.values))
        bad = np.where(of_class, first, not_numbers[np.searchsorted(not_numbers, first)])
        codes: dict[tuple[bool, bytes], ProblemCode] = {}
        columns = (rows, self.rows.unit[rows], bad, of_class)
        for row, unit, token, is_class in zip(*(c.tolist() for c in columns), strict=True):
            # Bad files repeat themselves: what a token is called is asked once.
            start, end = self.tokens.start[token], self.tokens.end[token]
            key = (is_class, self.blobs.buffer[start:end].tobytes())
            code = codes.get(key)
            if code is None:
                code = codes[key] = self._describe(token, is_class)[0]
            if problems.has_room(unit, code):
                problems.reject(unit, self._explain(row))
            else:
                problems.count_rejected(unit, code)

    def _numbers_only(self) -> Bool:
        """Return (r,) rows without NaN among their own tokens."""
        not_numbers = np.concatenate(([0], np.cumsum(np.isnan(self.values))))
        first, end = self.rows.first, self.rows.first + self.rows.count
        only: Bool = not_numbers[end] == not_numbers[first]
        return only

    def text(self, token: int) -> str:
        """Return the token as written, shortened for a sentence."""
        start, end = int(self.tokens.start[token]), int(self.tokens.end[token])
        text = self.blobs.buffer[start : min(end, start + 160)].tobytes().decode("utf-8", "ignore")
        return text if end - start <= 40 and len(text) <= 40 else f"{text[:40]}…"

    def problem(self, row: int, token: int, code: ProblemCode, detail: str) -> Problem:
        """Make a problem at a token."""
        unit = int(self.rows.unit[row])
        column = column_at(self.blobs, unit, int(self.tokens.start[token]))
        line = int(self.rows.line[row])
        return Problem(code, self.units.sidecar[unit], detail, line=line, column=column)

    def _explain(self, row: int) -> Problem:
        """Say what is wrong with the first bad token of a row."""
        first, count = int(self.rows.first[row]), int(self.rows.count[row])
        values = self.values[first : first + count]
        is_bad = np.isnan(values)
        is_bad[0] = not _is_class_number(values[:1])[0]
        bad = first + np.flatnonzero(is_bad)
        token = int(bad[0])
        code, detail = self._describe(token, token == first)
        if len(bad) > 1:
            detail += f" (and {len(bad) - 1} more in this row)"
        return self.problem(row, token, code, detail)

    def _describe(self, token: int, is_class: bool) -> tuple[ProblemCode, str]:
        return self._explain_class(token) if is_class else self._explain_number(token)

    def _explain_class(self, token: int) -> tuple[ProblemCode, str]:
        text = self.text(token)
        if "," in text or ";" in text:
            return self._explain_number(token)
        hint = "a class number is 0, 1, 2, …"
        if self.values[token] > LARGEST_CLASS_NUMBER:
            hint += f", at most {LARGEST_CLASS_NUMBER}"
        elif text[:1].isalpha() and self._status(token) != NOT_FINITE:
            hint = "a name? rows begin with the class number: 0, 1, 2, …"
        return ProblemCode.BAD_CLASS_NUMBER, f"{text!r} is not a class number: {hint}"

    def _explain_number(self, token: int) -> tuple[ProblemCode, str]:
        text = self.text(token)
        if self._status(token) == NOT_FINITE:
            return ProblemCode.NOT_FINITE, f"{text!r} is not a finite number"
        hint = ""
        if "," in text or ";" in text:
            hint = ": comma separated? YOLO separates by blanks"
        elif text.startswith("#"):
            hint = ": a comment needs a line of its own"
        return ProblemCode.NOT_A_NUMBER, f"{text!r} is not a number{hint}"

    def _status(self, token: int) -> int:
        start, end = int(self.tokens.start[token]), int(self.tokens.end[token])
        value, status = number_from_text(self.blobs.buffer[start:end].tobytes())
        return status if value != value else OK


def _cut(
    sheet: _Sheet, good: Bool, options: YoloOptions, problems: BatchProblems
) -> tuple[SourceLabels, Counter[str]]:
    """Cut readable rows into class number, coordinates and confidence."""
    count = sheet.rows.count
    if options.row_layout == RowLayout.AUTO:
        kind, coordinates, fits = _automatic(count)
        begin = np.ones(len(count), dtype=np.int64)
        confidence_at = np.where(coordinates + 1 < count, count - 1, 0)
        columns = None
    else:
        columns = _declared(options)
        fits = columns.fits(count)
        kind = np.full(len(count), columns.kind, dtype=np.uint8)
        begin = np.full(len(count), columns.coordinates, dtype=np.int64)
        coordinates = np.where(fits, count - begin - columns.after, 0)
        confidence_at = np.full(len(count), columns.confidence, dtype=np.int64)
        confidence_at[confidence_at < 0] += count[confidence_at < 0]
    wrong = np.flatnonzero(good & ~fits)
    code = ProblemCode.WRONG_COLUMN_COUNT if columns else ProblemCode.TOO_FEW_COLUMNS
    wrong = problems.rows_to_note(wrong)
    for row, unit in zip(wrong.tolist(), sheet.rows.unit[wrong].tolist(), strict=True):
        if problems.has_room(unit, code):
            problems.reject(unit, _misfit(sheet, row, options, columns))
        else:
            problems.count_rejected(unit, code)
    keep = good & fits
    dropped = (
        Counter({columns.dropped: int(keep.sum())}) if columns and columns.dropped else Counter()
    )
    first = sheet.rows.first[keep]
    confidence = np.full(len(first), np.nan)
    has_confidence = np.flatnonzero(confidence_at[keep])
    confidence[has_confidence] = sheet.values[(first + confidence_at[keep])[has_confidence]]
    labels = SourceLabels(
        unit=sheet.rows.unit[keep],
        line=sheet.rows.line[keep],
        class_number=sheet.values[first].astype(np.int64),
        kind=kind[keep],
        class_at=first,
        columns=count[keep],
        begin=first + begin[keep],
        count=coordinates[keep],
        confidence=confidence,
        values=sheet.values,
        starts=sheet.tokens.start,
        blobs=sheet.blobs,
    )
    return labels, dropped


def _automatic(count: Int64) -> tuple[UInt8, Int64, Bool]:
    """Tell kind and number of coordinates from the number of columns (specification, table 5)."""
    odd = count - 1 + count % 2  # an even row is the odd one before it and a confidence
    kind = np.full(len(count), SourceKind.RING, dtype=np.uint8)
    kind[odd == 9] = SourceKind.QUAD
    kind[count == 5] = SourceKind.BOX
    kind[count == 6] = SourceKind.BOX_AND_NUMBER
    return kind, odd - 1, count >= 5


def _declared(options: YoloOptions) -> _Columns:
    if options.row_layout != RowLayout.POSE or options.kpt_shape is None:
        return _DECLARED[options.row_layout]
    keypoints = options.kpt_shape[0] * options.kpt_shape[1]
    return _Columns(_BOX, 5 + keypoints, after=keypoints, dropped="poses (keypoints)")


def _misfit(sheet: _Sheet, row: int, options: YoloOptions, columns: _Columns | None) -> Problem:
    count, first = int(sheet.rows.count[row]), int(sheet.rows.first[row])
    if columns is None:
        detail = (
            f"{_columns(count)}; the least is 5: class number, centre x, centre y, width, height"
        )
        return sheet.problem(row, first, ProblemCode.TOO_FEW_COLUMNS, detail)
    detail = f"{_columns(count)}; row layout {str(options.row_layout)!r} has {columns.expected()}"
    return sheet.problem(row, first, ProblemCode.WRONG_COLUMN_COUNT, detail)


def _columns(count: int) -> str:
    return f"{count} column{'' if count == 1 else 's'}"
