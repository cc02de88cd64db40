"""Folders without permission, outputs that cannot be written, a full disk: real ones."""

import signal
import subprocess
import sys
from pathlib import Path
from tempfile import gettempdir

import pytest

from labelingest.cli.main import main
from tests.builders.folders import make_folder, write_ontology
from tests.builders.unprivileged import Ran, command_line, unprivileged

BOX = "0 0.5 0.5 0.2 0.2\n"


def convert(place: Path, out: Path) -> Ran:
    ontology = place / "ontology.json"
    arguments: list[str | Path] = ["convert", place / "data", "--ontology", ontology, "--out", out]
    return unprivileged(command_line(arguments))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder that anybody may write to, with a data set in data/."""
    make_folder(
        tmp_path / "data",
        {f"images/{name}.jpg": {"image": [64, 48]} for name in "abc"}
        | {f"labels/{name}.txt": BOX for name in "abc"},
    )
    write_ontology(tmp_path / "ontology.json", car=(0, "bounding_box"))
    # All modules loaded, with problems to show.
    (tmp_path / "data/labels/d.txt").write_text("x")
    for name in ("loaded.jsonl", "loaded"):
        arguments = ["convert", tmp_path / "data", "--ontology", tmp_path / "ontology.json"]
        with pytest.raises(SystemExit):
            main([str(a) for a in (*arguments, "--out", tmp_path / name)])
    (tmp_path / "data/labels/d.txt").unlink()
    # pytest keeps its folders from other users; a user without privileges must get through.
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == tmp_path.owner() and folder.is_relative_to(gettempdir()):
            folder.chmod(0o777)
    return tmp_path


def test_a_folder_without_permission_is_a_problem_and_the_rest_is_converted(place: Path) -> None:
    make_folder(place / "data", {"images/closed/d.jpg": "", "labels/closed/d.txt": BOX})
    closed = place / "data/labels/closed"
    closed.chmod(0)
    ran = convert(place, place / "rows.jsonl")
    closed.chmod(0o755)
    assert ran.code == 1, ran.err
    assert "unreadable-folder" in ran.err
    assert "labels/closed: " in ran.err
    assert len((place / "rows.jsonl").read_bytes().splitlines()) == 3


def test_a_label_file_without_permission_is_a_problem_and_the_rest_is_converted(
    place: Path,
) -> None:
    (place / "data/labels/b.txt").chmod(0)
    ran = convert(place, place / "rows.jsonl")
    assert ran.code == 1, ran.err
    assert "unreadable-file" in ran.err
    assert "labels/b.txt: " in ran.err
    assert "permission denied" in ran.err
    assert len((place / "rows.jsonl").read_bytes().splitlines()) == 2


@pytest.mark.parametrize("name", ["rows.jsonl", "tree"])
def test_an_output_folder_that_is_not_writable_ends_the_run_with_a_sentence(
    place: Path, name: str
) -> None:
    (place / "out").mkdir()
    (place / "out").chmod(0o555)
    ran = convert(place, place / "out" / name)
    assert ran.code == 3, ran.err
    assert "permission denied" in ran.err
    assert "Traceback" not in ran.err
    assert list((place / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["rows.jsonl", "tree"])
def test_a_full_disk_ends_the_run_with_a_sentence_and_leaves_nothing(
    place: Path, name: str
) -> None:
    make_folder(
        place / "data",
        {f"images/{n:03}.jpg": "" for n in range(200)}
        | {f"labels/{n:03}.txt": BOX * 20 for n in range(200)},
    )
    script = (
        'mount -t tmpfs -o size=256k tmpfs "$1/disk" && '
        '{ "$2" -m labelingest convert "$1/data" --ontology "$1/ontology.json" '
        '--out "$1/disk/$3"; echo "exit $?"; ls -A "$1/disk"; }'
    )
    (place / "disk").mkdir()
    # A mount namespace of our own: the tmpfs is gone with the process.
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh"]
    ran = subprocess.run(
        [*command, str(place), sys.executable, name], capture_output=True, text=True, check=False
    )
    if "exit" not in ran.stdout:
        pytest.skip(f"no tmpfs can be mounted here: {ran.stderr.strip()}")
    assert ran.stdout.split() == ["exit", "3"], ran.stdout + ran.stderr
    assert "disk full" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_folder_that_does_not_exist_ends_the_run_with_a_sentence(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["check", place / "missing", "--ontology", place / "ontology.json"]
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 3
    assert "missing" in capsys.readouterr().err


def test_the_input_is_never_written_to(place: Path) -> None:
    before = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in (place / "data").rglob("*")}
    for path in before:
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert convert(place, place / "rows.jsonl").code == 0
    after = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in (place / "data").rglob("*")}
    for path in before:
        path.chmod(0o755)
    assert after == before


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("name", ["rows.jsonl", "tree"])
def test_an_interrupted_run_leaves_nothing_behind(
    place: Path, name: str, ending: signal.Signals
) -> None:
    # A label file that never ends: the run is inside its work when the signal comes.
    out = place / "out"
    out.mkdir()
    script = (
        "import os, sys, threading, labelingest.pipeline as p\n"
        "from labelingest.cli.main import main\n"
        "def slow(self, job):\n"
        "    print('working', flush=True)\n"
        "    threading.Event().wait()\n"
        "p.Worker.__call__ = slow\n"
        "main(sys.argv[1:])\n"
    )
    arguments = ["convert", place / "data", "--ontology", place / "ontology.json"]
    command = [sys.executable, "-c", script, *arguments, "--out", out / name]
    with subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        process.send_signal(ending)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + ending
    assert "interrupted" in said
    assert list(out.iterdir()) == []
