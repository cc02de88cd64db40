"""Stage 8: labels → where they are kept, whole or not at all.

Stands on `labelingest.storage.atomic`, the one place that knows how files appear whole.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from labelingest.columns.types import Int64
from labelingest.errors import ConfigError
from labelingest.model.batch_output import OutputFormat
from labelingest.model.ontology import Ontology
from labelingest.sinks.base import ResumableSink, Sink, UnfinishedOutput
from labelingest.sinks.coco import coco_document
from labelingest.sinks.json_lines import (
    ZSTD,
    LinesSink,
    Pack,
    check_zstandard,
    compress_lines,
    join_lines,
)
from labelingest.sinks.parquet import parquet_table
from labelingest.sinks.shards import ShardSink
from labelingest.sinks.sidecars import sidecar_tree
from labelingest.sinks.single_file import FileSink
from labelingest.sinks.yolo import yolo_tree
from labelingest.writers.parquet import check_pyarrow

__all__ = [
    "RESUMABLE",
    "check_output",
    "expected_name",
    "is_tree",
    "open_sink",
    "packing_of",
    "resume_sink",
]

_FILE: Final[Mapping[str, str]] = {
    OutputFormat.ENCORD: ".jsonl",
    OutputFormat.COCO: ".json",
    OutputFormat.PARQUET: ".parquet",
}
"""Format → how the name of its one file ends."""
RESUMABLE: Final = (OutputFormat.ENCORD, OutputFormat.YOLO)
"""Formats whose output can be gone on with after an interruption: the others are one document."""
_FOLDER: Final = (OutputFormat.ENCORD, OutputFormat.YOLO)
"""Formats that can be a folder."""
_OTHER_FILES: Final = frozenset(
    (".json", ".jsonl", ".ndjson", ".gz", ".zst", ".zip", ".csv", ".txt", ".parquet", ".yaml")
)


def check_output(to: str, out: str, shard_rows: int | None = None) -> None:
    """Refuse what cannot be an output of that format, before any work.

    Parameters
    ----------
    to
        One of `OutputFormat`.
    out
        Where it goes: a file or a folder.
    shard_rows
        Label rows in each file of a folder of them; None for one file, or one for each data file.

    Raises
    ------
    ConfigError
        The format is not known, the name looks like that of something else, or a package that is
        needed is not installed.

    Examples
    --------
    >>> check_output("encord", "rows.jsonl")
    >>> check_output("encord", "rows.parquet")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: out 'rows.parquet' ends in .parquet: …
    """
    if to not in list(OutputFormat):
        raise ConfigError(f"format {to!r} is not known; choose one of {', '.join(OutputFormat)}")
    path = Path(out)
    if shard_rows is not None:
        _check_shards(to, path)
    elif not (to == OutputFormat.ENCORD and _is_compressed_file(path)):
        _check_name(to, path)
    if to == OutputFormat.PARQUET:
        check_pyarrow()
    if to == OutputFormat.ENCORD and path.suffix == ZSTD:
        check_zstandard()


def _check_name(to: str, path: Path) -> None:
    is_folder = path.suffix.lower() not in _OTHER_FILES
    if path.suffix != _FILE.get(to) and not (is_folder and to in _FOLDER):
        reason = "is the name of a folder" if is_folder else f"ends in {path.suffix}"
        raise ConfigError(f"out {str(path)!r} {reason}: {expected_name(to)}{_hint(to, path)}")


def _check_shards(to: str, path: Path) -> None:
    if to != OutputFormat.ENCORD:
        raise ConfigError(f"shard_rows is for Encord label rows: leave it out for {to}")
    if path.suffix.lower() in _OTHER_FILES and (path.suffix != ZSTD or _is_compressed_file(path)):
        raise ConfigError(
            f"out {str(path)!r} ends in {path.suffix}: with shard_rows it is a folder of files, give "
            "a name without such an end, or one that ends in .zst for compressed files"
        )


def _is_compressed_file(path: Path) -> bool:
    return path.suffixes[-2:] == [".jsonl", ZSTD]


def is_tree(out: str, shard_rows: int | None = None) -> bool:
    """Whether an output of label rows is a file for each data file.

    Examples
    --------
    >>> is_tree("labels.v2"), is_tree("rows.jsonl.zst"), is_tree("shards", 1000)
    (True, False, False)
    """
    return shard_rows is None and not _is_file(Path(out))


def expected_name(to: str) -> str:
    """Return which names of outputs a format takes, in a sentence."""
    if to == OutputFormat.YOLO:
        return "YOLO is a label file for each image, give a folder, whose name has no such end"
    if to == OutputFormat.ENCORD:
        return (
            "one file is written as JSON Lines, give FILE.jsonl or FILE.jsonl.zst; for a file each, "
            "give a folder, whose name has no such end"
        )
    name = "COCO" if to == OutputFormat.COCO else "Parquet"
    return f"{name} is one file, give a name that ends in {_FILE[to]}"


def _hint(to: str, path: Path) -> str:
    meant = [name for name, ending in _FILE.items() if ending == path.suffix and name != to]
    return f"; or did you mean --to {meant[0]}?" if meant else ""


def open_sink(
    to: str,
    out: str,
    *,
    ontology: Ontology,
    storage_url: str,
    numbers: Int64,
    shard_rows: int | None = None,
) -> Sink:
    """Return the sink of an output; nothing is left of it when its block fails.

    Parameters
    ----------
    to, out, shard_rows
        As for `check_output`.
    ontology
        The ontology that annotations point into.
    storage_url
        URL of the storage path, ending in "/".
    numbers
        (o,) class number of each ontology object for YOLO; -1 for none.

    Raises
    ------
    ConfigError
        As `check_output` does.
    """
    check_output(to, out, shard_rows)
    path = Path(out)
    if to == OutputFormat.COCO:
        return FileSink(path, partial(coco_document, ontology=ontology, storage_url=storage_url))
    if to == OutputFormat.PARQUET:
        return FileSink(path, partial(parquet_table, ontology=ontology, storage_url=storage_url))
    return _growing(to, path, None, ontology, numbers, shard_rows)


def resume_sink(
    to: str,
    out: str,
    unfinished: UnfinishedOutput,
    *,
    ontology: Ontology,
    numbers: Int64,
    shard_rows: int | None = None,
) -> ResumableSink:
    """Return the sink of an output that goes on where an interrupted run was.

    Parameters
    ----------
    to, out, ontology, numbers, shard_rows
        As for `open_sink`; the format is one of `RESUMABLE`.
    unfinished
        The unfinished output, which stays when the block fails.
    """
    check_output(to, out, shard_rows)
    return _growing(to, Path(out), unfinished, ontology, numbers, shard_rows)


def _growing(
    to: str,
    path: Path,
    unfinished: UnfinishedOutput | None,
    ontology: Ontology,
    numbers: Int64,
    shard_rows: int | None,
) -> ResumableSink:
    """Return the sink of an output that grows file by file, or at its end."""
    if to == OutputFormat.YOLO:
        return yolo_tree(path, ontology.objects, numbers, unfinished)
    if shard_rows is not None:
        return ShardSink(path, shard_rows, path.suffix == ZSTD, unfinished)
    if _is_file(path):
        return LinesSink(path, _pack(path), unfinished)
    return sidecar_tree(path, unfinished)


def packing_of(to: str, out: str | None, shard_rows: int | None = None) -> Pack | None:
    """Return how label rows are joined for an output, where workers can do that beforehand.

    Examples
    --------
    >>> packing_of("encord", "rows.jsonl").__name__, packing_of("encord", "folder")
    ('join_lines', None)
    """
    if to != OutputFormat.ENCORD or out is None or shard_rows is not None:
        return None
    return _pack(Path(out)) if _is_file(Path(out)) else None


def _is_file(path: Path) -> bool:
    return path.suffix in (".jsonl", ZSTD)


def _pack(path: Path) -> Pack:
    return compress_lines if path.suffix == ZSTD else join_lines
