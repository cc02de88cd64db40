"""What can be wrong with one file among a million, as a value with a code and a place.

A problem is data, not an exception: it is counted, listed and written out, and the work goes on.
What is wrong with the call or the world (a folder that does not exist, an ontology that cannot be
read) is an exception instead: `labelingest.errors`.

Codes are stable. `docs/problems.md` gives cause, example and cure of each.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = [
    "SEVERITY",
    "UNEXPECTED",
    "Problem",
    "ProblemCode",
    "Severity",
    "as_cell",
    "is_utf8",
    "printable",
]


class Severity(StrEnum):
    """What a problem means for the result."""

    ERROR = "error"
    """Something was not converted."""
    WARNING = "warning"
    """Converted, but a person should look."""


class ProblemCode(StrEnum):
    """The closed set of causes."""

    # Files and folders
    UNREADABLE_FOLDER = "unreadable-folder"
    UNREADABLE_FILE = "unreadable-file"
    FILE_TOO_LARGE = "file-too-large"
    LINK_LOOP = "link-loop"
    BROKEN_LINK = "broken-link"
    VANISHED_FILE = "vanished-file"
    NOT_A_REGULAR_FILE = "not-a-regular-file"
    KEY_NOT_UTF8 = "key-not-utf8"
    UNUSABLE_KEY = "unusable-key"
    UNSUPPORTED_DATA_TYPE = "unsupported-data-type"
    # Pairing
    ORPHAN_SIDECAR = "orphan-sidecar"
    AMBIGUOUS_PAIR = "ambiguous-pair"
    # Ontology
    EXTERNAL_ID_NOT_A_CLASS_NUMBER = "external-id-not-a-class-number"
    # Text of a sidecar
    NOT_TEXT = "not-text"
    BAD_CLASS_NUMBER = "bad-class-number"
    NOT_A_NUMBER = "not-a-number"
    NOT_FINITE = "not-finite"
    TOO_FEW_COLUMNS = "too-few-columns"
    WRONG_COLUMN_COUNT = "wrong-column-count"
    AMBIGUOUS_COLUMNS = "ambiguous-columns"
    # Meaning of a row
    UNKNOWN_CLASS = "unknown-class"
    SHAPE_MISMATCH = "shape-mismatch"
    OUT_OF_RANGE = "out-of-range"
    BAD_CONFIDENCE = "bad-confidence"
    DEGENERATE_POLYGON = "degenerate-polygon"
    IMAGE_SIZE_UNKNOWN = "image-size-unknown"
    IMAGE_SIZE_MISSING = "image-size-missing"
    FAR_OUTSIDE_IMAGE = "far-outside-image"
    SELF_INTERSECTING_POLYGON = "self-intersecting-polygon"
    POLYGON_NOT_CHECKED = "polygon-not-checked"
    NOT_A_RECTANGLE = "not-a-rectangle"
    DUPLICATE_ROW = "duplicate-row"
    # Meaning of an annotation in another format
    NO_CLASS_NUMBER = "no-class-number"
    NO_PLACE_IN_FORMAT = "no-place-in-format"
    # Encord JSON sidecars: the document
    NOT_JSON = "not-json"
    BYTE_ORDER_MARK = "byte-order-mark"
    LARGE_SIDECAR = "large-sidecar"
    DUPLICATE_KEY = "duplicate-key"
    NOT_A_LABEL_ROW = "not-a-label-row"
    UNSUPPORTED_LABEL = "unsupported-label"
    WRONG_DATA_TYPE = "wrong-data-type"
    IMAGE_SIZE_DIFFERS = "image-size-differs"
    MISSING_KEY = "missing-key"
    WRONG_TYPE = "wrong-type"
    UNKNOWN_KEY = "unknown-key"
    REPLACED_VALUE = "replaced-value"
    # Encord JSON sidecars: objects
    BAD_FRAME = "bad-frame"
    BAD_HASH = "bad-hash"
    HASH_DIFFERS_FROM_KEY = "hash-differs-from-key"
    DUPLICATE_OBJECT = "duplicate-object"
    CLASS_CHANGED = "class-changed"
    BAD_POINTS = "bad-points"
    BAD_BITMASK = "bad-bitmask"
    POLYGONS_DIFFER = "polygons-differ"
    OUTSIDE_IMAGE = "outside-image"
    ANGLE_OUT_OF_RANGE = "angle-out-of-range"
    UNKNOWN_SKELETON_POINT = "unknown-skeleton-point"
    BAD_AUTHOR = "bad-author"
    BAD_DATE = "bad-date"
    BAD_OBJECT_NUMBER = "bad-object-number"
    DIFFERS_FROM_ONTOLOGY = "differs-from-ontology"
    ARCHIVED_CLASS = "archived-class"
    # Encord JSON sidecars: answers and classifications
    UNKNOWN_ATTRIBUTE = "unknown-attribute"
    UNKNOWN_OPTION = "unknown-option"
    TWO_ANSWERS = "two-answers"
    WRONG_ANSWER_TYPE = "wrong-answer-type"
    PARENT_NOT_SELECTED = "parent-not-selected"
    MISSING_ANSWER = "missing-answer"
    MISPLACED_ANSWER = "misplaced-answer"
    ANSWER_WITHOUT_OBJECT = "answer-without-object"
    BAD_RANGE = "bad-range"
    RANGE_OFF_OBJECT = "range-off-object"
    CLASSIFICATION_NOT_PLACED = "classification-not-placed"
    OVERLAPPING_CLASSIFICATIONS = "overlapping-classifications"
    # Outcome of a file
    NO_ROW_LEFT = "no-row-left"
    FILE_SKIPPED = "file-skipped"
    OUTPUT_NAME_REFUSED = "output-name-refused"
    INTERNAL_ERROR = "internal-error"
    OUT_OF_MEMORY = "out-of-memory"
    # Custom metadata
    NOT_METADATA = "not-metadata"
    NUL_IN_TEXT = "nul-in-text"
    NUMBER_TOO_LARGE = "number-too-large"
    TEXT_TOO_LONG = "text-too-long"
    BAD_DATETIME = "bad-datetime"
    BAD_UUID = "bad-uuid"
    UNDECLARED_OPTION = "undeclared-option"
    WRONG_EMBEDDING_SIZE = "wrong-embedding-size"
    BAD_COORDINATES = "bad-coordinates"
    UNDECLARED_KEY = "undeclared-key"
    DELETED_KEY = "deleted-key"
    LARGE_EMBEDDING = "large-embedding"

    @property
    def severity(self) -> Severity:
        """Whether something was lost (error) or only deserves a look (warning)."""
        return SEVERITY[self]

    @property
    def hides_files(self) -> bool:
        """Whether a listing that met this may lack files: one of that key, or any below it."""
        return self in _HIDING


_WARNINGS: Final = {
    ProblemCode.LINK_LOOP,
    ProblemCode.BROKEN_LINK,
    ProblemCode.VANISHED_FILE,
    ProblemCode.NOT_A_REGULAR_FILE,
    ProblemCode.UNSUPPORTED_DATA_TYPE,
    ProblemCode.EXTERNAL_ID_NOT_A_CLASS_NUMBER,
    ProblemCode.IMAGE_SIZE_MISSING,
    ProblemCode.IMAGE_SIZE_DIFFERS,
    ProblemCode.FAR_OUTSIDE_IMAGE,
    ProblemCode.SELF_INTERSECTING_POLYGON,
    ProblemCode.POLYGON_NOT_CHECKED,
    ProblemCode.NOT_A_RECTANGLE,
    ProblemCode.DUPLICATE_ROW,
    ProblemCode.BYTE_ORDER_MARK,
    ProblemCode.LARGE_SIDECAR,
    ProblemCode.UNKNOWN_KEY,
    ProblemCode.REPLACED_VALUE,
    ProblemCode.BAD_HASH,
    ProblemCode.HASH_DIFFERS_FROM_KEY,
    ProblemCode.POLYGONS_DIFFER,
    ProblemCode.OUTSIDE_IMAGE,
    ProblemCode.ANGLE_OUT_OF_RANGE,
    ProblemCode.UNKNOWN_SKELETON_POINT,
    ProblemCode.BAD_AUTHOR,
    ProblemCode.BAD_DATE,
    ProblemCode.BAD_OBJECT_NUMBER,
    ProblemCode.DIFFERS_FROM_ONTOLOGY,
    ProblemCode.ARCHIVED_CLASS,
    ProblemCode.PARENT_NOT_SELECTED,
    ProblemCode.MISSING_ANSWER,
    ProblemCode.MISPLACED_ANSWER,
    ProblemCode.ANSWER_WITHOUT_OBJECT,
    ProblemCode.RANGE_OFF_OBJECT,
    ProblemCode.NO_ROW_LEFT,
    ProblemCode.UNDECLARED_KEY,
    ProblemCode.DELETED_KEY,
    ProblemCode.LARGE_EMBEDDING,
}

_HIDING: Final = frozenset(
    {
        ProblemCode.UNREADABLE_FOLDER,
        ProblemCode.UNREADABLE_FILE,
        ProblemCode.LINK_LOOP,
        ProblemCode.BROKEN_LINK,
        ProblemCode.VANISHED_FILE,
        ProblemCode.NOT_A_REGULAR_FILE,
        ProblemCode.KEY_NOT_UTF8,
        ProblemCode.UNUSABLE_KEY,
    }
)
"""Met by a listing: it does not tell what is there."""

SEVERITY: Final[Mapping[ProblemCode, Severity]] = MappingProxyType(
    {code: Severity.WARNING if code in _WARNINGS else Severity.ERROR for code in ProblemCode}
)

UNEXPECTED: Final = frozenset((ProblemCode.INTERNAL_ERROR, ProblemCode.OUT_OF_MEMORY))
"""Codes of files that cost a failure of the program, not of the files: a run with one exits with 3."""

_LONGEST_POINTER: Final = 400


@dataclass(frozen=True, slots=True)
class Problem:
    """One defect at one place of one file.

    Examples
    --------
    >>> str(Problem(ProblemCode.UNKNOWN_CLASS, "labels/a.txt", "no object for 7", line=3, column=1))
    'labels/a.txt:3:1: unknown-class: no object for 7'
    """

    code: ProblemCode
    source: str
    """Key of the file concerned, as listed; "" where the problem is not one file's."""
    detail: str
    """One sentence for a person: what was found, what was expected, what helps."""
    line: int | None = None
    """1-based line; None where there are no lines."""
    column: int | None = None
    """1-based column of the first character concerned, in characters; None for a whole line."""
    pointer: str | None = None
    """JSON pointer into the file; None for text formats."""
    count: int = 1
    """How many like it this one stands for (problems listed once for each file extension)."""

    @property
    def severity(self) -> Severity:
        """Severity of the code."""
        return self.code.severity

    @property
    def place(self) -> str:
        """`path:line:column` or `path#/json/pointer`, as editors and terminals understand it."""
        place = printable(self.source)
        if self.pointer is not None:
            return f"{place}#{printable(_shortened(self.pointer))}"
        if self.line is not None:
            place += f":{self.line}" + (f":{self.column}" if self.column is not None else "")
        return place

    def __str__(self) -> str:
        place = self.place
        return f"{place}{': ' if place else ''}{self.code}: {printable(self.detail)}"


def _shortened(pointer: str) -> str:
    """Return a pointer that fits on a screen: keys may be as long as their file."""
    half = _LONGEST_POINTER // 2
    return pointer if len(pointer) <= 2 * half else f"{pointer[:half]}…{pointer[-half:]}"


def printable(text: str) -> str:
    r"""Return text with control characters and lone surrogates escaped, safe for one line.

    A file name may hold a newline or a terminal's escape sequence: neither may break the form of
    a report or act on the reader's terminal.

    Examples
    --------
    >>> printable("a\nb\x1b[2J.txt")
    'a\\nb\\x1b[2J.txt'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_FORMULAS: Final = tuple("=+-@\t\r\n＝＋－＠")
"""How a cell begins that a spreadsheet may take for something to compute."""
_ACTING: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, marks of writing direction, line separators, lone surrogates."""


def as_cell(value: object) -> str:
    r"""Return a value as a cell of CSV that neither a spreadsheet nor a terminal acts on.

    Blanks and joiners that are part of a name stay: the cell is compared with names of files.

    Examples
    --------
    >>> as_cell('=HYPERLINK("https://example.com")'), as_cell("a\x1b[2J.txt"), as_cell(-3)
    ('\'=HYPERLINK("https://example.com")', 'a\\x1b[2J.txt', '-3')
    """
    if not isinstance(value, str):
        return str(value)
    plain = _ACTING.sub(lambda found: _escaped(found[0]), value)
    return f"'{plain}" if value.startswith(_FORMULAS) else plain


def is_utf8(text: str) -> bool:
    r"""Whether a text can be written as UTF-8: a name of undecodable bytes cannot.

    Examples
    --------
    >>> is_utf8("ü"), is_utf8("\udcff")
    (True, False)
    """
    return text.isascii() or _SURROGATES.search(text) is None


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
