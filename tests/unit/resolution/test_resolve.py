import numpy as np

from labelingest.model.blobs import Blobs
from labelingest.model.ontology import ClassMap
from labelingest.model.units import DataUnits
from labelingest.problems import ProblemCode
from labelingest.problems.capped import MAX_LISTED
from labelingest.problems.of_batch import BatchProblems
from labelingest.readers.yolo.layouts import YoloOptions
from labelingest.readers.yolo.read import read
from labelingest.resolution.resolve import resolve

CLASS_MAP = ClassMap(np.array([7]), np.array([0], dtype=np.int32))


def test_labels_of_unknown_classes_are_all_counted_and_the_first_ones_listed() -> None:
    unknown = MAX_LISTED + 2
    first, second = b"3 .5 .5 1 1\n" * unknown + b"7 .5 .5 1 1", b"4 .5 .5 1 1\n7 .5 .5 1 1"
    keys = ["a.txt", "b.txt"]
    units = DataUnits.from_keys(["a.jpg", "b.jpg"], keys, np.zeros(2, np.int64))
    findings = BatchProblems()
    labels = read(Blobs.from_contents([first, second]), units, YoloOptions(), findings).labels
    labels, feature = resolve(labels, CLASS_MAP, units, findings)
    assert (labels.line.tolist(), feature.tolist()) == ([unknown + 1, 2], [0, 0])
    assert findings.rejected == {ProblemCode.UNKNOWN_CLASS: unknown + 1}
    problems = [p for p in findings.in_order() if p.code is ProblemCode.UNKNOWN_CLASS]
    assert len(problems) == MAX_LISTED + 2  # those listed of the first file, the rest, the second
    assert sum(problem.count for problem in problems) == unknown + 1
    [of_second] = [problem for problem in problems if problem.source == "b.txt"]
    assert of_second.detail.startswith("class number 4 is mapped to no ontology object: ")
    assert of_second.detail.endswith("override (4=NAME)")
