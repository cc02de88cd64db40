"""A file that grows by chunks: marks in order, and errors of the disk at the next step."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from labelingest.errors import EngineError, StorageError
from labelingest.model.chunks import Chunk, KeptChunk
from labelingest.sinks import growing_file
from labelingest.sinks.growing_file import GrowingFile


def kept_chunk(content: bytes) -> KeptChunk:
    """Return a chunk of another process, whose work is done when the test says so."""
    return KeptChunk(*KeptChunk.fields_of(0, Chunk(content)))


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[GrowingFile]:
    with (tmp_path / "unfinished").open("wb") as file:
        growing = GrowingFile(file.fileno(), tmp_path / "unfinished", 0, output="rows.jsonl")
        yield growing
        growing.end()


def failing(number: int) -> Callable[..., Any]:
    def fail(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def lengths(growing: GrowingFile, *, wait: bool = False) -> list[int]:
    return [length for length, _ in growing.marks(wait=wait)]


def test_marks_come_in_the_order_of_chunks_whatever_is_written_first(growing: GrowingFile) -> None:
    first, second = kept_chunk(b"a"), kept_chunk(b"bc")
    for chunk in (first, second):
        growing.append(chunk)
    second.receipt.settle()
    assert lengths(growing) == []
    first.receipt.settle()
    assert lengths(growing) == [1, 2]


def test_a_chunk_whose_process_is_gone_ends_the_run(growing: GrowingFile) -> None:
    growing.append(Chunk(b"a"))
    growing.append(kept_chunk(b"b"))
    assert lengths(growing, wait=True) == [1]
    with pytest.raises(EngineError, match="ended before its label rows were written"):
        growing.marks(wait=True)


def test_a_chunk_that_cannot_be_written_comes_after_the_marks_before_it(
    growing: GrowingFile,
) -> None:
    growing.append(Chunk(b"a"))
    chunk = kept_chunk(b"b")
    growing.append(chunk)
    chunk.receipt.settle(OSError(errno.EROFS, os.strerror(errno.EROFS)))
    assert lengths(growing, wait=True) == [1]
    for step in (growing.marks, lambda: growing.append(Chunk(b"c"))):
        with pytest.raises(StorageError, match=r"'rows\.jsonl' cannot be written: .* read-only"):
            step()


def test_a_flush_on_the_way_that_fails_is_said_when_everything_is_flushed(
    growing: GrowingFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system tells of it once: the flush at the end would be called a success."""
    monkeypatch.setattr(growing_file, "_FLUSH_EVERY", 1)
    monkeypatch.setattr(growing_file, "_FLUSH", failing(errno.EIO))
    growing.append(Chunk(b"a"))
    assert lengths(growing, wait=True) == [1]
    with pytest.raises(StorageError, match="the disk or the network failed"):
        growing.sync()


def test_few_chunks_wait_for_a_slow_disk(
    growing: GrowingFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_write = Event()
    monkeypatch.setattr(growing_file, "write_all", lambda *arguments: may_write.wait())

    def append_all() -> None:
        for _ in range(9):
            growing.append(Chunk(b"x"))

    caller = Thread(target=append_all)
    caller.start()
    caller.join(0.2)
    assert growing.length <= 3
    may_write.set()
    caller.join()
    assert lengths(growing, wait=True) == [1] * 9
