"""Memory of a run: the peak of the process, and what each stage adds.

The peak of the process is its resident memory, as the operating system counts it: the interpreter,
loaded modules and libraries are included. On Linux the count is reset before a run is measured.
On macOS it cannot be reset, and counts from the start of the process. Windows has no such count.

What a stage adds is the most that Python's allocators held at once in the stage, beyond what they
held when the stage began, or when it continued after a stage inside it. Objects and numpy arrays
count, on any system and in any thread; memory that a C library takes for itself does not, as that of
compressors. The count is nearly the same in each run, because it does not depend on the system.
Tracing makes a run several times slower, so that memory is measured in a run of its own.
"""

import os
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from labelingest.stopwatch import Stage, Stopwatch

__all__ = ["StageMemory", "peak_bytes", "reset_peak", "traced"]

_STATUS: Final = Path("/proc/self/status")
_CLEAR: Final = "/proc/self/clear_refs"
_RESET_PEAK: Final = b"5"
"""Value for `clear_refs` that resets the peak of resident memory (Linux 4.0 and later)."""


def reset_peak() -> bool:
    """Reset the peak; return whether the system could."""
    try:
        control = os.open(_CLEAR, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.write(control, _RESET_PEAK) == len(_RESET_PEAK)
    except OSError:
        return False
    finally:
        os.close(control)


def peak_bytes() -> int | None:
    """Return the peak of resident memory in bytes; None where the system does not count it."""
    with suppress(OSError):
        for line in _STATUS.read_text("ascii", "replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


class StageMemory(Stopwatch):
    """Measures the memory of each stage instead of its time, while memory is `traced`.

    Examples
    --------
    >>> memory = StageMemory()
    >>> with traced(), memory.stage(Stage.READ):
    ...     text = b"x" * 1_000_000
    ...     with memory.stage(Stage.RESOLVE):
    ...         del text
    >>> memory.bytes[Stage.READ] // 100_000, memory.bytes[Stage.RESOLVE] // 100_000
    (10, 0)
    """

    def __init__(self) -> None:
        super().__init__()
        self.bytes: dict[Stage, int] = {}
        """Bytes that each stage added, at most; without stages that did not run."""
        self._before = 0

    def _lap(self) -> None:
        """Note what the innermost stage held at most since the last change."""
        _, peak = tracemalloc.get_traced_memory()
        if self._open:
            stage = self._open[-1]
            self.bytes[stage] = max(self.bytes.get(stage, 0), peak - self._before)
        tracemalloc.reset_peak()
        self._before, _ = tracemalloc.get_traced_memory()


@contextmanager
def traced() -> Iterator[None]:
    """Trace the memory of Python's allocators inside the block."""
    if tracemalloc.is_tracing():  # the caller's, who wants to keep the traces
        yield
        return
    tracemalloc.start(1)
    try:
        yield
    finally:
        tracemalloc.stop()
