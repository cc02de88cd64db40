"""A synced folder on either database, and servers that the environment names."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labelingest.folders import State, SyncedFolder
from tests.builders.cloud_servers import ACCOUNT, CloudServer
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


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch) -> Callable[[CloudServer], None]:
    """Make a server the provider's own, by the environment alone."""

    def set_environment(server: CloudServer) -> None:
        url = f"http://{server.address}"
        variables = {
            "s3": {"AWS_ENDPOINT_URL": url, "AWS_ALLOW_HTTP": "true"},
            "gs": {"GOOGLE_BASE_URL": url, "GOOGLE_ALLOW_HTTP": "true"},
            "az": {
                "AZURE_STORAGE_ENDPOINT": f"{url}/{ACCOUNT}",
                "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
                "AZURE_ALLOW_HTTP": "true",
            },
        }
        for name, value in variables[server.scheme].items():
            monkeypatch.setenv(name, value)

    return set_environment
