"""Folders of a storage path on this machine, opened one after the other.

No path is ever joined from a key and then trusted: keys with ".." or other ways out are refused
first, and where links are not followed each folder is opened in the one before.
"""

import errno
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Self

from labelingest.errors import StorageError
from labelingest.model.listing import version_token
from labelingest.storage.atomic_in_folder import delete_unfinished
from labelingest.storage.base import NO_FILE, Version
from labelingest.storage.os_errors import cause_of

__all__ = ["OpenFolders", "token_of"]

_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NOT_OPEN: Final = -1


class OpenFolders:
    """One open folder after the other.

    Parameters
    ----------
    root
        Absolute path of the storage path.
    follow_symlinks
        Whether links to files and folders are followed.
    """

    def __init__(self, root: str, *, follow_symlinks: bool) -> None:
        self._root = root
        self._follow = follow_symlinks
        self.flags = _READ if follow_symlinks else _READ | os.O_NOFOLLOW
        """Flags to open a file for reading with."""
        self._open = _NOT_OPEN

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def unlink(self, name: bytes) -> None:
        """Delete a file in the open folder, and what a killed `put` of it left."""
        delete_unfinished(self._open, name)
        os.unlink(name, dir_fd=self._open)

    def versions(self, folder: str, names: Sequence[bytes]) -> list[Version | None]:
        """Return the versions of files in a folder; None where a file does not exist.

        Raises
        ------
        StorageError
            A folder cannot be read.
        """
        try:
            self.folder(folder)
        except OSError as error:
            return [_no_version(error, folder, name) for name in names]
        return [self._version(folder, name) for name in names]

    def _version(self, folder: str, name: bytes) -> Version | None:
        try:
            status = self._stat(name)
        except OSError as error:
            return _no_version(error, folder, name)
        return (
            Version(status.st_size, token_of(status)) if stat.S_ISREG(status.st_mode) else NO_FILE
        )

    def token(self, name: bytes) -> str:
        """Return the version token of a file in the open folder; "" where it does not exist."""
        try:
            status = self._stat(name)
        except FileNotFoundError:
            return ""
        return token_of(status) if stat.S_ISREG(status.st_mode) else NO_FILE.token

    def _stat(self, name: bytes) -> os.stat_result:
        # A link that leads nowhere occupies the name all the same: it exists, and is not a file.
        try:
            return os.stat(name, dir_fd=self._open, follow_symlinks=self._follow)
        except FileNotFoundError:
            if not self._follow:
                raise
            return os.stat(name, dir_fd=self._open, follow_symlinks=False)

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
            self._open = os.open(path, _FOLDER)
        else:
            self._open = os.open(path, _FOLDER)
            for part in folder.encode().split(b"/") if folder else []:
                self._descend(part, make)
        return self._open

    def _descend(self, name: bytes, make: bool) -> None:
        """Replace the open folder by one in it, which must not be a link."""
        if make:
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=self._open)
        try:
            inner = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self._open)
        except NotADirectoryError as error:
            if stat.S_ISLNK(os.stat(name, dir_fd=self._open, follow_symlinks=False).st_mode):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from error
            raise
        os.close(self._open)
        self._open = inner

    def _close(self) -> None:
        if self._open != _NOT_OPEN:
            os.close(self._open)
            self._open = _NOT_OPEN


def token_of(status: os.stat_result) -> str:
    """Return the version token of a file."""
    return version_token(status.st_size, status.st_mtime_ns)


def _no_version(error: OSError, folder: str, name: bytes) -> Version | None:
    if error.errno in {errno.ENOENT, errno.ENAMETOOLONG}:
        return None
    if error.errno in {errno.ENOTDIR, errno.ELOOP}:
        return NO_FILE
    key = f"{folder}/{name.decode()}".removeprefix("/")
    raise StorageError(f"{key!r} cannot be looked at: {cause_of(error)}") from error
