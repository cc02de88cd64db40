"""Hidden keys: a listing says nothing about them, because something may hide their files.

1. A place hides the key of its name and all keys below: a dead link, an unreadable folder, whatever
   `ProblemCode.hides_files` names.
2. An undecodable name may be any name of its folder outside ASCII, as on a disk that was mounted with
   another character set. It hides the keys below its folder that have a character outside ASCII
   after the folder's own name.
3. An unusable key of a bucket hides the key without its faults, and the folder of that key
   (`labelingest.storage.cloud.unusable_keys`).

Places become ranges in the order of keys, without overlaps: an index finds the range of a key,
however many ranges there are. This module refuses to know what is done about hidden keys.
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
"""Kinds of ranges: of a place by its name, and of an undecodable name."""
_BEHIND: Final = "\x01"
"""Character that ends the range of one key: among texts without NUL none lies in between."""
_AFTER_SLASH: Final = "0"
"""Character after the slash: it ends the range of all keys below a folder."""


def load_hidden(connection: Connection, places: Sequence[Problem]) -> None:
    """Make the temporary table of ranges of hidden keys, and fill it.

    Parameters
    ----------
    connection
        Connection in a transaction.
    places
        Problems of a listing that may hide files.
    """
    create_temporary(connection, hidden)
    bulk_insert(connection, hidden, _ranges(places))
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("ANALYZE hidden"))


def is_hidden(connection: Connection, key: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a key is hidden.

    Parameters
    ----------
    connection
        Connection whose temporary table `load_hidden` has filled.
    key
        Column of keys, or an expression of columns.
    """
    column = hidden.c
    outside = (column.ends.is_(None) | (key < column.ends)) & (
        _bytes_outside_ascii(connection, key) > column.outside_ascii
    )

    def by(kind: int) -> sa.ColumnElement[bool]:
        # Ranges of a kind do not overlap: the last that begins before a key is the only one.
        last = (
            sa.select(sa.case((outside, 1), else_=0))
            .where(column.kind == kind, column.begins <= key)
            .order_by(column.begins.desc())
            .limit(1)
        )
        return last.scalar_subquery() == 1

    return sa.or_(by(_NAMED), by(_FOREIGN))


def hider_of(key: str, places: Sequence[Problem]) -> Problem | None:
    """Return a place that hides a key; None where the key is not hidden.

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
    """Return the names that a place hides with all keys below; "" hides everything."""
    if place.code is ProblemCode.UNUSABLE_KEY:
        return names_hidden_by(place.source)
    return (place.source,)


def _folders_above(key: str) -> Iterator[str]:
    while key := _folder_of(key):
        yield key


def _folder_of(key: str) -> str:
    return key.rpartition("/")[0]


def _ranges(places: Iterable[Problem]) -> Iterator[tuple[Any, ...]]:
    """Yield the ranges of hidden keys, as rows of their table."""
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
    """Yield the keys that lie below none of the others.

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
    """Return how many more bytes than characters a key has: 0 for ASCII."""
    if connection.dialect.name == "postgresql":
        return sa.func.octet_length(key) - sa.func.char_length(key)
    return sa.func.length(sa.cast(key, sa.LargeBinary)) - sa.func.length(key)
