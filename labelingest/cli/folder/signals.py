"""Turn Ctrl-C, SIGTERM and SIGHUP into a flag that a sync reads between batches."""

import signal
from threading import Event
from types import FrameType
from typing import Any, Final

from labelingest.cli.stopped import StoppedError

__all__ = ["Cancelled"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Cancelled:
    """Tells whether a signal asked the process to end; a second signal ends it at once.

    Examples
    --------
    >>> with Cancelled() as cancelled:
    ...     before = cancelled()
    ...     signal.raise_signal(signal.SIGTERM)
    ...     before, cancelled(), cancelled.exit_code
    (False, True, 143)
    """

    def __init__(self) -> None:
        self._event = Event()
        self._before: dict[int, Any] = {}
        self.exit_code: int | None = None
        """Exit code for the signal received, or None."""

    def __enter__(self) -> "Cancelled":
        for number in _SIGNALS:
            # The caller may have the process ignore a signal, as nohup does.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *raised: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        if isinstance(raised[1], KeyboardInterrupt) and self.exit_code is not None:
            raise SystemExit(self.exit_code) from None

    def __call__(self) -> bool:
        """Whether a signal asked the process to end."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until a signal comes, or the time is over; return whether a signal came."""
        return self._event.wait(seconds)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._event.is_set():
            raise StoppedError(number)
        self.exit_code = 128 + number
        self._event.set()
