"""Encord JSON sidecars → a batch of labels: read and check → columns → checks on columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np
from msgspec.structs import replace

from labelingest.assembly.outlines import warn_of_outlines
from labelingest.columns.types import Bool, Int64
from labelingest.converter.batch import Batch
from labelingest.converter.source import SourceOptions
from labelingest.encord.dates import date_text
from labelingest.encord.typed_rows import LabelRow
from labelingest.model.blobs import Blobs
from labelingest.model.ontology import Ontology
from labelingest.model.units import DataUnits
from labelingest.model.vocabulary import Vocabulary
from labelingest.problems.of_batch import BatchProblems
from labelingest.readers.encord.data_file import DataFile
from labelingest.readers.encord.read import SidecarBatch, read_sidecars
from labelingest.stopwatch import Stage

__all__ = ["EncordSource", "ReadSidecars", "make_source"]


class ReadSidecars(NamedTuple):
    """Sidecars of a batch as read; the sidecars that could not be fetched are missing."""

    sidecars: SidecarBatch
    units: Int64
    """(s,) row of each sidecar's data unit."""


@dataclass(frozen=True, slots=True)
class EncordSource:
    """Makes labels of Encord label rows."""

    ontology: Ontology
    vocabulary: Vocabulary = field(init=False, repr=False)
    features: Mapping[str, int] = field(init=False, repr=False)
    """Feature hash → row in `Ontology.objects`."""

    resolve_stage: ClassVar[Stage] = Stage.READ

    def __post_init__(self) -> None:
        features = {entry.feature_hash: row for row, entry in enumerate(self.ontology.objects)}
        object.__setattr__(self, "vocabulary", Vocabulary.from_structure(self.ontology.structure))
        object.__setattr__(self, "features", features)

    def read(self, blobs: Blobs, units: DataUnits, problems: BatchProblems) -> ReadSidecars:
        """Read label rows and check them against the ontology and their data files."""
        readable = [unit for unit in range(len(units)) if unit not in blobs.unread]
        sidecars = read_sidecars(
            [blobs.get(unit) for unit in readable],
            [units.sidecar[unit] for unit in readable],
            [_data_file(units, unit) for unit in readable],
            self.vocabulary,
            self.features,
        )
        return ReadSidecars(sidecars, np.array(readable, dtype=np.int64))

    def resolve(
        self, rows: ReadSidecars, units: DataUnits, problems: BatchProblems
    ) -> ReadSidecars:
        """Return the label rows unchanged: feature hashes are resolved while they are read."""
        return rows

    def sizes_needed(self, labels: ReadSidecars, units: DataUnits) -> Bool:
        """Return (u,) false everywhere: label rows have the shapes of their objects already."""
        return np.zeros(len(units), dtype=bool)

    def assemble(self, labels: ReadSidecars, units: DataUnits, problems: BatchProblems) -> Batch:
        """Put the labels of the readable sidecars at the rows of their data units."""
        sidecars, readable = labels
        rows: list[LabelRow | None] = [None] * len(units)
        for unit, row, of_row in zip(
            readable.tolist(), sidecars.rows, sidecars.problems, strict=True
        ):
            rows[unit] = row
            problems.take(unit, of_row)
            if row is None:
                problems.failed.add(unit)
        annotations = replace(
            sidecars.annotations, unit=readable[sidecars.annotations.unit].astype(np.int32)
        )
        units = _with_own_sizes(replace(units, bases=sidecars.bases), readable, sidecars.sizes)
        seen, valid = (np.zeros(len(units), dtype=np.int64) for _ in range(2))
        seen[readable] = sidecars.objects_seen + sidecars.classifications_seen
        valid[readable] = sidecars.classifications_kept
        rejected = seen - valid - np.bincount(annotations.unit, minlength=len(units))
        problems.rejected.update(sidecars.rejected)
        for unit in np.flatnonzero(rejected).tolist():
            problems.rejected_in[unit] = int(rejected[unit])
        warn_of_outlines(annotations, self.ontology.objects, units, problems)
        return Batch(
            units=units,
            annotations=annotations,
            problems=problems,
            rows_seen=seen,
            classifications=valid,
            label_rows=rows,
        )


def _data_file(units: DataUnits, unit: int) -> DataFile:
    width, height = int(units.width[unit]), int(units.height[unit])
    size = (width, height) if width > 0 else None
    return DataFile.from_key(units.key[unit], size, date_text(int(units.mtime_ns[unit])))


def _with_own_sizes(units: DataUnits, rows: Int64, sizes: Int64) -> DataUnits:
    """Return units with the sizes, (s, 2), of the label rows at rows, (s,), where none is known."""
    is_usable = (sizes > 0).all(axis=1) & (sizes < 2**31).all(axis=1) & (units.width[rows] <= 0)
    if not is_usable.any():
        return units
    width, height = units.width.copy(), units.height.copy()
    width[rows[is_usable]], height[rows[is_usable]] = sizes[is_usable].T
    return units.with_sizes(width, height)


def make_source(options: SourceOptions) -> EncordSource:
    """Return the source that a format's value names."""
    return EncordSource(options.ontology)
