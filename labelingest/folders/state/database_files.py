"""Files of a state on this machine: the database, and what SQLite keeps beside it."""

from typing import Final

from sqlalchemy.engine import Engine

__all__ = ["database_files"]

_BESIDE: Final = ("-wal", "-shm", "-journal")
"""Endings of files that SQLite keeps beside its database: it is damaged without them."""


def database_files(engine: Engine) -> dict[str, str]:
    """Return what messages call a file of a state → its path; nothing for a server.

    Examples
    --------
    >>> from sqlalchemy import create_engine
    >>> list(database_files(create_engine("sqlite:////data/state.sqlite")).values())[:2]
    ['/data/state.sqlite', '/data/state.sqlite-wal']
    """
    url = engine.url
    if url.get_backend_name() != "sqlite" or not url.database:
        return {}
    beside = {f"file {ending} of the state": url.database + ending for ending in _BESIDE}
    return {"state": url.database, **beside}
