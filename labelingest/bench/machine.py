"""Description of the machine and of the versions that a measurement was made with."""

import platform
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from labelingest.engines.base import usable_cores

__all__ = ["Machine", "this_machine"]

_CPU_INFO: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine that a measurement was made on, and the versions that it was made with."""

    cpu: str
    """Name of the processor; that of its family where the system does not tell."""
    cores: int
    """Processor cores that the process may use."""
    system: str
    """Operating system and architecture, without release."""
    python: str
    """Version of Python."""
    numpy: str
    """Version of numpy."""
    labelingest: str
    """Version of labelingest."""


def this_machine() -> Machine:
    """Return the description of this machine."""
    return Machine(
        cpu=_cpu(),
        cores=usable_cores(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        numpy=version("numpy"),
        labelingest=version("labelingest"),
    )


def _cpu() -> str:
    with suppress(OSError):
        for line in _CPU_INFO.read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
