"""End a process of the command line: each exception becomes a sentence and an exit code.

Exit codes: 0 clean, 1 finished with errors in some files, 2 wrong call or configuration, 3 storage
or engine failure, or an unexpected failure of the program's own, 5 a measurement above the threshold
(`labelingest.cli.bench_command`). No exception ends in a bare trace:
its messages may quote labels, file names or secrets. `labelingest.crashes` stores a safe trace.
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

from labelingest.cli.stopped import StoppedError, exit_code_of
from labelingest.errors import (
    EngineError,
    LabelIngestError,
    SidecarError,
    StorageError,
    resume_notes,
)

__all__ = ["READER_GONE", "run_to_the_end"]

READER_GONE: Final = 3
"""Exit code where the reader of standard output is gone."""
_UNEXPECTED: Final = 3
_OUTPUT_ERRORS: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
"""Error numbers of a failed write to standard output; other system errors are unexpected."""


def run_to_the_end(work: Callable[[], None]) -> None:
    """Do the work of a process, and end the process.

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
        for line in (*str(error).splitlines(), *resume_notes(error)):
            _print_error(line)
        sys.exit(_exit_code(error))
    except KeyboardInterrupt as interrupt:
        sys.exit(exit_code_of(interrupt))
    except BrokenPipeError:
        _give_up_output()
        sys.exit(READER_GONE)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and _current_folder_is_gone():
            _print_error("the current folder no longer exists: change to another one, such as cd ~")
            sys.exit(2)
        if error.filename is not None or error.errno not in _OUTPUT_ERRORS:
            _crash(error)
        _give_up_output()
        _print_error(f"the output cannot be written: {error.strerror}")
        sys.exit(3)
    except Exception as error:  # noqa: BLE001 - every failure ends in a sentence
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
    # no half output. Ignored signals stay ignored, as nohup intends.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, frame: object) -> None:
    raise StoppedError(number)


def _end_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        _print_error(f"a thread ended: {_sentence(ended.exc_value)}")


def _sentence(error: BaseException) -> str:
    try:
        from labelingest.crashes import crash_sentence

        return crash_sentence(error)
    except Exception:  # noqa: BLE001 - for one, memory is short
        return f"unexpected {type(error).__name__}; no trace was saved"


def _exit_code(error: LabelIngestError) -> int:
    from labelingest.problems import UNEXPECTED

    if isinstance(error, SidecarError):
        return _UNEXPECTED if any(problem.code in UNEXPECTED for problem in error.problems) else 1
    return 3 if isinstance(error, StorageError | EngineError) else 2


def _crash(error: Exception) -> NoReturn:
    _print_error(_sentence(error))
    if isinstance(error, MemoryError):
        _print_error("the process ran out of memory: try fewer --workers or smaller --batch-bytes")
    for note in resume_notes(error):
        _print_error(note)
    with suppress(OSError):
        sys.stdout.flush()
    sys.exit(_UNEXPECTED)


def _current_folder_is_gone() -> bool:
    try:
        os.getcwd()  # noqa: PTH109
    except OSError:
        return True
    return False


def _print_error(line: str) -> None:
    from labelingest.problems import printable

    with suppress(OSError, ValueError):  # standard error is closed
        print(f"labelingest: {printable(line)}", file=sys.stderr)


def _give_up_output() -> None:
    """Discard the buffers of standard output, which Python would try to write again."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
