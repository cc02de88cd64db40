"""Whatever happened to a storage path, and whenever it was synced: the end is that of one sync."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from labelingest.folders import FolderSettings, State, SyncedFolder
from tests.builders.states import new_sqlite
from tests.builders.synced import ONTOLOGY, YOLO, World, contents

NAMES = st.sampled_from(["a", "b", "deep/ü"])
BOX = "0 0.5 0.5 0.25 0.5"
TURNED = "2 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75"
CHANGES = st.sampled_from(
    [
        *((".jpg", size) for size in ((64, 48), (48, 64), None)),
        *((".txt", text) for text in (BOX, f"{BOX}\n{BOX}", TURNED, TURNED, "", "nonsense")),
        *((".txt", None), (".txt", None)),
        *((".jpg.metadata.json", text) for text in ('{"a": 1}', "no JSON", None)),
    ]
)
"""What a file ends with, and what it becomes: a size of an image, a text, or nothing."""


class Synced:
    """A folder that is changed and synced at random, beside a fresh sync of what is there."""

    def __init__(self) -> None:
        self.place = TemporaryDirectory(prefix="labelingest-", dir=memory_backed())
        root = Path(self.place.name)
        self.state = State(new_sqlite(root / "state.sqlite"))
        self.world = World(root, self.state)
        self.folder = self.world.folder(
            metadata_suffix=".metadata.json", options=YOLO | {"on_row_error": "skip-file"}
        )
        # Labelled to begin with: by chance alone, few images would ever have a sidecar.
        for name, text in (("a", BOX), ("b", TURNED), ("deep/ü", None)):
            self.world.image(f"{name}.jpg")
            if text is not None:
                self.world.write(f"{name}.txt", text)
        self.remember()

    def change(self, changes: list[tuple[str, tuple[str, Any]]]) -> None:
        for name, (ending, content) in changes:
            key = f"{name}{ending}"
            if content is None:
                (self.world.data / key).unlink(missing_ok=True)
            elif ending == ".jpg":
                self.world.image(key, content)
            else:
                self.world.write(key, content)

    def remember(self) -> None:
        self.replace(self.world.data, self.world.data.with_name("remembered"))

    def go_back(self) -> None:
        """Bring back all files as they were, times of change included."""
        self.replace(self.world.data.with_name("remembered"), self.world.data)

    def replace(self, source: Path, target: Path) -> None:
        if source.exists():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target)

    def configure(self, title: str) -> None:
        self.folder.configure(options={"dataset_title": title})

    def sync_a_part(self, batch: int, batches: int) -> None:
        asked = iter(range(1000))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("labelingest.folders.sync.apply._FILES", batch)
            self.folder.sync(allow_mass_delete=True, cancelled=lambda: next(asked) > batches)

    def sync(self) -> None:
        self.folder.sync(allow_mass_delete=True)
        assert self.folder.plan().changes == {}
        assert self.seen(self.folder, self.world.rows) == self.fresh()

    def every_label_row_that_is_counted_has_its_file(self) -> None:
        files = contents(self.world.rows)
        made = (item["labelRow"] for item in self.folder.items("all"))
        assert all(name in files for name in made if name is not None)

    def seen(self, folder: SyncedFolder, rows: Path) -> tuple[Any, ...]:
        """Return what must not depend on the way: items but for their dates, rows, problems."""
        items = list(folder.items())
        for item in items:
            del item["createdAt"], item["lastEditedAt"]
        names = {item["labelRow"] for item in items}
        files = contents(rows)
        hidden = {f"{item['name']}.encord.json" for item in folder.items("deleted")}
        assert files.keys() - hidden <= names
        # Sizes of images are known of those that were looked at.
        for item in items:
            del item["width"], item["height"]
        summary = folder.summary()
        rest = (summary.failed, summary.unfinished, summary.labelled)
        return items, {name: files[name] for name in names if name is not None}, rest

    def fresh(self) -> tuple[Any, ...]:
        """Return the same of a new folder, synced once."""
        rows = self.world.rows.with_name("fresh")
        shutil.rmtree(rows, ignore_errors=True)
        made = FolderSettings.from_json(self.folder.settings.to_json())
        fresh = FolderSettings(
            made.storage_path,
            str(rows),
            format="yolo",
            ontology=ONTOLOGY,
            options=made.options,
            metadata_suffix=made.metadata_suffix,
        )
        folder = SyncedFolder.create("fresh", fresh, state=self.state)
        folder.sync()
        seen = self.seen(folder, rows)
        folder.delete(purge=True)
        return seen

    def end(self) -> None:
        self.state.close()
        self.place.cleanup()


def memory_backed() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


STEPS = st.lists(
    st.tuples(
        st.lists(st.tuples(NAMES, CHANGES), min_size=1, max_size=8),
        st.sampled_from(["", "part", "part", "sync", "remember", "go back", "configure"]),
    ),
    min_size=2,
    max_size=6,
)


# Not shrunk: every example is several syncs, and the steps of a failure are few already.
@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(STEPS, st.integers(1, 3), st.integers(0, 3))
def test_any_history_ends_as_one_sync_of_what_is_there(
    steps: list[tuple[list[tuple[str, tuple[str, Any]]], str]], batch: int, batches: int
) -> None:
    synced = Synced()
    try:
        synced.sync()
        for number, (changes, then) in enumerate(steps):
            synced.change(changes)
            match then:
                case "part":
                    synced.sync_a_part(batch, batches)
                case "sync":
                    synced.folder.sync(allow_mass_delete=True)
                case "remember":
                    synced.remember()
                case "go back":
                    synced.go_back()
                case "configure":
                    synced.configure(f"title {number}")
            synced.every_label_row_that_is_counted_has_its_file()
        synced.sync()
    finally:
        synced.end()
