"""What a process of ours does with memory that was freed."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
import numpy as np
from labelingest.allocator import settle_memory

def pages_fetched():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.zeros(4_000_000, np.uint8).tobytes().translate(None, b"x")
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if sys.argv[1] == "keep":
    settle_memory()
pages_fetched()
print(pages_fetched())
"""


def fetched(way: str) -> int:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, way], capture_output=True, text=True, check=True
    )
    return int(ran.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_freed_memory_is_used_again_instead_of_fetched_anew() -> None:
    assert fetched("keep") * 10 < fetched("give back")
