"""Where the time of a run goes: a part of a folder is converted, and every stage is timed.

What is measured is the flow itself, in this process, with its output in a temporary folder that is
gone afterwards. Nothing is written into the storage path.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from time import perf_counter
from typing import Final

import numpy as np

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
from labelingest.pipeline.loop import Books
from labelingest.pipeline.run import convert_pairs, prepare
from labelingest.progress import Progress
from labelingest.stopwatch import Stage, Stopwatch
from labelingest.storage import open_storage
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.local.real_paths import real_path
from labelingest.storage.os_errors import cannot_write

__all__ = ["Measurement", "measure", "part_of"]

_MOST_TOGETHER: Final = 4096
"""Files that stand beside each other in the part that is measured."""
_ONCE: Final = (Stage.LIST, Stage.PAIR)
"""Done for the whole folder, before there is a part of it."""
_ALONE: Final = (Stage.OUTPUT, Stage.BOOKS)
"""Done by one process, however many convert."""
_NO_OUTPUTS: Final = dict.fromkeys(OUTPUTS)
"""Nothing is written there, so what is there is no matter."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """How long each stage took, for a part of a folder.

    Examples
    --------
    >>> seconds = {Stage.LIST: 1.0, Stage.READ: 3.0, Stage.OUTPUT: 1.0}
    >>> measured = Measurement(4_000, 2_000, 1_000, 7_300, seconds, 5.5, 0.5, 2, "rows.jsonl")
    >>> measured.largest.value, measured.others, measured.estimate(1)
    ('read text', 0.5, 9.0)
    >>> measured.estimate(2)  # 1 s to list, 0.5 s to start, and twice (3 s + 1 s) shared by two
    5.5
    """

    keys: int
    """Files in the folder."""
    pairs: int
    """Data files with a sidecar."""
    files: int
    """Of these, measured."""
    rows: int
    """Rows in them."""
    seconds: Mapping[Stage, float]
    """Of each stage, without the stages inside it; list and pair are of the whole folder."""
    total: float
    """Seconds from beginning to end."""
    start: float
    """Seconds that a worker process takes to start."""
    cores: int
    """That this process may use."""
    out: str
    """Name of the output that was written."""

    @property
    def whole(self) -> dict[Stage, float]:
        """Stage → seconds that it takes for the whole folder in one process, by arithmetic."""
        factor = self.pairs / self.files
        return {
            stage: seconds * (1 if stage in _ONCE else factor)
            for stage, seconds in self.seconds.items()
        }

    @property
    def largest(self) -> Stage:
        """The stage that takes longest for the whole folder."""
        whole = self.whole
        return max(whole, key=whole.__getitem__)

    @property
    def others(self) -> float:
        """Seconds of no stage: loading the ontology, and what is loaded when first used."""
        return max(self.total - sum(self.seconds.values()), 0.0)

    def files_of(self, stage: Stage) -> int:
        """Return how many files a stage was about."""
        return self.keys if stage in _ONCE else self.files

    def estimate(self, workers: int) -> float:
        """Return the seconds that the whole folder takes, by arithmetic.

        All cores share what workers do and what one process does for them; the whole cannot be
        faster than that process.
        """
        whole = self.whole
        if workers == 1:
            return sum(whole.values())
        once = sum(whole.get(stage, 0.0) for stage in _ONCE)
        alone = sum(whole.get(stage, 0.0) for stage in _ALONE)
        return once + self.start + max((sum(whole.values()) - once) / workers, alone)


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
        As for `labelingest.convert`. The name of `out` says what kind of output is measured; it is
        not written, nor are the other outputs.
    files
        How many files at most; they are spread evenly over the folder.
    out_folder
        Where the temporary folder is made; that of the system when None.
    progress
        Told how many files were listed.

    Raises
    ------
    ConfigError, OntologyError, StorageError, SidecarError
        As `labelingest.convert` raises them; or the output would be inside the storage path.
    """
    name = _name(config)
    check_output(target_format(config.to), name, config.shard_rows)
    folder = _checked(out_folder or gettempdir(), config)
    watch = Stopwatch()
    try:
        temporary = TemporaryDirectory(prefix="labelingest-bench-", dir=folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    with temporary as place:
        started = perf_counter()
        ready = prepare(config.model_copy(update=_NO_OUTPUTS), progress=progress, watch=watch)
        part = part_of(ready.paired, files, config.batch_bytes)
        books = Books(ready.report, len(part.pairs), None)
        written = config.model_copy(update={"out": str(Path(place, name))})
        with watch.stage(Stage.BOOKS):
            convert_pairs(written, part, ready.converter, SerialEngine(), books, watch)
        total = perf_counter() - started
    return Measurement(
        keys=len(ready.paired.listing),
        pairs=len(ready.paired.pairs),
        files=len(part.pairs),
        rows=ready.report.tally.rows_seen,
        seconds=watch.seconds,
        total=total,
        start=_seconds_to_start(),
        cores=usable_cores(),
        out=name,
    )


def _name(config: IngestConfig) -> str:
    """Return the name of the output: that of `out` wherever it is, for its ending says its kind."""
    name = Path(config.out or target_format(config.to).sample_output).name
    return name if name.strip(".") else "out"


def _checked(folder: str, config: IngestConfig) -> str:
    """Refuse a folder for the output that is none, or inside the storage path."""
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
    """Return the folder with at most so many of its pairs: batches, spread evenly over it.

    Parameters
    ----------
    paired
        The folder.
    files
        How many pairs at most.
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
    """Return how long a worker process takes until its first answer."""
    started = perf_counter()
    list(ProcessEngine(1, PRELOAD).map(abs, [0]))
    return perf_counter() - started
