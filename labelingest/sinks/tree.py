"""A tree of files, one for every data file: built beside its place, moved there when complete.

An older tree is replaced only if labelingest wrote one of the same kind (a marker file says so)
and nobody put anything else into it; the two renames of a replacement are not one: killed between
them, the older tree is found beside, under a temporary name.
"""

import errno
import os
import shutil
import stat
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final

from labelingest.errors import StorageError
from labelingest.model.kinds import is_junk
from labelingest.model.labels import Made
from labelingest.problems import Problem, ProblemCode
from labelingest.storage.atomic import temporary_name
from labelingest.storage.causes import cannot_write

__all__ = ["MARKER", "TreeKind", "TreeSink"]

MARKER: Final = ".labelingest-output"
"""Name of the empty file that marks a tree as ours to replace."""

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
    ...     sink.put(Made(["train/a.jpg"], [b"{}"]))
    []
    >>> (out / "train/a.jpg.json").read_text()
    '{}'
    """

    path: Path
    kind: TreeKind
    _building: Path | None = field(default=None, init=False, repr=False)
    _folders: set[str] = field(default_factory=set, init=False, repr=False)
    _kept: list[bytes] = field(default_factory=list, init=False, repr=False)
    """Keys of each batch that have a file, packed: only a name that is taken asks for them."""

    def __enter__(self) -> "TreeSink":
        try:
            # A link keeps its place: what it leads to is replaced.
            self.path = self.path.resolve()
            _refuse_foreign(self.path, self.kind)
            self._building, self._folders, self._kept = self._begun(), set(), []
        except StorageError:
            raise
        except (OSError, RuntimeError) as error:
            # resolve() calls a loop of links a RuntimeError.
            looped = OSError(errno.ELOOP, "") if isinstance(error, RuntimeError) else error
            raise cannot_write(str(self.path), looped) from error
        return self

    def _begun(self) -> Path:
        building = self.path.with_name(temporary_name())
        building.mkdir()
        try:
            for name, content in {MARKER: b"", **self.kind.root}.items():
                (building / name).write_bytes(content)
            if self.path.exists():
                building.chmod(stat.S_IMODE(self.path.stat().st_mode))
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        return building

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        building, self._building = self._building, None
        if building is None:
            return
        try:
            if kind is None:
                # One call for all files: a sync for each would cost more than all the rest.
                os.sync()
                _move(building, self.path)
        except OSError as failure:
            raise cannot_write(str(self.path), failure) from failure
        finally:
            shutil.rmtree(building, ignore_errors=True)

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
        return self._building

    def put(self, made: Made) -> list[tuple[int, Problem]]:
        """Write files; a key whose file name is taken or not allowed is a problem."""
        building = self._open()
        refused: dict[int, int] = {}
        for position, (key, text) in enumerate(zip(made.keys, made.texts, strict=True)):
            name = self.kind.name_of(key)
            try:
                self._write(building, name, text)
            except OSError as error:
                if error.errno not in _REFUSED:
                    raise cannot_write(str(self.path / name), error) from error
                refused[position] = error.errno
        kept = [key for position, key in enumerate(made.keys) if position not in refused]
        self._kept.append(zlib.compress("\0".join(kept).encode(), 1))
        taken = (made.keys[at] for at, number in refused.items() if number == errno.EEXIST)
        owners = self._owners({self.kind.name_of(key) for key in taken})
        return [
            (position, self._problem(made.keys[position], number, owners))
            for position, number in refused.items()
        ]

    def _write(self, building: Path, name: str, content: bytes) -> None:
        path = f"{building}/{name}"
        self._make_folder(path.rpartition("/")[0])
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError as error:
            if os.path.isdir(path):  # noqa: PTH112
                raise IsADirectoryError(errno.EISDIR, "") from error
            raise
        try:
            written = os.write(descriptor, content)
            while written < len(content):
                written += os.write(descriptor, content[written:])
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
        for batch in reversed(self._kept):
            if len(owners) == len(names):
                break
            for key in zlib.decompress(batch).decode().split("\0"):
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


def _refuse_foreign(path: Path, kind: TreeKind) -> None:
    """Refuse to replace anything that is not a tree of ours, of the same kind."""
    if not path.exists():
        return
    if path == Path.cwd():
        raise StorageError(f"{str(path)!r} is where you are: give the name of a new folder in it")
    if path.is_dir() and not os.access(path, os.W_OK | os.X_OK | os.R_OK):
        raise OSError(errno.EACCES, "")
    if not path.is_dir():
        raise StorageError(f"{str(path)!r} is a file: give the name of a folder")
    foreign = next((name for name in _names(path) if not _can_be_ours(path, name, kind)), None)
    if foreign is not None or (not (path / MARKER).exists() and any(path.iterdir())):
        what = f"it holds {foreign!r}" if foreign else "labelingest did not write what is in it"
        raise StorageError(
            f"{str(path)!r} is not replaced: {what}; give a new folder, or move that away"
        )


def _can_be_ours(path: Path, name: str, kind: TreeKind) -> bool:
    if name in kind.root:
        return kind.is_as_written((path / name).read_bytes())
    return is_junk(name) or kind.is_ours(name)


def _names(path: Path) -> Iterator[str]:
    """Yield the names of all that is in a folder but folders, links to folders included."""
    for folder, folders, files in os.walk(path):
        links = (name for name in folders if os.path.islink(f"{folder}/{name}"))  # noqa: PTH114
        inside = folder[len(str(path)) :].lstrip("/")
        for name in (*files, *links):
            yield f"{inside}/{name}" if inside else name


def _move(building: Path, path: Path) -> None:
    if not path.exists():
        building.rename(path)
        return
    old = path.with_name(temporary_name())
    path.rename(old)
    building.rename(path)
    shutil.rmtree(old, ignore_errors=True)
