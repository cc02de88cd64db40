"""Synced folders on the command line when something is not as it should be."""

import json
import shutil
from pathlib import Path

import pytest

from tests.builders.command_line import Ran, Run, command_line
from tests.builders.folders import image_bytes
from tests.builders.states import new_sqlite
from tests.builders.synced import BOX, ONTOLOGY

LABELS = ("--ontology", "ontology.json", "--images", "{name}.jpg", "--labels", "{name}.txt")
PLACES = ("--storage-path", "data", "--output", "out/rows")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABELINGEST_STATE", new_sqlite(tmp_path / "state.sqlite"))
    monkeypatch.setenv("COLUMNS", "300")
    Path("data").mkdir()
    for name in "abc":
        Path(f"data/{name}.jpg").write_bytes(image_bytes(64, 48))
        Path(f"data/{name}.txt").write_text(BOX)
    Path("ontology.json").write_text(json.dumps(ONTOLOGY))
    return command_line(capsys)


def create(run: Run, *options: str) -> Ran:
    return run("folder", "create", "f", *PLACES, *LABELS, *options)


def test_a_quiet_sync_speaks_where_something_is_wrong(run: Run) -> None:
    create(run)
    ran = run("folder", "sync", "f", "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    Path("data/a.txt").write_text("nonsense")
    ran = run("folder", "sync", "f", "--quiet")
    assert (ran.code, "1 error, " in ran.err) == (1, True)


def test_a_quiet_sync_with_strict_speaks_of_warnings(run: Run) -> None:
    create(run)
    Path("data/a.txt").write_text(f"{BOX}\n{BOX}\n")
    ran = run("folder", "sync", "f", "--quiet", "--strict")
    assert (ran.code, "1 warning in this run;" in ran.err) == (1, True)


def test_label_rows_that_an_export_cannot_read_are_counted_and_named(run: Run) -> None:
    create(run)
    run("folder", "sync", "f")
    Path("out/rows/a.jpg.encord.json").unlink()
    ran = run("folder", "export", "f", "--out", "rows.jsonl")
    assert ran.code == 3
    assert "'rows.jsonl' has 2 label rows, and 1 are missing" in ran.err
    assert "'a.jpg.encord.json': it cannot be read: no such file or folder" in ran.err
    assert len(Path("rows.jsonl").read_bytes().splitlines()) == 2
    run("folder", "sync", "f", "--verify-output")
    assert run("folder", "export", "f", "--out", "rows.jsonl").code == 0
    assert len(Path("rows.jsonl").read_bytes().splitlines()) == 3


def test_an_output_that_was_removed_is_made_anew_as_the_message_says(run: Run) -> None:
    create(run)
    run("folder", "sync", "f")
    shutil.rmtree("out/rows")
    for words in (("sync", "f"), ("sync", "f", "--verify-output")):
        ran = run("folder", *words)
        assert ran.code == 3
        assert "make the folder again: labelingest folder sync --verify-output" in ran.err
    Path("out/rows").mkdir()
    assert run("folder", "sync", "f", "--verify-output").code == 0
    assert len(list(Path("out/rows").glob("*.encord.json"))) == 3


def test_problems_of_hidden_items_are_left_out_until_their_files_are_back(run: Run) -> None:
    create(run)
    Path("data/a.txt").write_text("nonsense")
    run("folder", "sync", "f")
    problems = run("folder", "problems", "f").out
    assert "a.txt" in problems
    Path("away").mkdir()
    for name in ("a.jpg", "a.txt"):
        Path(f"data/{name}").rename(f"away/{name}")
    run("folder", "sync", "f")
    assert run("folder", "problems", "f").out == ""
    assert json.loads(run("folder", "show", "f", "--json").out)["problems"] == {}
    for name in ("a.jpg", "a.txt"):
        Path(f"away/{name}").rename(f"data/{name}")
    run("folder", "sync", "f")
    assert run("folder", "problems", "f").out == problems


def test_a_deleted_folder_is_shown_as_deleted(run: Run) -> None:
    create(run, "--auto-sync")
    run("folder", "delete", "f")
    shown = run("folder", "show", "f").out
    assert "none: deleted at " in shown
    assert "restore it with labelingest folder restore f" in shown
    assert "every 24 h" not in shown
    assert "  deleted  " in run("folder", "list", "--deleted").out
    [listed] = json.loads(run("folder", "list", "--deleted", "--json").out)["folders"]
    assert (listed["due_at"], listed["deleted_at"][:2]) == (None, "20")
    run("folder", "restore", "f")
    [listed] = json.loads(run("folder", "list", "--json").out)["folders"]
    assert listed["due_at"] is not None
    assert listed["deleted_at"] is None


def test_items_are_listed_while_storage_path_and_output_are_away(run: Run) -> None:
    create(run)
    run("folder", "sync", "f")
    before = run("folder", "items", "f", "--json").out
    assert before.count("\n") == 3
    Path("data").rename("elsewhere")
    shutil.rmtree("out")
    assert run("folder", "items", "f", "--json").out == before


@pytest.mark.parametrize("name", ["f", "two\nlines"])
def test_a_creation_that_is_refused_leaves_no_folder_behind(run: Run, name: str) -> None:
    create(run)
    Path("mine").mkdir()
    for output in ("other/rows", "mine/rows", "mine"):
        where = ("--storage-path", "data", "--output", output)
        assert run("folder", "create", name, *where).code == 2
    assert not Path("other").exists()
    assert list(Path("mine").iterdir()) == []


def test_a_storage_path_in_which_nothing_is_looks_wrong(run: Run) -> None:
    Path("nothing").mkdir()
    run("folder", "create", "f", "--storage-path", "nothing", "--output", "rows")
    assert "the storage path holds no files: check its spelling" in run("folder", "plan", "f").out
    assert "the storage path holds no files: check its spelling" in run("folder", "sync", "f").err
    Path("nothing/a.jpg").touch()
    assert "new file 1" in run("folder", "sync", "f").err
    assert "no changes" in run("folder", "sync", "f").err


def test_an_integration_that_is_set_again_is_replaced_as_the_help_says(run: Run) -> None:
    run("integration", "set", "m", "--endpoint", "https://minio.example.com")
    run("integration", "set", "m", "--region", "eu-west-1")
    assert json.loads(run("integration", "list", "--json").out)["m"]["endpoint"] is None
    assert "replace it with all its options" in run("integration", "set", "--help").out


def test_messages_name_the_folder_in_commands_that_can_be_copied(run: Run) -> None:
    assert "start one with labelingest folder sync f\n" in create(run).out
    Path("data/a.txt").write_text("nonsense")
    assert "labelingest folder problems f\n" in run("folder", "sync", "f").err


def test_a_folder_without_items_or_problems_says_so(run: Run) -> None:
    create(run)
    assert run("folder", "items", "f").err == "no items\n"
    assert run("folder", "items", "f", "--json").err == ""
    assert run("folder", "problems", "f").err == "f has no current problems\n"
    assert run("folder", "problems", "f", "--json").err == ""


def test_a_folder_whose_sync_was_refused_says_where_its_reason_is(run: Run) -> None:
    create(run)
    names = [one["name"] for one in ONTOLOGY["objects"]]
    Path("data/classes.txt").write_text("\n".join([names[1], names[0]]))
    refused = run("folder", "sync", "f")
    assert "labelingest folder configure f --ontology FILE" in refused.err
    assert (
        "its last sync failed: labelingest folder show f says why"
        in run("folder", "problems", "f").err
    )
