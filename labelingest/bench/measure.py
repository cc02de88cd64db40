"""Measure a run: a part of a folder is converted, and each stage is measured.

The measured flow is the real one, with its output in a temporary folder that is removed afterwards.
Nothing is written into the storage path.

1. Rounds in this process give the seconds of each stage; the first gives the peak of the process.
2. As many rounds in one process for each core give the seconds of several processes.
3. One run in this process gives the memory of each stage (`labelingest.bench.memory`).
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time, thread_time
from typing import Final

from msgspec import structs

from labelingest.allocator import give_back_memory
from labelingest.bench.measurement import ONCE, Measurement, Processes, StageFigures
from labelingest.bench.memory import StageMemory, peak_bytes, reset_peak, traced
from labelingest.bench.part import Part, part_of
from labelingest.bench.temporary_output import output_name, output_parent
from labelingest.config import OUTPUTS, IngestConfig
from labelingest.engines.base import Engine, usable_cores
from labelingest.engines.processes import ProcessEngine
from labelingest.engines.serial import SerialEngine
from labelingest.formats import target_format
from labelingest.formats.output_names import check_output
from labelingest.model.tally import Tally
from labelingest.pipeline.choose_engine import PRELOAD
from labelingest.pipeline.from_config import output_target
from labelingest.pipeline.loop import RunTotals
from labelingest.pipeline.run import Prepared, convert_pairs, prepare
from labelingest.problems.log import ProblemLog
from labelingest.progress import Progress
from labelingest.report import Report
from labelingest.stopwatch import OFF, Stage, Stopwatch
from labelingest.storage.os_errors import cannot_write

__all__ = ["measure"]

_NO_OUTPUTS: Final = dict.fromkeys(OUTPUTS)
"""Outputs are ignored while measuring."""


def measure(
    config: IngestConfig,
    *,
    files: int = 20_000,
    rounds: int = 1,
    out_folder: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Measurement:
    """Convert a part of a folder and measure its stages.

    Parameters
    ----------
    config
        As for `labelingest.convert`. The name of `out` decides the kind of output that is measured;
        neither `out` nor the other outputs are written.
    files
        Most files to convert; they are spread evenly over the folder.
    rounds
        Number of times that the part is converted.
    out_folder
        Parent of the temporary folder; the system's when None.
    progress
        Receives the number of listed and of converted files.

    Raises
    ------
    ConfigError, OntologyError, StorageError, SidecarError
        As `labelingest.convert` raises them; or the output would be inside the storage path.
    """
    check_output(target_format(config.to), output_name(config), config.shard_rows)
    folder = output_parent(out_folder, config)
    try:
        temporary = TemporaryDirectory(prefix="labelingest-bench-", dir=folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    with temporary as place:
        runs = _Runs(config, files, Path(place), progress)
        give_back_memory()
        reset_peak()
        timed = [runs.run(Stopwatch(), _step(1, rounds))]
        peak = peak_bytes()
        timed += [runs.run(Stopwatch(), _step(number, rounds)) for number in range(2, rounds + 1)]
        processes = _in_processes(runs, timed[-1], rounds)
        memory = StageMemory()
        with traced():
            runs.run(memory, "memory of stages")
    return _measurement(config, timed, processes, memory, peak)


@dataclass(frozen=True, slots=True, eq=False)
class _Round:
    """One run in this process: the converted files and rows, and the seconds."""

    prepared: Prepared
    part: Part
    rows: int
    stopwatch: Stopwatch
    total: float
    background: float
    """Seconds of processor time in other threads."""


@dataclass(slots=True, eq=False)
class _Runs:
    """Runs the same part of a folder again and again, each time to a new temporary output."""

    config: IngestConfig
    files: int
    place: Path
    progress: Callable[[Progress], None] | None
    _outputs: int = field(default=0, init=False)
    _step: str = field(default="", init=False)
    """Name of the current run in the progress."""

    def run(self, stopwatch: Stopwatch, step: str) -> _Round:
        """List and pair the folder, and convert a part of it in this process."""
        config, self._step = self.config, step
        with self._output() as out:
            started, background = perf_counter(), -_other_threads()
            without_outputs = config.model_copy(update=_NO_OUTPUTS)
            prepared = prepare(without_outputs, progress=self._tell, stopwatch=stopwatch)
            include = config.unlabelled == "include"
            part = part_of(prepared.paired, self.files, config.batch_bytes, with_unlabelled=include)
            with stopwatch.stage(Stage.BOOKS):
                report = self._convert(prepared, part, SerialEngine(), out, stopwatch)
            total, background = perf_counter() - started, background + _other_threads()
        return _Round(
            prepared=prepared,
            part=part,
            rows=report.tally.rows_seen,
            stopwatch=stopwatch,
            total=total,
            background=background,
        )

    def seconds_with(self, engine: Engine, prepared: Prepared, part: Part, step: str) -> float:
        """Return the seconds in which an engine converts a part."""
        self._step = step
        with self._output() as out:
            started = perf_counter()
            self._convert(prepared, part, engine, out, OFF)
            return perf_counter() - started

    def _convert(
        self, prepared: Prepared, part: Part, engine: Engine, out: str, stopwatch: Stopwatch
    ) -> Report:
        # The report of a conversion counts that conversion alone.
        report = replace(prepared.report, tally=Tally(), log=ProblemLog())
        # Label rows that go beside their data files are measured as the same tree elsewhere.
        config = self.config.model_copy(update={"out": out, "beside": False})
        convert_pairs(
            config,
            part.paired,
            prepared.converter,
            output_target(
                config, prepared.converter, prepared.paired.storage, len(prepared.paired.pairs)
            ),
            engine,
            totals=RunTotals(report, part.files, self._tell),
            fetched=prepared.layout.fetched,
            stopwatch=stopwatch,
        )
        return report

    def _tell(self, progress: Progress) -> None:
        """Tell the progress of the current run: rates of one run are not those of another."""
        if self.progress is not None:
            self.progress(structs.replace(progress, stage=f"{self._step}: {progress.stage}"))

    @contextmanager
    def _output(self) -> Iterator[str]:
        """Give a new place for an output, which is removed after the block."""
        self._outputs += 1
        folder = self.place / str(self._outputs)
        folder.mkdir()
        try:
            yield str(folder / output_name(self.config))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _in_processes(runs: _Runs, timed: _Round, rounds: int) -> Processes | None:
    """Convert the part of a round in one process for each core."""
    cores = usable_cores()
    if cores == 1:
        return None
    seconds = [
        runs.seconds_with(
            ProcessEngine(cores, PRELOAD),
            timed.prepared,
            timed.part,
            f"{cores} processes, {_step(number, rounds)}",
        )
        for number in range(1, rounds + 1)
    ]
    return Processes(workers=cores, seconds=seconds, start=_seconds_to_start())


def _step(number: int, rounds: int) -> str:
    """Return the name of a round in the progress."""
    return f"round {number} of {rounds}"


def _seconds_to_start() -> float:
    """Return the seconds that a worker process takes until its first answer."""
    started = perf_counter()
    list(ProcessEngine(1, PRELOAD).map(abs, [0]))
    return perf_counter() - started


def _measurement(
    config: IngestConfig,
    timed: list[_Round],
    processes: Processes | None,
    memory: StageMemory,
    peak: int | None,
) -> Measurement:
    prepared, part = timed[0].prepared, timed[0].part
    paired = prepared.paired
    files_of = dict.fromkeys(Stage, part.files) | _files_once(prepared)
    sizes = paired.listing.size[part.paired.pairs.sidecar]
    return Measurement(
        keys=len(paired.listing),
        data_files=part.data_files,
        files=part.files,
        rows=timed[0].rows,
        label_bytes=int(sizes.clip(min=0).sum()),
        out=output_name(config),
        cores=usable_cores(),
        totals=[ran.total for ran in timed],
        background_cpu=[ran.background for ran in timed],
        alone=_alone(config),
        stages=[
            StageFigures(
                stage=stage,
                files=files_of[stage],
                seconds=[ran.stopwatch.seconds[stage] for ran in timed],
                cpu_seconds=[ran.stopwatch.cpu_seconds[stage] for ran in timed],
                memory_bytes=memory.bytes.get(stage),
            )
            for stage in Stage
            if timed[0].stopwatch.seconds[stage]
        ],
        processes=processes,
        peak_bytes=peak,
    )


def _alone(config: IngestConfig) -> list[str]:
    """Return the stages of one process: where labels become one document, it writes that too."""
    is_document = target_format(config.to).is_columns
    return [Stage.OUTPUT, Stage.BOOKS] if is_document else [Stage.BOOKS]


def _other_threads() -> float:
    """Return the seconds of processor time that other threads of this process have taken."""
    return process_time() - thread_time()


def _files_once(prepared: Prepared) -> dict[Stage, int]:
    keys = len(prepared.paired.listing)
    return dict(zip(ONCE, (keys, keys, prepared.layout.sampled_files), strict=True))
