"""A batch of labels between reading and writing, and the choice of files that are written.

The format of the sidecars and the format of the output are not known here.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from labelingest.columns.types import Bool, Int64
from labelingest.converter.class_keys import ClassKeys
from labelingest.converter.conversion import Counts
from labelingest.converter.options import OnRowError
from labelingest.encord.typed_rows import LabelRow
from labelingest.errors import SidecarError
from labelingest.model.annotations import Annotations
from labelingest.model.class_counts import ClassCounts
from labelingest.model.tally import Misfits, Tally
from labelingest.model.units import DataUnits
from labelingest.problems import Problem, ProblemCode, Severity
from labelingest.problems.of_batch import BatchProblems

__all__ = ["Batch", "select_files"]


class Batch(Struct, eq=False):
    """The labels of a batch of sidecars, with their problems and counts so far."""

    units: DataUnits
    """(u,) the data files."""
    annotations: Annotations
    problems: BatchProblems
    rows_seen: Int64
    """(u,) annotations and classifications of each sidecar, valid or not."""
    classifications: Int64
    """(u,) valid classifications of each sidecar."""
    label_rows: Sequence[LabelRow | None] | None = None
    """(u,) label rows as read; None where sidecars are no label rows."""
    converted: Counter[str] = field(default_factory=Counter)
    adjusted: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    refitted: Misfits = field(default_factory=Misfits)
    class_keys: ClassKeys | None = None
    """Classes of annotations; None where they are those of the ontology objects."""
    numbers: ClassCounts = field(default_factory=ClassCounts)
    """Class numbers that were read."""

    def counts(self) -> Counts:
        """Return what each file contains now."""
        annotations = np.bincount(self.annotations.unit, minlength=len(self.units))
        return Counts(self.rows_seen, annotations, self.classifications)

    def final_counts(self) -> Counts:
        """Return what each file contains now, with the counts by class."""
        feature = self.annotations.feature
        keys = self.class_keys or ClassKeys.of_objects(int(feature.max(initial=-1)) + 1)
        return replace(self.counts(), classes=keys.count(self.annotations))

    def keep(self, units: Bool) -> None:
        """Drop the labels of data units where units, (u,), is false."""
        self.annotations = self.annotations.of_units(units)
        self.classifications = np.where(units, self.classifications, 0)

    def row_tally(self, is_converted: Bool) -> Tally:
        """Count rows and failed files; the files where is_converted, (u,), is true are not counted.

        The caller counts converted files, once it is known that the output has taken them.
        """
        return Tally(
            failed_files=int((~is_converted).sum()),
            files_with_rejected_rows=len(+self.problems.rejected_in),
            rows_seen=int(self.rows_seen.sum()),
            rejected=+self.problems.rejected,
            converted=self.converted,
            adjusted=self.adjusted,
            dropped=self.dropped,
            refitted=self.refitted,
            classes=self.numbers,
        )


def select_files(batch: Batch, on_row_error: OnRowError, *, keeps_classifications: bool) -> Bool:
    """Select the files that get a label row; explain the others.

    Parameters
    ----------
    batch
        The labels that the output format can represent.
    on_row_error
        The cost of a rejected row.
    keeps_classifications
        Whether the output format has classifications.

    Returns
    -------
    is_converted
        (u,) whether each file gets a label row; the batch keeps only the labels of such files.

    Raises
    ------
    SidecarError
        A row was rejected, and that stops the run.
    """
    problems, units = batch.problems, batch.units
    if problems.flawed and on_row_error == OnRowError.STOP:
        # One file, so that the error does not depend on the other files of the batch.
        unit = min(problems.flawed)
        errors = [p for p in problems.in_order(unit) if p.severity is Severity.ERROR]
        raise SidecarError(errors, units.key[unit])
    is_converted = np.ones(len(units), dtype=bool)
    is_converted[list(problems.failed)] = False
    if on_row_error == OnRowError.SKIP_FILE and problems.flawed - problems.failed:
        return is_converted & _skip_flawed(batch)
    if not problems.rejected_in:
        return is_converted
    counts = batch.counts()
    remaining = counts.annotations + (counts.classifications if keeps_classifications else 0)
    has_rejected = np.zeros(len(units), dtype=bool)
    has_rejected[list(+problems.rejected_in)] = True
    for unit in np.flatnonzero(is_converted & has_rejected & (remaining == 0)).tolist():
        detail = (
            f"none of the {counts.seen[unit]} rows could be converted: what is written reads like "
            "an image labelled as empty (--on-row-error skip-file withholds it)"
        )
        problems.warn(unit, Problem(ProblemCode.NO_ROW_LEFT, units.sidecar[unit], detail))
    return is_converted


def _skip_flawed(batch: Batch) -> Bool:
    """Drop the valid rows of files with errors; return (u,) the files without errors."""
    problems, units = batch.problems, batch.units
    counts = batch.counts()
    valid = counts.annotations + counts.classifications
    without_errors = np.ones(len(units), dtype=bool)
    for unit in sorted(problems.flawed - problems.failed):
        without_errors[unit] = False
        rejected = problems.rejected_in[unit]
        why = f"{rejected} of {rejected + valid[unit]} rows were rejected"
        detail = f"{why if rejected else 'its labels have errors'}, so the file is skipped as a whole: no label row"
        count = max(int(valid[unit]), 1)
        problems.warn(
            unit, Problem(ProblemCode.FILE_SKIPPED, units.sidecar[unit], detail, count=count)
        )
    problems.rejected[ProblemCode.FILE_SKIPPED] += int(valid[~without_errors].sum())
    batch.keep(without_errors)
    return without_errors
