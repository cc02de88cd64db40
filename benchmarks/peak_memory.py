"""How much memory the worst permitted file takes: each alone, in a process of its own.

Run with::

    python -m benchmarks.peak_memory [--mb 64] [--only TEXT] [--to encord] [--command check]

Prints the peak of each (the largest resident set of the process, which the system counts) beside what
is promised: 600 MB for a YOLO text, 600 MB and four times its size for a sidecar. The address space
is limited too, so that a mistake ends the process and not the machine.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.spent import spend
from tests.builders import image_bytes
from tests.builders.yolo import ontology_called_by_shapes

__all__ = ["PROMISED_MB", "SIDECARS", "TEXTS", "Peak", "measure"]

PROMISED_MB: Final = 600
_ADDRESS_SPACE: Final = 6_000_000_000


def _repeated(row: bytes) -> Callable[[int], Iterator[bytes]]:
    """Return what makes a text of the same row again and again."""

    def make(size: int) -> Iterator[bytes]:
        block = row * max(1_000_000 // len(row), 1)
        for _ in range(size // len(block)):
            yield block
        yield block[: size % len(block) // len(row) * len(row)]

    return make


def _different(row: bytes) -> Callable[[int], Iterator[bytes]]:
    """Return what makes a text of rows that differ in one number of eight digits."""

    def make(size: int) -> Iterator[bytes]:
        for start in range(0, size // len(row % 0), 10_000):
            end = min(start + 10_000, size // len(row % 0))
            yield b"".join([row % number for number in range(start, end)])

    return make


def _ring(size: int) -> Iterator[bytes]:
    """One polygon that runs along two lines, as many vertices as a row may have."""
    vertices = min(size // 22, 999_999)
    half = vertices // 2
    yield b"1"
    for start in range(0, vertices, 10_000):
        places = range(start, min(start + 10_000, vertices))
        yield b"".join(
            b" 0.%08d 0.%08d"
            % (
                position if position < half else 2 * half - position,
                10_000_000 + 70_000_000 * (position >= half),
            )
            for position in places
        )


TEXTS: Final[dict[str, Callable[[int], Iterator[bytes]]]] = {
    "boxes": _different(b"0 0.%08d 0.5 0.2 0.4\n"),
    "shortest boxes": _repeated(b"0 0 0 1 1\n"),
    "polygons": _different(b"1 0.%08d 0.1 0.9 0.15 0.8 0.9 0.2 0.8\n"),
    "rotated boxes": _different(b"2 0.%08d 0.1 0.4 0.1 0.4 0.3 0.1 0.3\n"),
    "boxes as polygons": _different(b"1 0.%08d 0.5 0.2 0.4\n"),
    "newlines": _repeated(b"\n"),
    "one row of 0": _repeated(b"0 "),
    "rows of many 0": _repeated(b"0 " * 500_000 + b"\n"),
    "one token": _repeated(b"1"),
    "one token of letters": _repeated(b"x"),
    "bad rows": _repeated(b"0 x\n"),
    "bad tokens": _repeated(b"x\n"),
    "unknown classes": _repeated(b"9 0 0 1 1\n"),
    "out of range": _repeated(b"0 9 9 9 9\n"),
    "comments": _repeated(b"#\n"),
    "a long comment": _repeated(b"#x"),
    "commas": _repeated(b"0,0,0,1,1\n"),
    "returns": _repeated(b"\r"),
    "UTF-16": lambda size: (
        block.decode().encode("utf-16-le") if number else block.decode().encode("utf-16")
        for number, block in enumerate(_repeated(b"0 0 0 1 1\n")(size // 2 - 1))
    ),
    "not ASCII": _repeated("\u00e9\U0001f600\n".encode()),
    "a line that is not ASCII": _repeated("\U0001f600".encode()),
    "one polygon": _ring,
}
"""Name → what makes a text of so many bytes."""


def _sidecar(inner: Callable[[int], Iterator[bytes]]) -> Callable[[int], Iterator[bytes]]:
    return inner


def _around(
    before: bytes, item: bytes, after: bytes, most: int
) -> Callable[[int], Iterator[bytes]]:
    """Return what makes a document of items, at most so many."""

    def make(size: int) -> Iterator[bytes]:
        count = min(size // len(item), most)
        yield before
        for start in range(0, count, 10_000):
            yield item * (min(start + 10_000, count) - start)
        yield after

    return make


def _members(size: int) -> Iterator[bytes]:
    yield b"{"
    for start in range(0, min(size // 14, 3_900_000), 10_000):
        yield b"".join(b'"k%07d":1,' % number for number in range(start, start + 10_000))
    yield b'"":0}'


def _label_row(size: int) -> Iterator[bytes]:
    """A label row of one image with as many boxes as may be."""
    count = min(size // 560, 150_000)
    yield (
        b'{"label_hash":"00000000-0000-0000-0000-000000000000","branch_name":"main","created_at":'
        b'"Mon, 05 Jan 2026 16:46:58 UTC","last_edited_at":"Mon, 05 Jan 2026 16:46:58 UTC",'
        b'"data_hash":"00000000-0000-0000-0000-000000000001","dataset_hash":'
        b'"00000000-0000-0000-0000-000000000002","dataset_title":"","data_title":"a.png",'
        b'"data_type":"image","annotation_task_status":"QUEUED","is_shadow_data":false,'
        b'"label_status":"LABEL_IN_PROGRESS","object_answers":{'
    )
    for number in range(count):
        name = b"%08d" % number
        yield b'%s"%s":{"objectHash":"%s","classifications":[]}' % (
            b"," if number else b"",
            name,
            name,
        )
    yield (
        b'},"classification_answers":{},"object_actions":{},"spaces":{},"data_units":{'
        b'"00000000-0000-0000-0000-000000000001":{"data_hash":"00000000-0000-0000-0000-000000000001",'
        b'"data_title":"a.png","data_link":"","data_type":"image/png","data_sequence":0,"width":40,'
        b'"height":30,"labels":{"objects":['
    )
    for number in range(count):
        yield (
            b'%s{"name":"bounding_box","color":"#D33115","shape":"bounding_box","value":'
            b'"bounding_box","createdAt":"Mon, 05 Jan 2026 16:46:58 UTC","createdBy":null,'
            b'"confidence":1.0,"objectHash":"%08d","featureHash":"a1B2c3D0","manualAnnotation":true,'
            b'"lastEditedAt":"Mon, 05 Jan 2026 16:46:58 UTC","boundingBox":{"h":0.12345678,"w":'
            b'0.12345678,"x":0.%08d,"y":0.12345678}}' % (b"," if number else b"", number, number)
        )
    yield b'],"classifications":[]}}}}'


SIDECARS: Final[dict[str, Callable[[int], Iterator[bytes]]]] = {
    "empty arrays": _around(b"[", b"[],", b"1]", 3_900_000),
    "empty objects": _around(b"[", b"{},", b"1]", 1_900_000),
    "small objects": _around(b"[", b'{"a":0},', b"1]", 1_300_000),
    "nested objects": _around(b"[", b'{"a":' * 200 + b"0" + b"}" * 200 + b",", b"1]", 9_600),
    "numbers": _around(b"[", b"0.123456789,", b"1]", 3_900_000),
    "short texts": _around(b"[", b'"ab",', b"1]", 3_900_000),
    "one text": _around(b'["', b"x", b'"]', 10**9),
    "one text with escapes": _around(b'["', b"\\n", b'"]', 10**9),
    "one text that is not ASCII": _around(b'["\xf0\x9f\x98\x80', b"x", b'"]', 10**9),
    "a mistake behind a text": _around(b'["\xf0\x9f\x98\x80', b"x", b'"', 10**9),
    "keys": _members,
    "repeated keys": _around(b'[{"a":1,"a":2},', b'{"a":0},', b"1]", 1_300_000),
    "NaN": _around(b"[NaN,", b'{"a":0},', b"1]", 1_300_000),
    "too many arrays": _around(b"[", b"[],", b"1]", 10**9),
    "a label row": _label_row,
}
"""Name → what makes a sidecar of so many bytes at most."""


@dataclass(frozen=True, slots=True)
class Peak:
    """What a process took."""

    bytes: int
    """Of the file."""
    peak_mb: float
    status: int
    """How the process ended: 0 clean, 1 with problems in the file, anything else is a failure."""
    seconds: float
    stderr: str


_RUN: Final = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
from labelingest.cli.main import main
sys.argv[1:] = sys.argv[2:]
main()
"""


def measure(
    make: Callable[[int], Iterator[bytes]],
    size: int,
    *,
    is_text: bool,
    command: str = "check",
    options: tuple[str, ...] = (),
    address_space: int = _ADDRESS_SPACE,
) -> Peak:
    """Run a command on a folder of one image with one label file, and return what it took."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        place = Path(folder)
        data = place / "data"
        data.mkdir()
        (data / "a.png").write_bytes(image_bytes.png(40, 30))
        (place / "ontology.json").write_text(json.dumps(ontology_called_by_shapes()))
        label = data / ("a.txt" if is_text else "a.png.encord.json")
        with label.open("wb") as file:
            file.writelines(make(size))
        arguments = [command, str(data), "--ontology", str(place / "ontology.json"), *options]
        patterns = ["--images", "{n}.png", "--labels", "{n}.txt"]
        arguments += patterns if is_text else ["--format", "encord"]
        if command == "convert":
            arguments += ["--out", str(place / _OUT[_target(options)])]
        arguments += ["--workers", "1"]
        spent = spend([sys.executable, "-c", _RUN, str(address_space), *arguments])
        return Peak(label.stat().st_size, spent.peak_mb, spent.code, spent.seconds, spent.stderr)


_OUT: Final = {
    "encord": "rows.jsonl",
    "yolo": "labels",
    "coco": "coco.json",
    "parquet": "table.parquet",
}


def _target(options: tuple[str, ...]) -> str:
    return options[options.index("--to") + 1] if "--to" in options else "encord"


def main() -> None:
    """Print the peak of each file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mb", type=float, default=64, help="size of a YOLO text")
    parser.add_argument("--sidecar-mb", type=float, default=299, help="largest size of a sidecar")
    parser.add_argument("--only", default="", help="part of a name")
    parser.add_argument("--command", default="check", choices=("check", "convert"))
    parser.add_argument("--to", default="encord", choices=tuple(_OUT))
    parser.add_argument("--kind", default="both", choices=("texts", "sidecars", "both"))
    arguments = parser.parse_args()
    options = () if arguments.to == "encord" else ("--to", arguments.to)
    for kind, files, mb in (
        ("texts", TEXTS, arguments.mb),
        ("sidecars", SIDECARS, arguments.sidecar_mb),
    ):
        if arguments.kind not in ("both", kind):
            continue
        for name, make in files.items():
            if arguments.only not in name:
                continue
            peak = measure(
                make,
                int(mb * 1e6),
                is_text=kind == "texts",
                command=arguments.command,
                options=options,
            )
            promised = PROMISED_MB + (0 if kind == "texts" else 4 * peak.bytes / 1e6)
            verdict = "" if peak.peak_mb <= promised and peak.status in (0, 1) else "  TOO MUCH"
            print(
                f"{kind[:-1]:8} {name:28} {peak.bytes / 1e6:8.1f} MB  peak {peak.peak_mb:7.0f} MB "
                f"of {promised:5.0f}  {peak.seconds:6.1f} s  exit {peak.status}{verdict}",
                flush=True,
            )
            if peak.status not in (0, 1):
                print(peak.stderr[-2000:])


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
