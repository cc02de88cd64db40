"""Books of runs: every key has an outcome, every row is accounted for, and each error has its file."""

import os
from typing import Any

import orjson
import pytest

from labelingest.config import IngestConfig
from labelingest.errors import ConfigError
from labelingest.folders import SyncedFolder
from labelingest.folders.state.tables import problems, runs
from labelingest.folders.sync.changes import CLAIMS
from labelingest.model.failed_files import FailedFiles
from labelingest.model.pairs import Outcome
from labelingest.pipeline.run import convert
from tests.builders.command_line import command_line
from tests.builders.synced import BOX, ONTOLOGY, World, on_sqlite

OPTIONS: dict[str, Any] = {"images": ["{name}.jpg", "{name}.png"], "labels": "{name}.txt"}
KEYS = {
    "paired": 3,
    "unlabelled": 2,
    "ambiguous": 2,
    "sidecar": 3,
    "orphan_sidecar": 1,
    "ambiguous_sidecar": 1,
    "metadata_sidecar": 1,
    "unsupported": 2,
    "ignored": 1,
    "companion": 1,
}
ERRORS = {"total": 4, "not_paired": 2, "not_converted": 1, "class_lists": 0, "in_part": 1}


@pytest.fixture
def mixture(world: World) -> World:
    """Files of every outcome: a.jpg is labelled, b.jpg is not."""
    world.labelled("part", f"{BOX}\n7 .5 .5 .1 .1\n")
    world.image("none.jpg")
    world.write("none.txt", b"0 .5 .5 \xff\xfe\x00")
    world.labelled("twice")
    world.image("twice.png")
    world.write("orphan.txt", BOX)
    world.write("a.jpg.metadata.json", "{}")
    world.write("scan.dcm", "")
    world.write("scan2.dcm", "")
    world.write(".DS_Store", "")
    world.write("classes.txt", "car")
    world.write("clip.mp4", "")
    return world


def folder_of(world: World, **settings: Any) -> SyncedFolder:
    return world.folder(options=OPTIONS, metadata_suffix=".metadata.json", **settings)


def test_a_run_says_what_became_of_every_key_and_row(mixture: World) -> None:
    run = folder_of(mixture).sync()
    assert run.books is not None
    wire = run.to_wire()["books"]
    assert wire["keys"] == {"seen": 17, **KEYS}
    assert run.counters.keys_listed == sum(KEYS.values()) == 17
    assert wire["unlabelled"] == {"image": 1, "video": 1}
    assert wire["filesWithErrors"] == ERRORS
    rows = wire["rows"]
    assert (rows["rows_seen"], rows["annotations"]) == (3, 2)
    assert rows["rejected"] == {"unknown-class": 1}
    assert run.message is None


@on_sqlite
def test_the_report_of_convert_has_the_same_books(mixture: World) -> None:
    run = folder_of(mixture).sync()
    ontology = mixture.data.parent / "ontology.json"
    ontology.write_bytes(orjson.dumps(ONTOLOGY))
    config = IngestConfig(
        storage_path=str(mixture.data),
        ontology=str(ontology),
        metadata_suffix=".metadata.json",
        out=str(mixture.data.parent / "rows.jsonl"),
        failed_csv=str(mixture.data.parent / "failed.csv"),
        **OPTIONS,
    )
    report = convert(config)
    written, books = report.as_dict(), run.to_wire()["books"]
    assert written["keys"] == books["keys"]
    assert written["unlabelled"] == books["unlabelled"]
    assert written["files_with_errors"] == books["filesWithErrors"] == ERRORS
    assert written["problems"]["files_with_errors"] == ERRORS["total"]
    failed = (mixture.data.parent / "failed.csv").read_text().splitlines()
    assert len(failed) - 1 == ERRORS["total"]
    for name in ("rows_seen", "annotations", "rejected"):
        assert written[name] == books["rows"][name]


def test_the_books_of_a_run_hold_as_long_as_nothing_changes(mixture: World) -> None:
    folder = folder_of(mixture)
    first, second = folder.sync(), folder.sync()
    assert first.books is not None
    assert second.books is not None
    assert second.counters.changes == {}
    assert second.books.keys == first.books.keys
    assert second.books.failed == first.books.failed
    assert (second.books.of_run, second.books.rows) == (first.id, {})
    verified = folder.sync(verify_output=True)
    assert verified.books is not None
    assert (verified.books.keys, verified.books.failed) == (first.books.keys, first.books.failed)
    stored = [run.books for run in folder.activity()]
    assert stored == [verified.books, second.books, first.books]
    assert folder.summary().books == verified.books


def test_a_file_that_is_mended_is_no_file_with_an_error_any_more(mixture: World) -> None:
    folder = folder_of(mixture)
    folder.sync()
    mixture.write("none.txt", BOX)
    mixture.remove("orphan.txt")
    books = folder.sync().books
    assert books is not None
    assert books.failed is not None
    assert books.failed == FailedFiles(total=2, not_paired=1)
    assert books.rows["rows_seen"] == 1


@on_sqlite
def test_a_state_whose_runs_have_no_books_gets_them_by_the_next_run(mixture: World) -> None:
    folder = folder_of(mixture)
    folder.sync()
    with mixture.state.write() as connection:
        connection.execute(runs.update().values(books=None))
    assert folder.activity()[0].books is None
    assert folder.summary().books is None
    mixture.requests()
    run = folder.sync()
    assert run.books is not None
    assert run.books.failed is not None
    assert run.books.failed.as_dict() == ERRORS
    assert mixture.requests() == {"list": 1}
    assert run.counters.changes == {}


@on_sqlite
def test_a_change_that_is_taken_back_after_a_failed_run_gives_the_books_before_it(
    world: World,
) -> None:
    world.labelled("a")
    world.write("data.yaml", "names: [car, lake, ship]")
    folder = world.folder()
    folder.export(str(world.data / "export.jsonl"))
    books = folder.sync().books
    times = (world.data / "data.yaml").stat()
    world.write("data.yaml", "names: [lake, car, ship]")
    with pytest.raises(ConfigError):
        folder.sync()
    world.write("data.yaml", "names: [car, lake, ship]")
    os.utime(world.data / "data.yaml", ns=(times.st_atime_ns, times.st_mtime_ns))
    world.requests()
    again = folder.sync().books
    assert books is not None
    assert again is not None
    assert (again.keys, again.class_lists) == (books.keys, books.class_lists)
    assert world.requests() == {"list": 1}


@on_sqlite
def test_a_state_without_books_gets_the_warnings_of_a_listing_that_has_not_changed(
    world: World,
) -> None:
    world.labelled("a")
    world.write("data.yaml", "names: [car, lake, boat]")
    folder = world.folder()
    folder.sync()
    expected = list(folder.problems())
    with world.state.write() as connection:
        connection.execute(runs.update().values(books=None))
        connection.execute(problems.delete())
    run = folder.sync()
    assert run.books is not None
    assert run.books.keys["companion"] == 1
    assert list(folder.problems()) == expected
    assert [problem.code for problem in expected] == ["class-name-differs"]


@on_sqlite
def test_outputs_of_other_folders_are_counted_among_the_ignored(world: World) -> None:
    other = world.folder("other", output=str(world.data / "rows"))
    other.sync()
    folder = world.folder()
    for _ in range(2):
        run = folder.sync()
        assert run.books is not None
        assert run.books.keys_seen == run.counters.keys_listed == 5
        assert run.books.keys["ignored"] == 2


@on_sqlite
def test_books_are_shown_to_people_and_programs(
    mixture: World, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of(mixture)
    run, state = command_line(capsys), ("--state", mixture.state.url)
    equation = "17 seen = 3 paired data files + 2 unlabelled data files + 2 ambiguous data files + "
    for arguments, place in (
        (("sync", "drive"), "err"),
        (("sync", "drive"), "err"),
        (("show", "drive"), "out"),
        (("activity", "drive"), "out"),
    ):
        text = getattr(run("folder", *arguments, *state), place)
        assert equation in text
        assert "4 files = 2 not paired + 1 not converted + 1 converted in part" in text
    shown = orjson.loads(run("folder", "show", "drive", "--json", *state).out)
    [second, first] = orjson.loads(run("folder", "activity", "drive", "--json", *state).out)
    assert first["books"]["keys"] == second["books"]["keys"] == shown["books"]["keys"]
    assert "(paired by run 1)" in run("folder", "sync", "drive", *state).err
    planned = orjson.loads(run("folder", "plan", "drive", "--json", *state).out)
    assert planned["books"] == KEYS


# --- what an item became ---


def hidden(folder: SyncedFolder) -> dict[str, str]:
    return {item["name"]: item["tombstoneReason"] for item in folder.items("deleted")}


def test_items_that_became_sidecars_or_companions_have_reasons_outside_the_guard(
    mixture: World, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = mixture.folder(format=None, ontology=None, options={})
    assert folder.sync().books is not None
    texts = {"a.txt", "none.txt", "orphan.txt", "part.txt", "twice.txt"}
    folder.configure(
        format="yolo", ontology=ONTOLOGY, options=OPTIONS, metadata_suffix=".metadata.json"
    )
    run = folder.sync()
    assert run.counters.changes["became a sidecar"] == 6
    assert run.counters.changes["became a companion"] == 1
    assert run.counters.withheld == {}
    reasons = dict.fromkeys(texts | {"a.jpg.metadata.json"}, "became a sidecar")
    assert hidden(folder) == {**reasons, "classes.txt": "became a companion"}
    assert folder.summary().deleted_by == {"became a companion": 1, "became a sidecar": 6}
    mixture.remove("b.jpg")
    folder.sync()
    assert hidden(folder)["b.jpg"] == "file is gone"
    shown = command_line(capsys)("folder", "show", "drive", "--state", mixture.state.url).out
    assert "; 8 hidden (became a companion 1, became a sidecar 6, file is gone 1)" in shown
    mixture.image("b.jpg")
    folder.configure(metadata_suffix=None)
    changes = {"file is back": 1, "became a data file again": 1}
    assert folder.sync().counters.changes == changes
    assert hidden(folder) == dict.fromkeys(texts, "became a sidecar") | {
        "classes.txt": "became a companion"
    }


def test_every_outcome_of_a_key_is_a_data_file_or_hides_the_item() -> None:
    data = {Outcome.PAIRED, Outcome.UNLABELLED, Outcome.AMBIGUOUS}
    assert set(CLAIMS) == set(Outcome) - data


@on_sqlite
def test_a_failed_run_is_one_line_and_its_near_misses_are_those_of_the_folder(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = world.folder()
    world.remove("a.txt")
    folder.sync()
    for name in "ab":
        world.write(f"{name}.TXT", BOX)
    run, state = command_line(capsys), ("--state", world.state.url)
    folder.configure(options={"labels": "labels/{name}.txt"}, allow_mass_delete=True)
    folder.configure(allow_mass_delete=False)
    for name in "ab":
        world.write(f"label/{name}.txt", BOX)
    assert run("folder", "sync", "drive", *state).code == 2
    lines = run("folder", "activity", "drive", *state).out.splitlines()
    assert "as 'label/a.txt' (2 of them): nothing was changed; mend the patterns" in lines[0]
    assert lines[1] == "   the message goes on: --json has it whole"
    assert not any("near miss" in line for line in lines)
    shown = run("folder", "show", "drive", *state).out.splitlines()
    (last,) = [place for place, line in enumerate(shown) if line.startswith("Last sync")]
    assert "near miss" not in shown[last]
    assert shown[last + 1].strip().startswith("near miss: ")


@on_sqlite
def test_one_of_each_is_said_in_the_singular(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.folder()
    run = command_line(capsys)("folder", "sync", "drive", "--state", world.state.url)
    assert "read 1 file (18 bytes) and 0 image headers, wrote 1 label row (" in run.err
    assert "Errors in  no file" in run.err
