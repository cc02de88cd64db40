"""Patterns that pair nothing although label files are there; deletions that are allowed once."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from labelingest.errors import ConfigError
from labelingest.folders import Status, SyncedFolder
from tests.builders.command_line import command_line
from tests.builders.folders import image_bytes
from tests.builders.synced import BOX, ONTOLOGY, World, contents, on_sqlite

PATTERNS: dict[str, Any] = {"images": ["images/{name}.jpg"], "labels": "labels/{name}.txt"}
SLIP: dict[str, Any] = {"labels": "lables/{name}.txt"}


@pytest.fixture
def folder(world: World) -> SyncedFolder:
    for name in "abc":
        world.image(f"images/{name}.jpg")
        world.write(f"labels/{name}.txt", BOX)
    folder = world.folder(options=PATTERNS)
    folder.sync()
    return folder


@on_sqlite
def test_patterns_that_pair_nothing_are_refused_where_label_files_are(
    world: World, folder: SyncedFolder
) -> None:
    with pytest.raises(ConfigError, match=r"but files end with '\.txt', as 'a\.txt'") as refused:
        folder.configure(options=SLIP)
    assert "near miss: " in str(refused.value)
    assert folder.settings.options["labels"] == PATTERNS["labels"]
    with pytest.raises(ConfigError, match="no data file in"):
        world.folder("other", output=f"{world.rows}2", options=PATTERNS | SLIP)


@on_sqlite
def test_a_sync_whose_patterns_suddenly_pair_nothing_ends_in_error(
    world: World, folder: SyncedFolder
) -> None:
    rows = contents(world.rows)
    (world.data / "labels").rename(world.data / "annotations")
    for ask in (folder.sync, folder.plan):
        with pytest.raises(ConfigError, match="near miss: "):
            ask()
    assert folder.activity(1)[0].status is Status.ERROR
    assert contents(world.rows) == rows
    run = folder.sync(allow_mass_delete=True)
    assert run.counters.changes["sidecar is gone"] == 3


@on_sqlite
def test_a_folder_without_any_label_file_yet_is_none_of_a_slip(world: World) -> None:
    world.remove("a.txt")
    world.write("classes.txt", "car")
    world.write("labels.txt", "car")
    folder = world.folder()
    assert folder.sync().counters.changes == {"new file": 2}


@on_sqlite
def test_a_folder_without_any_label_file_yet_is_created_with_a_notice(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    run, state = command_line(capsys), ("--state", world.state.url)
    ontology = world.data.parent / "ontology.json"
    ontology.write_text(json.dumps(ONTOLOGY))
    patterns = ("--images", "{name}.jpg", "--labels", "{name}.txt", "--ontology", str(ontology))
    for name, said in (("without", True), ("with", False)):
        data = world.data.parent / name
        data.mkdir()
        (data / "a.jpg").write_bytes(image_bytes(8, 8))
        if not said:
            (data / "a.txt").write_text(BOX)
        places = ("--storage-path", str(data), "--output", str(world.data.parent / f"{name}-rows"))
        created = run("folder", "create", name, *places, *patterns, "--format", "yolo", *state)
        assert created.code == 0
        notice = "without: no data file in"
        assert (notice in created.err, "yet: items come without" in created.err) == (said, said)
        assert notice not in created.out


@on_sqlite
def test_labels_that_were_removed_stay_in_the_output_until_that_is_meant(
    world: World, folder: SyncedFolder
) -> None:
    rows = contents(world.rows)
    for name in "abc":
        world.remove(f"labels/{name}.txt")
    run = folder.sync()
    assert run.counters.withheld == {"sidecar is gone": 3}
    assert contents(world.rows) == rows


@on_sqlite
def test_a_mass_deletion_can_be_allowed_once(
    world: World, folder: SyncedFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    run, state = command_line(capsys), ("--state", world.state.url)
    assert run("folder", "configure", "drive", "--allow-mass-delete", *state).code == 0
    # What needs it not leaves it as it is.
    world.image("images/d.jpg")
    assert run("folder", "sync", "drive", *state).code == 0
    assert "allowed for the next sync" in run("folder", "show", "drive", *state).out
    for name in "abc":
        world.remove(f"labels/{name}.txt")
    assert run("folder", "sync", "drive", *state).code == 0
    assert [path for path in contents(world.rows) if Path(path).match("images/*.json")] == []
    assert "allowed for the next sync" not in run("folder", "show", "drive", *state).out
    for name in "ab":
        world.write(f"labels/{name}.txt", BOX)
    folder.sync()
    for name in "ab":
        world.remove(f"labels/{name}.txt")
    assert run("folder", "sync", "drive", *state).code == 1


@on_sqlite
def test_what_a_refusal_says_helps_when_it_is_done(
    world: World, folder: SyncedFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    run, state = command_line(capsys), ("--state", world.state.url)
    wrong = ("folder", "configure", "drive", "--labels", "nope/{name}.txt", *state)
    assert run(*wrong).code == 2
    meant = run(*wrong, "--allow-mass-delete")
    assert (meant.code, folder.sync().status.value) == (0, "done")
    with pytest.raises(ConfigError, match="create the folder without --images and --labels"):
        world.folder(
            "other", output=f"{world.rows}2", options=PATTERNS | {"labels": "nope/{name}.txt"}
        )


@on_sqlite
def test_patterns_that_pair_nothing_where_label_rows_are_are_refused(
    world: World, folder: SyncedFolder
) -> None:
    rows = contents(world.rows)
    with pytest.raises(ConfigError, match="but it has label rows: nothing was changed; mend"):
        folder.configure(options={"labels": "labels/{name}.lbl"})
    assert folder.sync().counters.changes == {}
    assert contents(world.rows) == rows


# --- without any image, and with a single label file ---


@on_sqlite
def test_label_files_without_any_image_refuse_the_patterns_of_a_new_folder(world: World) -> None:
    world.remove("a.txt")
    for image in ("a.jpg", "b.jpg"):
        world.remove(image)
    for name in "abc":
        world.write(f"labels/{name}.txt", BOX)
    for patterns in (PATTERNS, PATTERNS | SLIP):
        with pytest.raises(ConfigError, match=r"as 'labels/a\.txt' \(3 of them\)"):
            world.folder(options=patterns)
    folder = world.folder(options=PATTERNS | SLIP, allow_mass_delete=True)
    folder.configure(allow_mass_delete=False)
    with pytest.raises(ConfigError, match="labelingest folder configure drive, or give --allow"):
        folder.sync()
    run = folder.activity(1)[0]
    assert (run.status, run.counters.changes, run.books) == (Status.ERROR, {}, None)
    assert list(folder.items("all")) == []


@on_sqlite
def test_a_single_label_file_is_a_mistake_only_with_a_near_miss(world: World) -> None:
    world.remove("a.txt")
    world.image("images/c.jpg")
    world.write("annotations/c.txt", BOX)
    with pytest.raises(ConfigError, match="but a file ends with") as refused:
        world.folder(options=PATTERNS)
    assert "use --images 'images/{name}.jpg' --labels 'annotations/{name}.txt'" in str(
        refused.value
    )
    world.remove("annotations/c.txt")
    world.write("notes/of today.txt", "a text")
    folder = world.folder(options=PATTERNS)
    assert "yet: items come without label rows until there is one" in folder.notice
    assert folder.sync().counters.changes == {"new file": 4}


@on_sqlite
def test_ambiguous_pairs_alone_are_no_mistake_of_the_patterns(world: World) -> None:
    for name in "ab":
        world.image(f"{name}.png")
        world.write(f"{name}.txt", BOX)
    options = {"images": ["{name}.jpg", "{name}.png"], "labels": "{name}.txt"}
    run = world.folder(options=options).sync()
    assert run.books is not None
    assert run.books.keys["ambiguous"] == 4
    assert run.books.files_with_errors == 2


# --- suffixes ---


@pytest.fixture
def sidecars(world: World) -> dict[str, Any]:
    world.remove("a.txt")
    row = json.dumps({"label_hash": "0", "data_units": {}})
    world.write("a.jpg.labels.json", row)
    return {"format": "encord", "options": {}}


@on_sqlite
def test_a_suffix_is_refused_where_label_rows_have_another(
    world: World, sidecars: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=r"as 'a\.jpg\.labels\.json': .*; give --suffix"):
        world.folder(**sidecars)
    folder = world.folder(**sidecars | {"options": {"suffix": ".labels.json"}})
    assert folder.notice == ""
    folder.sync()
    with pytest.raises(ConfigError, match="ends with"):
        folder.configure(options={"suffix": ".label.json"})


@on_sqlite
def test_metadata_beside_data_files_is_no_label_row_of_another_suffix(
    world: World, sidecars: dict[str, Any]
) -> None:
    world.write("a.jpg.labels.json", '{"speed": 7}')
    folder = world.folder(**sidecars)
    assert folder.notice.startswith("no data file in ")
    assert folder.sync().counters.changes == {"new file": 3}


@on_sqlite
def test_sidecars_named_after_the_stem_refuse_the_suffix(
    world: World, sidecars: dict[str, Any]
) -> None:
    world.remove("a.jpg.labels.json")
    world.write("a.encord.json", "{}")
    with pytest.raises(ConfigError, match=r"mv -- .*a\.jpg\.encord\.json"):
        world.folder(**sidecars)


@on_sqlite
def test_a_notice_names_the_rule_of_the_other_format_that_would_pair(
    world: World, sidecars: dict[str, Any]
) -> None:
    world.remove("a.jpg.labels.json")
    world.write("a.txt", BOX)
    folder = world.folder(**sidecars)
    assert "; 1 would pair by --images '{name}.jpg' --labels '{name}.txt'" in folder.notice


@on_sqlite
def test_names_that_a_tool_changed_are_renamed_by_the_commands_of_the_refusal(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        world.image(f"images/{name}.jpg")
        world.write(f"labels/1c2d3e4f-{name}.txt", BOX)
    with pytest.raises(ConfigError, match="as Label Studio writes names") as refused:
        world.folder(options=PATTERNS)
    command = str(refused.value).partition("and so on; ")[2].partition(" prints ")[0]
    renames = command_line(capsys)(*shlex.split(command)[1:]).out
    subprocess.run(["sh", "-c", renames], check=True)
    assert world.folder(options=PATTERNS).sync().counters.upload_jobs_units_done > 0
    assert len(contents(world.rows)) > 1
