"""The configuration of a run: validated once, here; all other modules trust it.

The same names serve as keyword arguments, as keys of a TOML file and (with dashes) as flags of the
command line. An unknown key is refused with the nearest known one. Facts about an option that are
more than its type (help, choices in messages, formats concerned) are in `labelingest.options`.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from labelingest.documents.hand_written import own_message
from labelingest.errors import ConfigError
from labelingest.formats import DEFAULT_TARGET, FORMATS, UNDECLARED, Format, target_format
from labelingest.model.authors import is_email
from labelingest.model.ontology import class_number
from labelingest.options import CONFIG_OPTIONS
from labelingest.options.execution import MOST_BATCH_BYTES, MOST_WORKERS
from labelingest.options.set_options import names_set, refuse_options_of_others
from labelingest.resolution.overrides import parse_overrides
from labelingest.small_files import read_small
from labelingest.storage.base import MAX_SIDECAR
from labelingest.storage.urls import (
    is_cloud,
    parse_url,
    place_of,
    storage_url_of,
    without_default_port,
)

__all__ = ["OUTPUTS", "IngestConfig", "IngestOptions", "load_config"]

OUTPUTS: Final = tuple(option.name for option in CONFIG_OPTIONS.values() if option.is_output)
"""Names of the options that name outputs of a run."""
_PATHS: Final = tuple(option.name for option in CONFIG_OPTIONS.values() if option.is_path)


class IngestOptions(BaseModel):
    """All options of a run, without the need for an ontology file.

    Pairing needs no ontology, and a synced folder stores its own.

    Raises
    ------
    ConfigError
        A key is unknown or missing, or a value is invalid. The message names all defects.
    """

    # A run uses one of the two classes: validators are built when a class is first used. Docstrings of
    # fields are for readers of the code: for pydantic to read them takes 20 ms of each start.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    _file: str | None = None
    """Path of the configuration file: an input of the run, and no option."""
    storage_path: str
    """Folder with data files and sidecars, or a URL such as s3://bucket/prefix/."""
    ontology: str | None = None
    """The ontology's JSON file: Encord's structure, bare or as the API returns it."""
    format: str = UNDECLARED
    """Format of the sidecars; `auto` decides by the patterns, the suffix or the files themselves."""
    suffix: str | None = None
    """Suffix of Encord sidecars, such as '.encord.json', added to the whole name of the data file."""
    images: tuple[str, ...] = ()
    """Image file patterns, such as 'images/{name}.jpg'; empty to recognise the usual layouts."""
    labels: str | None = None
    """Label file pattern, such as 'labels/{name}.txt'."""
    namespace: str | None = None
    """Namespace whose external IDs are the class numbers; by default YOLO, or else the first."""
    map: dict[int, str | None] = Field(default_factory=dict)
    """Class number → object (feature hash or name), replacing external IDs; None removes a number."""
    class_list: str | None = None
    """Class list of the label files; by default the nearest at or above each of them."""
    no_class_list: bool = False
    """Compare no class list with the ontology."""
    accept_class_names: bool = False
    """Take the ontology as right where class lists have other names."""
    row_layout: str = "auto"
    """Columns of a YOLO row: auto, columns, box, box+confidence, confidence+box, box+track,
    box+confidence+track, polygon, polygon+confidence, corners, corners+confidence, xywhr,
    xywhr-degrees, pose, box-pixels, polygon-pixels, box+class."""
    kpt_shape: tuple[int, int] | None = None
    """Number of keypoints and of values for each, for the row layout pose."""
    on_row_error: Literal["skip", "skip-file", "stop"] = "skip"
    """Consequence of an invalid row: leave out the row, leave out its file, or stop the run."""
    out_of_range: Literal["clip", "keep", "reject"] = "clip"
    """Treatment of geometry outside the image."""
    snap_edges: bool = False
    """Clip edges that lie less than a millionth of the image outside, too."""
    on_shape_mismatch: Literal["convert", "reject"] = "convert"
    """Treatment of rows whose geometry is not the shape of their ontology object."""
    duplicate_rows: Literal["keep", "drop"] = "keep"
    """Treatment of rows identical to an earlier row of their file."""
    warn_misfit: float = Field(default=0.1, gt=0, allow_inf_nan=False)
    """Distance by which corners may miss a rectangle without a warning, relative to the longer side."""
    image_sizes: Literal["needed", "all", "never"] = "needed"
    """Image headers to read for width and height."""
    max_label_bytes: int = Field(default=64_000_000, ge=1, le=MAX_SIDECAR)
    """Size limit for one YOLO label file, in bytes."""
    metadata_suffix: str | None = None
    """Suffix of custom metadata sidecars, such as '.metadata.json'; they are no data files."""
    follow_symlinks: bool = True
    """Follow symbolic links; turn it off for folders that are not trusted."""
    storage_url: str | None = None
    """URL of the original files, such as s3://bucket/prefix/, when the folder is a copy."""
    created_by: str | None = None
    """E-mail address of the author of the labels."""
    dataset_title: str = ""
    """Title of the dataset in label rows."""
    to: str = DEFAULT_TARGET
    """Output format: the name of a format that is written, or the value of one."""
    yolo_layout: Literal["auto", "box", "polygon", "corners"] = "auto"
    """Row layout of YOLO output; `auto` decides by the shapes of the ontology objects."""
    yolo_confidence: bool = False
    """Write confidences as the last column of YOLO rows; training tools refuse such rows."""
    coco_rotated: Literal["corners", "unrotated"] = "corners"
    """Drawing of rotated boxes in COCO: the ring of their corners, or the box before its rotation."""
    unlabelled: Literal["ignore", "include"] = "ignore"
    """Images without label file in COCO: leave them out, or include them as images without labels."""
    out: str | None = None
    """Output: FILE.jsonl, FILE.jsonl.zst, or a folder for one sidecar per data file; a folder for
    yolo, FILE.json for coco, FILE.parquet for parquet."""
    shard_rows: int | None = Field(default=None, ge=1)
    """Label rows per file; `out` is then a folder of several files, FOLDER.zst for compressed ones."""
    beside: bool = False
    """Write each label row beside its data file, as KEY.encord.json, instead of to `out`."""
    report: str | None = None
    """File for the report as JSON."""
    problems: str | None = None
    """File for all problems as JSON Lines."""
    failed_csv: str | None = None
    """File for the list of failed files as CSV."""
    overwrite: bool = False
    """Replace files that no earlier run wrote; an input of the run is never replaced."""
    batch_bytes: int = Field(default=400_000, ge=1, le=MOST_BATCH_BYTES)
    """Bytes of sidecars converted together; label rows do not depend on it, but compressed files and
    the resuming of a run do."""
    workers: int | None = Field(default=None, ge=1, le=MOST_WORKERS)
    """Worker processes; by default one per core, and one process for small folders."""
    engine: str | None = None
    """Cluster to convert on instead: dask://host:port or ray://host:port."""
    restart: bool = False
    """Start over instead of resuming an interrupted run."""

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            sentences = [_sentence(dict(detail)) for detail in error.errors()]
            raise ConfigError("\n".join(sentences)) from None

    @field_validator("*", mode="before")
    @classmethod
    def _as_text(cls, value: object, info: ValidationInfo) -> object:
        """Refuse texts that cannot be written as UTF-8; accept paths of any type."""
        if info.field_name in _PATHS:
            value = os.fspath(value) if isinstance(value, os.PathLike) else value
            if value == "":
                raise ValueError("'' is no path; set a path, or leave the option out")
        for text in _texts(value):
            # Outputs, links and label rows are UTF-8: these would fail in the middle of a run.
            if not text.isascii() and re.search("[\ud800-\udfff]", text):
                raise ValueError(f"{text!r} is not UTF-8; rename it or write it as UTF-8")
            if "\0" in text:
                raise ValueError(f"{text!r} holds a NUL character; leave it out")
        return value

    @field_validator("images", mode="before")
    @classmethod
    def _from_one(cls, value: object) -> object:
        """Accept one pattern without a list around it."""
        return (value,) if isinstance(value, str) else value

    @field_validator("to", mode="wrap")
    @classmethod
    def _as_format(cls, value: object, validate: Callable[[object], object]) -> object:
        """Accept the value of a format beside the names; only Python callers can pass one."""
        if isinstance(value, Format) and value.is_written:
            return value
        return validate(_choice("to", value))

    @field_validator("format", mode="before")
    @classmethod
    def _of_sidecars(cls, value: object) -> str:
        return _choice("format", value)

    @field_serializer("to")
    def _name_of_format(self, to: str | Format) -> str:
        return target_format(to).name

    @field_validator("map", mode="before")
    @classmethod
    def _from_entries(cls, value: object) -> object:
        """Accept a table, and the entries `7=car` of the command line."""
        if isinstance(value, Mapping):
            return _overrides_of(value)
        if isinstance(value, Sequence) and all(isinstance(entry, str) for entry in value):
            return value if isinstance(value, str) else parse_overrides(value)
        return value

    @field_validator(*OUTPUTS)
    @classmethod
    def _on_this_machine(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None or "://" not in value:
            return value
        parse_url(value, "the output")  # refuses what the sentence must not repeat
        may_be_cloud = info.field_name == "out"
        if may_be_cloud and is_cloud(value):
            place_of(value)  # refuses a URL without a bucket
            return value
        where = ", or a URL as s3://bucket/label_rows.jsonl" if may_be_cloud else ""
        raise ValueError(
            f"{value!r}: {info.field_name} is written to this machine; set a local path{where}"
        )

    @field_validator("storage_path")
    @classmethod
    def _without_default_port(cls, value: str) -> str:
        return without_default_port(value)

    @field_validator("storage_url")
    @classmethod
    def _in_one_spelling(cls, value: str | None) -> str | None:
        return None if value is None else storage_url_of(value, "the text")

    @model_validator(mode="after")
    def _one_file_each(self) -> Self:
        """Refuse two files under one name: the second would replace the first, or the input."""
        names: dict[str, str] = {}
        for name in _PATHS:
            value = getattr(self, name)
            if value is None or "://" in value:
                continue
            other = names.setdefault(os.path.realpath(value), name)
            if other != name:
                raise ValueError(f"{other} and {name} are both {value!r}; give each its own path")
        return self

    def refuse_options_of_others(self, source: Format) -> None:
        """Refuse options of sidecars of another format than those that are read.

        Parameters
        ----------
        source
            Format of the sidecars.

        Raises
        ------
        ConfigError
            An option was set that would have no effect: it concerns sidecars of another format, or
            class numbers, and none are read or written.
        """
        refuse_options_of_others(self.model_fields_set, self.to, source)

    @model_validator(mode="after")
    def _one_answer(self) -> Self:
        if self.class_list is not None and self.no_class_list:
            raise ValueError("class_list and no_class_list contradict each other; leave out one")
        return self

    @model_validator(mode="after")
    def _one_engine(self) -> Self:
        if self.engine is not None and self.workers is not None:
            raise ValueError(
                "workers: are processes of this machine, and the cluster of engine has its own; "
                "leave out one of the two"
            )
        return self

    @model_validator(mode="after")
    def _of_the_output_format(self) -> Self:
        """Refuse options that concern another output format: they would have no effect."""
        for other in FORMATS:
            if other == target_format(self.to):
                continue
            misplaced = names_set(self.model_fields_set, target=other.name)
            if misplaced:
                raise ValueError(f"{', '.join(misplaced)}: for --to {other.name} only; leave out")
        return self

    @field_validator("created_by")
    @classmethod
    def _as_author(cls, value: str | None) -> str | None:
        if value is not None and not is_email(value):
            raise ValueError(f"{value!r} is no e-mail address such as a.person@example.com")
        return value

    @property
    def file(self) -> str | None:
        """Path of the configuration file; None where the values come from elsewhere."""
        return self._file

    def noting_file(self, path: str) -> Self:
        """Return the configuration with the path of the file that it was read from."""
        noted = self.model_copy()
        noted._file = path
        return noted


class IngestConfig(IngestOptions):
    """The configuration of a run: files to convert, their conversion, and the output.

    Raises
    ------
    ConfigError
        A key is unknown or missing, or a value is invalid. The message names all defects.

    Examples
    --------
    >>> config = IngestConfig(storage_path="data", ontology="ontology.json")
    >>> config.on_row_error, config.out_of_range
    ('skip', 'clip')
    >>> IngestConfig(storage_path="data", ontology="ontology.json", lables="labels/{name}.txt")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: lables: not known; did you mean labels?
    """

    ontology: str
    """The ontology's JSON file: Encord's structure, bare or as the API returns it."""

    def __init__(self, **values: Any) -> None:
        # Without it, type checkers would see a signature that takes neither paths nor lists.
        super().__init__(**values)


def _choice(name: str, value: object) -> str:
    """Return the name of a format that is among the choices of an option."""
    choices = CONFIG_OPTIONS[name].choices
    if not isinstance(value, str) or value not in choices:
        words = [*map(repr, choices)]
        raise ValueError(f"{value!r}: expected {', '.join(words[:-1])} or {words[-1]}")
    return value


def _texts(value: object) -> Iterator[str]:
    """Yield the texts of a value, also those inside lists and tables."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from (*_texts(key), *_texts(item))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _overrides_of(table: Mapping[Any, Any]) -> dict[int, str | None]:
    """Return class number → object; keys of the table may be texts, as in TOML."""
    overrides: dict[int, str | None] = {}
    for key, name in table.items():
        number = class_number(str(key)) if isinstance(key, int | str) else None
        if number is None or isinstance(key, bool):
            raise ValueError(f"{key!r}: expected a class number, a whole number from 0 on")
        if number in overrides:
            raise ValueError(
                f"class number {number} is in the table twice; remove one of the entries"
            )
        if name is not None and not isinstance(name, str):
            raise ValueError(
                f"{name!r} for class number {number}: expected the feature hash or name of an "
                "object as text; an empty text removes the number"
            )
        # TOML has no null: an empty name removes the entry.
        overrides[number] = name or None
    return overrides


def _sentence(detail: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in detail["loc"][:1])
    if detail["type"] == "extra_forbidden":
        near = get_close_matches(place, IngestConfig.model_fields, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known options are {_fields()}"
        return f"{place}: not known; {hint}"
    if detail["type"] == "missing" and len(detail["loc"]) == 1:
        option = CONFIG_OPTIONS[place]
        flag = option.flag if option.is_positional else f"{option.flag} {option.metavar}"
        return f"{place}: missing; give {flag}: {option.help[0].lower()}{option.help[1:]}"
    if message := own_message(detail):
        return f"{place}: {message}" if place else message
    # pydantic's own messages name Python types; only its list of choices is good for people.
    expected = detail.get("ctx", {}).get("expected") or CONFIG_OPTIONS[place].expected
    return f"{place}: {detail['input']!r}: expected {expected}"


def _fields() -> str:
    return ", ".join(IngestConfig.model_fields)


def load_config(path: Path) -> dict[str, Any]:
    """Read a TOML file of configuration values; relative paths start from the file's folder.

    Raises
    ------
    ConfigError
        The file cannot be read, or is not TOML.
    """
    try:
        values = tomllib.loads(read_small(path).decode("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"configuration {str(path)!r} cannot be read: {error.strerror}"
        ) from error
    except RecursionError:
        raise ConfigError(
            f"configuration {str(path)!r} is nested too deeply: use fewer levels of lists and tables"
        ) from None
    except ValueError as error:  # no TOML, no UTF-8, or a whole number of too many digits
        raise ConfigError(f"configuration {str(path)!r} is not TOML: {error}") from error
    for name in _PATHS:
        value = values.get(name)
        if isinstance(value, str) and value and "://" not in value:
            values[name] = str(path.parent / value)
    return values
