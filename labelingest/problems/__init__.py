"""Problems: defects of single files among a million, their codes, and the containers of them.

The names below are loaded when first used: a command that prints a sentence needs no problem.
"""

from typing import TYPE_CHECKING

from labelingest._lazy import lazy_names

if TYPE_CHECKING:
    from labelingest.problems.characters import is_utf8, printable
    from labelingest.problems.codes import SEVERITY, UNEXPECTED, ProblemCode
    from labelingest.problems.definition import Severity
    from labelingest.problems.problem import Problem

__all__ = [
    "SEVERITY",
    "UNEXPECTED",
    "Problem",
    "ProblemCode",
    "Severity",
    "is_utf8",
    "printable",
]

__getattr__ = lazy_names(
    __name__,
    {
        "SEVERITY": "codes",
        "UNEXPECTED": "codes",
        "Problem": "problem",
        "ProblemCode": "codes",
        "Severity": "definition",
        "is_utf8": "characters",
        "printable": "characters",
    },
)
