"""Lists of label rows: as sidecars, in memory, and as exports that are split beside their files."""

import json
from pathlib import Path
from typing import Any

import pytest

from labelingest import Converter, LabelFile, convert
from labelingest.config import IngestConfig
from labelingest.storage.base import list_all
from tests.builders.cloud_servers import CloudServer
from tests.builders.command_line import Run, command_line
from tests.builders.folders import make_folder, write_ontology

FILES: dict[str, Any] = {
    "x/a.jpg": {"image": [64, 48]},
    "x/b.jpg": {"image": [64, 48]},
    "x/a.txt": "0 0.5 0.5 0.2 0.2\n",
    "x/b.txt": "1 0.1 0.1 0.9 0.9 0.9 0.1 0.1 0.9\n",
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a folder with images in data/ and ontology.json beside it."""
    monkeypatch.chdir(tmp_path)
    make_folder(Path("data"), FILES)
    write_ontology(Path("ontology.json"), car=(0, "bounding_box"), roof=(1, "polygon"))
    config = IngestConfig(storage_path="data", ontology="ontology.json", out="rows.jsonl")
    convert(config)
    for label in Path("data/x").glob("*.txt"):
        label.unlink()
    return command_line(capsys)


def rows() -> list[dict[str, Any]]:
    """Return the label rows of a.jpg and b.jpg."""
    return [json.loads(line) for line in Path("rows.jsonl").read_text().splitlines()]


def objects_of(path: str) -> dict[str, int]:
    """Return title → number of objects of a file of label rows."""
    return {
        row["data_title"]: len(row["object_answers"])
        for row in map(json.loads, Path(path).read_text().splitlines())
    }


DATA = ("data", "--ontology", "ontology.json", "--suffix", ".encord.json", "--out", "again.jsonl")


def test_an_export_is_named_where_nothing_pairs_and_its_command_helps(run: Run) -> None:
    Path("data/export.json").write_text(json.dumps(rows()))
    ran = run("convert", "data", "--ontology", "ontology.json", "--out", "again.jsonl")
    assert ran.code == 2
    assert "'export.json' holds a list of label rows" in ran.err
    [line] = [line for line in ran.err.splitlines() if "labelingest split" in line]
    command = line.partition("; ")[2].partition(" writes ")[0]
    assert run(*command.split()[1:]).code == 0
    assert run("convert", *DATA).code == 0
    assert objects_of("again.jsonl") == {"a.jpg": 1, "b.jpg": 1}


def test_entries_are_written_as_they_are_and_never_twice(run: Run) -> None:
    odd = '{ "data_units": {"u": 1e999, "n": 12345678901234567890123}, "data_title": "x/a.jpg" }'
    Path("export.json").write_text(f"\ufeff[ {odd} , {{}} ]")
    assert run("split", "export.json", "data", "--out", "data", "--dry-run").code == 1
    assert not Path("data/x/a.jpg.encord.json").exists()
    said = run("split", "export.json", "data", "--out", "data").out
    assert "1 written to data\n  /0 x/a.jpg: x/a.jpg.encord.json\n" in said
    assert Path("data/x/a.jpg.encord.json").read_text() == odd
    split = ("split", "export.json", "data", "--out", "data")
    for flags in ([], ["--dry-run"]):
        assert "1 in data already" in run(*split, *flags).out
    Path("data/x/a.jpg.encord.json").write_text("mine")
    for flags in ([], ["--dry-run"]):
        assert "1 not written: data has another file of this name" in run(*split, *flags).out
    assert Path("data/x/a.jpg.encord.json").read_text() == "mine"


def test_sidecars_go_to_the_folder_that_is_named_and_nowhere_else(run: Run) -> None:
    Path("export.json").write_text(json.dumps(rows()))
    before = sorted(Path("data").rglob("*"))
    refused = run("split", "export.json", "data")
    assert (refused.code, "Missing option '--out'" in refused.err) == (2, True)
    assert run("split", "export.json", "data", "--out", "new/rows", "--dry-run").code == 0
    assert not Path("new").exists()
    assert run("split", "export.json", "data", "--out", "new/rows").code == 0
    assert sorted(Path("data").rglob("*")) == before
    assert json.loads(Path("new/rows/x/b.jpg.encord.json").read_text()) == rows()[1]


@pytest.mark.parametrize(
    "marker", [".labelingest-output", ".labelingest-folder/.labelingest-owner.json"]
)
def test_outputs_of_runs_and_synced_folders_are_refused(run: Run, marker: str) -> None:
    make_folder(Path("rows"), {marker: ""})
    Path("export.json").write_text(json.dumps(rows()))
    ran = run("split", "export.json", "data", "--out", "rows")
    assert ran.code == 2
    assert f"--out rows is the output of a run or of a synced folder, as '{marker}'" in ran.err
    assert [path for path in Path("rows").rglob("*.json") if path.name != Path(marker).name] == []


@pytest.mark.parametrize("export", ["export.json", "data/export.json"])
def test_an_export_beyond_the_limit_is_refused_before_it_is_read(run: Run, export: str) -> None:
    with Path(export).open("wb") as file:
        file.truncate(300_000_001)
    ran = run("split", export, "data", "--out", "data")
    assert ran.code == 2
    assert "it has more than 300,000,000 bytes, the most that an export may have" in ran.err


def test_titles_without_one_file_or_with_several_rows_are_named(run: Run) -> None:
    make_folder(Path("data"), {"y/a.jpg": {"image": [4, 4]}})
    first, second = rows()
    Path("export.json").write_text(
        json.dumps([first, second, second, {**first, "data_title": "z"}])
    )
    ran = run("split", "export.json", "data", "--out", "data", "--json")
    assert ran.code == 1
    assert [(row["fate"], row["keys"]) for row in json.loads(ran.out)["label_rows"]] == [
        ("ambiguous-file", ["x/a.jpg", "y/a.jpg"]),
        ("ambiguous-row", ["x/b.jpg"]),
        ("ambiguous-row", ["x/b.jpg"]),
        ("no-file", []),
    ]
    assert list(Path("data").rglob("*.encord.json")) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{}", "is no list of label rows, as an export is: Expected `array`, got `object`"),
        ("[NaN]", "is no list of label rows"),
        ("[", "is no list of label rows"),
        ("[" * 100_000, "is no list of label rows"),
        ("[]", "is a list without any label row"),
        ('[1, {"data_title": "a.jpg"}]', "is a list without any label row"),
        ("", "is no list of label rows"),
    ],
)
def test_what_is_no_export_is_refused(run: Run, content: str, sentence: str) -> None:
    Path("export.json").write_text(content)
    ran = run("split", "export.json", "data", "--out", "data")
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err


def test_an_export_that_does_not_exist_is_refused(run: Run) -> None:
    ran = run("split", "nothing.json", "data", "--out", "data")
    assert (ran.code, ran.err) == (
        2,
        "labelingest: nothing.json cannot be read: No such file or directory\n",
    )


def test_a_sidecar_may_hold_a_list_with_the_row_of_its_file(run: Run) -> None:
    Path("data/x/a.jpg.encord.json").write_text(json.dumps(rows()[:1]))
    Path("data/x/b.jpg.encord.json").write_text(json.dumps(rows()))
    assert run("convert", *DATA).code == 0
    assert objects_of("again.jsonl") == {"a.jpg": 1, "b.jpg": 1}


def test_later_problems_have_the_place_in_the_list_too(run: Run) -> None:
    row = rows()[1]
    [unit] = row["data_units"].values()
    [roof] = unit["labels"]["objects"]
    roof["polygons"] = [[[0.1, 0.1, 0.9, 0.9, 0.9, 0.1, 0.1, 0.9]]]
    Path("data/x/b.jpg.encord.json").write_text(json.dumps([rows()[0], row]))
    said = run("convert", *DATA).err
    assert (
        f"x/b.jpg.encord.json#/1/object_answers/{roof['objectHash']}: the outline crosses" in said
    )


def test_lists_in_memory_are_read_as_those_of_folders(run: Run) -> None:
    from labelingest.resolution.ontology_json import load_ontology

    converter = Converter.from_ontology(
        load_ontology("ontology.json"), storage_url="file:///data/", format="encord"
    )
    content = json.dumps(rows()).encode()
    files = [LabelFile(f"x/{name}.jpg", content, sidecar="export.json") for name in "abc"]
    conversion = converter.convert(files)
    assert conversion.is_converted.tolist() == [True, True, False]
    crossing, foreign = map(str, conversion.problems)
    assert crossing.startswith("export.json#/1/object_answers/")
    assert "holds a list of 2 entries, none with the title 'c.jpg'" in foreign


def test_a_list_of_one_is_shown(run: Run) -> None:
    Path("one.json").write_text(json.dumps(rows()[:1]))
    assert "car" in run("show", "one.json").out
    Path("two.json").write_text(json.dumps(rows()))
    assert "holds a list of 2 entries, expected one label row" in run("show", "two.json").err


def test_an_export_in_a_bucket_is_split_there(
    run: Run, s3: CloudServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{s3.address}")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    place = s3.new_url()
    images = {key: Path("data", key).read_bytes() for key in ("x/a.jpg", "x/b.jpg")}
    storage = s3.storage({**images, "export.json": json.dumps(rows()).encode()}, place)
    said = run("pair", place, "--suffix", ".encord.json").out
    assert f"labelingest split export.json {place} --out {place} writes each" in said
    assert run("split", "export.json", place, "--out", place).code == 0
    assert [key for key in list_all(storage).keys if key.endswith(".encord.json")] == [
        "x/a.jpg.encord.json",
        "x/b.jpg.encord.json",
    ]
    assert f"2 in {place} already" in run("split", "export.json", place, "--out", place).out
