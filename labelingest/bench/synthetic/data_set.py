"""Synthetic data sets on disk: images, label files and their ontology.

A data set is ``images/train/000000.jpg`` …, ``labels/train/000000.txt`` … and ``ontology.json``.

Images are real JPEG files of 16 different sizes, and all images of one size are hard links to one
file (copies, where the file system has no links or no more of them): 20,000 links take 0.5 s and no
space, 20,000 files 3.4 s. Only headers are ever read; with a warm cache `LocalStorage.fetch_heads`
took 0.20 s on links and 0.22 s on files of their own, so read its times as up to 10 % too good.
"""

import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from PIL import Image

from labelingest.bench.synthetic.kinds import CLASSES, SHAPES, Images, Kind, image_size
from labelingest.bench.synthetic.label_files import label_chunks
from labelingest.progress import Progress

__all__ = ["Generated", "generate", "jpeg", "ontology"]

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
"""Flags for a file that must not exist yet."""


class Generated(Struct, frozen=True):
    """A data set on disk, and its counts."""

    root: str
    kind: str
    files: int
    """Images, each with a label file."""
    rows: int
    label_bytes: int
    defects: Mapping[str, int]
    """Defective rows by the code of their problem."""

    @property
    def ontology(self) -> Path:
        """The ontology's file."""
        return Path(self.root, "ontology.json")


def ontology(kind: str = Kind.BOXES) -> dict[str, Any]:
    """Return an ontology with an object for each class number, in Encord's structure.

    Examples
    --------
    >>> [entry["shape"] for entry in ontology("mixed")["objects"]][:3]
    ['bounding_box', 'polygon', 'rotatable_bounding_box']
    """
    only = {Kind.BOXES: 0, Kind.POLYGONS: 1, Kind.ROTATED: 2}.get(Kind(kind))
    return {
        "objects": [
            {
                "id": str(number + 1),
                "name": f"Class {number}",
                "color": f"#{(number * 2654435761) % 2**24:06X}",
                "shape": SHAPES[number % len(SHAPES) if only is None else only],
                "featureNodeHash": f"{number:08x}",
                "externalIds": {"YOLO": str(number)},
            }
            for number in range(CLASSES)
        ],
        "classifications": [],
    }


@cache
def jpeg(width: int, height: int) -> bytes:
    """Return a JPEG file of that size: one grey, a few kilobytes, decodable.

    Examples
    --------
    >>> Image.open(io.BytesIO(jpeg(320, 480))).size
    (320, 480)
    """
    file = io.BytesIO()
    Image.new("RGB", (width, height), (112, 112, 112)).save(file, "JPEG", quality=50)
    return file.getvalue()


def generate(
    out: Path,
    files: int,
    kind: str = Kind.BOXES,
    *,
    seed: int = 0,
    defects: float = 0.0,
    images: str = Images.REAL_HEADERS,
    progress: Callable[[Progress], None] | None = None,
) -> Generated:
    """Write a data set into a folder; memory does not grow with the number of files.

    Parameters
    ----------
    out
        The folder; its images and labels must not exist yet.
    files, kind, seed, defects
        As for `labelingest.bench.synthetic.label_files.label_files`.
    images
        Kind of the image files: an `Images`.
    progress
        Receives the number of data files that are on the disk.

    Raises
    ------
    OSError
        A file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> generated = generate(Path(tempfile.mkdtemp()), 2)
    >>> files = (path for path in Path(generated.root).rglob("*.*"))
    >>> sorted(path.relative_to(generated.root).as_posix() for path in files)[:2]
    ['images/train/000000.jpg', 'images/train/000001.jpg']
    """
    number = rows = label_bytes = 0
    defects_by_code: Counter[str] = Counter()
    folders = [out / name / "train" for name in ("images", "labels")]
    for folder in folders:
        folder.mkdir(parents=True)
    (out / "ontology.json").write_text(json.dumps(ontology(kind), indent=1) + "\n")
    with _opened(folders[0]) as image_folder, _opened(folders[1]) as label_folder:
        links = _Links(image_folder)
        for chunk in label_chunks(files, kind, seed=seed, defects=defects):
            for content in chunk.contents:
                _write_new(f"{number:06d}.txt", content, label_folder)
                image = b"" if images == Images.EMPTY else jpeg(*image_size(number))
                links.add(f"{number:06d}.jpg", image)
                number += 1
                label_bytes += len(content)
            rows += chunk.rows
            defects_by_code += chunk.defects
            if progress is not None:
                progress(Progress("generate", number, files))
    return Generated(
        root=str(out),
        kind=str(kind),
        files=files,
        rows=rows,
        label_bytes=label_bytes,
        defects=dict(sorted(defects_by_code.items())),
    )


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write_new(name: str, content: bytes, folder: int) -> None:
    with open(os.open(name, _NEW, 0o666, dir_fd=folder), "wb", buffering=0) as file:  # noqa: PTH123
        file.write(content)


class _Links:
    """Names of equal files in one folder, which are links to one file as far as possible."""

    def __init__(self, folder: int) -> None:
        self._folder = folder
        self._names: dict[bytes, str] = {}

    def add(self, name: str, content: bytes) -> None:
        """Give content a name: a hard link to the last file that has it, else a new file."""
        earlier = self._names.get(content)
        if earlier is not None:
            try:
                os.link(earlier, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            except OSError:  # file systems count links, and some have none
                pass
            else:
                return
        _write_new(name, content, self._folder)
        self._names[content] = name
