"""A storage path that is a folder on this machine.

`labelingest.storage.local.walk` lists, `labelingest.storage.local.reading` reads.
"""

import errno
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labelingest.columns.types import Int64
from labelingest.errors import StorageError
from labelingest.model.blobs import Blobs, Unread
from labelingest.model.listing import Listing
from labelingest.storage.atomic import NO_FLUSH
from labelingest.storage.atomic_in_folder import write_whole
from labelingest.storage.base import (
    MAX_SIDECAR,
    NO_FILE,
    Version,
    check_key,
    has_changed,
)
from labelingest.storage.local.open_folders import OpenFolders, token_of
from labelingest.storage.local.reading import folder_runs, read_files, read_heads
from labelingest.storage.local.walk import MAX_ENTRIES, walk
from labelingest.storage.os_errors import cannot_delete, cannot_write, cause_of

__all__ = ["LocalStorage"]

_MISSING: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
"""Error numbers that say that no file has a key: the file could only lie elsewhere."""
_NO_FLUSH: Final = NO_FLUSH | _MISSING
"""Error numbers of a folder's fsync that are no failure: the folder or the call does not exist."""


@dataclass(frozen=True, slots=True)
class LocalStorage:
    """The files below one folder.

    Examples
    --------
    >>> import tempfile
    >>> storage = LocalStorage(tempfile.mkdtemp())
    >>> _ = storage.put("labels/a.txt", b"0 .5 .5 1 1")
    >>> [list(page.keys) for page in storage.list()]
    [['labels/a.txt']]
    >>> storage.fetch(["labels/a.txt"]).get(0)
    b'0 .5 .5 1 1'
    """

    root: str
    """Path of the folder; made absolute, but its links are not followed."""
    follow_symlinks: bool = True
    """Whether links to files and folders are followed; False for folders that are not trusted."""
    max_entries: int = MAX_ENTRIES
    """Number of files and folders after which a listing gives up."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", _absolute(self.root))

    def _folders(self) -> OpenFolders:
        return OpenFolders(self.root, follow_symlinks=self.follow_symlinks)

    @property
    def url(self) -> str:
        """The folder as a file:// URL."""
        return Path(self.root).as_uri().removesuffix("/") + "/"

    @property
    def puts_at_once(self) -> int:
        """Number of files that are best put at the same time: each waits for the disk."""
        return 16

    def list(
        self,
        *,
        exclude: Sequence[str] = (),
        bare: Collection[str] = (),
        splits: Sequence[str] = (),
    ) -> Iterator[Listing]:
        """Yield the files in pages, as `labelingest.storage.base.Storage` says."""
        del splits  # nothing to save: a folder answers at once
        return walk(
            self.root,
            exclude=exclude,
            bare=bare,
            follow_symlinks=self.follow_symlinks,
            max_entries=self.max_entries,
        )

    def fetch(
        self,
        keys: Sequence[str],
        *,
        sizes: Int64 | None = None,
        tokens: bool = True,
        most: int | None = None,
    ) -> Blobs:
        """Return the contents of files, as `labelingest.storage.base.Storage` says."""
        most = MAX_SIDECAR if most is None else most
        with self._folders() as folders:
            return read_files(folders, keys, sizes=sizes, tokens=tokens, most=most)

    def fetch_heads(
        self, keys: Sequence[str], length: int, *, start: int = 0
    ) -> Sequence[bytes | Unread]:
        """Return the first bytes of files, as `labelingest.storage.base.Storage` says."""
        with self._folders() as folders:
            return read_heads(folders, keys, length, start)

    def versions(self, keys: Sequence[str]) -> Sequence[Version | None]:
        """Return the versions of files, as `labelingest.storage.base.Storage` says."""
        versions: list[Version | None] = []
        with self._folders() as folders:
            for folder, names in folder_runs(keys):
                versions += folders.versions(folder, names)
        return versions

    def versions_in(self, folder: str) -> Mapping[str, Version]:
        """Return the versions of a folder's files, as `labelingest.storage.base.Storage` says."""
        check_key(folder.removesuffix("/"))
        try:
            with self._folders() as folders:
                place = folders.folder(folder.removesuffix("/"))
                with os.scandir(place) as entries:
                    names = sorted(entry.name for entry in entries)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StorageError(
                f"{self.root}/{folder} cannot be listed: {cause_of(error)}"
            ) from error
        keys = [folder + name for name in names if _is_unicode(name)]
        versions = zip(keys, self.versions(keys), strict=True)
        return {key: version for key, version in versions if version not in {None, NO_FILE}}

    def put(
        self, key: str, content: bytes | Iterable[bytes], *, unless_changed: str | None = None
    ) -> str:
        """Write one file whole or not at all, as `labelingest.storage.base.Storage` says.

        The version is compared right before the file is replaced: another writer has some
        microseconds to come between.
        """
        check_key(key)
        folder, _, name = key.rpartition("/")
        encoded = name.encode()
        try:
            with self._folders() as folders:
                place = folders.folder(folder, make=True)

                def check() -> None:
                    if unless_changed is not None and folders.token(encoded) != unless_changed:
                        raise has_changed(self.url, key)

                check()  # also before anything is written: a refusal should cost no write
                return token_of(write_whole(place, encoded, content, check=check))
        except StorageError:
            raise
        except OSError as error:
            raise cannot_write(f"{self.root}/{key}", error) from error

    def flush(self, keys: Sequence[str]) -> None:
        """Write the folders of files to the disk, and all folders around them."""
        inner = {key.rpartition("/")[0] for key in keys}
        with_parents = {folder[:end] for folder in inner for end in _ends(folder)} | inner
        with self._folders() as folders:
            for folder in sorted(with_parents):
                try:
                    os.fsync(folders.folder(folder))
                except OSError as error:
                    # A folder that was removed meanwhile, or is not a folder, keeps no names.
                    if error.errno in _NO_FLUSH:
                        continue
                    raise cannot_write(f"{self.root}/{folder}", error) from error

    def delete(self, keys: Sequence[str]) -> None:
        """Delete files, as `labelingest.storage.base.Storage` says; their folders stay."""
        runs = list(folder_runs(keys))  # refuses keys before anything is deleted
        with self._folders() as folders:
            for folder, names in runs:
                prefix = folder + "/" if folder else ""
                try:
                    folders.folder(folder)
                except OSError as error:
                    self._check_missing(prefix + names[0].decode(), error)
                    continue
                for name in names:
                    try:
                        folders.unlink(name)
                    except OSError as error:
                        self._check_missing(prefix + name.decode(), error)

    def _check_missing(self, key: str, error: OSError) -> None:
        """Raise a `StorageError` unless an error means that no file has a key."""
        if error.errno not in _MISSING:
            raise cannot_delete(f"{self.root}/{key}", error) from error


def _ends(folder: str) -> list[int]:
    """Return the positions at which the names of the outer folders end; 0 for the root."""
    return [0, *(place for place, letter in enumerate(folder) if letter == "/")]


def _is_unicode(name: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _absolute(root: str) -> str:
    """Make a path absolute and remove "..", without following other links.

    Only the file system knows the folder that "link/.." means, so that part is resolved.
    """
    path = os.path.join(os.getcwd(), root)
    up = path.rfind("/../") + 3 if "/../" in path else 0
    up = len(path) if path.endswith("/..") else up
    return os.path.normpath(os.path.realpath(path[:up]) + path[up:] if up else path)
