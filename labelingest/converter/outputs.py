"""A batch of labels → the output format: unrepresentable labels are rejected, the others written.

Rejected labels decide the files that are written: `batch.select_files` runs before `write`::

    sizes_needed             images whose size in pixels the format needs
    reject_unrepresentable   labels that the format has a place for remain
    write                    texts for each file, or columns for a format that is one file

The format's value and its target (`labelingest.writers.target`) make all the difference: formats
are not compared here.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from labelingest.columns.types import Bool
from labelingest.converter.batch import Batch
from labelingest.encord.typed_rows import LabelRow, answers_of
from labelingest.formats.format import Format, load
from labelingest.model.annotations import Annotations
from labelingest.model.batch_output import FileTexts, Labels
from labelingest.model.units import DataUnits
from labelingest.problems.of_batch import BatchProblems
from labelingest.writers.label_rows import write_label_rows
from labelingest.writers.target import TargetOptions, TextTarget, Written

__all__ = ["Output"]


class Output(Struct, frozen=True):
    """Writes batches of labels in one format."""

    format: Format
    """Format of the output."""
    options: TargetOptions
    """Everything that the format's target needs beside the labels."""

    @property
    def target(self) -> TextTarget:
        """The functions that write the format; loaded when they are first used."""
        target: TextTarget = load(self.format.target)
        return target

    def sizes_needed(self, batch: Batch) -> Bool:
        """Return (u,) the data units whose size in pixels the format needs."""
        return self.target.sizes_needed(batch.annotations, batch.units, self.options)

    def reject_unrepresentable(self, batch: Batch) -> None:
        """Reject the labels that the format has no place for."""
        batch.annotations = self.representable(batch.annotations, batch.units, batch.problems)

    def representable(
        self, annotations: Annotations, units: DataUnits, problems: BatchProblems
    ) -> Annotations:
        """Return the annotations that the format can represent; reject the others."""
        return self.target.representable(annotations, units, self.options, problems)

    def write(self, batch: Batch, is_converted: Bool) -> Written:
        """Write the files where is_converted, (u,), is true; count what the format drops."""
        if batch.label_rows is not None:
            rows = _where(batch.label_rows, is_converted)
            if self.format.keeps_classifications:
                texts = write_label_rows(rows, batch.units, self.options)
                return Written(FileTexts.from_texts(text for text in texts if text is not None))
            batch.dropped.update(_count_answers(rows))
        labels = Labels.of_units(batch.units, batch.annotations, is_converted)
        written_labels = self.target.write(labels.annotations, labels.units, self.options)
        batch.converted.update(written_labels.converted)
        batch.dropped.update(written_labels.dropped)
        return written_labels


def _where(values: Sequence[Any], keep: Bool) -> list[Any]:
    return [value if keeps else None for value, keeps in zip(values, keep.tolist(), strict=True)]


def _count_answers(rows: Sequence[LabelRow | None]) -> Counter[str]:
    """Count the answers of label rows: annotations have no place for them."""
    answers = sum(sum(map(len, answers_of(row))) for row in rows if row is not None)
    return Counter({"answers": answers} if answers else {})
