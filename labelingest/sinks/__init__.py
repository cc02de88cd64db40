"""Stage 8: labels → where they are kept, whole or not at all.

Stands on `labelingest.storage.atomic`, the one place that knows how files appear whole.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from labelingest.arrays import Int64
from labelingest.errors import ConfigError
from labelingest.model.labels import OutputFormat
from labelingest.model.ontology import Ontology
from labelingest.sinks.base import Sink
from labelingest.sinks.coco import coco_document
from labelingest.sinks.files import FileSink, json_lines
from labelingest.sinks.parquet import parquet_table
from labelingest.sinks.sidecars import sidecar_tree
from labelingest.sinks.yolo import yolo_tree
from labelingest.writers.parquet import check_pyarrow

__all__ = ["check_output", "expected_name", "open_sink"]

_FILE: Final[Mapping[str, str]] = {
    OutputFormat.ENCORD: ".jsonl",
    OutputFormat.COCO: ".json",
    OutputFormat.PARQUET: ".parquet",
}
"""Format → how the name of its one file ends."""
_FOLDER: Final = (OutputFormat.ENCORD, OutputFormat.YOLO)
"""Formats that can be a folder."""
_OTHER_FILES: Final = frozenset(
    (".json", ".jsonl", ".ndjson", ".gz", ".zst", ".zip", ".csv", ".txt", ".parquet", ".yaml")
)


def check_output(to: str, out: str) -> None:
    """Refuse what cannot be an output of that format, before any work.

    Parameters
    ----------
    to
        One of `OutputFormat`.
    out
        Where it goes: a file or a folder.

    Raises
    ------
    ConfigError
        The format is not known, the name looks like that of something else, or pyarrow is needed
        and not installed.

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
    file = _FILE.get(to)
    is_folder = path.suffix.lower() not in _OTHER_FILES
    if path.suffix != file and not (is_folder and to in _FOLDER):
        found = "is the name of a folder" if is_folder else f"ends in {path.suffix}"
        raise ConfigError(f"out {out!r} {found}: {expected_name(to)}{_hint(to, path)}")
    if to == OutputFormat.PARQUET:
        check_pyarrow()


def expected_name(to: str) -> str:
    """Return which names of outputs a format takes, in a sentence."""
    if to == OutputFormat.YOLO:
        return "YOLO is a label file for each image, give a folder, whose name has no such end"
    if to == OutputFormat.ENCORD:
        return (
            "one file is written as JSON Lines, give FILE.jsonl, a name that ends so; for a file each, "
            "give a folder, whose name has no such end"
        )
    name = "COCO" if to == OutputFormat.COCO else "Parquet"
    return f"{name} is one file, give a name that ends in {_FILE[to]}"


def _hint(to: str, path: Path) -> str:
    meant = [one for one, ending in _FILE.items() if ending == path.suffix and one != to]
    return f"; or did you mean --to {meant[0]}?" if meant else ""


def open_sink(to: str, out: str, *, ontology: Ontology, storage_url: str, numbers: Int64) -> Sink:
    """Return the sink of an output.

    Parameters
    ----------
    to, out
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
    check_output(to, out)
    path = Path(out)
    if to == OutputFormat.COCO:
        return FileSink(path, partial(coco_document, ontology=ontology, storage_url=storage_url))
    if to == OutputFormat.PARQUET:
        return FileSink(path, partial(parquet_table, ontology=ontology, storage_url=storage_url))
    if to == OutputFormat.YOLO:
        return yolo_tree(path, ontology.objects, numbers)
    return FileSink(path, json_lines) if path.suffix == ".jsonl" else sidecar_tree(path)
