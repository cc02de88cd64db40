"""Class numbers of a batch → rows of ontology objects; the unknown ones become problems."""

from labelingest.columns.types import Int32
from labelingest.model.ontology import ClassMap
from labelingest.model.source_labels import RowPart, SourceLabels
from labelingest.model.units import DataUnits
from labelingest.problems import Problem, ProblemCode
from labelingest.problems.of_batch import BatchProblems

__all__ = ["resolve"]


def resolve(
    labels: SourceLabels, class_map: ClassMap, units: DataUnits, problems: BatchProblems
) -> tuple[SourceLabels, Int32]:
    r"""Find the ontology object of each label.

    Returns
    -------
    labels
        The labels whose class number is mapped; the same object when all are.
    feature
        (n,) row of each label's object in `Ontology.objects`; never negative.

    Examples
    --------
    >>> import numpy as np
    >>> from labelingest.model.blobs import Blobs
    >>> from labelingest.readers.yolo.layouts import YoloOptions
    >>> from labelingest.readers.yolo.read import read
    >>> units = DataUnits.from_keys(["a.jpg"], ["a.txt"], np.zeros(1, np.int64))
    >>> problems = BatchProblems()
    >>> blobs = Blobs.from_contents([b"0 .5 .5 1 1\n7 .5 .5 1 1"])
    >>> labels = read(blobs, units, YoloOptions(), problems).labels
    >>> car = ClassMap(np.array([7]), np.array([0], dtype=np.int32))
    >>> labels, feature = resolve(labels, car, units, problems)
    >>> labels.line.tolist(), feature.tolist(), problems.in_order()[0].place
    ([2], [0], 'a.txt:1:1')
    """
    feature = class_map.resolve(labels.class_number)
    is_mapped = feature >= 0
    if is_mapped.all():
        return labels, feature
    for row in problems.rows_to_note((~is_mapped).nonzero()[0]).tolist():
        unit = int(labels.unit[row])
        number = int(labels.class_number[row])
        if not problems.has_room(unit, ProblemCode.UNKNOWN_CLASS):
            problems.count_rejected(unit, ProblemCode.UNKNOWN_CLASS)
            continue
        problems.reject(
            unit,
            Problem(
                ProblemCode.UNKNOWN_CLASS,
                units.sidecar[unit],
                f"class number {number} is mapped to no ontology object: add an external ID or an "
                f"override ({number}=NAME)",
                line=int(labels.line[row]),
                column=labels.column(row, RowPart.CLASS_NUMBER),
            ),
        )
    return labels.where(is_mapped), feature[is_mapped]
