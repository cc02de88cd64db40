"""Engines that do the work: this process, others of this machine, an executor, or a cluster.

::

    base.py        the protocol of an engine
    serial.py      one item after the other: the reference for all other engines
    processes.py   worker processes of this machine
    child.py       the code of a worker process
    messages.py    messages between a process and its workers
    executors.py   any `concurrent.futures.Executor`
    clusters.py    Dask and Ray, by their addresses

A result may have large parts, as `labelingest.model.chunks` describes. Worker processes of this
machine keep them, and do what the caller wants done with the bytes; other engines send them.
"""

from labelingest.credentials import credential_in
from labelingest.engines.base import Engine
from labelingest.errors import ConfigError

__all__ = ["check_engine", "open_engine"]


def check_engine(url: str) -> None:
    """Refuse an address that is no engine, or whose package is missing.

    Raises
    ------
    ConfigError
        The engine is unknown or its package is missing; the message names the choices or the extra.

    Examples
    --------
    >>> check_engine("spark://10.0.0.1:7077")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: engine 'spark://10.0.0.1:7077' is not known: …
    """
    from labelingest.engines.clusters import check_cluster

    scheme, _, address = url.partition("://")
    authority = address or url  # without a scheme, the whole text may be the address
    if credential := credential_in(authority, authority):
        raise ConfigError(
            f"the engine's URL comes with {credential}: leave them out; give dask://HOST:PORT or "
            "ray://HOST:PORT"
        )
    if scheme not in ("dask", "ray") or not address:
        raise ConfigError(
            f"engine {url!r} is not known: give dask://HOST:PORT or ray://HOST:PORT, or leave it "
            "out for processes of this machine"
        )
    check_cluster(url)


def open_engine(url: str) -> Engine:
    """Return the engine at an address.

    Raises
    ------
    ConfigError
        `check_engine` refuses the address.
    """
    from labelingest.engines.clusters import DaskEngine, RayEngine

    check_engine(url)
    return DaskEngine(url) if url.startswith("dask://") else RayEngine(url)
