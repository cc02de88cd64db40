"""What a process costs: its seconds, those of all processors, and its largest memory.

`spend` starts a small interpreter that runs this file and nothing else, and that one starts the
process: Linux counts the memory of whoever starts a program as the program's own, so that a caller
with numpy in it would hide what small programs take. Needs nothing but Python.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from threading import Timer

__all__ = ["Spent", "spend"]


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process cost."""

    seconds: float
    """From its start to its end."""
    cpu_seconds: float
    """Of all processors, processes that it started and waited for included."""
    peak_mb: float
    """Memory of the largest of these processes, in megabytes (10⁶ bytes)."""
    code: int
    """How it ended; 0 is well."""
    stderr: str
    """The end of what it wrote to standard error."""
    timed_out: bool
    """Whether it was ended because it took too long."""


def spend(command: Sequence[str], timeout: float = 3600.0) -> Spent:
    """Run a command to its end, or for as long as it may take.

    Examples
    --------
    >>> spent = spend([sys.executable, "-c", "import sys; sys.exit(3)"])
    >>> spent.code, spent.cpu_seconds > 0, spent.peak_mb > 1
    (3, True, True)
    """
    starter = [sys.executable, "-I", "-S", __file__, str(timeout), *command]
    process = subprocess.run(starter, stdout=subprocess.PIPE, check=True)
    return Spent(**json.loads(process.stdout))


def _spend(timeout: float, command: Sequence[str]) -> Spent:
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        timer = Timer(timeout, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        size = errors.seek(0, os.SEEK_END)
        errors.seek(max(size - 2_000, 0))
        messages = errors.read().decode(errors="replace")
    unit = 1 if sys.platform == "darwin" else 1024
    peak = usage.ru_maxrss * unit / 1e6
    cpu_seconds = usage.ru_utime + usage.ru_stime
    timed_out = process.returncode == -signal.SIGKILL and seconds >= timeout
    return Spent(seconds, cpu_seconds, peak, process.returncode, messages, timed_out)


if __name__ == "__main__":
    print(json.dumps(asdict(_spend(float(sys.argv[1]), sys.argv[2:]))))
