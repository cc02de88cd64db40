"""Spoil listings at random: does a sync, and a conversion, always end right or with an error?

From the command line::

    python -m benchmarks.tamper_and_sync TRIALS [--azure] [--seed N] [--unseen]

starts a storage server and a proxy before it that spoils pages of listings
(`tests/builders/tampered_listings.py`): some of them, or from one on, by seed. In each trial some
files are added, changed and deleted; a folder is synced and the storage path is converted through
the proxy; then the folder is synced undisturbed. What may come of the spoiled sync: all is as it
should be ("right"), it ends with an error and nothing is deleted or made ("error"), or deletions are
withheld and nothing else is wrong ("withheld"). Anything else is wrong: an item hidden or a label
row removed whose files are there, a label row that is not that of its sidecar, a run without error
that missed something; and of a conversion, an output that is not whole. `--unseen` spoils pages in
ways that no single listing shows: it says how often that matters, and is no failure.
"""

import argparse
import json
import os
import random
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from labelingest import IngestConfig, convert
from labelingest.errors import LabelIngestError
from labelingest.folders import FolderSettings, State, SyncedFolder
from labelingest.folders.state.integrations import set_integration
from labelingest.storage import Storage
from tests.builders.cloud_servers import (
    CREDENTIALS,
    CloudServer,
    azurite_command,
    azurite_server,
    moto_server,
)
from tests.builders.faulty_proxy import FaultyProxy, faulty_proxy
from tests.builders.folders import image_bytes
from tests.builders.synced import ONTOLOGY
from tests.builders.tampered_listings import AZURE, S3, UNSEEN, Spoil, Tampering

__all__ = ["Trials"]

_NAMES: Final = [f"{number:02}" for number in range(40)]
_OPTIONS: Final[Mapping[str, Any]] = {
    "images": ["images/{name}.jpg"],
    "labels": "labels/{name}.txt",
}
_IMAGE: Final = image_bytes(8, 8)


@dataclass
class Trials:
    """A storage path behind a proxy, with a folder on it."""

    server: CloudServer
    proxy: FaultyProxy
    place: Path
    spoils: Mapping[str, Spoil]
    seed: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    """Of syncs."""
    conversions: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.files = {f"images/{name}.jpg": _IMAGE for name in _NAMES}
        self.files |= {f"labels/{name}.txt": self._label() for name in _NAMES}
        self.direct: Storage = self.server.storage(self.files)
        connection = self.server.connection(self.proxy.url.partition("://")[2], retries=1)
        state = State(f"sqlite:///{self.place}/state.sqlite")
        set_integration(state, "proxy", connection)
        settings = FolderSettings(
            self.direct.url,
            str(self.place / "rows"),
            format="yolo",
            ontology=ONTOLOGY,
            options=dict(_OPTIONS),
            integration="proxy",
        )
        self.folder = SyncedFolder.create("drive", settings, state=state)
        self.folder.sync()
        (self.place / "ontology.json").write_text(json.dumps(ONTOLOGY))
        self.url = self.direct.url
        if self.server.scheme == "s3":
            self.url = self.url.replace("s3://", f"{self.proxy.url}/")

    def _label(self) -> bytes:
        return f"0 0.5 0.5 {self.random.uniform(0.1, 0.9):.6f} 0.5".encode()

    def change(self) -> None:
        """Delete, add and change some files."""
        keys = [f"images/{name}.jpg" for name in _NAMES] + [f"labels/{name}.txt" for name in _NAMES]
        # What was deleted comes back in the next trials: most files are there, always.
        for key in [key for key in keys if key not in self.files]:
            if self.random.random() < 0.5:
                self._put(key)
        for key in self.random.sample(sorted(self.files), 6):
            if self.random.random() < 0.5:
                del self.files[key]
                self.direct.delete([key])
            else:
                self._put(key)

    def _put(self, key: str) -> None:
        self.files[key] = _IMAGE if key.endswith(".jpg") else self._label()
        self.direct.put(key, self.files[key])

    def expected(self) -> dict[str, float | None]:
        """Return each image's width of its box; None for an image without label."""
        return {
            key: _width(self.files.get(f"labels/{key[7:9]}.txt"))
            for key in self.files
            if key.startswith("images/")
        }

    def seen(self) -> dict[str, float | None]:
        """Return the same of the folder, as its state and its output say."""
        boxes = {}
        for item in self.folder.items():
            path = self.place / "rows" / f"{item['name']}.encord.json"
            exists = item["labelRow"] is not None and path.exists()
            boxes[item["name"]] = _box(path.read_bytes()) if exists else None
        return boxes

    def trial(self) -> None:
        """Change, sync and convert while listings are spoiled, and sync undisturbed."""
        self.change()
        name = self.random.choice(sorted(self.spoils))
        begin, only = self.random.randrange(6), self.random.random() < 0.5
        chance = self.random.random() < 0.5
        pages = None if chance else (lambda n: n == begin if only else n >= begin)
        how = f"{name}, {'by chance' if chance else f'page {begin}' + ('' if only else ' and on')}"
        before = self.seen()
        self.proxy.tamper = Tampering(self.spoils[name], self.random.randrange(10**9), pages)
        self._judge(how, self._sync(before))
        self.proxy.tamper = Tampering(self.spoils[name], self.random.randrange(10**9), pages)
        self._convert(how)
        self.proxy.tamper = lambda _, body: body
        self.folder.sync()
        if self.seen() != self.expected():
            self.wrong.append(f"{how}: an undisturbed sync did not mend it")

    def _sync(self, before: Mapping[str, float | None]) -> str:
        expected = self.expected()
        try:
            run = self.folder.sync()
        except LabelIngestError:
            return "error" if self.seen() == before else "wrong: an error, and something changed"
        after = self.seen()
        if after == expected:
            return "right"
        for key, width in expected.items():
            if key in before and key not in after:
                return f"wrong: {key} was hidden"
            if width is not None and before.get(key) is not None and after.get(key) is None:
                return f"wrong: the label row of {key} was removed"
        if not run.counters.withheld:
            return "wrong: something was missed and not said"
        return "withheld"

    def _judge(self, how: str, outcome: str) -> None:
        self.outcomes[outcome.partition(":")[0]] += 1
        if outcome.startswith("wrong"):
            self.wrong.append(f"{how}: {outcome}")

    def _convert(self, how: str) -> None:
        out = self.place / "out.jsonl"
        out.unlink(missing_ok=True)
        if self.server.scheme != "s3":
            return
        try:
            convert(
                IngestConfig(
                    storage_path=self.url,
                    ontology=str(self.place / "ontology.json"),
                    out=str(out),
                    restart=True,
                    **_OPTIONS,
                )
            )
        except LabelIngestError:
            outcome = "wrong" if out.exists() else "error"
        else:
            boxes = [_box(line) for line in out.read_bytes().splitlines()]
            expected = [width for _, width in sorted(self.expected().items()) if width is not None]
            outcome = "right" if boxes == expected else "wrong"
        self.conversions[outcome] += 1
        if outcome == "wrong":
            self.wrong.append(f"{how}: a conversion that is not whole")


def _width(label: bytes | None) -> float | None:
    return None if label is None else float(label.split()[3])


def _box(row: bytes) -> float:
    [unit] = orjson.loads(row)["data_units"].values()
    width: float = unit["labels"]["objects"][0]["boundingBox"]["w"]
    return width


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tamper_and_sync")
    parser.add_argument("trials", type=int, metavar="TRIALS")
    parser.add_argument("--azure", action="store_true", help="Azurite instead of moto's S3")
    parser.add_argument("--seed", type=int, default=0, help="of changes and of what is spoiled")
    parser.add_argument("--unseen", action="store_true", help="what no single listing shows")
    chosen = parser.parse_args()
    os.environ.update(CREDENTIALS)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if chosen.azure:
            command = azurite_command()
            if command is None:
                raise SystemExit("Azurite is missing: npm install --prefix .azurite azurite")
            address = stack.enter_context(azurite_server(command, place / "azurite"))
            server, spoils = CloudServer("az", address), AZURE
        else:
            address = stack.enter_context(moto_server())
            server, spoils = CloudServer("s3", address), S3
        proxy = stack.enter_context(faulty_proxy(address))
        trials = Trials(server, proxy, place, UNSEEN if chosen.unseen else spoils, chosen.seed)
        for _ in range(chosen.trials):
            trials.trial()
    print(f"{chosen.trials} syncs:", ", ".join(f"{k} {n}" for k, n in trials.outcomes.items()))
    print("conversions:", ", ".join(f"{k} {n}" for k, n in trials.conversions.items()) or "none")
    for sentence in trials.wrong:
        print("wrong:", sentence)
    raise SystemExit(bool(trials.wrong) and not chosen.unseen)


if __name__ == "__main__":
    _main()
