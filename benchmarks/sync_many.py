"""A million keys: how long until a folder knows what is to be done, and in how much memory?

From the command line::

    python -m benchmarks.sync_many --keys 1000000 10000000 [--state URL]

Each number is measured in a process of its own, on a storage path that says what a bucket would say,
with an ETag of each key, in pages and in no order; half the keys are images, half their label files.
No file is made. Times beside that of the listing alone:

- the first sync's listing, comparison and plan, on a state that knows nothing;
- a sync without changes, recognised by the digest of the listing;
- the same with the digest forgotten: everything is loaded and compared.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from time import perf_counter
from typing import Final

import numpy as np
import sqlalchemy as sa

from benchmarks.generate import Kind, ontology
from benchmarks.pair_many import RULE, Many
from labelingest.folders import FolderSettings, State, SyncedFolder
from labelingest.folders.changes import Fingerprints, find_changes
from labelingest.folders.fingerprints import label_fingerprint, schema_fingerprint
from labelingest.folders.scan import scan
from labelingest.folders.state.tables import found, items, label_rows
from labelingest.model.keys import Keys
from labelingest.model.listing import Listing
from labelingest.storage import MemoryStorage, Storage, list_all

__all__ = ["Measured", "sync_many"]

_PATH: Final = "s3://bucket/drive/"
_OUTPUT: Final = "s3://bucket/rows/"
_TAG: Final = 34
"""Characters of an ETag."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What it took; seconds."""

    keys: int
    listing: float
    """The listing alone, in order."""
    first: float
    """Listing, comparison and plan of a first sync."""
    unchanged: float
    """A sync without changes."""
    compared: float
    """The same, with everything loaded and compared."""
    peak_mb: float
    """Memory of the process at its largest, in megabytes (10⁶ bytes)."""


class _Tagged(Many):
    """The same storage path, with ETags."""

    def __init__(self, keys: int) -> None:
        super().__init__(keys)
        self.url = _PATH

    def list(self, *, exclude: Sequence[str] = (), bare: Collection[str] = ()) -> Iterator[Listing]:
        """Yield pages."""
        tag = np.frombuffer(b'"' + b"0123456789abcdef" * 2 + b'"', np.uint8)
        for page in super().list(exclude=exclude, bare=bare):
            text = np.tile(tag, len(page)).tobytes()
            offsets = np.arange(len(page) + 1, dtype=np.int64) * _TAG
            yield replace(page, tokens=Keys(text, offsets))


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
        started = perf_counter()
        list_all(storage)
        listing = perf_counter() - started
        started = perf_counter()
        changes = folder.plan().changes
        first = perf_counter() - started
        if changes != {"new file": keys // 2, "new sidecar": keys // 2}:
            raise RuntimeError(f"the plan is {changes}")
        _fill(folder, storage, output)
        compared = _seconds(folder)
        unchanged = _seconds(folder)
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    return Measured(keys, listing, first, unchanged, compared, peak)


def _seconds(folder: SyncedFolder) -> float:
    started = perf_counter()
    run = folder.sync()
    if run.counters.changes:
        raise RuntimeError(f"changes were found: {run.counters.changes}")
    return perf_counter() - started


def _fill(folder: SyncedFolder, storage: Storage, output: Storage) -> None:
    """Write the state of a folder as it is when all label rows are made."""
    record = folder.record
    prints = Fingerprints(
        label_fingerprint(folder.settings, storage.url, output.url),
        schema_fingerprint(folder.settings),
    )
    files = found.c
    with folder.state.connection() as connection, State.writing(connection):
        find_changes(
            connection, record.id, scan(list_all(storage), folder.settings), record.settings, prints
        )
        here = sa.literal(record.id)
        columns = [files.key, files.kind, files.size, files.mtime_ns, files.token]
        names = ["folder_id", *(column.name for column in columns), "added_at", "updated_at"]
        now = sa.literal("2026-01-01T00:00:00.000Z")
        connection.execute(items.insert().from_select(names, sa.select(here, *columns, now, now)))
        columns = [files.key, files.sidecar, files.sidecar_token]
        names = ["folder_id", *(column.name for column in columns), "status", "fingerprint"]
        made = [sa.literal("made"), sa.literal(prints.labels)]
        connection.execute(label_rows.insert().from_select(names, sa.select(here, *columns, *made)))


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
        print(
            f"{found.keys:,} keys: {found.listing:.1f} s to list; first sync's listing and plan "
            f"{found.first:.1f} s, a sync without changes {found.unchanged:.1f} s "
            f"({found.compared:.1f} s when compared); at most {found.peak_mb:,.0f} MB"
        )


if __name__ == "__main__":
    _main()
