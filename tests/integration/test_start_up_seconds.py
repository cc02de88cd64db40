"""The benchmark of start-up: what it measures, and its ratios."""

from collections.abc import Sequence

import pytest

from benchmarks import start_up
from benchmarks.spent import Spent


def test_ratios_are_those_of_the_same_round(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def spend(command: Sequence[str]) -> Spent:
        calls.append(command)
        slow = 1 + len(calls) // 16  # each round is slower than the one before
        seconds = slow * (3.0 if "convert" in command else 1.0)
        return Spent(seconds, 2 * seconds, peak_mb=1.0, code=0, stderr="", timed_out=False)

    monkeypatch.setattr(start_up, "spend", spend)
    results = {result.name: result for result in start_up.measure_start_up(rounds=3)}
    demo = results["convert of the demo's six files"]
    assert (demo.ratio, demo.cpu_ratio) == (3.0, 3.0)
    assert results[start_up.YARDSTICK].ratio == 1.0
    assert len(calls) == 4 * len(results)
    outputs = [command[-1] for command in calls if "convert" in command]
    assert len(set(outputs)) == 4


def test_a_process_that_fails_ends_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = Spent(1.0, 1.0, peak_mb=1.0, code=2, stderr="no such file", timed_out=False)
    monkeypatch.setattr(start_up, "spend", lambda _: failed)
    with pytest.raises(RuntimeError, match="ended with 2: no such file"):
        start_up.measure_start_up(rounds=1)
