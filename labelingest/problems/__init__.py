"""Problems: what can be wrong with one file among a million, and the containers that hold it."""

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
