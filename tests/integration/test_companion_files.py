"""Companion files: what lies beside images and labels is counted apart, and is no problem."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from labelingest import pipeline
from labelingest.cli.main import main
from labelingest.config import IngestConfig
from labelingest.model.pairs import Outcome
from labelingest.pipeline.companions import FEW_TOGETHER
from tests.builders.exports import EXPORTS
from tests.builders.folders import make_folder, ontology_of

IMAGE = {"image": [64, 48]}
BOX = "0 0.5 0.5 0.2 0.2\n"
LABELLED = {"images/a.jpg": IMAGE, "labels/a.txt": BOX}


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def companions_of(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    capsys.readouterr()
    assert run("pair", folder, "--json", *arguments) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["keys"]["companion"] == len(printed["companions"])
    assert printed["keys"].pop("seen") == sum(printed["keys"].values())
    listed: list[str] = printed["companions"]
    return listed


@pytest.fixture
def ontology(tmp_path: Path) -> Path:
    path = tmp_path / "ontology.json"
    path.write_text(json.dumps(ontology_of(car=(0, "bounding_box"))))
    return path


@pytest.mark.parametrize("files", EXPORTS.values(), ids=EXPORTS)
def test_an_export_of_a_tool_is_clean(
    files: dict[str, Any], tmp_path: Path, ontology: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_folder(tmp_path / "data", files)
    code = run("check", data, "--ontology", ontology, "--strict", "--report", tmp_path / "r.json")
    assert code == 0, capsys.readouterr().err
    keys = json.loads((tmp_path / "r.json").read_text())["keys"]
    labelled = sum(key.endswith(".jpg") for key in files)
    junk = sum(key.endswith(".cache") for key in files)
    assert keys["paired"] + keys["unlabelled"] == labelled
    assert keys["companion"] == len(files) - labelled - keys["sidecar"] - junk
    assert keys["companion"] >= 2


def test_a_folder_with_all_that_runs_write_and_read_is_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_folder(tmp_path / "data", LABELLED)
    (data / "ontology.json").write_text(json.dumps(ontology_of(car=(0, "bounding_box"))))
    (data / "run.toml").write_text('ontology = "ontology.json"\nstorage_path = "."\n')
    flags = ("--config", data / "run.toml")
    outputs = (
        "--report",
        data / "r.json",
        "--problems",
        data / "p.jsonl",
        "--failed-csv",
        data / "f.csv",
    )
    for to, out in (
        *(("encord", "rows.jsonl"), ("encord", "rows.jsonl.zst"), ("encord", "rows")),
        *(("coco", "coco.json"), ("parquet", "rows.parquet"), ("yolo", "yolo")),
    ):
        assert run("convert", *flags, "--to", to, "--out", data / out, *outputs) == 0
    shards = ("--shard-rows", "1", "--out", data / "shards")
    assert run("convert", *flags, *shards) == 0
    assert run("check", *flags, "--strict") == 0, capsys.readouterr().err
    report = pipeline.check(
        IngestConfig(storage_path=data, ontology=data / "ontology.json").noting_file(
            str(data / "run.toml")
        )
    )
    files = [path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()]
    markers = sum(path.endswith(".labelingest-output") for path in files)
    assert report.keys[Outcome.COMPANION] == len(files) - 2 - markers
    assert report.keys[Outcome.IGNORED] == markers == 3


def test_a_state_and_a_plan_inside_the_storage_path_are_companion_files(
    tmp_path: Path, ontology: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_folder(tmp_path / "data", LABELLED)
    state = ("--state", f"sqlite:///{data}/state.sqlite")
    patterns = ("--images", "images/{name}.jpg", "--labels", "labels/{name}.txt")
    place = ("--storage-path", data, "--output", tmp_path / "out", "--ontology", ontology)
    assert run("folder", "create", "yard", *place, *patterns, *state) == 0
    assert run("folder", "plan", "yard", "--save", data / "plan.json", *state) == 0
    assert companions_of(data, capsys, *patterns) == ["plan.json", "state.sqlite"]
    (data / "state.sqlite-wal").touch()
    assert "state.sqlite-wal" in companions_of(data, capsys, *patterns)


def test_files_of_people_stay_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = {
        "a.json": '{"storage_url": 1}',
        "b.jsonl": '{"label": 1}',
        "c.csv": "file,label\n",
        "d.json": "",
        "e.yaml": "services:\n  names: {}\n",
        "f.db": "SQLite format 3\0 other",
        "g.parquet": "PAR1 other PAR1",
    }
    data = make_folder(tmp_path / "data", LABELLED | texts)
    assert companions_of(data, capsys) == []


def test_an_output_with_a_sidecar_of_its_own_is_data(
    tmp_path: Path, ontology: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_folder(tmp_path / "data", LABELLED)
    outputs = ("--out", tmp_path / "rows.jsonl", "--report", data / "r.json")
    assert run("convert", data, "--ontology", ontology, *outputs) == 0
    assert companions_of(data, capsys) == ["r.json"]
    (data / "r.json.metadata.json").write_text("{}")
    assert companions_of(data, capsys, "--metadata-suffix", ".metadata.json") == []
    (data / "r.json.encord.json").write_text("{}")
    assert companions_of(data, capsys, "--suffix", ".encord.json") == []


def test_label_rows_of_another_run_that_pair_are_sidecars(
    tmp_path: Path, ontology: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_folder(tmp_path / "data", LABELLED)
    assert run("convert", data, "--ontology", ontology, "--out", data / "rows") == 0
    suffix = ("--suffix", ".encord.json")
    assert companions_of(data, capsys, *suffix) == ["rows/images/a.jpg.encord.json"]
    # Beside its data file a label row is a sidecar, and the folder is input.
    os.link(data / "images/a.jpg", data / "rows/images/a.jpg")
    make_folder(data, {"rows/images/b.jpg.encord.json": "{}"})
    assert companions_of(data, capsys, *suffix) == []


def test_orphans_of_a_tree_that_is_input_are_named(
    tmp_path: Path, ontology: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_folder(tmp_path / "data", LABELLED)
    assert run("convert", data, "--ontology", ontology, "--to", "yolo", "--out", data / "yolo") == 0
    (data / "yolo/labels/gone.txt").write_text(BOX)
    assert run("check", data, "--ontology", ontology, "--strict") == 0
    patterns = ("--images", "images/{name}.jpg", "--labels", "yolo/labels/{name}.txt")
    assert run("check", data, "--ontology", ontology, *patterns) == 1
    assert "yolo/labels/gone.txt" in capsys.readouterr().err


def test_many_files_together_are_not_opened(
    tmp_path: Path, ontology: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = '{\n  "storage_url": "file:///elsewhere/"}'
    texts = {f"texts/{i}.json": head for i in range(FEW_TOGETHER + 1)}
    data = make_folder(tmp_path / "data", LABELLED | texts | {"one/r.json": head})
    assert companions_of(data, capsys) == ["one/r.json"]


def test_the_report_says_how_many_companion_files_there_are(
    tmp_path: Path, ontology: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_folder(tmp_path / "data", EXPORTS["CVAT"])
    assert run("check", data, "--ontology", ontology) == 0
    assert "1 paired data file + 1 sidecar + 2 companion files" in capsys.readouterr().err
    assert run("pair", data) == 0
    assert "2 companion files, such as data.yaml, train.txt" in capsys.readouterr().out


REAL = Path(os.environ.get("LABELINGEST_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.mark.parametrize(
    ("content", "is_companion"),
    [
        (b"path: x\nnames: [car]\n", True),
        (b"{names: [car]}", True),
        ("names: [car]\n".encode("utf-16"), True),
        (b"services:\n  names: [car]\n", False),
        (b"[" * 900_000, False),
        (b"a: 1\n" * 190_000, False),
    ],
    ids=["block", "flow", "UTF-16", "inner key", "deep", "long"],
)
def test_a_yaml_file_with_any_name_is_a_companion_if_it_has_names(
    content: bytes, is_companion: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_folder(tmp_path / "data", LABELLED)
    (data / "yard.yaml").write_bytes(content)
    assert companions_of(data, capsys) == (["yard.yaml"] if is_companion else [])


@pytest.mark.parametrize(
    ("labels", "images", "warnings"),
    [
        ("dota8", "dota8/images", {}),
        ("coco128/object_detection", "coco128/images", {"orphan-sidecar": 2}),
        ("coco128/instance_segmentation", "coco128/images", {"self-intersecting-polygon": 158}),
    ],
)
def test_real_data_sets_are_clean_but_for_true_defects(
    labels: str, images: str, warnings: dict[str, int], tmp_path: Path
) -> None:
    if not (REAL / labels).is_dir():
        pytest.skip(f"no {labels} in {REAL}: set LABELINGEST_REAL_DATA to try real data")
    for path in (REAL / labels).iterdir():
        if path.name != "images":
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / "images").symlink_to(REAL / images)
    report = tmp_path.parent / "report.json"
    arguments = ("--ontology", tmp_path / "ontology.json", "--strict", "--report", report)
    assert run("check", tmp_path, *arguments) == int(bool(warnings))
    printed = json.loads(report.read_text())
    assert printed["problems"]["by_code"] == warnings
    assert printed["keys"]["companion"] == 2
