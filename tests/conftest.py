"""What all test folders share: the repository's root on the path, servers, and states of folders."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.builders.cloud_servers import (
    CREDENTIALS,
    CloudServer,
    azurite_command,
    azurite_server,
    moto_server,
)
from tests.builders.effort import IN_CI

# Programs that tests start take signals as usual, also where the tests themselves are not to end by
# them: a handler is not inherited, but what is ignored would be.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda number, frame: None)

# What decides about a change gives the same answer each time; elsewhere examples are new, and more.
# No example has a time limit: how long one takes depends on what else the machine does.
settings.register_profile("new", deadline=None)
settings.register_profile("ci", max_examples=40, derandomize=True, deadline=None)
settings.register_profile(  # for each of many mutants
    "few", max_examples=20, derandomize=True, deadline=None
)
settings.load_profile("ci" if IN_CI else "new")


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


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """Return the URL of a database on a server that ends with the tests."""
    from tests.builders.databases import MISSING, postgresql, server_folder

    if server_folder() is None:
        pytest.skip(MISSING)
    with postgresql() as url:
        yield url


@pytest.fixture
def postgresql_state(postgresql_url: str) -> str:
    """Return the URL of an empty state on PostgreSQL."""
    from tests.builders.states import emptied

    return emptied(postgresql_url)


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty state, on either database."""
    from tests.builders.states import new_sqlite

    if request.param == "sqlite":
        return new_sqlite(tmp_path / "state.sqlite")
    url: str = request.getfixturevalue("postgresql_state")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of a database of either kind in which nothing is."""
    from tests.builders.states import drop_tables

    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/state.sqlite"
        return
    url = drop_tables(request.getfixturevalue("postgresql_url"))
    yield url
    drop_tables(url)
