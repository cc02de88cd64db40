"""A synced folder on real local files, with storages that count their requests."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from labelingest.folders import FolderSettings, State, SyncedFolder
from labelingest.model.blobs import Blobs, Unread
from labelingest.model.kinds import OWNER_MARKER
from labelingest.model.listing import Listing
from labelingest.problems import Problem, ProblemCode
from labelingest.storage import LocalStorage, Storage
from labelingest.storage.base import Version
from tests.builders.folders import image_bytes, ontology_of

__all__ = [
    "BOX",
    "ONTOLOGY",
    "OTHER_BOX",
    "YOLO",
    "CountingStorage",
    "Incomplete",
    "World",
    "boxes",
    "contents",
    "on_sqlite",
]

ONTOLOGY = ontology_of(
    car=(0, "bounding_box"), lake=(1, "polygon"), ship=(2, "rotatable_bounding_box")
)
YOLO: dict[str, Any] = {"images": ["{name}.jpg"], "labels": "{name}.txt"}
BOX = "0 0.5 0.5 0.25 0.5"
OTHER_BOX = "0 0.5 0.5 0.5 0.5"

on_sqlite = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
"""For what asks nothing of the database that other tests do not ask of both."""


@dataclass
class CountingStorage:
    """A storage that notes which keys are read, written and deleted."""

    inner: Storage
    requests: Counter[str] = field(default_factory=Counter)
    keys: list[tuple[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.inner.url

    @property
    def puts_at_once(self) -> int:
        return self.inner.puts_at_once

    def note(self, what: str, keys: Sequence[str]) -> None:
        self.requests[what] += len(keys)
        self.keys += [(what, key) for key in keys]

    def list(self, **options: Any) -> Iterator[Listing]:
        self.requests["list"] += 1
        return self.inner.list(**options)

    def fetch(self, keys: Sequence[str], **options: Any) -> Blobs:
        self.note("read", keys)
        return self.inner.fetch(keys, **options)

    def fetch_heads(
        self, keys: Sequence[str], length: int, *, start: int = 0
    ) -> Sequence[bytes | Unread]:
        self.note("head", keys)
        return self.inner.fetch_heads(keys, length, start=start)

    def versions(self, keys: Sequence[str]) -> Sequence[Version | None]:
        self.note("look", keys)
        return self.inner.versions(keys)

    def versions_in(self, folder: str) -> Mapping[str, Version]:
        return self.inner.versions_in(folder)

    def put(
        self, key: str, content: bytes | Iterable[bytes], *, unless_changed: str | None = None
    ) -> str:
        self.note("put", [key])
        return self.inner.put(key, content, unless_changed=unless_changed)

    def flush(self, keys: Sequence[str]) -> None:
        self.inner.flush(keys)

    def delete(self, keys: Sequence[str]) -> None:
        self.note("delete", keys)
        self.inner.delete(keys)


class Incomplete(LocalStorage):
    """A folder with an inner one that refuses to be listed, as for a user without permission."""

    def list(
        self, *, exclude: Sequence[str] = (), bare: Collection[str] = (), splits: Sequence[str] = ()
    ) -> Iterator[Listing]:
        refused = Problem(ProblemCode.UNREADABLE_FOLDER, "inner", "permission denied")
        for page in super().list(exclude=exclude, bare=bare):
            yield replace(page, problems=[refused])


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder, but for the marker of an output."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != OWNER_MARKER
    }


class World:
    """Data, output and state of one folder; every write is later than the one before."""

    def __init__(self, root: Path, state: State) -> None:
        self.data, self.rows = root / "data", root / "rows"
        self.data.mkdir(parents=True)
        self.state = state
        self.seconds = 1_700_000_000
        self.storages: dict[str, CountingStorage] = {}

    def write(self, key: str, content: bytes | str) -> None:
        path = self.data / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.seconds += 1
        os.utime(path, (self.seconds, self.seconds))

    def image(self, key: str, size: tuple[int, int] = (64, 48)) -> None:
        self.write(key, image_bytes(*size))

    def labelled(self, name: str, text: str = BOX) -> None:
        """Write an image and its label file."""
        self.image(f"{name}.jpg")
        self.write(f"{name}.txt", text)

    def remove(self, key: str) -> None:
        (self.data / key).unlink()

    @property
    def storage(self) -> CountingStorage:
        """The storage of the data."""
        self.open(str(self.data))
        return self.storages[str(self.data)]

    def open(self, url: str) -> Storage:
        return self.storages.setdefault(url, CountingStorage(LocalStorage(url)))

    def folder(self, name: str = "drive", **settings: Any) -> SyncedFolder:
        """Create a folder of YOLO labels, or as the settings say."""
        usual: dict[str, Any] = {
            "output": str(self.rows),
            "format": "yolo",
            "ontology": ONTOLOGY,
            "options": YOLO,
        }
        complete = FolderSettings(str(self.data), **(usual | settings))
        return SyncedFolder.create(name, complete, state=self.state, open_storage=self.open)

    def requests(self) -> Mapping[str, int]:
        """Return the number of requests of each kind to all storages since the last call."""
        total: Counter[str] = Counter()
        for storage in self.storages.values():
            total += storage.requests
            storage.requests.clear()
        return dict(total)

    def touched(self, what: str) -> list[str]:
        """Return the keys of the requests of one kind since the last call, in order."""
        keys = []
        for storage in self.storages.values():
            keys += [key for request, key in storage.keys if request == what]
            storage.keys = [(request, key) for request, key in storage.keys if request != what]
        return sorted(keys)


def boxes(world: World, key: str) -> list[float]:
    """Return the left edges of the boxes of a label row."""
    row = orjson.loads((world.rows / f"{key}.encord.json").read_bytes())
    [unit] = row["data_units"].values()
    return [entry["boundingBox"]["x"] for entry in unit["labels"]["objects"]]
