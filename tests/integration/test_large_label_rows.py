"""Large label rows of a synced folder: exported and verified part by part, a few at once."""

from pathlib import Path
from typing import Any

import pytest

from labelingest.errors import StorageError
from labelingest.folders import State, SyncedFolder, export
from labelingest.folders import output_files as output
from labelingest.folders.sync import missing_outputs as verify
from labelingest.storage import LocalStorage
from tests.builders.synced import BOX, World, contents, on_sqlite

pytestmark = on_sqlite
LARGE = 4_000
NAMES = {"a": BOX, "b": f"{BOX}\n" * 50, "c": BOX, "d": f"{BOX}\n" * 60}


@pytest.fixture
def world(tmp_path: Path, state: State) -> World:
    return World(tmp_path, state)


@pytest.fixture
def folder(world: World, monkeypatch: pytest.MonkeyPatch) -> SyncedFolder:
    """A folder of two small label rows and two large ones; what is read at once is small."""
    for name, text in NAMES.items():
        world.labelled(name, text)
    made = world.folder()
    made.sync()
    sizes = {key: len(content) > LARGE for key, content in contents(world.rows).items()}
    assert list(sizes.values()) == [False, True, False, True]
    for module in (output, export, verify):
        monkeypatch.setattr(module, "LARGE_ROW", LARGE)
    return made


@pytest.fixture
def rows(world: World) -> Path:
    return world.rows


def exported(folder: SyncedFolder, path: Path) -> bytes:
    folder.export(str(path), overwrite=True)
    return path.read_bytes()


def test_they_are_exported_as_others_and_never_read_whole(
    folder: SyncedFolder, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch, fetched = LocalStorage.fetch, list[Any]()

    def noted(self: LocalStorage, keys: Any, **options: Any) -> Any:
        fetched.append([key for key in keys if key.endswith(".encord.json")])
        return fetch(self, keys, **options)

    monkeypatch.setattr(LocalStorage, "fetch", noted)
    expected = b"".join(content + b"\n" for content in contents(rows).values())
    assert exported(folder, tmp_path / "rows.jsonl") == expected
    assert folder.sync(verify_output=True).counters.changes == {}
    large = {"b.jpg.encord.json", "d.jpg.encord.json"}
    assert not large.intersection(key for keys in fetched for key in keys)


def test_few_are_in_memory_together(
    folder: SyncedFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = exported(folder, tmp_path / "one.jsonl")
    for module in (export, verify):
        monkeypatch.setattr(module, "_BYTES", 1)
    fetch = LocalStorage.fetch

    def one(self: LocalStorage, keys: Any, **options: Any) -> Any:
        assert len(keys) < 2
        return fetch(self, keys, **options)

    monkeypatch.setattr(LocalStorage, "fetch", one)
    assert exported(folder, tmp_path / "two.jsonl") == expected
    assert folder.sync(verify_output=True).counters.changes == {}


DAMAGES = {
    "label row was altered in the output": lambda content: content.replace(b"0.5", b"0.6"),
    "label row is cut short in the output": lambda content: content[:-100],
}


@pytest.mark.parametrize("reason", DAMAGES)
def test_what_was_changed_is_left_out_and_made_again(
    folder: SyncedFolder, rows: Path, tmp_path: Path, reason: str
) -> None:
    before, path = contents(rows), rows / "b.jpg.encord.json"
    path.write_bytes(DAMAGES[reason](path.read_bytes()))
    with pytest.raises(StorageError, match=r"has 3 label rows, and 1 are missing .*b\.jpg"):
        exported(folder, tmp_path / "rows.jsonl")
    assert folder.sync(verify_output=True).counters.changes == {reason: 1}
    assert contents(rows) == before


def test_one_that_is_gone_is_left_out(folder: SyncedFolder, rows: Path, tmp_path: Path) -> None:
    (rows / "d.jpg.encord.json").unlink()
    with pytest.raises(StorageError, match=r"has 3 label rows, and 1 are missing .*d\.jpg"):
        exported(folder, tmp_path / "rows.jsonl")


def test_one_that_changes_while_it_is_read_ends_the_export(
    folder: SyncedFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads, begins = LocalStorage.fetch_heads, list[str]()

    def other(self: LocalStorage, keys: Any, length: int, *, start: int = 0) -> Any:
        begins.extend(keys if not start else ())
        found = heads(self, keys, length, start=start)
        return found if len(begins) < 2 else [b"x" * len(part) for part in found]

    monkeypatch.setattr(LocalStorage, "fetch_heads", other)
    with pytest.raises(StorageError, match="has changed while it was exported"):
        exported(folder, tmp_path / "rows.jsonl")
    assert not (tmp_path / "rows.jsonl").exists()
