"""Convert or check a folder: from the configuration to the report.

1. `prepare`: read the configuration, list and pair the folder;
2. `convert_pairs`: convert what is paired, batch by batch, and put the labels;
3. write the report and the files beside the labels.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from itertools import chain, islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from labelingest.converter import Converter, needs_class_numbers
from labelingest.engines.base import Engine
from labelingest.errors import ConfigError, SidecarError
from labelingest.formats import source_format, target_format
from labelingest.formats.output_names import check_output, expected_name
from labelingest.model.tally import Tally
from labelingest.pairing.rules import PatternRule
from labelingest.pipeline.choose_engine import Engines, check_engines
from labelingest.pipeline.class_lists import compare_class_lists, refuse_disagreeing
from labelingest.pipeline.discover import Paired, pair_folder, refuse_empty
from labelingest.pipeline.fetched_files import FetchedFile
from labelingest.pipeline.from_config import make_converter, output_target, pairing_rule
from labelingest.pipeline.loop import JournaledSink, RunTotals, run_jobs
from labelingest.pipeline.report_files import new_report, open_report_files
from labelingest.pipeline.resume import ResumableRun, resume_or_start, run_fingerprint
from labelingest.pipeline.row_layout import FolderLayout, find_layout
from labelingest.pipeline.unlabelled import cut_unlabelled_jobs
from labelingest.pipeline.worker import Job, Worker, cut_jobs
from labelingest.progress import Progress
from labelingest.report import Report
from labelingest.resolution.class_map import ClassMapping, make_class_map
from labelingest.resolution.numbers_from_one import warn_of_numbers_from_one
from labelingest.resolution.ontology_json import load_ontology
from labelingest.sinks import open_sink, resume_sink
from labelingest.sinks.base import OutputTarget, ResumableSink
from labelingest.stopwatch import OFF, Stage, Stopwatch

if TYPE_CHECKING:
    from labelingest.config import IngestConfig

__all__ = ["Prepared", "check", "convert", "convert_pairs", "prepare"]

_MANY: Final = 500_000
"""Keys of a listing beyond which pairing leaves tens of megabytes that the conversion has no use for."""
_log = logging.getLogger(__name__)


class Prepared(Struct, frozen=True, eq=False):
    """Everything that is known before the first label file is read."""

    paired: Paired
    converter: Converter
    target: OutputTarget | None
    """The output; None where labels are checked and not written."""
    mapping: ClassMapping | None
    """Class numbers; None where none are read or written."""
    report: Report
    """The report, still without problems and counts."""
    layout: FolderLayout
    """Row layout of the label files, with the contents that were fetched to decide it."""


def convert(
    config: "IngestConfig",
    *,
    progress: Callable[[Progress], None] | None = None,
    executor: Executor | None = None,
) -> Report:
    """Convert a folder and write its label rows to `config.out`.

    Parameters
    ----------
    config
        The folder, the output, and the options.
    progress
        Receives the progress of the run.
    executor
        Converts the batches instead of own processes: anything with the interface of
        `concurrent.futures.Executor`, as Dask's `Client.get_executor()`. `config.workers` gives the
        number of its workers; it is not shut down.

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
    same call resumes it.
    """
    if config.beside:
        _refuse_places(config)
        return _run(config, progress, executor)
    if config.out is None:
        expected = expected_name(target_format(config.to))
        raise ConfigError(
            f"out is missing: {expected}; labelingest check writes no label rows and needs no --out"
        )
    check_output(target_format(config.to), config.out, config.shard_rows)
    return _run(config, progress, executor)


def _refuse_places(config: "IngestConfig") -> None:
    """Refuse another place for label rows that are written beside their data files."""
    for name in ("out", "shard_rows"):
        if getattr(config, name) is not None:
            raise ConfigError(
                f"beside and {name} contradict each other: label rows go beside their data files, or "
                f"to a place of their own; leave out one of the two"
            )


def check(
    config: "IngestConfig",
    *,
    progress: Callable[[Progress], None] | None = None,
    executor: Executor | None = None,
) -> Report:
    """Find every problem of a folder, as `convert` does, without writing labels."""
    return _run(config.model_copy(update={"out": None, "beside": False}), progress, executor)


def _run(
    config: "IngestConfig",
    progress: Callable[[Progress], None] | None,
    executor: Executor | None,
) -> Report:
    started = perf_counter()
    check_engines(config, executor)
    with Engines(config, executor) as engines:
        engines.on_listed(0)
        prepared = prepare(config, progress=progress, on_listed=engines.on_listed)
        if prepared.target is not None:
            refuse_disagreeing(prepared.report.class_lists)
        pairs = len(prepared.paired.pairs)
        prepared.report.seconds["list and pair"] = perf_counter() - started
        totals = RunTotals(prepared.report, pairs, progress)
        _convert(config, prepared, engines.engine(pairs), totals)
    return prepared.report


def prepare(
    config: "IngestConfig",
    *,
    progress: Callable[[Progress], None] | None = None,
    on_listed: Callable[[int], None] | None = None,
    stopwatch: Stopwatch = OFF,
) -> Prepared:
    """Read the configuration, load the ontology, list and pair the folder.

    Parameters
    ----------
    config
        The configuration of the run.
    progress, on_listed
        Receive the number of listed files.
    stopwatch
        Measures the stages before the first batch.

    Raises
    ------
    ConfigError, OntologyError, StorageError
        As `convert` raises them.
    """
    ontology = load_ontology(Path(config.ontology))
    rule = pairing_rule(config)
    mapping = None
    # Errors in classes and patterns are reported before a long listing.
    if isinstance(rule, PatternRule) or needs_class_numbers(config.format, config.to):
        mapping = make_class_map(ontology, namespace=config.namespace, overrides=config.map)
    paired = pair_folder(config, rule, progress=progress, on_listed=on_listed, stopwatch=stopwatch)
    refuse_empty(paired, config)
    if config.beside and source_format(paired.format) == target_format(config.to):
        raise ConfigError(
            "beside: the label files are label rows beside their data files already; leave out "
            "--beside, and give --out for a copy that is checked"
        )
    if mapping is None and needs_class_numbers(paired.format, config.to):
        mapping = make_class_map(ontology, namespace=config.namespace, overrides=config.map)
    url = config.storage_url or paired.storage.url
    with stopwatch.stage(Stage.SAMPLE):
        class_lists = compare_class_lists(config, paired, ontology, mapping)
        layout = find_layout(config, paired, ontology, mapping, class_lists.settings)
    if len(paired.listing) > _MANY:
        from labelingest.allocator import give_back_memory

        give_back_memory()
    converter = make_converter(config, ontology, mapping, paired.format, url, layout.options)
    report = new_report(config, ontology, mapping, paired, converter.writer.storage_url)
    report.class_lists, report.layout = class_lists, layout.as_dict()
    target = output_target(config, converter, paired.storage, len(paired.pairs))
    return Prepared(paired, converter, target, mapping, report=report, layout=layout)


def _convert(config: "IngestConfig", prepared: Prepared, engine: Engine, totals: RunTotals) -> None:
    """Convert what is paired; write the report, the problems and the failed files."""
    started = perf_counter()
    report = prepared.report
    stopped = None
    with open_report_files(config, report, prepared.paired, prepared.mapping):
        try:
            convert_pairs(
                config,
                prepared.paired,
                prepared.converter,
                prepared.target,
                engine,
                totals=totals,
                fetched=prepared.layout.fetched,
            )
            _warn_of_numbers_from_one(report)
        except SidecarError as error:
            # Label rows are dropped, the problems are reported.
            stopped = error
            report.log.add(error.problems, {error.problems[0].source: error.data_file})
            report.stopped, report.out, report.tally = True, None, Tally()
        report.seconds["convert"] = perf_counter() - started
    if stopped is not None:
        raise stopped


def _warn_of_numbers_from_one(report: Report) -> None:
    named = report.class_lists.named_numbers
    problems = warn_of_numbers_from_one(report.classes, report.tally.classes, named_numbers=named)
    report.log.add(problems, {})


def convert_pairs(
    config: "IngestConfig",
    paired: Paired,
    converter: Converter,
    target: OutputTarget | None,
    engine: Engine,
    *,
    totals: RunTotals,
    fetched: dict[str, FetchedFile] | None = None,
    stopwatch: Stopwatch = OFF,
) -> None:
    """Run all jobs of a folder, or the jobs that an interrupted run has left.

    Parameters
    ----------
    config, paired, converter
        The configuration, the folder, and the converter.
    target
        The output; None to write nothing.
    engine
        Runs the jobs, in this process where they are measured.
    totals
        Takes the result of each job.
    fetched
        Contents of sidecars that were fetched before; each is removed when its job is cut.
    stopwatch
        Measures the stages.
    """
    worker = Worker(paired.storage, converter, stopwatch=stopwatch, discards=target is None)
    jobs = cut_jobs(paired, config.batch_bytes, worker.most_shared_bytes, fetched)
    if config.unlabelled == "include":
        jobs = chain(jobs, cut_unlabelled_jobs(paired))
    plan = _Plan(jobs, None if target is None else target.shard_rows, engine, len(paired.pairs))
    if target is None:
        run_jobs(jobs, engine, worker, JournaledSink(None), totals)
    elif not target.is_resumable:
        # Opening and closing is the output's time, the time between is not.
        with (
            stopwatch.stage(Stage.OUTPUT),
            open_sink(target) as sink,
            stopwatch.stage(Stage.BOOKS),
        ):
            output = JournaledSink(sink, stopwatch=stopwatch)
            run_jobs(plan.remaining(0, 0), engine, worker, output, totals)
    else:
        fingerprint = run_fingerprint(config, paired, converter.yolo)
        pairs = len(paired.pairs)
        with resume_or_start(target.out, fingerprint, pairs, restart=config.restart) as run:
            resumable = _resume_sink(run, target, fingerprint)
            for record in run.records:
                totals.add(record)
            totals.resumed_files = run.files
            remaining = plan.remaining(len(run.records), run.files)
            output = JournaledSink(resumable, (run, resumable), stopwatch)
            with stopwatch.stage(Stage.OUTPUT), resumable, stopwatch.stage(Stage.BOOKS):
                run_jobs(remaining, engine, worker, output, totals)


class _Plan(Struct, frozen=True):
    """The jobs of a run, as its output wants them."""

    jobs: Iterator[Job]
    shard_rows: int | None
    engine: Engine
    files: int
    """Data files of the run."""

    def remaining(self, jobs: int, files: int) -> Iterator[Job]:
        """Return the jobs that are left after a number of jobs, with a number of data files."""
        rows = self.shard_rows
        if rows is None:
            return islice(self.jobs, jobs, None)
        from labelingest.pipeline.shard_jobs import (
            are_by_workers,
            cut_at_shards,
            whole_shards,
            without_files,
        )

        # A job of an interrupted run may have been a batch or a shard: data files are counted.
        remaining = without_files(cut_at_shards(self.jobs, rows), files)
        if not are_by_workers(self.engine, self.files, rows):
            return remaining
        return whole_shards(remaining, files, rows)


def _resume_sink(run: ResumableRun, target: OutputTarget, fingerprint: str) -> ResumableSink:
    """Return the sink that resumes the unfinished output, as far as the output is intact."""
    sink = resume_sink(target, run.unfinished)
    intact = sink.good_marks([record.tally.label_rows for record in run.records])
    if intact == len(run.records):
        return sink
    before = run.files
    if intact:
        run.keep(intact)
    else:
        run.restart(fingerprint)
    _log.warning(
        "%s of %s files of the unfinished output are intact: the others are converted again",
        f"{run.files:,}",
        f"{before:,}",
    )
    return resume_sink(target, run.unfinished)
