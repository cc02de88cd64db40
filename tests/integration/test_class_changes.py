"""Classes of a synced folder: counts in its runs, and changes that give labels another object."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labelingest.errors import ConfigError, StorageError
from labelingest.folders import FolderSettings, Plan, SyncedFolder
from labelingest.folders.class_changes import ClassChangesError
from labelingest.folders.state.tables import runs
from tests.builders.command_line import Run, command_line
from tests.builders.folders import image_bytes, ontology_of
from tests.builders.states import new_sqlite

BOX = "bounding_box"
ROW = "{} 0.5 0.5 0.2 0.2\n"
SHIPS = ontology_of(tug=(0, BOX), car=(1, BOX), van=(2, BOX))
SHIPS["objects"][2]["externalIds"]["SAP"] = ["0", "2"]


def changed(**objects: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ontology with other values of objects, by name."""
    entries = [{**entry, **objects.get(entry["name"], {})} for entry in SHIPS["objects"]]
    return {**SHIPS, "objects": entries}


SWAPPED = changed(tug={"externalIds": {"YOLO": "1"}}, car={"externalIds": {"YOLO": "0"}})


@pytest.fixture
def folder(tmp_path: Path) -> SyncedFolder:
    data = tmp_path / "data"
    data.mkdir()
    for name, numbers in {"a": (0, 1, 1), "b": (1,), "c": (0, 9)}.items():
        (data / f"{name}.jpg").write_bytes(image_bytes(64, 48))
        (data / f"{name}.txt").write_text("".join(map(ROW.format, numbers)))
    settings = FolderSettings(
        str(data),
        str(tmp_path / "rows"),
        format="yolo",
        ontology=SHIPS,
        options={"images": ["{name}.jpg"], "labels": "{name}.txt"},
    )
    return SyncedFolder.create("f", settings, state=new_sqlite(tmp_path / "state.sqlite"))


def changes_of(folder: SyncedFolder) -> list[tuple[str, int | None, int | None]]:
    return [
        (change.kind.value, change.number, change.label_rows) for change in folder.class_changes
    ]


def counts_of(classes: Mapping[str, Any]) -> dict[int, tuple[int, int]]:
    return {entry["number"]: (entry["rows"], entry["files"]) for entry in classes["mapped"]}


def test_a_run_counts_rows_and_files_by_class(folder: SyncedFolder) -> None:
    classes = folder.sync().counters.classes
    assert counts_of(classes) == {0: (2, 2), 1: (3, 2), 2: (0, 0)}
    assert [entry["name"] for entry in classes["unused"]] == ["van"]
    assert classes["unmapped"] == [{"number": 9, "rows": 1, "files": 1, "first": "c.txt:2:1"}]
    assert (classes["label_rows"], classes["is_complete"]) == (3, True)
    assert folder.activity()[0].counters.classes == classes
    assert folder.sync().counters.classes == {}
    Path(folder.settings.storage_path, "b.txt").write_text(ROW.format(0) * 2)
    classes = folder.sync().counters.classes
    assert counts_of(classes) == {0: (2, 1), 1: (0, 0), 2: (0, 0)}
    assert (classes["label_rows"], classes["is_complete"]) == (1, False)


def test_namespaces_that_are_passed_over_are_said(folder: SyncedFolder, tmp_path: Path) -> None:
    archived = {"archived": True, "featureNodeHash": "0000000a", "externalIds": {"YOLO": "7"}}
    objects = [
        *(
            {**entry, "externalIds": {"SAP": entry["externalIds"]["YOLO"]}}
            for entry in SHIPS["objects"]
        ),
        {**SHIPS["objects"][0], "id": "4", **archived},
    ]
    notice = "namespace 'YOLO' is passed over: 1 object is archived"
    folder.configure(ontology={**SHIPS, "objects": objects})
    assert (folder.notice, folder.class_changes) == (notice, [])
    folder.configure(description="another")
    assert folder.notice == ""
    settings = replace(folder.settings, output=str(tmp_path / "others"))
    assert SyncedFolder.create("again", settings, state=folder.state).notice == notice


def test_a_cancelled_run_keeps_the_counts_of_its_batches(
    folder: SyncedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelingest.folders.sync.apply._FILES", 2)
    answers = iter([False] * 2 + [True] * 9)
    run = folder.sync(cancelled=lambda: next(answers))
    assert (run.status.value, run.counters.classes["is_complete"]) == ("cancelled", False)
    assert counts_of(run.counters.classes) == {0: (1, 1), 1: (3, 2), 2: (0, 0)}
    assert folder.activity()[0].counters.classes == run.counters.classes
    rest = folder.sync().counters.classes
    assert counts_of(rest) == {0: (1, 1), 1: (0, 0), 2: (0, 0)}


def test_numbers_from_one_are_said_after_a_run_that_was_cancelled(
    folder: SyncedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Path(folder.settings.storage_path)
    for name, number in {"a": 3, "b": 1, "c": 2}.items():
        (data / f"{name}.txt").write_text(ROW.format(number))
    monkeypatch.setattr("labelingest.folders.sync.apply._FILES", 2)
    answers = iter([False] * 2 + [True] * 9)
    assert folder.sync(cancelled=lambda: next(answers)).status.value == "cancelled"
    assert folder.sync().counters.label_rows_made == 1
    places = [str(p.place) for p in folder.problems() if p.code == "numbers-from-one"]
    assert places == ["a.txt:1:1"]
    (data / "b.txt").write_text(ROW.format(0) + ROW.format(1))
    folder.sync()
    assert [str(p.place) for p in folder.problems() if p.code == "numbers-from-one"] == places


def test_damaged_counts_of_a_run_are_named(folder: SyncedFolder) -> None:
    folder.sync()
    with folder.state.write() as connection:
        counters = '{"classes":{"mapped":[7]}}'
        connection.execute(runs.update().values(counters=counters))
    for ask in (folder.activity, folder.plan):
        with pytest.raises(StorageError, match="the records of run 1 in the state are damaged"):
            ask()


def test_swapped_ids_are_applied_only_when_they_are_accepted(folder: SyncedFolder) -> None:
    folder.sync()
    with pytest.raises(ClassChangesError) as refused:
        folder.configure(ontology=SWAPPED)
    assert "0: tug (00000001) → car (00000002); 2 label rows" in str(refused.value)
    assert "nothing was stored: accept the changes with --accept-class-changes" in str(
        refused.value
    )
    assert folder.settings.ontology == SHIPS
    assert folder.plan().changes == {}
    folder.configure(ontology=SWAPPED, accept_class_changes=True)
    assert changes_of(folder) == [("other object", 0, 2), ("other object", 1, 2)]
    planned = folder.plan().class_changes
    assert [(c["number"], c["after"]["name"], c["label_rows"]) for c in planned] == [
        (0, "car", 2),
        (1, "tug", 2),
    ]
    folder.sync()
    assert folder.plan().class_changes == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"options": {"map": {0: "van"}}}, [("other object", 0, 2)]),
        ({"options": {"map": {0: None}}}, [("no object", 0, 2)]),
        ({"options": {"namespace": "SAP"}}, [("other object", 0, 2), ("no object", 1, 2)]),
        ({"ontology": changed(tug={"archived": True})}, [("no object", 0, 2)]),
        ({"ontology": changed(tug={"shape": "point"})}, [("no object", 0, 2)]),
        ({"ontology": {**SHIPS, "objects": SHIPS["objects"][1:]}}, [("no object", 0, 2)]),
        ({"ontology": changed(tug={"featureNodeHash": "9"})}, [("other object", 0, 2)]),
    ],
)
def test_a_number_that_means_another_object_or_none_has_to_be_accepted(
    folder: SyncedFolder, changes: dict[str, Any], expected: list[Any]
) -> None:
    folder.sync()
    with pytest.raises(ClassChangesError):
        folder.configure(**changes)
    assert changes_of(folder) == expected
    folder.configure(**changes, accept_class_changes=True)
    assert changes_of(folder) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"options": {"map": {9: "van"}}}, [("new", 9, None)]),
        ({"ontology": changed(tug={"shape": "polygon"})}, [("other shape", 0, 2)]),
        ({"ontology": changed(tug={"name": "Tug boat"})}, [("renamed", 0, 2)]),
        ({"ontology": changed(tug={"color": "#000000"})}, []),
        ({"description": "another"}, []),
    ],
)
def test_other_changes_are_shown_and_pass(
    folder: SyncedFolder, changes: dict[str, Any], expected: list[Any]
) -> None:
    folder.sync()
    folder.configure(**changes)
    assert changes_of(folder) == expected


def test_label_rows_are_not_counted_where_the_state_does_not_know(folder: SyncedFolder) -> None:
    folder.sync()
    Path(folder.settings.storage_path, "b.txt").write_text(ROW.format(0))
    folder.sync()
    folder.configure(ontology=SWAPPED, accept_class_changes=True)
    assert changes_of(folder) == [("other object", 0, None), ("other object", 1, None)]
    folder.sync()
    Path(folder.settings.storage_path, "b.txt").unlink()
    folder.sync()
    folder.configure(ontology=SHIPS, accept_class_changes=True)
    assert changes_of(folder) == [("other object", 0, None), ("other object", 1, None)]


def test_objects_of_label_rows_are_compared_by_feature_hash(
    folder: SyncedFolder, tmp_path: Path
) -> None:
    folder.sync()
    settings = FolderSettings(
        str(tmp_path / "rows"), str(tmp_path / "again"), format="encord", ontology=SHIPS
    )
    for name in "ab":
        (tmp_path / f"rows/{name}.jpg").write_bytes(image_bytes(64, 48))
    again = SyncedFolder.create("again", settings, state=folder.state)
    classes = again.sync().counters.classes
    assert [(c["number"], c["rows"], c["files"]) for c in classes["mapped"]] == [
        (None, 1, 1),
        (None, 3, 2),
        (None, 0, 0),
    ]
    without = {**SHIPS, "objects": SHIPS["objects"][1:]}
    polygon = changed(tug={"shape": "polygon"})
    for ontology, kind in ((without, "object gone"), (polygon, "other shape")):
        with pytest.raises(ClassChangesError):
            again.configure(ontology=ontology)
        assert changes_of(again) == [(kind, None, 1)]
    again.configure(ontology=changed(tug={"archived": True}))
    assert changes_of(again) == [("object archived", None, 1)]


def test_a_folder_without_label_rows_needs_no_permission(folder: SyncedFolder) -> None:
    folder.configure(ontology=SWAPPED)
    assert changes_of(folder) == [("other object", 0, 0), ("other object", 1, 0)]
    assert folder.plan().class_changes == []


def test_a_saved_plan_keeps_the_changes_of_classes(folder: SyncedFolder, tmp_path: Path) -> None:
    folder.sync()
    folder.configure(ontology=SWAPPED, accept_class_changes=True)
    plan = folder.plan(save=str(tmp_path / "plan.jsonl"))
    assert Plan.load(str(tmp_path / "plan.jsonl")) == plan
    assert [change["number"] for change in plan.class_changes] == [0, 1]


def test_numbers_from_one_are_said_until_all_files_are_converted_again(
    folder: SyncedFolder,
) -> None:
    data = Path(folder.settings.storage_path)
    for name in "abc":
        (data / f"{name}.txt").write_text("".join(map(ROW.format, (1, 2, 3))))
    run = folder.sync()
    assert run.counters.warnings == 1
    (problem,) = [p for p in folder.problems() if p.code == "numbers-from-one"]
    assert problem.place == "a.txt:3:1"
    (data / "a.txt").write_text(ROW.format(1))
    folder.sync()
    assert problem in list(folder.problems())
    overrides = {0: None, 1: "tug", 2: "car", 3: "van"}
    with pytest.raises(ConfigError):
        folder.configure(options={"map": overrides})
    folder.configure(options={"map": overrides}, accept_class_changes=True)
    folder.sync()
    assert problem not in list(folder.problems())


def test_the_command_line_shows_and_refuses_changes_of_classes(
    folder: SyncedFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run: Run = command_line(capsys)
    state = ("--state", folder.state.url)
    folder.sync()
    path = tmp_path / "swapped.json"
    path.write_text(json.dumps(SWAPPED))
    configure = ("folder", "configure", "f", "--ontology", str(path), *state)
    ran = run(*configure)
    assert (ran.code, "0: tug (00000001) → car (00000002); 2 label rows" in ran.err) == (2, True)
    ran = run(*configure, "--json")
    answer = json.loads(ran.out)
    assert (ran.code, answer["applied"], len(answer["class_changes"])) == (2, False, 2)
    ran = run(*configure, "--accept-class-changes", "--json")
    answer = json.loads(ran.out)
    assert (ran.code, answer["applied"], answer["name"]) == (0, True, "f")
    assert [change["before"]["name"] for change in answer["class_changes"]] == ["tug", "car"]
    ran = run("folder", "plan", "f", *state)
    assert "0: tug (00000001) → car (00000002); 2 label rows" in ran.out
    assert "0 car: 2 rows in 2 files" in run("folder", "sync", "f", *state).err
    assert "classes that changed" not in run("folder", "plan", "f", *state).out
