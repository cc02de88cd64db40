"""The database that keeps the state of synced folders: open it, migrate it, read and write.

The default is SQLite, one file in the user's data directory. PostgreSQL serves where several
machines share the state. Both get the same statements. This module holds what only one of them
needs: the begin of transactions, loading in bulk, and the lock that lets one process migrate.
"""

import os
import re
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final, Self

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError

from labelingest.credentials import MASK, without_credentials
from labelingest.errors import ConfigError, LabelIngestError, StorageError
from labelingest.folders.state.tables import METADATA

__all__ = [
    "HEAD",
    "State",
    "StateFailedError",
    "bulk_insert",
    "bulk_update",
    "bulk_upsert",
    "create_temporary",
    "default_state",
    "upsert",
]

HEAD: Final = "0006"
"""The schema version that this release reads and writes."""
_KNOWN: Final = ("0001", "0002", "0003", "0004", "0005", HEAD)
_MISSING: Final = re.compile(
    r"no such column|no such table: (?:main\.)?(?P<table>\w+)|table \w+ has no column"
)
_NO_UTF8: Final = re.compile("Could not decode to UTF-8")
_NO_TEXT: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_WRITES: Final = "labelingest_writes"
_VALUES: Final = 999
"""Values of one INSERT of SQLite, at most: the limit of its oldest builds. Rows inserted together are
faster than one by one."""
_MIGRATION_LOCK: Final = 7_310_519_004
"""Number of the advisory lock of PostgreSQL under which one process migrates and the others wait."""
_SHOWN: Final = ("host", "port", "dbname", "sslmode", "connect_timeout", "application_name")
"""Parameters of a PostgreSQL URL that are no secrets: messages repeat these only."""
_TIMEOUT: Final = "timeout"
"""The only parameter that a SQLite URL may have, in seconds."""
_SECONDS: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_LARGEST_PORT: Final = 65_535
_EXAMPLES: Final = "give sqlite:////path/state.sqlite or postgresql://user@host/database"
_PATIENCE: Final = 60
"""Seconds to wait for another writer of a SQLite file: longer than any transaction of a run."""
_PAUSE: Final = 0.01
"""Seconds between two tries to switch a SQLite file to WAL."""


def default_state() -> str:
    """Return the URL of the state in the user's data directory."""
    home = Path.home()
    if sys.platform == "darwin":
        data = home / "Library/Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    return f"sqlite:///{data / 'labelingest/state.sqlite'}"


class StateFailedError(StorageError):
    """The database of a state failed or is busy; a later try may succeed.

    Examples
    --------
    >>> raise StateFailedError("the state 'postgresql://…' failed: server closed the connection")
    Traceback (most recent call last):
    labelingest.folders.state.database.StateFailedError: the state 'postgresql://…' failed: ...
    """


class State:
    """An open state.

    Raises
    ------
    ConfigError
        The URL names no usable database, or a newer release wrote the state.
    StorageError
        The database cannot be reached.

    Examples
    --------
    >>> import tempfile
    >>> with State(f"sqlite:///{tempfile.mkdtemp()}/state.sqlite") as state:
    ...     with state.read() as connection:
    ...         connection.scalar(sa.text("SELECT count(*) FROM folders"))
    0
    """

    def __init__(self, url: str) -> None:
        parsed = _parsed(url)
        self.url = _shown(parsed)
        """URL of the state, without passwords."""
        self._password = None if parsed.password is None else str(parsed.password)
        self.engine = _engine(parsed)
        try:
            with self._translating_damage():
                self._bring_up_to_date()
        except LabelIngestError:
            self.engine.dispose()
            raise
        except (DBAPIError, ArgumentError, ValueError) as error:
            self.engine.dispose()
            raise StorageError(
                f"the state {self.url!r} cannot be opened: {self._first_line(error)}; check that it "
                "is there and that you may use it"
            ) from error
        except BaseException:
            self.engine.dispose()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection in a transaction that reads."""
        with self._translating_errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a connection in a transaction that writes; committed when the block ends well."""
        with (
            self._translating_errors(),
            self.engine.connect().execution_options(**{_WRITES: True}) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def connection(self, *, snapshot: bool = False) -> Iterator[Connection]:
        """Open a connection for several transactions; temporary tables live as long as the connection.

        Parameters
        ----------
        snapshot
            Whether each transaction sees the state of one moment, also while other processes write.
            Such a transaction must write to temporary tables only. SQLite always works so.
        """
        with self._translating_errors(), self.engine.connect() as connection:
            if snapshot and connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            try:
                yield connection
            finally:
                # A pooled connection would keep its temporary tables.
                connection.invalidate()

    @staticmethod
    @contextmanager
    def writing(connection: Connection) -> Iterator[None]:
        """Begin a transaction that writes on an open connection; committed when the block ends well."""
        connection.execution_options(**{_WRITES: True})
        try:
            with connection.begin():
                yield
        finally:
            connection.execution_options(**{_WRITES: False})

    @contextmanager
    def _translating_errors(self) -> Iterator[None]:
        """Raise failures of the database as `StateFailedError`, with a sentence."""
        # Bulk loading passes SQLAlchemy by: the driver raises its own exceptions.
        driver: Any = self.engine.dialect.loaded_dbapi
        try:
            with self._translating_damage():
                yield
        except (OperationalError, driver.OperationalError) as error:
            raise StateFailedError(
                f"the state {self.url!r} failed: {self._first_line(error)}"
            ) from error

    @contextmanager
    def _translating_damage(self) -> Iterator[None]:
        """Raise errors of a damaged or foreign database as `StorageError`, with the cure."""
        driver: Any = self.engine.dialect.loaded_dbapi
        general = (DatabaseError, driver.DatabaseError)
        try:
            yield
        except general as error:
            # Subclasses say what is wrong more precisely, and have other causes.
            if type(error) not in general and not _is_damage(error):
                raise
            raise self.damaged(self._first_line(error)) from error

    def damaged(self, why: str) -> StorageError:
        """Return the exception for a state with unusable contents: the cause, and the cure."""
        return StorageError(
            f"the state {self.url!r} is damaged, or no database: {why}; put a backup in its place, "
            "or name another with --state"
        )

    def _first_line(self, error: Exception) -> str:
        line = str(getattr(error, "orig", error)).strip().partition("\n")[0]
        # Undecodable text may quote data of the user.
        line = line.partition(" with text ")[0]
        if self._password:
            line = line.replace(self._password, MASK)
        return without_credentials(line)

    def _bring_up_to_date(self) -> None:
        if self._version() == HEAD:
            return
        from labelingest.folders.state.migrate import migrate

        with self.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            migrate(connection)

    def _version(self) -> str | None:
        with self.engine.connect() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            version = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        if version is not None and version not in _KNOWN:
            raise ConfigError(
                f"the state {self.url!r} has schema version {version!r}, and this release knows "
                f"none after {HEAD!r}: a newer labelingest wrote it; install that one"
            )
        return None if version is None else str(version)


def _is_damage(error: Exception) -> bool:
    """Return whether a statement failed because other programs changed a table, column or text."""
    cause = getattr(error, "orig", error)
    # The SQLSTATEs of PostgreSQL: undefined table, undefined column.
    if getattr(cause, "sqlstate", None) in {"42P01", "42703"}:
        return True
    if not isinstance(cause, sqlite3.OperationalError):
        return False
    if _NO_UTF8.match(str(cause)):
        return True
    match = _MISSING.match(str(cause))
    return match is not None and (match["table"] is None or match["table"] in METADATA.tables)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        # Control characters and halves of surrogate pairs name no file and no host.
        is_text = not _NO_TEXT.search(f"{url}{parsed.database}{parsed.username}")
    except (ArgumentError, ValueError):
        is_text = False
    if not is_text:
        # Not repeated in the sentence: it may hold a password.
        raise ConfigError(f"the state is no URL of a database: {_EXAMPLES}") from None
    name = parsed.get_backend_name()
    if name == "postgresql":
        if parsed.port is not None and not 0 < parsed.port <= _LARGEST_PORT:
            raise ConfigError(
                f"the port of the state is no number from 1 to {_LARGEST_PORT}: {_EXAMPLES}"
            )
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite"}:
        name = parsed.drivername if name == "sqlite" else name
        raise ConfigError(
            f"the state cannot be kept in {name!r}: SQLite and PostgreSQL are supported; {_EXAMPLES}"
        )
    _check_sqlite(parsed)
    return parsed


def _check_sqlite(url: URL) -> None:
    """Refuse a SQLite URL with more than a file and a timeout."""
    if url.host or url.username or url.password or url.port:
        raise ConfigError(
            "the state is a file, and its URL names a host: give sqlite:////path/state.sqlite, with "
            "three slashes before the path"
        )
    if url.database in {None, "", ":memory:"}:
        raise ConfigError("the state needs a file: give sqlite:////path/state.sqlite")
    timeout = url.query.get(_TIMEOUT, "1")
    is_number = isinstance(timeout, str) and bool(_SECONDS.fullmatch(timeout))
    if set(url.query) - {_TIMEOUT} or not is_number:
        raise ConfigError(
            "the state is a file, and its URL ends with options: leave out '?' and what follows, or "
            "give timeout=SECONDS alone"
        )


def _shown(url: URL) -> str:
    """Return a URL without passwords, for messages and JSON."""
    hidden = [name for name in url.query if name not in _SHOWN and name != _TIMEOUT]
    redacted = url.difference_update_query(hidden)
    return without_credentials(redacted.render_as_string(hide_password=True))


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"the folder {str(path.parent)!r} of the state cannot be made: {error.strerror}"
            ) from error
        engine = sa.create_engine(url, connect_args={"timeout": _PATIENCE}, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return sa.create_engine(url, pool_pre_ping=True, hide_parameters=True)
    except ArgumentError:
        raise ConfigError(f"the state is no URL of a database: {_EXAMPLES}") from None
    except ModuleNotFoundError as error:
        raise ConfigError(
            "a state on PostgreSQL needs the extra: pip install 'labelingest[postgresql]'"
        ) from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver begins transactions by itself, late and never for reading: ours are explicit.
    connection.isolation_level = None
    _write_ahead(connection)
    for pragma in (
        "synchronous = FULL",
        "foreign_keys = ON",
        "cache_size = -32768",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to WAL; try again where another process does the same, as SQLite does not wait then."""
    deadline = monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            sleep(_PAUSE)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes then fails when another has written in between.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def bulk_insert(connection: Connection, table: sa.Table, rows: Iterable[Sequence[Any]]) -> None:
    """Insert many rows, in the order of the table's columns, past SQLAlchemy's own machinery.

    Parameters
    ----------
    connection
        Connection in a transaction.
    table
        Table that takes the rows.
    rows
        Tuples of values; an iterator keeps memory small.
    """
    driver: Any = connection.connection.driver_connection
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    if connection.dialect.name == "sqlite":
        _insert_sqlite(driver.execute, f"{table.name} ({columns})", len(table.columns), rows)
        return
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def bulk_upsert(
    connection: Connection, table: sa.Table, names: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert many rows, or replace some columns of those that exist, past SQLAlchemy's own machinery.

    Parameters
    ----------
    connection
        Connection in a transaction that writes.
    table
        Table that takes the rows.
    names
        Names of the columns of the rows, those of the primary key among them. Other columns stay.
    rows
        Tuples of values; no two have the same primary key.
    """
    keys = [column.name for column in table.primary_key]
    columns = ", ".join(f'"{name}"' for name in names)
    new = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in keys)
    conflict = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {new}"
    into = f"{table.name} ({columns})"
    if connection.dialect.name == "sqlite":
        _insert_sqlite(connection.exec_driver_sql, into, len(names), rows, conflict)
    elif rows:
        # One array for each column: a statement with a parameter for each value is parsed for longer.
        types = [_ARRAYS[type(table.c[name].type)] for name in names]
        values = ", ".join(f"%s::{type_name}[]" for type_name in types)
        statement = f"INSERT INTO {into} SELECT * FROM unnest({values}) {conflict}"
        connection.exec_driver_sql(statement, tuple(map(list, zip(*rows, strict=True))))


def bulk_update(
    connection: Connection, table: sa.Table, names: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Update many rows by their primary key, past SQLAlchemy's own machinery.

    Parameters
    ----------
    connection
        Connection in a transaction that writes.
    table
        Table with the rows.
    names
        Names of columns: those to update, then those of the primary key.
    rows
        Tuples of values; a row that does not exist is skipped.
    """
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    place = "?" if connection.dialect.name == "sqlite" else "%s"
    values = ", ".join(f'"{name}" = {place}' for name in names[: -len(keys)])
    row = " AND ".join(f'"{name}" = {place}' for name in names[-len(keys) :])
    connection.exec_driver_sql(f"UPDATE {table.name} SET {values} WHERE {row}", list(rows))


_ARRAYS: Final = {
    sa.Text: "text",
    sa.BigInteger: "bigint",
    sa.Integer: "integer",
    sa.SmallInteger: "smallint",
}
"""Type of a column → PostgreSQL's name for it."""


def _insert_sqlite(
    execute: Callable[[str, tuple[Any, ...]], object],
    into: str,
    columns: int,
    rows: Iterable[Sequence[Any]],
    conflict: str = "",
) -> None:
    """Insert rows, as many at once as SQLite takes values."""
    places = f"({', '.join('?' * columns)})"
    rows = iter(rows)
    while chunk := list(islice(rows, _VALUES // columns)):
        values = ", ".join([places] * len(chunk))
        execute(f"INSERT INTO {into} VALUES {values} {conflict}", (*chain.from_iterable(chunk),))


def create_temporary(connection: Connection, table: sa.Table) -> None:
    """Make an empty temporary table of a connection; an existing one is replaced."""
    if connection.dialect.name == "sqlite":
        query = "SELECT 1 FROM sqlite_temp_master WHERE name = :name"
    else:
        query = "SELECT 1 WHERE to_regclass('pg_temp.' || :name) IS NOT NULL"
    if connection.scalar(sa.text(query), {"name": table.name}) is not None:
        table.drop(connection, checkfirst=False)
    table.create(connection, checkfirst=False)


def upsert(connection: Connection, table: sa.Table) -> Any:
    """Return an INSERT of the connection's database that has `on_conflict_do_update`."""
    # Each dialect loads the modules of all its drivers.
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)
