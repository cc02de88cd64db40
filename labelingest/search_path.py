"""Search path for modules: never the current folder, which may be a folder of data.

Python itself searches the current folder in three cases: for `python -c`, for `python -m`, and for an
empty or relative entry of PYTHONPATH. A file `json.py` among the data would run. The program
therefore removes such entries before it imports anything else, and starts other interpreters isolated.

Absolute paths in the user's own environment are trusted. So are the entries of a program that imports
`labelingest` as a library, because it chose them.

The package imports this module first. The module uses nothing that Python has not loaded by then.
"""

import os
import sys

__all__ = ["interpreter_flags", "leave_out_current_folder", "names_program", "own_entries"]

_PROGRAM = "labelingest"
_REPEATED = ("utf8", "dev", "importtime", "int_max_str_digits", "pycache_prefix")
"""Options of -X that are passed on by their effect, or not at all."""


def names_program(arguments: list[str], original: list[str]) -> bool:
    """Return whether a process is the command line, whose search path the project decides.

    Parameters
    ----------
    arguments
        `sys.argv`: its first word is "-m" while Python looks for the module.
    original
        `sys.orig_argv`.

    Examples
    --------
    >>> names_program(["-m", "show"], ["python", "-m", "labelingest", "show"])
    True
    >>> names_program(["/usr/bin/labelingest"], ["python", "/usr/bin/labelingest"])
    True
    >>> names_program(["-m"], ["python", "-m", "pytest"])
    False
    """
    if arguments[:1] == ["-m"]:
        before = original[: len(original) - len(arguments) + 1]
        return before[-2:] == ["-m", _PROGRAM] or before[-1:] == [f"-m{_PROGRAM}"]
    return bool(arguments) and os.path.basename(arguments[0]) == _PROGRAM


def leave_out_current_folder() -> None:
    """Remove the current folder, and entries relative to it, from this process's search path."""
    absolute, relative = _named_by_user()
    site = sys.modules.get("site")
    trusted = {*absolute, *(site.getsitepackages() if site is not None else ())}
    try:
        banned = {os.path.realpath(entry) for entry in ("", *relative)}
    except OSError:  # a current folder that was deleted holds no file
        banned = set()
    if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
        del sys.path[:1]
    sys.path[:] = [
        entry
        for entry in own_entries()
        if entry in trusted or os.path.realpath(entry) not in banned
    ]


def _named_by_user() -> tuple[list[str], list[str]]:
    """Return the absolute and the relative entries of PYTHONPATH."""
    value = "" if sys.flags.ignore_environment else os.environ.get("PYTHONPATH", "")
    entries = value.split(os.pathsep)
    absolute = [entry for entry in entries if os.path.isabs(entry)]
    return absolute, [entry for entry in entries if not os.path.isabs(entry)]


def own_entries() -> list[str]:
    """Return the entries of the search path that mean the same in every folder."""
    return [entry for entry in sys.path if os.path.isabs(entry)]


def interpreter_flags() -> list[str]:
    """Return the flags for an interpreter that searches for modules only in a path it receives.

    An isolated interpreter ignores PYTHON* variables. The settings that this process got by them, or
    by flags of its own, are therefore repeated.

    Examples
    --------
    >>> interpreter_flags()[0]
    '-I'
    """
    digits = sys.get_int_max_str_digits()
    flags = ["-I", "-X", f"utf8={sys.flags.utf8_mode}", "-X", f"int_max_str_digits={digits}"]
    if sys.dont_write_bytecode:
        flags.append("-B")
    if sys.flags.optimize:
        flags.append("-" + "O" * sys.flags.optimize)
    if sys.flags.bytes_warning:
        flags.append("-" + "b" * sys.flags.bytes_warning)
    if sys.flags.no_site:
        flags.append("-S")
    if sys.pycache_prefix is not None:
        flags += ["-X", f"pycache_prefix={os.path.abspath(sys.pycache_prefix)}"]
    if sys.flags.dev_mode:
        flags += ["-X", "dev"]
    for name, value in sys._xoptions.items():
        if name not in _REPEATED:
            flags += ["-X", name if value is True else f"{name}={value}"]
    return flags + [f"-W{option}" for option in sys.warnoptions]
