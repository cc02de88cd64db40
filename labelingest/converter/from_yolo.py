"""YOLO sidecars → a batch of labels: read → resolve → sizes → assemble."""

from dataclasses import dataclass

import numpy as np

from labelingest.assembly.assemble import assemble, sizes_needed
from labelingest.assembly.context import AssemblyOptions
from labelingest.converter.batch import Batch
from labelingest.converter.image_sizes import Sizes
from labelingest.converter.source_options import SourceOptions
from labelingest.model.blobs import Blobs
from labelingest.model.ontology import ClassMap, Ontology
from labelingest.model.units import DataUnits
from labelingest.problems.of_batch import BatchProblems
from labelingest.readers.yolo.layouts import YoloOptions
from labelingest.readers.yolo.read import read
from labelingest.resolution.resolve import resolve
from labelingest.stopwatch import OFF, Stage, Stopwatch

__all__ = ["YoloSource", "make_source"]


@dataclass(frozen=True, slots=True)
class YoloSource:
    """What YOLO rows mean."""

    ontology: Ontology
    class_map: ClassMap
    yolo: YoloOptions
    assembly: AssemblyOptions

    def read(
        self,
        blobs: Blobs,
        units: DataUnits,
        sizes: Sizes,
        findings: BatchProblems,
        watch: Stopwatch = OFF,
    ) -> Batch:
        """Read a batch of sidecars.

        Parameters
        ----------
        blobs
            (u,) contents of the sidecars.
        units
            (u,) the data files.
        sizes
            Finds the sizes that rows need to become their shapes.
        findings
            Takes what is wrong; the files that could not be fetched are in it.
        watch
            Told which stage is on.
        """
        with watch.stage(Stage.READ):
            found = read(blobs, units, self.yolo, findings)
        with watch.stage(Stage.RESOLVE):
            labels, feature = resolve(found.labels, self.class_map, units, findings)
        with watch.stage(Stage.ASSEMBLE):
            needed = np.zeros(len(units), dtype=bool)
            needed[labels.unit[sizes_needed(labels, feature, self.ontology.objects)]] = True
            units = sizes.of(sizes.of_all(units), needed)
            sizes.note_missing(units, findings)
            made = assemble(labels, feature, self.ontology.objects, units, self.assembly, findings)
        return Batch(
            units,
            made.annotations,
            findings,
            found.rows_seen,
            np.zeros(len(units), dtype=np.int64),
            None,
            made.converted,
            made.adjusted,
            found.dropped,
            made.refitted,
        )


def make_source(options: SourceOptions) -> YoloSource:
    """Return the source that a format's value names."""
    return YoloSource(options.ontology, options.class_map, options.yolo, options.assembly)
