"""Outputs that are folders: built beside their place, moved there when complete.

An older folder is replaced only if labelingest wrote one of the same kind (a marker file says so)
and nothing else was added; the two renames of a replacement are not one: killed between
them, the older folder is found beside, under a temporary name, until the next run.
"""

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from labelingest.errors import StorageError
from labelingest.model.kinds import is_junk
from labelingest.sinks.base import UnfinishedOutput
from labelingest.storage.atomic import flush_folder
from labelingest.storage.local.disk import Disk
from labelingest.storage.local.real_paths import resolve
from labelingest.storage.os_errors import cannot_write
from labelingest.storage.unfinished_files import unfinished_name

__all__ = ["MARKER", "BuildingFolder", "building_folder", "is_as_begun"]

MARKER: Final = ".labelingest-output"
"""Name of the empty file that marks a folder as ours to replace."""


class BuildingFolder(Struct, frozen=True):
    """A folder under construction, beside the place that it gets when it is complete."""

    folder: Path
    """Where files are written."""
    place: Path
    """Where the complete folder appears: the output, links followed."""
    disk: Disk
    """The file system of the folder."""


@contextmanager
def building_folder(
    path: Path,
    is_ours: Callable[[str], bool],
    *,
    first_files: Mapping[str, bytes],
    unfinished: UnfinishedOutput | None,
    sweep: Callable[[Path], None],
) -> Iterator[BuildingFolder]:
    """Build a folder; it gets its place when the block ends well.

    Parameters
    ----------
    path
        The output.
    is_ours
        Whether the name of a file, relative to the folder, can be one that was written there.
    first_files
        Name → content of files that the folder begins with.
    unfinished
        The folder of an interrupted run, which stays when the block fails; None for a new folder,
        which is removed then.
    sweep
        Removes from an unfinished folder what its marks do not count.

    Raises
    ------
    StorageError
        Something else is at the output's place, or the folder cannot be written.
    """
    place = _checked_place(path, is_ours)
    folder = UnfinishedOutput.place(unfinished, place)
    if unfinished is not None and unfinished.marks:
        sweep(folder)
    else:
        _begin_folder(folder, place, first_files)
    disk = Disk(folder, place)
    try:
        yield BuildingFolder(folder, place, disk)
        _end_folder(folder, place, disk)
    finally:
        disk.close()
        if unfinished is None:
            shutil.rmtree(folder, ignore_errors=True)


def _checked_place(path: Path, is_ours: Callable[[str], bool]) -> Path:
    """Follow links, and refuse to replace anything that is not a folder of ours, of the same kind.

    Parameters
    ----------
    path
        The output.
    is_ours
        Whether the name of a file, relative to the folder, can be one that was written there.

    Raises
    ------
    StorageError
        The place holds something else.
    """
    try:
        # A link keeps its place: what it leads to is replaced.
        place = resolve(path)
        _refuse_foreign(place, is_ours)
    except StorageError:
        raise
    except OSError as error:
        raise cannot_write(str(path), error) from error
    return place


def _begin_folder(building: Path, place: Path, root: Mapping[str, bytes]) -> None:
    """Make the folder that an output is built in, with these files and the marker."""
    try:
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir()
        for name, content in {MARKER: b"", **root}.items():
            (building / name).write_bytes(content)
        if place.exists():
            building.chmod(stat.S_IMODE(place.stat().st_mode))
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        raise cannot_write(str(place), error) from error
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def is_as_begun(building: Path, root: Mapping[str, bytes]) -> bool:
    """Whether an unfinished folder has its marker and first files, and otherwise only plain files.

    Links and special files are not plain: the output would hold what no run wrote, or lead away.
    """
    try:
        first = {MARKER: b"", **root}.items()
        return _is_plain(building) and all(
            (building / name).read_bytes() == content for name, content in first
        )
    except OSError:
        return False


def _is_plain(building: Path) -> bool:
    waiting = [str(building)]
    if building.is_symlink():
        return False
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif not entry.is_file(follow_symlinks=False):
                    return False
    return True


def _end_folder(building: Path, place: Path, disk: Disk) -> None:
    """Bring a folder onto the disk and to its place; what was there is gone then."""
    old = place.with_name(unfinished_name(place.name, "-old"))
    try:
        disk.flush()
        if place.exists():
            shutil.rmtree(old, ignore_errors=True)
            place.rename(old)
        building.rename(place)
    except OSError as error:
        raise cannot_write(str(place), error) from error
    # The older folder is removed only when the new name is on the disk.
    flush_folder(place.parent, str(place))
    shutil.rmtree(old, ignore_errors=True)


def _refuse_foreign(path: Path, is_ours: Callable[[str], bool]) -> None:
    if not path.exists():
        return
    if path == Path.cwd():
        raise StorageError(f"{str(path)!r} is where you are: give the name of a new folder in it")
    if path.is_dir() and not os.access(path, os.W_OK | os.X_OK | os.R_OK):
        raise OSError(errno.EACCES, "")
    if not path.is_dir():
        raise StorageError(f"{str(path)!r} is a file: give the name of a folder")
    names = _names(path)
    foreign = next((name for name in names if not (is_junk(name) or is_ours(name))), None)
    if foreign is not None or (not (path / MARKER).exists() and any(path.iterdir())):
        what = f"it holds {foreign!r}" if foreign else "labelingest did not write what is in it"
        raise StorageError(
            f"{str(path)!r} is not replaced: {what}; give a new folder, or move that away"
        )


def _names(path: Path) -> Iterator[str]:
    """Yield the names of all that is in a folder but folders, links to folders included."""
    for folder, folders, files in os.walk(path):
        links = (name for name in folders if os.path.islink(f"{folder}/{name}"))  # noqa: PTH114
        inside = folder[len(str(path)) :].lstrip("/")
        for name in (*files, *links):
            yield f"{inside}/{name}" if inside else name
