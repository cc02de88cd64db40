"""The commands of benchmarks/ that run whole processes, on a few files."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from benchmarks.compare import compare_kind
from benchmarks.contenders import CONTENDERS, Contender, Place, labelingest_coco, panlabel
from benchmarks.data_sets import data_set
from benchmarks.spent import spend
from labelingest.bench.synthetic.data_set import Generated

ROOT = Path(__file__).parents[2]
SLEEP = "import time; time.sleep({})"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the data sets of all tests here."""
    return tmp_path_factory.mktemp("data-sets")


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def sleeping(seconds: float, at_most: int = 1_000) -> Contender:
    """Return a contender that takes so long for any files; its package is one that is there."""
    command = [sys.executable, "-c", SLEEP.format(seconds)]
    return Contender("sleep", lambda _: command, {"boxes": "sleeps"}, "json", {"boxes": at_most})


def test_all_that_is_installed_takes_turns(kept: Path) -> None:
    options = ("--files", "30", "--kinds", "boxes", "rotated", "--rounds", "2", "--json")
    ran = run("compare", *options, "--keep", str(kept))
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    for kind, floor in (("boxes", "floor"), ("rotated", "floor-with-headers")):
        results = [one for one in found["results"] if one["kind"] == kind]
        there = [one for one in CONTENDERS if one.is_there() and kind in one.does]
        assert [one["name"] for one in results] == [one.name for one in there]
        [least] = [median(one["seconds"]) for one in results if one["name"] == floor]
        for one in results:
            assert one["files"] == 30
            assert len(one["seconds"]) == 2
            assert one["ratio"] == pytest.approx(median(one["seconds"]) / least)
            assert one["cpu_seconds"] > 0
            assert one["peak_mb"] > 1
    assert set(found["missing"]) == {one.package for one in CONTENDERS if not one.is_there()}
    assert ("pip install '.[peers]'" in ran.stderr) == bool(found["missing"])


def test_a_table_says_what_each_does(kept: Path) -> None:
    options = ("--files", "30", "--kinds", "boxes", "--rounds", "1", "--keep", str(kept))
    ran = run("compare", *options, "--only", "floor", "labelingest-1")
    assert ran.returncode == 0, ran.stderr
    title, header, *rows = ran.stdout.splitlines()
    assert title.startswith("boxes: 30 files, medians of 1 round")
    assert header.split()[:3] == ["contender", "seconds", "files/s"]
    assert [row.split()[0] for row in rows if row[:1].strip()][:2] == ["floor", "labelingest-1"]
    assert "1.00" in rows[0]
    assert "checks every row" in rows[1]
    assert ran.stderr == ""


def test_estimates_of_bench_stand_beside_real_runs(kept: Path) -> None:
    options = ("--files", "40", "--part", "20", "--kinds", "boxes", "--rounds", "1")
    ran = run("estimates", *options, "--keep", str(kept), "--json")
    assert ran.returncode == 0, ran.stderr
    subjects = [estimate["subject"] for estimate in json.loads(ran.stdout)]
    assert subjects[0] == "all, 1 processes"
    assert all(estimate["estimated"] > 0 for estimate in json.loads(ran.stdout))


@pytest.mark.parametrize("kind", ["boxes", "polygons", "rotated", "mixed"])
def test_who_takes_part_converts_every_row(kept: Path, tmp_path: Path, kind: str) -> None:
    made = data_set(kept, 30, kind)
    for one in CONTENDERS:
        if not one.is_there() or kind not in one.does:
            continue
        out = tmp_path / one.name
        out.mkdir()
        spent = spend(one.command(Place(made, out)))
        assert spent.code == 0, spent.stderr
        if one.name.startswith("floor"):
            assert (out / "out.txt").stat().st_size == made.label_bytes
        else:
            assert labels_in(out) == made.rows


def labels_in(out: Path) -> int:
    """Return how many labels a contender wrote, to COCO or to label rows."""
    if (out / "out.json").exists():
        return len(json.loads((out / "out.json").read_bytes())["annotations"])
    rows: list[Any] = [json.loads(line) for line in (out / "rows.jsonl").read_text().splitlines()]
    units = [unit for row in rows for unit in row["data_units"].values()]
    return sum(len(unit["labels"].get("objects", ())) for unit in units)


@pytest.mark.skipif(find_spec("panlabel") is None, reason="panlabel is not installed")
def test_coco_of_ours_and_of_the_native_tool_says_the_same(kept: Path, tmp_path: Path) -> None:
    made = data_set(kept, 30, "boxes")
    sizes, boxes = zip(
        *(coco_of(command, made, tmp_path) for command in (labelingest_coco(2), panlabel)),
        strict=True,
    )
    assert sizes[0] == sizes[1]
    assert len(sizes[0]) == 30
    assert len(boxes[0]) == len(boxes[1]) == made.rows
    for (image, category, box), theirs in zip(*boxes, strict=True):
        assert (image, category) == theirs[:2]
        assert box == pytest.approx(theirs[2], abs=1e-9)


Command = Callable[[Place], Sequence[str]]


def coco_of(
    command: Command, made: Generated, folder: Path
) -> tuple[dict[str, tuple[int, int]], list[tuple[str, int, list[float]]]]:
    """Return the sizes of the images, and each box with its image and category, in order."""
    out = Path(tempfile.mkdtemp(dir=folder))
    assert spend(command(Place(made, out))).code == 0
    document = json.loads((out / "out.json").read_bytes())
    images = document["images"]
    names = {one["id"]: one["file_name"].removeprefix("images/") for one in images}
    return (
        {names[one["id"]]: (one["width"], one["height"]) for one in images},
        [
            (names[one["image_id"]], one["category_id"], one["bbox"])
            for one in document["annotations"]
        ],
    )


def test_who_is_too_slow_is_named_and_the_others_go_on(kept: Path) -> None:
    floor = CONTENDERS[0]
    timed_out = compare_kind("boxes", 30, kept, [floor, sleeping(5)], rounds=1, limit=0.5)
    assert [one.ratio is None for one in timed_out] == [False, True]
    assert timed_out[1].note.startswith("took over ")
    # 0.3 s for 10 files would be 0.9 s for 30.
    skipped = compare_kind("boxes", 30, kept, [floor, sleeping(0.3)], rounds=1, limit=0.8, trial=10)
    assert skipped[1].note == "would take 0 min at its rate for 10"
    assert skipped[1].seconds == ()


def test_who_gets_a_part_of_the_files_is_rated_by_the_file(kept: Path) -> None:
    [floor, part] = compare_kind("boxes", 30, kept, [CONTENDERS[0], sleeping(0.2, 10)], rounds=1)
    assert (part.files, part.note) == (10, "the first 10 files only")
    assert part.ratio == pytest.approx((part.median / 10) / (floor.median / 30))
    part_of = data_set(kept, 10, "boxes").root
    whole = data_set(kept, 30, "boxes").root
    for name in (f"labels/train/{i:06d}.txt" for i in range(10)):
        assert Path(part_of, name).read_bytes() == Path(whole, name).read_bytes()


def test_a_failure_of_ours_is_an_error_and_one_of_a_library_is_noted(kept: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such format')"]
    library = Contender("library", lambda _: command, {"boxes": "fails"}, "json")
    [noted] = compare_kind("boxes", 30, kept, [library], rounds=1)
    assert (noted.note, noted.seconds) == ("ended with 1: no such format", ())
    failing = Contender("failing", lambda _: command, {"boxes": "fails"})
    with pytest.raises(RuntimeError, match="failing ended with 1:\nno such format"):
        compare_kind("boxes", 30, kept, [failing], rounds=1)


def test_a_data_set_is_made_once(kept: Path) -> None:
    made = data_set(kept, 30, "boxes")
    before = Path(made.root, "ontology.json").stat().st_mtime_ns
    assert data_set(kept, 30, "boxes") == made
    assert Path(made.root, "ontology.json").stat().st_mtime_ns == before


def test_memory_is_that_of_the_largest_process_and_not_of_who_asks() -> None:
    # The start of a program counts as much memory as who starts it has.
    here = bytearray(100_000_000)
    small = spend([sys.executable, "-S", "-c", "pass"])
    assert small.peak_mb < 50 < len(here)
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', {!r}])"
    large = spend([sys.executable, "-c", child.format("bytearray(b'x' * 150_000_000)")])
    assert 150 < large.peak_mb < 400
    work = "sum(range(10_000_000))"
    assert spend([sys.executable, "-c", child.format(work)]).cpu_seconds > small.cpu_seconds


def test_scaling_tells_time_and_memory_for_each_number_of_files(kept: Path) -> None:
    options = ("--files", "60", "30", "--rounds", "1", "--keep", str(kept))
    ran = run("scaling", *options, "--json")
    assert ran.returncode == 0, ran.stderr
    first, second = json.loads(ran.stdout)
    assert (first["files"], second["files"], first["growth_percent"]) == (30, 60, 0)
    growth = second["us_a_file"] / first["us_a_file"] * 100 - 100
    assert second["growth_percent"] == pytest.approx(growth)
    assert first["peak_mb"] > 10
    assert run("scaling", *options).stdout.split()[:2] == ["files", "seconds"]
    assert "at least 2" in run("scaling", "--files", "1").stderr
    assert "'0' is no number from 1 on" in run("scaling", "--rounds", "0").stderr


def test_many_keys_are_listed_and_paired() -> None:
    ran = run("pair_many", "--keys", "40000", "--json")
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert (found["keys"], found["pairs"]) == (40_000, 20_000)
    assert found["peak_mb"] > 10
    assert "40,000 keys, 20,000 pairs: " in run("pair_many", "--keys", "40000").stdout
