"""One file over which labelingest fails: the run names it, does the rest, and ends with 3."""

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from labelingest.folders.sync import fingerprints
from labelingest.metadata import sidecars as metadata_folder
from labelingest.problems import ProblemCode
from tests.builders.command_line import Run, command_line
from tests.builders.failing import OUT_OF_MEMORY, POISON, failing_everywhere, traces
from tests.builders.folders import make_folder, write_ontology
from tests.builders.synced import BOX, OTHER_BOX, World, contents, on_sqlite

IMAGE = {"image": [64, 48]}
NAMES = "abcde"
FILES: dict[str, Any] = {
    **{f"images/{name}.jpg": IMAGE for name in NAMES},
    **{f"labels/{name}.txt": "0 0.5 0.5 0.2 0.2\n" for name in NAMES},
}
DATA = ("data", "--ontology", "ontology.json")


@pytest.fixture(autouse=True)
def failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let converters fail as their files say; return where traces go."""
    failing_everywhere(monkeypatch)
    return traces(monkeypatch, tmp_path / "traces")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    make_folder(tmp_path / "data", FILES)
    write_ontology(tmp_path / "ontology.json", car=(0, "bounding_box"))
    monkeypatch.chdir(tmp_path)
    return command_line(capsys)


def poison(name: str, content: bytes = POISON) -> None:
    Path(f"data/labels/{name}.txt").write_bytes(content)


OUTPUTS = {
    "rows.jsonl": (),
    "rows.jsonl.zst": (),
    "tree": (),
    "shards": ("--shard-rows", "2"),
    "yolo": ("--to", "yolo"),
    "coco.json": ("--to", "coco"),
    "table.parquet": ("--to", "parquet"),
}


@pytest.mark.parametrize("out", OUTPUTS)
def test_the_output_is_that_of_a_run_in_which_the_file_has_no_labels_to_take(
    out: str, run: Run, tmp_path: Path
) -> None:
    def outputs() -> dict[str, bytes]:
        path = tmp_path / out
        return {"": path.read_bytes()} if path.is_file() else contents(path)

    convert = ("convert", *DATA, "--out", out, *OUTPUTS[out])
    poison("c", b"\x89PNG")
    assert run(*convert).code == 1
    expected = outputs()
    poison("c")
    ran = run(*convert, "--problems", "problems.jsonl")
    assert ran.code == 3
    assert outputs() == expected
    [problem] = map(json.loads, Path("problems.jsonl").read_text().splitlines())
    assert (problem["code"], problem["source"]) == ("internal-error", "labels/c.txt")


@pytest.mark.parametrize(
    ("out", "made_by"),
    [
        ("coco.json", "labelingest.writers.coco_page.hash_column_of"),
        ("table.parquet", "labelingest.writers.parquet.hashes_of"),
    ],
)
def test_a_document_goes_on_without_the_file_over_which_its_writer_fails(
    out: str, made_by: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert = ("convert", *DATA, "--out", out, *OUTPUTS[out])
    poison("c", b"\x89PNG")
    assert run(*convert).code == 1
    expected = Path(out).read_bytes()
    poison("c", b"0 0.5 0.5 0.2 0.2\n")
    module, _, name = made_by.rpartition(".")
    hashes_of = getattr(import_module(module), name)

    def fail(annotations: Any, units: Any) -> Any:
        return 1 // 0 if "images/c.jpg" in units.key else hashes_of(annotations, units)

    monkeypatch.setattr(made_by, fail)
    ran = run(*convert, "--problems", "problems.jsonl", "--report", "report.json")
    assert ran.code == 3
    assert Path(out).read_bytes() == expected
    [problem] = map(json.loads, Path("problems.jsonl").read_text().splitlines())
    assert (problem["code"], problem["source"]) == ("internal-error", "images/c.jpg")
    report = json.loads(Path("report.json").read_text())
    assert (report["label_rows"], report["rejected"]) == (4, {"internal-error": 1})


@pytest.mark.parametrize("switches", [(), ("--exit-zero",), ("--exit-zero", "--quiet", "--json")])
@pytest.mark.parametrize("command", ["convert", "check"])
def test_the_run_ends_with_3_and_says_how_many_files_and_where_the_trace_is(
    command: str, switches: tuple[str, ...], run: Run, failures: Path
) -> None:
    poison("b")
    poison("d")
    poison("e", OUT_OF_MEMORY)
    out = ("--out", "rows.jsonl") if command == "convert" else ()
    ran = run(command, *DATA, *out, *switches)
    assert ran.code == 3
    [trace] = failures.iterdir()
    said = " ".join(ran.err.split())
    assert "an unexpected failure of labelingest cost 2 files" in said
    assert "first: labels/b.txt: internal-error" in said
    assert str(trace) in ran.err
    assert "memory ran out over 1 file" in said


def test_stopping_at_the_first_error_ends_with_3_too(run: Run) -> None:
    poison("b")
    ran = run("convert", *DATA, "--out", "rows.jsonl", "--on-row-error", "stop")
    assert ran.code == 3
    assert "labels/b.txt: internal-error" in ran.err
    assert not Path("rows.jsonl").exists()


def test_a_later_run_tries_again(run: Run) -> None:
    poison("b", OUT_OF_MEMORY)
    assert run("convert", *DATA, "--out", "rows.jsonl").code == 3
    assert len(Path("rows.jsonl").read_text().splitlines()) == 4
    poison("b", b"0 0.5 0.5 0.2 0.2\n")
    assert run("convert", *DATA, "--out", "rows.jsonl").code == 0
    assert len(Path("rows.jsonl").read_text().splitlines()) == 5


def fail_over_metadata(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    check = getattr(module, name)

    def fail(content: bytes, *rest: Any) -> Any:
        return 1 // 0 if POISON in content else check(content, *rest)

    monkeypatch.setattr(module, name, fail)


def test_metadata_is_fenced_file_by_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_over_metadata(monkeypatch, metadata_folder, "check_metadata")
    for name in "ab":
        Path(f"data/images/{name}.jpg.metadata.json").write_text('{"speed": 1}')
    Path("data/images/b.jpg.metadata.json").write_bytes(b'{"speed": "%b"}' % POISON)
    ran = run("metadata", "check", "data", "--exit-zero")
    assert ran.code == 3
    assert "2 seen = 1 taken + 1 refused" in ran.err
    assert "images/b.jpg.metadata.json: internal-error" in ran.err
    assert "an unexpected failure of labelingest cost 1 file" in ran.err


def test_show_shows_a_row_as_it_stands_where_reading_it_fails(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelingest.cli import show

    run("convert", *DATA, "--out", "rows.jsonl")
    monkeypatch.setattr(show, "read_label_row", lambda *rest: 1 // 0)
    ran = run("show", "images/a.jpg", "--in", "rows.jsonl", "--ontology", "ontology.json")
    assert ran.code == 3
    assert "internal-error" in ran.out
    assert "a.jpg" in ran.out


@on_sqlite
class TestSyncedFolders:
    """Folders on real files."""

    @pytest.fixture
    def world(self, state: Any, tmp_path: Path) -> World:
        world = World(tmp_path / "world", state)
        for name in NAMES:
            world.labelled(name)
        return world

    def test_a_file_that_fails_is_tried_again_when_it_changes_or_with_another_release(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.write("c.txt", POISON)
        folder = world.folder()
        run = folder.sync()
        assert (run.status.value, run.exit_code()) == ("done", 3)
        assert run.counters.upload_jobs_units_error == run.counters.unexpected == 1
        assert run.counters.label_rows_made == 4
        [problem] = folder.problems()
        assert (problem.code, problem.source) == (ProblemCode.INTERNAL_ERROR, "c.txt")
        world.touched("read")
        assert folder.sync().exit_code() == 0
        world.write("a.txt", OTHER_BOX)
        assert folder.sync().exit_code() == 0
        assert world.touched("read") == ["a.txt"]
        world.write("c.txt", POISON + b" again")
        assert folder.sync().exit_code() == 3
        monkeypatch.setattr(fingerprints, "__version__", "99.0")
        assert folder.sync().exit_code() == 3
        assert "c.txt" in world.touched("read")
        world.write("c.txt", BOX)
        assert folder.sync().exit_code() == 0
        assert len(contents(world.rows)) == 5
        assert list(folder.problems()) == []

    def test_the_record_of_a_run_that_fails_as_a_whole_quotes_nothing(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any, **__: Any) -> Any:
            raise ValueError("PASSWORD")

        folder = world.folder()
        monkeypatch.setattr("labelingest.folders.sync.compare.scan", fail)
        with pytest.raises(ValueError, match="PASSWORD"):
            folder.sync()
        [run] = folder.activity()
        assert (run.status.value, run.message) == ("error", "unexpected ValueError")

    def test_a_file_over_which_memory_ran_out_is_tried_again_by_each_sync(
        self, world: World
    ) -> None:
        folder = world.folder()
        folder.sync()
        before = contents(world.rows)
        world.write("c.txt", OUT_OF_MEMORY)
        for _ in range(2):
            world.touched("read")
            assert folder.sync().exit_code() == 3
            assert world.touched("read") == ["c.txt"]
            assert contents(world.rows) == before
            [problem] = folder.problems()
            assert problem.code is ProblemCode.OUT_OF_MEMORY
        world.write("c.txt", OTHER_BOX)
        assert folder.sync().exit_code() == 0

    def test_metadata_that_fails_is_tried_again_like_labels(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from labelingest.folders.sync import batch

        fail_over_metadata(monkeypatch, batch, "checked_metadata")
        world.write("a.jpg.metadata.json", b'{"speed": 1}')
        world.write("b.jpg.metadata.json", b'{"speed": "%b"}' % POISON)
        folder = world.folder(metadata_suffix=".metadata.json")
        run = folder.sync()
        assert (run.exit_code(), run.counters.label_rows_made) == (3, 5)
        world.write("c.txt", OTHER_BOX)
        world.touched("read")
        assert folder.sync().exit_code() == 0
        assert world.touched("read") == ["c.txt"]
        monkeypatch.setattr(fingerprints, "__version__", "99.0")
        assert folder.sync().exit_code() == 3
        world.write("b.jpg.metadata.json", b'{"speed": 2}')
        assert folder.sync().exit_code() == 0

    def test_the_command_says_it_and_ends_with_3(
        self, world: World, run: Run, failures: Path
    ) -> None:
        world.write("c.txt", POISON)
        world.folder()
        ran = run("folder", "sync", "drive", "--state", world.state.url, "--exit-zero", "--quiet")
        assert ran.code == 3
        [trace] = failures.iterdir()
        said = " ".join(ran.err.split())
        assert "unexpected failures of labelingest cost 1 file" in said
        assert re.search(rf"first: c\.txt: internal-error: .*{trace}", said)
