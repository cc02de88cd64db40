import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelingest.config import IngestConfig
from labelingest.converter import Converter
from labelingest.pipeline import Job, Progress, Worker, check, convert
from labelingest.resolution.ontology_json import load_ontology
from labelingest.storage.memory import MemoryStorage
from tests.builders.folders import image_bytes, make_folder, ontology_of, write_ontology

GOOD = "0 0.5 0.5 0.2 0.2\n"


def worker(files: dict[str, bytes]) -> Worker:
    ontology = load_ontology(ontology_of(ship=(0, "rotatable_bounding_box")))
    return Worker(MemoryStorage(files), Converter.of(ontology, storage_url="s3://bucket/"))


def job(*names: str) -> Job:
    sizes = np.full(len(names), -1, dtype=np.int64)
    return Job([f"{n}.jpg" for n in names], [f"{n}.txt" for n in names], sizes, sizes * 0)


CORNERS = b"0 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75\n"
TURNED = image_bytes(64, 48, orientation=6)


def test_worker_job_and_result_can_be_pickled() -> None:
    work = worker({"a.txt": CORNERS, "a.jpg": TURNED, "b.txt": b"x"})
    result = work(job("a", "b"))
    again = pickle.loads(pickle.dumps(work))(pickle.loads(pickle.dumps(job("a", "b"))))
    assert list(pickle.loads(pickle.dumps(result)).made.texts) == list(again.made.texts)
    assert [str(p) for p in result.problems] == [str(p) for p in again.problems]


def test_the_size_of_an_image_is_that_after_its_orientation() -> None:
    result = worker({"a.txt": CORNERS, "a.jpg": TURNED})(job("a"))
    assert b'"width":48,"height":64' in result.made.texts[0]


def test_a_sidecar_that_is_gone_is_a_problem() -> None:
    result = worker({"a.txt": CORNERS, "a.jpg": TURNED})(job("a", "gone"))
    assert [(p.code.value, p.source) for p in result.problems] == [("unreadable-file", "gone.txt")]
    assert result.tally.failed_files == 1
    assert list(result.made.keys) == ["a.jpg"]


@pytest.fixture
def folder(tmp_path: Path) -> dict[str, Any]:
    files = {f"{name}/{n:02}.{end}": text for n in range(30) for name, end, text in
             (("images", "jpg", ""), ("labels", "txt", GOOD * (n % 4)))}  # fmt: skip
    make_folder(tmp_path / "data", files)
    ontology = write_ontology(tmp_path / "ontology.json", car=(0, "bounding_box"))
    return {"storage_path": str(tmp_path / "data"), "ontology": str(ontology)}


def test_the_size_of_batches_does_not_change_a_byte(folder: dict[str, Any], tmp_path: Path) -> None:
    outputs = []
    for batch_bytes in (1, 50, 400_000):
        out = tmp_path / f"{batch_bytes}.jsonl"
        convert(IngestConfig(**folder, out=str(out), batch_bytes=batch_bytes))
        outputs.append(out.read_bytes())
    assert len(outputs[0].splitlines()) == 30
    assert len(set(outputs)) == 1


def test_progress_tells_files_and_rows_up_to_the_end(folder: dict[str, Any]) -> None:
    seen: list[Progress] = []
    check(IngestConfig(**folder, batch_bytes=100), progress=seen.append)
    assert {p.stage for p in seen} == {"list", "convert"}
    assert seen[-1] == Progress("convert", 30, 30, sum(n % 4 for n in range(30)))


def test_dates_are_those_of_the_label_files(folder: dict[str, Any], tmp_path: Path) -> None:
    import os

    os.utime(Path(folder["storage_path"]) / "labels/01.txt", ns=(0, 1_767_631_618_000_000_000))
    convert(IngestConfig(**folder, out=str(tmp_path / "rows.jsonl")))
    row = (tmp_path / "rows.jsonl").read_text().splitlines()[1]
    assert row.count("Mon, 05 Jan 2026 16:46:58 UTC") == 4


@pytest.mark.parametrize("labels", ["labels/{name}.png", "labels/{name}.tar.jpg", "labels/{name}"])
def test_label_files_that_are_called_like_images_keep_their_dates(
    tmp_path: Path, labels: str
) -> None:
    sidecar = labels.replace("{name}", "a")
    make_folder(tmp_path / "data", {"images/a.jpg": "", sidecar: GOOD})
    os.utime(tmp_path / "data" / sidecar, ns=(0, 1_767_631_618_000_000_000))
    ontology = write_ontology(tmp_path / "ontology.json", car=(0, "bounding_box"))
    out = tmp_path / "out.jsonl"
    rule: dict[str, Any] = {"images": ("images/{name}.jpg",), "labels": labels}
    convert(
        IngestConfig(
            storage_path=str(tmp_path / "data"), ontology=str(ontology), out=str(out), **rule
        )
    )
    assert b'"created_at":"Mon, 05 Jan 2026 16:46:58 UTC"' in out.read_bytes()


def test_the_books_balance(folder: dict[str, Any]) -> None:
    report = check(IngestConfig(**folder))
    assert report.balance()
    assert (report.tally.label_rows, report.tally.empty_label_rows) == (30, 8)
