"""Companion files in synced folders: counted apart, and outside the guard when items become some."""

import json
from pathlib import Path

import numpy as np
import pytest

from labelingest.cli.main import main
from labelingest.config import IngestConfig
from labelingest.folders import FolderSettings, State, SyncedFolder
from labelingest.pairing.file_kinds import junk_rows
from labelingest.pipeline import convert
from tests.builders.folders import write_ontology
from tests.builders.synced import ONTOLOGY, World, on_sqlite

BESIDE = ("data.yaml", "classes.txt", "train.txt", "README.md", "README.roboflow.txt", "LICENSE")


def books(folder: SyncedFolder) -> dict[str, int]:
    run = folder.activity()[0]
    assert run.books is not None
    assert run.books.keys_seen == run.counters.keys_listed
    return {name: count for name, count in run.books.keys.items() if count}


def items(folder: SyncedFolder) -> list[str]:
    return sorted(item["name"] for item in folder.items())


def write_beside(world: World) -> None:
    for name in BESIDE:
        world.write(
            name, "names: [car, lake, ship]\n" if name.endswith("yaml") else "car\nlake\nship\n"
        )


@on_sqlite
def test_companion_files_are_no_items_and_no_problems(world: World) -> None:
    world.labelled("a")
    write_beside(world)
    folder = world.folder()
    folder.sync()
    assert items(folder) == ["a.jpg", "b.jpg"]
    assert list(folder.problems()) == []
    assert books(folder) == {"paired": 1, "unlabelled": 1, "sidecar": 1, "companion": len(BESIDE)}
    world.requests()
    assert folder.sync().counters.changes == {}
    assert set(world.requests()) == {"list"}


@on_sqlite
def test_items_of_an_earlier_version_become_companions_outside_the_guard(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.labelled("a")
    for number in range(120):
        world.write(f"{number}/README.md", "text")
        world.write(f"{number}/classes.txt", "car\nlake\nship\n")
    folder = world.folder(options={"images": ["{name}.jpg"], "labels": "{name}.txt"})
    with monkeypatch.context() as patch:
        patch.setattr(
            "labelingest.pairing.pair.junk_and_companions",
            lambda keys: (junk_rows(keys), np.zeros(0, dtype=np.int64)),
        )
        folder.sync()
    assert len(items(folder)) == 122
    world.labelled("c")
    run = folder.sync()
    assert run.counters.changes == {"new file": 1, "became a companion": 120, "new sidecar": 1}
    assert run.counters.withheld == {}
    assert items(folder) == ["a.jpg", "b.jpg", "c.jpg"]
    assert books(folder)["companion"] == 240


@on_sqlite
def test_a_companion_that_gets_a_sidecar_of_its_own_is_a_data_file_again(world: World) -> None:
    world.labelled("a")
    world.write("README.md", "text")
    folder = world.folder(format=None, ontology=None, options={}, metadata_suffix=".meta.json")
    folder.sync()
    assert items(folder) == ["README.md", "a.jpg", "a.txt", "b.jpg"]
    options = {"images": ["{name}.jpg"], "labels": "{name}.txt"}
    folder.configure(format="yolo", ontology=ONTOLOGY, options=options)
    assert folder.sync().counters.changes["became a companion"] == 1
    assert items(folder) == ["a.jpg", "b.jpg"]
    world.write("README.md.meta.json", "{}")
    assert folder.sync().counters.changes == {"became a data file again": 1, "new metadata": 1}
    assert items(folder) == ["README.md", "a.jpg", "b.jpg"]


@on_sqlite
def test_yaml_files_with_class_names_are_read_once(world: World) -> None:
    world.labelled("a")
    world.write("yard8.yaml", "path: yard8\nnames: [car, lake, ship]\n")
    world.write("compose.yaml", "services: {}\n")
    folder = world.folder()
    folder.sync()
    assert books(folder)["companion"] == 1
    assert books(folder)["unsupported"] == 1
    world.labelled("c")
    world.touched("read")
    folder.sync()
    assert world.touched("read") == ["c.txt"]
    assert books(folder)["companion"] == 1


@on_sqlite
def test_outputs_of_runs_in_the_storage_path_are_no_items(world: World, tmp_path: Path) -> None:
    world.labelled("a")
    ontology = write_ontology(tmp_path / "ontology.json", car=(0, "bounding_box"))
    for to, name in (("encord", "rows"), ("yolo", "yolo")):
        out = world.data / name
        convert(IngestConfig(storage_path=world.data, ontology=ontology, to=to, out=out))
    folder = world.folder(format=None, ontology=None, options={})
    folder.sync()
    assert items(folder) == ["a.jpg", "a.txt", "b.jpg"]
    assert books(folder)["companion"] == 3


@on_sqlite
def test_files_that_a_run_wrote_are_looked_at_once(world: World, tmp_path: Path) -> None:
    world.labelled("a")
    world.write("text.json", '{"kind": "text of a person"}')
    world.write("table.jsonl", '{"row": 1}')
    ontology = write_ontology(tmp_path / "ontology.json", car=(0, "bounding_box"))
    outputs = {"out": world.data / "rows.jsonl", "report": world.data / "report.json"}
    convert(IngestConfig(storage_path=world.data, ontology=ontology, **outputs))
    folder = world.folder()
    folder.sync()
    assert items(folder) == ["a.jpg", "b.jpg", "text.json"]
    assert books(folder)["companion"] == 2
    assert books(folder)["unsupported"] == 1
    assert world.touched("head") == ["report.json", "rows.jsonl", "table.jsonl", "text.json"]
    world.requests()
    assert folder.sync().counters.changes == {}
    assert set(world.requests()) == {"list"}
    world.labelled("c")
    world.touched("read")
    folder.sync()
    assert world.touched("read") == ["c.txt"]
    assert world.touched("head") == []
    assert books(folder)["companion"] == 2
    world.write("report.json", '{"kind": "text of a person"}')
    assert folder.sync().counters.changes == {"new file": 1}
    assert world.touched("head") == ["report.json"]


@on_sqlite
def test_an_item_that_a_run_writes_over_becomes_a_companion(world: World) -> None:
    world.labelled("a")
    world.write("problems.json", "[]")
    folder = world.folder()
    folder.sync()
    world.write("problems.json", '{"code":"orphan-sidecar"}\n')
    assert folder.sync().counters.changes == {"became a companion": 1}
    folder.delete(purge=True)


def test_state_and_ontology_in_the_storage_path_are_no_items(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path, State(f"sqlite:///{tmp_path}/other.sqlite"))
    world.labelled("a")
    ontology = write_ontology(world.data / "ontology.json", car=(0, "bounding_box"))
    state = f"sqlite:///{world.data}/state.sqlite"
    arguments = ["--storage-path", str(world.data), "--output", str(tmp_path / "rows")]
    arguments += ["--ontology", str(ontology), "--images", "{name}.jpg", "--labels", "{name}.txt"]
    for command in (["create", "yard", *arguments], ["sync", "yard"]):
        with pytest.raises(SystemExit) as ended:
            main(["folder", *command, "--state", state])
        assert not ended.value.code, capsys.readouterr().err
    with State(state) as opened, SyncedFolder("yard", state=opened) as folder:
        assert items(folder) == ["a.jpg"]
        assert books(folder)["companion"] >= 2
        assert "unsupported" not in books(folder)
        other = str(write_ontology(tmp_path / "other.json", car=(0, "bounding_box")))
        files = folder.configure(files={"ontology": other}).files
        assert files == {"ontology": other}
        assert FolderSettings.from_json(folder.settings.to_json()) == folder.settings
    assert json.loads(ontology.read_text())
