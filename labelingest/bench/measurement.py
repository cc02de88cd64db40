"""Figures of a measured run, and the arithmetic of the whole folder.

A part of a folder is measured. Stages that run once take their seconds for the whole folder; all
others grow with the number of data files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from labelingest.stopwatch import Stage

__all__ = ["ONCE", "Measurement", "Processes", "StageFigures"]

ONCE: Final = (Stage.LIST, Stage.PAIR, Stage.SAMPLE)
"""Stages that run for the whole folder, before a part of it is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFigures:
    """Figures of one stage, in one process."""

    stage: str
    """Name of the stage: a `Stage`, or a name of the version that measured."""
    files: int
    """Files that the stage worked on; 0 for none."""
    seconds: Sequence[float]
    """Seconds of each round, without the stages inside it."""
    cpu_seconds: Sequence[float]
    """Seconds of each round in which the thread of the run did not wait."""
    memory_bytes: int | None = None
    """Bytes that the stage added at most, as `labelingest.bench.memory` says; None if unknown."""

    @property
    def is_once(self) -> bool:
        """Whether the stage ran for the whole folder."""
        return self.stage in ONCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """Figures of the same files in several processes."""

    workers: int
    """Number of worker processes."""
    seconds: Sequence[float]
    """Seconds of each round for the measured files, without stages that run once."""
    start: float
    """Seconds that a worker process takes to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Figures of a run that converted a part of a folder, in rounds.

    Examples
    --------
    >>> seconds = {Stage.LIST: (1.0, 1.5), Stage.READ: (3.0, 2.5), Stage.OUTPUT: (1.0, 1.0)}
    >>> measurement = Measurement(
    ...     keys=4_000,
    ...     data_files=2_000,
    ...     files=1_000,
    ...     rows=7_300,
    ...     label_bytes=280_000,
    ...     out="rows.jsonl",
    ...     cores=2,
    ...     totals=(5.5, 5.5),
    ...     background_cpu=(0.25, 0.25),
    ...     alone=[Stage.BOOKS],
    ...     stages=[
    ...         StageFigures(stage=stage, files=1_000, seconds=rounds, cpu_seconds=rounds)
    ...         for stage, rounds in seconds.items()
    ...     ],
    ...     processes=Processes(workers=2, seconds=(2.75,), start=0.5),
    ... )
    >>> str(measurement.largest.stage), measurement.others(0)
    ('read text', 0.5)
    >>> measurement.estimate(1)  # 1 s to list, twice (3 s + 1 s), and 0.5 s for all else
    9.5
    >>> measurement.estimate(2)  # 1 s to list, 0.5 s for all else, 0.5 s to start, twice 2.25 s
    6.5
    >>> measurement.expected_seconds(2)  # 0.5 s to start, and 3 s + 1 s + 0.25 s by two
    2.625
    """

    keys: int
    """Files in the folder."""
    data_files: int
    """Data files of the folder that a run converts, or includes without label file."""
    files: int
    """Measured data files."""
    rows: int
    """Rows in the sidecars of the measured data files."""
    label_bytes: int
    """Bytes of the sidecars of the measured data files, as listed."""
    out: str
    """Name of the output."""
    cores: int
    """Processor cores that this process may use."""
    totals: Sequence[float]
    """Seconds of each round from beginning to end, in one process."""
    background_cpu: Sequence[float]
    """Seconds of processor time in other threads, in each round: they write while stages run."""
    stages: Sequence[StageFigures]
    """Figures of all stages that ran, in the order of the flow."""
    alone: Sequence[str]
    """Stages that one process runs, however many processes convert."""
    processes: Processes | None = None
    """Figures of several processes; None on a machine with one core."""
    peak_bytes: int | None = None
    """Peak of the process in the first round, as `labelingest.bench.memory` says."""

    @property
    def factor(self) -> float:
        """Number of data files of the folder for each that was measured."""
        return self.data_files / self.files

    @property
    def fastest(self) -> int:
        """The fastest round: its stages add up to its seconds."""
        return min(range(len(self.totals)), key=self.totals.__getitem__)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds of each stage in the fastest round."""
        return {figures.stage: figures.seconds[self.fastest] for figures in self.stages}

    @property
    def folder_seconds(self) -> Mapping[str, float]:
        """Seconds of each stage for the whole folder in one process, by the fastest round."""
        return self._folder_seconds(self.fastest)

    @property
    def largest(self) -> StageFigures:
        """The stage that takes longest for the whole folder."""
        seconds = self.folder_seconds
        return max(self.stages, key=lambda figures: seconds[figures.stage])

    def share(self, stage: str) -> float:
        """Return the share of a stage in the time of the whole folder in one process, 0 to 1."""
        seconds = self.folder_seconds
        return seconds.get(stage, 0.0) / max(sum(seconds.values()), 1e-9)

    def others(self, number: int) -> float:
        """Return the seconds of a round outside all stages: ontology, modules at their first use."""
        inside = sum(figures.seconds[number] for figures in self.stages)
        return max(self.totals[number] - inside, 0.0)

    def whole_seconds(self, number: int) -> float:
        """Return the seconds of the whole folder in one process, by arithmetic from a round."""
        return sum(self._folder_seconds(number).values()) + self.others(number)

    def estimate(self, workers: int) -> float:
        """Return the seconds of the whole folder, by arithmetic from what was measured.

        Parameters
        ----------
        workers
            1, or the number of processes that were measured.
        """
        if workers == 1:
            return self.whole_seconds(self.fastest)
        processes = self.processes
        if processes is None or processes.workers != workers:
            raise ValueError(f"{workers} processes were not measured")
        converting = max(min(processes.seconds) - processes.start, 0.0)
        once = sum(self.folder_seconds.get(stage, 0.0) for stage in ONCE)
        return once + self.others(self.fastest) + processes.start + self.factor * converting

    def expected_seconds(self, workers: int) -> float:
        """Return the seconds of the measured files in several processes, by arithmetic.

        All cores share the work, that of other threads included, and no run is faster than the
        process that puts the labels. The figure is there to be compared with `Processes.seconds`.
        """
        start = 0.0 if self.processes is None else self.processes.start
        seconds = {name: value for name, value in self.seconds.items() if name not in ONCE}
        alone = sum(seconds.get(stage, 0.0) for stage in self.alone)
        work = sum(seconds.values()) + self.background_cpu[self.fastest]
        return start + max(work / workers, alone)

    def _folder_seconds(self, number: int) -> dict[str, float]:
        return {
            figures.stage: figures.seconds[number] * (1 if figures.is_once else self.factor)
            for figures in self.stages
        }
