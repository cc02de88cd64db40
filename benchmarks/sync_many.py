"""A million keys: how long until a folder knows what is to be done, and in how much memory?

From the command line::

    python -m benchmarks.sync_many --keys 1000000 10000000 [--state URL]

Each number is measured in a process of its own, on a storage path that says what a bucket would say:
pages in the order of keys, with an ETag of each; half the keys are images, half their label files.
No file is made. Times beside that of the listing alone:

- the first sync's listing, comparison and plan, on a state that knows nothing;
- the first sync itself until its first sidecar is read: all items are in the state by then;
- the plan where one file of a hundred was replaced;
- a sync without changes, recognised by the digest of the listing;
- the same with the digest forgotten: everything is compared.

The sync without changes has another process of its own, whose memory is told too.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any, Final

import numpy as np

from benchmarks.pair_many import BYTES, RULE, numbered_keys
from labelingest.bench.synthetic.data_set import ontology
from labelingest.bench.synthetic.kinds import Kind
from labelingest.columns.keys import Keys
from labelingest.folders import FolderSettings, State, SyncedFolder
from labelingest.folders.state.tables import label_rows
from labelingest.folders.sync.fingerprints import label_fingerprint
from labelingest.model.listing import Listing
from labelingest.progress import Progress
from labelingest.storage import MemoryStorage, Storage, list_all
from labelingest.storage.base import PAGE

__all__ = ["Measured", "sync_many"]

_NAME: Final = "many"
_PATH: Final = "s3://bucket/drive/"
_OUTPUT: Final = "s3://bucket/rows/"
_TAG: Final = "0123456789abcdef" * 2
_OTHER_TAG: Final = _TAG.replace("0", "f")
_ONE_OF: Final = 100
"""Files of which one was replaced."""
_SAID: Final = {
    "listing": "listing",
    "first": "listing and plan of a first sync",
    "entered": "first sync until its first sidecar is read",
    "one_percent": "listing and plan with 1 % replaced",
    "compared": "sync without changes, everything compared",
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
    one_percent: float
    """Listing, comparison and plan where one file of a hundred was replaced."""
    compared: float
    """A sync without changes, with everything compared."""
    peak_mb: float
    """Memory of the process at its largest, in megabytes (10⁶ bytes)."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """What a sync without changes took."""

    seconds: float
    peak_mb: float


class _Tagged(MemoryStorage):
    """A storage path with as many images as label files, listed in order, with ETags."""

    def __init__(self, keys: int) -> None:
        super().__init__({})
        self.url = _PATH
        self._pairs = keys // 2
        self.replaced = False
        """Whether one file of a hundred has another tag."""

    @property
    def pairs_replaced(self) -> int:
        """How many images, and as many label files, have another tag then."""
        return sum(-(-min(PAGE, self._pairs - s) // _ONE_OF) for s in range(0, self._pairs, PAGE))

    def list(
        self,
        *,
        exclude: Sequence[str] = (),
        bare: Collection[str] = (),
        splits: Sequence[str] = (),
    ) -> Iterator[Listing]:
        """Yield pages."""
        for before, after in ((b"images/train/", b".jpg"), (b"labels/train/", b".txt")):
            for start in range(0, self._pairs, PAGE):
                numbers = np.arange(start, min(start + PAGE, self._pairs))
                tags = np.full(len(numbers), _TAG.encode())
                if self.replaced:
                    tags[::_ONE_OF] = _OTHER_TAG.encode()
                offsets = np.arange(len(numbers) + 1, dtype=np.int64) * len(_TAG)
                sizes = np.full(len(numbers), BYTES, dtype=np.int64)
                keys = numbered_keys(before, numbers, after)
                yield Listing(keys, sizes, sizes, tokens=Keys(tags.tobytes(), offsets))


def sync_many(keys: int, state_url: str) -> Measured:
    """Measure so many keys in this process, on an empty state."""
    storage = _Tagged(keys)
    output = MemoryStorage({}, name="rows")
    settings = FolderSettings(
        _PATH,
        _OUTPUT,
        format="yolo",
        ontology=ontology(Kind.BOXES),
        options={"images": RULE.images, "labels": RULE.labels},
    )
    with State(state_url) as state:
        opener = _opener(storage, output)
        folder = SyncedFolder.create(_NAME, settings, state=state, open_storage=opener)
        listing, _ = _timed(lambda: len(list_all(storage)))
        first, plan = _timed(folder.plan)
        _expect({"new file": keys // 2, "new sidecar": keys // 2}, plan.changes)
        entered = _until_all_are_entered(folder)
        _finish(folder, output)
        storage.replaced = True
        plan_seconds, plan = _timed(folder.plan)
        _expect(
            dict.fromkeys(("file replaced", "sidecar changed"), storage.pairs_replaced),
            plan.changes,
        )
        storage.replaced = False
        compared, run = _timed(folder.sync)
        _expect({}, run.counters.changes)
    return Measured(keys, listing, first, entered, plan_seconds, compared, _peak_mb())


def sync_unchanged(keys: int, state_url: str) -> Unchanged:
    """Measure a sync without changes in this process, on the state that `sync_many` left."""
    opener = _opener(_Tagged(keys), MemoryStorage({}, name="rows"))
    with SyncedFolder(_NAME, state=state_url, open_storage=opener) as folder:
        seconds, run = _timed(folder.sync)
    _expect({}, run.counters.changes)
    return Unchanged(seconds, _peak_mb())


def _opener(storage: Storage, output: Storage) -> Callable[[str], Storage]:
    places = {_PATH: storage, _OUTPUT: output}
    return places.__getitem__


def _peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


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
    values = {
        "status": "made",
        "sidecar_token": _TAG,
        "fingerprint": label_fingerprint(folder.settings, _PATH, output.url),
    }
    with folder.state.write() as connection:
        connection.execute(label_rows.update().values(values))


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync_many")
    parser.add_argument("--keys", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--state", help="URL of an empty state; a file of SQLite if not given")
    parser.add_argument("--json", action="store_true", help="measure here and print JSON")
    parser.add_argument("--unchanged", action="store_true", help="what is measured with --json")
    chosen = parser.parse_args()
    if chosen.json:
        measure = sync_unchanged if chosen.unchanged else sync_many
        print(json.dumps(asdict(measure(chosen.keys[0], chosen.state))))
        return
    for keys in chosen.keys:
        with tempfile.TemporaryDirectory() as place:
            url = chosen.state or f"sqlite:///{place}/state.sqlite"
            words = ["--keys", str(keys), "--state", url, "--json"]
            _print(Measured(**_measured(words)), Unchanged(**_measured([*words, "--unchanged"])))


def _measured(words: Sequence[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.sync_many", *words]
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    measured: dict[str, Any] = json.loads(ran.stdout)
    return measured


def _print(measured: Measured, unchanged: Unchanged) -> None:
    print(f"{measured.keys:,} keys, at most {measured.peak_mb:,.0f} MB")
    for name, what in _SAID.items():
        _print_line(what, getattr(measured, name), measured.listing)
    _print_line("sync without changes", unchanged.seconds, measured.listing)
    print(f"    by itself, at most {unchanged.peak_mb:,.0f} MB")


def _print_line(what: str, seconds: float, listing: float) -> None:
    print(f"  {what:52} {seconds:6.1f} s {seconds / listing:5.1f} × the listing")


if __name__ == "__main__":
    _main()
