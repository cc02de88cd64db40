"""What is wrong in a folder as it stands: problems of data files, of their metadata, of the listing.

They stay until what they are about is looked at again. A run counts those that it met itself.
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
"""Of one data file; the run counts all of them."""
_MOST_OF_LISTING: Final = 10_000
_PLACES: Final = ("line", "column", "pointer")
_COLUMNS: Final = ("source", "detail", *_PLACES, "count")


class Part(StrEnum):
    """What a problem is one of."""

    LABEL = "label"
    METADATA = "metadata"
    LISTING = "listing"


def replace_problems(
    connection: Connection,
    folder_id: int,
    looked_at: Sequence[tuple[str, Part]],
    new_problems: Mapping[tuple[str, Part], Sequence[Problem]],
) -> None:
    """Replace the problems of data files.

    Parameters
    ----------
    connection, folder_id
        Where.
    looked_at
        Key of each data file, and what of it; "" for the listing.
    new_problems
        The same → what is wrong, in order.
    """
    if looked_at:
        is_replaced = (
            (problems.c.folder_id == folder_id)
            & (problems.c.key == sa.bindparam("of_key"))
            & (problems.c.part == sa.bindparam("of_part"))
        )
        places = [{"of_key": key, "of_part": part.value} for key, part in looked_at]
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
    """Return values whose texts hold no NUL, which PostgreSQL keeps in no text; JSON may hold one."""
    return {
        name: value.replace("\0", "\\u0000") if isinstance(value, str) else value
        for name, value in values.items()
    }


def iterate_problems(connection: Connection, folder_id: int) -> Iterator[Problem]:
    """Yield the problems of a folder: of the listing first, then by data file."""
    query = (
        sa.select(problems)
        .where(problems.c.folder_id == folder_id, of_present_items())
        .order_by(problems.c.key, problems.c.part, problems.c.number)
    )
    with connection.execute(query.execution_options(yield_per=10_000)) as result:
        for row in result.mappings():
            yield Problem(ProblemCode(row["code"]), *(row[name] for name in _COLUMNS))


def of_present_items() -> sa.ColumnElement[bool]:
    """Leave out the problems of hidden items: they count again when their files are back."""
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
