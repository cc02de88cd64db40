"""Places of trees: the folder on this machine that a tree is built in, or a prefix in cloud storage.

A place only creates files: a name that exists is refused, and the sink decides what that means. Places
can be pickled, so that workers write the files that they made. A worker on a machine that does not
see the folder finds that out by a file in it (`is_reachable`).
"""

import errno
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from labelingest.errors import NameRefusedError, StorageError
from labelingest.sinks.marks import Summed, checksum, checksum_of
from labelingest.storage.base import ChangedError
from labelingest.storage.os_errors import cannot_write

if TYPE_CHECKING:
    from labelingest.storage.cloud.cloud import CloudStorage

__all__ = ["REFUSED", "Content", "FolderPlace", "ObjectPlace", "TreePlace"]

Content: TypeAlias = bytes | Summed

_THREADS: Final = 2
"""More of them wait for each other: a folder takes one new name at a time."""
_WORTH_THREADS: Final = 64
"""Files of a batch from which on threads pay."""
_LONGEST_NAME: Final = 1024
"""Bytes that the name of an object may have, with that of its folder."""
REFUSED: Final[Mapping[int, str]] = {
    errno.ENAMETOOLONG: "is too long (255 bytes on most file systems, 1,024 in the cloud)",
    errno.EEXIST: "is taken by another {what}, whose name differs only in upper and lower case",
    errno.EISDIR: "is already that of a folder",
    errno.ENOTDIR: "needs a folder where another {what} is a file",
    errno.EILSEQ: "has characters that this file system does not allow",
    errno.EINVAL: "has characters that this file system does not allow",
}
"""Error numbers that concern one name → what they mean."""


class TreePlace(Protocol):
    """Functions of a place."""

    def is_reachable(self) -> bool:
        """Return whether this process sees the place."""
        ...

    def too_long(self, names: Sequence[str]) -> list[int]:
        """Return the positions of names that are longer than the place allows."""
        ...

    def create(self, names: Sequence[str], contents: Sequence[Content]) -> dict[int, int]:
        """Write new files; return position and error number of those whose names are refused.

        Raises
        ------
        StorageError
            The place as a whole refuses to be written.
        """
        ...

    def replace(self, name: str, content: Content) -> None:
        """Write one file in the place of whatever stands in its way."""
        ...

    def is_one(self, name: str, other: str) -> bool:
        """Return whether two names are one file, because the place ignores case."""
        ...

    def checksum(self, names: Sequence[str]) -> int:
        """Return the checksum of files, one after the other."""
        ...


@dataclass(slots=True)
class FolderPlace:
    """The folder that a tree is built in."""

    building: str
    output: str
    """The output as the user calls it."""
    token: str
    """Name of a file in the folder: a process that sees it sees the folder."""
    _folders: set[str] = field(default_factory=set, init=False, repr=False)

    def is_reachable(self) -> bool:
        """Return whether this process sees the folder."""
        return os.path.exists(f"{self.building}/{self.token}")  # noqa: PTH110

    def too_long(self, names: Sequence[str]) -> list[int]:
        """Return the positions of names that are longer than the file system allows."""
        longest = os.pathconf(self.building, "PC_NAME_MAX")
        last_parts = (name.rpartition("/")[2] for name in names)
        # A character has at most four bytes: most names need not be encoded to be measured.
        return [
            position
            for position, name in enumerate(last_parts)
            if 4 * len(name) > longest and len(name.encode()) > longest
        ]

    def create(self, names: Sequence[str], contents: Sequence[Content]) -> dict[int, int]:
        """Write new files, as `TreePlace` says."""
        everything = range(len(names))
        if len(names) < _WORTH_THREADS or not _are_apart(names):
            return self._create_some(names, contents, everything)
        # The system takes longer over a new file than Python, and lets others work meanwhile.
        with ThreadPoolExecutor(_THREADS) as threads:
            parts = threads.map(
                partial(self._create_some, names, contents),
                [everything[start::_THREADS] for start in range(_THREADS)],
            )
            refused = [refusal for part in parts for refusal in part.items()]
        return dict(sorted(refused))

    def replace(self, name: str, content: Content) -> None:
        """Write one file, after whatever stands in its way is removed."""
        try:
            for end, character in enumerate(name):
                above = f"{self.building}/{name[:end]}"
                if character == "/" and os.path.lexists(above) and not os.path.isdir(above):  # noqa: PTH112
                    os.unlink(above)  # noqa: PTH108
            path = f"{self.building}/{name}"
            self._folders.clear()
            if os.path.isdir(path):  # noqa: PTH112
                shutil.rmtree(path)
            else:
                with suppress(FileNotFoundError):
                    os.unlink(path)  # noqa: PTH108
            self._create(name, content)
        except OSError as error:
            raise cannot_write(f"{self.output}/{name}", error) from error

    def is_one(self, name: str, other: str) -> bool:
        """Return whether two names are one file on this file system."""
        with suppress(OSError):
            return os.path.samefile(f"{self.building}/{name}", f"{self.building}/{other}")  # noqa: PTH121
        return False

    def checksum(self, names: Sequence[str]) -> int:
        """Return the checksum of files, as `TreePlace` says."""
        crc = 0
        for name in names:
            with open(f"{self.building}/{name}", "rb") as file:  # noqa: PTH123
                crc = checksum_of(file, crc)
        return crc

    def _create_some(
        self, names: Sequence[str], contents: Sequence[Content], positions: range
    ) -> dict[int, int]:
        refused = {}
        for position in positions:
            try:
                self._create(names[position], contents[position])
            except OSError as error:
                if error.errno not in REFUSED:
                    raise cannot_write(f"{self.output}/{names[position]}", error) from error
                refused[position] = error.errno or 0
        return refused

    def _create(self, name: str, content: Content) -> None:
        path = f"{self.building}/{name}"
        self._make_folder(path.rpartition("/")[0])
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError as error:
            if os.path.isdir(path):  # noqa: PTH112
                raise IsADirectoryError(errno.EISDIR, "") from error
            raise
        try:
            for piece in (content,) if isinstance(content, bytes) else content:
                length = os.write(descriptor, piece)
                while length < len(piece):
                    length += os.write(descriptor, piece[length:])
        except Exception:
            if isinstance(content, Summed):  # the run may continue without this file
                os.unlink(path)  # noqa: PTH108
            raise
        finally:
            os.close(descriptor)

    def _make_folder(self, folder: str) -> None:
        if folder in self._folders:
            return
        try:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - no Path for each of a million files
        except FileExistsError as error:
            raise NotADirectoryError(errno.ENOTDIR, "") from error
        self._folders.add(folder)


@dataclass(slots=True)
class ObjectPlace:
    """A prefix in cloud storage; each file is one object, on condition that none has its name."""

    storage: "CloudStorage"

    def is_reachable(self) -> bool:
        """Return True: a process without access fails with the store's own reason."""
        return True

    def too_long(self, names: Sequence[str]) -> list[int]:
        """Return the positions of names that are longer than stores allow."""
        most = _LONGEST_NAME - len(self.storage.place.prefix.encode()) - 1
        return [
            position
            for position, name in enumerate(names)
            if 4 * len(name) > most and len(name.encode()) > most
        ]

    def create(self, names: Sequence[str], contents: Sequence[Content]) -> dict[int, int]:
        """Write new objects, many at once; of two with one name in a batch, the first."""
        first: dict[str, int] = {}
        for position, name in enumerate(names):
            first.setdefault(name, position)
        positions = list(first.values())

        def create(position: int) -> int:
            try:
                self.storage.put(names[position], contents[position], unless_changed="")
            except ChangedError:
                return errno.EEXIST
            except NameRefusedError:
                return errno.EINVAL
            return 0

        with ThreadPoolExecutor(min(self.storage.puts_at_once, len(positions) or 1)) as threads:
            numbers = dict(zip(positions, threads.map(create, positions), strict=True))
        answers = [numbers.get(position, errno.EEXIST) for position in range(len(names))]
        return {position: number for position, number in enumerate(answers) if number}

    def replace(self, name: str, content: Content) -> None:
        """Write one object over whatever has its name."""
        self.storage.put(name, content)

    def is_one(self, name: str, other: str) -> bool:
        """Return False: names of objects differ in case."""
        return False

    def checksum(self, names: Sequence[str]) -> int:
        """Return the checksum of objects, as `TreePlace` says."""
        crc = 0
        blobs = self.storage.fetch(names)
        for row, why in blobs.unread.items():
            raise StorageError(f"{self.storage.url}: {names[row]!r}: {why.detail}")
        for row in range(len(names)):
            crc = checksum(blobs.get(row), crc)
        return crc


def _are_apart(names: Sequence[str]) -> bool:
    """Whether no two files need the same place, so that their order does not matter.

    Names that differ only in upper and lower case may be one on this file system.

    Examples
    --------
    >>> _are_apart(["a.txt", "b/a.txt"]), _are_apart(["a.txt", "A.txt"]), _are_apart(["a", "a/b"])
    (True, False, False)
    """
    different = {name.casefold() for name in names}
    folders = {name.rpartition("/")[0] for name in different}
    above = {part for folder in folders for part in folders_above(f"{folder}/")}
    return len(different) == len(names) and different.isdisjoint(folders | above)


def folders_above(name: str) -> Iterator[str]:
    """Yield the folders that a name lies in, the outermost first.

    Examples
    --------
    >>> list(folders_above("a/b/c.txt"))
    ['a', 'a/b']
    """
    return (name[:end] for end, character in enumerate(name) if character == "/")
