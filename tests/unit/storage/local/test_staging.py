import errno
import os
from pathlib import Path

import pytest

from labelingest.errors import StorageError
from labelingest.storage.local import disk
from labelingest.storage.local.disk import Disk
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.local.staging import stage

KEYS = [f"folder/{number}.json" for number in range(100)]
CONTENTS = [b"{}"] * len(KEYS)


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the descriptors of files that are flushed one by one."""
    files: list[int] = []
    monkeypatch.setattr(os, "fsync", files.append)
    return files


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Return an entry for each flush of all file systems."""
    calls: list[None] = []
    monkeypatch.setattr(os, "sync", lambda: calls.append(None))
    return calls


def test_many_files_are_flushed_at_once(tmp_path: Path, flushed: list[int]) -> None:
    stage(LocalStorage(str(tmp_path)), KEYS, CONTENTS)
    assert flushed == []


def test_files_on_another_file_system_than_the_folder_are_flushed_one_by_one(
    tmp_path: Path, flushed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Disk, "device", -2)
    stage(LocalStorage(str(tmp_path)), KEYS, CONTENTS)
    assert len(flushed) == len(KEYS)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EPERM, None])
def test_without_a_call_for_one_file_system_all_are_flushed(
    tmp_path: Path, synced: list[None], monkeypatch: pytest.MonkeyPatch, number: int | None
) -> None:
    monkeypatch.setattr(disk, "get_errno", lambda: number)
    monkeypatch.setattr(disk, "_syncfs", lambda: None if number is None else lambda folder: -1)
    with Disk(tmp_path, tmp_path) as folder:
        folder.flush()
    assert len(synced) == 1


def test_a_disk_that_fails_is_an_error(
    tmp_path: Path, synced: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "get_errno", lambda: errno.EIO)
    monkeypatch.setattr(disk, "_syncfs", lambda: lambda folder: -1)
    with Disk(tmp_path, "out") as folder, pytest.raises(StorageError, match="out"):
        folder.flush()
    assert synced == []
