"""Encord JSON sidecars → a batch of labels: read and check → columns → checks on columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from labelingest.assembly.outlines import warn_of_outlines
from labelingest.columns.types import Int64
from labelingest.converter.batch import Batch
from labelingest.converter.image_sizes import Sizes
from labelingest.converter.source_options import SourceOptions
from labelingest.encord.dates import date_text
from labelingest.encord.typed_rows import LabelRow, size_of
from labelingest.model.blobs import Blobs
from labelingest.model.ontology import Ontology
from labelingest.model.units import DataUnits
from labelingest.model.vocabulary import Vocabulary
from labelingest.problems.of_batch import BatchProblems
from labelingest.readers.encord.data_file import DataFile
from labelingest.readers.encord.read import SidecarBatch, read_sidecars
from labelingest.stopwatch import OFF, Stage, Stopwatch

__all__ = ["EncordSource", "make_source"]


@dataclass(frozen=True, slots=True)
class EncordSource:
    """What label rows may say."""

    ontology: Ontology
    vocabulary: Vocabulary = field(init=False, repr=False)
    features: Mapping[str, int] = field(init=False, repr=False)
    """Feature hash → row in `Ontology.objects`."""

    def __post_init__(self) -> None:
        features = {one.feature_hash: row for row, one in enumerate(self.ontology.objects)}
        object.__setattr__(self, "vocabulary", Vocabulary.from_structure(self.ontology.structure))
        object.__setattr__(self, "features", features)

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
            Finds the sizes that rows are compared with.
        findings
            Takes what is wrong; the files that could not be fetched are in it.
        watch
            Told which stage is on.
        """
        units = sizes.of_all(units)
        there = [unit for unit in range(len(units)) if unit not in blobs.unread]
        with watch.stage(Stage.READ):
            found = read_sidecars(
                [blobs.get(unit) for unit in there],
                [units.sidecar[unit] for unit in there],
                [_data_file(units, unit) for unit in there],
                self.vocabulary,
                self.features,
            )
        with watch.stage(Stage.ASSEMBLE):
            return self._batch(found, np.array(there, dtype=np.int64), units, sizes, findings)

    def _batch(
        self,
        found: SidecarBatch,
        there: Int64,
        units: DataUnits,
        sizes: Sizes,
        findings: BatchProblems,
    ) -> Batch:
        """Put what was read of some data units, by their rows, among all of them."""
        rows: list[LabelRow | None] = [None] * len(units)
        for unit, row, problems in zip(there.tolist(), found.rows, found.problems, strict=True):
            rows[unit] = row
            findings.take(unit, problems)
            if row is None:
                findings.failed.add(unit)
        annotations = replace(
            found.annotations, unit=there[found.annotations.unit].astype(np.int32)
        )
        units = _with_own_sizes(units, rows)
        sizes.note_missing(units, findings)
        seen, kept = (np.zeros(len(units), dtype=np.int64) for _ in range(2))
        seen[there] = found.objects_seen + found.classifications_seen
        kept[there] = found.classifications_kept
        rejected = seen - kept - np.bincount(annotations.unit, minlength=len(units))
        findings.rejected.update(found.rejected)
        for unit in np.flatnonzero(rejected).tolist():
            findings.rejected_in[unit] = int(rejected[unit])
        warn_of_outlines(annotations, self.ontology.objects, units, findings)
        return Batch(units, annotations, findings, seen, kept, rows)


def _data_file(units: DataUnits, unit: int) -> DataFile:
    width, height = int(units.width[unit]), int(units.height[unit])
    size = (width, height) if width > 0 else None
    return DataFile.from_key(units.key[unit], size, date_text(int(units.mtime_ns[unit])))


def _with_own_sizes(units: DataUnits, rows: Sequence[LabelRow | None]) -> DataUnits:
    """Return units with the sizes that their label rows say, where they are not known otherwise."""
    width, height = units.width.copy(), units.height.copy()
    for row, document in enumerate(rows):
        if document is not None and width[row] <= 0:
            sides = size_of(document)
            if min(sides) > 0 and max(sides) < 2**31:
                width[row], height[row] = sides
    return units.with_sizes(width, height)


def make_source(options: SourceOptions) -> EncordSource:
    """Return the source that a format's value names."""
    return EncordSource(options.ontology)
