"""What a sync does unless its options say otherwise."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from labelingest.folders import State, SyncedFolder
from labelingest.folders.locations import Places
from labelingest.folders.settings import FolderSettings
from labelingest.folders.sync.options import SyncOptions
from labelingest.folders.sync.run import make_plan
from tests.builders.states import new_sqlite
from tests.builders.synced import BOX, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with State(new_sqlite(tmp_path / "state.sqlite")) as state:
        yield World(tmp_path, state)


def planned(world: World, folder: SyncedFolder, options: SyncOptions) -> dict[str, int]:
    def places(settings: FolderSettings) -> Places:
        return Places(world.open(settings.storage_path), world.open(settings.output))

    return dict(make_plan(world.state, folder.record, places, options).changes)


def test_contents_and_the_output_are_looked_at_only_where_that_is_asked(world: World) -> None:
    for name in "ab":
        world.labelled(name)
    folder = world.folder()
    folder.sync()
    # Another content of the same size and time, and a label row that somebody removed.
    path = world.data / "a.txt"
    before = path.stat()
    path.write_text(BOX.replace("0.25", "0.75"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    (world.rows / "b.jpg.encord.json").unlink()
    changed = {"content of its sidecar changed, size and time did not": 1}
    missing = {"label row is missing from the output": 1}
    assert planned(world, folder, SyncOptions()) == {}
    assert planned(world, folder, SyncOptions(checksum=True)) == changed
    assert planned(world, folder, SyncOptions(verify_output=True)) == missing


def test_deletions_that_look_like_an_accident_are_withheld_unless_they_are_meant(
    world: World,
) -> None:
    for name in "abc":
        world.image(f"{name}.jpg")
    folder = world.folder()
    folder.sync()
    for name in "abc":
        world.remove(f"{name}.jpg")
    assert planned(world, folder, SyncOptions()) == {}
    assert planned(world, folder, SyncOptions(allow_mass_delete=True)) == {"file is gone": 3}
