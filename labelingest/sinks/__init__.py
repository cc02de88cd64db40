"""Stage 8: label rows → where they are kept, whole or not at all.

Stands on `labelingest.storage.atomic`, the one place that knows how files appear whole.
"""

from pathlib import Path
from typing import Final

from labelingest.errors import ConfigError
from labelingest.sinks.base import Sink
from labelingest.sinks.jsonl import JsonlSink
from labelingest.sinks.sidecars import SidecarsSink

__all__ = ["open_sink"]

_OTHER_FILES: Final = frozenset(
    (".json", ".jsonl", ".ndjson", ".gz", ".zst", ".zip", ".csv", ".txt", ".parquet")
)


def open_sink(out: str) -> Sink:
    """Return the sink that an output path asks for: `….jsonl` is a file, all else a folder.

    Raises
    ------
    ConfigError
        The name looks like that of one file of another kind.

    Examples
    --------
    >>> open_sink("rows.jsonl")
    JsonlSink(path=PosixPath('rows.jsonl'))
    """
    path = Path(out)
    if path.suffix != ".jsonl" and path.suffix.lower() in _OTHER_FILES:
        raise ConfigError(
            f"out {out!r} ends in {path.suffix}: one file is written as JSON Lines, give a name "
            "that ends in .jsonl; for a file each, give a folder, whose name has no such end"
        )
    return JsonlSink(path) if path.name.endswith(".jsonl") else SidecarsSink(path)
