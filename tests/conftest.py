"""What all test folders share: the repository's root on the path, and servers of cloud storage."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.builders.cloud_servers import (
    CREDENTIALS,
    CloudServer,
    azurite_command,
    azurite_server,
    moto_server,
)


@pytest.fixture(scope="session")
def credentials() -> Iterator[None]:
    """Give the clients what the servers started here take."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def moto(credentials: None) -> Iterator[str]:
    """Host and port of moto's server."""
    with moto_server() as address:
        yield address


@pytest.fixture(scope="session")
def s3(moto: str) -> CloudServer:
    return CloudServer("s3", moto)


@pytest.fixture(scope="session")
def gs(moto: str) -> CloudServer:
    return CloudServer("gs", moto)


@pytest.fixture(scope="session")
def az(credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudServer]:
    command = azurite_command()
    if command is None:
        pytest.skip("Azurite is missing: npm install --prefix .azurite azurite")
    with azurite_server(command, tmp_path_factory.mktemp("azurite")) as address:
        yield CloudServer("az", address)
