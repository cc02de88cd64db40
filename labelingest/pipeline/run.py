"""Converting and checking a folder: what users call, from the configuration to the report."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from io import TextIOWrapper
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from labelingest.assembly.bench import AssemblyOptions
from labelingest.config import IngestConfig
from labelingest.converter import Converter, LabelFormat, needs_class_numbers
from labelingest.errors import ConfigError, SidecarError
from labelingest.model.kinds import kind_of
from labelingest.model.ontology import ClassMap, Ontology
from labelingest.model.pairs import Outcome
from labelingest.model.tally import Tally
from labelingest.pairing.rules import PatternRule, SuffixRule
from labelingest.pipeline.folder import Paired, given_rule, pair_folder, refuse_nothing
from labelingest.pipeline.jobs import Job, JobResult, Worker, jobs
from labelingest.pipeline.progress import Progress
from labelingest.readers.yolo import YoloOptions
from labelingest.report import ProblemLog, Report
from labelingest.resolution.class_map import ClassMapping, make_class_map
from labelingest.resolution.ontology_json import load_ontology
from labelingest.sinks import check_output, expected_name, open_sink
from labelingest.sinks.base import Sink
from labelingest.storage.atomic import whole_file
from labelingest.writers.encord_json import WriterOptions
from labelingest.writers.yolo import class_numbers

__all__ = ["check", "convert"]


def convert(config: IngestConfig, *, progress: Callable[[Progress], None] | None = None) -> Report:
    """Convert a folder and write its label rows to `config.out`.

    Raises
    ------
    ConfigError, OntologyError
        Before any sidecar is read: the configuration, ontology or class map cannot be used, or
        nothing pairs.
    StorageError
        The folder cannot be listed or the output not written; no output is left then.
    SidecarError
        `on_row_error` is "stop" and a row was rejected; no output is left then.
    """
    if config.out is None:
        raise ConfigError(f"out is missing: {expected_name(config.to)} (check needs none)")
    check_output(config.to, config.out)
    return _run(config, progress)


def check(config: IngestConfig, *, progress: Callable[[Progress], None] | None = None) -> Report:
    """Find every problem of a folder; the same as `convert`, but nothing is written."""
    return _run(config.model_copy(update={"out": None}), progress)


def _run(config: IngestConfig, progress: Callable[[Progress], None] | None) -> Report:
    started = perf_counter()
    ontology = load_ontology(Path(config.ontology))
    mapping = None
    # What is wrong with classes and patterns is said before a long listing.
    if isinstance(given_rule(config), PatternRule) or needs_class_numbers(config.format, config.to):
        mapping = make_class_map(ontology, namespace=config.namespace, overrides=config.map)
    paired = pair_folder(config, progress=progress)
    refuse_nothing(paired, config)
    if mapping is None and needs_class_numbers(paired.format, config.to):
        mapping = make_class_map(ontology, namespace=config.namespace, overrides=config.map)
    converter = _converter(config, ontology, mapping, paired)
    report = _new_report(config, ontology, mapping, paired, converter.writer.storage_url)
    sink = _sink(config, converter)
    report.seconds["list and pair"] = perf_counter() - started
    started = perf_counter()
    stopped = None
    with ExitStack() as files:
        # Opened before the work, so that it is not done in vain.
        report_file = config.report and files.enter_context(whole_file(Path(config.report)))
        report.log = _problem_log(config, files)
        _first_problems(report, mapping, paired)
        work = Worker(paired.storage, converter)
        try:
            with sink or nullcontext() as put:
                accepted = _accepted(jobs(paired, config.batch_bytes), put, report)
                _collect(map(work, accepted), put, report, len(paired.pairs), progress)
        except SidecarError as error:
            # Label rows are not kept, what is wrong is.
            stopped = error
            report.log.add(error.problems, {error.problems[0].source: error.data_file})
            report.stopped, report.out, report.tally = True, None, Tally()
        report.seconds["convert"] = perf_counter() - started
        if report_file:
            report_file.write(report.to_json())
    if stopped is not None:
        raise stopped
    return report


def _accepted(found: Iterator[Job], sink: Sink | None, report: Report) -> Iterator[Job]:
    """Leave out the data files whose label rows the sink cannot hold."""
    for job in found:
        refused = {} if sink is None else sink.refused(job.data)
        if refused:
            report.log.add(list(refused.values()), {})
            report.tally.failed_files += len(refused)
        kept = job.without(refused)
        if kept.data:
            yield kept


def _collect(
    results: Iterator[JobResult],
    sink: Sink | None,
    report: Report,
    pairs: int,
    progress: Callable[[Progress], None] | None,
) -> None:
    """Take results in order: label rows to the sink, the rest to the report."""
    if progress is not None:
        progress(Progress("convert", 0, pairs))
    for result in results:
        problems, tally = result.problems, result.tally
        refused = sink.put(result.made) if sink is not None else []
        if refused:
            result.uncount([position for position, _ in refused])
            problems = [*problems, *(problem for _, problem in refused)]
        report.log.add(problems, result.data_files)
        report.tally.merge(tally)
        if progress is not None:
            total = report.tally
            done = total.label_rows + total.failed_files
            progress(Progress("convert", done, pairs, total.rows_seen))


def _converter(
    config: IngestConfig, ontology: Ontology, mapping: ClassMapping | None, paired: Paired
) -> Converter:
    if paired.format == LabelFormat.ENCORD:
        config.refuse_options_of_yolo()
    url = config.storage_url or paired.storage.url
    return Converter(
        ontology,
        mapping.class_map if mapping else ClassMap.empty(),
        WriterOptions(url, config.created_by, config.dataset_title),
        format=paired.format,
        **_options(config),
    )


def _sink(config: IngestConfig, converter: Converter) -> Sink | None:
    if config.out is None:
        return None
    return open_sink(
        config.to,
        config.out,
        ontology=converter.ontology,
        storage_url=converter.writer.storage_url,
        numbers=class_numbers(converter.class_map, converter.ontology.objects),
    )


def _options(config: IngestConfig) -> dict[str, Any]:
    """Return the converter's options that a configuration asks for."""
    return {
        "yolo": YoloOptions(config.row_layout, config.kpt_shape),
        "assembly": AssemblyOptions(
            out_of_range=config.out_of_range,
            reject_shape_mismatch=config.on_shape_mismatch == "reject",
            drop_duplicates=config.duplicate_rows == "drop",
            warn_misfit=config.warn_misfit,
        ),
        "on_row_error": config.on_row_error,
        "image_sizes": config.image_sizes,
        "to": config.to,
        "yolo_layout": config.yolo_layout,
        "yolo_confidence": config.yolo_confidence,
    }


def _new_report(
    config: IngestConfig,
    ontology: Ontology,
    mapping: ClassMapping | None,
    paired: Paired,
    url: str,
) -> Report:
    rule = paired.rule
    outcome = paired.pairs.outcome
    unlabelled = paired.listing.keys.take(np.flatnonzero(outcome == Outcome.UNLABELLED))
    kinds = Counter(kind.value for key in unlabelled if (kind := kind_of(key)) is not None)
    return Report(
        storage_url=url,
        ontology=ontology.title or str(config.ontology),
        namespace=mapping.namespace.name if mapping and mapping.namespace else None,
        format=paired.format,
        to=config.to,
        images=rule.images if isinstance(rule, PatternRule) else (),
        labels=rule.labels if isinstance(rule, PatternRule) else "",
        suffix=rule.suffix if isinstance(rule, SuffixRule) else None,
        recognised=bool(paired.recognised),
        out=config.out,
        keys_seen=len(paired.listing),
        keys=paired.pairs.counts(),
        unlabelled=dict(sorted(kinds.items())),
    )


def _problem_log(config: IngestConfig, stack: ExitStack) -> ProblemLog:
    """Open the files that problems go to; they appear when the run ends well."""
    lines = failed = None
    if config.problems is not None:
        lines = stack.enter_context(whole_file(Path(config.problems)))
    if config.failed_csv is not None:
        binary = stack.enter_context(whole_file(Path(config.failed_csv)))
        failed = TextIOWrapper(binary, "utf-8", "backslashreplace", newline="", write_through=True)
        stack.callback(failed.detach)
    return ProblemLog(lines, failed)


def _first_problems(report: Report, mapping: ClassMapping | None, paired: Paired) -> None:
    """Log what was found before the first batch."""
    report.log.add(mapping.problems if mapping else (), {})
    report.log.add(paired.listing.problems, {})
    report.log.add(paired.pairs.problems, {})
