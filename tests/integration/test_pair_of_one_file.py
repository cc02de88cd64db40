"""`labelingest pair --why` and `--renames`: answers for one file, and commands that rename."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.builders.cloud_servers import CloudServer
from tests.builders.command_line import Run, command_line
from tests.builders.folders import make_folder, write_ontology

IMAGE = {"image": [64, 48]}
GOOD = "0 0.5 0.5 0.2 0.2\n"
FILES = {
    "images/a.jpg": IMAGE,
    "labels/a.txt": GOOD,
    "images/my boat.jpg": IMAGE,
    "labels/my%20boat.txt": GOOD,
    "images/x.JPG": IMAGE,
    "labels/x.txt": GOOD,
}
PATTERNS = ("--images", "images/{name}.jpg", "--labels", "labels/{name}.txt")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a folder with a data set in data/ and ontology.json beside it."""
    make_folder(tmp_path / "data", FILES)
    write_ontology(tmp_path / "ontology.json", car=(0, "bounding_box"))
    monkeypatch.chdir(tmp_path)
    return command_line(capsys)


@pytest.mark.parametrize(
    "file", ["labels/x.txt", "data/labels/x.txt", "./data/labels/x.txt", "./labels/x.txt"]
)
def test_a_file_is_named_by_its_key_or_its_path(run: Run, file: str) -> None:
    answer = json.loads(run("pair", "data", *PATTERNS, "--why", file, "--json").out)
    assert answer["key"] == "labels/x.txt"
    assert answer["outcome"] == "orphan_sidecar"
    assert answer["matches"] == [
        {"role": "label file pattern", "text": "labels/{name}.txt", "captures": {"name": "x"}}
    ]
    assert answer["expected"] == [{"key": "images/x.jpg", "exists": False, "outcome": None}]
    assert answer["why"] == "there is no image for it: 'images/x.jpg' does not exist"
    [near] = answer["near_misses"]
    assert near.endswith("add --images 'images/{name}.JPG'")


def test_absolute_paths_urls_and_links_name_files_too(run: Run, tmp_path: Path) -> None:
    Path("link").symlink_to("data")
    path = tmp_path / "data/labels/my%20boat.txt"
    for place in ("data", "link", str(tmp_path / "data"), (tmp_path / "data").as_uri()):
        for file in (str(path), path.as_uri(), "link/labels/my%20boat.txt"):
            assert "Near miss" in run("pair", place, *PATTERNS, "--why", file).out


def test_a_person_reads_pattern_name_place_and_reason(run: Run) -> None:
    assert run("pair", "data", *PATTERNS, "--why", "labels/x.txt").out.splitlines() == [
        "labels/x.txt: orphan sidecar",
        "  Rule       --images 'images/{name}.jpg' --labels 'labels/{name}.txt' (given)",
        "  Matches    label file pattern 'labels/{name}.txt': name = 'x'",
        "  Looked for images/x.jpg: does not exist",
        "  Why        there is no image for it: 'images/x.jpg' does not exist",
        "  Near miss  'images/x.JPG' ends in '.JPG', the image file pattern in '.jpg', and case "
        "counts; add --images 'images/{name}.JPG'",
    ]


def test_recognised_patterns_are_said(run: Run) -> None:
    said = run("pair", "data", "--why", "images/a.jpg").out
    assert "(the folder images beside the folder labels)" in said
    assert "converted with its sidecar 'labels/a.txt'" in said


def test_a_folder_without_a_usual_layout_answers_by_the_most_usual_one(run: Run) -> None:
    make_folder(Path("other"), {"images/x.JPG": IMAGE, "labels/x.txt.txt": GOOD})
    ran = run("pair", "other", "--why", "images/x.JPG")
    assert ran.code == 0
    assert "assumed, as no usual layout is recognised" in ran.out


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("labels/mi%20boat.txt", "similar: 'labels/my%20boat.txt'"),
        ("x.txt", "similar: 'labels/x.txt'"),
        ("labels/nothing_like_it.txt", "'data' has no file 'labels/nothing_like_it.txt'\n"),
        ("data/labels", "'data/labels' exists, but is not among the files of 'data'"),
        ("", "'data' has no file ''"),
        ("../ontology.json", "'data' has no file '../ontology.json'"),
    ],
)
def test_a_name_of_no_file_is_answered_with_near_names(run: Run, file: str, sentence: str) -> None:
    ran = run("pair", "data", *PATTERNS, "--why", file)
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err


def test_the_next_step_after_orphans_says_why(run: Run) -> None:
    options = (*PATTERNS, "--metadata-suffix", ".meta", "--no-follow-symlinks")
    said = run("check", "data", "--ontology", "ontology.json", *options).err
    [step] = [line for line in said.splitlines() if line.startswith("Next:")]
    command, _, promise = step.removeprefix("Next: ").partition(" shows why ")
    assert promise.startswith("this label file found no data file")
    words = shlex.split(command)
    assert words == ["labelingest", "pair", "data", *options, "--why", "labels/my%20boat.txt"]
    answer = run(*words[1:]).out
    assert "Looked for images/my%20boat.jpg: does not exist" in answer
    assert "Near miss" in answer


def test_the_next_step_after_orphan_sidecars_says_why(run: Run) -> None:
    make_folder(Path("rows"), {"a.jpg": IMAGE, "a.jpg.labels": "{}", "b.labels": "{}"})
    said = run("check", "rows", "--ontology", "ontology.json", "--suffix", ".labels").err
    [step] = [line for line in said.splitlines() if line.startswith("Next:")]
    words = shlex.split(step.removeprefix("Next: ").partition(" shows why ")[0])
    assert "Looked for b: does not exist" in run(*words[1:]).out


def test_commands_that_rename_pair_what_they_are_for(run: Run) -> None:
    commands = run("pair", "data", *PATTERNS, "--renames").out
    assert commands == "mv -- data/labels/my%20boat.txt 'data/labels/my boat.txt'\n"
    subprocess.run(["sh", "-c", commands], check=True)
    assert "2 paired data files" in run("pair", "data", *PATTERNS).out
    assert run("pair", "data", *PATTERNS, "--renames").out == ""


def test_a_bucket_answers_as_a_folder_does(
    run: Run, s3: CloudServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{s3.address}")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    place = s3.new_url() + "my drive/"
    s3.storage({"images/my boat.jpg": b"x", "labels/my%20boat.txt": b"x"}, place)
    key = "labels/my%20boat.txt"
    url = place.replace("my drive", "my%20drive") + "labels/my%2520boat.txt"
    for file in (key, place + "labels/my%20boat.txt", url):
        said = run("pair", place, *PATTERNS, "--why", file).out
        assert said.startswith(f"{key}: orphan sidecar\n"), file
        command = f"aws s3 mv '{place}labels/my%20boat.txt' '{place}labels/my boat.txt'"
        assert command in said
    ran = run("pair", place, *PATTERNS, "--why", place + "labels/my boat.txt")
    assert (ran.code, "'labels/my%20boat.txt'" in ran.err) == (2, True)


def test_a_yaml_file_with_class_names_is_not_called_a_file_of_the_run(run: Run) -> None:
    Path("data/coco128.yaml").write_text("names: [car]\n")
    answer = json.loads(run("pair", "data", *PATTERNS, "--why", "coco128.yaml", "--json").out)
    assert answer["outcome"] == "companion"
    assert (
        answer["why"] == "a companion file, as YAML files with class names are; it holds no labels"
    )
