"""Row layouts that a folder's rows decide together, from the files to the label rows."""

import json
import os
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from labelingest.columns.types import Int64
from labelingest.config import IngestConfig
from labelingest.errors import ConfigError
from labelingest.model.blobs import Blobs
from labelingest.pipeline import check, convert
from labelingest.progress import Progress
from labelingest.storage.local.local import LocalStorage
from tests.builders.command_line import Run, command_line
from tests.builders.folders import image_bytes, write_ontology
from tests.builders.row_layouts import ROW_MAKERS, label_files

command = pytest.fixture(command_line)

DATA = Path(os.environ.get("LABELINGEST_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
BOXES = ("bounding_box", "bounding_box", "bounding_box")
IMAGE = image_bytes(640, 480)
POSES = "--row-layout pose --kpt-shape 17 3"


def write_folder(
    root: Path, contents: Mapping[str, bytes], shapes: Sequence[str] = BOXES
) -> dict[str, Any]:
    """Write label files and an image for each; return the options of a run."""
    data = root / "data"
    for key, content in contents.items():
        for place, text in ((key, content), (key.replace("labels", "images")[:-3] + "jpg", IMAGE)):
            path = data / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
    ontology = root / "ontology.json"
    write_ontology(ontology, **{f"Class{n}": (n, shape) for n, shape in enumerate(shapes)})
    return {"storage_path": str(data), "ontology": str(ontology), "workers": 1}


def flags_as_options(flags: str) -> dict[str, Any]:
    """Return the options of a configuration that flags of the command line stand for."""
    words = shlex.split(flags)
    options: dict[str, Any] = {"row_layout": words[1]}
    if "--kpt-shape" in words:
        options["kpt_shape"] = (int(words[3]), int(words[4]))
    return options


def label_rows(root: Path, name: str, options: Mapping[str, Any]) -> bytes:
    out = root / name
    convert(IngestConfig(**options, out=str(out)))
    return out.read_bytes()


DECIDED = {
    "pose 17 x 3": POSES,
    "pose 5 x 2": "--row-layout pose --kpt-shape 5 2",
    "pose 1 x 2": "--row-layout pose --kpt-shape 1 2",
    "track": "--row-layout box+track",
    "confidence last": "--row-layout box+confidence",
    "confidence first": "--row-layout confidence+box",
    "confidence and track": "--row-layout box+confidence+track",
    "class last": "--row-layout box+class",
    "box pixels": "--row-layout box-pixels",
    "polygon pixels": "--row-layout polygon-pixels",
}


@pytest.mark.parametrize("name", DECIDED)
def test_what_is_decided_equals_what_is_declared(name: str, tmp_path: Path) -> None:
    options = write_folder(tmp_path, label_files(ROW_MAKERS[name], 200))
    report = convert(IngestConfig(**options, out=str(tmp_path / "decided.jsonl")))
    assert report.layout is not None
    assert (report.layout["source"], report.layout["flags"]) == ("evidence", DECIDED[name])
    assert report.layout["label_files"] == report.layout["sampled_files"] == 200
    assert not report.errors
    declared = label_rows(tmp_path, "declared.jsonl", options | flags_as_options(DECIDED[name]))
    assert (tmp_path / "decided.jsonl").read_bytes() == declared


def test_a_box_of_a_pose_row_is_the_box_of_its_first_columns(tmp_path: Path) -> None:
    contents = label_files(ROW_MAKERS["pose 1 x 2"], 200)
    options = write_folder(tmp_path, contents)
    line = label_rows(tmp_path, "rows.jsonl", options).splitlines()[0]
    (unit,) = json.loads(line)["data_units"].values()
    box = unit["labels"]["objects"][0]["boundingBox"]
    _, cx, cy, width, height = map(float, contents["labels/00000.txt"].split()[:5])
    assert (box["w"], box["h"]) == (width, height)
    assert (box["x"], box["y"]) == pytest.approx((cx - width / 2, cy - height / 2))


@pytest.mark.parametrize("name", ["boxes", "polygons", "triangles"])
def test_usual_rows_are_read_as_ever(name: str, tmp_path: Path) -> None:
    shape = "bounding_box" if name == "boxes" else "polygon"
    options = write_folder(tmp_path, label_files(ROW_MAKERS[name], 200), (shape,) * 3)
    rows = label_rows(tmp_path, "auto.jsonl", options)
    assert rows == label_rows(tmp_path, "columns.jsonl", options | {"row_layout": "columns"})


def test_declared_degrees_are_not_asked_for(tmp_path: Path) -> None:
    rotated = ("rotatable_bounding_box",) * 3
    options = write_folder(tmp_path, label_files(ROW_MAKERS["degrees"], 200), rotated)
    with pytest.raises(ConfigError, match="--row-layout xywhr-degrees"):
        check(IngestConfig(**options))
    report = check(IngestConfig(**options, row_layout="xywhr-degrees"))
    assert report.layout is not None
    assert report.layout["source"] == "declared"
    assert not report.errors


def test_joined_rows_contradict_the_rows_of_the_folder(tmp_path: Path) -> None:
    contents = label_files(ROW_MAKERS["joined"], 200)
    report = check(IngestConfig(**write_folder(tmp_path, contents)))
    joined = sum(
        len(line.split()) == 10 for text in contents.values() for line in text.splitlines()
    )
    assert report.tally.rejected == Counter({"layout-contradicted": joined})
    assert joined > 3


def test_a_folder_without_line_ends_is_refused(tmp_path: Path, command: Run) -> None:
    options = write_folder(tmp_path, label_files(ROW_MAKERS["all joined"], 200))
    ran = command("check", options["storage_path"], "--ontology", options["ontology"])
    assert ran.code == 2
    assert (
        "several rows without the line ends between them; correct the label files, which need one "
        "row on each line, or declare the layout:"
    ) in ran.err
    assert check(IngestConfig(**options, row_layout="columns")).log.totals == {}


def test_the_next_step_after_a_contradiction_works_when_copied(
    tmp_path: Path, command: Run
) -> None:
    options = write_folder(tmp_path / "my data", label_files(ROW_MAKERS["joined"], 200))
    ran = command("check", options["storage_path"], "--ontology", options["ontology"])
    assert ran.code == 1
    (step,) = [line for line in ran.err.splitlines() if line.startswith("Next: ")]
    words = shlex.split(step.removeprefix("Next: ").removesuffix(" shows the rows that decided"))
    again = command(*words[1:])
    assert (again.code, "Decision   box" in again.out) == (0, True)


def test_the_choice_is_given_in_flags_that_work(tmp_path: Path, command: Run) -> None:
    options = write_folder(tmp_path, label_files(ROW_MAKERS["mixture"], 200))
    arguments = ("check", options["storage_path"], "--ontology", options["ontology"])
    ran = command(*arguments)
    assert ran.code == 2
    assert "labelingest dialect" in ran.err
    lines = [line.removeprefix("labelingest:").strip() for line in ran.err.splitlines()]
    choices = [line for line in lines if line.startswith("--row-layout")]
    (again,) = [line for line in lines if line.startswith("labelingest dialect")]
    assert command(*shlex.split(again.removesuffix(" shows it again"))[1:]).code == 1
    assert [choice.partition("  ")[0] for choice in choices] == [POSES, "--row-layout columns"]
    for choice in choices:
        assert command(*arguments, *choice.partition("  ")[0].split()).code in (0, 1)


def test_text_and_json_give_the_evidence_in_counts(tmp_path: Path, command: Run) -> None:
    contents = label_files(ROW_MAKERS["pose 17 x 3"], 1000)
    contents["labels/x.txt"] = b"0 .5 .5 .1 .1\n"
    options = write_folder(tmp_path, contents)
    ran = command("check", options["storage_path"], "--ontology", options["ontology"], "--json")
    (pose, box) = json.loads(ran.out)["layout"]["evidence"]
    assert box["rows"] == 1
    assert f"Columns    box + 17 × 3 keypoints: decided from the rows ({POSES}" in ran.err
    assert f"{pose['rows']:,} of {pose['total']:,} rows: box + 17 × 3 keypoints" in ran.err
    assert "layout-contradicted" in ran.err
    assert ran.code == 1
    (step,) = [line for line in ran.err.splitlines() if line.startswith("Next: ")]
    shown = step.removeprefix("Next: ").removesuffix(" shows the rows that decided")
    counts = f"{pose['rows']:,} of {pose['total']:,} rows: box + 17 × 3 keypoints"
    assert counts in command(*shlex.split(shown)[1:]).out


def test_dialect_gives_the_decision_of_a_run(tmp_path: Path, command: Run) -> None:
    options = write_folder(tmp_path, label_files(ROW_MAKERS["track"], 200))
    arguments = ("dialect", options["storage_path"], "--ontology", options["ontology"])
    ran = command(*arguments)
    assert ran.code == 0
    assert "200 of 200 label files looked at" in ran.out
    assert "Decision   box + track ID (--row-layout box+track)\n" in ran.out
    shown = json.loads(command(*arguments, "--json").out)
    report = check(IngestConfig(**options))
    assert report.layout is not None
    assert shown["evidence"] == report.layout["evidence"]
    assert shown["decision"]["flags"] == report.layout["flags"]


def test_dialect_shows_the_choice_as_flags(tmp_path: Path, command: Run) -> None:
    options = write_folder(tmp_path, label_files(ROW_MAKERS["mixture"], 200))
    arguments = ("dialect", options["storage_path"], "--ontology", options["ontology"])
    ran = command(*arguments)
    assert ran.code == 1
    assert f"  {POSES}  box + 17 × 3 keypoints" in ran.out
    (step,) = [line[11:] for line in ran.out.splitlines() if line.startswith("Next")]
    assert command(*shlex.split(step)[1:]).code == 1
    shown = json.loads(command(*arguments, "--json").out)
    assert shown["decision"] is None
    assert [choice["flags"] for choice in shown["choices"]] == [POSES, "--row-layout columns"]


def test_dialect_needs_no_ontology(tmp_path: Path, command: Run) -> None:
    options = write_folder(tmp_path, label_files(ROW_MAKERS["pose 17 x 3"], 200))
    ran = command("dialect", options["storage_path"])
    assert ran.code == 0
    assert "Ontology   none: every class is taken for one of bounding boxes" in ran.out
    assert POSES in ran.out


def test_dialect_shows_the_evidence_against_a_declared_layout(tmp_path: Path, command: Run) -> None:
    options = write_folder(tmp_path, label_files(ROW_MAKERS["pose 17 x 3"], 200))
    (tmp_path / "c.toml").write_text('row_layout = "box"\n')
    ran = command("dialect", options["storage_path"], "--config", str(tmp_path / "c.toml"))
    assert ran.code == 0
    assert "--row-layout box: it is declared and wins" in ran.out
    assert "530 of 530 rows: box + 17 × 3 keypoints" in ran.out


def test_sidecars_without_rows_have_no_dialect(tmp_path: Path, command: Run) -> None:
    (tmp_path / "a.jpg").write_bytes(IMAGE)
    (tmp_path / "a.jpg.encord.json").write_text("{}")
    ran = command("dialect", str(tmp_path))
    assert ran.code == 2
    assert "have no rows of numbers" in ran.err


def test_the_kpt_shape_of_the_data_set_decides_for_a_small_folder(
    tmp_path: Path, command: Run
) -> None:
    options = write_folder(tmp_path, {"labels/a.txt": b"0 .5 .5 .4 .4 .45 .6\n"})
    assert check(IngestConfig(**options)).layout["source"] == "columns"  # type: ignore[index]
    yaml = Path(options["storage_path"], "data.yaml")
    yaml.write_text("names: [Class0, Class1, Class2]\nkpt_shape: [1, 2]\n")
    layout = check(IngestConfig(**options)).layout
    assert layout is not None
    assert (layout["source"], layout["kpt_shape"]) == ("evidence", [1, 2])
    assert "kpt_shape: [1, 2]" in command("dialect", options["storage_path"]).out


@pytest.mark.parametrize("flags", [("--no-class-list",), ("--class-list", "named.yaml")])
def test_dialect_and_check_take_the_same_class_list(
    flags: tuple[str, ...], tmp_path: Path, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = write_folder(tmp_path, {"labels/a.txt": b"0 .5 .5 .4 .4 .45 .6\n"})
    Path(options["storage_path"], "data.yaml").write_text("names: [Class0]\nkpt_shape: [1, 2]\n")
    Path("named.yaml").write_text("names: [Class0, Class1, Class2]\n")
    arguments = (options["storage_path"], "--ontology", options["ontology"], *flags, "--json")
    checked = json.loads(command("check", *arguments).out)["layout"]
    shown = json.loads(command("dialect", *arguments).out)
    assert checked["flags"] == shown["decision"]["flags"] == "--row-layout auto"
    (step,) = [
        line[11:]
        for line in command("dialect", *arguments[:-1]).out.splitlines()
        if line[:4] == "Next"
    ]
    assert " ".join(flags) in step


@pytest.mark.parametrize("row_layout", ["auto", "box+class"])
def test_rows_of_a_class_list_that_disagrees_have_their_class_where_the_layout_has_it(
    row_layout: str, tmp_path: Path
) -> None:
    rows = b".5 .5 .2 .3 1\n.4 .4 .1 .2 0\n.4 .4 .2 .2 0\n"
    options = write_folder(tmp_path, {f"labels/{n}.txt": rows for n in range(10)})
    Path(options["storage_path"], "data.yaml").write_text("names: [Class1, Class0]\n")
    lists = check(IngestConfig(**options, row_layout=row_layout)).class_lists.as_dict()
    assert [entry["rows"] for entry in lists["compared"][0]["numbers"]] == [20, 10]


def test_a_sample_decides_for_a_large_folder(tmp_path: Path) -> None:
    contents = label_files(ROW_MAKERS["pose 5 x 2"], 5_000, rows=1)
    report = check(IngestConfig(**write_folder(tmp_path, contents)))
    assert report.layout is not None
    assert (report.layout["sampled_files"], report.layout["label_files"]) == (2_000, 5_000)
    assert report.layout["kpt_shape"] == [5, 2]
    assert (report.tally.annotations, report.errors) == (5_000, 0)


def test_workers_threads_and_batches_decide_alike(tmp_path: Path) -> None:
    contents = label_files(ROW_MAKERS["pose 1 x 2"], 300)
    options = write_folder(tmp_path, contents)
    expected = label_rows(tmp_path, "one.jsonl", options)
    small = options | {"batch_bytes": 300}
    assert label_rows(tmp_path, "small.jsonl", small) == expected
    assert label_rows(tmp_path, "two.jsonl", small | {"workers": 2}) == expected
    with ThreadPoolExecutor(2) as executor:
        config = IngestConfig(**small, out=str(tmp_path / "threads.jsonl"))
        convert(config, executor=executor)
    assert (tmp_path / "threads.jsonl").read_bytes() == expected


def test_an_interrupted_run_keeps_its_layout(tmp_path: Path) -> None:
    contents = label_files(ROW_MAKERS["track"], 300)
    options = write_folder(tmp_path, contents) | {"batch_bytes": 500}
    expected = label_rows(tmp_path, "whole.jsonl", options)

    def interrupt(progress: Progress) -> None:
        if progress.stage == "convert" and progress.files > 100:
            raise KeyboardInterrupt

    config = IngestConfig(**options, out=str(tmp_path / "rows.jsonl"))
    with pytest.raises(KeyboardInterrupt):
        convert(config, progress=interrupt)
    seen: list[Progress] = []
    convert(config, progress=seen.append)
    assert max(progress.before for progress in seen) > 100
    assert (tmp_path / "rows.jsonl").read_bytes() == expected


def test_no_label_file_is_read_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = write_folder(tmp_path, label_files(ROW_MAKERS["boxes"], 2_300, rows=1))
    reads: Counter[str] = Counter()
    fetch = LocalStorage.fetch

    def counted(
        self: LocalStorage,
        keys: Sequence[str],
        *,
        sizes: Int64 | None = None,
        tokens: bool = True,
        most: int | None = None,
    ) -> Blobs:
        reads.update(keys)
        return fetch(self, keys, sizes=sizes, tokens=tokens, most=most)

    monkeypatch.setattr(LocalStorage, "fetch", counted)
    report = check(IngestConfig(**options))
    assert (len(reads), set(reads.values())) == (2_300, {1})
    assert report.tally.label_rows == 2_300


REAL = {
    "coco128/object_detection": "coco128/images",
    "coco128/instance_segmentation": "coco128/images",
    "dota8": "dota8/images",
}
"""Name of a data set → its images, to which the file `images` of the set refers."""


@pytest.mark.parametrize("name", REAL)
def test_real_data_sets_are_read_by_the_table(name: str, tmp_path: Path) -> None:
    if not (DATA / name).is_dir():
        pytest.skip(f"no {name} in {DATA}: set LABELINGEST_REAL_DATA to try real data")
    (tmp_path / "images").symlink_to(DATA / REAL[name])
    (tmp_path / "labels").symlink_to(DATA / name / "labels")
    ontology = DATA / name / "ontology.json"
    report = check(IngestConfig(storage_path=str(tmp_path), ontology=str(ontology)))
    assert report.layout is not None
    assert (report.layout["source"], report.layout["row_layout"]) == ("columns", "auto")
