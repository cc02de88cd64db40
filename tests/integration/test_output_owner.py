"""Whose an output is: one folder's, whose own files alone are replaced and deleted."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from labelingest.errors import ConfigError, StorageError
from labelingest.folders import FolderSettings, State, SyncedFolder
from labelingest.folders.output_owner import MARKER
from labelingest.folders.state.integrations import set_integration
from labelingest.folders.state.tables import folders, output_rows
from labelingest.storage import Storage
from tests.builders.cloud_servers import CloudServer
from tests.builders.states import new_sqlite
from tests.builders.synced import BOX, ONTOLOGY, OTHER_BOX, YOLO, World, contents, on_sqlite

pytestmark = on_sqlite
REFUSED = {"output-name-refused": 1}
MINE = b'{"mine": true}'


@pytest.fixture
def world(tmp_path: Path, state_url: str) -> Iterator[World]:
    with State(state_url) as state:
        world = World(tmp_path, state)
        for name in ("a", "b", "c"):
            world.labelled(name)
        yield world


@pytest.fixture
def other_state(tmp_path: Path) -> Iterator[State]:
    with State(new_sqlite(tmp_path / "other.sqlite")) as state:
        yield state


def row(world: World, name: str = "a") -> Path:
    return world.rows / f"{name}.jpg.encord.json"


# --- whose it is ---


def test_an_output_with_label_rows_of_nobody_is_refused_and_left_as_it_is(world: World) -> None:
    world.rows.mkdir()
    row(world).write_bytes(MINE)
    with pytest.raises(
        ConfigError, match=r"holds label rows that belong to no folder, as 'a.jpg.enc"
    ):
        world.folder()
    assert list(world.rows.iterdir()) == [row(world)]
    assert row(world).read_bytes() == MINE
    row(world).rename(world.rows / "kept.json")
    assert world.folder().sync().counters.label_rows_made == 3


def test_an_output_of_a_folder_of_another_state_is_refused(
    world: World, other_state: State, tmp_path: Path
) -> None:
    world.folder()
    marker = json.loads((world.rows / MARKER).read_bytes())
    assert marker["folder"] == "drive"
    other = World(tmp_path / "other", other_state)
    for output in (world.rows, world.rows / "inner", world.rows.parent):
        with pytest.raises(ConfigError, match=r"belongs to|lies in|lies around"):
            other.folder("other", output=str(output))
    assert not (world.rows / "inner").exists()
    with other_state.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(folders)) == 0


def test_an_output_that_another_folder_took_over_is_refused_at_every_sync(
    world: World, other_state: State, tmp_path: Path
) -> None:
    folder = world.folder()
    (world.rows / MARKER).unlink()
    World(tmp_path / "other", other_state).folder("other", output=str(world.rows))
    for call in (folder.plan, folder.sync, folder.sync):
        with pytest.raises(StorageError, match="belongs to the folder 'other' of another state"):
            call()
    assert contents(world.rows) == {}


def test_a_marker_that_cannot_be_understood_is_not_taken_for_ones_own(world: World) -> None:
    folder = world.folder()
    for damage in (b"", b"{}", b"[]", b'{"format": "other"}'):
        (world.rows / MARKER).write_bytes(damage)
        with pytest.raises(StorageError, match=r"delete '.labelingest-folder/.labelingest-"):
            folder.sync()
    (world.rows / MARKER).unlink()
    assert folder.sync().message is None


def test_of_two_folders_that_come_at_once_one_gets_the_output(
    world: World, other_state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = World(tmp_path / "other", other_state)

    def late(output: Storage) -> None:
        monkeypatch.undo()
        other.folder("other", output=str(world.rows))

    monkeypatch.setattr("labelingest.folders.creation.refuse_used_output", late)
    with pytest.raises(StorageError, match="belongs to the folder 'other'"):
        world.folder()
    with world.state.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(folders)) == 0


def test_a_purged_folder_frees_its_output_once_its_label_rows_are_gone(world: World) -> None:
    folder = world.folder()
    folder.sync()
    rows = contents(world.rows)
    folder.delete(purge=True)
    assert contents(world.rows) == rows
    assert not (world.rows / MARKER).parent.exists()
    with pytest.raises(ConfigError, match="holds label rows that belong to no folder"):
        world.folder()
    for name in rows:
        (world.rows / name).unlink()
    assert world.folder().sync().counters.label_rows_made == 3


# --- outputs of earlier versions ---


def as_of_an_earlier_version(world: World) -> None:
    """Make the state and the output what an earlier version left."""
    (world.rows / MARKER).unlink()
    (world.rows / MARKER).parent.rmdir()
    with world.state.write() as connection:
        connection.execute(folders.update().values(marker_token=None))
        connection.execute(output_rows.delete())


def test_an_output_of_an_earlier_version_is_adopted_and_that_is_said(world: World) -> None:
    folder = world.folder()
    folder.sync()
    as_of_an_earlier_version(world)
    rows = contents(world.rows)
    assert folder.plan().changes == {}
    assert not (world.rows / MARKER).exists()
    run = folder.sync()
    assert run.message == (
        "the output had no marker, and is this folder's from now on, with 3 label rows"
    )
    assert not run.failed
    assert folder.sync().message is None
    # What was adopted is replaced and deleted like what is written today.
    world.write("a.txt", OTHER_BOX)
    world.remove("b.txt")
    assert not folder.sync().failed
    assert sorted(contents(world.rows)) == ["a.jpg.encord.json", "c.jpg.encord.json"]
    assert row(world).read_bytes() != rows["a.jpg.encord.json"]
    assert folder.plan(verify_output=True).changes == {}


def test_an_output_of_an_earlier_version_with_other_label_rows_is_not_adopted(
    world: World,
) -> None:
    folder = world.folder()
    folder.sync()
    as_of_an_earlier_version(world)
    row(world, "z").write_bytes(MINE)
    for call in (folder.plan, folder.sync):
        with pytest.raises(StorageError, match=r"did not write, as 'z.jpg.encord.json'"):
            call()
    row(world, "z").unlink()
    assert folder.sync().message is not None


def test_digests_of_adopted_label_rows_are_known_once_they_are_verified(world: World) -> None:
    folder = world.folder()
    folder.sync()
    as_of_an_earlier_version(world)
    folder.sync()
    query = sa.select(output_rows.c.digest)
    with world.state.read() as connection:
        assert set(connection.scalars(query)) == {None}
    assert folder.sync(verify_output=True).counters.changes == {}
    with world.state.read() as connection:
        assert None not in set(connection.scalars(query))


def test_of_adopted_label_rows_only_whole_and_unaltered_ones_are_exported(
    world: World, tmp_path: Path
) -> None:
    folder = world.folder()
    folder.sync()
    as_of_an_earlier_version(world)
    old, exported = row(world).read_bytes(), tmp_path / "rows.jsonl"
    for spoiled in (b"", old[:-1], old[: len(old) // 2], b"{}\n{}\n", old + b"\n[", old[:9] + old):
        row(world).write_bytes(spoiled)
        with pytest.raises(StorageError, match=r"has 2 label rows, and 1 .*'a.jpg.encord.json'"):
            folder.export(str(exported))
        assert [json.loads(line)["data_title"] for line in exported.read_text().splitlines()] == [
            "b.jpg",
            "c.jpg",
        ]
    row(world).write_bytes(old)
    assert folder.export(str(exported)) == 3
    folder.sync()
    assert folder.export(str(exported)) == 3
    for spoiled in (old[:-1], b"{}", old.replace(b'"x":', b'"y":', 1)):
        row(world).write_bytes(spoiled)
        with pytest.raises(StorageError, match=r"has 2 label rows, and 1 .*'a.jpg.encord.json'"):
            folder.export(str(exported))
    folder.sync(verify_output=True)
    assert folder.export(str(exported)) == 3
    assert row(world).read_bytes() == old


# --- markers among data ---


def test_a_marker_that_comes_among_label_files_deletes_no_label_rows(
    world: World, other_state: State, tmp_path: Path
) -> None:
    options = {"images": ["{n}.jpg"], "labels": "{n}.txt"}
    for name in ("d", "e"):
        world.image(f"inner/{name}.jpg")
        world.write(f"inner/{name}.txt", BOX)
    folder = world.folder(options=options)
    assert folder.sync().counters.label_rows_made == 5
    other = World(tmp_path / "other", other_state)
    other.image("x.jpg")
    other.write("x.txt", BOX)
    taker = other.folder("other", output=str(world.data / "inner"))
    taker.sync()
    assert (world.data / "inner/x.jpg.encord.json").exists()
    assert folder.sync().counters.changes == {}
    assert len(contents(world.rows)) == 5


def test_a_marker_that_comes_among_sidecars_deletes_no_label_rows(world: World) -> None:
    row_text = json.dumps(_label_row(world))
    for name in ("a.jpg", "inner/d.jpg", "inner/e.jpg"):
        world.image(name)
        world.write(f"{name}.encord.json", row_text)
    folder = world.folder("encord", output=f"{world.rows}2", format="encord", options={})
    folder.sync()
    count = folder.summary().labelled
    world.write(f"inner/{MARKER}", (Path(f"{world.rows}2") / MARKER).read_bytes())
    world.write("inner/of_another.jpg.encord.json", row_text)
    assert folder.sync().counters.changes == {}
    assert folder.summary().labelled == count


def _label_row(world: World) -> dict[str, object]:
    folder = world.folder()
    folder.sync()
    found: dict[str, object] = json.loads(row(world).read_bytes())
    return found


# --- foreign files ---


def test_a_foreign_file_costs_its_label_row_until_it_is_gone(world: World) -> None:
    folder = world.folder()
    world.rows.mkdir(exist_ok=True)
    row(world).write_bytes(MINE)
    (world.rows / "notes.txt").write_bytes(b"mine too")
    for verifies in (False, True):
        run = folder.sync(verify_output=verifies)
        assert (run.failed, run.counters.errors) == (True, 1)
        assert folder.summary().problems == REFUSED
        assert not any("--verify-output" in problem.detail for problem in folder.problems())
        assert row(world).read_bytes() == MINE
        assert [item["labelRow"] is None for item in folder.items()] == [True, False, False]
    assert folder.plan().changes == {"something foreign was in its place in the output": 1}
    row(world).unlink()
    assert not folder.sync().failed
    assert folder.summary().problems == {}
    assert folder.plan().changes == {}
    assert (world.rows / "notes.txt").read_bytes() == b"mine too"


def test_a_label_row_that_somebody_replaced_is_neither_written_over_nor_deleted(
    world: World,
) -> None:
    folder = world.folder()
    folder.sync()
    for name in ("a", "b", "c"):
        row(world, name).write_bytes(MINE)
    world.write("a.txt", OTHER_BOX)
    world.remove("b.txt")
    world.write("c.txt", "nonsense")
    for _ in range(2):
        assert folder.sync().failed
        assert set(contents(world.rows).values()) == {MINE}
    [of_a, of_b, *of_c] = sorted(folder.problems(), key=lambda problem: problem.source)
    assert of_a.detail.startswith("no label row: 'a.jpg.encord.json' in ")
    assert "--verify-output writes over it" in of_a.detail
    assert of_b.detail.startswith("its sidecar is gone, and its label row is not deleted: ")
    assert "--verify-output" not in of_b.detail  # it deletes nothing that is foreign
    assert "output-name-refused" in {problem.code.value for problem in of_c}
    row(world, "b").unlink()
    folder.sync()
    assert "b.jpg" not in {problem.source for problem in folder.problems()}
    folder.sync(verify_output=True)
    assert b'"x":0.25,' in row(world).read_bytes()


def test_a_label_row_that_was_copied_back_is_ones_own(world: World) -> None:
    folder = world.folder()
    folder.sync()
    for name in ("a", "b"):
        row(world, name).write_bytes(row(world, name).read_bytes())
    world.write("a.txt", OTHER_BOX)
    world.remove("b.txt")
    assert not folder.sync().failed
    assert sorted(contents(world.rows)) == ["a.jpg.encord.json", "c.jpg.encord.json"]


# --- links ---


def test_links_in_an_output_are_neither_written_nor_deleted_nor_read_through(
    tmp_path: Path, world: World
) -> None:
    for name in ("deep/a", "deep/b"):
        world.labelled(name)
    settings = FolderSettings(
        str(world.data), str(world.rows), format="yolo", ontology=ONTOLOGY, options=YOLO
    )
    with SyncedFolder.create("links", settings, state=world.state) as folder:
        folder.sync()
        elsewhere = tmp_path / "elsewhere"
        (world.rows / "deep").rename(elsewhere)
        (world.rows / "deep").symlink_to(elsewhere)
        (tmp_path / "a").write_bytes(row(world).read_bytes())
        row(world).unlink()
        row(world).symlink_to(tmp_path / "a")
        before = contents(elsewhere) | {"a": (tmp_path / "a").read_bytes()}
        world.write("a.txt", OTHER_BOX)
        world.write("deep/a.txt", OTHER_BOX)
        world.remove("deep/b.txt")
        for verify in (False, True):
            run = folder.sync(verify_output=verify)
            assert (run.status.value, run.counters.errors) == ("done", 3)
            assert folder.summary().problems == {"output-name-refused": 3}
            assert contents(elsewhere) | {"a": (tmp_path / "a").read_bytes()} == before
        assert row(world).is_symlink()
        assert folder.export(str(tmp_path / "rows.jsonl")) == 2


# --- outputs in storage paths ---


def test_outputs_of_other_folders_in_the_storage_path_are_no_data(
    world: World, other_state: State, tmp_path: Path
) -> None:
    other = World(tmp_path / "other", other_state)
    other.image("x.jpg")
    other.write("x.txt", BOX)
    world.write("rows2/y.jpg", b"")
    other.folder("other", output=str(world.data / "rows")).sync()
    (world.data / "rows/x.jpg").write_bytes(b"")
    folder = world.folder()
    folder.sync()
    assert [item["name"] for item in folder.items()] == ["a.jpg", "b.jpg", "c.jpg", "rows2/y.jpg"]
    assert folder.summary().problems == {}


# --- in the cloud ---


@pytest.mark.parametrize("scheme", ["s3", "az", "gs"])
def test_an_output_in_the_cloud_has_an_owner_and_keeps_foreign_files(
    request: pytest.FixtureRequest, world: World, other_state: State, scheme: str
) -> None:
    server: CloudServer = request.getfixturevalue(scheme)
    rows = server.storage({"x.jpg.encord.json": MINE})
    for state in (world.state, other_state):
        set_integration(state, scheme, server.connection())

    def create(name: str, state: State) -> SyncedFolder:
        settings = FolderSettings(
            str(world.data),
            rows.url,
            format="yolo",
            ontology=ONTOLOGY,
            options=YOLO,
            output_integration=scheme,
        )
        return SyncedFolder.create(name, settings, state=state)

    with pytest.raises(ConfigError, match="holds label rows that belong to no folder"):
        create("cloud", world.state)
    rows.delete(["x.jpg.encord.json"])
    folder = create("cloud", world.state)
    with pytest.raises(ConfigError, match="belongs to the folder 'cloud'"):
        create("other", other_state)
    if scheme == "gs":
        return  # the server that stands for Google's compares no versions
    rows.put("a.jpg.encord.json", MINE)
    folder.sync()
    assert folder.summary().problems == REFUSED
    rows.put("b.jpg.encord.json", MINE)
    world.write("b.txt", OTHER_BOX)
    world.remove("c.txt")
    folder.sync()
    found = rows.fetch(["a.jpg.encord.json", "b.jpg.encord.json", "c.jpg.encord.json"])
    assert [found.get(0), found.get(1)] == [MINE, MINE]
    assert set(found.unread) == {2}
    rows.delete(["a.jpg.encord.json", "b.jpg.encord.json"])
    assert not folder.sync().failed
    assert folder.plan(verify_output=True).changes == {}
