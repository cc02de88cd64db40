"""What an interrupted run left is changed before the next one: what does not fit is done again.

Disks lose what they took, people tidy up, and journals are files like others. The next run ends in
the bytes of an undisturbed one, and says that it did something again.
"""

import json
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from labelingest import IngestConfig, convert
from labelingest.bench.synthetic.data_set import generate
from labelingest.bench.synthetic.kinds import Images, Kind
from labelingest.errors import StorageError
from labelingest.pipeline import resume as module
from labelingest.progress import Progress
from labelingest.sinks.output_folder import MARKER
from labelingest.storage.journal import Journal
from labelingest.storage.unfinished_files import unfinished_name

FILES = 60
STOPPED_AFTER = 40
OUTPUTS: dict[str, dict[str, Any]] = {
    "rows.jsonl": {},
    "rows.jsonl.zst": {},
    "tree": {},
    "shards": {"shard_rows": 7},
    "shards.zst": {"shard_rows": 7},
    "labels": {"to": "yolo"},
}
TREES = ("tree", "labels")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    generate(root, FILES, Kind.BOXES, defects=0.05, images=Images.EMPTY)
    return root


def config_of(data: Path, place: Path, out: str) -> IngestConfig:
    return IngestConfig(
        storage_path=data,
        ontology=data / "ontology.json",
        out=place / out,
        problems=place / "problems.jsonl",
        batch_bytes=2000,
        workers=1,
        **OUTPUTS[out],
    )


def contents(place: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(place).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(place.rglob("*"))
    }


@pytest.fixture(scope="module")
def whole(
    data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, bytes | None]]:
    """Return a function from the name of an output to what an undisturbed run leaves."""

    @cache
    def done(out: str) -> dict[str, bytes | None]:
        place = tmp_path_factory.mktemp("whole")
        convert(config_of(data, place, out))
        return contents(place)

    return done


class Unfinished:
    """A run that was interrupted, and the next one."""

    def __init__(self, data: Path, place: Path, out: str) -> None:
        self.config = config_of(data, place, out)
        self.place = place
        self.building = place / unfinished_name(out)
        self.journal = place / unfinished_name(out, "-journal")

        def stop(progress: Progress) -> None:
            if progress.stage == "convert" and progress.files >= STOPPED_AFTER:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            convert(self.config, progress=stop)

    def files(self) -> list[Path]:
        """Return the files of the unfinished output, without those that stand for no labels."""
        if self.building.is_file():
            return [self.building]
        files = (path for path in self.building.rglob("*") if path.is_file())
        return sorted(path for path in files if path.name not in (MARKER, "data.yaml"))

    def go_on(self) -> dict[str, bytes | None]:
        convert(self.config)
        return contents(self.place)


@pytest.fixture(params=OUTPUTS)
def unfinished(request: pytest.FixtureRequest, data: Path, tmp_path: Path) -> Unfinished:
    return Unfinished(data, tmp_path, request.param)


@pytest.fixture
def expected(unfinished: Unfinished, whole: Callable[..., Any]) -> Any:
    return whole(Path(str(unfinished.config.out)).name)


def test_what_fits_is_not_done_again(
    unfinished: Unfinished, expected: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert unfinished.go_on() == expected
    assert caplog.records == []


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def empty(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES: tuple[Callable[[Path], None], ...] = (flip, zero, empty, Path.unlink)


@pytest.mark.parametrize("damage", DAMAGES, ids=["flip", "zero", "empty", "remove"])
@pytest.mark.parametrize("which", [0, -1])
def test_a_file_of_the_unfinished_output_that_was_changed_is_made_again(
    unfinished: Unfinished,
    expected: Any,
    damage: Callable[[Path], None],
    which: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    damage(unfinished.files()[which])
    assert unfinished.go_on() == expected
    assert "the others are converted again" in caplog.text


def link_file(building: Path, away: Path) -> None:
    file = next(path for path in sorted(building.rglob("*.*")) if path.name != MARKER)
    file.rename(away)
    file.symlink_to(away)


def link_marker(building: Path, away: Path) -> None:
    away.write_bytes(b"")
    (building / MARKER).unlink()
    (building / MARKER).symlink_to(away)


def link_folder(building: Path, away: Path) -> None:
    away.mkdir()
    (building / "zz").symlink_to(away)


def remove_marker(building: Path, away: Path) -> None:
    (building / MARKER).unlink()


def add_file(building: Path, away: Path) -> None:
    (building / "notes.txt").write_bytes(b"foreign")


def add_folder(building: Path, away: Path) -> None:
    (building / "zz").mkdir()
    (building / "zz/notes.txt").write_bytes(b"foreign")


FOREIGN = (link_file, link_marker, link_folder, remove_marker, add_file, add_folder)


@pytest.mark.parametrize("damage", FOREIGN, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("out", ["tree", "shards"])
def test_what_no_run_put_into_an_unfinished_folder_is_not_in_the_output(
    data: Path, tmp_path: Path, out: str, damage: Callable[[Path, Path], None], whole: Any
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    unfinished = Unfinished(data, place, out)
    damage(unfinished.building, tmp_path / "away")
    assert unfinished.go_on() == whole(out)
    assert not any(path.is_symlink() for path in place.rglob("*"))


def test_an_output_that_is_gone_is_made_anew(unfinished: Unfinished, expected: Any) -> None:
    if unfinished.building.is_dir():
        shutil.rmtree(unfinished.building)
    else:
        unfinished.building.unlink()
    assert unfinished.go_on() == expected


@pytest.mark.parametrize("out", ["rows.jsonl", "rows.jsonl.zst"])
@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_what_is_no_regular_file_is_no_unfinished_output(
    data: Path, tmp_path: Path, out: str, kind: str, whole: Any
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    unfinished = Unfinished(data, place, out)
    if kind == "pipe":
        unfinished.building.unlink()
        os.mkfifo(unfinished.building)
    else:
        unfinished.building.rename(tmp_path / "away")
        unfinished.building.symlink_to(tmp_path / "away")
    assert unfinished.go_on() == whole(out)
    assert all(path.is_file() and not path.is_symlink() for path in place.iterdir())


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.99])
def test_a_byte_of_the_journal_that_was_changed_changes_no_output(
    unfinished: Unfinished, expected: Any, part: float, caplog: pytest.LogCaptureFixture
) -> None:
    content = bytearray(unfinished.journal.read_bytes())
    content[int(part * len(content))] ^= 1
    unfinished.journal.write_bytes(content)
    assert unfinished.go_on() == expected
    assert "is damaged" in caplog.text


def rewritten(path: Path, change: Callable[[Any], Any]) -> None:
    """Change the entries of a journal, each with a digest that fits."""
    journal = Journal.open(path, "rows.jsonl")
    subject, entries = journal.load() or ("", [])
    journal.begin(subject)
    for number, entry in enumerate(entries):
        journal.append(change(entry) if number == len(entries) - 2 else entry)
    journal.close()


STRANGE: tuple[Any, ...] = (
    None,
    1,
    "x",
    [],
    {},
    [[]],
    [1],
    [None, None],
    [-1, 0],
    [[1, 2, 3, 4, 5, 6]],
    [["../a"], 1],
)


@pytest.mark.parametrize("mark", STRANGE, ids=repr)
def test_marks_of_a_wrong_form_are_done_again(
    unfinished: Unfinished, expected: Any, mark: Any
) -> None:
    rewritten(unfinished.journal, lambda entry: {**entry, "mark": mark})
    assert unfinished.go_on() == expected


CHANGES: tuple[Callable[[Any], Any], ...] = (
    lambda entry: 1,
    lambda entry: {},
    lambda entry: {**entry, "problems": [["no-code", "a", "b"]]},
    lambda entry: {**entry, "problems": [["not-text", 1, 2]]},
    lambda entry: {**entry, "problems": [["not-text"]]},
    lambda entry: {**entry, "data_files": [1]},
    lambda entry: {**entry, "data_files": {"a": 1}},
    lambda entry: {**entry, "tally": {**entry["tally"], "label_rows": "5"}},
    lambda entry: {**entry, "tally": {**entry["tally"], "dropped": {"a": "b"}}},
    lambda entry: {**entry, "tally": {**entry["tally"], "refitted": 5}},
    lambda entry: {**entry, "tally": {"lines_seen": 1}},
)


@pytest.mark.parametrize("change", CHANGES, ids=map(str, range(len(CHANGES))))
def test_entries_of_a_wrong_form_start_anew(
    change: Callable[[Any], Any], data: Path, tmp_path: Path, whole: Callable[..., Any]
) -> None:
    unfinished = Unfinished(data, tmp_path, "rows.jsonl")
    rewritten(unfinished.journal, change)
    assert unfinished.go_on() == whole("rows.jsonl")


def test_a_journal_of_a_release_without_digests_starts_anew(
    data: Path, tmp_path: Path, whole: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    unfinished = Unfinished(data, tmp_path, "rows.jsonl")
    lines = unfinished.journal.read_bytes().splitlines(keepends=True)
    unfinished.journal.write_bytes(b"".join(line.partition(b" ")[2] for line in lines))
    assert unfinished.go_on() == whole("rows.jsonl")
    assert "damaged or of another version" in caplog.text


@pytest.mark.parametrize("flush", ["first", "second", "last"])
def test_after_a_failed_flush_nothing_counts_that_may_not_be_on_the_disk(
    flush: str, data: Path, tmp_path: Path, whole: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system reports a failed write once, drops it, and calls the next flush a success."""
    config = config_of(data, tmp_path, "rows.jsonl")
    building = tmp_path / unfinished_name("rows.jsonl")
    fsync, flushes, synced = os.fsync, [0], [0]
    fails_at = {"first": 1, "second": 3, "last": None}[flush]
    monkeypatch.setattr(module, "_SYNC_EVERY", 0.0 if fails_at else 1e9)

    def fail(file: int) -> None:
        if not building.exists() or not os.path.sameopenfile(file, open_building(building)):
            return fsync(file)
        flushes[0] += 1
        if flushes[0] == (fails_at or 1):
            size = os.fstat(file).st_size
            os.pwrite(file, bytes(size - synced[0]), synced[0])
            raise OSError(5, "Input/output error")
        fsync(file)
        synced[0] = os.fstat(file).st_size
        return None

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError):
        convert(config)
    convert(config)
    assert contents(tmp_path) == whole("rows.jsonl")


@cache
def open_building(path: Path) -> int:
    return os.open(path, os.O_RDONLY)


def test_a_journal_has_a_mark_for_each_batch_and_no_label_rows(data: Path, tmp_path: Path) -> None:
    unfinished = Unfinished(data, tmp_path, "rows.jsonl")
    entries = [
        json.loads(line.partition(b" ")[2]) for line in unfinished.journal.read_bytes().splitlines()
    ]
    marks = [line["entry"]["mark"] for line in entries if "entry" in line]
    assert sum(size for size, _ in marks) == unfinished.building.stat().st_size
