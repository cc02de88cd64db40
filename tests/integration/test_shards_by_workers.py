"""Shards that workers write as a whole: the bytes of one process, and no label row in the command."""

import pickle
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from labelingest import IngestConfig, convert
from labelingest.bench.synthetic.data_set import generate
from labelingest.bench.synthetic.kinds import Kind
from labelingest.engines.base import Engine, attempt, value_of
from labelingest.pipeline import loop, run
from labelingest.pipeline.choose_engine import Engines
from labelingest.progress import Progress
from labelingest.sinks.shard_places import FolderShards
from labelingest.sinks.tree_places import FolderPlace

FILES = 120
SHARDS = {"shards": 13, "shards.zst": 13}
TREES: dict[str, int | None] = {"tree": None}
OUTPUTS: dict[str, int | None] = {**SHARDS, **TREES}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    generate(root, FILES, Kind.MIXED, defects=0.01)
    for path in sorted((root / "labels").rglob("*.txt"))[26:39]:
        path.write_text("no row\n")  # a shard without label rows
    return root


class MessageEngine:
    """Runs items in this process, as messages like those of a cluster, some of them twice."""

    workers = 2

    def __init__(self, *, repeats: bool = False, breaks_off_after: int | None = None) -> None:
        self.received: list[bytes] = []
        self._repeats, self._left = repeats, breaks_off_after

    def map(self, fn: Callable[[Any], Any], items: Iterable[Any], /) -> Generator[Any]:
        waiting: list[bytes] = []
        for item in items:
            waiting.append(pickle.dumps(item))
            if len(waiting) == 4:
                yield from self._done(fn, waiting)
                waiting = []
        yield from self._done(fn, waiting)

    def _done(self, fn: Callable[[Any], Any], waiting: list[bytes]) -> Generator[Any]:
        outcomes = {}
        for number in reversed(range(len(waiting))):  # a later item is done first
            for _ in range(2 if self._repeats else 1):
                function = pickle.loads(pickle.dumps(fn))
                outcomes[number] = pickle.dumps(attempt(function, pickle.loads(waiting[number])))
        for number in range(len(waiting)):
            if self._left is not None:
                self._left -= 1
                if self._left < 0:
                    raise KeyboardInterrupt
            self.received.append(outcomes[number])
            yield value_of(pickle.loads(outcomes[number]))


def converted(data: Path, out: Path, engine: Engine | None = None, **options: Any) -> Any:
    config = IngestConfig(
        storage_path=data,
        ontology=data / "ontology.json",
        out=out,
        problems=out.with_suffix(".problems"),
        **{
            "batch_bytes": 2000,
            "workers": 1,
            "on_row_error": "skip-file",
            "shard_rows": OUTPUTS[out.name],
            **options,
        },
    )
    with pytest.MonkeyPatch.context() as patch:
        if engine is not None:
            patch.setattr(Engines, "engine", lambda self, pairs: engine)
        report = convert(config)
    assert report.balance()
    return report


def everything(out: Path) -> dict[str, bytes]:
    files = {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }
    return {**files, "problems": out.with_suffix(".problems").read_bytes()}


@pytest.fixture(scope="module")
def expected(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    place = tmp_path_factory.mktemp("expected")
    for name in OUTPUTS:
        converted(data, place / name)
    return {name: everything(place / name) for name in OUTPUTS}


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("repeats", [False, True])
def test_no_label_row_passes_through_the_command(
    data: Path, tmp_path: Path, expected: Any, name: str, repeats: bool
) -> None:
    engine = MessageEngine(repeats=repeats)
    converted(data, tmp_path / name, engine)
    assert everything(tmp_path / name) == expected[name]
    label_rows = sum(map(len, expected[name].values()))
    received = sum(map(len, engine.received))
    if not (repeats and name == "tree"):  # names that a lost worker has taken bring their texts
        assert not any(b"label_hash" in outcome for outcome in engine.received)
        assert received < label_rows / 2


@pytest.mark.parametrize("name", OUTPUTS)
def test_workers_that_do_not_see_the_output_hand_label_rows_on(
    data: Path, tmp_path: Path, expected: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FolderShards, "open", lambda self, number: None)
    monkeypatch.setattr(FolderPlace, "is_reachable", lambda self: False)
    converted(data, tmp_path / name, MessageEngine())
    assert everything(tmp_path / name) == expected[name]


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("workers", [1, 2])
def test_own_processes_write_the_bytes_of_one(
    data: Path, tmp_path: Path, expected: Any, name: str, workers: int
) -> None:
    converted(data, tmp_path / name, workers=workers)
    assert everything(tmp_path / name) == expected[name]


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("jobs", [1, 3, 6])
@pytest.mark.parametrize("then", ["one process", "workers"])
@pytest.mark.parametrize("first", ["one process", "workers"])
def test_an_interrupted_run_is_resumed_by_any_engine(
    data: Path, tmp_path: Path, expected: Any, name: str, jobs: int, first: str, then: str
) -> None:
    """Batches of one process and shards of workers follow each other in one journal."""
    out = tmp_path / name
    steps = 0

    def interrupt(progress: Progress) -> None:
        nonlocal steps
        steps += progress.stage == "convert"
        if steps > jobs:
            raise KeyboardInterrupt

    engine = MessageEngine(breaks_off_after=jobs) if first == "workers" else None
    with suppress(KeyboardInterrupt), pytest.MonkeyPatch.context() as patch:
        if engine is None:
            patch.setattr(run, "RunTotals", lambda r, p, _: loop.RunTotals(r, p, interrupt))
        converted(data, out, engine)
    assert not out.exists()
    report = converted(data, out, MessageEngine() if then == "workers" else None)
    assert everything(out) == expected[name]
    assert report.out == str(out)


def test_a_shard_without_label_rows_is_there_and_empty(expected: Any) -> None:
    assert expected["shards"]["label_rows-00002-of-00010.jsonl"] == b""
    assert expected["shards.zst"]["label_rows-00002-of-00010.jsonl.zst"] != b""
    assert b'"first_key": null' in expected["shards"]["index.json"]
