"""An unexpected exception costs the files it comes from, whatever else is in their batch."""

import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelingest.converter import Conversion, Converter, LabelFile
from labelingest.engines.base import Engine
from labelingest.engines.executors import ExecutorEngine
from labelingest.engines.processes import ProcessEngine
from labelingest.engines.serial import SerialEngine
from labelingest.errors import LabelIngestError, SidecarError, StorageError
from labelingest.fence import isolate_failures, result_or_reason
from labelingest.media.image_size import read_image_size
from labelingest.model.blobs import Unread
from labelingest.pipeline.worker import Job, JobResult, Worker
from labelingest.problems import ProblemCode
from labelingest.sinks.json_lines import KeptLinesHalf, join_lines
from labelingest.storage.memory import MemoryStorage
from tests.builders.encord import encord_converter, sidecar
from tests.builders.failing import OUT_OF_MEMORY, POISON, failing, traces
from tests.builders.yolo import converter_for

BOX = b"0 0.5 0.5 0.25 0.5"
TRIANGLE = b"1 0.1 0.1 0.9 0.1 0.5 0.9"


def squares(numbers: Sequence[Any], tried_rows: list[slice] | None = None) -> Callable[..., Any]:
    """Return what squares a slice of numbers, and raises those that are exceptions."""

    def work(rows: slice) -> list[int]:
        if tried_rows is not None:
            tried_rows.append(rows)
        for number in numbers[rows]:
            if isinstance(number, BaseException):
                raise number
        return [number * number for number in numbers[rows]]

    return work


def fail(rows: slice) -> list[Any]:
    raise ZeroDivisionError(rows)


def all_squares(
    numbers: Sequence[Any], rows: list[slice] | None = None, *, fails: bool = False
) -> list[Any]:
    return isolate_failures(
        fail if fails else squares(numbers, rows),
        len(numbers),
        lambda row, why: [(row, why.code.value)],
        lambda parts: [value for part in parts for value in part],
    )


@pytest.mark.parametrize("bad", [[0], [6], [3], [0, 1], [2, 5], range(7)])
def test_results_keep_their_order_around_the_files_that_fail(bad: Sequence[int]) -> None:
    numbers = [ZeroDivisionError() if n in bad else n for n in range(7)]
    expected = [(n, "internal-error") if n in bad else n * n for n in range(7)]
    assert all_squares(numbers) == expected


def test_a_batch_without_a_failure_is_done_once_and_one_failure_costs_a_few_halves() -> None:
    rows: list[slice] = []
    all_squares(range(1000), rows)
    assert rows == [slice(0, 1000)]
    rows.clear()
    all_squares([*range(700), KeyError("secret"), *range(299)], rows)
    assert len(rows) <= 2 * 10 + 1


@pytest.mark.parametrize(
    "passes",
    [KeyboardInterrupt(), SystemExit(), StorageError("full"), LabelIngestError("on purpose")],
)
def test_what_is_about_the_call_or_the_world_passes(passes: BaseException) -> None:
    with pytest.raises(type(passes)):
        all_squares([1, passes, 3])
    with pytest.raises(type(passes)):
        result_or_reason(lambda: squares([passes])(slice(0, 1)))


def test_no_files_are_nobody_to_blame() -> None:
    with pytest.raises(ZeroDivisionError):
        all_squares([], fails=True)


def test_memory_that_ran_out_has_a_code_of_its_own() -> None:
    assert all_squares([1, MemoryError(), 3]) == [1, (1, "out-of-memory"), 9]
    assert isinstance(result_or_reason(lambda: np.empty(1 << 62, dtype=np.uint8)), Unread)


def test_what_failed_holds_nothing_while_the_rest_is_done() -> None:
    alive: list[str] = []

    class Large:
        def __init__(self) -> None:
            alive.append("")

        def __del__(self) -> None:
            alive.pop()

    def work(rows: slice) -> list[slice]:
        assert not alive
        large = Large()
        if rows.start <= 2 < rows.stop:
            raise MemoryError(str(large))
        return [rows]

    done = isolate_failures(
        work, 9, lambda row, why: [], lambda parts: [one for p in parts for one in p]
    )
    assert sum(rows.stop - rows.start for rows in done) == 8


ENCORD = [sidecar("k3P/x0+a"), sidecar("aaaaaaaa"), b"[]", sidecar("bbbbbbbb"), sidecar("cccccccc")]
YOLO = [BOX, TRIANGLE + b"\n" + BOX, b"\x89PNG", BOX + b"\n9 1 1 1 1", b""]


def conversion(converter: Converter, contents: Sequence[bytes]) -> Conversion:
    return converter.convert(
        LabelFile(f"{number}.jpg", content, (640, 480)) for number, content in enumerate(contents)
    )


def said(done: Conversion) -> list[str]:
    return [str(problem) for problem in done.problems if problem.code != "internal-error"]


@pytest.mark.parametrize("to", ["encord", "yolo", "coco", "parquet"])
@pytest.mark.parametrize("format", ["encord", "yolo"])
@pytest.mark.parametrize("row", range(5))
def test_the_other_files_of_a_batch_become_what_they_would_without(
    format: str, to: str, row: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces(monkeypatch, tmp_path / "traces")
    make = encord_converter if format == "encord" else converter_for
    contents = list(ENCORD if format == "encord" else YOLO)
    # In the place of the file that fails, one that cannot be read at all.
    contents[row] = b"\x89PNG"
    expected = conversion(converter_to(make, to), contents)
    contents[row] = POISON
    done = conversion(failing(converter_to(make, to)), contents)
    [problem] = [p for p in done.problems if p.code is ProblemCode.INTERNAL_ERROR]
    assert problem.source == f"{row}.jpg"
    assert list(done.label_rows) == list(expected.label_rows)
    assert done.is_converted.tolist() == expected.is_converted.tolist()
    assert done.tally.label_rows == expected.tally.label_rows
    assert done.tally.failed_files == expected.tally.failed_files
    assert done.tally.balance()
    assert said(done) == [s for s in said(expected) if not s.startswith(f"{row}.jpg")]
    assert columns(done) == columns(expected)


def columns(done: Conversion) -> list[Any]:
    """Return the labels of a format that is one file."""
    if done.labels is None:
        return []
    names = ("unit", "feature", "coordinates", "offsets", "content")
    found = [getattr(done.labels.annotations, name).tolist() for name in names]
    return [done.labels.units.key, *found]


def converter_to(make: Any, to: str) -> Converter:
    made: Converter = make()
    return replace(made, to=to)


def test_the_problem_says_where_the_trace_is_and_no_value_of_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = traces(monkeypatch, tmp_path / "traces")
    content = b"password=hunter2 " + POISON
    done = failing(converter_for()).convert([("a.jpg", BOX), ("b.jpg", content)])
    [problem] = done.problems
    [trace] = folder.iterdir()
    assert str(trace) in problem.detail
    assert "ValueError" in problem.detail
    assert trace.stat().st_mode & 0o777 == 0o600
    text = trace.read_text()
    assert "failing.py" in text
    assert "hunter2" not in text + problem.detail


def test_many_files_that_fail_alike_leave_one_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = traces(monkeypatch, tmp_path / "traces")
    done = failing(converter_for()).convert([(f"{n}.jpg", POISON) for n in range(20)])
    assert [p.code.value for p in done.problems] == ["internal-error"] * 20
    assert len(list(folder.iterdir())) == 1


def test_stop_stops_at_a_failure_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    traces(monkeypatch, tmp_path / "traces")
    with pytest.raises(SidecarError) as stopped:
        failing(converter_for(on_row_error="stop")).convert([("a.jpg", BOX), ("b.jpg", POISON)])
    assert [p.code for p in stopped.value.problems] == [ProblemCode.INTERNAL_ERROR]
    assert stopped.value.data_file == "b.jpg"


FILES = {f"{n:02}.txt": BOX for n in range(12)} | {"03.txt": POISON, "07.txt": OUT_OF_MEMORY}


def job_of(rows: range) -> Job:
    keys = sorted(FILES)[rows.start : rows.stop]
    sizes = np.array([len(FILES[key]) for key in keys], dtype=np.int64)
    images = [key.replace(".txt", ".jpg") for key in keys]
    return Job(images, keys, sizes, np.zeros(len(keys), dtype=np.int64))


def summary(result: JobResult) -> tuple[Any, ...]:
    problems = [(p.source, p.code.value) for p in result.problems]
    return result.output.keys, result.output.packed, problems, result.data_files, result.tally()


EXPECTED_PROBLEMS = {"03.txt": "internal-error", "07.txt": "out-of-memory"}


def check_results(results: Sequence[JobResult]) -> None:
    problems = {p.source: p.code.value for result in results for p in result.problems}
    assert problems == EXPECTED_PROBLEMS
    assert sum(len(result.output.keys) for result in results) == 10
    assert sum(result.tally().failed_files for result in results) == 2


@pytest.mark.parametrize("engine", ["serial", "processes", "threads", "pool"])
def test_every_engine_goes_on(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    traces(monkeypatch, tmp_path / "traces")
    worker = Worker(MemoryStorage(FILES), failing(converter_for()), wants_tokens=True)
    jobs = [job_of(range(start, start + 4)) for start in range(0, 12, 4)]
    expected = [worker(job) for job in jobs]
    check_results(expected)
    engines: dict[str, Callable[[], Engine]] = {
        "serial": SerialEngine,
        "processes": lambda: ProcessEngine(2),
    }
    executors: dict[str, Callable[[], Executor]] = {
        "threads": lambda: ThreadPoolExecutor(2),
        "pool": lambda: ProcessPoolExecutor(2, get_context("spawn")),
    }
    if engine in engines:
        results = list(engines[engine]().map(worker, jobs))
    else:
        with executors[engine]() as executor:
            results = list(ExecutorEngine(executor, in_flight=4).map(worker, jobs))
    assert list(map(summary, results)) == list(map(summary, expected))


class FailingStorage(MemoryStorage):
    """Fails over a key, as a client library that was given a name that it never saw."""

    def fetch(self, keys: Sequence[str], **options: Any) -> Any:
        if "05.txt" in keys:
            raise UnicodeError(keys)
        return super().fetch(keys, **options)


def test_what_fails_before_and_after_conversion_costs_its_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces(monkeypatch, tmp_path / "traces")

    def pack(texts: Sequence[bytes]) -> bytes:
        if len(texts) > 1:
            raise MemoryError
        return join_lines(texts)

    files = dict.fromkeys(FILES, BOX)
    worker = Worker(FailingStorage(files), converter_for(), KeptLinesHalf(pack))
    result = worker(job_of(range(12)))
    assert [(p.source, p.code.value) for p in result.problems] == [("05.txt", "internal-error")]
    assert result.tally().label_rows == 11
    assert result.output.delivered.content.count(b"\n") == 11


def test_an_image_over_whose_header_the_reader_fails_costs_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelingest.pipeline import image_headers
    from tests.builders.folders import image_bytes

    traces(monkeypatch, tmp_path / "traces")

    def fail(head: bytes, part: Any) -> Any:
        return 1 // 0 if head == b"strange" else read_image_size(head, part)

    monkeypatch.setattr(image_headers, "read_image_size", fail)
    files = {f"{n:02}.txt": b"2 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5" for n in range(3)}
    images = {f"{n:02}.jpg": image_bytes(64, 48) for n in range(3)} | {"01.jpg": b"strange"}
    worker = Worker(MemoryStorage(files | images), converter_for())
    result = worker(job_of(range(3)))
    [problem] = result.problems
    assert (problem.source, problem.code.value) == ("01.txt", "internal-error")
    assert "its image '01.jpg'" in problem.detail
    assert result.output.keys == ["00.jpg", "02.jpg"]


def test_a_failing_converter_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(failing(converter_for())))
