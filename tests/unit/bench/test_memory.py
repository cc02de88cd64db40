import sys
import tracemalloc

import numpy as np
import pytest

from labelingest.bench.memory import StageMemory, peak_bytes, reset_peak, traced
from labelingest.stopwatch import Stage

MEGABYTE = 1_000_000


def test_a_stage_adds_its_peak_and_not_what_remains() -> None:
    memory = StageMemory()
    with traced():
        remaining = []
        with memory.stage(Stage.FETCH):
            remaining.append(np.zeros(3 * MEGABYTE, dtype=np.uint8))
        with memory.stage(Stage.READ):
            remaining.append(np.zeros(5 * MEGABYTE, dtype=np.uint8))
            remaining.pop()
    assert round(memory.bytes[Stage.FETCH] / MEGABYTE) == 3
    assert round(memory.bytes[Stage.READ] / MEGABYTE) == 5


def test_memory_of_a_stage_inside_another_counts_for_itself_alone() -> None:
    memory = StageMemory()
    with traced(), memory.stage(Stage.ASSEMBLE):
        first = bytes(2 * MEGABYTE)
        with memory.stage(Stage.HEADERS):
            second = bytes(7 * MEGABYTE)
        third = bytes(4 * MEGABYTE)
    assert len(first) + len(second) + len(third) == 13 * MEGABYTE
    assert round(memory.bytes[Stage.ASSEMBLE] / MEGABYTE) == 4
    assert round(memory.bytes[Stage.HEADERS] / MEGABYTE) == 7


def test_the_largest_of_many_batches_counts() -> None:
    memory = StageMemory()
    with traced():
        for size in (1, 6, 2):
            with memory.stage(Stage.WRITE):
                bytes(size * MEGABYTE)
    assert round(memory.bytes[Stage.WRITE] / MEGABYTE) == 6


def test_tracing_ends_with_the_block_unless_the_caller_traces() -> None:
    with traced():
        assert tracemalloc.is_tracing()
    assert not tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        with traced():
            pass
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux resets the peak")
def test_the_peak_counts_anew_after_a_reset() -> None:
    text = b"x" * (200 * MEGABYTE)
    del text
    before = peak_bytes()
    if not reset_peak():
        pytest.skip("this system does not let a process reset its peak")
    after = peak_bytes()
    assert before is not None
    assert after is not None
    assert after < before - 100 * MEGABYTE
