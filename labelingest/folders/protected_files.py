"""Protected files of a folder: plans and exports must not replace state, storage path or label rows.

The guard checks files that users name in a command. It refuses to know which label rows a sync may
write over (`output_files.py`).
"""

from typing import Final

from labelingest.folders.locations import Places
from labelingest.folders.state.database import State
from labelingest.sinks.output_guard import OutputGuard

__all__ = ["guard_of"]

_BESIDE: Final = ("-wal", "-shm", "-journal")
"""Endings of files that SQLite keeps beside its database: it is damaged without them."""


def guard_of(state: State, places: Places, *, overwrite: bool = False) -> OutputGuard:
    """Return the guard of a folder's files.

    Parameters
    ----------
    state
        State with the folder.
    places
        Storage path and output of the folder.
    overwrite
        Whether other files may be replaced that no run wrote.
    """
    inputs: dict[str, str] = {}
    url = state.engine.url
    if url.get_backend_name() == "sqlite" and url.database:
        inputs = {"state": url.database}
        inputs |= {f"file {ending} of the state": url.database + ending for ending in _BESIDE}
    return OutputGuard(
        inputs,
        {"storage path": places.storage, "folder's output": places.output},
        overwrite=overwrite,
    )
