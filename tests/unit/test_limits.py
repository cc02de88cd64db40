"""How large one file may be: beyond it that file is named, and the others go on."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from labelingest.config import IngestConfig
from labelingest.converter import Converter
from labelingest.documents import decode
from labelingest.documents import value_count as weigh
from labelingest.errors import ConfigError
from labelingest.pipeline.run import check, convert
from labelingest.problems import ProblemCode
from labelingest.problems.of_batch import BatchProblems, UnrecordedProblems
from labelingest.problems.of_document import DocumentProblems
from labelingest.resolution.ontology_json import load_ontology
from labelingest.storage.local.local import LocalStorage

CAR = {
    "id": "1",
    "name": "Car",
    "color": "#D33115",
    "shape": "bounding_box",
    "featureNodeHash": "a1B2c3D4",
    "externalIds": {"YOLO": "0"},
}
ONTOLOGY = {"objects": [CAR], "classifications": []}
ROW = b"0 .5 .5 .2 .2\n"


@pytest.fixture
def config(tmp_path: Path) -> IngestConfig:
    for folder, name, content in (
        ("images", "a.jpg", b""),
        ("images", "b.jpg", b""),
        ("labels", "a.txt", ROW * 10),
        ("labels", "b.txt", ROW),
    ):
        place = tmp_path / "data" / folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    (tmp_path / "ontology.json").write_text(json.dumps(ONTOLOGY))
    return IngestConfig(
        storage_path=tmp_path / "data",
        ontology=tmp_path / "ontology.json",
        images="images/{n}.jpg",
        labels="labels/{n}.txt",
        out=tmp_path / "rows.jsonl",
        max_label_bytes=len(ROW) * 10 - 1,
    )


def test_a_label_file_that_is_too_large_costs_itself(config: IngestConfig) -> None:
    report = convert(config)
    assert [(p.source, p.code) for p in report.problems] == [
        ("labels/a.txt", ProblemCode.FILE_TOO_LARGE)
    ]
    assert "--max-label-bytes" in report.problems[0].detail
    assert report.tally.label_rows == 1


def test_it_is_not_read(config: IngestConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    pread = os.pread

    def counted(file: int, length: int, at: int) -> bytes:
        content = pread(file, length, at)
        read.append(len(content))
        return content

    monkeypatch.setattr(os, "pread", counted)
    check(config)
    assert sorted(read) == [1, len(ROW)]  # one byte shows that the file is still there


def test_a_file_of_unknown_size_is_read_no_further_than_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(bytes(1_000_000))
    blobs = LocalStorage(str(tmp_path)).fetch(["a.txt"], most=99_999)
    assert blobs.unread[0].code is ProblemCode.FILE_TOO_LARGE
    assert "99,999" in blobs.unread[0].detail


def test_files_in_memory_have_the_same_limit() -> None:
    converter = Converter.from_ontology(
        load_ontology(ONTOLOGY), storage_url="s3://b/", max_label_bytes=20
    )
    done = converter.convert([("a.jpg", ROW * 2), ("b.jpg", ROW)])
    assert [p.code for p in done.problems] == [ProblemCode.FILE_TOO_LARGE]
    assert done.label_rows[0] is None
    assert done.label_rows[1] is not None


def test_more_than_can_be_fetched_cannot_be_allowed(config: IngestConfig) -> None:
    with pytest.raises(ConfigError, match="whole number from 1 to 300,000,000"):
        IngestConfig(**config.model_dump(exclude_unset=True) | {"max_label_bytes": 300_000_001})


@pytest.mark.parametrize("content", [b"[" + b"[]," * 9 + b"1]", b'{"a":' * 6 + b"1" + b"}" * 6])
def test_too_many_values_are_not_decoded(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "too_many_values", lambda text: weigh.too_many_values(text, 10))
    monkeypatch.setattr("orjson.loads", lambda _: pytest.fail("decoded"))
    notes = DocumentProblems("a.json")
    assert decode.decode(content, notes) is decode.UNDECODED
    (problem,) = notes.in_order()
    assert problem.code is ProblemCode.FILE_TOO_LARGE


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ('["\U0001f600xxxxxxxxxxxxxxxxxxxx"]', ProblemCode.FILE_TOO_LARGE),
        ('["\U0001f600", 1, 1, 1, 1', ProblemCode.NOT_JSON),
    ],
)
def test_a_text_that_would_become_four_times_as_large_is_not_decoded(
    content: str, code: ProblemCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "LARGE_BYTES", 10)
    monkeypatch.setattr(decode, "MAX_TEXT", 10)
    monkeypatch.setattr("orjson.loads", lambda _: pytest.fail("decoded"))
    notes = DocumentProblems("a.json")
    assert decode.decode(content.encode(), notes) is decode.UNDECODED
    assert [p.code for p in notes.in_order()] == [ProblemCode.LARGE_SIDECAR, code]


def test_a_pass_that_notes_nothing_goes_through_no_bad_row() -> None:
    bad = np.arange(5)
    assert BatchProblems().rows_to_note(bad).tolist() == [0, 1, 2, 3, 4]
    assert UnrecordedProblems().rows_to_note(bad).tolist() == []
