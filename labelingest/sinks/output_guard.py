"""The one door of outputs: what may be replaced, and how a file that a command writes is opened.

Input is never written to, and no work of people is replaced by accident. An existing file is
replaced if it is empty, or if it looks like what an earlier run wrote in that place: by its first
bytes or, for a Parquet file, by its footer. Anything else needs `overwrite`, which still replaces no
input of the same command: no file that it reads, and nothing in a storage path.

Folders as outputs have a marker instead: `labelingest.sinks.output_folder`.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from itertools import permutations
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct, field

from labelingest.errors import ConfigError
from labelingest.formats.format import Format, load
from labelingest.sinks.base import SinkModule
from labelingest.sinks.encord import ROW_START
from labelingest.sinks.object_guard import admit_object
from labelingest.storage.atomic import file_target, whole_file
from labelingest.storage.base import Storage
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.local.real_paths import real_path
from labelingest.storage.urls import is_cloud

__all__ = ["BEGINNINGS", "GuardedOutput", "OutputGuard", "OutputKind"]

_OPEN_FILES: Final = ("/dev/", "/proc/", "/sys/")
"""Folders whose names are devices and open files, which no output can replace."""
_SHARED_MEMORY: Final = "/dev/shm/"
_LONGEST_CHAIN: Final = 40
"""Links that lead to each other; the kernel follows no more."""


class OutputKind(StrEnum):
    """Kinds of outputs of all commands."""

    LABELS = "labels"
    """What labels become: one file of any format, or a folder."""
    LABEL_ROWS = "label rows"
    """The label rows of a synced folder."""
    REPORT = "report"
    PROBLEMS = "problems"
    FAILED_FILES = "failed files"
    PLAN = "plan"
    MEASUREMENT = "measurement"
    ONTOLOGY = "ontology"
    """Started by labelingest and edited by people: never replaced unless the caller allows it."""
    SCHEMA = "metadata schema"
    """Edited by people, too: never replaced unless the caller allows it."""


BEGINNINGS: Final[Mapping[OutputKind, Mapping[str, bytes]]] = {
    OutputKind.LABEL_ROWS: {".jsonl": ROW_START},
    OutputKind.REPORT: {"": b'{\n  "storage_url": '},
    OutputKind.PROBLEMS: {"": b'{"code":"'},
    OutputKind.FAILED_FILES: {"": b"data_file,sidecar,"},
    OutputKind.PLAN: {"": b'{"labelingest folder plan '},
    OutputKind.MEASUREMENT: {"": b'{\n  "labelingest_bench": '},
}
"""Kind → how the name of its file ends, "" for any → how the content begins then."""


class GuardedOutput(Struct, frozen=True):
    """One file that a command was asked to write."""

    name: str
    """As the user calls it: the option."""
    path: str
    kind: OutputKind
    format: Format | None = None
    """Format of the labels; None for all other outputs."""


class OutputGuard(Struct, frozen=True):
    """What the outputs of one command may not replace.

    Examples
    --------
    >>> guard = OutputGuard({"ontology": "pyproject.toml"})
    >>> guard.admit(GuardedOutput("report", "pyproject.toml", OutputKind.REPORT))
    Traceback (most recent call last):
    labelingest.errors.ConfigError: report 'pyproject.toml' is the ontology of this command: ...
    """

    inputs: Mapping[str, str | os.PathLike[str] | None] = field(default_factory=dict)
    """What the user calls an input → the file; None for one that was not given."""
    storages: Mapping[str, Storage] = field(default_factory=dict)
    """What the user calls a storage that is read → it."""
    overwrite: bool = False
    """Whether files may be replaced that no run wrote."""

    def admit(self, *outputs: GuardedOutput) -> None:
        """Refuse outputs that would replace what they must not; nothing is changed.

        Raises
        ------
        ConfigError
            One would; says what helps.
        StorageError
            No file can be in that place.
        """
        for output in outputs:
            self._admit(output)
        local = [output for output in outputs if not is_cloud(output.path)]
        for output, other in permutations(local, 2):
            if real_path(output.path) in real_path(other.path).parents:
                raise ConfigError(
                    f"{other.name} {other.path!r} lies in {output.name} {output.path!r}, which is "
                    "replaced as a whole: give another place"
                )

    @contextmanager
    def open(self, output: GuardedOutput) -> Iterator[BinaryIO]:
        """Open an output for writing; it appears when the block ends without exception.

        Raises
        ------
        ConfigError, StorageError
            As `admit` and `labelingest.storage.atomic.whole_file` raise them.
        """
        self.admit(output)
        with whole_file(Path(output.path)) as file:
            yield file

    def refuse_inputs(self, *outputs: GuardedOutput) -> None:
        """Refuse outputs that are an input of the same command, even with `overwrite`.

        Raises
        ------
        ConfigError
            An output is an input: by its name, by links or as another name of the same file.
        """
        for output in outputs:
            target = Path(output.path)
            for name, path in self.inputs.items():
                if path is not None and _is_same(target, Path(path)):
                    raise ConfigError(
                        f"{output.name} {output.path!r} is the {name} of this command: choose "
                        "another name"
                    )

    def _admit(self, output: GuardedOutput) -> None:
        subject = f"{output.name} {output.path!r}"
        if is_cloud(output.path):
            if output.format is not None:
                admit_object(
                    subject, output.path, output.format, self.storages, overwrite=self.overwrite
                )
            return
        target = _target(output)
        self.refuse_inputs(output)
        if not target.is_file() or _is_ours(output, target):
            return
        inside = self._storage_with(Path(output.path), target)
        if inside is not None:
            raise ConfigError(
                f"{subject} is a file of the {inside} that no run wrote: choose another name, or "
                "remove it"
            )
        if not self.overwrite:
            raise ConfigError(
                f"{subject} is a file that no run wrote: choose another name, remove it, or give "
                "--overwrite to replace it"
            )

    def _storage_with(self, path: Path, target: Path) -> str | None:
        """Return which of the storages has a file, by its name, by where it lies or by a link."""
        for name, storage in self.storages.items():
            if not isinstance(storage, LocalStorage):
                continue
            root = Path(storage.root)
            logical = Path(os.path.abspath(path))  # noqa: PTH100 - keys are logical
            if logical.is_relative_to(root) or target.is_relative_to(real_path(root)):
                return name
            # Only now is every file looked at: links may lead anywhere.
            if self.overwrite and _leads_to(storage, target):
                return name
        return None


def _target(output: GuardedOutput) -> Path:
    """Follow links to the file that would be replaced."""
    _refuse_open_file(output)
    path = Path(output.path)
    with suppress(OSError):
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode) and output.kind is OutputKind.LABELS:
            return path.resolve()
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise ConfigError(
                f"{output.path!r} cannot be written: it is {kind}; choose another name"
            )
    return file_target(path)


def _refuse_open_file(output: GuardedOutput) -> None:
    """Refuse /dev/stdout and the like: they may lead to a file, which would be replaced."""
    step = os.path.abspath(output.path)  # noqa: PTH100 - not resolved: that is what this is about
    for _ in range(_LONGEST_CHAIN):
        if step.startswith(_OPEN_FILES) and not step.startswith(_SHARED_MEMORY):
            raise ConfigError(
                f"{output.name} {output.path!r} is a device or an open file, and outputs are files "
                "that appear whole: give the name of a file"
            )
        try:
            link = os.readlink(step)  # noqa: PTH115
        except OSError:
            return
        step = os.path.abspath(os.path.join(os.path.dirname(step), link))  # noqa: PTH100, PTH118, PTH120


def _is_same(target: Path, path: Path) -> bool:
    """Whether two paths are one file: by name, by links, or as two names of it."""
    with suppress(OSError):
        if real_path(target) == real_path(path):
            return True
        return target.samefile(path)
    return False


def _leads_to(storage: LocalStorage, target: Path) -> bool:
    status = target.stat()
    with suppress(OSError):
        for part in storage.list():
            for key in part.keys:
                with suppress(OSError, ValueError):
                    if os.path.samestat(os.stat(f"{storage.root}/{key}"), status):  # noqa: PTH116
                        return True
    return False


def _is_ours(output: GuardedOutput, path: Path) -> bool:
    """Whether a file is empty, or what an earlier run wrote as such an output."""
    try:
        if output.format is not None:
            return _is_of_format(output.format, path)
        beginnings = BEGINNINGS.get(output.kind, {})
        beginning = beginnings.get(path.suffix, beginnings.get(""))
        if beginning is None:
            return path.stat().st_size == 0
        with path.open("rb") as file:
            return file.read(len(beginning)) in (beginning, b"")
    except OSError:
        return False


def _is_of_format(format: Format, path: Path) -> bool:
    """Whether a file is empty or holds labels of the format that an earlier run wrote."""
    if not any(path.suffix and ending.endswith(path.suffix) for ending in format.endings):
        return False
    if path.stat().st_size == 0:
        return True
    module: SinkModule = load(format.sink)
    with path.open("rb") as file:
        return module.is_own_output(file, path.suffix)
