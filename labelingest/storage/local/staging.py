"""Write many files of a folder ahead: under temporary names first, then each gets its own.

Writing, and waiting for the disk, is all the work, and it needs no order: another process may do it.
Giving names is quick, and the process that decides does it. Between the two, a reader sees nothing
new, and a process that is killed leaves nothing but unfinished files, which the next write or
deletion of the same file removes (`labelingest.storage.atomic_in_folder`).
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self, TypeAlias

from labelingest.errors import NameRefusedError, StorageError
from labelingest.model.listing import version_token
from labelingest.storage.atomic_in_folder import (
    UnfinishedFile,
    delete_unfinished,
    finish,
    write_unfinished,
)
from labelingest.storage.base import ChangedError, check_key, has_changed
from labelingest.storage.local.disk import Disk
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.local.open_folders import OpenFolders
from labelingest.storage.os_errors import cannot_write

__all__ = ["Staged", "discard", "publish", "stage"]

Staged: TypeAlias = UnfinishedFile | NameRefusedError
"""A file that was written ahead, or why its name is refused."""
_MANY: Final = 64
"""Files from which one flush of the whole disk costs less than a flush for each file."""
_THREADS: Final = 2
"""Threads that write many files: the system takes longer over a new file than Python."""


def stage(storage: LocalStorage, keys: Sequence[str], contents: Sequence[bytes]) -> list[Staged]:
    """Write files under temporary names, and bring their contents onto the disk.

    Parameters
    ----------
    storage
        The folder.
    keys, contents
        Key and whole content of each file.

    Raises
    ------
    StorageError
        A file cannot be written.
    """
    if len(keys) < _MANY:
        return _stage_all(storage, keys, contents, threads=storage.puts_at_once, flushed=None)
    with OpenFolders(storage.root, follow_symlinks=storage.follow_symlinks) as folders:
        try:
            folders.folder("", make=True)
        except OSError as error:
            raise cannot_write(storage.root, error) from error
    with Disk(storage.root, storage.root) as disk:
        staged = _stage_all(storage, keys, contents, threads=_THREADS, flushed=disk.device)
        disk.flush()
    return staged


def publish(
    storage: LocalStorage,
    keys: Sequence[str],
    staged: Sequence[UnfinishedFile],
    expected: Sequence[str],
) -> list[str | ChangedError | NameRefusedError]:
    """Give staged files their names; return the version token of each, or the obstacle.

    Parameters
    ----------
    storage, keys
        The folder, and the keys of the files.
    staged
        Results of `stage`.
    expected
        Version token that the existing file of each key must have; "" where no file may exist.

    Raises
    ------
    StorageError
        A staged file is not as it was written, or cannot get its name.
    """
    outcomes: list[str | ChangedError | NameRefusedError] = []
    with _Places(storage) as places:
        for key, file, token in zip(keys, staged, expected, strict=True):
            try:
                places.publish(key, file, token)
            except (ChangedError, NameRefusedError) as error:
                outcomes.append(error)
            else:
                outcomes.append(version_token(file.size, file.mtime_ns))
    return outcomes


def discard(storage: LocalStorage, keys: Sequence[str]) -> None:
    """Remove what `stage` left of files that were not published; published files stay."""
    with _Places(storage) as places:
        for key in keys:
            places.discard(key)


class _Places:
    """Writes, publishes and discards files by key; the folder of the last file stays open.

    Parameters
    ----------
    storage
        The folder.
    flushed
        Device that the caller flushes: files on other devices, as below a mount point, are flushed
        one by one. None where the caller flushes nothing.
    """

    def __init__(self, storage: LocalStorage, flushed: int | None = None) -> None:
        self._storage = storage
        self._flushed = flushed
        self._folders = OpenFolders(storage.root, follow_symlinks=storage.follow_symlinks)
        self._entered: str | None = None
        self._folder = self._device = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._folders.__exit__(*raised)

    def write(self, key: str, content: bytes) -> UnfinishedFile:
        """Write a file under its temporary name."""
        try:
            name = self._enter(key, make=True)
            flush = self._device != self._flushed
            return write_unfinished(self._folder, name, content, flush=flush)
        except OSError as error:
            raise cannot_write(f"{self._storage.root}/{key}", error) from error

    def publish(self, key: str, file: UnfinishedFile, expected: str) -> None:
        """Give a file its name if that has the expected version."""
        try:
            name = self._enter(key, make=False)

            def check() -> None:
                if self._folders.token(name) != expected:
                    raise has_changed(self._storage.url, key)

            is_intact = finish(self._folder, name, file, check=check)
        except StorageError:
            raise
        except OSError as error:
            raise cannot_write(f"{self._storage.root}/{key}", error) from error
        if not is_intact:
            raise StorageError(
                f"{self._storage.root}/{key} is not written: another process changed or removed it "
                "before it had its name; run again"
            )

    def discard(self, key: str) -> None:
        """Remove a file that has no name yet."""
        try:
            name = self._enter(key, make=False)
        except OSError:
            return  # the folder does not exist, or something else has its name
        delete_unfinished(self._folder, name)

    def _enter(self, key: str, *, make: bool) -> bytes:
        """Open the folder of a file, unless it is open; return the file's name in the folder."""
        check_key(key)
        folder, _, name = key.rpartition("/")
        if folder != self._entered:
            self._entered = None
            self._folder = self._folders.folder(folder, make=make)
            self._device = os.fstat(self._folder).st_dev
            self._entered = folder
        return name.encode()


def _stage_all(
    storage: LocalStorage,
    keys: Sequence[str],
    contents: Sequence[bytes],
    *,
    threads: int,
    flushed: int | None,
) -> list[Staged]:
    """Write files in several threads; return their outcomes in the order of keys."""
    if not keys:
        return []

    def stage_share(share: slice) -> list[Staged]:
        return _stage_some(storage, keys[share], contents[share], flushed)

    length = -(-len(keys) // threads)
    shares = [slice(start, start + length) for start in range(0, len(keys), length)]
    with ThreadPoolExecutor(len(shares)) as pool:
        return [staged for some in pool.map(stage_share, shares) for staged in some]


def _stage_some(
    storage: LocalStorage, keys: Sequence[str], contents: Sequence[bytes], flushed: int | None
) -> list[Staged]:
    outcomes: list[Staged] = []
    with _Places(storage, flushed) as places:
        for key, content in zip(keys, contents, strict=True):
            try:
                outcomes.append(places.write(key, content))
            except NameRefusedError as error:
                outcomes.append(error)
    return outcomes
