"""Limits of whole folders, in `convert` and in syncs: data files, names, kinds that cannot be labelled."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from labelingest.config import IngestConfig
from labelingest.errors import StorageError
from labelingest.folders import FolderSettings, State, Status, SyncedFolder
from labelingest.folders.sync.options import SyncOptions
from labelingest.folders.sync.run import run_sync
from labelingest.pipeline.discover import pair_folder
from labelingest.pipeline.run import check
from labelingest.storage import Storage
from labelingest.storage.memory import MemoryStorage
from tests.builders.states import new_sqlite
from tests.builders.synced import BOX, ONTOLOGY, YOLO, World, on_sqlite

LONG = "x" * 297


@pytest.fixture
def config(world: World) -> IngestConfig:
    ontology = world.data.parent / "ontology.json"
    ontology.write_text(json.dumps(ONTOLOGY))
    return IngestConfig(
        storage_path=str(world.data),
        ontology=str(ontology),
        metadata_suffix=".metadata.json",
        out=str(world.data.parent / "rows.jsonl"),
        **YOLO,
    )


# --- data files ---


@on_sqlite
def test_sidecars_metadata_and_companions_are_no_data_files(
    world: World, config: IngestConfig
) -> None:
    for name, text in (("a.jpg.metadata.json", "{}"), ("classes.txt", "car"), (".DS_Store", "")):
        world.write(name, text)
    assert len(pair_folder(config, None, most_data_files=2).pairs) == 1
    with pytest.raises(StorageError, match="holds 2 data files, more than the 1 that one folder"):
        pair_folder(config, None, most_data_files=1)


@on_sqlite
def test_a_sync_of_too_many_data_files_changes_nothing(world: World) -> None:
    folder = world.folder()
    with pytest.raises(StorageError, match="give a folder further down"):
        run_sync(world.state, folder.record, folder._open_places, SyncOptions(most_data_files=1))
    assert folder.activity()[0].status is Status.ERROR
    assert list(folder.items("all")) == []
    options = SyncOptions(most_data_files=2)
    run = run_sync(world.state, folder.record, folder._open_places, options)
    assert run.counters.changes == {"new file": 2, "new sidecar": 1}


# --- names ---


def synced_in_memory(tmp_path: Path, files: Mapping[str, bytes]) -> SyncedFolder:
    storages = {
        f"memory://{name}/": MemoryStorage(content, name=name)
        for name, content in (("data", files), ("rows", {}))
    }

    def open_storage(url: str) -> Storage:
        return storages[url]

    settings = FolderSettings(
        "memory://data/", "memory://rows/", format="yolo", ontology=ONTOLOGY, options=YOLO
    )
    state = State(new_sqlite(tmp_path / "state.sqlite"))
    return SyncedFolder.create("drive", settings, state=state, open_storage=open_storage)


def test_a_name_that_is_too_long_for_a_title_is_a_warning(tmp_path: Path) -> None:
    files = {
        f"{LONG}.jpg": b"",
        f"{LONG}.txt": BOX.encode(),
        f"in/{LONG[1:]}.jpg": b"",
        f"{'d' * 400}/a.jpg": b"",
        "é" * 296 + ".png": b"",
    }
    folder = synced_in_memory(tmp_path, files)
    run = folder.sync()
    [problem] = folder.problems()
    assert (problem.code.value, problem.source) == ("name-too-long", f"{LONG}.jpg")
    assert problem.detail.startswith("its name has 301 characters, more than the 300 ")
    assert (run.counters.warnings, run.counters.label_rows_made, run.failed) == (1, 1, False)
    # Nothing new, nothing said again; the problem stays.
    assert folder.sync().counters.warnings == 0
    assert [problem.code.value for problem in folder.problems()] == ["name-too-long"]


def test_convert_names_long_names_too(
    config: IngestConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = MemoryStorage({f"{LONG}.jpg": b"", f"{LONG}.txt": BOX.encode()})
    monkeypatch.setattr("labelingest.pipeline.discover.open_storage", lambda *_, **__: storage)
    report = check(config)
    assert {code.value: count for code, count in report.log.totals.items()} == {"name-too-long": 1}
    assert report.tally.label_rows == 1
    assert report.balance()


# --- kinds ---


@on_sqlite
@pytest.mark.parametrize("settings", [{}, {"format": None, "ontology": None, "options": {}}])
def test_files_that_cannot_be_labelled_are_named_once_for_each_extension(
    world: World, settings: dict[str, Any]
) -> None:
    for name in ("1.dcm", "2.dcm", "3.DCM", "head.nii.gz", "a.nii", "notes"):
        world.write(name, "")
    folder = world.folder(**settings)
    run = folder.sync()
    problems = {problem.source: problem.count for problem in folder.problems()}
    assert problems == {"1.dcm": 3, "head.nii.gz": 1, "a.nii": 1, "notes": 1}
    assert {p.code.value for p in folder.problems()} == {"unsupported-data-type"}
    assert (run.counters.warnings, run.failed) == (6, False)
    assert run.books is not None
    assert run.books.keys["unsupported"] == 6
    assert folder.sync().counters.warnings == 0
    assert len(list(folder.problems())) == 4
