"""Codes of class lists: the names that a data set gives its class numbers."""

from typing import Final

from labelingest.problems.definition import Definition, Family, Severity

WARNING: Final = Severity.WARNING

CLASS_LISTS: Final = Family(
    "Class lists",
    "The names that a data set gives its class numbers: `data.yaml`, `classes.txt`, `obj.names`, ….",
)

CLASS_COUNT_DIFFERS: Final = Definition(
    "class-count-differs",
    WARNING,
    CLASS_LISTS,
    cause="`nc` of a YAML file is not the number of its names.",
    example="data.yaml: class-count-differs: nc is 4, but there are 3 names: correct nc, or the "
    "names",
    cure="correct `nc`, or complete `names`: a name that is missing in the middle moves all below.",
)

DUPLICATE_CLASS_NAME: Final = Definition(
    "duplicate-class-name",
    WARNING,
    CLASS_LISTS,
    cause="two class numbers of a class list have the same name.",
    example="data.yaml:5: duplicate-class-name: class numbers 1 and 3 are both called 'van': "
    "correct one of the names",
    cure="correct one of the names; if both numbers mean one class, map both to one object.",
)

CLASS_LIST_FROM_ONE: Final = Definition(
    "class-list-from-one",
    WARNING,
    CLASS_LISTS,
    cause="the numbers of the class list begin at 1. A run says so only where the class numbers of "
    "the ontology begin at 0.",
    example="data.yaml:2: class-list-from-one: the class numbers of this list begin at 1; YOLO "
    "counts from 0: if the label files do, number the names from 0",
    cure="look at the label files: the list is right if their numbers begin at 1. Correct the list, "
    "or the external IDs.",
)
