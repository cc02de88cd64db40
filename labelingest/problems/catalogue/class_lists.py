"""Codes of class lists: the names that a data set gives its class numbers."""

from typing import Final

from labelingest.problems.definition import Definition, Family, Severity

ERROR: Final = Severity.ERROR
WARNING: Final = Severity.WARNING

CLASS_LISTS: Final = Family(
    "Class lists",
    "The class list of a data set (`data.yaml`, `classes.txt`, `obj.names`, …) is compared with the "
    "names of the mapped ontology objects, number by number; case, blanks, `_` and `-` aside.",
)

CLASS_NAMES_DISAGREE: Final = Definition(
    "class-names-disagree",
    ERROR,
    CLASS_LISTS,
    cause="the class list gives a number the name of another mapped object: rows would get the "
    "wrong class. `convert` and `folder sync` end before anything is converted.",
    example="data.yaml:2: class-names-disagree: class number 0 is 'van' in the list and 'car' in "
    "the ontology, where 'van' is number 1: 1 row",
    cure="correct the external IDs of the ontology, or `--map`. If another list is the right one, "
    "`--class-list FILE` names it; if the ontology is right, `--accept-class-names` says so.",
)

CLASS_NAME_DIFFERS: Final = Definition(
    "class-name-differs",
    WARNING,
    CLASS_LISTS,
    cause="the class list gives a number a name that no mapped object has. People rename classes; "
    "but the list may also be that of other data.",
    example="data.yaml:4: class-name-differs: class number 2 is 'lorry' in the list and 'truck' in "
    "the ontology; no mapped object is called 'lorry'",
    cure="none needed for a renamed class: `--accept-class-names` says so. Else correct the "
    "ontology or `--map`.",
)

CLASS_LISTS_DISAGREE: Final = Definition(
    "class-lists-disagree",
    WARNING,
    CLASS_LISTS,
    cause="two class lists at or above the same label files give one number different names, and "
    "one of the lists agrees with the ontology.",
    example="labels/classes.txt:1: class-lists-disagree: class number 0 is 'van' here and 'car' in "
    "'data.yaml', which agrees with the ontology; 1 more number differs",
    cure="remove or correct the list that is out of date, or name the right one: "
    "`--class-list FILE`.",
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

CLASS_LIST_UNREADABLE: Final = Definition(
    "class-list-unreadable",
    WARNING,
    CLASS_LISTS,
    cause="a file with the name of a class list cannot be read, so that nothing is compared with "
    "it.",
    example="labels/classes.txt: class-list-unreadable: not text in UTF-8 (invalid start byte): "
    "correct or rename the file, or name the right list with --class-list",
    cure="correct the file or rename it; `--class-list FILE` names another list, `--no-class-list` "
    "compares nothing.",
)
