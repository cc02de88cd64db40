"""What stays of a run that is interrupted, and when the next run may go on with it.

Beside the output stand the unfinished output and a journal of the jobs in it: of each, what the
report needs of it and what it added to the output. A run with the same subject (folder, ontology,
options, version) puts the journal's jobs into its report, cuts the output to what they added, and
does the rest: jobs are cut the same way in every run, so the result is that of one run. A run with
another subject starts anew.
"""

import errno
import json
import logging
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any, Final, TypeVar

from labelingest.config import IngestConfig
from labelingest.errors import SidecarError
from labelingest.model.tally import Misfits, Tally
from labelingest.pipeline.discover import Paired
from labelingest.problems import Problem, ProblemCode
from labelingest.sinks.base import ResumableSink, UnfinishedOutput
from labelingest.small_files import read_small
from labelingest.storage.journal import Journal
from labelingest.storage.local.real_paths import resolve
from labelingest.storage.os_errors import cannot_write
from labelingest.storage.unfinished_files import protect, unfinished_name

__all__ = ["Done", "Kept", "is_lost", "keep_work", "subject_of"]

A = TypeVar("A")

_SYNC_EVERY: Final = 30.0
"""Seconds of work that may be lost when the machine itself goes down."""
_CHUNK: Final = 65_536
"""Pairs whose keys are looked at together: ten million of them as texts would be gigabytes."""
_NOT_SUBJECT: Final = (
    *("storage_path", "ontology", "out", "report", "problems", "failed_csv", "overwrite"),
    *("workers", "engine", "restart"),
)
"""What does not decide the result, or is taken by its content."""

_LOST: Final = {errno.EIO, errno.ESTALE}
_DAMAGED: Final = (
    "what was written down about the unfinished run is damaged: what does not fit is done again"
)
_NO_JOURNAL: Final = (
    "the unfinished run was one of another version, or what was written down about it is damaged: "
    "starting anew"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """What the report needs of a job that is done."""

    problems: Sequence[Problem]
    data_files: Mapping[str, str]
    """Sidecar → data file, for those with problems."""
    tally: Tally

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON says it."""
        problems = [
            (p.code, p.source, p.detail, p.line, p.column, p.pointer, p.count)
            for p in self.problems
        ]
        tally = {f.name: getattr(self.tally, f.name) for f in fields(Tally)}
        refitted = tally.pop("refitted")
        tally["refitted"] = {"steps": refitted.steps, "largest": refitted.largest}
        return {"problems": problems, "data_files": dict(self.data_files), "tally": tally}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "Done":
        """Make it again.

        Raises
        ------
        AttributeError, KeyError, TypeError, ValueError
            No `Done` is written so.

        Examples
        --------
        >>> tally = Tally(rows_seen=1)
        >>> tally.refitted.steps[-3] = tally.rejected[ProblemCode.NOT_FINITE] = 1
        >>> done = Done([Problem(ProblemCode.NOT_FINITE, "a.txt", "nan", 1, 3)], {}, tally)
        >>> Done.from_json(json.loads(json.dumps(done.as_json()))) == done
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
    tally = Tally(refitted=misfits)
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
    """Raise TypeError where a value is not of the type that stands last."""
    *found, expected = values
    if not all(type(value) is expected for value in found):
        raise TypeError(f"expected {expected.__name__}")


@dataclass(slots=True)
class Kept:
    """The unfinished output of a run, and what is written down about it."""

    journal: Journal
    building: Path
    """The unfinished output: a file or a folder."""
    done: list[Done] = field(default_factory=list)
    """Jobs of an interrupted run that count."""
    marks: list[Any] = field(default_factory=list)
    """What each of them added to the output."""
    _files: list[int] = field(default_factory=list)
    """Data files of all jobs up to each, of that run and of this one."""
    _trusts: bool = True
    """Whether no flush failed: after one that did, the next says nothing."""
    _synced: float = field(default_factory=monotonic)

    @property
    def unfinished(self) -> UnfinishedOutput:
        """The unfinished output that a sink continues."""
        return UnfinishedOutput(self.building, self.marks)

    @property
    def files(self) -> int:
        """How many data files are done, in that run and in this one."""
        jobs = self.journal.entries
        return self._files[jobs - 1] if jobs else 0

    def forget(self, subject: str) -> None:
        """Start anew."""
        self.journal.begin(subject)
        self.done, self.marks, self._files = [], [], []

    def load(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Take what the journal has of an interrupted run; raises as `Done.from_json` does."""
        for entry in entries:
            self.done.append(Done.from_json(entry))
            self.marks.append(entry["mark"])
            self._count(self.done[-1])

    def _count(self, done: Done) -> None:
        before = self._files[-1] if self._files else 0
        self._files.append(before + done.tally.label_rows + done.tally.failed_files)

    def keep(self, jobs: int) -> None:
        """Forget all jobs of the interrupted run but the first so many; at least one."""
        self.journal.keep(jobs)
        self.done, self.marks, self._files = (
            self.done[:jobs],
            self.marks[:jobs],
            self._files[:jobs],
        )

    def add(self, done: Done, sink: ResumableSink) -> None:
        """Write down that a job is done and that the sink has what it made."""
        self.journal.append({**done.as_json(), "mark": sink.mark()})
        self._count(done)
        if monotonic() - self._synced > _SYNC_EVERY:
            self.sync(sink)

    def sync(self, sink: ResumableSink) -> None:
        """Bring everything onto the disk, so that it counts after a power failure too.

        Raises
        ------
        StorageError
            It did not get there: what was done since the last time is not counted any more.
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
        """Count nothing any more that may not have reached the disk.

        The system may have dropped it, and would call the next flush a success.
        """
        if self._trusts:
            self._trusts = False
            self.journal.distrust()

    def remove(self) -> None:
        """Remove the unfinished output and what is written down about it."""
        if self.building.is_dir():
            shutil.rmtree(self.building, ignore_errors=True)
        else:
            with suppress(OSError):
                self.building.unlink()
        self.journal.remove()


def subject_of(config: IngestConfig, paired: Paired) -> str:
    """Return a fingerprint of everything that decides the result of a run, but its outputs."""
    digest = blake2b(digest_size=16)
    options = config.model_dump(mode="json", exclude=set(_NOT_SUBJECT))
    digest.update(json.dumps([version("labelingest"), _compressor(), options]).encode())
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


def _compressor() -> str:
    """Return the version of what compresses: another may give other bytes."""
    try:
        return version("zstandard")
    except ImportError:
        return ""


@contextmanager
def keep_work(config: IngestConfig, out: str, subject: str, pairs: int) -> Iterator[Kept]:
    """Keep the work of a block that is interrupted; nothing is left when it ends well.

    An exception that leaves work behind has a note that says how far it is.

    Parameters
    ----------
    config, out
        What is run, and where its output goes.
    subject
        As `subject_of` tells.
    pairs
        Data files to be done.

    Raises
    ------
    StorageError
        Another run writes this output.
    """
    target = _resolved(out)
    journal = Journal.open(target.parent / unfinished_name(target.name, "-journal"), out)
    if target.is_file():
        # It quotes labels, as the output holds them.
        protect(journal.file, target.stat())
    kept = Kept(journal, target.parent / unfinished_name(target.name))
    try:
        _load(kept, subject, restart=config.restart)
        yield kept
    except BaseException as error:
        if is_lost(error):
            kept.distrust()
        # Rejected rows will be rejected again, so there is nothing to go on with.
        if not kept.files or isinstance(error, SidecarError):
            kept.remove()
        else:
            kept.journal.close()
            error.add_note(f"{kept.files:,} of {pairs:,} files are done: the same command goes on")
        raise
    kept.remove()


def is_lost(error: BaseException | None) -> bool:
    """Whether an exception tells of a disk that failed: what was written before may be lost too.

    A disk that is full says so, and loses nothing that it took before.

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


def _load(kept: Kept, subject: str, *, restart: bool) -> None:
    found = kept.journal.load()
    if kept.journal.damaged and not restart:
        _log.warning(_DAMAGED if found is not None else _NO_JOURNAL)
    if found is None or restart or found[0] != subject:
        if found is not None and found[1] and not restart:
            _log.warning("the folder or the options changed since: starting anew")
        kept.forget(subject)
        return
    try:
        kept.load(found[1])
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        _log.warning("the unfinished run was one of another version: starting anew")
        kept.forget(subject)
