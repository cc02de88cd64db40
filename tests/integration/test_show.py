"""`labelingest show` as its users meet it: after a conversion, in pipes, with wrong names."""

import io
import json
from pathlib import Path

import orjson
import pytest

from tests.builders.command_line import Run, command_line
from tests.builders.folders import make_folder, write_ontology


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a folder with label_rows.jsonl and a tree of sidecars beside its data."""
    image = {"image": [64, 48]}
    labels = "0 0.5 0.5 0.25 0.5\n0 0.5 0.5 0.5 0.5\n"
    make_folder(
        tmp_path / "data",
        {
            "images/a b.jpg": image,
            "labels/a b.txt": labels,
            "images/c.jpg": image,
            "labels/c.txt": "",
        },
    )
    write_ontology(tmp_path / "ontology.json", car=(0, "bounding_box"))
    monkeypatch.chdir(tmp_path)

    command = command_line(capsys)
    convert = ("convert", "data", "--ontology", "ontology.json", "--image-sizes", "all", "--quiet")
    command(*convert, "--out", "label_rows.jsonl")
    command(*convert, "--out", "rows")
    return command


# Centre 32, 24 px; sizes 16 x 24 and 32 x 24 px.
FIRST, SECOND = "left 24, top 12, 16 × 24 px", "left 16, top 12, 32 × 24 px"


def test_a_converted_row_is_found_by_its_key_and_shown_in_pixels(run: Run) -> None:
    ran = run("show", "images/a b.jpg", "--in", "label_rows.jsonl", "--ontology", "ontology.json")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[1:2] == ["Title      a b.jpg"]
    assert "Kind       image (image/jpeg), 64 × 48 px" in lines
    assert [line.partition("  left")[2] for line in lines[-2:]] == [
        FIRST.removeprefix("left"),
        SECOND.removeprefix("left"),
    ]


def test_both_outputs_are_shown_alike(run: Run) -> None:
    sidecar = run("show", "rows/images/a b.jpg.encord.json").out.splitlines()
    assert run("show", "rows/images/a b.jpg").out.splitlines() == sidecar
    line = run("show", "a b.jpg", "--in", "label_rows.jsonl").out.splitlines()
    assert line[1:] == sidecar[1:]
    assert FIRST in sidecar[-2]


def test_json_is_for_programs(run: Run) -> None:
    shown = json.loads(run("show", "a b.jpg", "--in", "label_rows.jsonl", "--json").out)
    boxes = [found["geometry"] for found in shown["label_row"]["objects"]]
    assert boxes == [
        {"left": 24.0, "top": 12.0, "width": 16.0, "height": 24.0},
        {"left": 16.0, "top": 12.0, "width": 32.0, "height": 24.0},
    ]


def test_standard_input_is_a_row_or_a_file_of_rows(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Path("label_rows.jsonl").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(rows.splitlines()[0])))
    assert FIRST in run("show", "-").out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(rows)))
    assert "Title      c.jpg" in run("show", "c.jpg", "--in", "-").out


def test_a_row_with_errors_ends_with_1_and_names_their_places(run: Run) -> None:
    path = Path("rows/images/a b.jpg.encord.json")
    row = orjson.loads(path.read_bytes())
    [unit] = row["data_units"].values()
    unit["labels"]["objects"][0]["featureHash"] = "ffffffff"
    path.write_bytes(orjson.dumps(row))
    ran = run("show", str(path), "--ontology", "ontology.json")
    assert ran.code == 1
    assert SECOND in ran.out
    assert FIRST not in ran.out
    assert f"error {path}#/data_units/" in ran.out
    assert "featureHash: unknown-class: " in ran.out
    assert run("show", str(path)).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("label_rows.jsonl",), 2, "name one with labelingest show KEY --in label_rows.jsonl"),
        (("d.jpg", "--in", "label_rows.jsonl"), 2, "has no label row of 'd.jpg': it has 'file://"),
        (("data/labels/a b.txt",), 2, "convert first: labelingest convert"),
        (("data/images/c.jpg",), 2, "has no sidecar 'data/images/c.jpg.encord.json'"),
        (("ontology.json",), 2, "holds no label row: 'data_units' is missing"),
        (("nowhere.json",), 3, "'nowhere.json' cannot be read: no such file or folder"),
        (("rows/images/c.jpg", "--ontology", "nowhere.json"), 2, "nowhere.json"),
        (("n" * 5000,), 2, "is no file"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_sentence(
    run: Run, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ran = run("show", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("labelingest: ")
    assert ran.err.count("\n") == 1
    assert said in ran.err
