"""Problems: defects of single files among a million, their codes, and the containers of them."""

from labelingest.problems.codes import SEVERITY, UNEXPECTED, ProblemCode
from labelingest.problems.definition import Severity
from labelingest.problems.problem import Problem, is_utf8, printable

__all__ = [
    "SEVERITY",
    "UNEXPECTED",
    "Problem",
    "ProblemCode",
    "Severity",
    "is_utf8",
    "printable",
]
