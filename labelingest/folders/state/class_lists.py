"""Class lists of a folder as the state keeps them: what each file said when it was last read.

A list is read again when its version token changes. The state keeps names and settings of the list,
not the comparison with the ontology: that is cheap, and the ontology may change.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson
import sqlalchemy as sa
from msgspec.structs import asdict
from sqlalchemy.engine import Connection

from labelingest.class_lists.class_list import ClassList
from labelingest.folders.state.stored_values import json_object
from labelingest.folders.state.tables import class_lists
from labelingest.problems import Problem, ProblemCode

__all__ = ["StoredAnswers", "list_answers", "replace_answers"]

StoredAnswers = Mapping[str, tuple[str, ClassList | Problem]]
"""Key → version token and list, or the problem of a file that is no class list."""
_NUMBERED: Final = ("names", "lines", "pointers")
"""Fields by class number; JSON has texts as keys."""


def list_answers(connection: Connection, folder_id: int) -> StoredAnswers:
    """Return the class lists of a folder; a damaged one is left out, and is read again."""
    query = sa.select(class_lists).where(class_lists.c.folder_id == folder_id)
    answers: dict[str, tuple[str, ClassList | Problem]] = {}
    for row in connection.execute(query).mappings():
        try:
            answer = _from_json(row["key"], json_object(row["answer"]))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
        answers[row["key"]] = (row["token"], answer)
    return answers


def replace_answers(connection: Connection, folder_id: int, answers: StoredAnswers) -> None:
    """Replace the class lists of a folder.

    Parameters
    ----------
    connection
        Connection in a transaction that writes.
    folder_id
        Number of the folder in the state.
    answers
        All lists that the state is to keep.
    """
    connection.execute(class_lists.delete().where(class_lists.c.folder_id == folder_id))
    rows = [
        {
            "folder_id": folder_id,
            "key": key,
            "token": token,
            "answer": orjson.dumps(_to_json(answer), option=orjson.OPT_NON_STR_KEYS).decode(),
        }
        for key, (token, answer) in answers.items()
    ]
    if rows:
        connection.execute(class_lists.insert(), rows)


def _to_json(answer: ClassList | Problem) -> dict[str, Any]:
    if isinstance(answer, Problem):
        return {"problem": answer.as_dict()}
    return {
        **asdict(answer),
        "problems": [problem.as_dict() for problem in answer.problems],
    }


def _from_json(key: str, values: dict[str, Any]) -> ClassList | Problem:
    if "problem" in values:
        return _problem(values["problem"])
    numbered = {name: {int(n): value for n, value in values[name].items()} for name in _NUMBERED}
    shape = values["kpt_shape"]
    answer = ClassList(
        **{
            **values,
            **numbered,
            "kpt_shape": None if shape is None else (int(shape[0]), int(shape[1])),
            "problems": tuple(map(_problem, values["problems"])),
        }
    )
    if not all(isinstance(name, str) for name in answer.names.values()) or answer.source != key:
        raise ValueError("no class list of this key")
    return answer


def _problem(values: dict[str, Any]) -> Problem:
    place = {name: values.get(name) for name in ("line", "column", "pointer")}
    return Problem(
        ProblemCode(values["code"]),
        str(values["source"]),
        str(values["detail"]),
        **place,
        count=values.get("count", 1),
    )
