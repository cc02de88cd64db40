"""Rejection of annotations: a problem for each, at its place in the sidecar.

Rows of text have lines; objects of label rows have hashes, and a place under `object_answers`. The
module is a noun's neighbour, not part of `problems`: it needs the columns of annotations and data
units, which stand above the problems that listings and pairs carry.
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
    problems: BatchProblems,
) -> Annotations:
    """Return the annotations that are not rejected; note the problem of each that is.

    Parameters
    ----------
    rejected
        (n,) true for the annotations to reject.
    code
        The cause.
    annotations, units
        (n,) annotations, and (u,) their data units.
    detail
        Row of an annotation → the sentence about it; called for problems that are listed.
    problems
        Container of the batch that takes them.
    """
    for row in problems.rows_to_note(np.flatnonzero(rejected)).tolist():
        unit = int(annotations.unit[row])
        if problems.has_room(unit, code):
            problems.reject(unit, problem_of_row(row, code, annotations, units, detail(row)))
        else:
            problems.count_rejected(unit, code)
    return annotations.where(~rejected)


def problem_of_row(
    row: int, code: ProblemCode, annotations: Annotations, units: DataUnits, detail: str
) -> Problem:
    """Return a problem of one annotation, at its line, or at its object where there are no lines.

    Examples
    --------
    >>> from labelingest.model.annotations import Instances
    >>> zero = np.zeros(1, np.int32)
    >>> annotations = Annotations(
    ...     unit=zero,
    ...     feature=zero,
    ...     line=zero,
    ...     confidence=zero / 1,
    ...     coordinates=np.zeros(0),
    ...     offsets=np.zeros(2, np.int64),
    ...     content=np.zeros(1, np.uint64),
    ...     instances=Instances(["k3P/x0+a"], zero),
    ... )
    >>> units = DataUnits.from_keys(["a.jpg"], ["a.json"], np.zeros(1, np.int64))
    >>> code = ProblemCode.NO_CLASS_NUMBER
    >>> problem_of_row(0, code, annotations, units, "'Car' has no class number").place
    'a.json#/object_answers/k3P~1x0+a'
    """
    unit, line = int(annotations.unit[row]), int(annotations.line[row])
    source = units.sidecar[unit]
    if line or annotations.instances is None:
        return Problem(code, source, detail, line=line)
    pointer = child_pointer("/object_answers", annotations.instances.hash[row])
    return Problem(code, source, detail, pointer=units.bases.get(units.key[unit], "") + pointer)
