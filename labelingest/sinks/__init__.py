"""Stage 8: labels → where they are kept, whole or not at all.

A format names the module that opens its sink; this package never compares formats. Files appear
whole by `labelingest.storage.atomic`, folders by `labelingest.sinks.output_folder`.
"""

from pathlib import PurePath

from labelingest.formats.format import Format, load
from labelingest.formats.output_names import check_output, is_one_file
from labelingest.sinks.base import (
    OutputTarget,
    ResumableSink,
    Sink,
    SinkModule,
    UnfinishedOutput,
)
from labelingest.sinks.json_lines import Pack, pack_for

__all__ = ["open_sink", "packing_of", "resume_sink"]


def open_sink(target: OutputTarget) -> Sink:
    """Return the sink of an output; nothing is left of it when its block fails.

    Raises
    ------
    ConfigError
        As `labelingest.formats.output_names.check_output` does.
    """
    check_output(target.format, target.out, target.shard_rows)
    module: SinkModule = load(target.format.sink)
    return module.open_sink(target)


def resume_sink(target: OutputTarget, unfinished: UnfinishedOutput) -> ResumableSink:
    """Return the sink that continues the output of an interrupted run.

    Parameters
    ----------
    target
        Where labels go; the format is resumable.
    unfinished
        The unfinished output, which stays when the block fails.

    Raises
    ------
    ConfigError
        As `labelingest.formats.output_names.check_output` does.
    """
    check_output(target.format, target.out, target.shard_rows)
    sink: ResumableSink = load(target.format.sink).open_sink(target, unfinished)
    return sink


def packing_of(format: Format, out: str | None, shard_rows: int | None = None) -> Pack | None:
    """Return how texts are joined for an output, where workers can join them beforehand.

    Examples
    --------
    >>> from labelingest.formats.encord import ENCORD
    >>> packing_of(ENCORD, "rows.jsonl").__name__, packing_of(ENCORD, "folder")
    ('join_lines', None)
    """
    if format.is_columns or out is None or shard_rows is not None:
        return None
    path = PurePath(out)
    return pack_for(path.suffix) if is_one_file(format, path) else None
