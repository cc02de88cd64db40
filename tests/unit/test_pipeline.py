import os
import pickle
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from labelingest.config import IngestConfig
from labelingest.converter import Converter
from labelingest.engines import processes
from labelingest.engines.base import Engine
from labelingest.engines.messages import Message, receive
from labelingest.engines.processes import ProcessEngine
from labelingest.engines.serial import SerialEngine
from labelingest.model.blobs import Unread
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import PatternRule
from labelingest.pipeline import Job, Paired, Worker, check, convert
from labelingest.pipeline.loop import JournaledSink, RunTotals, run_jobs
from labelingest.pipeline.worker import cut_jobs
from labelingest.problems import Problem, ProblemCode
from labelingest.progress import Progress
from labelingest.report import Report
from labelingest.resolution.ontology_json import load_ontology
from labelingest.sinks.json_lines import LinesSink
from labelingest.storage.base import list_all
from labelingest.storage.memory import MemoryStorage
from tests.builders.folders import image_bytes, make_folder, ontology_of, write_ontology

GOOD = "0 0.5 0.5 0.2 0.2\n"


def worker(files: dict[str, bytes]) -> Worker:
    ontology = load_ontology(ontology_of(ship=(0, "rotatable_bounding_box")))
    return Worker(
        MemoryStorage(files), Converter.from_ontology(ontology, storage_url="s3://bucket/")
    )


def job(*names: str) -> Job:
    sizes = np.full(len(names), -1, dtype=np.int64)
    return Job([f"{n}.jpg" for n in names], [f"{n}.txt" for n in names], sizes, sizes * 0)


CORNERS = b"0 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75\n"
TURNED = image_bytes(64, 48, orientation=6)


def test_worker_job_and_result_can_be_pickled() -> None:
    work = worker({"a.txt": CORNERS, "a.jpg": TURNED, "b.txt": b"x"})
    result = work(job("a", "b"))
    again = pickle.loads(pickle.dumps(work))(pickle.loads(pickle.dumps(job("a", "b"))))
    assert list(pickle.loads(pickle.dumps(result)).output.texts) == list(again.output.texts)
    assert [str(p) for p in result.problems] == [str(p) for p in again.problems]


def test_the_size_of_an_image_is_that_after_its_orientation() -> None:
    result = worker({"a.txt": CORNERS, "a.jpg": TURNED})(job("a"))
    assert b'"width":48,"height":64' in result.output.texts[0]


def test_an_image_that_cannot_be_read_costs_its_label_row_and_no_annotation() -> None:
    work = worker({"a.txt": CORNERS, "b.txt": CORNERS, "b.jpg": TURNED})
    result = replace(work, wants_tokens=True)(job("a", "b"))
    assert [str(problem) for problem in result.problems] == [
        "a.txt: unreadable-file: its image 'a.jpg': it cannot be read: no such file or folder"
    ]
    assert (list(result.output.keys), dict(result.image_sizes)) == (["b.jpg"], {"b.jpg": (48, 64)})
    assert (result.tally().failed_files, result.tally().annotations) == (1, 1)
    assert result.tally().rejected == {}


class Vanishing(MemoryStorage):
    """Files that are deleted as soon as their first bytes were read."""

    def fetch_heads(
        self, keys: Sequence[str], length: int, *, start: int = 0
    ) -> Sequence[bytes | Unread]:
        heads = super().fetch_heads(keys, length, start=start)
        self.delete(keys)
        return heads


def test_an_image_that_cannot_be_read_on_is_an_unread_one_too() -> None:
    work = worker({})
    storage = Vanishing({"a.txt": CORNERS, "a.jpg": b"\xff\xd8\xff\xe0"})
    result = Worker(storage, work.converter)(job("a"))
    assert [problem.code for problem in result.problems] == ["unreadable-file"]
    assert list(result.output.keys) == []


def test_a_sidecar_that_is_gone_is_a_problem() -> None:
    result = worker({"a.txt": CORNERS, "a.jpg": TURNED})(job("a", "gone"))
    assert [(p.code.value, p.source) for p in result.problems] == [("unreadable-file", "gone.txt")]
    assert result.tally().failed_files == 1
    assert list(result.output.keys) == ["a.jpg"]


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


def test_label_rows_of_worker_processes_do_not_pass_through_this_one(
    folder: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = []

    def counting(channel: Any) -> Message:
        message = receive(channel)
        received.append(len(message.content))
        return message

    monkeypatch.setattr(processes, "receive", counting)
    for number in range(30):
        label_file = Path(folder["storage_path"], f"labels/{number:02}.txt")
        boxes = (f"0 0.5 0.5 0.{side} 0.2\n" for side in range(100, 200 + number))
        label_file.write_text("".join(boxes))
    for name in ("rows.jsonl", "rows.jsonl.zst"):
        received.clear()
        outputs = []
        for workers in (1, 2):
            out = tmp_path / f"{workers}-{name}"
            convert(IngestConfig(**folder, out=str(out), workers=workers, batch_bytes=9000))
            outputs.append(out.read_bytes())
        assert outputs[0] == outputs[1]
        assert 0 < sum(received) < 40_000
    assert (tmp_path / "2-rows.jsonl").stat().st_size > 1_000_000


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


def written(files: dict[str, bytes], engine: Engine, batch_bytes: int, out: Path) -> bytes:
    """Return the label rows of files in memory."""
    work = worker(files)
    rule = PatternRule(("{name}.jpg",), "{name}.txt")
    listing = list_all(work.storage)
    paired = Paired("memory", work.storage, listing, rule, "", pair(listing, rule))
    totals = RunTotals(Report(work.storage.url, "ships"), len(paired.pairs), None)
    with LinesSink(out) as sink:
        jobs = cut_jobs(paired, batch_bytes, None)
        run_jobs(jobs, engine, work, JournaledSink(sink), totals)
    assert totals.report.tally.label_rows == len(paired.pairs)
    return out.read_bytes()


def test_neither_engine_nor_batches_nor_the_order_of_the_listing_change_a_byte(
    tmp_path: Path,
) -> None:
    files = {f"{n:03}.jpg": image_bytes(64 + n, 48) for n in range(60)}
    files |= {f"{n:03}.txt": CORNERS * (n % 5) for n in range(60)}
    expected = written(files, SerialEngine(), 400_000, tmp_path / "rows.jsonl")
    assert len(expected.splitlines()) == 60
    for seed, batch_bytes in enumerate((1, 200, 5000)):
        shuffled = list(files.items())
        random.Random(seed).shuffle(shuffled)
        for engine in (SerialEngine(), ProcessEngine(2)):
            found = written(dict(shuffled), engine, batch_bytes, tmp_path / "rows.jsonl")
            assert found == expected


def test_a_batch_of_which_no_file_can_be_kept_takes_nothing_from_the_others(
    tmp_path: Path,
) -> None:
    long = "n" * 245  # with .encord.json too long for a file name
    files = {f"images/{name}.jpg": "" for name in ("a", long, "z")}
    files |= {f"labels/{name}.txt": GOOD for name in ("a", long, "z")}
    make_folder(tmp_path / "data", files)
    ontology = write_ontology(tmp_path / "ontology.json", car=(0, "bounding_box"))
    names = {"storage_path": tmp_path / "data", "ontology": ontology, "out": tmp_path / "out"}
    report = convert(IngestConfig(**names, batch_bytes=1))
    assert [problem.code.value for problem in report.problems] == ["output-name-refused"]
    assert report.balance()
    assert {path.name for path in (tmp_path / "out/images").iterdir()} == {
        "a.jpg.encord.json",
        "z.jpg.encord.json",
    }


def test_files_that_the_sink_refuses_are_counted_as_failed_only() -> None:
    work = worker({"a.txt": b"0 .5 .5 .2 .2", "b.txt": b"0 .5 .5 .2 .2", "c.txt": b""})
    result = work(job("a", "b", "c"))
    refusal = Problem(ProblemCode.INTERNAL_ERROR, "b.txt", "no room")
    tally = result.tally([(1, refusal)])
    assert (tally.label_rows, tally.empty_label_rows, tally.failed_files) == (2, 1, 1)
    assert (tally.annotations, tally.rejected[ProblemCode.INTERNAL_ERROR]) == (1, 1)
    assert tally.files_with_rejected_rows == 1
    assert tally.balance()
    assert result.tally().label_rows == 3
