"""Comparison of a measurement with an earlier one, and the decision whether it is slower or larger.

Times are compared for one file, so that a folder may grow a little. Of several rounds, the fastest
count: what else the machine does only ever adds time. A figure is above a threshold if

1. its fastest round is slower than the earlier fastest one by more than the threshold, and
2. its fastest round is slower than the earlier median, so that noise between rounds is no finding.

Judged are the whole in one process and in several, the peak memory of the process, and each stage
that matters: one with at least a fifth of the time, or of the peak memory. Small stages are shown.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Final

from labelingest.bench.machine import Machine
from labelingest.bench.measurement import Measurement, StageFigures
from labelingest.bench.result import Result
from labelingest.errors import ConfigError

__all__ = [
    "Comparison",
    "Figure",
    "Unit",
    "compare",
    "obstacles_of_setup",
    "threshold_from_text",
]

_MATTERS: Final = 0.2
"""Share of the time or of the peak memory from which a stage is judged: below, noise is larger."""
_MOST_GROWTH: Final = 1.1
"""Ratio of folders, in files, rows a file or bytes a file, up to which their figures compare."""
_PERCENT: Final = re.compile(r"(\d+(?:\.\d+)?) ?%")
_FACTOR: Final = re.compile(r"(1\.\d+)x?")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")


class Unit(StrEnum):
    """Unit of a figure."""

    MICROSECONDS = "µs a file"
    MEGABYTES = "MB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of both measurements.

    Examples
    --------
    >>> figure = Figure(name="read text", unit=Unit.MICROSECONDS, earlier=[10.0, 10.5], now=[11.5, 13.0])
    >>> figure.ratio, figure.is_above(0.1), figure.is_above(0.2)
    (1.15, True, False)
    """

    name: str
    unit: Unit
    earlier: Sequence[float]
    """Value of each earlier round; empty where the earlier measurement has no such figure."""
    now: Sequence[float]
    """Value of each round; empty where the measurement has no such figure."""
    is_judged: bool = True
    """Whether a figure above the threshold is a failure."""

    @property
    def ratio(self) -> float | None:
        """Ratio of the best values to the earlier best one; None where there is none."""
        if not self.earlier or not self.now or min(self.earlier) <= 0:
            return None
        return min(self.now) / min(self.earlier)

    def is_above(self, threshold: float) -> bool:
        """Return whether the figure has grown by more than a threshold, beyond the noise."""
        ratio = self.ratio
        if ratio is None or ratio <= 1 + threshold:
            return False
        return min(self.now) > median(self.earlier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A measurement beside an earlier one."""

    times: Sequence[Figure]
    """The whole, then each stage; those of both measurements."""
    memory: Sequence[Figure]
    """The peak of the process, then each stage."""
    differences: Sequence[str]
    """Differences between the two in words, under which ratios still mean something."""
    obstacles: Sequence[str]
    """Differences under which ratios mean nothing."""

    def failures(self, threshold: float) -> list[Figure]:
        """Return the judged figures that are above a threshold."""
        figures = (*self.times, *self.memory)
        return [figure for figure in figures if figure.is_judged and figure.is_above(threshold)]


def threshold_from_text(text: str) -> float:
    """Return a threshold as a share, from a percentage.

    Raises
    ------
    ConfigError
        The text is no percentage.

    Examples
    --------
    >>> threshold_from_text("10%"), threshold_from_text("2.5 %")
    (0.1, 0.025)
    >>> threshold_from_text("1.1x")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: fail-above '1.1x': expected a percentage: --fail-above 10%
    """
    match = _PERCENT.fullmatch(text.strip())
    if match is not None:
        return float(match[1]) / 100
    raise ConfigError(f"fail-above {text!r}: expected a percentage: --fail-above {_meant(text)}")


def _meant(text: str) -> str:
    """Return the percentage that a text probably means."""
    factor = _FACTOR.fullmatch(text.strip())
    if factor is not None:
        return f"{(float(factor[1]) - 1) * 100:.4g}%"
    return f"{text.strip()}%" if _NUMBER.fullmatch(text.strip()) else "10%"


def obstacles_of_setup(earlier: Result, machine: Machine, options: dict[str, object]) -> list[str]:
    """Return the differences of machine and options under which ratios mean nothing.

    Parameters
    ----------
    earlier
        The earlier result.
    machine, options
        The machine and the options of the measurement that is compared with it.
    """
    obstacles = []
    before = earlier.machine
    if (before.cpu, before.cores, before.system) != (machine.cpu, machine.cores, machine.system):
        obstacles.append(f"the machine: {_machine(machine)} now, {_machine(before)} before")
    for name in sorted(earlier.options.keys() | options.keys()):
        values = [_value(chosen.get(name)) for chosen in (options, earlier.options)]
        if values[0] != values[1]:
            flag = f"--{name.replace('_', '-')}"
            obstacles.append(f"{flag}: {values[0]} now, {values[1]} before")
    return obstacles


def compare(earlier: Result, now: Result) -> Comparison:
    """Compare a result with an earlier one."""
    obstacles = obstacles_of_setup(earlier, now.machine, dict(now.options))
    differences = list(_differences(earlier, now))
    for sentence, ratio in _folder_ratios(earlier.measurement, now.measurement):
        is_large = not 1 / _MOST_GROWTH <= ratio <= _MOST_GROWTH
        (obstacles if is_large else differences).append(sentence)
    return Comparison(
        times=list(_times(earlier.measurement, now.measurement)),
        memory=list(_memory(earlier.measurement, now.measurement)),
        differences=differences,
        obstacles=obstacles,
    )


def _machine(machine: Machine) -> str:
    cores = f"{machine.cores} core" if machine.cores == 1 else f"{machine.cores} cores"
    return f"{cores} of {machine.cpu} ({machine.system})"


def _value(value: object) -> str:
    return "default" if value is None else str(value)


def _differences(earlier: Result, now: Result) -> Iterator[str]:
    for name in ("labelingest", "python", "numpy"):
        versions = [getattr(result.machine, name) for result in (now, earlier)]
        if versions[0] != versions[1]:
            yield f"{name} {versions[0]} now, {versions[1]} before"
    if now.storage_path != earlier.storage_path:
        yield f"the folder: {now.storage_path} now, {earlier.storage_path} before"
    if now.ontology != earlier.ontology:
        yield "the content of the ontology file"
    files = [result.measurement.files for result in (now, earlier)]
    if files[0] != files[1]:
        yield f"measured data files: {files[0]:,} now, {files[1]:,} before"


def _folder_ratios(earlier: Measurement, now: Measurement) -> Iterator[tuple[str, float]]:
    """Yield each difference of the folders, with its ratio."""
    counts: Sequence[tuple[str, Callable[[Measurement], float], str]] = (
        ("files in the folder", lambda m: float(m.keys), ",.0f"),
        ("data files", lambda m: float(m.data_files), ",.0f"),
        ("rows a file", lambda m: m.rows / m.files, ".2f"),
        ("label bytes a file", lambda m: m.label_bytes / m.files, ",.0f"),
    )
    for name, value_of, form in counts:
        values = [value_of(now), value_of(earlier)]
        if values[0] != values[1]:
            ratio = values[0] / values[1] if values[1] > 0 else float("inf")
            yield f"{name}: {values[0]:{form}} now, {values[1]:{form}} before", ratio


def _times(earlier: Measurement, now: Measurement) -> Iterator[Figure]:
    """Yield the times of both measurements, in microseconds for each data file of the folder."""
    yield Figure(
        name="the whole, in one process",
        unit=Unit.MICROSECONDS,
        earlier=_whole(earlier),
        now=_whole(now),
    )
    processes = (earlier.processes, now.processes)
    workers = {group.workers for group in processes if group is not None}
    for count in sorted(workers):
        before, after = (
            [seconds / measured.files * 1e6 for seconds in group.seconds]
            if group is not None and group.workers == count
            else []
            for group, measured in zip(processes, (earlier, now), strict=True)
        )
        yield Figure(
            name=f"batches, in {count} processes",
            unit=Unit.MICROSECONDS,
            earlier=before,
            now=after,
        )
    for name in _names(earlier, now):
        yield Figure(
            name=name,
            unit=Unit.MICROSECONDS,
            earlier=_each(earlier, name),
            now=_each(now, name),
            is_judged=max(earlier.share(name), now.share(name)) >= _MATTERS,
        )


def _whole(measurement: Measurement) -> list[float]:
    rounds = range(len(measurement.totals))
    return [measurement.whole_seconds(number) / measurement.data_files * 1e6 for number in rounds]


def _each(measurement: Measurement, name: str) -> list[float]:
    figures = _figures(measurement, name)
    if figures is None:
        return []
    return [seconds / max(figures.files, 1) * 1e6 for seconds in figures.seconds]


def _memory(earlier: Measurement, now: Measurement) -> Iterator[Figure]:
    """Yield the memory of both measurements, in megabytes."""
    peaks = [_megabytes(measurement.peak_bytes) for measurement in (earlier, now)]
    yield Figure(name="peak of the process", unit=Unit.MEGABYTES, earlier=peaks[0], now=peaks[1])
    largest = max([*peaks[0], *peaks[1]], default=0.0)
    for name in _names(earlier, now):
        figures = [_figures(measurement, name) for measurement in (earlier, now)]
        values = [
            _megabytes(None if of_stage is None else of_stage.memory_bytes) for of_stage in figures
        ]
        yield Figure(
            name=name,
            unit=Unit.MEGABYTES,
            earlier=values[0],
            now=values[1],
            is_judged=max([*values[0], *values[1]], default=0.0) >= _MATTERS * largest > 0,
        )


def _names(earlier: Measurement, now: Measurement) -> list[str]:
    """Return the names of all stages, those of the later measurement first."""
    stages = (*now.stages, *earlier.stages)
    return list(dict.fromkeys(str(figures.stage) for figures in stages))


def _figures(measurement: Measurement, name: str) -> StageFigures | None:
    return next((figures for figures in measurement.stages if figures.stage == name), None)


def _megabytes(count: int | None) -> list[float]:
    return [] if count is None else [count / 1e6]
