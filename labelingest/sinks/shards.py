r"""A folder of numbered files of label rows, each with the same number of rows, and their index.

`label_rows-00000-of-00032.jsonl` …, counted from 0 as other tools do. The total is known at the end:
until then the names lack it. `index.json` has rows and bytes of each file, and the keys of its first
and last data file. Rows are ordered by key, so that one key is found by reading one file.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import orjson

from labelingest.model.batch_output import BatchOutput
from labelingest.problems import Problem
from labelingest.sinks.base import UnfinishedOutput
from labelingest.sinks.json_lines import ZSTD, Pack, compress_lines, join_lines, packed_pieces
from labelingest.sinks.marks import Summed, are_whole, holds
from labelingest.sinks.output_folder import (
    MARKER,
    BuildingFolder,
    building_folder,
    is_as_begun,
)
from labelingest.storage.os_errors import cannot_write

__all__ = ["INDEX", "ShardSink", "is_shard_name"]

INDEX: Final = "index.json"
_NAME: Final = re.compile(r"label_rows-(\d{5,})(?:-of-\d{5,})?(\.jsonl(?:\.zst)?)")

Piece: TypeAlias = tuple[int, str, str, int, int, int]
"""What a put added to one shard: its number, first key, last key, rows, bytes and their checksum."""


@dataclass(slots=True)
class _Shard:
    first_key: str
    last_key: str
    rows: int = 0
    bytes: int = 0


@dataclass(slots=True)
class ShardSink:
    """Writes label rows to numbered files.

    Examples
    --------
    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp()) / "rows"
    >>> with ShardSink(out, 2) as sink:
    ...     sink.put(BatchOutput(["a.jpg", "b.jpg", "c.jpg"], [b"{}", b"{}", b"{}"]))
    []
    >>> sorted(path.name for path in out.glob("*.jsonl"))
    ['label_rows-00000-of-00002.jsonl', 'label_rows-00001-of-00002.jsonl']
    """

    path: Path
    rows: int
    """Label rows in each file; the last may have fewer."""
    compressed: bool = False
    unfinished: UnfinishedOutput | None = None
    """Where the unfinished folder is kept; without, it is gone when the block fails."""
    _opened: ExitStack | None = field(default=None, init=False, repr=False)
    _building: BuildingFolder | None = field(default=None, init=False, repr=False)
    _shards: list[_Shard] = field(default_factory=list, init=False, repr=False)
    _file: BinaryIO | None = field(default=None, init=False, repr=False)
    """The last shard."""
    _added: list[Piece] = field(default_factory=list, init=False, repr=False)
    """What the last put added."""
    _marks: list[list[Piece]] = field(default_factory=list, init=False, repr=False)
    """What each put added since the run has asked."""

    def __enter__(self) -> "ShardSink":
        self._shards = _shards(() if self.unfinished is None else self.unfinished.marks)
        opened = ExitStack()
        folder = building_folder(
            self.path, is_shard_name, first_files={}, unfinished=self.unfinished, sweep=self._cut
        )
        self._building = opened.enter_context(folder)
        self.path = self._building.place
        opened.push(self._finish)
        self._opened = opened
        return self

    def _cut(self, building: Path) -> None:
        """Take from an interrupted run's folder what does not count."""
        try:
            for path in _foreign(building):
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
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
        if raised[0] is None:
            self._end(folder)

    def _end(self, building: Path) -> None:
        """Give the shards the names that say how many there are, and write the index."""
        count = len(self._shards)
        names = [self._name(number, count) for number in range(count)]
        index = {
            "rows": sum(shard.rows for shard in self._shards),
            "shards": [
                {
                    "file": name,
                    "rows": shard.rows,
                    "bytes": shard.bytes,
                    "first_key": shard.first_key,
                    "last_key": shard.last_key,
                }
                for name, shard in zip(names, self._shards, strict=True)
            ],
        }
        text = orjson.dumps(index, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        try:
            for number, name in enumerate(names):
                (building / self._name(number)).rename(building / name)
            (building / INDEX).write_bytes(text)
        except OSError as error:
            raise cannot_write(str(self.path), error) from error

    def half(self) -> None:
        """Return no half: workers hand on texts as they are."""

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Refuse nothing: a file can hold the labels of any key."""
        return {}

    def put(self, batch: BatchOutput) -> list[tuple[int, Problem]]:
        """Append label rows, beginning a new shard whenever one is full."""
        building = self._open()
        self._added = []
        start = 0
        while start < len(batch.keys):
            if not self._shards or self._shards[-1].rows == self.rows:
                self._shards.append(_Shard(batch.keys[start], ""))
                self._close()
            room = self.rows - self._shards[-1].rows
            end = min(start + room, len(batch.keys))
            pack: Pack = compress_lines if self.compressed else join_lines
            if batch.large is None:
                pieces: Iterable[bytes] = (pack(batch.texts[start:end]),)
            else:
                pieces = packed_pieces(pack, batch.large.pieces())
            self._append(building, batch.keys[start:end], pieces)
            start = end
        self._marks.append(self._added)
        return []

    def _append(self, building: Path, keys: Sequence[str], pieces: Iterable[bytes]) -> None:
        """Append label rows to the last shard, or nothing where they end by an exception."""
        number = len(self._shards) - 1
        path, summed = building / self._name(number), Summed(pieces)
        try:
            if self._file is None:
                self._file = path.open("ab", buffering=0)
            for content in summed:
                rest = memoryview(content)
                while rest:
                    rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise cannot_write(str(self.path), error) from error
        except Exception:
            self._take_back(path)
            raise
        piece = (number, keys[0], keys[-1], len(keys), *summed.mark)
        self._added.append(piece)
        _extend(self._shards[number], piece)

    def _take_back(self, path: Path) -> None:
        """Cut the last shard to its whole label rows; a shard without any is no shard.

        Raises
        ------
        StorageError
            A part of a label row stays in the shard: nothing may follow that part.
        """
        shard = self._shards[-1]
        try:
            if shard.rows:
                os.truncate(path, shard.bytes)
            else:
                self._close()
                path.unlink(missing_ok=True)
                self._shards.pop()
        except OSError as error:
            raise cannot_write(str(self.path), error) from error

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _name(self, number: int, count: int | None = None) -> str:
        total = "" if count is None else f"-of-{count:05}"
        return f"label_rows-{number:05}{total}.jsonl{ZSTD if self.compressed else ''}"

    def good_marks(self, files: Sequence[int]) -> int:
        """Count the marks that fit the unfinished shards, as `ResumableSink` says."""
        if self.unfinished is None or not is_as_begun(self.unfinished.path, {}):
            return 0
        good = 0
        with suppress(OSError), ExitStack() as opened:
            paths = {number: path for path, number in _unfinished(self.unfinished.path)}
            shards: dict[int, BinaryIO] = {}
            for mark, count in zip(self.unfinished.marks, files, strict=True):
                good_form = _is_mark(mark, len(shards)) and sum(p[3] for p in mark) == count
                if not (good_form and _hold(mark, paths, shards, opened)):
                    break
                good += 1
        return good

    def marks(self, *, wait: bool = False) -> list[list[Piece]]:
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


def _shards(marks: Sequence[Sequence[Piece]]) -> list[_Shard]:
    """Return the shards that pieces make up."""
    shards: list[_Shard] = []
    for pieces in marks:
        for piece in pieces:
            if piece[0] == len(shards):
                shards.append(_Shard(piece[1], ""))
            _extend(shards[piece[0]], piece)
    return shards


def _extend(shard: _Shard, piece: Piece) -> None:
    _, _, shard.last_key, rows, size, _ = piece
    shard.rows += rows
    shard.bytes += size


def _is_mark(mark: object, shards: int) -> bool:
    """Whether a value can be the mark of a put that follows a number of shards."""
    if not isinstance(mark, list | tuple):
        return False
    for piece in mark:
        has_fields = isinstance(piece, list | tuple) and len(piece) == 6
        if not (
            has_fields and are_whole(piece[0], *piece[3:]) and shards - 1 <= piece[0] <= shards
        ):
            return False
        if not (isinstance(piece[1], str) and isinstance(piece[2], str)):
            return False
        shards = max(shards, piece[0] + 1)
    return True


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
        if match := _NAME.fullmatch(path.name):
            yield path, int(match[1])


def _foreign(building: Path) -> Iterator[Path]:
    """Yield what no run writes to the folder while shards are written."""
    for path in sorted(building.iterdir()):
        if path.name != MARKER and not _NAME.fullmatch(path.name):
            yield path


def is_shard_name(name: str) -> bool:
    """Return whether a file of this name, relative to the folder, is a shard or the index.

    Examples
    --------
    >>> is_shard_name("label_rows-00000-of-00002.jsonl"), is_shard_name("rows.jsonl")
    (True, False)
    """
    return name == INDEX or _NAME.fullmatch(name) is not None
