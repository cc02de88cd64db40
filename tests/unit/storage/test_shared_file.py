"""A file that several processes write: each at its own place, and none after a later run has begun."""

import fcntl
import os
from pathlib import Path
from threading import Timer

import pytest

from labelingest.errors import StorageError
from labelingest.storage import shared_file
from labelingest.storage.atomic import building_file, whole_file
from labelingest.storage.shared_file import SharedFile, wait_for_writers


def writing(path: Path) -> int:
    """Return a descriptor that shares the lock on a file, as a worker has it while it writes."""
    file = os.open(path, os.O_RDWR)
    fcntl.flock(file, fcntl.LOCK_SH)
    return file


def test_places_may_be_written_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    with path.open("wb") as file:
        shared = SharedFile.from_descriptor(path, file.fileno())
    for offset in (2, 0, 1):
        shared.writer(offset)(b"abc"[offset : offset + 1])
    assert path.read_bytes() == b"abc"


def test_another_file_of_the_same_name_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    with path.open("wb") as file:
        shared = SharedFile.from_descriptor(path, file.fileno())
        path.unlink()
        path.touch()
        with pytest.raises(OSError, match="Stale"):
            shared.writer(0)(b"late")
    assert path.read_bytes() == b""


def test_a_run_waits_until_the_writes_of_a_killed_run_have_ended(tmp_path: Path) -> None:
    path = tmp_path / "unfinished"
    path.write_bytes(b"abc")
    timer = Timer(0.05, os.close, [writing(path)])
    timer.start()
    with whole_file(tmp_path / "rows", unfinished=(path, 1)) as file:
        assert timer.finished.is_set()
        file.write(b"x")
    assert (tmp_path / "rows").read_bytes() == b"ax"


def test_a_write_that_does_not_end_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_file, "_PATIENCE", 0.0)
    path = tmp_path / "unfinished"
    path.write_bytes(b"abc")
    other = writing(path)
    with pytest.raises(StorageError, match="worker processes of an earlier run: end them"):
        whole_file(tmp_path / "rows", unfinished=(path, 1)).__enter__()
    os.close(other)
    assert path.read_bytes() == b"abc"


def test_files_without_writers_are_not_waited_for(tmp_path: Path) -> None:
    with (tmp_path / "rows").open("wb") as file:
        assert wait_for_writers(file.fileno())


def test_a_run_that_begins_anew_has_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "unfinished"
    path.write_bytes(b"abc")
    before = writing(path)
    with whole_file(tmp_path / "rows", unfinished=(path, 0)) as file:
        assert not os.path.samestat(os.fstat(before), os.fstat(file.fileno()))
    os.close(before)


def test_a_late_write_does_not_reach_a_file_without_journal_either(tmp_path: Path) -> None:
    path = building_file(tmp_path / "document")
    path.write_bytes(b"of a killed run")
    with path.open("r+b", buffering=0) as late, whole_file(tmp_path / "document") as file:
        file.write(b"new")
        late.write(b"of a killed run")
    assert (tmp_path / "document").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["document"]
