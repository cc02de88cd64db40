"""Protected files of a folder: plans and exports must not replace state, storage path or label rows.

The guard checks files that users name in a command. It refuses to know which label rows a sync may
write over (`output_files.py`).
"""

from labelingest.folders.locations import Places
from labelingest.folders.state.database import State
from labelingest.folders.state.database_files import database_files
from labelingest.sinks.output_guard import OutputGuard

__all__ = ["guard_of"]


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
    return OutputGuard(
        database_files(state.engine),
        {"storage path": places.storage, "folder's output": places.output},
        overwrite=overwrite,
    )
