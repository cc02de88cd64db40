"""The configuration of a run: validated once, here; everything below trusts it.

The same names serve as keyword arguments, as keys of a TOML file and (with dashes) as flags of the
command line. A key that is not known is refused with the nearest one that is.
"""

import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from labelingest.errors import ConfigError
from labelingest.resolution.class_map import parse_overrides

__all__ = ["OUTPUTS", "IngestConfig", "load_config"]

OUTPUTS: Final = ("out", "report", "problems", "failed_csv")
"""Fields that name what a run writes."""
_PATHS: Final = ("storage_path", "ontology", *OUTPUTS)


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
    """The folder with data files and sidecars."""
    ontology: str
    """The ontology's JSON file: Encord's structure, bare or as the API returns it."""
    format: Literal["yolo"] = "yolo"
    """Format of the sidecars."""
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
    out: str | None = None
    """Where label rows go: FILE.jsonl, or a folder for one sidecar each."""
    report: str | None = None
    """File for the report as JSON."""
    problems: str | None = None
    """File for all problems as JSON Lines."""
    failed_csv: str | None = None
    """File for the list of failed files as CSV."""
    batch_bytes: int = Field(default=400_000, ge=1)
    """About how many bytes of sidecars are converted together; the result does not depend on it."""

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            sentences = [_sentence(dict(detail)) for detail in error.errors()]
            raise ConfigError("\n".join(sentences)) from None

    @field_validator("map", mode="before")
    @classmethod
    def _from_entries(cls, value: object) -> object:
        """Accept the command line's entries `7=car` beside a table."""
        if isinstance(value, Sequence) and not isinstance(value, str):
            return parse_overrides(value)
        # TOML has no null: an empty name removes the entry.
        return {k: v or None for k, v in value.items()} if isinstance(value, Mapping) else value

    @field_validator("storage_url")
    @classmethod
    def _with_slash(cls, value: str | None) -> str | None:
        return value if value is None or value.endswith("/") else f"{value}/"

    @model_validator(mode="after")
    def _one_file_each(self) -> Self:
        """Refuse two files under one name: the later would replace the earlier, or the input."""
        names: dict[Path, str] = {}
        for name in ("storage_path", "ontology", *OUTPUTS):
            value = getattr(self, name)
            if value is None or "://" in value:
                continue
            other = names.setdefault(Path(value).resolve(), name)
            if other != name:
                raise ValueError(f"{other} and {name} are both {value!r}; give each its own path")
        return self


def _sentence(detail: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        near = get_close_matches(place, IngestConfig.model_fields, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {_fields()}"
        return f"{place}: not known; {hint}"
    if detail["type"] == "missing":
        return f"{place}: missing; {IngestConfig.model_fields[place].description}"
    message: str = detail["msg"].removeprefix("Value error, ")
    if not place:
        return message
    return f"{place}: {detail['input']!r}: {message[:1].lower()}{message[1:]}"


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
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"configuration {str(path)!r} cannot be read: {error.strerror}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration {str(path)!r} is not TOML: {error}") from error
    for name in _PATHS:
        value = values.get(name)
        if isinstance(value, str) and "://" not in value:
            values[name] = str(path.parent / value)
    return values
