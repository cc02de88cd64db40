"""Which keys a listing says nothing about: where it met what may hide files, and all below that.

1. A key is hidden by a place that is called so, or that it lies below: a dead link, an unreadable
   folder, whatever `ProblemCode.hides_files` names.
2. A name that cannot be decoded may be any name of its folder that is not plain ASCII, as a disk is
   that was mounted with another character set. So it hides the keys below its folder that have a
   character outside ASCII behind the folder's own name.
3. A key of a bucket that is none here hides what it is without its faults, and the folder that this
   lies in (`labelingest.storage.cloud.unusable_keys`).

Places become stretches of the order of keys that do not overlap: each key is looked up among them by
an index, however many there are. It refuses to know what is done about hidden keys.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from labelingest.folders.state.database import bulk_insert, create_temporary
from labelingest.folders.state.tables import hidden
from labelingest.problems import Problem, ProblemCode
from labelingest.storage.cloud.unusable_keys import names_hidden_by

__all__ = ["hider_of", "is_hidden", "load_hidden"]

_NAMED, _FOREIGN = 0, 1
"""What hides: a place by its name, or a name that cannot be decoded."""
_BEHIND: Final = "\x01"
"""Of texts without NUL, what follows a key directly begins with it and this."""
_AFTER_SLASH: Final = "0"


def load_hidden(connection: Connection, places: Sequence[Problem]) -> None:
    """Fill the temporary table of stretches of hidden keys; it is made here.

    Parameters
    ----------
    connection
        In a transaction.
    places
        Of a listing, where files may be that are not in it.
    """
    create_temporary(connection, hidden)
    bulk_insert(connection, hidden, _stretches(places))
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("ANALYZE hidden"))


def is_hidden(connection: Connection, key: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a key lies in one of the stretches.

    Parameters
    ----------
    connection
        Whose temporary table `load_hidden` has filled.
    key
        A column, or what is made of columns.
    """
    column = hidden.c
    outside = (column.ends.is_(None) | (key < column.ends)) & (
        _bytes_outside_ascii(connection, key) > column.outside_ascii
    )

    def by(kind: int) -> sa.ColumnElement[bool]:
        # Stretches of a kind do not overlap: the last that begins before a key is the only one.
        last = (
            sa.select(sa.case((outside, 1), else_=0))
            .where(column.kind == kind, column.begins <= key)
            .order_by(column.begins.desc())
            .limit(1)
        )
        return last.scalar_subquery() == 1

    return sa.or_(by(_NAMED), by(_FOREIGN))


def hider_of(key: str, places: Sequence[Problem]) -> Problem | None:
    """Return one of the places that hide a key; None where none does.

    Examples
    --------
    >>> dead = Problem(ProblemCode.BROKEN_LINK, "labels", "leads nowhere")
    >>> str(hider_of("labels/a.txt", [dead])), hider_of("labels.txt", [dead])
    ('labels: broken-link: leads nowhere', None)
    """
    above = {key, *_folders_above(key), ""}
    for place in places:
        if place.code is ProblemCode.KEY_NOT_UTF8:
            folder = _folder_of(place.source)
            hides = folder in {"", *above} and not key[len(folder) :].isascii()
        else:
            hides = not above.isdisjoint(_names(place))
        if hides:
            return place
    return None


def _names(place: Problem) -> Collection[str]:
    """Return the names that a place hides, with all below each; "" for everything."""
    if place.code is ProblemCode.UNUSABLE_KEY:
        return names_hidden_by(place.source)
    return (place.source,)


def _folders_above(key: str) -> Iterator[str]:
    while key := _folder_of(key):
        yield key


def _folder_of(key: str) -> str:
    return key.rpartition("/")[0]


def _stretches(places: Iterable[Problem]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table of hidden keys."""
    named: set[str] = set()
    folders: set[str] = set()
    for place in places:
        if place.code is ProblemCode.KEY_NOT_UTF8:
            folders.add(_folder_of(place.source))
        else:
            named.update(_names(place))
    for key in _outermost(named):
        if not key:
            yield _NAMED, "", None, -1
            return
        yield _NAMED, key, key + _BEHIND, -1
        yield _NAMED, f"{key}/", key + _AFTER_SLASH, -1
    for folder in _outermost(folders):
        beyond = len(folder.encode()) - len(folder)
        begins, ends = (f"{folder}/", folder + _AFTER_SLASH) if folder else ("", None)
        yield _FOREIGN, begins, ends, beyond


def _outermost(keys: Collection[str]) -> Iterator[str]:
    """Yield the keys that lie in none of the others.

    Examples
    --------
    >>> sorted(_outermost({"a", "a/b", "a-b", "c/d"}))
    ['a', 'a-b', 'c/d']
    """
    outer: str | None = None
    # In this order, what lies in a folder comes right behind it.
    for key in sorted(keys, key=lambda name: name.replace("/", "\0")):
        if outer is None or not (outer == "" or key.startswith(f"{outer}/")):
            outer = key
            yield key


def _bytes_outside_ascii(
    connection: Connection, key: sa.ColumnElement[str]
) -> sa.ColumnElement[int]:
    """Return how many bytes more than characters a key has: none if it is ASCII."""
    if connection.dialect.name == "postgresql":
        return sa.func.octet_length(key) - sa.func.char_length(key)
    return sa.func.length(sa.cast(key, sa.LargeBinary)) - sa.func.length(key)
