"""Turn the options of the command line into settings of a folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from labelingest.errors import ConfigError
from labelingest.folders.settings import LABEL_OPTIONS, FolderSettings, read_json
from labelingest.model.ontology import class_number
from labelingest.resolution.overrides import parse_overrides

__all__ = ["changes_of", "settings_of"]

_HOURS: Final = 24.0
_NOT_GIVEN: Final[Sequence[Any]] = (None, [], ())
_EMPTY: Final[Sequence[Any]] = ("", [""], ("",))
_AS_GIVEN: Final = (
    *("storage_path", "output", "description", "format", "follow_symlinks"),
    *("integration", "output_integration", "metadata_suffix", "metadata_paused", "checksum"),
    *("allow_mass_delete", "accept_class_changes"),
)
_FROM_FILES: Final = ("ontology", "metadata_schema", "class_list")
"""Settings that are read from files: inside the storage path these are no data."""
_NO_METADATA: Final = {"metadata_suffix": None, "metadata_paused": False, "metadata_schema": None}


def settings_of(params: Mapping[str, Any]) -> FolderSettings:
    """Return the settings of a new folder.

    Raises
    ------
    ConfigError
        The settings are invalid, or a file cannot be read.
    """
    values = changes_of(params)
    options = values.pop("options", {})
    set_options = {name: value for name, value in options.items() if value is not None}
    values["files"] = {name: path for name, path in values.get("files", {}).items() if path}
    return FolderSettings(**values, options=set_options)


def changes_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that were set; an empty value resets one to its default.

    Raises
    ------
    ConfigError
        The options contradict each other, or a file cannot be read.
    """
    values = {name: params[name] for name in _AS_GIVEN if params.get(name) is not None}
    for name in ("integration", "output_integration"):
        if values.get(name) == "":
            values[name] = None
    for name in ("ontology", "metadata_schema"):
        if params.get(name) is not None:
            values[name] = read_json(params[name], name.replace("_", " ")) if params[name] else None
    if params.get("class_list") is not None:
        values["class_list"] = _class_list(params["class_list"])
    files = {name: params[name] for name in _FROM_FILES if params.get(name) is not None}
    if files:
        values["files"] = {
            name: path and str(Path(path).absolute()) for name, path in files.items()
        }
    if params.get("no_metadata"):
        values |= _without_metadata(values)
    return (
        values | _labels(params) | _schedule(params.get("auto_sync"), params.get("auto_sync_hours"))
    )


def _class_list(path: str) -> dict[str, Any] | None:
    """Return the class list in a file as a folder keeps it; None for no path."""
    if not path:
        return None
    from labelingest.class_lists.read import load_class_list

    class_list = load_class_list(path)
    values = {"source": path, "names": {str(n): name for n, name in class_list.names.items()}}
    shape = class_list.kpt_shape
    about_rows = {"kpt_shape": None if shape is None else list(shape), "task": class_list.task}
    return values | {name: value for name, value in about_rows.items() if value is not None}


def _without_metadata(changes: Mapping[str, Any]) -> dict[str, Any]:
    for name in _NO_METADATA:
        if changes.get(name):
            option = "pause-metadata" if name == "metadata_paused" else name.replace("_", "-")
            raise ConfigError(f"{option} and no-metadata contradict each other")
    return dict(_NO_METADATA)


def _labels(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the label options, and the format where they determine it."""
    options = {name: params[name] for name in LABEL_OPTIONS if params.get(name) not in _NOT_GIVEN}
    options = {name: None if value in _EMPTY else value for name, value in options.items()}
    if options.get("map") is not None:
        options["map"] = parse_overrides(options["map"])
    values: dict[str, Any] = {"options": options} if options else {}
    if params.get("unmap"):
        values["unmap"] = [_class_number(text) for text in params["unmap"]]
    if params.get("format") is None:
        if options.get("images") or options.get("labels"):
            values["format"] = "yolo"
        elif options.get("suffix"):
            values["format"] = "encord"
    return values


def _class_number(text: str) -> int:
    number = class_number(text.strip())
    if number is None:
        raise ConfigError(f"unmap {text!r}: expected a class number, as 7")
    return number


def _schedule(is_scheduled: bool | None, hours: float | None) -> dict[str, float | None]:
    if is_scheduled is False:
        if hours is not None:
            raise ConfigError("auto-sync-hours and no-auto-sync contradict each other")
        return {"auto_sync_hours": None}
    if hours is None and is_scheduled is None:
        return {}
    return {"auto_sync_hours": _HOURS if hours is None else hours}
