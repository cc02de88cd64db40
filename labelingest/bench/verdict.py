"""Verdict on a measurement: the resource that bounds the run, and the cure, by the figures."""

from collections.abc import Mapping
from typing import Final

from labelingest.bench.measurement import Measurement, StageFigures
from labelingest.config import IngestConfig
from labelingest.formats import target_format
from labelingest.formats.output_names import is_tree
from labelingest.stopwatch import Stage

__all__ = ["duration", "verdict"]

_NO_GAIN: Final = 0.9
"""Share of the time in one process; more processes that still need this share are not worth it."""
_MOST_WAITING: Final = 0.5
"""Share of a stage's time from which it waits for a disk or a network, and not for the processor."""
_PROCESSOR: Final = "the processor"
_STORAGE: Final = "the storage"
_DISK: Final = "the disk of the output"
_WAITS_FOR: Final[Mapping[str, str]] = {
    Stage.LIST: _STORAGE,
    Stage.SAMPLE: _STORAGE,
    Stage.FETCH: _STORAGE,
    Stage.HEADERS: _STORAGE,
    Stage.OUTPUT: _DISK,
    Stage.BOOKS: _DISK,
}
"""Resource that a stage waits for; the other stages never wait, but for a processor that is busy."""
_BY_ONE: Final = "only one process does this: a storage path deeper in the folder has fewer files"


def duration(seconds: float) -> str:
    """Return seconds in words, with two digits where they are few.

    Examples
    --------
    >>> duration(0.123), duration(4.25), duration(95), duration(36_000)
    ('0.12 s', '4.2 s', '2 min', '10.0 h')
    """
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def verdict(measurement: Measurement, config: IngestConfig) -> tuple[str, str]:
    """Return what bounds a run, and the cure.

    Examples
    --------
    >>> stage = StageFigures(stage=Stage.READ, files=5, seconds=[3.0], cpu_seconds=[3.0])
    >>> measurement = Measurement(
    ...     keys=10, data_files=5, files=5, rows=37, label_bytes=900, out="rows.jsonl", cores=1,
    ...     totals=[4.0], stages=[stage], background_cpu=[0.0], alone=[Stage.BOOKS],
    ... )
    >>> config = IngestConfig(storage_path="data", ontology="ontology.json")
    >>> verdict(measurement, config)[0]
    'the processor: to read text takes 100 % of the time'
    >>> verdict(measurement, config)[1]
    'a machine with more cores, or a cluster (--engine)'
    """
    stage = measurement.largest
    share = measurement.share(stage.stage)
    bound = f"{_resource(stage, measurement)}: to {stage.stage} takes {share:.0%} of the time"
    if _waits(stage, measurement):
        bound += f", {_waiting(stage, measurement):.0%} of it waiting"
    return bound.replace("%", " %"), _cure(stage, measurement, config)


def _waiting(stage: StageFigures, measurement: Measurement) -> float:
    """Return the share of a stage's time in which the thread of the run waited, 0 to 1."""
    number = measurement.fastest
    seconds = max(stage.seconds[number], 1e-9)
    return max(1 - stage.cpu_seconds[number] / seconds, 0.0)


def _waits(stage: StageFigures, measurement: Measurement) -> bool:
    """Return whether a stage waits for a disk or a network for most of its time."""
    return stage.stage in _WAITS_FOR and _waiting(stage, measurement) > _MOST_WAITING


def _resource(stage: StageFigures, measurement: Measurement) -> str:
    return _WAITS_FOR[stage.stage] if _waits(stage, measurement) else _PROCESSOR


def _cure(stage: StageFigures, measurement: Measurement, config: IngestConfig) -> str:
    waits = _waits(stage, measurement)
    if stage.stage in (Stage.LIST, Stage.PAIR):
        return _BY_ONE
    if stage.stage == Stage.HEADERS and config.image_sizes == "all":
        return "--image-sizes needed, which reads only the headers of images with rotated boxes"
    if stage.stage == Stage.OUTPUT:
        format = target_format(config.to)
        if format.can_be_file and is_tree(format, measurement.out, config.shard_rows):
            return f"one output file instead of one per data file: --out {format.sample_output}"
        if waits:
            less = ", or less to write: --out label_rows.jsonl.zst"
            is_plain = measurement.out.endswith(".jsonl")
            return f"another disk (--out-folder measures it){less if is_plain else ''}"
    if waits and stage.stage in (Stage.FETCH, Stage.HEADERS):
        return (
            "a copy on a disk of this machine, or more processes that wait at the same time: "
            f"--workers {2 * measurement.cores}"
        )
    return _more_processes(measurement)


def _more_processes(measurement: Measurement) -> str:
    """Return the advice on processes, by the seconds that several were measured to take."""
    processes = measurement.processes
    if processes is None:
        return "a machine with more cores, or a cluster (--engine)"
    single, shared = measurement.estimate(1), measurement.estimate(processes.workers)
    if shared > _NO_GAIN * single:
        return (
            f"not much: {processes.workers} processes take {duration(shared)}, one takes "
            f"{duration(single)}"
        )
    return (
        f"all cores share it, in {duration(shared)} instead of {duration(single)}: "
        f"--workers {processes.workers} (the default from 5,000 files on)"
    )
