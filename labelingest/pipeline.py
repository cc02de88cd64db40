"""A folder from end to end: list → pair → convert in batches → sink → report.

The only place that knows the order of the stages around a batch; the order inside a batch is
`labelingest.converter`'s. The unit of work is a `Job` done by a `Worker`: both can be pickled, and
a job's result depends on nothing but the job.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from shlex import quote
from time import perf_counter
from typing import Any, Final

import numpy as np
import orjson

from labelingest.arrays import Int64
from labelingest.assembly.bench import AssemblyOptions
from labelingest.config import OUTPUTS, IngestConfig
from labelingest.converter import Converter
from labelingest.errors import ConfigError, SidecarError
from labelingest.media.image_size import HEAD_BYTES, read_image_size
from labelingest.model.kinds import kind_of
from labelingest.model.listing import Listing
from labelingest.model.ontology import Ontology
from labelingest.model.pairs import Outcome, Pairs
from labelingest.model.tally import Tally
from labelingest.model.units import DataUnits
from labelingest.pairing.layout import recognise
from labelingest.pairing.near_misses import NearMiss, near_misses
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import PatternRule, SuffixRule
from labelingest.problems import Problem, ProblemCode
from labelingest.readers.yolo import YoloOptions
from labelingest.report import ProblemLog, Report
from labelingest.resolution.class_map import ClassMapping, make_class_map
from labelingest.resolution.ontology_json import load_ontology
from labelingest.sinks import open_sink
from labelingest.sinks.base import Sink
from labelingest.sinks.own import own_keys
from labelingest.storage import open_storage
from labelingest.storage.atomic import whole_file
from labelingest.storage.base import Storage, list_all
from labelingest.storage.local import LocalStorage
from labelingest.writers.encord_json import WriterOptions

__all__ = [
    "Job",
    "JobResult",
    "Paired",
    "Progress",
    "Worker",
    "as_flags",
    "check",
    "convert",
    "pair_folder",
]

_MAX_FILES_IN_BATCH: Final = 4096
"""Empty sidecars weigh nothing: this bounds what their label rows weigh."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    stage: str
    """What is being done: "list" or "convert"."""
    files: int
    """Files listed, or paired data files done."""
    of: int = 0
    """How many there will be; 0 where that is not known yet."""
    rows: int = 0
    """Rows seen in them."""


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """A folder, listed and paired."""

    path: str
    """As the configuration names it."""
    storage: Storage
    listing: Listing
    rule: PatternRule
    recognised: str
    """What layout was recognised; empty when patterns were given."""
    pairs: Pairs

    def near_misses(self) -> list[NearMiss]:
        """Return why files that look like pairs are none."""
        return near_misses(self.listing, self.pairs, self.rule, small_files=self._content)

    def _content(self, key: str) -> bytes:
        return self.storage.fetch([key]).get(0)


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A slice of the pairs of a folder, ordered by data file."""

    data: Sequence[str]
    """(u,) keys of the data files."""
    sidecars: Sequence[str]
    """(u,) keys of their sidecars."""
    sizes: Int64
    """(u,) bytes of the sidecars, as listed."""
    mtime_ns: Int64
    """(u,) last change of the sidecars."""

    def without(self, rows: Collection[int]) -> "Job":
        """Return the job without some of its files."""
        if not rows:
            return self
        keep = [row for row in range(len(self.data)) if row not in rows]
        data, sidecars = ([keys[row] for row in keep] for keys in (self.data, self.sidecars))
        return Job(data, sidecars, self.sizes[keep], self.mtime_ns[keep])


@dataclass(frozen=True, slots=True, eq=False)
class JobResult:
    """What became of a job."""

    keys: Sequence[str]
    """(m,) keys of the data files that have a label row, in order."""
    label_rows: Sequence[bytes]
    """(m,) their label rows, each on one line."""
    problems: Sequence[Problem]
    """In order; each names the sidecar, or the data file where that is the cause."""
    data_files: Mapping[str, str]
    """Sidecar → data file, for those with problems."""
    tally: Tally


@dataclass(frozen=True, slots=True)
class Worker:
    """Does jobs: fetches sidecars, converts them, reads the image headers that are needed."""

    storage: Storage
    converter: Converter

    def __call__(self, job: Job) -> JobResult:
        """Convert one slice."""
        blobs = self.storage.fetch(job.sidecars, sizes=job.sizes)
        units = DataUnits.of(job.data, job.sidecars, job.mtime_ns)
        done = self.converter.convert_blobs(
            blobs, units, lambda rows: self._image_sizes([job.data[row] for row in rows])
        )
        made = [row for row, text in enumerate(done.label_rows) if text is not None]
        sources = {problem.source for problem in done.problems}
        pairs = zip(job.sidecars, job.data, strict=True) if sources else ()
        return JobResult(
            [job.data[row] for row in made],
            [text for text in done.label_rows if text is not None],
            done.problems,
            {sidecar: data for sidecar, data in pairs if sidecar in sources},
            done.tally,
        )

    def _image_sizes(self, keys: Sequence[str]) -> list[tuple[int, int] | None]:
        heads = self.storage.fetch_heads(keys, HEAD_BYTES)
        return [
            None if head is None else read_image_size(head, partial(self._whole, key))
            for key, head in zip(keys, heads, strict=True)
        ]

    def _whole(self, key: str) -> bytes | None:
        blobs = self.storage.fetch([key])
        return None if blobs.unread else blobs.get(0)


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
        raise ConfigError("out is missing: give FILE.jsonl or a folder (check needs none)")
    return _run(config, open_sink(config.out), progress)


def check(config: IngestConfig, *, progress: Callable[[Progress], None] | None = None) -> Report:
    """Find every problem of a folder; the same as `convert`, but no label row is written."""
    return _run(config.model_copy(update={"out": None}), None, progress)


def pair_folder(
    config: IngestConfig, *, progress: Callable[[Progress], None] | None = None
) -> Paired:
    """List a folder and pair its files.

    Raises
    ------
    ConfigError
        No patterns were given and the folder has none of the usual layouts, or several.
    """
    storage = open_storage(config.storage_path, follow_symlinks=config.follow_symlinks)
    seen = None if progress is None else lambda files: progress(Progress("list", files))
    listing = list_all(storage, _own_keys(config, storage), seen=seen)
    rule, recognised = _rule(config, storage, listing)
    metadata = None if config.metadata_suffix is None else SuffixRule(config.metadata_suffix)
    return Paired(
        config.storage_path, storage, listing, rule, recognised, pair(listing, rule, metadata)
    )


def _run(
    config: IngestConfig, sink: Sink | None, progress: Callable[[Progress], None] | None
) -> Report:
    started = perf_counter()
    ontology = load_ontology(Path(config.ontology))
    mapping = make_class_map(ontology, namespace=config.namespace, overrides=config.map)
    _given_rule(config)  # what is wrong with the patterns is said before a long listing
    options = _options(config)
    paired = pair_folder(config, progress=progress)
    _refuse_nothing(paired, config)
    url = config.storage_url or paired.storage.url
    converter = Converter(
        ontology,
        mapping.class_map,
        WriterOptions(url, config.created_by, config.dataset_title),
        **options,
    )
    report = _new_report(config, ontology, mapping, paired, url)
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
                jobs = _accepted(_jobs(paired, config.batch_bytes), put, report)
                _collect(map(work, jobs), put, report, len(paired.pairs), progress)
        except SidecarError as error:
            # Label rows are not kept, what is wrong is.
            stopped = error
            report.log.add(error.problems, {})
        report.seconds["convert"] = perf_counter() - started
        if report_file:
            report_file.write(report.to_json())
    if stopped is not None:
        raise stopped
    return report


def _accepted(jobs: Iterator[Job], sink: Sink | None, report: Report) -> Iterator[Job]:
    """Leave out the data files whose label rows the sink cannot hold."""
    for job in jobs:
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
        refused = sink.put(result.keys, result.label_rows) if sink is not None else []
        if refused:
            _uncount(result, [position for position, _ in refused])
            problems = [*problems, *(problem for _, problem in refused)]
        report.log.add(problems, result.data_files)
        report.tally.merge(tally)
        if progress is not None:
            total = report.tally
            done = total.label_rows + total.failed_files
            progress(Progress("convert", done, pairs, total.rows_seen))


def _uncount(result: JobResult, refused: Sequence[int]) -> None:
    """Move label rows that the sink refused after all from the converted to the failed."""
    tally = result.tally
    with_rows = set(result.data_files.values())
    for position in refused:
        annotations = len(orjson.loads(result.label_rows[position])["object_answers"])
        tally.label_rows -= 1
        tally.failed_files += 1
        tally.empty_label_rows -= not annotations and result.keys[position] not in with_rows
        tally.annotations -= annotations
        tally.rejected[ProblemCode.OUTPUT_NAME_REFUSED] += annotations


def _jobs(paired: Paired, batch_bytes: int) -> Iterator[Job]:
    """Yield slices of about batch_bytes of sidecars, in the order of data files."""
    listing, pairs = paired.listing, paired.pairs
    sizes = listing.size[pairs.sidecar]
    slice_of = np.cumsum(sizes) // batch_bytes
    start = 0
    while start < len(pairs):
        end = int(np.searchsorted(slice_of, slice_of[start], side="right"))
        end = min(max(end, start + 1), start + _MAX_FILES_IN_BATCH)
        data, sidecars = pairs.data[start:end], pairs.sidecar[start:end]
        yield Job(
            listing.keys.take(data),
            listing.keys.take(sidecars),
            sizes[start:end],
            listing.mtime_ns[sidecars],
        )
        start = end


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
    }


def _given_rule(config: IngestConfig) -> PatternRule | None:
    """Return the rule of the patterns in the configuration; None when it has none."""
    if config.labels is None and not config.images:
        return None
    if config.labels is None or not config.images:
        missing = "labels" if config.labels is None else "images"
        raise ConfigError(
            f"{missing} is missing: give image file patterns and a label file pattern, or neither "
            "to have the usual layouts recognised"
        )
    return PatternRule(config.images, config.labels)


def _rule(config: IngestConfig, storage: Storage, listing: Listing) -> tuple[PatternRule, str]:
    """Return the rule to pair by, and the layout it was recognised from."""
    given = _given_rule(config)
    if given is not None:
        return given, ""
    if not len(listing):
        raise ConfigError(f"{config.storage_path!r} holds no files: there is nothing to convert")
    guesses = recognise(listing)
    if len(guesses) == 1:
        return guesses[0].rule, guesses[0].description
    if guesses:
        choices = "".join(f"\n  pairs {guess.pairs:,}: {as_flags(guess.rule)}" for guess in guesses)
        raise ConfigError(
            f"several layouts are possible in {config.storage_path!r}; say how files pair:{choices}"
        )
    usual = PatternRule(("images/{name}.jpg", "images/{name}.png"), "labels/{name}.txt")
    misses = Paired(
        config.storage_path, storage, listing, usual, "", pair(listing, usual)
    ).near_misses()
    raise ConfigError(
        f"none of the usual layouts is in {config.storage_path!r}; say how files pair, as "
        f"{as_flags(usual)}{_hints(misses)}{_causes(listing)}"
    )


def _causes(listing: Listing) -> str:
    """Return what could not be listed: it may be what is missing."""
    return "".join(f"\n{problem.severity}: {problem}" for problem in listing.problems[:3])


def _hints(misses: Sequence[NearMiss]) -> str:
    return "".join(f"\nnear miss: {miss}" for miss in misses[:3])


def as_flags(rule: PatternRule) -> str:
    """Return a rule as the command line's flags.

    Examples
    --------
    >>> as_flags(PatternRule(("images/{name}.jpg",), "labels/{name}.txt"))
    "--images 'images/{name}.jpg' --labels 'labels/{name}.txt'"
    """
    images = " ".join(f"--images {quote(pattern)}" for pattern in rule.images)
    return f"{images} --labels {quote(rule.labels)}"


def _own_keys(config: IngestConfig, storage: Storage) -> list[str]:
    """Return the keys and folders that the run itself writes inside the storage path."""
    if not isinstance(storage, LocalStorage):
        return []
    return own_keys(Path(storage.root), {name: getattr(config, name) for name in OUTPUTS})


def _refuse_nothing(paired: Paired, config: IngestConfig) -> None:
    if len(paired.pairs):
        return
    if not len(paired.listing):
        raise ConfigError(f"{config.storage_path!r} holds no files: there is nothing to convert")
    raise ConfigError(
        f"no data file in {config.storage_path!r} has a sidecar by {as_flags(paired.rule)}"
        + (_hints(paired.near_misses()) or "; labelingest pair shows what is there")
        + _causes(paired.listing)
    )


def _new_report(
    config: IngestConfig, ontology: Ontology, mapping: ClassMapping, paired: Paired, url: str
) -> Report:
    outcome = paired.pairs.outcome
    unlabelled = paired.listing.keys.take(np.flatnonzero(outcome == Outcome.UNLABELLED))
    kinds = Counter(kind.value for key in unlabelled if (kind := kind_of(key)) is not None)
    return Report(
        storage_url=url,
        ontology=ontology.title or str(config.ontology),
        namespace=mapping.namespace.name if mapping.namespace else None,
        images=paired.rule.images,
        labels=paired.rule.labels,
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


def _first_problems(report: Report, mapping: ClassMapping, paired: Paired) -> None:
    """Log what was found before the first batch."""
    report.log.add(mapping.problems, {})
    report.log.add(paired.listing.problems, {})
    report.log.add(paired.pairs.problems, {})
