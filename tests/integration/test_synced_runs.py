"""Runs of a folder: guards, plans, locks, what is cut short, what is replaced meanwhile."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from labelingest.errors import ConfigError, StorageError
from labelingest.folders import (
    DriftError,
    LockedError,
    Plan,
    Status,
    SyncedFolder,
)
from labelingest.folders.state.lock import take_lock
from labelingest.folders.state.tables import locks, runs
from labelingest.model.blobs import Blobs
from labelingest.model.listing import Listing
from labelingest.storage import LocalStorage
from tests.builders.synced import (
    BOX,
    OTHER_BOX,
    CountingStorage,
    Incomplete,
    World,
    boxes,
    contents,
    on_sqlite,
)


class Replaced(LocalStorage):
    """A folder in which a sidecar is replaced after it was listed, before it is read."""

    def fetch(self, keys: Sequence[str], **options: Any) -> Blobs:
        path = Path(self.root, "a.txt")
        if path.read_text() != OTHER_BOX:  # once: the row layout is decided by a read of its own
            path.write_text(OTHER_BOX)
        return super().fetch(keys, **options)


class Unreadable(LocalStorage):
    """A folder whose sidecars are gone when they are read."""

    def fetch(self, keys: Sequence[str], **options: Any) -> Blobs:
        return super().fetch([f"{key}.gone" for key in keys], **options)


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
def test_a_hundred_may_go_unless_they_are_all(world: World) -> None:
    many(world, 99)
    folder = world.folder()
    folder.sync()
    for number in range(99):
        world.remove(f"many/{number:03}.jpg")
    world.remove("a.jpg")
    # 100 of 101 items; the sidecar that is left pairs with none of them.
    assert folder.plan().changes == {"file is gone": 100}
    world.remove("b.jpg")
    plan = folder.plan()
    assert (plan.changes, plan.withheld) == ({}, {"file is gone": 101})


@on_sqlite
@pytest.mark.parametrize("kind", ["items", "label rows", "items' metadata"])
def test_all_of_a_kind_are_deleted_only_where_that_is_meant(world: World, kind: str) -> None:
    for name in "abc":
        world.labelled(name)
        world.write(f"{name}.jpg.metadata.json", "{}")
    ending, reason = {
        "items": (".jpg", "file is gone"),
        "label rows": (".txt", "sidecar is gone"),
        "items' metadata": (".jpg.metadata.json", "metadata is gone"),
    }[kind]
    folder = world.folder(metadata_suffix=".metadata.json")
    folder.sync()
    rows = contents(world.rows)
    for name in "abc":
        world.remove(f"{name}{ending}")
    run = folder.sync()
    assert run.counters.withheld == {reason: 3}
    assert run.message == (
        f"3 of 3 {kind} would go, which is all; if that is right, give --allow-mass-delete"
    )
    assert run.failed
    assert contents(world.rows) == rows
    # One of them back: it was no accident that the others went.
    content = BOX if ending == ".txt" else "{}" if ending.endswith("json") else ""
    world.write(f"a{ending}", content)
    assert folder.plan().withheld == {}
    world.remove(f"a{ending}")
    assert folder.sync(allow_mass_delete=True).counters.changes == {reason: 3}


@on_sqlite
def test_the_last_of_a_kind_may_go(world: World) -> None:
    folder = world.folder()
    folder.sync()
    world.remove("a.txt")
    assert folder.sync().counters.changes == {"sidecar is gone": 1}


@on_sqlite
def test_what_is_back_without_its_sidecar_is_no_accident(world: World) -> None:
    for name in "cd":
        world.labelled(name)
    folder = world.folder()
    folder.sync()
    for name in "cd":
        (world.data / f"{name}.jpg").rename(world.data.parent / name)
        world.remove(f"{name}.txt")
    folder.sync()
    for name in "cd":
        (world.data.parent / name).rename(world.data / f"{name}.jpg")
    # Two of three label rows, as that of a.jpg is there.
    assert folder.sync().counters.changes == {"file is back": 2, "sidecar is gone": 2}


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


@on_sqlite
def test_metadata_is_not_cleared_where_that_looks_like_an_accident(world: World) -> None:
    for number in range(101):
        world.write(f"{number}.jpg", "")
        world.write(f"{number}.jpg.metadata.json", "{}")
    folder = world.folder(metadata_suffix=".metadata.json")
    folder.sync()
    # A slip of the pen: no file is called so.
    folder.configure(metadata_suffix=".metdata.json")
    run = folder.sync()
    assert run.counters.withheld == {"metadata is gone": 101}
    assert str(run.message).startswith("101 of 101 items' metadata would go, more than half")
    assert run.failed
    folder.configure(metadata_suffix=".metadata.json")
    # Under the other suffix these files were data: no file is gone, and the guards are not asked.
    assert folder.sync().counters.changes == {"became a sidecar": 101}
    assert len(list(folder.items("deleted"))) == 101
    world.storages[str(world.data)] = CountingStorage(Incomplete(str(world.data)))
    world.remove("0.jpg.metadata.json")
    assert folder.plan().changes == {"metadata is gone": 1}  # not of the folder that is closed


@on_sqlite
def test_a_batch_reads_a_few_large_metadata_sidecars_only(world: World) -> None:
    for number in range(3):
        world.write(f"{number}.jpg", "")
        world.write(f"{number}.jpg.metadata.json", b"{}" + b" " * 3_000_000)
    run = world.folder(metadata_suffix=".metadata.json").sync()
    # Two are more than four million bytes; then the third, with the label row of a.jpg.
    assert run.counters.upload_jobs_done == 2


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
    world.requests()
    run = folder.sync()
    assert run.counters.changes == {}
    assert world.requests() == {"list": 1}


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


class Dying(LocalStorage):
    """An output whose writer is killed right after it has written or deleted."""

    def put(
        self, key: str, content: bytes | Iterable[bytes], *, unless_changed: str | None = None
    ) -> str:
        super().put(key, content, unless_changed=unless_changed)
        raise KeyboardInterrupt

    def delete(self, keys: Sequence[str]) -> None:
        super().delete(keys)
        raise KeyboardInterrupt


def change_and_die(world: World, folder: SyncedFolder, change: Callable[[], object]) -> None:
    change()
    world.storages[str(world.rows)] = CountingStorage(Dying(str(world.rows)))
    with pytest.raises(KeyboardInterrupt):
        folder.sync()
    del world.storages[str(world.rows)]


@pytest.mark.parametrize("changed", ["sidecar", "options", "no sidecar"])
def test_what_a_killed_sync_has_written_is_known_also_if_all_is_as_it_was_before(
    world: World, changed: str
) -> None:
    folder = world.folder()
    folder.sync()
    rows, path = contents(world.rows), world.data / "a.txt"
    before, content = path.stat(), path.read_bytes()
    changes: dict[str, Callable[[], object]] = {
        "sidecar": lambda: world.write("a.txt", OTHER_BOX),
        "options": lambda: folder.configure(options={"dataset_title": "other"}),
        "no sidecar": path.unlink,
    }
    change_and_die(world, folder, changes[changed])
    assert contents(world.rows) != rows
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    folder.configure(options={"dataset_title": None})
    assert folder.sync().counters.changes == {"an earlier sync did not get to it": 1}
    assert contents(world.rows) == rows
    assert folder.sync().counters.changes == {}


@on_sqlite
def test_a_sync_that_was_asleep_while_another_took_its_place_writes_nothing(world: World) -> None:
    folder = world.folder()
    folder.sync()
    rows = contents(world.rows)

    class Asleep(LocalStorage):
        """A folder whose sidecars take so long to read that another run has the lock then."""

        def fetch(self, keys: Sequence[str], **options: Any) -> Blobs:
            with world.state.write() as connection:
                connection.execute(locks.update().values(run_id=1))
            return super().fetch(keys, **options)

    world.write("a.txt", OTHER_BOX)
    world.storages[str(world.data)] = CountingStorage(Asleep(str(world.data)))
    with pytest.raises(LockedError, match="another took its place"):
        folder.sync()
    assert contents(world.rows) == rows


@on_sqlite
def test_a_sync_whose_place_was_taken_while_it_listed_reports_nothing(world: World) -> None:
    folder = world.folder()
    folder.sync()

    class Asleep(LocalStorage):
        """A folder that takes so long to list that another run has the lock then."""

        def list(self, **options: Any) -> Iterator[Listing]:
            with world.state.write() as connection:
                connection.execute(locks.update().values(run_id=1))
                connection.execute(runs.update().values(status=Status.ERROR.value))
            return super().list(**options)

    world.storages[str(world.data)] = CountingStorage(Asleep(str(world.data)))
    with pytest.raises(LockedError, match="another took its place"):
        folder.sync()
    assert folder.activity(1)[0].status is Status.ERROR


def test_a_sync_can_be_cancelled_between_batches_and_the_next_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelingest.folders.sync.apply._FILES", 3)
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
    world.requests()
    folder.sync()
    assert world.requests() == {"list": 1, "read": 5, "put": 5}
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
    (world.rows / "a.jpg.encord.json").unlink()
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
