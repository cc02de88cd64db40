"""Large label files in a folder: every output is that of the ordinary way, and of any engine."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from labelingest.config import IngestConfig
from labelingest.converter.large import LargeFile
from labelingest.pipeline import worker as module
from labelingest.pipeline.run import check, convert
from labelingest.problems import ProblemCode
from labelingest.report import Report
from tests.builders import image_bytes
from tests.builders.yolo import ontology_called_by_shapes

ONTOLOGY = ontology_called_by_shapes()
ROWS = (
    "0 .5 .5 .25 .25\n1 0 0 1 0 1 1\n2 .1 .1 .4 .1 .4 .3 .1 .3\n0 x\n# comment\r\n"
    "7 .5 .5 .1 .1\n0 .5 .5 .25 .25\n0 .9 .5 .5 .5\n"
)
OUTPUTS = [
    ("encord", "rows.jsonl", {}),
    ("encord", "rows.jsonl.zst", {}),
    ("encord", "rows", {}),
    ("encord", "rows", {"shard_rows": 2}),
    ("encord", "rows.zst", {"shard_rows": 2}),
    ("yolo", "rows", {}),
    ("coco", "rows.json", {}),
    ("parquet", "rows.parquet", {}),
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "ontology.json").write_text(json.dumps(ONTOLOGY))
    for number in range(7):
        image = tmp_path / "data/images" / f"{number}.png"
        label = tmp_path / "data/labels" / f"{number}.txt"
        for path in (image, label):
            path.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(image_bytes.png(40 + number, 30))
        times = {1: 40, 2: 1, 4: 60, 5: 55}.get(number, 1)
        label.write_text(ROWS * times if number else "")
    return tmp_path


def config_of(data: Path, to: str, out: str, **options: Any) -> IngestConfig:
    return IngestConfig(
        storage_path=data / "data",
        ontology=data / "ontology.json",
        images="images/{n}.png",
        labels="labels/{n}.txt",
        to=to,
        out=data / out,
        **options,
    )


def contents(path: Path) -> dict[str, bytes]:
    if path.is_dir():
        files = [p for p in sorted(path.rglob("*")) if p.is_file() and p.name != "index.json"]
        return {str(p.relative_to(path)): plain(p) for p in files}
    return {"": plain(path)}


def plain(path: Path) -> bytes:
    if path.suffix != ".zst":
        return path.read_bytes()
    from labelingest.sinks.json_lines import plain_lines

    with path.open("rb") as file, plain_lines(file) as lines:
        return lines.read()


def told(report: Report) -> Any:
    values = json.loads(report.to_json())
    return {name: value for name, value in values.items() if name not in ("seconds", "out")}


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Make files of over 1,000 bytes large; returns the keys of those that were."""
    done: list[str] = []
    convert_large = module.Worker.convert_large

    def noted(self: module.Worker, job: module.Job) -> module.JobResult:
        done.extend(job.data)
        return convert_large(replace(self, slice_bytes=300), job)

    monkeypatch.setattr(module.Worker, "most_shared_bytes", 1000)
    monkeypatch.setattr(module.Worker, "convert_large", noted)
    return done


@pytest.mark.parametrize(("to", "out", "options"), OUTPUTS)
@pytest.mark.parametrize("on_row_error", ["skip", "skip-file"])
def test_large_files_come_out_as_others(
    data: Path, to: str, out: str, options: Any, on_row_error: str, request: pytest.FixtureRequest
) -> None:
    config = config_of(data, to, out, on_row_error=on_row_error, **options)
    ordinary, expected = told(convert(config)), contents(data / out)
    done = request.getfixturevalue("large")
    assert told(convert(config)) == ordinary
    assert contents(data / out) == expected
    assert done == [f"images/{number}.png" for number in (1, 4, 5)]


def test_check_says_the_same(data: Path, request: pytest.FixtureRequest) -> None:
    config = config_of(data, "encord", "rows.jsonl")
    ordinary = told(check(config))
    assert request.getfixturevalue("large") == []
    assert told(check(config)) == ordinary


@pytest.mark.parametrize(("to", "out", "options"), OUTPUTS[:6])
def test_a_label_row_that_breaks_off_costs_itself(
    data: Path,
    to: str,
    out: str,
    options: Any,
    large: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pieces = LargeFile._pieces

    def breaking(self: LargeFile, *of: Any) -> Iterator[bytes]:
        for number, piece in enumerate(pieces(self, *of)):
            if number == 3 and self.units.key[0] == "images/4.png":
                raise MemoryError
            yield piece

    monkeypatch.setattr(LargeFile, "_pieces", breaking)
    report = convert(config_of(data, to, out, **options))
    broken = [p for p in report.problems if p.code is ProblemCode.OUT_OF_MEMORY]
    assert [p.source for p in broken] == ["labels/4.txt"]
    (data / "data/labels/4.txt").write_bytes(b"\x89PNG")  # as a file without any row
    found = contents(data / out)
    monkeypatch.undo()
    convert(config_of(data, to, out, **options))
    assert found == contents(data / out)
    assert report.balance()


def test_a_file_that_became_large_is_tried_again_later(data: Path) -> None:
    config = config_of(data, "encord", "rows.jsonl")
    from labelingest.pipeline.run import prepare

    ready = prepare(config)
    worker = module.Worker(ready.paired.storage, ready.converter, large_bytes=1000)
    (job,) = list(module.cut_jobs(ready.paired, 10**9, None))
    small = module.Job(job.data, job.sidecars, job.sizes * 0, job.mtime_ns)
    result = worker(small)
    assert [p.source for p in result.problems if p.code is ProblemCode.UNREADABLE_FILE] == [
        f"labels/{number}.txt" for number in (1, 4, 5)
    ]
