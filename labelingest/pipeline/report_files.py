"""The report of a run, and the files beside the labels: report, problems, failed files.

The files are opened before the work, so that no work is lost to a file that cannot be written. They
appear when the run ends well.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from io import TextIOWrapper
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from labelingest.formats import source_format, target_format
from labelingest.model.class_table import class_table
from labelingest.model.failed_files import FailedFiles
from labelingest.model.kinds import kind_of
from labelingest.model.ontology import Ontology
from labelingest.model.pairs import Outcome
from labelingest.pairing.rules import PatternRule, SuffixRule
from labelingest.pipeline.discover import Paired, output_guard, outputs_of
from labelingest.problems.log import ProblemLog
from labelingest.report import Report
from labelingest.resolution.class_map import ClassMapping

if TYPE_CHECKING:
    from labelingest.config import IngestConfig

__all__ = ["new_report", "open_report_files"]


def new_report(
    config: "IngestConfig",
    ontology: Ontology,
    mapping: ClassMapping | None,
    paired: Paired,
    url: str,
) -> Report:
    """Return the report of a run before its first batch.

    Parameters
    ----------
    config
        The configuration of the run.
    ontology, mapping
        The ontology, and the class numbers; None where no class numbers are read or written.
    paired
        The folder.
    url
        URL of the storage path.
    """
    rule = paired.rule
    outcome = paired.pairs.outcome
    unlabelled = paired.listing.keys.take(np.flatnonzero(outcome == Outcome.UNLABELLED))
    kinds = Counter(kind.value for key in unlabelled if (kind := kind_of(key)) is not None)
    return Report(
        storage_url=url,
        ontology=ontology.title or str(config.ontology),
        namespace=mapping.namespace.name if mapping and mapping.namespace else None,
        notices=mapping.namespace.notices() if mapping and mapping.namespace else (),
        classes=class_table(
            ontology,
            mapping.class_map if mapping else None,
            has_numbers=source_format(paired.format).needs_class_numbers,
        ),
        format=paired.format,
        to=target_format(config.to).name,
        images=rule.images if isinstance(rule, PatternRule) else (),
        labels=rule.labels if isinstance(rule, PatternRule) else "",
        suffix=rule.suffix if isinstance(rule, SuffixRule) else None,
        recognised=bool(paired.recognised),
        out=config.storage_path if config.beside else config.out,
        keys_seen=len(paired.listing),
        places_not_listed=len(paired.listing.hiding),
        keys=paired.pairs.counts(),
        unlabelled=dict(sorted(kinds.items())),
    )


@contextmanager
def open_report_files(
    config: "IngestConfig", report: Report, paired: Paired, mapping: ClassMapping | None
) -> Iterator[None]:
    """Open the files of a report for a block; log the problems before the first batch.

    The block runs the jobs. The report is written after it, unless the block fails.

    Parameters
    ----------
    config
        Names the files.
    report
        Gets a log that writes problems and failed files.
    paired, mapping
        The folder and the class numbers, with their problems.
    """
    with ExitStack() as stack:
        files = _open(config, paired, stack)
        report.log = _problem_log(files, stack)
        report.log.add(mapping.problems if mapping else (), {})
        report.log.add(report.class_lists.problems, {})
        lists = report.log.files
        report.log.add(paired.listing.problems, {})
        report.log.add(paired.pairs.problems, {})
        not_paired = report.log.files - lists
        report.early_failed = FailedFiles(report.log.files, not_paired, class_lists=lists)
        yield
        if "report" in files:
            files["report"].write(report.to_json())


def _open(config: "IngestConfig", paired: Paired, stack: ExitStack) -> dict[str, BinaryIO]:
    """Return the files by their fields of the configuration.

    What the labels would replace is looked at again: the listing may have taken an hour.
    """
    guard = output_guard(config, paired.storage)
    guard.admit(*outputs_of(config).values())
    return {
        name: stack.enter_context(guard.open(output))
        for name, output in outputs_of(config).items()
        if name != "out"
    }


def _problem_log(files: Mapping[str, BinaryIO], stack: ExitStack) -> ProblemLog:
    failed = None
    if "failed_csv" in files:
        binary = files["failed_csv"]
        failed = TextIOWrapper(binary, "utf-8", "backslashreplace", newline="", write_through=True)
        stack.callback(_detach, failed)
    return ProblemLog(files.get("problems"), failed)


def _detach(text: TextIOWrapper) -> None:
    """Leave the file to `whole_file`, which reports a failed write if nothing else failed."""
    with suppress(OSError):
        text.detach()
