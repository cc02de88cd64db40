"""Chunks of results: every engine brings the same bytes to a file, and processes keep them."""

import errno
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from labelingest.engines import processes
from labelingest.engines.base import Engine
from labelingest.engines.messages import Message, receive
from labelingest.engines.processes import ProcessEngine
from labelingest.errors import EngineError, StorageError
from labelingest.model.chunks import KeptChunk, Receipt
from labelingest.sinks.growing_file import GrowingFile
from labelingest.sinks.marks import checksum
from tests.builders.engines import chunk_of, die_or_write, fail_on, new_chunk_each_time
from tests.contracts.test_engines import ENGINES

COUNT = 60
CONTENT = b"".join(chunk_of(number).content for number in range(COUNT))


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with ExitStack() as stack:
        yield ENGINES[request.param](stack)


def append_all(engine: Engine, path: Path, fn: Callable[[Any], Any] = chunk_of) -> list[Any]:
    """Append the chunks of all results to a file; return the marks."""
    marks: list[Any] = []
    with path.open("wb") as file:
        growing = GrowingFile(file.fileno(), path, 0, output=path.name)
        try:
            with closing(engine.map(fn, range(COUNT))) as results:
                for chunk in results:
                    growing.append(chunk)
                    marks += growing.marks()
            marks += growing.marks(wait=True)
            growing.sync()
        finally:
            growing.end()
    return marks


def test_chunks_reach_the_file_in_the_order_of_items(engine: Engine, tmp_path: Path) -> None:
    marks = append_all(engine, tmp_path / "rows")
    contents = [chunk_of(number).content for number in range(COUNT)]
    assert (tmp_path / "rows").read_bytes() == CONTENT
    assert marks == [(len(content), checksum(content)) for content in contents]


def test_a_file_that_is_flushed_on_the_way_is_the_same(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelingest.sinks.growing_file._FLUSH_EVERY", 5000)
    append_all(engine, tmp_path / "rows")
    assert (tmp_path / "rows").read_bytes() == CONTENT


def test_no_chunk_comes_to_the_process_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = []

    def counting(channel: Any) -> Message:
        message = receive(channel)
        lengths.append(len(message.content))
        return message

    monkeypatch.setattr(processes, "receive", counting)
    append_all(ProcessEngine(2), tmp_path / "rows")
    assert len(lengths) == 2 * COUNT
    assert max(lengths) < 200


def work_on_all(chunks: Iterable[Any], causes: Path, place: Path) -> list[Receipt]:
    """Have all chunks written to a file by `die_or_write`; return the receipts."""
    path, offset, receipts = place / "rows", 0, []
    path.touch()
    for chunk in chunks:
        receipts.append(chunk.apply(partial(die_or_write, str(causes), str(path), offset)))
        offset += chunk.length
    return receipts


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_a_worker_that_is_lost_over_a_chunk_changes_nothing(tmp_path: Path, workers: int) -> None:
    causes = tmp_path / "causes"
    causes.mkdir()
    for number in (0, 7, 8, 59):
        place = sum(len(chunk_of(before).content) for before in range(number))
        (causes / f"{place}-0").touch()
    receipts = work_on_all(ProcessEngine(workers).map(chunk_of, range(COUNT)), causes, tmp_path)
    assert all(receipt.is_done and receipt.error is None for receipt in receipts)
    assert (tmp_path / "rows").read_bytes() == CONTENT
    assert list(causes.iterdir()) == []


def test_a_chunk_that_costs_one_worker_after_the_other_ends_the_run(tmp_path: Path) -> None:
    for cause in range(9):
        (tmp_path / f"0-{cause}").touch()
    with pytest.raises(EngineError, match="3 worker processes were lost over the same batch"):
        work_on_all(ProcessEngine(2).map(chunk_of, range(9)), tmp_path, tmp_path)
    assert len(list(tmp_path.glob("0-*"))) in range(2, 9 - 3 + 1)


def test_a_chunk_that_is_another_the_second_time_ends_the_run(tmp_path: Path) -> None:
    folder, causes = tmp_path / "calls", tmp_path / "causes"
    for place in (folder, causes):
        place.mkdir()
    (causes / "0-0").touch()
    with pytest.raises(EngineError, match="a file has changed meanwhile; run the same command"):
        work_on_all(ProcessEngine(1).map(new_chunk_each_time, [str(folder)]), causes, tmp_path)


def test_work_on_a_chunk_that_fails_is_told_by_its_receipt(tmp_path: Path) -> None:
    engine: Any = ProcessEngine(2)
    [receipt] = [chunk.apply(fail_on) for chunk in engine.map(chunk_of, [1])]
    assert isinstance(receipt.error, OSError)
    assert receipt.error.errno == errno.ENOSPC


def test_chunks_without_work_are_released(monkeypatch: pytest.MonkeyPatch) -> None:
    released = []
    release = processes._Worker.release

    def noting(worker: Any, chunk: KeptChunk) -> None:
        released.append(chunk)
        release(worker, chunk)

    monkeypatch.setattr(processes._Worker, "release", noting)
    engine: Any = ProcessEngine(2)
    chunks = list(engine.map(chunk_of, range(COUNT)))
    assert released == chunks
    assert all(chunk.receipt.is_done for chunk in chunks)


def test_a_file_that_is_another_now_is_not_written_by_workers(tmp_path: Path) -> None:
    path = tmp_path / "rows"

    with path.open("wb") as file:
        growing = GrowingFile(file.fileno(), path, 0, output="rows")
        path.unlink()
        path.write_bytes(b"of another run")
        for chunk in ProcessEngine(1).map(chunk_of, [3]):
            growing.append(chunk)
        with pytest.raises(StorageError, match="'rows' cannot be written"):
            growing.marks(wait=True)
        growing.end()
    assert path.read_bytes() == b"of another run"


def break_off(content: bytes) -> None:
    raise SystemExit


def test_a_thread_of_a_worker_that_ends_does_not_leave_the_caller_waiting() -> None:
    work: Callable[[int], Any] = chunk_of
    results = ProcessEngine(1).map(work, range(1))
    next(results).apply(break_off)
    with pytest.raises(EngineError, match="lost over the same batch"):
        next(results)
