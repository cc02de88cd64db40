"""A folder of numbered files of label rows, and their index (`shard_index`), in cloud storage.

Each shard is one object, which appears when it is complete. The index and the marker of the folder come
last (`object_folder`).
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Any

from labelingest.model.batch_output import BatchOutput
from labelingest.problems import Problem
from labelingest.sinks.json_lines import compress_lines, join_lines, no_lines
from labelingest.sinks.object_folder import object_folder
from labelingest.sinks.shard_index import INDEX, Shard, index_text, is_shard_name, with_piece
from labelingest.sinks.shard_places import ObjectShards, ShardHalf, ShardWriter

__all__ = ["ObjectShardSink"]


@dataclass(slots=True)
class ObjectShardSink:
    """Writes label rows to numbered objects."""

    out: str
    """URL of the folder."""
    count: int
    """Number of shards."""
    compressed: bool = False
    _opened: ExitStack | None = field(default=None, init=False, repr=False)
    _place: ObjectShards | None = field(default=None, init=False, repr=False)
    _shards: list[Shard] = field(default_factory=list, init=False, repr=False)
    _writer: ShardWriter | None = field(default=None, init=False, repr=False)
    """Writer of the shard that grows batch by batch."""
    _shard: AbstractContextManager[ShardWriter] | None = field(default=None, init=False, repr=False)

    def __enter__(self) -> "ObjectShardSink":
        opened = ExitStack()
        folder = object_folder(self.out, lambda _, name: is_shard_name(name), {})
        storage = opened.enter_context(folder)
        pack = compress_lines if self.compressed else join_lines
        self._place = ObjectShards(storage, self.count, pack, self.compressed)
        opened.push(self._finish)
        self._opened = opened
        return self

    def __exit__(self, *raised: Any) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.__exit__(*raised)

    def _finish(self, *raised: Any) -> None:
        """Close the last shard, and write the index if the block ended well."""
        self._close(*raised)
        place, self._place = self._open(), None
        if raised[0] is None:
            names = [place.name(number) for number in range(len(self._shards))]
            for shard in self._shards:
                shard.bytes = shard.bytes or len(no_lines(place.pack))
            place.storage.put(INDEX, index_text(names, self._shards))

    def half(self) -> ShardHalf:
        """Return the half that writes whole shards."""
        place = self._open()
        return ShardHalf(place, place.pack)

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Refuse nothing: an object can hold the labels of any key."""
        return {}

    def put(self, batch: BatchOutput) -> list[tuple[int, Problem]]:
        """Append label rows to the shard of the batch, or count those of a worker."""
        pieces = None if batch.delivered is None else batch.delivered.pieces
        if pieces is None:
            writer = self._at(batch.shard)
            writer.put(batch)
            pieces = writer.pieces[-1:]
        for piece in pieces:
            with_piece(self._shards, piece)
        return []

    def _at(self, number: int) -> ShardWriter:
        """Return the writer of a shard; the one before is complete."""
        if self._writer is None or self._writer.number != number:
            self._close(None, None, None)
            self._shard = self.half().open(number)
            self._writer = self._shard.__enter__()
        return self._writer

    def _close(self, *raised: Any) -> None:
        shard, self._shard, self._writer = self._shard, None, None
        if shard is not None:
            shard.__exit__(*raised)

    def _open(self) -> ObjectShards:
        if self._place is None:
            raise ValueError("the sink is not open: use it as `with sink:`")
        return self._place
