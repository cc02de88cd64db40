"""The command line as a user to whom permissions apply: root, in a container, is one to whom not."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Ran", "command_line", "unprivileged"]

_NOBODY = 65534


class Ran(NamedTuple):
    """What a process did."""

    code: int
    out: str
    err: str


def unprivileged(work: Callable[[], None]) -> Ran:
    """Do work in a forked process without privileges; its exit code is that of SystemExit, or 0.

    Forked, not started: the interpreter itself may lie where only root can read. For the same
    reason the work must have been done once before, so that all its modules are loaded.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os._exit(_in_child(work, out.fileno(), err.fileno()))
        status = os.waitpid(child, 0)[1]
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode())
        return Ran(os.waitstatus_to_exitcode(status), *texts)


def _in_child(work: Callable[[], None], out: int, err: int) -> int:
    code: object = 0
    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        # What pytest put in their place would be flushed by nobody.
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)
        work()
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - anything else must not get back into pytest
        traceback.print_exc()
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


def command_line(arguments: Sequence[str | Path]) -> Callable[[], None]:
    """Return the work of a command line."""
    from labelingest.cli.main import main

    return lambda: main([str(argument) for argument in arguments])
