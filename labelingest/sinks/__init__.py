"""Stage 8: label rows → where they are kept, whole or not at all.

Stands on `labelingest.storage.atomic`, the one place that knows how files appear whole.
"""

from pathlib import Path

from labelingest.sinks.base import Sink
from labelingest.sinks.jsonl import JsonlSink
from labelingest.sinks.sidecars import SidecarsSink

__all__ = ["open_sink"]


def open_sink(out: str) -> Sink:
    """Return the sink that an output path asks for: `….jsonl` is a file, all else a folder.

    Raises
    ------
    StorageError
        The path cannot be an output: found out before anything is converted.

    Examples
    --------
    >>> open_sink("rows.jsonl")
    JsonlSink(path=PosixPath('rows.jsonl'))
    """
    path = Path(out)
    return JsonlSink(path) if path.name.endswith(".jsonl") else SidecarsSink(path)
