"""Names and files that nobody expects: other locales, undecodable bytes, devices, huge files."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labelingest.problems import Problem, ProblemCode
from labelingest.problems.log import ProblemLog
from labelingest.small_files import read_small
from tests.builders.command_line import Run, command_line
from tests.builders.folders import make_folder, write_ontology

PATTERNS = ("--images", "images/{name}.jpg", "--labels", "labels/{name}.txt")
UNDECODABLE = os.fsdecode(b"b\xff")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    files = {f"images/{name}.jpg": {"image": [64, 48]} for name in "äb"}
    make_folder(tmp_path / "bü", files | {f"labels/{n}.txt": "0 0.5 0.5 0.2 0.2" for n in "äb"})
    write_ontology(tmp_path / "oü.json", car=(0, "bounding_box"))
    monkeypatch.setenv("LABELINGEST_STATE", f"sqlite:///{tmp_path}/sü.sqlite")
    monkeypatch.chdir(tmp_path)
    return command_line(capsys)


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("variables", [{"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_a_path_that_is_not_ascii_works_in_any_locale(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    def program(*words: str) -> None:
        ran = subprocess.run(
            [sys.executable, "-m", "labelingest", *words],
            env={**os.environ, **variables},
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr

    program("convert", "bü", "--ontology", "oü.json", *PATTERNS, "--out", "tü", "--workers", "2")
    assert (tmp_path / "tü/images/ä.jpg.encord.json").exists()
    words = ("--storage-path", "bü", "--output", "rü", "--ontology", "oü.json")
    program("folder", "create", "drüben", *words, *PATTERNS)
    program("folder", "sync", "drüben")
    assert (tmp_path / "rü/images/ä.jpg.encord.json").exists()
    assert (tmp_path / "sü.sqlite").exists()


CREATE = ("folder", "create", "d", "--output", "r", "--storage-path")


@pytest.mark.parametrize(
    "words",
    [
        ("convert", UNDECODABLE, "--ontology", "oü.json", "--out", "rows.jsonl"),
        ("check", "bü", "--ontology", UNDECODABLE),
        (*CREATE, UNDECODABLE),
        ("folder", "create", "d", "--storage-path", "bü", "--output", UNDECODABLE),
        ("folder", "create", UNDECODABLE, "--storage-path", "bü", "--output", "r"),
        (*CREATE, "bü", "--description", UNDECODABLE),
        (*CREATE, "bü", "--ontology", "oü.json", "--images", UNDECODABLE, "--labels", "{n}.txt"),
        (*CREATE, "bü", "--metadata-suffix", UNDECODABLE),
        (*CREATE, "bü", "--integration", UNDECODABLE),
        ("folder", "show", UNDECODABLE),
        ("folder", "sync", UNDECODABLE),
        ("folder", "restore", UNDECODABLE),
        ("folder", "list", "--state", f"sqlite:///{UNDECODABLE}"),
        ("integration", "set", UNDECODABLE, "--region", "x"),
        ("integration", "set", "i", "--region", UNDECODABLE),
        ("integration", "delete", UNDECODABLE),
        ("classes", UNDECODABLE),
        ("folder", "apply", UNDECODABLE),
        ("check", "--config", UNDECODABLE),
        (UNDECODABLE,),
    ],
    ids=lambda words: " ".join(words).encode("ascii", "backslashreplace").decode(),
)
def test_undecodable_bytes_are_a_wrong_call(run: Run, words: tuple[str, ...]) -> None:
    ran = run(*words)
    assert ran.code == 2, ran.err
    assert "unexpected" not in ran.err
    assert "\\udcff" in ran.err or "URL" in ran.err


def test_an_output_may_have_any_name(run: Run) -> None:
    create = (*CREATE, "bü", "--ontology", "oü.json", *PATTERNS)
    assert run(*create).code == 0
    assert run("folder", "sync", "d").code == 0
    ran = run("folder", "export", "d", "--out", f"{UNDECODABLE}.jsonl", "--json")
    assert (ran.code, "\\udcff.jsonl" in ran.out) == (0, True)
    assert run("folder", "plan", "d", "--save", UNDECODABLE).code == 0


@pytest.mark.parametrize("option", ["--report", "--problems", "--failed-csv", "--ontology", "path"])
def test_a_link_to_itself_is_no_crash(run: Run, option: str) -> None:
    Path("loop").symlink_to("loop")
    words = {"path": "bü", "--ontology": "oü.json", option: "loop"}
    path = words.pop("path")
    ran = run("check", path, *PATTERNS, *(word for pair in words.items() for word in pair))
    assert ran.code in (2, 3)
    assert "'loop'" in ran.err or "loop: cannot be read" in ran.err
    assert "unexpected" not in ran.err


def test_a_current_folder_that_is_gone_is_a_wrong_call(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    ran = run("check", "data", "--ontology", "ontology.json")
    assert (ran.code, "the current folder no longer exists" in ran.err) == (2, True)


def odd_files(place: Path) -> list[str]:
    os.mkfifo(place / "pipe.yaml")
    (place / "zero.yaml").symlink_to("/dev/zero")
    with (place / "huge.yaml").open("wb") as huge:
        huge.truncate(1 << 40)  # a hole: it needs no room
    return ["pipe.yaml", "zero.yaml", "huge.yaml"]


READERS = {
    "ontology": ("check", "bü", *PATTERNS, "--ontology"),
    "ontology of a folder": (*CREATE, "bü", *PATTERNS, "--ontology"),
    "classes": ("classes",),
    "ontology of show": ("show", "oü.json", "--ontology"),
    "configuration": ("check", "--config"),
    "class names": ("ontology", "init", "--shape", "polygon"),
    "schema": ("metadata", "schema", "show"),
    "schema of a check": ("metadata", "check", "bü", "--schema"),
    "schema of a folder": (*CREATE, "bü", "--metadata-suffix", ".m.json", "--metadata-schema"),
    "schema to import": ("metadata", "schema", "import", "new.json"),
    "plan": ("folder", "apply"),
}


@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_file_of_a_person_is_not_read(run: Run, tmp_path: Path, reader: str) -> None:
    for name in odd_files(tmp_path):
        ran = run(*READERS[reader], name)
        assert ran.code == 2, ran.err
        causes = ("not a regular file", "it has more than", "no class name", "is no plan", "over ")
        assert any(cause in ran.err for cause in causes), ran.err


def test_a_file_of_a_person_has_a_bound(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_small(tmp_path / "a", 5) == b"12345"
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_small(tmp_path / "a", 4)


ODD = ["=1+1.jpg", "+a.jpg", "-a.jpg", "@a.jpg", "\t=a.jpg", "a\x1b[2J.jpg", "a\u202egpj.jpg"]


def test_no_cell_of_the_failed_files_acts_on_its_reader(tmp_path: Path) -> None:
    with (tmp_path / "failed.csv").open("w", newline="") as file:
        log = ProblemLog(failed_csv=file)
        for name in (*ODD, "a\u3000b.jpg"):
            problem = Problem(ProblemCode.NOT_TEXT, f"{name}.txt", "not text")
            log.add([problem], {problem.source: name})
    with (tmp_path / "failed.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert [row[0] for row in rows] == [
        "'=1+1.jpg",
        "'+a.jpg",
        "'-a.jpg",
        "'@a.jpg",
        "'\\t=a.jpg",
        "a\\x1b[2J.jpg",
        "a\\u202egpj.jpg",
        "a\u3000b.jpg",
    ]
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert not {"\x1b", "\u202e"} & {*cell}


def test_no_name_acts_on_a_terminal(run: Run) -> None:
    for name in ("x\x1b[2J\u202e", "y\x9b31m"):
        for words in (("pair", name), (name,), ("folder", "show", name), ("pair", "bü", name)):
            ran = run(*words)
            assert not {"\x1b[2J", "\u202e", "\x9b"} & {*ran.out, *ran.err}
            assert "\x1b[2J" not in ran.out + ran.err
