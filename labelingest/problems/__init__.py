"""Problems: what can be wrong with one file among a million, and the containers that hold it."""

from labelingest.problems.problem import (
    SEVERITY,
    UNEXPECTED,
    Problem,
    ProblemCode,
    Severity,
    as_cell,
    is_utf8,
    printable,
)

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
