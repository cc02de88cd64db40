"""Create a folder: settings are checked, the output folder is made and claimed, the state gets an entry.

A creation that fails leaves nothing behind: no entry, and no folder that was made for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from labelingest.errors import ConfigError, StorageError
from labelingest.folders.converter import make_folder_converter, notice_of_namespace
from labelingest.folders.locations import OpenPlaces, output_folder, overlap
from labelingest.folders.output_owner import claim_output, refuse_used_output
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.database import State
from labelingest.folders.state.folders import (
    enter_folder,
    list_folders,
    refuse_taken_name,
    remove_folder,
)
from labelingest.folders.sync.custom_metadata import check_schema
from labelingest.folders.sync.unpaired import FolderBefore, refuse_listed
from labelingest.storage.os_errors import cannot_write
from labelingest.storage.urls import without_default_port

__all__ = ["check_settings", "create_folder"]


def create_folder(
    state: State, name: str, settings: FolderSettings, open_places: OpenPlaces
) -> str:
    """Enter a new folder into the state, and claim its output.

    Parameters
    ----------
    state, name, settings
        As for `labelingest.folders.SyncedFolder.create`.
    open_places
        Opens storage path and output of settings.

    Returns
    -------
    str
        Notice for the people who create the folder; empty where there is nothing to say.

    Raises
    ------
    ConfigError, OntologyError
        The name is taken, or the settings contradict each other.
    StorageError
        The storage path does not exist, or the output cannot be made.
    """
    with _settings_in_place(settings, open_places) as in_place:
        refuse_taken_name(state, name)
        _refuse_shared_output(state, name, in_place, open_places)
        places = open_places(in_place)
        refuse_used_output(places.output)
        notice = refuse_listed(places, in_place, FolderBefore())
        record = enter_folder(state, name, in_place)
        try:
            claim_output(state, record, places.output)
        except BaseException:
            remove_folder(state, record)
            raise
    return "; ".join(filter(None, (notice, notice_of_namespace(in_place))))


@contextmanager
def _settings_in_place(
    settings: FolderSettings, open_places: OpenPlaces
) -> Iterator[FolderSettings]:
    """Yield settings with absolute paths, checked, with their output folder made.

    A folder that was made is removed again where the block fails.

    Raises
    ------
    ConfigError, OntologyError, StorageError
        The settings cannot be used.
    """
    settings = replace(
        settings,
        storage_path=_absolute(settings.storage_path),
        output=_absolute(settings.output),
    )
    check_settings(settings)
    new_folders: list[Path] = []
    if "://" not in settings.output:
        # A missing storage path must leave no folder behind.
        open_places(replace(settings, output=settings.storage_path))
        new_folders = _make_folder(Path(settings.output))
    try:
        places = open_places(settings)
        output_folder(places.storage, places.output)
        yield FolderSettings.from_json(settings.to_json())
    except BaseException:
        for folder in new_folders:
            with suppress(OSError):  # another process has put something into it
                folder.rmdir()
        raise


def _refuse_shared_output(
    state: State, name: str, settings: FolderSettings, open_places: OpenPlaces
) -> None:
    """Refuse an output in which another folder's syncs write and delete.

    Raises
    ------
    ConfigError
        The output is another folder's, or one lies in the other.
    """
    output = open_places(settings).output
    for other in list_folders(state, deleted=True):
        if other.name == name:
            continue  # `refuse_taken_name` reports this case
        try:
            other_output = open_places(other.settings).output
        except (ConfigError, StorageError):
            continue  # it does not exist, so no sync writes to it
        if overlap(output, other_output):
            raise ConfigError(
                f"the output {settings.output!r} is that of the folder {other.name!r}, or one lies in "
                "the other: they would write over each other's label rows; give another"
            )


def _absolute(path: str) -> str:
    return without_default_port(path) if "://" in path else str(Path(path).absolute())


def _make_folder(path: Path) -> list[Path]:
    """Make a folder and its parents; return the folders that were missing, the innermost first."""
    new = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(str(path), error) from error
    return new


def check_settings(settings: FolderSettings) -> None:
    """Refuse a schema, ontology or class map that cannot be used before anything is synced.

    Raises
    ------
    ConfigError, OntologyError
        A schema, ontology or class map cannot be used.
    """
    if settings.metadata_schema is not None:
        check_schema(settings.metadata_schema)
    if settings.format is not None:
        make_folder_converter(settings, "check://")
