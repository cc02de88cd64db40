import pytest

from labelingest.cli import progress
from labelingest.progress import Progress


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "monotonic", clock)
    return clock


def test_nothing_is_said_in_the_first_two_seconds(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.ProgressLine(quiet=False) as shown:
        clock.now = 1.9
        shown(Progress("convert", 10, 100, 70))
    assert capsys.readouterr().err == ""


def test_a_log_gets_a_line_now_and_then(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress.ProgressLine(quiet=False) as shown:
        shown(Progress("convert", 0, 1000))
        for second in range(1, 14):
            clock.now = float(second)
            shown(Progress("convert", 10 * second, 1000, 70 * second))
    assert capsys.readouterr().err.splitlines() == [
        "convert: 20 of 1,000 files (2 %), 10 files/s, 70 rows/s, 2 min left",
        "convert: 120 of 1,000 files (12 %), 10 files/s, 70 rows/s, 88 s left",
    ]


def test_quiet_is_quiet(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with progress.ProgressLine(quiet=True) as shown:
        clock.now = 60.0
        shown(Progress("convert", 10, 100, 70))
    assert capsys.readouterr().err == ""
