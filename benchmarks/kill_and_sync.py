"""Kill syncs of a folder at random moments: does the next one always end as an undisturbed one would?

From the command line::

    python -m benchmarks.kill_and_sync FILES KILLS [--workers N] [--state URL] [--s3] [--seed N]

makes a data set of so many files and two folders on it. Again and again files are added, changed,
deleted and brought back: images, label sidecars and metadata. The second folder is synced
undisturbed, and how long that takes is measured; the first by a process that is killed (`kill -9`)
at a moment of that time, one as likely as another, and then by one that is not. Of what there is in
between, every label row must be whole: the one before, or the one after. Half the killed processes
make a plan and apply it. With `--workers` worker processes convert; every third kill is then of one
worker, and the sync must go on without it. With `--s3` the outputs are in a bucket, of a server that is started. In the end every item,
problem and label row of the state and every byte of the outputs must be the same, nothing else may
lie in the output, and there must be nothing left to do.

Processes are forked from one that has loaded everything: no moment falls into loading.
"""

import argparse
import os
import random
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic
from typing import Any, Final

import sqlalchemy as sa

from labelingest.bench.synthetic.data_set import generate, jpeg
from labelingest.bench.synthetic.kinds import SIZES, Kind
from labelingest.folders import FolderSettings, State, Status, SyncedFolder
from labelingest.folders.settings import read_json
from labelingest.folders.state.integrations import set_integration
from labelingest.folders.state.tables import label_rows, output_rows, problems
from labelingest.model.kinds import OWNER_MARKER, TEMPORARY_PREFIX
from labelingest.storage import list_all
from tests.builders.cloud_servers import CREDENTIALS, CloudServer, moto_server

__all__ = ["Trial"]

_KILLED: Final = "killed"
_SERVER: Final = "server"
_UNDISTURBED: Final = "undisturbed"
_PARTS: Final = (0.02, 0.3, 1.0)
"""Of the files that are changed in a round: a few, one batch, several batches."""
_OPTIONS: Final = {"images": ["images/{name}.jpg"], "labels": "labels/{name}.txt"}
_LONGEST: Final = 60.0
_SAY_EVERY: Final = 10
_AGAIN: Final = 0.2
"""How often what goes on after a kill is killed too."""
_OF_WORKERS: Final = 0.33
"""How often one worker is killed instead of the whole sync."""
_PROCESSES: Final = get_context("forkserver")


def _sync(url: str, name: str, workers: int | None = None) -> None:
    with SyncedFolder(name, state=url) as folder:
        folder.sync(allow_mass_delete=True, workers=workers)


def _apply(url: str, name: str, workers: int | None) -> None:
    with SyncedFolder(name, state=url) as folder:
        folder.apply(folder.plan(allow_mass_delete=True), workers=workers)


def _work_and_say(
    work: Callable[[str, str, int | None], None],
    url: str,
    name: str,
    workers: int | None,
    pipe: Connection,
) -> None:
    State(url).close()  # what is loaded late is loaded now
    pipe.send("begins")
    work(url, name, workers)
    pipe.send("is through")


def _kill_worker(pid: int | None, numbers: random.Random) -> bool:
    """Kill one worker of a process; return whether there was one."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    if children:
        with suppress(ProcessLookupError):
            os.kill(int(numbers.choice(children)), signal.SIGKILL)
    return bool(children)


@dataclass
class Trial:
    """A data set with two folders on it."""

    place: Path
    files: int
    state_url: str
    seed: int = 0
    server: CloudServer | None = None
    """Has the outputs; None for local ones."""
    workers: int | None = None
    """Worker processes of the syncs that are killed; None for the number that suits the files."""
    workers_killed: int = 0
    """Single workers that were killed, while their sync went on."""
    takes_back: bool = False
    """Whether every other change is taken back between the kill and the next sync."""
    stages: Counter[str] = field(default_factory=Counter)
    """Stage → how many processes were killed in it; "start" until it lists."""
    missed: int = 0
    """Syncs that were through before their moment came."""
    state: State = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.data = self.place / "data"
        self.data.mkdir()
        generate(self.data, self.files, Kind.ROTATED, defects=0.01)
        self.names = sorted(path.stem for path in (self.data / "images/train").iterdir())
        self.aside = self.place / "aside"
        self.aside.mkdir()
        self.state = State(self.state_url)
        self.before: Mapping[str, bytes] = {}
        if self.server is not None:
            set_integration(self.state, _SERVER, self.server.connection())
        prefix = self.server.new_url() if self.server is not None else f"{self.place}/"
        self.outputs = {name: f"{prefix}{name}" for name in (_KILLED, _UNDISTURBED)}
        ontology = read_json(str(self.data / "ontology.json"), "ontology")
        for name in (_KILLED, _UNDISTURBED):
            settings = FolderSettings(
                str(self.data),
                self.outputs[name],
                output_integration=None if self.server is None else _SERVER,
                format="yolo",
                ontology=ontology,
                options=_OPTIONS,
                metadata_suffix=".metadata.json",
            )
            SyncedFolder.create(name, settings, state=self.state)

    @property
    def kills(self) -> int:
        """Syncs that were killed before they were through."""
        return self.stages.total()

    # --- what happens to the files ---

    def change(self) -> None:
        """Change, remove and bring back a part of the files; now and then, the settings."""
        part = self.random.choice(_PARTS)
        for name in self.random.sample(self.names, max(int(part * len(self.names)), 1)):
            image = self.data / f"images/train/{name}.jpg"
            label = self.data / f"labels/train/{name}.txt"
            match self.random.randrange(5):
                case 0:
                    self._swap(image)
                case 1:
                    self._swap(label)
                case 2 if label.exists():
                    label.write_text(f"0 .25 .25 .75 .25 .75 {self._number()} .25 {self._number()}")
                case 3 if image.exists():
                    self._replace(image)
                case 4:
                    self._change_metadata(image.with_name(f"{image.name}.metadata.json"))
        if self.random.random() < 0.1:
            self._configure({"dataset_title": f"title {self.kills}"})

    def _configure(self, options: Mapping[str, Any]) -> None:
        for name in (_KILLED, _UNDISTURBED):
            SyncedFolder(name, state=self.state).configure(options=options)

    def _copy(self, source: Path, target: Path) -> None:
        """Make a folder the copy of another, times and all."""
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, symlinks=True)

    def _number(self) -> str:
        return f"{self.random.uniform(0.5, 1.0):.6f}"

    def _swap(self, path: Path) -> None:
        aside = self.aside / path.name
        source, target = (path, aside) if path.exists() else (aside, path)
        if source.exists():
            source.rename(target)

    def _replace(self, image: Path) -> None:
        # What `generate` makes are links to one file for each size.
        image.unlink()
        image.write_bytes(jpeg(*self.random.choice(SIZES)))

    def _change_metadata(self, path: Path) -> None:
        match self.random.randrange(4):
            case 0:
                path.unlink(missing_ok=True)
            case 1:
                path.write_text("no JSON")
            case _:
                path.write_text(f'{{"weather": {self._number()}}}')

    # --- syncs ---

    def sync_undisturbed(self) -> float:
        """Sync the folder that is compared with; return the seconds."""
        started = monotonic()
        _sync(self.state_url, _UNDISTURBED)
        return monotonic() - started

    def sync_killed(self, seconds: float, after: Mapping[str, bytes]) -> None:
        """Sync by a process that is killed at some moment of so many seconds."""
        before = self._last_run()
        hears, says = _PROCESSES.Pipe(duplex=False)
        work = self.random.choice((_sync, _apply))
        arguments = (work, self.state_url, _KILLED, self.workers, says)
        process = _PROCESSES.Process(target=_work_and_say, args=arguments)
        process.start()
        says.close()
        try:
            hears.recv()
            through = hears.poll(self.random.uniform(0, seconds))
            if not through and self.workers is not None and self.random.random() < _OF_WORKERS:
                self.workers_killed += _kill_worker(process.pid, self.random)
                through = True  # waits for the end
            if through:
                hears.recv()  # nothing comes from one that failed: that ends the trial
        finally:
            process.kill()
            process.join(_LONGEST)
            hears.close()
        run = self._last_run()
        _, status, stage = run
        # A run whose process is gone is seen as one that failed.
        if through or (run != before and status is Status.DONE):
            self.missed += 1
        else:
            self.stages["start" if run == before else stage or "start"] += 1
        self._check_whole(after)

    def _last_run(self) -> tuple[int, Status, str]:
        runs = SyncedFolder(_KILLED, state=self.state).activity(limit=1)
        return (runs[0].id, runs[0].status, runs[0].stage) if runs else (0, Status.DONE, "")

    def _check_whole(self, after: Mapping[str, bytes]) -> None:
        """Refuse a label row that is neither what it was nor what it will be."""
        now = {
            key: content
            for key, content in self._contents(_KILLED).items()
            if key.endswith(".encord.json")
        }
        for key in now.keys() | self.before.keys() | after.keys():
            if now.get(key) not in {self.before.get(key), after.get(key)}:
                raise RuntimeError(f"{key} is neither the one before nor the one after")

    def _contents(self, name: str) -> dict[str, bytes]:
        """Return every file of an output, whatever it is called, but for its marker."""
        if self.server is not None:
            output = self.server.storage({}, f"{self.outputs[name]}/")
            keys = [key for key in list_all(output).keys if not key.endswith(OWNER_MARKER)]
            blobs = output.fetch(keys)
            return {key: blobs.get(row) for row, key in enumerate(keys)}
        root = self.place / name
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and path.name != OWNER_MARKER
        }

    # --- outcomes ---

    def outcome(self, name: str) -> dict[str, Any]:
        """Return everything of a folder that does not depend on when it was synced.

        What was there for a while, and was taken back before the killed one came to it, is known to
        the undisturbed one alone.
        """
        folder = SyncedFolder(name, state=self.state)
        items = list(folder.items("present" if self.takes_back else "all"))
        for item in items:
            for of_its_time in ("createdAt", "lastEditedAt", *(_SEEN if self.takes_back else ())):
                del item[of_its_time]
        keys = {"", *(item["name"] for item in items)}
        files = self._contents(name)
        deleted_outputs = {f"{item['name']}.encord.json" for item in folder.items("deleted")}
        if self.takes_back:
            # What was being written when its data file was taken back stays under a temporary name.
            files = {
                key: content
                for key, content in files.items()
                if key not in deleted_outputs
                and not key.rpartition("/")[2].startswith(TEMPORARY_PREFIX)
            }
        outcome: dict[str, Any] = {
            "items": items,
            "files": files,
            "changes": folder.plan().changes,
        }
        with self.state.read() as connection:
            for table in (label_rows, output_rows, problems):
                columns = [c for c in table.columns if c.name not in _OF_ITS_TIME]
                query = sa.select(*columns).where(table.c.folder_id == folder.record.id)
                rows = connection.execute(query.order_by(*table.primary_key))
                outcome[table.name] = [tuple(row) for row in rows if row.key in keys]
        return outcome

    def round(self) -> list[str]:
        """Change, kill and sync once; return what of both folders is not the same."""
        takes_back = self.takes_back and self.random.random() < 0.5
        if takes_back:
            self._copy(self.data, self.place / "kept")
        options = SyncedFolder(_KILLED, state=self.state).settings.options
        self.change()
        seconds = self.sync_undisturbed()
        expected = self.outcome(_UNDISTURBED)
        self.before, after = self._contents(_KILLED), self._contents(_UNDISTURBED)
        while True:
            self.sync_killed(seconds, after)
            if self.random.random() > _AGAIN:
                break
        if takes_back:
            self._copy(self.place / "kept", self.data)
            self._configure({"dataset_title": options.get("dataset_title")})
            self.sync_undisturbed()
            expected = self.outcome(_UNDISTURBED)
        _sync(self.state_url, _KILLED, self.workers)
        outcome = self.outcome(_KILLED)
        return [what for what in expected if outcome[what] != expected[what]]


_SEEN: Final = ("width", "height")
"""Of an item, what is known if its image was looked at."""
_OF_ITS_TIME: Final = {
    *("folder_id", "made_at", "fingerprint"),
    *("token", "old_digest", "old_token"),
}
"""Columns that differ: the fingerprint is of the output too, and files of the output have times."""


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_and_sync")
    parser.add_argument("files", type=int, metavar="FILES")
    parser.add_argument("kills", type=int, metavar="KILLS")
    parser.add_argument("--workers", type=int, help="worker processes of the killed syncs")
    parser.add_argument("--state", help="URL of an empty state; a file of SQLite if not given")
    parser.add_argument("--s3", action="store_true", help="outputs in a bucket of moto's server")
    parser.add_argument("--seed", type=int, default=0, help="of the changes and the moments")
    parser.add_argument(
        "--take-back",
        action="store_true",
        help="take changes back between the kill and the next sync",
    )
    chosen = parser.parse_args()
    _PROCESSES.set_forkserver_preload(
        ["labelingest.bench.synthetic.data_set", "labelingest.folders.schedule"]
    )
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = None
        if chosen.s3:
            os.environ.update(CREDENTIALS)
            server = CloudServer("s3", stack.enter_context(moto_server()))
        url = chosen.state or f"sqlite:///{folder}/state.sqlite"
        trial = Trial(
            Path(folder),
            chosen.files,
            url,
            chosen.seed,
            server=server,
            workers=chosen.workers,
            takes_back=chosen.take_back,
        )
        rounds = 0
        while trial.kills < chosen.kills:
            rounds += 1
            if differs := trial.round():
                print(f"round {rounds}: NOT the same ({', '.join(differs)}), {trial.kills} kills")
                raise SystemExit(1)
            if rounds % _SAY_EVERY == 0:
                print(f"round {rounds}: {trial.kills} kills, always the same", flush=True)
        trial.state.close()
    print(f"{trial.kills} kills in {rounds} rounds, {trial.missed} came too late: always the same")
    if trial.workers_killed:
        print(f"{trial.workers_killed} single workers were killed, and their syncs went on")
    print("killed by stage:", ", ".join(f"{stage} {n}" for stage, n in trial.stages.items()))


if __name__ == "__main__":
    _main()
