"""The loop over the jobs of a folder: an engine does them, their results are taken in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial

from labelingest.engines.base import Engine
from labelingest.fence import tried
from labelingest.model.blobs import Unread
from labelingest.pipeline.resume import Done, Kept, is_lost
from labelingest.pipeline.worker import Job, JobResult, Worker
from labelingest.problems import Problem
from labelingest.progress import Progress
from labelingest.report import Report
from labelingest.sinks.base import ResumableSink, Sink
from labelingest.stopwatch import OFF, Stage, Stopwatch

__all__ = ["Books", "Output", "work_off"]


@dataclass(slots=True)
class Books:
    """Takes what became of each job to the report, and tells how far the run is."""

    report: Report
    pairs: int
    """Data files to be done."""
    progress: Callable[[Progress], None] | None
    before: int = 0
    """Of these, done by an interrupted run."""

    def add(self, done: Done) -> None:
        """Take one job."""
        self.report.log.add(done.problems, done.data_files)
        self.report.tally.merge(done.tally)

    def tell(self) -> None:
        """Tell how far the run is."""
        if self.progress is not None:
            tally = self.report.tally
            files = tally.label_rows + tally.failed_files
            self.progress(Progress("convert", files, self.pairs, tally.rows_seen, self.before))


class Output:
    """Where label rows go: nowhere, to a sink, or to a sink whose work is kept."""

    def __init__(
        self,
        sink: Sink | None,
        kept: tuple[Kept, ResumableSink] | None = None,
        watch: Stopwatch = OFF,
    ) -> None:
        self.sink = sink
        self._kept = kept
        self._watch = watch

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Return position and problem of the data files whose labels it cannot hold."""
        return {} if self.sink is None else self.sink.refused(keys)

    def put(self, result: JobResult, refused: Sequence[Problem]) -> Done:
        """Take what a job made.

        Parameters
        ----------
        result
            What became of the job.
        refused
            Problems of data files that were left out of it.
        """
        problems = [*refused, *result.problems]
        result.tally.failed_files += len(refused)
        if self.sink is not None:
            with self._watch.stage(Stage.OUTPUT):
                late = self.sink.put(result.made)
            result.uncount(late)
            problems += [problem for _, problem in late]
        done = Done(problems, result.data_files, result.tally)
        if self._kept is not None:
            kept, sink = self._kept
            kept.add(done, sink)
        return done

    def save(self, error: BaseException) -> None:
        """Bring what is kept onto the disk before a run ends by an exception, if the disk takes it."""
        if self._kept is not None:
            kept, sink = self._kept
            if is_lost(error):
                kept.distrust()
            with suppress(OSError):
                kept.sync(sink)

    def end(self) -> None:
        """Bring what is kept onto the disk, when all is done but to give the output its name."""
        if self._kept is not None:
            kept, sink = self._kept
            kept.sync(sink)


def work_off(
    found: Iterable[Job], engine: Engine, worker: Worker, output: Output, books: Books
) -> None:
    """Do jobs: label rows go to the output, the rest to the books."""
    refusals: deque[Sequence[Problem]] = deque()
    books.tell()
    try:
        with closing(engine.map(worker, _accepted(found, output, refusals))) as results:
            for result in results:
                refused = refusals.popleft()
                if result.deferred is None:
                    books.add(output.put(result, refused))
                else:
                    books.add(_do_large(result.deferred, worker, output, refused))
                books.tell()
        output.end()
    except BaseException as error:
        output.save(error)
        raise


def _do_large(job: Job, worker: Worker, output: Output, refused: Sequence[Problem]) -> Done:
    """Do a job that was deferred: its label row goes to the output piece by piece.

    Where it breaks off, nothing of it stays, and that costs this file alone.
    """
    result = worker.do_large(job)
    done = tried(partial(output.put, result, refused))
    if isinstance(done, Unread):
        done = output.put(worker.give_up(job, 0, done), refused)
    return done


def _accepted(
    found: Iterable[Job], output: Output, refusals: deque[Sequence[Problem]]
) -> Iterator[Job]:
    """Leave out the data files whose label rows the output cannot hold.

    Every job is yielded, also one of which nothing is left: the number of a job is its place.
    """
    for job in found:
        refused: Mapping[int, Problem] = output.refused(job.data)
        refusals.append(list(refused.values()))
        yield job.without(refused)
