"""Class lists of a folder beside its ontology: the nearest list of each label file is compared.

A synced folder reads only lists that are new (`labelingest.pipeline.class_list_files`), and keeps the
others in its state.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from posixpath import dirname
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from msgspec.structs import replace

from labelingest.class_lists.class_list import ClassList
from labelingest.class_lists.compare import Comparison, compare_names
from labelingest.class_lists.find import ListFolders, list_rank
from labelingest.class_lists.read import load_class_list
from labelingest.class_lists.verdicts import (
    ClassLists,
    ListUse,
    Verdict,
    disagreement_lines,
    judge,
    problems_of,
)
from labelingest.columns.types import Int64
from labelingest.errors import ConfigError
from labelingest.formats import source_format
from labelingest.model.ontology import Ontology
from labelingest.pipeline.class_list_files import Answer, LabelFiles, answers_of_folder
from labelingest.pipeline.row_layout import decide_layout, declared_layout
from labelingest.pipeline.sample import Sample, take_sample
from labelingest.problems import Problem
from labelingest.readers.yolo.layouts import CLASS_LAST, RowLayout, YoloOptions
from labelingest.resolution.class_map import ClassMapping, mapped_names
from labelingest.storage.base import Storage

if TYPE_CHECKING:
    from labelingest.config import IngestOptions

if TYPE_CHECKING:  # a sync pairs by itself
    from labelingest.pipeline.discover import Paired

__all__ = [
    "CURES",
    "RowClasses",
    "compare_class_lists",
    "compare_lists",
    "lists_about_rows",
    "refuse_disagreeing",
    "row_counter",
]

CURES: Final = (
    "Correct the external IDs of the ontology, or map numbers with --map NUMBER=OBJECT; name the right "
    "list with --class-list FILE; if the ontology is right, say so with --accept-class-names"
)


def compare_class_lists(
    config: "IngestOptions", paired: "Paired", ontology: Ontology, mapping: ClassMapping | None
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
    files = _label_files(paired)
    if config.no_class_list:
        return ClassLists(label_files_without=len(files), reason="--no-class-list")
    answers, named_list = _read_lists(config, paired, files)
    return compare_lists(
        files,
        answers,
        mapped_names(ontology, mapping),
        named_list=named_list,
        accepts=config.accept_class_names,
        rows_by_class=row_counter(
            paired.storage, files, config, RowClasses(declared_layout(config), ontology, mapping)
        ),
    )


def lists_about_rows(config: "IngestOptions", paired: "Paired") -> Sequence[ClassList]:
    """Return the class lists of a folder that say something of rows, without comparing any.

    Parameters
    ----------
    config
        Names a class list, or says that none is read.
    paired
        The folder.

    Raises
    ------
    ConfigError
        The class list that the configuration names cannot be read.
    """
    if config.no_class_list:
        return ()
    answers, named_list = _read_lists(config, paired, _label_files(paired))
    return _with_settings(named_list, answers.values())


def _label_files(paired: "Paired") -> LabelFiles:
    return LabelFiles(paired.listing, paired.pairs.sidecar, paired.pairs.data)


def _read_lists(
    config: "IngestOptions", paired: "Paired", files: LabelFiles
) -> tuple[Mapping[str, Answer], ClassList | None]:
    """Return the answers of a folder's class lists, or the list that the configuration names."""
    if config.class_list is not None:
        return {}, load_class_list(config.class_list)
    return answers_of_folder(paired.storage, files, paired.pairs.outcome), None


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


class RowClasses(NamedTuple):
    """What tells which column of the rows is the class number."""

    layout: YoloOptions
    """Row layout as far as it is declared or stored; otherwise the rows of the sample decide."""
    ontology: Ontology
    mapping: ClassMapping

    def class_column(self, sample: Sample) -> int:
        """Return the position of the class number in the rows of a sample."""
        layout = self.layout.row_layout
        if layout == RowLayout.AUTO:
            layout = decide_layout(sample, self.ontology, self.mapping).reading.layout
        return CLASS_LAST if layout == RowLayout.BOX_CLASS else 0


def row_counter(
    storage: Storage, files: LabelFiles, config: "IngestOptions", classes: RowClasses
) -> Callable[[Int64], tuple[Mapping[int, int], int]]:
    """Return a function that counts rows by class in a sample of label files.

    Parameters
    ----------
    storage, files
        The storage path, and its label files.
    config
        Has the bytes that a label file may have; larger ones are not looked at.
    classes
        Tells which column is the class number.
    """

    def rows_by_class(positions: Int64) -> tuple[Mapping[int, int], int]:
        rows = np.sort(files.sidecars[positions])
        sample = take_sample(storage, files.listing, rows, most_bytes=config.max_label_bytes)
        return sample.rows_by_class(classes.class_column(sample)), len(sample.sidecars)

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
