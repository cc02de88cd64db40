"""What a listing could not look at is not gone: nothing that may be there is deleted, all else is."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from labelingest.folders import Status, SyncedFolder
from labelingest.problems import ProblemCode
from labelingest.storage import LocalStorage
from tests.builders.command_line import command_line
from tests.builders.folders import make_folder, ontology_of
from tests.builders.synced import BOX, CountingStorage, World, contents, on_sqlite

PATTERNS: dict[str, Any] = {"images": ["images/{name}.jpg"], "labels": "labels/{name}.txt"}
NAMES = ("a", "b", "deep/c", "deep/d")


@pytest.fixture
def folder(world: World) -> SyncedFolder:
    """A synced folder with labels in another folder than images; metadata lies beside these."""
    for name in NAMES:
        world.image(f"images/{name}.jpg")
        world.write(f"labels/{name}.txt", BOX)
        world.write(f"images/{name}.jpg.metadata.json", "{}")
    folder = world.folder(options=PATTERNS, metadata_suffix=".metadata.json")
    assert folder.sync().counters.label_rows_made == 4
    return folder


def put_away(world: World, key: str) -> None:
    (world.data / key).rename(world.data.parent / "away")


def dead_link(path: Path) -> None:
    path.symlink_to("/nowhere/at/all")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def link_to_where_it_lies(path: Path) -> None:
    path.symlink_to(".")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/null")


def unix_socket(path: Path) -> None:
    previous = Path.cwd()
    os.chdir(path.parent)  # the path of a socket must be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(previous)


PLACES = [dead_link, link_to_itself, link_to_where_it_lies, pipe, device, unix_socket]


@pytest.mark.parametrize("place", PLACES)
@on_sqlite
def test_label_rows_whose_sidecars_a_place_may_hide_stay_and_others_go(
    world: World, folder: SyncedFolder, place: Callable[[Path], None]
) -> None:
    rows = contents(world.rows)
    put_away(world, "labels/deep")
    place(world.data / "labels/deep")
    world.remove("labels/a.txt")
    plan = folder.plan()
    assert plan.changes == {"sidecar is gone": 1}
    assert plan.withheld == {"sidecar is gone": 2}
    assert plan.why_withheld.startswith("the listing is not complete: 'labels/deep' (")
    # The option is for what is gone, not for what nobody has looked at.
    run = folder.sync(allow_mass_delete=True)
    assert run.counters.changes == {"sidecar is gone": 1}
    assert (run.counters.withheld, run.counters.places_not_listed) == ({"sidecar is gone": 2}, 1)
    assert (run.status, run.failed) == (Status.DONE, True)
    del rows["images/a.jpg.encord.json"]
    assert contents(world.rows) == rows
    # It is looked at again, also when nothing else has changed.
    assert folder.sync().counters.withheld == {"sidecar is gone": 2}
    (world.data / "labels/deep").unlink()
    assert folder.plan(allow_mass_delete=True).changes == {"sidecar is gone": 2}
    (world.data.parent / "away").rename(world.data / "labels/deep")
    assert folder.sync().failed is False
    assert contents(world.rows) == rows


def test_a_dead_link_in_the_place_of_all_labels_deletes_nothing(
    world: World, folder: SyncedFolder
) -> None:
    rows = contents(world.rows)
    put_away(world, "labels")
    dead_link(world.data / "labels")
    world.remove("images/a.jpg")
    run = folder.sync()
    # The label row of a hidden item is kept in any case.
    assert run.counters.changes == {"file is gone": 1}
    assert run.counters.withheld == {"sidecar is gone": 3}
    assert contents(world.rows) == rows


def test_items_and_metadata_below_a_place_stay(world: World, folder: SyncedFolder) -> None:
    put_away(world, "images/deep")
    dead_link(world.data / "images/deep")
    world.remove("images/b.jpg")
    world.remove("images/a.jpg.metadata.json")
    run = folder.sync(allow_mass_delete=True)
    assert run.counters.changes == {"file is gone": 1, "metadata is gone": 1}
    assert run.counters.withheld == {"file is gone": 2}
    assert len(list(folder.items())) == 3 + 3  # with what lay there already


def test_a_metadata_sidecar_that_is_a_dead_link_clears_nothing(
    world: World, folder: SyncedFolder
) -> None:
    for name in ("a", "b"):
        world.remove(f"images/{name}.jpg.metadata.json")
    dead_link(world.data / "images/a.jpg.metadata.json")
    run = folder.sync()
    assert run.counters.changes == {"metadata is gone": 1}
    assert run.counters.withheld == {"metadata is gone": 1}


@on_sqlite
def test_places_beside_what_is_gone_hide_nothing(world: World, folder: SyncedFolder) -> None:
    world.remove("labels/a.txt")
    for key in ("labels/a.tx", "labels/a.txt2", "labels/a", "labels.txt", "images/a.jpg.encord"):
        dead_link(world.data / key)
    run = folder.sync()
    assert run.counters.changes == {"sidecar is gone": 1}
    assert (run.counters.withheld, run.failed) == ({}, False)
    assert run.counters.places_not_listed == 5


def test_a_name_that_cannot_be_decoded_hides_what_is_not_ascii_in_its_folder(
    world: World,
) -> None:
    for name in ("café", "plain", "other"):
        world.image(f"büro/{name}.jpg")
        world.write(f"büro/{name}.txt", BOX)
        world.image(f"{name}.jpg")
    folder = world.folder()
    folder.sync()
    # A disk that was mounted with another character set.
    for ending in ("jpg", "txt"):
        foreign = os.fsdecode(os.fsencode(world.data / "büro") + b"/caf\xe9." + ending.encode())
        (world.data / f"büro/café.{ending}").rename(foreign)
    for key in ("büro/plain.jpg", "café.jpg"):
        world.remove(key)
    run = folder.sync()
    assert run.counters.changes == {"file is gone": 2}
    assert run.counters.withheld == {"file is gone": 1}
    deleted = [item["name"] for item in folder.items("deleted")]
    assert deleted == ["büro/plain.jpg", "café.jpg"]


@on_sqlite
def test_links_that_are_not_followed_hide_what_was_there(world: World) -> None:
    for name in NAMES:
        world.labelled(name)
    folder = world.folder(follow_symlinks=False)
    world.storage.inner = LocalStorage(str(world.data), follow_symlinks=False)
    folder.sync()
    put_away(world, "deep")
    (world.data / "deep").symlink_to(world.data.parent / "away")
    run = folder.sync(allow_mass_delete=True)
    assert (run.counters.changes, run.counters.withheld) == ({}, {"file is gone": 2})


@on_sqlite
def test_what_vanishes_while_its_folder_is_read_is_not_gone(
    world: World, folder: SyncedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside = world.data.parent / "aside"
    scandir = os.scandir

    def flickering(path: bytes | int) -> Any:
        if isinstance(path, int):
            return scandir(path)
        with scandir(path) as entries:
            found: Iterator[Any] = iter(list(entries))
        if path.endswith(b"labels/"):
            (world.data / "labels/a.txt").rename(aside)
        return nullcontext(found)

    with monkeypatch.context() as patch:
        patch.setattr("labelingest.storage.local.walk.os.scandir", flickering)
        world.remove("labels/b.txt")
        run = folder.sync()
    assert run.counters.changes == {"sidecar is gone": 1}
    assert run.counters.withheld == {"sidecar is gone": 1}
    aside.rename(world.data / "labels/a.txt")
    assert folder.sync().failed is False
    assert len(contents(world.rows)) == 3


def test_many_places_take_no_more_statements_than_one(world: World, folder: SyncedFolder) -> None:
    def statements() -> int:
        asked: list[str] = []

        def note(_c: Any, _u: Any, statement: str, *_: Any) -> None:
            asked.append(statement)

        sa.event.listen(world.state.engine, "before_cursor_execute", note)
        try:
            assert folder.plan().withheld == {"sidecar is gone": 1}
        finally:
            sa.event.remove(world.state.engine, "before_cursor_execute", note)
        return len(asked)

    world.remove("labels/a.txt")
    dead_link(world.data / "labels/a.txt")
    one = statements()
    for number in range(3_000):
        dead_link(world.data / f"labels/{number:04}.txt")
    assert statements() == one


@on_sqlite
def test_plan_sync_and_show_say_what_was_not_looked_at(
    world: World, folder: SyncedFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    put_away(world, "labels")
    dead_link(world.data / "labels")
    run = command_line(capsys)
    state = ("--state", world.state.url)
    why = "the listing is not complete: 'labels' (broken-link) may hide files"
    planned = run("folder", "plan", "drive", *state)
    assert "not deleted (sidecar is gone 4)" in planned.out
    assert why in planned.out
    synced = run("folder", "sync", "drive", *state)
    assert (synced.code, why in synced.err) == (1, True)
    assert "1 place could not be listed" in synced.err
    shown = run("folder", "show", "drive", *state).out
    assert why in shown
    assert "broken-link 1" in shown


def test_every_problem_of_a_listing_is_one_that_may_hide_files() -> None:
    """Whoever adds a problem to a listing decides what it means for deletions."""
    sources = Path("labelingest/storage")
    root = Path(__file__).parents[2]
    text = "".join(
        (root / sources / f"{name}.py").read_text()
        for name in ("local/walk", "cloud/listing", "cloud/stream")
    )
    used = {code for code in ProblemCode if f"ProblemCode.{code.name}" in text}
    assert used
    assert {code for code in used if not code.hides_files} <= {ProblemCode.BAD_DATE}


@on_sqlite
def test_an_in_step_folder_sees_that_a_place_is_mended(world: World, folder: SyncedFolder) -> None:
    dead_link(world.data / "elsewhere")
    folder.sync()
    assert folder.summary().problems == {"broken-link": 1}
    (world.data / "elsewhere").unlink()
    assert folder.sync().counters.changes == {}
    assert folder.summary().problems == {}


def test_convert_says_what_could_not_be_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = {"image": [64, 48]}
    data = make_folder(
        tmp_path / "data",
        {
            "images/a.jpg": image,
            "images/b.jpg": image,
            "labels/a.txt": BOX,
            "labels/b.txt": {"link": "/nowhere/b.txt"},
        },
    )
    ontology = tmp_path / "ontology.json"
    ontology.write_text(json.dumps(ontology_of(car=(0, "bounding_box"))))
    ran = command_line(capsys)(
        *("convert", str(data), "--ontology", str(ontology), "--out", str(tmp_path / "o.jsonl")),
        *("--images", "images/{n}.jpg", "--labels", "labels/{n}.txt"),
    )
    assert "1 place could not be listed" in ran.err


@on_sqlite
def test_an_unreadable_folder_hides_what_is_in_it_alone(world: World, folder: SyncedFolder) -> None:
    class Closed(LocalStorage):
        """A folder whose labels/deep refuses to be listed, as for a user without permission."""

        def list(self, **options: Any) -> Iterator[Any]:
            opened = os.scandir

            def refusing(path: bytes | int) -> Any:
                if isinstance(path, bytes) and path.endswith(b"labels/deep/"):
                    raise PermissionError(13, "Permission denied")
                return opened(path)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("labelingest.storage.local.walk.os.scandir", refusing)
                yield from super().list(**options)

    world.remove("labels/a.txt")
    world.storages[str(world.data)] = CountingStorage(Closed(str(world.data)))
    run = folder.sync()
    assert run.counters.changes == {"sidecar is gone": 1}
    assert run.counters.withheld == {"sidecar is gone": 2}
    assert run.counters.scan_pages_processing_error == 1
