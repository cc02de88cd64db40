"""How a process of its own asks the system for memory: what was freed is kept for the next batch.

A batch makes arrays of a few megabytes and frees them again. The C library gives such memory back
to the system, and every page of it has to be fetched and cleared anew for the next batch: a tenth of
a run's time, more in virtual machines. The peak stays what the largest batch needs.
"""

import ctypes
import sys
from contextlib import suppress
from typing import Final

__all__ = ["keep_freed_memory"]

# From glibc's malloc.h.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_KEPT: Final = 128 << 20
"""Free bytes at the end of the heap above which they are given back after all."""
_LARGE: Final = 32 << 20
"""Bytes of a single array from which on it is given back at once; the most that glibc takes."""


def keep_freed_memory() -> None:
    """Keep freed memory; for processes that belong to the program, as it is a setting of all.

    Nothing happens where the C library is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE)
