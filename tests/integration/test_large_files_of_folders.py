"""Large label files in a synced folder: the same label rows, written piece by piece."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from labelingest.converter.large import LargeFile
from labelingest.folders import State, Status
from labelingest.folders.state.database import StateFailedError
from labelingest.folders.state.label_rows import RowFile
from labelingest.folders.sync.apply import Applying
from labelingest.pipeline import worker as module
from labelingest.storage import LocalStorage
from tests.builders.synced import BOX, World, contents, on_sqlite

ROWS = f"{BOX}\n0 x\n" * 200


@pytest.fixture
def world(tmp_path: Path, state: State) -> World:
    made = World(tmp_path, state)
    for name, text in (("a", ROWS), ("b", BOX), ("c", ROWS)):
        made.image(f"{name}.jpg")
        made.write(f"{name}.txt", text)
    return made


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Make files of over 1,000 bytes large; returns the files that were put in pieces."""
    monkeypatch.setattr(module.Worker, "most_shared_bytes", 1000)
    put, found = LocalStorage.put, list[str]()

    def noted(self: LocalStorage, key: str, content: Any, **options: Any) -> str:
        if not isinstance(content, bytes):
            found.append(key)
        return put(self, key, content, **options)

    monkeypatch.setattr(LocalStorage, "put", noted)
    return found


@on_sqlite
def test_large_files_come_out_as_others(world: World, request: pytest.FixtureRequest) -> None:
    first = world.folder("first")
    first.sync()
    expected = contents(world.rows)
    found = request.getfixturevalue("pieces")
    second = world.folder("second", output=str(world.rows.with_name("others")))
    run = second.sync()
    assert contents(world.rows.with_name("others")) == expected
    assert sorted(found) == ["a.jpg.encord.json", "c.jpg.encord.json"]
    assert run.counters.label_rows_made == 3
    assert run.counters.bytes_written == sum(map(len, expected.values()))
    assert second.sync(verify_output=True).counters.label_rows_made == 0


@on_sqlite
def test_one_that_breaks_off_is_made_again(
    world: World, pieces: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = world.folder()
    written = LargeFile._pieces

    def breaking(self: LargeFile, *of: Any) -> Iterator[bytes]:
        yield from written(self, *of)
        if self.units.key[0] == "a.jpg":
            raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(LargeFile, "_pieces", breaking)
        folder.sync()
    assert sorted(contents(world.rows)) == ["b.jpg.encord.json", "c.jpg.encord.json"]
    folder.sync()
    assert "a.jpg.encord.json" in contents(world.rows)
    assert len(pieces) == 2


@on_sqlite
@pytest.mark.usefixtures("pieces")
def test_a_database_that_fails_meanwhile_is_no_failure_over_the_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, begin = world.folder(), Applying._begin

    def failing(self: Applying, files: Mapping[str, RowFile]) -> None:
        if "c.jpg" in files:
            raise OperationalError("UPDATE", {}, Exception("the disk is away"))
        begin(self, files)

    with monkeypatch.context() as patch:
        patch.setattr(Applying, "_begin", failing)
        with pytest.raises(StateFailedError, match="the disk is away"):
            folder.sync()
    assert list(folder.problems()) == []
    assert folder.sync().status is Status.DONE
    assert len(contents(world.rows)) == 3
