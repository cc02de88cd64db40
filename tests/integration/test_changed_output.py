"""Label rows that somebody changed in the output: found, named, never exported, made anew when that is asked for."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from labelingest.columns.fingerprints import content_digest
from labelingest.errors import StorageError
from labelingest.folders import FolderSettings, State, SyncedFolder
from labelingest.folders.state.integrations import set_integration
from labelingest.folders.state.tables import label_rows, output_rows
from labelingest.storage import LocalStorage, Storage
from tests.builders.cloud_servers import CloudServer
from tests.builders.faulty_proxy import faulty_proxy
from tests.builders.synced import (
    BOX,
    ONTOLOGY,
    OTHER_BOX,
    YOLO,
    World,
    boxes,
    contents,
    on_sqlite,
)

NAMES = ("a", "b", "inner/ü")


@pytest.fixture
def world(tmp_path: Path, state_url: str) -> Iterator[World]:
    with State(state_url) as state:
        world = World(tmp_path, state)
        for name in NAMES:
            world.labelled(name)
        yield world


def row(world: World, name: str = "a") -> Path:
    return world.rows / f"{name}.jpg.encord.json"


def changed(path: Path, content: bytes) -> None:
    """Change a file as somebody would who leaves no other trace."""
    before = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CUT = "label row is cut short in the output"
ALTERED = "label row was altered in the output"
DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "emptied": (lambda text: b"", CUT),
    "cut in the middle": (lambda text: text[: len(text) // 2], CUT),
    "zeros": (lambda text: bytes(len(text)), CUT),
    "one digit": (lambda text: text.replace(b"0.5", b"0.6", 1), ALTERED),
    "something else": (lambda text: b"{}", ALTERED),
    "longer": (lambda text: text + b"\n", ALTERED),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_changed_label_row_is_named_not_exported_and_made_anew(
    world: World, folder: SyncedFolder, tmp_path: Path, damage: str
) -> None:
    change, reason = DAMAGES[damage]
    rows = contents(world.rows)
    changed(row(world), change(rows["a.jpg.encord.json"]))
    with pytest.raises(StorageError, match="has 2 label rows, and 1 are missing") as refused:
        folder.export(str(tmp_path / "rows.jsonl"))
    assert f"'a.jpg.encord.json': {reason.removeprefix('label row ')}" in str(refused.value)
    exported = (tmp_path / "rows.jsonl").read_bytes().splitlines()
    assert exported == [rows[f"{name}.jpg.encord.json"] for name in NAMES[1:]]
    assert folder.plan().changes == {}
    assert folder.plan(verify_output=True).changes == {reason: 1}
    assert folder.sync(verify_output=True).counters.changes == {reason: 1}
    assert contents(world.rows) == rows
    assert folder.export(str(tmp_path / "rows.jsonl")) == 3
    assert folder.plan(verify_output=True).changes == {}


def test_an_older_label_row_that_was_put_back_is_called_so(
    world: World, folder: SyncedFolder, tmp_path: Path
) -> None:
    old = row(world).read_bytes()
    world.write("a.txt", OTHER_BOX)
    folder.sync()
    new = row(world).read_bytes()
    changed(row(world), old)
    stale = {"label row in the output is an older one": 1}
    with pytest.raises(StorageError, match="in the output is an older one"):
        folder.export(str(tmp_path / "rows.jsonl"))
    assert folder.sync(verify_output=True).counters.changes == stale
    assert row(world).read_bytes() == new


def test_a_label_row_that_was_only_copied_is_as_it_was(world: World, folder: SyncedFolder) -> None:
    for name in NAMES:
        os.utime(row(world, name), (1, 1))
    assert folder.plan(verify_output=True).changes == {}
    folder.sync(verify_output=True)
    # The other time is known now: what is written next is looked at no more.
    world.requests()
    world.write("a.txt", OTHER_BOX)
    folder.sync()
    assert "look" not in world.requests()


def test_size_and_digest_of_each_label_row_are_in_the_state(
    world: World, folder: SyncedFolder
) -> None:
    world.write("a.txt", OTHER_BOX)
    before = content_digest(row(world).read_bytes())
    folder.sync()
    with world.state.read() as connection:
        known = {found.key: found for found in connection.execute(sa.select(output_rows))}
    for name in NAMES:
        content, found = row(world, name).read_bytes(), known[f"{name}.jpg"]
        assert (found.size, found.digest) == (len(content), content_digest(content))
        assert found.token == f"{len(content)}:{row(world, name).stat().st_mtime_ns}"
        assert (found.next_size, found.next_digest) == (None, None)
    assert [known[f"{name}.jpg"].old_digest for name in NAMES] == [before, None, None]


@on_sqlite
def test_names_are_on_the_disk_before_the_state_says_that_label_rows_are_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = world.folder()
    flushed: list[tuple[Path, list[str]]] = []
    real = os.fsync

    def note(file: int) -> None:
        path = Path(f"/proc/self/fd/{file}").readlink()
        if path.is_dir():
            with world.state.read() as connection:
                flushed.append((path, list(connection.scalars(sa.select(label_rows.c.status)))))
        real(file)

    monkeypatch.setattr(os, "fsync", note)
    folder.sync()
    assert {path for path, _ in flushed} == {world.rows, world.rows / "inner"}
    assert all(set(statuses) == {"pending"} for _, statuses in flushed)
    flushed.clear()
    world.remove("inner/ü.txt")
    folder.sync(allow_mass_delete=True)
    assert {path for path, _ in flushed} == {world.rows, world.rows / "inner"}
    assert all(len(statuses) == 3 for _, statuses in flushed)


# --- in the cloud ---


@pytest.mark.parametrize("scheme", ["s3", "az"])
def test_in_the_cloud_size_and_etag_tell_and_nothing_is_read(
    request: pytest.FixtureRequest, tmp_path: Path, scheme: str
) -> None:
    server: CloudServer = request.getfixturevalue(scheme)
    files = {f"{name}.jpg": b"" for name in "abcde"} | {f"{n}.txt": BOX.encode() for n in "abcde"}
    data, rows = server.storage(files), server.storage({})
    with (
        State(f"sqlite:///{tmp_path}/state.sqlite") as state,
        faulty_proxy(server.address) as proxy,
    ):
        folder = in_cloud(state, server, data, rows, proxy.url.partition("://")[2])
        folder.sync()
        old, expected = rows.fetch(["a.jpg.encord.json"]).get(0), None
        data.put("a.txt", OTHER_BOX.encode())
        folder.sync()
        expected = rows.fetch([f"{name}.jpg.encord.json" for name in "abcde"])
        rows.put("a.jpg.encord.json", old)
        rows.put("b.jpg.encord.json", b"")
        rows.put("c.jpg.encord.json", b"{}")
        rows.delete(["d.jpg.encord.json"])
        proxy.requests.clear()
        plan = folder.plan(verify_output=True)
        assert all(asked.lists for asked in proxy.requests)
        stale = {"label row in the output is an older one": 1} if scheme == "s3" else {}
        assert plan.changes == {
            "label row is missing from the output": 1,
            CUT: 1,
            **stale,
            ALTERED: 2 - len(stale),  # Azure never gives a tag again
        }
        folder.sync(verify_output=True)
        found = rows.fetch([f"{name}.jpg.encord.json" for name in "abcde"])
        assert [found.get(n) for n in range(5)] == [expected.get(n) for n in range(5)]
        assert folder.plan(verify_output=True).changes == {}


def in_cloud(
    state: State, server: CloudServer, data: Storage, rows: Storage, address: str
) -> SyncedFolder:
    set_integration(state, server.scheme, server.connection(address, retries=3))
    settings = FolderSettings(
        data.url,
        rows.url,
        format="yolo",
        ontology=ONTOLOGY,
        options=YOLO,
        integration=server.scheme,
    )
    return SyncedFolder.create("cloud", settings, state=state)


# --- killed between a file and the state ---


class Dies(LocalStorage):
    """An output whose writer dies when its files have their names, before the state knows."""

    def flush(self, keys: Sequence[str]) -> None:
        raise KeyboardInterrupt


def die(world: World, folder: SyncedFolder) -> None:
    world.storages[str(world.rows)].inner = Dies(str(world.rows))
    with pytest.raises(KeyboardInterrupt):
        folder.sync()
    world.storages[str(world.rows)].inner = LocalStorage(str(world.rows))


@on_sqlite
def test_what_killed_runs_wrote_is_the_folders_own_whatever_comes_then(world: World) -> None:
    folder = world.folder()
    die(world, folder)
    assert len(contents(world.rows)) == 3
    # The file is that of the first run: the state knows it as what was being written.
    world.write("a.txt", OTHER_BOX)
    die(world, folder)
    world.write("a.txt", f"{BOX}\n{OTHER_BOX}")
    die(world, folder)
    world.remove("b.txt")
    folder.sync()
    assert folder.summary().problems == {}
    assert sorted(contents(world.rows)) == ["a.jpg.encord.json", "inner/ü.jpg.encord.json"]
    assert folder.plan(verify_output=True).changes == {}
    assert len(boxes(world, "a.jpg")) == 2


@on_sqlite
def test_a_foreign_file_that_came_after_a_kill_is_foreign_all_the_same(world: World) -> None:
    folder = world.folder()
    die(world, folder)
    row(world).write_bytes(b"mine")
    folder.sync()
    assert folder.summary().problems == {"output-name-refused": 1}
    assert row(world).read_bytes() == b"mine"
