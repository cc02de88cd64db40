"""Temporary output of a measured run: its name, and the folder that it is made in."""

from pathlib import Path
from tempfile import gettempdir
from typing import Final

from labelingest.config import IngestConfig
from labelingest.errors import ConfigError
from labelingest.formats import target_format
from labelingest.storage import open_storage
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.local.real_paths import real_path

__all__ = ["output_name", "output_parent"]

_TREE: Final = "label_rows"
"""Name of a folder for one file for each data file."""


def output_name(config: IngestConfig) -> str:
    """Return the name of the output: the name of `out`, whose ending decides the kind."""
    usual = _TREE if config.beside else target_format(config.to).sample_output
    name = Path(config.out or usual).name
    return name if name.strip(".") else "out"


def output_parent(folder: str | None, config: IngestConfig) -> str:
    """Return the folder in which temporary outputs are made.

    Parameters
    ----------
    folder
        The folder that the caller wants; None for the system's.
    config
        The run that is measured.

    Raises
    ------
    ConfigError
        The path is no folder, or is inside the storage path.
    """
    folder = folder or gettempdir()
    if not Path(folder).is_dir():
        raise ConfigError(f"out-folder {folder!r} is no folder: make it, or leave it out")
    storage = open_storage(config.storage_path)
    if isinstance(storage, LocalStorage):
        root = real_path(storage.root)
        if real_path(folder).is_relative_to(root):
            raise ConfigError(
                f"out-folder {folder!r} is inside the storage path, into which nothing is written: "
                "give one outside"
            )
    return folder
