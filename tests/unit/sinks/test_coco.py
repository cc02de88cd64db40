"""A COCO document that several processes write."""

import errno
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from labelingest.engines.processes import ProcessEngine
from labelingest.errors import StorageError
from labelingest.model.batch_output import BatchOutput, Labels
from labelingest.model.chunks import KeptChunk
from labelingest.sinks.coco import CocoSink
from labelingest.writers.coco import CocoWriter
from tests.builders.annotations import Batch, Row, batch_of
from tests.builders.yolo import STORAGE_URL

SHAPES = {7: "bounding_box", 8: "polygon"}
BOX = Row(0, (0.25, 0.5, 0.5, 0.25))
TRIANGLE = Row(1, (0.25, 0.25, 0.75, 0.25, 0.5, 0.75), confidence=0.5)
BATCHES = [
    batch_of([BOX, TRIANGLE] * count, [(640, 480)], SHAPES) for count in (0, 1, 4, 0, 7, 50, 2, 1)
]


def outputs(batches: Sequence[Batch] = BATCHES) -> list[BatchOutput]:
    return [BatchOutput(b.units.key, labels=Labels(b.units, b.annotations)) for b in batches]


def sink_at(path: Path) -> CocoSink:
    return CocoSink(str(path), CocoWriter(BATCHES[0].ontology, STORAGE_URL))


def document_of(path: Path, puts: Sequence[Any]) -> bytes:
    with sink_at(path) as sink:
        for output in puts:
            assert sink.put(output) == []
    return path.read_bytes()


def test_worker_processes_write_the_same_document_and_keep_its_text(tmp_path: Path) -> None:
    expected = document_of(tmp_path / "here.json", outputs())
    path, kept_pages = tmp_path / "there.json", 0
    with sink_at(path) as sink:
        for output in ProcessEngine(2).map(sink.half().deliver, outputs()):
            kept_pages += sum(isinstance(page, KeptChunk) for _, page in output.delivered.pages)
            assert sink.put(output) == []
    assert kept_pages == len(BATCHES)
    assert path.read_bytes() == expected
    document = json.loads(expected)
    assert [entry["id"] for entry in document["images"]] == list(range(1, 9))
    assert [entry["id"] for entry in document["annotations"]] == list(range(1, 131))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["here.json", "there.json"]


def test_a_share_that_a_worker_cannot_write_ends_the_run(tmp_path: Path) -> None:
    def write() -> None:
        with sink_at(tmp_path / "rows.json") as sink:
            [annotations] = tmp_path.glob("*-annotations")
            annotations.unlink()
            for output in ProcessEngine(1).map(sink.half().deliver, outputs()):
                sink.put(output)

    with pytest.raises(StorageError, match=r"rows\.json' cannot be written"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_the_next_run_takes_over_what_a_killed_one_left(tmp_path: Path) -> None:
    expected = document_of(tmp_path / "rows.json", outputs())
    with sink_at(tmp_path / "rows.json"):
        names = [entry.name for entry in tmp_path.iterdir() if entry.name != "rows.json"]
    for name in names:
        (tmp_path / name).write_bytes(b"longer than the next document" * 100_000)
    assert document_of(tmp_path / "rows.json", outputs()) == expected
    assert [entry.name for entry in tmp_path.iterdir()] == ["rows.json"]


def test_nothing_is_left_of_a_run_that_failed(tmp_path: Path) -> None:
    def fail() -> None:
        with sink_at(tmp_path / "rows.json") as sink:
            sink.put(outputs()[1])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bytes_before", [0, 100])
def test_a_file_system_that_cannot_copy_gives_the_same_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bytes_before: int
) -> None:
    expected, copy = document_of(tmp_path / "copied.json", outputs()), os.copy_file_range
    lengths = [bytes_before] if bytes_before else []

    def fail(source: int, target: int, count: int) -> int:
        if not lengths:
            raise OSError(errno.EOPNOTSUPP, "not supported")
        return copy(source, target, lengths.pop())

    monkeypatch.setattr(os, "copy_file_range", fail)
    assert document_of(tmp_path / "read.json", outputs()) == expected
