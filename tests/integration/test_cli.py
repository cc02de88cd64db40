"""The command line as its users meet it: outputs for people, for programs, and for files."""

import csv
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.builders.command_line import Run, command_line
from tests.builders.folders import make_folder, ontology_of, write_ontology

IMAGE = {"image": [64, 48]}
GOOD = "0 0.5 0.5 0.2 0.2\n"
FILES: dict[str, Any] = {
    "images/a.jpg": IMAGE,
    "labels/a.txt": GOOD,
    "images/b.jpg": IMAGE,
    "labels/b.txt": GOOD + "9 0.5 0.5 0.2 0.2\n0 x 0.5 0.2 0.2\n",
    "images/c.jpg": IMAGE,
    "labels/c.txt": "",
    "images/d.jpg": IMAGE,
    "labels/z.txt": GOOD,
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a folder with a data set in data/ and ontology.json beside it."""
    make_folder(tmp_path / "data", FILES)
    write_ontology(tmp_path / "ontology.json", car=(0, "bounding_box"), van=(1, "bounding_box"))
    monkeypatch.chdir(tmp_path)

    return command_line(capsys)


DATA = ("data", "--ontology", "ontology.json")


def test_convert_says_what_it_did_to_people_and_nothing_to_programs(run: Run) -> None:
    ran = run("convert", *DATA, "--out", "rows.jsonl")
    assert ran.code == 1
    assert ran.out == ""
    assert "8 seen = 3 paired data files + 1 unlabelled data file + 3 sidecars" in ran.err
    assert "4 seen = 2 annotations + 2 rejected" in ran.err
    assert "labels/b.txt:3:3: 'x' is not a number" in ran.err


def test_json_goes_to_standard_output_alone(run: Run) -> None:
    ran = run("convert", *DATA, "--out", "rows.jsonl", "--json", "--quiet")
    assert ran.err == ""
    report = json.loads(ran.out)
    assert report["rows_seen"] == 4
    assert report["rejected"] == {"not-a-number": 1, "unknown-class": 1}
    assert report["keys"]["seen"] == 8
    assert report["problems"]["files_with_errors"] == 2


def test_the_report_file_is_what_json_prints(run: Run) -> None:
    ran = run("check", *DATA, "--json", "--quiet", "--report", "report.json")
    printed, written = json.loads(ran.out), json.loads(Path("report.json").read_text())
    assert printed == written


def test_problems_are_written_one_a_line(run: Run) -> None:
    run("convert", *DATA, "--out", "rows.jsonl", "--problems", "problems.jsonl")
    problems = [json.loads(line) for line in Path("problems.jsonl").read_text().splitlines()]
    places = [(p["source"], p.get("line"), p.get("column"), p["code"]) for p in problems]
    assert places == [
        ("labels/z.txt", None, None, "orphan-sidecar"),
        ("labels/b.txt", 2, 1, "unknown-class"),
        ("labels/b.txt", 3, 3, "not-a-number"),
    ]


def test_failed_files_are_written_as_csv(run: Run) -> None:
    run("convert", *DATA, "--out", "rows.jsonl", "--failed-csv", "failed.csv")
    with Path("failed.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["data_file"], r["sidecar"], r["errors"], r["codes"]) for r in rows] == [
        ("labels/z.txt", "", "1", "orphan-sidecar"),
        ("images/b.jpg", "labels/b.txt", "2", "unknown-class not-a-number"),
    ]
    assert rows[1]["first_error"].startswith("labels/b.txt:2:1: unknown-class: ")


def test_check_finds_the_same_and_writes_no_label_rows(run: Run, tmp_path: Path) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    ran = run("check", *DATA)
    assert ran.code == 1
    assert "4 seen = 2 annotations + 2 rejected" in ran.err
    assert "nothing was written" in ran.err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_check_has_no_option_for_output(run: Run) -> None:
    assert run("check", *DATA, "--out", "rows.jsonl").code == 2


def test_convert_without_output_says_what_to_give(run: Run) -> None:
    ran = run("convert", *DATA)
    assert ran.code == 2
    assert "FILE.jsonl" in ran.err


def test_both_sinks_hold_the_same_label_rows(run: Run) -> None:
    run("convert", *DATA, "--out", "rows.jsonl")
    run("convert", *DATA, "--out", "tree")
    lines = Path("rows.jsonl").read_bytes().splitlines()
    tree = [Path(f"tree/images/{name}.jpg.encord.json").read_bytes() for name in "abc"]
    assert tree == lines


def test_stop_ends_at_the_first_bad_file_and_leaves_no_output(run: Run) -> None:
    ran = run("convert", *DATA, "--out", "rows.jsonl", "--on-row-error", "stop")
    assert ran.code == 1
    assert "labels/b.txt:2:1: unknown-class" in ran.err
    assert not Path("rows.jsonl").exists()


def test_a_configuration_file_gives_options_and_flags_win(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "ingest.toml").write_text(
        'storage_path = "../data"\nontology = "../ontology.json"\nout = "rows.jsonl"\n'
        'on_row_error = "stop"\n[map]\n9 = "van"\n'
    )
    ran = run("convert", "--config", "elsewhere/ingest.toml", "--on-row-error", "skip")
    assert ran.code == 1
    assert "4 seen = 3 annotations + 1 rejected" in ran.err
    assert (folder / "rows.jsonl").exists()


def test_an_unknown_key_of_a_configuration_file_is_refused(run: Run) -> None:
    Path("ingest.toml").write_text('storage_path = "data"\nontology = "o.json"\nimage = ["a"]\n')
    ran = run("convert", "--config", "ingest.toml")
    assert ran.code == 2
    assert "image: not known; did you mean images?" in ran.err


def test_an_output_inside_the_folder_is_no_data_file_of_the_next_run(run: Run) -> None:
    for name in ("data/rows.jsonl", "data/tree"):
        outputs = ("--out", name, "--report", "data/report.json", "--problems", "data/p.jsonl")
        first = run("convert", *DATA, *outputs, "--json", "-q")
        second = run("convert", *DATA, *outputs, "--json", "-q")
        assert json.loads(first.out)["keys"] == json.loads(second.out)["keys"]
        for path in ("data/rows.jsonl", "data/report.json", "data/p.jsonl"):
            Path(path).unlink(missing_ok=True)


def test_the_folder_itself_is_no_output(run: Run) -> None:
    ran = run("convert", *DATA, "--out", "data")
    assert ran.code == 2
    assert "storage_path and out are both 'data'" in ran.err
    assert Path("data/labels/a.txt").read_text() == GOOD


def test_pair_shows_counts_examples_orphans_and_the_next_step(run: Run) -> None:
    ran = run("pair", "data")
    assert ran.code == 0
    assert "images/a.jpg ↔ labels/a.txt" in ran.out
    assert "1 unlabelled data file, such as images/d.jpg" in ran.out
    assert "labels/z.txt: " in ran.out
    assert "Next: labelingest check data" in ran.out


def test_pair_as_json_lists_all_pairs(run: Run) -> None:
    shown = json.loads(run("pair", "data", "--json").out)
    assert shown["pairs"] == [[f"images/{n}.jpg", f"labels/{n}.txt"] for n in "abc"]
    assert [problem["source"] for problem in shown["problems"]] == ["labels/z.txt"]


@pytest.mark.parametrize(
    ("files", "fix"),
    [
        ({"images/e.JPG": "", "labels/e.txt": ""}, "--images 'images/{name}.JPG'"),
        ({"images/e.png": "", "labels/e.txt": ""}, "--images 'images/{name}.png'"),
        ({"image/e.jpg": "", "labels/e.txt": ""}, "image/{name}.jpg"),
        ({"images/more/e.jpg": "", "labels/e.txt": ""}, "images/more/e.jpg"),
    ],
)
def test_pair_names_near_misses_with_their_cure(run: Run, files: dict[str, Any], fix: str) -> None:
    make_folder(Path("data"), files)
    ran = run("pair", "data", "--images", "images/{name}.jpg", "--labels", "labels/{name}.txt")
    [line] = [line for line in ran.out.splitlines() if line.startswith("near miss ")]
    assert fix in line


def test_classes_shows_numbers_and_why(run: Run) -> None:
    ran = run("classes", "ontology.json", "--map", "7=van")
    assert ran.code == 0
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["7", "van", "bounding_box", "00000002", "override"] in rows
    assert ["0", "car", "bounding_box", "00000001", "external", "ID"] in rows


def test_classes_as_json(run: Run) -> None:
    shown = json.loads(run("classes", "ontology.json", "--json").out)
    assert shown["namespace"] == "YOLO"
    assert [(c["number"], c["name"]) for c in shown["classes"]] == [(0, "car"), (1, "van")]


def test_classes_beside_a_class_list(run: Run) -> None:
    Path("classes.txt").write_text("van\ncar\ntug\n")
    ran = run("classes", "ontology.json", "--class-list", "classes.txt")
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["0", "car", "bounding_box", "00000001", "external", "ID", "van"] in rows
    assert "the names of 0 and 1 are swapped" in ran.out
    shown = json.loads(run("classes", "ontology.json", "--json", "--class-list", "classes.txt").out)
    assert [c["list_name"] for c in shown["classes"]] == ["van", "car"]
    assert shown["class_list"]["source"] == "classes.txt"


def test_a_starter_ontology_says_what_is_wrong_with_its_list(run: Run) -> None:
    Path("data.yaml").write_text("nc: 3\nnames:\n  1: car\n  2: Car\n")
    ran = run("ontology", "init", "data.yaml", "--shape", "polygon")
    assert ran.code == 0
    assert [line.split(": ")[1] for line in ran.err.splitlines()] == [
        *("duplicate-class-name", "class-list-from-one"),
    ]


def test_a_starter_ontology_can_be_used_at_once(run: Run) -> None:
    Path("classes.txt").write_text("car\nvan\n")
    ran = run("ontology", "init", "classes.txt", "--shape", "bounding_box", "--out", "o.json")
    assert ran.code == 0
    assert "objects written to o.json: 2" in ran.err
    assert run("check", "data", "--ontology", "o.json").err.count("2 annotations") == 1


def test_a_starter_ontology_goes_to_standard_output(run: Run) -> None:
    Path("data.yaml").write_text("names: {0: car, 7: van}\n")
    ran = run("ontology", "init", "data.yaml", "--shape", "polygon")
    assert [o["externalIds"] for o in json.loads(ran.out)["objects"]] == [
        {"YOLO": "0"},
        {"YOLO": "7"},
    ]


def test_a_shape_that_rows_cannot_become_is_refused(run: Run) -> None:
    Path("classes.txt").write_text("car\n")
    ran = run("ontology", "init", "classes.txt", "--shape", "circle")
    assert ran.code == 2
    shapes = "bounding_box, polygon or rotatable_bounding_box"
    assert f"--shape 'circle': expected {shapes}" in ran.err


def test_names_in_an_ontology_are_text_and_never_markup(run: Run) -> None:
    ontology = ontology_of(**{"[red]car[/]\x1b[2J": (0, "bounding_box")})
    Path("o.json").write_text(json.dumps(ontology))
    assert "[red]car[/]\\x1b[2J" in run("classes", "o.json").out


def test_the_version_is_shown(run: Run) -> None:
    assert run("--version").out.startswith("labelingest 0.")


def test_a_wrong_flag_is_a_wrong_call(run: Run) -> None:
    assert run("convert", *DATA, "--outt", "rows.jsonl").code == 2


def test_an_output_never_replaces_a_label_file(run: Run) -> None:
    for option in ("--report", "--problems", "--failed-csv"):
        ran = run("check", *DATA, option, "data/labels/a.txt")
        assert ran.code == 2
        assert "is a file of the storage path" in ran.err
    assert Path("data/labels/a.txt").read_text() == GOOD


def test_a_terminal_of_few_characters_gets_escapes(run: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "labelingest", "pair", "data"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(command, capture_output=True, check=True, env=environment, cwd=tmp_path)
    assert rb"images/a.jpg \u2194 labels/a.txt" in ran.stdout


def test_what_an_output_link_leads_to_is_replaced_and_the_link_stays(run: Run) -> None:
    Path("real").mkdir(mode=0o750)
    Path("link").symlink_to("real")
    assert run("convert", *DATA, "--out", "link").code == 1
    assert Path("link").is_symlink()
    assert Path("real/images/a.jpg.encord.json").exists()
    assert Path("real").stat().st_mode & 0o777 == 0o750
    names = {path.name for path in Path().iterdir()}
    assert names == {"data", "ontology.json", "real", "link"}


def test_an_output_through_a_link_never_replaces_a_label_file(run: Run) -> None:
    Path("link").symlink_to("data")
    ran = run("check", "link", "--ontology", "ontology.json", "--report", "data/labels/a.txt")
    assert ran.code == 2
    assert Path("data/labels/a.txt").read_text() == GOOD


def test_a_json_file_of_the_data_set_is_not_replaced_by_the_report(run: Run) -> None:
    Path("data/annotations.json").write_text("{}")
    ran = run("check", *DATA, "--report", "data/annotations.json")
    assert ran.code == 2
    assert Path("data/annotations.json").read_text() == "{}"


def test_a_label_row_whose_file_name_is_too_long_is_counted_as_failed(run: Run) -> None:
    long = "n" * 245
    make_folder(Path("data"), {f"images/{long}.jpg": "", f"labels/{long}.txt": GOOD})
    ran = run("convert", *DATA, "--out", "tree", "--json", "-q", "--failed-csv", "failed.csv")
    report = json.loads(ran.out)
    assert report["problems"]["by_code"]["output-name-refused"] == 1
    assert (report["label_rows"], report["failed_files"]) == (3, 1)
    assert report["empty_label_rows"] == 1
    assert report["rows_seen"] == 4
    rows = Path("failed.csv").read_text().splitlines()
    assert sum(row.startswith(f"images/{long}.jpg,") for row in rows) == 1


def test_a_report_that_cannot_be_written_ends_the_run_before_the_work(run: Run) -> None:
    ran = run("convert", *DATA, "--out", "rows.jsonl", "--report", "missing/report.json")
    assert ran.code == 3
    assert not Path("rows.jsonl").exists()


def test_stop_keeps_the_list_of_problems(run: Run) -> None:
    arguments = ("--on-row-error", "stop", "--problems", "p.jsonl", "--report", "r.json")
    assert run("convert", *DATA, "--out", "rows.jsonl", *arguments).code == 1
    codes = [json.loads(line)["code"] for line in Path("p.jsonl").read_text().splitlines()]
    assert codes == ["orphan-sidecar", "unknown-class", "not-a-number"]
    assert Path("r.json").exists()


def test_what_could_not_be_listed_is_said_when_nothing_pairs(run: Run) -> None:
    for path in Path("data/images").iterdir():
        path.unlink()
    Path("data/images").rmdir()
    Path("data/images").symlink_to("gone")
    ran = run("check", *DATA)
    assert ran.code == 2
    assert "broken-link" in ran.err


def test_an_output_that_looks_like_one_file_of_another_kind_is_refused(run: Run) -> None:
    for name in ("rows.json", "rows.JSONL", "rows.jsonl.gz"):
        ran = run("convert", *DATA, "--out", name)
        assert ran.code == 2
        assert ".jsonl" in ran.err


def test_the_configuration_is_not_replaced(run: Run) -> None:
    Path("c.toml").write_text('storage_path = "data"\nontology = "ontology.json"\n')
    ran = run("check", "--config", "c.toml", "--report", "c.toml")
    assert ran.code == 2
    assert Path("c.toml").read_text().startswith("storage_path")


def test_a_starter_ontology_replaces_nothing_unless_forced(run: Run) -> None:
    Path("classes.txt").write_text("car\n")
    arguments = ("ontology", "init", "classes.txt", "--shape", "polygon", "--out", "ontology.json")
    assert run(*arguments).code == 2
    assert run(*arguments, "--force").code == 0


def test_a_full_standard_output_is_a_storage_failure(run: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "labelingest", "check", *DATA, "--json", "-q"]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, check=False
        )
    assert ran.returncode == 3
    assert b"Traceback" not in ran.stderr


def test_classes_shows_the_objects_of_an_ontology_without_external_ids(run: Run) -> None:
    ontology = ontology_of(**{"my car": (None, "bounding_box"), "lane": (None, "polyline")})
    Path("my o.json").write_text(json.dumps(ontology))
    ran = run("classes", "my o.json")
    assert ran.code == 2
    rows = [re.split(" {2,}", line) for line in ran.out.splitlines()]
    assert ["—", "my car", "bounding_box", "00000001"] in rows
    assert "rows cannot become a polyline" in ran.out
    assert "labelingest classes 'my o.json' --map '0=my car'" in ran.out
    assert run("classes", "my o.json", "--map", "0=my car").code == 0


def test_classes_says_why_an_object_has_no_number(run: Run) -> None:
    ontology = ontology_of(
        car=(0, "bounding_box"), van=(1, "polygon"), lane=(2, "polyline"), bus=(None, "polygon")
    )
    ontology["objects"][1]["archived"] = True
    Path("o.json").write_text(json.dumps(ontology))
    said = run("classes", "o.json").out
    assert "1 class number; 3 objects without:" in said
    assert "  van (00000002): archived" in said
    assert "  lane (00000003): rows cannot become a polyline" in said
    assert "  bus (00000004): no external ID in namespace 'YOLO'" in said


def test_at_most_ten_objects_without_number_are_listed(run: Run) -> None:
    others: dict[str, tuple[int | None, str]] = {f"o{n}": (None, "polygon") for n in range(12)}
    Path("o.json").write_text(json.dumps(ontology_of(car=(0, "polygon"), **others)))
    said = run("classes", "o.json").out
    assert said.count("no external ID") == 10
    assert "… and 2 more" in said


@pytest.mark.parametrize("columns", ["0", "1", "40"])
def test_a_narrow_terminal_cuts_nothing(
    run: Run, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    name = "a name of an object that is longer than most terminals are wide, and then some"
    Path("o.json").write_text(json.dumps(ontology_of(**{name: (0, "rotatable_bounding_box")})))
    [row] = [line for line in run("classes", "o.json").out.splitlines() if name in line]
    assert re.split(" {2,}", row) == [
        *("0", name, "rotatable_bounding_box", "00000001", "external ID")
    ]


def test_the_next_step_can_be_run_as_it_stands(run: Run) -> None:
    Path("data").rename("my data")
    patterns = ("--images", "images/{name}.jpg", "--labels", "labels/{name}.txt")
    [step] = [x for x in run("pair", "my data", *patterns).out.splitlines() if x[:5] == "Next:"]
    words = shlex.split(step.removeprefix("Next: "))
    assert words[:2] == ["labelingest", "check"]
    assert words[2] == "my data"
    assert tuple(words[-4:]) == patterns
    assert "4 seen" in run(*words[1:]).err


def test_the_next_step_after_orphans_repeats_the_patterns(run: Run) -> None:
    Path("data/labels/b.txt").write_text(GOOD)
    patterns = ("--images", "images/{name}.jpg", "--labels", "labels/{name}.txt")
    Path("data").rename("my data")
    said = run("check", "my data", "--ontology", "ontology.json", *patterns).err
    assert (
        "labelingest pair 'my data' --images 'images/{name}.jpg' --labels 'labels/{name}.txt'"
        in said
    )


def test_without_pairs_the_next_step_is_no_check(run: Run) -> None:
    ran = run("pair", "data", "--images", "x/{name}.jpg", "--labels", "y/{name}.txt")
    [step] = [line for line in ran.out.splitlines() if line.startswith("Next:")]
    assert "labelingest check" not in step
    assert "--images" in step


def test_an_empty_folder_has_no_terms(run: Run) -> None:
    Path("empty").mkdir()
    ran = run("pair", "empty", "--images", "x/{name}.jpg", "--labels", "y/{name}.txt")
    assert "0 seen" in ran.out.splitlines()


def test_rows_of_corners_that_are_no_rectangles_are_counted_as_rows(run: Run) -> None:
    write_ontology(Path("ontology.json"), car=(0, "rotatable_bounding_box"))
    Path("data/labels/b.txt").write_text("0 0.1 0.1 0.5 0.1 0.6 0.6 0.1 0.5\n")
    said = run("check", *DATA).err
    assert "1 row of corners is no rectangle, now the smallest around it: it misses by" in said


def test_bytes_that_are_not_utf8_are_a_wrong_call(run: Run) -> None:
    for option in ("--out", "--created-by", "--dataset-title", "--storage-url"):
        ran = run("convert", *DATA, option, "s3://a\udcff")
        assert ran.code == 2
        assert "is not UTF-8" in ran.err


def test_switches_can_stand_in_a_configuration_file(run: Run) -> None:
    settings = 'storage_path = "data"\nontology = "ontology.json"\n'
    Path("c.toml").write_text(settings + "exit_zero = true\nquiet = true\njson = true\n")
    ran = run("check", "--config", "c.toml")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["rows_seen"] == 4
    assert json.loads(run("pair", "--config", "c.toml").out)["keys"]["seen"] == 8
    Path("c.toml").write_text(settings + 'strict = "yes"\n')
    ran = run("check", "--config", "c.toml")
    assert ran.code == 2
    assert "strict: 'yes': expected true or false" in ran.err


@pytest.mark.parametrize("ontology", ['""', "3", '"data"', '"p.jsonl"'])
def test_pairing_does_not_check_the_ontology_of_a_configuration_file(
    run: Run, ontology: str
) -> None:
    settings = 'storage_path = "data"\nproblems = "p.jsonl"\n'
    Path("c.toml").write_text(f"{settings}ontology = {ontology}\n")
    ran = run("pair", "--config", "c.toml", "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["keys"]["seen"] == 8
    assert run("check", "--config", "c.toml").code == 2


@pytest.mark.parametrize("command", ["check", "pair"])
def test_an_empty_name_of_a_configuration_file_is_refused(run: Run, command: str) -> None:
    ran = run(command, "data", "--config", "")
    assert ran.code == 2
    assert "cannot be read" in ran.err


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (("--workers", "0"), "workers: 0: expected a whole number from 1 to 4,096"),
        (("--shard-rows", "0"), "shard_rows: 0: expected a whole number from 1 on"),
        (("--shard-rows", "5"), "'rows.jsonl' ends in .jsonl: with shard_rows it is a folder"),
        (("--engine", "spark://a:1"), "engine 'spark://a:1' is not known: give dask://HOST:PORT"),
        (("--engine", "dask"), "engine 'dask' is not known: give dask://HOST:PORT"),
        (("--engine", "me:pw@host:1"), "the engine's URL comes with a user or password: leave"),
        (("--engine", "ray://"), "engine 'ray://' is not known: give dask://HOST:PORT"),
        (("--engine", "dask://a:1", "--workers", "2"), "workers: are processes of this machine"),
    ],
)
def test_what_cannot_do_the_work_is_a_wrong_call(
    run: Run, option: tuple[str, str], sentence: str
) -> None:
    ran = run("convert", *DATA, "--out", "rows.jsonl", *option)
    assert ran.code == 2
    assert sentence in ran.err
    assert not Path("rows.jsonl").exists()


def test_a_cluster_that_does_not_answer_is_an_engine_failure(run: Run) -> None:
    pytest.importorskip("distributed", reason="pip install 'labelingest[dask]'")
    ran = run("convert", *DATA, "--out", "rows.jsonl", "--engine", "dask://127.0.0.1:1")
    assert ran.code == 3
    assert "no Dask scheduler answers at tcp://127.0.0.1:1" in ran.err
    assert {path.name for path in Path().iterdir()} == {"data", "ontology.json"}


def test_shards_hold_the_lines_of_one_file_and_their_index_says_which(run: Run) -> None:
    run("convert", *DATA, "--out", "rows.jsonl")
    run("convert", *DATA, "--out", "shards", "--shard-rows", "2")
    index = json.loads(Path("shards/index.json").read_bytes())
    names = [f"label_rows-{number:05}-of-00002.jsonl" for number in range(2)]
    assert index["rows"] == 3
    assert [shard["file"] for shard in index["shards"]] == names
    assert [shard["rows"] for shard in index["shards"]] == [2, 1]
    assert [(shard["first_key"], shard["last_key"]) for shard in index["shards"]] == [
        ("images/a.jpg", "images/b.jpg"),
        ("images/c.jpg", "images/c.jpg"),
    ]
    contents = [Path("shards", name).read_bytes() for name in names]
    assert [shard["bytes"] for shard in index["shards"]] == [len(content) for content in contents]
    assert b"".join(contents) == Path("rows.jsonl").read_bytes()
