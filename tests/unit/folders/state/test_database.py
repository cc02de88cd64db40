"""The database: made, migrated, refused."""

import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError

import labelingest.folders.state.database as database
from labelingest.errors import ConfigError, StorageError
from labelingest.folders import FolderSettings
from labelingest.folders.state.database import (
    HEAD,
    State,
    StateFailedError,
    bulk_insert,
    bulk_update,
    bulk_upsert,
    default_state,
)
from labelingest.folders.state.folders import list_folders
from labelingest.folders.state.integrations import set_integration
from labelingest.folders.state.tables import (
    METADATA,
    folders,
    items,
    label_rows,
    output_rows,
    scanned_files,
)
from labelingest.storage.cloud.connections import Connection
from tests.builders.states import new_sqlite


def test_the_migrations_make_the_tables_that_the_program_uses(database_url: str) -> None:
    with State(database_url) as state, state.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def alembic_config() -> Config:
    config = Config()
    place = Path(database.__file__).parent / "migrations"
    config.set_main_option("script_location", str(place))
    return config


def write_earlier_state(database_url: str, revision: str, statements: Sequence[str]) -> None:
    """Write a state as an earlier version left it."""
    url = sa.make_url(database_url)
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url)
    config = alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def test_the_head_is_that_of_the_migrations() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == HEAD


def test_a_state_of_the_first_version_is_brought_up_to_date_with_what_is_in_it(
    database_url: str,
) -> None:
    write_earlier_state(database_url, "0001", [OF_THE_FIRST_VERSION])
    with State(database_url) as state:
        [folder] = list_folders(state)
        set_integration(state, "minio", Connection(region="eu-west-1"))
    assert (folder.name, folder.generation, folder.splits) == ("old", 3, [])
    assert folder.settings == FolderSettings("/data", "/rows")


def test_a_state_of_the_second_version_keeps_its_label_rows_and_gets_identities(
    database_url: str,
) -> None:
    write_earlier_state(database_url, "0002", OF_THE_SECOND_VERSION)
    with State(database_url) as state:
        first, second = list_folders(state)
        with state.read() as connection:
            rows = connection.execute(sa.select(label_rows)).mappings().all()
            [item] = connection.execute(sa.select(items)).mappings().all()
            assert connection.scalar(sa.select(sa.func.count()).select_from(output_rows)) == 0
            assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    assert UUID(first.identity).version == UUID(second.identity).version == 4
    assert first.identity != second.identity
    assert first.marker_token is None
    assert [(row["key"], row["status"], row["sidecar_token"]) for row in rows] == [
        ("a.jpg", "made", "3:5"),
        ("ü.jpg", "pending", None),
    ]
    assert {row["sidecar_digest"] for row in rows} == {None}
    assert (item["key"], item["metadata"], item["metadata_digest"]) == ("a.jpg", '{"a": 1}', None)


OF_THE_FIRST_VERSION = (
    "INSERT INTO folders (name, settings, created_at, generation) VALUES "
    """('old', '{"storage_path": "/data", "output": "/rows"}', '2026-01-01', 3)"""
)
OF_THE_SECOND_VERSION = (
    *(
        "INSERT INTO folders (name, settings, created_at, generation) VALUES "
        f"""('{name}', '{{"storage_path": "/data", "output": "/rows"}}', '2026-01-01', 3)"""
        for name in ("first", "second")
    ),
    "INSERT INTO items (folder_id, key, kind, size, mtime_ns, token, metadata, metadata_token, "
    "added_at, updated_at) VALUES (1, 'a.jpg', 0, 9, 9, '9:9', '{\"a\": 1}', '8:8', 'then', 'then')",
    "INSERT INTO label_rows (folder_id, key, status, sidecar, sidecar_token, fingerprint, made_at) "
    "VALUES (1, 'a.jpg', 'made', 'a.txt', '3:5', 'print', 'then')",
    "INSERT INTO label_rows (folder_id, key, status, sidecar) "
    "VALUES (1, 'ü.jpg', 'pending', 'ü.txt')",
)


def test_a_state_of_a_newer_release_is_refused(database_url: str) -> None:
    with State(database_url) as state, state.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="a newer labelingest wrote it"):
        State(database_url)


def test_a_state_that_was_made_is_opened_without_a_migration(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    State(database_url).close()
    monkeypatch.setitem(sys.modules, "labelingest.folders.state.migrate", None)
    State(database_url).close()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("state.sqlite", "is no URL of a database"),
        ("mysql://user:secret@host/db", "cannot be kept in 'mysql'"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_what_is_no_state_is_refused_without_its_password(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as refused:
        State(url)
    assert "secret" not in str(refused.value)


def test_a_database_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(StorageError, match="cannot be opened") as failed:
        State("postgresql://user:secret@/nothing?host=/nowhere")
    assert "secret" not in str(failed.value)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be made"):
        State(f"sqlite:///{tmp_path}/file/state.sqlite")


def test_the_default_is_a_file_in_the_users_data_directory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "/home/a/data")
    assert default_state() == "sqlite:////home/a/data/labelingest/state.sqlite"


def test_an_sqlite_state_survives_a_power_failure(tmp_path: Path) -> None:
    with State(f"sqlite:///{tmp_path}/state.sqlite") as state, state.read() as connection:
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(sa.text("PRAGMA synchronous")) == 2  # FULL


def test_what_fails_below_sqlalchemy_is_said_as_well(tmp_path: Path) -> None:
    with (
        State(new_sqlite(tmp_path / "state.sqlite")) as state,
        pytest.raises(StateFailedError, match="failed: no such table: scanned_files"),
        state.write() as connection,
    ):
        bulk_insert(connection, scanned_files, [("a.jpg",) + (None,) * 11])


def test_keys_are_loaded_as_they_are_and_sort_by_their_bytes(database_url: str) -> None:
    keys = ["ü", "a\tb", "a\nb", "B", "a\\N", "\\.", "a", "𝄞", "\uffff"]
    rows = [(key, 0, 1, 2, "t", None, None, None, None, None, None, None) for key in keys]
    with State(database_url) as state, state.connection() as connection, connection.begin():
        scanned_files.create(connection)
        bulk_insert(connection, scanned_files, iter(rows))
        loaded = connection.scalars(
            sa.select(scanned_files.c.key).order_by(scanned_files.c.key)
        ).all()
    assert loaded == sorted(keys, key=str.encode)


def test_however_many_rows_are_loaded_each_is_there_once(state_url: str) -> None:
    rows = [(f"{n:04}", 0, n, 2, "t", *[None] * 7) for n in range(1_003)]
    with State(state_url) as state, state.connection() as connection, connection.begin():
        scanned_files.create(connection)
        bulk_insert(connection, scanned_files, iter(rows))
        loaded = connection.execute(sa.select(scanned_files).order_by(scanned_files.c.key)).all()
    assert loaded == rows


def test_rows_are_replaced_by_their_key_and_other_columns_stay(state_url: str) -> None:
    names = ("folder_id", "key", "size", "digest")
    keys = ["ü", "a\\N", "\\.", *(f"{n:04}" for n in range(1_003))]
    with State(state_url) as state, state.write() as connection:
        connection.execute(
            folders.insert().values(id=1, name="a", settings="{}", created_at="", generation=0)
        )
        bulk_upsert(connection, output_rows, names, [])
        bulk_upsert(connection, output_rows, names, [(1, key, None, None) for key in keys])
        bulk_update(connection, output_rows, ("token", "folder_id", "key"), [])
        tokens = [("t", 1, key) for key in [*keys, "absent"]]
        bulk_update(connection, output_rows, ("token", "folder_id", "key"), tokens)
        bulk_upsert(connection, output_rows, names, [(1, key, 2**40, "d") for key in keys])
        rows = connection.execute(sa.select(output_rows).order_by(output_rows.c.key)).all()
    assert [tuple(row) for row in rows] == [
        (1, key, 2**40, "d", "t", None, None, None, None) for key in sorted(keys, key=str.encode)
    ]


@pytest.mark.parametrize("parameter", ["password", "sslpassword"])
def test_a_password_among_the_parameters_is_not_shown_either(parameter: str) -> None:
    with pytest.raises(StorageError, match="cannot be opened") as failed:
        State(f"postgresql://user@/nothing?host=/nowhere&{parameter}=secret")
    assert "secret" not in str(failed.value)
    assert "host=" in str(failed.value)


def test_values_are_kept_out_of_errors(state_url: str) -> None:
    row = {"name": "private", "settings": "{}", "created_at": "2026-01-01", "generation": 0}
    with (
        State(state_url) as state,
        pytest.raises(IntegrityError) as failed,
        state.write() as connection,
    ):
        connection.execute(folders.insert(), [{**row, "id": 1}, {**row, "id": 1, "name": "b"}])
    assert "private" not in str(failed.value)


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_text("garbage\n" * 100)
    with pytest.raises(StorageError, match="is damaged, or no database: file is not a database"):
        State(f"sqlite:///{tmp_path}/state.sqlite")


def test_a_database_that_is_damaged_is_said_wherever_it_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    url = new_sqlite(path)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(StorageError, match="is damaged, or no database"):
        State(url)
    path.write_bytes(content)
    with State(url) as state:
        path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
        with pytest.raises(StorageError, match="is damaged, or no database"):
            list_folders(state)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://u:PASSWORD@h:abc/db", "no URL of a database"),
        ("postgresql://u:PASSWORD@h:99999/db", "no number from 1 to 65535"),
        ("postgresql://u:PASSWORD@[::1:5/db", "no URL of a database"),
        ("postgresql://u:PASSWORD@h/db?port=abc", "no URL of a database"),
        ("postgresql://u:PASSWORD@h/d\nb", "no URL of a database"),
        ("mysql://u:PASSWORD@h/db", "SQLite and PostgreSQL are supported"),
        ("postgres://u:PASSWORD@h/db", "give sqlite:////path/state.sqlite or postgresql://"),
        ("sqlite+pysqlcipher://:PASSWORD@/x", "cannot be kept in 'sqlite+pysqlcipher'"),
        ("sqlite://host/tmp/x", "names a host"),
        ("sqlite:////x?timeout=abc", "ends with options"),
        ("sqlite:////x?timeout=1&timeout=2", "ends with options"),
        ("sqlite:////x?uri=true&mode=ro", "ends with options"),
        ("sqlite:////x%00y", "no URL of a database"),
        ("sqlite:////x\0y", "no URL of a database"),
        ("sqlite:////x\udc80", "no URL of a database"),
        ("", "no URL of a database"),
    ],
)
def test_a_url_that_means_no_state_is_refused_without_its_password(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        State(url)
    assert sentence in str(refused.value)
    assert "PASSWORD" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:PASSWORD@127.0.0.1:1/db?options=-cx%3DPASSWORD&passfile=PASSWORD",
        "postgresql://u:PASSWORD@127.0.0.1:1/db?nonsense=PASSWORD",
        f"postgresql://u:PASSWORD@{'h' * 300}/db",
        "postgresql://u:PASSWORD@../db",
    ],
)
def test_a_state_that_cannot_be_reached_is_said_without_its_password(url: str) -> None:
    with pytest.raises(StorageError) as failed:
        State(url)
    assert "PASSWORD" not in str(failed.value)
    assert "cannot be opened" in str(failed.value)
