"""A synced folder on either database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from labelingest.folders import State, SyncedFolder
from tests.builders.synced import BOX, World


@pytest.fixture
def state(state_url: str) -> Iterator[State]:
    with State(state_url) as state:
        yield state


@pytest.fixture
def world(tmp_path: Path, state: State) -> World:
    world = World(tmp_path, state)
    world.image("a.jpg")
    world.image("b.jpg")
    world.write("a.txt", BOX)
    return world


@pytest.fixture
def folder(world: World) -> SyncedFolder:
    """A folder after its first sync, whose requests are forgotten."""
    folder = world.folder()
    folder.sync()
    world.requests()
    return folder
