"""The unit of work: a slice of the pairs of a folder, and the worker that converts it.

Both can be pickled, and a job's result depends on nothing but the job.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from labelingest.columns.fingerprints import content_digest
from labelingest.columns.types import Int64
from labelingest.converter import Conversion, Converter, Counts
from labelingest.converter.large import LargeConversion
from labelingest.fence import fenced, tried
from labelingest.media.image_size import HEAD_BYTES, read_image_size
from labelingest.model.batch_output import BatchOutput, Labels
from labelingest.model.blobs import Blobs, Unread
from labelingest.model.tally import Tally
from labelingest.model.units import DataUnits
from labelingest.problems import Problem, ProblemCode
from labelingest.readers.yolo.slices import SLICE_BYTES
from labelingest.sinks.json_lines import Pack
from labelingest.stopwatch import OFF, Stage, Stopwatch
from labelingest.storage.base import Storage

if TYPE_CHECKING:  # what lists and pairs is not loaded in every worker process
    from labelingest.pipeline.discover import Paired

__all__ = ["Job", "JobResult", "Worker", "jobs"]

LARGE_BYTES: Final = 4_000_000
"""YOLO files with more bytes are worked slice by slice: some 200 MB of memory for the largest other."""
_MAX_FILES_IN_BATCH: Final = 4096
"""Empty sidecars weigh nothing: this bounds what their label rows weigh."""
_MOST_BYTES: Final = 2**40
"""As many as a slice may have."""


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

    def part(self, rows: slice) -> "Job":
        """Return the job of some files that follow each other."""
        if rows == slice(0, len(self.data)):
            return self
        return Job(self.data[rows], self.sidecars[rows], self.sizes[rows], self.mtime_ns[rows])


@dataclass(frozen=True, slots=True, eq=False)
class JobResult:
    """What became of a job."""

    made: BatchOutput
    """The data files that were converted, in order of their keys."""
    counts: Counts
    """(m,) what each of them holds."""
    problems: Sequence[Problem]
    """In order; each names the sidecar, or the data file where that is the cause."""
    data_files: Mapping[str, str]
    """Sidecar → data file, for those with problems."""
    tally: Tally
    tokens: Sequence[str] | None = None
    """(u,) version tokens of the sidecars as they were read; None where none are known."""
    digests: Sequence[str] | None = None
    """(u,) digests of the sidecars' contents as they were read; None where they are not wanted."""
    image_sizes: Mapping[str, tuple[int, int] | None] = field(default_factory=dict)
    """Data files whose header was read → width and height, None where it does not tell."""
    deferred: Job | None = None
    """A job that was not done: its only file is for `Worker.do_large`, where the output is."""

    @classmethod
    def later(cls, job: Job) -> "JobResult":
        """Return what stands for a job that is not done here."""
        nothing = np.zeros(0, dtype=np.int64)
        counts = Counts(nothing, nothing, nothing)
        return cls(BatchOutput([]), counts, [], {}, Tally(), deferred=job)

    @classmethod
    def joined(cls, parts: "Sequence[JobResult]") -> "JobResult":
        """Return what became of the parts of a job."""
        tokens = [part.tokens for part in parts if part.tokens is not None]
        digests = [part.digests for part in parts if part.digests is not None]
        return cls(
            BatchOutput.joined([part.made for part in parts]),
            Counts.joined([part.counts for part in parts]),
            [problem for part in parts for problem in part.problems],
            {key: data for part in parts for key, data in part.data_files.items()},
            Tally.sum(part.tally for part in parts),
            [token for of_part in tokens for token in of_part] if tokens else None,
            [digest for of_part in digests for digest in of_part] if digests else None,
            {key: size for part in parts for key, size in part.image_sizes.items()},
        )

    def uncount(self, refused: Sequence[tuple[int, Problem]]) -> None:
        """Move files that could not be written after all from the converted to the failed.

        Parameters
        ----------
        refused
            Positions in `made.keys`, and why.
        """
        tally, counts = self.tally, self.counts
        for position, problem in refused:
            annotations = int(counts.annotations[position])
            classifications = int(counts.classifications[position])
            tally.label_rows -= 1
            tally.failed_files += 1
            tally.empty_label_rows -= int(counts.seen[position] == 0)
            tally.annotations -= annotations
            tally.classifications -= classifications
            tally.rejected[problem.code] += annotations + classifications
            whole = int(counts.seen[position]) == annotations + classifications
            tally.files_with_rejected_rows += int(whole and annotations + classifications > 0)


@dataclass(frozen=True, slots=True)
class Worker:
    """Does jobs: fetches sidecars, converts them, reads the image headers that are needed."""

    storage: Storage
    converter: Converter
    pack: Pack | None = None
    """Joins label rows as the output takes them; None where it takes them one by one."""
    watch: Stopwatch = OFF
    """Told which stage is on."""
    wants_tokens: bool = False
    """Whether anybody asks which versions were read; that costs a system call for each file."""
    discards: bool = False
    """Whether nobody takes label rows: then they stay where they were made."""

    large_bytes: int = LARGE_BYTES
    """YOLO files with more bytes are not converted by whoever calls, but slice by slice."""
    slice_bytes: int = SLICE_BYTES

    @property
    def alone(self) -> int | None:
        """How many bytes a file may have to share a job with others; None for any."""
        return self.large_bytes if self.converter.source_format.is_read_in_slices else None

    def __call__(self, job: Job) -> JobResult:
        """Convert one slice; an unexpected exception costs the file that it comes from.

        A large file that has a job for itself is deferred.
        """
        if self.alone is not None and len(job.data) == 1 and job.sizes[0] > self.alone:
            return JobResult.later(job)
        return self._fenced(job, self._do)

    def do_large(self, job: Job) -> JobResult:
        """Convert a file that was deferred, slice by slice; its labels are made when they are taken."""
        return self._fenced(job, self._do_large)

    def give_up(self, job: Job, row: int, why: Unread) -> JobResult:
        """Return what becomes of a file of a job over which an unexpected exception came out."""
        part = job.part(slice(row, row + 1))
        done = self.converter.give_up(part.data[0], part.sidecars[0], why)
        unknown = [""] if self.wants_tokens else None
        return self._result(part, done, {}, tokens=unknown, digests=unknown)

    def _fenced(self, job: Job, do: Callable[[Job], JobResult]) -> JobResult:
        give_up = partial(self.give_up, job)
        return fenced(lambda rows: do(job.part(rows)), len(job.data), give_up, JobResult.joined)

    def _fetch(self, job: Job) -> Blobs:
        with self.watch.stage(Stage.FETCH):
            return self.storage.fetch(
                job.sidecars,
                sizes=job.sizes,
                tokens=self.wants_tokens,
                most=self.converter.most_bytes,
            )

    def _do_large(self, job: Job) -> JobResult:
        blobs = self._fetch(job)
        unit = DataUnits.from_keys(job.data, job.sidecars, job.mtime_ns)
        image_sizes: dict[str, tuple[int, int] | None] = {}
        unread = dict(blobs.unread)
        if not unread:
            tokens, digests, content = blobs.tokens, self._digests(blobs), blobs.get(0)
            del blobs  # so much need not be there twice
            sizes_of = self._sizes_of(job, image_sizes, unread)
            done = self.converter.convert_large(content, unit, sizes_of, self.slice_bytes)
            if not unread:
                return self._result(job, done, image_sizes, tokens=tokens, digests=digests)
        else:
            tokens, digests = blobs.tokens, self._digests(blobs)
        nothing = Blobs.from_contents([b""], unread, tokens)
        failed = self.converter.convert_blobs(nothing, unit, lambda rows: [None] * len(rows))
        return self._result(job, failed, image_sizes, tokens=tokens, digests=digests)

    def _made_large(self, job: Job, done: LargeConversion) -> BatchOutput:
        if done.written[0] and not self.discards:
            return BatchOutput(list(job.data), large=done.large)
        is_columns = self.converter.target_format.is_columns
        keys = list(job.data) if done.written[0] else []
        return BatchOutput(keys, (), Labels.none() if is_columns else None)

    def _do(self, job: Job) -> JobResult:
        blobs = self._without_grown(job, self._fetch(job))
        units = DataUnits.from_keys(job.data, job.sidecars, job.mtime_ns)
        image_sizes: dict[str, tuple[int, int] | None] = {}
        unread = dict(blobs.unread)
        sizes_of = self._sizes_of(job, image_sizes, unread)
        done = self.converter.convert_blobs(blobs, units, sizes_of, self.watch)
        if len(unread) > len(blobs.unread):
            # What follows from a size that is not known today would be taken for what the files say.
            contents = [b"" if row in unread else blobs.get(row) for row in range(len(blobs))]
            blobs = Blobs.from_contents(contents, unread, blobs.tokens)
            done = self.converter.convert_blobs(blobs, units, sizes_of, self.watch)
        return self._result(
            job, done, image_sizes, tokens=blobs.tokens, digests=self._digests(blobs)
        )

    def _without_grown(self, job: Job, blobs: Blobs) -> Blobs:
        """Leave out files that became large since they were listed: they were to be deferred."""
        alone = self.alone
        grown = (blobs.ends - blobs.starts > (alone or 0)) & (job.sizes <= (alone or 0))
        if alone is None or not grown.any():
            return blobs
        why = "it cannot be read: it has become much larger since it was listed; run again"
        new = dict.fromkeys(
            np.flatnonzero(grown).tolist(), Unread(ProblemCode.UNREADABLE_FILE, why)
        )
        contents = [b"" if row in new else blobs.get(row) for row in range(len(blobs))]
        return Blobs.from_contents(contents, {**blobs.unread, **new}, blobs.tokens)

    def _sizes_of(
        self,
        job: Job,
        image_sizes: dict[str, tuple[int, int] | None],
        unread: dict[int, Unread],
    ) -> Callable[[Sequence[int]], list[tuple[int, int] | None]]:
        """Return what finds sizes of images; which it found, and which cannot be read, is noted."""

        def sizes_of(rows: Sequence[int]) -> list[tuple[int, int] | None]:
            known = image_sizes.keys() | {job.data[row] for row in unread}
            new = [row for row in rows if job.data[row] not in known]
            keys = [job.data[row] for row in new]
            for row, key, size in zip(new, keys, self.image_sizes(keys), strict=True):
                if isinstance(size, Unread):
                    unread[row] = Unread(size.code, f"its image {key!r}: {size.detail}")
                else:
                    image_sizes[key] = size
            return [image_sizes.get(job.data[row]) for row in rows]

        return sizes_of

    def _result(
        self,
        job: Job,
        done: Conversion | LargeConversion,
        image_sizes: Mapping[str, tuple[int, int] | None],
        *,
        tokens: Sequence[str] | None,
        digests: Sequence[str] | None,
    ) -> JobResult:
        return JobResult(
            self._made_large(job, done)
            if isinstance(done, LargeConversion)
            else self._made(job, done),
            done.counts.where(done.written),
            done.problems,
            _data_files(job, done.problems),
            done.tally,
            tokens,
            digests,
            image_sizes,
        )

    def _digests(self, blobs: Blobs) -> list[str] | None:
        if not self.wants_tokens:
            return None
        return [content_digest(blobs.get(row)) for row in range(len(blobs))]

    def _made(self, job: Job, done: Conversion) -> BatchOutput:
        rows = np.flatnonzero(done.written).tolist()
        keys = [job.data[row] for row in rows]
        if self.discards:
            return BatchOutput(keys)
        texts = [text for text in done.label_rows if text is not None]
        if self.pack is not None:
            with self.watch.stage(Stage.WRITE):
                return BatchOutput(keys, packed=self.pack(texts))
        return BatchOutput(keys, texts, done.labels)

    def image_sizes(self, keys: Sequence[str]) -> list[tuple[int, int] | Unread | None]:
        """Return width and height of images, from their headers.

        None where a header does not tell, and why where it cannot be read.
        """
        with self.watch.stage(Stage.HEADERS):
            heads = self.storage.fetch_heads(keys, HEAD_BYTES)
            return [
                tried(partial(self._image_size, key, head))
                for key, head in zip(keys, heads, strict=True)
            ]

    def _image_size(self, key: str, head: bytes | Unread) -> tuple[int, int] | Unread | None:
        if isinstance(head, Unread):
            return head
        unread: list[Unread] = []

        def part(start: int, length: int) -> bytes | None:
            (loaded,) = self.storage.fetch_heads([key], length, start=start)
            if isinstance(loaded, Unread):
                unread.append(loaded)
                return None
            return loaded

        size = read_image_size(head, part)
        return unread[0] if unread else size


def _data_files(job: Job, problems: Sequence[Problem]) -> dict[str, str]:
    """Return sidecar → data file, for those with problems."""
    sources = {problem.source for problem in problems}
    pairs = zip(job.sidecars, job.data, strict=True) if sources else ()
    return {sidecar: data for sidecar, data in pairs if sidecar in sources}


def jobs(paired: "Paired", batch_bytes: int, alone: int | None = None) -> Iterator[Job]:
    """Yield slices of about batch_bytes of sidecars, in the order of data files.

    Parameters
    ----------
    paired, batch_bytes
        What is cut, and how large a slice is.
    alone
        Files with more bytes have a job for themselves; None for no such files.
    """
    listing, pairs = paired.listing, paired.pairs
    sizes = listing.size[pairs.sidecar]
    # A file may say to be of any size: sums stay within 64 bits.
    slice_of = np.cumsum(np.minimum(sizes, _MOST_BYTES)) // batch_bytes
    large = np.flatnonzero(sizes > alone) if alone is not None else np.zeros(0, dtype=np.int64)
    start = 0
    while start < len(pairs):
        end = int(np.searchsorted(slice_of, slice_of[start], side="right"))
        following = large[np.searchsorted(large, start) :][:1].tolist()
        end = min([end, *(max(row, start + 1) for row in following)])
        end = min(max(end, start + 1), start + _MAX_FILES_IN_BATCH)
        data, sidecars = pairs.data[start:end], pairs.sidecar[start:end]
        yield Job(
            listing.keys.take(data),
            listing.keys.take(sidecars),
            sizes[start:end],
            listing.mtime_ns[sidecars],
        )
        start = end
