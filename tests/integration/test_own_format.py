"""A format from outside the package, passed as a value where a name is accepted."""

import json
from pathlib import Path
from typing import Any

import pytest

from labelingest import Converter, IngestConfig, convert, load_ontology
from labelingest.errors import ConfigError
from labelingest.formats import Format
from tests.builders.folders import make_folder, write_ontology
from tests.contracts.kitti import KITTI

CAR = "car 0 0 -10 50.00 50.00 150.00 75.00 -1 -1 -1 -1000 -1000 -1000 -10\n"
IMAGE = {"image": [200, 100]}
FILES = {
    "images/a.png": IMAGE,
    "labels/a.txt": "0 0.5 0.625 0.5 0.25\n",
    "images/b.png": IMAGE,
    "labels/b.txt": "0 0.5 0.625 0.5 0.25\n1 0.25 0.25 0.75 0.25 0.5 0.75\n",
    "images/c.png": IMAGE,
    "labels/c.txt": "",
}


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    make_folder(tmp_path / "data", FILES)
    ontology = write_ontology(
        tmp_path / "ontology.json", car=(0, "bounding_box"), lane=(1, "polygon")
    )
    return {"storage_path": str(tmp_path / "data"), "ontology": str(ontology)}


def test_a_folder_becomes_label_files_of_the_format(
    options: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "kitti"
    report = convert(IngestConfig(**options, to=KITTI, out=str(out), workers=1))
    assert {path.name: path.read_text() for path in (out / "images").iterdir()} == {
        "a.png.txt": CAR,
        "b.png.txt": CAR,
        "c.png.txt": "",
    }
    assert report.to == "kitti"
    assert report.balance()
    assert {code.value: count for code, count in report.tally.rejected.items()} == {
        "no-place-in-format": 1
    }
    assert json.loads(report.to_json())["to"] == "kitti"


def test_a_batch_in_memory_becomes_label_files_of_the_format(options: dict[str, Any]) -> None:
    ontology = load_ontology(Path(options["ontology"]))
    converter = Converter.from_ontology(ontology, storage_url="s3://bucket/", to=KITTI)
    conversion = converter.convert([("a.png", b"0 0.5 0.625 0.5 0.25\n", (200, 100))])
    assert conversion.label_rows == [CAR.encode()]


def test_a_name_that_does_not_fit_the_format_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="KITTI is a label file for each image, give a folder"):
        convert(IngestConfig(**options, to=KITTI, out="labels.json"))


def test_a_format_that_is_not_written_is_no_output(options: dict[str, Any]) -> None:
    own = Format(name="own", title="Own", noun="file", source="own")
    with pytest.raises(ConfigError, match=r"to: .*expected 'encord', 'yolo', 'coco' or 'parquet'"):
        IngestConfig(**options, to=own)
