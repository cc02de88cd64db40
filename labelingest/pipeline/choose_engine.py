"""Choose the engine that runs the jobs: this process, processes, a cluster or an executor."""

from concurrent.futures import Executor
from typing import Final, Protocol

from labelingest.engines import check_engine, open_engine
from labelingest.engines.base import Engine, usable_cores
from labelingest.engines.executors import ExecutorEngine
from labelingest.engines.processes import ProcessEngine
from labelingest.engines.serial import SerialEngine
from labelingest.errors import ConfigError

__all__ = ["PRELOAD", "EngineOptions", "Engines", "check_engines"]

_WORTH_IT: Final = 5_000
"""Data files from which starting processes pays off (`benchmarks/bench_end_to_end.py`)."""
_WORTH_LISTING: Final = 2 * _WORTH_IT
"""Listed files, sidecars included, among which `_WORTH_IT` data files are likely."""
_IN_FLIGHT: Final = 4
"""Batches in flight for each worker of an executor: one is converted, the others are on the way."""
PRELOAD: Final = "labelingest.pipeline.worker"
"""Module that a worker process loads before its first batch."""


class EngineOptions(Protocol):
    """Options that decide on the engine of a run."""

    @property
    def workers(self) -> int | None:
        """Worker processes, or workers of an executor; None for one per core."""
        ...

    @property
    def engine(self) -> str | None:
        """URL of a cluster; None for this machine or an executor."""
        ...


def check_engines(options: EngineOptions, executor: Executor | None) -> None:
    """Refuse options that no engine fits.

    Raises
    ------
    ConfigError
        The cluster's URL is no engine, or another engine is given too.

    Examples
    --------
    >>> from labelingest.config import IngestConfig
    >>> options = IngestConfig(storage_path="data", ontology="ontology.json", engine="spark://10.0.0.1")
    >>> check_engines(options, None)
    Traceback (most recent call last):
    labelingest.errors.ConfigError: engine 'spark://10.0.0.1' is not known: …
    """
    if options.engine is None:
        return
    if executor is not None:
        raise ConfigError("engine and executor: both would do the work; leave out one of the two")
    check_engine(options.engine)


class Engines:
    """Chooses the engine of a run; starts processes while a large folder is still being listed.

    Used as a context, which ends processes that are not needed after all.
    """

    def __init__(self, options: EngineOptions, executor: Executor | None) -> None:
        self._options = options
        self._executor = executor
        self._cores = usable_cores()
        self._processes = ProcessEngine(options.workers or self._cores, PRELOAD)

    def __enter__(self) -> "Engines":
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.end()

    def on_listed(self, files: int) -> None:
        """Start worker processes once enough files are listed for processes to pay off.

        Where the caller gives a number of workers, the first call starts them.
        """
        is_local = self._executor is None and self._options.engine is None
        is_worth_it = self._options.workers is not None or files >= _WORTH_LISTING
        if is_local and self._processes.workers > 1 and is_worth_it:
            self._processes.start()

    def engine(self, pairs: int) -> Engine:
        """Return the engine of the configuration, or one that suits the number of data files."""
        workers = self._options.workers
        if self._executor is not None:
            return ExecutorEngine(self._executor, in_flight=_IN_FLIGHT * (workers or self._cores))
        if self._options.engine is not None:
            return open_engine(self._options.engine)
        is_small = workers is None and pairs < _WORTH_IT
        return SerialEngine() if is_small or self._processes.workers == 1 else self._processes
