"""What a sync does for each thing that may have happened to a file, on real files and both databases."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from labelingest.arrays import Int64
from labelingest.errors import ConfigError, SidecarError, StorageError
from labelingest.folders import (
    DriftError,
    FolderSettings,
    LockedError,
    Plan,
    State,
    Status,
    SyncedFolder,
)
from labelingest.folders.lock import take_lock
from labelingest.folders.state.tables import locks
from labelingest.model.blobs import Blobs
from labelingest.storage import LocalStorage, MemoryStorage, Storage
from labelingest.storage.atomic import unfinished_name
from tests.builders.synced import ONTOLOGY, YOLO, CountingStorage, Incomplete, World, contents

BOX = "0 0.5 0.5 0.25 0.5"
OTHER_BOX = "0 0.5 0.5 0.5 0.5"
# Two corners are the width; 64 × 48 pixels.
TURNED = "2 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75"

on_sqlite = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
"""For what asks nothing of the database that other tests do not ask of both."""


class Replaced(LocalStorage):
    """A folder in which a sidecar is replaced after it was listed, before it is read."""

    def fetch(
        self, keys: Sequence[str], *, sizes: Int64 | None = None, tokens: bool = True
    ) -> Blobs:
        Path(self.root, "a.txt").write_text(OTHER_BOX)
        return super().fetch(keys, sizes=sizes, tokens=tokens)


class Unreadable(LocalStorage):
    """A folder whose sidecars are gone when they are read."""

    def fetch(
        self, keys: Sequence[str], *, sizes: Int64 | None = None, tokens: bool = True
    ) -> Blobs:
        return super().fetch([f"{key}.gone" for key in keys], sizes=sizes, tokens=tokens)


@pytest.fixture
def state(state_url: str) -> Iterator[State]:
    with State(state_url) as state:
        yield state


@pytest.fixture
def world(tmp_path: Path, state: State) -> World:
    world = World(tmp_path, state)
    world.image("a.jpg")
    world.image("b.jpg")
    world.write("a.txt", BOX)
    return world


def boxes(world: World, key: str) -> list[float]:
    """Return the left edges of the boxes of a label row."""
    row = orjson.loads((world.rows / f"{key}.encord.json").read_bytes())
    [unit] = row["data_units"].values()
    return [found["boundingBox"]["x"] for found in unit["labels"]["objects"]]


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
    world.asked()
    assert folder.plan().changes == {}
    run = folder.sync()
    assert run.counters.changes == {}
    assert world.asked() == {"list": 2}


def test_changed_sidecars_are_read_and_no_others(world: World) -> None:
    for number in range(20):
        world.image(f"{number}.jpg")
        world.write(f"{number}.txt", BOX)
    folder = world.folder()
    folder.sync()
    for number in (3, 7, 11):
        world.write(f"{number}.txt", OTHER_BOX)
    world.asked()
    assert folder.plan().changes == {"sidecar changed": 3}
    folder.sync()
    assert world.asked() == {"list": 2, "read": 3, "put": 3}
    assert boxes(world, "7.jpg") == [0.25]


def test_a_replaced_file_keeps_its_uuid_and_its_label_row(world: World) -> None:
    folder = world.folder()
    folder.sync()
    before, rows = list(folder.items()), contents(world.rows)
    world.image("a.jpg", (32, 32))
    world.asked()
    assert folder.plan().changes == {"file replaced": 1}
    folder.sync()
    after = list(folder.items())
    assert [item["uuid"] for item in after] == [item["uuid"] for item in before]
    assert after[0]["fileSize"] == (world.data / "a.jpg").stat().st_size != before[0]["fileSize"]
    assert contents(world.rows) == rows
    assert world.asked() == {"list": 2}


def test_a_replaced_image_makes_the_row_anew_only_if_its_size_counts_and_is_another(
    world: World,
) -> None:
    world.write("a.txt", TURNED)
    folder = world.folder()
    folder.sync()
    rows = contents(world.rows)
    world.asked()
    # Another file of the same size: one header tells.
    world.image("a.jpg", (64, 48))
    assert folder.plan().changes == {
        "file replaced": 1,
        "image replaced, and its size counts": 1,
    }
    folder.sync()
    assert world.asked() == {"list": 2, "head": 1}
    assert contents(world.rows) == rows
    assert folder.plan().changes == {}
    world.image("a.jpg", (128, 48))
    world.asked()
    folder.sync()
    asked = world.asked()
    assert (asked["read"], asked["put"]) == (1, 1)
    assert contents(world.rows) != rows
    first, _ = folder.items()
    assert (first["width"], first["height"]) == (128, 48)


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
    world.asked()
    assert folder.plan().changes == {"file is back": 1}
    folder.sync()
    after, _ = folder.items()
    assert after["uuid"] == before["uuid"]
    # Its sidecar is the same: nothing is read.
    assert world.asked() == {"list": 2}
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
    world.asked()
    assert not folder.sync().failed
    assert world.asked() == {"list": 1}
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
        with pytest.raises(ConfigError, match=f"{name} cannot be changed"):
            folder.configure(**{name: "encord"})


def test_metadata_is_set_replaced_and_cleared(world: World) -> None:
    folder = world.folder(metadata_suffix=".metadata.json")
    world.write("a.jpg.metadata.json", '{"weather": "fog"}')
    assert folder.plan().changes == {"new file": 2, "new sidecar": 1, "new metadata": 1}
    folder.sync()
    assert [item["clientMetadata"] for item in folder.items()] == ['{"weather":"fog"}', "{}"]
    world.write("a.jpg.metadata.json", '{"weather": "snow"}')
    world.asked()
    assert folder.plan().changes == {"metadata changed": 1}
    folder.sync()
    assert world.asked() == {"list": 2, "read": 1}
    assert [item["clientMetadata"] for item in folder.items()] == ['{"weather":"snow"}', "{}"]
    world.remove("a.jpg.metadata.json")
    assert folder.plan().changes == {"metadata is gone": 1}
    folder.sync()
    assert [item["clientMetadata"] for item in folder.items()] == ["{}", "{}"]


def test_metadata_that_is_too_large_is_named_and_not_read(world: World) -> None:
    folder = world.folder(metadata_suffix=".metadata.json")
    world.write("a.jpg.metadata.json", b"{}" + b" " * 9_999_998)
    world.write("b.jpg.metadata.json", b"{}" + b" " * 9_999_999)
    run = folder.sync()
    assert world.touched("read") == ["a.jpg.metadata.json", "a.txt"]
    assert (run.counters.errors, folder.summary().problems) == (1, {"file-too-large": 1})
    world.asked()
    folder.sync()
    assert world.asked() == {"list": 1}


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
    assert list(rows.contents) == ["a.jpg.encord.json"]
    del data.contents["a.txt"]
    folder.sync()
    assert rows.contents == {}


# --- guards ---


def many(world: World, count: int) -> None:
    for number in range(count):
        world.write(f"many/{number:03}.jpg", "")


def test_an_empty_storage_path_deletes_nothing_unless_that_is_meant(world: World) -> None:
    folder = world.folder()
    folder.sync()
    for key in ("a.jpg", "b.jpg", "a.txt"):
        world.remove(key)
    run = folder.sync()
    assert run.counters.withheld == {"file is gone": 2}
    assert run.failed
    assert run.message is not None
    assert run.message.startswith("the storage path is empty")
    assert len(list(folder.items())) == 2
    run = folder.sync(allow_mass_delete=True)
    assert (run.counters.changes, run.failed) == ({"file is gone": 2}, False)
    assert list(folder.items()) == []


def test_more_than_half_and_more_than_a_hundred_are_not_deleted(world: World) -> None:
    many(world, 200)
    folder = world.folder()
    folder.sync()
    # 202 items: 101 are exactly half, 102 are more.
    for number in range(101):
        world.remove(f"many/{number:03}.jpg")
    assert folder.plan().changes == {"file is gone": 101}
    world.remove("many/101.jpg")
    world.write("many/new.jpg", "")
    plan = folder.plan()
    assert plan.changes == {"new file": 1}
    assert plan.withheld == {"file is gone": 102}
    assert plan.why_withheld.startswith("102 of 202 items would go, more than half")
    assert folder.plan(allow_mass_delete=True).changes == {"new file": 1, "file is gone": 102}


@on_sqlite
def test_a_hundred_of_a_hundred_may_go(world: World) -> None:
    many(world, 98)
    folder = world.folder()
    folder.sync()
    for number in range(98):
        world.remove(f"many/{number:03}.jpg")
    world.remove("a.jpg")
    world.remove("b.jpg")
    # The sidecar is left, so the storage path is not empty.
    assert folder.plan().changes == {"file is gone": 100}


@on_sqlite
def test_a_missing_root_is_an_error_and_changes_nothing(world: World) -> None:
    folder = world.folder()
    folder.sync()
    world.data.rename(world.data.with_name("elsewhere"))
    with pytest.raises(StorageError, match="cannot be listed"):
        folder.sync(allow_mass_delete=True)
    assert len(list(folder.items())) == 2
    newest, *_ = folder.activity()
    assert newest.status is Status.ERROR


def test_what_could_not_be_listed_is_not_deleted(world: World) -> None:
    world.image("inner/c.jpg")
    folder = world.folder()
    folder.sync()
    world.remove("inner/c.jpg")
    world.image("new.jpg")
    storage = world.storage
    storage.inner = Incomplete(str(world.data))
    run = folder.sync(allow_mass_delete=True)
    assert run.counters.changes == {"new file": 1}
    assert run.counters.withheld == {"file is gone": 1}
    assert run.counters.scan_pages_processing_error == 1
    assert len(list(folder.items())) == 4


# --- plan and apply ---


def test_a_plan_that_was_kept_is_carried_out(world: World, tmp_path: Path) -> None:
    folder = world.folder()
    folder.plan(save=str(tmp_path / "plan"))
    head, *lines = (tmp_path / "plan").read_bytes().splitlines()
    assert orjson.loads(head)["changes"] == {"new file": 2, "new sidecar": 1}
    assert [orjson.loads(line) for line in lines] == [
        {"key": "a.jpg", "item": "new file", "label": "new sidecar"},
        {"key": "b.jpg", "item": "new file"},
    ]
    run = folder.apply(Plan.load(str(tmp_path / "plan")))
    assert (run.trigger, run.status) == ("plan", Status.DONE)
    assert list(contents(world.rows)) == ["a.jpg.encord.json"]


@on_sqlite
def test_a_plan_is_refused_when_the_storage_path_the_settings_or_the_state_moved_on(
    world: World,
) -> None:
    folder = world.folder()
    plan = folder.plan()
    world.image("c.jpg")
    with pytest.raises(DriftError, match="have changed since the plan was made"):
        folder.apply(plan)
    plan = folder.plan()
    folder.configure(options={"dataset_title": "Another"})
    with pytest.raises(DriftError, match="have changed since the plan was made"):
        folder.apply(plan)
    plan = folder.plan()
    folder.sync()
    with pytest.raises(DriftError, match="was synced since the plan was made"):
        folder.apply(plan)
    assert contents(world.rows).keys() == {"a.jpg.encord.json"}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"labelingest folder plan 1": 1, "x": 2}'])
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "plan").write_text(content)
    with pytest.raises(ConfigError, match="is no plan"):
        Plan.load(str(tmp_path / "plan"))


# --- between listing and reading ---


@on_sqlite
def test_a_sidecar_that_is_replaced_while_it_is_synced_is_taken_once(world: World) -> None:
    folder = world.folder()
    world.storage.inner = Replaced(str(world.data))
    folder.sync()
    assert boxes(world, "a.jpg") == [0.25]
    world.storage.inner = LocalStorage(str(world.data))
    world.asked()
    run = folder.sync()
    assert run.counters.changes == {}
    assert world.asked() == {"list": 1}


def test_a_sidecar_that_cannot_be_read_is_tried_again(world: World) -> None:
    folder = world.folder()
    storage = world.storage
    storage.inner = Unreadable(str(world.data))
    run = folder.sync()
    assert run.counters.upload_jobs_units_error == 1
    assert folder.summary().unfinished == 1
    storage.inner = LocalStorage(str(world.data))
    assert folder.plan().changes == {"an earlier sync did not get to it": 1}
    assert not folder.sync().failed
    assert boxes(world, "a.jpg") == [0.375]
    assert folder.summary().problems == {}


# --- lock, cancel, activity ---


def test_a_second_sync_says_who_has_the_lock(world: World) -> None:
    folder = world.folder()
    holder = f"is being synced by process {os.getpid()} on "
    with (
        take_lock(world.state, folder.record.id, folder.name, "manual"),
        pytest.raises(LockedError, match=holder),
    ):
        folder.sync()
    assert folder.sync().status is Status.DONE


@on_sqlite
def test_a_sync_that_was_asleep_while_another_took_its_place_writes_nothing(world: World) -> None:
    folder = world.folder()
    folder.sync()
    rows = contents(world.rows)

    class Asleep(LocalStorage):
        """A folder whose sidecars take so long to read that another run has the lock then."""

        def fetch(
            self, keys: Sequence[str], *, sizes: Int64 | None = None, tokens: bool = True
        ) -> Blobs:
            with world.state.write() as connection:
                connection.execute(locks.update().values(run_id=1))
            return super().fetch(keys, sizes=sizes, tokens=tokens)

    world.write("a.txt", OTHER_BOX)
    world.storages[str(world.data)] = CountingStorage(Asleep(str(world.data)))
    with pytest.raises(LockedError, match="another took its place"):
        folder.sync()
    assert contents(world.rows) == rows


def test_a_sync_can_be_cancelled_between_batches_and_the_next_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelingest.folders.apply._FILES", 3)
    for number in range(10):
        world.image(f"{number}.jpg")
        world.write(f"{number}.txt", BOX)
    folder = world.folder()

    def cancelled() -> bool:
        return len(contents(world.rows)) >= 6

    run = folder.sync(cancelled=cancelled)
    assert (run.status, run.failed) == (Status.CANCELLED, True)
    # 11 label rows in batches of 3; b.jpg alone has none.
    assert len(contents(world.rows)) == 6
    counters = run.counters
    assert (counters.upload_jobs_units_done, counters.upload_jobs_units_cancelled) == (7, 5)
    assert folder.plan().changes == {"an earlier sync did not get to it": 5}
    world.asked()
    folder.sync()
    assert world.asked() == {"list": 1, "read": 5, "put": 5}
    assert [run.status for run in folder.activity()] == [Status.DONE, Status.CANCELLED]


@on_sqlite
def test_a_change_that_was_synced_in_part_and_taken_back_is_taken_back(world: World) -> None:
    folder = world.folder()
    folder.sync()
    rows = contents(world.rows)
    sidecar = world.data / "a.txt"
    before, content = sidecar.stat(), sidecar.read_bytes()
    world.write("a.txt", OTHER_BOX)
    run = folder.sync(cancelled=lambda: boxes(world, "a.jpg") == [0.25])
    assert run.status is Status.CANCELLED
    sidecar.write_bytes(content)
    os.utime(sidecar, ns=(before.st_mtime_ns, before.st_mtime_ns))
    # The listing is that of the last complete sync, the state is not.
    assert folder.sync().counters.changes == {"sidecar changed": 1}
    assert contents(world.rows) == rows


def test_a_deleted_folder_is_hidden_until_it_is_restored(world: World) -> None:
    folder = world.folder()
    folder.sync()
    folder.delete()
    with pytest.raises(ConfigError, match="was deleted"):
        folder.sync()
    with pytest.raises(ConfigError, match="restore 'drive' brings it back"):
        world.folder()
    folder.restore()
    assert folder.plan().changes == {}
    folder.delete(purge=True)
    assert world.folder().plan().changes == {"new file": 2, "new sidecar": 1}


@on_sqlite
def test_export_writes_the_label_rows_of_present_hidden_or_all_items(
    world: World, tmp_path: Path
) -> None:
    world.write("b.txt", BOX)
    folder = world.folder()
    folder.sync()
    world.remove("a.jpg")
    folder.sync()
    rows = contents(world.rows)
    a, b = (rows[f"{key}.jpg.encord.json"] + b"\n" for key in "ab")
    for which, expected in (("present", b), ("deleted", a), ("all", a + b)):
        folder.export(str(tmp_path / "rows.jsonl"), which)
        assert (tmp_path / "rows.jsonl").read_bytes() == expected
