"""Run items on Dask or Ray: the machines of a cluster read the storage path themselves.

Both repeat the items of a lost worker on their own, a few times. Their packages are imported only when
they are chosen.
"""

import logging
import socket
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import chdir, contextmanager, nullcontext
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

from msgspec import Struct

from labelingest.engines.base import attempt
from labelingest.engines.executors import in_order
from labelingest.errors import ConfigError, EngineError

__all__ = ["DaskEngine", "RayEngine", "check_cluster"]

A = TypeVar("A")
B = TypeVar("B")

_PACKAGES: Final = {"dask": "distributed", "ray": "ray"}
_IN_FLIGHT: Final = 3
"""Batches that are submitted for each core of the cluster."""
_THIS_CLUSTER: Final = "auto"
"""The address of the Ray cluster that this machine belongs to."""


def check_cluster(url: str) -> None:
    """Refuse the address of a cluster whose package is not installed.

    Raises
    ------
    ConfigError
        The package is missing; the message names the extra that has it.
    """
    kind = url.partition("://")[0]
    if find_spec(_PACKAGES[kind]) is None:
        raise ConfigError(
            f"engine {url!r} needs the package {_PACKAGES[kind]}: pip install 'labelingest[{kind}]'"
        )


class DaskEngine(Struct, frozen=True):
    """Does items on a Dask cluster."""

    url: str
    """Address of the scheduler, as dask://10.0.0.1:8786."""
    patience: float = 10
    """Seconds to wait for the scheduler's answer, and then for a worker."""

    def map(self, fn: Callable[[A], B], items: Iterable[A], /) -> Generator[B]:
        """Yield fn(item) in the order of items, as `Engine` says."""
        from distributed import Client

        # Neither package has types.
        make_client: Any = Client
        address = f"tcp://{self.url.partition('://')[2]}"
        _knock(address, self.patience)
        try:
            client = make_client(address, timeout=self.patience, set_as_default=False)
        except (OSError, ValueError) as error:
            raise EngineError(f"no Dask scheduler answers at {address}") from error
        with client:
            try:
                # Lost workers may be on their way back.
                client.wait_for_workers(1, timeout=self.patience)
            except TimeoutError as error:
                raise EngineError(
                    f"the Dask scheduler at {address} has no workers: start some"
                ) from error
            cores = sum(client.ncores().values())
            # A task, not data: a task of a lost worker runs again where its result is needed.
            shared = client.submit(_same, fn, pure=False)
            yield from in_order(
                lambda item: client.submit(attempt, shared, item, pure=False),
                items,
                in_flight=_IN_FLIGHT * cores,
            )


def _knock(address: str, patience: float) -> None:
    """Refuse at once an address where no program listens: Dask would try again and again."""
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=patience).close()
    except (OSError, ValueError) as error:
        raise EngineError(f"no Dask scheduler answers at {address}") from error


def _same(value: A) -> A:
    return value


class _RayTicket(Struct, frozen=True):
    """A future result on a Ray cluster."""

    ray: Any
    reference: Any

    def result(self) -> Any:
        return self.ray.get(self.reference)

    def cancel(self) -> None:
        self.ray.cancel(self.reference)


class RayEngine(Struct, frozen=True):
    """Does items on a Ray cluster."""

    url: str
    """Address of the client server, as ray://10.0.0.1:10001; ray://auto on a machine of the cluster."""

    def map(self, fn: Callable[[A], B], items: Iterable[A], /) -> Generator[B]:
        """Yield fn(item) in the order of items, as `Engine` says."""
        import ray as untyped

        ray: Any = untyped
        is_own_cluster = self.url.partition("://")[2] == _THIS_CLUSTER
        try:
            with _in_no_folder() if is_own_cluster else nullcontext():
                context = ray.init(
                    _THIS_CLUSTER if is_own_cluster else self.url,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                )
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            raise EngineError(f"no Ray cluster answers at {self.url}: {error}") from error
        with context:
            cores = int(ray.cluster_resources().get("CPU", 1))
            remote, shared = ray.remote(attempt), ray.put(fn)
            yield from in_order(
                lambda item: _RayTicket(ray, remote.remote(shared, item)),
                items,
                in_flight=_IN_FLIGHT * cores,
            )


@contextmanager
def _in_no_folder() -> Iterator[None]:
    """Change to an empty folder that is removed afterwards.

    Ray puts the current folder of a joining process at the front of the workers' search path. The
    current folder is often the folder of data, and no file in it is code.
    """
    with TemporaryDirectory(prefix="labelingest-") as nowhere, chdir(nowhere):
        yield
