"""One of many files: written whole, tidied up after whoever was killed, by two writers at once."""

import errno
import fcntl
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labelingest.storage.local.local import LocalStorage
from labelingest.storage.unfinished_files import unfinished_name

KILLED = """
import os, signal, sys
from labelingest.storage.local.local import LocalStorage

os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
LocalStorage(sys.argv[1]).put("inner/ü.json", b"what was killed")
"""
"""A process that is killed when its bytes are written and the file has not got its name."""


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """Return what a killed process left."""
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    [left] = (tmp_path / "inner").iterdir()
    assert left.read_bytes() == b"what was killed"
    return left


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "row"
    path.touch()
    path.chmod(mode)
    LocalStorage(str(tmp_path)).put("row", b"{}")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"{}", mode)


def test_what_a_killed_process_left_is_written_over(left: Path, tmp_path: Path) -> None:
    LocalStorage(str(tmp_path)).put("inner/ü.json", b"new")
    assert names(left.parent) == ["ü.json"]
    assert (left.parent / "ü.json").read_bytes() == b"new"


@pytest.mark.parametrize("there", [False, True])
def test_what_a_killed_process_left_goes_with_its_file(
    left: Path, tmp_path: Path, there: bool
) -> None:
    if there:
        (left.parent / "ü.json").touch()
    LocalStorage(str(tmp_path)).delete(["inner/ü.json"])
    assert names(left.parent) == []


def test_what_another_process_is_writing_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    unfinished = tmp_path / unfinished_name("a")
    with unfinished.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        LocalStorage(str(tmp_path)).delete(["a"])
    assert names(tmp_path) == [unfinished.name]


def test_writers_of_one_file_come_one_after_the_other(tmp_path: Path) -> None:
    storage = LocalStorage(str(tmp_path))
    contents = [bytes([number]) * 200_000 for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: storage.put("a", content), contents))
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() in contents


def refuse_locks(file: int, operation: int) -> None:
    raise OSError(errno.EOPNOTSUPP, "Operation not supported")


def test_where_files_cannot_be_locked_they_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", refuse_locks)
    LocalStorage(str(tmp_path)).put("a", b"new")
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_link_under_the_temporary_name_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")
    (tmp_path / unfinished_name("a")).symlink_to(target)
    LocalStorage(str(tmp_path)).put("a", b"new")
    assert target.read_bytes() == b"old"
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "a").read_bytes() == b"new"
