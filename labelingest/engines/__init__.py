"""Who does the work: this process, others of this machine, an executor, or a cluster.

::

    base.py        what an engine is
    serial.py      one after the other: what all others must agree with
    processes.py   worker processes of this machine (child.py: what runs in them; messages.py: between)
    executors.py   any `concurrent.futures.Executor`
    clusters.py    Dask and Ray, by their addresses
"""

from labelingest.credentials import credential_in
from labelingest.engines.base import Engine
from labelingest.errors import ConfigError

__all__ = ["check_engine", "open_engine"]


def check_engine(url: str) -> None:
    """Refuse what is no engine, or one whose package is missing.

    Raises
    ------
    ConfigError
        Says which there are, or which extra to install.

    Examples
    --------
    >>> check_engine("spark://10.0.0.1:7077")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: engine 'spark://10.0.0.1:7077' is not known: …
    """
    from labelingest.engines.clusters import check_cluster

    scheme, _, address = url.partition("://")
    authority = address or url  # without scheme, all of it may be the address
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
    """Return the engine at an address; ConfigError as `check_engine` raises it."""
    from labelingest.engines.clusters import DaskEngine, RayEngine

    check_engine(url)
    return DaskEngine(url) if url.startswith("dask://") else RayEngine(url)
