"""Exceptions: defects of the call or the world.

::

    LabelIngestError
    ├── ConfigError    (ValueError)  the configuration cannot mean anything; nothing was touched
    ├── OntologyError  (ValueError)  ontology unreadable, external IDs clash, class map impossible
    ├── SidecarError   (ValueError)  rows were rejected and the caller asked to stop (.problems)
    ├── StorageError   (OSError)     listing, reading or writing failed
    │   └── NameRefusedError         a storage refuses a file name
    │       └── PlaceTakenError      the name is in use
    └── EngineError    (RuntimeError)  workers cannot be started, or are lost again and again

A defect of one file among a million is a `labelingest.problems.Problem` in the result.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labelingest.credentials import without_credentials

if TYPE_CHECKING:
    from labelingest.problems import Problem

__all__ = [
    "ConfigError",
    "EngineError",
    "LabelIngestError",
    "NameRefusedError",
    "OntologyError",
    "PlaceTakenError",
    "ResumeNote",
    "SidecarError",
    "StorageError",
    "resume_notes",
]


class ResumeNote(str):
    """A note on an exception that left an unfinished run: its progress, and how to resume it.

    Notes are shown below the exception's trace; the command line prints them as sentences.
    """

    __slots__ = ()


def resume_notes(error: BaseException) -> list[str]:
    """Return the notes of an exception that say how to resume the run.

    Examples
    --------
    >>> error = KeyboardInterrupt()
    >>> error.add_note("a note of Python's")
    >>> error.add_note(ResumeNote("40 of 100 files are done"))
    >>> resume_notes(error)
    ['40 of 100 files are done']
    """
    return [str(note) for note in getattr(error, "__notes__", ()) if isinstance(note, ResumeNote)]


class LabelIngestError(Exception):
    """Base of all exceptions that labelingest raises on purpose.

    Examples
    --------
    >>> raise LabelIngestError("there is no folder 'https://user:pw@host/data'")
    Traceback (most recent call last):
    labelingest.errors.LabelIngestError: there is no folder 'https://***@host/data'
    """

    def __str__(self) -> str:
        # A value in the wrong place may be a URL: no sentence repeats its password.
        return without_credentials(super().__str__())


class ConfigError(LabelIngestError, ValueError):
    """The configuration cannot mean anything; raised before any file is converted.

    Examples
    --------
    >>> raise ConfigError("label file pattern 'labels/a.txt' has no {name}")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: label file pattern 'labels/a.txt' has no {name}
    """


class OntologyError(LabelIngestError, ValueError):
    """The ontology cannot be read, or no class map can be made from it.

    Examples
    --------
    >>> raise OntologyError("ontology.json: 'objects' is missing")
    Traceback (most recent call last):
    labelingest.errors.OntologyError: ontology.json: 'objects' is missing
    """


class SidecarError(LabelIngestError, ValueError):
    """Rows were rejected and the caller asked to stop at the first of them.

    Examples
    --------
    >>> from labelingest.problems import Problem, ProblemCode
    >>> raise SidecarError([Problem(ProblemCode.UNKNOWN_CLASS, "a.txt", "no object for 7", line=1)])
    Traceback (most recent call last):
    labelingest.errors.SidecarError: a.txt:1: unknown-class: no object for 7
    """

    problems: Sequence["Problem"]
    """The errors of the first file that had any, in order of place."""
    data_file: str
    """Key of the data file; "" where it is not known."""

    def __init__(self, problems: Sequence["Problem"], data_file: str = "") -> None:
        first, *others = problems
        super().__init__(f"{first}" + (f" (and {len(others)} more)" if others else ""))
        self.problems = problems
        self.data_file = data_file

    def __reduce__(self) -> tuple[type["SidecarError"], tuple[Sequence["Problem"], str]]:
        return SidecarError, (self.problems, self.data_file)


class StorageError(LabelIngestError, OSError):
    """Listing, reading or writing failed as a whole.

    Examples
    --------
    >>> raise StorageError("no folder at 'data': check the path")
    Traceback (most recent call last):
    labelingest.errors.StorageError: no folder at 'data': check the path
    """


class NameRefusedError(StorageError):
    """A storage refuses the name of a file; it may accept other names.

    Examples
    --------
    >>> raise NameRefusedError("'a.json' cannot be written: name too long for this file system")
    Traceback (most recent call last):
    labelingest.errors.NameRefusedError: 'a.json' cannot be written: name too long for this ...
    """


class PlaceTakenError(NameRefusedError):
    """The name is in use: by a folder, or by a link or a file where a folder is expected.

    Examples
    --------
    >>> raise PlaceTakenError("'a.json' cannot be written: it is a folder; choose another name")
    Traceback (most recent call last):
    labelingest.errors.PlaceTakenError: 'a.json' cannot be written: it is a folder; choose ...
    """


class EngineError(LabelIngestError, RuntimeError):
    """Workers cannot be started, or are lost again and again.

    Examples
    --------
    >>> raise EngineError("no Dask scheduler answers at tcp://10.0.0.1:8786")
    Traceback (most recent call last):
    labelingest.errors.EngineError: no Dask scheduler answers at tcp://10.0.0.1:8786
    """
