"""A batch between reading and writing, whatever the format; and which of its files are written."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from labelingest.columns.types import Bool, Int64
from labelingest.converter.options import Counts, OnRowError
from labelingest.encord.typed_rows import LabelRow
from labelingest.errors import SidecarError
from labelingest.model.annotations import Annotations
from labelingest.model.tally import Misfits, Tally
from labelingest.model.units import DataUnits
from labelingest.problems import Problem, ProblemCode, Severity
from labelingest.problems.of_batch import BatchProblems

__all__ = ["Batch", "settle"]


@dataclass(slots=True, eq=False)
class Batch:
    """The labels of a batch of sidecars, with what was found and counted so far."""

    units: DataUnits
    """(u,) the data files."""
    annotations: Annotations
    findings: BatchProblems
    rows_seen: Int64
    """(u,) rows of each sidecar: annotations and classifications, good or not."""
    classifications: Int64
    """(u,) classifications of each sidecar that are kept."""
    label_rows: Sequence[LabelRow | None] | None = None
    """(u,) what was read, where sidecars are label rows; None for other formats."""
    converted: Counter[str] = field(default_factory=Counter)
    adjusted: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    refitted: Misfits = field(default_factory=Misfits)

    def counts(self) -> Counts:
        """Return what each file holds now."""
        annotations = np.bincount(self.annotations.unit, minlength=len(self.units))
        return Counts(self.rows_seen, annotations, self.classifications)

    def keep(self, units: Bool) -> None:
        """Drop the labels of all data units but those where units, (u,), is true."""
        self.annotations = self.annotations.of_units(units)
        self.classifications = np.where(units, self.classifications, 0)

    def tally(self, written: Bool) -> Tally:
        """Count the batch; written, (u,), are the files that get a label row."""
        return Tally(
            label_rows=int(written.sum()),
            empty_label_rows=int((written & (self.rows_seen == 0)).sum()),
            failed_files=int((~written).sum()),
            files_with_rejected_rows=len(+self.findings.rejected_in),
            rows_seen=int(self.rows_seen.sum()),
            annotations=int(self.counts().annotations.sum()),
            classifications=int(self.classifications.sum()),
            rejected=+self.findings.rejected,
            converted=self.converted,
            adjusted=self.adjusted,
            dropped=self.dropped,
            refitted=self.refitted,
        )


def settle(batch: Batch, on_row_error: str, *, classified: bool) -> Bool:
    """Decide which files get a label row, and say so of those that do not.

    Parameters
    ----------
    batch
        The labels that the format has a place for.
    on_row_error
        One of `OnRowError`.
    classified
        Whether the format has a place for classifications.

    Returns
    -------
    written
        (u,) whether a file gets one; the batch keeps only the labels of those.

    Raises
    ------
    SidecarError
        A row was rejected, and that is to stop the run.
    """
    findings, units = batch.findings, batch.units
    if findings.flawed and on_row_error == OnRowError.STOP:
        # One file, so that what is said does not depend on what came in its batch.
        unit = min(findings.flawed)
        problems = findings.in_order(unit)
        errors = [problem for problem in problems if problem.severity is Severity.ERROR]
        raise SidecarError(errors, units.key[unit])
    written = np.ones(len(units), dtype=bool)
    written[list(findings.failed)] = False
    if on_row_error == OnRowError.SKIP_FILE and findings.flawed - findings.failed:
        return written & _without_flawed(batch)
    counts = batch.counts()
    kept = counts.annotations + (counts.classifications if classified else 0)
    lost = np.zeros(len(units), dtype=bool)
    lost[list(+findings.rejected_in)] = True
    for unit in np.flatnonzero(written & lost & (kept == 0)).tolist():
        detail = (
            f"none of the {counts.seen[unit]} rows could be converted: what is written reads like "
            "an image labelled as empty (--on-row-error skip-file withholds it)"
        )
        findings.warn(unit, Problem(ProblemCode.NO_ROW_LEFT, units.sidecar[unit], detail))
    return written


def _without_flawed(batch: Batch) -> Bool:
    """Drop the good rows of files with errors; return (u,) the files without."""
    findings, units = batch.findings, batch.units
    counts = batch.counts()
    kept = counts.annotations + counts.classifications
    clean = np.ones(len(units), dtype=bool)
    for unit in sorted(findings.flawed - findings.failed):
        clean[unit] = False
        rejected = findings.rejected_in[unit]
        why = f"{rejected} of {rejected + kept[unit]} rows were rejected"
        detail = f"{why if rejected else 'its labels have errors'}, so the file is skipped as a whole: no label row"
        count = max(int(kept[unit]), 1)
        findings.warn(
            unit, Problem(ProblemCode.FILE_SKIPPED, units.sidecar[unit], detail, count=count)
        )
    findings.rejected[ProblemCode.FILE_SKIPPED] += int(kept[~clean].sum())
    batch.keep(clean)
    return clean
