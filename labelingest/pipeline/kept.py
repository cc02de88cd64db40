"""What stays of a run that is interrupted, and when the next run may go on with it.

Beside the output stand the unfinished output and a journal of the jobs in it: of each, what the
report needs of it and what it added to the output. A run with the same subject (folder, ontology,
options, version) puts the journal's jobs into its report, cuts the output to what they added, and
does the rest: jobs are cut the same way in every run, so the result is that of one run. A run with
another subject starts anew.
"""

import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any, Final

from labelingest.config import IngestConfig
from labelingest.errors import SidecarError, StorageError
from labelingest.model.tally import Misfits, Tally
from labelingest.pipeline.folder import Paired
from labelingest.problems import Problem, ProblemCode
from labelingest.sinks.base import Begun, ResumableSink
from labelingest.storage.atomic import unfinished_name
from labelingest.storage.causes import cannot_write
from labelingest.storage.journal import Journal

__all__ = ["Done", "Kept", "keep_work", "subject_of"]

_SYNC_EVERY: Final = 30.0
"""Seconds of work that may be lost when the machine itself goes down."""
_CHUNK: Final = 65_536
"""Pairs whose keys are looked at together: ten million of them as texts would be gigabytes."""
_NOT_SUBJECT: Final = (
    *("storage_path", "ontology", "out", "report", "problems", "failed_csv", "overwrite"),
    *("workers", "engine", "restart"),
)
"""What does not decide the result, or is taken by its content."""

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

        Examples
        --------
        >>> tally = Tally(rows_seen=1)
        >>> tally.refitted.steps[-3] = tally.rejected[ProblemCode.NOT_FINITE] = 1
        >>> done = Done([Problem(ProblemCode.NOT_FINITE, "a.txt", "nan", 1, 3)], {}, tally)
        >>> Done.from_json(json.loads(json.dumps(done.as_json()))) == done
        True
        """
        problems = [Problem(ProblemCode(code), *rest) for code, *rest in entry["problems"]]
        values = dict(entry["tally"])
        refitted = values.pop("refitted")
        misfits = Misfits(largest=refitted["largest"])
        misfits.steps.update({int(step): count for step, count in refitted["steps"].items()})
        tally = Tally(refitted=misfits)
        rejected = values.pop("rejected")
        tally.rejected.update({ProblemCode(code): count for code, count in rejected.items()})
        for name, value in values.items():
            if isinstance(value, dict):
                getattr(tally, name).update(value)
            else:
                setattr(tally, name, value)
        return cls(problems, entry["data_files"], tally)


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
    files: int = 0
    """Data files that are done, in that run and in this one."""
    _synced: float = field(default_factory=monotonic)

    @property
    def begun(self) -> Begun:
        """What a sink goes on with."""
        return Begun(self.building, self.marks)

    def forget(self, subject: str) -> None:
        """Start anew."""
        self.journal.begin(subject)
        self.done, self.marks, self.files = [], [], 0

    def add(self, done: Done, sink: ResumableSink) -> None:
        """Write down that a job is done and that the sink has what it made."""
        self.journal.append({**done.as_json(), "mark": sink.mark()})
        self.files += _files_of(done)
        if monotonic() - self._synced > _SYNC_EVERY:
            self.sync(sink)

    def sync(self, sink: ResumableSink) -> None:
        """Bring everything onto the disk, so that it counts after a power failure too."""
        sink.sync()
        self.journal.synced()
        self._synced = monotonic()

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
    digest.update(Path(config.ontology).read_bytes())
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
    kept = Kept(journal, target.parent / unfinished_name(target.name))
    try:
        _load(kept, subject, restart=config.restart)
        yield kept
    except BaseException as error:
        # Rejected rows will be rejected again, so there is nothing to go on with.
        if not kept.files or isinstance(error, SidecarError):
            kept.remove()
        else:
            kept.journal.close()
            error.add_note(f"{kept.files:,} of {pairs:,} files are done: the same command goes on")
        raise
    kept.remove()


def _resolved(out: str) -> Path:
    try:
        return Path(out).resolve()
    except (OSError, RuntimeError) as error:
        if isinstance(error, OSError):
            raise cannot_write(out, error) from error
        raise StorageError(
            f"{out!r} cannot be written: it is a symbolic link that leads nowhere"
        ) from error


def _load(kept: Kept, subject: str, *, restart: bool) -> None:
    found = kept.journal.load()
    if found is None or restart or found[0] != subject:
        if found is not None and found[1] and not restart:
            _log.warning("the folder or the options changed since: starting anew")
        kept.forget(subject)
        return
    try:
        for entry in found[1]:
            done = Done.from_json(entry)
            kept.done.append(done)
            kept.marks.append(entry["mark"])
            kept.files += _files_of(done)
    except (AttributeError, KeyError, TypeError, ValueError):
        _log.warning("the unfinished run was one of another version: starting anew")
        kept.forget(subject)


def _files_of(done: Done) -> int:
    return done.tally.label_rows + done.tally.failed_files
