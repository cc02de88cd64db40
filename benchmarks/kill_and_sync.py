"""Kill syncs of a folder at random moments: does the next one always end as an undisturbed one would?

From the command line::

    python -m benchmarks.kill_and_sync FILES KILLS [--state URL]

makes a data set of so many files and two folders on it. Again and again, files are added, changed
and deleted; the first folder is synced by a process that is killed (`kill -9`) at a random moment,
and then by one that is not; the second is synced undisturbed. Then every item, every label row of
the state and every byte of the outputs must be the same, and whatever a killed process had written
until then must be whole.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Final

import sqlalchemy as sa

from benchmarks.generate import Images, Kind, generate
from labelingest.folders import FolderSettings, State, Status, SyncedFolder
from labelingest.folders.settings import read_json
from labelingest.folders.state.tables import label_rows
from labelingest.model.kinds import TEMPORARY_PREFIX

__all__ = ["Trial"]

_KILLED: Final = "killed"
_UNDISTURBED: Final = "undisturbed"
_LONGEST: Final = 60.0


@dataclass
class Trial:
    """A data set with two folders on it."""

    place: Path
    files: int
    state_url: str
    seed: int = 0
    kills: int = 0
    """Syncs that were killed before they were through."""
    seconds: float = 1.0
    """How long a sync of a process takes: moments are drawn from that time."""
    state: State = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.data = self.place / "data"
        self.data.mkdir()
        generate(self.data, self.files, Kind.BOXES, defects=0.01, images=Images.EMPTY)
        self.names = sorted(path.stem for path in (self.data / "images/train").iterdir())
        self.aside = self.place / "aside"
        self.aside.mkdir()
        self.state = State(self.state_url)
        for name in (_KILLED, _UNDISTURBED):
            settings = FolderSettings(
                str(self.data),
                str(self.place / name),
                format="yolo",
                ontology=read_json(str(self.data / "ontology.json"), "ontology"),
                options={"images": ["images/{name}.jpg"], "labels": "labels/{name}.txt"},
            )
            SyncedFolder.create(name, settings, state=self.state)

    def change(self) -> None:
        """Change, remove and bring back a part of the files."""
        for name in self.random.sample(self.names, max(len(self.names) // 3, 1)):
            image, label = self.data / f"images/train/{name}.jpg", self.label(name)
            match self.random.randrange(4):
                case 0:
                    self._swap(image, self.aside / f"{name}.jpg")
                case 1:
                    self._swap(label, self.aside / f"{name}.txt")
                case _ if label.exists():
                    label.write_text(f"0 0.5 0.5 {self.random.uniform(0.1, 0.9):.6f} 0.5\n")
                case _:
                    pass

    def label(self, name: str) -> Path:
        """Return the sidecar of an image."""
        return self.data / f"labels/train/{name}.txt"

    def _swap(self, path: Path, aside: Path) -> None:
        source, target = (path, aside) if path.exists() else (aside, path)
        if source.exists():
            source.rename(target)

    def sync_killed(self) -> None:
        """Sync by a process that is killed, then by one that is not."""
        command = [sys.executable, "-m", "labelingest", "folder", "sync", _KILLED, "--quiet"]
        environment = {**os.environ, "LABELINGEST_STATE": self.state_url}
        with subprocess.Popen(command, env=environment) as process:
            try:
                process.wait(self.random.uniform(0.5, 1.2) * self.seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                self.kills += 1
        self.check_whole()
        started = monotonic()
        code = subprocess.run(command, env=environment, check=False, timeout=_LONGEST).returncode
        if code not in {0, 1}:
            raise RuntimeError(f"the sync after a kill ended with {code}")
        self.seconds = 0.5 * self.seconds + 0.5 * (monotonic() - started)

    def sync_undisturbed(self) -> None:
        """Sync the other folder."""
        SyncedFolder(_UNDISTURBED, state=self.state).sync()

    def stages(self) -> dict[str, int]:
        """Return stage → how many runs were killed in it."""
        runs = SyncedFolder(_KILLED, state=self.state).activity(limit=1_000_000)
        return dict(Counter(run.stage for run in runs if run.status is Status.ERROR))

    def check_whole(self) -> None:
        """Refuse a label row that is not whole."""
        for path in (self.place / _KILLED).rglob("*.encord.json"):
            json.loads(path.read_bytes())

    def outcome(self, name: str) -> dict[str, Any]:
        """Return everything of a folder that does not depend on when it was synced."""
        folder = SyncedFolder(name, state=self.state)
        items = list(folder.items("all"))
        for item in items:
            del item["createdAt"], item["lastEditedAt"]
        columns = [
            column
            for column in label_rows.columns
            if column.name not in {"folder_id", "made_at", "fingerprint"}
        ]
        query = sa.select(*columns).where(label_rows.c.folder_id == folder.record.id)
        with self.state.read() as connection:
            rows = [tuple(row) for row in connection.execute(query.order_by(label_rows.c.key))]
        root = self.place / name
        files = {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and not path.name.startswith(TEMPORARY_PREFIX)
        }
        return {"items": items, "rows": rows, "files": files}

    def round(self) -> bool:
        """Change, kill and sync once; return whether both folders are the same."""
        self.change()
        self.sync_killed()
        self.sync_undisturbed()
        return self.outcome(_KILLED) == self.outcome(_UNDISTURBED)


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_and_sync")
    parser.add_argument("files", type=int, metavar="FILES")
    parser.add_argument("kills", type=int, metavar="KILLS")
    parser.add_argument("--state", help="URL of an empty state; a file of SQLite if not given")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = chosen.state or f"sqlite:///{folder}/state.sqlite"
        trial = Trial(Path(folder), chosen.files, url, chosen.seed)
        rounds = 0
        while trial.kills < chosen.kills:
            rounds += 1
            if not trial.round():
                print(f"round {rounds}: NOT the same, after {trial.kills} kills")
                raise SystemExit(1)
        stages = trial.stages()
        trial.state.close()
    print(f"{rounds} syncs, {trial.kills} of them killed: the same each time")
    print(f"killed under way, by stage: {stages}; the others before they began")


if __name__ == "__main__":
    _main()
