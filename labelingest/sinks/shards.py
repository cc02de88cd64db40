"""A folder of numbered files of label rows, and their index (`shard_index`), on this machine.

The folder is built beside its place. Label rows come batch by batch, and are appended to the shard of
the batch; or a worker has written a shard as a whole (`shard_places`), and tells what is in it.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from labelingest.model.batch_output import BatchOutput
from labelingest.problems import Problem
from labelingest.sinks.base import UnfinishedOutput
from labelingest.sinks.json_lines import compress_lines, join_lines, no_lines
from labelingest.sinks.marks import holds
from labelingest.sinks.output_folder import (
    MARKER,
    BuildingFolder,
    building_folder,
    is_as_begun,
)
from labelingest.sinks.shard_index import (
    INDEX,
    Piece,
    Shard,
    index_text,
    is_mark,
    is_shard_name,
    shard_name,
    shard_number,
    shards_of,
    with_piece,
)
from labelingest.sinks.shard_places import (
    FolderShards,
    ShardDelivery,
    ShardHalf,
    ShardWriter,
    append_to,
)
from labelingest.storage.os_errors import cannot_write
from labelingest.storage.unfinished_files import temporary_name

__all__ = ["ShardSink"]


@dataclass(slots=True)
class ShardSink:
    """Writes label rows to numbered files.

    Examples
    --------
    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp()) / "rows"
    >>> with ShardSink(out) as sink:
    ...     sink.put(BatchOutput(["a.jpg", "b.jpg"], [b"{}", b"{}"]))
    ...     sink.put(BatchOutput(["c.jpg"], [b"{}"], shard=1))
    []
    []
    >>> sorted(path.name for path in out.glob("*.jsonl"))
    ['label_rows-00000-of-00002.jsonl', 'label_rows-00001-of-00002.jsonl']
    """

    path: Path
    compressed: bool = False
    unfinished: UnfinishedOutput | None = None
    """Where the unfinished folder is kept; without, it is gone when the block fails."""
    _opened: ExitStack | None = field(default=None, init=False, repr=False)
    _building: BuildingFolder | None = field(default=None, init=False, repr=False)
    _token: str = field(default_factory=temporary_name, init=False, repr=False)
    _shards: list[Shard] = field(default_factory=list, init=False, repr=False)
    _file: tuple[int, BinaryIO] | None = field(default=None, init=False, repr=False)
    """Number of the last shard that grew batch by batch, and its file."""
    _marks: list[Sequence[Piece]] = field(default_factory=list, init=False, repr=False)
    """What each put added since the run has asked."""

    def __enter__(self) -> "ShardSink":
        self._shards = shards_of(() if self.unfinished is None else self.unfinished.marks)
        opened = ExitStack()
        folder = building_folder(
            self.path, is_shard_name, first_files={}, unfinished=self.unfinished, sweep=self._cut
        )
        self._building = opened.enter_context(folder)
        self.path = self._building.place
        opened.push(self._finish)
        self._opened = opened
        try:
            (self._building.folder / self._token).touch()
        except OSError as error:
            opened.__exit__(type(error), error, None)
            raise cannot_write(str(self.path), error) from error
        return self

    def _cut(self, building: Path) -> None:
        """Take from an interrupted run's folder what does not count."""
        try:
            _remove_foreign(building)
            for path, number in _unfinished(building):
                if number >= len(self._shards):
                    path.unlink()
                else:
                    os.truncate(path, self._shards[number].bytes)
                    # The run may have been interrupted while it gave the last names.
                    path.rename(building / self._name(number))
        except OSError as error:
            raise cannot_write(str(self.path), error) from error

    def __exit__(self, *raised: Any) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.__exit__(*raised)

    def _finish(self, *raised: object) -> None:
        """Close the last shard; give all shards their names if the block ended well."""
        folder, self._building = self._open(), None
        self._close()
        with suppress(OSError):
            (folder / self._token).unlink()
        if raised[0] is None:
            self._end(folder)

    def _end(self, building: Path) -> None:
        """Give the shards the names that say how many there are, and write the index."""
        count = len(self._shards)
        names = [self._name(number, count) for number in range(count)]
        empty = no_lines(compress_lines if self.compressed else join_lines)
        try:
            _remove_foreign(building)
            for number, (name, shard) in enumerate(zip(names, self._shards, strict=True)):
                path = building / self._name(number)
                if not shard.bytes:
                    path.write_bytes(empty)
                    shard.bytes = len(empty)
                path.rename(building / name)
            (building / INDEX).write_bytes(index_text(names, self._shards))
        except OSError as error:
            raise cannot_write(str(self.path), error) from error

    def half(self) -> ShardHalf:
        """Return the half that writes whole shards."""
        folder = str(self._open().absolute())
        place = FolderShards(folder, str(self.path), self._token, self.compressed)
        return ShardHalf(place, compress_lines if self.compressed else join_lines)

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Refuse nothing: a file can hold the labels of any key."""
        return {}

    def put(self, batch: BatchOutput) -> list[tuple[int, Problem]]:
        """Append label rows to the shard of the batch, or count those of a worker."""
        self._open()
        delivery = batch.delivered
        if delivery is None:
            delivery = self._write(batch)
        elif delivery.contents is not None:
            file = self._shard(batch.shard)
            for content in delivery.contents:
                append_to(file, [content], str(self.path))
        for piece in delivery.pieces:
            with_piece(self._shards, piece)
        self._marks.append(delivery.pieces)
        return []

    def _write(self, batch: BatchOutput) -> ShardDelivery:
        file = self._shard(batch.shard)
        pack = compress_lines if self.compressed else join_lines
        writer = ShardWriter(
            batch.shard, pack, lambda pieces: append_to(file, pieces, str(self.path))
        )
        writer.put(batch)
        return writer.delivery()

    def _shard(self, number: int) -> BinaryIO:
        """Return the file of a shard, at its end."""
        if self._file is None or self._file[0] != number:
            self._close()
            path = self._open() / self._name(number)
            try:
                file = path.open("ab", buffering=0)
            except OSError as error:
                raise cannot_write(str(self.path), error) from error
            self._file = number, file
            return file
        return self._file[1]

    def _close(self) -> None:
        if self._file is not None:
            self._file[1].close()
            self._file = None

    def _name(self, number: int, count: int | None = None) -> str:
        return shard_name(number, count, compressed=self.compressed)

    def good_marks(self, files: Sequence[int]) -> int:
        """Count the marks that fit the unfinished shards, as `ResumableSink` says."""
        if self.unfinished is None or not is_as_begun(self.unfinished.path, {}):
            return 0
        good = 0
        with suppress(OSError), ExitStack() as opened:
            paths = {number: path for path, number in _unfinished(self.unfinished.path)}
            shards: dict[int, BinaryIO] = {}
            for mark, count in zip(self.unfinished.marks, files, strict=True):
                good_form = is_mark(mark, len(shards)) and sum(p[3] for p in mark) == count
                if not (good_form and _hold(mark, paths, shards, opened)):
                    break
                good += 1
        return good

    def marks(self, *, wait: bool = False) -> list[Sequence[Piece]]:
        """Return what each put since the last call added."""
        marks, self._marks = self._marks, []
        return marks

    def sync(self) -> None:
        """Bring all that was put onto the disk."""
        if self._building is not None:
            self._building.disk.flush()

    def _open(self) -> Path:
        if self._building is None:
            raise ValueError("the sink is not open: use it as `with sink:`")
        return self._building.folder


def _hold(
    mark: Sequence[Piece], paths: Mapping[int, Path], shards: dict[int, BinaryIO], opened: ExitStack
) -> bool:
    """Whether the next bytes of the shards are those of a mark; opens shards as they come."""
    for number, _, _, _, size, expected in mark:
        if number not in paths:
            return False
        if number not in shards:
            opened.close()
            shards[number] = opened.enter_context(paths[number].open("rb"))
        if not holds(shards[number], size, expected):
            return False
    return True


def _unfinished(building: Path) -> Iterator[tuple[Path, int]]:
    for path in sorted(building.iterdir()):
        number = shard_number(path.name)
        if number is not None:
            yield path, number


def _remove_foreign(building: Path) -> None:
    """Remove what lies among shards that are being written, as the shard of a lost worker."""
    for path in sorted(building.iterdir()):
        if path.name == MARKER or shard_number(path.name) is not None:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
