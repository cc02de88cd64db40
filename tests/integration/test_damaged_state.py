"""A state that anybody has written to: each damage is a sentence with a cure, and exit code 3."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from labelingest.folders import FolderSettings, State, SyncedFolder
from labelingest.folders.state.integrations import set_integration
from labelingest.storage import Connection
from tests.builders.command_line import command_line

DAMAGES: dict[str, str] = {
    "settings that are no JSON": "UPDATE folders SET settings = '{'",
    "settings that are a list": "UPDATE folders SET settings = '[]'",
    "settings that are bytes": "UPDATE folders SET settings = x'ff'",
    "settings that are no UTF-8": "UPDATE folders SET settings = CAST(x'ff7b7d' AS TEXT)",
    "settings of another type": 'UPDATE folders SET settings = \'{"storage_path": 7, "output": ""}\'',
    "settings that are missing": 'UPDATE folders SET settings = \'{"output": "/rows"}\'',
    "a setting that is not known": """UPDATE folders SET settings =
        '{"storage_path": "/data", "output": "/rows", "colour": 1}'""",
    "a password in the settings": """UPDATE folders SET settings =
        '{"storage_path": "https://u:PASSWORD@host/b", "output": "/rows"}'""",
    "splits of another type": "UPDATE folders SET splits = '7'",
    "a due time that is none": "UPDATE folders SET due_at = 'soon'",
    "a due time that is bytes": "UPDATE folders SET due_at = x'00'",
    "a generation that is a text": "UPDATE folders SET generation = 'x'",
    "no table of folders": "DROP TABLE folders",
    "no table of items": "DROP TABLE items",
    "no table of runs": "DROP TABLE runs",
    "no table of locks": "DROP TABLE locks",
}
OF_RUNS: dict[str, str] = {
    "a status that is none": "UPDATE runs SET status = 'odd'",
    "counters that are a list": "UPDATE runs SET counters = '[1]'",
    "a counter that is not known": "UPDATE runs SET counters = '{\"x\": 1}'",
    "a counter that is a text": 'UPDATE runs SET counters = \'{"errors": "x"}\'',
    "a begin that is no time": "UPDATE runs SET started_at = 'x'",
    "an end that is no time": "UPDATE runs SET ended_at = 'x'",
}
OF_INTEGRATIONS: dict[str, str] = {
    "options that are no JSON": "UPDATE integrations SET connection = '{'",
    "an option of another type": 'UPDATE integrations SET connection = \'{"retries": "x"}\'',
    "an option that is not known": 'UPDATE integrations SET connection = \'{"secret": "x"}\'',
    "a password in an endpoint": """UPDATE integrations SET connection =
        '{"endpoint": "https://u:PASSWORD@host"}'""",
    "a timeout without end": "UPDATE integrations SET connection = '{\"timeout\": 1e300}'",
}
FILES: dict[str, Callable[[bytes], bytes]] = {
    "cut in the middle": lambda content: content[: len(content) // 2],
    "cut in its first page": lambda content: content[:1_000],
    "overwritten": lambda content: b"hello" * 1_000,
    "zeros from the third page on": lambda content: content[:8_192].ljust(len(content), b"\0"),
    "one bit in each kilobyte": lambda content: bytes(
        byte ^ (row % 1_024 == 17) for row, byte in enumerate(content)
    ),
}


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    root = tmp_path_factory.mktemp("intact")
    (root / "data").mkdir()
    (root / "data/a.jpg").write_bytes(b"x")
    url = f"sqlite:///{root}/state.sqlite"
    settings = FolderSettings(str(root / "data"), str(root / "rows"), auto_sync_hours=24)
    with SyncedFolder.create("drive", settings, state=url) as folder:
        folder.sync()
    with State(url) as state:
        set_integration(state, "minio", Connection(endpoint="https://minio.example.com"))
    with sqlite3.connect(root / "state.sqlite") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return (root / "state.sqlite").read_bytes()


@pytest.fixture
def state(tmp_path: Path, intact: bytes) -> Path:
    path = tmp_path / "state.sqlite"
    path.write_bytes(intact)
    return path


def damage(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(statement)
    connection.close()


def is_said(path: Path, capsys: pytest.CaptureFixture[str], *command: str) -> None:
    ran = command_line(capsys)(*command, "--state", f"sqlite:///{path}")
    assert ran.code == 3, ran
    assert "damaged" in ran.err
    assert "put a backup" in ran.err
    assert "trace" not in ran.err
    assert "PASSWORD" not in ran.err


@pytest.mark.parametrize("statement", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_folder_is_said(
    state: Path, statement: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(state, statement)
    is_said(state, capsys, "folder", "show", "drive")


@pytest.mark.parametrize("statement", OF_RUNS.values(), ids=OF_RUNS)
def test_a_damaged_run_is_said(
    state: Path, statement: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(state, statement)
    is_said(state, capsys, "folder", "activity", "drive")


@pytest.mark.parametrize("values", ["'soon', '{0}'", "'{0}', 'soon'", "'{0}', x'00'"])
def test_a_damaged_lock_is_said_by_who_would_take_it_over(
    state: Path, values: str, capsys: pytest.CaptureFixture[str]
) -> None:
    times = values.format("2026-03-01T23:59:59.500Z")
    damage(
        state,
        "INSERT INTO locks (folder_id, run_id, host, space, pid, born, since, heartbeat) "
        f"VALUES (1, 1, 'elsewhere', '', 7, '', {times})",
    )
    is_said(state, capsys, "folder", "sync", "drive")


@pytest.mark.parametrize("statement", OF_INTEGRATIONS.values(), ids=OF_INTEGRATIONS)
def test_a_damaged_integration_is_said(
    state: Path, statement: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(state, statement)
    is_said(state, capsys, "integration", "list")


@pytest.mark.parametrize("change", FILES.values(), ids=FILES)
def test_a_damaged_file_is_said(
    state: Path, change: Callable[[bytes], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    state.write_bytes(change(state.read_bytes()))
    is_said(state, capsys, "folder", "show", "drive")


def test_a_missing_column_is_said(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(state, "ALTER TABLE items RENAME COLUMN size TO other")
    is_said(state, capsys, "folder", "items", "drive")


def test_a_folder_in_the_place_of_a_state_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = command_line(capsys)("folder", "list", "--state", f"sqlite:///{tmp_path}")
    assert ran.code == 3
    assert "cannot be opened" in ran.err


PLAN = (
    '{"labelingest folder plan 1": true, "folder": "drive", "made_at": "", "keys": 1, '
    '"digest": "0", "generation": 1%s}\n'
)


@pytest.mark.parametrize(
    "line",
    [
        PLAN % ', "changes": 7',
        PLAN % ', "changes": {"new file": "x"}',
        PLAN % ', "changes": {"new file": 99999999999999999999}',
        PLAN % ', "colour": 1',
        PLAN % ', "allow_mass_delete": "yes"',
        PLAN % (', "withheld": ' + "[" * 5_000),
        PLAN.replace('"keys": 1', '"keys": 1e999') % "",
        PLAN.replace('"folder": "drive"', '"folder": null') % "",
        PLAN.replace('"generation": 1%s', '"generation": true'),
        PLAN.replace('"keys": 1, ', "") % "",
        "[]\n",
        "7\n",
        "",
        "\udcff",
    ],
)
def test_a_plan_with_odd_fields_is_refused(
    state: Path, tmp_path: Path, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plan.jsonl"
    path.write_bytes(line.encode("utf-8", "surrogateescape"))
    ran = command_line(capsys)("folder", "apply", str(path), "--state", f"sqlite:///{state}")
    assert ran.code == 2
    assert "is no plan" in ran.err
    assert "labelingest folder plan NAME --save FILE" in ran.err
