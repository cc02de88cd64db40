"""A PostgreSQL server of the tests' own, from the binaries of the machine."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["MISSING", "out_of_service", "postgresql", "server_folder"]

MISSING = "no PostgreSQL server here: apt-get install postgresql, and these tests run too"


def server_folder() -> Path | None:
    """Return the folder of initdb and pg_ctl; None where there is no server."""
    program = shutil.which("initdb")
    places = [Path(program).resolve().parent] if program else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    usable = (p for p in places if (p / "initdb").exists() and (p / "pg_ctl").exists())
    return next(usable, None)


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a server with its data in a temporary folder; yield the URL of an empty database.

    The server refuses to run as root: the user postgres, whom its package made, does then.
    """
    with TemporaryDirectory(prefix="labelingest-postgresql-") as place:
        if _user() is not None:
            shutil.chown(place, "postgres")
        _run(place, "initdb", "-A", "trust", "-U", "tests", "-N", "-E", "UTF8")
        _start(place)
        try:
            yield f"postgresql://tests@/postgres?host={place}"
        finally:
            _run(place, "pg_ctl", "-m", "immediate", "-w", "stop")


@contextmanager
def out_of_service(url: str) -> Iterator[None]:
    """Stop such a server, whoever is connected, and start it again when the block ends."""
    place = url.rpartition("host=")[2]
    _run(place, "pg_ctl", "-m", "fast", "-w", "stop")
    try:
        yield
    finally:
        _start(place)


def _start(place: str) -> None:
    # A socket in the folder and no port: two runs of the tests never meet.
    options = f"-c listen_addresses='' -c fsync=off -k {place}"
    _run(place, "pg_ctl", "-l", f"{place}/log", "-w", "-o", options, "start")


def _run(place: str, program: str, *arguments: str) -> None:
    folder = server_folder()
    if folder is None:
        raise FileNotFoundError(MISSING)
    command = [f"{folder}/{program}", "-D", f"{place}/data", *arguments]
    subprocess.run(
        command, check=True, cwd=place, user=_user(), stdout=subprocess.DEVNULL, timeout=60
    )


def _user() -> str | None:
    return "postgres" if os.geteuid() == 0 else None
