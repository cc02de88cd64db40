"""Listing and reading on this machine against slow and obvious code, on trees with odd names."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelingest.errors import ConfigError
from labelingest.model.blobs import Unread
from labelingest.model.kinds import TEMPORARY_PREFIX
from labelingest.model.listing import UNKNOWN
from labelingest.storage.base import check_key, list_all
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.local.reading import folder_runs

NAMES = [b"a", b"a.txt", b"a-", b"b.jpg", b"jpg", b"\xc3\xa9.jpg", b"\xff", b"\xc3", b"a\nb"]
NAMES += [TEMPORARY_PREFIX.encode() + b"x", b".txt", b"...", b"a.txt.jpg"]
KINDS = ("file", "folder", "link to file", "link to folder", "loop", "broken", "pipe")
STEPS = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(NAMES), st.sampled_from(KINDS)), max_size=14
)
KEYS = st.lists(
    st.builds(
        "/".join,
        st.lists(st.sampled_from(["a", "b.txt", "é", "", ".", "..", "\0", "\ud800"]), max_size=3),
    ),
    max_size=6,
)


def build(root: bytes, steps: Sequence[tuple[int, bytes, str]]) -> None:
    """Make entries in folders that were made before; what does not fit is left out."""
    folders = [root]
    for number, (place, name, kind) in enumerate(steps):
        path = folders[place % len(folders)] + b"/" + name
        with suppress(FileExistsError):
            if kind == "file":
                with open(path, "xb") as file:  # noqa: PTH123
                    file.write(bytes(number))
            elif kind == "folder":
                os.mkdir(path)  # noqa: PTH102
                folders.append(path)
            elif kind == "pipe":
                os.mkfifo(path)
            else:
                targets = {"link to file": b"a.txt", "link to folder": b"a", "loop": b"."}
                os.symlink(targets.get(kind, b"gone"), path)  # noqa: PTH211


def files_below(root: bytes, *, follow: bool) -> Iterator[tuple[bytes, os.stat_result]]:
    """Yield the files of a folder, one look at each entry after the other."""

    def below(
        path: bytes, prefix: bytes, outer: frozenset[tuple[int, int]]
    ) -> Iterator[tuple[bytes, os.stat_result]]:
        for name in os.listdir(path):  # noqa: PTH208
            try:
                name.decode()
                status = os.stat(path + b"/" + name, follow_symlinks=follow)  # noqa: PTH116
            except (OSError, UnicodeDecodeError):
                continue
            identity = (status.st_dev, status.st_ino)
            if stat.S_ISREG(status.st_mode):
                yield prefix + name, status
            is_finished = not name.startswith(TEMPORARY_PREFIX.encode())
            if stat.S_ISDIR(status.st_mode) and identity not in outer and is_finished:
                inner = path + b"/" + name
                yield from below(inner, prefix + name + b"/", outer | {identity})

    status = os.stat(root)  # noqa: PTH116
    yield from below(root, b"", frozenset([(status.st_dev, status.st_ino)]))


@given(STEPS, st.booleans(), st.sampled_from([(), ("jpg",), ("jpg", "txt")]))
@settings(max_examples=60, deadline=None)
def test_a_walk_lists_what_a_look_at_each_entry_finds(
    steps: Sequence[tuple[int, bytes, str]], follow: bool, bare: Sequence[str]
) -> None:
    root = tempfile.mkdtemp().encode()
    try:
        build(root, steps)
        expected = sorted(files_below(root, follow=follow))
        listing = list_all(LocalStorage(root.decode(), follow), bare=bare)
        assert [key.encode() for key in listing.keys] == [key for key, _ in expected]
        for (key, status), size, mtime_ns in zip(
            expected, listing.size.tolist(), listing.mtime_ns.tolist(), strict=True
        ):
            is_bare = size == UNKNOWN
            assert is_bare <= key.endswith(tuple(b"." + ending.encode() for ending in bare))
            assert is_bare or (size, mtime_ns) == (status.st_size, status.st_mtime_ns)
        read(LocalStorage(root.decode(), follow), expected)
    finally:
        shutil.rmtree(root)


def read(storage: LocalStorage, files: Sequence[tuple[bytes, os.stat_result]]) -> None:
    """Fetch files, and one that is missing, and compare with their sizes."""
    keys = [key.decode() for key, _ in files] + ["a/gone"]
    sizes = np.array([status.st_size for _, status in files] + [0])
    for listed in (None, sizes, sizes + 1, np.zeros_like(sizes)):
        blobs = storage.fetch(keys, sizes=listed)
        assert list(blobs.unread) == [len(files)]
        assert (blobs.ends - blobs.starts).tolist() == sizes.tolist()
        assert blobs.tokens == [*(f"{s.st_size}:{s.st_mtime_ns}" for _, s in files), ""]
    *heads, missing = storage.fetch_heads(keys, 3)
    assert isinstance(missing, Unread)
    assert heads == [bytes(min(status.st_size, 3)) for _, status in files]


@given(KEYS)
def test_runs_hold_all_keys_in_order_or_refuse_one(keys: list[str]) -> None:
    try:
        for key in keys:
            check_key(key)
    except ConfigError:
        with pytest.raises(ConfigError):
            list(folder_runs(keys))
        return
    runs = list(folder_runs(keys))
    assert [
        f"{folder}/{name.decode()}".removeprefix("/") for folder, names in runs for name in names
    ] == keys
    folders = [folder for folder, _ in runs]
    assert all(left != right for left, right in pairwise(folders))


def test_a_file_that_shrinks_or_grows_after_the_listing_is_read_whole(tmp_path: Path) -> None:
    contents = {"a": b"", "b": b"12", "c": b"1" * 70_000}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    storage = LocalStorage(str(tmp_path))
    for sizes in ([9, 9, 9], [400_000_000, 400_000_000, 0], [0, 1, 70_001]):
        blobs = storage.fetch(list(contents), sizes=np.array(sizes), tokens=False)
        assert [blobs.get(row) for row in range(3)] == list(contents.values())
