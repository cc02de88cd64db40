"""What a sync does for each thing that may have happened to a file, on real files and both databases."""

from typing import Any

import orjson
import pytest

from labelingest.errors import ConfigError, SidecarError
from labelingest.folders import (
    FolderSettings,
    State,
    Status,
    SyncedFolder,
)
from labelingest.folders.output_owner import MARKER
from labelingest.problems import ProblemCode
from labelingest.storage import MemoryStorage, Storage
from labelingest.storage.unfinished_files import unfinished_name
from tests.builders.synced import BOX, ONTOLOGY, OTHER_BOX, YOLO, World, boxes, contents, on_sqlite

# Two corners are the width; 64 × 48 pixels.
TURNED = "2 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75"


def test_a_first_sync_adds_all_files_and_makes_their_label_rows(world: World) -> None:
    folder = world.folder()
    plan = folder.plan()
    assert plan.changes == {"new file": 2, "new sidecar": 1}
    assert contents(world.rows) == {}
    run = folder.sync()
    assert (run.status, run.counters.changes) == (Status.DONE, plan.changes)
    assert [item["name"] for item in folder.items()] == ["a.jpg", "b.jpg"]
    assert list(contents(world.rows)) == ["a.jpg.encord.json"]
    # Centre 0.5, width 0.25: from 0.375 on.
    assert boxes(world, "a.jpg") == [0.375]


def test_a_sync_without_changes_lists_and_does_nothing_else(world: World) -> None:
    folder = world.folder()
    folder.sync()
    world.requests()
    assert folder.plan().changes == {}
    run = folder.sync()
    assert run.counters.changes == {}
    assert world.requests() == {"list": 2}


def test_changed_sidecars_are_read_and_no_others(world: World) -> None:
    for number in range(20):
        world.image(f"{number}.jpg")
        world.write(f"{number}.txt", BOX)
    folder = world.folder()
    folder.sync()
    for number in (3, 7, 11):
        world.write(f"{number}.txt", OTHER_BOX)
    world.requests()
    assert folder.plan().changes == {"sidecar changed": 3}
    folder.sync()
    assert world.requests() == {"list": 2, "read": 3, "put": 3}
    assert boxes(world, "7.jpg") == [0.25]


def test_a_replaced_file_keeps_its_uuid_and_its_label_row(world: World) -> None:
    folder = world.folder()
    folder.sync()
    before, rows = list(folder.items()), contents(world.rows)
    world.image("a.jpg", (32, 32))
    world.requests()
    assert folder.plan().changes == {"file replaced": 1}
    folder.sync()
    after = list(folder.items())
    assert [item["uuid"] for item in after] == [item["uuid"] for item in before]
    assert after[0]["fileSize"] == (world.data / "a.jpg").stat().st_size != before[0]["fileSize"]
    assert contents(world.rows) == rows
    assert world.requests() == {"list": 2}


def test_a_replaced_image_makes_the_row_anew_only_if_its_size_counts_and_is_another(
    world: World,
) -> None:
    world.write("a.txt", TURNED)
    folder = world.folder()
    folder.sync()
    rows = contents(world.rows)
    world.requests()
    # Another file of the same size: one header tells.
    world.image("a.jpg", (64, 48))
    assert folder.plan().changes == {
        "file replaced": 1,
        "image replaced, and its size counts": 1,
    }
    folder.sync()
    assert world.requests() == {"list": 2, "head": 1}
    assert contents(world.rows) == rows
    assert folder.plan().changes == {}
    world.image("a.jpg", (128, 48))
    world.requests()
    folder.sync()
    requests = world.requests()
    assert (requests["read"], requests["put"]) == (1, 1)
    assert contents(world.rows) != rows
    first, _ = folder.items()
    assert (first["width"], first["height"]) == (128, 48)


@on_sqlite
def test_an_image_of_the_same_size_leaves_the_problems_of_its_label_row(world: World) -> None:
    world.write("a.txt", "2 0.25 0.25 0.75 0.25 0.75 0.75 0.4 0.75")
    folder = world.folder()
    folder.sync()
    [before] = folder.problems()
    assert before.code is ProblemCode.NOT_A_RECTANGLE
    world.image("a.jpg")
    folder.sync()
    assert list(folder.problems()) == [before]


def test_a_file_that_is_gone_is_hidden_and_comes_back_under_its_uuid(world: World) -> None:
    folder = world.folder()
    folder.sync()
    [before, _] = folder.items()
    rows = contents(world.rows)
    image = (world.data / "a.jpg").read_bytes()
    world.remove("a.jpg")
    assert folder.plan().changes == {"file is gone": 1}
    folder.sync()
    assert [item["name"] for item in folder.items()] == ["b.jpg"]
    [hidden] = folder.items("deleted")
    assert (hidden["uuid"], hidden["isTombstone"]) == (before["uuid"], True)
    assert contents(world.rows) == rows
    world.write("a.jpg", image)
    world.requests()
    assert folder.plan().changes == {"file is back": 1}
    folder.sync()
    after, _ = folder.items()
    assert after["uuid"] == before["uuid"]
    # Its sidecar is the same: nothing is read.
    assert world.requests() == {"list": 2}
    assert contents(world.rows) == rows


def test_a_file_that_is_back_with_another_sidecar_gets_another_label_row(world: World) -> None:
    folder = world.folder()
    folder.sync()
    image = (world.data / "a.jpg").read_bytes()
    world.remove("a.jpg")
    folder.sync()
    world.write("a.jpg", image)
    world.write("a.txt", OTHER_BOX)
    assert folder.plan().changes == {"file is back": 1, "sidecar changed": 1}
    folder.sync()
    assert boxes(world, "a.jpg") == [0.25]


def test_a_sidecar_that_is_gone_takes_its_label_row_with_it(world: World) -> None:
    folder = world.folder()
    folder.sync()
    world.remove("a.txt")
    assert folder.plan().changes == {"sidecar is gone": 1}
    run = folder.sync()
    assert contents(world.rows) == {}
    assert run.counters.files_deleted == 1
    assert [item["labelRow"] for item in folder.items()] == [None, None]
    assert folder.plan().changes == {}


def test_a_sidecar_that_cannot_be_converted_is_tried_once_and_leaves_no_old_label_row(
    world: World,
) -> None:
    folder = world.folder(options=YOLO | {"on_row_error": "skip-file"})
    folder.sync()
    world.write("a.txt", "nonsense")
    run = folder.sync()
    assert (run.counters.upload_jobs_units_error, run.failed) == (1, True)
    assert contents(world.rows) == {}
    summary = folder.summary()
    assert (summary.failed, summary.labelled, summary.unlabelled) == (1, 0, 1)
    assert summary.problems["bad-class-number"] == 1
    world.requests()
    assert not folder.sync().failed
    assert world.requests() == {"list": 1}
    world.write("a.txt", BOX)
    folder.sync()
    assert folder.summary().problems == {}
    assert boxes(world, "a.jpg") == [0.375]


def test_other_options_make_every_label_row_anew(world: World) -> None:
    folder = world.folder()
    folder.sync()
    folder.configure(options={"dataset_title": "Another"})
    assert folder.plan().changes == {"ontology or options changed": 1}
    folder.sync()
    row = orjson.loads(contents(world.rows)["a.jpg.encord.json"])
    assert row["dataset_title"] == "Another"
    assert folder.plan().changes == {}
    folder.configure(description="says nothing about labels")
    assert folder.plan().changes == {}


@on_sqlite
def test_what_is_fixed_cannot_be_changed(world: World) -> None:
    folder = world.folder()
    for name in ("storage_path", "output", "format"):
        changes: dict[str, Any] = {name: "encord"}
        with pytest.raises(ConfigError, match=f"{name} cannot be changed"):
            folder.configure(**changes)


def test_metadata_is_set_replaced_and_cleared(world: World) -> None:
    folder = world.folder(metadata_suffix=".metadata.json")
    world.write("a.jpg.metadata.json", '{"weather": "fog"}')
    assert folder.plan().changes == {"new file": 2, "new sidecar": 1, "new metadata": 1}
    folder.sync()
    assert [item["clientMetadata"] for item in folder.items()] == ['{"weather":"fog"}', "{}"]
    world.write("a.jpg.metadata.json", '{"weather": "snow"}')
    world.requests()
    assert folder.plan().changes == {"metadata changed": 1}
    folder.sync()
    assert world.requests() == {"list": 2, "read": 1}
    assert [item["clientMetadata"] for item in folder.items()] == ['{"weather":"snow"}', "{}"]
    world.remove("a.jpg.metadata.json")
    assert folder.plan().changes == {"metadata is gone": 1}
    folder.sync()
    assert [item["clientMetadata"] for item in folder.items()] == ["{}", "{}"]


def test_metadata_keeps_all_digits_of_its_numbers_as_jsonb_does(world: World) -> None:
    folder = world.folder(metadata_suffix=".metadata.json")
    text = '{"id":123456789012345678901234567890,"ratio":0.12345678901234567890123,"n":9007199254740993}'
    world.write("a.jpg.metadata.json", text)
    folder.sync()
    assert [item["clientMetadata"] for item in folder.items()] == [text, "{}"]
    assert list(folder.problems()) == []


def test_half_a_surrogate_pair_in_metadata_costs_its_key(world: World) -> None:
    folder = world.folder(metadata_suffix=".metadata.json")
    world.write("a.jpg.metadata.json", '{"a": "x\\ud83d", "b": 1}')
    folder.sync()
    assert [item["clientMetadata"] for item in folder.items()] == ['{"b":1}', "{}"]
    assert [(p.code.value, p.pointer) for p in folder.problems()] == [("not-text", "/a")]


def test_metadata_that_is_too_large_is_named_and_not_read(world: World) -> None:
    folder = world.folder(metadata_suffix=".metadata.json")
    world.write("a.jpg.metadata.json", b"{}" + b" " * 9_999_998)
    world.write("b.jpg.metadata.json", b"{}" + b" " * 9_999_999)
    run = folder.sync()
    assert world.touched("read") == ["a.jpg.metadata.json", "a.txt"]
    assert (run.counters.errors, folder.summary().problems) == (1, {"file-too-large": 1})
    world.requests()
    folder.sync()
    assert world.requests() == {"list": 1}


@on_sqlite
def test_paused_metadata_is_kept_out_of_the_data_but_not_attached(world: World) -> None:
    folder = world.folder(metadata_suffix=".metadata.json", metadata_paused=True)
    world.write("a.jpg.metadata.json", '{"weather": "fog"}')
    folder.sync()
    assert [item["name"] for item in folder.items()] == ["a.jpg", "b.jpg"]
    assert [item["clientMetadata"] for item in folder.items()] == ["{}", "{}"]


@on_sqlite
def test_without_labels_a_folder_has_items_and_no_output(world: World) -> None:
    folder = world.folder(format=None, ontology=None, options={})
    assert folder.plan().changes == {"new file": 3}
    folder.sync()
    assert [item["itemType"] for item in folder.items()] == ["image", "plainText", "image"]
    assert contents(world.rows) == {}


@on_sqlite
def test_an_output_inside_the_storage_path_is_not_listed(world: World) -> None:
    folder = world.folder(output=str(world.data / "rows"))
    folder.sync()
    assert (world.data / "rows/a.jpg.encord.json").exists()
    assert folder.plan().changes == {}
    assert [item["name"] for item in folder.items()] == ["a.jpg", "b.jpg"]


@on_sqlite
@pytest.mark.parametrize("labels", [{}, {"format": None, "ontology": None, "options": {}}])
def test_what_another_process_has_not_finished_writing_is_no_item(
    world: World, labels: dict[str, Any]
) -> None:
    folder = world.folder(**labels)
    folder.sync()
    for name in ("a.jpg", "a.txt", "new.jpg.encord.json"):
        world.write(f"inner/{unfinished_name(name)}", "half of")
    assert folder.plan().changes == {}
    assert folder.summary().problems == {}


@on_sqlite
def test_the_storage_path_itself_cannot_be_the_output(world: World) -> None:
    for output in (world.data, world.data.parent):
        with pytest.raises(ConfigError, match="is the storage path or lies around it"):
            world.folder(output=str(output))


@on_sqlite
def test_encord_sidecars_are_found_by_their_suffix_and_made_anew_under_another(
    world: World,
) -> None:
    first = world.folder()
    first.sync()
    # Label rows are sidecars too: those of one folder are the labels of another.
    row = contents(world.rows)["a.jpg.encord.json"]
    world.write("a.jpg.labels.json", row)
    labels = {"format": "encord", "options": {"suffix": ".labels.json"}}
    folder = world.folder("encord", output=f"{world.rows}-2", **labels)
    assert folder.plan().changes == {"new file": 3, "new sidecar": 1}
    folder.sync()
    made = orjson.loads((world.rows.with_name("rows-2") / "a.jpg.encord.json").read_bytes())
    assert made["data_units"] == orjson.loads(row)["data_units"]
    (world.data / "a.jpg.labels.json").rename(world.data / "a.jpg.rows.json")
    folder.configure(options={"suffix": ".rows.json"})
    assert folder.plan().changes == {"ontology or options changed": 1}


@on_sqlite
def test_a_bad_row_ends_the_run_where_that_is_asked_for(world: World) -> None:
    folder = world.folder(options=YOLO | {"on_row_error": "stop"})
    world.write("a.txt", "nonsense")
    with pytest.raises(SidecarError, match="bad-class-number"):
        folder.sync()
    [run] = folder.activity()
    assert run.status is Status.ERROR
    world.write("a.txt", BOX)
    folder.sync()
    assert boxes(world, "a.jpg") == [0.375]


@on_sqlite
def test_a_folder_in_memory_is_synced_like_any_other(state: State) -> None:
    data = MemoryStorage({"a.jpg": b"", "a.txt": BOX.encode()}, name="data")
    rows = MemoryStorage({}, name="rows")
    places: dict[str, Storage] = {"memory://data": data, "memory://rows": rows}
    folder = SyncedFolder.create(
        "memory",
        FolderSettings(
            "memory://data", "memory://rows", format="yolo", ontology=ONTOLOGY, options=YOLO
        ),
        state=state,
        open_storage=places.__getitem__,
    )
    folder.sync()
    assert list(rows.contents) == [MARKER, "a.jpg.encord.json"]
    del data.contents["a.txt"]
    folder.sync()
    assert list(rows.contents) == [MARKER]
