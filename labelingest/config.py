"""The configuration of a run: validated once, here; everything below trusts it.

The same names serve as keyword arguments, as keys of a TOML file and (with dashes) as flags of the
command line. A key that is not known is refused with the nearest one that is.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from labelingest.documents.hand_written import own_message
from labelingest.errors import ConfigError
from labelingest.formats import FORMATS, Format, target_format
from labelingest.model.authors import is_email
from labelingest.resolution.class_numbers import class_number
from labelingest.resolution.overrides import parse_overrides
from labelingest.small_files import read_small
from labelingest.storage.base import MAX_SIDECAR
from labelingest.storage.urls import parse_url, storage_url_of

__all__ = ["OUTPUTS", "IngestConfig", "load_config"]

OUTPUTS: Final = ("out", "report", "problems", "failed_csv")
"""Fields that name what a run writes."""
_PATHS: Final = ("storage_path", "ontology", *OUTPUTS)
_MOST_BATCH_BYTES: Final = 2**40
_CLASS_NUMBERS: Final = ("namespace", "map")
_MOST_WORKERS: Final = 4096

_EXPECTED: Final[Mapping[str, str]] = {
    **dict.fromkeys(_PATHS, "a path"),
    "images": "one text or a list of texts, as ['images/{name}.jpg']",
    "map": "a table of class numbers and objects, as {7: 'car'}",
    "kpt_shape": "two whole numbers, as [17, 3]",
    "warn_misfit": "a number above 0",
    "follow_symlinks": "true or false",
    "yolo_confidence": "true or false",
    "overwrite": "true or false",
    "restart": "true or false",
    "workers": f"a whole number from 1 to {_MOST_WORKERS:,}",
    "shard_rows": "a whole number from 1 on",
    "max_label_bytes": f"a whole number from 1 to {MAX_SIDECAR:,}",
    "batch_bytes": f"a whole number from 1 to {_MOST_BATCH_BYTES:,}",
}
"""What a field takes, for sentences; a text where it is not said."""


class IngestConfig(BaseModel):
    """What to convert, to what, and how.

    Raises
    ------
    ConfigError
        A key is not known, missing, or its value cannot be; says all that is wrong.

    Examples
    --------
    >>> config = IngestConfig(storage_path="data", ontology="ontology.json")
    >>> config.on_row_error, config.out_of_range
    ('skip', 'clip')
    >>> IngestConfig(storage_path="data", ontology="ontology.json", lables="labels/{name}.txt")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: lables: not known; did you mean labels?
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    storage_path: str
    """The folder with data files and sidecars, or a URL as s3://bucket/prefix/."""
    ontology: str
    """The ontology's JSON file: Encord's structure, bare or as the API returns it."""
    format: Literal["auto", "yolo", "encord"] = "auto"
    """Format of the sidecars; auto: told by the patterns, the suffix, or the files themselves."""
    suffix: str | None = None
    """Suffix of Encord sidecars, as '.encord.json': added to the whole name of the data file."""
    images: tuple[str, ...] = ()
    """Image file patterns, as 'images/{name}.jpg'; none: the usual layouts are recognised."""
    labels: str | None = None
    """Label file pattern, as 'labels/{name}.txt'."""
    namespace: str | None = None
    """Namespace of the external IDs that are class numbers; default YOLO, else the first."""
    map: dict[int, str | None] = Field(default_factory=dict)
    """Class number → object (feature hash or name), instead of its external ID; null removes."""
    row_layout: str = "auto"
    """What the columns are: auto, box, box+confidence, confidence+box, box+track,
    box+confidence+track, polygon, polygon+confidence, corners, corners+confidence, xywhr, pose."""
    kpt_shape: tuple[int, int] | None = None
    """Number of keypoints and of numbers for each, for the row layout pose."""
    on_row_error: Literal["skip", "skip-file", "stop"] = "skip"
    """What a bad row costs: itself, its file, or the run."""
    out_of_range: Literal["clip", "keep", "reject"] = "clip"
    """What happens to geometry that reaches outside the image."""
    on_shape_mismatch: Literal["convert", "reject"] = "convert"
    """What happens to rows whose geometry is not that of the ontology object."""
    duplicate_rows: Literal["keep", "drop"] = "keep"
    """What happens to rows identical to an earlier one of their file."""
    warn_misfit: float = Field(default=0.1, gt=0, allow_inf_nan=False)
    """Part of the longer side by which corners may miss a rectangle without a warning."""
    image_sizes: Literal["needed", "all", "never"] = "needed"
    """Which image headers are read for width and height."""
    max_label_bytes: int = Field(default=64_000_000, ge=1, le=MAX_SIDECAR)
    """Bytes that one YOLO label file may have."""
    metadata_suffix: str | None = None
    """Suffix of custom metadata sidecars, as '.metadata.json': kept out of the data."""
    follow_symlinks: bool = True
    """Follow symbolic links; switch off for folders that are not trusted."""
    storage_url: str | None = None
    """Where the files really live, as s3://bucket/prefix/, when the folder is a copy of it."""
    created_by: str | None = None
    """E-mail address of the labels' author."""
    dataset_title: str = ""
    """Title of the dataset in label rows."""
    to: Literal["encord", "yolo", "coco", "parquet"] = "encord"
    """What the labels become: Encord label rows, YOLO label files, a COCO file, a Parquet table."""
    yolo_layout: Literal["auto", "box", "polygon", "corners"] = "auto"
    """What the rows of YOLO files that are written are; auto: as the shapes of the objects say."""
    yolo_confidence: bool = False
    """Write confidences as the last column of YOLO rows: training tools refuse such rows."""
    out: str | None = None
    """Where they go: FILE.jsonl, FILE.jsonl.zst, or a folder for one sidecar each; for yolo a folder,
    for coco FILE.json, for parquet FILE.parquet."""
    shard_rows: int | None = Field(default=None, ge=1)
    """Label rows in each of several files; out is then a folder, FOLDER.zst for compressed files."""
    report: str | None = None
    """File for the report as JSON."""
    problems: str | None = None
    """File for all problems as JSON Lines."""
    failed_csv: str | None = None
    """File for the list of failed files as CSV."""
    overwrite: bool = False
    """Let outputs replace files that no run wrote; never an input of the run."""
    batch_bytes: int = Field(default=400_000, ge=1, le=_MOST_BATCH_BYTES)
    """About how many bytes of sidecars are converted together; label rows do not depend on it, but
    a compressed file and an interrupted run do."""
    workers: int | None = Field(default=None, ge=1, le=_MOST_WORKERS)
    """Processes that convert; by default one for each core, and one for small folders."""
    engine: str | None = None
    """A cluster that converts instead: dask://host:port or ray://host:port."""
    restart: bool = False
    """Begin anew instead of going on where an interrupted run was."""

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            sentences = [_sentence(dict(detail)) for detail in error.errors()]
            raise ConfigError("\n".join(sentences)) from None

    @field_validator("*", mode="before")
    @classmethod
    def _as_text(cls, value: object, info: ValidationInfo) -> object:
        """Refuse texts that cannot be written as UTF-8; take paths of any kind."""
        if info.field_name in _PATHS:
            value = os.fspath(value) if isinstance(value, os.PathLike) else value
            if value == "":
                raise ValueError("'' is no path; give one, or leave the option out")
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

    @field_validator("map", mode="before")
    @classmethod
    def _from_entries(cls, value: object) -> object:
        """Accept the command line's entries `7=car` beside a table."""
        if isinstance(value, Mapping):
            return _overrides_of(value)
        if isinstance(value, Sequence) and all(isinstance(entry, str) for entry in value):
            return value if isinstance(value, str) else parse_overrides(value)
        return value

    @field_validator(*OUTPUTS)
    @classmethod
    def _on_this_machine(cls, value: str | None) -> str | None:
        if value is not None and "://" in value:
            parse_url(value, "the output")  # refuses what the sentence must not repeat
            raise ValueError(f"{value!r}: outputs are written to this machine; give a path")
        return value

    @field_validator("storage_url")
    @classmethod
    def _in_one_spelling(cls, value: str | None) -> str | None:
        return None if value is None else storage_url_of(value)

    @model_validator(mode="after")
    def _one_file_each(self) -> Self:
        """Refuse two files under one name: the later would replace the earlier, or the input."""
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
            Options say how sidecars of another format are read, or what class numbers mean where
            no numbers are read or written.
        """
        for other in FORMATS:
            if other == source or not other.is_read:
                continue
            numbers = other.needs_class_numbers and not target_format(self.to).needs_class_numbers
            names = (*other.source_options, *(_CLASS_NUMBERS if numbers else ()))
            misplaced = [name for name in names if name in self.model_fields_set]
            if misplaced:
                raise ConfigError(
                    f"{', '.join(misplaced)}: for {other.source_title}, and the sidecars are "
                    f"{source.source_title}; leave out"
                )

    @model_validator(mode="after")
    def _one_engine(self) -> Self:
        if self.engine is not None and self.workers is not None:
            raise ValueError(
                "workers: are processes of this machine, and the cluster of engine has its own; "
                "leave out one of the two"
            )
        return self

    @model_validator(mode="after")
    def _for_the_output(self) -> Self:
        """Refuse options of an output that is not asked for: they would do nothing."""
        for other in FORMATS:
            if other == target_format(self.to):
                continue
            misplaced = [name for name in other.target_options if name in self.model_fields_set]
            if misplaced:
                raise ValueError(f"{', '.join(misplaced)}: for --to {other.name} only; leave out")
        return self

    @field_validator("created_by")
    @classmethod
    def _as_author(cls, value: str | None) -> str | None:
        if value is not None and not is_email(value):
            raise ValueError(f"{value!r} is no e-mail address, as a.person@example.com")
        return value


def _texts(value: object) -> Iterator[str]:
    """Return the texts in a value, those inside lists and tables included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from (*_texts(key), *_texts(item))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _overrides_of(table: Mapping[Any, Any]) -> dict[int, str | None]:
    """Return class number → object of a table; keys may be texts, as in TOML."""
    overrides: dict[int, str | None] = {}
    for key, name in table.items():
        number = class_number(str(key)) if isinstance(key, int | str) else None
        if number is None or isinstance(key, bool):
            raise ValueError(f"{key!r} is no class number; expected a whole number from 0 on")
        if number in overrides:
            raise ValueError(f"class number {number} stands in the table twice; leave one")
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
        hint = f"did you mean {near[0]}?" if near else f"known are {_fields()}"
        return f"{place}: not known; {hint}"
    if detail["type"] == "missing" and len(detail["loc"]) == 1:
        return f"{place}: missing; {IngestConfig.model_fields[place].description}"
    if message := own_message(detail):
        return f"{place}: {message}" if place else message
    # The library's own messages speak of its types; choices alone are said better by it.
    expected = detail.get("ctx", {}).get("expected") or _EXPECTED.get(place, "a text")
    return f"{place}: {detail['input']!r}: expected {expected}"


def _fields() -> str:
    return ", ".join(IngestConfig.model_fields)


def load_config(path: Path) -> dict[str, Any]:
    """Read a TOML file of configuration values; its relative paths are relative to the file.

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
            f"configuration {str(path)!r} is nested too deeply: put its lists and tables into fewer others"
        ) from None
    except ValueError as error:  # that of TOML and of UTF-8, and whole numbers of too many digits
        raise ConfigError(f"configuration {str(path)!r} is not TOML: {error}") from error
    for name in _PATHS:
        value = values.get(name)
        if isinstance(value, str) and value and "://" not in value:
            values[name] = str(path.parent / value)
    return values
