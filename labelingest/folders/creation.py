"""What is checked and made before a folder exists: its settings, its output folder.

A creation that fails leaves no folder behind. This module writes nothing into the state.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from labelingest.errors import ConfigError, StorageError
from labelingest.folders.converter import make_folder_converter
from labelingest.folders.locations import OpenPlaces, output_folder, overlap
from labelingest.folders.settings import FolderSettings
from labelingest.folders.state.database import State
from labelingest.folders.state.folders import list_folders
from labelingest.folders.sync.custom_metadata import check_schema
from labelingest.storage.os_errors import cannot_write

__all__ = ["check_settings", "refuse_shared_output", "settings_in_place"]


@contextmanager
def settings_in_place(settings: FolderSettings, opener: OpenPlaces) -> Iterator[FolderSettings]:
    """Yield settings with absolute paths; make the output folder; check all that can be.

    A folder that was made for nothing, because the block fails, is removed again.

    Parameters
    ----------
    settings
        As given.
    opener
        Opens their places.

    Raises
    ------
    ConfigError, OntologyError, StorageError
        They cannot be used.
    """
    settings = replace(
        settings,
        storage_path=_absolute(settings.storage_path),
        output=_absolute(settings.output),
    )
    check_settings(settings)
    new_folders: list[Path] = []
    if "://" not in settings.output:
        # A storage path that is not there shall leave no folder behind.
        opener(replace(settings, output=settings.storage_path))
        new_folders = _make_folder(Path(settings.output))
    try:
        places = opener(settings)
        output_folder(places.storage, places.output)
        yield FolderSettings.from_json(settings.to_json())
    except BaseException:
        for folder in new_folders:
            with suppress(OSError):  # another process has put something into it
                folder.rmdir()
        raise


def refuse_shared_output(
    state: State, name: str, settings: FolderSettings, opener: OpenPlaces
) -> None:
    """Refuse an output in which another folder's syncs write and delete.

    Raises
    ------
    ConfigError
        The output is another folder's, or one lies in the other.
    """
    output = opener(settings).output
    for other in list_folders(state, deleted=True):
        if other.name == name:
            continue  # that the name is taken is said elsewhere
        try:
            other_output = opener(other.settings).output
        except (ConfigError, StorageError):
            continue  # it does not exist, so no sync writes to it
        if overlap(output, other_output):
            raise ConfigError(
                f"the output {settings.output!r} is that of the folder {other.name!r}, or one lies in "
                "the other: they would write over each other's label rows; give another"
            )


def _absolute(path: str) -> str:
    return path if "://" in path else str(Path(path).absolute())


def _make_folder(path: Path) -> list[Path]:
    """Make a folder; return those that were not there, the innermost first."""
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
        One cannot be used.
    """
    if settings.metadata_schema is not None:
        check_schema(settings.metadata_schema)
    if settings.format is not None:
        make_folder_converter(settings, "check://")
