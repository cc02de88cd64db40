"""Who converts, how it is called, and what it does: nobody is measured for less than is said here."""

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final

from labelingest.bench.synthetic.data_set import Generated
from labelingest.bench.synthetic.kinds import Kind
from labelingest.engines.base import usable_cores

__all__ = [
    "CONTENDERS",
    "FLOOR",
    "FLOOR_WITH_HEADERS",
    "Contender",
    "Place",
    "labelingest",
    "labelingest_coco",
    "panlabel",
]

FLOOR: Final = "floor"
FLOOR_WITH_HEADERS: Final = "floor-with-headers"
_HERE: Final = Path(__file__).parent
_TURNED: Final = (Kind.ROTATED, Kind.MIXED)
"""Kinds of rows that need the sizes of their images."""
_MASKED: Final = 500
"""Files that who makes a mask of each polygon is given: 30 ms a file and more."""


@dataclass(frozen=True, slots=True)
class Place:
    """A data set, and where what is made of it goes."""

    generated: Generated
    out: Path
    """A folder, empty before each run."""

    def names(self) -> Path:
        """Write the names of the classes as YOLO's tools want them; return the file."""
        objects = json.loads(self.generated.ontology.read_text())["objects"]
        class_names = json.dumps([entry["name"] for entry in objects])
        path = self.out / "data.yaml"
        path.write_text(f"path: {self.generated.root}\ntrain: images/train\nnames: {class_names}\n")
        return path

    def beside_names(self) -> Path:
        """Return a folder with the data set and the names of its classes, for who wants that."""
        for name in ("images", "labels"):
            (self.out / name).symlink_to(Path(self.generated.root, name))
        names = self.names()
        names.write_text(names.read_text().replace(f"path: {self.generated.root}\n", "path: .\n"))
        return self.out


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to convert a folder, as a whole process."""

    name: str
    command: Callable[[Place], Sequence[str]]
    does: Mapping[str, str]
    """Kind → what it does; kinds that are missing it cannot do."""
    package: str = ""
    """What must be installed; empty for what is always there."""
    at_most: Mapping[str, int] = field(default_factory=dict)
    """Kind → files that it is given, where all would take hours."""

    def is_there(self) -> bool:
        """Whether it can be run."""
        return not self.package or find_spec(self.package) is not None

    def files(self, kind: str, files: int) -> int:
        """Return how many of so many files it is given."""
        return min(files, self.at_most.get(kind, files))


def _floor(*options: str) -> Callable[[Place], Sequence[str]]:
    def command(place: Place) -> Sequence[str]:
        out = str(place.out / "out.txt")
        return [sys.executable, str(_HERE / "floor.py"), place.generated.root, out, *options]

    return command


def labelingest(workers: int) -> Callable[[Place], Sequence[str]]:
    """Return the command that converts with so many processes."""

    def command(place: Place) -> Sequence[str]:
        sizes = () if place.generated.kind in _TURNED else ("--image-sizes", "never")
        return [*_convert(place, "rows.jsonl", workers), *sizes]

    return command


def labelingest_coco(workers: int) -> Callable[[Place], Sequence[str]]:
    """Return the command that converts to COCO, whose coordinates need the size of every image."""

    def command(place: Place) -> Sequence[str]:
        return [*_convert(place, "out.json", workers), "--to", "coco"]

    return command


def _convert(place: Place, out: str, workers: int) -> Sequence[str]:
    return [
        *(sys.executable, "-m", "labelingest", "convert", place.generated.root),
        *("--ontology", str(place.generated.ontology), "--out", str(place.out / out)),
        *("--images", "images/{name}.jpg", "--labels", "labels/{name}.txt"),
        *("--workers", str(workers), "--quiet"),
    ]


def _peer(name: str) -> Callable[[Place], Sequence[str]]:
    def command(place: Place) -> Sequence[str]:
        script = [
            sys.executable,
            str(_HERE / "peers.py"),
            name,
            place.generated.kind,
            place.generated.root,
        ]
        return [*script, str(place.names()), str(place.out / "out.json")]

    return command


def panlabel(place: Place) -> Sequence[str]:
    """Return the command that converts with panlabel."""
    return [
        *(_beside_python("panlabel"), "convert", "--from", "yolo", "--to", "coco"),
        *("--input", str(place.beside_names()), "--output", str(place.out / "out.json")),
    ]


def _beside_python(name: str) -> str:
    """Return a program that is installed for this interpreter, or wherever it is found."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or name


def _everywhere(text: str, kinds: Sequence[str] = tuple(Kind)) -> Mapping[str, str]:
    return MappingProxyType(dict.fromkeys(kinds, text))


_OURS: Final = "checks every row; Encord label rows, on the disk before it ends"
_OWN: Final[Mapping[str, str]] = MappingProxyType(
    {
        **_everywhere(f"{_OURS}; --image-sizes never"),
        **_everywhere(f"{_OURS}; headers of images with rotated boxes", _TURNED),
    }
)
_COCO: Final[Mapping[str, str]] = MappingProxyType(
    {
        Kind.BOXES: "COCO boxes, with their outlines, links and hashes; headers of all images; "
        "checks every row; on the disk before it ends"
    }
)
_MASKS: Final = "headers of all images; polygons become masks, and these outlines again"

CONTENDERS: Final = (
    Contender(FLOOR, _floor(), _everywhere("reads label files, writes as many bytes once")),
    Contender(
        FLOOR_WITH_HEADERS,
        _floor("--heads"),
        _everywhere("the same, and the first 4 KB of every image", _TURNED),
    ),
    Contender("labelingest-1", labelingest(1), _OWN),
    Contender("labelingest-all", labelingest(usable_cores()), _OWN),
    Contender("labelingest-coco-1", labelingest_coco(1), _COCO),
    Contender("labelingest-coco-all", labelingest_coco(usable_cores()), _COCO),
    Contender(
        "labelformat",
        _peer("labelformat"),
        {
            Kind.BOXES: "COCO boxes; headers of all images; leaves bad rows out, and logs them",
            Kind.POLYGONS: "COCO polygons; headers of all images; stops at a bad row",
            Kind.ROTATED: "COCO polygons of the corners: no angles; headers of all images",
        },
        "labelformat",
    ),
    Contender(
        "supervision",
        _peer("supervision"),
        {
            Kind.BOXES: "COCO boxes; headers of all images; stops at a bad row",
            Kind.POLYGONS: _MASKS,
            Kind.ROTATED: "COCO boxes: no angles; headers of all images",
            Kind.MIXED: _MASKS,
        },
        "supervision",
        {Kind.POLYGONS: _MASKED, Kind.MIXED: _MASKED},
    ),
    Contender(
        "panlabel",
        panlabel,
        {
            Kind.BOXES: "native (Rust); COCO boxes, without outlines, links and hashes; headers of "
            "all images; checks what it read"
        },
        "panlabel",
    ),
)
"""In the order in which they take turns."""
