"""Batches in memory for the benchmarks of single stages, each as the stage before leaves it.

A batch is what the engine works on at a time: about 400 KB of label text, whatever the rows are. So
the figures of the stages add up to those of a whole run, and do not depend on its size.
"""

from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import Any, Final

import numpy as np

from labelingest.assembly.assemble import Assembled, assemble
from labelingest.assembly.context import AssemblyOptions
from labelingest.bench.synthetic.data_set import ontology
from labelingest.bench.synthetic.kinds import Kind, image_size
from labelingest.bench.synthetic.label_files import LabelFiles, label_files
from labelingest.columns.types import Int32
from labelingest.model.blobs import Blobs
from labelingest.model.ontology import ClassMap, Ontology
from labelingest.model.source_labels import SourceLabels
from labelingest.model.units import DataUnits
from labelingest.problems.of_batch import BatchProblems
from labelingest.readers.yolo.layouts import YoloOptions
from labelingest.readers.yolo.read import read
from labelingest.resolution.class_map import make_class_map
from labelingest.resolution.ontology_json import load_ontology
from labelingest.resolution.resolve import resolve

__all__ = ["BATCH_BYTES", "KINDS", "STORAGE_URL", "Batch", "batch"]

BATCH_BYTES: Final = 400_000
KINDS: Final = tuple(kind.value for kind in Kind)
STORAGE_URL: Final = "s3://bucket/drive/"
_ENOUGH: Final = 2_000
"""Files that have more than a batch's text, of any kind."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A batch of label files, and what each stage makes of it."""

    files: LabelFiles
    blobs: Blobs
    units: DataUnits
    ontology: Ontology
    class_map: ClassMap
    structure: dict[str, Any] = field(repr=False)
    """The ontology's JSON."""

    def read(self) -> SourceLabels:
        """Return the rows as written."""
        return read(self.blobs, self.units, YoloOptions(), BatchProblems()).labels

    def resolved(self) -> tuple[SourceLabels, Int32]:
        """Return the rows whose class is known, and the ontology object of each."""
        return resolve(self.read(), self.class_map, self.units, BatchProblems())

    def assembled(self) -> Assembled:
        """Return the annotations."""
        labels, feature = self.resolved()
        objects, options = self.ontology.objects, AssemblyOptions()
        return assemble(labels, feature, objects, self.units, options, BatchProblems())


@cache
def batch(kind: str, defects: float = 0.0) -> Batch:
    """Make a batch of one kind of rows; the same object every time."""
    generated = label_files(_ENOUGH, kind, defects=defects)
    sizes = list(accumulate(map(len, generated.contents)))
    count = next(i for i, size in enumerate(sizes, start=1) if size >= BATCH_BYTES)
    files = label_files(count, kind, defects=defects)
    structure = ontology(kind)
    loaded = load_ontology(structure)
    units = DataUnits.from_keys(
        [f"images/train/{i:06d}.jpg" for i in range(count)],
        [f"labels/train/{i:06d}.txt" for i in range(count)],
        np.full(count, 1_767_631_618_000_000_000),
    )
    width, height = np.array([image_size(i) for i in range(count)], dtype=np.int32).T
    return Batch(
        files,
        Blobs.from_contents(files.contents),
        units.with_sizes(width.copy(), height.copy()),
        loaded,
        make_class_map(loaded).class_map,
        structure,
    )
