"""Syncs that compare contents: changes that keep size and time, and files that were only touched."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from labelingest.folders import FolderSettings, Plan, State, SyncedFolder
from labelingest.folders.state.integrations import set_integration
from labelingest.folders.state.tables import items, label_rows
from tests.builders.cloud_servers import CloudServer
from tests.builders.faulty_proxy import faulty_proxy
from tests.builders.folders import image_bytes
from tests.builders.synced import BOX, ONTOLOGY, OTHER_BOX, YOLO, World, boxes, contents

TURNED = "2 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75"
SAME_SIZE = "0 0.5 0.5 0.75 0.5"
CONTENT = "content of its sidecar changed, size and time did not"
FIRST_READ = "an earlier version did not note the content of its sidecar"
TOUCHED = "sidecar has another time and the same content"


@pytest.fixture
def world(tmp_path: Path, state_url: str) -> Iterator[World]:
    with State(state_url) as state:
        world = World(tmp_path, state)
        for name, text in (("a", BOX), ("b", BOX), ("c", TURNED), ("d", "nonsense")):
            world.labelled(name, text)
        world.write("a.jpg.metadata.json", '{"weather": "fog"}')
        yield world


@pytest.fixture
def folder(world: World) -> SyncedFolder:
    folder = world.folder(metadata_suffix=".metadata.json")
    folder.sync()
    world.requests()
    return folder


def edit(world: World, key: str, content: bytes | str) -> None:
    """Change a file and keep its size and its time."""
    path = world.data / key
    before = path.stat()
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def touch(world: World, key: str) -> None:
    world.write(key, (world.data / key).read_bytes())


def test_a_change_of_the_same_size_and_time_is_seen_where_contents_are_compared(
    world: World, folder: SyncedFolder, tmp_path: Path
) -> None:
    edit(world, "a.txt", SAME_SIZE)
    assert folder.plan().changes == {}
    folder.sync()
    assert boxes(world, "a.jpg") == [0.375]
    plan = folder.plan(checksum=True, save=str(tmp_path / "plan"))
    assert plan.changes == {CONTENT: 1}
    folder.apply(Plan.load(str(tmp_path / "plan")))
    assert boxes(world, "a.jpg") == [0.125]
    assert folder.plan(checksum=True).changes == {}


def test_one_that_could_not_be_converted_is_tried_again(world: World, folder: SyncedFolder) -> None:
    edit(world, "d.txt", "0 1 1 0.")
    assert folder.sync(checksum=True).counters.changes == {CONTENT: 1}


def test_a_touched_sidecar_leaves_its_label_row_as_it_is(
    world: World, folder: SyncedFolder
) -> None:
    rows = contents(world.rows)
    stamps = {path: path.stat().st_mtime_ns for path in world.rows.iterdir()}
    for name in ("a", "c", "d"):
        touch(world, f"{name}.txt")
    world.write("b.txt", OTHER_BOX)
    assert folder.plan(checksum=True).changes == {"sidecar changed": 1, TOUCHED: 3}
    before = {problem.source for problem in folder.problems()}
    world.requests()
    run = folder.sync(checksum=True)
    assert (run.counters.files_written, world.requests()["put"]) == (1, 1)
    changed = {path for path, stamp in stamps.items() if path.stat().st_mtime_ns != stamp}
    assert {path.name for path in changed} == {"b.jpg.encord.json"}
    assert contents(world.rows)["a.jpg.encord.json"] == rows["a.jpg.encord.json"]
    assert {problem.source for problem in folder.problems()} == before
    # The state has the new times: without comparing contents nothing is left to do either.
    assert folder.plan().changes == {}
    assert folder.plan(checksum=True).changes == {}


def test_without_comparing_contents_a_touched_sidecar_counts_as_changed(
    world: World, folder: SyncedFolder
) -> None:
    touch(world, "a.txt")
    assert folder.plan().changes == {"sidecar changed": 1}


def test_an_image_whose_size_counts_is_looked_at_too(world: World, folder: SyncedFolder) -> None:
    old = contents(world.rows)["c.jpg.encord.json"]
    one, other = image_bytes(64, 48), image_bytes(48, 64)
    assert len(one) == len(other)
    edit(world, "c.jpg", other)
    edit(world, "a.jpg", other)  # its size does not count
    assert folder.sync().counters.changes == {}
    run = folder.sync(checksum=True)
    assert run.counters.changes == {"image replaced, and its size counts": 1}
    assert contents(world.rows)["c.jpg.encord.json"] != old
    assert folder.plan(checksum=True).changes == {}


def test_a_touched_sidecar_beside_a_replaced_image_is_made_anew_where_that_counts(
    world: World, folder: SyncedFolder
) -> None:
    touch(world, "c.txt")
    world.image("c.jpg", (48, 64))
    folder.sync(checksum=True)
    fresh = World(world.data.parent / "fresh", world.state)
    fresh.data = world.data
    other = fresh.folder("fresh")
    other.sync()
    made = contents(fresh.rows)["c.jpg.encord.json"]
    assert b'"h":' in made
    assert len(contents(world.rows)["c.jpg.encord.json"]) == len(made)
    assert folder.plan(checksum=True).changes == {}


def test_metadata_of_the_same_size_and_time_is_read_again(
    world: World, folder: SyncedFolder
) -> None:
    edit(world, "a.jpg.metadata.json", '{"weather": "sun"}')
    assert folder.sync().counters.changes == {}
    assert folder.sync(checksum=True).counters.changes == {"metadata changed": 1}
    [metadata, *_] = [item["clientMetadata"] for item in folder.items()]
    assert metadata == '{"weather":"sun"}'
    assert folder.plan(checksum=True).changes == {}


def test_what_earlier_versions_made_is_made_again_once(world: World, folder: SyncedFolder) -> None:
    rows = contents(world.rows)
    with world.state.write() as connection:
        connection.execute(label_rows.update().values(sidecar_digest=None))
        connection.execute(items.update().values(metadata_digest=None))
    edit(world, "b.txt", SAME_SIZE)
    rows.pop("b.jpg.encord.json")
    assert folder.sync(checksum=True).counters.changes == {FIRST_READ: 4, "metadata changed": 1}
    assert boxes(world, "b.jpg") == [0.125]
    (world.rows / "b.jpg.encord.json").unlink()
    assert contents(world.rows) == rows
    assert folder.plan(checksum=True).changes == {}


def test_a_folder_may_be_set_to_compare_contents_always(world: World, folder: SyncedFolder) -> None:
    folder.configure(checksum=True)
    edit(world, "a.txt", SAME_SIZE)
    assert folder.sync().counters.changes == {CONTENT: 1}
    folder.configure(checksum=False)
    edit(world, "a.txt", BOX)
    assert folder.sync().counters.changes == {}


def test_every_sidecar_is_read_once_and_those_that_changed_twice(
    world: World, folder: SyncedFolder
) -> None:
    edit(world, "a.txt", SAME_SIZE)
    run = folder.sync(checksum=True)
    assert run.counters.files_read == 4 + 1 + 1  # labels, metadata, what changed
    assert run.counters.bytes_read == (18 + 18 + 41 + 8) + 18 + 18
    assert run.counters.headers_read == 1  # of the image whose size counts
    assert world.requests()["read"] == 6
    with world.state.read() as connection:
        assert None not in set(connection.scalars(sa.select(label_rows.c.sidecar_digest)))


def test_in_the_cloud_only_sidecars_with_another_etag_are_read(
    s3: CloudServer, tmp_path: Path
) -> None:
    data = s3.storage({"a.jpg": b"", "a.txt": BOX.encode(), "b.jpg": b"", "b.txt": BOX.encode()})
    with (
        State(f"sqlite:///{tmp_path}/state.sqlite") as state,
        faulty_proxy(s3.address) as proxy,
    ):
        address = proxy.url.partition("://")[2]
        set_integration(state, "s3", s3.connection(address, retries=3))
        settings = FolderSettings(
            *(data.url, f"{tmp_path}/rows"),
            format="yolo",
            ontology=ONTOLOGY,
            options=YOLO,
            integration="s3",
            checksum=True,
        )
        folder = SyncedFolder.create("cloud", settings, state=state)
        folder.sync()
        proxy.requests.clear()
        assert folder.sync().counters.changes == {}
        assert all(request.lists for request in proxy.requests)
        data.put("a.txt", OTHER_BOX.encode())
        assert folder.sync().counters.changes == {"sidecar changed": 1}
