"""Class lists of a folder: find them in its listing, fetch them, compare them with the ontology.

1. `find_lists`: files with the name of a class list, at or above label files or beside their images;
2. `read_answers` and `follow_names`: their contents, as lists or as problems;
3. `compare_lists`: the nearest list of each label file beside the mapped objects.

A synced folder fetches only lists that are new, and keeps the others in its state.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from posixpath import basename, dirname, join, normpath
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np

from labelingest.class_lists.class_list import ClassList, UnreadableListError
from labelingest.class_lists.compare import Comparison, compare_names
from labelingest.class_lists.find import (
    ListFolders,
    is_usual_name,
    list_rank,
    list_rows,
    relevant_folders,
)
from labelingest.class_lists.read import load_class_list, read_class_list
from labelingest.class_lists.verdicts import (
    ClassLists,
    ListUse,
    Verdict,
    disagreement_lines,
    judge,
    problems_of,
)
from labelingest.columns.keys import Keys
from labelingest.columns.types import Int64
from labelingest.config import IngestOptions
from labelingest.errors import ConfigError
from labelingest.formats import source_format
from labelingest.model.listing import UNKNOWN, Listing
from labelingest.model.ontology import Ontology
from labelingest.model.pairs import Outcome
from labelingest.pipeline.sample import take_sample
from labelingest.problems import Problem, ProblemCode
from labelingest.resolution.class_map import ClassMapping, mapped_names
from labelingest.storage.base import Storage

if TYPE_CHECKING:  # a sync pairs by itself
    from labelingest.pipeline.discover import Paired

__all__ = [
    "CURES",
    "MOST_LISTS",
    "NOT_LISTS",
    "Answer",
    "LabelFiles",
    "compare_class_lists",
    "compare_lists",
    "find_lists",
    "follow_names",
    "load_named_list",
    "read_answers",
    "refuse_disagreeing",
    "row_counter",
]

MOST_LISTS: Final = 100
"""Class lists of a folder that are read; `--class-list` names one beyond."""
_MOST_BYTES: Final = 1_000_000
"""Bytes of a class list that is found by its name: thousands of names take a tenth of it."""
_MOST_BYTES_IN_ALL: Final = 10_000_000
"""Bytes of all class lists that are read: names take thirty times as much memory."""
_CONSIDERED: Final = 1_000
"""Files with the name of a class list for which label files are looked for."""
_NAMES_KEY: Final = re.compile(rb"^[\"']?names[\"']?\s*:", re.MULTILINE)
"""Line of a YAML file that may be a class list, read or not."""
_CURE: Final = "correct or rename the file, or name the right list with --class-list"
CURES: Final = (
    "Correct the external IDs of the ontology, or map numbers with --map NUMBER=OBJECT; name the right "
    "list with --class-list FILE; if the ontology is right, say so with --accept-class-names"
)
NOT_LISTS: Final = (
    *(Outcome.PAIRED, Outcome.AMBIGUOUS, Outcome.SIDECAR, Outcome.AMBIGUOUS_SIDECAR),
    *(Outcome.METADATA_SIDECAR, Outcome.IGNORED),
)
"""Outcomes of files that are no class lists, whatever their names."""

Answer: TypeAlias = ClassList | Problem
"""A class list, or the reason why a file cannot be read as one."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelFiles:
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


def compare_class_lists(
    config: IngestOptions, paired: "Paired", ontology: Ontology, mapping: ClassMapping | None
) -> ClassLists:
    """Compare the class lists of a folder with the ontology.

    Parameters
    ----------
    config
        Names a class list, or says that none is compared.
    paired
        The folder.
    ontology, mapping
        The ontology, and the class numbers; None where none are read.

    Raises
    ------
    ConfigError
        The class list that the configuration names cannot be read.
    """
    if mapping is None or not source_format(paired.format).needs_class_numbers:
        return ClassLists()
    pairs = paired.pairs
    files = LabelFiles(paired.listing, pairs.sidecar, pairs.data)
    if config.no_class_list:
        return ClassLists(label_files_without=len(files), reason="--no-class-list")
    answers: Mapping[str, Answer] = {}
    if config.class_list is None:
        other_files = np.flatnonzero(np.isin(pairs.outcome, NOT_LISTS))

        def answers_of(keys: Sequence[str]) -> Mapping[str, Answer]:
            return read_answers(paired.storage, files, keys)[0]

        answers = follow_names(files, find_lists(files, other_files), answers_of)
    return compare_lists(
        files,
        answers,
        mapped_names(ontology, mapping),
        named_list=load_named_list(config.class_list),
        accepts=config.accept_class_names,
        rows_by_class=row_counter(paired.storage, files, config.max_label_bytes),
    )


def load_named_list(path: str | None) -> ClassList | None:
    """Read the class list that a caller names; None where the caller names none.

    Raises
    ------
    ConfigError
        The file cannot be read, or holds no class names.
    """
    return None if path is None else load_class_list(path)


def find_lists(files: LabelFiles, other_files: Int64) -> Sequence[str]:
    """Find files with the name of a class list, at or above label files or beside their images.

    Parameters
    ----------
    files
        The label files.
    other_files
        Rows of files that are label files, data files or sidecars: they are no class lists.

    Returns
    -------
    list of str
        Keys: those with the usual names first, then the others, both from the top of the folder.
    """
    rows = np.setdiff1d(list_rows(files.keys), other_files)
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
    sums = np.cumsum(np.minimum(sizes, _MOST_BYTES))
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
    blobs = storage.fetch(keys, sizes=files.sizes(keys), tokens=False, most=_MOST_BYTES)
    answers = {
        key: _unread(key, blobs.unread[row].detail)
        if row in blobs.unread
        else _answer(key, blobs.get(row))
        for row, key in enumerate(keys)
    }
    return answers, [keys[row] for row in blobs.unread]


def _answer(key: str, content: bytes) -> Answer:
    """Return what a file holds; a YAML file with any name is a list only if it has `names`."""
    try:
        return read_class_list(content, key)
    except UnreadableListError as error:
        if not is_usual_name(key) and not _NAMES_KEY.search(content):
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


def compare_lists(
    files: LabelFiles,
    answers: Mapping[str, Answer],
    mapped: Mapping[int, str],
    *,
    named_list: ClassList | None,
    accepts: bool,
    rows_by_class: Callable[[Int64], tuple[Mapping[int, int], int]],
) -> ClassLists:
    """Compare the class list of each label file with the mapped objects.

    Parameters
    ----------
    files
        The label files.
    answers
        Key → class list or problem.
    mapped
        Class number → name of its ontology object.
    named_list
        The list of all label files, if the caller names one.
    accepts
        Whether the caller accepts names that differ.
    rows_by_class
        Counts the rows of the label files at these positions: class number → rows, and the number
        of label files that were looked at.
    """
    problems = [answer for answer in answers.values() if isinstance(answer, Problem)]
    if named_list is None:
        candidates, without = _nearest_lists(files, answers, mapped)
    else:
        comparison = compare_names(named_list, mapped)
        candidates, without = (
            [_Candidate(comparison, (), len(files), partial(np.arange, len(files)))],
            0,
        )
    uses = []
    for candidate in candidates:
        verdict, more = judge(candidate.comparison, candidate.rivals, accepts=accepts)
        use = ListUse(candidate.comparison, verdict, candidate.label_files)
        if verdict is Verdict.DISAGREES:
            counts, counted = rows_by_class(candidate.positions())
            use = replace(use, rows=counts, counted_files=counted)
        uses.append(use)
        problems += [*problems_of(use), *more]
    reason = "" if uses or not len(files) else "no class list at or above the label files"
    return ClassLists(
        uses,
        without,
        reason,
        list(dict.fromkeys(problems)),
        settings=_with_settings(named_list, answers.values()),
    )


class _Candidate(NamedTuple):
    """A class list that label files have, before the verdict."""

    comparison: Comparison
    rivals: Sequence[Comparison]
    """Other lists for these label files."""
    label_files: int
    positions: Callable[[], Int64]
    """Returns the positions of these label files in `LabelFiles`."""


def _nearest_lists(
    files: LabelFiles, answers: Mapping[str, Answer], mapped: Mapping[int, str]
) -> tuple[list[_Candidate], int]:
    """Return the nearest list of each label file, and the number of label files without one."""
    lists = {k: a for k, a in answers.items() if isinstance(a, ClassList) and a.names}
    chosen = ListFolders.choose(files.keys, list(lists), files.sidecars, files.data)
    comparisons: dict[str, list[Comparison]] = {}
    for key in sorted(lists, key=lambda key: (list_rank(key) or 0, key)):
        comparisons.setdefault(dirname(key), []).append(compare_names(lists[key], mapped))
    candidates = []
    for folder in chosen.folders:
        if count := chosen.count(folder):
            first, *rivals = comparisons[folder]
            rivals += [c for other in chosen.rivals(folder) for c in comparisons[other]]
            candidates.append(_Candidate(first, rivals, count, partial(chosen.rows, folder)))
    return candidates, int(np.count_nonzero(chosen.folder < 0))


def _with_settings(named_list: ClassList | None, answers: Iterable[Answer]) -> Sequence[ClassList]:
    """Return the lists, also those without names, that say something of rows."""
    lists = [answer for answer in answers if isinstance(answer, ClassList)]
    if named_list is not None:
        lists.append(named_list)
    return [entry for entry in lists if entry.kpt_shape is not None or entry.task]


def row_counter(
    storage: Storage, files: LabelFiles, most_bytes: int
) -> Callable[[Int64], tuple[Mapping[int, int], int]]:
    """Return a function that counts rows by class in a sample of label files.

    Parameters
    ----------
    storage, files
        The storage path, and its label files.
    most_bytes
        Bytes that a label file may have; larger ones are not looked at.
    """

    def rows_by_class(positions: Int64) -> tuple[Mapping[int, int], int]:
        rows = np.sort(files.sidecars[positions])
        keys, sizes = files.keys.pick(rows), files.listing.size[rows]
        sample = take_sample(storage, keys, sizes, most_bytes=most_bytes)
        return sample.rows_by_class(), len(sample.sidecars)

    return rows_by_class


def refuse_disagreeing(class_lists: ClassLists, cures: str = CURES) -> None:
    """Refuse class lists that disagree with the ontology, before anything is converted.

    Raises
    ------
    ConfigError
        A list disagrees; the message has a table for each such list, and the ways out.
    """
    lines: list[str] = []
    for use in class_lists.disagreeing:
        lines += disagreement_lines(use)
    if lines:
        raise ConfigError("\n".join([*lines, f"Nothing was written. {cures}"]))
