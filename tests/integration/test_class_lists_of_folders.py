"""Class lists in the storage path of a synced folder: compared before anything is written."""

import json
from pathlib import Path

import pytest

from labelingest.errors import ConfigError
from labelingest.folders import Status, SyncedFolder
from labelingest.folders.state.class_lists import list_answers
from labelingest.folders.state.tables import class_lists
from tests.builders.command_line import command_line
from tests.builders.folders import ontology_of
from tests.builders.synced import ONTOLOGY, YOLO, World, contents, on_sqlite

AGREES = "names: [car, lake, ship]\n"
SWAPPED = "names: [lake, car, ship]\n"
RENAMED = "names: [car, lake, boat]\n"
CHANGED = ontology_of(
    car=(1, "bounding_box"), lake=(0, "polygon"), ship=(2, "rotatable_bounding_box")
)


def sync_refused(folder: SyncedFolder) -> str:
    with pytest.raises(ConfigError) as refused:
        folder.sync()
    return str(refused.value)


def test_a_list_that_disagrees_ends_a_sync_before_anything_is_written(world: World) -> None:
    world.write("data.yaml", SWAPPED)
    folder = world.folder()
    message = sync_refused(folder)
    assert message.splitlines()[0] == (
        "data.yaml disagrees with the ontology: the names of 0 and 1 are swapped"
    )
    assert "0       lake        car       1" in message.splitlines()
    assert "labelingest folder configure drive --ontology FILE" in message
    with pytest.raises(ConfigError, match="are swapped"):
        folder.plan()
    (run,) = folder.activity(1)
    assert (run.status, contents(world.rows)) == (Status.ERROR, {})


def test_a_list_is_read_when_its_token_is_new_and_not_again(world: World) -> None:
    world.write("data.yaml", AGREES)
    folder = world.folder()
    assert folder.sync().counters.files_read == 2
    world.touched("read")
    books = folder.sync().books
    assert world.touched("read") == []
    assert books is not None
    assert [
        (used["source"], used["label_files"], used["summary"])
        for used in books.to_wire()["classLists"]["compared"]
    ] == [("data.yaml", 1, "3 of 3 names agree")]
    world.write("a.txt", "0 0.5 0.5 0.1 0.1")
    folder.sync()
    assert world.touched("read") == ["a.txt"]
    world.write("data.yaml", RENAMED)
    run = folder.sync()
    assert world.touched("read") == ["data.yaml"]
    assert (run.status, run.counters.changes) == (Status.DONE, {})
    assert [problem.code for problem in folder.problems()] == ["class-name-differs"]


def test_the_state_forgets_a_list_that_is_gone(world: World) -> None:
    world.write("data.yaml", AGREES)
    world.write("notes.json", '{"categories": [{"id": 0, "name": "car"}]}')
    world.write("obj.data", "names = gone.names")
    folder = world.folder()
    folder.sync()
    with world.state.read() as connection:
        answers = list_answers(connection, 1)
    assert set(answers) == {"data.yaml", "notes.json", "obj.data"}
    world.remove("data.yaml")
    folder.sync()
    with world.state.read() as connection:
        assert list_answers(connection, 1) == {key: answers[key] for key in sorted(answers)[1:]}
    folder.delete(purge=True)


@on_sqlite
@pytest.mark.parametrize(
    "answer", ["{", "[]", '{"names": 1}', '{"names": {"x": "car"}}', '{"problem": {"code": "x"}}']
)
def test_a_damaged_answer_of_the_state_is_read_again(world: World, answer: str) -> None:
    world.write("data.yaml", AGREES)
    folder = world.folder()
    folder.sync()
    with world.state.write() as connection:
        connection.execute(class_lists.update().values(answer=answer))
    world.touched("read")
    world.write("a.txt", "0 0.5 0.5 0.1 0.1")
    assert folder.sync().status is Status.DONE
    assert world.touched("read") == ["a.txt", "data.yaml"]


@on_sqlite
def test_an_ontology_that_was_swapped_between_two_syncs_is_refused(world: World) -> None:
    world.write("data.yaml", AGREES)
    folder = world.folder()
    folder.sync()
    rows = contents(world.rows)
    folder.configure(ontology=CHANGED, accept_class_changes=True)
    assert "the names of 0 and 1 are swapped" in sync_refused(folder)
    assert contents(world.rows) == rows
    folder.configure(ontology=ONTOLOGY, accept_class_changes=True)
    assert folder.sync().status is Status.DONE


@on_sqlite
def test_accepted_names_are_kept_with_the_folder_and_rebuild_nothing(world: World) -> None:
    world.write("data.yaml", AGREES)
    folder = world.folder()
    folder.sync()
    world.write("data.yaml", SWAPPED)
    sync_refused(folder)
    folder.configure(options={"accept_class_names": True})
    run = folder.sync()
    assert (run.status, run.counters.changes, list(folder.problems())) == (Status.DONE, {}, [])
    folder.configure(options={"accept_class_names": False})
    sync_refused(folder)


@on_sqlite
def test_a_named_list_is_kept_with_its_names(world: World, tmp_path: Path) -> None:
    world.write("data.yaml", SWAPPED)
    names = {"source": "right.txt", "names": {"0": "car", "1": "lake", "2": "ship"}}
    folder = world.folder(class_list=names)
    world.touched("read")
    folder.sync()
    assert world.touched("read") == ["a.txt"]
    folder.configure(class_list={**names, "names": {"0": "lake", "1": "car"}})
    assert "right.txt disagrees" in sync_refused(folder)
    folder.configure(class_list=None, options={"no_class_list": True})
    assert folder.sync().status is Status.DONE


@on_sqlite
@pytest.mark.parametrize(
    "class_list",
    [{}, {"source": "a"}, {"source": "a", "names": {}}, {"source": "a", "names": {"x": "car"}}],
)
def test_a_named_list_needs_names_by_class_number(world: World, class_list: object) -> None:
    with pytest.raises(ConfigError, match=r"class_list: .*expected"):
        world.folder(class_list=class_list)


@on_sqlite
def test_a_list_that_cannot_be_read_is_a_warning(world: World) -> None:
    world.write("data.yaml", 'names: ["\\ud83d"]')
    folder = world.folder()
    assert folder.sync().status is Status.DONE
    (problem,) = folder.problems()
    assert (problem.code, problem.line) == ("class-list-unreadable", 1)
    assert "half a surrogate pair" in problem.detail


@on_sqlite
def test_lists_below_an_excluded_output_and_folders_without_labels_are_left_alone(
    world: World,
) -> None:
    world.write("data.yaml", SWAPPED)
    folder = world.folder(format=None, ontology=None, options={}, metadata_suffix=".meta.json")
    assert folder.sync().status is Status.DONE
    assert world.touched("read") == []


@on_sqlite
def test_the_command_line_sets_a_list_by_its_file(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = command_line(capsys)
    (tmp_path / "ontology.json").write_text(json.dumps(ONTOLOGY))
    (tmp_path / "classes.txt").write_text("lake\ncar\nship\n")
    state = ["--state", world.state.url]
    create = ["folder", "create", "drive", "--storage-path", str(world.data), *state]
    create += ["--output", str(world.rows), "--ontology", str(tmp_path / "ontology.json")]
    create += ["--images", YOLO["images"][0], "--labels", YOLO["labels"]]
    assert run(*create, "--class-list", str(tmp_path / "classes.txt")).code == 0
    done = run("folder", "sync", "drive", *state)
    assert done.code == 2
    assert "labelingest: 0       lake        car       1\n" in done.err
    assert "(labelingest folder configure drive --ontology FILE)" in done.err
    shown = run("folder", "activity", "drive", *state)
    assert "are swapped" in shown.out
    configure = ["folder", "configure", "drive", *state]
    assert run(*configure, "--accept-class-names").code == 0
    synced = run("folder", "sync", "drive", *state)
    assert synced.code == 0
    assert "classes.txt (1 label file): 1 of 3 names agree" in synced.err + synced.out
    assert run(*configure, "--check-class-names").code == 0
    assert run("folder", "sync", "drive", *state).code == 2
    assert run(*configure, "--class-list", "").code == 0
    assert run("folder", "sync", "drive", *state).code == 0
