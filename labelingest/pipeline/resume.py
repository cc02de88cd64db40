"""Resume a run that was interrupted.

Beside the output are the unfinished output and a journal of the jobs in it: for each job, its part
of the report, and a mark of what it added to the output. A run with the same fingerprint (folder,
ontology, options, version) takes the journal's jobs into its report, cuts the output to what they
added, and runs the remaining jobs. Jobs are cut the same way in every run, so the result is that of
an uninterrupted run. A run with another fingerprint starts from the beginning.
"""

import errno
import json
import logging
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import Struct, field
from msgspec.structs import asdict

from labelingest.errors import ResumeNote, SidecarError
from labelingest.formats import target_format
from labelingest.model.class_counts import ClassCounts
from labelingest.model.tally import Misfits, Tally
from labelingest.options import CONFIG_OPTIONS
from labelingest.pipeline.discover import Paired
from labelingest.problems import Problem, ProblemCode
from labelingest.readers.yolo.layouts import YoloOptions
from labelingest.sinks.base import ResumableSink, UnfinishedOutput
from labelingest.small_files import read_small
from labelingest.storage.journal import Journal
from labelingest.storage.local.real_paths import resolve
from labelingest.storage.os_errors import cannot_write
from labelingest.storage.unfinished_files import protect, unfinished_name
from labelingest.version import __version__

if TYPE_CHECKING:
    from labelingest.config import IngestConfig

__all__ = ["JobRecord", "ResumableRun", "is_lost", "resume_or_start", "run_fingerprint"]

A = TypeVar("A")

_SYNC_EVERY: Final = 30.0
"""Seconds of work that may be lost when the machine goes down: a flush costs some milliseconds."""
_CHUNK: Final = 65_536
"""Pairs whose keys are digested together: ten million keys as texts would be gigabytes."""
_IN_FINGERPRINT: Final = tuple(
    name for name, option in CONFIG_OPTIONS.items() if option.decides_result
)
"""Options of the fingerprint: the others do not change the result, or their content is digested."""

_LOST: Final = {errno.EIO, errno.ESTALE}
_DAMAGED: Final = (
    "the journal of the unfinished run is damaged: files without a valid entry are converted again"
)
_NO_JOURNAL: Final = "the journal of the unfinished run is damaged or of another version: starting from the beginning"

_log = logging.getLogger(__name__)


class JobRecord(Struct, frozen=True):
    """A finished job, as report and journal need it."""

    problems: Sequence[Problem]
    data_files: Mapping[str, str]
    """Sidecar → data file, for sidecars with problems."""
    tally: Tally

    def as_json(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        problems = [
            (p.code, p.source, p.detail, p.line, p.column, p.pointer, p.count)
            for p in self.problems
        ]
        tally = asdict(self.tally)
        refitted = tally.pop("refitted")
        tally["refitted"] = {"steps": refitted.steps, "largest": refitted.largest}
        tally["classes"] = self.tally.classes.as_json()
        return {"problems": problems, "data_files": dict(self.data_files), "tally": tally}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "JobRecord":
        """Return the record that `as_json` described.

        Raises
        ------
        AttributeError, KeyError, TypeError, ValueError
            The entry describes no record.

        Examples
        --------
        >>> tally = Tally(rows_seen=1)
        >>> tally.refitted.steps[-3] = tally.rejected[ProblemCode.NOT_FINITE] = 1
        >>> record = JobRecord([Problem(ProblemCode.NOT_FINITE, "a.txt", "nan", 1, 3)], {}, tally)
        >>> JobRecord.from_json(json.loads(json.dumps(record.as_json()))) == record
        True
        """
        problems = [Problem(ProblemCode(code), *rest) for code, *rest in entry["problems"]]
        data_files = dict(entry["data_files"].items())
        for problem in problems:
            _demand(problem.source, problem.detail, str)
            _demand(problem.count, int)
        _demand(*data_files, *data_files.values(), str)
        return cls(problems, data_files, _tally(entry["tally"]))


def _tally(entry: Mapping[str, Any]) -> Tally:
    values = dict(entry)
    refitted = values.pop("refitted")
    misfits = Misfits(largest=float(refitted["largest"]))
    misfits.steps.update(_counts({int(step): n for step, n in refitted["steps"].items()}))
    tally = Tally(refitted=misfits, classes=ClassCounts.from_json(values.pop("classes")))
    rejected = values.pop("rejected")
    tally.rejected.update(_counts({ProblemCode(code): n for code, n in rejected.items()}))
    for name, value in values.items():
        if isinstance(getattr(tally, name), Counter):
            getattr(tally, name).update(_counts(value))
        else:
            _demand(value, int)
            setattr(tally, name, value)
    return tally


def _counts(counts: Mapping[A, Any]) -> Mapping[A, int]:
    _demand(*counts.values(), int)
    return counts


def _demand(*values: Any) -> None:
    """Raise TypeError where a value is not of the type that is the last argument."""
    *checked, expected = values
    if not all(type(value) is expected for value in checked):
        raise TypeError(f"expected {expected.__name__}")


class ResumableRun(Struct):
    """The unfinished output of a run and its journal."""

    journal: Journal
    building: Path
    """The unfinished output: a file or a folder."""
    records: list[JobRecord] = field(default_factory=list)
    """Jobs of the interrupted run that are resumed."""
    marks: list[Any] = field(default_factory=list)
    """What each of these jobs added to the output."""
    _files: list[int] = field(default_factory=list)
    """Data files up to each job, of the interrupted run and of this one."""
    _trusts: bool = True
    """Whether no flush has failed: after a failure, the next flush says nothing."""
    _synced: float = field(default_factory=monotonic)

    @property
    def unfinished(self) -> UnfinishedOutput:
        """The output that a sink resumes."""
        return UnfinishedOutput(self.building, self.marks)

    @property
    def files(self) -> int:
        """Data files that are finished, by the interrupted run and by this one."""
        jobs = self.journal.entries
        return self._files[jobs - 1] if jobs else 0

    def restart(self, fingerprint: str) -> None:
        """Start from the beginning."""
        self.journal.begin(fingerprint)
        self.records, self.marks, self._files = [], [], []

    def load(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Take the entries of a journal; raise as `JobRecord.from_json` does."""
        for entry in entries:
            self.records.append(JobRecord.from_json(entry))
            self.marks.append(entry["mark"])
            self._count(self.records[-1])

    def _count(self, record: JobRecord) -> None:
        before = self._files[-1] if self._files else 0
        self._files.append(before + record.tally.label_rows + record.tally.failed_files)

    def keep(self, jobs: int) -> None:
        """Keep the first jobs of the interrupted run, at least one, and forget the others."""
        self.journal.keep(jobs)
        self.records, self.marks, self._files = (
            self.records[:jobs],
            self.marks[:jobs],
            self._files[:jobs],
        )

    def add(self, record: JobRecord, mark: Any) -> None:
        """Write to the journal that a job is finished, with the sink's mark of its labels."""
        self.journal.append({**record.as_json(), "mark": mark})
        self._count(record)

    def sync_in_time(self, sink: ResumableSink) -> None:
        """Flush sink and journal to the disk if the last flush was long ago."""
        if monotonic() - self._synced > _SYNC_EVERY:
            self.sync(sink)

    def sync(self, sink: ResumableSink) -> None:
        """Flush sink and journal to the disk, so that a power failure loses nothing before it.

        Raises
        ------
        StorageError
            The flush failed: jobs since the last flush do not count any more.
        """
        if not self._trusts:
            return
        try:
            sink.sync()
        except OSError:
            self.distrust()
            raise
        self.journal.synced()
        self._synced = monotonic()

    def distrust(self) -> None:
        """Stop counting jobs that may not have reached the disk.

        The system may have dropped their labels, and would call the next flush a success.
        """
        if self._trusts:
            self._trusts = False
            self.journal.distrust()

    def remove(self) -> None:
        """Remove the unfinished output and its journal."""
        if self.building.is_dir():
            shutil.rmtree(self.building, ignore_errors=True)
        else:
            with suppress(OSError):
                self.building.unlink()
        self.journal.remove()


def run_fingerprint(config: "IngestConfig", paired: Paired, layout: YoloOptions) -> str:
    """Return a fingerprint of everything that decides the result of a run, except its outputs.

    Parameters
    ----------
    config, paired
        The configuration and the folder.
    layout
        The row layout, declared or decided: a run that is resumed never reads rows another way.
    """
    digest = blake2b(digest_size=16)
    options = {name: getattr(config, name) for name in _IN_FINGERPRINT}
    options["to"] = target_format(config.to).name
    digest.update(
        json.dumps([__version__, _compressor(config.out), options, asdict(layout)]).encode()
    )
    digest.update(paired.storage.url.encode())
    digest.update(read_small(config.ontology))
    listing, pairs = paired.listing, paired.pairs
    for start in range(0, len(pairs), _CHUNK):
        for rows in (pairs.data[start : start + _CHUNK], pairs.sidecar[start : start + _CHUNK]):
            keys = listing.keys.pick(rows)
            digest.update(keys.text)
            digest.update(keys.offsets.tobytes())
            digest.update(listing.size[rows].tobytes())
            digest.update(listing.mtime_ns[rows].tobytes())
            if listing.tokens is not None:
                digest.update(listing.tokens.pick(rows).text)
    return digest.hexdigest()


def _compressor(out: str | None) -> str:
    """Return the version of the compressor of an output: another version may give other bytes."""
    if out is None or not out.endswith(".zst"):
        return ""
    from importlib.metadata import version

    try:
        return version("zstandard")
    except ImportError:
        return ""


@contextmanager
def resume_or_start(
    out: str, fingerprint: str, pairs: int, *, restart: bool
) -> Iterator[ResumableRun]:
    """Resume the unfinished run of an output, or start one; remove its traces when the block ends.

    An exception leaves the unfinished output and the journal, and has a note with the progress.

    Parameters
    ----------
    out
        Path of the output.
    fingerprint
        The `run_fingerprint`.
    pairs
        Data files of the run.
    restart
        Whether an unfinished run is ignored.

    Raises
    ------
    StorageError
        Another run writes this output.
    """
    target = _resolved(out)
    journal = Journal.open(target.parent / unfinished_name(target.name, "-journal"), out)
    if target.is_file():
        # The journal quotes labels, as the output contains them.
        protect(journal.file, target.stat())
    run = ResumableRun(journal, target.parent / unfinished_name(target.name))
    try:
        _load(run, fingerprint, restart=restart)
        yield run
    except BaseException as error:
        if is_lost(error):
            run.distrust()
        # Rejected rows will be rejected again, so there is nothing to resume.
        if not run.files or isinstance(error, SidecarError):
            run.remove()
        else:
            run.journal.close()
            progress = f"{run.files:,} of {pairs:,} files are done"
            error.add_note(ResumeNote(f"{progress}: run the same command again to resume"))
        raise
    run.remove()


def is_lost(error: BaseException | None) -> bool:
    """Return whether an exception reports a disk that failed: earlier writes may be lost too.

    A disk that is full loses nothing that it took before.

    Examples
    --------
    >>> is_lost(OSError(errno.EIO, "")), is_lost(OSError(errno.ENOSPC, "")), is_lost(KeyError())
    (True, False, False)
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in _LOST:
            return True
        error = error.__cause__
    return False


def _resolved(out: str) -> Path:
    try:
        return resolve(out)
    except OSError as error:
        raise cannot_write(out, error) from error


def _load(run: ResumableRun, fingerprint: str, *, restart: bool) -> None:
    loaded = run.journal.load()
    if run.journal.damaged and not restart:
        _log.warning(_DAMAGED if loaded is not None else _NO_JOURNAL)
    if loaded is None or restart or loaded[0] != fingerprint:
        if loaded is not None and loaded[1] and not restart:
            _log.warning("the folder or the options have changed: starting from the beginning")
        run.restart(fingerprint)
        return
    try:
        run.load(loaded[1])
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        _log.warning("the unfinished run is of another version: starting from the beginning")
        run.restart(fingerprint)
