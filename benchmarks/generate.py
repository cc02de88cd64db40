"""Seeded YOLO data sets of any size, to measure on: what does a folder of this kind look like?

From the command line::

    python -m benchmarks.generate OUT --files 20000 --kind boxes

writes ``OUT/images/train/000000.jpg`` …, ``OUT/labels/train/000000.txt`` … and
``OUT/ontology.json``. `label_files` gives the same label files in memory.

The shape of the data is that of public data sets: 7.3 boxes an image (COCO), 7.2 polygons an image
of about 20 vertices with a long tail (COCO), rotated boxes as four corners of which four in five
were clicked and rounded to pixels, so that they miss a rectangle (DOTA); 80 classes, the low numbers
more often; six decimals. Everything lies inside its image and is clean, but for the part of the rows
that `defects` asks for.

The same arguments give the same bytes: file i depends on the seed, the kind, the defects and i, not
on how many files there are. Nothing that is generated is kept in the repository.

Images are real JPEG files of 16 different sizes, and all images of one size are hard links to one
file (copies, where the file system has no links or no more of them): 20,000 links take 0.5 s and no
space, 20,000 files 3.4 s. Only headers are ever read; with a warm cache `LocalStorage.fetch_heads`
took 0.20 s on links and 0.22 s on files of their own, so read its groups as up to 10 % too good.
"""

import argparse
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.random import Generator
from PIL import Image

from labelingest.columns.types import Float64, Int64, UInt8

__all__ = [
    "CLASSES",
    "DEFECTS",
    "SIZES",
    "Generated",
    "Images",
    "Kind",
    "LabelFiles",
    "generate",
    "image_size",
    "jpeg",
    "label_chunks",
    "label_files",
    "ontology",
]

CLASSES: Final = 80
_CHUNK: Final = 2_000
"""Files that are made together; part of the recipe: another number gives other files."""
_DIGITS: Final = 6
_ROWS: Final = 7.3
_POLYGONS: Final = 7.2
_VERTICES: Final = 20
_CLICKED: Final = 0.8
"""Part of the rotated boxes whose corners were clicked by hand, as in DOTA."""
_SHAPES: Final = ("bounding_box", "polygon", "rotatable_bounding_box")

SIZES: Final = tuple(
    (width, height) for width in (320, 427, 500, 612, 640, 800, 1024, 1280) for height in (480, 720)
)
"""Width and height of the images, in pixels."""


class Kind(StrEnum):
    """What the rows are."""

    BOXES = "boxes"
    POLYGONS = "polygons"
    ROTATED = "rotated"
    MIXED = "mixed"
    """All three in one file; each row has the shape of its ontology object."""


class Images(StrEnum):
    """What the image files are."""

    REAL_HEADERS = "real-headers"
    EMPTY = "empty"
    """Files of zero bytes, for what never reads an image."""


def _unknown_class(fields: list[bytes]) -> bytes:
    return b" ".join((b"%d" % (CLASSES + int(fields[0])), *fields[1:]))


def _in_pixels(fields: list[bytes]) -> bytes:
    return fields[0] + b" 320.5 240.0 100.0 50.0"


DEFECTS: Final[Mapping[str, Callable[[list[bytes]], bytes]]] = MappingProxyType(
    {
        "unknown-class": _unknown_class,
        "bad-class-number": lambda fields: b" ".join((b"-1", *fields[1:])),
        "not-a-number": b",".join,
        "not-finite": lambda fields: b" ".join((fields[0], b"nan", *fields[2:])),
        "too-few-columns": lambda fields: b" ".join(fields[:4]),
        "out-of-range": _in_pixels,
    }
)
"""Code of the problem that must be found → a good row's fields made bad."""


@dataclass(frozen=True, slots=True)
class LabelFiles:
    """Label files in memory."""

    contents: Sequence[bytes]
    """Content of each file."""
    rows: int
    """Rows in all of them, bad ones included."""
    defects: Counter[str] = field(default_factory=Counter)
    """Bad rows by the code of their problem."""


@dataclass(frozen=True, slots=True)
class Generated:
    """A data set on disk and what is in it."""

    root: str
    kind: str
    files: int
    """Images, each with a label file."""
    rows: int
    label_bytes: int
    defects: Mapping[str, int]
    """Bad rows by the code of their problem."""

    @property
    def ontology(self) -> Path:
        """The ontology's file."""
        return Path(self.root, "ontology.json")


class _Rows(NamedTuple):
    """Rows as numbers, before they become text."""

    class_number: Int64
    """(r,)"""
    counts: Int64
    """(r,) how many coordinates each row has."""
    coordinates: Float64
    """(v,) in 0..1, one row after the other."""


def label_files(
    files: int, kind: str = Kind.BOXES, *, seed: int = 0, defects: float = 0.0
) -> LabelFiles:
    """Make the label files of a data set in memory.

    Parameters
    ----------
    files
        How many.
    kind
        What the rows are: a `Kind`.
    seed
        Another seed gives another data set.
    defects
        Part of the rows, 0..1, that is made bad, in as many ways as `DEFECTS` has.

    Examples
    --------
    >>> made = label_files(3)
    >>> made.rows, made.contents[0].splitlines()[0]
    (13, b'9 0.599000 0.180284 0.452033 0.171624')
    >>> label_files(2).contents == made.contents[:2]
    True
    """
    chunks = list(label_chunks(files, kind, seed=seed, defects=defects))
    return LabelFiles(
        [content for chunk in chunks for content in chunk.contents],
        sum(chunk.rows for chunk in chunks),
        sum((chunk.defects for chunk in chunks), Counter()),
    )


def label_chunks(
    files: int, kind: str = Kind.BOXES, *, seed: int = 0, defects: float = 0.0
) -> Iterator[LabelFiles]:
    """Yield what `label_files` makes in pieces: a million files need not be in memory at once."""
    order = list(Kind).index(Kind(kind))
    for start in range(0, files, _CHUNK):
        count = min(_CHUNK, files - start)
        rng = np.random.default_rng((seed, order, start))
        mean = _POLYGONS if kind == Kind.POLYGONS else _ROWS
        rows_of_file = rng.geometric(1 / mean, _CHUNK)
        unit = np.repeat(np.arange(start, start + _CHUNK), rows_of_file)
        contents = _contents(_rows(rng, Kind(kind), unit), rows_of_file)
        chosen = rng.random(len(unit)) < defects
        cause = rng.integers(len(DEFECTS), size=len(unit))
        # The whole chunk is made whatever is wanted of it, so that file i stays file i.
        rows = int(rows_of_file[:count].sum())
        bad = {row: list(DEFECTS)[cause[row]] for row in np.flatnonzero(chosen[:rows]).tolist()}
        first = np.cumsum(rows_of_file) - rows_of_file
        _spoil(contents, (unit - start).tolist(), first.tolist(), bad)
        yield LabelFiles(contents[:count], rows, Counter(bad.values()))


def _spoil(
    contents: list[bytes], unit: list[int], first: list[int], bad: Mapping[int, str]
) -> None:
    for row, code in bad.items():
        lines = contents[unit[row]].split(b"\n")
        line = row - first[unit[row]]
        lines[line] = DEFECTS[code](lines[line].split())
        contents[unit[row]] = b"\n".join(lines)


def _rows(rng: Generator, kind: Kind, unit: Int64) -> _Rows:
    """Draw one row for each of unit (r,), the number of its image."""
    # Low class numbers are more frequent, as people and cars are.
    class_number = (CLASSES * rng.random(len(unit)) ** 2).astype(np.int64)
    if kind != Kind.MIXED:
        return _Rows(class_number, *_draw(kind)(rng, unit))
    shape_of_row = class_number % len(_SHAPES)
    counts = np.zeros(len(unit), dtype=np.int64)
    coordinates_of_shape = []
    for shape, of_shape in enumerate((Kind.BOXES, Kind.POLYGONS, Kind.ROTATED)):
        rows = np.flatnonzero(shape_of_row == shape)
        counts[rows], numbers = _draw(of_shape)(rng, unit[rows])
        coordinates_of_shape.append((rows, numbers))
    coordinates = np.empty(int(counts.sum()))
    of_row = np.repeat(np.arange(len(unit)), counts)
    for shape, (_, numbers) in enumerate(coordinates_of_shape):
        coordinates[shape_of_row[of_row] == shape] = numbers
    return _Rows(class_number, counts, coordinates)


def _draw(kind: Kind) -> Callable[[Generator, Int64], tuple[Int64, Float64]]:
    return {Kind.BOXES: _boxes, Kind.POLYGONS: _polygons, Kind.ROTATED: _corners}[kind]


def _boxes(rng: Generator, unit: Int64) -> tuple[Int64, Float64]:
    """Draw boxes inside the image; most are small."""
    n = len(unit)
    side = 0.01 + 0.6 * rng.random((n, 2)) ** 2
    centre = side / 2 + (1 - side) * rng.random((n, 2))
    return np.full(n, 4), np.concatenate((centre, side), axis=1).reshape(-1)


def _polygons(rng: Generator, unit: Int64) -> tuple[Int64, Float64]:
    """Draw outlines that do not cross themselves: vertices in order of their angle."""
    n = len(unit)
    vertices = 3 + rng.geometric(1 / (_VERTICES - 3), n)
    row = np.repeat(np.arange(n), vertices)
    begin = np.repeat(np.cumsum(vertices) - vertices, vertices)
    step = np.arange(len(row)) - begin + 0.8 * rng.random(len(row))
    angle = 2 * np.pi * step / vertices[row]
    radius = (0.01 + 0.3 * rng.random((n, 2)) ** 2)[row] * (0.6 + 0.4 * rng.random((len(row), 1)))
    room = 0.31  # the largest radius: centres keep that far from the border
    centre = room + (1 - 2 * room) * rng.random((n, 2))
    points = centre[row] + radius * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    return 2 * vertices, points.reshape(-1)


def _corners(rng: Generator, unit: Int64) -> tuple[Int64, Float64]:
    """Draw four corners in pixels: exact rectangles, or corners near one on whole pixels."""
    n = len(unit)
    size_px = np.array(SIZES, dtype=np.float64)[unit % len(SIZES)]
    longer = 12 + 0.3 * size_px.min(axis=1) * rng.random(n) ** 2
    sides_px = np.stack((longer, longer * (0.3 + 0.7 * rng.random(n))), axis=1)
    angle = 2 * np.pi * rng.random(n)
    unit_corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    upright = sides_px[:, np.newaxis] * unit_corners
    x = upright[..., 0] * np.cos(angle)[:, np.newaxis] - upright[..., 1] * np.sin(angle)[:, None]
    y = upright[..., 0] * np.sin(angle)[:, np.newaxis] + upright[..., 1] * np.cos(angle)[:, None]
    reach = longer[:, np.newaxis]
    centre = reach + (size_px - 2 * reach) * rng.random((n, 2))
    corners_px = centre[:, np.newaxis] + np.stack((x, y), axis=2)
    missed = corners_px + 0.02 * longer[:, None, None] * rng.standard_normal((n, 4, 2))
    clicked = rng.random(n) < _CLICKED
    corners_px[clicked] = np.rint(missed[clicked])
    corners = np.clip(corners_px / size_px[:, np.newaxis], 0.0, 1.0)
    return np.full(n, 8), corners.reshape(-1)


def _contents(rows: _Rows, rows_of_file: Int64) -> list[bytes]:
    """Write rows as text, `CLASS 0.dddddd …` and a newline each; one content for each file."""
    width = _DIGITS + 3  # "0.", the decimals, a blank
    tokens = np.cumsum(rows.counts + 1)
    is_class = np.zeros(int(tokens[-1]), dtype=bool)
    is_class[tokens - rows.counts - 1] = True
    text = np.empty((len(is_class), width), dtype=np.uint8)
    text[~is_class] = _decimals(rows.coordinates, width)
    text[is_class, -3] = ord("0") + rows.class_number // 10
    text[is_class, -2] = ord("0") + rows.class_number % 10
    text[is_class, -1] = ord(" ")
    text[tokens - 1, -1] = ord("\n")
    is_text = np.ones(text.shape, dtype=bool)
    is_text[is_class, :-3] = False
    is_text[is_class, -3] = rows.class_number >= 10
    lengths = 2 + (rows.class_number >= 10) + width * rows.counts
    ends = np.concatenate(([0], np.cumsum(lengths)))[np.concatenate(([0], np.cumsum(rows_of_file)))]
    all_rows = text[is_text].tobytes()
    return [all_rows[a:b] for a, b in pairwise(ends.tolist())]


def _decimals(numbers: Float64, width: int) -> UInt8:
    """Return (v, width) the characters of numbers in 0..1, a blank after each."""
    rest = np.rint(numbers * 10**_DIGITS).astype(np.int64)
    text = np.empty((len(numbers), width), dtype=np.uint8)
    text[:, -1] = ord(" ")
    for column in range(width - 2, 1, -1):
        rest, digit = np.divmod(rest, 10)
        text[:, column] = ord("0") + digit
    text[:, 1] = ord(".")
    text[:, 0] = ord("0") + rest
    return text


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
                "shape": _SHAPES[number % len(_SHAPES) if only is None else only],
                "featureNodeHash": f"{number:08x}",
                "externalIds": {"YOLO": str(number)},
            }
            for number in range(CLASSES)
        ],
        "classifications": [],
    }


def image_size(number: int) -> tuple[int, int]:
    """Return width and height, in pixels, of image i of every data set."""
    return SIZES[number % len(SIZES)]


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
) -> Generated:
    """Write a data set into a new folder.

    Parameters
    ----------
    out
        The folder; its images and labels must not be there yet.
    files, kind, seed, defects
        As for `label_files`.
    images
        What the image files are: an `Images`.

    Examples
    --------
    >>> import tempfile
    >>> made = generate(Path(tempfile.mkdtemp()), 2)
    >>> sorted(path.relative_to(made.root).as_posix() for path in Path(made.root).rglob("*.*"))[:2]
    ['images/train/000000.jpg', 'images/train/000001.jpg']
    """
    folders = [out / name / "train" for name in ("images", "labels")]
    for folder in folders:
        folder.mkdir(parents=True)
    (out / "ontology.json").write_text(json.dumps(ontology(kind), indent=1) + "\n")
    links: dict[bytes, Path] = {}
    number = rows = label_bytes = 0
    defects_by_code: Counter[str] = Counter()
    for chunk in label_chunks(files, kind, seed=seed, defects=defects):
        for content in chunk.contents:
            name = f"{number:06d}"
            (folders[1] / f"{name}.txt").write_bytes(content)
            image = b"" if images == Images.EMPTY else jpeg(*image_size(number))
            _link(folders[0] / f"{name}.jpg", image, links)
            number += 1
            label_bytes += len(content)
        rows += chunk.rows
        defects_by_code += chunk.defects
    return Generated(
        str(out), str(kind), files, rows, label_bytes, dict(sorted(defects_by_code.items()))
    )


def _link(path: Path, content: bytes, links: dict[bytes, Path]) -> None:
    """Give content a name: a hard link to the last file that has it, else a new file."""
    if content in links:
        with suppress(OSError):  # file systems count links, and some have none
            path.hardlink_to(links[content])
            return
    path.write_bytes(content)
    links[content] = path


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.generate",
        description="Write a YOLO data set to measure on; the same arguments, the same bytes.",
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to make")
    parser.add_argument("--files", type=int, default=20_000, help="images (default 20000)")
    parser.add_argument("--kind", choices=[k.value for k in Kind], default=Kind.BOXES.value)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--defects", type=float, default=0.0, help="part of the rows made bad, 0..1"
    )
    parser.add_argument(
        "--images", choices=[i.value for i in Images], default=Images.REAL_HEADERS.value
    )
    return parser.parse_args()


if __name__ == "__main__":
    chosen = vars(_arguments())
    json.dump(asdict(generate(chosen.pop("out"), chosen.pop("files"), **chosen)), sys.stdout)
    sys.stdout.write("\n")
