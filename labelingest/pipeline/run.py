"""Converting and checking a folder: what users call, from the configuration to the report."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any, BinaryIO

import numpy as np

from labelingest.assembly.context import AssemblyOptions, OutOfRange
from labelingest.config import IngestConfig
from labelingest.converter import Converter, needs_class_numbers
from labelingest.engines import check_engine
from labelingest.engines.base import Engine
from labelingest.errors import ConfigError, SidecarError
from labelingest.formats import source_format, target_format
from labelingest.formats.output_names import check_output, expected_name
from labelingest.model.kinds import kind_of
from labelingest.model.ontology import ClassMap, Ontology
from labelingest.model.pairs import Outcome
from labelingest.model.tally import Tally
from labelingest.pairing.rules import PatternRule, SuffixRule
from labelingest.pipeline.choose_engine import Engines
from labelingest.pipeline.discover import (
    Paired,
    output_guard,
    outputs_of,
    pair_folder,
    refuse_empty,
)
from labelingest.pipeline.from_config import output_target, pairing_rule
from labelingest.pipeline.loop import Books, Output, work_off
from labelingest.pipeline.resume import Kept, keep_work, subject_of
from labelingest.pipeline.worker import Worker, jobs
from labelingest.problems.log import ProblemLog
from labelingest.progress import Progress
from labelingest.readers.yolo.layouts import YoloOptions
from labelingest.report import Report
from labelingest.resolution.class_map import ClassMapping, make_class_map
from labelingest.resolution.ontology_json import load_ontology
from labelingest.sinks import open_sink, packing_of, resume_sink
from labelingest.sinks.base import ResumableSink
from labelingest.stopwatch import OFF, Stage, Stopwatch
from labelingest.writers.target import WriterOptions

__all__ = ["Prepared", "check", "convert", "convert_pairs", "make_converter", "prepare"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything that is known before the first label file is read."""

    paired: Paired
    converter: Converter
    mapping: ClassMapping | None
    """What class numbers mean, where any are read or written."""
    report: Report
    """Still empty."""


def convert(
    config: IngestConfig,
    *,
    progress: Callable[[Progress], None] | None = None,
    executor: Executor | None = None,
) -> Report:
    """Convert a folder and write its label rows to `config.out`.

    Parameters
    ----------
    config
        What to convert, to what, and how.
    progress
        Told how far the run is.
    executor
        Does the batches instead of processes of its own: anything with the interface of
        `concurrent.futures.Executor`, as Dask's `Client.get_executor()`. `config.workers` says how
        many workers it has; it is not shut down.

    Raises
    ------
    ConfigError, OntologyError
        Before any sidecar is read: the configuration, ontology or class map cannot be used, or
        nothing pairs.
    StorageError
        The folder cannot be listed or the output not written, or another run writes it.
    EngineError
        Workers cannot be started, or are lost again and again.
    SidecarError
        `on_row_error` is "stop" and a row was rejected; no output is left then.

    An exception whose notes say how many files are done leaves an unfinished output beside, and the
    same call goes on with it.
    """
    if config.out is None:
        expected = expected_name(target_format(config.to))
        raise ConfigError(f"out is missing: {expected} (check needs none)")
    check_output(target_format(config.to), config.out, config.shard_rows)
    return _run(config, progress, executor)


def check(
    config: IngestConfig,
    *,
    progress: Callable[[Progress], None] | None = None,
    executor: Executor | None = None,
) -> Report:
    """Find every problem of a folder; the same as `convert`, but nothing is written."""
    return _run(config.model_copy(update={"out": None}), progress, executor)


def _run(
    config: IngestConfig,
    progress: Callable[[Progress], None] | None,
    executor: Executor | None,
) -> Report:
    started = perf_counter()
    if config.engine is not None:
        if executor is not None:
            raise ConfigError(
                "engine and executor: both would do the work; leave out one of the two"
            )
        check_engine(config.engine)
    with Engines(config, executor) as engines:
        ready = prepare(config, progress=progress, on_listed=engines.on_listed)
        pairs = len(ready.paired.pairs)
        ready.report.seconds["list and pair"] = perf_counter() - started
        books = Books(ready.report, pairs, progress)
        _convert(config, ready, engines.engine(pairs), books)
    return ready.report


def prepare(
    config: IngestConfig,
    *,
    progress: Callable[[Progress], None] | None = None,
    on_listed: Callable[[int], None] | None = None,
    watch: Stopwatch = OFF,
) -> Prepared:
    """Load the ontology, list and pair the folder.

    Parameters
    ----------
    config
        What is run.
    progress, on_listed
        Receive the number of listed files.
    watch
        Told which stage is on.

    Raises
    ------
    ConfigError, OntologyError, StorageError
        As `convert` raises them.
    """
    ontology = load_ontology(Path(config.ontology))
    rule = pairing_rule(config)
    mapping = None
    # What is wrong with classes and patterns is said before a long listing.
    if isinstance(rule, PatternRule) or needs_class_numbers(config.format, config.to):
        mapping = make_class_map(ontology, namespace=config.namespace, overrides=config.map)
    paired = pair_folder(config, rule, progress=progress, on_listed=on_listed, stopwatch=watch)
    refuse_empty(paired, config)
    if mapping is None and needs_class_numbers(paired.format, config.to):
        mapping = make_class_map(ontology, namespace=config.namespace, overrides=config.map)
    url = config.storage_url or paired.storage.url
    converter = make_converter(config, ontology, mapping, paired.format, url)
    report = _new_report(config, ontology, mapping, paired, converter.writer.storage_url)
    return Prepared(paired, converter, mapping, report)


def _convert(config: IngestConfig, ready: Prepared, engine: Engine, books: Books) -> None:
    """Convert what is paired; write the report, the problems and the failed files."""
    started = perf_counter()
    report = ready.report
    stopped = None
    with ExitStack() as files:
        # Opened before the work, so that it is not done in vain.
        opened = _opened(config, ready.paired, files)
        report_file = opened.get("report")
        report.log = _problem_log(opened, files)
        _first_problems(report, ready.mapping, ready.paired)
        try:
            convert_pairs(config, ready.paired, ready.converter, engine, books)
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


def convert_pairs(
    config: IngestConfig,
    paired: Paired,
    converter: Converter,
    engine: Engine,
    books: Books,
    watch: Stopwatch = OFF,
) -> None:
    """Do all jobs of a folder, or those that an interrupted run has left.

    Parameters
    ----------
    config, paired, converter
        What is converted, how, and where to.
    engine
        Does the jobs; in this process where they are measured.
    books
        Takes what became of each job.
    watch
        Told which stage is on.
    """
    out = config.out
    format = target_format(config.to)
    pack = packing_of(format, out, config.shard_rows)
    worker = Worker(paired.storage, converter, pack, watch, discards=out is None)
    found = jobs(paired, config.batch_bytes, worker.alone)
    if out is None:
        work_off(found, engine, worker, Output(None), books)
    elif not format.is_resumable:
        # Opening and closing is the output's time, what happens between is not.
        with (
            watch.stage(Stage.OUTPUT),
            open_sink(output_target(config, converter)) as sink,
            watch.stage(Stage.BOOKS),
        ):
            work_off(found, engine, worker, Output(sink, watch=watch), books)
    else:
        subject = subject_of(config, paired)
        with keep_work(config, out, subject, len(paired.pairs)) as kept:
            resumable = _go_on(kept, config, converter, subject)
            for done in kept.done:
                books.add(done)
            books.before = kept.files
            rest = islice(found, len(kept.done), None)
            output = Output(resumable, (kept, resumable), watch)
            with watch.stage(Stage.OUTPUT), resumable, watch.stage(Stage.BOOKS):
                work_off(rest, engine, worker, output, books)


def _go_on(kept: Kept, config: IngestConfig, converter: Converter, subject: str) -> ResumableSink:
    """Return the sink that goes on with what is kept, or starts anew where it is gone."""
    target = output_target(config, converter)
    sink = resume_sink(target, kept.unfinished)
    good = sink.good_marks([done.tally.label_rows for done in kept.done])
    if good == len(kept.done):
        return sink
    before = kept.files
    kept.keep(good) if good else kept.forget(subject)
    _log.warning(
        "of the unfinished output, %s files are as they were written, of %s: the others are done again",
        f"{kept.files:,}",
        f"{before:,}",
    )
    return resume_sink(target, kept.unfinished)


def make_converter(
    config: IngestConfig,
    ontology: Ontology,
    mapping: ClassMapping | None,
    format: str,
    url: str,
) -> Converter:
    """Make the converter that a configuration asks for.

    Parameters
    ----------
    config
        Its options.
    ontology, mapping
        What labels mean; no mapping where no class numbers are read or written.
    format
        Of the sidecars.
    url
        Of the storage path: identifiers and links are made from it.

    Raises
    ------
    ConfigError
        Options of YOLO are given, and the sidecars are Encord label rows.
    """
    config.refuse_options_of_others(source_format(format))
    return Converter(
        ontology,
        mapping.class_map if mapping else ClassMap.empty(),
        WriterOptions(url, config.created_by, config.dataset_title),
        format=format,
        **_options(config),
    )


def _options(config: IngestConfig) -> dict[str, Any]:
    """Return the converter's options that a configuration asks for."""
    return {
        "yolo": YoloOptions(config.row_layout, config.kpt_shape),
        "assembly": AssemblyOptions(
            out_of_range=OutOfRange(config.out_of_range),
            reject_shape_mismatch=config.on_shape_mismatch == "reject",
            drop_duplicates=config.duplicate_rows == "drop",
            warn_misfit=config.warn_misfit,
        ),
        "on_row_error": config.on_row_error,
        "max_label_bytes": config.max_label_bytes,
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
        places_not_listed=len(paired.listing.hiding),
        keys=paired.pairs.counts(),
        unlabelled=dict(sorted(kinds.items())),
    )


def _opened(config: IngestConfig, paired: Paired, stack: ExitStack) -> dict[str, BinaryIO]:
    """Open the files beside the labels; they appear when the run ends well."""
    guard = output_guard(config, paired.storage)
    return {
        name: stack.enter_context(guard.open(output))
        for name, output in outputs_of(config).items()
        if name != "out"
    }


def _problem_log(opened: Mapping[str, BinaryIO], stack: ExitStack) -> ProblemLog:
    failed = None
    if "failed_csv" in opened:
        binary = opened["failed_csv"]
        failed = TextIOWrapper(binary, "utf-8", "backslashreplace", newline="", write_through=True)
        stack.callback(_detach, failed)
    return ProblemLog(opened.get("problems"), failed)


def _detach(text: TextIOWrapper) -> None:
    """Leave the file to `whole_file`, which says what cannot be written if nothing else failed."""
    with suppress(OSError):
        text.detach()


def _first_problems(report: Report, mapping: ClassMapping | None, paired: Paired) -> None:
    """Log what was found before the first batch."""
    report.log.add(mapping.problems if mapping else (), {})
    report.log.add(paired.listing.problems, {})
    report.log.add(paired.pairs.problems, {})
