"""The demo runs, and what comes out was counted by hand from its files."""

import json
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.oracles.client import load

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "fixtures" / "demo"

# Counted in the label files, line by line: (sidecar, line) of each row that cannot be converted.
REJECTED = {
    ("street_02", 4): "unknown-class",
    ("street_02", 5): "out-of-range",
    ("yard", 2): "not-a-number",
    ("yard", 3): "not-finite",
    ("yard", 4): "too-few-columns",
    ("yard", 5): "degenerate-polygon",
    ("harbour_01", 4): "ambiguous-columns",
}
WARNED = {("yard", 6): "self-intersecting-polygon", ("harbour_01", 3): "not-a-rectangle"}
OBJECTS = {
    "harbour_01.png": ["Cargo Ship"] * 3,
    "harbour_02.jpg": ["Cargo Ship"],
    "night.jpg": [],
    "street_01.jpg": ["Car", "Person", "Building", "Building"],
    "street_02.jpg": ["Car", "Car", "Car"],
    "yard.jpg": ["Car", "Building"],
}


@dataclass(frozen=True)
class Demo:
    stdout: str
    stderr: str
    exit_code: int
    report: Mapping[str, Any]
    problems: list[dict[str, Any]]
    label_rows: dict[str, dict[str, Any]]
    left_behind: list[Path]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    out = tmp_path_factory.mktemp("demo")
    before = set(DEMO.rglob("*"))
    command = [sys.executable, str(DEMO / "run.py"), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (out / "label_rows.jsonl").exists(), done.stderr
    rows = [json.loads(line) for line in (out / "label_rows.jsonl").read_text().splitlines()]
    return Demo(
        done.stdout,
        done.stderr,
        done.returncode,
        json.loads((out / "report.json").read_text()),
        [json.loads(line) for line in (out / "problems.jsonl").read_text().splitlines()],
        {row["data_title"]: row for row in rows},
        sorted(set(DEMO.rglob("*")) - before),
    )


def objects_of(demo: Demo, title: str) -> list[dict[str, Any]]:
    [unit] = demo.label_rows[title]["data_units"].values()
    objects: list[dict[str, Any]] = unit["labels"]["objects"]
    return objects


def test_the_demo_ends_well(demo: Demo) -> None:
    assert demo.exit_code == 0, demo.stderr


def test_the_commands_are_shown_as_a_user_types_them(demo: Demo) -> None:
    shown = re.findall(r"^\$ (labelingest \S+ \S+)", demo.stdout, re.MULTILINE)
    assert shown == [
        "labelingest classes fixtures/demo/ontology.json",
        "labelingest pair fixtures/demo",
        "labelingest convert fixtures/demo",
    ]


def test_a_label_row_is_shown(demo: Demo) -> None:
    assert '"data_title": "harbour_01.png"' in demo.stdout


def test_nothing_is_written_into_the_repository(demo: Demo) -> None:
    assert demo.left_behind == []


def test_the_counts_are_those_of_the_readme(demo: Demo) -> None:
    table = re.findall(
        r"^\| ([a-z ]+) \| (\d+) \|$", (DEMO / "README.md").read_text(), re.MULTILINE
    )
    report, keys, problems = demo.report, demo.report["keys"], demo.report["problems"]
    assert {name: int(count) for name, count in table} == {
        "keys seen": keys["seen"],
        "paired data files": keys["paired"],
        "unlabelled": keys["unlabelled"],
        "ambiguous data files": keys["ambiguous"],
        "paired sidecars": keys["sidecar"],
        "orphan sidecars": keys["orphan_sidecar"],
        "ambiguous sidecars": keys["ambiguous_sidecar"],
        "companion files": keys["companion"],
        "label rows": report["label_rows"],
        "empty label rows": report["empty_label_rows"],
        "rows seen": report["rows_seen"],
        "annotations": report["annotations"],
        "rows rejected": sum(report["rejected"].values()),
        "errors": problems["errors"],
        "warnings": problems["warnings"],
    }


def test_the_counts_are_those_counted_by_hand(demo: Demo) -> None:
    rows = [
        line
        for path in DEMO.glob("labels/*.txt")
        if path.stem not in ("crossing", "removed")
        for line in path.read_text().splitlines()
        if not line.startswith("#")
    ]
    annotations = sum(map(len, OBJECTS.values()))
    assert len(rows) == annotations + len(REJECTED)
    assert demo.report["rows_seen"] == len(rows)
    assert demo.report["annotations"] == annotations
    assert demo.report["rejected"] == dict(Counter(REJECTED.values()))
    assert demo.report["keys"]["seen"] == len([p for p in DEMO.rglob("*") if p.is_file()])


def test_every_bad_row_is_named_with_its_place(demo: Demo) -> None:
    found = {
        (Path(problem["source"]).stem, problem["line"]): problem["code"]
        for problem in demo.problems
        if "line" in problem
    }
    assert found == {**REJECTED, **WARNED}


def test_files_without_a_partner_are_named(demo: Demo) -> None:
    found = [problem["code"] for problem in demo.problems if "line" not in problem]
    assert sorted(found) == ["ambiguous-pair", "orphan-sidecar"]


def test_what_was_changed_on_the_way_is_counted(demo: Demo) -> None:
    assert demo.report["converted"] == {"box → rotated box": 1, "polygon → box": 1}
    assert demo.report["adjusted"] == {"box clipped to the image": 1}
    # The trapezoid's corners are 2.5 pixels from the rectangle that averages them.
    expected = {"rows": 1, "median_px": 2.5, "largest_px": 2.5}
    assert demo.report["refitted"] == pytest.approx(expected, rel=0.003)


def test_every_image_has_its_objects(demo: Demo) -> None:
    found = {
        title: [entry["name"] for entry in objects_of(demo, title)] for title in demo.label_rows
    }
    assert found == OBJECTS


@pytest.mark.parametrize("title", OBJECTS)
def test_every_label_row_loads_in_the_official_client(demo: Demo, title: str) -> None:
    row = load(demo.label_rows[title], json.loads((DEMO / "ontology.json").read_text()))
    found = [instance.ontology_item.title for instance in row.get_object_instances()]
    assert sorted(found) == sorted(OBJECTS[title])


def test_a_box_that_reaches_outside_is_clipped(demo: Demo) -> None:
    assert objects_of(demo, "street_02.jpg")[1]["boundingBox"] == {
        "h": 0.25,
        "w": 0.1875,
        "x": 0.8125,
        "y": 0.375,
    }


def test_a_confidence_makes_a_prediction(demo: Demo) -> None:
    person = objects_of(demo, "street_01.jpg")[1]
    assert (person["confidence"], person["manualAnnotation"]) == (0.9, False)


@pytest.mark.parametrize("title", ["harbour_01.png", "harbour_02.jpg"])
def test_the_ship_is_the_same_in_the_turned_image(demo: Demo, title: str) -> None:
    # Corners (35, 22) (51, 34) (45, 42) (29, 30) of 80×64 pixels: a rectangle of 20×10 about
    # (40, 32) along (4, 3)/5.
    ship = objects_of(demo, title)[0]["rotatableBoundingBox"]
    expected = {"x": 30 / 80, "y": 27 / 64, "w": 20 / 80, "h": 10 / 64}
    expected["theta"] = math.degrees(math.atan2(3, 4))
    assert ship == pytest.approx(expected, abs=1e-9)


def test_the_trapezoid_becomes_the_smallest_rectangle_around_it(demo: Demo) -> None:
    # (10, 10) (30, 10) (25, 20) (15, 20) of 80×64 pixels; its width runs from left to right.
    ship = objects_of(demo, "harbour_01.png")[2]["rotatableBoundingBox"]
    expected = {"x": 10 / 80, "y": 10 / 64, "w": 20 / 80, "h": 10 / 64}
    assert {name: ship[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert math.cos(math.radians(ship["theta"])) == pytest.approx(1.0)
