"""`labelingest bench` as its users meet it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labelingest.bench.machine import this_machine
from labelingest.stopwatch import Stage
from tests.builders.command_line import Ran, command_line

ROOT = Path(__file__).parents[2]
DEMO = ("fixtures/demo", "--ontology", "fixtures/demo/ontology.json")

Bench = Callable[..., Ran]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "labelingest", "bench", *arguments]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Return what measures on one core, so that no process is started."""
    monkeypatch.chdir(ROOT)
    for module in ("measure", "machine"):
        monkeypatch.setattr(f"labelingest.bench.{module}.usable_cores", lambda: 1)
    command = command_line(capsys)
    return lambda *arguments: command("bench", *arguments)


@pytest.fixture
def saved(bench: Bench, tmp_path: Path) -> Path:
    """Return a saved result of the demo, ten times slower than this machine."""
    path = tmp_path / "bench.json"
    assert bench(*DEMO, "--rounds", "1", "--save", str(path)).code == 0
    change(path, lambda document: scale(document, 10))
    return path


def change(path: Path, by: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(path.read_bytes())
    by(document)
    path.write_text(json.dumps(document, indent=2))


def scale(document: dict[str, Any], factor: float) -> None:
    measured = document["measurement"]
    measured["totals"] = [seconds * factor for seconds in measured["totals"]]
    for stage in measured["stages"]:
        stage["seconds"] = [seconds * factor for seconds in stage["seconds"]]


def test_json_names_every_stage_and_adds_up(tmp_path: Path) -> None:
    ran = run(*DEMO, "--json", "--rounds", "2", "--out-folder", str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert document["labelingest_bench"] == 1
    machine = this_machine()
    assert document["machine"] == {
        "cpu": machine.cpu,
        "cores": machine.cores,
        "system": machine.system,
        "python": machine.python,
        "numpy": machine.numpy,
        "labelingest": machine.labelingest,
    }
    measured, derived = document["measurement"], document["derived"]
    assert [one["stage"] for one in measured["stages"]] == [stage.value for stage in Stage]
    for number, total in enumerate(measured["totals"]):
        inside = sum(one["seconds"][number] for one in measured["stages"])
        assert inside <= total * 1.000001
    assert abs(sum(derived["share"].values()) - 1) < 1e-9
    largest = max(derived["share"], key=derived["share"].__getitem__)
    assert f"to {largest} takes " in derived["bound_by"]
    assert (measured["data_files"], measured["files"]) == (6, 6)
    assert measured["peak_bytes"] > 10_000_000
    assert all(one["memory_bytes"] > 0 for one in measured["stages"])
    if machine.cores > 1:
        assert measured["processes"]["workers"] == machine.cores
        assert len(measured["processes"]["seconds"]) == 2
        assert set(derived["estimated_seconds"]) == {"1", str(machine.cores)}
    assert not list(tmp_path.iterdir())


def test_options_decide_what_is_measured(bench: Bench, tmp_path: Path) -> None:
    config = tmp_path / "ingest.toml"
    config.write_text('to = "yolo"\nworkers = 3\n')
    ran = bench(*DEMO, "--files", "2", "--config", str(config), "--image-sizes", "never")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("Measured 2 of 6 data files ")
    assert "read image headers" not in ran.out


def test_what_cannot_be_measured_is_refused_in_a_sentence(bench: Bench) -> None:
    ran = bench(*DEMO, "--out", "rows.csv")
    assert ran.code == 2
    assert "labelingest: out 'rows.csv' ends in .csv" in ran.err
    assert bench(*DEMO, "--workers", "2").code == 2


def test_a_saved_result_is_the_document_of_json(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    ran = bench(*DEMO, "--save", str(path), "--json")
    assert ran.code == 0, ran.err
    assert path.read_text() == ran.out
    document = json.loads(ran.out)
    assert len(document["measurement"]["totals"]) == 3
    assert document["storage_path"] == "fixtures/demo"


def test_a_saved_result_is_replaced_and_another_file_is_not(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    save = (*DEMO, "--rounds", "1", "--save", str(path))
    assert bench(*save).code == 0
    assert bench(*save).code == 0
    path.write_text('{"mine": 1}')
    ran = bench(*save)
    assert ran.code == 2
    assert "is a file that no run wrote" in ran.err
    assert path.read_text() == '{"mine": 1}'
    assert bench(*save, "--overwrite").code == 0
    assert "labelingest_bench" in path.read_text()
    ontology = ROOT / DEMO[2]
    before = ontology.read_bytes()
    assert bench(*DEMO, "--save", DEMO[2], "--overwrite").code == 2
    assert ontology.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["bench.json"]


def test_an_earlier_result_is_shown_beside_with_ratios(bench: Bench, saved: Path) -> None:
    change(saved, lambda document: document["machine"].update(numpy="1.0", cpu="Abacus"))
    ran = bench(*DEMO, "--rounds", "1", "--compare", str(saved))
    assert ran.code == 0, ran.err
    compared = ran.out.partition(f"Compared with {saved}")[2]
    assert "The ratios mean nothing: the machine: 1 core of " in compared
    assert "1 core of Abacus" in compared
    assert "Different: numpy " in compared
    for name in ("the whole, in one process", "read text", "peak of the process"):
        assert name in compared


def test_a_faster_run_passes_and_a_slower_one_fails(bench: Bench, saved: Path) -> None:
    judge = (*DEMO, "--rounds", "1", "--compare", str(saved), "--fail-above", "50%")
    ran = bench(*judge)
    assert ran.code == 0, ran.err
    assert f"Nothing that is judged is more than 50 % above {saved}." in ran.out
    change(saved, lambda document: scale(document, 0.0001))
    before = saved.read_bytes()
    ran = bench(*judge, "--save", str(saved))
    assert ran.code == 5
    assert f"labelingest: more than 50 % above {saved}: the whole, in one process: " in ran.err
    assert f"{saved} keeps the earlier result" in ran.err
    assert saved.read_bytes() == before
    other = saved.with_name("other.json")
    assert bench(*judge, "--save", str(other), "--json").code == 5
    assert "labelingest_bench" in other.read_text()


@pytest.mark.parametrize(
    ("by", "sentence"),
    [
        (lambda d: d["machine"].update(cores=64), "differs in the machine: 1 core of "),
        (lambda d: d.update(options={"to": "coco"}), "differs in --to: default now, coco before"),
        (lambda d: d["measurement"].update(data_files=60), "data files: 6 now, 60 before"),
    ],
)
def test_a_result_of_something_else_cannot_judge(
    bench: Bench, saved: Path, by: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    change(saved, by)
    ran = bench(*DEMO, "--rounds", "1", "--compare", str(saved), "--fail-above", "10%")
    assert ran.code == 2
    assert sentence in ran.err
    assert f"save a result of this one, with --save {saved}" in ran.err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read: No such file or directory: save one first, with --save "),
        ("{", "is no JSON ("),
        ('{"mine": 1}', "is no result that labelingest bench --save wrote"),
        ("[]", "is no result that labelingest bench --save wrote"),
        ('{"labelingest_bench": true}', "is no result that labelingest bench --save wrote"),
        (
            '{"labelingest_bench": 99}',
            "was saved by a newer labelingest (schema 99; this one reads 1)",
        ),
        ('{"labelingest_bench": 1}', "is damaged (Object missing required field `measured`)"),
    ],
)
def test_a_file_that_is_no_result_is_refused_before_anything_is_measured(
    bench: Bench, tmp_path: Path, content: str | None, sentence: str
) -> None:
    path = tmp_path / "before.json"
    if content is not None:
        path.write_text(content)
    ran = bench(*DEMO, "--compare", str(path))
    assert ran.code == 2
    assert sentence in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("by", "sentence"),
    [
        (lambda d: d["measurement"].update(totals=[]), "it has no rounds"),
        (lambda d: d["measurement"].update(files=0), "it has no files or no seconds"),
        (lambda d: d["measurement"].update(files="six"), "Expected `int`, got `str`"),
        (
            lambda d: d["measurement"]["stages"][0].update(seconds=[]),
            "stage 'list' has not 1 rounds",
        ),
    ],
)
def test_a_result_without_sense_is_refused(
    bench: Bench, saved: Path, by: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    change(saved, by)
    ran = bench(*DEMO, "--compare", str(saved))
    assert ran.code == 2
    assert "is damaged (" in ran.err
    assert sentence in ran.err


def test_a_field_of_a_later_version_is_no_defect(bench: Bench, saved: Path) -> None:
    change(saved, lambda document: document["measurement"].update(colour="green"))
    assert bench(*DEMO, "--rounds", "1", "--compare", str(saved)).code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((*DEMO, "--fail-above", "10%"), "add --compare FILE"),
        (
            (*DEMO, "--compare", "x", "--fail-above", "1.1x"),
            "expected a percentage: --fail-above 10%",
        ),
        ((*DEMO, "--save", "none/a.json"), "there is no folder 'none': make it first"),
        ((*DEMO, "--save", "s3://b/a.json"), "results are files of this machine"),
        ((*DEMO, "--generate", "5"), "STORAGE_PATH 'fixtures/demo' and --generate"),
        ((*DEMO, "--kind", "boxes"), "--kind has no effect without --generate"),
        ((*DEMO, "--into", "x"), "--into has no effect without --generate"),
        (("--generate", "5", "--into", "fixtures/demo"), "into 'fixtures/demo' is not empty"),
    ],
)
def test_options_that_make_no_sense_together_are_refused(
    bench: Bench, arguments: tuple[str, ...], sentence: str
) -> None:
    ran = bench(*arguments)
    assert ran.code == 2
    assert sentence in ran.err


@pytest.mark.parametrize("kind", ["boxes", "polygons", "rotated", "mixed"])
def test_a_data_set_is_generated_and_measured_in_one_command(
    bench: Bench, tmp_path: Path, kind: str
) -> None:
    folder, path = tmp_path / "data", tmp_path / "bench.json"
    generated = ("--generate", "30", "--kind", kind, "--seed", "3", "--defects", "0.1")
    ran = bench(*generated, "--into", str(folder), "--save", str(path), "--rounds", "1")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("Measured 30 of 30 data files with ")
    assert len(list(folder.rglob("*.txt"))) == 30
    document = json.loads(path.read_bytes())
    recipe = f"generated: 30 files of {kind}, seed 3, 10 % of the rows defective"
    assert document["storage_path"] == recipe
    # A temporary data set of the same recipe is the same folder.
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    again = ("--rounds", "1", "--compare", str(path), "--out-folder", str(temporary))
    ran = bench(*generated, *again)
    assert ran.code == 0, ran.err
    assert "Different: the" not in ran.out
    assert "mean nothing" not in ran.out
    assert not list(temporary.iterdir())


def test_a_saved_result_in_the_folder_is_a_companion_file(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    result = folder / "bench.json"
    assert bench("--generate", "3", "--into", str(folder), "--save", str(result)).code == 0
    ontology = str(folder / "ontology.json")
    ran = bench(str(folder), "--ontology", ontology, "--rounds", "1", "--save", str(result))
    assert ran.code == 0, ran.err
    assert json.loads(result.read_bytes())["measurement"]["data_files"] == 3
