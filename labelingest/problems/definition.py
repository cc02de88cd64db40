"""Definition of a problem code: what it costs, its family, its cause, an example and the cure.

Every process imports all definitions. So they are plain objects: making data classes of them would
take longer than making the 91 definitions.
"""

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Definition", "Family", "Severity"]


class Severity(StrEnum):
    """What a problem means for the result."""

    ERROR = "error"
    """Something was not converted."""
    WARNING = "warning"
    """Everything was converted, but a person should look."""


class Family(NamedTuple):
    """Codes with one origin: a section of the page about problems."""

    title: str
    introduction: str = ""
    """What holds for all codes of the family, in Markdown; "" where nothing does."""


class Definition:
    """Everything that is known about one code.

    Parameters
    ----------
    code
        The stable name: reports, the state of synced folders and programs compare it.
    severity
        Whether the problem costs something or only deserves a look.
    family
        The section that the code belongs to.
    cause
        Cause in Markdown, one or more sentences, without a capital letter at the start.
    example
        One problem as it is printed; a test makes it from real input where that is possible.
    cure
        What helps, in Markdown, without a capital letter at the start.
    hides_files
        Whether a listing that met the problem may lack files: of its key or of any key below it.
    """

    __slots__ = ("cause", "code", "cure", "example", "family", "hides_files", "severity")

    def __init__(
        self,
        code: str,
        severity: Severity,
        family: Family,
        *,
        cause: str,
        example: str,
        cure: str,
        hides_files: bool = False,
    ) -> None:
        self.code = code
        self.severity = severity
        self.family = family
        self.cause = cause
        self.example = example
        self.cure = cure
        self.hides_files = hides_files
