"""YOLO label files → a batch of labels: read → resolve → assemble."""

from typing import ClassVar, NamedTuple

import numpy as np
from msgspec import Struct

from labelingest.assembly.assemble import assemble, sizes_needed
from labelingest.assembly.context import AssemblyOptions
from labelingest.columns.types import Bool, Int32
from labelingest.converter.batch import Batch
from labelingest.converter.class_keys import ClassKeys, count_numbers
from labelingest.converter.source import SourceOptions
from labelingest.model.blobs import Blobs
from labelingest.model.class_counts import ClassCounts
from labelingest.model.ontology import ClassMap, Ontology
from labelingest.model.source_labels import SourceLabels
from labelingest.model.units import DataUnits
from labelingest.problems.of_batch import BatchProblems
from labelingest.readers.yolo.layouts import YoloOptions
from labelingest.readers.yolo.read import read
from labelingest.readers.yolo.sheet import ReadResult
from labelingest.resolution.resolve import resolve
from labelingest.stopwatch import Stage

__all__ = ["ResolvedRows", "YoloSource", "make_source"]


class ResolvedRows(NamedTuple):
    """Rows of YOLO label files whose ontology object is known."""

    rows: ReadResult
    """All rows of the batch as read."""
    labels: SourceLabels
    """(n,) rows with an ontology object."""
    feature: Int32
    """(n,) row of the object in `Ontology.objects`."""


class YoloSource(Struct, frozen=True):
    """Makes labels of YOLO label files."""

    ontology: Ontology
    class_map: ClassMap
    yolo: YoloOptions
    assembly: AssemblyOptions

    resolve_stage: ClassVar[Stage] = Stage.RESOLVE

    def read(self, blobs: Blobs, units: DataUnits, problems: BatchProblems) -> ReadResult:
        """Read text to rows of numbers."""
        return read(blobs, units, self.yolo, problems)

    def resolve(self, rows: ReadResult, units: DataUnits, problems: BatchProblems) -> ResolvedRows:
        """Find the ontology object of each row's class number."""
        return ResolvedRows(rows, *resolve(rows.labels, self.class_map, units, problems))

    def sizes_needed(self, labels: ResolvedRows, units: DataUnits) -> Bool:
        """Return (u,) data units with a row that is turned in pixels."""
        needed = np.zeros(len(units), dtype=bool)
        rows = sizes_needed(labels.labels, labels.feature, self.ontology.objects)
        needed[labels.labels.unit[rows]] = True
        return needed

    def assemble(self, labels: ResolvedRows, units: DataUnits, problems: BatchProblems) -> Batch:
        """Convert rows to annotations of their objects' shapes."""
        assembled = assemble(
            labels.labels, labels.feature, self.ontology.objects, units, self.assembly, problems
        )
        return Batch(
            units=units,
            annotations=assembled.annotations,
            problems=problems,
            rows_seen=labels.rows.rows_seen,
            classifications=np.zeros(len(units), dtype=np.int64),
            converted=assembled.converted,
            adjusted=assembled.adjusted,
            dropped=labels.rows.dropped,
            refitted=assembled.refitted,
            class_keys=self.class_keys(labels),
            numbers=self.count_numbers(labels, units),
        )

    def class_keys(self, labels: ResolvedRows) -> ClassKeys:
        """Return the classes of annotations that are made of labels."""
        return ClassKeys.of_numbers(self.class_map, len(self.ontology.objects), labels.labels)

    def count_numbers(self, labels: ResolvedRows, units: DataUnits) -> ClassCounts:
        """Count the class numbers of all rows, mapped or not."""
        rows, mapped_rows, feature = labels
        return count_numbers(rows.labels, mapped_rows, feature, self.class_map, units)


def make_source(options: SourceOptions) -> YoloSource:
    """Return the source that a format's value names."""
    return YoloSource(options.ontology, options.class_map, options.yolo, options.assembly)
