"""Run the jobs of a folder: an engine converts them, and their results are put in order.

Stage 8 of the flow: the sink takes the labels of each job, then the job is counted, and written to
the journal if the run can be resumed.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from labelingest.engines.base import Engine
from labelingest.errors import EngineError
from labelingest.fence import result_or_reason
from labelingest.model.blobs import Unread
from labelingest.pipeline.resume import JobRecord, ResumableRun, is_lost
from labelingest.pipeline.worker import Job, JobResult, Worker
from labelingest.problems import Problem
from labelingest.progress import Progress
from labelingest.report import Report
from labelingest.sinks.base import ResumableSink, Sink, WorkerHalf
from labelingest.stopwatch import OFF, Stage, Stopwatch

__all__ = ["JournaledSink", "RunTotals", "run_jobs"]


class RunTotals(Struct):
    """Adds the jobs of a run to its report, and reports progress."""

    report: Report
    pairs: int
    """Data files of the run."""
    progress: Callable[[Progress], None] | None
    resumed_files: int = 0
    """Data files that an interrupted run has converted."""

    def add(self, record: JobRecord) -> None:
        """Add one job."""
        self.report.log.add(record.problems, record.data_files)
        self.report.tally.merge(record.tally)

    def report_progress(self) -> None:
        """Report how many data files are converted."""
        if self.progress is not None:
            tally = self.report.tally
            files = tally.label_rows + tally.failed_files
            self.progress(
                Progress("convert", files, self.pairs, tally.rows_seen, self.resumed_files)
            )


class JournaledSink(Struct, frozen=True):
    """A sink, with a journal of the jobs that it has taken if the run can be resumed."""

    sink: Sink | None
    """None where labels are checked and not written."""
    journaled: tuple[ResumableRun, ResumableSink] | None = None
    """The run with the journal, and the same sink; None for a run that cannot be resumed."""
    stopwatch: Stopwatch = OFF
    _unmarked: deque[JobRecord] = field(default_factory=deque)
    """Jobs whose labels may not be with the system yet: the journal has them later."""

    def half(self) -> WorkerHalf | None:
        """Return the sink's half for workers; None where they have nothing to do for it."""
        return None if self.sink is None else self.sink.half()

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Return position and problem of the data files whose labels the sink cannot hold."""
        return {} if self.sink is None else self.sink.refused(keys)

    def put(self, result: JobResult, refused: Sequence[Problem]) -> JobRecord:
        """Put the labels of a job, and count the job as the sink answers.

        Parameters
        ----------
        result
            The result of the job.
        refused
            Problems of data files that were left out of the job.
        """
        refused_late: list[tuple[int, Problem]] = []
        if self.sink is not None:
            with self.stopwatch.stage(Stage.OUTPUT):
                refused_late = self.sink.put(result.output)
        tally = result.tally(refused_late)
        tally.failed_files += len(refused)
        problems = [*refused, *result.problems, *(problem for _, problem in refused_late)]
        record = JobRecord(problems, result.data_files, tally)
        if self.journaled is not None:
            self._unmarked.append(record)
            self._add_marked()
        return record

    def _add_marked(self, *, wait: bool = False) -> None:
        """Write the jobs to the journal whose labels are with the system by now."""
        if self.journaled is not None:
            run, sink = self.journaled
            for mark in sink.marks(wait=wait):
                run.add(self._unmarked.popleft(), mark)
            run.sync_in_time(sink)

    def save(self, error: BaseException) -> None:
        """Flush sink and journal to the disk, if it takes them, before an exception ends the run."""
        if self.journaled is not None:
            run, sink = self.journaled
            if is_lost(error):
                run.distrust()
                return
            try:
                # Workers have ended with the run: what they did not write is not waited for.
                with suppress(EngineError):
                    self._add_marked(wait=True)
                run.sync(sink)
            except (OSError, EngineError) as later:
                if is_lost(later):
                    run.distrust()

    def finish(self) -> None:
        """Flush sink and journal to the disk, before the output gets its name."""
        if self.journaled is not None:
            run, sink = self.journaled
            with self.stopwatch.stage(Stage.OUTPUT):
                while self._unmarked:
                    self._add_marked(wait=True)
                run.sync(sink)


def run_jobs(
    jobs: Iterable[Job], engine: Engine, worker: Worker, output: JournaledSink, totals: RunTotals
) -> None:
    """Convert jobs, put their labels and add them to the totals, in order."""
    # Engines take jobs ahead of results: refusals wait here, in the order of the jobs.
    refusals: deque[Sequence[Problem]] = deque()
    totals.report_progress()
    try:
        crew = replace(worker, half=output.half())
        with closing(engine.map(crew, _accepted(jobs, output, refusals))) as results:
            for result in results:
                refused = refusals.popleft()
                if result.deferred is None:
                    totals.add(output.put(result, refused))
                else:
                    totals.add(_put_large(result.deferred, worker, output, refused))
                totals.report_progress()
        output.finish()
    except BaseException as error:
        output.save(error)
        raise


def _put_large(
    job: Job, worker: Worker, output: JournaledSink, refused: Sequence[Problem]
) -> JobRecord:
    """Convert a deferred job; its label row goes to the sink piece by piece.

    If that breaks off, nothing of the label row remains, and only this file fails.
    """
    result = worker.convert_large(job)
    record = result_or_reason(partial(output.put, result, refused))
    if isinstance(record, Unread):
        record = output.put(worker.give_up(job, 0, record), refused)
    return record


def _accepted(
    jobs: Iterable[Job], output: JournaledSink, refusals: deque[Sequence[Problem]]
) -> Iterator[Job]:
    """Leave out the data files whose labels the sink cannot hold.

    Every job is yielded, even an empty one: a job's number is its place in the journal.
    """
    for job in jobs:
        refused: Mapping[int, Problem] = output.refused(job.data)
        refusals.append(list(refused.values()))
        yield job.without(refused)
