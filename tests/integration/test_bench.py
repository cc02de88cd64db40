"""`labelingest bench` as its users meet it."""

import json
import subprocess
import sys
from pathlib import Path

from labelingest.stopwatch import Stage

ROOT = Path(__file__).parents[2]
DEMO = ("fixtures/demo", "--ontology", "fixtures/demo/ontology.json")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "labelingest", "bench", *arguments]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def test_json_names_every_stage_and_adds_up(tmp_path: Path) -> None:
    ran = run(*DEMO, "--json", "--out-folder", str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert [one["stage"] for one in found["stages"]] == [stage.value for stage in Stage]
    seconds = sum(one["seconds"] for one in found["stages"])
    assert seconds + found["other_seconds"] <= found["total_seconds"] * 1.000001
    assert abs(sum(one["share"] for one in found["stages"]) - 1) < 1e-9
    largest = max(found["stages"], key=lambda one: one["share"])
    assert f"to {largest['stage']} takes " in found["bound_by"]
    assert (found["pairs"], found["files"]) == (6, 6)
    assert not list(tmp_path.iterdir())


def test_options_decide_what_is_measured(tmp_path: Path) -> None:
    config = tmp_path / "ingest.toml"
    config.write_text('to = "yolo"\nworkers = 3\n')
    ran = run(*DEMO, "--files", "2", "--config", str(config), "--image-sizes", "never")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("Measured 2 of 6 data files ")
    assert "read image headers" not in ran.stdout


def test_what_cannot_be_measured_is_refused_in_a_sentence() -> None:
    ran = run(*DEMO, "--out", "rows.csv")
    assert ran.returncode == 2
    assert "labelingest: out 'rows.csv' ends in .csv" in ran.stderr
    assert run(*DEMO, "--workers", "2").returncode == 2
