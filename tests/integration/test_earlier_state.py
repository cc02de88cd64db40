"""A state that an earlier version wrote is opened and continued: nothing is rebuilt.

`fixtures/states/schema_0002.sql` is such a state, dumped as SQL: two folders, of YOLO files and of
Encord sidecars, both with custom metadata, after one sync each. Its version knew no markers in
outputs. Digests below are of the label rows that it wrote.
"""

import json
import os
import shutil
import sqlite3
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from labelingest.folders import FolderSettings, State, Status, SyncedFolder
from labelingest.folders.output_owner import MARKER
from labelingest.storage import LocalStorage, Storage
from tests.builders.synced import CountingStorage, contents

FIXTURES = Path(__file__).parents[2] / "fixtures"
WRITTEN = {
    "yolo": "e75d2a9ae9775759860ec70591d218ed303c55a0598721d40b80a16dc4b4b81d",
    "encord": "8e57ca1d0e5c294054bc52d7a52520362791561ff9896cd8abfc298513700fb7",
}


@dataclass
class Named(CountingStorage):
    """A folder with the URL of another place: fingerprints depend on it."""

    name: str = ""

    @property
    def url(self) -> str:
        return self.name


class World:
    """The files that the state was made from, with their times."""

    def __init__(self, root: Path) -> None:
        self.root = root
        metadata = FIXTURES / "metadata/drive"
        for source, target in (
            (FIXTURES / "demo/images", "yolo/images"),
            (FIXTURES / "demo/labels", "yolo/labels"),
            (FIXTURES / "sidecars/data", "encord"),
        ):
            shutil.copytree(source, root / "data" / target)
        for number, target in (
            (1, "yolo/images/fog.jpg"),
            (2, "yolo/images/night.jpg"),
            (1, "encord/street.jpg"),
        ):
            name = ".metadata.json"
            shutil.copy(metadata / f"000{number}.jpg{name}", root / f"data/{target}{name}")
        files = sorted(path for path in (root / "data").rglob("*") if path.is_file())
        for number, path in enumerate(files):
            os.utime(path, (1_700_000_000 + number,) * 2)

    def open(self, url: str) -> Storage:
        path = self.root / url.removeprefix("file:///").strip("/")
        path.mkdir(parents=True, exist_ok=True)
        return Named(LocalStorage(str(path)), name=f"{url.rstrip('/')}/")

    def settings(self, name: str) -> FolderSettings:
        options: dict[str, Any] = {}
        ontology = FIXTURES / "sidecars/ontology.json"
        if name == "yolo":
            images = ["images/{name}.jpg", "images/{name}.png"]
            options = {"images": images, "labels": "labels/{name}.txt"}
            ontology = FIXTURES / "demo/ontology.json"
        return FolderSettings(
            f"file:///data/{name}",
            f"file:///rows/{name}",
            format=name,
            ontology=json.loads(ontology.read_text()),
            options=options,
            metadata_suffix=".metadata.json",
            metadata_schema=json.loads((FIXTURES / "metadata/schema.json").read_text()),
        )

    def rows(self, name: str) -> dict[str, bytes]:
        return contents(self.root / "rows" / name)


def earlier_state(path: Path) -> State:
    with sqlite3.connect(path) as connection:
        connection.executescript((FIXTURES / "states/schema_0002.sql").read_text())
    connection.close()
    return State(f"sqlite:///{path}")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    # The release is part of fingerprints: another one rebuilds everything.
    monkeypatch.setattr("labelingest.folders.sync.fingerprints.__version__", "0.1.0")
    return World(tmp_path)


@pytest.mark.parametrize("name", WRITTEN)
def test_label_rows_have_the_bytes_of_the_earlier_version(world: World, name: str) -> None:
    with State(f"sqlite:///{world.root}/new.sqlite") as state:
        SyncedFolder.create(name, world.settings(name), state=state, open_storage=world.open).sync()
    digest = sha256()
    for key, content in sorted(world.rows(name).items()):
        digest.update(key.rpartition("/")[2].encode() + content)
    assert digest.hexdigest() == WRITTEN[name]


@pytest.mark.parametrize("name", WRITTEN)
def test_a_state_of_an_earlier_version_is_continued_and_nothing_is_rebuilt(
    world: World, name: str
) -> None:
    with State(f"sqlite:///{world.root}/new.sqlite") as state:
        SyncedFolder.create(name, world.settings(name), state=state, open_storage=world.open).sync()
    (world.root / "rows" / name / MARKER).unlink()  # the earlier version wrote none
    before = world.rows(name)
    with earlier_state(world.root / "state.sqlite") as state:
        folder = SyncedFolder(name, state=state, open_storage=world.open)
        assert folder.settings == world.settings(name)
        problems = list(folder.problems())
        assert problems
        run = folder.sync()
        assert (run.status, run.counters.changes, run.counters.files_written) == (
            Status.DONE,
            {},
            0,
        )
        assert f"with {len(before)} label rows" in str(run.message)
        # Its own digests are read from the output once, and then known.
        assert folder.sync(verify_output=True).counters.changes == {}
        key = next(iter(before)).removesuffix(".encord.json")
        (world.root / "rows" / name / f"{key}.encord.json").unlink()
        mended = folder.sync(verify_output=True).counters
        assert mended.changes == {"label row is missing from the output": 1}
        assert mended.files_written == 1
        assert list(folder.problems()) == problems
    assert world.rows(name) == before
