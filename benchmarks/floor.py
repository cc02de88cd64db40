"""The floor: what any program that converts a folder must do, and nothing else.

List the folder; open, read and close each label file; write as many bytes to one file. Plain Python
without labelingest, as fast as one process can: files are opened relative to their folder, nothing
is asked about them, each is read with one call, nothing is synced. Ratios to it say how far we are
from what the machine allows.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

__all__ = ["HEAD", "list_files", "read_files", "read_labels_write_once"]

HEAD: Final = 4096
"""Bytes of an image that hold its size."""
_MOST: Final = 65_536
"""Bytes asked for at once: more than nearly every label file has."""


def list_files(root: str) -> dict[str, list[str]]:
    """Return folder → names of its files, in order, for all folders below one."""
    names_of_folder = {}
    folders = [root]
    while folders:
        folder = folders.pop()
        names = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.path)
                else:
                    names.append(entry.name)
        names_of_folder[folder] = sorted(names)
    return names_of_folder


def read_files(folder: str, names: Sequence[str], most: int | None = None) -> list[bytes]:
    """Return the contents of files of one folder, or at most as many first bytes of each."""
    contents = []
    opened = os.open(folder, os.O_RDONLY)
    for name in names:
        file = os.open(name, os.O_RDONLY, dir_fd=opened)
        content = os.read(file, most or _MOST)
        while most is None and len(content) % _MOST == 0 and (more := os.read(file, _MOST)):
            content += more
        os.close(file)
        contents.append(content)
    os.close(opened)
    return contents


def read_labels_write_once(root: str, out: Path, *, heads: bool = False) -> int:
    """Do it all; return how many bytes were written.

    Parameters
    ----------
    root
        The folder.
    out
        The file to write.
    heads
        Read the headers of the images too.
    """
    files = list_files(root)
    contents = _read_all(files, ".txt", None)
    if heads:
        _read_all(files, ".jpg", HEAD)
    return out.write_bytes(b"".join(contents))


def _read_all(files: Mapping[str, Sequence[str]], ending: str, most: int | None) -> list[bytes]:
    return [
        content
        for folder, names in files.items()
        for content in read_files(folder, [n for n in names if n.endswith(ending)], most)
    ]


if __name__ == "__main__":
    read_labels_write_once(sys.argv[1], Path(sys.argv[2]), heads="--heads" in sys.argv)
