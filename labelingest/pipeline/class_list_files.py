"""Files of class lists in a folder: find them in its listing, fetch them, read them.

1. `find_lists`: files with the name of a class list, at or above label files or beside their images;
2. `read_answers` and `follow_names`: their contents, as lists or as problems.

The ontology is not known here.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from posixpath import basename, dirname, join, normpath
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct

from labelingest.class_lists.class_list import ClassList, UnreadableListError
from labelingest.class_lists.find import is_usual_name, list_rank, list_rows, relevant_folders
from labelingest.class_lists.read import read_class_list
from labelingest.columns.keys import Keys
from labelingest.columns.types import Int64, UInt8
from labelingest.model.listing import UNKNOWN, Listing
from labelingest.model.pairs import Outcome
from labelingest.problems import Problem, ProblemCode
from labelingest.storage.base import Storage

__all__ = [
    "MOST_BYTES",
    "MOST_LISTS",
    "Answer",
    "LabelFiles",
    "answers_of_folder",
    "find_lists",
    "follow_names",
    "has_names_line",
    "read_answers",
]

MOST_LISTS: Final = 100
"""Class lists of a folder that are read; `--class-list` names one beyond."""
MOST_BYTES: Final = 1_000_000
"""Bytes of a class list that is found by its name: thousands of names take a tenth of it."""
_MOST_BYTES_IN_ALL: Final = 10_000_000
"""Bytes of all class lists that are read: names take thirty times as much memory."""
_CONSIDERED: Final = 1_000
"""Files with the name of a class list for which label files are looked for."""
_NAMES_KEY: Final = re.compile(rb"^[\"']?names[\"']?\s*:", re.MULTILINE)
"""Line of a YAML file that may be a class list, read or not."""
_CURE: Final = "correct or rename the file, or name the right list with --class-list"
_NOT_LISTS: Final = (
    *(Outcome.PAIRED, Outcome.AMBIGUOUS, Outcome.SIDECAR, Outcome.AMBIGUOUS_SIDECAR),
    *(Outcome.METADATA_SIDECAR, Outcome.IGNORED),
)
"""Outcomes of files that are no class lists, whatever their names."""

Answer: TypeAlias = ClassList | Problem
"""A class list, or the reason why a file cannot be read as one."""


class LabelFiles(Struct, frozen=True, eq=False):
    """The label files of a listing, each with its image."""

    listing: Listing
    sidecars: Int64
    """(m,) rows of the label files."""
    data: Int64
    """(m,) rows of their images."""

    def __len__(self) -> int:
        return len(self.sidecars)

    @property
    def keys(self) -> Keys:
        """All keys of the listing, in order."""
        return self.listing.keys

    def sizes(self, keys: Sequence[str]) -> Int64 | None:
        """Return the listed sizes of keys; None where the listing has none."""
        sizes = self.listing.size[self._rows(keys)]
        return None if (sizes == UNKNOWN).any() else sizes

    def bytes_of(self, keys: Sequence[str]) -> int:
        """Return the sum of the listed sizes of keys."""
        return int(self.listing.size[self._rows(keys)].sum())

    def tokens(self, keys: Sequence[str]) -> Sequence[str]:
        """Return the version tokens of keys."""
        return self.listing.take_tokens(self._rows(keys))

    def _rows(self, keys: Sequence[str]) -> Int64:
        rows = [bisect_left(self.keys, key) for key in keys]
        return np.array(rows, dtype=np.int64)


def answers_of_folder(storage: Storage, files: LabelFiles, outcome: UInt8) -> dict[str, Answer]:
    """Find and read the class lists of a folder.

    Parameters
    ----------
    storage, files
        The storage path, and its label files.
    outcome
        (n,) `Outcome` of each key.

    Returns
    -------
    dict
        Key → list or problem.
    """

    def answers_of(keys: Sequence[str]) -> Mapping[str, Answer]:
        return read_answers(storage, files, keys)[0]

    return follow_names(files, find_lists(files, outcome), answers_of)


def find_lists(files: LabelFiles, outcome: UInt8) -> Sequence[str]:
    """Find files with the name of a class list, at or above label files or beside their images.

    Parameters
    ----------
    files
        The label files.
    outcome
        (n,) `Outcome` of each key: label files, data files and sidecars are no class lists.

    Returns
    -------
    list of str
        Keys: those with the usual names first, then the others, both from the top of the folder.
    """
    rows = list_rows(files.keys)
    rows = rows[~np.isin(outcome[rows], _NOT_LISTS)]
    order = sorted(files.keys.take(rows), key=_prominence)
    folders = {dirname(key) for key in order[:_CONSIDERED]}
    relevant = relevant_folders(files.keys, folders, files.sidecars, files.data)
    return [key for key in order if dirname(key) in relevant]


def _prominence(key: str) -> tuple[bool, int, str]:
    return not is_usual_name(key), key.count("/"), key


def follow_names(
    files: LabelFiles,
    lists: Sequence[str],
    answers_of: Callable[[Sequence[str]], Mapping[str, Answer]],
) -> dict[str, Answer]:
    """Return what class lists say, at most `MOST_LISTS` of them, and the lists that `obj.data` names.

    Parameters
    ----------
    files
        The label files of the listing.
    lists
        Keys of the lists.
    answers_of
        Returns the answers of keys.

    Returns
    -------
    dict
        Key → list or problem. A Darknet `obj.data` has the list that it names.
    """
    most = _within_limits(files, lists)
    answers = dict(answers_of(lists[:most]))
    targets = {
        key: _target(files.keys, answer)
        for key, answer in answers.items()
        if isinstance(answer, ClassList) and answer.names_file
    }
    others = [target for target in targets.values() if target is not None and target not in answers]
    named_answers = answers | dict(answers_of(list(dict.fromkeys(others))))
    for key, target in targets.items():
        followed = None if target is None else named_answers[target]
        answers[key] = _not_followed(answers[key]) if followed is None else followed
    if len(lists) > most:
        answers[lists[most]] = _beyond(lists[most:], most)
    return answers


def _within_limits(files: LabelFiles, lists: Sequence[str]) -> int:
    """Return how many of the lists are read: files and their sum of bytes are limited."""
    sizes = files.sizes(lists[:MOST_LISTS])
    if sizes is None:
        return len(lists[:MOST_LISTS])
    # A larger file costs nothing: it is not read.
    sums = np.cumsum(np.minimum(sizes, MOST_BYTES))
    return int(np.searchsorted(sums, _MOST_BYTES_IN_ALL, side="right"))


def read_answers(
    storage: Storage, files: LabelFiles, keys: Sequence[str]
) -> tuple[dict[str, Answer], Collection[str]]:
    """Fetch and read class lists.

    Returns
    -------
    answers, unread
        Key → list or problem; and the keys of files that could not be fetched.
    """
    if not keys:
        return {}, ()
    blobs = storage.fetch(keys, sizes=files.sizes(keys), tokens=False, most=MOST_BYTES)
    answers = {
        key: _unread(key, blobs.unread[row].detail)
        if row in blobs.unread
        else _answer(key, blobs.get(row))
        for row, key in enumerate(keys)
    }
    return answers, [keys[row] for row in blobs.unread]


def has_names_line(content: bytes) -> bool:
    r"""Return whether a line of a YAML file says that it has class names, without a parser of YAML.

    Examples
    --------
    >>> has_names_line(b"nc: 2\nnames: [tug, van]"), has_names_line(b"services:\n  names: x")
    (True, False)
    """
    return _NAMES_KEY.search(content) is not None


def _answer(key: str, content: bytes) -> Answer:
    """Return what a file holds; a YAML file with any name is a list only if it has `names`."""
    try:
        return read_class_list(content, key)
    except UnreadableListError as error:
        if not is_usual_name(key) and not has_names_line(content):
            return ClassList(key, {}, missing=error.detail)
        return _unreadable(key, error.detail, error.line, error.column)


def _unread(key: str, detail: str) -> Answer:
    """Return the answer of a file that cannot be fetched; one with any name may be no list."""
    if not is_usual_name(key):
        return ClassList(key, {}, missing=detail)
    return _unreadable(key, detail)


def _unreadable(
    key: str, detail: str, line: int | None = None, column: int | None = None
) -> Problem:
    return Problem(ProblemCode.CLASS_LIST_UNREADABLE, key, f"{detail}: {_CURE}", line, column)


def _beyond(lists: Sequence[str], most: int) -> Problem:
    detail = (
        f"{len(lists):,} class lists are not read, as {lists[0]!r}: {most} were read before, and "
        f"{MOST_LISTS} files or {_MOST_BYTES_IN_ALL:,} bytes are the most; name the right list with "
        "--class-list"
    )
    return Problem(ProblemCode.CLASS_LIST_UNREADABLE, lists[0], detail, count=len(lists))


def _target(keys: Keys, answer: ClassList) -> str | None:
    """Return the key of the list that an `obj.data` names; None where the folder has none."""
    path, folder = answer.names_file.replace("\\", "/"), dirname(answer.source)
    # Darknet starts from its current folder, which is often the one above.
    for candidate in (join(folder, path), path, join(folder, basename(path))):
        key = normpath(candidate)
        row = bisect_left(keys, key)
        has_reader = list_rank(key) is not None or key.endswith(".txt")
        if has_reader and row < len(keys) and keys[row] == key:
            return key
    return None


def _not_followed(answer: Answer) -> Answer:
    """Return the problem of an `obj.data` whose list is not in the folder."""
    if isinstance(answer, Problem):
        return answer
    detail = f"its names are in {answer.names_file!r}, which is not in this folder"
    return _unreadable(answer.source, detail)
