"""Find class lists by their names, and choose the list of each label file: the nearest one.

The list of a label file is the nearest at or above it, or else the nearest at or above its image. Of
several in one folder, YAML comes first, then the lists of Darknet and Roboflow, `notes.json`, and text
files. Refuses to know contents.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from posixpath import dirname
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from labelingest.columns.keys import Keys
from labelingest.columns.types import Bool, Int64, UInt8

__all__ = ["ListFolders", "is_usual_name", "list_rank", "list_rows", "relevant_folders"]

Int16: TypeAlias = NDArray[np.int16]

_RANKS: Final = (
    r"data\.ya?ml",
    r"dataset\.ya?ml",
    r"config\.ya?ml",
    r".*\.ya?ml",
    r"obj\.names",
    r".*\.names",
    r"_darknet\.labels",
    r"obj\.data",
    r"notes\.json",
    r"classes\.txt",
    r"labels\.txt",
    r"predefined_classes\.txt",
)
"""Names of class lists, the first that a folder has first."""
_NAME: Final = re.compile(
    "|".join(f"({rank})" for rank in _RANKS), re.IGNORECASE | re.DOTALL | re.ASCII
)
_UNUSUAL: Final = 3
"""Rank of YAML files with any name: what they are for is not known."""
_AT_ONCE: Final = 65_536
"""Rows that are compared together: of ten million, each column is 80 megabytes."""
_ENDS: Final = np.frombuffer(b"lsatn", dtype=np.uint8)
"""Last letters of the names, in lower case."""


def list_rank(key: str) -> int | None:
    """Return the rank of a file among the class lists of its folder; None for other files.

    Examples
    --------
    >>> [list_rank(key) for key in ("a/data.yaml", "classes.txt", "obj.names", "labels/a.txt")]
    [0, 9, 4, None]
    """
    match = _NAME.fullmatch(key.rpartition("/")[2])
    return None if match is None or match.lastindex is None else match.lastindex - 1


def is_usual_name(key: str) -> bool:
    """Whether a file has a name that class lists usually have; YAML files are used for much else.

    Examples
    --------
    >>> is_usual_name("data.yaml"), is_usual_name("compose.yaml")
    (True, False)
    """
    return list_rank(key) not in (None, _UNUSUAL)


def list_rows(keys: Keys) -> Int64:
    """Return the rows of keys that have the name of a class list.

    Examples
    --------
    >>> list_rows(Keys.from_texts(["data.yaml", "labels/a.txt", "labels/classes.txt"])).tolist()
    [0, 2]
    """
    text = np.frombuffer(keys.text, dtype=np.uint8)
    parts = [np.zeros(0, dtype=np.int64)]
    for start in range(0, len(keys), _AT_ONCE):
        last = keys.offsets[start + 1 : start + 1 + _AT_ONCE] - 1
        ends = _lower(text, last)
        # `classes.txt`, `labels.txt` and `notes.json` have an s before the dot; few label files have.
        before = _lower(text, np.maximum(last - 4, 0))
        before_json = _lower(text, np.maximum(last - 5, 0))
        suspects = np.isin(ends, _ENDS)
        suspects &= (ends != ord("t")) | (before == ord("s"))
        suspects &= (ends != ord("n")) | (before_json == ord("s"))
        parts.append(start + np.flatnonzero(suspects))
    rows = np.concatenate(parts)
    is_list = [list_rank(key) is not None for key in keys.take(rows)]
    return rows[np.array(is_list, dtype=np.bool_)]


def _lower(text: UInt8, places: Int64) -> UInt8:
    """Return letters in lower case; other characters turn into something else."""
    return text[places] | np.uint8(0x20)


class ListFolders(Struct, frozen=True, eq=False):
    """Folders with class lists, and the folder whose lists each label file has."""

    folders: Sequence[str]
    """Folders with class lists, without a slash at the end; "" is the storage path."""
    folder: Int16
    """(m,) position of each label file's folder in `folders`; -1 for none."""
    beside_images: Int16
    """(m,) the same for the image of each label file."""

    @classmethod
    def choose(
        cls, keys: Keys, lists: Sequence[str], sidecars: Int64, data: Int64
    ) -> "ListFolders":
        """Choose the folder of each label file.

        Parameters
        ----------
        keys
            Keys of the storage path, in order.
        lists
            Keys of class lists.
        sidecars, data
            (m,) rows of label files and of their images.

        Examples
        --------
        >>> keys = Keys.from_texts(["a/data.yaml", "a/x.jpg", "a/x.txt", "b/y.jpg", "b/y.txt"])
        >>> chosen = ListFolders.choose(keys, ["a/data.yaml"], np.array([2, 4]), np.array([1, 3]))
        >>> chosen.folders, chosen.folder.tolist()
        (['a'], [0, -1])
        """
        # A folder comes before the folders in it: the nearest is written last.
        folders = sorted({dirname(key) for key in lists})
        nearest = np.full(len(sidecars), -1, dtype=np.int16)
        beside = np.full(len(sidecars), -1, dtype=np.int16)
        for position, folder in enumerate(folders):
            begin, end = _range(keys, folder)
            nearest[(sidecars >= begin) & (sidecars < end)] = position
            beside[(data >= begin) & (data < end)] = position
        np.copyto(nearest, beside, where=nearest < 0)
        return cls(folders, nearest, beside)

    def count(self, folder: str) -> int:
        """Return the number of label files whose class list is in a folder."""
        return int(np.count_nonzero(self.folder == self.folders.index(folder)))

    def rows(self, folder: str) -> Int64:
        """Return the positions of the label files whose class list is in a folder."""
        return np.flatnonzero(self.folder == self.folders.index(folder))

    def rivals(self, folder: str) -> Sequence[str]:
        """Return other folders with lists for the same label files: above, or beside the images."""
        above = [other for other in self.folders if other != folder and _is_above(other, folder)]
        uses: Bool = self.folder == self.folders.index(folder)
        numbers = np.unique(self.beside_images[uses])
        beside = [self.folders[number] for number in numbers[numbers >= 0].tolist()]
        return list(dict.fromkeys([*above, *(other for other in beside if other != folder)]))


def _is_above(folder: str, other: str) -> bool:
    return not folder or other.startswith(f"{folder}/")


def _range(keys: Keys, folder: str) -> tuple[int, int]:
    """Return first row and end of the keys below a folder."""
    if not folder:
        return 0, len(keys)
    # "0" is the character behind the slash.
    return bisect_left(keys, f"{folder}/"), bisect_left(keys, f"{folder}0")


def relevant_folders(
    keys: Keys, folders: Iterable[str], sidecars: Int64, data: Int64
) -> Collection[str]:
    """Return the folders with a label file, or the image of one, in or below them.

    Parameters
    ----------
    keys
        Keys of the storage path, in order.
    folders
        Folders, without a slash at the end.
    sidecars, data
        (m,) rows of label files and of their images.
    """
    ranges = {folder: _range(keys, folder) for folder in folders}
    return {
        folder
        for folder, bounds in ranges.items()
        if _has_between(sidecars, *bounds) or _has_between(data, *bounds)
    }


def _has_between(rows: Int64, begin: int, end: int) -> bool:
    """Whether one of the rows is in a range: most answers come from the first rows."""
    starts = range(0, len(rows), _AT_ONCE)
    parts = (rows[start : start + _AT_ONCE] for start in starts)
    return any(bool(((part >= begin) & (part < end)).any()) for part in parts)
