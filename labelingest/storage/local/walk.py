"""Walk a folder: its files as pages of a listing, and what cannot be listed as problems.

1. A folder is read to its end and sorted: its files as names, its folders as names with a slash.
   Each folder is entered at its position in that order, so that the keys of all folders come in the
   order of their bytes. So nothing larger than one folder is ever sorted.
2. A folder that is reached through a link and contains that link is a loop: it is reported as a
   problem and not entered. Two links to one folder are no loop: keys are logical, and both are listed.
3. Everything seen counts against a limit, so that a few links that multiply each other end too.
4. Files whose size and time are not needed cost no system call of their own.

Names are bytes throughout: keys do not depend on the locale. The walk opens no file and does not know
what files mean.
"""

import errno
import os
import stat
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from msgspec import Struct

from labelingest.columns.keys import Keys
from labelingest.columns.text_order import Ints, text_order
from labelingest.errors import StorageError
from labelingest.model.kinds import TEMPORARY_PREFIX
from labelingest.model.listing import (
    UNKNOWN,
    GatheredListing,
    Listing,
    date_problem,
    outside_dates,
    sizes_column,
    times_column,
)
from labelingest.problems import Problem, ProblemCode
from labelingest.storage.base import MAX_FILES, PAGE
from labelingest.storage.os_errors import cause_of

__all__ = ["MAX_ENTRIES", "walk"]

MAX_ENTRIES: Final = 2 * MAX_FILES
"""Number of files, folders and other entries after which a walk gives up."""

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_SPECIAL: Final = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class _Folder(Struct, frozen=True, eq=False):
    """A folder on the stack, and the folders that led to it."""

    prefix: bytes
    """Beginning of the keys of its files; "" for the root, else with a slash at the end."""
    identity: tuple[int, int]
    """Device and inode of the folder."""
    parent: "_Folder | None"

    def is_inside(self, identity: tuple[int, int]) -> bool:
        """Return whether this folder, or one around it, has an identity."""
        folder: _Folder | None = self
        while folder is not None:
            if folder.identity == identity:
                return True
            folder = folder.parent
        return False


def walk(
    root: str,
    *,
    exclude: Sequence[str] = (),
    bare: Collection[str] = (),
    follow_symlinks: bool = True,
    max_entries: int = MAX_ENTRIES,
) -> Iterator[Listing]:
    """Yield everything below a folder in pages, in the order of keys.

    Parameters
    ----------
    root
        Absolute path of a folder.
    exclude
        Keys and folders (with a slash at the end) that are skipped.
    bare
        Extensions, as spelt, of files whose size and time are not needed.

    Raises
    ------
    StorageError
        The root cannot be read, or holds more than max_entries entries.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> root = tempfile.mkdtemp()
    >>> Path(root, "a.txt").write_text("0 .5 .5 1 1")
    11
    >>> [list(page.keys) for page in walk(root)]
    [['a.txt']]
    """
    yield from _Walk(
        root, exclude, bare, follow_symlinks=follow_symlinks, max_entries=max_entries
    ).pages()


class _GatheredFiles:
    """Names, sizes and times of files that a walk has met, in the order of meeting."""

    def __init__(self) -> None:
        self.names: list[bytes] = []
        self.sizes: list[int] = []
        self.times: list[int] = []

    def add(self, name: bytes, status: os.stat_result) -> None:
        """Add one file."""
        self.names.append(name)
        self.sizes.append(status.st_size)
        self.times.append(status.st_mtime_ns)

    def add_names(self, names: Sequence[bytes]) -> None:
        """Add files of which the names alone are needed."""
        self.names += names
        unknown = [UNKNOWN] * len(names)
        self.sizes += unknown
        self.times += unknown

    def listing(self) -> Listing:
        """Return the files as columns; the keys are their names."""
        lengths = np.fromiter(map(len, self.names), np.int32, len(self.names))
        names = Keys.from_lengths(b"".join(self.names), lengths)
        return Listing(names, sizes_column(self.sizes), times_column(self.times))


class _ReadFolder(Struct, eq=False):
    """A folder that was read, with the files and folders that are still to be yielded."""

    folder: _Folder
    files: Listing
    """Files of the folder as they were read."""
    order: Ints
    """(n,) rows of the files in order of their names; yielded up to `position`."""
    folders: list[_Folder]
    """Folders inside it, in descending order: the next to enter is the last."""
    position: int = 0
    """Number of files that have been yielded."""

    def files_of(self, rows: Ints) -> Listing:
        """Return some of the files with their whole keys."""
        keys = self.files.keys.pick(rows).below(self.folder.prefix)
        return Listing(keys, self.files.size[rows], self.files.mtime_ns[rows])

    def until(self, folder: _Folder) -> int:
        """Return how many files come before the content of one of the folders."""
        name = folder.prefix[len(self.folder.prefix) :]
        text, offsets = self.files.keys.text, self.files.keys.offsets
        return bisect_left(self.order, name, key=lambda row: text[offsets[row] : offsets[row + 1]])


class _Walk:
    """The state of one walk: the folders that are being read, and the page that is being filled."""

    def __init__(
        self,
        root: str,
        exclude: Sequence[str],
        bare: Collection[str],
        *,
        follow_symlinks: bool,
        max_entries: int,
    ) -> None:
        self.root = root
        self.path = os.fsencode(root).rstrip(b"/") + b"/"
        self.excluded = frozenset(entry.encode() for entry in exclude)
        self.bare = tuple(b"." + extension.encode() for extension in bare)
        self.follow_symlinks = follow_symlinks
        self.entries_left = self.max_entries = max_entries
        self.gathered = _GatheredFiles()
        self.folders: list[_Folder] = []
        self.problems: list[Problem] = []

    def pages(self) -> Iterator[Listing]:
        """Read folder after folder; yield each page that is full."""
        page, count = GatheredListing(), 0
        stack = [self._read_folder(self._find_root())]
        while stack:
            top = stack[-1]
            following = top.folders.pop() if top.folders else None
            end = len(top.files) if following is None else top.until(following)
            for start in range(top.position, end, PAGE):
                rows = top.order[start : min(start + PAGE, end)]
                page.add(top.files_of(rows))
                count += len(rows)
                if count >= PAGE:
                    yield page.listing(self._problems())
                    page, count = GatheredListing(), 0
            top.position = end
            if following is None:
                stack.pop()
            else:
                stack.append(self._read_folder(following))
        if count or self.problems:
            yield page.listing(self._problems())

    def _problems(self) -> list[Problem]:
        problems, self.problems = self.problems, []
        return problems

    def _read_folder(self, folder: _Folder) -> _ReadFolder:
        """Read a folder to its end."""
        files = GatheredListing()
        self.gathered, self.folders = _GatheredFiles(), []
        try:
            with os.scandir(self.path + folder.prefix) as entries:
                while batch := list(islice(entries, PAGE)):
                    self._count(len(batch))
                    self._take_batch(batch, folder)
                    files.add(self._part(folder))
        except StorageError:
            raise
        except OSError as error:
            if folder.parent is None:
                raise self._unlistable(error) from error
            self._add(
                ProblemCode.UNREADABLE_FOLDER,
                folder.prefix[:-1],
                f"this folder cannot be listed: {cause_of(error)}; nothing in it was looked at",
            )
        if self.gathered.names:  # read before that
            files.add(self._part(folder))
        folders = sorted(self.folders, key=lambda inner: inner.prefix, reverse=True)
        # A folder of a million files is not copied to be sorted: its pages are picked in order.
        listing = files.listing()
        order = text_order(listing.keys.text, listing.keys.offsets)
        return _ReadFolder(folder, listing, order, folders)

    def _part(self, folder: _Folder) -> Listing:
        """Return the gathered files of a folder; report files whose times are clamped."""
        gathered, self.gathered = self.gathered, _GatheredFiles()
        part = gathered.listing()
        for row in outside_dates(part.mtime_ns, gathered.times):
            key = (folder.prefix + gathered.names[row]).decode()
            self.problems.append(date_problem(key, gathered.times[row]))
        return part

    def _find_root(self) -> _Folder:
        try:
            status = Path(self.root).stat()
        except OSError as error:
            raise self._unlistable(error) from error
        return _Folder(b"", (status.st_dev, status.st_ino), None)

    def _unlistable(self, error: OSError) -> StorageError:
        return StorageError(f"{self.root!r} cannot be listed: {cause_of(error)}")

    def _count(self, entries: int) -> None:
        self.entries_left -= entries
        if self.entries_left < 0:
            raise StorageError(
                f"{self.root!r} holds more than {self.max_entries:,} files and folders: give a "
                "folder further down; links to folders that multiply each other are another "
                "cause, and are not followed with follow_symlinks=False"
            )

    def _take_batch(self, batch: Sequence[os.DirEntry[bytes]], folder: _Folder) -> None:
        """Add some entries of a folder to its files and folders, or to the problems."""
        # A folder of a million files goes through here: ordinary files cost a few list
        # comprehensions and a look at each, and `_take` has the unusual entries.
        names, others = _ordinary_files(batch)
        prefix = folder.prefix
        excluded = {key[len(prefix) :] for key in self.excluded if key.startswith(prefix)}
        if excluded:
            names = [name for name in names if name not in excluded]
        named = [name for name in names if name.endswith(self.bare)]
        if named:
            self.gathered.add_names(named)
            # Most folders hold files of one extension: no second look at each name.
            rest = len(named) < len(names)
            names = [name for name in names if not name.endswith(self.bare)] if rest else []
        if names:
            self._look_at(names, folder)
        for entry in others:
            self._take(entry, folder)

    def _look_at(self, names: Sequence[bytes], folder: _Folder) -> None:
        """Add ordinary files of a folder, with size and time."""
        look, gathered = os.stat, self.gathered
        place = os.open(self.path + folder.prefix, _FOLDER)
        try:
            for name in names:
                try:
                    status = look(name, dir_fd=place, follow_symlinks=False)
                except OSError as error:
                    self._note_unreadable(folder.prefix + name, error)
                else:
                    gathered.names.append(name)
                    gathered.sizes.append(status.st_size)
                    gathered.times.append(status.st_mtime_ns)
        finally:
            os.close(place)

    def _take(self, entry: os.DirEntry[bytes], folder: _Folder) -> None:
        """Add one entry to the page, the stack or the problems."""
        name = entry.name
        key = folder.prefix + name
        if key in self.excluded:
            return
        if not _is_utf8(name):
            self._add(
                ProblemCode.KEY_NOT_UTF8,
                key,
                f"the name {name!r} is not UTF-8, which keys are; rename it (convmv does many)",
            )
            return
        try:
            if entry.is_file(follow_symlinks=False):
                self.gathered.add(name, entry.stat(follow_symlinks=False))
            elif entry.is_dir(follow_symlinks=False):
                self._take_folder(key, entry.stat(follow_symlinks=False), folder)
            elif entry.is_symlink():
                self._take_link(key, entry, folder)
            else:
                self._refuse_special(key, entry.stat(follow_symlinks=False).st_mode)
        except OSError as error:
            self._note_unreadable(key, error)

    def _note_unreadable(self, key: bytes, error: OSError) -> None:
        """Report an entry that its folder named a moment ago, and that cannot be looked at."""
        if not isinstance(error, FileNotFoundError):
            detail = f"this entry cannot be read: {cause_of(error)}"
            self._add(ProblemCode.UNREADABLE_FILE, key, detail)
        elif not key.rpartition(b"/")[2].startswith(TEMPORARY_PREFIX.encode()):
            # Deleted meanwhile, or on a disk that went away.
            self._add(
                ProblemCode.VANISHED_FILE,
                key,
                "it was there when its folder was read, and gone a moment later",
            )

    def _take_folder(self, key: bytes, status: os.stat_result, parent: _Folder) -> None:
        prefix = key + b"/"
        # An unfinished output of another run is no data: its files come and go.
        unfinished = key.rpartition(b"/")[2].startswith(TEMPORARY_PREFIX.encode())
        if prefix not in self.excluded and not unfinished:
            self.folders.append(_Folder(prefix, (status.st_dev, status.st_ino), parent))

    def _take_link(self, key: bytes, entry: os.DirEntry[bytes], folder: _Folder) -> None:
        if not self.follow_symlinks:
            self._add(
                ProblemCode.NOT_A_REGULAR_FILE,
                key,
                "a symbolic link, and links are not followed here (follow_symlinks=False)",
            )
            return
        try:
            status = entry.stat()
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
                raise
            looped = error.errno == errno.ELOOP
            self._add(
                ProblemCode.LINK_LOOP if looped else ProblemCode.BROKEN_LINK,
                key,
                "a symbolic link that leads "
                + ("back to itself" if looped else f"nowhere: {_target(entry)} does not exist"),
            )
            return
        if stat.S_ISREG(status.st_mode):
            self.gathered.add(entry.name, status)
        elif not stat.S_ISDIR(status.st_mode):
            self._refuse_special(key, status.st_mode)
        elif folder.is_inside((status.st_dev, status.st_ino)):
            self._add(
                ProblemCode.LINK_LOOP,
                key,
                f"a symbolic link to {_target(entry)}, a folder it lies in itself: not followed",
            )
        else:
            self._take_folder(key, status, folder)

    def _refuse_special(self, key: bytes, mode: int) -> None:
        what = _SPECIAL.get(stat.S_IFMT(mode), "neither a file nor a folder")
        self._add(ProblemCode.NOT_A_REGULAR_FILE, key, f"{what}: only regular files are read")

    def _add(self, code: ProblemCode, key: bytes, detail: str) -> None:
        self.problems.append(Problem(code, key.decode("utf-8", "backslashreplace"), detail))


def _ordinary_files(
    batch: Sequence[os.DirEntry[bytes]],
) -> tuple[list[bytes], list[os.DirEntry[bytes]]]:
    """Return the names of files with names of UTF-8, and the other entries."""
    try:
        names = [entry.name for entry in batch if entry.is_file(follow_symlinks=False)]
    except OSError:
        return [], list(batch)  # the file system tells no types, and one entry is gone
    others = []
    if len(names) < len(batch):
        others = [entry for entry in batch if not entry.is_file(follow_symlinks=False)]
    # A slash begins a character anew: the joined names are UTF-8 if each of them is.
    if not _is_utf8(b"/".join(names)):
        others += [e for e in batch if e.is_file(follow_symlinks=False) and not _is_utf8(e.name)]
        names = [name for name in names if _is_utf8(name)]
    return names, others


def _is_utf8(name: bytes) -> bool:
    if name.isascii():
        return True
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _target(link: os.DirEntry[bytes]) -> str:
    """Return where a link points, as written in it."""
    try:
        return repr(str(Path(os.fsdecode(link.path)).readlink()))
    except OSError:
        return "its target"
