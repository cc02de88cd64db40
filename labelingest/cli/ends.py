"""End a process of the command line: each exception becomes a sentence and an exit code.

Exit codes: 0 clean, 1 finished with errors in some files, 2 wrong call or configuration, 3 storage
or engine failure, or an unexpected failure of the program's own. No exception ends in a bare trace:
its messages may quote labels, file names or secrets. `labelingest.crashes` keeps what helps.
"""

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Final, NoReturn

from labelingest.errors import EngineError, LabelIngestError, SidecarError, StorageError

__all__ = ["READER_GONE", "run_to_the_end"]

READER_GONE: Final = 3
"""Exit code where standard output has no reader any more."""
_UNEXPECTED: Final = 3
_OUTPUT_ERRORS: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
"""What writing to standard output may fail with; other errors of the system are unexpected."""
_GOES_ON: Final = "the same command goes on"
"""How the note of an interrupted run ends."""


def run_to_the_end(work: Callable[[], None]) -> None:
    """Do the work of a process, and end it.

    Parameters
    ----------
    work
        Raises SystemExit with its exit code.
    """
    _make_ready()
    threads, threading.excepthook = threading.excepthook, _end_thread
    try:
        try:
            work()
        finally:
            threading.excepthook = threads
            sys.stdout.flush()
    except LabelIngestError as error:
        for line in (*str(error).splitlines(), *getattr(error, "__notes__", ())):
            _say(line)
        sys.exit(_exit_code(error))
    except KeyboardInterrupt as error:
        sys.exit(128 + (error.args[0] if error.args else signal.SIGINT))
    except BrokenPipeError:
        _give_up_output()
        sys.exit(READER_GONE)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and _current_folder_is_gone():
            _say("the current folder is not there any more: change to another, as cd ~")
            sys.exit(2)
        if error.filename is not None or error.errno not in _OUTPUT_ERRORS:
            _crash(error)
        _give_up_output()
        _say(f"the output cannot be written: {error.strerror}")
        sys.exit(3)
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends in a sentence
        _crash(error)


def _make_ready() -> None:
    # A terminal of few characters gets escapes, not an exception.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if sys.stdout is None:  # closed by the caller
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - for the rest of the process
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    # Schedulers end a run by SIGTERM, closed terminals by SIGHUP: unwound like Ctrl-C, they leave
    # no half output. What is ignored stays so: nohup means it.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, frame: object) -> None:
    raise KeyboardInterrupt(number)


def _end_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        _say(f"a thread ended: {_sentence(ended.exc_value)}")


def _sentence(error: BaseException) -> str:
    try:
        from labelingest.crashes import crash_sentence

        return crash_sentence(error)
    except Exception:  # noqa: BLE001 - memory is short, say
        return f"unexpected {type(error).__name__}; no trace was kept"


def _exit_code(error: LabelIngestError) -> int:
    from labelingest.problems import UNEXPECTED

    if isinstance(error, SidecarError):
        return _UNEXPECTED if any(problem.code in UNEXPECTED for problem in error.problems) else 1
    return 3 if isinstance(error, StorageError | EngineError) else 2


def _crash(error: Exception) -> NoReturn:
    _say(_sentence(error))
    if isinstance(error, MemoryError):
        _say(
            "the memory of this process is short: fewer --workers or smaller --batch-bytes may help"
        )
    for note in getattr(error, "__notes__", ()):
        if note.endswith(_GOES_ON):
            _say(note)
    with suppress(OSError):
        sys.stdout.flush()
    sys.exit(_UNEXPECTED)


def _current_folder_is_gone() -> bool:
    try:
        os.getcwd()  # noqa: PTH109
    except OSError:
        return True
    return False


def _say(line: str) -> None:
    from labelingest.problems import printable

    with suppress(OSError, ValueError):  # standard error is closed
        print(f"labelingest: {printable(line)}", file=sys.stderr)


def _give_up_output() -> None:
    """Let what is left in the buffers of standard output go nowhere: Python would try it again."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
