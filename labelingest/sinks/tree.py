"""A tree of files, one for every data file: built beside its place, moved there when complete."""

import errno
import os
import zlib
from collections.abc import Callable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from labelingest.errors import ConfigError
from labelingest.model.batch_output import BatchOutput
from labelingest.problems import Problem, ProblemCode
from labelingest.sinks.base import UnfinishedOutput
from labelingest.sinks.marks import Summed, are_whole, checksum, checksum_of
from labelingest.sinks.output_folder import (
    MARKER,
    BuildingFolder,
    building_folder,
    is_as_begun,
)
from labelingest.storage.base import check_key
from labelingest.storage.os_errors import cannot_write

__all__ = ["TreeKind", "TreeSink"]

Batch: TypeAlias = tuple[Sequence[str], int]
"""Keys of the data files of a put that have a file, and the checksum of all these files."""

_THREADS: Final = 2
"""More of them wait for each other: a folder takes one new name at a time."""
_WORTH_THREADS: Final = 64
"""Files of a batch from which on threads pay."""
_REFUSED: Final = {
    errno.ENAMETOOLONG: "is too long for this file system (255 bytes on most)",
    errno.EEXIST: "is taken by another {what}, whose name differs only in upper and lower case",
    errno.EISDIR: "is already that of a folder",
    errno.ENOTDIR: "needs a folder where another {what} is a file",
    errno.EILSEQ: "has characters that this file system does not allow",
    errno.EINVAL: "has characters that this file system does not allow",
}


@dataclass(frozen=True, slots=True)
class TreeKind:
    """What a tree holds."""

    what: str
    """What each of its files is, in words: "label row"."""
    name_of: Callable[[str], str]
    """Key of a data file → name of its file in the tree."""
    is_ours: Callable[[str], bool]
    """Whether a name in an older tree can be one that was written there."""
    root: Mapping[str, bytes] = field(default_factory=dict)
    """Name → content of files beside those of data files."""
    is_as_written: Callable[[bytes], bool] = lambda content: True
    """Whether the content of such a file can be what a run wrote."""


@dataclass(slots=True)
class TreeSink:
    """Writes one file for each data file, into a folder of its own.

    Examples
    --------
    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp()) / "labels"
    >>> kind = TreeKind("label row", "{}.json".format, lambda name: name.endswith(".json"))
    >>> with TreeSink(out, kind) as sink:
    ...     sink.put(BatchOutput(["train/a.jpg"], [b"{}"]))
    []
    >>> (out / "train/a.jpg.json").read_text()
    '{}'
    """

    path: Path
    kind: TreeKind
    unfinished: UnfinishedOutput | None = None
    """Where the unfinished tree is kept; without, it is gone when the block fails."""
    _opened: AbstractContextManager[BuildingFolder] | None = field(
        default=None, init=False, repr=False
    )
    _building: BuildingFolder | None = field(default=None, init=False, repr=False)
    _folders: set[str] = field(default_factory=set, init=False, repr=False)
    _counted: list[bytes] = field(default_factory=list, init=False, repr=False)
    """Keys of each batch that have a file, packed: only a name that is taken asks for them."""
    _marks: list[Batch] = field(default_factory=list, init=False, repr=False)
    """The files of each put since the run has asked."""

    def __enter__(self) -> "TreeSink":
        marks = () if self.unfinished is None else self.unfinished.marks
        self._folders, self._counted = set(), [_packed(keys) for keys, _ in marks]
        self._opened = building_folder(
            self.path,
            self._can_be_ours,
            first_files=self.kind.root,
            unfinished=self.unfinished,
            sweep=self._sweep,
        )
        self._building = self._opened.__enter__()
        self.path = self._building.place
        return self

    def _can_be_ours(self, name: str) -> bool:
        if name in self.kind.root:
            return self.kind.is_as_written((self.path / name).read_bytes())
        return self.kind.is_ours(name)

    def _sweep(self, building: Path) -> None:
        """Remove the files of an interrupted run that do not count, and folders without files."""
        counted = {self.kind.name_of(key) for batch in self._counted for key in _unpacked(batch)}
        counted |= {MARKER, *self.kind.root}
        start = len(str(building)) + 1
        try:
            for folder, _, files in os.walk(building, topdown=False):
                for name in files:
                    path = f"{folder}/{name}"
                    if path[start:] not in counted:
                        os.unlink(path)  # noqa: PTH108 - no Path for each of a million files
                if len(folder) >= start and not os.listdir(folder):  # noqa: PTH208
                    os.rmdir(folder)  # noqa: PTH106
        except OSError as error:
            raise cannot_write(str(self.path), error) from error

    def __exit__(self, *raised: Any) -> None:
        opened, self._opened, self._building = self._opened, None, None
        if opened is not None:
            opened.__exit__(*raised)

    def good_marks(self, files: Sequence[int]) -> int:
        """Return how many marks fit the files of the unfinished tree, as `ResumableSink` says."""
        if self.unfinished is None or not is_as_begun(self.unfinished.path, self.kind.root):
            return 0
        good = 0
        with suppress(OSError, ConfigError):
            for mark, count in zip(self.unfinished.marks, files, strict=True):
                if not (_is_mark(mark, count) and self._holds(self.unfinished.path, *mark)):
                    break
                good += 1
        return good

    def _holds(self, building: Path, keys: Sequence[str], expected: int) -> bool:
        """Whether the files of a batch are as they were put."""
        crc = 0
        for key in keys:
            check_key(key)
            with open(f"{building}/{self.kind.name_of(key)}", "rb") as file:  # noqa: PTH123
                crc = checksum_of(file, crc)
        return crc == expected

    def marks(self, *, wait: bool = False) -> list[Batch]:
        """Return what each put since the last call added."""
        marks, self._marks = self._marks, []
        return marks

    def sync(self) -> None:
        """Bring all that was put onto the disk."""
        if self._building is not None:
            self._building.disk.flush()

    def half(self) -> None:
        """Return no half: workers hand on texts as they are."""

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Refuse keys whose file names are too long."""
        longest = os.pathconf(self._open(), "PC_NAME_MAX")
        names = [self.kind.name_of(key).rpartition("/")[2] for key in keys]
        return {
            position: self._problem(keys[position], errno.ENAMETOOLONG)
            for position, name in enumerate(names)
            # A character has at most four bytes: most names need not be encoded to be measured.
            if 4 * len(name) > longest and len(name.encode()) > longest
        }

    def _open(self) -> Path:
        if self._building is None:
            raise ValueError("the sink is not open: use it as `with sink:`")
        return self._building.folder

    def put(self, batch: BatchOutput) -> list[tuple[int, Problem]]:
        """Write files; a key whose file name is taken or not allowed is a problem."""
        names = [self.kind.name_of(key) for key in batch.keys]
        keys, crc = [], 0
        if batch.large is not None:
            summed = Summed(batch.large.pieces())
            refused = self._write_some(self._open(), names, [summed], range(1))
            if not refused:
                keys, (_, crc) = list(batch.keys), summed.mark
        else:
            refused = self._write_all(names, batch.texts)
            for position, (key, text) in enumerate(zip(batch.keys, batch.texts, strict=True)):
                if position not in refused:
                    keys.append(key)
                    crc = checksum(text, crc)
        self._marks.append((keys, crc))
        self._counted.append(_packed(keys))
        in_use = (
            batch.keys[position] for position, number in refused.items() if number == errno.EEXIST
        )
        owners = self._owners({self.kind.name_of(key) for key in in_use})
        return [
            (position, self._problem(batch.keys[position], number, owners))
            for position, number in refused.items()
        ]

    def _write_all(self, names: Sequence[str], contents: Sequence[bytes]) -> dict[int, int]:
        """Write files; return position and error number of those whose names are refused."""
        building = self._open()
        everything = range(len(names))
        if len(names) < _WORTH_THREADS or not _are_apart(names):
            return self._write_some(building, names, contents, everything)
        # The system takes longer over a new file than Python, and lets others work meanwhile.
        with ThreadPoolExecutor(_THREADS) as threads:
            parts = threads.map(
                partial(self._write_some, building, names, contents),
                [everything[start::_THREADS] for start in range(_THREADS)],
            )
            refused = [refusal for part in parts for refusal in part.items()]
        return dict(sorted(refused))

    def _write_some(
        self,
        building: Path,
        names: Sequence[str],
        contents: Sequence[bytes | Summed],
        positions: range,
    ) -> dict[int, int]:
        refused = {}
        for position in positions:
            try:
                self._write(building, names[position], contents[position])
            except OSError as error:
                if error.errno not in _REFUSED:
                    raise cannot_write(str(self.path / names[position]), error) from error
                refused[position] = error.errno or 0
        return refused

    def _write(self, building: Path, name: str, content: bytes | Summed) -> None:
        path = f"{building}/{name}"
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

    def _owners(self, names: Set[str]) -> dict[str, str]:
        """Return name → key of the data file whose file has it; neighbours are found at once."""
        owners: dict[str, str] = {}
        for batch in reversed(self._counted):
            if len(owners) == len(names):
                break
            for key in _unpacked(batch):
                name = self.kind.name_of(key)
                if name in names:
                    owners[name] = key
        return owners

    def _problem(
        self, key: str, error_number: int, owners: Mapping[str, str] = MappingProxyType({})
    ) -> Problem:
        name, what = self.kind.name_of(key), self.kind.what
        reason = _REFUSED[error_number].format(what=what)
        if error_number == errno.EEXIST and name in owners:
            reason = f"is that of the {what} of {owners[name]!r} already"
        detail = f"no {what}: the name {name!r} {reason}"
        return Problem(ProblemCode.OUTPUT_NAME_REFUSED, key, detail)


def _is_mark(mark: object, files: int) -> bool:
    return (
        isinstance(mark, list | tuple)
        and len(mark) == 2
        and isinstance(mark[0], list | tuple)
        and len(mark[0]) == files
        and all(isinstance(key, str) for key in mark[0])
        and are_whole(mark[1])
    )


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
    above = {
        folder[:end]
        for folder in folders
        for end, character in enumerate(folder)
        if character == "/"
    }
    return len(different) == len(names) and different.isdisjoint(folders | above)


def _packed(keys: Sequence[str]) -> bytes:
    return zlib.compress("\0".join(keys).encode(), 1)


def _unpacked(keys: bytes) -> list[str]:
    return zlib.decompress(keys).decode().split("\0")
