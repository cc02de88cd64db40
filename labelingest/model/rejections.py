"""Annotations that cannot go on: their problems, each at its place in the sidecar.

Rows of text have lines; objects of label rows have hashes, and a place under `object_answers`.
"""

from collections.abc import Callable

import numpy as np

from labelingest.columns.types import Bool
from labelingest.model.annotations import Annotations
from labelingest.model.units import DataUnits
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.of_batch import BatchProblems
from labelingest.problems.pointers import child_pointer

__all__ = ["problem_of_row", "reject_rows"]


def reject_rows(
    rejected: Bool,
    code: ProblemCode,
    annotations: Annotations,
    units: DataUnits,
    detail: Callable[[int], str],
    findings: BatchProblems,
) -> Annotations:
    """Return the annotations that are not rejected; note the problem of each that is.

    Parameters
    ----------
    rejected
        (n,) which annotations.
    code
        The cause.
    annotations, units
        (n,) the annotations, and (u,) the data units that they are of.
    detail
        Row of an annotation → the sentence about it; asked for where it is listed.
    findings
        Takes the problems.
    """
    for row in findings.rows_to_note(np.flatnonzero(rejected)).tolist():
        unit = int(annotations.unit[row])
        if findings.has_room(unit, code):
            findings.reject(unit, problem_of_row(row, code, annotations, units, detail(row)))
        else:
            findings.count_rejected(unit, code)
    return annotations.where(~rejected)


def problem_of_row(
    row: int, code: ProblemCode, annotations: Annotations, units: DataUnits, detail: str
) -> Problem:
    """Return a problem of one annotation, at its line, or at its object where there are no lines.

    Examples
    --------
    >>> from labelingest.model.annotations import Instances
    >>> zero = np.zeros(1, np.int32)
    >>> given = Instances(["k3P/x0+a"], zero)
    >>> empty = np.zeros(0), np.zeros(2, np.int64), np.zeros(1, np.uint64)
    >>> annotations = Annotations(zero, zero, zero, zero / 1, *empty, given)
    >>> units = DataUnits.from_keys(["a.jpg"], ["a.json"], np.zeros(1, np.int64))
    >>> code = ProblemCode.NO_CLASS_NUMBER
    >>> problem_of_row(0, code, annotations, units, "'Car' has no class number").place
    'a.json#/object_answers/k3P~1x0+a'
    """
    source, line = units.sidecar[annotations.unit[row]], int(annotations.line[row])
    if line or annotations.instances is None:
        return Problem(code, source, detail, line=line)
    pointer = child_pointer("/object_answers", annotations.instances.hash[row])
    return Problem(code, source, detail, pointer=pointer)
