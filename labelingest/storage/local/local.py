"""A storage path that is a folder on this machine.

Fetching is the hot path: one open, one read and one close for each file, relative to the folder it
shares with the file before. No path is ever joined from a key and then trusted: keys with ".." or
other ways out are refused first.

Three things cost nothing because of how the calls are made:

- `O_NONBLOCK` never waits for the other end of a named pipe.
- Reading at a position (`pread`) fails on pipes and sockets, so no `fstat` tells them from files.
- The size from the listing, if passed, shows that the first read was also the last. Without it a
  second read has to find the end.

The version that was read costs an `fstat` (a third of the time), and is determined on request only.

Tried and given up: reading straight into the buffer of the batch (`preadv`) costs more in making
the slices than the copy it saves (95 against 82 ms for 20,000 files of 300 bytes).
"""

import errno
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from labelingest.columns.types import Int64
from labelingest.errors import StorageError
from labelingest.model.blobs import Blobs, Unread
from labelingest.model.listing import Listing, version_token
from labelingest.problems import ProblemCode
from labelingest.storage.atomic import NO_FLUSH
from labelingest.storage.atomic_in_folder import delete_unfinished, write_whole
from labelingest.storage.base import (
    MAX_SIDECAR,
    NO_FILE,
    NOT_THERE,
    Version,
    check_key,
    has_changed,
    too_large,
)
from labelingest.storage.local.walk import MAX_ENTRIES, walk
from labelingest.storage.os_errors import cannot_delete, cannot_write, cause_of

__all__ = ["LocalStorage"]

_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NO_FLUSH: Final = NO_FLUSH | {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
"""Error numbers of a folder's fsync that are no failure: the folder or the call does not exist."""
_UNKNOWN: Final = -1
_GUESS: Final = 65_536
"""Bytes read at once where the size of a file is unknown."""


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
        listed_sizes = [_UNKNOWN] * len(keys) if sizes is None else sizes.tolist()
        contents = []
        read = []
        unread = {}
        with _Folders(self) as folders:
            for row, (key, size) in enumerate(zip(keys, listed_sizes, strict=True)):
                try:
                    file = folders.open(key)
                    try:
                        # Before the first byte: a file changed while it is read has another token.
                        token = _token(os.fstat(file)) if tokens else ""
                        contents.append(_read(file, size, most))
                        read.append(token)
                    finally:
                        os.close(file)
                except OSError as error:
                    contents.append(b"")
                    read.append("")
                    unread[row] = _unread(error)
        return Blobs.from_contents(contents, unread, read if tokens else None)

    def fetch_heads(
        self, keys: Sequence[str], length: int, *, start: int = 0
    ) -> Sequence[bytes | Unread]:
        """Return the first bytes of files, as `labelingest.storage.base.Storage` says."""
        heads: list[bytes | Unread] = []
        with _Folders(self) as folders:
            for key in keys:
                try:
                    file = folders.open(key)
                    try:
                        heads.append(os.pread(file, length, start))
                    finally:
                        os.close(file)
                except OSError as error:
                    heads.append(_unread(error))
        return heads

    def versions(self, keys: Sequence[str]) -> Sequence[Version | None]:
        """Return the versions of files, as `labelingest.storage.base.Storage` says."""
        with _Folders(self) as folders:
            return [folders.version(key) for key in keys]

    def versions_in(self, folder: str) -> Mapping[str, Version]:
        """Return the versions of a folder's files, as `labelingest.storage.base.Storage` says."""
        check_key(folder.removesuffix("/"))
        try:
            with _Folders(self) as folders:
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
            with _Folders(self) as folders:
                place = folders.folder(folder, make=True)

                def check() -> None:
                    if unless_changed is not None and folders.token(encoded) != unless_changed:
                        raise has_changed(self.url, key)

                check()  # also before anything is written: a refusal should cost no write
                return _token(write_whole(place, encoded, content, check=check))
        except StorageError:
            raise
        except OSError as error:
            raise cannot_write(f"{self.root}/{key}", error) from error

    def flush(self, keys: Sequence[str]) -> None:
        """Write the folders of files to the disk, and all folders around them."""
        inner = {key.rpartition("/")[0] for key in keys}
        with_parents = {folder[:end] for folder in inner for end in _ends(folder)} | inner
        with _Folders(self) as folders:
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
        for key in keys:
            check_key(key)
        with _Folders(self) as folders:
            for key in keys:
                try:
                    folders.unlink(key)
                except (FileNotFoundError, NotADirectoryError):
                    continue
                except OSError as error:
                    if error.errno in {errno.ENAMETOOLONG, errno.ELOOP}:
                        continue  # no file can have this name, or the file lies elsewhere
                    raise cannot_delete(f"{self.root}/{key}", error) from error


class _TooLargeError(OSError):
    """A file has more bytes than may be fetched."""


class _Folders:
    """Opens files by key; keeps the folder of the last file open for the next."""

    def __init__(self, storage: LocalStorage) -> None:
        self._root = storage.root
        self._follow = storage.follow_symlinks
        self._flags = _READ if storage.follow_symlinks else _READ | os.O_NOFOLLOW
        self._prefix: str | None = None
        self._folder = _UNKNOWN

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def open(self, key: str) -> int:
        """Open a file for reading; the caller closes the descriptor."""
        name = self._enter(key)
        return os.open(name, self._flags, dir_fd=self._folder)

    def unlink(self, key: str) -> None:
        """Delete a file, and what a killed `put` of it left."""
        name = self._enter(key)
        delete_unfinished(self._folder, name)
        os.unlink(name, dir_fd=self._folder)

    def version(self, key: str) -> Version | None:
        """Return the version of a file; None where the file does not exist.

        Raises
        ------
        StorageError
            The folder of the file cannot be read.
        """
        try:
            status = self._stat(self._enter(key))
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ENAMETOOLONG}:
                return None
            if error.errno in {errno.ENOTDIR, errno.ELOOP}:
                return NO_FILE
            raise StorageError(f"{key!r} cannot be looked at: {cause_of(error)}") from error
        return Version(status.st_size, _token(status)) if stat.S_ISREG(status.st_mode) else NO_FILE

    def token(self, name: bytes) -> str:
        """Return the version token of a file in the open folder; "" where it does not exist."""
        try:
            status = self._stat(name)
        except FileNotFoundError:
            return ""
        return _token(status) if stat.S_ISREG(status.st_mode) else NO_FILE.token

    def _stat(self, name: bytes) -> os.stat_result:
        # A link that leads nowhere occupies the name all the same: it exists, and is not a file.
        try:
            return os.stat(name, dir_fd=self._folder, follow_symlinks=self._follow)
        except FileNotFoundError:
            return os.stat(name, dir_fd=self._folder, follow_symlinks=False)

    def _enter(self, key: str) -> bytes:
        """Open the folder of a file, unless it is open; return the file's name in the folder."""
        folder, slash, name = key.rpartition("/")
        if folder + slash != self._prefix:
            check_key(key)
            self.folder(folder)
        elif name in {"", ".", ".."} or not name.isascii() or "\0" in name:
            check_key(key)
        return name.encode()

    def folder(self, folder: str, *, make: bool = False) -> int:
        """Open a folder by its key, "" for the root; the descriptor stays this object's."""
        self._close()
        path = self._root.encode("utf-8", "surrogateescape")
        if make:
            os.makedirs(path, exist_ok=True)
        if self._follow:
            path += b"/" + folder.encode()
            if make:
                os.makedirs(path, exist_ok=True)
            self._folder = os.open(path, _FOLDER)
        else:
            self._folder = os.open(path, _FOLDER)
            for part in folder.encode().split(b"/") if folder else []:
                self._descend(part, make)
        self._prefix = folder + "/" if folder else ""
        return self._folder

    def _descend(self, name: bytes, make: bool) -> None:
        """Replace the open folder by one in it, which must not be a link."""
        if make:
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=self._folder)
        try:
            inner = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self._folder)
        except NotADirectoryError as error:
            if stat.S_ISLNK(os.stat(name, dir_fd=self._folder, follow_symlinks=False).st_mode):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from error
            raise
        os.close(self._folder)
        self._folder = inner

    def _close(self) -> None:
        self._prefix = None
        if self._folder != _UNKNOWN:
            os.close(self._folder)
            self._folder = _UNKNOWN


def _token(status: os.stat_result) -> str:
    return version_token(status.st_size, status.st_mtime_ns)


def _ends(folder: str) -> list[int]:
    """Return the positions at which the names of the outer folders end; 0 for the root."""
    return [0, *(place for place, letter in enumerate(folder) if letter == "/")]


def _is_unicode(name: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _read(file: int, listed_size: int, most: int) -> bytes:
    """Return the whole content of an open file, given its size in the listing."""
    if listed_size > most:
        raise _TooLargeError(too_large(listed_size, most))
    content = os.pread(file, _GUESS if listed_size == _UNKNOWN else listed_size + 1, 0)
    return content if len(content) == listed_size else _read_on(file, content, most)


def _read_on(file: int, first_part: bytes, most: int) -> bytes:
    """Read on to the end of the file, whatever size was expected."""
    size = os.fstat(file).st_size
    parts, count = [first_part], len(first_part)
    while size <= most:
        more = os.pread(file, min(max(count, _GUESS), most + 1), count)
        if not more:
            return b"".join(parts)
        parts.append(more)
        count += len(more)
        size = max(size, count)
    raise _TooLargeError(too_large(size, most))


def _unread(error: OSError) -> Unread:
    if isinstance(error, _TooLargeError):
        return Unread(ProblemCode.FILE_TOO_LARGE, str(error))
    if isinstance(error, FileNotFoundError):
        return Unread(ProblemCode.UNREADABLE_FILE, NOT_THERE)
    return Unread(ProblemCode.UNREADABLE_FILE, f"it cannot be read: {cause_of(error)}")


def _absolute(root: str) -> str:
    """Make a path absolute and remove "..", without following other links.

    Only the file system knows the folder that "link/.." means, so that part is resolved.
    """
    path = os.path.join(os.getcwd(), root)
    up = path.rfind("/../") + 3 if "/../" in path else 0
    up = len(path) if path.endswith("/..") else up
    return os.path.normpath(os.path.realpath(path[:up]) + path[up:] if up else path)
