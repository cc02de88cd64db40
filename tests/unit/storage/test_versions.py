"""A folder as an output: versions without reading, links that are not followed, names that last."""

import errno
import os
from pathlib import Path

import pytest

from labelingest.errors import NameRefusedError, StorageError
from labelingest.storage.base import NO_FILE, ChangedError
from labelingest.storage.local.local import LocalStorage
from tests.builders.synced import contents


def test_a_link_has_a_name_and_is_no_file_where_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "root/inner").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a").write_bytes(b"precious")
    (tmp_path / "root/folder").symlink_to("../elsewhere")
    (tmp_path / "root/file").symlink_to("../elsewhere/a")
    (tmp_path / "root/dangling").symlink_to("nowhere")
    storage = LocalStorage(str(tmp_path / "root"), follow_symlinks=False)
    keys = ["file", "folder/a", "dangling", "inner"]
    assert storage.versions(keys) == [NO_FILE] * 4
    for key in ("file", "dangling"):
        with pytest.raises(ChangedError):
            storage.put(key, b"new", unless_changed="")
    with pytest.raises(NameRefusedError, match="a symbolic link"):
        storage.put("folder/a", b"new", unless_changed="")
    with pytest.raises(NameRefusedError, match="a symbolic link"):
        storage.put("folder/new/a", b"new")
    storage.flush(keys)
    assert contents(tmp_path / "elsewhere") == {"a": b"precious"}


def test_the_folders_of_what_was_put_are_flushed_up_to_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalStorage(str(tmp_path))
    keys = ["a/b/1", "a/b/2", "c/3"]
    for key in keys:
        storage.put(key, b"")
    flushed: list[Path] = []

    def note(file: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{file}").readlink())

    monkeypatch.setattr(os, "fsync", note)
    storage.flush([*keys, "gone/x"])
    assert flushed == [tmp_path, tmp_path / "a", tmp_path / "a/b", tmp_path / "c"]


def test_a_disk_that_fails_when_names_are_flushed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError, match="the disk or the network failed"):
        LocalStorage(str(tmp_path)).flush(["a"])
