"""The command line, run in this process."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from labelingest.cli.main import main

__all__ = ["Ran", "Run", "command_line"]


class Ran(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


def command_line(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command with its arguments."""

    def command(*arguments: str) -> Ran:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return Ran(int(ended.value.code or 0), captured.out, captured.err)

    return command
