"""Names of outputs: which a format takes, and what helps where a name does not fit.

Only names are looked at here; what exists under a name is the matter of `labelingest.sinks`.
"""

from pathlib import PurePath
from typing import Final

from labelingest.errors import ConfigError
from labelingest.formats import FORMATS
from labelingest.formats.format import Format

__all__ = ["check_output", "expected_name", "is_one_file", "is_tree"]

_FILE_ENDINGS: Final = frozenset(
    (".json", ".jsonl", ".ndjson", ".gz", ".zst", ".zip", ".csv", ".txt", ".parquet", ".yaml")
)
"""Endings of files: a name with one of them is not taken for a folder."""


def check_output(format: Format, out: str, shard_rows: int | None = None) -> None:
    """Refuse a name that is no output of the format, before any work.

    Parameters
    ----------
    format
        What the output is written as.
    out
        Name of the output: a file or a folder.
    shard_rows
        Data files in each file of a folder; None for one file, or one for each data file.

    Raises
    ------
    ConfigError
        The name looks like that of another output, or a package that is needed is not installed.

    Examples
    --------
    >>> from labelingest.formats import target_format
    >>> check_output(target_format("encord"), "rows.jsonl")
    >>> check_output(target_format("encord"), "rows.parquet")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: out 'rows.parquet' ends in .parquet: …
    """
    path = PurePath(out)
    if shard_rows is not None:
        _check_shards(format, out)
    else:
        _check_name(format, out)
    package = format.package_for(path.suffix)
    if package is not None and not package.is_installed:
        raise ConfigError(
            f"{path.suffix} is written with the package {package.name}, which is not installed: "
            f"pip install 'labelingest[{package.extra}]'"
        )


def _check_name(format: Format, out: str) -> None:
    path = PurePath(out)
    is_folder = path.suffix.lower() not in _FILE_ENDINGS
    if is_one_file(format, path) or (is_folder and format.can_be_folder):
        return
    reason = "is the name of a folder" if is_folder else f"ends in {path.suffix}"
    raise ConfigError(f"out {out!r} {reason}: {expected_name(format)}{_hint(format, path)}")


def is_one_file(format: Format, path: PurePath) -> bool:
    """Return whether a name is that of an output in one file."""
    return any("".join(path.suffixes[-ending.count(".") :]) == ending for ending in format.endings)


def _check_shards(format: Format, out: str) -> None:
    path = PurePath(out)
    if not format.can_be_shards:
        takers = " or ".join(other.title for other in FORMATS if other.can_be_shards)
        raise ConfigError(f"shard_rows is for {takers}: leave it out for {format.name}")
    is_compressed = format.package_for(path.suffix) is not None and not is_one_file(format, path)
    if path.suffix.lower() in _FILE_ENDINGS and not is_compressed:
        raise ConfigError(
            f"out {out!r} ends in {path.suffix}: with shard_rows it is a folder of files, give "
            "a name without such an end, or one that ends in .zst for compressed files"
        )


def is_tree(format: Format, out: str, shard_rows: int | None = None) -> bool:
    """Return whether an output is a folder with a file for each data file.

    Examples
    --------
    >>> from labelingest.formats import target_format
    >>> is_tree(target_format("encord"), "labels.v2"), is_tree(target_format("encord"), "rows.jsonl.zst")
    (True, False)
    >>> is_tree(target_format("encord"), "shards", 1000)
    False
    """
    return shard_rows is None and not is_one_file(format, PurePath(out))


def expected_name(format: Format) -> str:
    """Return a sentence about the names that outputs of a format have.

    Examples
    --------
    >>> from labelingest.formats import target_format
    >>> print(expected_name(target_format("coco")))
    COCO is one file, give a name that ends in .json
    >>> print(expected_name(target_format("encord")))
    for one file, give FILE.jsonl or FILE.jsonl.zst; for a file each, give a folder, whose name has no such end
    """
    folder = "give a folder, whose name has no such end"
    if not format.can_be_folder:
        return f"{format.title} is one file, give a name that ends in {' or '.join(format.endings)}"
    if not format.can_be_file:
        each = "image" if format.is_of_images else "data file"
        return f"{format.title} is a {format.noun} for each {each}, {folder}"
    files = " or ".join(f"FILE{ending}" for ending in format.endings)
    return f"for one file, give {files}; for a file each, {folder}"


def _hint(format: Format, path: PurePath) -> str:
    meant = [other.name for other in FORMATS if other != format and path.suffix in other.endings]
    return f"; or did you mean --to {meant[0]}?" if meant else ""
