"""No command replaces a file that no run wrote, or an input of its own; and it says what helps."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from labelingest.pipeline.loop import run_jobs
from tests.builders.command_line import Run, command_line
from tests.builders.folders import make_folder, write_ontology
from tests.builders.states import new_sqlite

PATTERNS = ("--images", "images/{name}.jpg", "--labels", "labels/{name}.txt")
CONVERT = ("convert", "data", "--ontology", "ontology.json", *PATTERNS)
CHECK = ("check", *CONVERT[1:])
ROWS = "rows.jsonl"
COMMANDS = {
    "convert --out": (*CONVERT, "--out"),
    "convert --report": (*CONVERT, "--out", ROWS, "--report"),
    "convert --problems": (*CONVERT, "--out", ROWS, "--problems"),
    "convert --failed-csv": (*CONVERT, "--out", ROWS, "--failed-csv"),
    "check --report": (*CHECK, "--report"),
    "check --problems": (*CHECK, "--problems"),
    "check --failed-csv": (*CHECK, "--failed-csv"),
    "metadata check": ("metadata", "check", "data", "--problems"),
    "metadata schema import": ("metadata", "schema", "import", "OUT", "schema.json"),
    "metadata schema export": ("metadata", "schema", "export", "schema.json", "--out"),
    "ontology init": ("ontology", "init", "classes.txt", "--shape", "polygon", "--out"),
    "folder plan": ("folder", "plan", "drive", "--save"),
    "folder export": ("folder", "export", "drive", "--out"),
}
"""Command → its words; the output comes last, or where OUT is."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABELINGEST_STATE", new_sqlite(tmp_path / "state.sqlite"))
    files = {f"images/{name}.jpg": {"image": [64, 48]} for name in "ab"}
    labels = {f"labels/{name}.txt": "0 0.5 0.5 0.2 0.2\n" for name in "ab"}
    make_folder(tmp_path / "data", files | labels)
    write_ontology(tmp_path / "ontology.json", car=(0, "bounding_box"))
    (tmp_path / "classes.txt").write_text("car\n")
    (tmp_path / "schema.json").write_text("{}\n")
    (tmp_path / "notes.jsonl").write_text("notes\n")
    return command_line(capsys)


def make_synced_folder(run: Run, command: str) -> None:
    """Make what the commands of synced folders are about."""
    if command.startswith("folder"):
        words = ("--storage-path", "data", "--output", "synced", "--ontology", "ontology.json")
        assert run("folder", "create", "drive", *words, *PATTERNS).code == 0
        assert run("folder", "sync", "drive").code == 0


def words_of(command: str, path: str) -> list[str]:
    words = list(COMMANDS[command])
    if "OUT" in words:
        words[words.index("OUT")] = path
        return words
    return [*words, path]


def everything(place: Path) -> dict[str, str]:
    """Return the digest of each file; the state changes when it is opened."""
    return {
        str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in place.rglob("*")
        if path.is_file() and not path.name.startswith("state.sqlite") and path.name != "hard"
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_no_run_wrote_is_replaced_where_that_is_meant_only(
    run: Run, tmp_path: Path, command: str
) -> None:
    make_synced_folder(run, command)
    before = everything(tmp_path)
    refused = run(*words_of(command, "notes.jsonl"))
    assert refused.code == 2, refused.err
    assert "'notes.jsonl' is a file that no run wrote: " in refused.err
    assert "give --overwrite to replace it" in refused.err
    assert everything(tmp_path) == before
    ran = run(*words_of(command, "notes.jsonl"), "--overwrite")
    assert ran.code == 0, ran.err
    assert Path("notes.jsonl").read_text() != "notes\n"


EDITED = ("ontology init", "metadata schema import", "metadata schema export")
"""Their outputs are begun here and edited by people; they read no data."""


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {*EDITED}))
def test_its_own_earlier_output_is_replaced(run: Run, command: str) -> None:
    make_synced_folder(run, command)
    Path("data/labels/c.txt").write_text("x")
    codes = {run(*words_of(command, "new.jsonl")).code for _ in range(2)}
    assert codes <= {0, 1}


READING = sorted(COMMANDS.keys() - {*EDITED, "convert --out"})
DATA = ("data/images/a.jpg", "data/labels/a.txt")


@pytest.mark.parametrize(
    ("command", "path"),
    [
        *((command, path) for command in READING for path in DATA),
        ("folder export", "state.sqlite"),
        ("folder plan", "state.sqlite"),
        ("folder plan", "state.sqlite-wal"),
        ("folder export", "synced/images/a.jpg.encord.json"),
        ("convert --report", "ontology.json"),
        ("check --problems", "ontology.json"),
        ("metadata schema import", "schema.json"),
        ("metadata schema export", "schema.json"),
        ("ontology init", "classes.txt"),
    ],
)
def test_no_input_is_replaced_though_more_is_meant(
    run: Run, tmp_path: Path, command: str, path: str
) -> None:
    make_synced_folder(run, command)
    Path("link").symlink_to(path)
    if Path(path).exists():
        Path("hard").hardlink_to(path)
    before = everything(tmp_path)
    for name in (path, "link", "hard"):
        if name != "hard" or Path("hard").exists():
            refused = run(*words_of(command, name), "--overwrite")
            assert refused.code == 2, refused.err
            assert "choose another name" in refused.err or "its own path" in refused.err
    assert everything(tmp_path) == before
    assert Path("state.sqlite").read_bytes().startswith(b"SQLite format 3")


def test_what_stands_beside_a_private_output_is_private_too(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(*CONVERT, "--out", ROWS).code == 0
    Path(ROWS).chmod(0o600)
    modes: list[int] = []

    def look(*arguments: Any) -> None:
        modes.extend(path.stat().st_mode & 0o777 for path in Path().glob(".labelingest-tmp-*"))
        run_jobs(*arguments)

    monkeypatch.setattr("labelingest.pipeline.run.run_jobs", look)
    assert run(*CONVERT, "--out", ROWS).code == 0
    assert modes == [0o600, 0o600]
    assert Path(ROWS).stat().st_mode & 0o777 == 0o600


def test_an_output_does_not_lie_in_another(run: Run) -> None:
    assert run(*CONVERT, "--out", "tree").code == 0
    before = everything(Path.cwd())
    refused = run(*CONVERT, "--out", "tree", "--report", "tree/report.json")
    assert refused.code == 2
    assert "report 'tree/report.json' lies in out 'tree', which is replaced" in refused.err
    assert everything(Path.cwd()) == before


def test_a_configuration_is_not_replaced(run: Run) -> None:
    config = 'ontology = "ontology.json"\nstorage_path = "data"\n'
    Path("c.toml").write_text(config)
    Path("hard.toml").hardlink_to("c.toml")
    for name in ("c.toml", "hard.toml"):
        refused = run("check", "--config", "c.toml", "--report", name, "--overwrite")
        assert refused.code == 2
        assert "is the config of this command" in refused.err
    assert Path("c.toml").read_text() == config


def test_outputs_of_a_cloud_storage_path_are_guarded_too(run: Run) -> None:
    words = ("convert", "s3://bucket/x/", *CONVERT[2:])
    refused = run(*words, "--out", ROWS, "--report", "notes.jsonl")
    assert refused.code == 2
    assert "report 'notes.jsonl' is a file that no run wrote" in refused.err


def test_a_schema_is_changed_in_its_place(run: Run) -> None:
    assert run("metadata", "schema", "add", "schema.json", "site", "varchar").code == 0
    assert "site" in json.loads(Path("schema.json").read_text())
