"""A million keys: how long until a folder knows what is to be done, and in how much memory?

From the command line::

    python -m benchmarks.sync_many --keys 1000000 10000000 [--state URL]

Each number is measured in a process of its own, on a storage path that says what a bucket would say,
with an ETag of each key, in pages and in no order; half the keys are images, half their label files.
No file is made. Times beside that of the listing alone:

- the first sync's listing, comparison and plan, on a state that knows nothing;
- the first sync itself until its first sidecar is read: all items are in the state by then;
- the plan where one file of a hundred was replaced;
- a sync without changes, recognised by the digest of the listing;
- the same with the digest forgotten: everything is compared.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from time import perf_counter
from typing import Any, Final

import numpy as np

from benchmarks.generate import Kind, ontology
from benchmarks.pair_many import RULE, Many
from labelingest.folders import FolderSettings, State, SyncedFolder
from labelingest.folders.fingerprints import label_fingerprint
from labelingest.folders.state.tables import label_rows
from labelingest.model.keys import Keys
from labelingest.model.listing import Listing
from labelingest.pipeline.progress import Progress
from labelingest.storage import MemoryStorage, Storage, list_all
from labelingest.storage.base import PAGE

__all__ = ["Measured", "sync_many"]

_PATH: Final = "s3://bucket/drive/"
_OUTPUT: Final = "s3://bucket/rows/"
_TAG: Final = f'"{"0123456789abcdef" * 2}"'
_OTHER_TAG: Final = _TAG.replace("0", "f")
_ONE_OF: Final = 100
"""Files of which one was replaced."""
_SAID: Final = {
    "listing": "listing",
    "first": "listing and plan of a first sync",
    "entered": "first sync until its first sidecar is read",
    "few": "listing and plan with 1 % replaced",
    "unchanged": "sync without changes",
    "compared": "the same, everything compared",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What it took; seconds."""

    keys: int
    listing: float
    """The listing alone, in order."""
    first: float
    """Listing, comparison and plan of a first sync."""
    entered: float
    """A first sync until its first sidecar is read."""
    few: float
    """Listing, comparison and plan where one file of a hundred was replaced."""
    unchanged: float
    """A sync without changes."""
    compared: float
    """The same, with everything compared."""
    peak_mb: float
    """Memory of the process at its largest, in megabytes (10⁶ bytes)."""


class _Tagged(Many):
    """The same storage path, with ETags."""

    def __init__(self, keys: int) -> None:
        super().__init__(keys)
        self.url = _PATH
        self.replaced = False
        """Whether one file of a hundred has another tag."""

    @property
    def pairs_replaced(self) -> int:
        """How many images, and as many label files, have another tag then."""
        return sum(-(-min(PAGE, self._pairs - s) // _ONE_OF) for s in range(0, self._pairs, PAGE))

    def list(self, *, exclude: Sequence[str] = (), bare: Collection[str] = ()) -> Iterator[Listing]:
        """Yield pages."""
        for page in super().list(exclude=exclude, bare=bare):
            tags = np.full(len(page), _TAG.encode())
            if self.replaced:
                tags[::_ONE_OF] = _OTHER_TAG.encode()
            offsets = np.arange(len(page) + 1, dtype=np.int64) * len(_TAG)
            yield replace(page, tokens=Keys(tags.tobytes(), offsets))


def sync_many(keys: int, state_url: str) -> Measured:
    """Measure so many keys in this process, on an empty state."""
    storage = _Tagged(keys)
    output = MemoryStorage({}, name="rows")
    places: dict[str, Storage] = {_PATH: storage, _OUTPUT: output}
    settings = FolderSettings(
        _PATH,
        _OUTPUT,
        format="yolo",
        ontology=ontology(Kind.BOXES),
        options={"images": RULE.images, "labels": RULE.labels},
    )
    with State(state_url) as state:
        folder = SyncedFolder.create("many", settings, state=state, open_storage=places.__getitem__)
        listing, _ = _timed(lambda: len(list_all(storage)))
        first, plan = _timed(folder.plan)
        _expect({"new file": keys // 2, "new sidecar": keys // 2}, plan.changes)
        entered = _until_all_are_entered(folder)
        _finish(folder, output)
        storage.replaced = True
        few, plan = _timed(folder.plan)
        _expect(
            dict.fromkeys(("file replaced", "sidecar changed"), storage.pairs_replaced),
            plan.changes,
        )
        storage.replaced = False
        compared, run = _timed(folder.sync)
        _expect({}, run.counters.changes)
        unchanged, run = _timed(folder.sync)
        _expect({}, run.counters.changes)
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    return Measured(keys, listing, first, entered, few, unchanged, compared, peak)


def _timed(do: Callable[[], Any]) -> tuple[float, Any]:
    started = perf_counter()
    result = do()
    return perf_counter() - started, result


def _expect(expected: Mapping[str, int], changes: Mapping[str, int]) -> None:
    if changes != expected:
        raise RuntimeError(f"the changes are {changes}, not {expected}")


def _until_all_are_entered(folder: SyncedFolder) -> float:
    """Return the seconds of a first sync that is cancelled before its first batch."""
    batches: list[Progress] = []

    def note(progress: Progress) -> None:
        if progress.stage == "convert":
            batches.append(progress)

    seconds, _ = _timed(lambda: folder.sync(progress=note, cancelled=lambda: bool(batches)))
    return seconds


def _finish(folder: SyncedFolder, output: Storage) -> None:
    """Write to the state that all label rows are made."""
    made = {
        "status": "made",
        "sidecar_token": _TAG,
        "fingerprint": label_fingerprint(folder.settings, _PATH, output.url),
    }
    with folder.state.write() as connection:
        connection.execute(label_rows.update().values(made))


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync_many")
    parser.add_argument("--keys", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--state", help="URL of an empty state; a file of SQLite if not given")
    parser.add_argument("--json", action="store_true", help="measure here and print JSON")
    chosen = parser.parse_args()
    if chosen.json:
        with tempfile.TemporaryDirectory() as place:
            url = chosen.state or f"sqlite:///{place}/state.sqlite"
            print(json.dumps(asdict(sync_many(chosen.keys[0], url))))
        return
    for keys in chosen.keys:
        words = ["--keys", str(keys), "--json"]
        words += ["--state", chosen.state] if chosen.state else []
        command = [sys.executable, "-m", "benchmarks.sync_many", *words]
        ran = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        found = Measured(**json.loads(ran.stdout))
        print(f"{found.keys:,} keys, at most {found.peak_mb:,.0f} MB")
        for name, what in _SAID.items():
            seconds = getattr(found, name)
            print(f"  {what:52} {seconds:6.1f} s {seconds / found.listing:5.1f} × the listing")


if __name__ == "__main__":
    _main()
