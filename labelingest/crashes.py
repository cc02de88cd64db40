"""Trace of an unexpected exception: a file without values of the data.

Users may send the file to anybody. The trace has versions, the types of the exceptions, error numbers
of the operating system, and the frames: module, line and function. It never has messages, notes,
source lines or variables, because these may quote labels, file names or secrets.

The name of the file follows from the trace. One cause that fails a million files leaves one file,
whichever process met it. The module only describes an exception: the caller decides whether the run
continues, and with which exit code.
"""

import errno
import os
import stat
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from itertools import groupby
from types import TracebackType
from typing import Final

from labelingest.version import __version__

__all__ = ["crash_sentence", "keep_trace", "note_frames", "trace_text"]

_WORKER: Final = "in a worker:\n"
"""Beginning of a note with the frames of another process, the only note that a trace repeats."""
_MOST_FRAMES: Final = 100
"""Frames of one exception in a trace: endless recursion has thousands."""
_MOST_EXCEPTIONS: Final = 20
"""Exceptions in a trace: causes, contexts and members of groups."""
_FOLDERS: Final = ("/tmp", "/var/tmp")
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_MODE: Final = 0o600


def crash_sentence(error: BaseException) -> str:
    """Write the trace of an unexpected exception; return a sentence with its type and the file.

    Parameters
    ----------
    error
        The exception, caught.

    Examples
    --------
    >>> try:
    ...     [][0]
    ... except IndexError as error:
    ...     sentence = crash_sentence(error)
    >>> sentence[:51]
    'unexpected IndexError; please report it with the tr'
    """
    place = keep_trace(error)
    if place is None:
        return (
            f"unexpected {type(error).__name__}; no trace was kept: no temporary folder is writable"
        )
    return f"unexpected {type(error).__name__}; please report it with the trace in {place}"


def keep_trace(error: BaseException) -> str | None:
    """Write the trace of an exception to a file of mode 600 in the temporary folder.

    The folder is that of TMPDIR, else /tmp or /var/tmp; never the current one.

    Parameters
    ----------
    error
        The exception, caught. Its frames lose their variables where memory is short.

    Returns
    -------
    str or None
        Path of the file; None where no file can be written. No exception is raised.
    """
    for _ in range(2):
        try:
            return _keep(trace_text(error).encode("utf-8", "backslashreplace"))
        except MemoryError:
            # The frames hold what filled the memory.
            traceback.clear_frames(error.__traceback__)
        except Exception:  # noqa: BLE001 - during a crash: the run must still end well
            return None
    return None


def note_frames(error: BaseException) -> None:
    """Add the frames of an exception to its notes, which survive the way between processes."""
    with suppress(Exception):
        error.add_note(_WORKER + "\n".join(_frames(error.__traceback__)))


def trace_text(error: BaseException) -> str:
    """Return types and frames of an exception and of its causes, outermost frame first.

    Examples
    --------
    >>> try:
    ...     int("secret")
    ... except ValueError as error:
    ...     text = trace_text(error)
    >>> text.splitlines()[1], "secret" in text
    ('ValueError', False)
    """
    python = ".".join(map(str, sys.version_info[:3]))
    lines = [f"labelingest {__version__}, Python {python}, {sys.platform}"]
    for relation, exception in _exceptions(error):
        lines.append(f"{relation}{_type_name(exception)}{_number(exception)}")
        lines += _frames(exception.__traceback__)
        for note in getattr(exception, "__notes__", ()):
            if isinstance(note, str) and note.startswith(_WORKER):
                lines += note.splitlines()
    return "\n".join((*lines, ""))


def _exceptions(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    """Yield an exception and the exceptions behind it, each once, with its relation to the first."""
    seen: set[int] = set()
    waiting = [("", error)]
    while waiting and len(seen) < _MOST_EXCEPTIONS:
        relation, exception = waiting.pop(0)
        if id(exception) in seen:
            continue
        seen.add(id(exception))
        yield relation, exception
        if isinstance(exception, BaseExceptionGroup):
            waiting += [("in a group: ", member) for member in exception.exceptions]
        if exception.__cause__ is not None:
            waiting.append(("caused by ", exception.__cause__))
        elif exception.__context__ is not None and not exception.__suppress_context__:
            waiting.append(("while handling ", exception.__context__))


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _number(error: BaseException) -> str:
    """Return the name of an operating system's error number, which holds no value of the data."""
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return f" ({errno.errorcode.get(error.errno, error.errno)})"
    return ""


def _frames(trace: TracebackType | None) -> list[str]:
    """Return a line for each frame; repeated frames have one line, too many are cut in the middle."""
    places = (
        f"  {frame.f_code.co_filename}:{line} in {frame.f_code.co_qualname}"
        for frame, line in traceback.walk_tb(trace)
    )
    lines = []
    for place, same in groupby(places):
        times = sum(1 for _ in same)
        lines.append(place if times == 1 else f"{place} ({times} times)")
    if len(lines) > _MOST_FRAMES:
        half = _MOST_FRAMES // 2
        lines[half:-half] = [f"  … {len(lines) - 2 * half} more"]
    return lines


def _keep(text: bytes) -> str | None:
    name = f"labelingest-trace-{blake2b(text, digest_size=8).hexdigest()}.txt"
    for folder in filter(None, (os.environ.get("TMPDIR"), *_FOLDERS)):
        path = os.path.join(os.path.abspath(folder), name)  # noqa: PTH100, PTH118
        if _is_known(path, len(text)) or _written(path, text):
            return path
        with suppress(OSError):
            # Something else has the name, perhaps a file of another user.
            file, path = tempfile.mkstemp(".txt", "labelingest-trace-", folder)
            with open(file, "wb") as stream:  # noqa: PTH123 - a descriptor, not a path
                stream.write(text)
            return os.path.abspath(path)  # noqa: PTH100
    return None


def _is_known(path: str, size: int) -> bool:
    """Return whether this user has written the same trace before."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    is_private = stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == _MODE
    return is_private and status.st_uid == os.geteuid() and status.st_size == size


def _written(path: str, text: bytes) -> bool:
    try:
        file = os.open(path, _NEW, _MODE)
    except OSError:
        return False
    try:
        with open(file, "wb") as stream:  # noqa: PTH123 - a descriptor, not a path
            stream.write(text)
    except OSError:
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108
        return False
    return True
