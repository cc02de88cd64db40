"""Settings of a folder from what was given on the command line."""

from collections.abc import Mapping
from typing import Any, Final

from labelingest.errors import ConfigError
from labelingest.folders.settings import LABEL_OPTIONS, FolderSettings, read_json
from labelingest.resolution.class_map import parse_overrides

__all__ = ["changes_of", "settings_of"]

_HOURS: Final = 24.0
_AS_GIVEN: Final = (
    *("storage_path", "output", "description", "format", "follow_symlinks"),
    *("integration", "output_integration", "metadata_suffix", "metadata_paused"),
)


def settings_of(params: Mapping[str, Any]) -> FolderSettings:
    """Return the settings of a new folder.

    Raises
    ------
    ConfigError
        They mean nothing, or a file cannot be read.
    """
    values = changes_of(params)
    if params.get("format") is None and (params.get("images") or params.get("labels")):
        values["format"] = "yolo"
    elif params.get("format") is None and params.get("suffix"):
        values["format"] = "encord"
    return FolderSettings(**values)


def changes_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return those settings that were given.

    Raises
    ------
    ConfigError
        They contradict each other, or a file cannot be read.
    """
    values = {name: params[name] for name in _AS_GIVEN if params.get(name) is not None}
    for name in ("ontology", "metadata_schema"):
        if params.get(name) is not None:
            values[name] = read_json(params[name], name.replace("_", " "))
    options = {name: params[name] for name in LABEL_OPTIONS if params.get(name)}
    if "map" in options:
        options["map"] = parse_overrides(options["map"])
    if options:
        values["options"] = options
    return values | _schedule(params.get("auto_sync"), params.get("auto_sync_hours"))


def _schedule(on: bool | None, hours: float | None) -> dict[str, float | None]:
    if on is False:
        if hours is not None:
            raise ConfigError("auto-sync-hours and no-auto-sync contradict each other")
        return {"auto_sync_hours": None}
    if hours is None and on is None:
        return {}
    return {"auto_sync_hours": _HOURS if hours is None else hours}
