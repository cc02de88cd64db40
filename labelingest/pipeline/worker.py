"""The unit of work: a slice of the pairs of a folder, and the worker that converts it.

A worker does stages 3 to 7 of the flow: it fetches sidecars, converts them, and reads the image
headers that the conversion needs. Stage 8, put, is `labelingest.pipeline.loop`'s. Jobs and workers
can be pickled, and a job's result depends on nothing but the job.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from labelingest.columns.fingerprints import content_digest
from labelingest.columns.types import Int32, Int64
from labelingest.converter import Conversion, Converter, Counts
from labelingest.converter.large import LargeConversion
from labelingest.fence import isolate_failures
from labelingest.model.batch_output import BatchOutput, Labels
from labelingest.model.blobs import Blobs, Unread
from labelingest.model.tally import Tally
from labelingest.model.units import DataUnits
from labelingest.pipeline.fetched_files import FetchedFile, fetch_rest, take_fetched
from labelingest.pipeline.image_headers import HeaderSizes, JobHeaders, read_headers
from labelingest.problems import Problem, ProblemCode
from labelingest.readers.yolo.slices import SLICE_BYTES
from labelingest.sinks.base import WorkerHalf
from labelingest.stopwatch import OFF, Stage, Stopwatch
from labelingest.storage.base import Storage

if TYPE_CHECKING:  # listing and pairing are not loaded in every worker process
    from labelingest.pipeline.discover import Paired

__all__ = ["Job", "JobResult", "Worker", "cut_jobs"]

LARGE_BYTES: Final = 4_000_000
"""Bytes beyond which a YOLO file is converted slice by slice: some 200 MB of memory for the largest
file that is converted as a whole."""
_MAX_FILES_IN_BATCH: Final = 4096
"""Files of one batch: empty sidecars weigh nothing, and this bounds what their label rows weigh."""
_MAX_BATCH_BYTES: Final = 2**40
"""Bytes that one sidecar counts at most when batches are cut, so that sums stay within 64 bits."""


class Job(Struct, frozen=True, eq=False):
    """A slice of the pairs of a folder, ordered by data file."""

    data: Sequence[str]
    """(u,) keys of the data files."""
    sidecars: Sequence[str]
    """(u,) keys of their sidecars."""
    sizes: Int64
    """(u,) bytes of the sidecars, as listed."""
    mtime_ns: Int64
    """(u,) last change of the sidecars, nanoseconds since 1970 UTC."""
    fetched: Mapping[str, FetchedFile] = field(default_factory=dict)
    """Sidecar → content, for sidecars that were fetched before the job was cut."""
    work: "Callable[[Worker, Job], JobResult] | None" = None
    """Work of a job without sidecars, a function that can be pickled; None to convert the pairs."""
    shard: int = 0
    """Number of the shard that the label rows go to, where the output has shards."""

    def without(self, rows: Collection[int]) -> "Job":
        """Return the job without some of its files."""
        if not rows:
            return self
        keep = [row for row in range(len(self.data)) if row not in rows]
        data, sidecars = ([keys[row] for row in keep] for keys in (self.data, self.sidecars))
        sizes, mtime_ns = self.sizes[keep], self.mtime_ns[keep]
        return replace(self, data=data, sidecars=sidecars, sizes=sizes, mtime_ns=mtime_ns)

    def part(self, rows: slice) -> "Job":
        """Return the job of some files that follow each other."""
        if rows == slice(0, len(self.data)):
            return self
        return replace(
            self,
            data=self.data[rows],
            sidecars=self.sidecars[rows],
            sizes=self.sizes[rows],
            mtime_ns=self.mtime_ns[rows],
        )


class JobResult(Struct, frozen=True, eq=False):
    """The result of a job."""

    output: BatchOutput
    """Labels of the data files that were converted, in order of their keys."""
    counts: Counts
    """(m,) counts of what each converted file contains."""
    problems: Sequence[Problem]
    """Problems in order; each names the sidecar, or the data file where that is the cause."""
    data_files: Mapping[str, str]
    """Sidecar → data file, for sidecars with problems."""
    row_tally: Tally
    """Counts of rows and of failed files, without the converted files."""
    tokens: Sequence[str] | None = None
    """(u,) version tokens of the sidecars as they were read; None where none are known."""
    digests: Sequence[str] | None = None
    """(u,) digests of the sidecars' contents as they were read; None where they are not needed."""
    image_sizes: Mapping[str, tuple[int, int] | None] = field(default_factory=dict)
    """Data files whose header was read → width and height; None where the header has no size. Empty
    where versions of sidecars are not needed either."""
    deferred: Job | None = None
    """A job of one large file for `Worker.convert_large`, which runs in the process of the output."""

    @classmethod
    def defer(cls, job: Job) -> "JobResult":
        """Return the result of a job that is left to `Worker.convert_large`."""
        return cls(BatchOutput([]), _no_counts(), [], {}, Tally(), deferred=job)

    @classmethod
    def joined(cls, parts: "Sequence[JobResult]") -> "JobResult":
        """Return the results of the parts of a job as the result of the job."""
        tokens = [part.tokens for part in parts if part.tokens is not None]
        digests = [part.digests for part in parts if part.digests is not None]
        return cls(
            output=BatchOutput.joined([part.output for part in parts]),
            counts=Counts.joined([part.counts for part in parts]),
            problems=[problem for part in parts for problem in part.problems],
            data_files={key: data for part in parts for key, data in part.data_files.items()},
            row_tally=Tally.sum(part.row_tally for part in parts),
            tokens=[token for of_part in tokens for token in of_part] if tokens else None,
            digests=[digest for of_part in digests for digest in of_part] if digests else None,
            image_sizes={key: size for part in parts for key, size in part.image_sizes.items()},
        )

    def added_up(self) -> "JobResult":
        """Return the result of a job of which no file can be refused, without counts of files."""
        return replace(self, row_tally=self.tally(), counts=_no_counts())

    def tally(self, refused: Sequence[tuple[int, Problem]] = ()) -> Tally:
        """Count the job, once the sink has answered.

        Parameters
        ----------
        refused
            Position in `output.keys` and problem of each file that the sink did not take.
        """
        if self.row_tally.unlabelled_images:
            return Tally.sum((self.row_tally, Tally(unlabelled_images=-len(refused))))
        keep = np.ones(len(self.counts.seen), dtype=bool)
        keep[[position for position, _ in refused]] = False
        tally = Tally.sum((self.row_tally, self.counts.where(keep).tally()))
        for position, problem in refused:
            valid = int(self.counts.annotations[position] + self.counts.classifications[position])
            had_no_rejected = int(self.counts.seen[position]) == valid
            tally.failed_files += 1
            tally.rejected[problem.code] += valid
            tally.files_with_rejected_rows += int(had_no_rejected and valid > 0)
        return tally


def _no_counts() -> Counts:
    nothing = np.zeros(0, dtype=np.int64)
    return Counts(nothing, nothing, nothing)


class Worker(Struct, frozen=True):
    """Converts jobs: fetches sidecars, converts them, reads the image headers that are needed."""

    storage: Storage
    converter: Converter
    half: WorkerHalf | None = None
    """The worker's half of the sink; None where the sink takes label rows as they are."""
    stopwatch: Stopwatch = OFF
    wants_tokens: bool = False
    """Whether versions and digests of sidecars are returned, and the sizes of images that were read:
    a system call for each file."""
    discards: bool = False
    """Whether label rows are dropped instead of returned."""

    large_bytes: int = LARGE_BYTES
    """Bytes beyond which a YOLO file is deferred, to be converted slice by slice."""
    slice_bytes: int = SLICE_BYTES

    @property
    def most_shared_bytes(self) -> int | None:
        """Bytes that a file in a job with other files may have; None for any number."""
        return self.large_bytes if self.converter.source_format.is_read_in_slices else None

    def __call__(self, job: Job) -> JobResult:
        """Convert one slice, or defer it if it is one large file.

        An unexpected exception costs the file that it comes from.
        """
        if job.work is not None:
            return self._delivered(job.work(self, job))
        most = self.most_shared_bytes
        if most is not None and len(job.data) == 1 and job.sizes[0] > most:
            return JobResult.defer(job)
        return self._delivered(self._fenced(job, self._convert))

    def _delivered(self, result: JobResult) -> JobResult:
        if self.half is None:
            return result
        with self.stopwatch.stage(Stage.OUTPUT):
            output = self.half.deliver(result.output)
            return replace(result if output.keys else result.added_up(), output=output)

    def convert_large(self, job: Job) -> JobResult:
        """Convert a deferred file slice by slice; its labels are made when the sink takes them."""
        return self._fenced(job, self._convert_large)

    def give_up(self, job: Job, row: int, why: Unread) -> JobResult:
        """Return the result of one file of a job that raised an unexpected exception."""
        part = job.part(slice(row, row + 1))
        conversion = self.converter.give_up(part.data[0], part.sidecars[0], why)
        unknown = [""] if self.wants_tokens else None
        return self._result(part, conversion, None, tokens=unknown, digests=unknown)

    def _fenced(self, job: Job, convert: Callable[[Job], JobResult]) -> JobResult:
        """Convert a job; an exception outside the converter, which has such a fence, costs one file."""
        give_up = partial(self.give_up, job)
        return isolate_failures(
            lambda rows: convert(job.part(rows)), len(job.data), give_up, JobResult.joined
        )

    def _convert(self, job: Job) -> JobResult:
        """Convert the files of a job together: fetch, then the stages of the converter."""
        blobs = self._without_grown(job, self._fetch(job))
        units = DataUnits.from_keys(job.data, job.sidecars, job.mtime_ns)
        headers = self._headers(job, blobs)
        conversion = self.converter.convert_blobs(blobs, units, headers.find, self.stopwatch)
        if len(headers.unread) > len(blobs.unread):
            # A size that is not known today would be taken for a fact of the files. Counts are kept
            # for the batch, so the batch is converted again without files of unreadable images.
            blobs = _without(blobs, headers.unread)
            conversion = self.converter.convert_blobs(blobs, units, headers.find, self.stopwatch)
        digests = self._digests(blobs)
        return self._result(job, conversion, headers, tokens=blobs.tokens, digests=digests)

    def _convert_large(self, job: Job) -> JobResult:
        blobs = self._fetch(job)
        tokens, digests = blobs.tokens, self._digests(blobs)
        unit = DataUnits.from_keys(job.data, job.sidecars, job.mtime_ns)
        headers = self._headers(job, blobs)
        if not headers.unread:
            content = blobs.get(0)
            del blobs  # frees the second copy of a large file
            large = self.converter.convert_large(content, unit, headers.find, self.slice_bytes)
            if not headers.unread:
                return self._result(job, large, headers, tokens=tokens, digests=digests)
        nothing = Blobs.from_contents([b""], headers.unread, tokens)
        failed = self.converter.convert_blobs(nothing, unit, _no_sizes)
        return self._result(job, failed, headers, tokens=tokens, digests=digests)

    def _headers(self, job: Job, blobs: Blobs) -> JobHeaders:
        return JobHeaders(self.storage, job.data, blobs.unread, self.stopwatch)

    def _fetch(self, job: Job) -> Blobs:
        with self.stopwatch.stage(Stage.FETCH):
            return fetch_rest(
                self.storage,
                job.sidecars,
                job.fetched,
                sizes=job.sizes,
                tokens=self.wants_tokens,
                most=self.converter.most_bytes,
            )

    def _without_grown(self, job: Job, blobs: Blobs) -> Blobs:
        """Leave out files that became large after they were listed: large files are deferred."""
        most = self.most_shared_bytes
        if most is None:
            return blobs
        grown = (blobs.ends - blobs.starts > most) & (job.sizes <= most)
        if not grown.any():
            return blobs
        detail = "it cannot be read: it has become much larger since it was listed; run again"
        why = Unread(ProblemCode.UNREADABLE_FILE, detail)
        return _without(
            blobs, {**blobs.unread, **dict.fromkeys(np.flatnonzero(grown).tolist(), why)}
        )

    def _result(
        self,
        job: Job,
        conversion: Conversion | LargeConversion,
        headers: JobHeaders | None,
        *,
        tokens: Sequence[str] | None,
        digests: Sequence[str] | None,
    ) -> JobResult:
        if isinstance(conversion, LargeConversion):
            output = self._large_output(job, conversion)
        else:
            output = self._output(job, conversion)
        return JobResult(
            output=replace(output, shard=job.shard) if job.shard else output,
            counts=conversion.counts.where(conversion.is_converted),
            problems=conversion.problems,
            data_files=_data_files(job, conversion.problems),
            row_tally=conversion.row_tally,
            tokens=tokens,
            digests=digests,
            image_sizes=headers.by_key() if headers and self.wants_tokens else {},
        )

    def _output(self, job: Job, conversion: Conversion) -> BatchOutput:
        keys = [job.data[row] for row in np.flatnonzero(conversion.is_converted).tolist()]
        if self.discards:
            return BatchOutput(keys)
        output = BatchOutput(keys, conversion.texts, conversion.labels)
        if self.half is None:
            return output
        with self.stopwatch.stage(Stage.WRITE):
            return self.half.pack(output)

    def _large_output(self, job: Job, conversion: LargeConversion) -> BatchOutput:
        is_converted = bool(conversion.is_converted[0])
        if is_converted and not self.discards:
            return BatchOutput(list(job.data), large=conversion.large)
        is_columns = self.converter.target_format.is_columns
        keys = list(job.data) if is_converted else []
        return BatchOutput(keys, (), Labels.none() if is_columns else None)

    def _digests(self, blobs: Blobs) -> list[str] | None:
        if not self.wants_tokens:
            return None
        return [content_digest(blobs.get(row)) for row in range(len(blobs))]

    def image_sizes(self, keys: Sequence[str]) -> HeaderSizes:
        """Return width and height of images, from their headers."""
        with self.stopwatch.stage(Stage.HEADERS):
            return read_headers(self.storage, keys)


def _no_sizes(rows: Int64) -> Int32:
    return np.full((len(rows), 2), -1, dtype=np.int32)


def _without(blobs: Blobs, unread: Mapping[int, Unread]) -> Blobs:
    """Return blobs without the contents of the files that are unread."""
    contents = [b"" if row in unread else blobs.get(row) for row in range(len(blobs))]
    return Blobs.from_contents(contents, unread, blobs.tokens)


def _data_files(job: Job, problems: Sequence[Problem]) -> dict[str, str]:
    """Return sidecar → data file, for sidecars with problems."""
    sources = {problem.source for problem in problems}
    pairs = zip(job.sidecars, job.data, strict=True) if sources else ()
    return {sidecar: data for sidecar, data in pairs if sidecar in sources}


def cut_jobs(
    paired: "Paired",
    batch_bytes: int,
    most_shared_bytes: int | None,
    fetched: dict[str, FetchedFile] | None = None,
) -> Iterator[Job]:
    """Yield slices of about batch_bytes of sidecars, in the order of data files.

    Parameters
    ----------
    paired, batch_bytes
        The pairs that are cut, and the size of a slice.
    most_shared_bytes
        Bytes beyond which a file has a job for itself; None for no such files.
    fetched
        Sidecar → content of sidecars that were fetched before; each moves to its job.
    """
    listing, pairs = paired.listing, paired.pairs
    start = bytes_before = 0
    while start < len(pairs):
        sidecars = pairs.sidecar[start : start + _MAX_FILES_IN_BATCH]
        sizes = listing.size[sidecars]
        bytes_until = bytes_before + np.cumsum(np.minimum(sizes, _MAX_BATCH_BYTES))
        slice_of = bytes_until // batch_bytes
        count = int(np.searchsorted(slice_of, slice_of[0], side="right"))
        if most_shared_bytes is not None:
            # The first large file ends the job before it, or is a job.
            large = np.flatnonzero(sizes[:count] > most_shared_bytes)[:1].tolist()
            count = min([count, *(max(row, 1) for row in large)])
        data, sidecars, sizes = pairs.data[start : start + count], sidecars[:count], sizes[:count]
        keys = listing.keys.take(sidecars)
        yield Job(
            listing.keys.take(data),
            keys,
            sizes,
            listing.mtime_ns[sidecars],
            fetched=take_fetched(fetched, keys),
        )
        start += count
        bytes_before = int(bytes_until[count - 1])
