"""Memory of a process that belongs to the program: settings for batches of megabytes.

A batch makes arrays of a few megabytes and frees them again. The C library gives such memory back
to the system, which fetches and clears every page again for the next batch: a tenth of a run's time,
more in virtual machines. The peak stays what the largest batch needs.

A batch also makes hundreds of thousands of small objects, none of them part of a cycle. Python looks
for cycles after every 700 new ones, in vain: another twentieth.
"""

import gc
import sys
from contextlib import suppress
from typing import Final

__all__ = ["give_back_memory", "seek_cycles_seldom", "settle_memory"]

# From glibc's malloc.h.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_KEPT: Final = 128 << 20
"""Free bytes at the end of the heap (128 MiB) above which they are given back after all."""
_LARGE: Final = 4 << 20
"""Bytes of an array (4 MiB, columns of a million files) that is given back at once when freed."""


_NEW_OBJECTS: Final = 100_000
"""New objects after which Python looks for cycles: at most a few times a batch."""


def seek_cycles_seldom() -> None:
    """Look for cycles seldom: loading modules makes none, and so many objects that it takes time."""
    gc.set_threshold(_NEW_OBJECTS)


def settle_memory() -> None:
    """Keep freed memory, and look for cycles seldom; for processes that belong to the program.

    Where the C library is not glibc, it gives memory back as usual.
    """
    seek_cycles_seldom()
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE)


def give_back_memory() -> None:
    """Give freed memory back to the system, as far as the C library can."""
    gc.collect()
    trim_memory()


def trim_memory() -> None:
    """Give back what is free already, without a look for cycles: some milliseconds."""
    import ctypes

    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
