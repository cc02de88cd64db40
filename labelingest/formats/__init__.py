"""Formats of labels: one value for each says all about it, and the list is here.

A format is added by its value, a line in `FORMATS`, and the modules that the value names. Wherever a
name is accepted, a value of `Format` is accepted too, so that formats need not be in the list.
Packages below `config` and `pipeline` are handed the value; they never compare names.
"""

from labelingest.errors import ConfigError
from labelingest.formats.coco import COCO
from labelingest.formats.encord import ENCORD
from labelingest.formats.format import Format
from labelingest.formats.parquet import PARQUET
from labelingest.formats.yolo import YOLO

__all__ = [
    "DEFAULT_SOURCE",
    "DEFAULT_TARGET",
    "FORMATS",
    "UNDECLARED",
    "Format",
    "declared_pairing",
    "source_format",
    "source_format_paired",
    "source_names",
    "target_format",
    "target_names",
]

FORMATS: tuple[Format, ...] = (ENCORD, YOLO, COCO, PARQUET)
"""All formats of the package, in the order in which they are listed for people."""
UNDECLARED = "auto"
"""Value of an option for sidecars whose format the patterns, the suffix or the files decide."""
DEFAULT_SOURCE = YOLO.name
"""Format of sidecars that are converted in memory, unless another is named."""
DEFAULT_TARGET = ENCORD.name
"""Format of outputs, unless another is named."""


def source_names() -> list[str]:
    """Return the names of the formats that are read."""
    return [format.name for format in FORMATS if format.is_read]


def target_names() -> list[str]:
    """Return the names of the formats that are written."""
    return [format.name for format in FORMATS if format.is_written]


def source_format(format: str | Format) -> Format:
    """Return the format of sidecars with a name; a value is returned as it is.

    Raises
    ------
    ConfigError
        No format that is read has the name.

    Examples
    --------
    >>> source_format("yolo").title
    'YOLO'
    >>> source_format("coco")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: 'coco' is none of encord, yolo
    """
    return _named(format, [choice for choice in FORMATS if choice.is_read])


def target_format(format: str | Format) -> Format:
    """Return the format of outputs with a name; a value is returned as it is.

    Raises
    ------
    ConfigError
        No format that is written has the name.

    Examples
    --------
    >>> target_format("coco").endings
    ('.json',)
    """
    return _named(format, [choice for choice in FORMATS if choice.is_written])


def _named(format: str | Format, choices: list[Format]) -> Format:
    if isinstance(format, Format):
        return format
    for choice in choices:
        if choice.name == format:
            return choice
    raise ConfigError(f"{format!r} is none of {', '.join(choice.name for choice in choices)}")


def declared_pairing(format: str) -> bool | None:
    """Return whether sidecars of a format pair by a suffix; None where the format is not declared.

    Examples
    --------
    >>> declared_pairing("encord"), declared_pairing("yolo"), declared_pairing(UNDECLARED)
    (True, False, None)
    """
    return None if format == UNDECLARED else source_format(format).pairs_by_suffix


def source_format_paired(*, by_suffix: bool) -> Format:
    """Return the format of sidecars that are found by a suffix, or by patterns."""
    return next(
        format for format in FORMATS if format.is_read and format.pairs_by_suffix == by_suffix
    )
