"""The two places of a folder: where its files are, and where its label rows go.

How a cloud storage is reached is told by an integration of the state (`integrations.py`), unless
the caller opens storages himself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from labelingest import storage as storages
from labelingest.errors import ConfigError
from labelingest.folders.integrations import find_integration
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.database import State
from labelingest.storage.base import Storage
from labelingest.storage.local import LocalStorage

__all__ = ["OpenPlaces", "OpenStorage", "Places", "open_places", "output_folder"]

OpenStorage = Callable[[str], Storage]


@dataclass(frozen=True, slots=True)
class Places:
    """The storage path and the output of a folder, open."""

    storage: Storage
    output: Storage

    @property
    def exclude(self) -> Sequence[str]:
        """What is not listed: the output, where it lies in the storage path."""
        folder = output_folder(self.storage, self.output)
        return () if folder is None else (folder,)


OpenPlaces = Callable[[FolderSettings], Places]


def open_places(state: State, settings: FolderSettings) -> Places:
    """Open the places of a folder.

    Parameters
    ----------
    state
        Which has the integrations.
    settings
        Of the folder; its output has the integration of its storage path unless it names another.

    Raises
    ------
    ConfigError
        There is no such integration, or it is given for a folder of this machine.
    StorageError
        A place is not there.
    """
    if settings.integration is not None and not _is_cloud(settings.storage_path):
        raise ConfigError(
            f"integration {settings.integration!r} is for cloud storage, and the storage path "
            f"{settings.storage_path!r} is a folder of this machine: leave it out"
        )
    for_output = settings.output_integration or settings.integration
    return Places(
        _open(state, settings, settings.storage_path, settings.integration),
        _open(state, settings, settings.output, for_output),
    )


def _is_cloud(path: str) -> bool:
    return "://" in path and not path.lower().startswith("file:")


def _open(state: State, settings: FolderSettings, path: str, integration: str | None) -> Storage:
    connection = None
    if integration is not None and _is_cloud(path):
        connection = find_integration(state, integration)
    return storages.open_storage(
        path, follow_symlinks=settings.follow_symlinks, connection=connection
    )


def output_folder(storage: Storage, output: Storage) -> str | None:
    """Return the folder of the output, with a slash at the end, where it lies in the storage path.

    Raises
    ------
    ConfigError
        It is the storage path, or the storage path lies in it: label rows would be taken for data,
        or written over it.
    """
    if isinstance(storage, LocalStorage) and isinstance(output, LocalStorage):
        inner, outer = (f"{Path(s.root).resolve()}/" for s in (output, storage))
    else:
        inner, outer = output.url, storage.url
    if outer.startswith(inner):
        raise ConfigError(
            f"the output {output.url} is the storage path or lies around it: give another folder, "
            "or one in it"
        )
    if not inner.startswith(outer):
        return None
    folder = inner[len(outer) :]
    return folder if isinstance(storage, LocalStorage) else unquote(folder)
