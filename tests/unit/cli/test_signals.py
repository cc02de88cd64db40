"""What ends the process, and what whoever began it told it to ignore."""

import signal
from collections.abc import Iterator

import pytest

from labelingest.cli.folder.signals import Cancelled
from tests.builders.command_line import command_line


@pytest.fixture
def nohup() -> Iterator[None]:
    """Ignore SIGHUP as nohup has it; put everything back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_that_is_ignored_cancels_nothing(nohup: None) -> None:
    with Cancelled() as cancelled:
        signal.raise_signal(signal.SIGHUP)
        assert not cancelled()
        signal.raise_signal(signal.SIGTERM)
        assert cancelled.exit_code == 143
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_the_command_line_leaves_a_signal_ignored(
    nohup: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line(capsys)("--version").code == 0
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
