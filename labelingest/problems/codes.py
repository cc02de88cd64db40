"""Problem codes: the closed set of causes.

A code is a text, its value, and carries its definition. Codes are stable: to add one, write its
definition in `catalogue`, enter it here at the end of its family, and run `make docs`.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self

from labelingest.problems.catalogue import class_lists, files, label_files, metadata, sidecars
from labelingest.problems.definition import Definition, Severity

__all__ = ["SEVERITY", "UNEXPECTED", "ProblemCode"]


class ProblemCode(StrEnum):
    """The closed set of causes.

    Examples
    --------
    >>> code = ProblemCode("not-json")
    >>> code is ProblemCode.NOT_JSON, code.severity.value, code.definition.family.title
    (True, 'error', 'Encord JSON sidecars: the document')
    """

    definition: Definition
    severity: Severity
    """Whether something was lost (error) or only deserves a look (warning)."""
    hides_files: bool
    """Whether a listing that met the problem may lack files: of its key or of any key below it."""

    def __new__(cls, definition: Definition | str) -> Self:
        """Make the member of a definition; a code as text is looked up before it comes here."""
        if isinstance(definition, str):
            raise TypeError(f"{definition!r} is no definition of a code")
        member = str.__new__(cls, definition.code)
        member._value_ = definition.code
        member.definition = definition
        member.severity = definition.severity
        member.hides_files = definition.hides_files
        return member

    # Files and folders
    UNREADABLE_FOLDER = files.UNREADABLE_FOLDER
    UNREADABLE_FILE = files.UNREADABLE_FILE
    FILE_TOO_LARGE = files.FILE_TOO_LARGE
    LINK_LOOP = files.LINK_LOOP
    BROKEN_LINK = files.BROKEN_LINK
    VANISHED_FILE = files.VANISHED_FILE
    NOT_A_REGULAR_FILE = files.NOT_A_REGULAR_FILE
    KEY_NOT_UTF8 = files.KEY_NOT_UTF8
    UNUSABLE_KEY = files.UNUSABLE_KEY
    UNSUPPORTED_DATA_TYPE = files.UNSUPPORTED_DATA_TYPE
    NAME_TOO_LONG = files.NAME_TOO_LONG
    # Pairing
    ORPHAN_SIDECAR = files.ORPHAN_SIDECAR
    AMBIGUOUS_PAIR = files.AMBIGUOUS_PAIR
    # Ontology
    EXTERNAL_ID_NOT_A_CLASS_NUMBER = files.EXTERNAL_ID_NOT_A_CLASS_NUMBER
    NUMBERS_FROM_ONE = files.NUMBERS_FROM_ONE
    # Class lists
    CLASS_NAMES_DISAGREE = class_lists.CLASS_NAMES_DISAGREE
    CLASS_NAME_DIFFERS = class_lists.CLASS_NAME_DIFFERS
    CLASS_LISTS_DISAGREE = class_lists.CLASS_LISTS_DISAGREE
    CLASS_COUNT_DIFFERS = class_lists.CLASS_COUNT_DIFFERS
    DUPLICATE_CLASS_NAME = class_lists.DUPLICATE_CLASS_NAME
    CLASS_LIST_FROM_ONE = class_lists.CLASS_LIST_FROM_ONE
    CLASS_LIST_UNREADABLE = class_lists.CLASS_LIST_UNREADABLE
    # Text of a label file
    NOT_TEXT = label_files.NOT_TEXT
    BAD_CLASS_NUMBER = label_files.BAD_CLASS_NUMBER
    NOT_A_NUMBER = label_files.NOT_A_NUMBER
    NOT_FINITE = label_files.NOT_FINITE
    TOO_FEW_COLUMNS = label_files.TOO_FEW_COLUMNS
    WRONG_COLUMN_COUNT = label_files.WRONG_COLUMN_COUNT
    AMBIGUOUS_COLUMNS = label_files.AMBIGUOUS_COLUMNS
    LAYOUT_CONTRADICTED = label_files.LAYOUT_CONTRADICTED
    # Meaning of a row
    UNKNOWN_CLASS = label_files.UNKNOWN_CLASS
    SHAPE_MISMATCH = label_files.SHAPE_MISMATCH
    OUT_OF_RANGE = label_files.OUT_OF_RANGE
    BAD_CONFIDENCE = label_files.BAD_CONFIDENCE
    DEGENERATE_POLYGON = label_files.DEGENERATE_POLYGON
    IMAGE_SIZE_UNKNOWN = label_files.IMAGE_SIZE_UNKNOWN
    IMAGE_SIZE_MISSING = label_files.IMAGE_SIZE_MISSING
    FAR_OUTSIDE_IMAGE = label_files.FAR_OUTSIDE_IMAGE
    SELF_INTERSECTING_POLYGON = label_files.SELF_INTERSECTING_POLYGON
    POLYGON_NOT_CHECKED = label_files.POLYGON_NOT_CHECKED
    NOT_A_RECTANGLE = label_files.NOT_A_RECTANGLE
    DUPLICATE_ROW = label_files.DUPLICATE_ROW
    LOOKS_LIKE_POSE = label_files.LOOKS_LIKE_POSE
    LOOKS_LIKE_JOINED_ROWS = label_files.LOOKS_LIKE_JOINED_ROWS
    # Writing another format
    NO_CLASS_NUMBER = label_files.NO_CLASS_NUMBER
    NO_PLACE_IN_FORMAT = label_files.NO_PLACE_IN_FORMAT
    # Encord JSON sidecars: the document
    NOT_JSON = sidecars.NOT_JSON
    BYTE_ORDER_MARK = sidecars.BYTE_ORDER_MARK
    LARGE_SIDECAR = sidecars.LARGE_SIDECAR
    DUPLICATE_KEY = sidecars.DUPLICATE_KEY
    NOT_A_LABEL_ROW = sidecars.NOT_A_LABEL_ROW
    UNSUPPORTED_LABEL = sidecars.UNSUPPORTED_LABEL
    WRONG_DATA_TYPE = sidecars.WRONG_DATA_TYPE
    IMAGE_SIZE_DIFFERS = sidecars.IMAGE_SIZE_DIFFERS
    MISSING_KEY = sidecars.MISSING_KEY
    WRONG_TYPE = sidecars.WRONG_TYPE
    UNKNOWN_KEY = sidecars.UNKNOWN_KEY
    REPLACED_VALUE = sidecars.REPLACED_VALUE
    # Encord JSON sidecars: objects
    BAD_FRAME = sidecars.BAD_FRAME
    BAD_HASH = sidecars.BAD_HASH
    HASH_DIFFERS_FROM_KEY = sidecars.HASH_DIFFERS_FROM_KEY
    DUPLICATE_OBJECT = sidecars.DUPLICATE_OBJECT
    CLASS_CHANGED = sidecars.CLASS_CHANGED
    BAD_POINTS = sidecars.BAD_POINTS
    BAD_BITMASK = sidecars.BAD_BITMASK
    POLYGONS_DIFFER = sidecars.POLYGONS_DIFFER
    OUTSIDE_IMAGE = sidecars.OUTSIDE_IMAGE
    ANGLE_OUT_OF_RANGE = sidecars.ANGLE_OUT_OF_RANGE
    UNKNOWN_SKELETON_POINT = sidecars.UNKNOWN_SKELETON_POINT
    BAD_AUTHOR = sidecars.BAD_AUTHOR
    BAD_DATE = sidecars.BAD_DATE
    BAD_OBJECT_NUMBER = sidecars.BAD_OBJECT_NUMBER
    DIFFERS_FROM_ONTOLOGY = sidecars.DIFFERS_FROM_ONTOLOGY
    ARCHIVED_CLASS = sidecars.ARCHIVED_CLASS
    # Encord JSON sidecars: answers and classifications
    UNKNOWN_ATTRIBUTE = sidecars.UNKNOWN_ATTRIBUTE
    UNKNOWN_OPTION = sidecars.UNKNOWN_OPTION
    TWO_ANSWERS = sidecars.TWO_ANSWERS
    WRONG_ANSWER_TYPE = sidecars.WRONG_ANSWER_TYPE
    PARENT_NOT_SELECTED = sidecars.PARENT_NOT_SELECTED
    MISSING_ANSWER = sidecars.MISSING_ANSWER
    MISPLACED_ANSWER = sidecars.MISPLACED_ANSWER
    ANSWER_WITHOUT_OBJECT = sidecars.ANSWER_WITHOUT_OBJECT
    BAD_RANGE = sidecars.BAD_RANGE
    RANGE_OFF_OBJECT = sidecars.RANGE_OFF_OBJECT
    CLASSIFICATION_NOT_PLACED = sidecars.CLASSIFICATION_NOT_PLACED
    OVERLAPPING_CLASSIFICATIONS = sidecars.OVERLAPPING_CLASSIFICATIONS
    # Outcome of a file
    NO_ROW_LEFT = files.NO_ROW_LEFT
    FILE_SKIPPED = files.FILE_SKIPPED
    OUTPUT_NAME_REFUSED = files.OUTPUT_NAME_REFUSED
    INTERNAL_ERROR = files.INTERNAL_ERROR
    OUT_OF_MEMORY = files.OUT_OF_MEMORY
    # Custom metadata
    NOT_METADATA = metadata.NOT_METADATA
    NUL_IN_TEXT = metadata.NUL_IN_TEXT
    NUMBER_TOO_LARGE = metadata.NUMBER_TOO_LARGE
    TEXT_TOO_LONG = metadata.TEXT_TOO_LONG
    BAD_DATETIME = metadata.BAD_DATETIME
    BAD_UUID = metadata.BAD_UUID
    UNDECLARED_OPTION = metadata.UNDECLARED_OPTION
    WRONG_EMBEDDING_SIZE = metadata.WRONG_EMBEDDING_SIZE
    BAD_COORDINATES = metadata.BAD_COORDINATES
    UNDECLARED_KEY = metadata.UNDECLARED_KEY
    DELETED_KEY = metadata.DELETED_KEY
    LARGE_EMBEDDING = metadata.LARGE_EMBEDDING


SEVERITY: Final[Mapping[ProblemCode, Severity]] = MappingProxyType(
    {code: code.severity for code in ProblemCode}
)

UNEXPECTED: Final = frozenset((ProblemCode.INTERNAL_ERROR, ProblemCode.OUT_OF_MEMORY))
"""Codes of files that a failure of the program cost: a run with one of them exits with 3."""
