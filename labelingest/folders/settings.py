"""Settings of a synced folder: storage path, output, pairing, labels, metadata, schedule.

The state keeps them as JSON, with the content of the ontology: another machine that shares the
state needs no file, and an edited file changes nothing until a user passes it again. Options of
labels are those of a run, and `labelingest.config` checks them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Self

import orjson

from labelingest.class_lists.class_list import ClassList
from labelingest.config import IngestOptions
from labelingest.errors import ConfigError
from labelingest.folders.decided_layout import layout_in_force, stored_options
from labelingest.folders.state.stored_values import json_object, misfit
from labelingest.formats import source_format, source_names
from labelingest.model.ontology import Ontology, class_number
from labelingest.options import OPTIONS
from labelingest.pairing.rules import PatternRule, SuffixRule, check_suffixes
from labelingest.pipeline.pairing_rule import rule_from_options
from labelingest.problems import is_utf8
from labelingest.readers.yolo.layouts import YoloOptions
from labelingest.resolution.ontology_json import load_ontology
from labelingest.resolution.overrides import merge_overrides
from labelingest.resolution.wording import quoted
from labelingest.small_files import read_small
from labelingest.storage.urls import looks_like_url, parse_url

__all__ = [
    "LABEL_OPTIONS",
    "FolderSettings",
    "read_json",
    "refuse_undecodable",
    "replaced_patterns",
]

LABEL_OPTIONS: Final = tuple(option.name for option in OPTIONS if option.is_label_option)
"""Options of `IngestConfig` that a folder stores with its labels."""
_AUTO_LAYOUT: Final = IngestOptions.model_fields["row_layout"].default
"""Row layout of a folder whose syncs decide it."""
_MOST_HOURS: Final = 8_760
"""Hours between scheduled syncs, at most: a year."""
_FIXED: Final = ("storage_path", "output", "follow_symlinks")
"""Settings that cannot change: the state of a folder is about one storage path and one output."""


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """Settings of one folder.

    Raises
    ------
    ConfigError
        A setting is invalid, or settings contradict each other.

    Examples
    --------
    >>> FolderSettings("/data/drive", "/data/rows", format="encord")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: ontology is missing: label rows are made for one
    >>> FolderSettings("/data/drive", "/data/rows", metadata_suffix=".metadata.json").rule is None
    True
    """

    storage_path: str
    """Storage path: an absolute path or a URL; cannot be changed."""
    output: str
    """Output of label rows: an absolute path or a URL; cannot be changed."""
    description: str = ""
    """Description of the folder, for people."""
    auto_sync_hours: float | None = None
    """Hours between scheduled syncs; None for no schedule."""
    format: str | None = None
    """Format of label sidecars, "encord" or "yolo"; None for a folder without labels."""
    ontology: Mapping[str, Any] | None = None
    """Decoded JSON of the ontology; None for a folder without labels."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options among `LABEL_OPTIONS` that differ from their default."""
    class_list: Mapping[str, Any] | None = None
    """Class list of all label files: `source`, `names` by class number, and `kpt_shape` and `task`
    where the file has them; None for the nearest."""
    decided_layout: Mapping[str, Any] | None = None
    """Row layout that a sync decided from the rows, with its evidence; None before that."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Setting → absolute path of the file that it was read from: inside the storage path no data."""
    metadata_suffix: str | None = None
    """Suffix of metadata sidecars; None for a folder without metadata."""
    metadata_paused: bool = False
    """Whether syncs recognise metadata sidecars, but do not attach them."""
    metadata_schema: Mapping[str, Any] | None = None
    """Decoded JSON of the metadata schema; None allows any value."""
    integration: str | None = None
    """Integration to reach cloud storage; None for the environment."""
    output_integration: str | None = None
    """Integration for the output, if it differs from that of the storage path."""
    follow_symlinks: bool = True
    """Whether listings of the storage path follow symbolic links; cannot be changed."""
    checksum: bool = False
    """Whether syncs compare contents where size and time are equal, or only the time differs."""
    allow_mass_delete: bool = False
    """Whether one sync makes deletions that it would withhold for their number; then it is withdrawn."""

    def __post_init__(self) -> None:
        refuse_undecodable("", {named.name: getattr(self, named.name) for named in fields(self)})
        for name in ("storage_path", "output"):
            if looks_like_url(getattr(self, name)):
                # Before the state keeps it: a URL with a credential is refused.
                parse_url(getattr(self, name), name)
        hours = self.auto_sync_hours
        if hours is not None and not 0 < hours <= _MOST_HOURS:
            raise ConfigError(
                f"auto_sync_hours: {hours!r}: expected a number above 0 and up to {_MOST_HOURS:,} (a "
                "year), as 24"
            )
        if self.format not in {None, *source_names()}:
            raise ConfigError(
                f"format {self.format!r}: a folder keeps one, expected {' or '.join(source_names())}"
            )
        if self.format is None:
            if self.ontology is not None or self.options:
                names = ", ".join(("ontology", *self.options) if self.ontology else self.options)
                raise ConfigError(
                    f"{names}: for label files; say which there are: --format encord for sidecars, or "
                    "--images PATTERN --labels PATTERN for YOLO files (labelingest pair STORAGE_PATH "
                    "prints the patterns of the usual layouts)"
                )
        elif self.ontology is None:
            raise ConfigError("ontology is missing: label rows are made for one")
        self._check_stored_values()
        if self.metadata_suffix is None and (self.metadata_paused or self.metadata_schema):
            raise ConfigError("metadata_suffix is missing: say how metadata sidecars are called")
        rule, metadata = self.rule, self.metadata_rule
        if rule is not None and metadata is not None:
            check_suffixes(rule, metadata)

    def _check_stored_values(self) -> None:
        """Refuse a class list or a row layout that no label files can have."""
        if self.decided_layout is not None:
            stored_options(self.decided_layout)
        if self.named_list is None:
            return
        if self.format is None or not source_format(self.format).needs_class_numbers:
            raise ConfigError("class_list: for YOLO label files, and this folder takes in none")
        if self.options.get("no_class_list"):
            raise ConfigError("class_list and no_class_list contradict each other; leave out one")

    @property
    def config(self) -> IngestOptions:
        """Options of a run with these settings."""
        options = {**self.options, "format": self.format or "auto"}
        return IngestOptions(
            storage_path=self.storage_path,
            follow_symlinks=self.follow_symlinks,
            **options,
        )

    @property
    def layout(self) -> YoloOptions:
        """Row layout of YOLO label files: the declared one, else the decided one."""
        return layout_in_force(self.config, self.decided_layout)

    @property
    def rule(self) -> PatternRule | SuffixRule | None:
        """Pairing rule of label sidecars; None for a folder without labels."""
        if self.format is None:
            return None
        config = self.config
        rule = rule_from_options(
            format=config.format, suffix=config.suffix, images=config.images, labels=config.labels
        )
        if rule is None:
            raise ConfigError(
                "images and labels are missing: say how files pair, as "
                "--images 'images/{name}.jpg' --labels 'labels/{name}.txt'"
            )
        return rule

    @property
    def named_list(self) -> ClassList | None:
        """Class list of all label files; None where each has the nearest."""
        return None if self.class_list is None else _class_list(self.class_list)

    @property
    def metadata_rule(self) -> SuffixRule | None:
        """Pairing rule of metadata sidecars; None for a folder without metadata."""
        return None if self.metadata_suffix is None else SuffixRule(self.metadata_suffix)

    def load_ontology(self) -> Ontology:
        """Return the ontology, parsed.

        Raises
        ------
        ConfigError, OntologyError
            The folder has no ontology, or the ontology is invalid.
        """
        if self.ontology is None:
            raise ConfigError("this folder takes in no labels: it has no ontology")
        return load_ontology(self.ontology)

    def changed(self, *, unmap: Sequence[int] = (), **values: Any) -> Self:
        """Return changed settings; options are merged, and None resets one to its default.

        Parameters
        ----------
        unmap
            Class numbers whose override is taken back: their external IDs count again.
        values
            Fields to change. Overrides of the option `map` are merged number by number.

        Raises
        ------
        ConfigError
            A setting cannot be changed, or the result is invalid.

        Examples
        --------
        >>> folder = FolderSettings("/data/drive", "/data/rows")
        >>> folder.changed(description="morning").description
        'morning'
        >>> folder.changed(storage_path="/data/other")
        Traceback (most recent call last):
        labelingest.errors.ConfigError: storage_path cannot be changed: create another folder
        """
        for name in _FIXED:
            if values.get(name, getattr(self, name)) != getattr(self, name):
                raise ConfigError(f"{name} cannot be changed: create another folder")
        if self.format is not None and values.get("format", self.format) != self.format:
            raise ConfigError("format cannot be changed once it is set: create another folder")
        changed_options = values.pop("options", {})
        options = {**self.options, **changed_options}
        if changed_options.get("map") is not None or unmap:
            # One override changes one number.
            merged_map = merge_overrides(
                self._overrides(self.options), self._overrides(changed_options), unmap
            )
            options["map"] = merged_map or None
        if "row_layout" in changed_options:
            values["decided_layout"] = None
            if changed_options["row_layout"] == _AUTO_LAYOUT:
                # A default is not stored, and keypoints belong to the layout before it.
                options |= {"row_layout": None, "kpt_shape": changed_options.get("kpt_shape")}
        merged = {name: value for name, value in options.items() if value is not None}
        files = {**self.files, **values.pop("files", {})}
        read = {name: path for name, path in files.items() if path}
        return replace(self, options=merged, files=read, **values)

    def _overrides(self, options: Mapping[str, Any]) -> Mapping[int, str | None]:
        """Return the overrides among options, whichever way they are written."""
        overrides = options.get("map")
        if overrides is None:
            return {}
        return IngestOptions(storage_path=self.storage_path, map=overrides).map

    def to_json(self) -> str:
        """Return the settings as JSON for the state."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return orjson.dumps(values, option=orjson.OPT_NON_STR_KEYS).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the settings of a JSON text.

        Raises
        ------
        ConfigError
            The text has no settings, or invalid ones.

        Examples
        --------
        >>> settings = FolderSettings("/data/drive", "/data/rows", auto_sync_hours=24)
        >>> FolderSettings.from_json(settings.to_json()) == settings
        True
        """
        try:
            values = json_object(text)
        except ValueError as error:
            raise ConfigError(f"they are no JSON ({error})") from error
        if (why := misfit(cls, values)) is not None:
            raise ConfigError(why)
        return cls(**values)


def replaced_patterns(before: FolderSettings, after: FolderSettings) -> str:
    """Return a notice of image file patterns that other patterns replaced; "" for none.

    Examples
    --------
    >>> before, after = (
    ...     FolderSettings("/d", "/rows", format="yolo", ontology={}, options=options)
    ...     for options in (
    ...         {"images": ["{n}.jpg", "{n}.png"], "labels": "{n}.txt"},
    ...         {"images": ["{n}.png"], "labels": "{n}.txt"},
    ...     )
    ... )
    >>> replaced_patterns(before, after)
    "image file patterns are replaced as a whole: '{n}.jpg' is no longer one of them"
    """
    earlier, later = (settings.options.get("images") or () for settings in (before, after))
    dropped = [pattern for pattern in earlier if later and pattern not in later]
    if not dropped:
        return ""
    verb = "is no longer one of them" if len(dropped) == 1 else "are no longer among them"
    return f"image file patterns are replaced as a whole: {quoted(dropped)} {verb}"


def _class_list(values: Mapping[str, Any]) -> ClassList:
    """Return the class list of settings.

    Raises
    ------
    ConfigError
        The setting has no source, or no names by class number, or an invalid `kpt_shape` or `task`.
    """
    source, names = values.get("source"), values.get("names")
    numbered: dict[int, str] = {}
    for text, name in names.items() if isinstance(names, Mapping) else ():
        number = class_number(str(text))
        if number is None or not isinstance(name, str):
            raise ConfigError(f"class_list: {text!r}: expected a class number and its name")
        numbered[number] = name
    if not isinstance(source, str) or not numbered:
        raise ConfigError("class_list: expected 'source', and 'names' by class number")
    shape, task = values.get("kpt_shape"), values.get("task")
    if shape is not None and not (
        isinstance(shape, list | tuple) and [type(number) for number in shape] == [int, int]
    ):
        raise ConfigError("class_list: expected two whole numbers as 'kpt_shape'")
    if task is not None and not isinstance(task, str):
        raise ConfigError("class_list: expected a text as 'task'")
    kpt_shape = None if shape is None else (shape[0], shape[1])
    return ClassList(source, dict(sorted(numbered.items())), kpt_shape=kpt_shape, task=task)


def refuse_undecodable(name: str, value: object) -> None:
    """Refuse texts of undecodable bytes: a state keeps UTF-8.

    Parameters
    ----------
    name
        Name of the value for the message; "" for a mapping whose keys are names.
    value
        Text, or a container of texts.

    Raises
    ------
    ConfigError
        A text is not UTF-8.
    """
    if isinstance(value, str) and not is_utf8(value):
        raise ConfigError(f"{name}: {value!r} is not UTF-8; rename it or write it as UTF-8")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            refuse_undecodable(name, key)
            refuse_undecodable(str(key) if name in ("", "options", "integration") else name, inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            refuse_undecodable(name, inner)


def read_json(path: str, what: str) -> Mapping[str, Any]:
    """Read a file that holds one JSON object.

    Raises
    ------
    ConfigError
        The file cannot be read, or holds something else.
    """
    try:
        value = orjson.loads(read_small(path))
    except OSError as error:
        raise ConfigError(f"{what} {path!r} cannot be read: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{what} {path!r} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{what} {path!r} is no JSON object")
    return value
