"""Choose the label row of a data file from a list of label rows, as scripts write them.

A list of one holds the row of the data file. From a longer one the row is taken whose title is the
name of the data file. None or several such rows are a problem: nothing is guessed.
"""

from collections.abc import Sequence
from shlex import quote
from typing import Any

from labelingest.encord.titles import is_title_of
from labelingest.problems import ProblemCode
from labelingest.problems.of_document import DocumentProblems, excerpt, json_type_name
from labelingest.problems.pointers import child_pointer

__all__ = ["row_of_list"]


def row_of_list(rows: Sequence[Any], key: str, problems: DocumentProblems) -> tuple[Any, str]:
    """Return the label row of a data file, and its JSON pointer; None and "" with a problem.

    Parameters
    ----------
    rows
        A decoded list.
    key
        Key of the data file; "" where it is not known.
    problems
        Takes the problem of a list without the row.

    Examples
    --------
    >>> rows = [{"data_title": "a.jpg"}, {"data_title": "b.jpg"}]
    >>> row_of_list(rows, "x/b.jpg", DocumentProblems("x/b.jpg.encord.json"))
    ({'data_title': 'b.jpg'}, '/1')
    """
    if not rows:
        detail = "holds a list, expected a label row, which is an object"
        return _refused(problems, "", detail)
    places = list(range(len(rows)))
    if len(rows) > 1:
        places = [place for place in places if is_title_of(_title(rows[place]), key)]
    if len(places) == 1:
        pointer = child_pointer("", places[0])
        row = rows[places[0]]
        if isinstance(row, dict):
            return row, pointer
        detail = f"holds {json_type_name(row)}, expected a label row, which is an object"
        return _refused(problems, pointer, detail)
    return _refused(problems, "", _sentence(rows, places, key, problems.source))


def _refused(problems: DocumentProblems, pointer: str, detail: str) -> tuple[None, str]:
    problems.note(ProblemCode.NOT_A_LABEL_ROW, pointer, detail)
    return None, ""


def _title(row: Any) -> object:
    return row.get("data_title") if isinstance(row, dict) else None


def _sentence(rows: Sequence[Any], places: list[int], key: str, source: str) -> str:
    """Return why no row of a list of several is the one of the data file, and what helps."""
    name = key.rpartition("/")[2]
    if not name:
        return f"holds a list of {len(rows):,} entries, expected one label row"
    if places:
        where = " and ".join(child_pointer("", place) for place in places[:2])
        return (
            f"{len(places):,} label rows of the list have the title {name!r}, as {where}: keep one"
        )
    titles = [title for title in map(_title, rows) if isinstance(title, str)][:2]
    such = f", but {' and '.join(map(excerpt, titles))}" if titles else ""
    return (
        f"holds a list of {len(rows):,} entries, none with the title {name!r}{such}; labelingest "
        f"split {quote(source)} STORAGE_PATH --out STORAGE_PATH writes each beside its data file"
    )
