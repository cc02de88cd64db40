"""Print a measurement beside an earlier one, and the figures that are above a threshold."""

from collections.abc import Iterator, Sequence
from typing import Final

from labelingest.bench.compare import Comparison, Figure, Unit
from labelingest.bench.result import Result
from labelingest.cli.console import open_console, print_line, print_message
from labelingest.cli.render_measurement import print_numbers

__all__ = ["print_comparison", "print_failures", "print_success"]

_SHOWN: Final = 0.1
"""Megabytes from which the memory of a stage is shown."""


def print_comparison(
    comparison: Comparison, path: str, earlier: Result, *, to_stderr: bool = False
) -> None:
    """Print the figures of both measurements with their ratios, and what differs between them.

    Parameters
    ----------
    comparison
        The comparison.
    path, earlier
        The file of the earlier result, and the result.
    to_stderr
        Whether standard output belongs to JSON.
    """
    console = open_console(stderr=to_stderr)
    version = earlier.machine.labelingest
    print_line(console, f"Compared with {path} (labelingest {version}, {earlier.measured}):")
    if comparison.obstacles:
        print_line(console, f"The ratios mean nothing: {'; '.join(comparison.obstacles)}.")
    for difference in comparison.differences:
        print_line(console, f"Different: {difference}.")
    print_numbers(console, [*_rows(comparison.times)])
    memory = [f for f in comparison.memory if max([*f.earlier, *f.now], default=0) >= _SHOWN]
    if memory:
        print_numbers(console, [*_rows(memory)])


def _rows(figures: Sequence[Figure]) -> Iterator[Sequence[str]]:
    unit = figures[0].unit
    name = "memory" if unit is Unit.MEGABYTES else "time"
    yield (name, f"{unit} before", "now", "ratio")
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        yield (figure.name, _best(figure.earlier), _best(figure.now), ratio)


def _best(values: Sequence[float]) -> str:
    return f"{min(values):,.1f}" if values else "–"


def print_success(path: str, threshold: float, *, to_stderr: bool = False) -> None:
    """Print that no judged figure is above a threshold."""
    line = f"Nothing that is judged is more than {threshold * 100:g} % above {path}."
    print_line(open_console(stderr=to_stderr), line)


def print_failures(
    failures: Sequence[Figure], path: str, threshold: float, *, is_kept: bool
) -> None:
    """Print the figures that are above a threshold to standard error.

    Parameters
    ----------
    failures, path, threshold
        The figures, the file of the earlier result, and the threshold as a share.
    is_kept
        Whether the earlier result was to be replaced, and was not.
    """
    for figure in failures:
        change = f"{((figure.ratio or 1) - 1) * 100:+.0f} %"
        values = f"{_best(figure.now)} {figure.unit}, {_best(figure.earlier)} before"
        print_message(
            f"labelingest: more than {threshold * 100:g} % above {path}: {figure.name}: {values} ({change})"
        )
    if is_kept:
        print_message(f"labelingest: {path} keeps the earlier result, and this one is not saved")
