"""States of folders, empty and ready: the migrations run once, not for every test."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from labelingest.folders import State
from labelingest.folders.state.tables import METADATA

__all__ = ["drop_tables", "emptied", "new_sqlite"]


def new_sqlite(path: Path) -> str:
    """Make a state in a file of SQLite; return its URL."""
    path.write_bytes(_made())
    return f"sqlite:///{path}"


@cache
def _made() -> bytes:
    with TemporaryDirectory() as place:
        State(f"sqlite:///{place}/state.sqlite").close()
        return Path(place, "state.sqlite").read_bytes()


def emptied(url: str) -> str:
    """Remove every row of a state on PostgreSQL, and make it if need be; return its URL."""
    tables = ", ".join(METADATA.tables)
    with State(url) as state, state.write() as connection:
        connection.execute(sa.text(f"TRUNCATE {tables} RESTART IDENTITY"))
    return url


def drop_tables(url: str) -> str:
    """Make a database of PostgreSQL a new one; return its URL."""
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()
    return url
