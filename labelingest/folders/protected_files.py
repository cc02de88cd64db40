"""What files that people ask for must not replace: the state, the storage path, the label rows."""

from labelingest.folders.locations import Places
from labelingest.folders.state.database import State
from labelingest.sinks.output_guard import OutputGuard

__all__ = ["guard_of"]

_BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside its file: without them it is damaged."""


def guard_of(state: State, places: Places, *, overwrite: bool = False) -> OutputGuard:
    """Return what guards the files of a folder.

    Parameters
    ----------
    state
        Where the folder is kept.
    places
        Its storage path and its output.
    overwrite
        Whether files may be replaced that no run wrote.
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
