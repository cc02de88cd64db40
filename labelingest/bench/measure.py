"""Profile a run: a part of a folder is converted, and every stage is timed.

The measured flow is the real one, in this process, with its output in a temporary folder that is
removed afterwards. Nothing is written into the storage path.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from time import perf_counter
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from labelingest.config import OUTPUTS, IngestConfig
from labelingest.engines.base import usable_cores
from labelingest.engines.processes import ProcessEngine
from labelingest.engines.serial import SerialEngine
from labelingest.errors import ConfigError
from labelingest.formats import target_format
from labelingest.formats.output_names import check_output
from labelingest.model.pairs import Pairs
from labelingest.pipeline.choose_engine import PRELOAD
from labelingest.pipeline.discover import Paired
from labelingest.pipeline.from_config import output_target
from labelingest.pipeline.loop import RunTotals
from labelingest.pipeline.run import Prepared, convert_pairs, prepare
from labelingest.progress import Progress
from labelingest.stopwatch import Stage, Stopwatch
from labelingest.storage import open_storage
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.local.real_paths import real_path
from labelingest.storage.os_errors import cannot_write

__all__ = ["Measurement", "measure", "part_of"]

_MOST_TOGETHER: Final = 4096
"""Files that follow each other in the measured part, at most: as many as one batch has."""
_ONCE: Final = (Stage.LIST, Stage.PAIR)
"""Stages that run for the whole folder, before a part of it is taken."""
_ALONE: Final = (Stage.OUTPUT, Stage.BOOKS)
"""Stages that one process runs, however many processes convert."""
_NO_OUTPUTS: Final = dict.fromkeys(OUTPUTS)
"""Outputs are ignored while measuring."""


class Measurement(Struct, frozen=True):
    """Duration of each stage, for a part of a folder.

    Examples
    --------
    >>> seconds = {Stage.LIST: 1.0, Stage.READ: 3.0, Stage.OUTPUT: 1.0}
    >>> measurement = Measurement(
    ...     keys=4_000,
    ...     pairs=2_000,
    ...     files=1_000,
    ...     rows=7_300,
    ...     seconds=seconds,
    ...     total=5.5,
    ...     start=0.5,
    ...     cores=2,
    ...     out="rows.jsonl",
    ... )
    >>> measurement.largest.value, measurement.others, measurement.estimate(1)
    ('read text', 0.5, 9.0)
    >>> measurement.estimate(2)  # 1 s to list, 0.5 s to start, and twice (3 s + 1 s) shared by two
    5.5
    """

    keys: int
    """Files in the folder."""
    pairs: int
    """Data files with a sidecar."""
    files: int
    """Measured data files."""
    rows: int
    """Rows in the sidecars of the measured data files."""
    seconds: Mapping[Stage, float]
    """Seconds of each stage, without the stages inside it; list and pair are of the whole folder."""
    total: float
    """Seconds from beginning to end."""
    start: float
    """Seconds that a worker process takes to start."""
    cores: int
    """Processor cores that this process may use."""
    out: str
    """Name of the output."""

    @property
    def folder_seconds(self) -> dict[Stage, float]:
        """Seconds of each stage for the whole folder in one process, by arithmetic."""
        factor = self.pairs / self.files
        return {
            stage: seconds * (1 if stage in _ONCE else factor)
            for stage, seconds in self.seconds.items()
        }

    @property
    def largest(self) -> Stage:
        """The stage that takes longest for the whole folder."""
        seconds = self.folder_seconds
        return max(seconds, key=seconds.__getitem__)

    @property
    def others(self) -> float:
        """Seconds outside all stages: loading the ontology, and modules at their first use."""
        return max(self.total - sum(self.seconds.values()), 0.0)

    def files_of(self, stage: Stage) -> int:
        """Return the number of files that a stage worked on."""
        return self.keys if stage in _ONCE else self.files

    def estimate(self, workers: int) -> float:
        """Return the seconds that the whole folder takes, by arithmetic.

        All cores share the work of the workers and of the one process that puts their labels; no
        run is faster than that process.
        """
        seconds = self.folder_seconds
        if workers == 1:
            return sum(seconds.values())
        once = sum(seconds.get(stage, 0.0) for stage in _ONCE)
        alone = sum(seconds.get(stage, 0.0) for stage in _ALONE)
        return once + self.start + max((sum(seconds.values()) - once) / workers, alone)


def measure(
    config: IngestConfig,
    *,
    files: int = 20_000,
    out_folder: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Measurement:
    """Convert a part of a folder and time its stages.

    Parameters
    ----------
    config
        As for `labelingest.convert`. The name of `out` decides the kind of output that is measured;
        neither `out` nor the other outputs are written.
    files
        Most files to convert; they are spread evenly over the folder.
    out_folder
        Parent of the temporary folder; the system's when None.
    progress
        Receives the number of listed files.

    Raises
    ------
    ConfigError, OntologyError, StorageError, SidecarError
        As `labelingest.convert` raises them; or the output would be inside the storage path.
    """
    name = _name(config)
    check_output(target_format(config.to), name, config.shard_rows)
    folder = _checked(out_folder or gettempdir(), config)
    stopwatch = Stopwatch()
    try:
        temporary = TemporaryDirectory(prefix="labelingest-bench-", dir=folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    with temporary as place:
        started = perf_counter()
        prepared, part = _convert_part(
            config, str(Path(place, name)), files, progress=progress, stopwatch=stopwatch
        )
        total = perf_counter() - started
    return Measurement(
        keys=len(prepared.paired.listing),
        pairs=len(prepared.paired.pairs),
        files=len(part.pairs),
        rows=prepared.report.tally.rows_seen,
        seconds=stopwatch.seconds,
        total=total,
        start=_seconds_to_start(),
        cores=usable_cores(),
        out=name,
    )


def _convert_part(
    config: IngestConfig,
    out: str,
    files: int,
    *,
    progress: Callable[[Progress], None] | None,
    stopwatch: Stopwatch,
) -> tuple[Prepared, Paired]:
    """Convert a part of a folder to a temporary output; return the folder and the part."""
    without_outputs = config.model_copy(update=_NO_OUTPUTS)
    prepared = prepare(without_outputs, progress=progress, stopwatch=stopwatch)
    part = part_of(prepared.paired, files, config.batch_bytes)
    totals = RunTotals(prepared.report, len(part.pairs), None)
    temporary_config = config.model_copy(update={"out": out})
    target = output_target(temporary_config, prepared.converter)
    with stopwatch.stage(Stage.BOOKS):
        convert_pairs(
            temporary_config,
            part,
            prepared.converter,
            target,
            SerialEngine(),
            totals=totals,
            fetched=prepared.layout.fetched,
            stopwatch=stopwatch,
        )
    return prepared, part


def _name(config: IngestConfig) -> str:
    """Return the name of the output: the name of `out`, whose ending decides the kind."""
    name = Path(config.out or target_format(config.to).sample_output).name
    return name if name.strip(".") else "out"


def _checked(folder: str, config: IngestConfig) -> str:
    """Refuse a parent folder that is no folder, or that is inside the storage path."""
    if not Path(folder).is_dir():
        raise ConfigError(f"out-folder {folder!r} is no folder: make it, or leave it out")
    storage = open_storage(config.storage_path)
    if isinstance(storage, LocalStorage):
        root = real_path(storage.root)
        if real_path(folder).is_relative_to(root):
            raise ConfigError(
                f"out-folder {folder!r} is inside the storage path, into which nothing is written: "
                "give one outside"
            )
    return folder


def part_of(paired: Paired, files: int, batch_bytes: int) -> Paired:
    """Return the folder with some of its pairs: batches, spread evenly over it.

    Parameters
    ----------
    paired
        The folder.
    files
        Most pairs to return.
    batch_bytes
        Bytes of the sidecars of a batch.
    """
    pairs = paired.pairs
    if len(pairs) <= files:
        return paired
    mean = max(float(paired.listing.size[pairs.sidecar].mean()), 1.0)
    together = min(max(int(batch_bytes / mean), 1), _MOST_TOGETHER, files)
    batches = files // together
    starts = np.arange(batches) * len(pairs) // batches
    rows = (starts[:, np.newaxis] + np.arange(together)).ravel()
    part = Pairs(pairs.data[rows], pairs.sidecar[rows], pairs.outcome, pairs.problems)
    return replace(paired, pairs=part)


def _seconds_to_start() -> float:
    """Return the seconds that a worker process takes until its first answer."""
    started = perf_counter()
    list(ProcessEngine(1, PRELOAD).map(abs, [0]))
    return perf_counter() - started
