"""An unexpected exception anywhere ends in one sentence and 3, and leaves a trace without values."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labelingest.engines.executors import in_order
from labelingest.engines.processes import ProcessEngine
from labelingest.errors import EngineError
from tests.builders.command_line import Run, command_line
from tests.builders.engines import keep_secret
from tests.builders.folders import make_folder, write_ontology

SECRET = "s3cr3t-of-the-data"
READING = (
    *("data", "--ontology", "ontology.json"),
    *("--images", "images/{name}.jpg", "--labels", "labels/{name}.txt"),
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    files = {f"images/{name}.jpg": {"image": [64, 48]} for name in "ab"}
    make_folder(tmp_path / "data", files | {f"labels/{n}.txt": "0 0.5 0.5 0.2 0.2" for n in "ab"})
    write_ontology(tmp_path / "ontology.json", car=(0, "bounding_box"))
    (tmp_path / "traces").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "traces"))
    monkeypatch.setenv("LABELINGEST_STATE", f"sqlite:///{tmp_path}/state.sqlite")
    monkeypatch.chdir(tmp_path)
    return command_line(capsys)


def raising(error: type[BaseException], *values: object) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error(*values)

    return fail


def trace_of(err: str) -> str:
    """Check what a crash said and left; return the trace."""
    assert SECRET not in err
    assert "Traceback" not in err
    found = re.search(
        r"labelingest: .*unexpected \w+; please report it with the trace in (\S+)", err
    )
    assert found, err
    path = Path(found[1])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert SECRET not in text
    return text


PLACES = {
    "reading": ("labelingest.pipeline.run.load_ontology", ("check", *READING)),
    "listing": ("labelingest.pipeline.discover.list_all", ("check", *READING)),
    "the work": ("labelingest.pipeline.run.run_jobs", ("check", *READING)),
    "the report": ("labelingest.report.Report.to_json", ("check", *READING, "--json")),
    "rendering": ("labelingest.cli.render_report.print_report", ("check", *READING)),
    "pairs": ("labelingest.cli.render_pairs.print_pairs", ("pair", *READING[:1], *READING[3:])),
    "a state": ("labelingest.folders.state.folders.list_folders", ("folder", "list")),
    "an import": ("labelingest.allocator.settle_memory", ("bench", *READING)),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_crash_anywhere_is_a_sentence_and_a_trace_without_values(
    run: Run, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    what, words = PLACES[place]
    monkeypatch.setattr(what, raising(ValueError, SECRET))
    ran = run(*words)
    assert ran.code == 3
    assert "\nValueError\n" in trace_of(ran.err)


@pytest.mark.parametrize(
    ("error", "values"),
    [
        (KeyError, (SECRET,)),
        (MemoryError, ()),
        (RecursionError, (SECRET,)),
        (UnicodeEncodeError, ("utf-8", SECRET, 0, 1, SECRET)),
        (PermissionError, (13, SECRET, SECRET)),
        (ImportError, (SECRET,)),
        (ExceptionGroup, (SECRET, [ValueError(SECRET)])),
    ],
)
def test_a_crash_of_any_kind_is_3_also_for_schedulers(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
    values: tuple[object, ...],
) -> None:
    monkeypatch.setattr("labelingest.pipeline.run.run_jobs", raising(error, *values))
    ran = run("check", *READING, "--exit-zero")
    assert ran.code == 3
    trace_of(ran.err)


def test_a_service_names_the_folder_and_the_trace_and_goes_on_with_the_others(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from labelingest.cli.folder.signals import Cancelled
    from labelingest.folders import SyncedFolder

    for name in ("first", "second"):
        place = ("--storage-path", "data", "--output", f"rows-{name}", *READING[1:])
        created = run("folder", "create", name, *place, "--auto-sync")
        assert created.code == 0, created.err
    sync = SyncedFolder.sync

    def first_fails(folder: SyncedFolder, **options: Any) -> Any:
        if folder.name == "first":
            raise ValueError(SECRET)
        return sync(folder, **options)

    monkeypatch.setattr(SyncedFolder, "sync", first_fails)
    monkeypatch.setattr(Cancelled, "wait", lambda asked, seconds: True)
    ran = run("folder", "serve")
    assert ran.code == 0  # it was asked to end, and it did
    [said] = caplog.messages
    assert "first_fails" in trace_of(f"labelingest: {said}")
    assert said.startswith("first: ")
    assert "Traceback" not in caplog.text
    assert SECRET not in ran.err
    assert "second: " in ran.err
    assert sorted(path.name for path in Path("rows-second").rglob("*.encord.json")) == [
        *("a.jpg.encord.json", "b.jpg.encord.json"),
    ]


def test_a_crash_says_that_the_same_command_goes_on(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelingest.pipeline.loop import RunTotals

    add = RunTotals.add
    seen: list[object] = []

    def second_fails(totals: RunTotals, record: Any) -> None:
        seen.append(record)
        if len(seen) == 2:
            raise ValueError(SECRET)
        add(totals, record)

    monkeypatch.setattr(RunTotals, "add", second_fails)
    ran = run("convert", *READING, "--out", "rows.jsonl", "--batch-bytes", "1")
    assert ran.code == 3
    assert "of 2 files are done: run the same command again to resume" in ran.err
    trace_of(ran.err)


def test_a_thread_that_ends_says_so_without_values(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from threading import Thread

    def begin(*_: object, **__: object) -> None:
        thread = Thread(target=raising(ValueError, SECRET))
        thread.start()
        thread.join()

    monkeypatch.setattr("labelingest.allocator.settle_memory", begin)
    assert "a thread ended: unexpected ValueError" in run("check", *READING).err


def test_a_worker_repeats_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with pytest.raises(EngineError) as caught:
        list(ProcessEngine(1).map(keep_secret, [SECRET]))
    assert SECRET not in str(caught.value)
    trace_of(f"labelingest: {caught.value}")
    assert SECRET not in capfd.readouterr().err


def test_an_executor_repeats_no_value() -> None:
    with pytest.raises(EngineError) as caught:
        list(in_order(raising(ValueError, SECRET), [1], in_flight=1))
    assert SECRET not in str(caught.value)


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("closed", ["stdout", "stderr", "both"])
def test_closed_streams_are_no_crash(tmp_path: Path, closed: str) -> None:
    redirections = {"stdout": ">&-", "stderr": "2>&-", "both": ">&- 2>&-"}
    command = f'"$@" {redirections[closed]}'
    words = [sys.executable, "-m", "labelingest", "check", *READING, "--json"]
    ran = subprocess.run(
        ["sh", "-c", command, "sh", *words], capture_output=True, cwd=tmp_path, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert b"Traceback" not in ran.stderr


@pytest.mark.usefixtures("run")
def test_a_reader_that_is_gone_is_no_crash_and_not_1(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = [sys.executable, "-m", "labelingest", "check", *READING, "--json"]
    ran = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, cwd=tmp_path, check=False)
    os.close(writing)
    assert ran.returncode == 3, ran.stderr
    assert b"Traceback" not in ran.stderr
    assert b"Exception ignored" not in ran.stderr
