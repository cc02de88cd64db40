"""Print progress for people: one line on standard error, once the work takes over two seconds."""

from time import monotonic
from typing import TYPE_CHECKING, Final

from labelingest.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

__all__ = ["ProgressLine", "duration", "sentence"]

_PATIENCE: Final = 2.0
"""Seconds before the first line."""
_SCREEN_INTERVAL: Final = 0.2
"""Seconds between updates on a terminal."""
_EARLY: Final = 0.1
"""Seconds of a stage below which a rate means nothing."""
_LOG_INTERVAL: Final = 10.0
"""Seconds between lines in a log."""


class ProgressLine:
    """Prints `Progress`: a live line on a terminal, a line every ten seconds in a log."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console: Console | None = None
        self._started = self._stage_started = monotonic()
        self._next_update = self._started + _PATIENCE
        self._stage = ""
        self._live: Live | None = None

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, progress: Progress) -> None:
        """Print the progress, if the interval since the last line has passed."""
        now = monotonic()
        if progress.stage != self._stage:
            self._stage, self._stage_started = progress.stage, now
        if now < self._next_update:
            return
        from rich.console import Console  # not needed before there is a line
        from rich.live import Live
        from rich.text import Text

        text = sentence(progress, now - self._stage_started)
        if self._console is None:
            self._console = Console(stderr=True, quiet=self._quiet)
        if not self._console.is_terminal:
            self._next_update = now + _LOG_INTERVAL
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)
            return
        self._next_update = now + _SCREEN_INTERVAL
        if self._live is None:
            self._live = Live(console=self._console, transient=True, auto_refresh=False)
            self._live.start()
        self._live.update(Text(text, no_wrap=True, overflow="ellipsis"), refresh=True)


def sentence(progress: Progress, seconds: float) -> str:
    """Return progress with rates and time left.

    Examples
    --------
    >>> sentence(Progress("convert", 20_000, 100_000, 146_000), 2.0)
    'convert: 20,000 of 100,000 files (20 %), 10,000 files/s, 73,000 rows/s, 8 s left'
    >>> sentence(Progress("list", 48_000), 2.0)
    'list: 48,000 files, 24,000 files/s'
    >>> sentence(Progress("convert", 60_000, 100_000, 0, 40_000), 2.0)
    'convert: 60,000 of 100,000 files (60 %), 40,000 by the interrupted run, 10,000 files/s, 4 s left'
    >>> sentence(Progress("list", 4_096), 0.001)
    'list: 4,096 files'
    """
    is_early = seconds < _EARLY
    rate = 0.0 if is_early else (progress.files - progress.before) / seconds
    parts = [] if is_early else [f"{rate:,.0f} files/s"]
    files = f"{progress.files:,} files"
    if progress.rows and not progress.before and not is_early:
        parts.append(f"{progress.rows / seconds:,.0f} rows/s")
    if progress.total:
        files = f"{progress.files:,} of {progress.total:,} files ({progress.files / progress.total:.0%})"
        files = files.replace("%", " %")
        if rate > 0:
            parts.append(f"{duration((progress.total - progress.files) / rate)} left")
    if progress.before:
        files += f", {progress.before:,} by the interrupted run"
    return f"{progress.stage}: {', '.join([files, *parts])}"


def duration(seconds: float) -> str:
    """Return seconds, minutes or hours.

    Examples
    --------
    >>> duration(42.1), duration(600), duration(36_000)
    ('42 s', '10 min', '10.0 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
