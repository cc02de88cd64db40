"""A tree of files, one for every data file: built beside its place, or object by object in the cloud.

Workers write the files that they made, and tell the sink which names were refused. Files of a tree
may want one name, and the data file that comes first gets it, whoever wrote first: the sink sees
the batches in order, and puts right what came too early. So does it with the files of a worker that was
lost, which the next worker meets. Texts come to the sink for such names only.
"""

import errno
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from msgspec.structs import replace

from labelingest.errors import ConfigError
from labelingest.model.batch_output import BatchOutput
from labelingest.problems import Problem, ProblemCode
from labelingest.sinks.base import UnfinishedOutput
from labelingest.sinks.marks import Summed, are_whole, checksum
from labelingest.sinks.object_folder import object_folder
from labelingest.sinks.output_folder import MARKER, building_folder, is_as_begun
from labelingest.sinks.tree_places import (
    REFUSED,
    FolderPlace,
    ObjectPlace,
    TreePlace,
    folders_above,
)
from labelingest.storage.base import check_key
from labelingest.storage.local.disk import Disk
from labelingest.storage.os_errors import cannot_write
from labelingest.storage.unfinished_files import temporary_name
from labelingest.storage.urls import is_cloud

__all__ = ["Delivery", "TreeHalf", "TreeKind", "TreeSink"]

Batch: TypeAlias = tuple[Sequence[str], int]
"""Keys of the data files of a put that have a file, and the checksum of all these files."""

_TAKEN: Final = frozenset((errno.EEXIST, errno.EISDIR, errno.ENOTDIR))
"""Error numbers of names that another file has, or needs."""


@dataclass(frozen=True, slots=True)
class TreeKind:
    """What a tree holds."""

    what: str
    """What each of its files is, in words: "label row"."""
    name_of: Callable[[str], str]
    """Key of a data file → name of its file in the tree; can be pickled."""
    is_ours: Callable[[str], bool]
    """Whether a name in an older tree can be one that was written there."""
    root: Mapping[str, bytes] = field(default_factory=dict)
    """Name → content of files beside those of data files."""
    is_as_written: Callable[[bytes], bool] = lambda content: True
    """Whether the content of such a file can be what a run wrote."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a worker tells of the files that it wrote."""

    refused: Mapping[int, int]
    """Position of each file that was not written → error number."""
    texts: Mapping[int, bytes]
    """Position → content of those whose names another file has: the sink may have to write them."""
    crc: int
    """Checksum of the files that were written."""


class _Owner(NamedTuple):
    """The data file that keeps a name from others."""

    key: str
    number: int
    """Error number that others get."""


class _Names:
    """Names of files, and of the folders that they lie in."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def add(self, name: str, key: str) -> None:
        """Add the file of a data file."""
        self.files[name] = key
        self._folders |= dict.fromkeys(folders_above(name), key)

    def owner(self, name: str) -> _Owner | None:
        """Return the data file that keeps a name from others; None for none."""
        if name in self.files:
            return _Owner(self.files[name], errno.EEXIST)
        if name in self._folders:
            return _Owner(self._folders[name], errno.EISDIR)
        above = (folder for folder in folders_above(name) if folder in self.files)
        return next((_Owner(self.files[folder], errno.ENOTDIR) for folder in above), None)


@dataclass(frozen=True, slots=True)
class TreeHalf:
    """Writes the files of a batch."""

    place: TreePlace
    name_of: Callable[[str], str]

    def pack(self, output: BatchOutput) -> BatchOutput:
        """Leave texts as they are."""
        return output

    def deliver(self, output: BatchOutput) -> BatchOutput:
        """Write the files; texts go on where this process does not see the place."""
        if output.large is not None or not self.place.is_reachable():
            return output
        return replace(output, texts=(), delivered=self.write(output.keys, output.texts))

    def write(self, keys: Sequence[str], texts: Sequence[bytes]) -> Delivery:
        """Write the files of data files."""
        refused = self.place.create([self.name_of(key) for key in keys], texts)
        crc = 0
        for position, text in enumerate(texts):
            if position not in refused:
                crc = checksum(text, crc)
        taken_names = {p: texts[p] for p, number in refused.items() if number in _TAKEN}
        return Delivery(refused, taken_names, crc)


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

    out: str | Path
    kind: TreeKind
    unfinished: UnfinishedOutput | None = None
    """Where the unfinished tree is kept; without, it is gone when the block fails."""
    _opened: AbstractContextManager[TreePlace] | None = field(default=None, init=False, repr=False)
    _place: TreePlace | None = field(default=None, init=False, repr=False)
    _disk: Disk | None = field(default=None, init=False, repr=False)
    _counted: list[bytes] = field(default_factory=list, init=False, repr=False)
    """Keys of each batch that have a file, packed: only a name that is taken asks for them."""
    _settled: _Names = field(default_factory=_Names, init=False, repr=False)
    """Names that the sink wrote over what a later data file, or a lost worker, had there."""
    _marks: list[Batch] = field(default_factory=list, init=False, repr=False)
    """The files of each put since the run has asked."""

    def __enter__(self) -> "TreeSink":
        marks = () if self.unfinished is None else self.unfinished.marks
        self._settled, self._counted = _Names(), [_packed(keys) for keys, _ in marks]
        self._opened = self._in_cloud() if is_cloud(str(self.out)) else self._on_this_machine()
        self._place = self._opened.__enter__()
        return self

    @contextmanager
    def _in_cloud(self) -> Iterator[TreePlace]:
        def is_ours(storage: Any, name: str) -> bool:
            return self._can_be_ours(name, lambda: storage.fetch([name]).get(0))

        with object_folder(str(self.out), is_ours, self.kind.root) as storage:
            yield ObjectPlace(storage)

    @contextmanager
    def _on_this_machine(self) -> Iterator[TreePlace]:
        path, token = Path(self.out), temporary_name()
        with building_folder(
            path,
            lambda name: self._can_be_ours(name, (path / name).read_bytes),
            first_files=self.kind.root,
            unfinished=self.unfinished,
            sweep=self._sweep,
        ) as building:
            seen = building.folder / token
            try:
                seen.touch()
            except OSError as error:
                raise cannot_write(str(path), error) from error
            self._disk = building.disk
            try:
                yield FolderPlace(str(building.folder.absolute()), str(building.place), token)
            finally:
                with suppress(OSError):
                    seen.unlink()

    def _can_be_ours(self, name: str, content: Callable[[], bytes]) -> bool:
        if name in self.kind.root:
            return self.kind.is_as_written(content())
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
            raise cannot_write(str(self.out), error) from error

    def __exit__(self, *raised: Any) -> None:
        opened, self._opened, self._place, self._disk = self._opened, None, None, None
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
        for key in keys:
            check_key(key)
        place = FolderPlace(str(building), str(self.out), MARKER)
        return place.checksum([self.kind.name_of(key) for key in keys]) == expected

    def marks(self, *, wait: bool = False) -> list[Batch]:
        """Return what each put since the last call added."""
        marks, self._marks = self._marks, []
        return marks

    def sync(self) -> None:
        """Bring all that was put onto the disk."""
        if self._disk is not None:
            self._disk.flush()

    def half(self) -> TreeHalf:
        """Return the half that writes files."""
        return TreeHalf(self._open(), self.kind.name_of)

    def _open(self) -> TreePlace:
        if self._place is None:
            raise ValueError("the sink is not open: use it as `with sink:`")
        return self._place

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Refuse keys whose file names are too long."""
        return {
            position: self._problem(keys[position], errno.ENAMETOOLONG)
            for position in self._open().too_long([self.kind.name_of(key) for key in keys])
        }

    def put(self, batch: BatchOutput) -> list[tuple[int, Problem]]:
        """Write files that no worker wrote; a key whose name is taken or refused is a problem."""
        names = [self.kind.name_of(key) for key in batch.keys]
        if batch.large is not None:
            summed = Summed(batch.large.pieces())
            refused = self._open().create(names, [summed])
            delivery = Delivery(refused, {}, 0 if refused else summed.mark[1])
        elif batch.delivered is not None:
            delivery = batch.delivered
        else:
            delivery = self.half().write(batch.keys, batch.texts)
        return self._take(batch, names, delivery)

    def _take(
        self, batch: BatchOutput, names: Sequence[str], delivery: Delivery
    ) -> list[tuple[int, Problem]]:
        """Count files, in the order of batches: of two that want one name, the first has it."""
        refused = dict(delivery.refused)
        refused |= self._settled_before(names, refused)
        owners: dict[str, _Owner] = {}
        if not _TAKEN.isdisjoint(refused.values()):
            taken_names = {names[p] for p, number in refused.items() if number in _TAKEN}
            owners = self._owners(taken_names)
            in_batch = _Names()
            for position, key in enumerate(batch.keys):
                name = names[position]
                if name in taken_names and position in refused:
                    owner = owners.get(name) or in_batch.owner(name)
                    if owner is not None:
                        owners[name], refused[position] = owner, owner.number
                        continue
                    self._settle(batch, key, delivery.texts.get(position))
                    del refused[position]
                if position not in refused:
                    owner = in_batch.owner(name)  # of a file that was settled right now
                    if owner is not None:
                        owners[name], refused[position] = owner, owner.number
                        continue
                    in_batch.add(name, key)
        return self._count(batch.keys, refused, owners, delivery)

    def _count(
        self,
        all_keys: Sequence[str],
        refused: Mapping[int, int],
        owners: "Mapping[str, _Owner]",
        delivery: Delivery,
    ) -> list[tuple[int, Problem]]:
        keys = [key for position, key in enumerate(all_keys) if position not in refused]
        crc = delivery.crc
        if refused.keys() != delivery.refused.keys():
            crc = self._open().checksum([self.kind.name_of(key) for key in keys])
        self._marks.append((keys, crc))
        self._counted.append(_packed(keys))
        return [
            (position, self._problem(all_keys[position], number, owners))
            for position, number in sorted(refused.items())
        ]

    def _settled_before(self, names: Sequence[str], refused: Mapping[int, int]) -> dict[int, int]:
        """Return position and error number of files over which the sink wrote an earlier one."""
        if not self._settled.files:
            return {}
        owners = (
            None if position in refused else self._settled.owner(name)
            for position, name in enumerate(names)
        )
        return {position: owner.number for position, owner in enumerate(owners) if owner}

    def _settle(self, batch: BatchOutput, key: str, text: bytes | None) -> None:
        """Write a file whose name only a later data file, or a lost worker, has taken."""
        name = self.kind.name_of(key)
        if batch.large is not None:
            self._open().replace(name, Summed(batch.large.pieces()))
        elif text is not None:
            self._open().replace(name, text)
        else:
            raise ValueError("a worker refused a name without the text of its file")
        self._settled.add(name, key)

    def _owners(self, taken_names: Set[str]) -> "dict[str, _Owner]":
        """Return name → the data file of an earlier batch that keeps it from others."""
        folded = {name.casefold(): name for name in taken_names}
        above: dict[str, list[str]] = {}
        for name in taken_names:
            for folder in folders_above(name):
                above.setdefault(folder, []).append(name)
        owners: dict[str, _Owner] = {}
        for batch in reversed(self._counted):
            for key in filter(None, _unpacked(batch)):
                name = self.kind.name_of(key)
                other = folded.get(name.casefold())
                if other is not None and (name == other or self._open().is_one(name, other)):
                    owners[other] = _Owner(key, errno.EEXIST)
                owners |= dict.fromkeys(above.get(name, ()), _Owner(key, errno.ENOTDIR))
                for folder in folders_above(name):
                    if folder in taken_names:
                        owners[folder] = _Owner(key, errno.EISDIR)
            if len(owners) == len(taken_names):
                break
        return owners

    def _problem(
        self, key: str, error_number: int, owners: "Mapping[str, _Owner]" = MappingProxyType({})
    ) -> Problem:
        name, what = self.kind.name_of(key), self.kind.what
        reason = REFUSED[error_number].format(what=what)
        if name in owners and self.kind.name_of(owners[name].key) == name:
            reason = f"is that of the {what} of {owners[name].key!r} already"
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


def _packed(keys: Sequence[str]) -> bytes:
    return zlib.compress("\0".join(keys).encode(), 1)


def _unpacked(keys: bytes) -> list[str]:
    return zlib.decompress(keys).decode().split("\0")
