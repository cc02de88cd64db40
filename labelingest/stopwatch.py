"""Stopwatch that adds up the time of each stage of a run, as one thread meets it.

The stopwatch is passed along, never a global. Nearly all runs are not measured, and use `OFF`, which
does nothing. A stage inside another one stops the outer stage's time meanwhile, so that no second
counts twice.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from time import perf_counter, thread_time
from typing import Final

__all__ = ["OFF", "Stage", "Stopwatch"]


class Stage(StrEnum):
    """Stage of a run, in the order of the flow."""

    LIST = "list"
    PAIR = "pair"
    SAMPLE = "sample label files"
    """Class lists and the row layout: decided from a part of the files, once for a run."""
    FETCH = "fetch label files"
    HEADERS = "read image headers"
    READ = "read text"
    """Encord sidecars are resolved and checked while they are read."""
    RESOLVE = "resolve classes"
    ASSEMBLE = "assemble shapes"
    CHECK = "check"
    WRITE = "write text"
    OUTPUT = "write output"
    BOOKS = "keep the books"
    """Cutting batches, counting, and writing the journal."""


class Stopwatch:
    """Adds up the seconds of each stage.

    Examples
    --------
    >>> stopwatch = Stopwatch()
    >>> with stopwatch.stage(Stage.ASSEMBLE), stopwatch.stage(Stage.HEADERS):
    ...     pass
    >>> [stage.value for stage, seconds in stopwatch.seconds.items() if seconds]
    ['read image headers', 'assemble shapes']
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(Stage, 0.0)
        self.cpu_seconds = dict.fromkeys(Stage, 0.0)
        """Seconds in which the calling thread was running: the rest of `seconds` it waited."""
        self._open: list[Stage] = []
        self._since = self._cpu_since = 0.0

    def stage(self, stage: Stage) -> AbstractContextManager[None]:
        """Return a context whose time counts for a stage, except that of stages inside it."""
        return self._timed(stage)

    @contextmanager
    def _timed(self, stage: Stage) -> Iterator[None]:
        self._lap()
        self._open.append(stage)
        try:
            yield
        finally:
            self._lap()
            self._open.pop()

    def _lap(self) -> None:
        """Add the time since the last change to the innermost stage."""
        now, cpu_now = perf_counter(), thread_time()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
            self.cpu_seconds[self._open[-1]] += cpu_now - self._cpu_since
        self._since, self._cpu_since = now, cpu_now


class _Off(Stopwatch):
    """Measures nothing; can be sent to other processes."""

    def __init__(self) -> None:
        pass

    def stage(self, stage: Stage) -> AbstractContextManager[None]:
        return _NOTHING

    def __reduce__(self) -> str:
        return "OFF"


_NOTHING: Final = nullcontext()
OFF: Final[Stopwatch] = _Off()
"""Stopwatch of a run that is not measured."""
