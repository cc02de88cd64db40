"""Current problems of a folder: of labels, of metadata, of the listing.

A problem stays until a run checks its file again. The counts of a run are those of the problems
that the run met itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from labelingest.folders.state.tables import items, problems
from labelingest.problems import Problem, ProblemCode

__all__ = ["Part", "iterate_problems", "of_present_items", "replace_problems"]

_MOST_OF_FILE: Final = 100
"""Problems of one data file that the state keeps; the run counts all."""
_MOST_OF_LISTING: Final = 10_000
"""Problems of the listing that the state keeps; the run counts all."""
_PLACES: Final = ("line", "column", "pointer")
_COLUMNS: Final = ("source", "detail", *_PLACES, "count")


class Part(StrEnum):
    """Part of a data file that a problem is about."""

    LABEL = "label"
    METADATA = "metadata"
    LISTING = "listing"
    CLASSES = "classes"
    """The class numbers of all label files together; the key is that of the listing."""


def replace_problems(
    connection: Connection,
    folder_id: int,
    checked: Sequence[tuple[str, Part]],
    new_problems: Mapping[tuple[str, Part], Sequence[Problem]],
) -> None:
    """Replace the problems of data files.

    Parameters
    ----------
    connection
        Connection in a transaction that writes.
    folder_id
        Number of the folder in the state.
    checked
        Key and part of what the run checked: its former problems go. The key of the listing is "".
    new_problems
        Key and part → problems that the run found, in order.
    """
    if checked:
        is_replaced = (
            (problems.c.folder_id == folder_id)
            & (problems.c.key == sa.bindparam("of_key"))
            & (problems.c.part == sa.bindparam("of_part"))
        )
        places = [{"of_key": key, "of_part": part.value} for key, part in checked]
        connection.execute(problems.delete().where(is_replaced), places)
    rows = [
        {
            "folder_id": folder_id,
            "key": key,
            "part": part.value,
            "number": number,
            **dict.fromkeys(_PLACES),
            **_storable(problem.as_dict()),
            "count": problem.count,
        }
        for (key, part), of_key in new_problems.items()
        for number, problem in enumerate(of_key[: _MOST_OF_FILE if key else _MOST_OF_LISTING])
    ]
    if rows:
        connection.execute(problems.insert(), rows)


def _storable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with every NUL escaped: JSON may hold one, but PostgreSQL stores none in a text."""
    return {
        name: value.replace("\0", "\\u0000") if isinstance(value, str) else value
        for name, value in values.items()
    }


def iterate_problems(connection: Connection, folder_id: int) -> Iterator[Problem]:
    """Yield the problems of a folder: those of the listing first, then by data file."""
    query = (
        sa.select(problems)
        .where(problems.c.folder_id == folder_id, of_present_items())
        .order_by(problems.c.key, problems.c.part, problems.c.number)
    )
    with connection.execute(query.execution_options(yield_per=10_000)) as result:
        for row in result.mappings():
            yield Problem(ProblemCode(row["code"]), *(row[name] for name in _COLUMNS))


def of_present_items() -> sa.ColumnElement[bool]:
    """Return the condition that a problem is not of a hidden item; hidden ones count again later."""
    hidden = (
        sa.select(1)
        .select_from(items)
        .where(
            items.c.folder_id == problems.c.folder_id,
            items.c.key == problems.c.key,
            items.c.deleted_at.is_not(None),
        )
    )
    return ~hidden.exists()
