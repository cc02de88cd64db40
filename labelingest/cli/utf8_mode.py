"""Start the program in Python's UTF-8 mode: names of files are UTF-8 in every locale.

Keys, links and label rows are UTF-8. In a locale of another encoding, or of ASCII alone, Python
would read the same bytes on the command line as other characters, and could not open the file.
"""

import os
import sys
from pathlib import Path
from typing import Final

__all__ = ["ensure_utf8_mode", "utf8_of"]

_PROGRAMS: Final = ("labelingest", "__main__.py")
_FLAGS: Final = ["-X", "utf8=1"]


def ensure_utf8_mode() -> None:
    """Restart the program in Python's UTF-8 mode, if names would have another encoding.

    Output keeps the encoding of the terminal. Other programs that call `main` are not restarted.
    """
    if sys.getfilesystemencoding().lower() == "utf-8" or not sys.executable:
        return
    if Path(sys.argv[0]).name not in _PROGRAMS or sys.orig_argv[1:3] == _FLAGS:
        return
    environment = dict(os.environ)
    if sys.stdout is not None:
        environment.setdefault("PYTHONIOENCODING", sys.stdout.encoding)
    command = [sys.executable, *_FLAGS, *sys.orig_argv[1:]]
    os.execve(sys.executable, command, environment)


def utf8_of(path: str) -> str:
    r"""Return a path as text for JSON; bytes that are not UTF-8 are escaped.

    Examples
    --------
    >>> utf8_of("ü.jsonl"), utf8_of("\udcff.jsonl")
    ('ü.jsonl', '\\udcff.jsonl')
    """
    return path.encode("utf-8", "backslashreplace").decode("utf-8")
