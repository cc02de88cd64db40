"""Real processes, forked from one that has loaded everything: a test can afford dozens."""

import signal
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any, Final

__all__ = ["KILLED", "PROCESSES", "ended"]

PROCESSES: Final = get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        *("pytest", "benchmarks.kill_and_sync", "tests.builders.command_line"),
        *("tests.builders.states", "tests.builders.synced"),
        *("labelingest.folders.schedule", "labelingest.folders.state.migrate"),
    ]
)
KILLED: Final = -signal.SIGKILL
"""Exit code of a process that was killed."""


def ended(target: Callable[..., None], *arguments: Any) -> int:
    """Run a function in a process of its own to its end; return the exit code."""
    process = PROCESSES.Process(target=target, args=arguments)
    process.start()
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode
