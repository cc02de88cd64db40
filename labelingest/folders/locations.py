"""Storage path and output of a folder: open them, and tell where one lies in the other.

An integration of the state (`state/integrations.py`) tells how to reach cloud storage, unless the
caller opens storages.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from labelingest import storage as storages
from labelingest.errors import ConfigError, StorageError
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.database import State
from labelingest.folders.state.integrations import find_integration
from labelingest.storage.base import Storage
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.local.real_paths import real_path
from labelingest.storage.urls import is_cloud, place_of

__all__ = [
    "OpenPlaces",
    "OpenStorage",
    "Places",
    "open_places",
    "output_folder",
    "overlap",
]

OpenStorage = Callable[[str], Storage]


@dataclass(frozen=True, slots=True)
class Places:
    """Open storages of a folder."""

    storage: Storage
    """Storage path: data files and sidecars."""
    output: Storage
    """Output: label rows."""

    @property
    def exclude(self) -> Sequence[str]:
        """Folders of the storage path that are not listed: the output, where it lies in there."""
        folder = output_folder(self.storage, self.output)
        return () if folder is None else (folder,)


OpenPlaces = Callable[[FolderSettings], Places]


def open_places(state: State, settings: FolderSettings) -> Places:
    """Open storage path and output of a folder.

    Parameters
    ----------
    state
        State with the integrations.
    settings
        Settings of the folder. Without an integration of its own, the output uses that of the
        storage path.

    Raises
    ------
    ConfigError
        The integration does not exist, or the storage path is a folder of this machine.
    StorageError
        Storage path or output does not exist.
    """
    if settings.integration is not None and not is_cloud(settings.storage_path):
        raise ConfigError(
            f"integration {settings.integration!r} is for cloud storage, and the storage path "
            f"{settings.storage_path!r} is a folder of this machine: leave it out"
        )
    for_output = settings.output_integration or settings.integration
    return Places(
        _open(
            state,
            settings.storage_path,
            settings.integration,
            follow_symlinks=settings.follow_symlinks,
        ),
        _open_output(state, settings, for_output),
    )


def _open_output(state: State, settings: FolderSettings, integration: str | None) -> Storage:
    try:
        # A planted link would lead label rows elsewhere.
        return _open(state, settings.output, integration, follow_symlinks=False)
    except StorageError as error:
        raise StorageError(
            f"the output cannot be used: {error}; if it was removed, make the folder again: "
            "labelingest folder sync --verify-output rebuilds its label rows"
        ) from error


def _open(state: State, path: str, integration: str | None, *, follow_symlinks: bool) -> Storage:
    connection = None
    if integration is not None and is_cloud(path):
        connection = find_integration(state, integration)
    return storages.open_storage(path, follow_symlinks=follow_symlinks, connection=connection)


def output_folder(storage: Storage, output: Storage) -> str | None:
    """Return the folder of the output, with a slash at the end, where it lies in the storage path.

    URLs can spell one bucket in several ways, and reach it at several endpoints. Buckets of the same
    name count as one, unless the URLs show two accounts.

    Raises
    ------
    ConfigError
        The output is the storage path or contains it: label rows would be taken for data, or
        written over data.
    """
    (outer, account), (inner, other) = _where(storage), _where(output)
    if account and other and account != other:
        return None
    if outer.startswith(inner):
        raise ConfigError(
            f"the output {output.url} is the storage path or lies around it: give another folder, "
            "or one in it"
        )
    return inner.removeprefix(outer) if inner.startswith(outer) else None


def overlap(first: Storage, second: Storage) -> bool:
    """Whether one of two storages is the other, or lies in it."""
    (first_place, first_account), (second_place, second_account) = _where(first), _where(second)
    apart = first_account and second_account and first_account != second_account
    return not apart and (
        first_place.startswith(second_place) or second_place.startswith(first_place)
    )


def _where(storage: Storage) -> tuple[str, str | None]:
    """Return one spelling of a storage's place, and its account where the URL names one."""
    if isinstance(storage, LocalStorage):
        return os.path.join(real_path(storage.root), ""), None  # noqa: PTH118 - "/" stays "/"
    if not is_cloud(storage.url):
        return unquote(storage.url), None
    place = place_of(storage.url)
    prefix = f"{place.prefix}/" if place.prefix else ""
    return f"{place.provider}://{place.bucket}/{prefix}", place.account
