"""Stage 8: labels → where they are kept, whole or not at all.

A format names the module that opens its sink; this package never compares formats. Files appear
whole by `labelingest.storage.atomic`, folders by `labelingest.sinks.output_folder`.
"""

from labelingest.formats.format import load
from labelingest.formats.output_names import check_output
from labelingest.sinks.base import (
    OutputTarget,
    ResumableSink,
    Sink,
    SinkModule,
    UnfinishedOutput,
)

__all__ = ["open_sink", "resume_sink"]


def open_sink(target: OutputTarget) -> Sink:
    """Return the sink of an output; nothing is left of it when its block fails.

    Raises
    ------
    ConfigError
        As `labelingest.formats.output_names.check_output` does.
    """
    if target.beside is None:
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
