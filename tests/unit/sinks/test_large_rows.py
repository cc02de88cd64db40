"""Label rows that are made while they are written: what a disk and a row that breaks off leave."""

import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labelingest.errors import StorageError
from labelingest.fence import result_or_reason
from labelingest.model.batch_output import BatchOutput, LargeLabels
from labelingest.sinks.growing_file import GrowingFile
from labelingest.sinks.json_lines import LinesSink
from labelingest.sinks.shard_index import INDEX
from labelingest.sinks.shards import ShardSink
from labelingest.sinks.single_file import FileSink, Put
from labelingest.storage.atomic import whole_file


def large(key: str, pieces: int, *, breaks: bool = False, shard: int = 0) -> BatchOutput:
    def pieces_of_row() -> Iterator[bytes]:
        yield from [b"x" * 100_000] * pieces
        if breaks:
            raise MemoryError

    return BatchOutput([key], large=LargeLabels(pieces_of_row, lambda: iter(())), shard=shard)


def on_a_full_disk(sink: LinesSink) -> None:
    """Let the sink write to a device on which nothing has room."""
    file = os.open("/dev/full", os.O_WRONLY)
    sink._file = GrowingFile(file, Path("/dev/full"), 0, output=str(sink.path))


@pytest.mark.parametrize("puts", [1, 2])
def test_a_full_disk_ends_the_run_and_is_no_failure_over_one_file(
    tmp_path: Path, puts: int
) -> None:
    def put(sink: LinesSink, batch: BatchOutput) -> None:
        for _ in range(puts):
            result_or_reason(lambda: (sink.put(batch), sink.marks(wait=True)))

    for batch in (large("a.jpg", 3), BatchOutput(["a.jpg"], [b"{}"])):
        sink = LinesSink(tmp_path / "rows.jsonl")
        on_disk = pytest.raises(StorageError, match=r"rows\.jsonl' cannot be written: disk full")
        with on_disk, sink:
            on_a_full_disk(sink)
            put(sink, batch)


def test_a_full_disk_is_said_of_a_document_too(tmp_path: Path) -> None:
    def put(batch: BatchOutput) -> Callable[[], None]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @contextmanager
    def document(out: str) -> Iterator[Put]:
        with whole_file(Path(out)):
            yield put

    sink = FileSink(str(tmp_path / "rows.json"), document)
    with pytest.raises(StorageError, match="disk full"), sink:
        sink.put(large("a.jpg", 1))


@pytest.mark.parametrize("broken", ["a.jpg", "c.jpg", "e.jpg"])
def test_a_row_that_breaks_off_leaves_no_part_and_no_key(tmp_path: Path, broken: str) -> None:
    keys = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]

    def index(name: str, rows: list[BatchOutput]) -> object:
        with ShardSink(tmp_path / name) as sink:
            for batch in rows:
                answer = result_or_reason(lambda batch=batch: sink.put(batch))  # type: ignore[misc]
                if answer != []:
                    sink.put(BatchOutput([], shard=batch.shard))  # as a run does
        files = sorted(path.name for path in (tmp_path / name).glob("*.jsonl"))
        return files, json.loads((tmp_path / name / INDEX).read_text())

    shards = {key: number // 2 for number, key in enumerate(keys)}
    others = [key for key in keys if key != broken]
    without = {key: large(key, 2, shard=shards[key]) for key in others}
    without.setdefault(broken, BatchOutput([], shard=shards[broken]))
    expected = index("without", [without[key] for key in keys])
    rows = [large(key, 2, breaks=key == broken, shard=shards[key]) for key in keys]
    assert index("with", rows) == expected


@pytest.mark.parametrize("before", [0, 1])
def test_a_part_of_a_row_that_cannot_be_taken_back_ends_the_run(
    tmp_path: Path, before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next row would follow that part."""

    def failing(*arguments: object, **keywords: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def put(sink: ShardSink) -> None:
        for number in range(before):
            sink.put(large(f"{number}.jpg", 1))
        with monkeypatch.context() as patched:
            patched.setattr(os, "ftruncate", failing)
            result_or_reason(lambda: sink.put(large("z.jpg", 2, breaks=True)))

    sink = ShardSink(tmp_path / "rows")
    with pytest.raises(StorageError, match="cannot be written"), sink:
        put(sink)
