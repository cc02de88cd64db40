"""The exception that a signal raises, and the exit code that shells give to such a process."""

import signal
from typing import Final

__all__ = ["StoppedError", "exit_code_of"]

_SIGNALLED: Final = 128
"""Shells add the number of the signal."""


class StoppedError(KeyboardInterrupt):
    """A signal asked the process to end; unwound like Ctrl-C, it leaves no half output.

    Examples
    --------
    >>> StoppedError(signal.SIGTERM).exit_code
    143
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """Exit code of the process."""
        return _SIGNALLED + self.number


def exit_code_of(interrupt: KeyboardInterrupt) -> int:
    """Return the exit code of an interrupted process.

    Examples
    --------
    >>> exit_code_of(KeyboardInterrupt()), exit_code_of(StoppedError(signal.SIGHUP))
    (130, 129)
    """
    stopped = interrupt if isinstance(interrupt, StoppedError) else StoppedError(signal.SIGINT)
    return stopped.exit_code
