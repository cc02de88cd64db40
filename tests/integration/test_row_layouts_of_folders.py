"""Row layout of a synced folder: decided by the first sync that finds label files, and kept."""

import json
import shlex
from collections import Counter
from dataclasses import replace

import pytest

from labelingest.errors import ConfigError
from labelingest.folders import Status, SyncedFolder
from labelingest.folders.state.folders import change_folder, change_settings
from tests.builders.command_line import command_line
from tests.builders.row_layouts import ROW_MAKERS, label_files
from tests.builders.synced import BOX, YOLO, World, boxes, contents, on_sqlite

FILES = 30


def fill(world: World, name: str, files: int = FILES) -> None:
    """Write images and label files of class 0, which is a bounding box, in place of all files."""
    for path in world.data.iterdir():
        path.unlink()
    for key, content in label_files(ROW_MAKERS[name], files, prefix="").items():
        lines = [b"0" + line[1:] for line in content.splitlines()]
        world.write(key, b"\n".join(lines))
        world.image(key.replace(".txt", ".jpg"))


def layout_of(folder: SyncedFolder) -> str:
    stored = SyncedFolder(folder.name, state=folder.state).settings.decided_layout
    return "" if stored is None else stored["flags"]


@on_sqlite
def test_the_first_sync_decides_and_reads_each_label_file_once(world: World) -> None:
    fill(world, "pose 17 x 3")
    folder = world.folder()
    run = folder.sync()
    assert layout_of(folder) == "--row-layout pose --kpt-shape 17 3"
    assert set(Counter(world.touched("read")).values()) == {1}
    assert run.counters.files_read == FILES
    assert run.counters.label_rows_made == FILES
    assert not list(folder.problems())
    folder.sync()
    assert world.touched("read") == []


@on_sqlite
def test_later_rows_contradict_the_layout_and_do_not_change_it(world: World) -> None:
    fill(world, "pose 17 x 3")
    folder = world.folder()
    folder.sync()
    for number in range(3 * FILES):
        world.write(f"later{number}.txt", BOX)
        world.image(f"later{number}.jpg")
    run = folder.sync()
    assert layout_of(folder) == "--row-layout pose --kpt-shape 17 3"
    assert run.counters.files_read == 3 * FILES
    codes = Counter(str(problem.code) for problem in folder.problems())
    assert codes["layout-contradicted"] == 3 * FILES


@on_sqlite
def test_later_boxes_without_confidence_are_read_as_the_table_reads_them(world: World) -> None:
    fill(world, "confidence last")
    folder = world.folder()
    folder.sync()
    assert layout_of(folder) == "--row-layout box+confidence"
    world.labelled("later")
    folder.sync()
    assert not [p for p in folder.problems() if p.source == "later.txt"]
    assert boxes(world, "later.jpg") == [0.375]


@on_sqlite
def test_a_choice_ends_the_run_in_an_error_with_commands_that_settle_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(world, "mixture")
    folder = world.folder()
    with pytest.raises(ConfigError) as refused:
        folder.sync()
    with pytest.raises(ConfigError, match="declare the layout"):
        folder.plan()
    (run,) = folder.activity(1)
    assert (run.status, contents(world.rows), layout_of(folder)) == (Status.ERROR, {}, "")
    lines = [line.strip() for line in str(refused.value).splitlines()]
    choices = [line.partition("  ")[0] for line in lines if line.startswith("labelingest")]
    assert choices == [
        f"labelingest folder configure {folder.name} --row-layout pose --kpt-shape 17 3",
        f"labelingest folder configure {folder.name} --row-layout columns",
    ]
    command = command_line(capsys)
    for choice in choices[1:]:
        assert command(*shlex.split(choice)[1:], "--state", world.state.url).code == 0
    assert folder.sync().status is Status.DONE
    assert layout_of(folder) == ""


@on_sqlite
def test_only_the_setting_auto_decides_again(world: World) -> None:
    fill(world, "pose 17 x 3")
    folder = world.folder()
    folder.sync()
    for path in sorted(world.data.glob("*.txt")):
        world.write(path.name, BOX)
    folder.sync()
    assert layout_of(folder) == "--row-layout pose --kpt-shape 17 3"
    folder.configure(options={"row_layout": "auto"})
    folder.sync()
    assert layout_of(folder) == "--row-layout auto"
    assert not list(folder.problems())


@on_sqlite
def test_the_setting_auto_decides_again_where_nothing_else_has_changed(world: World) -> None:
    fill(world, "boxes")
    folder = world.folder()
    folder.sync()
    folder.configure(options={"row_layout": "auto"})
    assert layout_of(folder) == ""
    assert folder.sync().counters.label_rows_made == 0
    assert layout_of(folder) == "--row-layout auto"


@on_sqlite
def test_a_choice_names_a_folder_as_a_shell_reads_it(world: World) -> None:
    for number in range(FILES):
        world.labelled(f"{number}", "0 .5 .5 .2 .2 .4 .4")
    folder = world.folder("my drive")
    with pytest.raises(ConfigError, match="configure 'my drive' --row-layout pose"):
        folder.sync()


@on_sqlite
def test_auto_takes_a_declared_layout_back_with_its_keypoints(world: World) -> None:
    fill(world, "pose 1 x 3")
    folder = world.folder(options=YOLO | {"row_layout": "pose", "kpt_shape": (1, 3)})
    folder.sync()
    assert layout_of(folder) == ""
    settings = folder.configure(options={"row_layout": "auto"})
    assert not {"row_layout", "kpt_shape"} & settings.options.keys()
    folder.sync()
    assert layout_of(folder) == "--row-layout pose --kpt-shape 1 3"


@on_sqlite
def test_a_folder_without_label_files_decides_when_they_come(world: World) -> None:
    for path in world.data.iterdir():
        path.unlink()
    world.image("a.jpg")
    folder = world.folder()
    folder.sync()
    assert layout_of(folder) == ""
    world.write("b.txt", "")
    world.image("b.jpg")
    folder.sync()
    assert layout_of(folder) == ""
    fill(world, "track")
    folder.sync()
    assert layout_of(folder) == "--row-layout box+track"


@on_sqlite
def test_a_folder_without_rows_of_mapped_classes_decides_when_they_come(world: World) -> None:
    for path in world.data.iterdir():
        path.unlink()
    world.write("a.txt", "999 .5 .5 .1 .1\nnothing to read\n")
    world.image("a.jpg")
    folder = world.folder()
    folder.sync()
    assert layout_of(folder) == ""
    world.touched("read")
    folder.sync()
    assert world.touched("read") == []
    fill(world, "pose 17 x 3")
    folder.sync()
    assert layout_of(folder) == "--row-layout pose --kpt-shape 17 3"
    assert {str(problem.code) for problem in folder.problems()} == set()


@on_sqlite
def test_a_state_of_an_earlier_version_keeps_its_rows_where_the_table_is_right(
    world: World,
) -> None:
    fill(world, "boxes")
    folder = world.folder()
    folder.sync()
    before = contents(world.rows)
    change_settings(
        world.state, folder.record, lambda settings: replace(settings, decided_layout=None)
    )
    change_folder(world.state, folder.record, digest=None)
    run = folder.sync()
    assert layout_of(folder) == "--row-layout auto"
    assert (run.counters.label_rows_made, run.counters.changes) == (0, {})
    assert contents(world.rows) == before


@on_sqlite
def test_a_plan_decides_as_its_sync_does_and_stores_nothing(world: World) -> None:
    fill(world, "track")
    folder = world.folder()
    plan = folder.plan()
    assert layout_of(folder) == ""
    run = folder.apply(plan)
    assert run.status is Status.DONE
    assert layout_of(folder) == "--row-layout box+track"
    assert not folder.plan().changes


@on_sqlite
def test_a_cancelled_run_keeps_its_layout(world: World) -> None:
    fill(world, "track")
    folder = world.folder()
    assert folder.sync(cancelled=lambda: bool(layout_of(folder))).status is Status.CANCELLED
    assert layout_of(folder) == "--row-layout box+track"
    folder.sync()
    assert not list(folder.problems())


@on_sqlite
def test_show_has_the_layout_and_its_evidence(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(world, "track")
    folder = world.folder()
    folder.sync()
    command = command_line(capsys)
    text = command("folder", "show", folder.name, "--state", world.state.url).out
    shown = json.loads(
        command("folder", "show", folder.name, "--json", "--state", world.state.url).out
    )["row_layout"]
    (fact,) = shown["evidence"]
    assert shown["flags"] == "--row-layout box+track"
    assert f"{fact['rows']} of {fact['total']} rows: box + track ID" in text


@on_sqlite
def test_the_kpt_shape_of_a_named_class_list_counts_in_folders_too(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(world, "pose 17 x 3")
    for path in sorted(world.data.glob("*.txt")):
        world.write(path.name, b"0 .5 .5 .4 .4 .45 .6")
    named = world.data.parent / "named.yaml"
    named.write_text("names: [car]\nkpt_shape: [1, 2]\n")
    folder = world.folder()
    configure = ("folder", "configure", folder.name, "--state", world.state.url)
    assert command_line(capsys)(*configure, "--class-list", str(named)).code == 0
    SyncedFolder(folder.name, state=folder.state).sync()
    assert layout_of(folder) == "--row-layout pose --kpt-shape 1 2"
