"""Times and sizes that no label row can have: they end no run."""

import os
from pathlib import Path

import orjson
import pytest

from labelingest.converter import LabelFile
from labelingest.errors import StorageError
from labelingest.folders import FolderSettings, SyncedFolder
from labelingest.model.listing import Listing
from labelingest.problems import ProblemCode
from labelingest.storage import Connection, LocalStorage, list_all, open_storage
from tests.builders.command_line import command_line
from tests.builders.listing_server import listing_server
from tests.builders.yolo import converter_for, ontology_dict

LATE = 10_000_000_000_000_000_000
"""Nanoseconds: in the year 2286, more than 64 bits hold."""
ONTOLOGY = ontology_dict({0: "bounding_box"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose label file and whose image are of the year 2286."""
    for key in ("images/a.png", "images/b.png", "labels/a.txt", "labels/b.txt"):
        path = tmp_path / "data" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("0 .5 .5 .2 .2\n")
    for key in ("images/b.png", "labels/a.txt"):
        os.utime(tmp_path / "data" / key, ns=(LATE, LATE))
    (tmp_path / "ontology.json").write_bytes(orjson.dumps(ONTOLOGY))
    return tmp_path


def arguments(folder: Path) -> list[str]:
    patterns = ["--images", "images/{n}.png", "--labels", "labels/{n}.txt"]
    return [*patterns, "--ontology", str(folder / "ontology.json")]


def test_a_file_of_the_far_future_is_converted_with_a_warning(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "rows.jsonl"
    ran = command_line(capsys)(
        "convert", str(folder / "data"), *arguments(folder), "--out", str(out)
    )
    assert ran.code == 0
    assert "labels/a.txt: last changed 10000000000 seconds after 1970" in ran.err
    assert b"Fri, 11 Apr 2262 23:47:16 UTC" in out.read_bytes()
    assert len(out.read_bytes().splitlines()) == 2


def test_a_folder_with_such_files_is_in_step_after_one_sync(folder: Path) -> None:
    settings = FolderSettings(
        str(folder / "data"),
        str(folder / "rows"),
        format="yolo",
        ontology=ONTOLOGY,
        options={"images": ["images/{n}.png"], "labels": "labels/{n}.txt"},
    )
    state = f"sqlite:///{folder}/state.sqlite"
    with SyncedFolder.create("future", settings, state=state) as synced:
        first, second = synced.sync(), synced.sync()
        assert first.counters.changes["new file"] == 2
        assert not second.counters.changes
        problems = [(p.code, p.source) for p in synced.problems()]
    assert problems == [
        (ProblemCode.BAD_DATE, "images/b.png"),
        (ProblemCode.BAD_DATE, "labels/a.txt"),
    ]


@pytest.mark.parametrize(
    ("seconds", "year"), [(-9_300_000_000, 1678), (10_000_000_000, 2262), (2**40, 2262)]
)
def test_a_label_file_in_memory_may_be_of_any_time(seconds: int, year: int) -> None:
    file = LabelFile("a.jpg", b"0 .5 .5 .2 .2", mtime_ns=seconds * 10**9)
    done = converter_for({0: "bounding_box"}).convert([file])
    (row,) = done.as_dicts()
    assert row is not None
    assert f" {year} " in str(row["data_units"])
    assert [p.code for p in done.problems] == [ProblemCode.BAD_DATE]


@pytest.mark.parametrize(
    ("date", "is_late"), [("0001-01-01T00:00:00Z", False), ("9999-12-31T23:59:59Z", True)]
)
def test_a_cloud_listing_may_say_any_year(date: str, is_late: bool) -> None:
    with listing_server(date) as url:
        listing = list_all(open_storage(url, connection=Connection(anonymous=True)))
    assert [(p.code, p.source) for p in listing.problems] == [(ProblemCode.BAD_DATE, "a.txt")]
    assert (listing.mtime_ns[0] > 0) == is_late


@pytest.mark.parametrize("date", ["0000-01-01T00:00:00Z", "+10000-01-01T00:00:00Z"])
def test_a_cloud_listing_of_a_year_that_cannot_be_is_said(date: str) -> None:
    with (
        listing_server(date) as url,
        pytest.raises(StorageError, match="outside the years 1 to 9999"),
    ):
        list_all(open_storage(url, connection=Connection(anonymous=True)))


@pytest.mark.parametrize("size", [2**53 + 1, 2**63, 2**64 - 1])
def test_a_cloud_listing_may_say_any_size(size: int) -> None:
    with listing_server("2020-01-01T00:00:00Z", str(size)) as url:
        listing = list_all(open_storage(url, connection=Connection(anonymous=True)))
    assert listing.size.tolist() == [2**53]


def test_a_token_from_the_listing_is_that_of_the_file(folder: Path) -> None:
    storage = LocalStorage(str(folder / "data"))
    listing = list_all(storage)
    row = list(listing.keys).index("labels/a.txt")
    tokens = storage.fetch(["labels/a.txt"]).tokens
    assert tokens is not None
    assert listing.token_column()[row] == tokens[0]


def test_a_listing_takes_numbers_of_any_size() -> None:
    listing = Listing.from_entries([("a", 10**30, 10**30), ("b", 1, -(10**30))])
    assert listing.size.tolist() == [2**53, 1]
    assert listing.mtime_ns[1] < 0 < listing.mtime_ns[0]
