"""A tree of Encord JSON sidecars: `KEY.encord.json` for every data file `KEY`.

The tree is built beside its place under a temporary name and moved there when it is complete. An
older tree is replaced only if labelingest wrote it (a marker file says so) and nobody put anything
else into it; the two renames of a replacement are not one: killed between them, the older tree is
found beside, under a temporary name.
"""

import errno
import os
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final

from labelingest.errors import StorageError
from labelingest.problems import Problem, ProblemCode
from labelingest.storage.atomic import temporary_name
from labelingest.storage.causes import cannot_write

__all__ = ["MARKER", "SUFFIX", "SidecarsSink"]

SUFFIX: Final = ".encord.json"
MARKER: Final = ".labelingest-output"
"""Name of the empty file that marks a tree as ours to replace."""

_REFUSED: Final = {
    errno.ENAMETOOLONG: "is too long for this file system (255 bytes on most)",
    errno.EEXIST: "is taken by another label row, whose name differs only in upper and lower case",
    errno.EISDIR: "is already that of a folder",
    errno.ENOTDIR: "needs a folder where another label row is a file",
    errno.EILSEQ: "has characters that this file system does not allow",
    errno.EINVAL: "has characters that this file system does not allow",
}


@dataclass(slots=True)
class SidecarsSink:
    """Writes one file for each label row, into a folder of its own.

    Examples
    --------
    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp()) / "labels"
    >>> with SidecarsSink(out) as sink:
    ...     sink.put(["train/a.jpg"], [b"{}"])
    []
    >>> (out / "train/a.jpg.encord.json").read_text()
    '{}'
    """

    path: Path
    _building: Path | None = field(default=None, repr=False)
    _folders: set[str] = field(default_factory=set, repr=False)

    def __enter__(self) -> "SidecarsSink":
        try:
            # A link keeps its place: what it leads to is replaced.
            self.path = self.path.resolve()
            _refuse_foreign(self.path)
            building = self.path.with_name(temporary_name())
            building.mkdir()
            (building / MARKER).touch()
            if self.path.exists():
                building.chmod(stat.S_IMODE(self.path.stat().st_mode))
        except StorageError:
            raise
        except (OSError, RuntimeError) as error:
            if isinstance(error, RuntimeError):
                error = OSError(errno.ELOOP, "")
            raise cannot_write(str(self.path), error) from error
        self._building, self._folders = building, set()
        return self

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
        names = [key.rpartition("/")[2] + SUFFIX for key in keys]
        return {
            position: _problem(keys[position], errno.ENAMETOOLONG)
            for position, name in enumerate(names)
            # A character has at most four bytes: most names need not be encoded to be measured.
            if 4 * len(name) > longest and len(name.encode()) > longest
        }

    def _open(self) -> Path:
        if self._building is None:
            raise ValueError("the sink is not open: use it as `with sink:`")
        return self._building

    def put(self, keys: Sequence[str], label_rows: Sequence[bytes]) -> list[tuple[int, Problem]]:
        """Write files; a key whose file name the file system refuses is a problem."""
        building = self._open()
        refused = []
        for position, (key, label_row) in enumerate(zip(keys, label_rows, strict=True)):
            try:
                self._write(building, key + SUFFIX, label_row)
            except OSError as error:
                if error.errno not in _REFUSED:
                    raise cannot_write(str(self.path / (key + SUFFIX)), error) from error
                refused.append((position, _problem(key, error.errno)))
        return refused

    def _write(self, building: Path, name: str, content: bytes) -> None:
        path = f"{building}/{name}"
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - no Path for each of a million files
            self._folders.add(folder)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            written = os.write(descriptor, content)
            while written < len(content):
                written += os.write(descriptor, content[written:])
        finally:
            os.close(descriptor)


def _problem(key: str, error_number: int) -> Problem:
    detail = f"no label row: the name {key + SUFFIX!r} {_REFUSED[error_number]}"
    return Problem(ProblemCode.OUTPUT_NAME_REFUSED, key, detail)


def _refuse_foreign(path: Path) -> None:
    """Refuse to replace anything that is not a tree of ours."""
    if not path.exists():
        return
    if path == Path.cwd():
        raise StorageError(f"{str(path)!r} is where you are: give the name of a new folder in it")
    if path.is_dir() and not os.access(path, os.W_OK | os.X_OK | os.R_OK):
        raise OSError(errno.EACCES, "")
    if not path.is_dir():
        raise StorageError(
            f"{str(path)!r} is a file: give a folder, or a name that ends in .jsonl for one file"
        )
    foreign = next(
        (name for name in _files(path) if not name.endswith(SUFFIX) and name != MARKER), None
    )
    if foreign is not None or (not (path / MARKER).exists() and any(path.iterdir())):
        what = f"it holds {foreign!r}" if foreign else "labelingest did not write what is in it"
        raise StorageError(
            f"{str(path)!r} is not replaced: {what}; give a new folder, or move that away"
        )


def _files(path: Path) -> list[str]:
    return [name for _, _, names in os.walk(path) for name in names]


def _move(building: Path, path: Path) -> None:
    if not path.exists():
        building.rename(path)
        return
    old = path.with_name(temporary_name())
    path.rename(old)
    building.rename(path)
    shutil.rmtree(old, ignore_errors=True)
