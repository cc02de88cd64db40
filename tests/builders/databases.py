"""A PostgreSQL server of the tests' own, from the binaries of the machine."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["MISSING", "postgresql", "server_folder"]

MISSING = "no PostgreSQL server here: apt-get install postgresql, and these tests run too"


def server_folder() -> Path | None:
    """Return the folder of initdb and pg_ctl; None where there is no server."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    usable = (p for p in places if (p / "initdb").exists() and (p / "pg_ctl").exists())
    return next(usable, None)


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a server with its data in a temporary folder; yield the URL of an empty database.

    The server refuses to run as root: the user postgres, whom its package made, does then.
    """
    folder = server_folder()
    if folder is None:
        raise FileNotFoundError(MISSING)
    user = "postgres" if os.geteuid() == 0 else None
    with TemporaryDirectory(prefix="labelingest-postgresql-") as place:
        if user is not None:
            shutil.chown(place, user)

        def run(command: Sequence[str]) -> None:
            subprocess.run(
                command, check=True, cwd=place, user=user, stdout=subprocess.DEVNULL, timeout=60
            )

        data = f"{place}/data"
        run([f"{folder}/initdb", "-D", data, "-A", "trust", "-U", "tests", "-N", "-E", "UTF8"])
        # A socket in the folder and no port: two runs of the tests never meet.
        options = f"-c listen_addresses='' -c fsync=off -k {place}"
        control = [f"{folder}/pg_ctl", "-D", data, "-l", f"{place}/log", "-w"]
        run([*control, "-o", options, "start"])
        try:
            yield f"postgresql://tests@/postgres?host={place}"
        finally:
            run([*control, "-m", "immediate", "stop"])
