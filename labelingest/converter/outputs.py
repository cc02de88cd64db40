"""A batch of labels → the output format: what it cannot say is named and counted, then it is written.

Two steps, because what cannot be said decides which files are written (`batch.settle` between)::

    representable   labels that the format has a place for; the others are rejected
    write           texts for each file, or columns for a format that is one file
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from labelingest.columns.types import Bool, Int64
from labelingest.converter.batch import Batch
from labelingest.converter.image_sizes import Sizes
from labelingest.encord.typed_rows import LabelRow, answers_of
from labelingest.model.annotations import Annotations, ColumnShape, column_shapes
from labelingest.model.batch_output import Labels, OutputFormat
from labelingest.model.ontology import Ontology
from labelingest.model.units import DataUnits, are_images
from labelingest.problems import Problem, ProblemCode
from labelingest.writers import coco, encord_json, yolo
from labelingest.writers.encord_json import WriterOptions
from labelingest.writers.label_rows import write_label_rows

__all__ = ["OF_IMAGES", "Output", "Written", "fail_others"]

OF_IMAGES: Final[Mapping[str, str]] = {OutputFormat.YOLO: "YOLO", OutputFormat.COCO: "COCO"}
"""Formats that have a place for images only → what they are called."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch became."""

    texts: Sequence[bytes | None] = ()
    """(u,) a text of each file; none where there are columns."""
    labels: Labels | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """How labels are written."""

    to: str
    """One of `OutputFormat`."""
    ontology: Ontology
    writer: WriterOptions
    numbers: Int64
    """(o,) class number of each ontology object; -1 for none. Asked for by YOLO alone."""
    layout: str
    """One of `YoloLayout`."""
    confidence: bool
    """Whether YOLO rows have a confidence as their last column."""

    def representable(self, batch: Batch, sizes: Sizes) -> None:
        """Reject the annotations that the format cannot say; find the sizes that it needs."""
        if self.to in OF_IMAGES:
            fail_others(batch, OF_IMAGES[self.to])
        if self.to == OutputFormat.YOLO:
            batch.units = sizes.of(batch.units, self.turned(batch.annotations, batch.units))
            batch.annotations = yolo.representable(
                batch.annotations,
                batch.units,
                self.numbers,
                self.ontology.objects,
                batch.findings,
                layout=self.layout,
            )
        elif self.to == OutputFormat.COCO:
            batch.units = sizes.of(batch.units, np.ones(len(batch.units), dtype=bool))
            batch.annotations = coco.representable(
                batch.annotations, batch.units, self.ontology.objects, batch.findings
            )

    def turned(self, found: Annotations, units: DataUnits) -> Bool:
        """Return (u,) the images with annotations that are turned in pixels."""
        wanted = np.zeros(len(units), dtype=bool)
        if self.layout == yolo.YoloLayout.CORNERS:
            wanted[found.unit] = True
        else:
            shapes = column_shapes(self.ontology.objects)[found.feature]
            wanted[found.unit[shapes == ColumnShape.ROTATED_BOX]] = True
        return wanted

    def write(self, batch: Batch, written: Bool) -> Written:
        """Write the files where written, (u,), is true."""
        if self.to != OutputFormat.ENCORD and batch.label_rows is not None:
            batch.dropped.update(_without_place(batch.label_rows, written))
        if self.to == OutputFormat.YOLO:
            return Written(self._yolo(batch, written))
        if self.to == OutputFormat.ENCORD:
            return Written(self._encord(batch, written))
        labels = Labels.of_units(batch.units, batch.annotations, written)
        if self.to == OutputFormat.COCO:
            batch.dropped.update(coco.dropped_parts(labels.annotations))
        return Written(labels=labels)

    def _encord(self, batch: Batch, written: Bool) -> list[bytes | None]:
        if batch.label_rows is None:
            texts = encord_json.write(batch.annotations, batch.units, self.ontology, self.writer)
            return _where(texts, written)
        rows = _where(batch.label_rows, written)
        return write_label_rows(rows, batch.units, self.ontology, self.writer)

    def _yolo(self, batch: Batch, written: Bool) -> list[bytes | None]:
        made = yolo.write_yolo(
            batch.annotations,
            batch.units,
            self.numbers,
            self.ontology.objects,
            layout=self.layout,
            confidence=self.confidence,
        )
        batch.converted.update(made.converted)
        batch.dropped.update(made.dropped)
        return _where(made.texts, written)


def fail_others(batch: Batch, name: str) -> None:
    """Fail the files that are no images, for a format that has a place for images only."""
    images = are_images(batch.units)
    lost = batch.counts()
    for unit in np.flatnonzero(~images).tolist():
        if unit in batch.findings.failed:
            continue
        key = batch.units.key[unit]
        count = int(lost.annotations[unit] + lost.classifications[unit])
        detail = f"{name} has labels of images only, and {key!r} is none: nothing of it is written"
        problem = Problem(ProblemCode.NO_PLACE_IN_FORMAT, batch.units.sidecar[unit], detail)
        batch.findings.fail(unit, problem)
        batch.findings.rejected[problem.code] += count
        batch.findings.rejected_in[unit] += count
    if not images.all():
        batch.keep(images)


def _where(values: Sequence[Any], written: Bool) -> list[Any]:
    return [value if kept else None for value, kept in zip(values, written.tolist(), strict=True)]


def _without_place(rows: Sequence[LabelRow | None], written: Bool) -> Counter[str]:
    """Count what stands in label rows beside annotations, and nowhere else."""
    dropped: Counter[str] = Counter()
    for row in _where(rows, written):
        if row is not None:
            dropped["answers"] += sum(map(len, answers_of(row)))
    return +dropped
