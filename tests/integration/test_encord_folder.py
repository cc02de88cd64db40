"""Folders of Encord sidecars, from the command line to files that the official client loads."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from labelingest.cli.main import main
from labelingest.config import IngestConfig
from labelingest.model.pairs import Outcome
from labelingest.pipeline import convert
from tests.builders.folders import image_bytes, make_folder, ontology_of
from tests.builders.sidecars import client_rows, frames_of_row
from tests.oracles.client_meaning import meaning_of

EXTENSIONS = {
    "image": "jpg",
    "video": "mp4",
    "pdf": "pdf",
    "audio": "wav",
    "text": "txt",
    "html": "html",
}


@pytest.fixture(scope="module")
def rows() -> dict[str, tuple[str, dict[str, Any]]]:
    """Return data file → kind and row of the client, all of one ontology."""
    found = list(client_rows(11, 168))
    first = found[0][0]
    return {
        f"{kind}s/{position:03}.{EXTENSIONS[kind]}": (kind, row)
        for position, (structure, kind, row) in enumerate(found)
        if structure == first and kind in EXTENSIONS
    }


@pytest.fixture
def folder(rows: dict[str, tuple[str, dict[str, Any]]], tmp_path: Path) -> Path:
    (tmp_path / "ontology.json").write_bytes(orjson.dumps(next(client_rows(11, 1))[0]))
    for key, (kind, row) in rows.items():
        path = tmp_path / "data" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image_bytes(64, 48) if kind == "image" else b"content")
        Path(f"{path}.encord.json").write_bytes(orjson.dumps(row))
    return tmp_path


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    code = ended.value.code
    return code if isinstance(code, int) else 0


def test_a_folder_of_all_kinds_becomes_label_rows_of_the_same_meaning(
    folder: Path, rows: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    out = folder / "label_rows.jsonl"
    assert (
        run("convert", folder / "data", "--ontology", folder / "ontology.json", "--out", out) == 0
    )
    structure = orjson.loads((folder / "ontology.json").read_bytes())
    lines = out.read_bytes().splitlines()
    assert len(lines) == len(rows) > 30
    for line, key in zip(lines, sorted(rows), strict=True):
        kind, row = rows[key]
        frames = frames_of_row(kind)
        made = orjson.loads(line)
        assert meaning_of(made, structure, frames) == meaning_of(row, structure, frames)
        ((_, unit),) = made["data_units"].items()
        assert unit["data_link"] == (folder / "data" / key).as_uri()


def test_sidecars_that_were_written_are_read_again_to_the_same_bytes(folder: Path) -> None:
    first, second = folder / "first", folder / "second"
    common = ("--ontology", folder / "ontology.json", "--storage-url", "s3://bucket/all")
    assert run("convert", folder / "data", *common, "--out", first) == 0
    for sidecar in first.rglob("*.encord.json"):
        key = sidecar.relative_to(first)
        (folder / "data" / key).write_bytes(sidecar.read_bytes())
    assert run("convert", folder / "data", *common, "--out", second) == 0
    written = {path.relative_to(first): path.read_bytes() for path in first.rglob("*.json")}
    again = {path.relative_to(second): path.read_bytes() for path in second.rglob("*.json")}
    assert again == written
    assert len(written) > 30


def test_batches_do_not_change_the_bytes(folder: Path) -> None:
    outputs = []
    for batch_bytes in (1, 3_000, 400_000):
        out = folder / f"{batch_bytes}.jsonl"
        config = IngestConfig(
            storage_path=folder / "data",
            ontology=folder / "ontology.json",
            out=out,
            batch_bytes=batch_bytes,
        )
        assert convert(config).balance()
        outputs.append(out.read_bytes())
    assert outputs[0] == outputs[1] == outputs[2]


def test_another_suffix_is_named_when_none_is_found(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (folder / "data").rglob("*.encord.json"):
        path.rename(str(path).replace(".encord.json", ".labels.json"))
    common = (folder / "data", "--ontology", folder / "ontology.json")
    assert run("check", *common) == 2
    assert "--suffix .labels.json" in capsys.readouterr().err
    assert run("check", *common, "--suffix", ".encord.json") == 2
    assert "--suffix .labels.json" in capsys.readouterr().err
    assert run("check", *common, "--suffix", ".labels.json") == 0


def test_sidecars_without_the_extension_of_their_data_file_are_near_misses(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (folder / "data/images").rglob("*.jpg.encord.json"):
        path.rename(str(path).replace(".jpg.encord.json", ".encord.json"))
    assert run("pair", folder / "data") == 0
    shown = capsys.readouterr().out
    assert "near miss" in shown
    assert ".jpg.encord.json" in shown


def test_orphans_groups_and_other_kinds_are_counted(folder: Path) -> None:
    structure, _, group = next(found for found in client_rows(11, 14) if found[1] == "img_group")
    data = folder / "data"
    (data / "group.jpg").write_bytes(image_bytes(64, 48))
    (data / "group.jpg.encord.json").write_bytes(orjson.dumps(group))
    (data / "lost.jpg.encord.json").write_bytes(orjson.dumps(group))
    (data / "alone.mp4").write_bytes(b"content")
    (data / "scan.dcm").write_bytes(b"content")
    config = IngestConfig(
        storage_path=data, ontology=folder / "ontology.json", out=folder / "rows.jsonl"
    )
    report = convert(config)
    assert report.balance()
    assert report.keys[Outcome.ORPHAN_SIDECAR] == 1
    assert report.keys[Outcome.UNSUPPORTED] == 1
    assert report.unlabelled == {"video": 1}
    errors = {
        problem.source: problem.code.value
        for problem in report.problems
        if problem.severity == "error"
    }
    assert errors["lost.jpg.encord.json"] == "orphan-sidecar"
    assert errors["group.jpg.encord.json"] in ("unsupported-label", "unknown-class")
    assert structure


def test_a_folder_of_both_formats_asks_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = {"image": [64, 48]}
    files = {"images/a.jpg": image, "labels/a.txt": "", "images/a.jpg.encord.json": "{}"}
    data = make_folder(tmp_path / "data", files)
    ontology = tmp_path / "ontology.json"
    ontology.write_text(json.dumps(ontology_of(car=(0, "bounding_box"))))
    assert run("check", data, "--ontology", ontology) == 2
    shown = capsys.readouterr().err
    assert "--suffix .encord.json" in shown
    assert "--labels 'labels/{name}.txt'" in shown
    assert run("check", data, "--ontology", ontology, "--format", "yolo") == 0
    assert run("check", data, "--ontology", ontology, "--format", "encord") == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--format", "encord", "--labels", "{name}.txt"), "leave the patterns out"),
        (("--format", "yolo", "--suffix", ".json"), "leave out one of the two"),
        (("--suffix", ".json", "--images", "{name}.jpg"), "leave out one of the two"),
        (("--suffix", "x" * 129), "1 to 128"),
        (("--suffix", ".encord.json", "--row-layout", "box"), "row_layout: for YOLO label files"),
        (("--to", "csv"), "'csv'"),
        (("--map", "7=Car"), "map: for YOLO label files"),
        (("--yolo-layout", "box"), "yolo_layout: for --to yolo only"),
        (("--to", "coco", "--created-by", "a@example.com"), "created_by: for --to encord only"),
        (("--created-by", "me"), "'me' is no e-mail address"),
        (("--metadata-suffix", ".encord.json"), "nothing would tell their sidecars apart"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    folder: Path, options: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", folder / "data", "--ontology", folder / "ontology.json", *options) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())


def test_the_image_headers_are_compared_when_all_are_read(folder: Path) -> None:
    changed = sorted((folder / "data/images").glob("*.jpg"))[0]
    changed.write_bytes(image_bytes(48, 64))
    values = {"storage_path": folder / "data", "ontology": folder / "ontology.json"}
    report = convert(IngestConfig(**values, image_sizes="all", out=folder / "rows.jsonl"))
    (differs,) = (p for p in report.problems if p.code == "image-size-differs")
    assert differs.source == f"images/{changed.name}.encord.json"


def test_a_stopped_run_reports_what_stopped_it_and_nothing_else(folder: Path) -> None:
    for path in (folder / "data").rglob("*.encord.json"):
        path.write_text("[]")
    outputs = {}
    for batch_bytes in (1, 400_000):
        place = folder / str(batch_bytes)
        place.mkdir()
        options = ("--ontology", folder / "ontology.json", "--on-row-error", "stop")
        files = {name: place / name for name in ("rows.jsonl", "r.json", "p.jsonl", "f.csv")}
        code = run(
            *("convert", folder / "data", *options, "--batch-bytes", str(batch_bytes)),
            *("--out", files["rows.jsonl"], "--report", files["r.json"]),
            *("--problems", files["p.jsonl"], "--failed-csv", files["f.csv"]),
        )
        assert code == 1
        assert not files["rows.jsonl"].exists()
        report = orjson.loads(files["r.json"].read_bytes())
        assert (report["stopped"], report["out"], report["label_rows"]) == (True, None, 0)
        outputs[batch_bytes] = files["p.jsonl"].read_bytes(), files["f.csv"].read_text()
    assert outputs[1] == outputs[400_000]
    first, row = outputs[1][1].splitlines()
    assert first.startswith("data_file,sidecar,")
    data_file, sidecar, *_ = row.split(",")
    assert sidecar == f"{data_file}.encord.json"


@pytest.mark.parametrize(("to", "name"), [("encord", "x.jsonl"), ("coco", "x.json")])
def test_a_file_of_somebody_else_is_not_replaced(folder: Path, to: str, name: str) -> None:
    out = folder / name
    out.write_text('{"images":[1,2,3]}')
    common = ("--ontology", folder / "ontology.json", "--to", to, "--out", out)
    assert run("convert", folder / "data", *common) == 2
    assert out.read_text() == '{"images":[1,2,3]}'
    out.unlink()
    for _ in range(2):
        assert run("convert", folder / "data", *common) in (0, 1)


def test_rows_of_sorted_keys_are_known_as_our_own_when_they_lie_in_the_folder(
    folder: Path,
) -> None:
    for path in (folder / "data").rglob("*.encord.json"):
        path.write_text(json.dumps(json.loads(path.read_text()), sort_keys=True))
    common = ("--ontology", folder / "ontology.json", "--out", folder / "data/rows.jsonl")
    assert run("convert", folder / "data", *common) == 0
    assert run("convert", folder / "data", *common) == 0


def test_what_was_added_to_a_tree_of_label_files_is_not_lost(folder: Path) -> None:
    tree = folder / "tree"
    objects = orjson.loads((folder / "ontology.json").read_bytes())["objects"]
    box = next(one["featureNodeHash"] for one in objects if one["shape"] == "bounding_box")
    common = ("--ontology", folder / "ontology.json", "--to", "yolo", "--map", f"0={box}")
    assert run("convert", folder / "data", *common, "--out", tree) == 1
    assert run("convert", folder / "data", *common, "--out", tree) == 1
    with (tree / "data.yaml").open("a") as file:
        file.write("train: images/train\n")
    assert run("convert", folder / "data", *common, "--out", tree) == 3
    assert "train: images/train" in (tree / "data.yaml").read_text()


def test_sidecars_called_after_stems_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = '{"label_hash": null}'
    data = make_folder(tmp_path / "data", {"a b.jpg": {"image": [64, 48]}, "a b.json": row})
    ontology = tmp_path / "ontology.json"
    ontology.write_text(json.dumps(ontology_of(car=(0, "bounding_box"))))
    assert run("check", data, "--ontology", ontology) == 2
    assert f"mv -- '{data}/a b.json' '{data}/a b.jpg.encord.json'" in capsys.readouterr().err
    # JSON of another tool, such as LabelMe, is not to be renamed.
    (data / "a b.json").write_text('{"shapes": []}')
    assert run("check", data, "--ontology", ontology) == 2
    assert "near miss" not in capsys.readouterr().err
