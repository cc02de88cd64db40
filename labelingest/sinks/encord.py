"""Label rows in one file, in numbered files, or as a sidecar for each data file."""

from pathlib import Path
from typing import BinaryIO, Final

from labelingest.formats.output_names import is_one_file
from labelingest.sinks.base import OutputTarget, Sink, UnfinishedOutput
from labelingest.sinks.json_lines import ZSTD, LinesSink, pack_for, plain_head
from labelingest.storage.urls import is_cloud

__all__ = ["ROW_START", "is_own_output", "open_sink"]

ROW_START: Final = b'{"label_hash":"'
"""First bytes of every label row: outputs of earlier runs are recognised by them."""


def open_sink(target: OutputTarget, unfinished: UnfinishedOutput | None = None) -> Sink:
    """Return the sink that the name of the output asks for; only its module is loaded."""
    if target.beside is not None:
        from labelingest.sinks.beside import BesideSink

        return BesideSink(target.beside)
    path = Path(target.out)
    if target.shard_rows is not None:
        if is_cloud(target.out):
            from labelingest.sinks.object_shards import ObjectShardSink

            count = -(-target.data_files // target.shard_rows)
            return ObjectShardSink(target.out, count, path.suffix == ZSTD)
        from labelingest.sinks.shards import ShardSink

        return ShardSink(path, path.suffix == ZSTD, unfinished)
    if is_one_file(target.format, path):
        if is_cloud(target.out):
            from labelingest.sinks.object_lines import ObjectLinesSink

            return ObjectLinesSink(target.out, pack_for(path.suffix))
        return LinesSink(path, pack_for(path.suffix), unfinished)
    from labelingest.sinks.sidecars import sidecar_tree

    return sidecar_tree(target.out, unfinished)


def is_own_output(file: BinaryIO, suffix: str) -> bool:
    """Return whether a file begins with a label row."""
    if suffix == ZSTD:
        return plain_head(file, len(ROW_START)) in (ROW_START, b"")
    return file.read(len(ROW_START)) == ROW_START
