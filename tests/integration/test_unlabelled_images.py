"""Images without label file in COCO documents: by option, after all others, counted apart."""

import json
from pathlib import Path
from typing import Any

import pytest

from labelingest import IngestConfig, Report, check, convert
from labelingest.errors import ConfigError
from tests.builders.image_bytes import png
from tests.builders.yolo import ontology_dict


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of four images, of which b alone has labels; d has no header."""
    (tmp_path / "data/images").mkdir(parents=True)
    (tmp_path / "data/labels").mkdir()
    for name, size in (("a", (80, 60)), ("b", (30, 20)), ("c", (10, 12))):
        (tmp_path / f"data/images/{name}.png").write_bytes(png(*size))
    (tmp_path / "data/images/d.png").write_bytes(b"no image")
    (tmp_path / "data/images/film.mp4").write_bytes(b"film")
    (tmp_path / "data/labels/b.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    (tmp_path / "ontology.json").write_text(json.dumps(ontology_dict()))
    return tmp_path


def converted(
    folder: Path, name: str = "out.json", **options: Any
) -> tuple[Report, dict[str, Any]]:
    out = folder / name
    report = convert(
        IngestConfig(
            storage_path=folder / "data",
            ontology=folder / "ontology.json",
            images="images/{name}.png",
            labels="labels/{name}.txt",
            to="coco",
            out=out,
            **options,
        )
    )
    document: dict[str, Any] = json.loads(out.read_bytes())
    return report, document


def test_images_without_label_file_are_left_out_by_default(folder: Path) -> None:
    report, document = converted(folder)
    assert [image["file_name"] for image in document["images"]] == ["images/b.png"]
    assert report.as_dict()["unlabelled_images"] == 0


def test_images_without_label_file_come_after_all_others_with_their_sizes(folder: Path) -> None:
    report, document = converted(folder, unlabelled="include")
    names = [(one["id"], one["file_name"], one.get("width"), one.get("height"))
             for one in document["images"]]  # fmt: skip
    assert names == [
        (1, "images/b.png", 30, 20),
        (2, "images/a.png", 80, 60),
        (3, "images/c.png", 10, 12),
        (4, "images/d.png", None, None),
    ]
    assert [one["image_id"] for one in document["annotations"]] == [1]
    assert report.as_dict()["unlabelled_images"] == 3
    assert (report.tally.label_rows, report.tally.failed_files) == (1, 0)
    assert report.balance()
    assert [(p.source, p.code.value) for p in report.problems] == [
        ("images/d.png", "image-size-unknown")
    ]


@pytest.mark.parametrize("options", [{"workers": 2}, {"batch_bytes": 1}])
def test_the_document_is_the_same_for_any_workers_and_batches(
    folder: Path, options: dict[str, Any]
) -> None:
    converted(folder, unlabelled="include")
    converted(folder, "other.json", unlabelled="include", **options)
    assert (folder / "other.json").read_bytes() == (folder / "out.json").read_bytes()


def test_sizes_are_left_out_where_headers_are_never_read(folder: Path) -> None:
    report, document = converted(folder, unlabelled="include", image_sizes="never")
    assert all("width" not in image for image in document["images"][1:])
    assert {p.source for p in report.problems} <= {"labels/b.txt"}


def test_a_check_counts_the_same_images(folder: Path) -> None:
    report = check(
        IngestConfig(
            storage_path=folder / "data",
            ontology=folder / "ontology.json",
            images="images/{name}.png",
            labels="labels/{name}.txt",
            to="coco",
            unlabelled="include",
        )
    )
    assert report.tally.unlabelled_images == 3
    assert report.balance()


@pytest.mark.parametrize("to", ["encord", "yolo", "parquet"])
def test_other_formats_have_no_place_for_them(folder: Path, to: str) -> None:
    with pytest.raises(ConfigError, match="unlabelled: for --to coco only; leave out"):
        IngestConfig(
            storage_path=folder / "data",
            ontology=folder / "ontology.json",
            to=to,
            unlabelled="include",
        )
