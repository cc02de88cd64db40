"""Print a measurement: the stages in time and memory, what bounds the run, and an estimate."""

from collections.abc import Iterator, Sequence
from typing import Final

from labelingest.bench.measurement import Measurement
from labelingest.bench.verdict import duration, verdict
from labelingest.cli.console import Console, open_console, print_columns, print_line
from labelingest.config import IngestConfig
from labelingest.storage.urls import is_cloud

__all__ = ["megabytes", "print_measurement", "print_numbers"]

_FEW: Final = 1_000
"""Files below which loading on first use outweighs the conversion."""
_SHOWN: Final = 0.0005
"""Seconds of other threads below which they are left out: they would be shown as 0 ms."""
_COLD: Final = 1.5
"""Ratio of the first round to the fastest from which the first one read from the storage."""


def print_measurement(measurement: Measurement, config: IngestConfig) -> None:
    """Print the stages, what bounds them, and an estimate for the whole folder."""
    console = open_console()
    is_all = measurement.files == measurement.data_files
    part = "all" if is_all else "batches spread over the folder"
    print_line(
        console,
        f"Measured {measurement.files:,} of {measurement.data_files:,} data files with "
        f"{measurement.rows:,} rows ({part}), in one process",
    )
    print_numbers(console, [*_stage_rows(measurement)])
    for line in _notes(measurement):
        print_line(console, line)
    if config.out is not None and is_cloud(config.out):
        print_line(
            console, "The output was a file of this machine: sending to the cloud is not measured."
        )
    bound, cure = verdict(measurement, config)
    print_line(console, f"Bound by {bound}.")
    print_line(console, f"What would help: {cure}.")
    if measurement.files < _FEW:
        print_line(console, "So few files tell more about loading than about the folder.")
    print_line(console, _estimates(measurement))


def _stage_rows(measurement: Measurement) -> Iterator[Sequence[str]]:
    """Yield the table of the fastest round, whose stages add up to its seconds."""
    yield ("stage", "seconds", "µs a file", "files/s", "share", "memory")
    number = measurement.fastest
    for figures in measurement.stages:
        seconds = figures.seconds[number]
        each = seconds / max(figures.files, 1)
        rates = (f"{each * 1e6:.1f}", f"{1 / each:,.0f}") if figures.files and each else ("", "")
        share = f"{measurement.share(figures.stage):.0%}".replace("%", " %")
        yield (
            figures.stage,
            f"{seconds:.3f}",
            *rates,
            share,
            megabytes(figures.memory_bytes, "+"),
        )
    yield ("load, and all else", f"{measurement.others(number):.3f}", "", "", "", "")
    total = measurement.totals[number]
    yield ("all of this", f"{total:.3f}", "", "", "", megabytes(measurement.peak_bytes))
    background = measurement.background_cpu[number]
    if background >= _SHOWN:
        yield ("beside it, in threads", f"{background:.3f}", "", "", "", "")
    processes = measurement.processes
    if processes is not None:
        name = f"batches in {processes.workers} processes"
        yield (name, f"{min(processes.seconds):.3f}", "", "", "", "")
        yield ("start a worker", f"{processes.start:.3f}", "", "", "", "")


def megabytes(count: int | None, sign: str = "") -> str:
    """Return bytes in megabytes or kilobytes; an empty text where they are not known.

    Examples
    --------
    >>> megabytes(182_400_000), megabytes(1_240_000, "+"), megabytes(9_800), megabytes(None)
    ('182 MB', '+1.2 MB', '10 kB', '')
    """
    if count is None:
        return ""
    if count < 1e6:
        return f"{sign}{count / 1e3:.0f} kB"
    value = count / 1e6
    return f"{sign}{value:,.0f} MB" if value >= 10 else f"{sign}{value:.1f} MB"


def print_numbers(console: Console, rows: Sequence[Sequence[str]]) -> None:
    """Print a table of numbers: the first column to the left, all others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print_columns(
        console,
        [(row[0], *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))) for row in rows],
    )


def _notes(measurement: Measurement) -> Iterator[str]:
    """Yield sentences on the rounds, and on the reasons of a first one that took longer."""
    totals = measurement.totals
    if len(totals) > 1:
        rounds = ", ".join(f"{seconds:.3f}" for seconds in totals)
        yield f"Rounds: {rounds} s; the table is of the fastest."
        if totals[0] > _COLD * min(totals):
            yield "The first one loaded modules, and perhaps read from the storage: the others did not."


def _estimates(measurement: Measurement) -> str:
    """Return the estimated duration for the whole folder."""
    times = f"{duration(measurement.estimate(1))} in one process"
    if measurement.processes is not None:
        workers = measurement.processes.workers
        times += f", {duration(measurement.estimate(workers))} in {workers}"
    return f"Estimate for all {measurement.data_files:,}, from these figures: {times}."
