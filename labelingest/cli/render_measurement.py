"""Report where the time of a run goes, and what would make it shorter, to people and programs."""

from collections.abc import Mapping
from typing import Final

from labelingest.bench.measure import Measurement
from labelingest.cli.console import open_console, print_columns, print_line, to_json
from labelingest.cli.progress import duration
from labelingest.config import IngestConfig
from labelingest.formats import target_format
from labelingest.formats.output_names import is_tree
from labelingest.stopwatch import Stage

__all__ = ["measurement_as_json", "print_measurement", "verdict"]

_FEW: Final = 1_000
"""Files below which loading on first use outweighs the conversion."""
_NO_GAIN: Final = 0.9
"""Share of the time in one process; more processes that still need this share are not worth it."""
_STORAGE: Final = "the storage"
_PROCESSOR: Final = "the processor"
_DISK: Final = "the disk of the output"
_RESOURCE: Final[Mapping[Stage, str]] = {
    Stage.LIST: _STORAGE,
    Stage.FETCH: _STORAGE,
    Stage.HEADERS: _STORAGE,
    Stage.OUTPUT: _DISK,
}
"""Resource that bounds a stage; the processor for every other stage."""
_BY_ONE: Final = "only one process does this: a storage path deeper in the folder has fewer files"


def verdict(measurement: Measurement, config: IngestConfig) -> tuple[str, str]:
    """Return what bounds a run, and the cure.

    Examples
    --------
    >>> seconds = {Stage.READ: 3.0, Stage.LIST: 1.0}
    >>> measured = Measurement(10, 5, 5, 37, seconds, 4.0, 0.3, 2, "rows.jsonl")
    >>> config = IngestConfig(storage_path="data", ontology="ontology.json")
    >>> verdict(measured, config)[0]
    'the processor: to read text takes 75 % of the time'
    >>> verdict(measured, config)[1]
    'all cores share it: --workers 2 (the default from 5,000 files on)'
    """
    stage = measurement.largest
    share = measurement.folder_seconds[stage] / measurement.estimate(1)
    bound = f"{_RESOURCE.get(stage, _PROCESSOR)}: to {stage} takes {share * 100:.0f} % of the time"
    return bound, _cure(stage, measurement, config)


def _cure(stage: Stage, measurement: Measurement, config: IngestConfig) -> str:
    if stage in (Stage.LIST, Stage.PAIR, Stage.BOOKS):
        return _BY_ONE
    if stage is Stage.OUTPUT:
        format = target_format(config.to)
        if format.can_be_file and is_tree(format, measurement.out, config.shard_rows):
            return f"one output file instead of one per data file: --out {format.sample_output}"
        less = ", or less to write: --out label_rows.jsonl.zst"
        is_plain = measurement.out.endswith(".jsonl")
        return f"another disk (--out-folder measures it){less if is_plain else ''}"
    if stage is Stage.HEADERS and config.image_sizes == "all":
        return "--image-sizes needed, which reads only the headers of images with rotated boxes"
    if stage is Stage.FETCH:
        return (
            f"a copy on a disk of this machine, or more processes that wait at the same time: "
            f"--workers {2 * measurement.cores}"
        )
    if measurement.cores == 1:
        return "a machine with more cores, or a cluster (--engine)"
    if measurement.estimate(measurement.cores) > _NO_GAIN * measurement.estimate(1):
        return "not much: one process finishes the folder before more processes would have started"
    return f"all cores share it: --workers {measurement.cores} (the default from 5,000 files on)"


def print_measurement(measurement: Measurement, config: IngestConfig) -> None:
    """Print the stages, what bounds them, and an estimate for the whole folder."""
    console = open_console()
    part = "all" if measurement.files == measurement.pairs else "batches spread over the folder"
    print_line(
        console,
        f"Measured {measurement.files:,} of {measurement.pairs:,} data files with {measurement.rows:,} rows "
        f"({part}), in one process",
    )
    estimated, alone = measurement.folder_seconds, measurement.estimate(1)
    rows = [("stage", "seconds", "µs a file", "files/s", "share")]
    for stage, seconds in measurement.seconds.items():
        if seconds:
            each = seconds / max(measurement.files_of(stage), 1)
            share = f"{estimated[stage] / alone * 100:.0f} %"
            rows.append((stage, f"{seconds:.3f}", f"{each * 1e6:.1f}", f"{1 / each:,.0f}", share))
    rows.append(("load, and all else", f"{measurement.others:.3f}", "", "", ""))
    rows.append(("all of this", f"{measurement.total:.3f}", "", "", ""))
    rows.append(("start a worker", f"{measurement.start:.3f}", "", "", ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print_columns(
        console,
        [(row[0], *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))) for row in rows],
    )
    bound, cure = verdict(measurement, config)
    print_line(console, f"Bound by {bound}.")
    print_line(console, f"What would help: {cure}.")
    if measurement.files < _FEW:
        print_line(console, "So few files tell more about loading than about the folder.")
    print_line(console, _estimates(measurement))


def _estimates(measurement: Measurement) -> str:
    """Return the estimated duration for the whole folder."""
    times = f"{_about(measurement.estimate(1))} in one process"
    if measurement.cores > 1:
        times += f", {_about(measurement.estimate(measurement.cores))} in {measurement.cores}"
    return f"Estimate for all {measurement.pairs:,}, by arithmetic from the table: {times}."


def _about(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def measurement_as_json(measurement: Measurement, config: IngestConfig) -> bytes:
    """Return the stages, the bound and the estimate as JSON."""
    bound, cure = verdict(measurement, config)
    estimated, alone = measurement.folder_seconds, measurement.estimate(1)
    stages = [
        {
            "stage": stage.value,
            "seconds": seconds,
            "files": measurement.files_of(stage),
            "share": estimated[stage] / alone,
        }
        for stage, seconds in measurement.seconds.items()
    ]
    value = {
        "keys": measurement.keys,
        "pairs": measurement.pairs,
        "files": measurement.files,
        "rows": measurement.rows,
        "stages": stages,
        "other_seconds": measurement.others,
        "total_seconds": measurement.total,
        "seconds_to_start_a_worker": measurement.start,
        "cores": measurement.cores,
        "bound_by": bound,
        "would_help": cure,
        "estimated_seconds": {str(n): measurement.estimate(n) for n in {1, measurement.cores}},
    }
    return to_json(value)
