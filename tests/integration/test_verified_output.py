"""Label rows that somebody deleted from the output: noticed where it is looked at, made anew as they were."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from labelingest.errors import StorageError
from labelingest.folders import DriftError, Plan, State, SyncedFolder
from tests.builders.synced import Incomplete, World, contents

REASON = "label row is missing from the output"
BOX = "0 0.5 0.5 0.25 0.5"
# Two corners are the width; 64 × 48 pixels.
TURNED = "2 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75"


@pytest.fixture
def world(tmp_path: Path, state_url: str) -> Iterator[World]:
    with State(state_url) as state:
        world = World(tmp_path, state)
        for name in ("a", "b", "inner/ü"):
            world.labelled(name)
        world.image("unlabelled.jpg")
        yield world


def delete_rows(world: World, *names: str) -> None:
    for name in names:
        (world.rows / f"{name}.jpg.encord.json").unlink()


def test_missing_label_rows_are_made_as_they_were_and_no_others(
    world: World, folder: SyncedFolder
) -> None:
    rows = contents(world.rows)
    delete_rows(world, "a", "inner/ü")
    assert folder.plan().changes == {}
    assert folder.plan(verify_output=True).changes == {REASON: 2}
    world.requests()
    run = folder.sync(verify_output=True)
    assert run.counters.changes == {REASON: 2}
    # The storage path and the output; the label row that is there, and two sidecars.
    assert world.requests() == {"list": 2, "read": 1 + 2, "put": 2}
    assert contents(world.rows) == rows
    assert folder.plan(verify_output=True).changes == {}


def test_where_nothing_is_missing_both_are_listed_and_the_label_rows_are_read(
    world: World, folder: SyncedFolder
) -> None:
    assert folder.sync(verify_output=True).counters.changes == {}
    assert world.requests() == {"list": 2, "read": 3}


def test_all_label_rows_are_missing_from_an_output_that_is_gone(
    world: World, folder: SyncedFolder
) -> None:
    rows = contents(world.rows)
    shutil.rmtree(world.rows)
    assert folder.sync(verify_output=True).counters.changes == {REASON: 3}
    assert contents(world.rows) == rows


def test_what_is_made_anew_or_removed_for_another_reason_is_not_missing(
    world: World, folder: SyncedFolder
) -> None:
    delete_rows(world, "a", "b", "inner/ü")
    world.write("a.txt", BOX + "\n" + BOX)
    world.remove("b.txt")
    world.remove("inner/ü.jpg")
    assert folder.plan(verify_output=True).changes == {
        "file is gone": 1,
        "sidecar changed": 1,
        "sidecar is gone": 1,
    }


def test_a_missing_row_is_made_also_where_its_image_was_replaced_by_one_of_the_same_size(
    world: World,
) -> None:
    world.write("a.txt", TURNED)
    folder = world.folder()
    folder.sync()
    rows = contents(world.rows)
    delete_rows(world, "a")
    world.image("a.jpg", (64, 48))
    folder.sync(verify_output=True)
    assert contents(world.rows) == rows


def test_a_kept_plan_with_missing_rows_is_carried_out_or_refused(
    world: World, folder: SyncedFolder, tmp_path: Path
) -> None:
    rows = contents(world.rows)
    delete_rows(world, "a")
    folder.plan(save=str(tmp_path / "plan"), verify_output=True)
    plan = Plan.load(str(tmp_path / "plan"))
    delete_rows(world, "b")
    with pytest.raises(DriftError, match="the output of 'drive' has changed"):
        folder.apply(plan)
    folder.apply(folder.plan(verify_output=True))
    assert contents(world.rows) == rows


def test_of_an_output_that_cannot_be_listed_whole_nothing_is_said_to_be_missing(
    world: World, folder: SyncedFolder
) -> None:
    delete_rows(world, "a")
    world.storages[str(world.rows)].inner = Incomplete(str(world.rows))
    with pytest.raises(
        StorageError, match="missing label rows are unknown: inner: unreadable-folder"
    ):
        folder.sync(verify_output=True)
