"""What the worst permitted files take, each in a process of its own: smaller than in the benchmark."""

import pytest

from benchmarks.peak_memory import SIDECARS, TEXTS, measure

MB = 8
CEILING_MB = 240
"""Of the process as a whole; ordinarily, such a file takes 30 to 50 times its size."""
ADDRESS_SPACE = 3_000_000_000


@pytest.mark.parametrize("name", ["shortest boxes", "newlines", "one row of 0", "one polygon"])
def test_the_memory_of_a_text_does_not_follow_its_size(name: str) -> None:
    found = measure(TEXTS[name], MB * 10**6, is_text=True, address_space=ADDRESS_SPACE)
    assert found.status in (0, 1), found.stderr
    assert "Traceback" not in found.stderr
    assert found.peak_mb < CEILING_MB


def test_a_label_row_is_never_whole_in_memory() -> None:
    found = measure(
        TEXTS["boxes"],
        MB * 10**6,
        is_text=True,
        command="convert",
        address_space=ADDRESS_SPACE,
    )
    assert found.status == 0, found.stderr
    assert found.peak_mb < CEILING_MB


@pytest.mark.parametrize("name", ["too many arrays", "a mistake behind a text"])
def test_a_sidecar_takes_four_times_its_size_at_most(name: str) -> None:
    found = measure(SIDECARS[name], 3 * MB * 10**6, is_text=False, address_space=ADDRESS_SPACE)
    assert found.status in (0, 1), found.stderr
    assert "Traceback" not in found.stderr
    assert found.peak_mb < CEILING_MB + 4 * 3 * MB
