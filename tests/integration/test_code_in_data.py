"""Code among the data, which is the current folder: nothing of it ever runs.

Files named as the modules that a run imports, plug-ins that installed packages would load, and
settings that tools read from the current folder.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

import pytest

from labelingest.engines.processes import ProcessEngine
from labelingest.search_path import interpreter_flags, own_entries
from tests.builders.folders import make_folder, write_ontology

ONLY_PYTHON: Final = subprocess.run(
    [sys.executable, "-P", "-c", "import re, runpy, sys; print(*sys.modules)"],
    capture_output=True,
    text=True,
    check=True,
).stdout.split()
"""What Python imports before the first line of the package: no package can have a say in it."""
NAMES: Final = sorted(
    {
        *(name for name in sys.stdlib_module_names if not name.startswith("_")),
        *(name for name in packages_distributions() if name.isidentifier()),
        *("labelingest", "sitecustomize", "usercustomize", "env", "readline"),
    }
)
SETTINGS: Final = {
    ".env": "LABELINGEST_STATE=sqlite:///planted.sqlite\n",
    "alembic.ini": "[alembic]\nscript_location = .\n",
    "labelingest.toml": "out = 'planted.jsonl'\n",
    "planted-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: planted\nVersion: 1\n",
    "planted-1.dist-info/entry_points.txt": "[pydantic]\nplugin = env:plugin\n"
    "[sqlalchemy.dialects]\nsqlite = env:dialect\n[alembic.plugins]\nplugin = env:plugin\n",
    "planted.pth": "import env\n",
    "pyproject.toml": "[tool.alembic]\nscript_location = '.'\n",
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a data set, and code in it that leaves a trace when it runs."""
    files = {f"images/{name}.jpg": {"image": [64, 48]} for name in "ab"}
    rows = {f"labels/{name}.txt": "0 0.5 0.5 0.2 0.2\n" for name in "ab"}
    data = make_folder(tmp_path / "data", {**files, **rows, **SETTINGS})
    write_ontology(tmp_path / "ontology.json", car=(0, "bounding_box"))
    plant(data, NAMES, tmp_path / "ran")
    (data / "classes.txt").write_text("car\n")
    monkeypatch.setenv("LABELINGEST_STATE", f"sqlite:///{tmp_path}/state.sqlite")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(data)
    return tmp_path


def plant(folder: Path, names: list[str], trace: Path) -> None:
    for name in names:
        code = f"open({str(trace)!r}, 'a').write({name + chr(10)!r})\n"
        (folder / f"{name}.py").write_text(code)


def make_room_for_python(place: Path) -> None:
    """Remove what Python itself would run, when it is told to look in the current folder."""
    for name in (*ONLY_PYTHON, "labelingest", "sitecustomize", "usercustomize"):
        (place / f"data/{name}.py").unlink(missing_ok=True)


def took(place: Path) -> str:
    """Return what ran although it is data."""
    trace = place / "ran"
    return trace.read_text() if trace.exists() else ""


def run(*words: str, program: list[str], **variables: str) -> None:
    ran = subprocess.run(
        [*program, *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )
    assert ran.returncode == 0, ran.stderr


SCRIPT: Final = [str(Path(sys.executable).with_name("labelingest"))]
MODULE: Final = [sys.executable, "-m", "labelingest"]
READING: Final = (
    *(".", "--ontology", "../ontology.json"),
    *("--images", "images/{name}.jpg", "--labels", "labels/{name}.txt"),
)


@pytest.fixture(params=["script", "module", "empty entry"])
def program(request: pytest.FixtureRequest, place: Path) -> tuple[list[str], Mapping[str, str]]:
    """Return how the program starts; what Python imports before it is no trap then."""
    if request.param == "script":
        return SCRIPT, {}
    make_room_for_python(place)
    if request.param == "module":
        return MODULE, {}
    return SCRIPT, {"PYTHONPATH": os.pathsep}


def test_a_conversion_by_two_workers_runs_nothing_of_the_data(
    place: Path, program: tuple[list[str], Mapping[str, str]]
) -> None:
    started, variables = program
    words = ("convert", *READING, "--workers", "2", "--out", "../rows.jsonl")
    run(*words, program=started, **variables)
    assert took(place) == ""
    assert len((place / "rows.jsonl").read_bytes().splitlines()) == 2
    if started is SCRIPT and not variables:
        run("show", "images/a.jpg", "--in", "../rows.jsonl", program=started)
        assert took(place) == ""


def test_a_synced_folder_runs_nothing_of_the_data(place: Path) -> None:
    make_room_for_python(place)
    create = ("--storage-path", "../data", "--output", "../synced", *READING[1:])
    run("folder", "create", "drive", *create, program=MODULE)
    run("folder", "sync", "drive", program=MODULE)
    assert took(place) == ""
    assert not (place / "data/planted.sqlite").exists()


def test_serve_runs_nothing_of_the_data(place: Path) -> None:
    create = ("--storage-path", "../data", "--output", "../synced", "--auto-sync", *READING[1:])
    run("folder", "create", "drive", *create, program=SCRIPT)
    with subprocess.Popen(
        [*SCRIPT, "folder", "serve", "--json"], stdout=subprocess.PIPE, text=True
    ) as serving:
        assert serving.stdout is not None
        line = json.loads(serving.stdout.readline())
        serving.send_signal(signal.SIGTERM)
    assert line["status"] == "done", line
    assert took(place) == ""


@pytest.mark.parametrize(
    "words",
    [
        ("check", *READING, "--workers", "2"),
        ("bench", *READING),
        ("ontology", "init", "classes.txt", "--shape", "polygon", "--out", "../new.json"),
    ],
    ids=lambda words: "-".join(words[:1]),
)
def test_no_command_runs_anything_of_the_data(place: Path, words: tuple[str, ...]) -> None:
    run(*words, program=SCRIPT)
    assert took(place) == ""


@pytest.fixture
def relative_entries() -> Iterator[None]:
    before = list(sys.path)
    sys.path[:0] = ["", ".", "sub"]
    yield
    sys.path[:] = before


@pytest.mark.usefixtures("relative_entries")
def test_a_worker_of_a_library_has_no_relative_entry(place: Path) -> None:
    assert "" not in own_entries()
    assert list(ProcessEngine(1).map(abs, [-1])) == [1]
    assert took(place) == ""


def test_a_worker_is_started_with_what_this_interpreter_was_told() -> None:
    script = "from labelingest.search_path import interpreter_flags as f; print(*f())"
    variables = {"PYTHONOPTIMIZE": "1", "PYTHONWARNINGS": "ignore", "PYTHONUTF8": "0"}
    ran = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **variables},
    )
    flags = ran.stdout.split()
    assert flags[0] == "-I"
    assert {"-O", "-Wignore", "utf8=0", "faulthandler"} <= set(flags)
    assert interpreter_flags()[0] == "-I"
