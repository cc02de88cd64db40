"""Classes of annotations, for counts by class: class numbers, or objects where labels have none."""

from typing import Self

import numpy as np
from msgspec import Struct

from labelingest.columns.types import Int32, Int64
from labelingest.model.annotations import Annotations
from labelingest.model.class_counts import ClassCounts, FileClasses, RowPlace, UnmappedNumbers
from labelingest.model.ontology import ClassMap
from labelingest.model.source_labels import RowPart, SourceLabels
from labelingest.model.units import DataUnits

__all__ = ["ClassKeys", "count_numbers"]


class ClassKeys(Struct, frozen=True, eq=False):
    """Finds the class of each annotation of a batch."""

    keys: Int64
    """(m,) keys of all classes, as in `labelingest.model.class_counts`; ascending class numbers, or
    those of objects in their order."""
    place: Int32
    """(o,) row in keys of each ontology object; any row where labels are given."""
    labels: SourceLabels | None = None
    """The rows that annotations were made from, where several numbers mean one object."""

    @classmethod
    def of_objects(cls, count: int) -> Self:
        """Return the keys of labels without class numbers, for a count of ontology objects."""
        rows = np.arange(count, dtype=np.int32)
        return cls(-1 - rows.astype(np.int64), rows)

    @classmethod
    def of_numbers(cls, class_map: ClassMap, objects: int, labels: SourceLabels) -> Self:
        """Return the keys of rows with class numbers, for a count of ontology objects."""
        place = np.zeros(objects, dtype=np.int32)
        place[class_map.feature] = np.arange(len(class_map), dtype=np.int32)
        return cls(class_map.number, place, None if class_map.is_one_to_one() else labels)

    def count(self, annotations: Annotations) -> FileClasses:
        """Count the annotations of each file by class."""
        if self.labels is None:
            place = self.place[annotations.feature]
        else:
            labels = self.labels
            row = np.searchsorted(
                _line_codes(labels.unit, labels.line),
                _line_codes(annotations.unit, annotations.line),
            )
            place = np.searchsorted(self.keys, labels.class_number[row]).astype(np.int32)
        return FileClasses.count(annotations.unit, place, self.keys)


def _line_codes(unit: Int32, line: Int32) -> Int64:
    codes: Int64 = (unit.astype(np.int64) << 32) | line
    return codes


def count_numbers(
    read: SourceLabels,
    labels: SourceLabels,
    feature: Int32,
    class_map: ClassMap,
    units: DataUnits,
) -> ClassCounts:
    """Count the class numbers that were read.

    Parameters
    ----------
    read
        (r,) rows as read.
    labels, feature
        (n,) rows among them whose class number is mapped, the same object when all are; and the row
        of each one's ontology object.
    class_map, units
        Class numbers and data units of the rows.
    """
    counts = ClassCounts()
    if class_map.is_one_to_one():
        rows = np.bincount(feature, minlength=int(class_map.feature.max(initial=-1)) + 1)[
            class_map.feature
        ]
    else:
        places = np.searchsorted(class_map.number, labels.class_number)
        rows = np.bincount(places, minlength=len(class_map))
    used = np.flatnonzero(rows)
    counts.seen.update(dict(zip(class_map.number[used].tolist(), rows[used].tolist(), strict=True)))
    if labels is not read:
        counts.unmapped = _count_unmapped(read, class_map, units)
    return counts


def _count_unmapped(read: SourceLabels, class_map: ClassMap, units: DataUnits) -> UnmappedNumbers:
    unmapped = np.flatnonzero(class_map.resolve(read.class_number) < 0)

    def place_of(position: int) -> RowPlace:
        row = int(unmapped[position])
        column = read.column(row, RowPart.CLASS_NUMBER)
        return RowPlace(units.sidecar[read.unit[row]], int(read.line[row]), column)

    return UnmappedNumbers.of_rows(read.class_number[unmapped], read.unit[unmapped], place_of)
