"""Limits of a listing that is paired: the number of data files, and the length of their names."""

from typing import Final

import numpy as np

from labelingest.columns.keys import Keys
from labelingest.columns.types import UInt8
from labelingest.errors import StorageError
from labelingest.model.pairs import Outcome
from labelingest.problems import Problem, ProblemCode

__all__ = ["MAX_DATA_FILES", "MAX_NAME", "long_names", "refuse_too_many"]

MAX_DATA_FILES: Final = 10_000_000
"""Data files that a folder may have; sidecars, metadata and companion files do not count."""
MAX_NAME: Final = 300
"""Characters of a title on Encord's platform; the title of a data file is the last part of its key."""
_NAMED: Final = 1_000
"""Files with long names that have a problem each; the others are counted in one."""
_DATA: Final = (Outcome.PAIRED, Outcome.UNLABELLED, Outcome.AMBIGUOUS)


def refuse_too_many(outcome: UInt8, place: str, most: int = MAX_DATA_FILES) -> None:
    """Refuse a folder with too many data files.

    Parameters
    ----------
    outcome
        (n,) outcome of each key of the folder.
    place, most
        Storage path for the message, and number of data files that it may have.

    Raises
    ------
    StorageError
        There are more data files.

    Examples
    --------
    >>> outcome = np.array([Outcome.PAIRED, Outcome.SIDECAR, Outcome.UNLABELLED], np.uint8)
    >>> refuse_too_many(outcome, "s3://bucket/drive/", most=2)
    >>> refuse_too_many(outcome, "s3://bucket/drive/", most=1)
    Traceback (most recent call last):
    labelingest.errors.StorageError: 's3://bucket/drive/' holds 2 data files, ...
    """
    count = int(np.isin(outcome, _DATA).sum())
    if count > most:
        raise StorageError(
            f"{place!r} holds {count:,} data files, more than the {most:,} that one folder may have: "
            "give a folder further down, and convert the others one by one"
        )


def long_names(
    keys: Keys, outcome: UInt8, *, most: int = MAX_NAME, named: int = _NAMED
) -> list[Problem]:
    """Return a warning for each data file whose name is too long for a title.

    Parameters
    ----------
    keys, outcome
        (n,) keys of a folder, and their outcomes.
    most
        Characters that a name may have.
    named
        Number of files that have a warning each.

    Examples
    --------
    >>> keys = Keys.from_texts(["long.jpg", "long.txt", "longer.jpg", "longest.jpg", "s.jpg"])
    >>> outcome = np.full(5, Outcome.PAIRED, np.uint8)
    >>> outcome[1] = Outcome.SIDECAR
    >>> [(problem.source, problem.count) for problem in long_names(keys, outcome, most=6, named=1)]
    [('long.jpg', 1), ('longer.jpg', 2)]
    """
    # No name has more characters than its key has bytes.
    rows = np.flatnonzero((np.diff(keys.offsets) > most) & np.isin(outcome, _DATA))
    texts = ((key, len(key.rpartition("/")[2])) for row in rows.tolist() for key in [keys[row]])
    long = [(key, length) for key, length in texts if length > most]
    problems = [_problem(key, length, most) for key, length in long[:named]]
    if others := long[named:]:
        problems.append(_problem(*others[0], most, count=len(others)))
    return problems


def _problem(key: str, length: int, most: int, count: int = 1) -> Problem:
    files = "" if count == 1 else f"{count:,} more files, as this one: "
    detail = (
        f"{files}its name has {length:,} characters, more than the {most} that a title may have on "
        "the platform: rename it before it is registered there"
    )
    return Problem(ProblemCode.NAME_TOO_LONG, key, detail, count=count)
