"""Places of shards, in which a worker writes a shard as a whole: it appears when it is complete.

Places and the half around one can be pickled. A worker that is lost leaves no shard, and the next
writes the same bytes. A worker that does not see the folder of the output collects its shard instead, and
the sink writes it.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, cast

from labelingest.errors import StorageError
from labelingest.model.batch_output import BatchOutput
from labelingest.sinks.json_lines import Pack, no_lines, packed_pieces
from labelingest.sinks.marks import Mark, Summed
from labelingest.sinks.object_lines import spooled
from labelingest.sinks.shard_index import Piece, piece_of, shard_name
from labelingest.storage.os_errors import cannot_write
from labelingest.storage.unfinished_files import temporary_name

if TYPE_CHECKING:
    from labelingest.storage.cloud.cloud import CloudStorage

__all__ = ["FolderShards", "ObjectShards", "ShardDelivery", "ShardHalf", "ShardWriter"]

_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class ShardDelivery:
    """What a worker tells of a shard that it wrote."""

    pieces: Sequence[Piece]
    contents: Sequence[bytes] | None = None
    """Content of each piece, where the worker does not see the output; None where it wrote them."""


class Appender(Protocol):
    """Function that appends label rows to a shard, or nothing where they end by an exception."""

    def __call__(self, pieces: Iterable[bytes]) -> Mark: ...


class ShardPlace(Protocol):
    """Functions of a place."""

    def open(self, number: int) -> "ShardContext | None":
        """Return a context that writes one shard; None where this process does not see the place."""
        ...


class ShardContext(Protocol):
    """A shard that is being written."""

    def __enter__(self) -> Appender: ...

    def __exit__(self, *raised: object) -> bool | None: ...


@dataclass(slots=True)
class ShardWriter:
    """Writes the label rows of batches to one shard."""

    number: int
    pack: Pack
    append: Appender | None
    """Appends to the shard; None where this process does not see the output."""
    pieces: list[Piece] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)

    def put(self, batch: BatchOutput) -> None:
        """Append the label rows of a batch; nothing of them where a large one breaks off."""
        if batch.large is None:
            content: Iterable[bytes] = (self.pack(batch.texts),)
        else:
            content = packed_pieces(self.pack, batch.large.pieces())
        if self.append is not None:
            mark = self.append(content)
        else:
            summed = Summed(content)
            self.contents.append(b"".join(summed))
            mark = summed.mark
        self.pieces.append(piece_of(self.number, batch.keys, mark))

    def delivery(self) -> ShardDelivery:
        """Return what the sink is told."""
        return ShardDelivery(self.pieces, self.contents if self.append is None else None)


@dataclass(frozen=True, slots=True)
class ShardHalf:
    """Opens shards for the jobs that are whole shards; other jobs go on as they are."""

    place: ShardPlace
    pack_texts: Pack

    def pack(self, output: BatchOutput) -> BatchOutput:
        """Leave texts as they are."""
        return output

    def deliver(self, output: BatchOutput) -> BatchOutput:
        """Leave a job as it is: a whole shard is written while it is converted."""
        return output

    @contextmanager
    def open(self, number: int) -> Iterator[ShardWriter]:
        """Open a shard, which appears when the block ends well."""
        context = self.place.open(number)
        if context is None:
            yield ShardWriter(number, self.pack_texts, None)
            return
        with context as append:
            yield ShardWriter(number, self.pack_texts, append)


@dataclass(frozen=True, slots=True)
class FolderShards:
    """The folder that shards are built in."""

    building: str
    output: str
    """The output as the user calls it."""
    token: str
    """Name of a file in the folder: a process that sees it sees the folder."""
    compressed: bool

    def open(self, number: int) -> ShardContext | None:
        """Return a context that writes one shard, as `ShardPlace` says."""
        if not os.path.exists(f"{self.building}/{self.token}"):  # noqa: PTH110
            return None
        return cast("ShardContext", self._shard(number))

    @contextmanager
    def _shard(self, number: int) -> Iterator[Appender]:
        unfinished = f"{self.building}/{temporary_name()}"
        name = f"{self.building}/{shard_name(number, compressed=self.compressed)}"
        try:
            with open(unfinished, "xb", buffering=0) as file:  # noqa: PTH123
                yield lambda pieces: append_to(file, pieces, self.output)
            os.replace(unfinished, name)  # noqa: PTH105
        except BaseException as error:
            with suppress(OSError):
                os.unlink(unfinished)  # noqa: PTH108
            if isinstance(error, OSError) and not isinstance(error, StorageError):
                raise cannot_write(self.output, error) from error
            raise


def append_to(file: BinaryIO, pieces: Iterable[bytes], output: str) -> Mark:
    """Append pieces to a file, or nothing where they end by an exception; return their mark.

    Raises
    ------
    StorageError
        The file cannot be written, or a part of the pieces stays in it: nothing may follow that part.
    """
    begin, summed = file.tell(), Summed(pieces)
    try:
        for content in summed:
            rest = memoryview(content)
            while rest:
                rest = rest[file.write(rest) :]
    except OSError as error:
        raise cannot_write(output, error) from error
    except Exception:
        try:
            os.ftruncate(file.fileno(), begin)
            file.seek(begin)
        except OSError as error:
            raise cannot_write(output, error) from error
        raise
    return summed.mark


@dataclass(frozen=True, slots=True)
class ObjectShards:
    """A prefix in cloud storage, where each shard is one object."""

    storage: "CloudStorage"
    count: int
    """Number of shards."""
    pack: Pack
    compressed: bool

    def name(self, number: int) -> str:
        """Return the name of a shard."""
        return shard_name(number, self.count, compressed=self.compressed)

    def open(self, number: int) -> ShardContext:
        """Return a context that writes one shard, as `ShardPlace` says."""
        return cast("ShardContext", self._shard(number))

    @contextmanager
    def _shard(self, number: int) -> Iterator[Appender]:
        with self.storage.whole_object(self.name(number)) as file:

            def append(pieces: Iterable[bytes]) -> Mark:
                summed = Summed(pieces)
                with spooled(summed) as content:
                    file.writelines(iter(lambda: content.read(_PIECE), b""))
                return summed.mark

            yield append
            if not file.tell():
                file.write(no_lines(self.pack))
